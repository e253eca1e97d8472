/* throttle.c: see throttle.h. */
#include "run/throttle.h"

#include "base/clock.h"

void
throttle_init(struct throttle *throttle, const struct spec *spec)
{
	*throttle = (struct throttle){
	    .is_cautious = spec->halt.when != SPEC_HALT_NEVER || spec->delay_ns > 0,
	    .delay_ns = spec->delay_ns,
	};
}

size_t
throttle_allow(const struct throttle *throttle, size_t room, size_t idle_count,
	       int64_t now_ns)
{
	size_t count = throttle->is_cautious && idle_count < room ? idle_count : room;
	if (throttle->delay_ns == 0 || count == 0)
		return count;
	return now_ns >= throttle->next_at_ns ? 1 : 0;
}

void
throttle_started(struct throttle *throttle, int64_t now_ns)
{
	throttle->next_at_ns = now_ns + throttle->delay_ns;
}

int64_t
throttle_wait_until(const struct throttle *throttle, size_t idle_count)
{
	return throttle->delay_ns == 0 || idle_count == 0 ? CLOCK_NEVER
							  : throttle->next_at_ns;
}

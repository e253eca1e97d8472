/* clock.c: see clock.h. */
#include "base/clock.h"

#include <limits.h>
#include <time.h>

static int64_t
clock_read(clockid_t id)
{
	struct timespec ts;
	clock_gettime(id, &ts); /* cannot fail for these two clocks */
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

int64_t
clock_now_ns(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

int64_t
clock_real_ns(void)
{
	return clock_read(CLOCK_REALTIME);
}

int
clock_timeout_ms(int64_t at_ns, int64_t now_ns)
{
	if (at_ns == CLOCK_NEVER)
		return -1;
	if (at_ns <= now_ns)
		return 0;
	int64_t ms = (at_ns - now_ns - 1) / NS_PER_MS + 1;
	return ms > INT_MAX ? INT_MAX : (int)ms;
}

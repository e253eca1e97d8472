/* throttle.c: see throttle.h. */
#include "run/throttle.h"

#include <stdio.h>

#include "base/clock.h"

#define THROTTLE_LOOK_NS (200 * NS_PER_MS)
#define THROTTLE_LOAD_LEAST 0.01 /* what GNU parallel takes --load 0 for */

static const char *const pressure_names[SPEC_PRESSURES] = {
    [SPEC_PRESSURE_CPU] = "cpu", [SPEC_PRESSURE_MEMORY] = "memory", [SPEC_PRESSURE_IO] = "io"};

static bool
has_load_bound(const struct throttle *throttle)
{
	return throttle->spec->load.kind != SPEC_JOBS_DEFAULT;
}

/* Bounds on what is seen late; a start says nothing about them. */
static bool
has_slow_bound(const struct throttle *throttle)
{
	const struct spec *spec = throttle->spec;
	bool has_bound = spec->memfree_bytes > 0;
	for (int i = 0; i < SPEC_PRESSURES; i++)
		has_bound |= spec->pressure_percents[i] > 0;
	return has_bound;
}

void
throttle_init(struct throttle *throttle, const struct spec *spec, const char *root,
	      const struct cgroups *cgroups)
{
	*throttle = (struct throttle){.spec = spec, .delay_ns = spec->delay_ns};
	throttle->is_watching =
	    !spec->is_dry_run && (has_load_bound(throttle) || has_slow_bound(throttle));
	throttle->is_cautious = spec->halt.when != SPEC_HALT_NEVER ||
				spec->delay_ns > 0 || throttle->is_watching;
	gauge_init(&throttle->gauge, root, cgroups);
}

void
throttle_fini(struct throttle *throttle)
{
	gauge_fini(&throttle->gauge);
}

bool
throttle_is_cautious(const struct throttle *throttle)
{
	return throttle->is_cautious || throttle->cap > 0;
}

bool
throttle_has_bounds(const struct throttle *throttle)
{
	return throttle->is_watching || throttle->cap > 0;
}

size_t
throttle_allow(struct throttle *throttle, const struct throttle_seats *seats, int64_t now_ns)
{
	size_t count = seats->room;
	if (throttle_is_cautious(throttle) && seats->idle_count < count)
		count = seats->idle_count;
	throttle->is_holding = false;
	if (throttle->delay_ns == 0 || count == 0)
		return count;
	return now_ns >= throttle->next_at_ns ? 1 : 0;
}

/* --- the machine --- */

static double
load_limit(const struct spec_jobs *load, double cpus)
{
	double limit = load->value;
	if (load->kind == SPEC_JOBS_PERCENT)
		limit = cpus * load->value / 100;
	else if (load->kind == SPEC_JOBS_PLUS)
		limit = cpus + load->value;
	return limit < THROTTLE_LOAD_LEAST ? THROTTLE_LOAD_LEAST : limit;
}

static void
look_at_load(struct throttle *throttle)
{
	double cpus, *running = &throttle->values[THROTTLE_LOAD];
	if (gauge_load(&throttle->gauge, running, &cpus) == 0)
		throttle->load_limit = load_limit(&throttle->spec->load, cpus);
}

static void
look_at_memory(struct throttle *throttle)
{
	uint64_t free_bytes;
	if (gauge_free_bytes(&throttle->gauge, &free_bytes) == -1)
		return;
	throttle->values[THROTTLE_MEMORY] = (double)free_bytes;
	if (free_bytes < throttle->spec->memfree_bytes)
		throttle->holds |= 1U << THROTTLE_MEMORY;
}

static void
look_at_pressure(struct throttle *throttle, enum spec_pressure kind, int64_t now_ns)
{
	double *percent = &throttle->values[THROTTLE_PRESSURE + kind];
	if (gauge_pressure(&throttle->gauge, kind, now_ns, percent) == 0 &&
	    *percent >= throttle->spec->pressure_percents[kind])
		throttle->holds |= 1U << (THROTTLE_PRESSURE + kind);
}

/* What cannot be read any more holds nothing back; gauge_check was for what never could be. */
static void
throttle_look(struct throttle *throttle, size_t busy_count, int64_t now_ns)
{
	const struct spec *spec = throttle->spec;
	throttle->holds = 0;
	if (has_load_bound(throttle))
		look_at_load(throttle);
	if (spec->memfree_bytes > 0)
		look_at_memory(throttle);
	for (int i = 0; i < SPEC_PRESSURES; i++)
		if (spec->pressure_percents[i] > 0)
			look_at_pressure(throttle, (enum spec_pressure)i, now_ns);
	throttle->width = throttle->holds != 0 ? 0 : throttle->peak_count + 1;
	throttle->busy_count = busy_count;
	throttle->peak_count = busy_count;
	throttle->look_at_ns = now_ns + THROTTLE_LOOK_NS;
}

/* --- what that means --- */

/* What has started since the look counts as load, and what has ended no more. */
static size_t
load_room(struct throttle *throttle, size_t busy_count)
{
	double load = throttle->values[THROTTLE_LOAD] + (double)busy_count -
		      (double)throttle->busy_count;
	double room = throttle->load_limit - load;
	throttle->load = load;
	if (throttle->load_limit <= 0) /* never read */
		return SIZE_MAX;
	if (room <= 0) {
		throttle->holds |= 1U << THROTTLE_LOAD;
		return 0;
	}
	throttle->holds &= ~(1U << THROTTLE_LOAD);
	size_t whole = (size_t)room;
	return (double)whole < room ? whole + 1 : whole;
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static size_t
room_below(size_t limit, size_t busy_count)
{
	return limit > busy_count ? limit - busy_count : 0;
}

static size_t
throttle_room(struct throttle *throttle, size_t busy_count)
{
	size_t room = SIZE_MAX;
	if (has_load_bound(throttle))
		room = least(room, load_room(throttle, busy_count));
	if (has_slow_bound(throttle))
		room = least(room, room_below(throttle->width, busy_count));
	if (throttle->cap > 0)
		room = least(room, room_below(throttle->cap, busy_count));
	return room;
}

size_t
throttle_judge(struct throttle *throttle, size_t count,
	       const struct throttle_seats *seats, int64_t now_ns)
{
	size_t busy_count = room_below(seats->worker_count, seats->idle_count);
	size_t room = 1;
	if (busy_count > throttle->peak_count)
		throttle->peak_count = busy_count;
	if (busy_count > 0) {
		if (throttle->is_watching && now_ns >= throttle->look_at_ns)
			throttle_look(throttle, busy_count, now_ns);
		room = throttle_room(throttle, busy_count);
	}
	throttle->is_holding = room < count;
	return least(room, count);
}

void
throttle_started(struct throttle *throttle, int64_t now_ns)
{
	throttle->next_at_ns = now_ns + throttle->delay_ns;
}

int64_t
throttle_wait_until(const struct throttle *throttle, size_t idle_count)
{
	int64_t until = CLOCK_NEVER;
	if (idle_count == 0)
		return until;
	if (throttle->delay_ns > 0)
		until = throttle->next_at_ns;
	if (throttle->is_holding && throttle->is_watching && throttle->look_at_ns < until)
		until = throttle->look_at_ns;
	return until;
}

/* --- memory that was not there --- */

void
throttle_out_of_memory(struct throttle *throttle, size_t busy_count)
{
	size_t cap = busy_count / 2 > 0 ? busy_count / 2 : 1;
	if (throttle->cap == 0 || cap < throttle->cap)
		throttle->cap = cap;
	throttle->success_count = 0;
}

void
throttle_succeeded(struct throttle *throttle, size_t count, size_t worker_count)
{
	if (throttle->cap == 0)
		return;
	throttle->success_count += count;
	if (throttle->success_count < throttle->cap)
		return;
	throttle->success_count = 0;
	if (++throttle->cap >= worker_count)
		throttle->cap = 0;
}

/* --- telling --- */

const char *
throttle_holder(const struct throttle *throttle, size_t idle_count, int64_t now_ns)
{
	unsigned int holds = throttle->is_holding ? throttle->holds : 0;
	if (idle_count == 0)
		return NULL;
	if ((holds & 1U << THROTTLE_LOAD) != 0)
		return "load";
	if ((holds & 1U << THROTTLE_MEMORY) != 0)
		return "memfree";
	if (holds != 0)
		return "max-pressure";
	if (throttle->is_holding && throttle->cap > 0)
		return "memory";
	return throttle->delay_ns > 0 && now_ns < throttle->next_at_ns ? "delay" : NULL;
}

static void
tell_hold(const struct throttle *throttle, int hold, char *text, size_t text_bytes)
{
	const struct spec *spec = throttle->spec;
	double value = hold == THROTTLE_LOAD ? throttle->load : throttle->values[hold];
	const double mib = 1024.0 * 1024;
	if (hold == THROTTLE_LOAD)
		snprintf(
		    text, text_bytes,
		    "tasks wait: %.0f processes run on this machine, --load wants fewer "
		    "than %g",
		    value, throttle->load_limit);
	else if (hold == THROTTLE_MEMORY)
		snprintf(text, text_bytes,
			 "tasks wait: %.0f MiB of memory are free, --memfree wants %.0f",
			 value / mib, (double)spec->memfree_bytes / mib);
	else
		snprintf(
		    text, text_bytes,
		    "tasks wait: %s pressure is %.0f%%, --max-pressure wants less than "
		    "%g%%",
		    pressure_names[hold - THROTTLE_PRESSURE], value,
		    spec->pressure_percents[hold - THROTTLE_PRESSURE]);
}

const char *
throttle_tell(struct throttle *throttle, char *text, size_t text_bytes)
{
	unsigned int news = throttle->is_holding ? throttle->holds & ~throttle->told : 0;
	if (throttle->cap > 0 && !throttle->is_cap_told) {
		throttle->is_cap_told = true;
		snprintf(
		    text, text_bytes,
		    "a task was killed for memory: no more than %zu run at once for now",
		    throttle->cap);
		return text;
	}
	for (int hold = 0; hold < THROTTLE_HOLDS; hold++) {
		if ((news & 1U << hold) == 0)
			continue;
		throttle->told |= 1U << hold;
		tell_hold(throttle, hold, text, text_bytes);
		return text;
	}
	return NULL;
}

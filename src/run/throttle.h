/*
 * throttle.h: what holds back new starts: the delay between two of them; --halt, which must not
 * have tasks queued that would start before the coordinator has judged the one before; the bounds
 * on load, memory and pressure; and what a kill for memory has taught.
 *
 * Asked by the run before each start; never stops what runs, and always lets one run.
 *
 * The machine is looked at a few times a second, and only while there is something to start. What
 * it says lags behind what was started since. So each of our own starts counts as load until the
 * next look; and where memory or pressure has a bound, one task more than before may run at once
 * from look to look.
 *
 * A task that the kernel kills for memory halves the number that may run at once; that grows by
 * one with as many successes as there may be at once.
 */
#ifndef PINION_THROTTLE_H
#define PINION_THROTTLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "run/gauge.h"
#include "task/spec.h"

enum throttle_hold {
	THROTTLE_LOAD,
	THROTTLE_MEMORY,
	THROTTLE_PRESSURE, /* and the two behind it, as enum spec_pressure */
	THROTTLE_HOLDS = THROTTLE_PRESSURE + SPEC_PRESSURES,
};

struct throttle {
	const struct spec *spec;
	bool is_cautious; /* only what an idle worker starts at once; throttle_is_cautious is to be asked */
	bool is_watching; /* there are bounds */
	int64_t delay_ns; /* 0: none */
	int64_t next_at_ns;

	struct gauge gauge;
	int64_t look_at_ns;            /* the next look is due */
	double values[THROTTLE_HOLDS]; /* at the last look; in bytes, percent */
	double load;                   /* then, and what has started since */
	double load_limit;
	size_t busy_count;  /* what ran then */
	size_t peak_count;  /* the most that ran since */
	size_t width;       /* so many may run until the next look */
	bool is_holding;    /* something could start, but for the bounds */
	unsigned int holds; /* bits: those that do so */
	unsigned int told;  /* those that were told */

	size_t cap; /* after a kill for memory: so many may run at once; 0: any number */
	size_t success_count; /* since it has changed */
	bool is_cap_told;
};

/* What runs and could run. */
struct throttle_seats {
	size_t worker_count;
	size_t idle_count; /* workers that have nothing to do */
	size_t room;       /* tasks that the backend takes */
};

/* Borrows all until throttle_fini; gauge.h says what root and cgroups are. */
void throttle_init(struct throttle *throttle, const struct spec *spec, const char *root,
		   const struct cgroups *cgroups);
void throttle_fini(struct throttle *throttle);

/* How many tasks may be started now, as far as delay and --halt are concerned. */
size_t throttle_allow(struct throttle *throttle, const struct throttle_seats *seats,
		      int64_t now_ns);

/* No more than one task for each idle worker is to be queued, and nothing in chunks. */
bool throttle_is_cautious(const struct throttle *throttle);

/* Whether throttle_judge is to be asked too, where there is something to start. */
bool throttle_has_bounds(const struct throttle *throttle);

/* How many of `count` tasks that there are may be started now. */
size_t throttle_judge(struct throttle *throttle, size_t count,
		      const struct throttle_seats *seats, int64_t now_ns);

void throttle_started(struct throttle *throttle, int64_t now_ns);

/* When to ask again if only time stands in the way; CLOCK_NEVER otherwise. */
int64_t throttle_wait_until(const struct throttle *throttle, size_t idle_count);

/* A task was killed for memory while so many ran, itself among them. */
void throttle_out_of_memory(struct throttle *throttle, size_t busy_count);
void throttle_succeeded(struct throttle *throttle, size_t count, size_t worker_count);

/*
 * What keeps a task from being started that there is, where some workers are idle: the option's
 * name, or "memory" after a kill for it. NULL: nothing.
 */
const char *throttle_holder(const struct throttle *throttle, size_t idle_count,
			    int64_t now_ns);

/*
 * Why tasks wait, a line for the user, if that has not been told yet: each reason once. NULL:
 * nothing new.
 */
const char *throttle_tell(struct throttle *throttle, char *text, size_t text_bytes);

#endif

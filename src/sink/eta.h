/*
 * eta.h: how fast tasks end, and when the last one will.
 *
 * The rate forgets: it is that of the last part of the run, so that a slow beginning, or a cache
 * that filled, does not count for ever. The spread says how far off the end may well be (one
 * time in ten it is further): from how much durations differ, how many were seen and
 * how many are left.
 */
#ifndef PINION_ETA_H
#define PINION_ETA_H

#include <stdint.h>

struct eta {
	int64_t at_ns;        /* of the last look */
	uint64_t ended_count; /* by then */
	double weight_s;      /* the time that counts still, */
	double weight;        /* and the tasks in it */
	/* Of durations, in seconds. */
	uint64_t count;
	double sum;
	double square_sum;
};

void eta_start(struct eta *eta, int64_t now_ns);

/* So many tasks took `total_ns` together. */
static inline void
eta_add(struct eta *eta, uint64_t count, int64_t total_ns)
{
	double s = (double)total_ns / 1e9;
	eta->count += count;
	eta->sum += s;
	eta->square_sum += s * s / (double)count; /* as if they were alike */
}

/* Now and then: so many have ended. `run_ns` is how long the run is. */
void eta_look(struct eta *eta, int64_t now_ns, int64_t run_ns, uint64_t ended_count);

/* Tasks per second; 0: not known yet. */
double eta_rate(const struct eta *eta);

/* Mean duration in nanoseconds; 0: not known yet. */
int64_t eta_mean_ns(const struct eta *eta);

/*
 * How long it will take for so many more to end, -1: not known yet; and how much more or less
 * that may be.
 */
int64_t eta_left_ns(const struct eta *eta, uint64_t left_count, int64_t *spread_ns);

#endif

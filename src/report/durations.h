/*
 * durations.h: how long tasks ran, counted: into few ranges to be drawn, and into many for the
 * median and its kin.
 *
 * The ranges are even where all durations are of one size, else each is a few times as long as
 * the one before; their bounds are round numbers. No memory beyond the struct.
 */
#ifndef PINION_DURATIONS_H
#define PINION_DURATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DURATIONS_RANGES_MAX 20
#define DURATIONS_FINE_BITS 5 /* 32 steps to the double: within 2 % */
#define DURATIONS_FINE_COUNT (64 << DURATIONS_FINE_BITS)

struct durations {
	size_t range_count;
	int64_t bounds_ns[DURATIONS_RANGES_MAX + 1]; /* range i: from bound i up to below i + 1 */
	uint64_t counts[DURATIONS_RANGES_MAX];
	uint64_t failed_counts[DURATIONS_RANGES_MAX]; /* among them */
	uint64_t fine[DURATIONS_FINE_COUNT];
	uint64_t total;
};

/* For durations from the shortest to the longest. */
void durations_init(struct durations *durations, int64_t shortest_ns, int64_t longest_ns);

void durations_add(struct durations *durations, int64_t wall_ns, bool is_failure);

/* What so many of a hundred took at most; 0 where there are none. */
int64_t durations_percentile(const struct durations *durations, unsigned int percent);

#endif

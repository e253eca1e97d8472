/*
 * usage.h: how busy workers were over time, and the memory of what ran at a time.
 *
 * Time is cut into so many equal bins, workers into so many lanes: one each, or where there are
 * more of them, some together. Memory is that of tasks at their largest, so the sum of what
 * ran at the same time is what was needed at most.
 */
#ifndef PINION_USAGE_H
#define PINION_USAGE_H

#include <stddef.h>
#include <stdint.h>

struct usage_span {
	int64_t start_ns;
	int64_t end_ns; /* later than the start */
};

struct usage {
	struct usage_span span;
	uint32_t slot_count;
	uint32_t lane_slots; /* in a lane; the last may have fewer */
	size_t lane_count;
	size_t bin_count;
	double *busy_ns; /* by lane and bin */
	double *memory;  /* by bin: bytes times nanoseconds */
};

/* 0, -1 without memory. */
int usage_init(struct usage *usage, struct usage_span span, uint32_t slot_count,
	       size_t lane_max, size_t bin_count);
void usage_fini(struct usage *usage);

/* Slots are counted from 1; what is outside of the span counts to its ends. */
void usage_add(struct usage *usage, uint32_t slot, struct usage_span task, int64_t bytes);

/* The slots of a lane: from *first to *last. */
void usage_slots(const struct usage *usage, size_t lane, uint32_t *first, uint32_t *last);

/* From 0 to 1: in a bin, or over all of the time. */
double usage_busy(const struct usage *usage, size_t lane, size_t bin);
double usage_busy_all(const struct usage *usage, size_t lane);
double usage_bytes(const struct usage *usage, size_t bin);

#endif

/*
 * median.h: the median of many durations in constant memory.
 *
 * A histogram with 32 buckets per power of two: the answer is within 3 % of the true one.
 */
#ifndef PINION_MEDIAN_H
#define PINION_MEDIAN_H

#include <stdint.h>

#define MEDIAN_SUB_BITS 5
#define MEDIAN_BUCKETS (64 << MEDIAN_SUB_BITS)

struct median {
	uint64_t count;
	uint32_t buckets[MEDIAN_BUCKETS];
};

void median_add(struct median *median, int64_t duration_ns);

/* 0 while nothing was added. */
int64_t median_get(const struct median *median);

#endif

/* median.c: see median.h. */
#include "task/median.h"

/* Small values have a bucket each; from there the top MEDIAN_SUB_BITS + 1 bits say which. */
static unsigned int
median_bucket(uint64_t value)
{
	if (value < (1U << MEDIAN_SUB_BITS))
		return (unsigned int)value;
	unsigned int shift = 63U - (unsigned int)__builtin_clzll(value) - MEDIAN_SUB_BITS;
	return ((shift + 1) << MEDIAN_SUB_BITS) +
	       (unsigned int)((value >> shift) & ((1U << MEDIAN_SUB_BITS) - 1));
}

/* The middle of a bucket. */
static int64_t
median_value(unsigned int bucket)
{
	unsigned int sub = bucket & ((1U << MEDIAN_SUB_BITS) - 1);
	unsigned int shift = bucket >> MEDIAN_SUB_BITS;
	if (shift == 0)
		return sub;
	uint64_t low = (uint64_t)((1U << MEDIAN_SUB_BITS) + sub) << (shift - 1);
	return (int64_t)(low + ((UINT64_C(1) << (shift - 1)) >> 1));
}

void
median_add(struct median *median, int64_t duration_ns)
{
	median->count++;
	median->buckets[median_bucket(duration_ns < 0 ? 0 : (uint64_t)duration_ns)]++;
}

int64_t
median_get(const struct median *median)
{
	unsigned int bucket = 0;
	uint64_t below = median->buckets[0];
	while (below * 2 < median->count) /* which is that of all buckets */
		below += median->buckets[++bucket];
	return median_value(bucket);
}

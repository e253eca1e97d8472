/* durations.c: see durations.h. */
#include "report/durations.h"

#include <string.h>

#define LONGEST_NS \
	INT64_C(999999999999999999) /* 30 years: what took longer counts as that */
#define EVEN_RANGES 12              /* at most so many of the same length */
#define EVEN_RATIO \
	20 /* the longest at most so many times the shortest: they are of one size */

/* --- bounds --- */

/* The numbers 1, 2, 5, 10, 20, ...: the first that is not below `least`. */
static int64_t
round_up(int64_t least)
{
	static const int64_t steps[] = {1, 2, 5};
	for (int64_t power = 1;; power *= 10)
		for (size_t i = 0; i < 3; i++)
			if (steps[i] * power >= least)
				return steps[i] * power;
}

static void
bounds_even(struct durations *durations, int64_t shortest_ns, int64_t longest_ns)
{
	int64_t step = round_up((longest_ns - shortest_ns) / EVEN_RANGES + 1);
	int64_t bound = shortest_ns / step * step;
	size_t count = 0;
	while (bound <= longest_ns && count < DURATIONS_RANGES_MAX) {
		durations->bounds_ns[count++] = bound;
		bound += step;
	}
	durations->bounds_ns[count] = bound;
	durations->range_count = count;
}

/* So many bounds to a decade: 1 2 5, 1 3 or 1. False: that gives too many. */
static bool
bounds_by_decades(struct durations *durations, int64_t shortest_ns, int64_t longest_ns,
		  size_t per_decade)
{
	static const int64_t factors[4][3] = {{0}, {1}, {1, 3}, {1, 2, 5}};
	size_t count = 0;
	for (int64_t power = 1;; power *= 10)
		for (size_t i = 0; i < per_decade; i++) {
			int64_t bound = factors[per_decade][i] * power;
			if (bound <= shortest_ns)
				count = 0;
			if (count > DURATIONS_RANGES_MAX)
				return false;
			durations->bounds_ns[count++] = bound;
			if (bound > longest_ns) {
				durations->range_count = count - 1;
				return true;
			}
		}
}

void
durations_init(struct durations *durations, int64_t shortest_ns, int64_t longest_ns)
{
	memset(durations, 0, sizeof(*durations));
	if (longest_ns > LONGEST_NS)
		longest_ns = LONGEST_NS;
	if (longest_ns < 1)
		longest_ns = 1;
	if (shortest_ns > longest_ns)
		shortest_ns = longest_ns;
	if (shortest_ns < 1)
		shortest_ns = 1;
	if (longest_ns / shortest_ns < EVEN_RATIO) {
		bounds_even(durations, shortest_ns, longest_ns);
		return;
	}
	for (size_t per_decade = 3; per_decade > 0; per_decade--)
		if (bounds_by_decades(durations, shortest_ns, longest_ns, per_decade))
			return;
}

/* --- counting --- */

/* Steps of equal ratio: the place of the highest bit, and the bits behind it. */
static size_t
fine_index(int64_t wall_ns)
{
	uint64_t value = wall_ns < 1 ? 1 : (uint64_t)wall_ns;
	unsigned int high = 63U - (unsigned int)__builtin_clzll(value);
	uint64_t rest = high >= DURATIONS_FINE_BITS
			    ? value >> (high - DURATIONS_FINE_BITS)
			    : value << (DURATIONS_FINE_BITS - high);
	return ((size_t)high << DURATIONS_FINE_BITS) +
	       (size_t)(rest & ((1U << DURATIONS_FINE_BITS) - 1));
}

/* The middle of a step. */
static int64_t
fine_value(size_t index)
{
	unsigned int high = (unsigned int)(index >> DURATIONS_FINE_BITS);
	double rest = (double)(index & ((1U << DURATIONS_FINE_BITS) - 1)) + 0.5;
	double part = 1 + rest / (1 << DURATIONS_FINE_BITS);
	return (int64_t)(part * (double)(UINT64_C(1) << high));
}

void
durations_add(struct durations *durations, int64_t wall_ns, bool is_failure)
{
	size_t range = 0;
	while (range + 1 < durations->range_count &&
	       wall_ns >= durations->bounds_ns[range + 1])
		range++;
	durations->counts[range]++;
	durations->failed_counts[range] += is_failure;
	durations->fine[fine_index(wall_ns)]++;
	durations->total++;
}

int64_t
durations_percentile(const struct durations *durations, unsigned int percent)
{
	uint64_t wanted = (durations->total * percent + 99) / 100;
	uint64_t seen = 0;
	for (size_t i = 0; i < DURATIONS_FINE_COUNT; i++) {
		seen += durations->fine[i];
		if (seen >= wanted && seen > 0)
			return fine_value(i);
	}
	return 0;
}

/* Durations in ranges: none is lost, bounds are round, the median is where it should be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report/durations.h"

#define MS INT64_C(1000000)

static void
durations_of_one_size_have_even_ranges(void **state)
{
	struct durations durations;
	(void)state;
	durations_init(&durations, 103 * MS, 902 * MS);
	assert_int_equal(durations.range_count, 9);
	for (size_t i = 0; i <= durations.range_count; i++)
		assert_int_equal(durations.bounds_ns[i], (int64_t)(i + 1) * 100 * MS);
}

static void
durations_of_many_sizes_have_ranges_that_grow(void **state)
{
	struct durations durations;
	(void)state;
	durations_init(&durations, 3 * MS, 700 * MS);
	assert_int_equal(durations.bounds_ns[0], 2 * MS);
	assert_int_equal(durations.bounds_ns[1], 5 * MS);
	assert_int_equal(durations.bounds_ns[2], 10 * MS);
	assert_int_equal(durations.bounds_ns[durations.range_count], 1000 * MS);
}

/* Whatever the two are: few ranges, in order, from at most the shortest to above the longest. */
static void
ranges_hold_every_duration(void **state)
{
	static const int64_t some[] = {0,
				       1,
				       2,
				       9,
				       10,
				       999,
				       1000,
				       1001,
				       5 * MS,
				       86400000 * MS,
				       INT64_MAX / 1000,
				       INT64_MAX / 100,
				       INT64_MAX / 10};
	struct durations durations;
	(void)state;
	for (size_t i = 0; i < sizeof(some) / sizeof(*some); i++)
		for (size_t j = i; j < sizeof(some) / sizeof(*some); j++) {
			durations_init(&durations, some[i], some[j]);
			assert_in_range(durations.range_count, 1, DURATIONS_RANGES_MAX);
			assert_true(durations.bounds_ns[0] <= some[i] ||
				    durations.bounds_ns[0] <= 1);
			assert_true(durations.bounds_ns[durations.range_count] > some[j]);
			for (size_t k = 0; k < durations.range_count; k++)
				assert_true(durations.bounds_ns[k] <
					    durations.bounds_ns[k + 1]);
		}
}

/* As a record may say that is not sound. */
static void
durations_without_end_have_ranges(void **state)
{
	static const int64_t some[] = {-1, 0, MS, INT64_MAX / 2 - 10 * MS, INT64_MAX / 2};
	struct durations durations;
	(void)state;
	for (size_t i = 0; i < sizeof(some) / sizeof(*some); i++) {
		durations_init(&durations, some[i], INT64_MAX / 2);
		assert_in_range(durations.range_count, 1, DURATIONS_RANGES_MAX);
		durations_add(&durations, INT64_MAX / 2, false);
		assert_int_equal(durations.counts[durations.range_count - 1], 1);
	}
	durations_init(&durations, 5, -1);
	assert_int_equal(durations.range_count, 1);
}

static void
each_duration_counts_once_and_failures_among_them(void **state)
{
	struct durations durations;
	uint64_t count = 0, failed = 0;
	(void)state;
	durations_init(&durations, 1, 1000000);
	for (int64_t ns = 1; ns <= 1000000; ns += 997)
		durations_add(&durations, ns, ns % 2 == 0);
	for (size_t i = 0; i < durations.range_count; i++) {
		count += durations.counts[i];
		failed += durations.failed_counts[i];
		assert_true(durations.failed_counts[i] <= durations.counts[i]);
	}
	assert_int_equal(count, 1004);
	assert_int_equal(failed, 502);
	assert_int_equal(durations.total, count);
}

static void
a_bound_belongs_to_the_range_that_begins_with_it(void **state)
{
	struct durations durations;
	(void)state;
	durations_init(&durations, 100 * MS, 900 * MS);
	durations_add(&durations, 200 * MS, false);
	durations_add(&durations, 200 * MS - 1, false);
	assert_int_equal(durations.counts[0], 1);
	assert_int_equal(durations.counts[1], 1);
}

static void
percentiles_are_within_two_percent(void **state)
{
	struct durations durations;
	(void)state;
	durations_init(&durations, 1, 1000 * MS);
	for (int64_t i = 1; i <= 1000; i++)
		durations_add(&durations, i * MS, false);
	for (unsigned int percent = 1; percent <= 100; percent++)
		assert_in_range(durations_percentile(&durations, percent),
				percent * 10 * MS * 98 / 100,
				percent * 10 * MS * 102 / 100);
}

static void
without_durations_there_is_no_median(void **state)
{
	struct durations durations;
	(void)state;
	durations_init(&durations, 0, 0);
	assert_int_equal(durations_percentile(&durations, 50), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(durations_of_one_size_have_even_ranges),
	    cmocka_unit_test(durations_of_many_sizes_have_ranges_that_grow),
	    cmocka_unit_test(ranges_hold_every_duration),
	    cmocka_unit_test(durations_without_end_have_ranges),
	    cmocka_unit_test(each_duration_counts_once_and_failures_among_them),
	    cmocka_unit_test(a_bound_belongs_to_the_range_that_begins_with_it),
	    cmocka_unit_test(percentiles_are_within_two_percent),
	    cmocka_unit_test(without_durations_there_is_no_median),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

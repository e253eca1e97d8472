/* The running median, against sorting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "task/median.h"

static int
compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

static void
assert_within_3_percent(int64_t got, int64_t expected)
{
	int64_t tolerance = expected * 3 / 100;
	assert_true(got >= expected - tolerance && got <= expected + tolerance);
}

static void
median_of_nothing_is_0(void **state)
{
	(void)state;
	struct median *median = calloc(1, sizeof(*median));
	assert_non_null(median);
	assert_int_equal(median_get(median), 0);
	free(median);
}

static void
median_of_one_is_it_within_3_percent(void **state)
{
	(void)state;
	for (int shift = 0; shift < 63; shift++)
		for (int64_t more = 0; more < 3; more++) {
			struct median *median = calloc(1, sizeof(*median));
			assert_non_null(median);
			int64_t value =
			    (INT64_C(1) << shift) + more * (INT64_C(1) << shift) / 3;
			median_add(median, value);
			int64_t got = median_get(median);
			assert_true(got / 100 * 97 <= value && value / 100 * 97 <= got);
			if (value < 64)
				assert_int_equal(got, value);
			free(median);
		}
}

static void
median_of_many_is_within_3_percent_of_the_true_one(void **state)
{
	(void)state;
	enum { COUNT = 1001 };
	static int64_t values[COUNT];
	unsigned int seed = 5;
	for (int round = 0; round < 20; round++) {
		struct median *median = calloc(1, sizeof(*median));
		assert_non_null(median);
		for (int i = 0; i < COUNT; i++) {
			values[i] = (int64_t)rand_r(&seed) << (round + i % 7);
			median_add(median, values[i]);
		}
		qsort(values, COUNT, sizeof(*values), compare);
		assert_within_3_percent(median_get(median), values[COUNT / 2]);
		assert_int_equal(median->count, COUNT);
		free(median);
	}
}

static void
durations_below_0_count_as_0(void **state)
{
	(void)state;
	struct median *median = calloc(1, sizeof(*median));
	assert_non_null(median);
	median_add(median, -5);
	median_add(median, INT64_MIN);
	median_add(median, 1000);
	assert_int_equal(median_get(median), 0);
	assert_int_equal(median->count, 3);
	free(median);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(median_of_nothing_is_0),
	    cmocka_unit_test(median_of_one_is_it_within_3_percent),
	    cmocka_unit_test(median_of_many_is_within_3_percent_of_the_true_one),
	    cmocka_unit_test(durations_below_0_count_as_0),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

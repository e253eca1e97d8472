/* How busy workers were: nothing counts twice, and many workers share few lanes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report/usage.h"

static const struct usage_span thousand = {.start_ns = 5000, .end_ns = 6000};

static void
assert_near(double actual, double expected)
{
	assert_true(actual > expected - 1e-9 && actual < expected + 1e-9);
}

static void
a_task_is_spread_over_the_bins_it_reaches_into(void **state)
{
	struct usage usage;
	(void)state;
	assert_int_equal(usage_init(&usage, thousand, 2, 8, 10), 0);
	usage_add(&usage, 1, (struct usage_span){5150, 5320}, 1000);
	assert_near(usage_busy(&usage, 0, 0), 0);
	assert_near(usage_busy(&usage, 0, 1), 0.5);
	assert_near(usage_busy(&usage, 0, 2), 1);
	assert_near(usage_busy(&usage, 0, 3), 0.2);
	assert_near(usage_busy(&usage, 0, 4), 0);
	assert_near(usage_busy(&usage, 1, 2), 0);
	assert_near(usage_busy_all(&usage, 0), 0.17);
	assert_near(usage_bytes(&usage, 1), 500);
	usage_fini(&usage);
}

static void
memory_is_that_of_all_that_run_at_a_time(void **state)
{
	struct usage usage;
	(void)state;
	assert_int_equal(usage_init(&usage, thousand, 2, 8, 2), 0);
	usage_add(&usage, 1, (struct usage_span){5000, 6000}, 100);
	usage_add(&usage, 2, (struct usage_span){5500, 6000}, 30);
	assert_near(usage_bytes(&usage, 0), 100);
	assert_near(usage_bytes(&usage, 1), 130);
	usage_fini(&usage);
}

static void
what_is_outside_of_the_span_is_cut_off(void **state)
{
	struct usage usage;
	(void)state;
	assert_int_equal(usage_init(&usage, thousand, 1, 8, 4), 0);
	usage_add(&usage, 1, (struct usage_span){0, 5250}, 0);
	usage_add(&usage, 1, (struct usage_span){5750, 99999}, 0);
	usage_add(&usage, 1, (struct usage_span){7000, 8000}, 0);
	usage_add(&usage, 99, (struct usage_span){5250, 5500}, 0); /* no such slot: the last */
	assert_near(usage_busy_all(&usage, 0), 0.75);
	usage_fini(&usage);
}

static void
each_slot_is_in_one_lane(void **state)
{
	(void)state;
	for (uint32_t slots = 1; slots <= 40; slots++)
		for (size_t lane_max = 1; lane_max <= 12; lane_max++) {
			struct usage usage;
			uint32_t next = 1, first, last;
			assert_int_equal(usage_init(&usage, thousand, slots, lane_max, 1),
					 0);
			for (size_t lane = 0; lane < usage.lane_count; lane++) {
				usage_slots(&usage, lane, &first, &last);
				assert_int_equal(first, next);
				assert_true(last >= first);
				for (uint32_t slot = first; slot <= last; slot++)
					usage_add(&usage, slot, thousand, 0);
				assert_near(usage_busy_all(&usage, lane), 1);
				next = last + 1;
			}
			assert_int_equal(next, slots + 1);
			usage_fini(&usage);
		}
}

static void
a_span_of_nothing_is_one(void **state)
{
	struct usage usage;
	(void)state;
	assert_int_equal(usage_init(&usage, (struct usage_span){7, 7}, 0, 8, 0), 0);
	usage_add(&usage, 1, (struct usage_span){7, 9}, 0);
	assert_near(usage_busy_all(&usage, 0), 1);
	usage_fini(&usage);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_task_is_spread_over_the_bins_it_reaches_into),
	    cmocka_unit_test(memory_is_that_of_all_that_run_at_a_time),
	    cmocka_unit_test(what_is_outside_of_the_span_is_cut_off),
	    cmocka_unit_test(each_slot_is_in_one_lane),
	    cmocka_unit_test(a_span_of_nothing_is_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

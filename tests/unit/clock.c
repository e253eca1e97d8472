/* Moments, and the milliseconds until one. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"

static void
moments_do_not_go_back(void **state)
{
	(void)state;
	int64_t before = clock_now_ns();
	for (int i = 0; i < 1000; i++) {
		int64_t now = clock_now_ns();
		assert_true(now >= before);
		before = now;
	}
}

static void
real_time_is_that_of_the_system(void **state)
{
	(void)state;
	int64_t before = (int64_t)time(NULL);
	int64_t now_s = clock_real_ns() / NS_PER_S;
	assert_true(now_s >= before - 1 && now_s <= before + 60);
}

static void
timeout_is_rounded_up_and_bounded(void **state)
{
	(void)state;
	static const struct {
		int64_t at_ns;
		int64_t now_ns;
		int ms;
	} cases[] = {
	    {CLOCK_NEVER, 0, -1},
	    {CLOCK_NEVER, CLOCK_NEVER - 1, -1},
	    {0, 0, 0},
	    {100, 101, 0},
	    {INT64_MIN / 2, 0, 0},
	    {1, 0, 1},
	    {NS_PER_MS, 0, 1},
	    {NS_PER_MS + 1, 0, 2},
	    {5 * NS_PER_MS, 3 * NS_PER_MS, 2},
	    {INT_MAX * NS_PER_MS, 0, INT_MAX},
	    {(INT_MAX + INT64_C(1)) * NS_PER_MS, 0, INT_MAX},
	    {INT64_MAX / 2, 0, INT_MAX},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_int_equal(clock_timeout_ms(cases[i].at_ns, cases[i].now_ns),
				 cases[i].ms);
}

static void
farthest_moment_short_of_never_does_not_overflow(void **state)
{
	(void)state;
	assert_int_equal(clock_timeout_ms(CLOCK_NEVER - 1, 1), INT_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(moments_do_not_go_back),
	    cmocka_unit_test(real_time_is_that_of_the_system),
	    cmocka_unit_test(timeout_is_rounded_up_and_bounded),
	    cmocka_unit_test(farthest_moment_short_of_never_does_not_overflow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

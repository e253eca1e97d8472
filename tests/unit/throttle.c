/* What holds back new starts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "run/throttle.h"

static struct throttle
throttle_of(enum spec_halt_when when, int64_t delay_ns)
{
	struct spec spec;
	struct throttle throttle;
	spec_init(&spec, SPEC_MAP);
	spec.halt.when = when;
	spec.delay_ns = delay_ns;
	throttle_init(&throttle, &spec);
	spec_fini(&spec);
	return throttle;
}

static void
nothing_asked_for_holds_nothing_back(void **state)
{
	(void)state;
	struct throttle throttle = throttle_of(SPEC_HALT_NEVER, 0);
	assert_int_equal(throttle_allow(&throttle, 10, 0, 1000), 10);
	throttle_started(&throttle, 1000);
	assert_int_equal(throttle_allow(&throttle, 10, 3, 1000), 10);
	assert_int_equal(throttle_allow(&throttle, 0, 3, 1000), 0);
	assert_int_equal(throttle_wait_until(&throttle, 3), CLOCK_NEVER);
}

static void
halt_lets_only_idle_workers_start(void **state)
{
	(void)state;
	for (int when = SPEC_HALT_SOON; when <= SPEC_HALT_NOW; when++) {
		struct throttle throttle = throttle_of((enum spec_halt_when)when, 0);
		assert_int_equal(throttle_allow(&throttle, 10, 3, 1000), 3);
		assert_int_equal(throttle_allow(&throttle, 10, 0, 1000), 0);
		assert_int_equal(throttle_allow(&throttle, 2, 3, 1000), 2);
		assert_int_equal(throttle_wait_until(&throttle, 3), CLOCK_NEVER);
	}
}

static void
delay_allows_one_start_at_a_time(void **state)
{
	(void)state;
	struct throttle throttle = throttle_of(SPEC_HALT_NEVER, 500);
	assert_int_equal(throttle_allow(&throttle, 10, 3, 1000), 1); /* the first at once */
	throttle_started(&throttle, 1000);
	assert_int_equal(throttle_allow(&throttle, 10, 3, 1499), 0);
	assert_int_equal(throttle_wait_until(&throttle, 3), 1500);
	assert_int_equal(throttle_allow(&throttle, 10, 3, 1500), 1);
}

static void
delay_is_not_waited_for_while_nobody_is_idle(void **state)
{
	(void)state;
	struct throttle throttle = throttle_of(SPEC_HALT_NEVER, 500);
	throttle_started(&throttle, 1000);
	assert_int_equal(throttle_allow(&throttle, 10, 0, 9999), 0);
	assert_int_equal(throttle_wait_until(&throttle, 0), CLOCK_NEVER);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_asked_for_holds_nothing_back),
	    cmocka_unit_test(halt_lets_only_idle_workers_start),
	    cmocka_unit_test(delay_allows_one_start_at_a_time),
	    cmocka_unit_test(delay_is_not_waited_for_while_nobody_is_idle),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

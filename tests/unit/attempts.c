/* The attempts that run now: which is due, and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "run/attempts.h"

static void
add(struct attempts *attempts, uint64_t seq, int64_t started_at_ns)
{
	assert_int_equal(attempts_add(attempts, seq, started_at_ns, 0), 0);
}

static void
nothing_runs_and_nothing_is_due(void **state)
{
	(void)state;
	struct attempts attempts = {0};
	assert_null(attempts_next_due(&attempts, UINT64_MAX, 1, INT64_MAX - 1));
	assert_int_equal(attempts_wait_until(&attempts, UINT64_MAX, 1), CLOCK_NEVER);
	attempts_remove(&attempts, 0);
	attempts_shift(&attempts, 0, UINT64_MAX, 5);
	attempts_fini(&attempts);
}

static void
attempt_is_due_when_its_limit_has_passed(void **state)
{
	(void)state;
	struct attempts attempts = {0};
	add(&attempts, 7, 100);
	assert_int_equal(attempts_wait_until(&attempts, UINT64_MAX, 50), 150);
	assert_null(attempts_next_due(&attempts, UINT64_MAX, 50, 149));
	assert_int_equal(attempts_next_due(&attempts, UINT64_MAX, 50, 150)->seq, 7);
	attempts_fini(&attempts);
}

static void
without_a_limit_nothing_is_due(void **state)
{
	(void)state;
	struct attempts attempts = {0};
	add(&attempts, 7, 100);
	assert_null(attempts_next_due(&attempts, UINT64_MAX, 0, INT64_MAX - 1));
	assert_int_equal(attempts_wait_until(&attempts, UINT64_MAX, 0), CLOCK_NEVER);
	attempts_fini(&attempts);
}

static void
all_that_are_due_come_out_and_no_others(void **state)
{
	(void)state;
	struct attempts attempts = {0};
	unsigned int seen = 0;
	struct attempt *due;
	for (uint64_t seq = 0; seq < 40; seq++)
		add(&attempts, seq, (int64_t)(40 - seq));
	assert_int_equal(attempts_wait_until(&attempts, UINT64_MAX, 100), 101);
	while ((due = attempts_next_due(&attempts, UINT64_MAX, 100, 120)) != NULL) {
		assert_true(due->seq >= 20);
		due->force_at_ns = 1000;
		seen++;
	}
	assert_int_equal(seen, 20);
	assert_int_equal(attempts_wait_until(&attempts, UINT64_MAX, 100), 121);
	attempts_fini(&attempts);
}

static void
told_attempt_is_due_again_when_force_is(void **state)
{
	(void)state;
	struct attempts attempts = {0};
	add(&attempts, 7, 100);
	attempts_next_due(&attempts, UINT64_MAX, 50, 200)->force_at_ns = 300;
	assert_null(attempts_next_due(&attempts, UINT64_MAX, 50, 299));
	assert_int_equal(attempts_wait_until(&attempts, UINT64_MAX, 50), 300);
	assert_int_equal(attempts_wait_until(&attempts, UINT64_MAX, 0), 300);
	assert_int_equal(attempts_next_due(&attempts, UINT64_MAX, 0, 300)->seq, 7);
	attempts_fini(&attempts);
}

static void
shift_moves_limits_and_force(void **state)
{
	(void)state;
	struct attempts attempts = {0};
	add(&attempts, 1, 100);
	add(&attempts, 2, 0);
	attempts_next_due(&attempts, UINT64_MAX, 50, 60)->force_at_ns = 80;
	attempts_shift(&attempts, 0, UINT64_MAX, 1000);
	assert_int_equal(attempts_wait_until(&attempts, UINT64_MAX, 50), 1080);
	assert_int_equal(attempts_next_due(&attempts, UINT64_MAX, 50, 1080)->seq, 2);
	attempts_remove(&attempts, 2);
	assert_int_equal(attempts_wait_until(&attempts, UINT64_MAX, 50), 1150);
	attempts_fini(&attempts);
}

static void
those_from_a_seq_on_stand_still(void **state)
{
	(void)state;
	struct attempts attempts = {0};
	add(&attempts, 1, 100);
	add(&attempts, 2, 90);
	assert_int_equal(attempts_next_due(&attempts, 2, 50, 200)->seq, 1);
	assert_int_equal(attempts_wait_until(&attempts, 2, 50), 150);
	assert_null(attempts_next_due(&attempts, 1, 50, 200));
	assert_int_equal(attempts_wait_until(&attempts, 1, 50), CLOCK_NEVER);
	attempts_shift(&attempts, 2, UINT64_MAX, 1000);
	assert_int_equal(attempts_wait_until(&attempts, UINT64_MAX, 50), 150);
	attempts_remove(&attempts, 1);
	assert_int_equal(attempts_wait_until(&attempts, UINT64_MAX, 50), 1140);
	attempts_shift(&attempts, 0, 2, 1000);
	assert_int_equal(attempts_wait_until(&attempts, UINT64_MAX, 50), 1140);
	attempts_fini(&attempts);
}

static void
removed_attempts_are_never_due(void **state)
{
	(void)state;
	struct attempts attempts = {0};
	for (uint64_t seq = 0; seq < 3; seq++)
		add(&attempts, seq, 0);
	attempts_remove(&attempts, 0);
	attempts_remove(&attempts, 99);
	attempts_remove(&attempts, 2);
	assert_int_equal(attempts.count, 1);
	assert_int_equal(attempts_next_due(&attempts, UINT64_MAX, 1, 10)->seq, 1);
	attempts_remove(&attempts, 1);
	assert_null(attempts_next_due(&attempts, UINT64_MAX, 1, 10));
	attempts_fini(&attempts);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_runs_and_nothing_is_due),
	    cmocka_unit_test(attempt_is_due_when_its_limit_has_passed),
	    cmocka_unit_test(without_a_limit_nothing_is_due),
	    cmocka_unit_test(all_that_are_due_come_out_and_no_others),
	    cmocka_unit_test(told_attempt_is_due_again_when_force_is),
	    cmocka_unit_test(shift_moves_limits_and_force),
	    cmocka_unit_test(those_from_a_seq_on_stand_still),
	    cmocka_unit_test(removed_attempts_are_never_due),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The plan and --halt: when it says so, and with which exit status. */
#include "plan_fixture.h"

static void
set_halt(struct fixture *f, enum spec_halt_when when, enum spec_halt_why why,
	 double value, bool is_percent)
{
	f->spec.halt = (struct spec_halt){
	    .when = when, .why = why, .value = value, .is_percent = is_percent};
}

static void
without_halt_failures_never_halt(void **state)
{
	struct fixture *f = *state;
	open_plan(f, "ttt");
	for (uint64_t seq = 0; seq < 3; seq++)
		run_one(f, seq, exited(1));
	assert_int_equal(plan_halt(f->plan), PLAN_GO);
	assert_int_equal(plan_halt_status(f->plan), -1);
}

static void
soon_and_now_are_told_apart(void **state)
{
	struct fixture *f = *state;
	static const enum plan_halt expected[] = {
	    [SPEC_HALT_NEVER] = PLAN_GO,
	    [SPEC_HALT_SOON] = PLAN_HALT_SOON,
	    [SPEC_HALT_NOW] = PLAN_HALT_NOW,
	};
	for (int when = SPEC_HALT_NEVER; when <= SPEC_HALT_NOW; when++) {
		set_halt(f, (enum spec_halt_when)when, SPEC_HALT_FAIL, 1, false);
		open_plan(f, "ttt");
		run_one(f, 0, exited(0));
		assert_int_equal(plan_halt(f->plan), PLAN_GO);
		run_one(f, 1, exited(7));
		assert_int_equal(plan_halt(f->plan), expected[when]);
		plan_free(f->plan);
	}
	f->plan = NULL;
}

static void
first_failure_gives_its_exit_status(void **state)
{
	struct fixture *f = *state;
	set_halt(f, SPEC_HALT_SOON, SPEC_HALT_FAIL, 1, false);
	open_plan(f, "tt");
	struct task *other = start(f, 0);
	run_one(f, 1, exited(7));
	assert_int_equal(plan_halt_status(f->plan), 7);
	finish(f, other, exited(9)); /* what comes later does not count */
	assert_int_equal(plan_halt_status(f->plan), 7);
}

static void
first_failure_by_a_signal_gives_what_a_shell_would_say(void **state)
{
	struct fixture *f = *state;
	struct result killed = {.reason = RESULT_SIGNAL, .signal = 9};
	set_halt(f, SPEC_HALT_NOW, SPEC_HALT_FAIL, 1, false);
	open_plan(f, "t");
	run_one(f, 0, killed);
	assert_int_equal(plan_halt_status(f->plan), 137);
}

static void
nth_failure_halts_with_the_number_of_failures(void **state)
{
	struct fixture *f = *state;
	set_halt(f, SPEC_HALT_SOON, SPEC_HALT_FAIL, 3, false);
	open_plan(f, "tttttt");
	static const int statuses[] = {5, 0, 5, 0};
	for (uint64_t seq = 0; seq < 4; seq++)
		run_one(f, seq, exited(statuses[seq]));
	assert_int_equal(plan_halt(f->plan), PLAN_GO);
	assert_int_equal(plan_halt_status(f->plan), -1);
	run_one(f, 4, exited(5));
	assert_int_equal(plan_halt(f->plan), PLAN_HALT_SOON);
	assert_int_equal(plan_halt_status(f->plan), 3);
}

static void
more_than_a_hundred_failures_are_101(void **state)
{
	struct fixture *f = *state;
	char script[152];
	for (size_t i = 0; i < 151; i++)
		script[i] = 't';
	script[151] = '\0';
	set_halt(f, SPEC_HALT_SOON, SPEC_HALT_FAIL, 150, false);
	open_plan(f, script);
	for (uint64_t seq = 0; seq < 150; seq++)
		run_one(f, seq, exited(1));
	assert_int_equal(plan_halt(f->plan), PLAN_HALT_SOON);
	assert_int_equal(plan_halt_status(f->plan), 101);
}

static void
success_halts_with_status_0(void **state)
{
	struct fixture *f = *state;
	set_halt(f, SPEC_HALT_NOW, SPEC_HALT_SUCCESS, 2, false);
	open_plan(f, "tttt");
	run_one(f, 0, exited(1));
	run_one(f, 1, exited(0));
	assert_int_equal(plan_halt(f->plan), PLAN_GO);
	run_one(f, 2, exited(0));
	assert_int_equal(plan_halt(f->plan), PLAN_HALT_NOW);
	assert_int_equal(plan_halt_status(f->plan), 0);
}

static void
done_counts_successes_and_failures(void **state)
{
	struct fixture *f = *state;
	set_halt(f, SPEC_HALT_SOON, SPEC_HALT_DONE, 2, false);
	open_plan(f, "ttt");
	run_one(f, 0, exited(0));
	assert_int_equal(plan_halt(f->plan), PLAN_GO);
	run_one(f, 1, exited(3));
	assert_int_equal(plan_halt(f->plan), PLAN_HALT_SOON);
	assert_int_equal(plan_halt_status(f->plan), 1);
}

static void
retried_attempts_do_not_count(void **state)
{
	struct fixture *f = *state;
	set_halt(f, SPEC_HALT_SOON, SPEC_HALT_FAIL, 1, false);
	f->spec.max_attempts = 2;
	open_plan(f, "t");
	assert_int_equal(finish(f, start(f, 0), exited(1)), PLAN_RETRY);
	assert_int_equal(plan_halt(f->plan), PLAN_GO);
	assert_int_equal(finish(f, take(f, 0, 0, 2), exited(4)), PLAN_SETTLED);
	assert_int_equal(plan_halt(f->plan), PLAN_HALT_SOON);
	assert_int_equal(plan_halt_status(f->plan), 4);
}

static void
after_a_halt_nothing_is_retried(void **state)
{
	struct fixture *f = *state;
	set_halt(f, SPEC_HALT_SOON, SPEC_HALT_SUCCESS, 1, false);
	f->spec.max_attempts = 2;
	open_plan(f, "tt");
	struct task *other = start(f, 0);
	run_one(f, 1, exited(0));
	assert_int_equal(finish(f, other, exited(1)), PLAN_SETTLED);
}

static void
cancelled_tasks_neither_fail_nor_halt(void **state)
{
	struct fixture *f = *state;
	struct result cancelled = {.reason = RESULT_CANCELLED, .signal = 15};
	set_halt(f, SPEC_HALT_NOW, SPEC_HALT_FAIL, 1, false);
	open_plan(f, "tt");
	run_one(f, 0, cancelled);
	assert_int_equal(plan_halt(f->plan), PLAN_GO);
	set_halt(f, SPEC_HALT_NOW, SPEC_HALT_DONE, 1, false);
	run_one(f, 1, cancelled);
	assert_int_equal(plan_halt(f->plan), PLAN_GO);
}

/* --- percentages --- */

static void
percentage_reads_all_input_first(void **state)
{
	struct fixture *f = *state;
	set_halt(f, SPEC_HALT_SOON, SPEC_HALT_FAIL, 50, true);
	open_plan(f, "twttwtt");
	assert_int_equal(ask(f, ANY_SEQ, 0), PLAN_WAIT);
	assert_int_equal(plan_wait_fd(f->plan), 1000);
	assert_int_equal(ask(f, ANY_SEQ, 0), PLAN_WAIT);
	assert_int_equal(f->source.task_count, 3);
	for (uint64_t seq = 0; seq < 5; seq++)
		take(f, 0, seq, 1);
	assert_int_equal(f->source.task_count, 5);
	assert_int_equal(ask(f, ANY_SEQ, 0), PLAN_END);
}

static void
percentage_is_of_all_tasks(void **state)
{
	struct fixture *f = *state;
	set_halt(f, SPEC_HALT_NOW, SPEC_HALT_FAIL, 50, true);
	open_plan(f, "tttttt");
	for (uint64_t seq = 0; seq < 2; seq++)
		run_one(f, seq, exited(1));
	assert_int_equal(plan_halt(f->plan), PLAN_GO);
	run_one(f, 2, exited(0));
	assert_int_equal(plan_halt(f->plan), PLAN_GO);
	run_one(f, 3, exited(1));
	assert_int_equal(plan_halt(f->plan), PLAN_HALT_NOW);
	assert_int_equal(plan_halt_status(f->plan), 50);
}

static void
percentage_not_reached_still_gives_the_part_that_failed(void **state)
{
	struct fixture *f = *state;
	set_halt(f, SPEC_HALT_SOON, SPEC_HALT_FAIL, 100, true);
	open_plan(f, "tttttttttt");
	static const int statuses[] = {0, 0, 1, 0, 2, 0, 0, 3, 0, 0};
	for (uint64_t seq = 0; seq < 10; seq++)
		run_one(f, seq, exited(statuses[seq]));
	assert_int_equal(plan_halt(f->plan), PLAN_GO);
	assert_int_equal(plan_halt_status(f->plan), 30);
}

static void
part_that_failed_is_rounded_up(void **state)
{
	struct fixture *f = *state;
	set_halt(f, SPEC_HALT_SOON, SPEC_HALT_FAIL, 100, true);
	open_plan(f, "ttt");
	run_one(f, 0, exited(1));
	run_one(f, 1, exited(0));
	run_one(f, 2, exited(0));
	assert_int_equal(plan_halt_status(f->plan), 34);
}

static void
percentage_of_exactly_one_task_gives_its_status(void **state)
{
	struct fixture *f = *state;
	set_halt(f, SPEC_HALT_SOON, SPEC_HALT_FAIL, 100, true);
	open_plan(f, "t");
	run_one(f, 0, exited(7));
	assert_int_equal(plan_halt(f->plan), PLAN_HALT_SOON);
	assert_int_equal(plan_halt_status(f->plan), 7);
}

static void
percentage_of_successes_reached_is_status_0(void **state)
{
	struct fixture *f = *state;
	set_halt(f, SPEC_HALT_SOON, SPEC_HALT_SUCCESS, 30, true);
	open_plan(f, "ttttt");
	run_one(f, 0, exited(0));
	assert_int_equal(plan_halt(f->plan), PLAN_GO);
	run_one(f, 1, exited(1));
	run_one(f, 2, exited(0));
	assert_int_equal(plan_halt(f->plan), PLAN_HALT_SOON);
	assert_int_equal(plan_halt_status(f->plan), 0);
}

static void
percentage_of_successes_not_reached_is_the_part_that_failed(void **state)
{
	struct fixture *f = *state;
	set_halt(f, SPEC_HALT_SOON, SPEC_HALT_SUCCESS, 30, true);
	open_plan(f, "tttt");
	for (uint64_t seq = 0; seq < 4; seq++)
		run_one(f, seq, exited(1));
	assert_int_equal(plan_halt_status(f->plan), 100);
}

static void
percentage_of_no_tasks_is_status_0(void **state)
{
	struct fixture *f = *state;
	set_halt(f, SPEC_HALT_SOON, SPEC_HALT_FAIL, 10, true);
	open_plan(f, "");
	assert_int_equal(ask(f, ANY_SEQ, 0), PLAN_END);
	assert_int_equal(plan_halt_status(f->plan), 0);
	assert_true(plan_is_finished(f->plan));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(without_halt_failures_never_halt),
	    TEST(soon_and_now_are_told_apart),
	    TEST(first_failure_gives_its_exit_status),
	    TEST(first_failure_by_a_signal_gives_what_a_shell_would_say),
	    TEST(nth_failure_halts_with_the_number_of_failures),
	    TEST(more_than_a_hundred_failures_are_101),
	    TEST(success_halts_with_status_0),
	    TEST(done_counts_successes_and_failures),
	    TEST(retried_attempts_do_not_count),
	    TEST(after_a_halt_nothing_is_retried),
	    TEST(cancelled_tasks_neither_fail_nor_halt),
	    TEST(percentage_reads_all_input_first),
	    TEST(percentage_is_of_all_tasks),
	    TEST(percentage_not_reached_still_gives_the_part_that_failed),
	    TEST(part_that_failed_is_rounded_up),
	    TEST(percentage_of_exactly_one_task_gives_its_status),
	    TEST(percentage_of_successes_reached_is_status_0),
	    TEST(percentage_of_successes_not_reached_is_the_part_that_failed),
	    TEST(percentage_of_no_tasks_is_status_0),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The plan and tasks that come back: returned, retried, stopped before their turn. */
#include "plan_fixture.h"

static void
returned_tasks_come_again_first_in_order_with_the_same_attempt(void **state)
{
	struct fixture *f = *state;
	open_plan(f, "tttttt");
	struct task *tasks[4];
	for (uint64_t seq = 0; seq < 4; seq++)
		tasks[seq] = take(f, 0, seq, 1);
	plan_returned(f->plan, tasks[2], 0);
	plan_returned(f->plan, tasks[0], 0);
	plan_returned(f->plan, tasks[3], 0);
	assert_null(plan_find(f->plan, 2, 1));
	take(f, 0, 0, 1);
	take(f, 0, 2, 1);
	take(f, 0, 3, 1);
	take(f, 0, 4, 1);
}

static void
returned_task_after_the_end_is_still_to_be_run(void **state)
{
	struct fixture *f = *state;
	open_plan(f, "t");
	struct task *task = take(f, 0, 0, 1);
	assert_int_equal(ask(f, ANY_SEQ, 0), PLAN_END);
	plan_returned(f->plan, task, 0);
	assert_false(plan_is_finished(f->plan));
	run_one(f, 0, exited(0));
	assert_true(plan_is_finished(f->plan));
}

static void
all_is_given_when_nothing_is_left_and_nothing_will_come(void **state)
{
	struct fixture *f = *state;
	f->spec.max_attempts = 2;
	open_plan(f, "twt");
	struct task *task = take(f, 0, 0, 1);
	assert_int_equal(ask(f, ANY_SEQ, 0), PLAN_WAIT);
	assert_false(plan_has_given_all(f->plan));
	take(f, 0, 1, 1);
	assert_int_equal(ask(f, ANY_SEQ, 0), PLAN_END);
	assert_true(plan_has_given_all(f->plan));
	plan_started(f->plan, task);
	assert_int_equal(finish(f, task, exited(1)), PLAN_RETRY);
	assert_false(plan_has_given_all(f->plan));
	take(f, 0, 0, 2);
	assert_true(plan_has_given_all(f->plan));
}

/* Lost with its worker before the coordinator heard that it started. */
static void
queued_task_may_finish_without_having_started(void **state)
{
	struct fixture *f = *state;
	struct result lost = {.reason = RESULT_LOST};
	f->spec.max_attempts = 2;
	open_plan(f, "t");
	assert_int_equal(finish(f, take(f, 0, 0, 1), lost), PLAN_RETRY);
	assert_int_equal(finish(f, take(f, 0, 0, 2), lost), PLAN_SETTLED);
}

static void
backoff_of_very_many_attempts_stays_in_the_future(void **state)
{
	struct fixture *f = *state;
	const struct result failed = exited(1);
	f->spec.max_attempts = 200;
	f->spec.backoff_ns = NS_PER_S;
	open_plan(f, "t");
	int64_t now_ns = 0;
	for (uint32_t attempt = 1; attempt < 200; attempt++) {
		struct task *task = take(f, now_ns, 0, attempt);
		plan_started(f->plan, task);
		assert_int_equal(plan_finished(f->plan, task, &failed, now_ns), PLAN_RETRY);
		assert_true(plan_wait_until(f->plan) >= now_ns + NS_PER_S);
		now_ns = plan_wait_until(f->plan);
	}
}

static void
due_retry_goes_before_new_tasks_and_past_the_window(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	struct task *task;
	f->spec.max_attempts = 2;
	open_plan(f, "tt");
	assert_int_equal(finish(f, start(f, 0), exited(1)), PLAN_RETRY);
	assert_int_equal(plan_next(f->plan, 0, 1, 0, &task, &err), PLAN_TASK);
	assert_int_equal(task->seq, 0);
	assert_int_equal(task->attempt, 2);
	take(f, 0, 1, 1);
}

static void
task_returned_after_the_stop_is_skipped(void **state)
{
	struct fixture *f = *state;
	open_plan(f, "t");
	struct task *task = take(f, 0, 0, 1);
	plan_stop(f->plan);
	assert_null(plan_skip(f->plan, NULL));
	plan_returned(f->plan, task, 0);
	assert_ptr_equal(plan_skip(f->plan, NULL), task);
	plan_release(f->plan, task);
	assert_true(plan_is_finished(f->plan));
}

static void
stop_tells_input_that_was_read_from_input_that_was_not(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *script;
		bool has_unread;
	} cases[] = {{"t", false}, {"tt", false}, {"ttttt", false}, {"tw", true}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		open_plan(f, cases[i].script);
		run_one(f, 0, exited(0));
		assert_false(plan_has_unread_input(f->plan));
		plan_stop(f->plan);
		plan_stop(f->plan);
		assert_int_equal(plan_has_unread_input(f->plan), cases[i].has_unread);
		struct task *task;
		while ((task = plan_skip(f->plan, NULL)) != NULL)
			plan_release(f->plan, task);
		assert_true(plan_is_finished(f->plan));
		plan_free(f->plan);
	}
	f->plan = NULL;
}

static void
failed_source_is_not_asked_again(void **state)
{
	struct fixture *f = *state;
	open_plan(f, "te");
	struct task *first = start(f, 0);
	assert_int_equal(ask(f, ANY_SEQ, 0), PLAN_END);
	assert_int_equal(ask(f, ANY_SEQ, 0), PLAN_END); /* the fake asserts */
	assert_non_null(plan_input_error(f->plan));
	plan_stop(f->plan);
	assert_int_equal(finish(f, first, exited(0)), PLAN_SETTLED);
	assert_true(plan_is_finished(f->plan));
}

static void
source_is_freed_with_the_plan_and_all_tasks(void **state)
{
	struct fixture *f = *state;
	open_plan(f, "tttt");
	take(f, 0, 0, 1);
	plan_returned(f->plan, take(f, 0, 1, 1), 0);
	plan_free(f->plan);
	f->plan = NULL;
	assert_true(f->source.is_freed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(returned_tasks_come_again_first_in_order_with_the_same_attempt),
	    TEST(returned_task_after_the_end_is_still_to_be_run),
	    TEST(all_is_given_when_nothing_is_left_and_nothing_will_come),
	    TEST(queued_task_may_finish_without_having_started),
	    TEST(backoff_of_very_many_attempts_stays_in_the_future),
	    TEST(due_retry_goes_before_new_tasks_and_past_the_window),
	    TEST(task_returned_after_the_stop_is_skipped),
	    TEST(stop_tells_input_that_was_read_from_input_that_was_not),
	    TEST(failed_source_is_not_asked_again),
	    TEST(source_is_freed_with_the_plan_and_all_tasks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

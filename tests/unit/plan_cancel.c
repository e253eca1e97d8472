/* Tests of task/plan: tasks that are cancelled one by one, wherever they are. */
#include <stdio.h>

#include "plan_fixture.h"

/* What plan_next gives for chunks of up to `count_max`: "T0-3" a chunk, "C4" cancelled, "W", ".". */
static void
assert_next(struct fixture *f, uint32_t count_max, int64_t now_ns, const char *expected)
{
	struct err err = {0};
	struct task *task = NULL;
	char text[64] = "";
	switch (plan_next(f->plan, ANY_SEQ, count_max, now_ns, &task, &err)) {
	case PLAN_TASK:
		snprintf(text, sizeof(text), "T%d-%d", (int)task->seq,
			 (int)(task->seq + task->count - 1));
		break;
	case PLAN_CANCELLED:
		assert_int_equal(task->state, TASK_SETTLED);
		assert_int_equal(task->count, 1);
		snprintf(text, sizeof(text), "C%d", (int)task->seq);
		plan_release(f->plan, task);
		break;
	case PLAN_WAIT:
		strcpy(text, "W");
		break;
	case PLAN_END:
		strcpy(text, ".");
		break;
	case PLAN_PASSED:
	case PLAN_ERROR:
		break;
	}
	assert_string_equal(text, expected);
}

/* Of a task that is in flight. */
static void
settle(struct fixture *f, uint64_t seq, uint32_t attempt, int exit_status, int64_t now_ns)
{
	struct result result = {.reason = RESULT_EXIT, .exit_status = exit_status};
	struct task *task = plan_find(f->plan, seq, attempt);
	assert_non_null(task);
	if (plan_finished(f->plan, task, &result, now_ns) == PLAN_SETTLED)
		plan_release(f->plan, task);
}

static void
task_that_was_not_read_yet_is_cancelled_at_its_turn(void **state)
{
	struct fixture *f = *state;
	open_plan(f, "tttt");
	assert_int_equal(plan_cancel(f->plan, 2), PLAN_WITH_US);
	assert_true(plan_is_cancelled(f->plan, 2));
	assert_false(plan_is_cancelled(f->plan, 1));
	assert_next(f, 4, 0, "T0-1");
	assert_next(f, 4, 0, "C2");
	assert_next(f, 4, 0, "T3-3");
	settle(f, 3, 1, 0, 0);
	assert_next(f, 4, 0, ".");
}

static void
first_and_last_of_a_chunk_go_alone(void **state)
{
	struct fixture *f = *state;
	open_plan(f, "ttttt");
	assert_int_equal(plan_cancel(f->plan, 0), PLAN_WITH_US);
	assert_int_equal(plan_cancel(f->plan, 4), PLAN_WITH_US);
	assert_next(f, 5, 0, "C0");
	assert_next(f, 5, 0, "T1-3");
	assert_next(f, 5, 0, "C4");
}

static void
task_that_comes_back_from_the_pool_is_cancelled(void **state)
{
	struct fixture *f = *state;
	open_plan(f, "ttt");
	assert_next(f, 3, 0, "T0-2");
	assert_int_equal(plan_cancel(f->plan, 1), PLAN_WITH_POOL);
	plan_returned(f->plan, plan_find(f->plan, 0, 1), 0);
	assert_next(f, 3, 0, "T0-0");
	assert_next(f, 3, 0, "C1");
	assert_next(f, 3, 0, "T2-2");
}

static void
task_that_waits_for_its_retry_is_cancelled_at_once(void **state)
{
	struct fixture *f = *state;
	f->spec.max_attempts = 3;
	f->spec.backoff_ns = 3600 * NS_PER_S;
	open_plan(f, "tt");
	assert_next(f, 1, 0, "T0-0");
	assert_next(f, 1, 0, "T1-1");
	settle(f, 0, 1, 1, 0);
	settle(f, 1, 1, 1, 1);
	assert_next(f, 1, 2, "W");
	assert_int_equal(plan_cancel(f->plan, 1), PLAN_WITH_US);
	assert_int_equal(plan_wait_until(f->plan), 0);
	assert_next(f, 1, 2, "C1");
	assert_next(f, 1, 2, "W");
}

static void
task_that_has_its_end_is_nowhere(void **state)
{
	struct fixture *f = *state;
	open_plan(f, "dtt");
	struct err err = {0};
	struct task *task;
	assert_int_equal(plan_next(f->plan, ANY_SEQ, 1, 0, &task, &err), PLAN_PASSED);
	assert_int_equal(plan_cancel(f->plan, 0), PLAN_NOWHERE);
	plan_release(f->plan, task);
	assert_int_equal(plan_cancel(f->plan, 0), PLAN_NOWHERE);
	assert_next(f, 1, 0, "T1-1");
	settle(f, 1, 1, 0, 0);
	assert_int_equal(plan_cancel(f->plan, 1), PLAN_NOWHERE);
	assert_next(f, 1, 0, "T2-2");
	assert_next(f, 1, 0, ".");
	assert_int_equal(plan_cancel(f->plan, 3), PLAN_NOWHERE);
	assert_int_equal(plan_cancel(f->plan, 2), PLAN_WITH_POOL);
}

static void
total_is_known_at_the_end_of_the_input(void **state)
{
	struct fixture *f = *state;
	bool is_all;
	open_plan(f, "dtt");
	plan_task_count(f->plan, &is_all);
	assert_false(is_all);
	struct err err = {0};
	struct task *task;
	assert_int_equal(plan_next(f->plan, ANY_SEQ, 1, 0, &task, &err), PLAN_PASSED);
	plan_release(f->plan, task);
	assert_next(f, 2, 0, "T1-2");
	plan_task_count(f->plan, &is_all);
	assert_false(is_all);
	assert_next(f, 2, 0, ".");
	assert_int_equal(plan_task_count(f->plan, &is_all), 2);
	assert_true(is_all);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(task_that_was_not_read_yet_is_cancelled_at_its_turn),
	    TEST(first_and_last_of_a_chunk_go_alone),
	    TEST(task_that_comes_back_from_the_pool_is_cancelled),
	    TEST(task_that_waits_for_its_retry_is_cancelled_at_once),
	    TEST(task_that_has_its_end_is_nowhere),
	    TEST(total_is_known_at_the_end_of_the_input),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

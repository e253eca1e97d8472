/* The plan and chunks: cut to what is wanted, answered in part, and taken apart task by task. */
#include "plan_fixture.h"

static struct task *
take_chunk(struct fixture *f, uint64_t seq_end, uint32_t count_max, uint64_t seq,
	   uint32_t count)
{
	struct err err = {0};
	struct task *task = NULL;
	assert_int_equal(plan_next(f->plan, seq_end, count_max, 0, &task, &err), PLAN_TASK);
	assert_int_equal(task->seq, seq);
	assert_int_equal(task->count, count);
	assert_int_equal(task->state, TASK_QUEUED);
	return task;
}

static struct task *
find_one(struct fixture *f, uint64_t seq, uint32_t attempt)
{
	struct err err = {0};
	struct task *task = plan_find_one(f->plan, seq, attempt, &err);
	assert_int_equal(err.kind, ERR_NONE);
	if (task != NULL) {
		assert_int_equal(task->seq, seq);
		assert_int_equal(task->count, 1);
	}
	return task;
}

static void
answer(struct fixture *f, uint64_t seq, uint32_t count, int64_t wall_ns)
{
	struct answer items[TASK_CHUNK_MAX];
	struct task *chunk = plan_find(f->plan, seq, 1);
	assert_non_null(chunk);
	for (uint32_t i = 0; i < count; i++)
		items[i] = (struct answer){.wall_ns = wall_ns};
	const struct answers answers = {.items = items, .count = count};
	plan_answered(f->plan, chunk, &answers);
}

static uint64_t
skip_all(struct fixture *f, uint64_t first_seq)
{
	struct err err = {0};
	struct task *task;
	uint64_t count = 0;
	while ((task = plan_skip(f->plan, &err)) != NULL) {
		assert_int_equal(task->seq, first_seq + count);
		assert_int_equal(task->count, 1);
		assert_int_equal(task->state, TASK_SETTLED);
		plan_release(f->plan, task);
		count++;
	}
	assert_int_equal(err.kind, ERR_NONE);
	return count;
}

/* --- what comes next --- */

static void
a_chunk_is_as_large_as_wanted_and_no_larger_than_what_is_there(void **state)
{
	struct fixture *f = *state;
	open_plan(f, "ttttttwtt");
	take_chunk(f, ANY_SEQ, 4, 0, 4);
	take_chunk(f, ANY_SEQ, 4, 4, 2);
	assert_int_equal(ask(f, ANY_SEQ, 0), PLAN_WAIT);
	take_chunk(f, ANY_SEQ, 1, 6, 1);
	take_chunk(f, ANY_SEQ, 100, 7, 1);
	assert_int_equal(ask(f, ANY_SEQ, 0), PLAN_END);
}

static void
the_window_cuts_a_chunk(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	struct task *task;
	open_plan(f, "tttttttt");
	take_chunk(f, 3, 5, 0, 3);
	assert_int_equal(plan_next(f->plan, 3, 5, 0, &task, &err), PLAN_WAIT);
	assert_int_equal(plan_wait_fd(f->plan), -1);
	take_chunk(f, 4, 5, 3, 1);
	take_chunk(f, ANY_SEQ, 5, 4, 1); /* the rest of the five that were pulled */
	take_chunk(f, ANY_SEQ, 5, 5, 3);
	assert_non_null(plan_find(f->plan, 0, 1));
	assert_non_null(plan_find(f->plan, 3, 1));
	assert_non_null(plan_find(f->plan, 4, 1));
}

static void
a_chunk_that_was_given_too_large_comes_again_in_smaller_ones(void **state)
{
	struct fixture *f = *state;
	open_plan(f, "tttttttt");
	struct task *chunk = take_chunk(f, ANY_SEQ, 8, 0, 8);
	plan_returned(f->plan, chunk, 0); /* there was no room */
	take_chunk(f, ANY_SEQ, 3, 0, 3);
	take_chunk(f, ANY_SEQ, 3, 3, 3);
	take_chunk(f, ANY_SEQ, 3, 6, 2);
	assert_int_equal(ask(f, ANY_SEQ, 0), PLAN_END);
	for (uint64_t seq = 0; seq < 8; seq += 3)
		answer(f, seq, seq == 6 ? 2 : 3, 0);
	assert_true(plan_is_finished(f->plan));
}

static void
chunks_are_known_by_their_first_task_only(void **state)
{
	struct fixture *f = *state;
	open_plan(f, "tttt");
	struct task *chunk = take_chunk(f, ANY_SEQ, 4, 0, 4);
	assert_ptr_equal(plan_find(f->plan, 0, 1), chunk);
	assert_null(plan_find(f->plan, 0, 2));
	for (uint64_t seq = 1; seq < 5; seq++) {
		assert_null(plan_find(f->plan, seq, 1));
		assert_null(find_one(f, seq, 1));
	}
	assert_int_equal(chunk->count, 4);
}

/* --- one out of a chunk --- */

static void
each_task_of_a_chunk_can_be_found_alone_in_turn(void **state)
{
	struct fixture *f = *state;
	open_plan(f, "ttt");
	take_chunk(f, ANY_SEQ, 3, 0, 3);
	for (uint64_t seq = 0; seq < 3; seq++) {
		struct task *one = find_one(f, seq, 1);
		assert_non_null(one);
		assert_ptr_equal(find_one(f, seq, 1), one);
		plan_started(f->plan, one);
		if (seq < 2) {
			struct task *rest = plan_find(f->plan, seq + 1, 1);
			assert_non_null(rest);
			assert_int_equal(rest->state, TASK_QUEUED);
			assert_int_equal(rest->count, 2 - seq);
		}
		assert_int_equal(finish(f, one, exited(0)), PLAN_SETTLED);
		assert_null(plan_find(f->plan, seq, 1));
	}
	assert_int_equal(ask(f, ANY_SEQ, 0), PLAN_END);
	assert_true(plan_is_finished(f->plan));
}

static void
one_of_a_chunk_is_tried_again_alone(void **state)
{
	struct fixture *f = *state;
	f->spec.max_attempts = 2;
	open_plan(f, "ttttt");
	take_chunk(f, ANY_SEQ, 5, 0, 5);
	answer(f, 0, 2, 0);
	struct task *one = find_one(f, 2, 1);
	plan_started(f->plan, one);
	assert_int_equal(finish(f, one, exited(1)), PLAN_RETRY);
	assert_non_null(plan_find(f->plan, 3, 1)); /* goes on */
	one = take_chunk(f, ANY_SEQ, 5, 2, 1);
	assert_int_equal(one->attempt, 2);
	plan_started(f->plan, one);
	assert_int_equal(finish(f, one, exited(0)), PLAN_SETTLED);
	answer(f, 3, 2, 0);
	assert_int_equal(ask(f, ANY_SEQ, 0), PLAN_END);
	assert_true(plan_is_finished(f->plan));
}

static void
one_of_a_chunk_may_be_lost_before_it_started(void **state)
{
	struct fixture *f = *state;
	const struct result lost = {.reason = RESULT_LOST};
	open_plan(f, "ttt");
	take_chunk(f, ANY_SEQ, 3, 0, 3);
	assert_int_equal(finish(f, find_one(f, 0, 1), lost), PLAN_SETTLED);
	struct task *rest = plan_find(f->plan, 1, 1);
	assert_int_equal(rest->count, 2);
	plan_returned(f->plan, rest, 0);
	take_chunk(f, ANY_SEQ, 3, 1, 2);
}

/* --- answers --- */

static void
what_is_answered_is_forgotten_and_the_rest_goes_on(void **state)
{
	struct fixture *f = *state;
	open_plan(f, "tttttt");
	struct task *chunk = take_chunk(f, ANY_SEQ, 6, 0, 6);
	answer(f, 0, 2, 0);
	assert_null(plan_find(f->plan, 0, 1));
	assert_null(plan_find(f->plan, 1, 1));
	assert_ptr_equal(plan_find(f->plan, 2, 1), chunk);
	assert_int_equal(chunk->count, 4);
	assert_int_equal(chunk->state, TASK_QUEUED);
	answer(f, 2, 3, 0);
	assert_false(plan_is_finished(f->plan));
	answer(f, 5, 1, 0);
	assert_null(plan_find(f->plan, 5, 1));
	assert_int_equal(ask(f, ANY_SEQ, 0), PLAN_END);
	assert_true(plan_is_finished(f->plan));
}

static void
a_chunk_may_be_answered_as_a_whole_at_once(void **state)
{
	struct fixture *f = *state;
	open_plan(f, "tttttt");
	take_chunk(f, ANY_SEQ, 3, 0, 3);
	take_chunk(f, ANY_SEQ, 3, 3, 3);
	answer(f, 3, 3, 0);
	answer(f, 0, 3, 0);
	assert_int_equal(ask(f, ANY_SEQ, 0), PLAN_END);
	assert_true(plan_is_finished(f->plan));
}

static void
a_returned_rest_comes_before_later_tasks(void **state)
{
	struct fixture *f = *state;
	open_plan(f, "tttttttt");
	take_chunk(f, ANY_SEQ, 4, 0, 4);
	take_chunk(f, ANY_SEQ, 2, 4, 2);
	answer(f, 0, 1, 0);
	plan_returned(f->plan, plan_find(f->plan, 4, 1), 0);
	plan_returned(f->plan, plan_find(f->plan, 1, 1), 0);
	assert_null(plan_find(f->plan, 1, 1));
	take_chunk(f, ANY_SEQ, 2, 1, 2);
	take_chunk(f, ANY_SEQ, 2, 3, 1);
	take_chunk(f, ANY_SEQ, 2, 4, 2);
	take_chunk(f, ANY_SEQ, 2, 6, 2);
}

static void
what_comes_back_is_given_in_chunks_as_small_as_told(void **state)
{
	struct fixture *f = *state;
	open_plan(f, "tttttttttttt");
	plan_returned(f->plan, take_chunk(f, ANY_SEQ, 8, 0, 8), 3);
	take_chunk(f, ANY_SEQ, 2, 0, 2); /* smaller ones may be wanted anyway */
	struct task *some = take_chunk(f, ANY_SEQ, 100, 2, 3);
	take_chunk(f, ANY_SEQ, 100, 5, 3);
	plan_returned(f->plan, some, 0); /* as it was before */
	take_chunk(f, 3, 100, 2, 1);     /* and the window cuts as well */
	take_chunk(f, ANY_SEQ, 100, 3, 2);
	take_chunk(f, ANY_SEQ, 100, 8, 4); /* these did not come back */
}

static void
what_may_have_killed_its_worker_is_given_one_by_one(void **state)
{
	struct fixture *f = *state;
	f->spec.max_attempts = 2;
	open_plan(f, "tttttttt");
	plan_returned(f->plan, take_chunk(f, ANY_SEQ, 4, 0, 4), 1);
	take_chunk(f, ANY_SEQ, 100, 0, 1);
	struct task *one = take_chunk(f, ANY_SEQ, 100, 1, 1);
	take_chunk(f, ANY_SEQ, 100, 2, 1);
	plan_returned(f->plan, one, 0);
	take_chunk(f, ANY_SEQ, 100, 1, 1);
	take_chunk(f, ANY_SEQ, 100, 3, 1);
	take_chunk(f, ANY_SEQ, 100, 4, 4);
}

/* Its worker was ended for another task: no attempt is used up. */
static void
one_that_had_started_may_come_back(void **state)
{
	struct fixture *f = *state;
	open_plan(f, "ttt");
	take_chunk(f, ANY_SEQ, 3, 0, 3);
	struct task *one = find_one(f, 0, 1);
	plan_started(f->plan, one);
	plan_returned(f->plan, one, 0);
	assert_null(plan_find(f->plan, 0, 1));
	assert_non_null(plan_find(f->plan, 1, 1));
	one = take_chunk(f, ANY_SEQ, 3, 0, 1);
	assert_int_equal(one->attempt, 1);
	plan_started(f->plan, one);
	assert_int_equal(finish(f, one, exited(0)), PLAN_SETTLED);
}

/* --- halt, limits --- */

static void
halt_counts_tasks_not_chunks(void **state)
{
	struct fixture *f = *state;
	f->spec.halt = (struct spec_halt){SPEC_HALT_SOON, SPEC_HALT_SUCCESS, false, 5};
	open_plan(f, "tttttttttt");
	take_chunk(f, ANY_SEQ, 4, 0, 4);
	take_chunk(f, ANY_SEQ, 4, 4, 4);
	answer(f, 4, 4, 0);
	assert_int_equal(plan_halt(f->plan), PLAN_GO);
	answer(f, 0, 3, 0); /* the fifth is among them */
	assert_int_equal(plan_halt(f->plan), PLAN_HALT_SOON);
	assert_int_equal(plan_halt_status(f->plan), 0);
}

static void
halt_percent_counts_the_tasks_of_all_chunks(void **state)
{
	struct fixture *f = *state;
	f->spec.halt = (struct spec_halt){SPEC_HALT_NOW, SPEC_HALT_FAIL, true, 20};
	open_plan(f, "tttttttttt");
	take_chunk(f, ANY_SEQ, 4, 0, 4);
	for (uint64_t seq = 0; seq < 2; seq++) {
		assert_int_equal(plan_halt(f->plan), PLAN_GO);
		struct task *one = find_one(f, seq, 1);
		plan_started(f->plan, one);
		assert_int_equal(finish(f, one, exited(1)), PLAN_SETTLED);
	}
	assert_int_equal(plan_halt(f->plan), PLAN_HALT_NOW); /* 2 of 10 */
	assert_int_equal(plan_halt_status(f->plan), 20);
}

static void
answers_count_for_the_median_one_by_one(void **state)
{
	struct fixture *f = *state;
	f->spec.timeout.percent = 200;
	open_plan(f, "tttttt");
	take_chunk(f, ANY_SEQ, 6, 0, 6);
	answer(f, 0, 2, 1000);
	assert_int_equal(plan_time_limit_ns(f->plan), 0);
	answer(f, 2, 1, 1000);
	assert_int_equal(plan_time_limit_ns(f->plan), 2000);
	answer(f, 3, 3, 9000); /* three each: the median is one or the other */
	assert_in_range(plan_time_limit_ns(f->plan), 2000, 18000);
}

/* --- the end --- */

static void
after_the_stop_the_tasks_of_chunks_are_skipped_one_by_one(void **state)
{
	struct fixture *f = *state;
	open_plan(f, "ttttttttt");
	take_chunk(f, ANY_SEQ, 3, 0, 3);
	take_chunk(f, ANY_SEQ, 3, 3, 3);
	plan_returned(f->plan, plan_find(f->plan, 3, 1), 0);
	plan_stop(f->plan);
	assert_false(plan_has_unread_input(f->plan));
	assert_int_equal(skip_all(f, 3), 6);
	assert_false(plan_is_finished(f->plan));
	answer(f, 0, 1, 0);
	plan_returned(f->plan, plan_find(f->plan, 1, 1), 0);
	assert_int_equal(skip_all(f, 1), 2);
	assert_true(plan_is_finished(f->plan));
}

/* What was not started is counted as if tasks came one by one, up to a bound. */
static void
the_stop_counts_the_tasks_of_chunks(void **state)
{
	struct fixture *f = *state;
	static const struct {
		size_t total;
		uint64_t skipped_min, skipped_max;
		bool has_unread;
	} cases[] = {{5, 2, 2, false},
		     {3000, 2997, 2997, false},
		     {9000, 8997, 8997, false},
		     {30000, 10000, 10000 + TASK_CHUNK_MAX, true}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *script = calloc(cases[i].total + 1, 1);
		assert_non_null(script);
		memset(script, 't', cases[i].total);
		open_plan(f, script);
		take_chunk(f, ANY_SEQ, 3, 0, 3);
		plan_stop(f->plan);
		assert_int_equal(plan_has_unread_input(f->plan), cases[i].has_unread);
		assert_in_range(skip_all(f, 3), cases[i].skipped_min, cases[i].skipped_max);
		answer(f, 0, 3, 0);
		assert_true(plan_is_finished(f->plan));
		plan_free(f->plan);
		f->plan = NULL;
		free(script);
	}
}

/* Whoever ends a run must not wait until all that was done before it is looked up. */
static void
the_stop_does_not_read_all_that_was_done_before(void **state)
{
	struct fixture *f = *state;
	char script[30001] = {0};
	struct err err = {0};
	struct task *task;
	uint64_t count = 0;
	memset(script, 'd', sizeof(script) - 1);
	open_plan(f, script);
	plan_stop(f->plan);
	assert_true(plan_has_unread_input(f->plan));
	while ((task = plan_skip(f->plan, &err)) != NULL) {
		count += task->count;
		plan_release(f->plan, task);
	}
	assert_in_range(count, 10000, 10000 + TASK_CHUNK_MAX);
	assert_true(plan_is_finished(f->plan));
}

static void
tasks_in_chunks_are_freed_with_the_plan(void **state)
{
	struct fixture *f = *state;
	open_plan(f, "tttttttttt");
	take_chunk(f, ANY_SEQ, 4, 0, 4);
	assert_non_null(find_one(f, 0, 1));
	take_chunk(f, ANY_SEQ, 4, 4, 4);
	answer(f, 4, 1, 0);
	plan_returned(f->plan, plan_find(f->plan, 5, 1), 0);
	take_chunk(f, ANY_SEQ, 1, 5, 1);
	plan_free(f->plan);
	f->plan = NULL;
	assert_true(f->source.is_freed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(a_chunk_is_as_large_as_wanted_and_no_larger_than_what_is_there),
	    TEST(the_window_cuts_a_chunk),
	    TEST(a_chunk_that_was_given_too_large_comes_again_in_smaller_ones),
	    TEST(chunks_are_known_by_their_first_task_only),
	    TEST(each_task_of_a_chunk_can_be_found_alone_in_turn),
	    TEST(one_of_a_chunk_is_tried_again_alone),
	    TEST(one_of_a_chunk_may_be_lost_before_it_started),
	    TEST(what_is_answered_is_forgotten_and_the_rest_goes_on),
	    TEST(a_chunk_may_be_answered_as_a_whole_at_once),
	    TEST(a_returned_rest_comes_before_later_tasks),
	    TEST(what_comes_back_is_given_in_chunks_as_small_as_told),
	    TEST(what_may_have_killed_its_worker_is_given_one_by_one),
	    TEST(one_that_had_started_may_come_back),
	    TEST(halt_counts_tasks_not_chunks),
	    TEST(halt_percent_counts_the_tasks_of_all_chunks),
	    TEST(answers_count_for_the_median_one_by_one),
	    TEST(after_the_stop_the_tasks_of_chunks_are_skipped_one_by_one),
	    TEST(the_stop_counts_the_tasks_of_chunks),
	    TEST(the_stop_does_not_read_all_that_was_done_before),
	    TEST(tasks_in_chunks_are_freed_with_the_plan),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

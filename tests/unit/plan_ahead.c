/* The plan reads ahead, so that it is known how many tasks there are; and finds them for a look. */
#include "plan_fixture.h"

static void
assert_count(const struct fixture *f, uint64_t count, bool is_all)
{
	bool is_known;
	assert_int_equal(plan_task_count(f->plan, &is_known), count);
	assert_int_equal(is_known, is_all);
}

static void
what_was_read_ahead_is_counted_and_given_in_order(void **state)
{
	struct fixture *f = *state;
	open_plan(f, "tttttt");
	assert_count(f, 0, false);
	plan_read_ahead(f->plan, 2000, 1);
	assert_count(f, 6, true);
	for (uint64_t seq = 0; seq < 6; seq++)
		take(f, 0, seq, 1);
	assert_int_equal(ask(f, ANY_SEQ, 0), PLAN_END);
}

static void
count_is_open_while_the_source_has_more_to_come(void **state)
{
	struct fixture *f = *state;
	open_plan(f, "ttwt");
	plan_read_ahead(f->plan, 2000, 1);
	assert_count(f, 2, false);
	assert_int_equal(plan_wait_fd(f->plan), -1); /* there is something to give meanwhile */
	plan_read_ahead(f->plan, 2000, 1);
	assert_count(f, 3, true);
}

static void
no_more_is_read_ahead_than_asked_for(void **state)
{
	struct fixture *f = *state;
	open_plan(f, "twtwt");
	plan_read_ahead(f->plan, 1, 1);
	assert_count(f, 1, false);
	plan_read_ahead(f->plan, 0, 1);
	assert_count(f, 1, false);
	plan_read_ahead(f->plan, 1000, 0); /* as if so many bytes were waiting */
	assert_count(f, 1, false);
}

static void
tasks_done_before_are_not_counted(void **state)
{
	struct fixture *f = *state;
	open_plan(f, "tddt");
	plan_read_ahead(f->plan, 2000, 1);
	assert_count(f, 2, true);
}

static void
error_while_reading_ahead_loses_none_of_the_tasks_before_it(void **state)
{
	struct fixture *f = *state;
	open_plan(f, "tte");
	plan_read_ahead(f->plan, 2000, 1);
	plan_read_ahead(f->plan, 2000, 1);
	assert_false(plan_is_finished(f->plan));
	run_one(f, 0, exited(0));
	run_one(f, 1, exited(0));
	assert_int_equal(ask(f, ANY_SEQ, 0), PLAN_END);
	assert_true(plan_is_finished(f->plan));
	assert_non_null(plan_input_error(f->plan));
}

static void
stopped_plan_reads_no_further(void **state)
{
	struct fixture *f = *state;
	open_plan(f, "twt");
	take(f, 0, 0, 1);
	plan_stop(f->plan);
	plan_read_ahead(f->plan, 2000, 1);
	assert_count(f, 1, false);
}

static void
look_finds_the_chunk_a_task_is_in(void **state)
{
	struct fixture *f = *state;
	open_plan(f, "ttttwt");
	plan_read_ahead(f->plan, 2000, 1);
	assert_int_equal(plan_find_around(f->plan, 3)->seq, 0);
	take(f, 0, 0, 1);
	assert_int_equal(plan_find_around(f->plan, 0)->seq, 0);
	assert_int_equal(plan_find_around(f->plan, 3)->seq, 1);
	assert_null(plan_find_around(f->plan, 4));
	assert_null(plan_find_around(f->plan, UINT64_MAX - 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_was_read_ahead_is_counted_and_given_in_order),
	    TEST(count_is_open_while_the_source_has_more_to_come),
	    TEST(no_more_is_read_ahead_than_asked_for),
	    TEST(tasks_done_before_are_not_counted),
	    TEST(error_while_reading_ahead_loses_none_of_the_tasks_before_it),
	    TEST(stopped_plan_reads_no_further),
	    TEST(look_finds_the_chunk_a_task_is_in),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

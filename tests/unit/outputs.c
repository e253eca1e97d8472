/* The files a task makes, before and after it. */
#include <errno.h>

#include "outputs_fixture.h"

static void
assert_not_there(const struct fixture *f, int errno_value)
{
	assert_int_equal(f->result.reason, RESULT_NO_OUTPUT);
	assert_int_equal(f->result.exit_status, 1);
	assert_int_equal(f->result.errno_value, errno_value);
}

static void
job_without_outputs_has_nothing_to_do(void **state)
{
	struct fixture *f = *state;
	fixture_start(f, 0);
	assert_int_equal(begin(f, 0), 0);
	end(f, RESULT_EXIT, 0);
	assert_true(result_is_success(&f->result));
	assert_tree("");
}

static void
outputs_of_a_success_are_all_in_place(void **state)
{
	struct fixture *f = *state;
	fixture_start(f, 3);
	make_all(f, 0);
	assert_tree("d d/a.1 d/a.2 e e/a.3 ");
}

static void
nothing_is_left_after_any_other_end(void **state)
{
	struct fixture *f = *state;
	fixture_start(f, 2);
	for (uint32_t reason = RESULT_EXIT; reason < RESULT_REASONS; reason++) {
		assert_int_equal(begin(f, 0), 0);
		write_all_but(f, SIZE_MAX);
		end(f, reason, 3);
		assert_int_equal(f->result.reason, reason);
		assert_tree("d ");
	}
}

static void
success_that_did_not_write_an_output_is_none(void **state)
{
	struct fixture *f = *state;
	fixture_start(f, 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(begin(f, 0), 0);
		write_all_but(f, (size_t)i);
		end(f, RESULT_EXIT, 0);
		assert_not_there(f, -i - 1);
		assert_tree("d e ");
	}
}

static void
old_outputs_stay_until_there_are_new_ones(void **state)
{
	struct fixture *f = *state;
	fixture_start(f, 2);
	make_all(f, 0);
	assert_int_equal(begin(f, 0), 0);
	write_all_but(f, 1);
	assert_int_equal(access("d/a.1", F_OK), 0);
	end(f, RESULT_EXIT, 0);
	assert_not_there(f, -2);
	assert_tree("d d/a.1 d/a.2 ");
	make_all(f, 0);
}

static void
task_is_not_started_when_an_output_cannot_be(void **state)
{
	struct fixture *f = *state;
	fixture_start(f, 2);
	assert_int_equal(mkdir("d", 0777), 0);
	assert_int_equal(mkdir("d/a.2", 0777), 0);
	assert_int_equal(begin(f, 0), 1);
	assert_not_there(f, EISDIR);
	outputs_end(&f->outputs, &f->result);
	assert_not_there(f, EISDIR);
	assert_tree("d d/a.2 ");
}

static void
target_that_became_a_folder_meanwhile_fails_the_task(void **state)
{
	struct fixture *f = *state;
	fixture_start(f, 1);
	assert_int_equal(begin(f, 0), 0);
	write_all_but(f, SIZE_MAX);
	assert_int_equal(mkdir("d/a.1", 0777), 0);
	end(f, RESULT_EXIT, 0);
	assert_not_there(f, EISDIR);
	assert_tree("d d/a.1 ");
}

static void
link_in_place_of_an_output_is_no_output(void **state)
{
	struct fixture *f = *state;
	fixture_start(f, 1);
	put("other", "other");
	assert_int_equal(begin(f, 0), 0);
	assert_int_equal(symlink("../../other", f->outputs.outs[0].bytes), 0);
	end(f, RESULT_EXIT, 0);
	assert_not_there(f, EINVAL);
	assert_tree("d other ");
}

static void
name_with_a_nul_byte_is_refused(void **state)
{
	struct fixture *f = *state;
	fixture_start(f, 1);
	f->arg = (struct arg){"a\0b", 3};
	assert_int_equal(begin(f, 0), 1);
	assert_not_there(f, EINVAL);
	outputs_end(&f->outputs, &f->result);
}

static void
second_task_of_a_run_with_the_same_output_fails(void **state)
{
	struct fixture *f = *state;
	fixture_start(f, 1);
	make_all(f, 0);
	assert_int_equal(begin(f, 1), 1);
	assert_not_there(f, EEXIST);
	outputs_end(&f->outputs, &f->result);
	make_all(f, 0); /* the same task, tried again */
	f->outputs.stamp.run = "run2";
	make_all(f, 1); /* another run */
	assert_tree("d d/a.1 ");
}

static void
all_ways_to_sync_make_the_outputs(void **state)
{
	struct fixture *f = *state;
	fixture_start(f, 3);
	for (int fsync = SPEC_FSYNC_NONE; fsync <= SPEC_FSYNC_DIR; fsync++) {
		f->spec.fsync = (enum spec_fsync)fsync;
		make_all(f, 0);
		assert_tree("d d/a.1 d/a.2 e e/a.3 ");
	}
}

static void
outputs_that_are_freed_half_way_leave_nothing(void **state)
{
	struct fixture *f = *state;
	fixture_start(f, 2);
	assert_int_equal(begin(f, 0), 0);
	write_all_but(f, SIZE_MAX);
	outputs_fini(&f->outputs);
	assert_tree("d ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
	    TEST(job_without_outputs_has_nothing_to_do),
	    TEST(outputs_of_a_success_are_all_in_place),
	    TEST(nothing_is_left_after_any_other_end),
	    TEST(success_that_did_not_write_an_output_is_none),
	    TEST(old_outputs_stay_until_there_are_new_ones),
	    TEST(task_is_not_started_when_an_output_cannot_be),
	    TEST(target_that_became_a_folder_meanwhile_fails_the_task),
	    TEST(link_in_place_of_an_output_is_no_output),
	    TEST(name_with_a_nul_byte_is_refused),
	    TEST(second_task_of_a_run_with_the_same_output_fails),
	    TEST(all_ways_to_sync_make_the_outputs),
	    TEST(outputs_that_are_freed_half_way_leave_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Tasks whose outputs need not be made again, and what the dead leave beside them. */
#include "outputs_fixture.h"

#include "record/uptodate.h"

struct uptodate_fixture {
	struct fixture f;
	struct history *history;
	struct sink *sink;
	char left[64]; /* a file of leave_draft's */
};

static int
set_up(void **state)
{
	struct uptodate_fixture *u = calloc(1, sizeof(*u));
	void *inner;
	if (fixture_set_up(&inner) == -1)
		return -1;
	u->f = *(struct fixture *)inner;
	free(inner);
	*state = u;
	return 0;
}

static int
tear_down(void **state)
{
	struct uptodate_fixture *u = *state;
	history_free(u->history);
	sink_free(u->sink);
	return fixture_tear_down(state); /* its first member is the whole's start */
}

static void
start(struct uptodate_fixture *u, size_t output_count)
{
	struct err err = {0};
	fixture_start(&u->f, output_count);
	const struct records_config config = {.spec = &u->f.spec,
					      .command = u->f.template,
					      .column_count = 1,
					      .run_name = "run2",
					      .worker_count = 1};
	u->history = uptodate_history_new(&config, &err);
	u->sink = uptodate_sink_new(&config, &err);
	assert_non_null(u->history);
	assert_non_null(u->sink);
}

static bool
is_done(struct uptodate_fixture *u)
{
	struct err err = {0};
	int has = u->history->ops->has(u->history, 0, &u->f.arg, 1, &err);
	assert_int_not_equal(has, -1);
	return has == 1;
}

/* What a worker that was killed leaves: nobody holds the lock. */
static void
leave_draft(struct uptodate_fixture *u)
{
	assert_int_equal(begin(&u->f, 0), 0);
	write_all_but(&u->f, SIZE_MAX);
	strcpy(u->left, u->f.outputs.outs[0].bytes);
	for (size_t i = 0; i < u->f.spec.output_count; i++)
		draft_fini(&u->f.outputs.drafts[i]);
}

static void
settle(struct uptodate_fixture *u, const struct result *result)
{
	struct buf packed = {0};
	struct err err = {0};
	assert_int_equal(task_pack(&packed, u->f.arg.bytes, u->f.arg.length), 0);
	struct task *task = task_new(0, 1, 1, &packed);
	assert_int_equal(u->sink->ops->settled(u->sink, task, result, &err), 0);
	free(task);
	buf_fini(&packed);
}

static void
task_is_done_when_all_its_outputs_are_there(void **state)
{
	struct uptodate_fixture *u = *state;
	start(u, 3);
	assert_false(is_done(u));
	make_all(&u->f, 0);
	assert_true(is_done(u));
	assert_int_equal(unlink("d/a.2"), 0);
	assert_false(is_done(u));
	make_all(&u->f, 0);
	assert_true(is_done(u));
	put("e/a.3", "made by somebody else");
	assert_false(is_done(u));
}

static void
outputs_made_otherwise_are_not_trusted(void **state)
{
	struct uptodate_fixture *u = *state;
	start(u, 1);
	assert_int_equal(mkdir("d", 0777), 0);
	put("d/a.1", "made");
	assert_false(is_done(u));
}

static void
input_that_changes_makes_the_task_undone(void **state)
{
	struct uptodate_fixture *u = *state;
	start(u, 1);
	put("a", "input");
	make_all(&u->f, 0);
	assert_true(is_done(u));
	put("a", "more input");
	assert_false(is_done(u));
}

static void
input_that_changes_while_the_task_runs_makes_it_undone(void **state)
{
	struct uptodate_fixture *u = *state;
	start(u, 1);
	put("a", "input");
	assert_int_equal(begin(&u->f, 0), 0);
	put("a", "more input");
	write_all_but(&u->f, SIZE_MAX);
	end(&u->f, RESULT_EXIT, 0);
	assert_false(is_done(u));
	make_all(&u->f, 0);
	assert_true(is_done(u));
}

static void
names_are_relative_to_the_tasks_folder(void **state)
{
	struct uptodate_fixture *u = *state;
	start(u, 1);
	put("a", "input");
	make_all(&u->f, 0);
	leave_draft(u);
	assert_int_equal(chdir("/"), 0);
	u->f.spec.work_dir = u->f.folder;
	assert_true(is_done(u));
	assert_int_equal(chdir(u->f.folder), 0);
	assert_tree("a d d/a.1 ");
}

static void
what_a_dead_run_left_beside_an_output_goes(void **state)
{
	struct uptodate_fixture *u = *state;
	start(u, 2);
	make_all(&u->f, 0);
	leave_draft(u);
	u->f.spec.is_dry_run = true;
	assert_true(is_done(u));
	assert_int_equal(access(u->left, F_OK), 0);
	u->f.spec.is_dry_run = false;
	assert_true(is_done(u));
	assert_tree("d d/a.1 d/a.2 ");
}

static void
what_a_dead_worker_left_goes_when_its_task_has_its_end(void **state)
{
	struct uptodate_fixture *u = *state;
	start(u, 2);
	leave_draft(u);
	settle(u, &(struct result){.reason = RESULT_SKIPPED});
	settle(u, &(struct result){.reason = RESULT_EXIT});
	assert_int_equal(access(u->left, F_OK), 0);
	settle(u, &(struct result){.reason = RESULT_LOST});
	assert_tree("d ");
}

static void
drafts_of_the_living_stay(void **state)
{
	struct uptodate_fixture *u = *state;
	start(u, 2);
	assert_int_equal(begin(&u->f, 0), 0);
	write_all_but(&u->f, SIZE_MAX);
	settle(u, &(struct result){.reason = RESULT_LOST});
	end(&u->f, RESULT_EXIT, 0);
	assert_true(result_is_success(&u->f.result));
	assert_tree("d d/a.1 d/a.2 ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	    TEST(task_is_done_when_all_its_outputs_are_there),
	    TEST(outputs_made_otherwise_are_not_trusted),
	    TEST(input_that_changes_makes_the_task_undone),
	    TEST(input_that_changes_while_the_task_runs_makes_it_undone),
	    TEST(names_are_relative_to_the_tasks_folder),
	    TEST(what_a_dead_run_left_beside_an_output_goes),
	    TEST(what_a_dead_worker_left_goes_when_its_task_has_its_end),
	    TEST(drafts_of_the_living_stay),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The run file: what is told to its sink is in its tables, and what is in them comes back. */
#include <signal.h>
#include <sys/wait.h>

#include "runfile_fixture.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static void
run_has_a_row(void **state)
{
	struct fixture *f = *state;
	fixture_open(f);
	fixture_finish(f);
	assert_string_equal(
	    fixture_ask(f,
			"SELECT id || ' ' || name || ' ' || verb || ' ' || words || ' '"
			" || command || ' ' || worker_count || ' ' || cpu_count || ' '"
			" || threads || ' ' || outcome || ' ' || exit FROM run"),
	    "1 testrun map [\"echo\"] [\"echo\",\"{}\"] 2 4 [2,1] complete 0");
	char pid[16];
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	assert_string_equal(fixture_ask(f, "SELECT pid FROM run"), pid);
}

static void
task_has_a_row_with_what_was_measured(void **state)
{
	struct fixture *f = *state;
	fixture_open(f);
	fixture_settle(f, 4, "a b", 3, 0);
	fixture_finish(f);
	assert_string_equal(
	    fixture_ask(f, "SELECT seq || ' ' || reason || ' ' || exit || ' ' ||"
			   " ifnull(signal, '-') || ' ' || attempts || ' ' || wall_ns ||"
			   " ' ' || cpu || ' ' || pid || ' ' || inputs || ' ' || argv"
			   " FROM task"),
	    "4 exit 3 - 1 5 3 77 [\"a b\"] [\"echo\",\"a b\"]");
}

static void
short_output_is_in_the_row(void **state)
{
	struct fixture *f = *state;
	fixture_open(f);
	struct task *task = fixture_task(0, "a");
	fixture_write(f, task, RESULT_STDOUT, "one ", 4);
	fixture_write(f, task, RESULT_STDERR, "err", 3);
	fixture_write(f, task, RESULT_STDOUT, "two", 3);
	free(task);
	fixture_settle(f, 0, "a", 0, 7);
	fixture_finish(f);
	assert_string_equal(fixture_ask(f, "SELECT stdout || '|' || stderr FROM task"),
			    "one two|err");
	assert_string_equal(fixture_ask(f, "SELECT count(*) FROM output"), "0");
}

static void
write_much(struct fixture *f, const struct task *task, size_t count)
{
	char block[10000];
	for (size_t i = 0; i < count; i++) {
		memset(block, 'a' + (int)(i % 26), sizeof(block));
		fixture_write(f, task, RESULT_STDOUT, block, sizeof(block));
	}
}

static void
long_output_is_in_rows_of_its_own_in_order(void **state)
{
	struct fixture *f = *state;
	fixture_open(f);
	struct task *task = fixture_task(0, "a");
	write_much(f, task, 100);
	free(task);
	fixture_settle(f, 0, "a", 0, 1000000);
	fixture_finish(f);
	assert_string_equal(fixture_ask(f, "SELECT stdout IS NULL FROM task"), "1");
	assert_string_equal(fixture_ask(f,
					"SELECT sum(length(bytes)) FROM output JOIN task"
					" ON task.id = task_id WHERE stream = 1"),
			    "1000000");
	/* Each begins with the letter that belongs to its place. */
	assert_string_equal(
	    fixture_ask(f, "SELECT count(*) > 1 AND min(unicode(substr(bytes, 1, 1)) ="
			   " 97 + at / 10000 % 26) FROM (SELECT bytes, sum(length(bytes))"
			   " OVER (ORDER BY id) - length(bytes) AS at FROM output)"),
	    "1");
}

static void
output_of_a_try_that_does_not_count_is_forgotten(void **state)
{
	struct fixture *f = *state;
	fixture_open(f);
	struct sink *sink = runfile_sink(f->runfile, 0);
	struct task *task = fixture_task(0, "a");
	struct result lost = {.reason = RESULT_LOST};
	write_much(f, task, 50);
	assert_int_equal(sink->ops->retried(sink, task, &lost, &f->err), 0);
	fixture_write(f, task, RESULT_STDOUT, "second", 6);
	free(task);
	fixture_settle(f, 0, "a", 0, 6);
	fixture_finish(f);
	assert_string_equal(fixture_ask(f, "SELECT stdout FROM task"), "second");
	assert_string_equal(fixture_ask(f, "SELECT count(*) FROM output"), "0");
}

static void
output_of_a_task_that_did_not_settle_is_not_kept(void **state)
{
	struct fixture *f = *state;
	fixture_open(f);
	struct task *task = fixture_task(0, "a");
	write_much(f, task, 50);
	free(task);
	fixture_finish(f);
	assert_string_equal(fixture_ask(f, "SELECT (SELECT count(*) FROM task) + (SELECT"
					   " count(*) FROM output)"),
			    "0");
}

static void
next_run_takes_away_what_a_killed_one_had_begun(void **state)
{
	struct fixture *f = *state;
	fixture_open(f);
	struct task *task = fixture_task(0, "a");
	write_much(f, task, 50);
	free(task);
	fixture_settle(f, 1, "b", 0, 0);
	fixture_close(f); /* as if it had died */
	fixture_open(f);
	fixture_finish(f);
	assert_string_equal(fixture_ask(f, "SELECT seq FROM task"), "1");
	assert_string_equal(fixture_ask(f, "SELECT count(*) FROM output"), "0");
	assert_string_equal(fixture_ask(f, "SELECT ended_ns IS NULL FROM run"), "1 0");
}

static void
answers_become_rows(void **state)
{
	struct fixture *f = *state;
	struct buf packed = {0};
	const struct answer items[] = {{10, 1, 1}, {20, 2, 0}};
	const struct answers answers = {
	    .items = items, .count = 2, .worker = 5, .slot = 2, .bytes = "x", .length = 1};
	fixture_open(f);
	struct sink *sink = runfile_sink(f->runfile, 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(task_pack(&packed, &"abc"[i], 1), 0);
	struct task *chunk = task_new(7, 3, 1, &packed);
	assert_non_null(chunk);
	assert_int_equal(sink->ops->answered(sink, chunk, &answers, &f->err), 0);
	fixture_finish(f);
	assert_string_equal(fixture_ask(f,
					"SELECT seq || inputs || ifnull(stdout, '-') ||"
					" worker || slot || wall_ns FROM task"),
			    "7[\"a\"]x521 8[\"b\"]-522");
	free(chunk);
	buf_fini(&packed);
}

static bool
is_done_before(struct fixture *f, uint64_t seq, const char *value)
{
	struct history *history = runfile_history(f->runfile, 0);
	struct arg arg = {value, strlen(value)};
	int has = history->ops->has(history, seq, &arg, 1, &f->err);
	assert_int_not_equal(has, -1);
	return has == 1;
}

static void
what_was_done_is_known_by_its_values_and_counted(void **state)
{
	struct fixture *f = *state;
	fixture_open(f);
	assert_null(runfile_history(f->runfile, 0));
	fixture_settle(f, 0, "a", 0, 0);
	fixture_settle(f, 1, "b", 1, 0);
	fixture_settle(f, 2, "a", 0, 0);
	fixture_finish(f);
	f->spec.resume = SPEC_RESUME_REST;
	fixture_open(f);
	assert_true(is_done_before(f, 9, "a"));
	assert_true(is_done_before(f, 10, "b"));
	assert_false(is_done_before(f, 11, "c"));
	assert_true(is_done_before(f, 12, "a"));
	assert_false(is_done_before(f, 13, "a"));
	fixture_finish(f);
	f->spec.resume = SPEC_RESUME_FAILED;
	fixture_open(f);
	assert_false(is_done_before(f, 0, "b"));
	fixture_finish(f);
	assert_string_equal(fixture_ask(f, "SELECT resumes || resume_mode FROM run"
					   " WHERE resumes IS NOT NULL"),
			    "1rest 2failed");
}

static void
expect_next(struct fixture *f, struct source *source, uint64_t seq, uint32_t count,
	    const char *value)
{
	struct task *task;
	assert_int_equal(source_next(source, 1000, &task, &f->err), SOURCE_TASK);
	assert_int_equal(task->seq, seq);
	assert_int_equal(task->count, count);
	assert_int_equal(task->is_done, value == NULL);
	if (value != NULL)
		assert_string_equal(task_bytes(task) + sizeof(uint32_t), value);
	free(task);
}

static void
what_failed_comes_back_with_its_place(void **state)
{
	struct fixture *f = *state;
	struct task *task;
	fixture_open(f);
	fixture_settle(f, 5, "b", 1, 0);
	fixture_settle(f, 1, "a", 1, 0);
	fixture_settle(f, 2, "c", 0, 0);
	fixture_finish(f);
	f->spec.resume = SPEC_RETRY_FAILED;
	fixture_open(f);
	struct source *source = runfile_source(f->runfile, &f->err);
	assert_non_null(source);
	expect_next(f, source, 0, 1, NULL);
	expect_next(f, source, 1, 1, "a");
	expect_next(f, source, 2, 3, NULL);
	expect_next(f, source, 5, 1, "b");
	assert_int_equal(source_next(source, 1000, &task, &f->err), SOURCE_END);
	source_free(source);
	fixture_finish(f);
}

static void
another_command_is_not_resumed(void **state)
{
	struct fixture *f = *state;
	fixture_open(f);
	fixture_finish(f);
	f->spec.word_count = 1;
	f->spec.resume = SPEC_RESUME_REST;
	assert_null(runfile_open(&f->config, &f->err));
	assert_int_equal(f->err.kind, ERR_USAGE);
	assert_non_null(strstr(f->err.text, "another command"));
	assert_string_equal(fixture_ask(f, "SELECT count(*) FROM run"), "1");
}

static void
nothing_to_retry_is_an_error(void **state)
{
	struct fixture *f = *state;
	f->spec.resume = SPEC_RETRY_FAILED;
	assert_null(runfile_open(&f->config, &f->err));
	assert_int_equal(f->err.kind, ERR_USAGE);
}

static pid_t
find_recorder(void)
{
	FILE *children;
	char path[64];
	int pid = 0;
	while (waitpid(-1, NULL, WNOHANG) > 0) /* of tests before */
		;
	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	children = fopen(path, "r");
	assert_non_null(children);
	assert_int_equal(fscanf(children, "%d", &pid), 1);
	fclose(children);
	return pid;
}

static void
recorder_that_is_stopped_leaves_the_sink_behind(void **state)
{
	struct fixture *f = *state;
	fixture_open(f);
	struct sink *sink = runfile_sink(f->runfile, 0);
	struct task *task = fixture_task(0, "a");
	char block[65536] = {0};
	int fds[2];
	pid_t recorder = find_recorder();
	assert_int_equal(kill(recorder, SIGSTOP), 0);
	for (int i = 0; i < 200 && !sink->ops->is_behind(sink); i++)
		fixture_write(f, task, RESULT_STDOUT, block, sizeof(block));
	assert_true(sink->ops->is_behind(sink));
	assert_false(sink->ops->is_done(sink));
	assert_int_equal(sink->ops->wait_fds(sink, fds), 1);
	assert_int_equal(kill(recorder, SIGCONT), 0);
	free(task);
	fixture_finish(f);
}

static void
recorder_that_died_is_an_error(void **state)
{
	struct fixture *f = *state;
	fixture_open(f);
	assert_int_equal(kill(find_recorder(), SIGKILL), 0);
	assert_int_equal(runfile_finish(f->runfile, RECORDS_COMPLETE, 0, &f->err), -1);
	assert_non_null(strstr(f->err.text, "has died"));
	fixture_close(f);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

/* Locks are between processes. */
static void
file_in_use_is_refused_and_by_whom_is_said(void **state)
{
	struct fixture *f = *state;
	char who[64], byte;
	int ready[2], end[2];
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(end), 0);
	pid_t holder = fork();
	assert_true(holder != -1);
	if (holder == 0) {
		close(end[1]);
		f->runfile = runfile_open(&f->config, &f->err);
		byte = (char)(f->runfile != NULL);
		if (write(ready[1], &byte, 1) != 1 || read(end[0], &byte, 1) == -1)
			_exit(1);
		_exit(f->runfile == NULL ||
		      runfile_finish(f->runfile, RECORDS_COMPLETE, 0, &f->err) == -1);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(byte, 1);
	snprintf(who, sizeof(who), "in use by run testrun (process %d on host ",
		 (int)holder);
	/* The file is locked first, and says a moment later by whom. */
	for (int i = 0; i < 1000 && strstr(f->err.text, who) == NULL; i++) {
		assert_null(runfile_open(&f->config, &f->err));
		assert_int_equal(f->err.kind, ERR_LOCKED);
	}
	assert_non_null(strstr(f->err.text, who));
	for (int i = 0; i < 2; i++) {
		close(ready[i]);
		close(end[i]);
	}
	int status;
	assert_int_equal(waitpid(holder, &status, 0), holder);
	assert_int_equal(status, 0);
	fixture_open(f);
	fixture_finish(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(run_has_a_row),
	    TEST(task_has_a_row_with_what_was_measured),
	    TEST(short_output_is_in_the_row),
	    TEST(long_output_is_in_rows_of_its_own_in_order),
	    TEST(output_of_a_try_that_does_not_count_is_forgotten),
	    TEST(output_of_a_task_that_did_not_settle_is_not_kept),
	    TEST(next_run_takes_away_what_a_killed_one_had_begun),
	    TEST(answers_become_rows),
	    TEST(what_was_done_is_known_by_its_values_and_counted),
	    TEST(what_failed_comes_back_with_its_place),
	    TEST(another_command_is_not_resumed),
	    TEST(nothing_to_retry_is_an_error),
	    TEST(recorder_that_is_stopped_leaves_the_sink_behind),
	    TEST(recorder_that_died_is_an_error),
	    TEST(file_in_use_is_refused_and_by_whom_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The sink of --results, told of tasks as a run does. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/io.h"
#include "record/results.h"
#include "record/results_front.h"
#include "record/results_history.h"

static char *words[] = {(char *)"echo", (char *)"{}", NULL};

/* Stands for the output: writes down what it is told. */
struct told {
	struct sink sink;
	struct buf text;
	int flushes_left;
	bool is_finished;
};

struct fixture {
	char root[64];
	char name[96];
	struct spec spec;
	struct template *command;
	struct sink *sink;
	struct task *tasks[4]; /* with the values v0, v1, ... */
	struct told told;
	struct err err;
};

static int
told_note(struct sink *sink, char what, const struct task *task)
{
	struct told *told = (struct told *)sink;
	return buf_printf(&told->text, "%c%d ", what, (int)task->seq);
}

static int
told_started(struct sink *sink, const struct task *task, uint32_t slot, struct err *err)
{
	(void)slot;
	(void)err;
	return told_note(sink, '>', task);
}

static int
told_output(struct sink *sink, const struct task *task, enum result_stream stream,
	    const char *bytes, size_t length, struct err *err)
{
	struct told *told = (struct told *)sink;
	(void)err;
	assert_int_equal(stream, RESULT_STDOUT);
	assert_int_equal(told_note(sink, '*', task), 0);
	return buf_append(&told->text, bytes, length);
}

static int
told_retried(struct sink *sink, const struct task *task, const struct result *result,
	     struct err *err)
{
	(void)result;
	(void)err;
	return told_note(sink, '~', task);
}

static int
told_settled(struct sink *sink, const struct task *task, const struct result *result,
	     struct err *err)
{
	(void)result;
	(void)err;
	return told_note(sink, '+', task);
}

static int
told_passed(struct sink *sink, const struct task *task, struct err *err)
{
	(void)err;
	return told_note(sink, '-', task);
}

static bool
told_is_behind(const struct sink *sink)
{
	return ((const struct told *)sink)->flushes_left > 0;
}

static uint64_t
told_window_end(const struct sink *sink)
{
	(void)sink;
	return 17;
}

static uint64_t
told_out_end(const struct sink *sink, bool *is_by_seq)
{
	(void)sink;
	*is_by_seq = true;
	return 4;
}

static size_t
told_wait_fds(const struct sink *sink, int fds[2])
{
	(void)sink;
	fds[0] = 99;
	return 1;
}

static int
told_flush(struct sink *sink, struct err *err)
{
	(void)err;
	((struct told *)sink)->flushes_left--;
	return 0;
}

static bool
told_is_done(const struct sink *sink)
{
	return ((const struct told *)sink)->flushes_left <= 0;
}

static int
told_finish(struct sink *sink, struct err *err)
{
	(void)err;
	((struct told *)sink)->is_finished = true;
	return 0;
}

static const struct sink_ops told_ops = {
    .started = told_started,
    .output = told_output,
    .retried = told_retried,
    .settled = told_settled,
    .passed = told_passed,
    .is_behind = told_is_behind,
    .window_end = told_window_end,
    .out_end = told_out_end,
    .wait_fds = told_wait_fds,
    .flush = told_flush,
    .is_done = told_is_done,
    .finish = told_finish,
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	if (f == NULL)
		return -1;
	strcpy(f->root, "/tmp/pinion-results-XXXXXX");
	if (mkdtemp(f->root) == NULL)
		return -1;
	spec_init(&f->spec, SPEC_MAP);
	f->spec.words = words;
	f->spec.word_count = 2;
	f->spec.tmp_dir = "/tmp";
	f->command = template_new(&f->spec, NULL, 0, &f->err);
	for (uint32_t i = 0; i < 4; i++) {
		struct buf packed = {0};
		char value[] = {'v', (char)('0' + i)};
		assert_int_equal(task_pack(&packed, value, sizeof(value)), 0);
		f->tasks[i] = task_new(i, 1, 1, &packed);
		buf_fini(&packed);
	}
	f->told.sink.ops = &told_ops;
	*state = f;
	return f->command == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	char command[128];
	sink_free(f->sink);
	for (int i = 0; i < 4; i++)
		free(f->tasks[i]);
	template_free(f->command);
	spec_fini(&f->spec);
	buf_fini(&f->told.text);
	snprintf(command, sizeof(command), "rm -rf '%s'", f->root);
	int status = system(command); /* a name made by mkdtemp */
	free(f);
	return status;
}

static struct results_config
config_of(struct fixture *f, const char *name)
{
	snprintf(f->name, sizeof(f->name), "%s/%s", f->root, name);
	f->spec.results = f->name;
	return (struct results_config){
	    .spec = &f->spec, .command = f->command, .column_count = 1};
}

static void
open_results(struct fixture *f, const char *name)
{
	const struct results_config config = config_of(f, name);
	f->sink = results_new(&config, &f->err);
	if (f->sink == NULL)
		fail_msg("%s", f->err.text);
	assert_true(f->sink->ops->is_record);
}

static void
close_results(struct fixture *f)
{
	assert_int_equal(f->sink->ops->finish(f->sink, &f->err), 0);
	sink_free(f->sink);
	f->sink = NULL;
}

static void
print_to(struct fixture *f, int task, enum result_stream stream, const char *text)
{
	assert_int_equal(f->sink->ops->output(f->sink, f->tasks[task], stream, text,
					      strlen(text), &f->err),
			 0);
}

static void
settle(struct fixture *f, int task, const struct result *result)
{
	assert_int_equal(f->sink->ops->settled(f->sink, f->tasks[task], result, &f->err),
			 0);
}

static const struct result success = {.reason = RESULT_EXIT, .started_real_ns = 1};

/* NULL: there is no such file. */
static void
assert_content(struct fixture *f, const char *name, const char *expected)
{
	char text[4096];
	snprintf(text, sizeof(text), "%s/%s", f->root, name);
	int fd = open(text, O_RDONLY | O_CLOEXEC);
	if (expected == NULL) {
		assert_int_equal(fd, -1);
		return;
	}
	assert_int_not_equal(fd, -1);
	ssize_t length = io_read(fd, text, sizeof(text) - 1);
	io_close(fd);
	assert_true(length >= 0);
	text[length] = '\0';
	assert_string_equal(text, expected);
}

static void
outputs_of_several_tasks_come_apart(void **state)
{
	struct fixture *f = *state;
	open_results(f, "out");
	print_to(f, 1, RESULT_STDOUT, "one ");
	print_to(f, 0, RESULT_STDOUT, "zero");
	print_to(f, 1, RESULT_STDERR, "err");
	print_to(f, 1, RESULT_STDOUT, "more");
	settle(f, 1, &success);
	assert_content(f, "out/1/v1/stdout", "one more");
	assert_content(f, "out/1/v1/stderr", "err");
	assert_content(f, "out/1/v1/seq", "2");
	assert_content(f, "out/1/v0/stdout", NULL);
	settle(f, 0, &success);
	assert_content(f, "out/1/v0/stdout", "zero");
	settle(f, 2, &success);
	assert_content(f, "out/1/v2/stdout", "");
	close_results(f);
}

static void
an_attempt_that_is_retried_is_forgotten(void **state)
{
	struct fixture *f = *state;
	const struct result failure = {.reason = RESULT_EXIT, .exit_status = 1};
	open_results(f, "out");
	print_to(f, 0, RESULT_STDOUT, "first");
	assert_int_equal(f->sink->ops->retried(f->sink, f->tasks[0], &failure, &f->err), 0);
	print_to(f, 0, RESULT_STDOUT, "second");
	settle(f, 0, &failure);
	assert_content(f, "out/1/v0/stdout", "second");
}

static void
what_did_not_end_by_itself_leaves_no_result(void **state)
{
	struct fixture *f = *state;
	const struct result cancelled = {.reason = RESULT_CANCELLED, .signal = 15};
	const struct result skipped = {.reason = RESULT_SKIPPED};
	const struct result lost = {.reason = RESULT_LOST};
	open_results(f, "out");
	print_to(f, 0, RESULT_STDOUT, "half");
	settle(f, 0, &cancelled);
	settle(f, 1, &skipped);
	print_to(f, 2, RESULT_STDOUT, "half");
	settle(f, 2, &lost);
	close_results(f);
	assert_content(f, "out/1/v0/stdout", NULL);
	assert_content(f, "out/1/v1/stdout", NULL);
	assert_content(f, "out/1/v2/stdout", NULL);

	open_results(f, "t.csv");
	settle(f, 0, &cancelled);
	settle(f, 1, &skipped);
	assert_content(f, "t.csv", "");
	settle(f, 2, &lost);
	struct stat st;
	assert_int_equal(stat(f->name, &st), 0);
	assert_true(st.st_size > 0);
}

static void
a_run_that_resumes_appends_below_one_header(void **state)
{
	struct fixture *f = *state;
	open_results(f, "t.csv");
	print_to(f, 0, RESULT_STDOUT, "x");
	settle(f, 0, &success);
	close_results(f);
	f->spec.resume = SPEC_RESUME_REST;
	open_results(f, "t.csv");
	settle(f, 1, &success);
	close_results(f);
	assert_content(
	    f, "t.csv",
	    "Seq,Host,Starttime,JobRuntime,Send,Receive,Exitval,Signal,Command,"
	    "V1,Stdout,Stderr\n"
	    "1,:,0.000,0.000,0,0,0,0,\"echo v0\",v0,x,\n"
	    "2,:,0.000,0.000,0,0,0,0,\"echo v1\",v1,,\n");
}

static void
a_folder_knows_what_is_whole_in_it(void **state)
{
	struct fixture *f = *state;
	const struct result failure = {.reason = RESULT_EXIT, .exit_status = 1};
	const struct arg v0 = {"v0", 2}, v1 = {"v1", 2}, v2 = {"v2", 2};
	char path[128];
	open_results(f, "out");
	settle(f, 0, &success);
	settle(f, 1, &failure);
	settle(f, 2, &success);
	close_results(f);
	snprintf(path, sizeof(path), "%s/1/v2/seq", f->name);
	assert_int_equal(unlink(path), 0);
	const struct results_config config = config_of(f, "out");
	struct history *history = results_history_new(&config, &f->err);
	assert_non_null(history);
	assert_int_equal(history->ops->has(history, 7, &v0, 1, &f->err), 1);
	assert_int_equal(history->ops->has(history, 0, &v1, 1, &f->err), 1);
	assert_int_equal(history->ops->has(history, 2, &v2, 1, &f->err), 0);
	history_free(history);
}

static void
in_front_of_the_output_records_take_its_place(void **state)
{
	struct fixture *f = *state;
	struct results_config config = config_of(f, "unused");
	f->spec.results = "-.json"; /* which has no header */
	config.output = &f->told.sink;
	assert_true(results_is_on_stdout(&f->spec));
	f->sink = results_front_new(&config, &f->err);
	assert_non_null(f->sink);
	assert_false(f->sink->ops->is_record);
	assert_null(f->sink->ops->answered);
	assert_int_equal(f->sink->ops->started(f->sink, f->tasks[0], 1, &f->err), 0);
	print_to(f, 0, RESULT_STDERR, "dropped");
	assert_int_equal(f->sink->ops->retried(f->sink, f->tasks[0], &success, &f->err), 0);
	print_to(f, 0, RESULT_STDOUT, "x");
	settle(f, 0, &success);
	assert_int_equal(f->sink->ops->passed(f->sink, f->tasks[1], &f->err), 0);
	settle(f, 2, &(struct result){.reason = RESULT_SKIPPED});
	assert_non_null(buf_str(&f->told.text));
	assert_string_equal(f->told.text.bytes,
			    ">0 ~0 *0 {\"Seq\":1,\"Host\":\":\",\"Starttime\":0.000,"
			    "\"JobRuntime\":0.000,\"Send\":0,\"Receive\":0,\"Exitval\":0,"
			    "\"Signal\":0,\"Command\":\"echo v0\",\"V\":[\"v0\"],"
			    "\"Stdout\":\"x\",\"Stderr\":\"\"}\n+0 -1 +2 ");
}

static void
in_front_of_the_output_its_state_is_the_outputs(void **state)
{
	struct fixture *f = *state;
	struct results_config config = config_of(f, "unused");
	int fds[2] = {0};
	bool is_by_seq = false;
	f->spec.results = "-.jsonl";
	config.output = &f->told.sink;
	f->sink = results_front_new(&config, &f->err);
	assert_non_null(f->sink);
	f->told.flushes_left = 1;
	assert_true(f->sink->ops->is_behind(f->sink));
	assert_false(f->sink->ops->is_done(f->sink));
	assert_int_equal(f->sink->ops->flush(f->sink, &f->err), 0);
	assert_false(f->sink->ops->is_behind(f->sink));
	assert_true(f->sink->ops->is_done(f->sink));
	assert_int_equal(f->sink->ops->window_end(f->sink), 17);
	assert_int_equal(f->sink->ops->out_end(f->sink, &is_by_seq), 4);
	assert_true(is_by_seq);
	assert_int_equal(f->sink->ops->wait_fds(f->sink, fds), 1);
	assert_int_equal(fds[0], 99);
	assert_int_equal(f->sink->ops->finish(f->sink, &f->err), 0);
	assert_true(f->told.is_finished);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(outputs_of_several_tasks_come_apart),
	    TEST(an_attempt_that_is_retried_is_forgotten),
	    TEST(what_did_not_end_by_itself_leaves_no_result),
	    TEST(a_run_that_resumes_appends_below_one_header),
	    TEST(a_folder_knows_what_is_whole_in_it),
	    TEST(in_front_of_the_output_records_take_its_place),
	    TEST(in_front_of_the_output_its_state_is_the_outputs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

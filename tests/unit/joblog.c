/* A joblog on disk: what is written when, what an earlier run's says, and who may have it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/io.h"
#include "record/joblog.h"
#include "record/joblog_line.h"

#define RECORD(seq, exit, command) \
	seq "\t:\t1795250621.762\t     0.095\t0\t12\t" exit "\t0\t" command "\n"
#define STARTED_NS INT64_C(1795250621762000000)
#define WALL_NS INT64_C(95000000)

static char *echo_words[] = {(char *)"echo", (char *)"{}", NULL};
static char *slot_words[] = {(char *)"echo", (char *)"{%}", (char *)"{}", NULL};

struct fixture {
	char folder[32];
	char path[64];
	char option[80]; /* what spec.joblog says */
	struct spec spec;
	struct template *command;
	struct joblog *joblog;
	struct err err;
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	strcpy(f->folder, "/tmp/joblog.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof(f->path), "%s/log", f->folder);
	strcpy(f->option, f->path);
	spec_init(&f->spec, SPEC_MAP);
	f->spec.joblog = f->option;
	f->spec.words = echo_words;
	f->spec.word_count = 2;
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	joblog_close(f->joblog);
	template_free(f->command);
	spec_fini(&f->spec);
	unlink(f->path);
	assert_int_equal(rmdir(f->folder), 0); /* there is nothing else */
	free(f);
	return 0;
}

static void
write_log(struct fixture *f, const char *text)
{
	int fd = open(f->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_not_equal(fd, -1);
	assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
	io_close(fd);
}

static void
expect_log(struct fixture *f, const char *text)
{
	char got[4096] = {0};
	int fd = open(f->path, O_RDONLY | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	assert_true(io_read(fd, got, sizeof(got) - 1) >= 0);
	io_close(fd);
	assert_string_equal(got, text);
}

static struct joblog *
try_open(struct fixture *f)
{
	struct joblog_config config = {.spec = &f->spec, .column_count = 1};
	joblog_close(f->joblog);
	template_free(f->command);
	f->command = template_new(&f->spec, NULL, 0, &f->err);
	assert_non_null(f->command);
	config.command = f->command;
	f->joblog = joblog_open(&config, &f->err);
	return f->joblog;
}

static void
open_log(struct fixture *f)
{
	if (try_open(f) == NULL)
		fail_msg("%s", f->err.text);
}

static void
refuse_log(struct fixture *f, enum err_kind kind, const char *message)
{
	assert_null(try_open(f));
	assert_int_equal(f->err.kind, kind);
	if (strstr(f->err.text, message) == NULL)
		fail_msg("'%s' does not say '%s'", f->err.text, message);
}

/* Tasks from `seq` on, of the values a, b, c. */
static struct task *
chunk_of(uint64_t seq, uint32_t count)
{
	struct buf packed = {0};
	for (char value = 'a'; value < 'a' + (char)count; value++)
		assert_int_equal(task_pack(&packed, &value, 1), 0);
	struct task *chunk = task_new(seq, count, 1, &packed);
	assert_non_null(chunk);
	buf_fini(&packed);
	return chunk;
}

static int
settle(struct fixture *f, uint64_t seq, const struct result *result)
{
	struct sink *sink = joblog_sink(f->joblog);
	struct task *task = chunk_of(seq, 1);
	int status = sink->ops->settled(sink, task, result, &f->err);
	free(task);
	return status;
}

static void
end_with(struct fixture *f, uint64_t seq, enum result_reason reason, int exit_status,
	 int signal)
{
	const struct result result = {.reason = reason,
				      .exit_status = exit_status,
				      .signal = signal,
				      .slot = 4,
				      .started_real_ns = STARTED_NS,
				      .wall_ns = WALL_NS,
				      .stdout_bytes = 12,
				      .stderr_bytes = 1000};
	assert_int_equal(settle(f, seq, &result), 0);
}

static void
flush(struct fixture *f)
{
	struct sink *sink = joblog_sink(f->joblog);
	assert_int_equal(sink->ops->flush(sink, &f->err), 0);
}

static void
finish(struct fixture *f)
{
	struct sink *sink = joblog_sink(f->joblog);
	assert_int_equal(sink->ops->finish(sink, &f->err), 0);
}

static void
each_end_has_its_line_but_for_what_never_ended_by_itself(void **state)
{
	struct fixture *f = *state;
	open_log(f);
	expect_log(f, JOBLOG_HEADER); /* from the start */
	end_with(f, 0, RESULT_EXIT, 0, 0);
	end_with(f, 8, RESULT_EXIT, 3, 0);
	end_with(f, 2, RESULT_SIGNAL, 0, 9);
	end_with(f, 3, RESULT_TIMEOUT, 0, 15);
	end_with(f, 4, RESULT_CANNOT_EXECUTE, 127, 0);
	end_with(f, 5, RESULT_LOST, 0, 0);
	end_with(f, 6, RESULT_NO_ANSWER, 0, 0);
	end_with(f, 7, RESULT_CANCELLED, 0, 15);
	end_with(f, 1, RESULT_SKIPPED, 0, 0);
	expect_log(f, JOBLOG_HEADER);
	flush(f);
#define HEAD "\t:\t1795250621.762\t     0.095\t0\t12\t"
	expect_log(f, JOBLOG_HEADER "1" HEAD "0\t0\techo a\n"
				    "9" HEAD "3\t0\techo a\n"
				    "3" HEAD "0\t9\techo a\n"
				    "4" HEAD "-1\t15\techo a\n"
				    "5" HEAD "127\t0\techo a\n"
				    "6" HEAD "-1\t0\techo a\n"
				    "7" HEAD "-1\t0\techo a\n");
	finish(f);
}

/* Nothing but a success may look like one. */
static void
no_end_but_a_success_is_recorded_as_one(void **state)
{
	struct fixture *f = *state;
	for (int reason = 0; reason < RESULT_REASONS; reason++) {
		f->spec.resume = SPEC_RESUME_NOTHING;
		open_log(f);
		bool has_status = reason == RESULT_EXIT ||
				  reason == RESULT_CANNOT_EXECUTE ||
				  reason == RESULT_NO_OUTPUT;
		end_with(f, 0, (enum result_reason)reason, has_status ? 1 : 0,
			 reason == RESULT_SIGNAL || reason == RESULT_MEMORY ? 9 : 0);
		finish(f);
		f->spec.resume = SPEC_RESUME_FAILED;
		open_log(f);
		struct history *history = joblog_history(f->joblog);
		const struct arg arg = {"a", 1};
		if (history != NULL)
			assert_int_equal(history->ops->has(history, 0, &arg, 1, &f->err),
					 0);
	}
}

static void
answers_have_a_line_each(void **state)
{
	struct fixture *f = *state;
	struct task *chunk = chunk_of(4, 3);
	const struct answer items[] = {{.wall_ns = WALL_NS, .bytes = 5}, {.bytes = 0}};
	const struct answers answers = {.items = items, .count = 2, .slot = 7, .length = 5};
	f->spec.words = slot_words;
	f->spec.word_count = 3;
	open_log(f);
	struct sink *sink = joblog_sink(f->joblog);
	assert_int_equal(sink->ops->answered(sink, chunk, &answers, &f->err), 0);
	finish(f);
	free(chunk);
	f->spec.resume = SPEC_RESUME_FAILED;
	open_log(f); /* it can be read, so what the clock wrote need not be looked at */
	struct history *history = joblog_history(f->joblog);
	const struct arg args[] = {{"a", 1}, {"b", 1}};
	assert_int_equal(history->ops->has(history, 4, &args[0], 1, &f->err), 1);
	assert_int_equal(history->ops->has(history, 5, &args[1], 1, &f->err), 1);
	assert_int_equal(history->ops->has(history, 6, &args[1], 1, &f->err), 0);
}

static void
a_log_is_begun_anew_unless_it_is_resumed_or_has_a_plus(void **state)
{
	struct fixture *f = *state;
	write_log(f, "what is there, whatever it is");
	open_log(f);
	expect_log(f, JOBLOG_HEADER);
	end_with(f, 0, RESULT_EXIT, 0, 0);
	finish(f);
	snprintf(f->option, sizeof(f->option), "+%s", f->path);
	open_log(f);
	assert_null(joblog_history(f->joblog)); /* all is run again */
	end_with(f, 0, RESULT_EXIT, 0, 0);
	finish(f);
	strcpy(f->option, f->path);
	f->spec.resume = SPEC_RESUME_REST;
	open_log(f);
	assert_non_null(joblog_history(f->joblog));
	end_with(f, 1, RESULT_EXIT, 0, 0);
	finish(f);
	expect_log(f, JOBLOG_HEADER RECORD("1", "0", "echo a") RECORD("1", "0", "echo a")
			  RECORD("2", "0", "echo a"));
}

static void
a_new_log_has_its_header_even_if_nothing_is_recorded(void **state)
{
	struct fixture *f = *state;
	struct stat status;
	f->spec.resume = SPEC_RESUME_REST;
	mode_t mask = umask(027);
	open_log(f);
	umask(mask);
	expect_log(f, "");
	finish(f);
	expect_log(f, JOBLOG_HEADER);
	assert_int_equal(stat(f->path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0640);
}

/* Told once, cut off before the next record, and not before. */
static void
a_torn_tail_goes_when_the_next_record_comes(void **state)
{
	struct fixture *f = *state;
	struct buf notes = {0};
	const char *torn = JOBLOG_HEADER RECORD("1", "0", "echo a") "2\t:\t1795";
	f->spec.resume = SPEC_RESUME_REST;
	write_log(f, torn);
	open_log(f);
	assert_int_equal(joblog_append_notes(f->joblog, &notes), 0);
	assert_non_null(strstr(buf_str(&notes), "line 3 was cut short"));
	flush(f);
	expect_log(f, torn);
	end_with(f, 1, RESULT_EXIT, 0, 0);
	finish(f);
	expect_log(f, JOBLOG_HEADER RECORD("1", "0", "echo a") RECORD("2", "0", "echo a"));
	buf_clear(&notes);
	open_log(f);
	assert_int_equal(joblog_append_notes(f->joblog, &notes), 0);
	assert_int_equal(notes.length, 0);
	write_log(f, "Seq\tHost\tSt");
	open_log(f);
	end_with(f, 0, RESULT_EXIT, 0, 0);
	finish(f);
	expect_log(f, JOBLOG_HEADER RECORD("1", "0", "echo a"));
	buf_fini(&notes);
}

static void
what_is_recorded_is_done_and_failures_as_they_are_asked_for(void **state)
{
	struct fixture *f = *state;
	struct buf notes = {0};
	const struct arg arg = {"a", 1};
	write_log(f, JOBLOG_HEADER RECORD("1", "0", "echo a") RECORD("3", "1", "echo a"));
	static const struct {
		enum spec_resume resume;
		int has[3];
	} rows[] = {{SPEC_RESUME_REST, {1, 0, 1}}, {SPEC_RESUME_FAILED, {1, 0, 0}}};
	for (size_t i = 0; i < 2; i++) {
		f->spec.resume = rows[i].resume;
		open_log(f);
		struct history *history = joblog_history(f->joblog);
		for (uint64_t seq = 0; seq < 3; seq++)
			assert_int_equal(history->ops->has(history, seq, &arg, 1, &f->err),
					 rows[i].has[seq]);
		assert_int_equal(joblog_append_notes(f->joblog, &notes), 0);
		/* Not run again and not well: that must not go unsaid. */
		assert_int_equal(strstr(notes.length > 0 ? buf_str(&notes) : "",
					"1 recorded task failed") != NULL,
				 rows[i].resume == SPEC_RESUME_REST);
		buf_clear(&notes);
	}
	buf_fini(&notes);
}

static void
another_jobs_log_is_refused_with_the_place_and_untouched(void **state)
{
	struct fixture *f = *state;
	const struct arg arg = {"a", 1};
	const char *log = JOBLOG_HEADER RECORD("1", "0", "echo a")
	    RECORD("3", "0", "rm a") RECORD("2", "0", "echo a") "4\t:\t17";
	f->spec.resume = SPEC_RESUME_REST;
	write_log(f, log);
	open_log(f);
	struct history *history = joblog_history(f->joblog);
	assert_int_equal(history->ops->has(history, 0, &arg, 1, &f->err), 1);
	assert_int_equal(history->ops->has(history, 1, &arg, 1, &f->err), 1);
	assert_int_equal(history->ops->has(history, 2, &arg, 1, &f->err), -1);
	assert_int_equal(f->err.kind, ERR_USAGE);
	assert_non_null(
	    strstr(f->err.text, "line 3: task 3 was 'rm a' and is 'echo a' now"));
	flush(f);
	finish(f);
	expect_log(f, log);
}

static void
a_slot_in_the_command_may_have_been_any(void **state)
{
	struct fixture *f = *state;
	const struct arg arg = {"a", 1};
	f->spec.words = slot_words;
	f->spec.word_count = 3;
	f->spec.resume = SPEC_RESUME_REST;
	write_log(f, JOBLOG_HEADER RECORD("1", "0", "echo 17 a")
			 RECORD("2", "0", "echo 2 b"));
	open_log(f);
	struct history *history = joblog_history(f->joblog);
	assert_int_equal(history->ops->has(history, 0, &arg, 1, &f->err), 1);
	assert_int_equal(history->ops->has(history, 1, &arg, 1, &f->err), -1);
}

/* Another process: a lock of our own would not be in our way. */
static void
a_log_in_use_is_refused_with_its_holder_and_untouched(void **state)
{
	struct fixture *f = *state;
	int fds[2];
	char byte, who[32];
	write_log(f, "precious");
	assert_int_equal(io_pipe(fds, 0), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
		int fd = open(f->path, O_WRONLY | O_CLOEXEC);
		if (fcntl(fd, F_SETLK, &lock) == 0)
			io_write_all(fds[1], "x", 1);
		alarm(60);
		for (;;)
			pause();
	}
	assert_int_equal(io_read(fds[0], &byte, 1), 1);
	snprintf(who, sizeof(who), "in use by process %d", (int)pid);
	refuse_log(f, ERR_LOCKED, who);
	expect_log(f, "precious");
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	open_log(f);
	expect_log(f, JOBLOG_HEADER);
	io_close(fds[0]);
	io_close(fds[1]);
}

static void
a_symbolic_link_is_not_followed(void **state)
{
	struct fixture *f = *state;
	char target[64];
	snprintf(target, sizeof(target), "%s/target", f->folder);
	assert_int_equal(symlink(target, f->path), 0);
	refuse_log(f, ERR_USAGE, "is a symbolic link");
	f->spec.resume = SPEC_RESUME_REST;
	refuse_log(f, ERR_USAGE, "is a symbolic link");
	assert_int_equal(access(target, F_OK), -1);
}

static void
what_is_no_joblog_is_refused_and_untouched(void **state)
{
	struct fixture *f = *state;
	f->spec.resume = SPEC_RESUME_REST;
	write_log(f, "a diary\n");
	refuse_log(f, ERR_USAGE, "line 1 is no record");
	expect_log(f, "a diary\n");
	strcpy(f->option, "/dev/null");
	refuse_log(f, ERR_USAGE, "no regular file");
	strcpy(f->option, f->folder);
	refuse_log(f, ERR_SYSTEM, "Is a directory");
	snprintf(f->option, sizeof(f->option), "%s/none/log", f->folder);
	refuse_log(f, ERR_SYSTEM, "No such file or directory");
}

static void
what_cannot_be_written_is_an_error_that_names_the_file(void **state)
{
	struct fixture *f = *state;
	const struct result result = {.started_real_ns = STARTED_NS};
	struct rlimit limit, small;
	strcpy(f->option, "/dev/full");
	refuse_log(f, ERR_SYSTEM,
		   "cannot write to --joblog /dev/full: No space left on device");
	strcpy(f->option, f->path);
	open_log(f);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	small =
	    (struct rlimit){.rlim_cur = sizeof(JOBLOG_HEADER), .rlim_max = limit.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	int status = settle(f, 0, &result);
	struct sink *sink = joblog_sink(f->joblog);
	if (status == 0)
		status = sink->ops->flush(sink, &f->err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(status, -1);
	assert_non_null(strstr(f->err.text, f->path));
	assert_non_null(strstr(f->err.text, "File too large"));
}

static void
a_dry_run_reads_and_writes_nothing(void **state)
{
	struct fixture *f = *state;
	const struct arg arg = {"a", 1};
	f->spec.is_dry_run = true;
	open_log(f);
	assert_null(joblog_sink(f->joblog));
	f->spec.resume = SPEC_RESUME_REST;
	open_log(f);
	assert_null(joblog_history(f->joblog));
	assert_int_equal(access(f->path, F_OK), -1);
	write_log(f, JOBLOG_HEADER RECORD("1", "0", "echo a") "2\t");
	open_log(f);
	assert_null(joblog_sink(f->joblog));
	struct history *history = joblog_history(f->joblog);
	assert_int_equal(history->ops->has(history, 0, &arg, 1, &f->err), 1);
	expect_log(f, JOBLOG_HEADER RECORD("1", "0", "echo a") "2\t");
}

/* Everything the source gives: "0-2 done, 3 'x', 4-9 unknown". */
static void
expect_source(struct fixture *f, uint32_t count_max, const char *expected)
{
	struct source *source = joblog_source_new(f->joblog, &f->err);
	struct buf got = {0};
	struct task *task;
	struct arg *args = NULL;
	size_t capacity = 0;
	uint64_t next = 0;
	assert_non_null(source);
	while (source_next(source, count_max, &task, &f->err) == SOURCE_TASK) {
		assert_int_equal(task->seq, next);
		next += task->count;
		buf_printf(&got, "%d-%d", (int)task->seq, (int)next - 1);
		if (task->is_done)
			buf_append_str(&got, task->is_unknown ? " unknown" : " done");
		assert_int_equal(task_unpack(task_bytes(task), task->packed_bytes,
					     task->arg_count, &args, &capacity),
				 0);
		for (uint32_t i = 0; i < task->arg_count; i++)
			buf_printf(&got, " (%s)", args[i].bytes);
		buf_append_str(&got, ", ");
		free(task);
	}
	assert_int_equal(f->err.kind, ERR_NONE);
	assert_string_equal(buf_str(&got), expected);
	free(args);
	buf_fini(&got);
	source_free(source);
}

static void
failed_commands_come_back_in_their_places(void **state)
{
	struct fixture *f = *state;
	f->spec.resume = SPEC_RETRY_FAILED;
	write_log(f, JOBLOG_HEADER RECORD("7", "1", "echo 'a  b'") RECORD("1", "0", "x")
			 RECORD("2", "0", "x") RECORD("3", "9", "old")
			     RECORD("3", "9", "new") RECORD("9", "0", "x"));
	open_log(f);
	assert_null(joblog_history(f->joblog));
	expect_source(f, 100,
		      "0-1 done, 2-2 (new), 3-5 unknown, 6-6 (echo 'a  b'), 7-7 unknown, "
		      "8-8 done, ");
	expect_source(f, 1,
		      "0-0 done, 1-1 done, 2-2 (new), 3-5 unknown, 6-6 (echo 'a  b'), "
		      "7-7 unknown, 8-8 done, ");
}

static void
what_was_fed_comes_back_as_its_values(void **state)
{
	struct fixture *f = *state;
	f->spec.resume = SPEC_RETRY_FAILED;
	f->spec.executor = SPEC_COPROC;
	write_log(f, JOBLOG_HEADER RECORD("1", "1", "'a  b' c 'it'\\''s'")
			 RECORD("2", "1", "''"));
	open_log(f);
	expect_source(f, 1, "0-0 (a  b) (c) (it's), 1-1 (), ");
}

/* All but what is unknown is bounded by what is in the log. */
static void
seqs_far_apart_take_no_time(void **state)
{
	struct fixture *f = *state;
	struct task *task;
	f->spec.resume = SPEC_RETRY_FAILED;
	write_log(f, JOBLOG_HEADER RECORD("1000000000000000", "1", "x")
			 RECORD("2", "1", "y") RECORD("3000000000", "0", "z"));
	open_log(f);
	struct source *source = joblog_source_new(f->joblog, &f->err);
	uint64_t next = 0, known_count = 0, steps = 0;
	assert_non_null(source);
	for (; source_next(source, 1, &task, &f->err) == SOURCE_TASK; steps++) {
		assert_int_equal(task->seq, next);
		next += task->count;
		known_count += task->is_unknown ? 0 : task->count;
		free(task);
	}
	assert_int_equal(f->err.kind, ERR_NONE);
	assert_int_equal(next, UINT64_C(1000000000000000));
	assert_int_equal(known_count, 3);
	assert_true(steps < 300000);
	source_free(source);
}

static void
a_log_without_failures_has_nothing_to_retry(void **state)
{
	struct fixture *f = *state;
	f->spec.resume = SPEC_RETRY_FAILED;
	open_log(f);
	expect_source(f, 1, "");
	write_log(f, JOBLOG_HEADER RECORD("2", "0", "x"));
	open_log(f);
	expect_source(f, 9, "0-0 unknown, 1-1 done, ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(each_end_has_its_line_but_for_what_never_ended_by_itself),
	    TEST(no_end_but_a_success_is_recorded_as_one),
	    TEST(answers_have_a_line_each),
	    TEST(a_log_is_begun_anew_unless_it_is_resumed_or_has_a_plus),
	    TEST(a_new_log_has_its_header_even_if_nothing_is_recorded),
	    TEST(a_torn_tail_goes_when_the_next_record_comes),
	    TEST(what_is_recorded_is_done_and_failures_as_they_are_asked_for),
	    TEST(another_jobs_log_is_refused_with_the_place_and_untouched),
	    TEST(a_slot_in_the_command_may_have_been_any),
	    TEST(a_log_in_use_is_refused_with_its_holder_and_untouched),
	    TEST(a_symbolic_link_is_not_followed),
	    TEST(what_is_no_joblog_is_refused_and_untouched),
	    TEST(what_cannot_be_written_is_an_error_that_names_the_file),
	    TEST(a_dry_run_reads_and_writes_nothing),
	    TEST(failed_commands_come_back_in_their_places),
	    TEST(what_was_fed_comes_back_as_its_values),
	    TEST(seqs_far_apart_take_no_time),
	    TEST(a_log_without_failures_has_nothing_to_retry),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Verbs from beginning to end, in this process's children: what they refuse, and what they say. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "runtime_folder.h"

#include "base/draft.h"
#include "base/io.h"
#include "cmd.h"

#define SAID_BYTES 16384

typedef int verb_run(int argc, char **argv);

struct said {
	int status;
	char out[SAID_BYTES];
	char err[SAID_BYTES];
};

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void
read_back(int fd, char text[SAID_BYTES])
{
	ssize_t length = pread(fd, text, SAID_BYTES - 1, 0);
	assert_int_not_equal(length, -1);
	text[length] = '\0';
	io_close(fd);
}

/* The verb with these words. */
static void
run(struct said *said, verb_run *verb, const char *const *words)
{
	int out_fd = io_memfd("out", 0), err_fd = io_memfd("err", 0);
	int argc = 0;
	char *argv[40];
	while ((argv[argc] = (char *)(uintptr_t)words[argc]) != NULL)
		argc++;
	pid_t pid = child_fork();
	if (pid == 0) {
		dup2(open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
		dup2(out_fd, STDOUT_FILENO);
		dup2(err_fd, STDERR_FILENO);
		_exit(verb(argc, argv));
	}
	int status = child_wait(pid);
	assert_true(WIFEXITED(status));
	said->status = WEXITSTATUS(status);
	read_back(out_fd, said->out);
	read_back(err_fd, said->err);
}

static void
assert_says(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("'%s' does not say '%s'", text, part);
}

/* It ends with that status and a message which has `part` in it, and prints nothing. */
static void
refuse(verb_run *verb, int status, const char *part, const char *const *words)
{
	struct said said;
	run(&said, verb, words);
	assert_says(said.err, part);
	assert_int_equal(said.status, status);
	assert_string_equal(said.out, "");
}

/* It ends well. */
static void
expect(struct said *said, verb_run *verb, const char *const *words)
{
	run(said, verb, words);
	if (said->status != CMD_OK)
		fail_msg("exit status %d: %s", said->status, said->err);
}

/* Runs that failed with so many different exit statuses, into run.db. */
static void
record(int kind_count)
{
	struct said said;
	FILE *items = fopen("items", "we");
	assert_non_null(items);
	for (int i = 0; i <= kind_count; i++)
		fprintf(items, "%d\n", i);
	assert_int_equal(fclose(items), 0);
	run(&said, cmd_map,
	    WORDS("map", "-j1", "--quiet", "--run-file", "run.db", "-a", "items", "exit"));
	assert_int_equal(said.status, CMD_TASK_FAILED);
}

static void
number_of_workers_may_be_no_number(void **state)
{
	(void)state;
	refuse(cmd_map, CMD_USAGE, "none",
	       WORDS("map", "-j", "./none", "echo", ":::", "a"));
	refuse(cmd_map, CMD_USAGE, "/dev/null: not a regular file",
	       WORDS("map", "-j", "/dev/null", "echo", ":::", "a"));
	FILE *job = fopen("job.json", "we");
	assert_non_null(job);
	fputs("{\"command\": \"true\", \"workers\": \"./none\"}\n", job);
	assert_int_equal(fclose(job), 0);
	refuse(cmd_run, CMD_USAGE, "none", WORDS("run", "--check", "job.json"));
}

static void
chunks_are_explained_when_asked_for(void **state)
{
	struct said said;
	(void)state;
	expect(&said, cmd_feed,
	       WORDS("feed", "-v", "-j1", "--chunksize", "auto", "cat", ":::", "a", "b"));
	assert_says(said.out, "b\n");
	assert_says(said.err, "pinion feed: chunksize ");
}

static void
results_of_what_has_no_values_is_refused(void **state)
{
	struct said said;
	(void)state;
	run(&said, cmd_map,
	    WORDS("map", "--quiet", "--joblog", "log", "--results", "tree/", "exit",
		  ":::", "1"));
	assert_int_equal(said.status, CMD_TASK_FAILED);
	refuse(
	    cmd_map, CMD_USAGE,
	    "--retry-failed has no values to name the files of --results tree/ by: give "
	    "--resume-failed",
	    WORDS("map", "--joblog", "log", "--results", "tree/", "--retry-failed",
		  "exit", ":::", "1"));
}

static void
results_that_cannot_be_looked_at_are_no_past(void **state)
{
	(void)state;
	assert_int_equal(symlink("/proc/self", "tree"), 0);
	refuse(cmd_map, CMD_BROKEN, "tree",
	       WORDS("map", "--results", "tree/", "--resume", "echo", ":::", "1"));
	assert_int_equal(unlink("tree"), 0);
	FILE *file = fopen("tree", "we");
	assert_non_null(file);
	assert_int_equal(fclose(file), 0);
	refuse(cmd_map, CMD_BROKEN, "tree",
	       WORDS("map", "--results", "tree/", "--resume", "echo", ":::", "1"));
}

/* Its files are named by the columns that the record knows, not by their numbers. */
static void
results_of_what_failed_are_named_by_its_columns(void **state)
{
	struct said said;
	(void)state;
	run(&said, cmd_map,
	    WORDS("map", "--quiet", "--run-file", "run.db", "--header", ":",
		  "exit {kind}", ":::", "kind", "0", "3"));
	assert_int_equal(said.status, CMD_TASK_FAILED);
	run(&said, cmd_map,
	    WORDS("map", "--quiet", "--run-file", "run.db", "--retry-failed", "--results",
		  "tree/", "--header", ":", "exit {kind}", ":::", "kind", "0", "3"));
	assert_int_equal(said.status, CMD_TASK_FAILED);
	assert_true(runtime_has("tree/kind/3/seq"));
	assert_false(runtime_has("tree/kind/0"));
}

static void
other_verbs_refuse_too(void **state)
{
	struct said said;
	(void)state;
	refuse(cmd_completion, CMD_USAGE, "which shell? Say one of: bash, zsh, fish",
	       WORDS("completion", "csh"));
	refuse(cmd_status, CMD_USAGE, "nothing to do with b; see --help",
	       WORDS("status", "a", "b"));
	refuse(cmd_status, CMD_TASK_FAILED, "no run of yours is called a now",
	       WORDS("status", "a"));
	run(&said, cmd_status, WORDS("status"));
	assert_int_equal(said.status, CMD_OK);
	assert_string_equal(said.err, "pinion status: no run of yours is under way\n");
	expect(&said, cmd_status, WORDS("status", "--json"));
	assert_string_equal(said.err, "");
	refuse(cmd_topology, CMD_USAGE, "nothing to do with the argument a; see --help",
	       WORDS("topology", "a"));
}

static void
exit_statuses_of_shells_are_explained(void **state)
{
	struct said said;
	(void)state;
	run(&said, cmd_map, WORDS("map", "", "{}", ":::", "a"));
	assert_int_equal(said.status, CMD_TASK_FAILED);
	assert_says(said.err, "task 1: cannot execute: No such file or directory");
	run(&said, cmd_map, WORDS("map", "exit {}", ":::", "126"));
	assert_int_equal(said.status, CMD_TASK_FAILED);
	assert_says(said.err, "exit 126 of a shell: the command is not executable");
	run(&said, cmd_map, WORDS("map", "exit {}", ":::", "127"));
	assert_says(said.err, "exit 127 of a shell: it found no such command");
}

static void
records_are_apart_also_by_other_names_and_in_stages(void **state)
{
	(void)state;
	FILE *items = fopen("items", "we");
	assert_non_null(items);
	fputs("a\n", items);
	assert_int_equal(fclose(items), 0);
	assert_int_equal(link("items", "log"), 0);
	assert_int_equal(link("items", "table.csv"), 0);
	refuse(
	    cmd_map, CMD_USAGE, "--results table.csv is --joblog, too: name another file",
	    WORDS("map", "--results", "table.csv", "--joblog", "log", "echo", ":::", "a"));
	FILE *job = fopen("job.json", "we");
	assert_non_null(job);
	fputs("{\"inputs\": {\"lines\": \"items\"}, \"run_file\": \"log\", \"stages\": "
	      "[{\"command\": \"echo\"}, {\"command\": \"cat\"}]}\n",
	      job);
	assert_int_equal(fclose(job), 0);
	refuse(cmd_run, CMD_USAGE, "--run-file log is an input, too: name another file",
	       WORDS("run", "job.json"));
}

/* The first line of a table tells what the columns of each task will be. */
static void
tables_of_several_values_have_a_column_for_each(void **state)
{
	struct said said;
	(void)state;
	expect(&said, cmd_map,
	       WORDS("map", "-j1", "--results", "two.csv", "-N", "2", "echo", ":::", "a",
		     "b", "c", "d"));
	expect(&said, cmd_map, WORDS("map", "cat", ":::", "two.csv"));
	assert_says(said.out, ",V1,V2,Stdout");
	assert_says(said.out, ",c,d,");
	expect(&said, cmd_map,
	       WORDS("map", "-j1", "--results", "none.csv", "-n", "0", "echo", ":::", "a"));
	expect(&said, cmd_map, WORDS("map", "cat", ":::", "none.csv"));
	assert_says(said.out, ",Command,Stdout");
}

static void
replay_wants_one_way_and_one_task(void **state)
{
	(void)state;
	refuse(cmd_replay, CMD_USAGE, "--shell, --print and --failed: choose one of them",
	       WORDS("replay", "--print", "--shell", "run.db", "1"));
	refuse(cmd_replay, CMD_USAGE, "write: pinion replay --failed RUN.db",
	       WORDS("replay", "--failed", "run.db", "1"));
	refuse(cmd_replay, CMD_USAGE,
	       ":1: write the number of a task, from 1, or STAGE:TASK",
	       WORDS("replay", "run.db", ":1"));
	refuse(cmd_replay, CMD_BROKEN, "run.db", WORDS("replay", "--failed", "run.db"));
	FILE *empty = fopen("run.db", "we");
	assert_non_null(empty);
	assert_int_equal(fclose(empty), 0);
	refuse(cmd_replay, CMD_BROKEN, "run.db is empty: there is no run in it",
	       WORDS("replay", "--failed", "run.db"));
	refuse(cmd_report, CMD_BROKEN, "run.db is empty: there is no run in it",
	       WORDS("report", "run.db"));
}

static void
replay_of_a_task_whose_folder_has_gone_says_so(void **state)
{
	struct said said;
	(void)state;
	FILE *lines = fopen("lines", "we");
	assert_non_null(lines);
	fputs("{\"cwd\": \"sub\", \"k\": \"v\"}\n", lines);
	assert_int_equal(fclose(lines), 0);
	assert_int_equal(mkdir("sub", 0700), 0);
	expect(&said, cmd_map,
	       WORDS("map", "--run-file", "run.db", "--jsonl", "lines",
		     "basename $PWD; echo {k}"));
	expect(&said, cmd_replay, WORDS("replay", "run.db", "1"));
	assert_string_equal(said.out, "sub\nv\n");
	assert_int_equal(rmdir("sub"), 0);
	refuse(cmd_replay, CMD_BROKEN,
	       "cannot go to the folder sub: No such file or directory",
	       WORDS("replay", "run.db", "1"));
}

static void
report_names_tasks_by_their_values_or_else_their_command(void **state)
{
	struct said said;
	(void)state;
	expect(&said, cmd_map,
	       WORDS("map", "--run-file", "two.db", "true", ":::", "a", ":::", "b c"));
	expect(&said, cmd_report, WORDS("report", "two.db"));
	assert_says(said.out, "task 1       a 'b c'\n");
	expect(&said, cmd_map,
	       WORDS("map", "--run-file", "none.db", "-n", "0", "true now", ":::", "a"));
	expect(&said, cmd_report, WORDS("report", "none.db"));
	assert_says(said.out, "task 1       true now\n");
}

/* More of it than one piece of a record holds; the end of it is shown. */
static void
report_shows_the_end_of_a_long_output(void **state)
{
	struct said said;
	(void)state;
	run(&said, cmd_map,
	    WORDS("map", "--quiet", "--run-file", "run.db", "seq {} >&2; exit 3",
		  ":::", "99999"));
	assert_int_equal(said.status, CMD_TASK_FAILED);
	expect(&said, cmd_report, WORDS("report", "run.db"));
	assert_says(said.out, "\n    | 99998\n    | 99999\n");
}

static void
record_of_what_cannot_be_executed_is_whole(void **state)
{
	struct said said;
	(void)state;
	FILE *lines = fopen("lines", "we");
	assert_non_null(lines);
	assert_int_equal(fwrite("a\0b\n", 4, 1, lines), 1);
	assert_int_equal(fclose(lines), 0);
	run(&said, cmd_map,
	    WORDS("map", "--quiet", "--run-file", "run.db", "-a", "lines", "echo", "{}"));
	assert_int_equal(said.status, CMD_TASK_FAILED);
	expect(&said, cmd_report, WORDS("report", "--json", "run.db"));
	assert_says(said.out, "\"cannot_execute\"");
}

static void
job_file_may_run_again_what_failed_by_its_joblog(void **state)
{
	struct said said;
	(void)state;
	FILE *job = fopen("job.json", "we");
	assert_non_null(job);
	fputs("{\"command\": \"echo {}; test -e {}\", \"inputs\": {\"args\": "
	      "[\"job.json\", "
	      "\"b\"]}, \"joblog\": \"log\"}\n",
	      job);
	assert_int_equal(fclose(job), 0);
	run(&said, cmd_run, WORDS("run", "job.json"));
	assert_int_equal(said.status, CMD_TASK_FAILED);
	assert_string_equal(said.out, "job.json\nb\n");
	run(&said, cmd_run, WORDS("run", "job.json", "--set", "retry_failed=true"));
	assert_int_equal(said.status, CMD_TASK_FAILED);
	assert_string_equal(said.out, "b\n");
}

static void
report_is_as_wide_as_it_can_be(void **state)
{
	struct said wide, narrow, narrowest, odd;
	(void)state;
	record(2);
	setenv("COLUMNS", "90", 1);
	expect(&wide, cmd_report, WORDS("report", "run.db"));
	setenv("COLUMNS", "50", 1);
	expect(&narrow, cmd_report, WORDS("report", "run.db"));
	setenv("COLUMNS", "3", 1);
	expect(&narrowest, cmd_report, WORDS("report", "run.db"));
	assert_string_equal(narrow.out, narrowest.out);
	assert_string_not_equal(narrow.out, wide.out);
	setenv("COLUMNS", "80", 1);
	expect(&wide, cmd_report, WORDS("report", "run.db"));
	setenv("COLUMNS", "wide", 1);
	expect(&odd, cmd_report, WORDS("report", "run.db"));
	assert_string_equal(wide.out, odd.out);
	unsetenv("COLUMNS");
}

static void
report_has_blocks_where_the_locale_has_them(void **state)
{
	static const struct {
		const char *all, *ctype, *lang;
		bool has_blocks;
	} rows[] = {
	    {"C.UTF-8", "C", "C", true},        {"de_DE.utf8", NULL, "C", true},
	    {"", "de_DE.UTF8", "C", true},      {NULL, NULL, "en_US.UTF-8", true},
	    {"C", "C.UTF-8", "C.UTF-8", false}, {NULL, NULL, NULL, false},
	};
	static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
	(void)state;
	record(2);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const char *values[] = {rows[i].all, rows[i].ctype, rows[i].lang};
		struct said said;
		for (size_t j = 0; j < 3; j++)
			if (values[j] == NULL)
				unsetenv(names[j]);
			else
				setenv(names[j], values[j], 1);
		expect(&said, cmd_report, WORDS("report", "run.db"));
		assert_int_equal(strstr(said.out, "\xe2\x96") != NULL, rows[i].has_blocks);
	}
}

static void
report_tells_a_screen_of_kinds_and_the_sum_of_others(void **state)
{
	struct said said;
	(void)state;
	record(12);
	setenv("COLUMNS", "160", 1);
	expect(&said, cmd_report, WORDS("report", "run.db"));
	assert_says(said.out, "  2 more failed; in all 1 times exit 1, 1 times exit 2,");
	assert_says(said.out, ", 1 times exit 6, 6 times otherwise\n");
	unsetenv("COLUMNS");
}

/* What was never started takes no time, and stands where the last one began. */
static void
page_has_tasks_that_never_ran(void **state)
{
	struct said said;
	(void)state;
	run(&said, cmd_map,
	    WORDS("map", "-j1", "--quiet", "--run-file", "run.db", "--halt", "now,fail=1",
		  "exit", ":::", "1", "0", "0"));
	assert_int_equal(said.status, CMD_TASK_FAILED);
	expect(&said, cmd_report, WORDS("report", "--trace", "-", "run.db"));
	assert_says(said.out, "exit 1");
	expect(&said, cmd_report, WORDS("report", "--html", "page.html", "run.db"));
	run(&said, cmd_map,
	    WORDS("map", "grep -o '\"skipped\":[0-9]*' {}", ":::", "page.html"));
	assert_string_equal(said.out, "\"skipped\":2\n");
}

static void
report_goes_to_a_file_that_nobody_writes(void **state)
{
	struct draft draft = {0};
	struct said said;
	(void)state;
	record(1);
	assert_int_equal(draft_open(&draft, "page.html"), 0);
	refuse(cmd_report, CMD_BROKEN, "page.html is being written by another process",
	       WORDS("report", "--html", "page.html", "run.db"));
	draft_close(&draft);
	draft_fini(&draft);
	refuse(cmd_report, CMD_BROKEN, "cannot write none/page.html: No such file",
	       WORDS("report", "--html", "none/page.html", "run.db"));
	refuse(cmd_report, CMD_BROKEN, "cannot write .: Is a directory",
	       WORDS("report", "--html", ".", "run.db"));
	expect(&said, cmd_report, WORDS("report", "--html", "/dev/null", "run.db"));
	assert_false(runtime_has("page.html"));
}

/* In the folder that is removed afterwards. */
static int
set_up(void **state)
{
	return runtime_setup(state) == -1 ? -1 : chdir(getenv("XDG_RUNTIME_DIR"));
}

static int
tear_down(void **state)
{
	return chdir("/") == -1 ? -1 : runtime_teardown(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(number_of_workers_may_be_no_number),
	    TEST(chunks_are_explained_when_asked_for),
	    TEST(results_of_what_has_no_values_is_refused),
	    TEST(tables_of_several_values_have_a_column_for_each),
	    TEST(replay_wants_one_way_and_one_task),
	    TEST(replay_of_a_task_whose_folder_has_gone_says_so),
	    TEST(report_names_tasks_by_their_values_or_else_their_command),
	    TEST(report_shows_the_end_of_a_long_output),
	    TEST(record_of_what_cannot_be_executed_is_whole),
	    TEST(job_file_may_run_again_what_failed_by_its_joblog),
	    TEST(report_is_as_wide_as_it_can_be),
	    TEST(report_has_blocks_where_the_locale_has_them),
	    TEST(report_tells_a_screen_of_kinds_and_the_sum_of_others),
	    TEST(other_verbs_refuse_too),
	    TEST(records_are_apart_also_by_other_names_and_in_stages),
	    TEST(exit_statuses_of_shells_are_explained),
	    TEST(results_that_cannot_be_looked_at_are_no_past),
	    TEST(results_of_what_failed_are_named_by_its_columns),
	    TEST(page_has_tasks_that_never_ran),
	    TEST(report_goes_to_a_file_that_nobody_writes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

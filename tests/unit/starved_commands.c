/*
 * Command lines, each again and again with another of its allocations failing, in the process itself
 * or in those it forks: it says that there is no memory, or does without and prints the same.
 */
#include "starve.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "runtime_folder.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define WORDS_MAX 40
#define ERR_TAIL 300

struct line {
	int (*verb)(int argc, char **argv);
	int wanted;             /* the exit status without a fault */
	bool has_varied_output; /* times; or what was made the first time */
	unsigned int step;      /* from one allocation that fails to the next */
	const char *words[WORDS_MAX];
};

/* Runs take longer: one in so many of their allocations, but with STARVE_MORE. */
#define RUN_STEP 5

/* Thousands of additions that all look alike, where each is an allocation. */
#define COMPLETION_STEP 53

#define MAP cmd_map, 0, false, 1
#define RUN cmd_run, 0, false, 1
#define TASKS cmd_map, 0, false, RUN_STEP
#define VARIED_TASKS cmd_map, 0, true, RUN_STEP
/* clang-format off */
static const struct line lines[] = {
    /* commands and what is put into them */
    {MAP, {"map", "--dry-run", "echo {} {.} {/} {//} {/.} {#} {%} {1/.} {-1}", ":::", "a/b.c", "d e"}},
    {MAP, {"map", "--dry-run", "--plus", "echo", "{..}", "{+/}", "{+.}", "{:-x}", "{%b}", "{/a/b}", "{:1:2}", "{#a}", "{^a}", ":::", "a/b.c.d"}},
    {MAP, {"map", "--dry-run", "--rpl", "{u} s/a(.)/$1A/g", "--rpl", "{v} s/b/c/gi;s/x//", "echo", "{u}{v}{1u}", ":::", "a/b", "aab"}},
    {MAP, {"map", "--dry-run", "-q", "-I", ",,", "-U", "..", "--bnr", "//", "--dnr", "dd", "--bner", "bb", "--seqreplace", "ss", "--slotreplace", "tt", "echo ,, .. // dd bb ss tt", ":::", "it's", "a\nb"}},
    {MAP, {"map", "--dry-run", "--tagstring", "{1}-{2.}", "--output", "out/{1/}.gz", "gzip <{1} >{out}", ":::", "a", "b", ":::+", "c", "d"}},
    {MAP, {"map", "--dry-run", "--output", "a-{}", "--output", "b-{}", "tool", "{out}", "{out2}", "{}", ":::", "x"}},
    {MAP, {"map", "--dry-run", ":::", "echo a", "echo b | cat"}},
    {MAP, {"map", "--dry-run", "--header", ":", "--colsep", ",", "echo {a} {b.}", "::::", "table"}},
    {MAP, {"map", "--dry-run", "--csv", "table.csv", "--header", ":", "echo", "{a}", "{b}"}},
    {MAP, {"map", "--dry-run", "--jsonl", "lines.jsonl", "echo", "{a}", "{b}", "{c}"}},
    /* inputs */
    {MAP, {"map", "--dry-run", "echo"}},
    {MAP, {"map", "--dry-run", "-a", "items", "-a", "items", "--link", "echo"}},
    {MAP, {"map", "--dry-run", "echo", ":::", "1", "2", ":::", "3", "4", "::::+", "items", "::::", "items"}},
    {MAP, {"map", "--dry-run", "-n", "2", "-a", "items", "echo"}},
    {MAP, {"map", "--dry-run", "-N", "2", "-a", "items", "echo {1} {2}"}},
    {MAP, {"map", "--dry-run", "-L", "2", "-a", "items", "echo"}},
    {MAP, {"map", "--dry-run", "-X", "-j2", "-a", "items", "echo", "a{}b"}},
    {MAP, {"map", "--dry-run", "-m", "-j2", "-s", "20", "-a", "items", "echo"}},
    {MAP, {"map", "--dry-run", "--xargs", "-a", "items", "echo"}},
    {MAP, {"map", "--dry-run", "-r", "--trim", "lr", "-E", "3", "-d", "\\n", "-a", "items", "echo"}},
    {MAP, {"map", "--dry-run", "-0", "-C", "[ ,]+", "-a", "table", "echo", "{2}"}},
    {cmd_parallel, 0, false, 1, {"parallel", "--dry-run", "-k", "-j50%", "echo {} {.}", ":::", "a"}},
    /* all the rest of the options, for their own sake */
    {MAP, {"map", "--print-spec", "-j+1", "--bind", "core", "--chunksize", "7", "--maxtasksperchild", "9", "--start-method", "spawn", "--initializer", "export A=1", "--delay", "1.5", "--load", "80%", "--memfree", "1G", "--max-pressure", "cpu=50,io=3", "--nice", "3", "--ionice", "idle", "--jobserver=fifo", "--retries", "3", "--retry-on", "exit,timeout", "--backoff", "1s", "--timeout", "200%", "echo {}"}},
    {MAP, {"map", "--print-spec", "--halt", "soon,fail=3", "--env", "A", "--env", "B=c", "--wd", "/", "--stdin", "items", "--joblog", "log", "--run-file", "r.db", "--resume-failed", "--results", "out/{}", "--buffer", "1M", "--window", "20", "--tmpdir", "/tmp", "--deadline", "8h", "--name", "one", "--colsep", ",", "--header", ":", "echo", "{}", "::::", "items"}},
    {MAP, {"map", "--print-spec", "echo", "{}", ":::", "1", "2", ":::+", "3", "4", ":::", "5"}},
    {cmd_feed, 0, false, 1, {"feed", "--print-spec", "--protocol", "json", "--inflight", "3", "--max-rss", "1G", "cat", "-u", ":::", "a"}},
    {cmd_call, 0, false, 1, {"call", "--print-spec", "--start-method", "forkserver", "LIB", "set", ":::", "a"}},
    {MAP, {"map", "--help"}},
    {MAP, {"map", "--version"}},
    {MAP, {"map", "--list-options"}},
    {cmd_completion, 0, false, 1, {"completion", "bash"}},
    {cmd_completion, 0, false, 1, {"completion", "zsh"}},
    {cmd_completion, 0, false, 1, {"completion", "fish"}},
    /* job files */
    {RUN, {"run", "--schema"}},
    {RUN, {"run", "--check", "job.json"}},
    {RUN, {"run", "--check", "stages.json"}},
    {RUN, {"run", "--dry-run", "job.json", "--set", "timeout=9", "--set", "env.A=\"b\"", "--set", "workers=2"}},
    {RUN, {"run", "--dry-run", "glob.json"}},
    {RUN, {"run", "--dry-run", "product.json"}},
    {RUN, {"run", "--dry-run", "range.json"}},
    {RUN, {"run", "--dry-run", "feed.json"}},
    {RUN, {"run", "--print-spec", "job.json"}},
    /* others */
    {cmd_topology, 0, false, 1, {"topology"}},
    {cmd_topology, 0, false, 1, {"topology", "--json"}},
    {cmd_topology, 0, false, 1, {"topology", "-j", "3", "--bind", "pu"}},
    {cmd_report, 0, false, 1, {"report", "run.db"}},
    {cmd_report, 0, false, 1, {"report", "--json", "run.db"}},
    {cmd_report, 0, false, 1, {"report", "--csv", "run.db"}},
    {cmd_report, 0, false, 1, {"report", "--html", "-", "run.db"}},
    {cmd_report, 0, false, 1, {"report", "--trace", "-", "run.db"}},
    {cmd_replay, 0, false, 1, {"replay", "--print", "run.db", "2"}},
    /* and with tasks that run */
    {TASKS, {"map", "-j2", "--tag", "--nice", "1", "echo {}; echo {#} >&2", ":::", "a", "b", "c"}},
    {TASKS, {"map", "-j2", "--env", "HOME", "--wd", "/", "--stdin", "/dev/null", "--tmpdir", ".", "--buffer", "1K", "seq {} 999", ":::", "1", "2", "3"}},
    {TASKS, {"map", "-j2", "--line-buffer", "--tagstring", "{#}", "--initializer", "A=1", "echo", ":::", "a"}},
    {VARIED_TASKS, {"map", "-j1", "--json", "--window", "3", "--delay", "0.001", "--load", "1000", "--memfree", "1", "--max-pressure", "cpu=100", "true", ":::", "a", "b"}},
    {TASKS, {"map", "-j2", "--joblog", "log", "--retries", "2", "echo {}; [ $PINION_ATTEMPT = 2 ]", ":::", "a", "b"}},
    {TASKS, {"map", "-j2", "--results", "tree/{}", "echo", ":::", "a", "b"}},
    {TASKS, {"map", "-j2", "--results", "all.csv", "echo", ":::", "a", "b"}},
    {TASKS, {"map", "-j2", "--run-file", "new.db", "--chunksize", "2", "echo", ":::", "a", "b", "c"}},
    {VARIED_TASKS, {"map", "-j2", "--output", "made-{}", "echo {} >{out}; echo {}", ":::", "a", "b"}},
    {TASKS, {"map", "-j2", "--cron", "starved", "true", ":::", "a", "b"}},
    {TASKS, {"map", "-j2", "--jobserver=pipe", "--ungroup", "true", ":::", "a", "b"}},
    {cmd_map, CMD_TASK_FAILED, false, RUN_STEP, {"map", "-j2", "--timeout", "0.01", "--quiet", "sleep", ":::", "9"}},
    {cmd_map, CMD_TASK_FAILED, false, RUN_STEP, {"map", "-j2", "--halt", "now,fail=1", "exit", ":::", "1", "0"}},
    {cmd_feed, 0, false, RUN_STEP, {"feed", "-j2", "--protocol", "line", "cat", ":::", "a", "b", "c"}},
    {cmd_call, 0, false, RUN_STEP, {"call", "-j2", "LIB", ":::", "a", "b"}},
    {cmd_run, 0, false, RUN_STEP, {"run", "stages.json"}},
};
/* clang-format on */

struct files {
	int in, out, err;
};

struct trial {
	const struct line *line;
	struct files files; /* that take the place of the standard ones */
	char expected[65536];
	ssize_t expected_bytes;
	char said[ERR_TAIL + 1];
	int argc;
};

static struct files own; /* the standard ones, while others have their places */

static void
put_files(const struct files *files)
{
	dup2(files->in, STDIN_FILENO);
	dup2(files->out, STDOUT_FILENO);
	dup2(files->err, STDERR_FILENO);
}

static char *
plugin_path(void)
{
	static char path[4096];
	const char *build = getenv("PINION_BUILD");
	snprintf(path, sizeof(path), "%s/plugins/faults.so",
		 build != NULL ? build : "build");
	return path;
}

/* The verb, with what it prints caught; its exit status. */
static int
run_verb(struct trial *trial)
{
	char *argv[WORDS_MAX + 1];
	memcpy(argv, trial->line->words, sizeof(trial->line->words));
	argv[WORDS_MAX] = NULL;
	for (int i = 0; i < trial->argc; i++)
		if (strcmp(argv[i], "LIB") == 0)
			argv[i] = plugin_path();
	assert_int_equal(ftruncate(trial->files.out, 0), 0);
	assert_int_equal(ftruncate(trial->files.err, 0), 0);
	lseek(trial->files.in, 0, SEEK_SET);
	lseek(trial->files.out, 0, SEEK_SET);
	lseek(trial->files.err, 0, SEEK_SET);
	put_files(&trial->files);
	int status = trial->line->verb(trial->argc, argv);
	put_files(&own);
	ssize_t length = pread(trial->files.err, trial->said, ERR_TAIL, 0);
	trial->said[length > 0 ? length : 0] = '\0';
	return status;
}

static bool
is_out_expected(const struct trial *trial)
{
	char out[sizeof(trial->expected)];
	return pread(trial->files.out, out, sizeof(out), 0) == trial->expected_bytes &&
	       memcmp(out, trial->expected, (size_t)trial->expected_bytes) == 0;
}

static int
work(void *context)
{
	struct trial *trial = context;
	int status = run_verb(trial);
	if (status == trial->line->wanted &&
	    (trial->line->has_varied_output || is_out_expected(trial)))
		return 0;
	if (status == CMD_OK)
		fail_msg("allocation %lu failing, exit status %d with something else "
			 "printed, and: %s",
			 starve.fail_at, status, trial->said);
	if (trial->said[0] == '\0')
		fail_msg("allocation %lu failing, exit status %d without a message",
			 starve.fail_at, status);
	return -1;
}

static struct files
own_files(void)
{
	return (struct files){.in = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3),
			      .out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3),
			      .err = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3)};
}

static void
each_allocation_may_fail(void **state)
{
	struct trial *trial = *state;
	while (trial->line->words[trial->argc] != NULL)
		trial->argc++;
	trial->files = (struct files){.in = open("items", O_RDONLY | O_CLOEXEC),
				      .out = memfd_create("out", MFD_CLOEXEC),
				      .err = memfd_create("err", MFD_CLOEXEC)};
	int status = run_verb(trial);
	if (status != trial->line->wanted)
		fail_msg("exit status %d: %s", status, trial->said);
	trial->expected_bytes =
	    pread(trial->files.out, trial->expected, sizeof(trial->expected), 0);
	assert_true(trial->expected_bytes < (ssize_t)sizeof(trial->expected));
	unsigned int steps[2] = {trial->line->step, trial->line->step};
	bool wants_more = getenv("STARVE_MORE") != NULL;
	if (wants_more && trial->line->verb == cmd_completion)
		steps[0] = steps[1] = COMPLETION_STEP;
	else if (wants_more) /* without memory for good a worker waits for some, again and again */
		steps[0] = 1;
	starve_all(work, trial, false, steps);
}

/* Also after an assertion, or a crash, in the middle. */
static int
put_back(void **state)
{
	struct trial *trial = *state;
	starve.fail_at = 0;
	starve.has_tight_bufs = false;
	put_files(&own);
	close(trial->files.in);
	close(trial->files.out);
	close(trial->files.err);
	return lift_limit(state);
}

/* --- the files that the lines name, in a folder of its own, which is where we are --- */

static void
write_file(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(close(fd), 0);
}

/* A run with a task that has failed, twice, for those who tell what was. */
static void
record_run(void)
{
	const char *words[] = {"map", "--run-file", "run.db", "--retries",
			       "2",   "-a",         "items",  "echo {}; test {} != 22",
			       NULL};
	char *argv[COUNT(words)];
	memcpy(argv, words, sizeof(words));
	pid_t pid = child_fork();
	if (pid == 0) {
		dup2(open("/dev/null", O_RDWR | O_CLOEXEC), STDOUT_FILENO);
		dup2(STDOUT_FILENO, STDERR_FILENO);
		_exit(cmd_map((int)COUNT(argv) - 1, argv));
	}
	assert_child_exits(pid, CMD_TASK_FAILED);
}

static int
write_files(void **state)
{
	static const char *const files[][2] = {
	    {"items", "1\n"
		      "22\n"
		      "333 4\n"
		      "5\n"},
	    {"table", "a,b\n"
		      "1,2.x\n"
		      "\"3 4\",5\n"},
	    {"table.csv", "a,b\r\n"
			  "1,\"2 \"\"x\"\"\"\r\n"
			  "3,4\r\n"},
	    {"lines.jsonl", "{\"a\":1,\"b\":\"x\\u00e9\",\"c\":[1,{\"d\":null}],\"args\":"
			    "[\"p\",\"q\"],\"id\":\"one\",\"timeout\":\"3s\",\"env\":{"
			    "\"A\":\"b\"},\"cwd\":\"/\",\"stdin\":{\"text\":\"t\"}}\n"
			    "{\"a\":true,\"b\":\"\",\"c\":null,\"args\":[\"r\"]}\n"},
	    {"job.json",
	     "{\"name\": \"n\", \"description\": \"d\", \"command\": [\"echo\", "
	     "\"${PWD}\", \"{1}\", \"{2}\"], \"env\": {\"A\": \"x\", \"N\": 3},\n"
	     " \"inputs\": [{\"args\": [\"a\", 2]}, {\"zip\": [[\"p\", \"q\"], [\"r\", "
	     "\"s\"]], \"linked\": false}], \"timeout\": \"1m\", \"retries\": 2,\n"
	     " \"retry_on\": [\"exit\", \"timeout\"], \"halt\": \"soon,fail=20%\", "
	     "\"max_pressure\": [\"cpu=50\"], \"rpl\": [\"{x} s/a/b/\"], \"stdin\": "
	     "{\"text\": \"t\"}}\n"},
	    {"stages.json",
	     "{\"name\": \"s\", \"inputs\": {\"lines\": \"items\"}, \"stages\": "
	     "[{\"name\": \"a\", \"command\": \"echo {}\", \"pass\": \"lines\"}, "
	     "{\"name\": \"b\", \"feed\": [\"cat\"], \"workers\": 2}, {\"name\": \"c\", "
	     "\"command\": [\"echo\", \"{}\"]}]}\n"},
	    {"glob.json", "{\"command\": \"wc {}\", \"inputs\": {\"glob\": [\"**/*\", "
			  "\"i*\"], \"newer_than\": \"1000h\"}}\n"},
	    {"product.json", "{\"command\": \"wc {1} {2}\", \"inputs\": {\"product\": "
			     "[[\"a\",\"b\"],[\"c\",\"d\"]]}}\n"},
	    {"range.json",
	     "{\"command\": \"wc {1}\", \"inputs\": {\"range\": [1, 2.5, 0.5]}}\n"},
	    {"feed.json", "{\"feed\": \"cat\", \"inputs\": {\"csv\": \"table.csv\", "
			  "\"header\": true, \"separator\": \",\"}}\n"},
	};
	if (runtime_setup(state) == -1 || chdir(getenv("XDG_RUNTIME_DIR")) == -1)
		return -1;
	for (size_t i = 0; i < COUNT(files); i++)
		write_file(files[i][0], files[i][1]);
	record_run();
	return 0;
}

static int
remove_files(void **state)
{
	return chdir("/") == -1 ? -1 : runtime_teardown(state);
}

static char *
name_of(const struct line *line, char *name, size_t size)
{
	*name = '\0';
	for (size_t i = 0; line->words[i] != NULL; i++) {
		size_t length = strlen(name);
		snprintf(name + length, size - length, "%s%s", i == 0 ? "" : " ",
			 line->words[i]);
	}
	for (char *c = name; *c != '\0'; c++)
		if (*c == '\n' || *c == '#')
			*c = '_';
	return name;
}

/* With an argument: only the lines that it matches, as in the shell. */
int
main(int argc, char **argv)
{
	static struct trial trials[COUNT(lines)];
	static char names[COUNT(lines)][200];
	struct CMUnitTest tests[COUNT(lines)];
	own = own_files();
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	for (size_t i = 0; i < COUNT(lines); i++) {
		trials[i].line = &lines[i];
		tests[i] = (struct CMUnitTest){
		    .name = name_of(&lines[i], names[i], sizeof(names[i])),
		    .test_func = each_allocation_may_fail,
		    .setup_func = getenv("STARVE_MORE") == NULL ? limit_time : NULL,
		    .teardown_func = put_back,
		    .initial_state = &trials[i]};
	}
	return cmocka_run_group_tests(tests, write_files, remove_files);
}

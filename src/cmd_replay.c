/*
 * cmd_replay.c: pinion replay: a task of a recorded run again, or all that failed.
 *
 * A command is executed in place of this process, with the argv, directory, environment and
 * limits of the record: its output and its exit status are its own. What was fed or called, and
 * what an --initializer prepared, goes through a run of that one task. --failed is a run as
 * `pinion map --retry-failed` makes it.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/io.h"
#include "base/quote.h"
#include "cmd.h"
#include "input/option_value.h"
#include "input/options.h"
#include "pool/task_env.h"
#include "record/limits.h"
#include "record/runfile_read.h"

extern char **environ;

enum replay_mode {
	REPLAY_RUN,
	REPLAY_SHELL,
	REPLAY_PRINT,
	REPLAY_FAILED,
	REPLAY_HELP,
	REPLAY_VERSION,
};

struct request {
	enum replay_mode mode;
	uint64_t run_id;  /* 0: the last that has the task */
	const char *path; /* as it was given */
	char *full_path;
	uint64_t seq;
};

static const char help[] =
    "usage: pinion replay [--run ID] [--shell | --print] RUN.db TASK\n"
    "       pinion replay --failed RUN.db\n"
    "\n"
    "Runs a task of a recorded run (--run-file) again: the same command, directory,\n"
    "environment and limits. TASK is its number as messages have it: the first is 1.\n"
    "\n"
    "      --failed   run all tasks again that failed, with the options of their run\n"
    "      --print    print a command line to paste instead\n"
    "      --run ID   the task of this run; else of the last run that has it\n"
    "      --shell    open a shell in its directory and environment instead\n"
    "  -h, --help     this text\n"
    "  -V, --version  the version of pinion\n";

/* --- what is asked --- */

static int
parse_mode(struct request *request, enum replay_mode mode, struct err *err)
{
	if (request->mode != REPLAY_RUN && request->mode != mode && mode < REPLAY_HELP)
		return err_set(err, ERR_USAGE,
			       "--shell, --print and --failed: choose one of them");
	request->mode = mode;
	return 0;
}

static int
parse_option(struct request *request, int option, char **argv, struct err *err)
{
	switch (option) {
	case 'f':
		return parse_mode(request, REPLAY_FAILED, err);
	case 'p':
		return parse_mode(request, REPLAY_PRINT, err);
	case 's':
		return parse_mode(request, REPLAY_SHELL, err);
	case 'h':
		return parse_mode(request, REPLAY_HELP, err);
	case 'V':
		return parse_mode(request, REPLAY_VERSION, err);
	case 'r':
		if (value_count(optarg, &request->run_id) == 0 && request->run_id > 0 &&
		    request->run_id <= INT64_MAX)
			return 0;
		return err_set(err, ERR_USAGE,
			       "--run %.100s: write the id of a run, from 1", optarg);
	case ':':
		return err_set(err, ERR_USAGE, "%.100s needs an argument; see --help",
			       argv[optind - 1]);
	default:
		return err_set(err, ERR_USAGE, "there is no option %.100s; see --help",
			       argv[optind - 1]);
	}
}

static int
parse_words(struct request *request, int count, char **words, struct err *err)
{
	int wanted = request->mode == REPLAY_FAILED ? 1 : 2;
	if (count != wanted)
		return err_set(err, ERR_USAGE,
			       wanted == 1 ? "write: pinion replay --failed RUN.db"
					   : "write: pinion replay RUN.db TASK, the "
					     "number of the task as messages have it");
	request->path = words[0];
	if (wanted == 1)
		return 0;
	if (value_count(words[1], &request->seq) == -1 || request->seq == 0 ||
	    request->seq > INT64_MAX)
		return err_set(err, ERR_USAGE,
			       "%.100s: write the number of a task, from 1", words[1]);
	request->seq--;
	return 0;
}

static int
parse_arguments(struct request *request, int argc, char **argv, struct err *err)
{
	static const struct option options[] = {{"failed", no_argument, NULL, 'f'},
						{"print", no_argument, NULL, 'p'},
						{"run", required_argument, NULL, 'r'},
						{"shell", no_argument, NULL, 's'},
						{"help", no_argument, NULL, 'h'},
						{"version", no_argument, NULL, 'V'},
						{NULL, 0, NULL, 0}};
	optind = 0; /* starts anew, whoever used getopt before */
	opterr = 0;
	for (int option; (option = getopt_long(argc, argv, ":hV", options, NULL)) != -1;)
		if (parse_option(request, option, argv, err) == -1)
			return -1;
	if (request->mode == REPLAY_HELP || request->mode == REPLAY_VERSION)
		return 0;
	return parse_words(request, argc - optind, argv + optind, err);
}

/* The run file, from wherever we go. Not through a link in its last part, as --run-file is. */
static int
find_file(struct request *request, struct err *err)
{
	char *cwd = request->path[0] == '/' ? strdup("") : getcwd(NULL, 0);
	if (cwd == NULL)
		return err_errno(err, "cannot say where we are");
	if (asprintf(&request->full_path, "%s%s%s", cwd, *cwd == '\0' ? "" : "/",
		     request->path) == -1)
		request->full_path = NULL;
	free(cwd);
	return request->full_path == NULL ? err_no_memory(err) : 0;
}

/* --- the same surroundings --- */

static int
enter_directory(const char *path, struct err *err)
{
	return chdir(path) == -1 ? err_errno(err, "cannot go to %.300s", path) : 0;
}

/* Where the run was started, with its limits. */
static int
enter_run(const struct runfile_run *run, struct err *err)
{
	umask((mode_t)run->umask);
	setpriority(PRIO_PROCESS, 0, run->nice); /* less nice only for root: then it stays */
	if (enter_directory(run->cwd, err) == -1)
		return -1;
	limits_apply(run->limits);
	return 0;
}

/* The number at `slot`, from 1, in "[2,1]"; 0: there is none. */
static size_t
threads_of_slot(const char *threads, uint32_t slot)
{
	const char *at = threads;
	for (uint32_t i = 1; i < slot && at != NULL; i++)
		at = strchr(at + 1, ',');
	return at == NULL || *at == '\0' ? 0 : strtoul(at + 1, NULL, 10);
}

static int
make_environment(const struct runfile_task *task, struct task_env *env, struct err *err)
{
	struct task_env_config config = {
	    .run_name = task->run.name,
	    .worker = task->worker,
	    .slot = task->slot,
	    .coordinator = task->run.pid,
	    .share = threads_of_slot(task->run.threads, task->slot),
	};
	if (task_env_init(env, environ, &config) == -1)
		return err_no_memory(err);
	task_env_set_task(env, task->seq, task->attempt);
	return 0;
}

/* --- command lines --- */

/* What the task's environment has and ours has not, as words for env(1). */
static int
append_environment(struct buf *line, const struct task_env *env)
{
	for (size_t i = 0; i < env->count; i++) {
		const char *variable = env->variables[i];
		bool is_ours = false;
		for (char **own = environ; *own != NULL && !is_ours; own++)
			is_ours = strcmp(*own, variable) == 0;
		if (is_ours)
			continue;
		if (quote_append(line, variable, strlen(variable)) == -1 ||
		    buf_append_char(line, ' ') == -1)
			return -1;
	}
	return 0;
}

/* A run of that one task: its values side by side, so that each is one. */
static int
append_feeding(struct buf *line, const struct runfile_task *task, const struct spec *spec)
{
	static const char *const protocols[] = {[SPEC_PROTOCOL_LINE] = "line",
						[SPEC_PROTOCOL_NUL] = "nul",
						[SPEC_PROTOCOL_JSON] = "json",
						[SPEC_PROTOCOL_COUNT] = "count"};
	int status = buf_printf(line, "pinion %s ", task->run.verb);
	if (status == 0 && spec->executor == SPEC_COPROC)
		status = buf_printf(line, "--protocol %s ", protocols[spec->protocol]);
	if (status == 0)
		status = quote_append_argv(line, spec->program_words);
	for (size_t i = 0; i < task->inputs.count && status == 0; i++) {
		const char *input = task->inputs.words[i];
		status = buf_append_str(line, i == 0 ? " ::: " : " :::+ ");
		if (status == 0)
			status = quote_append(line, input, strlen(input));
	}
	return status;
}

static int
append_place(struct buf *line, const struct runfile_task *task)
{
	const char *parts[] = {task->run.cwd, task->run.work_dir};
	for (size_t i = 0; i < 2; i++)
		if (parts[i] != NULL &&
		    (buf_append_str(line, "cd ") == -1 ||
		     quote_append(line, parts[i], strlen(parts[i])) == -1 ||
		     buf_append_str(line, " && ") == -1))
			return -1;
	return 0;
}

/* The command line to paste, with its newline. */
static int
append_line(struct buf *line, const struct runfile_task *task, const struct task_env *env,
	    const struct spec *spec, struct err *err)
{
	int status = append_place(line, task);
	if (status == 0 && task->argv.count == 0) {
		status = append_feeding(line, task, spec);
	} else if (status == 0) {
		if (buf_append_str(line, "env ") == -1 ||
		    append_environment(line, env) == -1 ||
		    quote_append_argv(line, task->argv.words) == -1 ||
		    buf_append_str(line, " </dev/null") == -1)
			status = -1;
	}
	if (status == -1 || buf_append_char(line, '\n') == -1)
		return err_no_memory(err);
	return 0;
}

/* --- doing it --- */

static int
open_null_stdin(struct err *err)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (fd == -1 || dup2(fd, STDIN_FILENO) == -1)
		return err_errno(err, "cannot open /dev/null");
	io_close(fd);
	return 0;
}

/* Returns only if that fails, with the status a shell has for it. */
static int
execute(char *const *argv, const struct task_env *env, struct err *err)
{
	execvpe(argv[0], argv, env->variables);
	int status = errno == ENOENT ? 127 : 126;
	err_errno(err, "cannot execute %.300s", argv[0]);
	return status;
}

static int
replay_command(const struct runfile_task *task, const struct task_env *env, struct err *err)
{
	if (open_null_stdin(err) == -1)
		return CMD_BROKEN;
	return execute(task->argv.words, env, err);
}

static int
replay_shell(const struct diag *diag, const struct task_env *env, const struct buf *line,
	     struct err *err)
{
	const char *shell = getenv("SHELL");
	char *argv[] = {
	    (char *)(uintptr_t)(shell != NULL && *shell != '\0' ? shell : "/bin/sh"), NULL};
	diag_say(diag, "in its place now; it was: %.*s", (int)line->length - 1,
		 line->bytes);
	return execute(argv, env, err);
}

/* Through a run of its own. */
static int
replay_run(const struct runfile_task *task, int argc, char **argv, struct err *err)
{
	struct arg *names = NULL;
	size_t capacity = 0;
	const struct buf *packed_names = &task->run.names.bytes;
	size_t name_count = task->run.names.count;
	if (task_unpack(packed_names->bytes, packed_names->length, (uint32_t)name_count,
			&names, &capacity) == -1) {
		err_no_memory(err);
		return CMD_BROKEN;
	}
	struct cmd_again again = {.argv = argv,
				  .argc = argc,
				  .seq = task->seq,
				  .arg_count = (uint32_t)task->input_count,
				  .packed = task->packed_inputs.bytes,
				  .packed_bytes = task->packed_inputs.length,
				  .names = names,
				  .name_count = name_count,
				  .column_count = task->run.column_count};
	int status = cmd_tasks_again(&again);
	free(names);
	return status;
}

/* The verb and its words; NULL without memory. */
static char **
make_argv(const struct runfile_run *run, int *argc)
{
	char **argv = calloc(run->words.count + 2, sizeof(*argv));
	if (argv == NULL)
		return NULL;
	argv[0] = run->verb;
	memcpy(argv + 1, run->words.words, run->words.count * sizeof(*argv));
	*argc = (int)run->words.count + 1;
	return argv;
}

static int
replay_in_place(const struct request *request, const struct diag *diag,
		const struct runfile_task *task, const struct spec *spec, int argc,
		char **argv, struct err *err)
{
	struct task_env env;
	struct buf line = {0};
	int status = CMD_BROKEN;
	bool is_command = task->argv.count > 0;
	if (request->mode == REPLAY_RUN && (!is_command || spec->initializer != NULL))
		return replay_run(task, argc, argv, err);
	if (make_environment(task, &env, err) == -1)
		return status;
	if (append_line(&line, task, &env, spec, err) == -1)
		goto fini_env;
	if (request->mode == REPLAY_PRINT)
		status = io_write_all(STDOUT_FILENO, line.bytes, line.length) == 0
			     ? CMD_OK
			     : (err_errno(err, "cannot write to stdout"), CMD_BROKEN);
	else if (task->run.work_dir == NULL || enter_directory(task->run.work_dir, err) == 0)
		status = request->mode == REPLAY_SHELL
			     ? replay_shell(diag, &env, &line, err)
			     : replay_command(task, &env, err);
fini_env:
	buf_fini(&line);
	task_env_fini(&env);
	return status;
}

static int
replay_task(const struct request *request, const struct diag *diag, struct err *err)
{
	struct runfile_task task;
	struct spec spec;
	int argc, status = CMD_BROKEN;
	char **argv = NULL;
	if (runfile_read_task(request->full_path, (int64_t)request->run_id, request->seq,
			      &task, err) == -1) {
		runfile_task_fini(&task);
		return err->kind == ERR_USAGE ? CMD_USAGE : CMD_BROKEN;
	}
	spec_init(&spec, cmd_tasks_dialect(task.run.verb));
	argv = make_argv(&task.run, &argc);
	if (argv == NULL)
		err_no_memory(err);
	else if (enter_run(&task.run, err) == 0 &&
		 options_parse(&spec, argc - 1, argv + 1, err) == OPTIONS_RUN)
		status = replay_in_place(request, diag, &task, &spec, argc, argv, err);
	spec_fini(&spec);
	free(argv);
	runfile_task_fini(&task);
	return status;
}

static int
replay_failed(const struct request *request, struct err *err)
{
	struct runfile_run run;
	int argc, status = CMD_BROKEN;
	char **argv = NULL;
	if (runfile_read_run(request->full_path, &run, err) == -1) {
		runfile_run_fini(&run);
		return err->kind == ERR_USAGE ? CMD_USAGE : CMD_BROKEN;
	}
	argv = make_argv(&run, &argc);
	if (argv == NULL) {
		err_no_memory(err);
	} else if (enter_run(&run, err) == 0) {
		struct cmd_again again = {
		    .argv = argv, .argc = argc, .run_file = request->full_path};
		status = cmd_tasks_again(&again);
	}
	free(argv);
	runfile_run_fini(&run);
	return status;
}

static int
answer(struct request *request, const struct diag *diag, struct err *err)
{
	const char *text =
	    request->mode == REPLAY_HELP ? help : "pinion " PINION_VERSION "\n";
	if (request->mode == REPLAY_HELP || request->mode == REPLAY_VERSION) {
		if (io_write_all(STDOUT_FILENO, text, strlen(text)) == 0)
			return CMD_OK;
		err_errno(err, "cannot write to stdout");
		return CMD_BROKEN;
	}
	if (find_file(request, err) == -1)
		return CMD_BROKEN;
	int status = request->mode == REPLAY_FAILED ? replay_failed(request, err)
						    : replay_task(request, diag, err);
	free(request->full_path);
	return status;
}

int
cmd_replay(int argc, char **argv)
{
	struct diag diag = {.name = "pinion replay", .fd = STDERR_FILENO};
	struct request request = {.mode = REPLAY_RUN};
	struct err err = {0};
	int status = CMD_USAGE;
	if (parse_arguments(&request, argc, argv, &err) == 0)
		status = answer(&request, &diag, &err);
	if (err.kind != ERR_NONE)
		diag_err(&diag, &err);
	return status;
}

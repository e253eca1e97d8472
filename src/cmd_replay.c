/*
 * cmd_replay.c: pinion replay: a task of a recorded run again, or all that failed.
 *
 * A command is executed in place of this process, with the argv, directory, environment, stdin
 * and limits of the record: its output and its exit status are its own. What was fed or called,
 * what an --initializer prepared, and what ran out of time goes through a run of that one task.
 * --failed is a run as `pinion map --retry-failed` makes it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/decimal.h"
#include "base/diag.h"
#include "base/io.h"
#include "base/quote.h"
#include "cmd.h"
#include "input/option_value.h"
#include "input/options.h"
#include "input/request.h"
#include "pool/task_env.h"
#include "pool/task_setting.h"
#include "record/limits.h"
#include "record/runfile_read.h"
#include "task/override.h"

enum replay_mode {
	REPLAY_RUN,
	REPLAY_SHELL,
	REPLAY_PRINT,
	REPLAY_FAILED,
};

/* What is to be replayed, and how. */
struct wanted {
	enum replay_mode mode;
	char *path; /* from wherever we go */
	struct runfile_which which;
};

/* A recorded task that is about to be what this process is. */
struct replay {
	const struct wanted *wanted;
	const struct diag *diag;
	struct runfile_task task;
	struct spec job;
	const struct spec *spec; /* of the task: the job's, or that of its stage */
	char **argv;             /* the verb and its words */
	int argc;
	struct buf packed;    /* its values, with the hidden ones in front */
	struct arg overrides; /* the first of those; empty: there are none */
	char **caller; /* our own variables, before those of the job came to them */
	struct task_env env;
	struct task_setting setting;
};

/* --- what is asked --- */

static int
parse_mode(struct wanted *wanted, const struct request *request, struct err *err)
{
	if (request->is_failed + request->is_print + request->is_shell > 1)
		return err_set(err, ERR_USAGE,
			       "--shell, --print and --failed: choose one of them");
	wanted->mode = request->is_failed  ? REPLAY_FAILED
		       : request->is_print ? REPLAY_PRINT
		       : request->is_shell ? REPLAY_SHELL
					   : REPLAY_RUN;
	return 0;
}

/* "17", or "read:17": a name may have colons of its own. */
static int
parse_task(struct runfile_which *which, char *word, struct err *err)
{
	char *colon = strrchr(word, ':');
	const char *number = colon != NULL ? colon + 1 : word;
	if (value_count(number, &which->seq) == -1 || which->seq == 0 ||
	    which->seq > INT64_MAX || colon == word)
		return err_set(
		    err, ERR_USAGE,
		    "%.100s: write the number of a task, from 1, or STAGE:TASK", word);
	which->seq--;
	if (colon != NULL) {
		*colon = '\0';
		which->stage = word;
	}
	return 0;
}

static int
parse_words(struct wanted *wanted, const struct request *request, struct err *err)
{
	size_t needed = wanted->mode == REPLAY_FAILED ? 1 : 2;
	if (request->word_count != needed)
		return err_set(err, ERR_USAGE,
			       needed == 1 ? "write: pinion replay --failed RUN.db"
					   : "write: pinion replay RUN.db TASK, the "
					     "number of the task as messages have it");
	wanted->which.run_id = (int64_t)request->run_id;
	return needed == 1 ? 0 : parse_task(&wanted->which, request->words[1], err);
}

/* The run file, from wherever we go. Not through a link in its last part, as --run-file is. */
static int
find_file(struct wanted *wanted, const char *path, struct err *err)
{
	char *cwd = path[0] == '/' ? strdup("") : getcwd(NULL, 0);
	if (cwd == NULL)
		return err_errno(err, "cannot say where we are");
	if (asprintf(&wanted->path, "%s%s%s", cwd, *cwd == '\0' ? "" : "/", path) == -1)
		wanted->path = NULL;
	free(cwd);
	return wanted->path == NULL ? err_no_memory(err) : 0;
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

static char **
copy_variables(void)
{
	size_t count = 0;
	while (environ[count] != NULL)
		count++;
	char **copy = calloc(count + 1, sizeof(*copy));
	if (copy != NULL)
		memcpy(copy, environ, count * sizeof(*copy));
	return copy;
}

static int
make_environment(struct replay *replay, struct err *err)
{
	const struct runfile_task *task = &replay->task;
	struct task_env_config config = {
	    .run_name = task->run.name,
	    .worker = task->worker,
	    .slot = task->slot,
	    .coordinator = task->run.pid,
	    .share = threads_of_slot(task->run.threads, task->slot),
	};
	replay->caller = copy_variables();
	if (replay->caller == NULL ||
	    task_env_export(replay->spec->env, replay->spec->env_count) == -1 ||
	    task_env_init(&replay->env, environ, &config) == -1)
		return err_no_memory(err);
	task_env_set_task(&replay->env, task->seq, task->attempt > 0 ? task->attempt : 1);
	return 0;
}

/* From the directory of its run to the task's own, with its variables and stdin. */
static int
enter_task(struct replay *replay, struct err *err)
{
	struct buf complaint = {0};
	const char *work_dir = replay->task.run.work_dir;
	if (work_dir != NULL && enter_directory(work_dir, err) == -1)
		return -1;
	int status = task_setting_open(&replay->setting, replay->spec, &replay->env,
				       &replay->overrides, &complaint, err);
	if (status == 1) {
		diag_raw(replay->diag, complaint.bytes, complaint.length);
		status = -1;
	}
	buf_fini(&complaint);
	if (status == 0 && replay->setting.folder_fd != -1 &&
	    fchdir(replay->setting.folder_fd) == -1)
		status = err_errno(err, "cannot go to its folder");
	return status;
}

/* --- command lines --- */

/* NULL where the task has none of its own. */
static const char *
own(const struct replay *replay, enum override_kind kind)
{
	struct arg value;
	return override_find(&replay->overrides, kind, &value) ? value.bytes : NULL;
}

static int
append_word(struct buf *line, const char *word)
{
	return quote_append(line, word, strlen(word));
}

static int
append_variable(struct buf *line, const char *variable)
{
	return append_word(line, variable) == -1 ? -1 : buf_append_char(line, ' ');
}

/* What the task's environment has and ours has not, as words for env(1). */
static int
append_environment(struct buf *line, const struct replay *replay)
{
	struct arg at = replay->overrides, value;
	enum override_kind kind;
	for (char **variable = replay->env.variables; *variable != NULL; variable++) {
		bool is_ours = false;
		for (char **caller = replay->caller; *caller != NULL && !is_ours; caller++)
			is_ours = strcmp(*caller, *variable) == 0;
		if (!is_ours && append_variable(line, *variable) == -1)
			return -1;
	}
	while (override_next(&at, &kind, &value))
		if (kind == OVERRIDE_ENV && append_variable(line, value.bytes) == -1)
			return -1;
	return 0;
}

/* In seconds, behind `option`; nothing without a limit. */
static int
append_limit(struct buf *line, const struct replay *replay, const char *option)
{
	char seconds[DECIMAL_MAX_BYTES + 1];
	int64_t ns = replay->spec->timeout.ns;
	const char *limit = own(replay, OVERRIDE_TIMEOUT);
	if (limit != NULL)
		memcpy(&ns, limit, sizeof(ns));
	if (ns <= 0)
		return 0;
	*decimal_put_seconds(seconds, ns, 3) = '\0';
	return buf_printf(line, "%s %s ", option, seconds);
}

/* A run of that one task: its values side by side, so that each is one. */
static int
append_feeding(struct buf *line, const struct replay *replay)
{
	static const char *const protocols[] = {[SPEC_PROTOCOL_LINE] = "line",
						[SPEC_PROTOCOL_NUL] = "nul",
						[SPEC_PROTOCOL_JSON] = "json",
						[SPEC_PROTOCOL_COUNT] = "count"};
	const struct runfile_words *inputs = &replay->task.inputs;
	const struct spec *spec = replay->spec;
	int status = buf_printf(line, "pinion %s ",
				spec->executor == SPEC_COPROC ? "feed" : "call");
	if (status == 0 && spec->executor == SPEC_COPROC)
		status = buf_printf(line, "--protocol %s ", protocols[spec->protocol]);
	if (status == 0)
		status = append_limit(line, replay, "--timeout");
	if (status == 0)
		status = quote_append_argv(line, spec->program_words);
	for (size_t i = 0; i < inputs->count && status == 0; i++) {
		status = buf_append_str(line, i == 0 ? " ::: " : " :::+ ");
		if (status == 0)
			status = append_word(line, inputs->words[i]);
	}
	return status;
}

static int
append_place(struct buf *line, const struct replay *replay)
{
	const struct runfile_run *run = &replay->task.run;
	const char *parts[] = {run->cwd, run->work_dir, own(replay, OVERRIDE_CWD)};
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (parts[i] != NULL && (buf_append_str(line, "cd ") == -1 ||
					 append_word(line, parts[i]) == -1 ||
					 buf_append_str(line, " && ") == -1))
			return -1;
	return 0;
}

/* What stands behind the command, or in front of it (is_before), for its stdin. */
static int
append_stdin(struct buf *line, const struct replay *replay, bool is_before)
{
	const char *text = own(replay, OVERRIDE_STDIN_TEXT);
	const char *path = own(replay, OVERRIDE_STDIN_FILE);
	if (text == NULL && path == NULL) {
		path = replay->spec->stdin_path;
		text = path == NULL ? replay->spec->stdin_text : NULL;
	}
	if ((text != NULL) != is_before)
		return 0;
	if (buf_append_str(line, is_before ? "printf %s " : " <") == -1)
		return -1;
	if (is_before)
		return append_word(line, text) == -1 ? -1 : buf_append_str(line, " | ");
	return append_word(line, path == NULL ? "/dev/null" : path);
}

static int
append_command(struct buf *line, const struct replay *replay)
{
	if (append_stdin(line, replay, true) == -1 ||
	    append_limit(line, replay, "timeout") == -1 ||
	    buf_append_str(line, "env ") == -1 || append_environment(line, replay) == -1 ||
	    quote_append_argv(line, replay->task.argv.words) == -1)
		return -1;
	return append_stdin(line, replay, false);
}

/* The command line to paste, with its newline. */
static int
append_line(struct buf *line, const struct replay *replay, struct err *err)
{
	bool is_command = replay->task.argv.count > 0;
	if (append_place(line, replay) == -1 ||
	    (is_command ? append_command(line, replay) : append_feeding(line, replay)) ==
		-1 ||
	    buf_append_char(line, '\n') == -1)
		return err_no_memory(err);
	return 0;
}

/* --- doing it --- */

static int
open_stdin(const struct replay *replay, struct err *err)
{
	int fd = replay->setting.stdin_fd;
	int null_fd = fd == -1 ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1;
	if (dup2(fd == -1 ? null_fd : fd, STDIN_FILENO) == -1)
		return err_errno(err, "cannot open /dev/null");
	io_close(null_fd);
	return 0;
}

/* Returns only if that fails, with the status a shell has for it. */
static int
execute(char *const *argv, const struct replay *replay, struct err *err)
{
	execvpe(argv[0], argv, replay->setting.variables);
	int status = errno == ENOENT ? 127 : 126;
	err_errno(err, "cannot execute %.300s", argv[0]);
	return status;
}

static int
replay_command(const struct replay *replay, struct err *err)
{
	if (open_stdin(replay, err) == -1)
		return CMD_BROKEN;
	return execute(replay->task.argv.words, replay, err);
}

/* The task by the id that its input has given it, where it has one. */
static void
say_id(const struct replay *replay)
{
	const char *id = own(replay, OVERRIDE_ID);
	if (id != NULL)
		diag_say(replay->diag, "task %ju: its id is %.200s",
			 (uintmax_t)replay->task.seq + 1, id);
}

static int
replay_shell(const struct replay *replay, const struct buf *line, struct err *err)
{
	const char *shell = getenv("SHELL");
	char *argv[] = {
	    (char *)(uintptr_t)(shell != NULL && *shell != '\0' ? shell : "/bin/sh"), NULL};
	say_id(replay);
	diag_say(replay->diag, "in its place now; it was: %.*s", (int)line->length - 1,
		 line->bytes);
	return execute(argv, replay, err);
}

/* Through a run of its own. */
static int
replay_run(const struct replay *replay, struct err *err)
{
	const struct runfile_task *task = &replay->task;
	struct arg *names = NULL;
	size_t capacity = 0;
	const struct buf *packed_names = &task->run.names.bytes;
	size_t name_count = task->run.names.count;
	if (task_unpack(packed_names->bytes, packed_names->length, (uint32_t)name_count,
			&names, &capacity) == -1) {
		err_no_memory(err);
		return CMD_BROKEN;
	}
	struct cmd_again again = {.argv = replay->argv,
				  .argc = replay->argc,
				  .job = task->run.job,
				  .stage_index = task->stage_index,
				  .seq = task->seq,
				  .arg_count = replay->spec->hidden_count +
					       (uint32_t)task->input_count,
				  .packed = replay->packed.bytes,
				  .packed_bytes = replay->packed.length,
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

/* The command line is put into `line`: what --print prints. */
static int
replay_in_place(struct replay *replay, struct buf *line, struct err *err)
{
	const struct runfile_task *task = &replay->task;
	enum replay_mode mode = replay->wanted->mode;
	bool needs_run = task->argv.count == 0 || replay->spec->initializer != NULL ||
			 task->has_timed_out;
	if (mode == REPLAY_RUN && needs_run)
		return replay_run(replay, err);
	if (make_environment(replay, err) == -1 || append_line(line, replay, err) == -1)
		return CMD_BROKEN;
	if (mode == REPLAY_PRINT) {
		say_id(replay);
		return CMD_OK;
	}
	if (enter_task(replay, err) == -1)
		return CMD_BROKEN;
	return mode == REPLAY_SHELL ? replay_shell(replay, line, err)
				    : replay_command(replay, err);
}

/* All its values, as it travelled with them. */
static int
make_values(struct replay *replay, struct err *err)
{
	const struct buf *inputs = &replay->task.packed_inputs;
	const struct spec *spec = replay->spec;
	uint32_t length = 0;
	if (hidden_pack(&replay->packed, spec, &replay->task.hidden, err) == -1)
		return -1;
	if (buf_append(&replay->packed, inputs->bytes, inputs->length) == -1)
		return err_no_memory(err);
	if (spec->hidden_count > 0)
		memcpy(&length, replay->packed.bytes, sizeof(length));
	replay->overrides =
	    (struct arg){length == 0 ? "" : replay->packed.bytes + sizeof(length), length};
	return 0;
}

/* The spec that the words of its run made. What they name may have gone since. */
static int
make_spec(struct replay *replay, struct err *err)
{
	const struct runfile_run *run = &replay->task.run;
	struct spec *job = &replay->job;
	job->is_inherited = true;
	replay->spec = job;
	replay->argv = make_argv(run, &replay->argc);
	if (replay->argv == NULL ||
	    (run->job != NULL && buf_append_str(&job->job_text, run->job) == -1))
		return err_no_memory(err);
	if (options_parse(job, replay->argc - 1, replay->argv + 1, err) != OPTIONS_RUN)
		return -1;
	if (job->stage_count > 0 && replay->task.stage_index >= job->stage_count)
		return err_set(err, ERR_SYSTEM, "%.200s: its job has no stage %zu",
			       replay->wanted->path, replay->task.stage_index + 1);
	if (job->stage_count > 0)
		replay->spec = &job->stages[replay->task.stage_index];
	return 0;
}

static int
replay_task(const struct wanted *wanted, const struct diag *diag, struct buf *text,
	    struct err *err)
{
	struct replay replay = {.wanted = wanted, .diag = diag};
	struct runfile_task *task = &replay.task;
	int status = CMD_BROKEN;
	if (runfile_read_task(wanted->path, &wanted->which, task, err) == -1) {
		runfile_task_fini(task);
		return -1;
	}
	spec_init(&replay.job, cmd_tasks_dialect(task->run.verb));
	task_setting_init(&replay.setting);
	if (enter_run(&task->run, err) == 0 && make_spec(&replay, err) == 0 &&
	    make_values(&replay, err) == 0)
		status = replay_in_place(&replay, text, err);
	task_setting_fini(&replay.setting);
	task_env_fini(&replay.env);
	free(replay.caller);
	buf_fini(&replay.packed);
	spec_fini(&replay.job);
	free(replay.argv);
	runfile_task_fini(task);
	return status;
}

static int
replay_failed(const struct wanted *wanted, struct err *err)
{
	struct runfile_run run;
	int argc, status = CMD_BROKEN;
	char **argv = NULL;
	if (runfile_read_run(wanted->path, &run, err) == -1) {
		runfile_run_fini(&run);
		return -1;
	}
	argv = make_argv(&run, &argc);
	if (argv == NULL) {
		err_no_memory(err);
	} else if (enter_run(&run, err) == 0) {
		struct cmd_again again = {
		    .argv = argv, .argc = argc, .job = run.job, .run_file = wanted->path};
		status = cmd_tasks_again(&again);
	}
	free(argv);
	runfile_run_fini(&run);
	return status;
}

static int
replay_answer(struct request *request, const struct diag *diag, struct buf *text,
	      struct err *err)
{
	struct wanted wanted = {0};
	if (parse_mode(&wanted, request, err) == -1 ||
	    parse_words(&wanted, request, err) == -1 ||
	    find_file(&wanted, request->words[0], err) == -1)
		return -1;
	int status = wanted.mode == REPLAY_FAILED ? replay_failed(&wanted, err)
						  : replay_task(&wanted, diag, text, err);
	free(wanted.path);
	return status;
}

int
cmd_replay(int argc, char **argv)
{
	return cmd_request(OPTION_REPLAY, argc, argv, replay_answer);
}

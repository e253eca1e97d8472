/*
 * exec_spawn.c: the executor for commands: one process per task.
 *
 * Per task: one clone, one ppoll or two, two waits, a read per stream, and one write that
 * carries what the task before it and this one have to say.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/visible.h"
#include "pool/capture.h"
#include "pool/child.h"
#include "pool/executor.h"
#include "pool/outputs.h"
#include "pool/spawn.h"
#include "pool/task_setting.h"
#include "task/override.h"

/* A system short of processes or memory is asked again so often, so long apart. */
#define EXEC_SPAWN_TRIES 100
#define EXEC_SPAWN_TRY_MS 50

/* An output that somebody else makes, who may be about to end, so often and so long apart. */
#define EXEC_SPAWN_OUTPUT_TRIES 200
#define EXEC_SPAWN_OUTPUT_TRY_MS 10

#define EXEC_SPAWN_NO_SETTING \
	126 /* exit status where a task's folder or stdin is not there */

struct exec_spawn {
	struct executor executor;
	struct executor_host *host;
	struct spawn spawn;
	struct capture capture;
	struct command command;
	struct outputs outputs;
	struct task_setting setting; /* of the task in hand */
	struct buf complaint;        /* why it cannot be had */
	struct buf line;             /* the command line to show, in --ungroup */
};

/* One task on its way. */
struct exec_spawn_task {
	struct exec_spawn *self;
	struct child child;
	struct channel_cancel cancel;
	bool is_cancelled; /* we are ending it, for cancel.reason */
};

static void
exec_spawn_cannot(struct result *result, int errno_value)
{
	result->reason = RESULT_CANNOT_EXECUTE;
	result->errno_value = errno_value;
	result->exit_status = errno_value == ENOENT ? 127 : 126;
}

/* Starts argv; -1 and errno. Waits for a system that is short of processes. */
static pid_t
exec_spawn_start_argv(struct exec_spawn *self, int stdin_fd)
{
	struct spawn_request request = {
	    .argv = self->command.argv,
	    .envp = self->setting.variables,
	    .stdin_fd = stdin_fd,
	    .stdout_fd = -1,
	    .stderr_fd = -1,
	    .extra_fd = -1,
	    .folder_fd = self->setting.folder_fd,
	};
	struct channel_cancel cancel;
	pid_t pid = spawn_start(&self->spawn, &request);
	for (int i = 0; pid == -1 && (errno == EAGAIN || errno == ENOMEM); i++) {
		int saved = errno;
		if (i == EXEC_SPAWN_TRIES ||
		    channel_is_cancelled(self->host->channel, &cancel))
			return errno = saved, -1;
		channel_wait(self->host->channel, NULL, 0, EXEC_SPAWN_TRY_MS);
		pid = spawn_start(&self->spawn, &request);
	}
	return pid;
}

/* Over -s, which counts the command line, not the shell in front of it. */
static bool
exec_spawn_is_too_long(const struct exec_spawn *self, const struct template_values *values)
{
	const struct spec *spec = self->host->spec;
	if (spec->max_chars == 0)
		return false;
	size_t length = template_length(self->host->template, values);
	if (template_is_line(self->host->template))
		length -= strlen(spec->shell) + sizeof("-c") + 1;
	return length > spec->max_chars;
}

/* Makes its setting. 0; 1: it cannot be had, and the complaint says why; -1 and err. */
static int
exec_spawn_set(struct exec_spawn *self, const struct template_values *values,
	       struct result *result, struct err *err)
{
	const struct executor_host *host = self->host;
	const struct arg overrides = override_of_args(host->spec, values->args);
	buf_clear(&self->complaint);
	int outcome = task_setting_open(&self->setting, host->spec, host->env, &overrides,
					&self->complaint, err);
	if (outcome == 1) { /* as if a shell had said so in front of the command */
		result->reason = RESULT_EXIT;
		result->exit_status = EXEC_SPAWN_NO_SETTING;
	}
	return outcome;
}

/* Starts the task. 0 and its pid; 1: cannot be executed, result says why; -1: the worker is broken. */
static int
exec_spawn_start(struct exec_spawn *self, const struct template_values *values,
		 pid_t *pid, struct result *result, struct err *err)
{
	struct command *command = &self->command;
	if (template_expand(self->host->template, values, command, err) == -1)
		return -1;
	if (command->has_nul || exec_spawn_is_too_long(self, values)) {
		exec_spawn_cannot(result, command->has_nul ? EINVAL : E2BIG);
		return 1;
	}
	int stdin_fd = self->setting.stdin_fd;
	if (stdin_fd == -1 && values->seq == 0)
		stdin_fd = self->host->first_stdin_fd;
	*pid = exec_spawn_start_argv(self, stdin_fd);
	if (*pid == -1 && errno == ENOENT && command->is_split) {
		/* Nothing of that name in $PATH: the shell may know better, or says so. */
		if (template_expand_shell(self->host->template, values, command, err) == -1)
			return -1;
		*pid = exec_spawn_start_argv(self, stdin_fd);
	}
	if (*pid != -1)
		return 0;
	exec_spawn_cannot(result, errno);
	return 1;
}

/* As outputs_begin, but the workers of a run that was just killed have time to go. */
static int
exec_spawn_begin_outputs(struct exec_spawn *self, struct template_values *values,
			 struct result *result, struct err *err)
{
	struct channel_cancel cancel;
	for (int i = 0;; i++) {
		int status = outputs_begin(&self->outputs, values, result, err);
		if (status != 1 || result->errno_value != EBUSY ||
		    i == EXEC_SPAWN_OUTPUT_TRIES)
			return status;
		outputs_end(&self->outputs, result);
		channel_wait(self->host->channel, NULL, 0, EXEC_SPAWN_OUTPUT_TRY_MS);
		if (channel_is_cancelled(self->host->channel, &cancel)) {
			result->reason = cancel.reason;
			return 1;
		}
		*result = (struct result){.started_real_ns = result->started_real_ns};
	}
}

/* Onto our stdout or stderr, which are the run's own; gives way to an order to end. */
static void
exec_spawn_say(struct exec_spawn *self, int fd)
{
	struct channel_cancel cancel;
	size_t at = 0;
	while (at < self->line.length &&
	       !channel_is_cancelled(self->host->channel, &cancel)) {
		struct pollfd pfd = {.fd = fd, .events = POLLOUT};
		int ready = channel_wait(self->host->channel, &pfd, 1, -1);
		if (ready == -1)
			return; /* who waits for the task will meet the same */
		if (ready == 0)
			continue;
		size_t left = self->line.length - at;
		ssize_t written =
		    io_write(fd, self->line.bytes + at, left < PIPE_BUF ? left : PIPE_BUF);
		if (written == -1)
			return; /* the task will meet the same */
		at += (size_t)written;
	}
}

/*
 * -v and -t where tasks write for themselves (--ungroup): only here is it known to come
 * before what the task writes. Otherwise the output sink does it.
 */
static int
exec_spawn_show(struct exec_spawn *self, const struct template_values *values,
		struct err *err)
{
	const struct spec *spec = self->host->spec;
	if (spec->output_mode != SPEC_OUTPUT_NONE || !(spec->is_verbose || spec->is_traced))
		return 0;
	buf_clear(&self->line);
	if (template_append_line(self->host->template, values, &self->line, err) == -1)
		return -1;
	if (buf_append_char(&self->line, '\n') == -1)
		return err_no_memory(err);
	if (spec->is_verbose)
		exec_spawn_say(self, STDOUT_FILENO);
	if (spec->is_traced && isatty(STDERR_FILENO) && visible_line(&self->line) == -1)
		return err_no_memory(err);
	if (spec->is_traced)
		exec_spawn_say(self, STDERR_FILENO);
	return 0;
}

/* A child_pump: one wait for output, an end, an order or `timeout_ms`. */
static int
exec_spawn_pump(void *context, int timeout_ms, struct err *err)
{
	struct exec_spawn_task *task = context;
	struct exec_spawn *self = task->self;
	struct pollfd fds[RESULT_STREAMS];
	nfds_t count = capture_poll(&self->capture, fds);
	int ready = channel_wait(self->host->channel, fds, count, timeout_ms);
	if (ready == -1)
		return err_errno(err, "cannot wait for a task");
	if (ready > 0 && capture_drain(&self->capture, self->host->channel, fds) == -1)
		return err_errno(err, "cannot read a task's output");
	if (channel_child_ended())
		child_reap(&task->child, WNOHANG);
	return 0;
}

static int
exec_spawn_end_tree(struct exec_spawn_task *task, struct err *err)
{
	return child_end_tree(&task->child, task->self->host, &task->cancel,
			      exec_spawn_pump, task, err);
}

static int
exec_spawn_wait(struct exec_spawn *self, struct exec_spawn_task *task, struct err *err)
{
	while (!task->child.has_ended) {
		if (channel_is_cancelled(self->host->channel, &task->cancel)) {
			child_reap(&task->child, WNOHANG); /* may just have ended by itself */
			task->is_cancelled = !task->child.has_ended;
			return exec_spawn_end_tree(task, err);
		}
		if (channel_child_ended())
			child_reap(&task->child, WNOHANG);
		else if (exec_spawn_pump(task, -1, err) == -1)
			return -1;
	}
	return 0;
}

static bool
exec_spawn_is_success(const struct exec_spawn_task *task)
{
	return !task->is_cancelled && WIFEXITED(task->child.status) &&
	       WEXITSTATUS(task->child.status) == 0;
}

/*
 * After the end: takes the last output, reaps orphans, and sees to what still lives: left
 * alone after a success (a daemon), ended otherwise. It may hold the pipes, so the next
 * task gets new ones.
 */
static int
exec_spawn_clean_up(struct exec_spawn *self, struct exec_spawn_task *task, struct err *err)
{
	pid_t pid;
	if (capture_drain(&self->capture, self->host->channel, NULL) == -1)
		return err_errno(err, "cannot read a task's output");
	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
		;
	if (pid == -1)
		return 0; /* no children at all */
	if (exec_spawn_is_success(task)) {
		executor_spare_children(self->host);
	} else {
		if (exec_spawn_end_tree(task, err) == -1)
			return -1;
		capture_drain(&self->capture, self->host->channel, NULL);
	}
	if (self->capture.read_fds[RESULT_STDOUT] != -1 &&
	    capture_renew(&self->capture) == -1)
		return err_errno(err, "cannot make pipes for a task's output");
	return 0;
}

static int64_t
exec_spawn_timeval_ns(const struct timeval *tv)
{
	return (int64_t)tv->tv_sec * NS_PER_S + (int64_t)tv->tv_usec * 1000;
}

static void
exec_spawn_fill(const struct exec_spawn_task *task, struct result *result)
{
	result->reason = RESULT_EXIT;
	if (WIFEXITED(task->child.status)) {
		result->exit_status = WEXITSTATUS(task->child.status);
	} else {
		result->signal = WTERMSIG(task->child.status);
		result->reason = RESULT_SIGNAL;
	}
	if (task->is_cancelled)
		result->reason = task->cancel.reason;
	result->pid = task->child.pid;
	result->user_ns = exec_spawn_timeval_ns(&task->child.usage.ru_utime);
	result->sys_ns = exec_spawn_timeval_ns(&task->child.usage.ru_stime);
	result->maxrss_bytes = (int64_t)task->child.usage.ru_maxrss * 1024;
}

static int
exec_spawn_run(struct exec_spawn *self, struct template_values *values,
	       struct result *result, struct err *err)
{
	struct executor_host *host = self->host;
	struct exec_spawn_task task = {.self = self};
	int64_t started_at_ns = clock_now_ns();
	result->started_real_ns = clock_real_ns();
	if (exec_spawn_show(self, values, err) == -1)
		return -1;
	/* In this order: the outputs' folders are made, the task's own is not. */
	int outcome = exec_spawn_set(self, values, result, err);
	if (outcome == 0)
		outcome = exec_spawn_begin_outputs(self, values, result, err);
	if (outcome == 0)
		outcome = exec_spawn_start(self, values, &task.child.pid, result, err);
	task_setting_close(&self->setting);
	if (outcome == -1)
		return -1;
	channel_started(host->channel, started_at_ns);
	if (outcome == 1) {
		if (self->complaint.length > 0)
			channel_output(host->channel, RESULT_STDERR,
				       self->complaint.bytes, self->complaint.length);
		outputs_end(&self->outputs, result);
		return 0;
	}
	if (exec_spawn_wait(self, &task, err) == -1)
		return -1;
	result->wall_ns = clock_now_ns() - started_at_ns;
	if (exec_spawn_clean_up(self, &task, err) == -1)
		return -1;
	exec_spawn_fill(&task, result);
	outputs_end(&self->outputs, result);
	atomic_store(&host->seat->pid, 0);
	return 0;
}

static int
exec_spawn_serve(struct executor *executor, struct err *err)
{
	struct exec_spawn *self = (struct exec_spawn *)executor;
	struct executor_task task;
	int got;
	while ((got = executor_next(self->host, &task, err)) == 1) {
		struct result result = {0};
		executor_begin(self->host, task.values.seq, task.attempt);
		task_env_set_task(self->host->env, task.values.seq, task.attempt);
		if (exec_spawn_run(self, &task.values, &result, err) == -1)
			return -1;
		executor_finish(self->host, &result);
	}
	return got;
}

static void
exec_spawn_free(struct executor *executor)
{
	struct exec_spawn *self = (struct exec_spawn *)executor;
	for (int stream = 0; stream < RESULT_STREAMS; stream++)
		if (self->capture.read_fds[stream] != -1)
			close(self->capture.read_fds[stream]);
	command_fini(&self->command);
	task_setting_fini(&self->setting);
	buf_fini(&self->complaint);
	buf_fini(&self->line);
	self->host->outputs = NULL;
	outputs_fini(&self->outputs);
	spawn_fini(&self->spawn);
	free(self);
}

static const struct executor_ops exec_spawn_ops = {
    .serve = exec_spawn_serve,
    .free = exec_spawn_free,
};

struct executor *
exec_spawn_new(struct executor_host *host, struct err *err)
{
	struct exec_spawn *self = calloc(1, sizeof(*self));
	if (self == NULL) {
		err_no_memory(err);
		return NULL;
	}
	self->executor.ops = &exec_spawn_ops;
	self->host = host;
	task_setting_init(&self->setting);
	const char *path = task_env_get(host->env, "PATH");
	if (spawn_init(&self->spawn, host->origin, host->seat,
		       path ? path : "/usr/bin:/bin", err) == -1)
		goto free_self;
	if (outputs_init(&self->outputs, host->spec, host->template, host->rule.run,
			 err) == -1)
		goto fini_spawn;
	capture_open_nothing(&self->capture);
	if (host->spec->output_mode != SPEC_OUTPUT_NONE &&
	    capture_open(&self->capture) == -1) {
		err_errno(err, "cannot make pipes for the tasks' output");
		goto fini_outputs;
	}
	host->outputs = &self->outputs;
	return &self->executor;

fini_outputs:
	outputs_fini(&self->outputs);
fini_spawn:
	spawn_fini(&self->spawn);
free_self:
	free(self);
	return NULL;
}

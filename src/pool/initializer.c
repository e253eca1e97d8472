/* initializer.c: see initializer.h. */
#include "pool/initializer.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "ipc/frame.h"
#include "pool/spawn.h"

/*
 * The command in $1 may end by exit, so the environment is written by a trap; 3 is where
 * to. env is looked up before the command can change PATH.
 */
static const char initializer_script[] =
    "pinion_env=$(command -v env) || exit; "
    "trap 'pinion_status=$?; trap - EXIT; "
    "if [ \"$pinion_status\" -eq 0 ]; then \"$pinion_env\" -0 >&3; else exit "
    "\"$pinion_status\"; fi' EXIT; "
    "eval \"$1\"";

struct initializer {
	struct executor_host *host;
	int env_fds[2]; /* its descriptor 3 */
	pid_t pid;
	int status;
	bool has_ended;
};

static int
initializer_open(struct initializer *self, struct err *err)
{
	self->env_fds[0] = self->env_fds[1] = -1;
	if (io_pipe(self->env_fds, 0) == -1 || io_set_nonblocking(self->env_fds[0]) == -1)
		return err_errno(err, "cannot make pipes for the initializer");
	return 0;
}

static void
initializer_close(struct initializer *self)
{
	for (int i = 0; i < 2; i++) {
		io_close_set(&self->env_fds[i]);
	}
}

static int
initializer_start(struct initializer *self, struct err *err)
{
	struct executor_host *host = self->host;
	char *argv[] = {(char *)host->spec->shell,       (char *)"-c",
			(char *)initializer_script,      (char *)"initializer",
			(char *)host->spec->initializer, NULL};
	struct spawn_request request = {
	    .argv = argv,
	    .envp = task_env_taskless(host->env),
	    .stdin_fd = -1,
	    .stdout_fd = STDERR_FILENO, /* the run's own: it may outlive us there */
	    .stderr_fd = -1,
	    .extra_fd = self->env_fds[1],
	    .folder_fd = -1,
	};
	struct spawn spawn;
	if (spawn_init(&spawn, host->origin, host->seat, "/usr/bin:/bin", err) == -1)
		return -1;
	self->pid = spawn_start(&spawn, &request);
	if (self->pid == -1)
		err_errno(err, "the initializer cannot be started by %s",
			  host->spec->shell);
	spawn_fini(&spawn);
	io_close_set(&self->env_fds[1]);
	return self->pid == -1 ? -1 : 0;
}

/* Takes what is there of the environment. */
static int
initializer_drain(struct initializer *self, struct buf *environment, struct err *err)
{
	char bytes[4096];
	ssize_t got;
	while ((got = io_read(self->env_fds[0], bytes, sizeof(bytes))) > 0)
		if (buf_append(environment, bytes, (size_t)got) == -1)
			return err_no_memory(err);
	return 0;
}

static int
initializer_wait(struct initializer *self, struct buf *environment, struct err *err)
{
	struct channel_cancel cancel;
	struct pollfd pfd = {.fd = self->env_fds[0], .events = POLLIN};
	while (!self->has_ended) {
		if (channel_is_cancelled(self->host->channel, &cancel))
			return err_set(err, ERR_BROKEN, "the initializer was cancelled");
		int ready = channel_wait(self->host->channel, &pfd, 1, -1);
		if (ready == -1)
			return err_errno(err, "cannot wait for the initializer");
		if (ready > 0 && initializer_drain(self, environment, err) == -1)
			return -1;
		if (ready > 0 && (pfd.revents & POLLHUP) != 0)
			pfd.fd = -1; /* closed by it; poll would not rest */
		if (channel_child_ended())
			self->has_ended =
			    waitpid(self->pid, &self->status, WNOHANG) == self->pid;
	}
	return initializer_drain(self, environment, err);
}

static int
initializer_judge(const struct initializer *self, const struct buf *environment,
		  struct err *err)
{
	if (WIFSIGNALED(self->status))
		return err_set(err, ERR_BROKEN, "the initializer was killed by signal %d",
			       WTERMSIG(self->status));
	if (WEXITSTATUS(self->status) != 0)
		return err_set(err, ERR_BROKEN, "the initializer ended with exit %d",
			       WEXITSTATUS(self->status));
	if (environment->length == 0 || environment->bytes[environment->length - 1] != '\0')
		return err_set(
		    err, ERR_BROKEN,
		    "the initializer's environment cannot be read (is there an env "
		    "that knows -0?)");
	return 0;
}

int
initializer_run(struct executor_host *host, struct buf *environment, struct err *err)
{
	struct initializer self = {.host = host, .pid = -1};
	int status = -1;
	if (initializer_open(&self, err) == 0 && initializer_start(&self, err) == 0 &&
	    initializer_wait(&self, environment, err) == 0)
		status = initializer_judge(&self, environment, err);
	initializer_close(&self);
	if (status == -1)
		tree_kill(self.has_ended || self.pid == -1 ? 0 : self.pid, &host->rule, 0);
	else
		executor_spare_children(host);
	return status;
}

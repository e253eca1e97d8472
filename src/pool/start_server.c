/* start_server.c: the coordinator's side of the fork server; see start.h and server.h. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "pool/server.h"
#include "pool/start_parts.h"

/* An answer takes as long as two forks of whatever was prepared, which may be huge. */
#define START_SERVER_ANSWER_S 10
/* Between being told to end and being killed. */
#define START_SERVER_END_S 1

struct start_server {
	struct starter base;
	pid_t pid; /* 0: not started yet, or gone */
	int fd;
	struct loop_watch *watch;
	bool is_ready;
	bool is_gone;   /* and will not be started again */
	struct err why; /* it is gone */
};

/* Gives up on it, if there is one; what it leaves behind is ended. Its wait status. */
static int
start_server_kill(struct start_server *self)
{
	const struct starter_config *config = &self->base.config;
	int status = 0;
	loop_unwatch(config->loop, self->watch);
	self->watch = NULL;
	io_close_set(&self->fd);
	self->is_ready = false;
	if (self->pid == 0)
		return 0;
	kill(self->pid, SIGKILL);
	while (waitpid(self->pid, &status, 0) == -1 && errno == EINTR)
		;
	family_remove(config->family, self->pid);
	self->pid = 0;
	if (status != 0)
		family_sweep(config->family, config->worker.run_name, BOARD_NO_TASK);
	return status;
}

static void
start_server_break(struct start_server *self)
{
	self->is_gone = true;
	self->base.config.broken(self->base.config.context, &self->why);
}

/* It has closed its socket, so it has died, or will now. */
static void
start_server_bury(struct start_server *self)
{
	const char *when = self->is_ready ? "" : " before it was ready";
	int status = start_server_kill(self);
	if (WIFSIGNALED(status))
		err_set(&self->why, ERR_BROKEN,
			"the fork server was killed by signal %d (%s)%s",
			WTERMSIG(status), strsignal(WTERMSIG(status)), when);
	else
		err_set(&self->why, ERR_BROKEN, "the fork server ended with exit %d%s",
			WEXITSTATUS(status), when);
	start_server_break(self);
}

/* One answer: true; else false and errno, which is 0 when there will be no more. */
static bool
start_server_hear(const struct start_server *self, struct server_answer *answer, int flags)
{
	ssize_t got;
	do
		got = recv(self->fd, answer, sizeof(*answer), flags);
	while (got == -1 && errno == EINTR);
	if (got == (ssize_t)sizeof(*answer))
		return true;
	if (got != -1 || errno == ECONNRESET)
		errno = 0;
	return false;
}

/* Between two requests: it is ready, or has failed or died. */
static void
start_server_on_answer(void *context, unsigned int events)
{
	struct start_server *self = context;
	struct server_answer answer;
	(void)events;
	if (!start_server_hear(self, &answer, MSG_DONTWAIT)) {
		if (errno != EAGAIN)
			start_server_bury(self);
		return;
	}
	if (answer.kind == SERVER_READY) {
		self->is_ready = true;
		self->base.config.ready(self->base.config.context);
	} else if (answer.kind == SERVER_FAILED) {
		err_set(&self->why, ERR_BROKEN, "%.*s", ERR_TEXT_BYTES - 1, answer.text);
		start_server_kill(self);
		start_server_break(self);
	}
}

static void
start_server_limit(int fd, int seconds)
{
	struct timeval limit = {.tv_sec = seconds};
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

static int
start_server_fork(struct start_server *self, struct err *err)
{
	const struct starter_config *config = &self->base.config;
	int fds[2];
	if (family_reserve(config->family) == -1)
		return err_no_memory(err);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == -1)
		return err_errno(err, "cannot make a socket for the fork server");
	self->fd = fds[0];
	start_server_limit(self->fd, START_SERVER_ANSWER_S);
	self->watch = loop_watch(config->loop, self->fd, LOOP_READ,
				 start_server_on_answer, self, err);
	if (self->watch == NULL)
		goto close_socket;
	self->pid = fork();
	if (self->pid == 0)
		server_main(config, fds[1]);
	if (self->pid == -1) {
		err_errno(err, "cannot fork the fork server");
		self->pid = 0;
		goto close_socket;
	}
	close(fds[1]);
	family_add(config->family, self->pid);
	return 0;

close_socket:
	close(fds[1]);
	start_server_kill(self);
	return -1;
}

static int
start_server_open(struct starter *starter, struct err *err)
{
	struct start_server *self = (struct start_server *)starter;
	if (self->is_ready)
		return 1;
	if (self->is_gone)
		return err_set(err, ERR_BROKEN, "%s", self->why.text);
	return self->pid != 0 ? 0 : start_server_fork(self, err);
}

static int
start_server_ask(const struct start_server *self, const struct starter_request *request)
{
	struct server_request text = {.number = request->number,
				      .slot_index = request->slot_index,
				      .worker_count = request->worker_count};
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec part = {.iov_base = &text, .iov_len = sizeof(text)};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &request->result_fd, sizeof(int));
	ssize_t sent;
	do
		sent = sendmsg(self->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (sent == -1 && errno == EINTR);
	return sent == -1 ? -1 : 0;
}

/*
 * Waits for the answer: the server does nothing but fork. One that does not is given up; what it may
 * have borne meanwhile, and nobody knows of, is ended.
 */
static pid_t
start_server_start(struct starter *starter, const struct starter_request *request,
		   struct err *err)
{
	struct start_server *self = (struct start_server *)starter;
	const struct starter_config *config = &self->base.config;
	struct server_answer answer;
	if (start_server_ask(self, request) == 0 && start_server_hear(self, &answer, 0)) {
		if (answer.pid > 0)
			return answer.pid;
		errno = answer.errno_value;
		return err_errno(err, "cannot fork a worker");
	}
	if (errno == EAGAIN) {
		err_set(&self->why, ERR_BROKEN, "the fork server did not answer for %d s",
			START_SERVER_ANSWER_S);
		start_server_kill(self);
		start_server_break(self);
	} else {
		start_server_bury(self);
	}
	family_sweep(config->family, config->worker.run_name, BOARD_NO_TASK);
	return err_set(err, ERR_BROKEN, "%s", self->why.text);
}

/* Closing its socket ends it, if it is prepared; it may take a moment to undo that. */
static void
start_server_free(struct starter *starter)
{
	struct start_server *self = (struct start_server *)starter;
	struct server_answer answer;
	if (self->is_ready && shutdown(self->fd, SHUT_WR) == 0) {
		start_server_limit(self->fd, START_SERVER_END_S);
		while (start_server_hear(self, &answer, 0))
			;
	}
	start_server_kill(self);
	free(self);
}

static const struct starter_ops start_server_ops = {
    .open = start_server_open,
    .start = start_server_start,
    .free = start_server_free,
};

struct starter *
start_server_new(void)
{
	struct start_server *self = calloc(1, sizeof(*self));
	if (self == NULL)
		return NULL;
	self->base.ops = &start_server_ops;
	self->fd = -1;
	return &self->base;
}

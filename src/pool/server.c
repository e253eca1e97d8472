/* server.c: see server.h. */
#include "pool/server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "pool/start_parts.h"
#include "pool/task_env.h"
#include "pool/tree.h"

#define SERVER_SLICE_NS (10 * 1000 * 1000) /* between two looks at who our parent is */

struct server {
	const struct starter_config *config;
	int fd;
	struct executor_shared *shared;
	_Atomic pid_t *born; /* shared with the process in between: the worker, or -errno */
};

/* For the handler: whose child we are to be. */
static pid_t server_coordinator;

/* The kernel sends it when the coordinator dies; from anyone else it means nothing. */
static void
server_on_usr1(int signal)
{
	struct tree_rule all = {0};
	(void)signal;
	if (getppid() == server_coordinator)
		return;
	tree_kill(0, &all, 0);
	_exit(WORKER_BROKEN);
}

/* Null on 0, and what workers need: the ring, the results, the first stdin. */
static int
server_set_up_fds(const struct server *self)
{
	const struct worker_config *worker = &self->config->worker;
	int keep[] = {self->fd, ring_fd(worker->ring), worker->outbox_fd,
		      worker->first_stdin_fd};
	io_close_from(3, keep, sizeof(keep) / sizeof(*keep)); /* there may be none to spare */
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd == -1 || dup2(null_fd, STDIN_FILENO) == -1)
		return -1;
	close(null_fd);
	return 0;
}

/* Dies with the coordinator, and not of a Ctrl-C, which is the coordinator's to answer. */
static void
server_set_up_process(void)
{
	sigset_t all_but_usr1;
	sig_handle(SIGUSR1, server_on_usr1);
	sigfillset(&all_but_usr1);
	sigdelset(&all_but_usr1, SIGUSR1);
	sigprocmask(SIG_SETMASK, &all_but_usr1, NULL);
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGUSR1);
	if (getppid() != server_coordinator)
		_exit(WORKER_BROKEN);
}

static int
server_set_up(struct server *self, struct err *err)
{
	server_set_up_process();
	if (server_set_up_fds(self) == -1)
		return err_errno(err, "cannot set up the server's descriptors");
	void *map = mmap(NULL, sizeof(*self->born), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		return err_errno(err, "cannot map the server's memory");
	self->born = map;
	return 0;
}

/* What is prepared may be foreign code: it finds the signals as pinion's caller had them. */
static sigset_t
server_open_signals(const struct server *self)
{
	sigset_t resting;
	sigset_t mask = self->config->worker.origin->mask;
	sigdelset(&mask, SIGUSR1);
	sigprocmask(SIG_SETMASK, &mask, &resting);
	return resting;
}

/* In the folder of the tasks, as it would be in a worker; those go there by themselves. */
static int
server_prepare(struct server *self, struct err *err)
{
	const struct spec *spec = self->config->worker.spec;
	int here_fd = -1;
	if (task_env_export(spec->env, spec->env_count) == -1)
		return err_no_memory(err);
	if (spec->work_dir != NULL) {
		here_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (here_fd == -1 || chdir(spec->work_dir) == -1) {
			err_errno(err, "cannot change to the folder %s", spec->work_dir);
			io_close(here_fd);
			return -1;
		}
	}
	sigset_t resting = server_open_signals(self);
	int status = self->config->prepare(spec, &self->shared, err);
	sigprocmask(SIG_SETMASK, &resting, NULL);
	if (status == 0 && here_fd != -1 && fchdir(here_fd) == -1)
		status = err_errno(err, "cannot change back from the folder %s",
				   spec->work_dir);
	io_close(here_fd);
	fflush(NULL); /* or each worker would print what is left of it */
	return status;
}

/* --- in the worker to be --- */

/* Waits until the process in between has ended, and the coordinator is our parent. */
static void
server_await_coordinator(pid_t between)
{
	sigset_t usr1;
	sigemptyset(&usr1);
	sigaddset(&usr1, SIGUSR1);
	const struct timespec slice = {.tv_nsec = SERVER_SLICE_NS};
	prctl(PR_SET_PDEATHSIG, SIGUSR1); /* where that is refused, it only takes longer */
	while (getppid() == between)
		sigtimedwait(&usr1, NULL, &slice);
}

static _Noreturn void
server_worker(const struct server *self, const struct server_request *request,
	      int result_fd, pid_t between)
{
	struct starter_request starter_request = {
	    .number = (uint32_t)request->number,
	    .slot_index = request->slot_index,
	    .worker_count = request->worker_count,
	    .result_fd = result_fd,
	};
	struct worker_config worker = starter_worker(self->config, &starter_request);
	worker.shared = self->shared;
	close(self->fd); /* or the coordinator would not see the server's death */
	server_await_coordinator(between);
	self->config->run(&worker);
	_exit(WORKER_BROKEN);
}

/* --- in the server --- */

static _Noreturn void
server_between(const struct server *self, const struct server_request *request,
	       int result_fd)
{
	pid_t between = getpid();
	pid_t pid = fork();
	if (pid == 0)
		server_worker(self, request, result_fd, between);
	*self->born = pid == -1 ? -errno : pid;
	_exit(0);
}

/* The worker's pid; -1 and errno. */
static pid_t
server_bear(const struct server *self, const struct server_request *request, int result_fd)
{
	sigset_t all, old;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old); /* the handler is for the server alone */
	*self->born = -ECHILD;
	pid_t between = fork();
	int errno_value = errno;
	if (between == 0)
		server_between(self, request, result_fd);
	if (between != -1) {
		while (waitpid(between, NULL, 0) == -1 && errno == EINTR)
			;
		errno_value = -*self->born;
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (between != -1 && errno_value < 0)
		return *self->born;
	errno = errno_value;
	return -1;
}

static int
server_say(const struct server *self, const struct server_answer *answer)
{
	ssize_t sent;
	do
		sent = send(self->fd, answer, sizeof(*answer), MSG_NOSIGNAL);
	while (sent == -1 && errno == EINTR);
	return sent == -1 ? -1 : 0;
}

/* The next request and its descriptor (-1: none came). False: there will be no more. */
static bool
server_hear(const struct server *self, struct server_request *request, int *result_fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = {.iov_base = request, .iov_len = sizeof(*request)};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	ssize_t got;
	do
		got = recvmsg(self->fd, &message, MSG_CMSG_CLOEXEC);
	while (got == -1 && errno == EINTR);
	*result_fd = -1;
	if (got != (ssize_t)sizeof(*request))
		return false;
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	if (header != NULL && header->cmsg_level == SOL_SOCKET &&
	    header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(result_fd, CMSG_DATA(header), sizeof(int));
	return true;
}

static void
server_serve(const struct server *self)
{
	struct server_request request;
	int result_fd;
	while (server_hear(self, &request, &result_fd)) {
		struct server_answer answer = {.kind = SERVER_WORKER, .pid = -1};
		if (result_fd == -1)
			errno = EBADF; /* no room for it among our descriptors */
		else
			answer.pid = server_bear(self, &request, result_fd);
		if (answer.pid == -1)
			answer.errno_value = errno;
		io_close(result_fd);
		if (server_say(self, &answer) == -1)
			return;
	}
}

/* What the preparation left running ends with us. */
static void
server_end_children(void)
{
	struct tree_rule all = {0};
	if (waitpid(-1, NULL, WNOHANG) != -1)
		tree_kill(0, &all, 0);
}

_Noreturn void
server_main(const struct starter_config *config, int fd)
{
	struct server self = {.config = config, .fd = fd};
	struct server_answer answer = {.kind = SERVER_READY};
	struct err err = {0};
	server_coordinator = config->worker.coordinator;
	if (server_set_up(&self, &err) == -1 || server_prepare(&self, &err) == -1) {
		answer.kind = SERVER_FAILED;
		memcpy(answer.text, err.text, sizeof(answer.text));
	}
	if (server_say(&self, &answer) == 0 && answer.kind == SERVER_READY)
		server_serve(&self);
	server_open_signals(&self);
	config->unprepare(config->worker.spec, self.shared);
	server_end_children();
	_exit(answer.kind == SERVER_READY ? WORKER_DONE : WORKER_CANNOT_START);
}

/* jobserver.c: see jobserver.h. */
#include "ipc/jobserver.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/makeflags.h"
#include "ipc/board.h"

/* Shell scripts use the descriptors below ten for themselves. */
#define JOBSERVER_FIRST_FD 10

/* Makes any token on the board another number than none. */
#define JOBSERVER_HELD UINT32_C(0x100)

/* The first make that knows a jobserver by a path. */
#define JOBSERVER_FIFO_MAJOR 4
#define JOBSERVER_FIFO_MINOR 4

/*
 * A descriptor of our own for the same pipe, so that it can be non-blocking: the flags of one that
 * was inherited are shared with all who have it.
 */
static int
jobserver_open_path(const char *path)
{
	int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd != -1 && !io_is_pipe(fd)) {
		close(fd);
		errno = ENXIO;
		return -1;
	}
	return fd;
}

static int
jobserver_open_number(int fd)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return jobserver_open_path(path);
}

/* A pipe's end, open to read or to write, and not whatever has got the number since. */
static bool
jobserver_is_end(int fd, int mode)
{
	int flags = fd < 0 ? -1 : fcntl(fd, F_GETFL);
	return flags != -1 && io_is_pipe(fd) &&
	       ((flags & O_ACCMODE) == mode || (flags & O_ACCMODE) == O_RDWR);
}

static int
jobserver_join_path(const struct makeflags_auth *auth, struct err *err)
{
	char path[PATH_MAX];
	int fd = -1;
	snprintf(path, sizeof(path), "%.*s", (int)auth->path_length, auth->path);
	errno = ENAMETOOLONG;
	if (auth->path_length < sizeof(path))
		fd = jobserver_open_path(path);
	return fd == -1 ? err_errno(err, "cannot open make's jobserver %.200s", path) : fd;
}

static int
jobserver_join_fds(const struct makeflags_auth *auth, struct err *err)
{
	if (!jobserver_is_end(auth->read_fd, O_RDONLY) ||
	    !jobserver_is_end(auth->write_fd, O_WRONLY))
		return err_set(err, ERR_SYSTEM,
			       "make's jobserver is not open to this command: put + in "
			       "front of its line in the makefile");
	int fd = jobserver_open_number(auth->read_fd);
	return fd == -1 ? err_errno(err, "cannot open make's jobserver") : fd;
}

int
jobserver_join(struct jobserver *jobserver, const char *makeflags, struct err *err)
{
	struct makeflags_auth auth;
	*jobserver = (struct jobserver){.client_fd = -1};
	if (makeflags == NULL || !makeflags_find(makeflags, &auth))
		return 0;
	jobserver->style = auth.path == NULL ? JOBSERVER_PIPE : JOBSERVER_FIFO;
	jobserver->client_fd = auth.path == NULL ? jobserver_join_fds(&auth, err)
						 : jobserver_join_path(&auth, err);
	return jobserver->client_fd == -1 ? -1 : 1;
}

int
jobserver_serve(struct jobserver *jobserver, enum jobserver_style style, size_t seat_count)
{
	*jobserver = (struct jobserver){
	    .style = style,
	    .client_fd = -1,
	    .seat_fds = malloc(seat_count * sizeof(int)),
	    .seat_count = seat_count,
	};
	if (jobserver->seat_fds == NULL)
		return -1;
	for (size_t i = 0; i < seat_count; i++)
		jobserver->seat_fds[i] = -1;
	return 0;
}

void
jobserver_close(struct jobserver *jobserver)
{
	for (size_t i = 0; jobserver->seat_fds != NULL && i < jobserver->seat_count; i++)
		io_close(jobserver->seat_fds[i]);
	free(jobserver->seat_fds);
	free(jobserver->held);
	io_close(jobserver->client_fd);
	*jobserver = (struct jobserver){.client_fd = -1};
}

enum jobserver_style
jobserver_style_of_make(void)
{
	int major = 0, minor = 0;
	/* NOLINTNEXTLINE(cert-env33-c): the command is ours, and found as any make is. */
	FILE *output = popen("MAKEFLAGS= make --version 2>/dev/null", "re");
	if (output == NULL)
		return JOBSERVER_PIPE;
	if (fscanf(output, "GNU Make %9d.%9d", &major, &minor) != 2)
		major = 0;
	int status = pclose(output);
	if (status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return JOBSERVER_FIFO; /* there is none: whatever joins in is newer */
	return major > JOBSERVER_FIFO_MAJOR ||
		       (major == JOBSERVER_FIFO_MAJOR && minor >= JOBSERVER_FIFO_MINOR)
		   ? JOBSERVER_FIFO
		   : JOBSERVER_PIPE;
}

int
jobserver_seat_fd(struct jobserver *jobserver, size_t seat)
{
	int ends[2];
	if (jobserver->client_fd != -1)
		return jobserver->client_fd;
	if (jobserver->seat_fds[seat] != -1)
		return jobserver->seat_fds[seat];
	if (io_pipe(ends, 0) == -1)
		return -1;
	jobserver->seat_fds[seat] = jobserver_open_number(ends[0]);
	close(ends[0]);
	close(ends[1]);
	return jobserver->seat_fds[seat];
}

bool
jobserver_hold(struct jobserver *jobserver)
{
	if (jobserver->held_count == jobserver->held_capacity) {
		size_t capacity =
		    jobserver->held_capacity > 0 ? jobserver->held_capacity * 2 : 16;
		char *held = realloc(jobserver->held, capacity);
		if (held == NULL)
			return false;
		jobserver->held = held;
		jobserver->held_capacity = capacity;
	}
	char *token = &jobserver->held[jobserver->held_count];
	if (!jobserver_take(jobserver->client_fd, token))
		return false;
	if (jobserver->board != NULL && jobserver->held_count < jobserver->board->seat_count)
		atomic_store(&jobserver->board->seats[jobserver->held_count].held_token,
			     JOBSERVER_HELD | (unsigned char)*token);
	jobserver->held_count++;
	return true;
}

void
jobserver_unhold(struct jobserver *jobserver)
{
	struct board *board = jobserver->board;
	size_t last = --jobserver->held_count;
	if (board != NULL && last < board->seat_count)
		atomic_store(&board->seats[last].held_token, 0);
	jobserver_give(jobserver->client_fd, jobserver->held[last]);
}

void
jobserver_unhold_orphaned(struct board *board, int fd)
{
	for (size_t i = 0; i < board->seat_count; i++) {
		uint32_t token = atomic_exchange(&board->seats[i].held_token, 0);
		if (token != 0)
			jobserver_give(fd, (char)(token & ~JOBSERVER_HELD));
	}
}

size_t
jobserver_count(int fd)
{
	int count;
	return ioctl(fd, FIONREAD, &count) == -1 || count < 0 ? 0 : (size_t)count;
}

bool
jobserver_take(int fd, char *token)
{
	return io_read(fd, token, 1) == 1;
}

void
jobserver_give(int fd, char token)
{
	/* A pipe holds 4096 at least, and never more than the tokens there are. */
	ssize_t written = io_write(fd, &token, 1);
	(void)written;
}

/* For tasks: blocking, inherited, and no number that scripts use. */
static int
jobserver_inherited(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);
	if (fd == -1)
		return -1;
	int inherited = fcntl(fd, F_DUPFD, JOBSERVER_FIRST_FD);
	int errno_value = errno;
	close(fd);
	errno = errno_value;
	return inherited;
}

int
jobserver_attach(pid_t coordinator, int fd, enum jobserver_style style, int fds[2],
		 char auth[JOBSERVER_AUTH_BYTES])
{
	char path[JOBSERVER_AUTH_BYTES - sizeof("fifo:")];
	fds[0] = fds[1] = -1;
	snprintf(path, sizeof(path), "/proc/%ld/fd/%d", (long)coordinator, fd);
	if (style == JOBSERVER_FIFO) {
		snprintf(auth, JOBSERVER_AUTH_BYTES, "fifo:%s", path);
		fds[1] = open(path, O_WRONLY | O_CLOEXEC);
		return fds[1] == -1 ? -1 : 0;
	}
	fds[0] = jobserver_inherited(path, O_RDONLY);
	fds[1] = fds[0] == -1 ? -1 : jobserver_inherited(path, O_WRONLY);
	snprintf(auth, JOBSERVER_AUTH_BYTES, "%d,%d", fds[0], fds[1]);
	return fds[1] == -1 ? -1 : 0;
}

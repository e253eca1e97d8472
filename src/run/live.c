/* live.c: see live.h. */
#include "run/live.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/io.h"
#include "ipc/sock.h"

#define LIVE_READ_BYTES 65536

/* --- finding them --- */

static int
live_add(struct live *live, const char *name, int fd, pid_t pid, struct err *err)
{
	struct live_run *grown =
	    reallocarray(live->runs, live->count + 1, sizeof(*live->runs));
	if (grown == NULL) {
		io_close(fd);
		return err_no_memory(err);
	}
	live->runs = grown;
	grown[live->count] = (struct live_run){.fd = fd, .pid = pid};
	memcpy(grown[live->count++].name, name, strlen(name) + 1);
	return 0;
}

static void
live_remove_stale(const struct sock_folder *folder, const char *file)
{
	if (sock_folder_lock(folder) == -1)
		return; /* whoever has it locked removes what is in his way */
	sock_remove_stale(folder, file);
	sock_folder_remove(folder);
	sock_folder_unlock(folder);
}

static int
live_add_file(struct live *live, const struct sock_folder *folder, const char *file,
	      const char *wanted, struct err *err)
{
	char name[RUN_NAME_BYTES];
	pid_t pid = 0;
	if (!run_name_of_file(name, file) || (wanted != NULL && strcmp(name, wanted) != 0))
		return 0;
	int fd = sock_connect(folder, file, &pid);
	if (fd == -1 && errno == ECONNREFUSED) {
		live_remove_stale(folder, file);
		return 0;
	}
	if (fd == -1 && sock_is_absent(errno))
		return 0;
	/* EAGAIN: it is there, but so are many who want to talk to it. */
	if (fd == -1 && errno != EAGAIN)
		return err_errno(err, "cannot ask %s", name);
	return live_add(live, name, fd, pid, err);
}

static int
live_add_folder(struct live *live, const struct sock_folder *folder, const char *wanted,
		struct err *err)
{
	struct dirent *entry;
	int status = 0;
	int fd = io_dup(folder->fd);
	DIR *directory = fd == -1 ? NULL : fdopendir(fd);
	if (directory == NULL) {
		err_errno(err, "cannot read %s", folder->path);
		io_close(fd);
		return -1;
	}
	while (status == 0 && (errno = 0, entry = readdir(directory)) != NULL)
		status = live_add_file(live, folder, entry->d_name, wanted, err);
	if (status == 0 && errno != 0)
		status = err_errno(err, "cannot read %s", folder->path);
	closedir(directory);
	return status;
}

static int
live_compare(const void *a, const void *b)
{
	return strverscmp(((const struct live_run *)a)->name,
			  ((const struct live_run *)b)->name);
}

int
live_open(struct live *live, const char *name, struct err *err)
{
	struct sock_folder folders[SOCK_FOLDERS_MAX];
	ssize_t count = sock_folders_open(folders);
	int status = count == -1 ? err_errno(err, "cannot look for runs") : 0;
	*live = (struct live){0};
	for (ssize_t i = 0; i < count; i++) {
		if (status == 0)
			status = live_add_folder(live, &folders[i], name, err);
		sock_folder_close(&folders[i]);
	}
	if (status == -1)
		live_close(live);
	if (live->count > 0)
		qsort(live->runs, live->count, sizeof(*live->runs), live_compare);
	return status;
}

void
live_close(struct live *live)
{
	for (size_t i = 0; i < live->count; i++) {
		io_close(live->runs[i].fd);
		buf_fini(&live->runs[i].reply);
	}
	free(live->runs);
	*live = (struct live){0};
}

/* --- talking to them --- */

/* The request is short: a socket that does not take it at once is not listened to. */
static void
live_send(struct live_run *run, const char *line, size_t length)
{
	buf_clear(&run->reply);
	run->has_replied = false;
	if (run->fd != -1 && sock_send(run->fd, line, length) != (ssize_t)length)
		io_close_set(&run->fd);
}

static int
live_read(struct live_run *run, struct err *err)
{
	if (buf_reserve(&run->reply, LIVE_READ_BYTES) == -1)
		return err_no_memory(err);
	char *to = run->reply.bytes + run->reply.length;
	ssize_t got = io_read(run->fd, to, LIVE_READ_BYTES - 1);
	if (got == -1 && errno == EAGAIN)
		return 0;
	if (got == -1 && errno != ECONNRESET)
		return err_errno(err, "cannot hear what %s replies", run->name);
	if (got <= 0 || run->reply.length + (size_t)got > LIVE_REPLY_MAX_BYTES) {
		io_close_set(&run->fd);
		return 0;
	}
	char *end = memchr(to, '\n', (size_t)got);
	run->reply.length += end != NULL ? (size_t)(end - to) : (size_t)got;
	run->has_replied = end != NULL;
	run->reply.bytes[run->reply.length] = '\0';
	return 0;
}

/* Those that are still to reply, or with `is_all` all; how many. The caller frees *fds. */
static nfds_t
live_poll_fds(const struct live *live, bool is_all, short events, struct pollfd **fds)
{
	nfds_t count = 0;
	*fds = calloc(live->count + 1, sizeof(**fds));
	for (size_t i = 0; *fds != NULL && i < live->count; i++) {
		const struct live_run *run = &live->runs[i];
		bool is_wanted = run->fd != -1 && (is_all || !run->has_replied);
		(*fds)[i] =
		    (struct pollfd){.fd = is_wanted ? run->fd : -1, .events = events};
		count += is_wanted;
	}
	return count;
}

static int
live_read_some(struct live *live, int timeout_ms, struct err *err)
{
	struct pollfd *fds;
	nfds_t count = live_poll_fds(live, false, POLLIN, &fds);
	int status = fds == NULL ? err_no_memory(err) : 1;
	int ready = status == 1 && count > 0 ? poll(fds, live->count, timeout_ms) : 0;
	if (ready == -1 && errno != EINTR)
		status = err_errno(err, "cannot wait for replies");
	else if (status == 1 && ready == 0)
		status = 0;
	for (size_t i = 0; status == 1 && i < live->count; i++)
		if (fds[i].fd != -1 && fds[i].revents != 0 &&
		    live_read(&live->runs[i], err) == -1)
			status = -1;
	free(fds);
	return status;
}

int
live_ask(struct live *live, const char *line, struct err *err)
{
	int64_t until_at_ns = clock_now_ns() + LIVE_PATIENCE_MS * NS_PER_MS;
	int status = 1;
	for (size_t i = 0; i < live->count; i++)
		live_send(&live->runs[i], line, strlen(line));
	while (status == 1)
		status = live_read_some(
		    live, clock_timeout_ms(until_at_ns, clock_now_ns()), err);
	return status;
}

void
live_wait(const struct live *live, int timeout_ms)
{
	struct pollfd *fds;
	live_poll_fds(live, true, POLLRDHUP, &fds);
	poll(fds, fds == NULL ? 0 : live->count, timeout_ms);
	free(fds);
}

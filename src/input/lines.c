/* lines.c: see lines.h. */
#include "input/lines.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"

#define LINES_BUFFER_BYTES ((size_t)64 * 1024)

/*
 * A buffer up to this size stays: items a little over the usual do not cost a realloc
 * each.
 */
#define LINES_KEPT_BYTES (4 * LINES_BUFFER_BYTES)

/* An item that is longer is read in pieces of this, between which signals are heard. */
#define LINES_PIECE_BYTES ((size_t)1024 * 1024)

struct lines {
	const char *path;
	int fd;
	char delimiter;
	bool is_regular;       /* always ready, as far as poll is concerned */
	bool is_shared_offset; /* two readers of it would share what comes */
	bool has_ended;
	dev_t device;
	ino_t inode;
	char *bytes;
	size_t capacity;
	size_t start;   /* of the item that is next */
	size_t scanned; /* no delimiter between start and here */
	size_t end;     /* of what was read */
};

static const char *
lines_name(const struct lines *lines)
{
	return lines->fd == STDIN_FILENO ? "standard input" : lines->path;
}

static int
lines_open_fd(const char *path)
{
	if (strcmp(path, "-") == 0)
		return STDIN_FILENO;
	int fd;
	do
		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	while (fd == -1 && errno == EINTR);
	return fd;
}

/* What kind of file it is; a directory is refused here, before the first task starts. */
static int
lines_inspect(struct lines *lines, struct err *err)
{
	struct stat st;
	if (fstat(lines->fd, &st) == -1)
		return err_errno(err, "cannot read %s", lines_name(lines));
	if (S_ISDIR(st.st_mode)) {
		errno = EISDIR;
		return err_errno(err, "cannot read %s", lines_name(lines));
	}
	lines->is_regular = S_ISREG(st.st_mode);
	lines->is_shared_offset =
	    S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) || isatty(lines->fd);
	lines->device = st.st_dev;
	lines->inode = st.st_ino;
	return 0;
}

struct lines *
lines_open(const char *path, char delimiter, struct err *err)
{
	struct lines *lines = calloc(1, sizeof(*lines));
	if (lines == NULL) {
		err_no_memory(err);
		return NULL;
	}
	lines->path = path;
	lines->delimiter = delimiter;
	lines->fd = lines_open_fd(path);
	if (lines->fd == -1) {
		err_errno(err, "cannot open %s", path);
		goto free_lines;
	}
	if (lines_inspect(lines, err) == -1)
		goto free_lines;
	return lines;

free_lines:
	lines_close(lines);
	return NULL;
}

void
lines_close(struct lines *lines)
{
	if (lines == NULL)
		return;
	if (lines->fd != STDIN_FILENO)
		io_close(lines->fd);
	free(lines->bytes);
	free(lines);
}

static int
lines_resize(struct lines *lines, size_t capacity, struct err *err)
{
	assert(capacity >= lines->end);
	char *bytes = realloc(lines->bytes, capacity);
	if (bytes == NULL)
		return err_no_memory(err);
	lines->bytes = bytes;
	lines->capacity = capacity;
	return 0;
}

/*
 * The unfinished item to the front; the buffer back to its usual size, or larger if full.
 */
static int
lines_make_room(struct lines *lines, struct err *err)
{
	size_t left = lines->end - lines->start;
	if (lines->start > 0) {
		memmove(lines->bytes, lines->bytes + lines->start, left);
		lines->scanned -= lines->start;
		lines->start = 0;
		lines->end = left;
	}
	if (lines->capacity > LINES_KEPT_BYTES && left < LINES_BUFFER_BYTES)
		return lines_resize(lines, LINES_BUFFER_BYTES, err);
	if (left < lines->capacity)
		return 0;
	if (left > TASK_ARG_MAX_BYTES)
		return err_set(
		    err, ERR_USAGE,
		    "%s: an item is longer than 2 GiB: is the delimiter right?",
		    lines_name(lines));
	size_t capacity = lines->capacity > 0 ? lines->capacity * 2 : LINES_BUFFER_BYTES;
	return lines_resize(lines, capacity, err);
}

/* 1: a read will not block; 0: it would. */
static int
lines_poll(const struct lines *lines, int timeout_ms, struct err *err)
{
	if (lines->is_regular)
		return 1;
	struct pollfd pollfd = {.fd = lines->fd, .events = POLLIN};
	int ready;
	do
		ready = poll(&pollfd, 1, timeout_ms);
	while (ready == -1 && errno == EINTR);
	return ready == -1 ? err_errno(err, "cannot read %s", lines_name(lines)) : ready;
}

/* One read. SOURCE_TASK: there is more to look at; SOURCE_END: there never will be. */
static enum source_status
lines_fill(struct lines *lines, int timeout_ms, struct err *err)
{
	int ready = lines_poll(lines, timeout_ms, err);
	if (ready <= 0)
		return ready == 0 ? SOURCE_WAIT : SOURCE_ERROR;
	if (lines_make_room(lines, err) == -1)
		return SOURCE_ERROR;
	size_t room = lines->capacity - lines->end;
	ssize_t got = io_read(lines->fd, lines->bytes + lines->end,
			      room < LINES_PIECE_BYTES ? room : LINES_PIECE_BYTES);
	if (got == -1 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return SOURCE_WAIT; /* nonblocking, and another reader was faster */
	if (got == -1) {
		err_errno(err, "cannot read %s", lines_name(lines));
		return SOURCE_ERROR;
	}
	lines->end += (size_t)got;
	return got == 0 ? SOURCE_END : SOURCE_TASK;
}

/* The bytes up to `end`; the next item starts at `next`. */
static enum source_status
lines_take(struct lines *lines, size_t end, size_t next, struct arg *item)
{
	item->bytes = lines->bytes + lines->start;
	item->length = end - lines->start;
	lines->start = next;
	lines->scanned = next;
	return SOURCE_TASK;
}

/* An item that is whole in the buffer. */
static bool
lines_find(struct lines *lines, struct arg *item)
{
	if (lines->scanned == lines->end)
		return false;
	const char *found = memchr(lines->bytes + lines->scanned, lines->delimiter,
				   lines->end - lines->scanned);
	if (found == NULL) {
		lines->scanned = lines->end;
		return false;
	}
	size_t end = (size_t)(found - lines->bytes);
	lines_take(lines, end, end + 1, item);
	return true;
}

static enum source_status
lines_next_within(struct lines *lines, int timeout_ms, struct arg *item, struct err *err)
{
	for (bool has_read = false; !lines_find(lines, item); has_read = true) {
		if (has_read && timeout_ms == 0 &&
		    lines->end - lines->start >= LINES_PIECE_BYTES)
			return SOURCE_WAIT;
		enum source_status status =
		    lines->has_ended ? SOURCE_END : lines_fill(lines, timeout_ms, err);
		if (status == SOURCE_TASK || (status == SOURCE_WAIT && timeout_ms == -1))
			continue;
		if (status != SOURCE_END)
			return status;
		lines->has_ended = true; /* a terminal would give more after its ^D */
		if (lines->start == lines->end)
			return SOURCE_END;
		return lines_take(lines, lines->end, lines->end, item);
	}
	return SOURCE_TASK;
}

enum source_status
lines_next(struct lines *lines, struct arg *item, struct err *err)
{
	return lines_next_within(lines, 0, item, err);
}

enum source_status
lines_next_wait(struct lines *lines, struct arg *item, struct err *err)
{
	return lines_next_within(lines, -1, item, err);
}

int
lines_fd(const struct lines *lines)
{
	return lines->fd;
}

bool
lines_share_input(const struct lines *one, const struct lines *other)
{
	if (one->fd == other->fd)
		return true;
	return one->is_shared_offset && other->is_shared_offset &&
	       one->device == other->device && one->inode == other->inode;
}

/* writer.c: see writer.h. */
#include "sink/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"

#define WRITER_PIPE_BYTES (1024 * 1024)
#define WRITER_STAGE_BYTES \
	((size_t)256 * 1024) /* copied while our reader copies as much */
#define WRITER_ONCE_BYTES ((size_t)1024 * 1024)
#define WRITER_KEEP_BYTES \
	(2 * WRITER_GATHER_BYTES) /* a larger queue is freed when empty */

static enum writer_kind
writer_find_kind(struct writer *writer)
{
	struct stat st;
	if (fstat(writer->fd, &st) == -1)
		return WRITER_POLLED; /* the first write says what is wrong */
	if (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode))
		return WRITER_FILE;
	if (S_ISFIFO(st.st_mode) && fcntl(writer->fd, F_GETPIPE_SZ) < WRITER_PIPE_BYTES)
		fcntl(writer->fd, F_SETPIPE_SZ,
		      WRITER_PIPE_BYTES); /* a smaller pipe works too */
	writer->private_fd = io_reopen_nonblocking(writer->fd);
	if (writer->private_fd != -1)
		return S_ISFIFO(st.st_mode) ? WRITER_PIPE : WRITER_NONBLOCKING;
	writer->private_fd = fcntl(writer->fd, F_DUPFD_CLOEXEC, 0); /* to wait on */
	return S_ISSOCK(st.st_mode) ? WRITER_SOCKET : WRITER_POLLED;
}

void
writer_init(struct writer *writer, int fd, const char *name)
{
	*writer = (struct writer){
	    .fd = fd, .private_fd = -1, .stage_fds = {-1, -1}, .name = name};
	writer->kind = writer_find_kind(writer);
}

void
writer_fini(struct writer *writer)
{
	io_close_set(&writer->private_fd);
	io_close_set(&writer->stage_fds[0]);
	io_close_set(&writer->stage_fds[1]);
	buf_fini(&writer->queue);
}

size_t
writer_queued_bytes(const struct writer *writer)
{
	return writer->stage_bytes + writer->queue.length - writer->queue_from;
}

int
writer_wait_fd(const struct writer *writer)
{
	return writer->private_fd == -1 ? writer->fd : writer->private_fd;
}

/* Shortens the list to `most` bytes in all; returns how many entries are left. */
static int
writer_cut(struct iovec parts[2], int count, size_t most)
{
	for (int i = 0; i < count; i++) {
		if (parts[i].iov_len >= most) {
			parts[i].iov_len = most;
			return i + 1;
		}
		most -= parts[i].iov_len;
	}
	return count;
}

static ssize_t
writer_write_polled(struct writer *writer, const struct iovec *parts, int count)
{
	struct pollfd pfd = {.fd = writer->fd, .events = POLLOUT};
	if (poll(&pfd, 1, 0) == 0) {
		errno = EAGAIN;
		return -1;
	}
	return writev(writer->fd, parts, count);
}

/* One system call's worth. */
static ssize_t
writer_write_once(struct writer *writer, struct iovec parts[2], int count)
{
	switch (writer->kind) {
	case WRITER_FILE:
		return writev(writer->fd, parts,
			      writer_cut(parts, count, WRITER_ONCE_BYTES));
	case WRITER_NONBLOCKING:
	case WRITER_PIPE:
		return writev(writer->private_fd, parts, count);
	case WRITER_SOCKET: {
		struct msghdr message = {.msg_iov = parts, .msg_iovlen = (size_t)count};
		return sendmsg(writer->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	case WRITER_POLLED:
		return writer_write_polled(writer, parts,
					   writer_cut(parts, count, PIPE_BUF));
	}
	return -1;
}

static void
writer_drop(struct writer *writer)
{
	buf_fini(&writer->queue);
	writer->queue_from = 0;
	writer->stage_bytes = 0; /* nothing will be written any more */
}

/* What a failed write means: 0 for "later" and for a reader that has gone. */
static int
writer_failed(struct writer *writer, struct err *err)
{
	if (errno == EAGAIN || errno == EWOULDBLOCK) {
		writer->is_blocked = true;
		writer->blocked_at_ns = clock_now_ns();
		return 0;
	}
	if (errno == EPIPE || errno == ECONNRESET) {
		writer->is_closed = true;
		writer_drop(writer);
		return 0;
	}
	return err_errno(err, "cannot write to %s", writer->name);
}

/* `written` bytes of the queue, then of *bytes, have gone out. */
static void
writer_advance(struct writer *writer, size_t written, const char **bytes, size_t *length)
{
	size_t queued = writer_queued_bytes(writer);
	writer->written_bytes += written;
	size_t from_queue = written < queued ? written : queued;
	writer->queue_from += from_queue;
	*bytes += written - from_queue;
	*length -= written - from_queue;
	if (writer_queued_bytes(writer) > 0)
		return;
	writer->queue_from = 0;
	if (writer->queue.capacity > WRITER_KEEP_BYTES)
		buf_fini(&writer->queue);
	else
		buf_clear(&writer->queue);
}

/* What is in our own pipe changes over, as far as there is room. */
static int
writer_move(struct writer *writer, struct err *err)
{
	while (writer->stage_bytes > 0) {
		ssize_t moved = splice(writer->stage_fds[0], NULL, writer->private_fd,
				       NULL, writer->stage_bytes, SPLICE_F_NONBLOCK);
		if (moved == -1 && errno == EINTR)
			continue;
		if (moved == 0)
			errno = EIO;
		if (moved <= 0)
			return writer_failed(writer, err);
		writer->stage_bytes -= (size_t)moved;
		writer->written_bytes += (uint64_t)moved;
	}
	return 0;
}

/* What is drawn on the terminal goes first. 0; -1: not now. */
static int
writer_clear_screen(const struct writer *writer)
{
	if (writer->screen == NULL || screen_erase(writer->screen))
		return 0;
	errno = EAGAIN;
	return -1;
}

/* The last of the next `written` bytes in the list. */
static char
writer_last_byte(const struct iovec *parts, size_t written)
{
	/* NOLINTNEXTLINE(clang-analyzer-core*): no more is written than the parts have. */
	while (written > parts->iov_len)
		written -= parts++->iov_len;
	return ((const char *)parts->iov_base)[written - 1];
}

/* Writes the queue and then the bytes until all is out or nothing more is taken now. */
static int
writer_write(struct writer *writer, const char **bytes, size_t *length, struct err *err)
{
	if (writer_move(writer, err) == -1)
		return -1;
	while (writer->stage_bytes == 0 && writer_queued_bytes(writer) + *length > 0) {
		struct iovec parts[2];
		int count = 0;
		if (writer_queued_bytes(writer) > 0)
			parts[count++] = (struct iovec){
			    .iov_base = writer->queue.bytes + writer->queue_from,
			    .iov_len = writer_queued_bytes(writer)};
		if (*length > 0)
			parts[count++] =
			    (struct iovec){.iov_base = (char *)*bytes, .iov_len = *length};
		ssize_t written = writer_clear_screen(writer);
		if (written == 0)
			written = writer_write_once(writer, parts, count);
		if (written == -1 && errno == EINTR)
			continue;
		if (written == 0)
			errno =
			    EIO; /* nothing taken and no reason given: never wait for more of it */
		if (written <= 0)
			return writer_failed(writer, err);
		if (writer->screen != NULL)
			screen_wrote(writer->screen,
				     writer_last_byte(parts, (size_t)written));
		writer_advance(writer, (size_t)written, bytes, length);
	}
	return 0;
}

static int
writer_enqueue(struct writer *writer, const char *bytes, size_t length, struct err *err)
{
	if (writer->queue_from > writer->queue.length / 2) {
		buf_consume(&writer->queue, writer->queue_from);
		writer->queue_from = 0;
	}
	return buf_append(&writer->queue, bytes, length) == -1 ? err_no_memory(err) : 0;
}

int
writer_put(struct writer *writer, const char *bytes, size_t length, struct err *err)
{
	if (writer->is_closed)
		return 0;
	bool is_small = writer_queued_bytes(writer) + length < WRITER_GATHER_BYTES;
	if (!writer->is_blocked && !is_small &&
	    writer_write(writer, &bytes, &length, err) == -1)
		return -1;
	if (writer->is_closed)
		return 0;
	return writer_enqueue(writer, bytes, length, err);
}

/* A pipe of our own, once; without one there is none. */
static bool
writer_has_stage(struct writer *writer)
{
	if (writer->kind != WRITER_PIPE || writer->stage_fds[1] != -1)
		return writer->kind == WRITER_PIPE;
	if (io_pipe(writer->stage_fds, WRITER_PIPE_BYTES) == 0 &&
	    io_set_nonblocking(writer->stage_fds[1]) == 0)
		return true;
	writer->kind = WRITER_NONBLOCKING;
	return false;
}

/* As writer_offer, by way of our own pipe. */
static int
writer_offer_pages(struct writer *writer, const char **bytes, size_t *length,
		   struct err *err)
{
	const char *nothing = NULL;
	size_t none = 0;
	if (writer_write(writer, &nothing, &none, err) == -1)
		return -1;
	while (*length > 0 && writer_queued_bytes(writer) == 0 && !writer->is_closed) {
		size_t part = *length < WRITER_STAGE_BYTES ? *length : WRITER_STAGE_BYTES;
		ssize_t staged = io_write(writer->stage_fds[1], *bytes, part);
		if (staged <= 0)
			return writer_failed(writer, err);
		writer->stage_bytes = (size_t)staged;
		*bytes += staged;
		*length -= (size_t)staged;
		if (writer_move(writer, err) == -1)
			return -1;
	}
	return 0;
}

int
writer_offer(struct writer *writer, const char *bytes, size_t length, size_t *taken,
	     struct err *err)
{
	size_t left = length;
	int status = 0;
	if (!writer->is_blocked && !writer->is_closed)
		status = writer_has_stage(writer)
			     ? writer_offer_pages(writer, &bytes, &left, err)
			     : writer_write(writer, &bytes, &left, err);
	*taken = writer->is_closed ? length : length - left;
	return status;
}

int
writer_flush(struct writer *writer, struct err *err)
{
	const char *nothing = NULL;
	size_t length = 0;
	writer->is_blocked = false;
	return writer_write(writer, &nothing, &length, err);
}

bool
writer_reader_is_gone(const struct writer *writer)
{
	struct pollfd pfd = {.fd = writer->fd};
	return writer->is_closed ||
	       (poll(&pfd, 1, 0) == 1 && (pfd.revents & (POLLERR | POLLHUP)) != 0);
}

int
writer_check_close(struct writer *writer, struct err *err)
{
	if (writer->is_closed)
		return 0;
	int copy = fcntl(writer->fd, F_DUPFD_CLOEXEC, 0);
	return copy == -1 || io_close(copy) == -1
		   ? err_errno(err, "cannot write to %s", writer->name)
		   : 0;
}

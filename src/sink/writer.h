/*
 * writer.h: bytes onto one descriptor, without blocking and without many small writes.
 *
 * Owns the bytes that the descriptor has not taken yet; the descriptor stays the
 * caller's. Small writes are gathered until WRITER_GATHER_BYTES or writer_flush, larger
 * ones go straight from the caller's bytes. Regular files are written with plain writes;
 * pipes and terminals through a private non-blocking description, so that other
 * processes' flags stay as they are.
 *
 * A pipe is locked while bytes are copied into it, and out of it: large pieces are first copied
 * into a pipe of our own, whose pages then change over without a copy, so that our reader copies
 * at the same time.
 *
 * A reader that has gone (EPIPE) is no error: everything is dropped from then on and
 * is_closed says so. Any other failure is one. SIGPIPE must be ignored or blocked.
 */
#ifndef PINION_WRITER_H
#define PINION_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/screen.h"

#define WRITER_GATHER_BYTES (64 * 1024)

enum writer_kind {
	WRITER_FILE, /* regular file, block device: takes all, in writes of at most 1 MiB */
	WRITER_NONBLOCKING, /* private_fd takes what it can */
	WRITER_PIPE,        /* the same, and pages, too */
	WRITER_SOCKET,      /* each send says that it must not block */
	WRITER_POLLED,      /* poll first, then at most PIPE_BUF bytes */
};

struct writer {
	int fd;
	int private_fd; /* non-blocking, or a duplicate to wait on; -1: none */
	enum writer_kind kind;
	const char *name;      /* for messages: "stdout"; borrowed */
	struct screen *screen; /* the terminal that fd is, where lines are drawn; or NULL */
	bool is_blocked;       /* took less than it was offered; until the next flush */
	int64_t blocked_at_ns; /* the last time it did so */
	bool is_closed;        /* its reader has gone */
	int stage_fds[2]; /* WRITER_PIPE: a pipe of our own; -1: not needed yet, or not to be had */
	size_t stage_bytes; /* in it; they go before the queue */
	struct buf queue;
	size_t queue_from;      /* queue bytes before this one are written */
	uint64_t written_bytes; /* in all */
};

void writer_init(struct writer *writer, int fd, const char *name);

/* Takes all the bytes: writes them or queues what the descriptor does not take now. */
int writer_put(struct writer *writer, const char *bytes, size_t length, struct err *err);

/*
 * Takes what the descriptor takes now, behind the queue; *taken says how much: the rest stays the
 * caller's.
 */
int writer_offer(struct writer *writer, const char *bytes, size_t length, size_t *taken,
		 struct err *err);

/* Writes what can be written of the queue. */
int writer_flush(struct writer *writer, struct err *err);

size_t writer_queued_bytes(const struct writer *writer);

/*
 * The descriptor to wait on for writing; never `fd` itself for a pipe or socket, which
 * others may watch.
 */
int writer_wait_fd(const struct writer *writer);

/*
 * True when writes would fail because the reader has gone; asks the system. Sets nothing.
 */
bool writer_reader_is_gone(const struct writer *writer);

/* Does what close does for network and quota errors, but leaves fd open. */
int writer_check_close(struct writer *writer, struct err *err);

void writer_fini(struct writer *writer);

#endif

/*
 * frame.h: messages from a worker to the coordinator, on a pipe.
 *
 * A frame is a header and payload_bytes of payload, all in host byte order (one machine, one
 * build). Order on the pipe is order in time. For one attempt: STARTED, any number of STDOUT and
 * STDERR, FINISHED. The reader trusts nothing: a header out of bounds ends the worker.
 *
 *   offset size field
 *        0    4 payload_bytes   bytes after this header, <= FRAME_PAYLOAD_MAX
 *        4    2 type            enum frame_type
 *        6    2 attempt         1 for the first try; 0 where no task is meant
 *        8    8 seq             the task's place in the input, from 0
 */
#ifndef PINION_FRAME_H
#define PINION_FRAME_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

#define FRAME_PAYLOAD_MAX (64 * 1024)
#define FRAME_ATTEMPT_MAX UINT16_MAX

enum frame_type {
	FRAME_STARTED = 1, /* payload: int64_t, CLOCK_MONOTONIC nanoseconds */
	FRAME_STDOUT,      /* payload: bytes the task wrote */
	FRAME_STDERR,
	FRAME_FINISHED, /* payload: struct result */
	FRAME_NOTE,     /* no task; payload: bytes the initializer wrote, for stderr */
	FRAME_START_FAILED, /* no task; payload: text: why this worker cannot serve */
	FRAME_TYPES,
};

struct frame_header {
	uint32_t payload_bytes;
	uint16_t type;
	uint16_t attempt;
	uint64_t seq;
};
static_assert(sizeof(struct frame_header) == 16, "wire format");

/* Appends a frame to a buffer of frames to send. 0, -1 without memory. */
int frame_append(struct buf *frames, enum frame_type type, uint64_t seq, uint32_t attempt,
		 const void *payload, size_t payload_bytes);

/* Reading: fill, then next until it says there is no whole frame. Zero-initialise; end with frame_reader_fini. */
struct frame_reader {
	struct buf bytes;
	size_t consumed; /* bytes in front that frame_next gave out */
};

/* One read of up to `max` bytes. What read(2) gives: 0 end, -1 errno (EAGAIN). */
ssize_t frame_reader_fill(struct frame_reader *reader, int fd, size_t max);

/* 1: *header and *payload (borrowed until the next fill) are the next frame; 0: none; -1: garbage. */
int frame_next(struct frame_reader *reader, struct frame_header *header,
	       const char **payload);

void frame_reader_fini(struct frame_reader *reader);

#endif

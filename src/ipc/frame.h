/*
 * frame.h: messages from a worker to the coordinator, in the worker's outbox.
 *
 * A frame is a header and payload_bytes of payload, all in host byte order (one machine, one
 * build); it is committed whole. Order is order in time. For one attempt: STARTED, any number of
 * STDOUT and STDERR, FINISHED; or one ANSWER; or RETURNED. The reader trusts nothing: a header out of bounds ends the worker.
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

#define FRAME_PAYLOAD_MAX (64 * 1024)
#define FRAME_ATTEMPT_MAX UINT16_MAX

enum frame_type {
	FRAME_STARTED = 1, /* payload: int64_t, CLOCK_MONOTONIC nanoseconds */
	FRAME_STDOUT,      /* payload: bytes the task wrote */
	FRAME_STDERR,
	FRAME_BLOCK,    /* payload: struct block_part: bytes the task wrote, in a block */
	FRAME_FINISHED, /* payload: struct result */
	FRAME_ANSWER, /* all of a success in one; payload: struct frame_answer, its stdout */
	FRAME_RETURNED, /* payload: uint32_t: so many tasks from seq on will not be started */
	FRAME_NOTE,     /* no task; payload: bytes the initializer wrote, for stderr */
	FRAME_START_FAILED, /* no task; payload: text: why this worker cannot serve */
	FRAME_BROKEN, /* no task; payload: text: why no worker of this kind can be trusted */
	FRAME_TYPES,
};

struct frame_header {
	uint32_t payload_bytes;
	uint16_t type;
	uint16_t attempt;
	uint64_t seq;
};
static_assert(sizeof(struct frame_header) == 16, "wire format");

struct frame_answer {
	int64_t started_at_ns;
	int64_t wall_ns;
};

/* What a frame with so much payload takes. */
static inline size_t
frame_bytes(size_t payload_bytes)
{
	return sizeof(struct frame_header) + payload_bytes;
}

/* Writes a frame's header to `to`; its payload goes behind it. */
void frame_put_header(char *to, enum frame_type type, uint64_t seq, uint32_t attempt,
		      size_t payload_bytes);

/* 1: *header and *payload are the frame at `bytes`; 0: there is none; -1: garbage. */
int frame_get(const char *bytes, size_t length, struct frame_header *header,
	      const char **payload);

#endif

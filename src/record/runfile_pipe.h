/*
 * runfile_pipe.h: the coordinator's ends of the two pipes between it and the recorder of its run
 * file; the frames in them are runfile_wire.h's.
 *
 * Owns both descriptors, and what the recorder's pipe has not taken yet. runfile_pipe_say and
 * runfile_pipe_flush never wait; runfile_pipe_say_rest and runfile_pipe_await do, until a moment
 * (CLOCK_NEVER: as long as it takes) that passes with an error.
 */
#ifndef PINION_RUNFILE_PIPE_H
#define PINION_RUNFILE_PIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "record/runfile_wire.h"

#define RUNFILE_PIPE_BYTES (1024 * 1024)

/* Both descriptors -1: no recorder. */
struct runfile_pipe {
	int to_fd; /* non-blocking */
	int from_fd;
	const char *path;   /* of the run file, for messages; borrowed */
	struct buf pending; /* frames */
	size_t sent;        /* bytes of them */
	struct buf answer; /* frames of the recorder's, the last one perhaps not yet whole */
};

void runfile_pipe_fini(struct runfile_pipe *pipe);

/*
 * One frame about that stage, of up to two pieces; the `rest` bytes that it has behind them are
 * the caller's to append to `pending`, where there is room for them.
 */
int runfile_pipe_say(struct runfile_pipe *pipe, uint32_t stage, enum wire_type type,
		     const void *head, size_t head_bytes, const void *tail,
		     size_t tail_bytes, size_t rest, struct err *err);

/* What has been said and not been taken yet. */
size_t runfile_pipe_pending_bytes(const struct runfile_pipe *pipe);

/* As much as the pipe takes. */
int runfile_pipe_flush(struct runfile_pipe *pipe, struct err *err);

/* All there is left to say. */
int runfile_pipe_say_rest(struct runfile_pipe *pipe, int64_t until_ns, struct err *err);

/* Hears one frame that is not the one waited for. 0, or -1 and err, which ends the waiting. */
typedef int runfile_pipe_hear(void *context, const struct wire_header *header,
			      const char *payload, struct err *err);

/*
 * Waits for a frame of `type`, and says meanwhile what there is to say; `hear` gets the frames that
 * come before it, and it. WIRE_FAILED is an error: what it says.
 */
int runfile_pipe_await(struct runfile_pipe *pipe, enum wire_type type, int64_t until_ns,
		       runfile_pipe_hear *hear, void *context, struct err *err);

#endif

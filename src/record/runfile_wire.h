/*
 * runfile_wire.h: what the coordinator and the recorder of its run file say to each other.
 *
 * Frames over two pipes: a header, then payload_bytes of payload, all in host byte order (the
 * recorder is a fork of the coordinator). Whole frames only: one that is cut off says that its
 * writer has died.
 */
#ifndef PINION_RUNFILE_WIRE_H
#define PINION_RUNFILE_WIRE_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "record/identity.h"
#include "task/result.h"

enum wire_type {
	/* To the recorder. */
	WIRE_OUTPUT = 1, /* wire_output, the bytes: of the attempt at hand */
	WIRE_RETRIED,    /* wire_output: forget them; stream means nothing */
	WIRE_SETTLED,    /* wire_settled, the packed args */
	WIRE_ANSWERED, /* wire_answered, wire_answer each, their outputs, the packed args */
	WIRE_RECALL, /* struct identity: what it had put out, once for each that was done before */
	WIRE_END, /* wire_end: nothing more will come; make it last */

	/* From it. */
	WIRE_DONE_MAX,    /* uint64_t: room for so many that may be done before */
	WIRE_DONE_BEFORE, /* struct identity, many: tasks that are not to be run again */
	WIRE_ENDED,       /* wire_ended: how one of them has ended, where a joblog asks */
	WIRE_PIECE,       /* of the stdout of the task that was asked for */
	WIRE_RECALLED,    /* uint32_t: that was all; or 0: it had not succeeded */
	WIRE_NAMES,  /* wire_names, packed: what the columns of the tasks are called */
	WIRE_TASK,   /* wire_task, the packed args: to be run again */
	WIRE_READY,  /* all is said of what was before this run */
	WIRE_FAILED, /* wire_failed, the text: the last frame */
	WIRE_SAVED,  /* after WIRE_END: all of it is on disk; the last frame */
};

struct wire_header {
	uint32_t payload_bytes;
	uint32_t type;
	uint32_t stage; /* which of those that are run it is about */
};

struct wire_output {
	uint64_t seq;
	uint64_t stream;
};

struct wire_settled {
	uint64_t seq;
	uint32_t attempt;
	uint32_t arg_count;
	struct result result;
};

struct wire_answered {
	uint64_t seq; /* of the first */
	uint32_t count;
	uint32_t arg_count;
	uint32_t worker;
	uint32_t slot;
	int64_t real_offset_ns; /* from the clock of the answers to the time of day */
	uint64_t output_bytes;
};

struct wire_answer {
	int64_t started_at_ns;
	int64_t wall_ns;
	uint64_t output_bytes;
};

struct wire_ended {
	struct identity identity;
	struct result result; /* past_read_end */
	uint64_t taken_count; /* 0; for who hears it: of those with the same identity */
};

struct wire_end {
	int32_t outcome; /* enum records_outcome */
	int32_t exit_status;
	uint64_t passed_count;
};

struct wire_task {
	uint64_t seq;
	uint32_t arg_count;
	uint32_t unused;
};

struct wire_names {
	uint32_t column_count;
	uint32_t name_count;
};

struct wire_failed {
	int32_t kind; /* enum err_kind */
	int32_t errno_value;
};

static_assert(sizeof(struct wire_header) == 12 && sizeof(struct wire_output) == 16 &&
		  sizeof(struct wire_settled) == 104 &&
		  sizeof(struct wire_answered) == 40 && sizeof(struct wire_answer) == 24 &&
		  sizeof(struct wire_end) == 16 && sizeof(struct wire_ended) == 112 &&
		  sizeof(struct wire_task) == 16 && sizeof(struct wire_failed) == 8,
	      "wire format");

#endif

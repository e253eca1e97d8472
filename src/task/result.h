/*
 * result.h: how an attempt at a task ended, and what it cost.
 *
 * Made by the worker, travels as the payload of a FRAME_FINISHED, handed to the plan and the
 * sinks. Fixed-size fields in host byte order: both ends are the same build on one machine.
 */
#ifndef PINION_RESULT_H
#define PINION_RESULT_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum result_reason {
	RESULT_EXIT,    /* ended by itself, exit_status says how */
	RESULT_SIGNAL,  /* by a signal that is not ours */
	RESULT_TIMEOUT, /* we ended it: over its time */
	RESULT_CANNOT_EXECUTE, /* never ran: errno_value says why (ENOENT, EACCES, E2BIG, EINVAL: NUL byte) */
	RESULT_LOST, /* its worker died under it */
	RESULT_NO_ANSWER, /* the program it was fed to ended; errno_value: it broke the protocol */
	RESULT_CANCELLED, /* we ended it: --halt now, a signal to pinion */
	RESULT_SKIPPED,   /* never started and never will */
	RESULT_NO_OUTPUT, /* exited with 0, but an output is not there: errno_value; below 0: that one was not written, -1 the first */
	RESULT_MEMORY, /* the kernel killed it for want of memory; the rest is as without knowing that */
	RESULT_REASONS,
};

enum result_stream { RESULT_STDOUT, RESULT_STDERR, RESULT_STREAMS };

struct result {
	uint32_t reason;     /* enum result_reason */
	int32_t exit_status; /* 0..255; for CANNOT_EXECUTE 126 or 127, for NO_OUTPUT 1 */
	int32_t signal; /* RESULT_SIGNAL, TIMEOUT, CANCELLED: what ended it; else 0 */
	int32_t errno_value; /* CANNOT_EXECUTE, NO_OUTPUT */
	int32_t pid;         /* of the task's first process; 0: none */
	uint32_t worker; /* number of the worker process, from 0, never used twice in a run */
	uint32_t slot;           /* seat, from 1 */
	int32_t cpu;             /* it ended on; -1: unknown */
	int64_t started_real_ns; /* since 1970 */
	int64_t wall_ns;
	int64_t user_ns;
	int64_t sys_ns;
	int64_t maxrss_bytes;
	uint64_t stdout_bytes;
	uint64_t stderr_bytes;
};
static_assert(sizeof(struct result) == 88, "frame payload");

/*
 * The short form of a success: nothing but what it printed on stdout. Answers of consecutive
 * tasks are told together, their outputs in a row.
 */
struct answer {
	int64_t started_at_ns;
	int64_t wall_ns;
	uint32_t bytes; /* of its output */
};

struct answers {
	const struct answer *items;
	uint32_t count;
	uint32_t worker; /* as in struct result */
	uint32_t slot;
	const char *bytes; /* the outputs */
	size_t length;
};

static inline bool
result_is_success(const struct result *result)
{
	return result->reason == RESULT_EXIT && result->exit_status == 0;
}

/* How many attempts were started, of which this is the end, and `attempt` the one it was due for. */
static inline uint32_t
result_attempts(const struct result *result, uint32_t attempt)
{
	bool has_begun = result->reason != RESULT_SKIPPED &&
			 (result->reason != RESULT_CANCELLED || result->slot != 0);
	return has_begun ? attempt : attempt - 1;
}

/* What GNU parallel calls Exitval: -1 where there was no end to have one. */
int result_gnu_exit(const struct result *result);

/*
 * "exit 3", "killed by signal 9 (KILL)", "timed out", "cannot execute: No such file or directory",
 * "lost: its worker died", "killed by the kernel for memory", ... into text. Always
 * NUL-terminated; returns text.
 */
const char *result_describe(const struct result *result, char *text, size_t text_bytes);

#endif

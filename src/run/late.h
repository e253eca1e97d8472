/*
 * late.h: ends of tasks whose output is still on its way, so that records hear of them later.
 *
 * Keeps copies of the task or chunk and of its result or answers, by ticket: a number that
 * tells when its output is out (sink.h, out_end). Told by `sinks`, its only caller, which
 * takes those that are due. Owns the copies until they are taken.
 */
#ifndef PINION_LATE_H
#define PINION_LATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "task/result.h"
#include "task/task.h"

/* With more than this no further tasks should be started: what they leave is kept, too. */
#define LATE_MAX_BYTES ((size_t)32 * 1024 * 1024)

/* One allocation; free() ends it. */
struct late_end {
	uint64_t ticket; /* the first */
	uint32_t count;  /* of tasks, and of tickets */
	bool is_answered;
	struct result result;   /* not is_answered */
	struct answers answers; /* is_answered */
	size_t size;
	struct task *task; /* behind this, with what answers points to */
};

/* Zero: empty. */
struct late {
	struct late_end **ends; /* a heap: the first one has the lowest ticket */
	size_t count;
	size_t capacity;
	size_t bytes;      /* of all copies */
	bool keeps_output; /* somebody will want the bytes of answers, too */
};

/* 0, -1 without memory. No two have the same ticket. */
int late_keep_settled(struct late *late, uint64_t ticket, const struct task *task,
		      const struct result *result);
int late_keep_answered(struct late *late, uint64_t ticket, const struct task *chunk,
		       const struct answers *answers);

/* The next one, in the order of tickets, whose tickets are all before `end`; NULL: none. The caller's. */
struct late_end *late_take(struct late *late, uint64_t end);

void late_fini(struct late *late);

#endif

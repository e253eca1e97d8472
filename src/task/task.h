/*
 * task.h: one unit of work and its bytes; or a chunk of them.
 *
 * A task is a list of values (`args`); what to do with them is the job's template, which
 * workers inherit. The values travel packed: per value a uint32_t length in host order,
 * the bytes, one NUL that is not counted. The same packing is the payload of a ring cell,
 * behind struct task_cell.
 *
 * Where tasks are short, several consecutive ones travel as one struct task: a chunk. What
 * happens to it happens to its first task: whoever needs that one alone splits it off.
 *
 * Made by a source (task_new), then owned by the plan until it settles.
 */
#ifndef PINION_TASK_H
#define PINION_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "task/arg.h"

#define TASK_ATTEMPTS_MAX UINT32_C(65535) /* 16 bits in frames */
#define TASK_ARG_MAX_BYTES UINT32_C(0x7fffffff)
#define TASK_SEQS_MAX UINT64_C(1000000000000000) /* more than anyone can run */
#define TASK_CHUNK_MAX 1024                      /* tasks in a chunk */
#define TASK_CHUNK_MAX_BYTES (48 * 1024) /* a chunk that has so many grows no more */

enum task_state {
	TASK_INVALID,
	TASK_READY,   /* with the plan: not yet given to a backend, or given back */
	TASK_BACKOFF, /* with the plan until its retry is due */
	TASK_QUEUED,  /* with a backend */
	TASK_RUNNING,
	TASK_SETTLED,
	TASK_STATES,
};

struct task {
	uint64_t seq;          /* place in the input, from 0; in a chunk: of the first */
	uint32_t count;        /* of tasks: more than one is a chunk */
	uint32_t attempt;      /* 1 for the first */
	uint32_t arg_count;    /* of each task */
	enum task_state state; /* the plan's */
	bool is_done;          /* before this run: it is not to be started (history.h) */
	bool has_retry_left; /* it failed, and the end of the run came before its retry */
	bool is_unknown; /* is_done, but only because it is not asked for: not to be counted */
	uint32_t chunk_max; /* to be given in chunks of so many at most; 0: any */
	int64_t due_at_ns;  /* TASK_BACKOFF: when to try again */
	struct task *next;  /* the plan's lists */
	size_t packed_at;   /* before it: what was dropped */
	size_t packed_bytes;
	char packed[]; /* the packed args, task by task */
};

/* In front of the packed args in a ring cell. Same machine, same build: host byte order. */
struct task_cell {
	uint64_t seq;
	uint32_t count;
	uint32_t attempt;
	uint32_t arg_count;
	uint32_t unused; /* no gap, which would be bytes of ours */
};

/* Appends one value in packed form. 0, -1 without memory or above TASK_ARG_MAX_BYTES. */
int task_pack(struct buf *packed, const char *bytes, size_t length);

/*
 * `count` tasks with the packed args, so many for each; attempt 1, TASK_READY. NULL without
 * memory. free() ends it.
 */
struct task *task_new(uint64_t seq, uint32_t count, uint32_t arg_count,
		      const struct buf *packed);

/*
 * The tasks from `seq` on and before `end`, of which nothing is known and none is to be started:
 * is_done and is_unknown; as many of them as one chunk can be. NULL without memory.
 */
struct task *task_new_gap(uint64_t seq, uint64_t end);

static inline const char *
task_bytes(const struct task *task)
{
	return task->packed + task->packed_at;
}

/* What a chunk's first `count` tasks take of its packed bytes. */
size_t task_prefix_bytes(const struct task *task, uint32_t count);

/* Makes a chunk's first `count` tasks, which are not all, one of their own. NULL without memory. */
struct task *task_split(struct task *task, uint32_t count);

/* Forgets the first `count` tasks of a chunk, which are not all. */
void task_drop(struct task *task, uint32_t count);

/*
 * The `arg_count` values of a packed list, borrowed from `packed`.
 * `*args` is grown with realloc when `*arg_capacity` is too small; the caller frees it.
 * 0; -1 without memory or when the packing is not sound: fewer values, or bytes left over.
 */
int task_unpack(const char *packed, size_t packed_bytes, uint32_t arg_count,
		struct arg **args, size_t *arg_capacity);

/* As task_unpack, but of a longer list: moves *packed and *packed_bytes behind what it took. */
int task_unpack_next(const char **packed, size_t *packed_bytes, uint32_t arg_count,
		     struct arg **args, size_t *arg_capacity);

#endif

/*
 * backend.h: interface of what runs tasks: the local pool, a dry run, later remote pools.
 *
 * The run submits tasks and hears of them through the client's functions, which the
 * backend calls from the loop's callbacks. For each submitted attempt it calls finished,
 * answered or returned exactly once; output of an attempt comes after its started and before
 * its finished. The tasks of a chunk are told of in their order. A backend decides nothing: no
 * retry, no order, no halt.
 */
#ifndef PINION_BACKEND_H
#define PINION_BACKEND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "task/result.h"
#include "task/task.h"

struct backend {
	const struct backend_ops *ops;
};

struct backend_client {
	void *context;
	void (*started)(void *context, uint64_t seq, uint32_t attempt, uint32_t slot,
			int64_t started_at_ns);
	void (*output)(void *context, uint64_t seq, uint32_t attempt,
		       enum result_stream stream, const char *bytes, size_t length);
	void (*finished)(void *context, uint64_t seq, uint32_t attempt,
			 const struct result *result);
	/* Started and finished in one: the tasks from seq on, all successes. */
	void (*answered)(void *context, uint64_t seq, uint32_t attempt,
			 const struct answers *answers);
	/*
	 * Was never started and will not be: its worker died or was ended before its turn, or
	 * withdraw; or it was, and its worker was ended for another task. What is left of the chunk comes back with it. They are to be given
	 * in chunks of at most chunk_max from now on (0: of any size): so that several workers
	 * share them, or, where a worker died over one of them and nobody knows which, one by
	 * one.
	 */
	void (*returned)(void *context, uint64_t seq, uint32_t attempt, uint32_t chunk_max);
	/* Bytes for stderr that belong to no task: an initializer's output. */
	void (*note)(void *context, const char *bytes, size_t length);
	/* No tasks can be served any more: the client is to cancel_all and close. */
	void (*broken)(void *context, const struct err *err);
};

/* How hard to end what runs: each is for when the one before did not help. */
enum backend_force {
	BACKEND_GRACE,       /* --termseq to the task's tree */
	BACKEND_AT_ONCE,     /* SIGKILL to the task's tree */
	BACKEND_KILL_WORKER, /* SIGKILL to the worker, then to all it leaves behind */
};

#define BACKEND_NO_TASK UINT64_MAX

/* What a worker does. */
struct backend_worker {
	uint32_t slot; /* from 1 */
	int32_t pid;
	uint64_t seq;          /* of the task in hand; BACKEND_NO_TASK: none */
	uint32_t attempt;      /* of that */
	int32_t task_pid;      /* its first process; 0: none that we know */
	uint64_t served_count; /* tasks ended by this process */
};

struct backend_ops {
	/* How many more tasks it takes now. */
	size_t (*room)(const struct backend *backend);

	/* How many of them are best submitted as one chunk. */
	uint32_t (*chunk)(const struct backend *backend);

	/* Workers that could start a task at once: what a start delay feeds. */
	size_t (*idle_count)(const struct backend *backend);

	/*
	 * A task or a chunk. Copies what it needs; the task stays the caller's. 0; 1: no room
	 * for one of this size until something finishes; -1 and err.
	 */
	int (*submit)(struct backend *backend, const struct task *task, struct err *err);

	/* After a batch of submits: wakes workers, starts more if needed. */
	int (*publish)(struct backend *backend, struct err *err);

	/*
	 * All that may start now was submitted; with `is_all` no more will be, but for what is
	 * returned or retried. Cores that are left without work may help with what runs.
	 */
	void (*spread)(struct backend *backend, bool is_all);

	/* Gives back (by returned) all that no worker has claimed. */
	void (*withdraw)(struct backend *backend);

	/* Ends a running attempt's tree; its finished comes with this reason. AT_ONCE is as GRACE. */
	void (*cancel)(struct backend *backend, uint64_t seq, enum result_reason reason,
		       enum backend_force force);

	/*
	 * This task is not to go on: if it runs, it is ended (CANCELLED), else it comes back by
	 * returned. If it has its end already, nothing happens.
	 */
	void (*recall)(struct backend *backend, uint64_t seq);

	/* Ends all running attempts (CANCELLED), gives back the rest, and takes no more. */
	void (*cancel_all)(struct backend *backend, enum backend_force force);

	/* How many workers from now on; fewer take effect as tasks end. */
	void (*resize)(struct backend *backend, size_t worker_count);
	size_t (*worker_count)(const struct backend *backend);

	/* Stops (SIGTSTP, SIGSTOP) or continues workers and their tasks. */
	void (*suspend)(struct backend *backend);
	void (*resume)(struct backend *backend);

	/* After withdraw: nothing more is started, or again; what runs goes on. */
	void (*pause)(struct backend *backend, bool is_paused);

	/* Workers finish the task in hand and leave; the rest comes back. */
	void (*retire)(struct backend *backend);

	/* Of ours, with a name: removed also when we are killed. NULL: nobody is left then. */
	void (*leave_socket)(struct backend *backend, const char *path, uint64_t inode);

	/* Most workers that resize gives; and what the index-th of them does, false: there is none. */
	size_t (*seat_count)(const struct backend *backend);
	bool (*look)(const struct backend *backend, size_t index,
		     struct backend_worker *worker);

	/* Holds back or takes up again the reading of results: backpressure. */
	void (*hold)(struct backend *backend, bool is_held);

	/* The same for outputs of tasks from this seq on; UINT64_MAX: for none. */
	void (*hold_from)(struct backend *backend, uint64_t seq);

	/* The moment poll wants to be called at the latest; CLOCK_NEVER. */
	int64_t (*poll_at)(const struct backend *backend);

	/* Looks for what could not be told by whoever was too busy. */
	void (*poll)(struct backend *backend, int64_t now_ns);

	/*
	 * What was told so far is recorded. May be NULL; else it is called after all that, and
	 * where tasks are recorded no worker whose last one took its time begins another before.
	 */
	void (*recorded)(struct backend *backend);

	/* Some child process of ours has ended (SIGCHLD). */
	void (*reap)(struct backend *backend);

	/* No more tasks come: workers end when they have nothing left. True once all are gone. */
	void (*close)(struct backend *backend);
	bool (*is_gone)(const struct backend *backend);

	void (*free)(struct backend *backend);
};

#endif

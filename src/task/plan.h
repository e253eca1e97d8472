/*
 * plan.h: what may run next: task states, retries, halt.
 *
 * Owns all tasks from the source until they settle, and the source. The run asks for the
 * next task, tells what became of each attempt, and does what the verdict says. Decides
 * on retries (--retries, --retry-on, --backoff), on the end (--halt) and on time limits
 * (--timeout); runs and prints nothing.
 *
 *   READY --next--> QUEUED --started--> RUNNING --finished--> SETTLED
 *     ^                |                   |
 *     +---returned-----+      BACKOFF <----+ (retry)
 *     +------- when due --------+
 */
#ifndef PINION_PLAN_H
#define PINION_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "task/result.h"
#include "task/source.h"
#include "task/spec.h"
#include "task/task.h"

struct plan;

enum plan_next {
	PLAN_ERROR = -1, /* without memory; err says so */
	PLAN_END = 0, /* nothing will come any more, but for what is returned or retried */
	PLAN_TASK = 1,   /* *task is to be submitted; it is QUEUED and stays the plan's */
	PLAN_PASSED = 3, /* *task was done before this run: SETTLED, plan_release ends it */
	PLAN_CANCELLED =
	    4, /* *task is not to be started, see plan_cancel: SETTLED, the same */
	PLAN_WAIT =
	    2, /* nothing now: wait for plan_wait_fd, plan_wait_until, or an attempt's end */
};

enum plan_verdict {
	PLAN_RETRY, /* will be tried again */
	PLAN_SETTLED, /* that was the last word; plan_release after the sinks have seen it */
};

/* Where a task is that is to be cancelled. */
enum plan_place {
	PLAN_NO_MEMORY = -1,
	PLAN_NOWHERE, /* it has its end, or there is none of that seq */
	PLAN_WITH_US, /* it comes out of plan_next as PLAN_CANCELLED, once it has been read */
	PLAN_WITH_POOL, /* it may run; if it comes back, it goes the same way */
};

enum plan_halt {
	PLAN_GO,
	PLAN_HALT_SOON, /* start nothing more */
	PLAN_HALT_NOW,  /* and end what runs */
};

struct plan *plan_new(const struct spec *spec, struct source *source, struct err *err);
void plan_free(struct plan *plan); /* and the source */

/*
 * The next task, or chunk of at most `count_max` tasks that are ready: none has a seq of
 * `seq_end` or above.
 */
enum plan_next plan_next(struct plan *plan, uint64_t seq_end, uint32_t count_max,
			 int64_t now_ns, struct task **task, struct err *err);

/* Nothing is left to start, and nothing will come, but for what is returned or retried. */
bool plan_has_given_all(const struct plan *plan);

/*
 * What the source failed with; NULL: it has not. That was the end of the input, which is then never
 * a success.
 */
const struct err *plan_input_error(const struct plan *plan);

/*
 * When nothing may be started yet: sees whether anything is left to start, so that the end
 * of the input is known in time.
 */
void plan_look_ahead(struct plan *plan);

/* Whether a task is there to be given now, of a seq below `seq_end`; plan_look_ahead first. */
bool plan_has_next(const struct plan *plan, uint64_t seq_end, int64_t now_ns);

/* To tell a user how many tasks there are, so many are read ahead at a time. */
#define PLAN_AHEAD_COUNT 16384
#define PLAN_AHEAD_BYTES (16 * 1024 * 1024)

/*
 * Reads up to `count_max` more tasks from the source, so that it is known how many there are; none
 * when more than `bytes_max` of them are waiting.
 */
void plan_read_ahead(struct plan *plan, uint64_t count_max, uint64_t bytes_max);

/* How many tasks there are that were not done before, as far as was read; *is_all: to the end. */
uint64_t plan_task_count(const struct plan *plan, bool *is_all);

/* After PLAN_WAIT: the source's descriptor, -1 when it is not the source that is waited for. */
int plan_wait_fd(const struct plan *plan);
/* The moment the next retry is due; CLOCK_NEVER. */
int64_t plan_wait_until(const struct plan *plan);

/*
 * The task or chunk with this seq in it that has not settled, NULL when there is none. For a look
 * now and then: it searches.
 */
struct task *plan_find_around(const struct plan *plan, uint64_t seq);

/* The task or chunk in flight that begins so, NULL when there is none. */
struct task *plan_find(const struct plan *plan, uint64_t seq, uint32_t attempt);

/*
 * As plan_find, but that one task, and not the rest of its chunk: something happens to it
 * alone. NULL also without memory (err is set).
 */
struct task *plan_find_one(struct plan *plan, uint64_t seq, uint32_t attempt,
			   struct err *err);

/* A task that was given by plan_next but not submitted after all, or came back without an end. */
void plan_returned(struct plan *plan, struct task *task, uint32_t chunk_max);
void plan_started(struct plan *plan, struct task *task);

enum plan_verdict plan_finished(struct plan *plan, struct task *task,
				const struct result *result, int64_t now_ns);

/* The first tasks of a chunk have succeeded so: they are forgotten, and the rest goes on. */
void plan_answered(struct plan *plan, struct task *task, const struct answers *answers);

/* The task of this seq, which may not have been read yet, is not to be started again. */
enum plan_place plan_cancel(struct plan *plan, uint64_t seq);
bool plan_is_cancelled(const struct plan *plan, uint64_t seq);

/* Forgets a settled task. */
void plan_release(struct plan *plan, struct task *task);

/*
 * Starts nothing more: what is READY or in BACKOFF comes out of plan_skip. The source is
 * asked once more, to know whether there would have been more, and then no longer.
 */
void plan_stop(struct plan *plan);
bool plan_is_stopped(const struct plan *plan);

/*
 * After plan_stop: a task that will never be started, or some that are done already, SETTLED;
 * NULL: no more, or without memory (err is set).
 */
struct task *plan_skip(struct plan *plan, struct err *err);

/* How the last attempt of a task that was to be retried ended, until plan_release; NULL: there was none. */
const struct result *plan_last_result(const struct plan *plan, uint64_t seq);

enum plan_halt plan_halt(const struct plan *plan);

/*
 * Failures count together with those of that plan, which lives longer; before any task has
 * ended. Where --halt counts successes or ends, or takes a percentage, it is for one plan alone.
 */
void plan_share_halt(struct plan *plan, struct plan *other);

/* Exit status that --halt asks for, as GNU parallel has it; -1: it says nothing. */
int plan_halt_status(const struct plan *plan);

/* Whether it was stopped before the source's end: how many tasks there would be is not known. */
bool plan_has_unread_input(const struct plan *plan);

/* Nothing left to start and nothing in flight. */
bool plan_is_finished(const struct plan *plan);

/* How long an attempt may run now; 0: no limit. With N% it follows the median of the successes. */
int64_t plan_time_limit_ns(const struct plan *plan);

#endif

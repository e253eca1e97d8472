/* plan.c: see plan.h. */
#include "task/plan.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/seqmap.h"
#include "base/seqset.h"
#include "task/ends.h"
#include "task/median.h"

#define PLAN_COUNT_UNSTARTED_MAX 10000 /* inputs read after the end to be counted */
#define PLAN_MEDIAN_MIN 3              /* successes before --timeout N% means anything */
#define PLAN_BACKOFF_MAX_NS (86400 * NS_PER_S) /* doubles no further */

enum plan_event {
	PLAN_EV_NEXT,
	PLAN_EV_RETURN,
	PLAN_EV_START,
	PLAN_EV_RETRY,
	PLAN_EV_SETTLE,
	PLAN_EVENTS
};

/* What is not here (TASK_INVALID) cannot happen; plan_move asserts so. */
static const uint8_t plan_next_state[TASK_STATES][PLAN_EVENTS] = {
    [TASK_READY] = {[PLAN_EV_NEXT] = TASK_QUEUED, [PLAN_EV_SETTLE] = TASK_SETTLED},
    [TASK_BACKOFF] = {[PLAN_EV_NEXT] = TASK_QUEUED, [PLAN_EV_SETTLE] = TASK_SETTLED},
    [TASK_QUEUED] = {[PLAN_EV_START] = TASK_RUNNING,
		     [PLAN_EV_RETURN] = TASK_READY,
		     [PLAN_EV_RETRY] = TASK_BACKOFF,
		     [PLAN_EV_SETTLE] = TASK_SETTLED},
    [TASK_RUNNING] =
	{[PLAN_EV_RETURN] = TASK_READY, [PLAN_EV_RETRY] = TASK_BACKOFF, [PLAN_EV_SETTLE] = TASK_SETTLED},
};

/* What --halt goes by: one plan's, or that of all stages of a job. */
struct plan_halting {
	uint64_t failed_count;
	enum plan_halt halt;
	int status;
};

struct plan {
	const struct spec *spec;
	struct source *source;
	bool is_source_done; /* ended, failed or not wanted any more */
	bool has_unread;     /* it was stopped before its end */
	bool is_stopped;
	bool is_waiting;    /* for the source */
	struct task *ready; /* sorted by seq */
	struct task *ready_last;
	struct task *backoff;     /* sorted by due_at_ns */
	struct seqmap tasks;      /* seq -> struct task *: all that have not settled */
	struct ends ends;         /* of those that are retried */
	struct seqset *cancelled; /* seqs that are not to be started; NULL: none */
	uint64_t pulled_end;      /* all that came from the source are below */
	uint64_t pulled_count;    /* tasks that came from the source, */
	uint64_t given_count;     /* and were not done before */
	uint64_t ready_bytes;     /* of the args in ready */
	struct err input_err;     /* of a source that failed */
	uint64_t done_count;
	uint64_t settled_count; /* done and failed; not the skipped */
	struct plan_halting own_halting;
	struct plan_halting *halting; /* this, or another plan's */
	struct median median;         /* of the successes' run times */
};

static void
plan_move(struct task *task, enum plan_event event)
{
	uint8_t next = plan_next_state[task->state][event];
	assert(next != TASK_INVALID);
	task->state = (enum task_state)next;
}

struct plan *
plan_new(const struct spec *spec, struct source *source, struct err *err)
{
	struct plan *plan = calloc(1, sizeof(*plan));
	if (plan == NULL) {
		err_no_memory(err);
		return NULL;
	}
	plan->spec = spec;
	plan->source = source;
	plan->own_halting.status = -1;
	plan->halting = &plan->own_halting;
	return plan;
}

void
plan_free(struct plan *plan)
{
	size_t cursor = 0;
	uint64_t seq;
	uint64_t word;
	if (plan == NULL)
		return;
	while (seqmap_next(&plan->tasks, &cursor, &seq, &word))
		free((struct task *)(uintptr_t)word);
	seqmap_fini(&plan->tasks);
	ends_fini(&plan->ends);
	if (plan->cancelled != NULL)
		seqset_fini(plan->cancelled);
	free(plan->cancelled);
	source_free(plan->source);
	free(plan);
}

/* --- lists --- */

static void
plan_push_ready(struct plan *plan, struct task *task)
{
	struct task **at = &plan->ready;
	if (plan->ready != NULL && plan->ready_last->seq < task->seq)
		at = &plan->ready_last->next; /* the usual case */
	while (*at != NULL && (*at)->seq < task->seq)
		at = &(*at)->next;
	task->next = *at;
	*at = task;
	if (task->next == NULL)
		plan->ready_last = task;
}

static void
plan_push_backoff(struct plan *plan, struct task *task)
{
	struct task **at = &plan->backoff;
	while (*at != NULL && (*at)->due_at_ns <= task->due_at_ns)
		at = &(*at)->next;
	task->next = *at;
	*at = task;
}

static struct task *
plan_pop(struct task **list)
{
	struct task *task = *list;
	if (task != NULL)
		*list = task->next;
	return task;
}

/* --- what comes next --- */

/*
 * One task, or chunk of at most `count_max`, from the source into the ready list. What goes wrong
 * is the end of the input: what came before it is done all the same.
 */
static enum source_status
plan_pull(struct plan *plan, uint32_t count_max)
{
	struct task *task;
	if (plan->is_source_done)
		return SOURCE_END;
	enum source_status status =
	    source_next(plan->source, count_max, &task, &plan->input_err);
	if (status == SOURCE_TASK &&
	    seqmap_set(&plan->tasks, task->seq, (uintptr_t)task) == -1) {
		free(task);
		err_no_memory(&plan->input_err);
		status = SOURCE_ERROR;
	}
	plan->is_waiting = status == SOURCE_WAIT;
	plan->is_source_done = status == SOURCE_END || status == SOURCE_ERROR;
	if (status != SOURCE_TASK)
		return status == SOURCE_ERROR ? SOURCE_END : status;
	plan->pulled_count += task->count;
	if (task->seq + task->count > plan->pulled_end)
		plan->pulled_end = task->seq + task->count;
	if (!task->is_done)
		plan->given_count += task->count;
	task->state = TASK_READY;
	plan->ready_bytes += task->packed_bytes;
	plan_push_ready(plan, task);
	return SOURCE_TASK;
}

const struct err *
plan_input_error(const struct plan *plan)
{
	return plan->input_err.kind == ERR_NONE ? NULL : &plan->input_err;
}

/* --halt with a percentage needs to know how many tasks there are. */
static enum source_status
plan_pull_all(struct plan *plan, uint32_t count_max)
{
	enum source_status status;
	do
		status = plan_pull(plan, count_max);
	while (status == SOURCE_TASK);
	return status;
}

static struct task *
plan_take(struct task **list)
{
	struct task *task = plan_pop(list);
	plan_move(task, PLAN_EV_NEXT);
	return task;
}

/* The first `count` tasks of the chunk as one of their own; both are known by their first seq. */
static struct task *
plan_split(struct plan *plan, struct task *task, uint32_t count, struct err *err)
{
	/* The entry of the rest comes first: then only the split can fail, and is undone. */
	if (seqmap_set(&plan->tasks, task->seq + count, (uintptr_t)task) == -1) {
		err_no_memory(err);
		return NULL;
	}
	struct task *first = task_split(task, count);
	if (first == NULL) {
		seqmap_remove(&plan->tasks, task->seq + count);
		err_no_memory(err);
		return NULL;
	}
	*seqmap_find(&plan->tasks, first->seq) = (uintptr_t)first;
	return first;
}

/* How many of them may go together: one that is cancelled goes alone. */
static uint32_t
plan_uncancelled_count(const struct plan *plan, const struct task *task, uint32_t count_max)
{
	if (plan->cancelled == NULL)
		return count_max;
	if (plan_is_cancelled(plan, task->seq))
		return 1;
	for (uint32_t i = 1; i < count_max && i < task->count; i++)
		if (plan_is_cancelled(plan, task->seq + i))
			return i;
	return count_max;
}

/* What was taken is given out, or has its end here. */
static enum plan_next
plan_give(const struct plan *plan, struct task *task)
{
	if (!plan_is_cancelled(plan, task->seq))
		return PLAN_TASK;
	plan_move(task, PLAN_EV_SETTLE);
	return PLAN_CANCELLED;
}

/* The first of the ready ones, or as much of it as is wanted. */
static struct task *
plan_take_ready(struct plan *plan, uint64_t seq_end, uint32_t count_max, struct err *err)
{
	struct task *task = plan->ready;
	if (task->chunk_max > 0 && task->chunk_max < count_max)
		count_max = task->chunk_max;
	if (seq_end - task->seq < count_max)
		count_max = (uint32_t)(seq_end - task->seq);
	count_max = plan_uncancelled_count(plan, task, count_max);
	if (task->count <= count_max)
		return plan_take(&plan->ready);
	struct task *first = plan_split(plan, task, count_max, err);
	if (first != NULL)
		plan_move(first, PLAN_EV_NEXT);
	return first;
}

enum plan_next
plan_next(struct plan *plan, uint64_t seq_end, uint32_t count_max, int64_t now_ns,
	  struct task **task, struct err *err)
{
	enum source_status status = SOURCE_TASK;
	if (plan->is_stopped)
		return PLAN_END;
	plan->is_waiting = false;
	if (plan->spec->halt.is_percent)
		status = plan_pull_all(plan, count_max);
	else if (plan->ready == NULL)
		status = plan_pull(plan, count_max);
	if (plan->spec->halt.is_percent && status == SOURCE_WAIT)
		return PLAN_WAIT;
	if (plan->backoff != NULL && plan->backoff->due_at_ns <= now_ns) {
		*task = plan_take(&plan->backoff);
		return plan_give(plan, *task);
	}
	if (plan->ready != NULL && plan->ready->seq < seq_end && plan->ready->is_done) {
		*task = plan_pop(&plan->ready);
		plan->ready_bytes -= (*task)->packed_bytes;
		plan_move(*task, PLAN_EV_SETTLE);
		return PLAN_PASSED;
	}
	if (plan->ready != NULL && plan->ready->seq < seq_end) {
		*task = plan_take_ready(plan, seq_end, count_max, err);
		if (*task == NULL)
			return PLAN_ERROR;
		plan->ready_bytes -= (*task)->packed_bytes;
		return plan_give(plan, *task);
	}
	return plan_has_given_all(plan) ? PLAN_END : PLAN_WAIT;
}

bool
plan_has_given_all(const struct plan *plan)
{
	return plan->ready == NULL && plan->backoff == NULL && plan->is_source_done;
}

void
plan_look_ahead(struct plan *plan)
{
	if (!plan->is_stopped && plan->ready == NULL)
		plan_pull(plan, 1);
}

bool
plan_has_next(const struct plan *plan, uint64_t seq_end, int64_t now_ns)
{
	return (plan->ready != NULL && plan->ready->seq < seq_end) ||
	       plan_wait_until(plan) <= now_ns;
}

void
plan_read_ahead(struct plan *plan, uint64_t count_max, uint64_t bytes_max)
{
	enum source_status status = SOURCE_TASK;
	uint64_t end = plan->pulled_count + count_max;
	while (status == SOURCE_TASK && !plan->is_stopped && plan->pulled_count < end &&
	       plan->ready_bytes < bytes_max)
		status = plan_pull(plan, TASK_CHUNK_MAX);
	if (plan->ready != NULL)
		plan->is_waiting = false;
}

uint64_t
plan_task_count(const struct plan *plan, bool *is_all)
{
	*is_all =
	    plan->is_source_done && !plan->has_unread && plan_input_error(plan) == NULL;
	return plan->given_count;
}

int
plan_wait_fd(const struct plan *plan)
{
	return plan->is_waiting && !plan->is_source_done ? source_wait_fd(plan->source)
							 : -1;
}

int64_t
plan_wait_until(const struct plan *plan)
{
	return plan->backoff == NULL || plan->is_stopped ? CLOCK_NEVER
							 : plan->backoff->due_at_ns;
}

struct task *
plan_find_around(const struct plan *plan, uint64_t seq)
{
	for (uint64_t before = 0; before < TASK_CHUNK_MAX && before <= seq; before++) {
		const uint64_t *word = seqmap_find(&plan->tasks, seq - before);
		struct task *task = word == NULL ? NULL : (struct task *)(uintptr_t)*word;
		if (task != NULL)
			return before < task->count ? task : NULL;
	}
	return NULL;
}

struct task *
plan_find(const struct plan *plan, uint64_t seq, uint32_t attempt)
{
	const uint64_t *word = seqmap_find(&plan->tasks, seq);
	struct task *task = word == NULL ? NULL : (struct task *)(uintptr_t)*word;
	if (task == NULL || task->attempt != attempt ||
	    (task->state != TASK_QUEUED && task->state != TASK_RUNNING))
		return NULL;
	return task;
}

struct task *
plan_find_one(struct plan *plan, uint64_t seq, uint32_t attempt, struct err *err)
{
	struct task *task = plan_find(plan, seq, attempt);
	return task == NULL || task->count == 1 ? task : plan_split(plan, task, 1, err);
}

void
plan_returned(struct plan *plan, struct task *task, uint32_t chunk_max)
{
	if (chunk_max > 0)
		task->chunk_max = chunk_max;
	plan_move(task, PLAN_EV_RETURN);
	plan->ready_bytes += task->packed_bytes;
	plan_push_ready(plan, task);
}

void
plan_started(struct plan *plan, struct task *task)
{
	(void)plan;
	plan_move(task, PLAN_EV_START);
}

/* --- cancelled ones --- */

bool
plan_is_cancelled(const struct plan *plan, uint64_t seq)
{
	return plan->cancelled != NULL && seqset_find(plan->cancelled, seq) != NULL;
}

/* It waits no longer for its time to come. */
static void
plan_hasten(struct plan *plan, struct task *task)
{
	struct task **at = &plan->backoff;
	while (*at != task)
		at = &(*at)->next;
	*at = task->next;
	task->due_at_ns = 0;
	plan_push_backoff(plan, task);
}

enum plan_place
plan_cancel(struct plan *plan, uint64_t seq)
{
	struct task *task = plan_find_around(plan, seq);
	bool is_unread = task == NULL && seq >= plan->pulled_end && !plan->is_source_done;
	if ((task == NULL && !is_unread) || (task != NULL && task->is_done))
		return PLAN_NOWHERE;
	if (plan->cancelled == NULL)
		plan->cancelled = calloc(1, sizeof(*plan->cancelled));
	if (plan->cancelled == NULL || seqset_add(plan->cancelled, seq) == NULL)
		return PLAN_NO_MEMORY;
	if (task != NULL && task->state == TASK_BACKOFF)
		plan_hasten(plan, task);
	return task == NULL || task->state == TASK_READY || task->state == TASK_BACKOFF
		   ? PLAN_WITH_US
		   : PLAN_WITH_POOL;
}

/* --- what became of it --- */

static bool
plan_wants_retry(const struct spec *spec, const struct task *task,
		 const struct result *result)
{
	if (task->attempt >= spec->max_attempts || task->attempt >= TASK_ATTEMPTS_MAX)
		return false;
	switch ((enum result_reason)result->reason) {
	case RESULT_EXIT:
		return result->exit_status != 0 && (spec->retry_on & SPEC_RETRY_EXIT) != 0;
	case RESULT_CANNOT_EXECUTE:
	case RESULT_NO_OUTPUT:
		return (spec->retry_on & SPEC_RETRY_EXIT) != 0;
	case RESULT_SIGNAL:
		return (spec->retry_on & SPEC_RETRY_SIGNAL) != 0;
	case RESULT_TIMEOUT:
		return (spec->retry_on & SPEC_RETRY_TIMEOUT) != 0;
	case RESULT_LOST:
	case RESULT_NO_ANSWER:
		return (spec->retry_on & SPEC_RETRY_LOST) != 0;
	case RESULT_MEMORY:
		return (spec->retry_on & (SPEC_RETRY_SIGNAL | SPEC_RETRY_MEMORY)) != 0;
	case RESULT_CANCELLED:
	case RESULT_SKIPPED:
	case RESULT_REASONS:
		break;
	}
	return false;
}

static void
plan_retry(struct plan *plan, struct task *task, const struct result *result, int64_t now_ns)
{
	ends_keep(&plan->ends, task->seq, result);
	int64_t wait_ns = plan->spec->backoff_ns;
	for (uint32_t i = 1; i < task->attempt && wait_ns < PLAN_BACKOFF_MAX_NS; i++)
		wait_ns *= 2;
	task->due_at_ns = now_ns + wait_ns;
	task->attempt++;
	plan_move(task, PLAN_EV_RETRY);
	plan_push_backoff(plan, task);
}

/* How a shell would name this end. */
static int
plan_shell_status(const struct result *result)
{
	int status = result->signal != 0 ? 128 + result->signal : result->exit_status;
	return status == 0 && !result_is_success(result) ? 1 : status;
}

static int
plan_failed_percent(const struct plan *plan)
{
	if (plan->given_count == 0)
		return 0;
	return (int)((plan->halting->failed_count * 100 + plan->given_count - 1) /
		     plan->given_count);
}

static int
plan_status_of_halt(const struct plan *plan, double limit, const struct result *result)
{
	const struct spec_halt *halt = &plan->spec->halt;
	if (halt->why == SPEC_HALT_SUCCESS)
		return 0;
	if (limit == 1)
		return plan_shell_status(result);
	if (halt->is_percent)
		return plan_failed_percent(plan);
	return plan->halting->failed_count > 100 ? 101 : (int)plan->halting->failed_count;
}

static void
plan_judge_halt(struct plan *plan, const struct result *result)
{
	const struct spec_halt *halt = &plan->spec->halt;
	uint64_t count = plan->settled_count;
	if (halt->why == SPEC_HALT_FAIL)
		count = plan->halting->failed_count;
	else if (halt->why == SPEC_HALT_SUCCESS)
		count = plan->done_count;
	double limit = halt->is_percent ? halt->value * (double)plan->given_count / 100
					: halt->value;
	if (halt->when == SPEC_HALT_NEVER || plan->halting->halt != PLAN_GO ||
	    count == 0 || (double)count < limit)
		return;
	plan->halting->halt = halt->when == SPEC_HALT_NOW ? PLAN_HALT_NOW : PLAN_HALT_SOON;
	plan->halting->status = plan_status_of_halt(plan, limit, result);
}

enum plan_verdict
plan_finished(struct plan *plan, struct task *task, const struct result *result,
	      int64_t now_ns)
{
	bool is_success = result_is_success(result);
	if (is_success)
		median_add(&plan->median, result->wall_ns);
	else if (plan_wants_retry(plan->spec, task, result)) {
		task->has_retry_left = plan->is_stopped || plan->halting->halt != PLAN_GO;
		if (!task->has_retry_left) {
			plan_retry(plan, task, result, now_ns);
			return PLAN_RETRY;
		}
	}
	plan_move(task, PLAN_EV_SETTLE);
	if (result->reason != RESULT_CANCELLED) {
		plan->settled_count++;
		plan->done_count += is_success;
		plan->halting->failed_count += !is_success;
		plan_judge_halt(plan, result);
	}
	return PLAN_SETTLED;
}

void
plan_answered(struct plan *plan, struct task *task, const struct answers *answers)
{
	static const struct result success = {.reason = RESULT_EXIT};
	uint32_t count = answers->count;
	assert(count <= task->count);
	if (plan->spec->timeout.percent > 0)
		for (uint32_t i = 0; i < count; i++)
			median_add(&plan->median, answers->items[i].wall_ns);
	plan->settled_count += count;
	plan->done_count += count;
	plan_judge_halt(plan, &success);
	seqmap_remove(&plan->tasks, task->seq);
	if (count == task->count) {
		free(task);
		return;
	}
	task_drop(task, count);
	seqmap_set(&plan->tasks, task->seq, (uintptr_t)task); /* where one was just removed */
}

void
plan_release(struct plan *plan, struct task *task)
{
	assert(task->state == TASK_SETTLED);
	seqmap_remove(&plan->tasks, task->seq);
	ends_forget(&plan->ends, task->seq);
	free(task);
}

void
plan_stop(struct plan *plan)
{
	/* What is there, within reason, is counted as never started; endless input is not. */
	enum source_status status = plan->is_stopped ? SOURCE_END : SOURCE_TASK;
	uint64_t end = plan->pulled_count + PLAN_COUNT_UNSTARTED_MAX;
	while (status == SOURCE_TASK && plan->pulled_count < end)
		status = plan_pull(plan, TASK_CHUNK_MAX);
	plan->has_unread |= status != SOURCE_END;
	plan->is_stopped = true;
	plan->is_source_done = true;
}

bool
plan_is_stopped(const struct plan *plan)
{
	return plan->is_stopped;
}

struct task *
plan_skip(struct plan *plan, struct err *err)
{
	struct task *task = plan->ready;
	if (task != NULL && task->count > 1 && !task->is_done)
		task = plan_split(plan, task, 1, err);
	else
		task = plan_pop(task != NULL ? &plan->ready : &plan->backoff);
	if (task != NULL)
		plan_move(task, PLAN_EV_SETTLE);
	return task;
}

const struct result *
plan_last_result(const struct plan *plan, uint64_t seq)
{
	return ends_find(&plan->ends, seq);
}

void
plan_share_halt(struct plan *plan, struct plan *other)
{
	plan->halting = other->halting;
}

enum plan_halt
plan_halt(const struct plan *plan)
{
	return plan->halting->halt;
}

int
plan_halt_status(const struct plan *plan)
{
	if (plan->halting->halt == PLAN_GO && plan->spec->halt.when != SPEC_HALT_NEVER &&
	    plan->spec->halt.is_percent)
		return plan_failed_percent(plan);
	return plan->halting->status;
}

bool
plan_has_unread_input(const struct plan *plan)
{
	return plan->has_unread;
}

bool
plan_is_finished(const struct plan *plan)
{
	return plan->is_source_done && plan->tasks.count == 0;
}

int64_t
plan_time_limit_ns(const struct plan *plan)
{
	const struct spec_timeout *timeout = &plan->spec->timeout;
	if (timeout->percent <= 0)
		return timeout->ns;
	if (plan->median.count < PLAN_MEDIAN_MIN)
		return 0;
	return (int64_t)((double)median_get(&plan->median) * timeout->percent / 100);
}

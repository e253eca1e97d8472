/* run_hear.c: see run_parts.h. */
#include <string.h>

#include "base/clock.h"
#include "run/run_parts.h"
#include "task/override.h"

void
run_lose_track(struct run *run, const struct err *err)
{
	run->has_lost_track = true;
	run_fail(run, RUN_FAILED, err);
}

/* The task that something has happened to; NULL: none that we know. */
static struct task *
run_find_one(struct run *run, uint64_t seq, uint32_t attempt)
{
	struct err err = {0};
	struct task *task = plan_find_one(run->config.plan, seq, attempt, &err);
	if (err.kind != ERR_NONE)
		run_lose_track(run, &err);
	return task;
}

/* The time limit that its input has given this task; 0: none. */
static int64_t
run_own_limit_ns(const struct run *run, const struct task *task)
{
	const struct arg overrides = override_of_task(run->config.spec, task);
	struct arg value;
	int64_t limit_ns = 0;
	if (override_find(&overrides, OVERRIDE_TIMEOUT, &value))
		memcpy(&limit_ns, value.bytes, sizeof(limit_ns));
	return limit_ns;
}

static void
run_on_started(void *context, uint64_t seq, uint32_t attempt, uint32_t slot,
	       int64_t started_at_ns)
{
	struct run *run = context;
	struct err err = {0};
	struct task *task = run_find_one(run, seq, attempt);
	if (task == NULL)
		return;
	plan_started(run->config.plan, task);
	tokens_started(&run->tokens, slot);
	if (started_at_ns < run->timed_at_ns)
		started_at_ns = run->timed_at_ns; /* started while we did not read */
	if (attempts_add(&run->attempts, seq, started_at_ns,
			 run_own_limit_ns(run, task)) == -1) {
		err_no_memory(&err);
		run_fail(run, RUN_FAILED, &err);
	} else {
		attempts_find(&run->attempts, seq)->memkill_count =
		    memkills_begin(&run->memkills, started_at_ns);
	}
	if (sinks_started(&run->sinks, task, slot, &err) == -1)
		run_fail(run, RUN_FAILED, &err);
}

static void
run_on_output(void *context, uint64_t seq, uint32_t attempt, enum result_stream stream,
	      const char *bytes, size_t length)
{
	struct run *run = context;
	struct err err = {0};
	struct task *task = plan_find(run->config.plan, seq, attempt);
	if (task != NULL &&
	    sinks_output(&run->sinks, task, stream, bytes, length, &err) == -1)
		run_fail(run, RUN_FAILED, &err);
}

static void
run_count(struct run_counts *counts, const struct result *result)
{
	if (result->reason == RESULT_CANCELLED)
		counts->cancelled++;
	else if (result->reason == RESULT_SKIPPED)
		counts->skipped++;
	else
		*(result_is_success(result) ? &counts->done : &counts->failed) += 1;
}

void
run_settle_task(struct run *run, struct task *task, const struct result *result)
{
	struct err err = {0};
	run_count(&run->counts, result);
	if (sinks_settled(&run->sinks, task, result, &err) == -1)
		run_fail(run, RUN_FAILED, &err);
	plan_release(run->config.plan, task);
}

void
run_settle_cancelled(struct run *run, struct task *task)
{
	static const struct result result = {.reason = RESULT_CANCELLED, .cpu = -1};
	run->has_settled = true;
	run_settle_task(run, task, &result);
}

static void
run_retry_task(struct run *run, struct task *task, const struct result *result)
{
	struct err err = {0};
	if (sinks_retried(&run->sinks, task, result, &err) == -1)
		run_fail(run, RUN_FAILED, &err);
}

void
run_pass_task(struct run *run, struct task *task)
{
	struct err err = {0};
	run->counts.passed += task->is_unknown ? 0 : task->count;
	run->has_settled = true; /* what comes of it is for the next stage to take */
	if (sinks_passed(&run->sinks, task, &err) == -1)
		run_fail(run, RUN_FAILED, &err);
	plan_release(run->config.plan, task);
}

/* Of tasks that run, and the one that has just ended. */
static size_t
run_busy_count(const struct run *run)
{
	const struct backend_ops *ops = run->backend->ops;
	size_t worker_count = ops->worker_count(run->backend);
	size_t idle_count = ops->idle_count(run->backend);
	return idle_count == 0 ? worker_count : worker_count - idle_count + 1;
}

/* It comes again with fewer beside it. */
static void
run_retry_out_of_memory(struct run *run)
{
	throttle_out_of_memory(&run->throttle, run_busy_count(run));
	run->wants_withdraw = true;
}

/* What the worker saw, or what the kernel did. */
static struct result
run_explain(struct run *run, uint64_t seq, const struct result *result)
{
	const struct attempt *attempt = attempts_find(&run->attempts, seq);
	uint64_t begin_count =
	    attempt != NULL ? attempt->memkill_count : run->memkills.first_count;
	struct result told = *result;
	if (memkills_explain(&run->memkills, begin_count, result))
		told.reason = RESULT_MEMORY;
	return told;
}

/* It has killed its worker before that could tell of it; sinks hear of each attempt that begins. */
static void
run_start_late(struct run *run, struct task *task, uint32_t slot)
{
	struct err err = {0};
	if (sinks_started(&run->sinks, task, slot, &err) == -1)
		run_fail(run, RUN_FAILED, &err);
}

static void
run_on_finished(void *context, uint64_t seq, uint32_t attempt, const struct result *result)
{
	struct run *run = context;
	struct task *task = run_find_one(run, seq, attempt);
	if (task == NULL)
		return;
	struct result told = run_explain(run, seq, result);
	if (task->state != TASK_RUNNING)
		run_start_late(run, task, result->slot);
	attempts_remove(&run->attempts, seq);
	tokens_ended_at(&run->tokens, result->slot);
	run->has_settled = true;
	if (result_is_success(&told))
		throttle_succeeded(&run->throttle, 1,
				   run->backend->ops->worker_count(run->backend));
	if (plan_finished(run->config.plan, task, &told, clock_now_ns()) != PLAN_RETRY) {
		run_settle_task(run, task, &told);
		return;
	}
	if (told.reason == RESULT_MEMORY)
		run_retry_out_of_memory(run);
	run_retry_task(run, task, &told);
}

static void
run_on_answered(void *context, uint64_t seq, uint32_t attempt, const struct answers *answers)
{
	struct run *run = context;
	struct err err = {0};
	struct task *chunk = plan_find(run->config.plan, seq, attempt);
	if (chunk == NULL || chunk->count < answers->count)
		return;
	tokens_ended(&run->tokens, answers->count);
	run->has_settled = true;
	throttle_succeeded(&run->throttle, answers->count,
			   run->backend->ops->worker_count(run->backend));
	run->counts.done += answers->count;
	if (sinks_answered(&run->sinks, chunk, answers, &err) == -1)
		run_fail(run, RUN_FAILED, &err);
	plan_answered(run->config.plan, chunk, answers);
}

static void
run_on_returned(void *context, uint64_t seq, uint32_t attempt, uint32_t chunk_max)
{
	struct run *run = context;
	struct task *task = plan_find(run->config.plan, seq, attempt);
	if (task == NULL)
		return;
	tokens_ended(&run->tokens, task->count);
	if (task->state == TASK_RUNNING) {
		struct result result = {.reason = RESULT_LOST, .cpu = -1};
		attempts_remove(&run->attempts, seq);
		run_retry_task(run, task, &result);
	}
	plan_returned(run->config.plan, task, chunk_max);
}

static void
run_on_note(void *context, const char *bytes, size_t length)
{
	struct run *run = context;
	run->config.note(run->config.context, bytes, length);
}

static void
run_on_broken(void *context, const struct err *err)
{
	run_fail(context, RUN_BROKEN, err);
}

struct backend_client
run_client(struct run *run)
{
	return (struct backend_client){
	    .context = run,
	    .started = run_on_started,
	    .output = run_on_output,
	    .finished = run_on_finished,
	    .answered = run_on_answered,
	    .returned = run_on_returned,
	    .note = run_on_note,
	    .broken = run_on_broken,
	};
}

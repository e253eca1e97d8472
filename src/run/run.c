/* run.c: see run.h. */
#include "run/run.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "run/run_parts.h"

#define RUN_PASS_MAX 10000 /* tasks done before this run, in one turn */
#define RUN_LOOK_MS 10
#define RUN_CLOCK_NS (60 * NS_PER_S)
#define RUN_FORCE_MS 500 /* after a grace period, and between SIGKILLs */

/* --- ending --- */

static int64_t
run_grace_ns(const struct run *run)
{
	int64_t ms = RUN_FORCE_MS;
	for (size_t i = 0; i < run->config.spec->term_step_count; i++)
		ms += run->config.spec->term_steps[i].wait_ms;
	return ms * NS_PER_MS;
}

void
run_end(struct run *run, enum run_outcome outcome)
{
	if (run->outcome == RUN_COMPLETE)
		run->outcome = outcome;
	if (run->is_ending)
		return;
	run->is_ending = true;
	plan_stop(run->config.plan);
	run->backend->ops->withdraw(run->backend);
}

/* Ends what runs, harder than before if it was tried. */
static void
run_cancel(struct run *run, enum backend_force force)
{
	if (run->is_cancelling && force <= run->force)
		return;
	run->is_cancelling = true;
	run->force = force;
	run->force_at_ns =
	    clock_now_ns() +
	    (force == BACKEND_GRACE ? run_grace_ns(run) : RUN_FORCE_MS * NS_PER_MS);
	run->backend->ops->cancel_all(run->backend, force);
}

void
run_recall(struct run *run, uint64_t seq)
{
	struct attempt *attempt = attempts_find(&run->attempts, seq);
	if (attempt != NULL) {
		attempt->is_cancelled = true;
		attempt->force_at_ns = clock_now_ns() + run_grace_ns(run);
	}
	run->backend->ops->recall(run->backend, seq);
}

void
run_fail(struct run *run, enum run_outcome outcome, const struct err *err)
{
	if (run->err.kind == ERR_NONE)
		run->err = *err;
	if (run->outcome == RUN_HALTED || run->outcome == RUN_DEADLINE)
		run->outcome =
		    outcome; /* what is lost now is no success, whatever --halt says */
	run_end(run, outcome);
	run_cancel(run, BACKEND_GRACE);
	run->has_settled = true; /* what is left has its end now */
}

void
run_follow(struct run *run, const struct run *leader)
{
	if (run == leader || run->is_over)
		return;
	run_end(run, leader->outcome);
	if (leader->is_cancelling)
		run_cancel(run, leader->force);
}

/* --- signals --- */

void
run_suspend(struct run *run)
{
	run->backend->ops->suspend(run->backend);
}

void
run_resume(struct run *run, int64_t stopped_ns)
{
	/* To the others it is added with the rest of the time that they stand still. */
	attempts_shift(&run->attempts, 0, run->timed_end, stopped_ns);
	run->force_at_ns += stopped_ns;
	run->backend->ops->resume(run->backend);
}

void
run_end_by_signal(struct run *run, int signal)
{
	run->is_signalled = true;
	bool is_second = run->is_cancelling;
	run_end(run, RUN_SIGNALLED);
	if (run->outcome == RUN_HALTED) /* it does not wait for a stuck reader any more */
		run->outcome = RUN_SIGNALLED;
	run_cancel(run, is_second || signal == SIGQUIT ? BACKEND_AT_ONCE : BACKEND_GRACE);
}

void
run_reap(struct run *run)
{
	run->backend->ops->reap(run->backend);
}

void
run_resize(struct run *run, int change)
{
	size_t count = run->backend->ops->worker_count(run->backend);
	run->backend->ops->resize(run->backend, change < 0 ? count - 1 : count + 1);
}

/* When to look at the clock on the wall, which may be set, or go on while the machine sleeps. */
static int64_t
run_deadline_at_ns(const struct run *run)
{
	int64_t deadline_real_ns = run->config.spec->deadline_real_ns;
	if (deadline_real_ns == 0 || run->is_ending || run->is_over ||
	    run->config.spec->is_dry_run)
		return CLOCK_NEVER;
	int64_t left_ns = deadline_real_ns - clock_real_ns();
	return clock_now_ns() + (left_ns < RUN_CLOCK_NS ? left_ns : RUN_CLOCK_NS);
}

static void
run_check_deadline(struct run *run)
{
	if (run_deadline_at_ns(run) > clock_now_ns())
		return;
	run_end(run, RUN_DEADLINE);
	run->has_settled = true; /* what is left has its end now */
}

/* --- feed --- */

/*
 * A task from the plan to the backend, or a chunk of at most *count, which then says how many
 * are left: 1; 0: no more now; -1: failed.
 */
static int
run_feed_one(struct run *run, size_t *count, int64_t now_ns, struct err *err)
{
	struct task *task;
	uint32_t chunk = run->backend->ops->chunk(run->backend);
	if (throttle_is_cautious(
		&run->throttle)) /* an idle worker each, and nothing queued behind it */
		chunk = 1;
	if (chunk > *count)
		chunk = (uint32_t)*count;
	enum plan_next next = plan_next(run->config.plan, sinks_window_end(&run->sinks),
					chunk, now_ns, &task, err);
	if (next == PLAN_WAIT) {
		run->wants_input = true;
		run->feed_at_ns = plan_wait_until(run->config.plan);
	}
	if (next == PLAN_CANCELLED) {
		run_settle_cancelled(run, task);
		return 1;
	}
	if (next == PLAN_PASSED) {
		run->passed_count += task->count;
		run_pass_task(run, task);
		if (run->passed_count < RUN_PASS_MAX)
			return 1;
		run->feed_at_ns = now_ns; /* nobody else would wake us */
		return 0;
	}
	if (next != PLAN_TASK)
		return next == PLAN_ERROR ? -1 : 0;
	uint32_t task_count = task->count; /* the task may be gone once it is submitted */
	int status = run->backend->ops->submit(run->backend, task, err);
	*count -= task_count;
	if (status != 0) {
		plan_returned(run->config.plan, task, 0);
		return status == -1 ? -1 : 0;
	}
	throttle_started(&run->throttle, now_ns);
	tokens_submitted(&run->tokens, task_count);
	return 1;
}

/* What holds tasks back, for the user; each reason once. */
static void
run_tell_hold(struct run *run)
{
	char why[160], line[256];
	while (throttle_tell(&run->throttle, why, sizeof(why)) != NULL) {
		int length = snprintf(line, sizeof(line), "%s: %s\n",
				      run->config.spec->program, why);
		run->config.note(run->config.context, line, (size_t)length);
	}
}

/* Of *count tasks, as many as the machine's state allows. It is not looked at while there are none. */
static void
run_judge(struct run *run, size_t *count, const struct throttle_seats *seats, int64_t now_ns)
{
	if (*count == 0 || !throttle_has_bounds(&run->throttle))
		return;
	plan_look_ahead(run->config.plan);
	if (!plan_has_next(run->config.plan, sinks_window_end(&run->sinks), now_ns))
		return;
	*count = throttle_judge(&run->throttle, *count, seats, now_ns);
	run_tell_hold(run);
}

/* Whether there is a token for what is to be started, if there is such a thing. */
static bool
run_has_token(struct run *run, int64_t now_ns)
{
	struct plan *plan = run->config.plan;
	if (run->config.jobserver == NULL)
		return true;
	plan_look_ahead(plan);
	run->lacks_token = plan_has_next(plan, sinks_window_end(&run->sinks), now_ns) &&
			   !tokens_take(&run->tokens);
	return !run->lacks_token;
}

/* As many tasks as there is room for; says what has to happen before there is more to do. */
static int
run_feed_all(struct run *run, struct err *err)
{
	int status = 1;
	int64_t now_ns = clock_now_ns();
	const struct backend_ops *ops = run->backend->ops;
	struct throttle_seats seats = {
	    .worker_count = ops->worker_count(run->backend),
	    .idle_count = ops->idle_count(run->backend),
	    .room = ops->room(run->backend),
	};
	size_t room = seats.room;
	size_t count = throttle_allow(&run->throttle, &seats, now_ns);
	run_judge(run, &count, &seats, now_ns);
	if (count == 0 && room > 0)
		plan_look_ahead(run->config.plan);
	run->wants_input = plan_wait_fd(run->config.plan) != -1 && count == 0 && room > 0;
	run->tokens.total = run->backend->ops->worker_count(run->backend);
	while (count > 0 && status == 1 && run_has_token(run, now_ns))
		status = run_feed_one(run, &count, now_ns, err);
	if (status == 1 && room > 0)
		run->feed_at_ns = throttle_wait_until(&run->throttle, seats.idle_count);
	return status == -1 ? -1 : 0;
}

/* Of a stage that others feed: nobody takes what they put out any more. */
static void
run_check_link(struct run *run)
{
	const struct err *input_err = plan_input_error(run->config.plan);
	if (run->config.spec->stage_index > 0 && input_err != NULL)
		run_fail(run, RUN_FAILED, input_err);
}

static void
run_feed_backend(struct run *run)
{
	struct err err = {0};
	run->wants_input = false;
	run->feed_at_ns = CLOCK_NEVER;
	run->passed_count = 0;
	run->lacks_token = false;
	run_check_deadline(run);
	if (run->is_ending || run->is_held || run->is_paused)
		return;
	if (run->wants_withdraw)
		run->backend->ops->withdraw(run->backend);
	run->wants_withdraw = false;
	if (run_feed_all(run, &err) == -1)
		run_fail(run, RUN_FAILED, &err);
	else if (run->backend->ops->publish(run->backend, &err) == -1)
		run_fail(run, RUN_BROKEN, &err);
}

void
run_feed(struct run *run)
{
	run_feed_backend(run);
	run_check_link(run);
	tokens_settle(&run->tokens, run->lacks_token, clock_now_ns());
}

/* --- wait --- */

static void
run_on_wake(void *context, unsigned int events)
{
	(void)context;
	(void)events; /* being awake is all that is needed */
}

/* Keeps *watch on fd for `events`, or on nothing for -1. */
static void
run_rewatch(struct run *run, struct loop_watch **watch, int *watched_fd, int fd,
	    unsigned int events)
{
	struct err err = {0};
	if (*watched_fd == fd)
		return;
	loop_unwatch(run->config.loop, *watch);
	*watch = NULL;
	*watched_fd = -1;
	if (fd == -1)
		return;
	*watch = loop_watch(run->config.loop, fd, events, run_on_wake, run, &err);
	if (*watch == NULL)
		run_fail(run, RUN_FAILED, &err);
	else
		*watched_fd = fd;
}

static void
run_watch_sinks(struct run *run)
{
	int fds[SINKS_FDS_MAX];
	size_t count = sinks_wait_fds(&run->sinks, fds);
	size_t most = count > run->sink_fd_count ? count : run->sink_fd_count;
	/* A descriptor may have another place than before; it cannot be watched in both. */
	for (size_t i = 0; i < most; i++)
		if (i >= count || run->sink_fds[i] != fds[i])
			run_rewatch(run, &run->sink_watches[i], &run->sink_fds[i], -1,
				    LOOP_WRITE);
	for (size_t i = 0; i < most; i++)
		run_rewatch(run, &run->sink_watches[i], &run->sink_fds[i],
			    i < count ? fds[i] : -1, LOOP_WRITE);
	run->sink_fd_count = count;
}

static int64_t
run_wait_until(const struct run *run)
{
	int64_t until = CLOCK_NEVER;
	if (run->has_settled) /* maybe, since the last look: outputs were taken up again */
		return 0;
	if (run->is_held && !sinks_is_behind(&run->sinks)) /* others took what was there */
		return 0;
	if (run->outputs_end != UINT64_MAX) /* it is for time alone to change that */
		until = clock_now_ns() + RUN_LOOK_MS * NS_PER_MS;
	int64_t due_at_ns = attempts_wait_until(&run->attempts, run->timed_end,
						plan_time_limit_ns(run->config.plan));
	if (due_at_ns < until)
		until = due_at_ns;
	if (run->is_cancelling && run->force < BACKEND_KILL_WORKER &&
	    run->force_at_ns < until)
		until = run->force_at_ns;
	int64_t deadline_at_ns = run_deadline_at_ns(run);
	if (deadline_at_ns < until)
		until = deadline_at_ns;
	if (tokens_wait_until(&run->tokens) < until)
		until = tokens_wait_until(&run->tokens);
	int64_t poll_at_ns = run->backend->ops->poll_at(run->backend);
	if (poll_at_ns < until)
		until = poll_at_ns;
	return run->feed_at_ns < until ? run->feed_at_ns : until;
}

int64_t
run_prepare_wait(struct run *run)
{
	int source_fd = run->wants_input ? plan_wait_fd(run->config.plan) : -1;
	run_rewatch(run, &run->source_watch, &run->source_fd, source_fd, LOOP_READ);
	run_watch_sinks(run);
	run->backend->ops->spread(run->backend, plan_has_given_all(run->config.plan));
	return run_wait_until(run);
}

/* --- settle --- */

/* Ends attempts that are over their time; those that do not go, with their worker. */
static void
run_check_time_limits(struct run *run)
{
	int64_t limit_ns = plan_time_limit_ns(run->config.plan);
	int64_t now_ns = clock_now_ns();
	struct attempt *attempt;
	while (!run->is_cancelling &&
	       (attempt = attempts_next_due(&run->attempts, run->timed_end, limit_ns,
					    now_ns)) != NULL) {
		enum backend_force force =
		    attempt->force_at_ns == 0 ? BACKEND_GRACE : BACKEND_KILL_WORKER;
		attempt->force_at_ns = now_ns + run_grace_ns(run);
		run->backend->ops->cancel(
		    run->backend, attempt->seq,
		    attempt->is_cancelled ? RESULT_CANCELLED : RESULT_TIMEOUT, force);
	}
}

static void
run_check_force(struct run *run)
{
	if (run->is_cancelling && run->force < BACKEND_KILL_WORKER &&
	    clock_now_ns() >= run->force_at_ns)
		run_cancel(run, (enum backend_force)(run->force + 1));
}

static void
run_check_halt(struct run *run)
{
	enum plan_halt halt = plan_halt(run->config.plan);
	if (halt != PLAN_GO)
		run_end(run, RUN_HALTED);
	if (halt == PLAN_HALT_NOW)
		run_cancel(run, BACKEND_GRACE);
}

static void
run_check_reader(struct run *run)
{
	if (!run->config.is_reader_gone(run->config.context))
		return;
	run_end(run, RUN_READER_GONE);
	run_cancel(run, BACKEND_GRACE);
}

static void
run_check_jobs(struct run *run)
{
	if (!run->has_settled || run->is_ending || run->config.worker_count == NULL)
		return;
	size_t count = run->config.worker_count(run->config.context);
	if (count != 0 && count != run->backend->ops->worker_count(run->backend))
		run->backend->ops->resize(run->backend, count);
}

/* What was on its way to a worker when it was cancelled may run now. */
static void
run_check_cancelled(struct run *run)
{
	for (size_t i = 0; run->has_cancelled && i < run->attempts.count; i++) {
		const struct attempt *attempt = &run->attempts.items[i];
		if (attempt->is_cancelled ||
		    !plan_is_cancelled(run->config.plan, attempt->seq))
			continue;
		run_recall(run, attempt->seq);
		i = SIZE_MAX; /* they may be others now */
	}
}

/* It waited for a retry that will not be: its last attempt was its end, whose output is forgotten. */
static void
run_settle_last(struct run *run, struct task *task, const struct result *last)
{
	struct result result = *last;
	result.stdout_bytes = 0;
	result.stderr_bytes = 0;
	task->attempt--;
	task->has_retry_left = true;
	run_settle_task(run, task, &result);
}

/* What will never be started has its end too. */
static void
run_skip(struct run *run)
{
	struct result result = {.reason = RESULT_SKIPPED, .cpu = -1};
	struct err err = {0};
	struct task *task;
	while (run->is_ending && (task = plan_skip(run->config.plan, &err)) != NULL) {
		const struct result *last = plan_last_result(run->config.plan, task->seq);
		run->has_skipped |= !task->is_done && last == NULL;
		if (task->is_done)
			run_pass_task(run, task);
		else if (plan_is_cancelled(run->config.plan, task->seq))
			run_settle_cancelled(run, task);
		else if (last != NULL)
			run_settle_last(run, task, last);
		else
			run_settle_task(run, task, &result);
	}
	if (err.kind != ERR_NONE)
		run_lose_track(run, &err);
}

static void
run_flush(struct run *run)
{
	struct err err = {0};
	if (sinks_flush(&run->sinks, &err) == -1)
		run_fail(run, RUN_FAILED, &err);
}

/*
 * Who waits for our reader is not over time, and ends unread are not known to us: the limits of
 * tasks from this seq on stand still. Who is before it is read, and may be over time.
 */
static void
run_check_timed(struct run *run, uint64_t timed_end)
{
	int64_t now_ns;
	if (timed_end == run->timed_end)
		return;
	now_ns = clock_now_ns();
	attempts_shift(&run->attempts, run->timed_end, UINT64_MAX,
		       now_ns - run->timed_at_ns);
	run->timed_end = timed_end;
	run->timed_at_ns = now_ns;
}

/* Backpressure, but not on what is being ended: its results must come in. */
static void
run_check_hold(struct run *run)
{
	bool is_behind = sinks_is_behind(&run->sinks) && !run->is_cancelling;
	uint64_t outputs_end =
	    run->is_cancelling ? UINT64_MAX : sinks_outputs_end(&run->sinks);
	if (is_behind != run->is_held)
		run->backend->ops->hold(run->backend, is_behind);
	if (outputs_end != run->outputs_end)
		run->backend->ops->hold_from(run->backend, outputs_end);
	/* What was taken by that is to be flushed and recorded, and nobody else would wake us. */
	if (is_behind != run->is_held || outputs_end != run->outputs_end)
		run->has_settled = true;
	run->is_held = is_behind;
	run->outputs_end = outputs_end;
	run_check_timed(run, is_behind ? 0 : outputs_end);
}

void
run_settle(struct run *run)
{
	run->backend->ops->poll(run->backend, clock_now_ns());
	run_check_time_limits(run);
	run_check_halt(run);
	run_check_force(run);
	run_check_jobs(run);
	run_check_cancelled(run);
	run_skip(run);
	run_flush(run);
	if (run->backend->ops->recorded != NULL && sinks_has_recorded(&run->sinks))
		run->backend->ops->recorded(run->backend);
	run_check_reader(run);
	run_skip(run);
	run->has_settled = false;
	run_check_hold(run);
}

/* --- the whole --- */

/* An end that does not wait for a stuck reader of our output. */
static bool
run_is_abrupt(const struct run *run)
{
	return run->is_signalled || run->outcome == RUN_SIGNALLED ||
	       run->outcome == RUN_READER_GONE || run->outcome == RUN_FAILED;
}

bool
run_is_finished(struct run *run)
{
	run->is_over = false;
	if (!plan_is_finished(run->config.plan) && !run->has_lost_track)
		return false;
	run->backend->ops->close(run->backend);
	run->is_over = run->backend->ops->is_gone(run->backend) &&
		       (run_is_abrupt(run) || sinks_is_done(&run->sinks));
	return run->is_over;
}

void
run_finish(struct run *run)
{
	struct err err = {0};
	int status = run_is_abrupt(run) ? sinks_finish_records(&run->sinks, &err)
					: sinks_finish(&run->sinks, &err);
	const struct err *input_err = plan_input_error(run->config.plan);
	if (status == -1)
		run_fail(run, RUN_FAILED, &err);
	else if (run->outcome == RUN_COMPLETE && input_err != NULL)
		run_fail(run, RUN_FAILED, input_err); /* nothing runs any more */
}

bool
run_has_left(const struct run *run)
{
	return run->has_skipped || plan_has_unread_input(run->config.plan);
}

bool
run_has_failed(const struct run *run)
{
	return run->outcome == RUN_BROKEN || run->outcome == RUN_FAILED;
}

/* --- made and ended --- */

/* Only LOOP_GONE is asked for: nobody reads any more. */
static void
run_on_reader(void *context, unsigned int events)
{
	struct run *run = context;
	if ((events & LOOP_GONE) == 0)
		return;
	run_end(run, RUN_READER_GONE);
	run_cancel(run, BACKEND_GRACE);
	loop_unwatch(run->config.loop, run->reader_watch);
	run->reader_watch = NULL;
}

static int
run_open_reader(struct run *run, struct err *err)
{
	if (run->config.reader_fd == -1)
		return 0;
	run->reader_watch = loop_watch(run->config.loop, run->config.reader_fd, 0,
				       run_on_reader, run, err);
	return run->reader_watch == NULL ? -1 : 0;
}

static int
run_open_gauges(struct run *run, struct err *err)
{
	const struct run_config *config = &run->config;
	const char *root = config->root != NULL ? config->root : "";
	throttle_init(&run->throttle, config->spec, root, config->cgroups);
	run->throttle.is_cautious |= config->jobserver != NULL;
	if (memkills_init(&run->memkills, root, config->cgroups) == -1)
		return err_no_memory(err);
	return gauge_check(&run->throttle.gauge, config->spec, err);
}

struct run *
run_new(const struct run_config *config, struct err *err)
{
	struct run *run = calloc(1, sizeof(*run));
	if (run == NULL) {
		err_no_memory(err);
		return NULL;
	}
	run->config = *config;
	run->sinks.count = config->sink_count;
	memcpy(run->sinks.items, config->sinks, sizeof(config->sinks));
	run->source_fd = -1;
	run->outputs_end = UINT64_MAX;
	run->timed_end = UINT64_MAX;
	for (size_t i = 0; i < SINKS_FDS_MAX; i++)
		run->sink_fds[i] = -1;
	if (run_open_gauges(run, err) == 0 &&
	    tokens_init(&run->tokens, config->jobserver, config->loop, err) == 0 &&
	    run_open_reader(run, err) == 0)
		return run;
	run_free(run);
	return NULL;
}

void
run_set_backend(struct run *run, struct backend *backend)
{
	run->backend = backend;
}

void
run_free(struct run *run)
{
	if (run == NULL)
		return;
	loop_unwatch(run->config.loop, run->reader_watch);
	loop_unwatch(run->config.loop, run->source_watch);
	for (size_t i = 0; i < SINKS_FDS_MAX; i++)
		loop_unwatch(run->config.loop, run->sink_watches[i]);
	attempts_fini(&run->attempts);
	memkills_fini(&run->memkills);
	throttle_fini(&run->throttle);
	tokens_fini(&run->tokens);
	sinks_fini(&run->sinks);
	free(run);
}

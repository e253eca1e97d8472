/* Tests of task/plan: what may run next, and what becomes of it. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "task/plan.h"

/* A source of `total` tasks that says WAIT before the task `wait_at` until it is told otherwise. */
struct fake {
	struct source source;
	uint64_t next;
	uint64_t total;
	uint64_t wait_at;
	uint64_t fail_at;
};

static enum source_status
fake_next(struct source *source, uint32_t count_max, struct task **task, struct err *err)
{
	struct fake *fake = (struct fake *)source;
	struct buf none = {0};
	(void)count_max;
	if (fake->next == fake->fail_at)
		return (enum source_status)err_set(err, ERR_SYSTEM, "no more");
	if (fake->next == fake->wait_at)
		return SOURCE_WAIT;
	if (fake->next == fake->total)
		return SOURCE_END;
	*task = task_new(fake->next++, 1, 0, &none);
	assert_non_null(*task);
	return SOURCE_TASK;
}

static int
fake_wait_fd(const struct source *source)
{
	(void)source;
	return 42;
}

static void
fake_free(struct source *source)
{
	(void)source;
}

static const struct source_ops fake_ops = {fake_next, fake_wait_fd, fake_free};

struct setting {
	struct spec spec;
	struct fake fake;
	struct plan *plan;
};

static int
set_up(void **state)
{
	struct setting *setting = calloc(1, sizeof(*setting));
	if (setting == NULL)
		return -1;
	spec_init(&setting->spec, SPEC_MAP);
	setting->fake = (struct fake){.source = {&fake_ops},
				      .total = 100,
				      .wait_at = UINT64_MAX,
				      .fail_at = UINT64_MAX};
	setting->plan = plan_new(&setting->spec, &setting->fake.source, NULL);
	*state = setting;
	return setting->plan == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
	struct setting *setting = *state;
	plan_free(setting->plan);
	spec_fini(&setting->spec);
	free(setting);
	return 0;
}

static enum plan_next
next(struct setting *setting, int64_t now_ns, struct task **task)
{
	struct err err = {0};
	return plan_next(setting->plan, UINT64_MAX, 1, now_ns, task, &err);
}

static struct task *
start(struct setting *setting, int64_t now_ns, uint64_t seq)
{
	struct task *task;
	assert_int_equal(next(setting, now_ns, &task), PLAN_TASK);
	assert_int_equal(task->seq, seq);
	plan_started(setting->plan, task);
	return task;
}

static enum plan_verdict
finish(struct setting *setting, struct task *task, enum result_reason reason, int status)
{
	struct result result = {
	    .reason = reason, .exit_status = status, .wall_ns = NS_PER_S};
	enum plan_verdict verdict = plan_finished(setting->plan, task, &result, 0);
	if (verdict == PLAN_SETTLED)
		plan_release(setting->plan, task);
	return verdict;
}

static void
run_one(struct setting *setting, uint64_t seq, int status)
{
	struct task *task = start(setting, 0, seq);
	assert_int_equal(finish(setting, task, RESULT_EXIT, status), PLAN_SETTLED);
}

/* --- order --- */

static void
tasks_come_in_seq_order_and_end(void **state)
{
	struct setting *setting = *state;
	struct task *task;
	setting->fake.total = 3;
	assert_false(plan_is_finished(setting->plan));
	for (uint64_t seq = 0; seq < 3; seq++)
		run_one(setting, seq, 0);
	assert_int_equal(next(setting, 0, &task), PLAN_END);
	assert_true(plan_is_finished(setting->plan));
}

static void
the_source_is_asked_only_for_what_is_wanted(void **state)
{
	struct setting *setting = *state;
	run_one(setting, 0, 0);
	assert_int_equal(setting->fake.next, 1);
}

static void
a_returned_task_comes_before_later_ones(void **state)
{
	struct setting *setting = *state;
	struct task *tasks[4];
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(next(setting, 0, &tasks[i]), PLAN_TASK);
	plan_returned(setting->plan, tasks[2], 0);
	plan_returned(setting->plan, tasks[0], 0);
	plan_returned(setting->plan, tasks[3], 0);
	start(setting, 0, 0);
	start(setting, 0, 2);
	start(setting, 0, 3);
	start(setting, 0, 4);
}

static void
the_window_holds_back_what_is_too_far_ahead(void **state)
{
	struct setting *setting = *state;
	struct err err = {0};
	struct task *task;
	assert_int_equal(plan_next(setting->plan, 2, 1, 0, &task, &err), PLAN_TASK);
	assert_int_equal(plan_next(setting->plan, 2, 1, 0, &task, &err), PLAN_TASK);
	assert_int_equal(plan_next(setting->plan, 2, 1, 0, &task, &err), PLAN_WAIT);
	assert_int_equal(plan_wait_fd(setting->plan), -1); /* it is not the source */
	assert_int_equal(plan_next(setting->plan, 3, 1, 0, &task, &err), PLAN_TASK);
	assert_int_equal(task->seq, 2);
}

static void
a_source_that_waits_says_on_what(void **state)
{
	struct setting *setting = *state;
	struct task *task;
	setting->fake.wait_at = 1;
	assert_int_equal(next(setting, 0, &task), PLAN_TASK);
	assert_int_equal(next(setting, 0, &task), PLAN_WAIT);
	assert_int_equal(plan_wait_fd(setting->plan), 42);
	setting->fake.wait_at = UINT64_MAX;
	assert_int_equal(next(setting, 0, &task), PLAN_TASK);
	assert_int_equal(plan_wait_fd(setting->plan), -1);
}

static void
a_source_that_fails_has_its_end_there(void **state)
{
	struct setting *setting = *state;
	struct task *task;
	setting->fake.fail_at = 1;
	assert_int_equal(next(setting, 0, &task), PLAN_TASK);
	assert_null(plan_input_error(setting->plan));
	assert_int_equal(next(setting, 0, &task), PLAN_END);
	assert_int_not_equal(plan_input_error(setting->plan)->kind, ERR_NONE);
}

static void
only_attempts_in_flight_are_found(void **state)
{
	struct setting *setting = *state;
	struct task *task;
	setting->spec.max_attempts = 2;
	assert_null(plan_find(setting->plan, 0, 1));
	assert_int_equal(next(setting, 0, &task), PLAN_TASK);
	assert_ptr_equal(plan_find(setting->plan, 0, 1), task);
	assert_null(plan_find(setting->plan, 0, 2));
	assert_null(plan_find(setting->plan, 1, 1));
	plan_started(setting->plan, task);
	assert_ptr_equal(plan_find(setting->plan, 0, 1), task);
	assert_int_equal(finish(setting, task, RESULT_EXIT, 1), PLAN_RETRY);
	assert_null(plan_find(setting->plan, 0, 1));
	assert_null(plan_find(setting->plan, 0, 2)); /* not given out yet */
	start(setting, INT64_MAX - 1, 0);
	assert_non_null(plan_find(setting->plan, 0, 2));
}

/* --- retries --- */

static void
a_failed_task_is_tried_again_with_growing_pauses_until_its_attempts_are_used_up(void **state)
{
	struct setting *setting = *state;
	setting->spec.max_attempts = 4;
	setting->spec.backoff_ns = 100;
	setting->fake.total = 1;
	int64_t pause_ns = 100;
	int64_t now_ns = 0;
	for (uint32_t attempt = 1; attempt <= 4; attempt++) {
		struct task *task = start(setting, now_ns, 0);
		assert_int_equal(task->attempt, attempt);
		struct result result = {.reason = RESULT_EXIT, .exit_status = 1};
		if (attempt == 4) {
			assert_int_equal(plan_finished(setting->plan, task, &result, now_ns),
					 PLAN_SETTLED);
			plan_release(setting->plan, task);
			break;
		}
		assert_int_equal(plan_finished(setting->plan, task, &result, now_ns),
				 PLAN_RETRY);
		assert_int_equal(plan_wait_until(setting->plan), now_ns + pause_ns);
		assert_int_equal(next(setting, now_ns + pause_ns - 1, &task), PLAN_WAIT);
		now_ns += pause_ns;
		pause_ns *= 2;
	}
	struct task *task;
	assert_int_equal(next(setting, now_ns, &task), PLAN_END);
	assert_int_equal(plan_wait_until(setting->plan), CLOCK_NEVER);
	assert_true(plan_is_finished(setting->plan));
}

static void
retries_that_are_due_come_first_and_in_the_order_they_are_due(void **state)
{
	struct setting *setting = *state;
	struct task *tasks[3];
	struct result result = {.reason = RESULT_EXIT, .exit_status = 1};
	setting->spec.max_attempts = 2;
	setting->spec.backoff_ns = 10;
	for (uint64_t seq = 0; seq < 3; seq++)
		tasks[seq] = start(setting, 0, seq);
	plan_finished(setting->plan, tasks[2], &result, 100);
	plan_finished(setting->plan, tasks[0], &result, 200);
	plan_finished(setting->plan, tasks[1], &result, 150);
	start(setting, 105, 3); /* nothing is due yet: the input goes on */
	start(setting, 1000, 2);
	start(setting, 1000, 1);
	start(setting, 1000, 0);
	start(setting, 1000, 4);
}

static void
only_chosen_ends_are_tried_again(void **state)
{
	static const struct {
		enum result_reason reason;
		unsigned int bit;
	} ends[] = {
	    {RESULT_EXIT, SPEC_RETRY_EXIT},
	    {RESULT_CANNOT_EXECUTE, SPEC_RETRY_EXIT},
	    {RESULT_SIGNAL, SPEC_RETRY_SIGNAL},
	    {RESULT_TIMEOUT, SPEC_RETRY_TIMEOUT},
	    {RESULT_LOST, SPEC_RETRY_LOST},
	    {RESULT_NO_OUTPUT, SPEC_RETRY_EXIT},
	    {RESULT_MEMORY, SPEC_RETRY_SIGNAL | SPEC_RETRY_MEMORY},
	    {RESULT_CANCELLED, 0},
	};
	struct setting *setting = *state;
	uint64_t seq = 0;
	setting->fake.total = 1000;
	setting->spec.max_attempts = 2;
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		for (unsigned int on = 1; on <= SPEC_RETRY_ALL; on++) {
			setting->spec.retry_on = on;
			struct task *task;
			while (next(setting, 0, &task) == PLAN_TASK && task->attempt == 2) {
				plan_started(setting->plan, task);
				finish(setting, task, RESULT_EXIT, 0);
			}
			assert_int_equal(task->seq, seq++);
			plan_started(setting->plan, task);
			assert_int_equal(finish(setting, task, ends[i].reason, 1),
					 on & ends[i].bit ? PLAN_RETRY : PLAN_SETTLED);
		}
}

static void
success_is_never_tried_again(void **state)
{
	struct setting *setting = *state;
	setting->spec.max_attempts = 9;
	run_one(setting, 0, 0);
	run_one(setting, 1, 0);
}

/* --- the states --- */

static int
set_up_long(void **state)
{
	int status = set_up(state);
	struct setting *setting = *state;
	setting->fake.total = 1000;
	setting->spec.max_attempts = 2;
	return status;
}

enum event { EV_RETURN, EV_START, EV_RETRY, EV_SETTLE, EVENTS };

static void
apply(struct setting *setting, struct task *task, enum event event)
{
	if (event == EV_RETURN)
		plan_returned(setting->plan, task, 0);
	else if (event == EV_START)
		plan_started(setting->plan, task);
	else
		finish(setting, task, RESULT_EXIT, event == EV_RETRY);
}

/* A task brought into a state by the means of the plan; it is the first of a new one. */
static struct task *
bring_to(struct setting *setting, enum task_state wanted)
{
	struct task *task;
	assert_int_equal(next(setting, 0, &task), PLAN_TASK);
	if (wanted == TASK_READY)
		plan_returned(setting->plan, task, 0);
	if (wanted == TASK_RUNNING || wanted == TASK_BACKOFF)
		plan_started(setting->plan, task);
	if (wanted == TASK_BACKOFF)
		finish(setting, task, RESULT_EXIT, 1);
	assert_int_equal(task->state, wanted);
	return task;
}

/* Whether the event goes through; a broken invariant ends the process that tries. */
static bool
is_allowed(struct setting *setting, enum task_state from, enum event event)
{
	pid_t pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		struct rlimit none = {0, 0};
		setrlimit(RLIMIT_CORE, &none);
		signal(SIGABRT, SIG_DFL);
		close(STDERR_FILENO);
		apply(setting, bring_to(setting, from), event);
		_exit(0);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void
every_pair_of_state_and_event_is_right_or_an_error(void **state)
{
	static const bool allowed[TASK_STATES][EVENTS] = {
	    [TASK_READY] = {[EV_SETTLE] = true},
	    [TASK_BACKOFF] = {[EV_SETTLE] = true},
	    [TASK_QUEUED] =
		{[EV_RETURN] = true, [EV_START] = true, [EV_RETRY] = true, [EV_SETTLE] = true},
	    [TASK_RUNNING] = {[EV_RETURN] = true, [EV_RETRY] = true, [EV_SETTLE] = true},
	};
	struct setting *setting = *state;
	static const enum task_state states[] = {TASK_READY, TASK_BACKOFF, TASK_QUEUED,
						 TASK_RUNNING};
	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++)
		for (int event = 0; event < EVENTS; event++) {
			/* A second attempt is the last one, so RETRY from BACKOFF settles. */
			if (states[i] == TASK_BACKOFF && event == EV_RETRY)
				continue;
			assert_int_equal(is_allowed(setting, states[i], (enum event)event),
					 allowed[states[i]][event]);
		}
}

/* --- the end --- */

static void
after_stop_everything_unstarted_is_skipped_and_the_rest_finishes(void **state)
{
	struct setting *setting = *state;
	struct result result = {.reason = RESULT_EXIT, .exit_status = 1};
	struct task *tasks[4];
	struct task *task;
	size_t count = 0;
	setting->spec.max_attempts = 3;
	for (uint64_t seq = 0; seq < 3; seq++)
		tasks[seq] = start(setting, 0, seq);
	assert_int_equal(next(setting, 0, &tasks[3]), PLAN_TASK);
	plan_returned(setting->plan, tasks[3], 0);
	assert_int_equal(plan_finished(setting->plan, tasks[1], &result, 0), PLAN_RETRY);
	plan_stop(setting->plan);
	assert_int_equal(next(setting, INT64_MAX - 1, &task), PLAN_END);
	assert_int_equal(plan_wait_until(setting->plan), CLOCK_NEVER);
	while ((task = plan_skip(setting->plan, NULL)) != NULL) {
		assert_int_equal(task->state, TASK_SETTLED);
		plan_release(setting->plan, task);
		count++;
	}
	assert_true(count > 3); /* with those that were still to be read */
	assert_false(plan_is_finished(setting->plan));
	assert_int_equal(finish(setting, tasks[0], RESULT_EXIT, 1), PLAN_SETTLED);
	assert_int_equal(finish(setting, tasks[2], RESULT_CANCELLED, 0), PLAN_SETTLED);
	assert_true(plan_is_finished(setting->plan));
}

struct halt_case {
	struct spec_halt halt;
	const char *statuses; /* of the tasks, one after another */
	size_t ends_after;    /* tasks; 0: never */
	int status;
};

static const struct halt_case halt_cases[] = {
    {{SPEC_HALT_NEVER, SPEC_HALT_FAIL, false, 1}, "1111", 0, -1},
    {{SPEC_HALT_SOON, SPEC_HALT_FAIL, false, 1}, "0050", 3, 5},
    {{SPEC_HALT_NOW, SPEC_HALT_FAIL, false, 2}, "0506", 4, 2},
    {{SPEC_HALT_NOW, SPEC_HALT_FAIL, false, 3}, "0506", 0, -1},
    {{SPEC_HALT_SOON, SPEC_HALT_SUCCESS, false, 1}, "120", 3, 0},
    {{SPEC_HALT_NOW, SPEC_HALT_DONE, false, 3}, "0120", 3, 2},
    {{SPEC_HALT_SOON, SPEC_HALT_FAIL, true, 50}, "0101", 4, 50},
    {{SPEC_HALT_SOON, SPEC_HALT_FAIL, true, 20}, "00011111", 5, 25},
    {{SPEC_HALT_SOON, SPEC_HALT_SUCCESS, true, 50}, "1010", 4, 0},
    {{SPEC_HALT_NOW, SPEC_HALT_DONE, true, 50}, "1200", 2, 50},
};

static void
each_form_of_halt_ends_when_it_should_and_with_its_status(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(halt_cases) / sizeof(*halt_cases); i++) {
		const struct halt_case *c = &halt_cases[i];
		struct setting *setting = NULL;
		size_t ended_after = 0;
		assert_int_equal(set_up((void **)&setting), 0);
		setting->spec.halt = c->halt;
		setting->fake.total = strlen(c->statuses);
		for (size_t seq = 0; c->statuses[seq] != '\0' && ended_after == 0; seq++) {
			run_one(setting, seq, c->statuses[seq] - '0');
			if (plan_halt(setting->plan) != PLAN_GO)
				ended_after = seq + 1;
		}
		assert_int_equal(ended_after, c->ends_after);
		if (c->ends_after != 0) {
			assert_int_equal(plan_halt_status(setting->plan), c->status);
			assert_int_equal(plan_halt(setting->plan),
					 c->halt.when == SPEC_HALT_NOW ? PLAN_HALT_NOW
								       : PLAN_HALT_SOON);
		}
		tear_down((void **)&setting);
	}
}

static void
a_percentage_waits_for_the_end_of_the_input(void **state)
{
	struct setting *setting = *state;
	struct task *task;
	setting->spec.halt = (struct spec_halt){SPEC_HALT_SOON, SPEC_HALT_FAIL, true, 50};
	setting->fake.wait_at = 50;
	assert_int_equal(next(setting, 0, &task), PLAN_WAIT);
	assert_int_equal(plan_wait_fd(setting->plan), 42);
	setting->fake.wait_at = UINT64_MAX;
	start(setting, 0, 0);
	assert_int_equal(setting->fake.next, 100);
}

static void
what_was_cancelled_counts_for_no_halt(void **state)
{
	struct setting *setting = *state;
	setting->spec.halt = (struct spec_halt){SPEC_HALT_SOON, SPEC_HALT_FAIL, false, 1};
	finish(setting, start(setting, 0, 0), RESULT_CANCELLED, 0);
	assert_int_equal(plan_halt(setting->plan), PLAN_GO);
}

/* --- time limits --- */

static void
a_limit_in_percent_follows_the_median_of_the_successes(void **state)
{
	struct setting *setting = *state;
	setting->spec.timeout.percent = 200;
	for (uint64_t seq = 0; seq < 20; seq++) {
		if (seq < 3)
			assert_int_equal(plan_time_limit_ns(setting->plan), 0);
		struct task *task = start(setting, 0, seq);
		finish(setting, task, RESULT_EXIT, 0);
	}
	/* All took a second; the median is within 3 %. */
	assert_in_range(plan_time_limit_ns(setting->plan), NS_PER_S * 194 / 100,
			NS_PER_S * 206 / 100);
	setting->spec.timeout = (struct spec_timeout){.ns = 77};
	assert_int_equal(plan_time_limit_ns(setting->plan), 77);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(tasks_come_in_seq_order_and_end),
	    TEST(the_source_is_asked_only_for_what_is_wanted),
	    TEST(a_returned_task_comes_before_later_ones),
	    TEST(the_window_holds_back_what_is_too_far_ahead),
	    TEST(a_source_that_waits_says_on_what),
	    TEST(a_source_that_fails_has_its_end_there),
	    TEST(only_attempts_in_flight_are_found),
	    TEST(a_failed_task_is_tried_again_with_growing_pauses_until_its_attempts_are_used_up),
	    TEST(retries_that_are_due_come_first_and_in_the_order_they_are_due),
	    TEST(only_chosen_ends_are_tried_again),
	    TEST(success_is_never_tried_again),
	    cmocka_unit_test_setup_teardown(
		every_pair_of_state_and_event_is_right_or_an_error, set_up_long, tear_down),
	    TEST(after_stop_everything_unstarted_is_skipped_and_the_rest_finishes),
	    cmocka_unit_test(each_form_of_halt_ends_when_it_should_and_with_its_status),
	    TEST(a_percentage_waits_for_the_end_of_the_input),
	    TEST(what_was_cancelled_counts_for_no_halt),
	    TEST(a_limit_in_percent_follows_the_median_of_the_successes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

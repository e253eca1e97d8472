/*
 * plan_fixture.h: for the tests of task/plan: a plan over a scripted source, and what becomes of
 * its tasks in one word each.
 */
#ifndef PINION_TESTS_PLAN_FIXTURE_H
#define PINION_TESTS_PLAN_FIXTURE_H

#include "fake_source.h"

#include "base/clock.h"
#include "task/plan.h"

#define ANY_SEQ UINT64_MAX

struct fixture {
	struct spec spec;
	struct fake_source source;
	struct plan *plan;
};

static inline int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	spec_init(&f->spec, SPEC_MAP);
	*state = f;
	return 0;
}

static inline int
teardown(void **state)
{
	struct fixture *f = *state;
	plan_free(f->plan);
	spec_fini(&f->spec);
	free(f);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* After the spec has been filled in. */
static inline void
open_plan(struct fixture *f, const char *script)
{
	struct err err = {0};
	fake_source_init(&f->source, script);
	f->plan = plan_new(&f->spec, &f->source.source, &err);
	assert_non_null(f->plan);
}

static inline enum plan_next
ask(struct fixture *f, uint64_t seq_end, int64_t now_ns)
{
	struct err err = {0};
	struct task *task;
	return plan_next(f->plan, seq_end, 1, now_ns, &task, &err);
}

static inline struct task *
take(struct fixture *f, int64_t now_ns, uint64_t seq, uint32_t attempt)
{
	struct err err = {0};
	struct task *task = NULL;
	assert_int_equal(plan_next(f->plan, ANY_SEQ, 1, now_ns, &task, &err), PLAN_TASK);
	assert_int_equal(task->seq, seq);
	assert_int_equal(task->attempt, attempt);
	assert_int_equal(task->state, TASK_QUEUED);
	return task;
}

static inline struct task *
start(struct fixture *f, uint64_t seq)
{
	struct task *task = take(f, 0, seq, 1);
	plan_started(f->plan, task);
	return task;
}

static inline struct result
exited(int status)
{
	return (struct result){.reason = RESULT_EXIT, .exit_status = status};
}

static inline enum plan_verdict
finish(struct fixture *f, struct task *task, struct result result)
{
	enum plan_verdict verdict = plan_finished(f->plan, task, &result, 0);
	if (verdict == PLAN_SETTLED)
		plan_release(f->plan, task);
	return verdict;
}

/* The next task from beginning to end. */
static inline void
run_one(struct fixture *f, uint64_t seq, struct result result)
{
	assert_int_equal(finish(f, start(f, seq), result), PLAN_SETTLED);
}

#endif

/*
 * run_fixture.h: for the tests of run/run: the loop between a fake source, backend and sinks.
 *
 * run_script plays one letter for each task, as fake_backend.h has them.
 */
#ifndef PINION_TESTS_RUN_FIXTURE_H
#define PINION_TESTS_RUN_FIXTURE_H

#include "fake_backend.h"
#include "fake_sink.h"
#include "fake_source.h"

#include "child.h"

#include "run/conductor.h"

struct fixture {
	struct spec spec;
	struct sig_origin origin;
	struct loop *loop;
	struct fake_source source;
	struct fake_backend backend;
	struct fake_sink sink;
	struct fake_sink bad; /* not there unless add_bad_sink */
	struct sink silent;   /* has no functions at all */
	struct plan *plan;
	struct run_config config;
	struct run *run;
	struct conductor *conductor;
	const char *source_script; /* NULL: as many tasks as the backend's script has letters */
	bool is_reader_gone;
	size_t wanted_worker_count;
	struct buf notes;
	struct err err;
	int writable_fd;
};

static inline bool
fixture_is_reader_gone(void *context)
{
	return ((struct fixture *)context)->is_reader_gone;
}

static inline void
fixture_note(void *context, const char *bytes, size_t length)
{
	struct fixture *f = context;
	assert_int_equal(buf_append(&f->notes, bytes, length), 0);
}

static inline size_t
fixture_worker_count(void *context)
{
	return ((struct fixture *)context)->wanted_worker_count;
}

static inline int
setup(void **state)
{
	static const struct sink_ops no_ops = {.free = fake_sink_free};
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	limit_time(state);
	spec_init(&f->spec, SPEC_MAP);
	f->spec.term_step_count = 0;
	sig_origin_save(&f->origin);
	f->loop = loop_new(&f->err);
	assert_non_null(f->loop);
	f->writable_fd = eventfd(0, EFD_CLOEXEC);
	assert_int_not_equal(f->writable_fd, -1);
	fake_sink_init(&f->sink, f->writable_fd);
	f->silent.ops = &no_ops;
	f->backend.worker_count = 2;
	f->config = (struct run_config){
	    .spec = &f->spec,
	    .loop = f->loop,
	    .sinks = {&f->silent, &f->sink.sink},
	    .sink_count = 2,
	    .reader_fd = -1,
	    .context = f,
	    .is_reader_gone = fixture_is_reader_gone,
	    .note = fixture_note,
	};
	*state = f;
	return 0;
}

/* As at the start, without what is pending. */
static inline void
restore_signals(const struct fixture *f)
{
	static const struct timespec no_time = {0};
	sigset_t all;
	sigfillset(&all);
	sigdelset(&all, SIGALRM);
	while (sigtimedwait(&all, NULL, &no_time) > 0)
		;
	sigprocmask(SIG_SETMASK, &f->origin.mask, NULL);
}

static inline int
teardown(void **state)
{
	struct fixture *f = *state;
	run_free(f->run);
	conductor_free(f->conductor);
	plan_free(f->plan);
	fake_backend_fini(&f->backend);
	loop_free(f->loop);
	close(f->writable_fd);
	buf_fini(&f->sink.log);
	buf_fini(&f->bad.log);
	buf_fini(&f->notes);
	spec_fini(&f->spec);
	restore_signals(f);
	free(f);
	return lift_limit(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* A sink that fails at this call. */
static inline void
add_bad_sink(struct fixture *f, char fails_at)
{
	fake_sink_init(&f->bad, f->writable_fd);
	f->bad.fails_at = fails_at;
	f->config.sinks[2] = &f->bad.sink;
	f->config.sink_count = 3;
}

/* The whole run; on every way out each task has settled once and the backend is closed. */
static inline enum run_outcome
run_script(struct fixture *f, const char *script)
{
	char all[FAKE_SEQS] = {0};
	memset(all, 't', strlen(script));
	fake_source_init(&f->source, f->source_script != NULL ? f->source_script : all);
	f->source.wait_fd = f->writable_fd;
	f->plan = plan_new(&f->spec, &f->source.source, &f->err);
	assert_non_null(f->plan);
	f->config.plan = f->plan;
	f->conductor = conductor_new(f->loop, &f->origin, &f->err);
	assert_non_null(f->conductor);
	f->run = run_new(&f->config, &f->err);
	assert_non_null(f->run);
	struct backend_client client = run_client(f->run);
	f->backend.script = script;
	fake_backend_init(&f->backend, f->loop, &client);
	run_set_backend(f->run, &f->backend.backend);
	assert_int_equal(conductor_add(f->conductor, f->run), 0);
	enum run_outcome outcome = conductor_loop(f->conductor, &f->err);
	for (size_t seq = 0; seq < FAKE_SEQS; seq++)
		assert_int_equal(f->sink.settled[seq], seq < f->source.task_count);
	assert_true(plan_is_finished(f->plan));
	assert_true(f->backend.is_closed);
	return outcome;
}

static inline void
assert_sink_log(struct fixture *f, const char *expected)
{
	assert_string_equal(buf_str(&f->sink.log), expected);
}

static inline void
assert_backend_log(struct fixture *f, const char *expected)
{
	assert_string_equal(buf_str(&f->backend.log), expected);
}

#endif

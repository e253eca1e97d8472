/* The backend of --dry-run: command lines as output, and success at once. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pool/dry.h"

struct fixture {
	struct spec spec;
	struct template *template;
	struct backend *backend;
	struct buf log;
};

static void
on_started(void *context, uint64_t seq, uint32_t attempt, uint32_t slot,
	   int64_t started_at_ns)
{
	struct fixture *f = context;
	assert_true(started_at_ns > 0);
	assert_int_equal(buf_printf(&f->log, "[%" PRIu64 ".%u in %u]", seq, attempt, slot),
			 0);
}

static void
on_output(void *context, uint64_t seq, uint32_t attempt, enum result_stream stream,
	  const char *bytes, size_t length)
{
	struct fixture *f = context;
	(void)seq;
	(void)attempt;
	assert_int_equal(stream, RESULT_STDOUT);
	assert_int_equal(buf_append(&f->log, bytes, length), 0);
}

static void
on_finished(void *context, uint64_t seq, uint32_t attempt, const struct result *result)
{
	struct fixture *f = context;
	assert_true(result_is_success(result));
	assert_int_equal(buf_printf(&f->log, "[%" PRIu64 ".%u done]", seq, attempt), 0);
}

static int
setup(void **state)
{
	static const char *const words[] = {"echo", "{}", "{%}", NULL};
	struct err err = {0};
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	spec_init(&f->spec, SPEC_MAP);
	f->spec.words = (char **)words;
	f->spec.word_count = 3;
	f->template = template_new(&f->spec, NULL, 0, &err);
	assert_non_null(f->template);
	struct dry_config config = {
	    .client = {.context = f,
		       .started = on_started,
		       .output = on_output,
		       .finished = on_finished},
	    .template = f->template,
	    .column_count = 1,
	    .worker_count = 2,
	};
	f->backend = dry_new(&config, &err);
	assert_non_null(f->backend);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	f->backend->ops->free(f->backend);
	template_free(f->template);
	buf_fini(&f->log);
	spec_fini(&f->spec);
	free(f);
	return 0;
}

static int
submit(struct fixture *f, uint64_t seq, uint32_t attempt, uint32_t arg_count,
       const char *value)
{
	struct err err = {0};
	struct buf packed = {0};
	assert_int_equal(task_pack(&packed, value, strlen(value)), 0);
	struct task *task = task_new(seq, 1, arg_count, &packed);
	assert_non_null(task);
	task->attempt = attempt;
	int status = f->backend->ops->submit(f->backend, task, &err);
	free(task);
	buf_fini(&packed);
	return status;
}

static void
task_says_its_command_and_succeeds_in_the_submit(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(submit(f, 0, 1, 1, "two words"), 0);
	assert_string_equal(buf_str(&f->log), "[0.1 in 1]echo 'two words' 1\n[0.1 done]");
}

static void
slots_go_round(void **state)
{
	struct fixture *f = *state;
	for (uint64_t seq = 0; seq < 3; seq++)
		assert_int_equal(submit(f, seq, 2, 1, "a"), 0);
	assert_string_equal(buf_str(&f->log), "[0.2 in 1]echo a 1\n[0.2 done]"
					      "[1.2 in 2]echo a 2\n[1.2 done]"
					      "[2.2 in 1]echo a 1\n[2.2 done]");
}

static void
unsound_task_is_refused_without_a_word(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(submit(f, 0, 1, 5, "a"), -1);
	assert_int_equal(f->log.length, 0);
}

static void
nothing_runs_so_it_always_has_room_and_is_gone(void **state)
{
	struct fixture *f = *state;
	const struct backend_ops *ops = f->backend->ops;
	struct err err = {0};
	assert_int_equal(submit(f, 0, 1, 1, "a"), 0);
	assert_true(ops->room(f->backend) > 0);
	assert_true(ops->idle_count(f->backend) > 0);
	assert_int_equal(ops->worker_count(f->backend), 2);
	assert_int_equal(ops->publish(f->backend, &err), 0);
	buf_clear(&f->log);
	ops->withdraw(f->backend);
	ops->cancel(f->backend, 0, RESULT_CANCELLED, BACKEND_GRACE);
	ops->cancel_all(f->backend, BACKEND_AT_ONCE);
	ops->suspend(f->backend);
	ops->resume(f->backend);
	ops->hold(f->backend, true);
	ops->reap(f->backend);
	ops->resize(f->backend, 5);
	ops->close(f->backend);
	assert_true(ops->is_gone(f->backend));
	assert_int_equal(f->log.length, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(task_says_its_command_and_succeeds_in_the_submit),
	    TEST(slots_go_round),
	    TEST(unsound_task_is_refused_without_a_word),
	    TEST(nothing_runs_so_it_always_has_room_and_is_gone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

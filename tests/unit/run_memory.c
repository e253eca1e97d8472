/* The run where the kernel kills tasks for memory, and where a deadline comes. */
#include "kernel_files.h"
#include "run_fixture.h"

static void
count_a_kill(void *context)
{
	kernel_files_put(context, "/proc/vmstat", "nr_free_pages 7\noom_kill 1\n");
}

static void
ignore_a_kill(void *context)
{
	(void)context;
}

/* As run_script, on a machine where the kernel counts its kills. */
static enum run_outcome
run_counted(struct fixture *f, const char *script, void (*on_kill)(void *context))
{
	struct kernel_files files;
	kernel_files_make(&files);
	kernel_files_put(&files, "/proc/vmstat", "oom_kill 0\n");
	f->config.root = files.root;
	f->backend.on_kill = on_kill;
	f->backend.kill_context = &files;
	enum run_outcome outcome = run_script(f, script);
	kernel_files_remove(&files);
	return outcome;
}

static void
task_killed_for_memory_comes_again_with_fewer_beside_it(void **state)
{
	struct fixture *f = *state;
	f->spec.max_attempts = 2;
	f->spec.retry_on = SPEC_RETRY_MEMORY;
	f->backend.worker_count = 4;
	assert_int_equal(run_counted(f, "K000000", count_a_kill), RUN_COMPLETE);
	assert_non_null(strstr(buf_str(&f->sink.log), "~0"));
	assert_non_null(strstr(f->sink.log.bytes, "+0.2=E0"));
	assert_backend_log(f, "withdraw");
	assert_non_null(strstr(buf_str(&f->notes), "pinion map: a task was killed for "
						   "memory: no more than 1 run"));
}

static void
kill_that_was_not_for_memory_is_not_tried_again_for_it(void **state)
{
	struct fixture *f = *state;
	f->spec.max_attempts = 2;
	f->spec.retry_on = SPEC_RETRY_MEMORY;
	assert_int_equal(run_counted(f, "K0", ignore_a_kill), RUN_COMPLETE);
	assert_null(strstr(buf_str(&f->sink.log), "~0"));
	assert_backend_log(f, "");
}

static void
kill_for_memory_without_a_retry_changes_nothing_for_others(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(run_counted(f, "K000", count_a_kill), RUN_COMPLETE);
	assert_backend_log(f, "");
	assert_null(f->notes.bytes);
}

static void
deadline_that_is_past_lets_nothing_start(void **state)
{
	struct fixture *f = *state;
	f->spec.deadline_real_ns = 1;
	assert_int_equal(run_script(f, "00"), RUN_DEADLINE);
	assert_null(strchr(buf_str(&f->sink.log), '>'));
	assert_int_equal(f->sink.finish_count, 1);
}

static void
deadline_after_the_last_start_is_not_the_reason_for_the_end(void **state)
{
	struct fixture *f = *state;
	f->spec.deadline_real_ns = clock_real_ns() + 3600 * NS_PER_S;
	assert_int_equal(run_script(f, "l0l"), RUN_COMPLETE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(task_killed_for_memory_comes_again_with_fewer_beside_it),
	    TEST(kill_that_was_not_for_memory_is_not_tried_again_for_it),
	    TEST(kill_for_memory_without_a_retry_changes_nothing_for_others),
	    TEST(deadline_that_is_past_lets_nothing_start),
	    TEST(deadline_after_the_last_start_is_not_the_reason_for_the_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

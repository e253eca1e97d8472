/* Unit tests of task/spec. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "task/spec.h"

static void
map_defaults_are_ordered_with_one_worker_per_core(void **state)
{
	(void)state;
	struct spec spec;
	spec_init(&spec, SPEC_MAP);
	assert_string_equal(spec.program, "pinion map");
	assert_string_equal(spec.shell, "/bin/sh");
	assert_true(spec.is_ordered);
	assert_int_equal(spec.jobs.kind, SPEC_JOBS_DEFAULT);
	assert_int_equal(spec.output_mode, SPEC_OUTPUT_GROUP);
	assert_int_equal(spec.delimiter, '\n');
	assert_int_equal(spec.max_attempts, 1);
	assert_int_equal(spec.retry_on, SPEC_RETRY_ALL);
	assert_int_equal(spec.buffer_bytes, 64 * 1024 * 1024);
	assert_int_equal(spec.window, 10000);
	assert_int_equal(spec.halt.when, SPEC_HALT_NEVER);
	assert_int_equal(spec.input_count, 0);
	spec_fini(&spec);
}

static void
parallel_defaults_are_unordered_with_one_worker_per_thread(void **state)
{
	(void)state;
	struct spec spec;
	spec_init(&spec, SPEC_PARALLEL);
	assert_string_equal(spec.program, "pinion parallel");
	assert_false(spec.is_ordered);
	assert_int_equal(spec.jobs.kind, SPEC_JOBS_THREADS);
	spec_fini(&spec);
}

static void
default_term_steps_end_with_kill(void **state)
{
	(void)state;
	struct spec spec;
	static const struct spec_term_step steps[] = {
	    {SIGTERM, 200}, {SIGTERM, 100}, {SIGTERM, 50}, {SIGKILL, 25}};
	spec_init(&spec, SPEC_MAP);
	assert_int_equal(spec.term_step_count, 4);
	assert_memory_equal(spec.term_steps, steps, sizeof(steps));
	spec_fini(&spec);
}

static void
added_inputs_keep_their_order_while_the_list_grows(void **state)
{
	(void)state;
	struct spec spec;
	char path[20];
	spec_init(&spec, SPEC_MAP);
	for (int i = 0; i < 100; i++) {
		snprintf(path, sizeof(path), "file%d", i);
		struct spec_input input = {.kind = SPEC_INPUT_FILE,
					   .path = spec_strdup(&spec, path)};
		assert_int_equal(spec_add_input(&spec, &input), 0);
	}
	assert_int_equal(spec.input_count, 100);
	for (int i = 0; i < 100; i++) {
		snprintf(path, sizeof(path), "file%d", i);
		assert_string_equal(spec.inputs[i].path, path);
	}
	spec_fini(&spec);
}

static void
added_rpls_keep_their_order_while_the_list_grows(void **state)
{
	(void)state;
	struct spec spec;
	spec_init(&spec, SPEC_MAP);
	for (int i = 0; i < 9; i++)
		assert_int_equal(spec_add_rpl(&spec, i == 8 ? "last" : "some", "s/a/b/"),
				 0);
	assert_int_equal(spec.rpl_count, 9);
	assert_string_equal(spec.rpls[0].name, "some");
	assert_string_equal(spec.rpls[8].name, "last");
	assert_string_equal(spec.rpls[8].edit, "s/a/b/");
	spec_fini(&spec);
}

static void
allocated_memory_is_zero_aligned_and_too_much_is_refused(void **state)
{
	(void)state;
	struct spec spec;
	spec_init(&spec, SPEC_MAP);
	unsigned char *bytes = spec_alloc(&spec, 33);
	assert_non_null(bytes);
	assert_int_equal((uintptr_t)bytes % _Alignof(max_align_t), 0);
	for (int i = 0; i < 33; i++)
		assert_int_equal(bytes[i], 0);
	assert_null(spec_alloc(&spec, SIZE_MAX - 1));
	spec_fini(&spec);
	assert_null(spec.arena);
	spec_fini(&spec);
}

static void
assert_jobs(const char *text, enum spec_jobs_kind kind, double value)
{
	struct spec_jobs jobs = {.path = "untouched"};
	assert_int_equal(spec_jobs_parse(&jobs, text), 0);
	assert_int_equal(jobs.kind, kind);
	assert_true(jobs.value >= value && jobs.value <= value);
	assert_null(jobs.path);
}

static void
jobs_have_all_forms_of_gnu_parallel(void **state)
{
	(void)state;
	assert_jobs("4", SPEC_JOBS_COUNT, 4);
	assert_jobs("0", SPEC_JOBS_MAX, 0);
	assert_jobs("50%", SPEC_JOBS_PERCENT, 50);
	assert_jobs("12.5%", SPEC_JOBS_PERCENT, 12.5);
	assert_jobs("200%", SPEC_JOBS_PERCENT, 200);
	assert_jobs("+2", SPEC_JOBS_PLUS, 2);
	assert_jobs("-1", SPEC_JOBS_PLUS, -1);
	assert_jobs("cores", SPEC_JOBS_CORES, 0);
	assert_jobs("threads", SPEC_JOBS_THREADS, 0);
}

static void
jobs_of_no_form_are_refused_and_leave_the_value(void **state)
{
	(void)state;
	static const char *const texts[] = {"",    "x",
					    "4x",  "%",
					    "0%",  "1.5",
					    "+",   "-",
					    "--1", "+-1",
					    "1e3", " 4",
					    "4 ",  "5.%",
					    ".5%", "x%y",
					    "4%%", "Core",
					    "0x4", "1.2.3%",
					    "+1%", "1234567890123456789012"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct spec_jobs jobs = {.kind = SPEC_JOBS_COUNT, .value = 7};
		assert_int_equal(spec_jobs_parse(&jobs, texts[i]), -1);
		assert_int_equal(jobs.kind, SPEC_JOBS_COUNT);
		assert_int_equal((int)jobs.value, 7);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(map_defaults_are_ordered_with_one_worker_per_core),
	    cmocka_unit_test(parallel_defaults_are_unordered_with_one_worker_per_thread),
	    cmocka_unit_test(default_term_steps_end_with_kill),
	    cmocka_unit_test(added_inputs_keep_their_order_while_the_list_grows),
	    cmocka_unit_test(added_rpls_keep_their_order_while_the_list_grows),
	    cmocka_unit_test(allocated_memory_is_zero_aligned_and_too_much_is_refused),
	    cmocka_unit_test(jobs_have_all_forms_of_gnu_parallel),
	    cmocka_unit_test(jobs_of_no_form_are_refused_and_leave_the_value),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

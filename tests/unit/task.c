/* Tasks, their packed values, and the words for how one ended. */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "task/result.h"
#include "task/task.h"

static void
pack(struct buf *packed, const char *bytes, size_t length)
{
	assert_int_equal(task_pack(packed, bytes, length), 0);
}

static void
values_come_back_as_packed(void **state)
{
	(void)state;
	struct buf packed = {0};
	struct arg *args = NULL;
	size_t capacity = 0;
	pack(&packed, "one", 3);
	pack(&packed, "", 0);
	pack(&packed, "a\0\n\xff", 4);
	assert_int_equal(task_unpack(packed.bytes, packed.length, 3, &args, &capacity), 0);
	assert_int_equal(args[0].length, 3);
	assert_string_equal(args[0].bytes, "one");
	assert_int_equal(args[1].length, 0);
	assert_string_equal(args[1].bytes, "");
	assert_int_equal(args[2].length, 4);
	assert_memory_equal(args[2].bytes, "a\0\n\xff", 5);
	free(args);
	buf_fini(&packed);
}

static void
arg_list_is_reused_while_it_is_large_enough(void **state)
{
	(void)state;
	struct buf packed = {0};
	struct arg *args = NULL;
	size_t capacity = 0;
	pack(&packed, "x", 1);
	pack(&packed, "y", 1);
	assert_int_equal(task_unpack(packed.bytes, packed.length, 2, &args, &capacity), 0);
	struct arg *before = args;
	assert_int_equal(task_unpack(packed.bytes, packed.length / 2, 1, &args, &capacity),
			 0);
	assert_ptr_equal(args, before);
	assert_int_equal(capacity, 2);
	free(args);
	buf_fini(&packed);
}

static void
no_values_are_fine(void **state)
{
	(void)state;
	struct arg *args = NULL;
	size_t capacity = 0;
	assert_int_equal(task_unpack("", 0, 0, &args, &capacity), 0);
	free(args);
}

static void
every_cut_of_a_packing_is_refused(void **state)
{
	(void)state;
	struct buf packed = {0};
	struct arg *args = NULL;
	size_t capacity = 0;
	pack(&packed, "one", 3);
	pack(&packed, "two", 3);
	for (size_t length = 0; length < packed.length; length++) {
		char *cut = malloc(length + 1);
		assert_non_null(cut);
		memcpy(cut, packed.bytes, length);
		assert_int_equal(task_unpack(cut, length, 2, &args, &capacity), -1);
		free(cut);
	}
	free(args);
	buf_fini(&packed);
}

static void
wrong_packings_are_refused(void **state)
{
	(void)state;
	struct buf packed = {0};
	struct arg *args = NULL;
	size_t capacity = 0;
	pack(&packed, "one", 3);
	assert_int_equal(task_unpack(packed.bytes, packed.length, 2, &args, &capacity), -1);
	assert_int_equal(task_unpack(packed.bytes, packed.length, 0, &args, &capacity), -1);
	assert_int_equal(
	    task_unpack(packed.bytes, packed.length, UINT32_MAX, &args, &capacity), -1);
	packed.bytes[packed.length - 1] = 'x';
	assert_int_equal(task_unpack(packed.bytes, packed.length, 1, &args, &capacity), -1);
	free(args);
	buf_fini(&packed);
}

static void
new_task_is_ready_for_its_first_attempt(void **state)
{
	(void)state;
	struct buf packed = {0};
	pack(&packed, "one", 3);
	struct task *task = task_new(7, 1, 1, &packed);
	assert_non_null(task);
	assert_int_equal(task->seq, 7);
	assert_int_equal(task->attempt, 1);
	assert_int_equal(task->arg_count, 1);
	assert_int_equal(task->state, TASK_READY);
	assert_int_equal(task->packed_bytes, packed.length);
	assert_memory_equal(task->packed, packed.bytes, packed.length);
	free(task);
	buf_fini(&packed);
}

/* A chunk of tasks with two values each: <n> and as many x as n. */
static struct task *
new_chunk(uint64_t seq, uint32_t count)
{
	struct buf packed = {0};
	char name[16], value[16];
	memset(value, 'x', sizeof(value));
	for (uint32_t i = 0; i < count; i++) {
		int length = snprintf(name, sizeof(name), "%" PRIu64, seq + i);
		pack(&packed, name, (size_t)length);
		pack(&packed, value, i);
	}
	struct task *task = task_new(seq, count, 2, &packed);
	assert_non_null(task);
	buf_fini(&packed);
	return task;
}

/* That it is what is left of new_chunk(first_seq, ...) from seq on, and no more. */
static void
assert_chunk(const struct task *task, uint64_t first_seq, uint64_t seq, uint32_t count)
{
	const char *at = task_bytes(task);
	size_t left = task->packed_bytes;
	struct arg *args = NULL;
	size_t capacity = 0;
	char name[16];
	assert_int_equal(task->seq, seq);
	assert_int_equal(task->count, count);
	assert_int_equal(task->arg_count, 2);
	for (uint32_t i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "%" PRIu64, seq + i);
		assert_int_equal(task_unpack_next(&at, &left, 2, &args, &capacity), 0);
		assert_string_equal(args[0].bytes, name);
		assert_int_equal(args[1].length, seq + i - first_seq);
	}
	assert_int_equal(left, 0);
	assert_ptr_equal(at, task_bytes(task) + task->packed_bytes);
	free(args);
}

static void
a_chunk_splits_into_two_at_any_place(void **state)
{
	(void)state;
	for (uint32_t count = 1; count < 6; count++) {
		struct task *chunk = new_chunk(10, 6);
		chunk->attempt = 3;
		chunk->chunk_max = 5;
		chunk->state = TASK_QUEUED;
		chunk->next = chunk;
		struct task *first = task_split(chunk, count);
		assert_non_null(first);
		assert_chunk(first, 10, 10, count);
		assert_chunk(chunk, 10, 10 + count, 6 - count);
		assert_int_equal(first->attempt, 3);
		assert_int_equal(first->chunk_max, 5);
		assert_int_equal(chunk->chunk_max, 5);
		assert_int_equal(first->state, TASK_QUEUED);
		assert_null(first->next);
		assert_ptr_equal(chunk->next, chunk);
		free(first);
		free(chunk);
	}
}

static void
a_chunk_is_taken_apart_task_by_task(void **state)
{
	(void)state;
	struct task *chunk = new_chunk(7, 5);
	task_drop(chunk, 1);
	assert_chunk(chunk, 7, 8, 4);
	struct task *one = task_split(chunk, 1);
	assert_non_null(one);
	assert_chunk(one, 7, 8, 1);
	task_drop(chunk, 2);
	assert_chunk(chunk, 7, 11, 1);
	task_drop(one, 0);
	assert_chunk(one, 7, 8, 1);
	free(one);
	free(chunk);
}

static void
a_chunk_of_tasks_without_values_splits(void **state)
{
	(void)state;
	const struct buf nothing = {0};
	struct task *chunk = task_new(0, TASK_CHUNK_MAX, 0, &nothing);
	assert_non_null(chunk);
	struct task *first = task_split(chunk, 24);
	assert_non_null(first);
	assert_int_equal(first->count, 24);
	assert_int_equal(first->packed_bytes, 0);
	assert_int_equal(chunk->seq, 24);
	task_drop(chunk, TASK_CHUNK_MAX - 25);
	assert_int_equal(chunk->seq, TASK_CHUNK_MAX - 1);
	assert_int_equal(chunk->count, 1);
	assert_int_equal(chunk->packed_bytes, 0);
	free(first);
	free(chunk);
}

static void
unpacking_the_next_stops_behind_it_and_stays_where_it_was_when_refused(void **state)
{
	(void)state;
	struct buf packed = {0};
	struct arg *args = NULL;
	size_t capacity = 0;
	pack(&packed, "a", 1);
	pack(&packed, "bc", 2);
	pack(&packed, "", 0);
	const char *at = packed.bytes;
	size_t left = packed.length;
	assert_int_equal(task_unpack_next(&at, &left, 0, &args, &capacity), 0);
	assert_ptr_equal(at, packed.bytes);
	assert_int_equal(task_unpack_next(&at, &left, 2, &args, &capacity), 0);
	assert_string_equal(args[1].bytes, "bc");
	assert_int_equal(left, sizeof(uint32_t) + 1);
	assert_ptr_equal(at, packed.bytes + packed.length - left);
	const char *before = at;
	assert_int_equal(task_unpack_next(&at, &left, 2, &args, &capacity), -1);
	assert_ptr_equal(at, before);
	assert_int_equal(left, sizeof(uint32_t) + 1);
	assert_int_equal(task_unpack_next(&at, &left, 1, &args, &capacity), 0);
	assert_int_equal(args[0].length, 0);
	assert_int_equal(left, 0);
	assert_int_equal(task_unpack_next(&at, &left, 1, &args, &capacity), -1);
	free(args);
	buf_fini(&packed);
}

static void
assert_described(const struct result *result, const char *expected)
{
	char text[128];
	assert_ptr_equal(result_describe(result, text, sizeof(text)), text);
	assert_string_equal(text, expected);
}

static void
every_reason_has_its_words(void **state)
{
	(void)state;
	assert_described(&(struct result){.reason = RESULT_EXIT, .exit_status = 3},
			 "exit 3");
	assert_described(&(struct result){.reason = RESULT_SIGNAL, .signal = SIGKILL},
			 "killed by signal 9 (KILL)");
	assert_described(&(struct result){.reason = RESULT_SIGNAL, .signal = 99},
			 "killed by signal 99");
	assert_described(&(struct result){.reason = RESULT_TIMEOUT}, "timed out");
	assert_described(
	    &(struct result){.reason = RESULT_CANNOT_EXECUTE, .errno_value = ENOENT},
	    "cannot execute: No such file or directory");
	assert_described(&(struct result){.reason = RESULT_LOST},
			 "lost: its worker died");
	assert_described(&(struct result){.reason = RESULT_NO_OUTPUT, .errno_value = -1},
			 "did not write {out}");
	assert_described(&(struct result){.reason = RESULT_NO_OUTPUT, .errno_value = -2},
			 "did not write {out2}");
	assert_described(&(struct result){.reason = RESULT_NO_OUTPUT, .errno_value = ENOSPC},
			 "cannot make its output: No space left on device");
	assert_described(&(struct result){.reason = RESULT_NO_OUTPUT, .errno_value = EINVAL},
			 "cannot make its output: not a file");
	assert_described(&(struct result){.reason = RESULT_NO_OUTPUT, .errno_value = EBUSY},
			 "another task makes the same output");
	assert_described(&(struct result){.reason = RESULT_NO_OUTPUT, .errno_value = EEXIST},
			 "another task has made the same output");
	assert_described(&(struct result){.reason = RESULT_CANCELLED}, "cancelled");
	assert_described(&(struct result){.reason = RESULT_SKIPPED}, "skipped");
	assert_described(&(struct result){.reason = 77},
			 "ended for an unknown reason (77)");
}

static void
description_is_cut_to_fit(void **state)
{
	(void)state;
	char text[5];
	result_describe(&(struct result){.reason = RESULT_TIMEOUT}, text, sizeof(text));
	assert_string_equal(text, "time");
}

static void
only_exit_0_is_success(void **state)
{
	(void)state;
	assert_true(result_is_success(&(struct result){.reason = RESULT_EXIT}));
	assert_false(
	    result_is_success(&(struct result){.reason = RESULT_EXIT, .exit_status = 1}));
	for (uint32_t reason = RESULT_SIGNAL; reason < RESULT_REASONS; reason++)
		assert_false(result_is_success(&(struct result){.reason = reason}));
}

static void
exit_value_is_that_of_gnu_parallel(void **state)
{
	(void)state;
	static const enum result_reason with_status[] = {
	    RESULT_EXIT, RESULT_CANNOT_EXECUTE, RESULT_NO_OUTPUT};
	static const enum result_reason without[] = {RESULT_TIMEOUT, RESULT_LOST,
						     RESULT_NO_ANSWER, RESULT_CANCELLED,
						     RESULT_SKIPPED};
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(result_gnu_exit(&(struct result){.reason = with_status[i],
								  .exit_status = 7}),
				 7);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(result_gnu_exit(&(struct result){.reason = without[i],
								  .exit_status = 7}),
				 -1);
	assert_int_equal(result_gnu_exit(&(struct result){.reason = RESULT_SIGNAL}), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(values_come_back_as_packed),
	    cmocka_unit_test(arg_list_is_reused_while_it_is_large_enough),
	    cmocka_unit_test(no_values_are_fine),
	    cmocka_unit_test(every_cut_of_a_packing_is_refused),
	    cmocka_unit_test(wrong_packings_are_refused),
	    cmocka_unit_test(new_task_is_ready_for_its_first_attempt),
	    cmocka_unit_test(a_chunk_splits_into_two_at_any_place),
	    cmocka_unit_test(a_chunk_is_taken_apart_task_by_task),
	    cmocka_unit_test(a_chunk_of_tasks_without_values_splits),
	    cmocka_unit_test(
		unpacking_the_next_stops_behind_it_and_stays_where_it_was_when_refused),
	    cmocka_unit_test(every_reason_has_its_words),
	    cmocka_unit_test(description_is_cut_to_fit),
	    cmocka_unit_test(only_exit_0_is_success),
	    cmocka_unit_test(exit_value_is_that_of_gnu_parallel),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

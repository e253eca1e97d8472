/* Ends of tasks that wait for their output: when they come out, and that they are copies. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run/late.h"

static const struct answer items[] = {{.bytes = 1}, {.bytes = 2}, {.wall_ns = 7}};

/* Tasks from `seq` on, of one value each: "a", "b", ... */
static struct task *
chunk_of(uint64_t seq, uint32_t count)
{
	struct buf packed = {0};
	for (char value = 'a'; value < 'a' + (char)count; value++)
		assert_int_equal(task_pack(&packed, &value, 1), 0);
	struct task *chunk = task_new(seq, count, 1, &packed);
	assert_non_null(chunk);
	buf_fini(&packed);
	return chunk;
}

/* A task whose ticket is its seq. */
static void
keep(struct late *late, uint64_t seq)
{
	struct task *task = chunk_of(seq, 1);
	struct result result = {.exit_status = (int32_t)(seq & INT32_MAX)};
	assert_int_equal(late_keep_settled(late, seq, task, &result), 0);
	free(task);
}

static void
keep_chunk(struct late *late, uint64_t seq, uint32_t count)
{
	struct task *chunk = chunk_of(seq, 3);
	const struct answers answers = {
	    .items = items, .count = count, .worker = 5, .bytes = "xyz", .length = 3};
	assert_int_equal(late_keep_answered(late, seq, chunk, &answers), 0);
	free(chunk);
}

static void
expect(struct late *late, uint64_t end, uint64_t seq)
{
	struct late_end *taken = late_take(late, end);
	assert_non_null(taken);
	assert_int_equal(taken->task->seq, seq);
	free(taken);
}

static void
ends_come_when_all_before_are_out_in_the_order_of_tickets(void **state)
{
	struct late late = {0};
	(void)state;
	keep(&late, 7);
	keep(&late, 3);
	keep(&late, 4);
	assert_null(late_take(&late, 0));
	assert_null(late_take(&late, 3));
	expect(&late, 4, 3);
	assert_null(late_take(&late, 4));
	keep(&late, 5);
	expect(&late, 100, 4);
	expect(&late, 100, 5);
	expect(&late, 100, 7);
	assert_null(late_take(&late, 100));
	assert_int_equal(late.bytes, 0);
	keep(&late, 100);
	assert_null(late_take(&late, 100));
	expect(&late, UINT64_MAX, 100);
	assert_null(late_take(&late, UINT64_MAX));
	late_fini(&late);
}

/* Else a record with a seq like this one would keep a run busy for years. */
static void
tickets_far_apart_take_no_time(void **state)
{
	struct late late = {0};
	(void)state;
	keep(&late, UINT64_C(1) << 62);
	keep(&late, 0);
	expect(&late, UINT64_MAX, 0);
	assert_null(late_take(&late, UINT64_C(1) << 62));
	expect(&late, UINT64_MAX, UINT64_C(1) << 62);
	late_fini(&late);
}

static void
ends_come_in_order_however_many_there_are(void **state)
{
	struct late late = {0};
	uint64_t seq = 0;
	(void)state;
	for (int i = 0; i < 1009; i++, seq = (seq + 370) % 1009)
		keep(&late, seq);
	for (seq = 0; seq < 1009; seq++)
		expect(&late, UINT64_MAX, seq);
	assert_null(late_take(&late, UINT64_MAX));
	assert_int_equal(late.bytes, 0);
	late_fini(&late);
}

static void
a_chunk_comes_when_its_last_task_is_out(void **state)
{
	struct late late = {0};
	(void)state;
	keep_chunk(&late, 1, 3);
	keep(&late, 0);
	expect(&late, 3, 0);
	assert_null(late_take(&late, 3));
	expect(&late, 4, 1);
	late_fini(&late);
}

static void
what_comes_is_a_copy_of_all_that_was_told(void **state)
{
	struct late late = {.keeps_output = true};
	struct arg *args = NULL;
	size_t capacity = 0;
	(void)state;
	keep_chunk(&late, 0, 2);
	struct late_end *end = late_take(&late, 2);
	assert_non_null(end);
	assert_true(end->is_answered);
	assert_int_equal(end->task->count, 2);
	assert_int_equal(end->answers.count, 2);
	assert_int_equal(end->answers.worker, 5);
	assert_ptr_not_equal(end->answers.items, items);
	assert_memory_equal(end->answers.items, items, 2 * sizeof(*items));
	assert_int_equal(end->answers.length, 3);
	assert_memory_equal(end->answers.bytes, "xyz", 3);
	assert_int_equal(task_unpack(task_bytes(end->task), end->task->packed_bytes, 2,
				     &args, &capacity),
			 0);
	assert_string_equal(args[1].bytes, "b");
	free(end);
	keep(&late, 2);
	end = late_take(&late, 3);
	assert_non_null(end);
	assert_false(end->is_answered);
	assert_int_equal(end->result.exit_status, 2);
	assert_int_equal(task_unpack(task_bytes(end->task), end->task->packed_bytes, 1,
				     &args, &capacity),
			 0);
	assert_string_equal(args[0].bytes, "a");
	free(end);
	free(args);
	late_fini(&late);
}

static void
outputs_that_nobody_wants_are_not_kept(void **state)
{
	struct late lean = {0}, full = {.keeps_output = true};
	(void)state;
	keep_chunk(&lean, 0, 3);
	keep_chunk(&full, 0, 3);
	assert_int_equal(full.bytes, lean.bytes + 3);
	struct late_end *end = late_take(&lean, 3);
	assert_non_null(end);
	assert_null(end->answers.bytes);
	assert_int_equal(end->answers.length, 3);
	free(end);
	assert_int_equal(lean.bytes, 0);
	late_fini(&lean);
	late_fini(&full); /* with what was never taken */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ends_come_when_all_before_are_out_in_the_order_of_tickets),
	    cmocka_unit_test(tickets_far_apart_take_no_time),
	    cmocka_unit_test(ends_come_in_order_however_many_there_are),
	    cmocka_unit_test(a_chunk_comes_when_its_last_task_is_out),
	    cmocka_unit_test(what_comes_is_a_copy_of_all_that_was_told),
	    cmocka_unit_test(outputs_that_nobody_wants_are_not_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

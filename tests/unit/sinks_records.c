/* Sinks that are records: they hear of ends only when the output is out, and on every way out. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run/sinks.h"

/* Says what is out, as the test wants it. */
struct out {
	struct sink sink;
	bool is_by_seq;
	uint64_t end;
	bool fails; /* to flush, to finish */
};

/* Writes down: > started, * output, + settled, = answered, - passed, F finish. */
struct record {
	struct sink sink;
	struct buf log;
	unsigned int flush_count;
	bool is_behind; /* it has not written all */
};

struct fixture {
	struct out out;
	struct record record;
	struct sinks sinks;
	struct err err;
};

static uint64_t
out_end(const struct sink *sink, bool *is_by_seq)
{
	const struct out *out = (const struct out *)sink;
	*is_by_seq = out->is_by_seq;
	return out->end;
}

static int
out_step(struct sink *sink, struct err *err)
{
	return ((struct out *)sink)->fails ? err_set(err, ERR_SYSTEM, "disk full") : 0;
}

static int
note(struct sink *sink, char what, const struct task *task)
{
	struct record *record = (struct record *)sink;
	return buf_printf(&record->log, "%c%" PRIu64 "x%u ", what, task->seq, task->count);
}

static int
on_started(struct sink *sink, const struct task *task, uint32_t slot, struct err *err)
{
	(void)slot;
	(void)err;
	return note(sink, '>', task);
}

static int
on_output(struct sink *sink, const struct task *task, enum result_stream stream,
	  const char *bytes, size_t length, struct err *err)
{
	(void)stream;
	(void)err;
	assert_non_null(bytes);
	assert_int_equal(length, 1);
	return note(sink, '*', task);
}

static int
on_settled(struct sink *sink, const struct task *task, const struct result *result,
	   struct err *err)
{
	(void)result;
	(void)err;
	return note(sink, '+', task);
}

static int
on_answered(struct sink *sink, const struct task *chunk, const struct answers *answers,
	    struct err *err)
{
	(void)err;
	assert_true(answers->count <= chunk->count);
	return note(sink, '=', chunk);
}

static int
on_passed(struct sink *sink, const struct task *chunk, struct err *err)
{
	(void)err;
	return note(sink, '-', chunk);
}

static int
on_flush(struct sink *sink, struct err *err)
{
	(void)err;
	((struct record *)sink)->flush_count++;
	return 0;
}

static int
on_finish(struct sink *sink, struct err *err)
{
	(void)err;
	return buf_append_str(&((struct record *)sink)->log, "F ");
}

static bool
is_written(const struct sink *sink)
{
	return !((const struct record *)sink)->is_behind;
}

static const struct sink_ops out_ops = {
    .out_end = out_end, .flush = out_step, .finish = out_step};
static const struct sink_ops record_ops = {.is_record = true,
					   .started = on_started,
					   .output = on_output,
					   .settled = on_settled,
					   .passed = on_passed,
					   .flush = on_flush,
					   .is_done = is_written,
					   .finish = on_finish};
static const struct sink_ops brief_ops = {.is_record = true, .answered = on_answered};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	f->out.sink.ops = &out_ops;
	f->out.is_by_seq = true;
	f->record.sink.ops = &record_ops;
	f->sinks.items[0] = &f->record.sink; /* the output need not be the first */
	f->sinks.items[1] = &f->out.sink;
	f->sinks.count = 2;
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	sinks_fini(&f->sinks);
	buf_fini(&f->record.log);
	free(f);
	return 0;
}

static struct task *
chunk_of(uint64_t seq, uint32_t count, size_t value_bytes)
{
	struct buf packed = {0};
	char *value = calloc(1, value_bytes);
	assert_non_null(value);
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(task_pack(&packed, value, value_bytes), 0);
	struct task *chunk = task_new(seq, count, 1, &packed);
	assert_non_null(chunk);
	free(value);
	buf_fini(&packed);
	return chunk;
}

static void
settle(struct fixture *f, uint64_t seq, uint64_t stdout_bytes, uint64_t stderr_bytes)
{
	struct task *task = chunk_of(seq, 1, 1);
	const struct result result = {.stdout_bytes = stdout_bytes,
				      .stderr_bytes = stderr_bytes};
	assert_int_equal(sinks_settled(&f->sinks, task, &result, &f->err), 0);
	free(task);
}

/* The first `count` of a chunk of three, which print a byte each, or nothing. */
static void
answer(struct fixture *f, uint64_t seq, uint32_t count, uint32_t bytes)
{
	struct task *chunk = chunk_of(seq, 3, 1);
	const struct answer items[] = {{.bytes = bytes}, {.bytes = bytes}, {.bytes = bytes}};
	const struct answers answers = {
	    .items = items, .count = count, .bytes = "xyz", .length = (size_t)count * bytes};
	assert_int_equal(sinks_answered(&f->sinks, chunk, &answers, &f->err), 0);
	free(chunk);
}

static void
expect(struct fixture *f, const char *log)
{
	assert_int_equal(buf_append(&f->record.log, "", 0), 0);
	assert_string_equal(buf_str(&f->record.log), log);
	buf_clear(&f->record.log);
}

/* After a flush with so much of the output out. */
static void
expect_at(struct fixture *f, uint64_t end, const char *log)
{
	f->out.end = end;
	assert_int_equal(sinks_flush(&f->sinks, &f->err), 0);
	expect(f, log);
}

static void
in_order_an_end_is_told_once_the_output_of_all_up_to_it_is_out(void **state)
{
	struct fixture *f = *state;
	settle(f, 2, 1, 0);
	settle(f, 0, 0, 5);
	settle(f, 3, 9, 9);
	expect_at(f, 0, "");
	expect_at(f, 1, "+0x1 ");
	settle(f, 1, 1, 0);
	expect_at(f, 3, "+1x1 +2x1 ");
	expect_at(f, 3, "");
	expect_at(f, 4, "+3x1 ");
}

static void
unordered_an_end_is_told_once_the_output_of_so_many_is_out(void **state)
{
	struct fixture *f = *state;
	f->out.is_by_seq = false;
	settle(f, 20, 1, 0);
	settle(f, 10, 0, 0);
	expect(f, "+10x1 ");
	answer(f, 30, 2, 1);
	settle(f, 5, 1, 0);
	expect_at(f, 1, "+20x1 ");
	expect_at(f, 3, "");
	expect_at(f, 4, ">30x1 *30x1 +30x1 >31x1 *31x1 +31x1 ");
	expect_at(f, 5, "+5x1 ");
}

static void
tasks_that_printed_nothing_or_were_passed_are_told_of_at_once(void **state)
{
	struct fixture *f = *state;
	struct task *chunk = chunk_of(4, 2, 1);
	settle(f, 7, 0, 0);
	answer(f, 1, 2, 0);
	assert_int_equal(sinks_passed(&f->sinks, chunk, &f->err), 0);
	expect(f, "+7x1 >1x1 +1x1 >2x1 +2x1 -4x2 ");
	free(chunk);
}

static void
what_begins_and_what_is_printed_is_told_at_once(void **state)
{
	struct fixture *f = *state;
	struct task *task = chunk_of(3, 1, 1);
	assert_int_equal(sinks_started(&f->sinks, task, 1, &f->err), 0);
	assert_int_equal(sinks_output(&f->sinks, task, RESULT_STDERR, "x", 1, &f->err), 0);
	expect(f, ">3x1 *3x1 ");
	free(task);
}

static void
answers_in_short_are_told_late_too(void **state)
{
	struct fixture *f = *state;
	f->record.sink.ops = &brief_ops;
	answer(f, 0, 2, 1);
	answer(f, 2, 3, 1);
	expect_at(f, 2, "=0x2 ");
	expect_at(f, 4, "");
	expect_at(f, 5, "=2x3 ");
}

static void
without_an_output_there_is_nothing_to_wait_for(void **state)
{
	struct fixture *f = *state;
	f->sinks.count = 1;
	settle(f, 2, 1, 1);
	answer(f, 0, 1, 1);
	expect(f, "+2x1 >0x1 *0x1 +0x1 ");
}

static void
an_output_that_fails_leaves_what_is_late_untold(void **state)
{
	struct fixture *f = *state;
	settle(f, 0, 1, 0);
	f->out.end = 1;
	f->out.fails = true;
	assert_int_equal(sinks_flush(&f->sinks, &f->err), -1);
	assert_string_equal(f->err.text, "disk full");
	assert_int_equal(f->record.flush_count, 1);
	assert_int_equal(sinks_finish_records(&f->sinks, &f->err), 0);
	expect(f, "F ");
}

static void
the_rest_is_told_when_the_output_has_come_to_its_end_well(void **state)
{
	struct fixture *f = *state;
	settle(f, 0, 1, 0);
	assert_int_equal(sinks_finish(&f->sinks, &f->err), 0);
	expect(f, "+0x1 F ");
	assert_int_equal(f->record.flush_count, 1);
}

static void
the_rest_is_not_told_when_the_output_comes_to_a_bad_end(void **state)
{
	struct fixture *f = *state;
	settle(f, 0, 1, 0);
	f->out.fails = true;
	assert_int_equal(sinks_finish(&f->sinks, &f->err), -1);
	expect(f, "F ");
}

/* Else it would say of a task that it is done which the one before it, that was killed, lacks. */
static void
a_record_is_not_written_before_the_one_in_front_of_it(void **state)
{
	struct fixture *f = *state;
	struct record behind = {.sink.ops = &record_ops};
	f->sinks.items[2] = &behind.sink;
	f->sinks.count = 3;
	f->record.is_behind = true;
	assert_int_equal(sinks_flush(&f->sinks, &f->err), 0);
	assert_int_equal(f->record.flush_count, 1);
	assert_int_equal(behind.flush_count, 0);
	assert_false(sinks_has_recorded(&f->sinks));
	f->record.is_behind = false;
	assert_int_equal(sinks_flush(&f->sinks, &f->err), 0);
	assert_int_equal(behind.flush_count, 1);
	assert_true(sinks_has_recorded(&f->sinks));
	f->record.is_behind = true;
	assert_int_equal(sinks_finish_records(&f->sinks, &f->err), 0);
	expect(f, "F ");
	assert_string_equal(buf_str(&behind.log), "F ");
	buf_fini(&behind.log);
}

/* Else a slow reader, or first task, and large values fill the memory. */
static void
no_more_tasks_are_started_while_too_much_waits(void **state)
{
	struct fixture *f = *state;
	const struct result result = {.stdout_bytes = 1};
	f->out.end = 3;
	assert_int_equal(sinks_window_end(&f->sinks), UINT64_MAX);
	struct task *large = chunk_of(9, 1, LATE_MAX_BYTES);
	assert_int_equal(sinks_settled(&f->sinks, large, &result, &f->err), 0);
	free(large);
	assert_int_equal(sinks_window_end(&f->sinks), 4); /* the one all wait for may */
	f->out.is_by_seq = false;
	assert_int_equal(sinks_window_end(&f->sinks), 0);
	f->out.is_by_seq = true;
	expect_at(f, 10, "+9x1 ");
	assert_int_equal(sinks_window_end(&f->sinks), UINT64_MAX);
}

static int
on_settled_badly(struct sink *sink, const struct task *task, const struct result *result,
		 struct err *err)
{
	(void)sink;
	(void)task;
	(void)result;
	return err_set(err, ERR_SYSTEM, "cannot be kept");
}

/* Else a joblog says that a task is done whose results are nowhere. */
static void
after_a_record_has_failed_no_other_says_done(void **state)
{
	static const struct sink_ops bad_ops = {.is_record = true,
						.settled = on_settled_badly};
	struct fixture *f = *state;
	struct sink bad = {.ops = &bad_ops};
	const struct result result = {.stdout_bytes = 1}, quiet = {0};
	struct task *task = chunk_of(0, 1, 1), *next = chunk_of(1, 1, 1);
	f->sinks.items[0] = &bad;
	f->sinks.items[2] = &f->record.sink;
	f->sinks.count = 3;
	assert_int_equal(sinks_settled(&f->sinks, task, &result, &f->err), 0);
	f->out.end = 1;
	assert_int_equal(sinks_flush(&f->sinks, &f->err), -1);
	assert_string_equal(f->err.text, "cannot be kept");
	assert_int_equal(sinks_settled(&f->sinks, next, &quiet, &f->err), 0);
	answer(f, 2, 2, 0);
	assert_int_equal(sinks_finish_records(&f->sinks, &f->err), 0);
	expect(f, "F ");
	free(task);
	free(next);
}

static void
an_output_that_adds_to_what_tasks_print_is_waited_for(void **state)
{
	static const struct sink_ops adding_ops = {
	    .adds_output = true, .out_end = out_end, .flush = out_step};
	struct fixture *f = *state;
	f->out.sink.ops = &adding_ops;
	settle(f, 0, 0, 0);
	answer(f, 1, 1, 0);
	expect(f, "");
	expect_at(f, 1, "+0x1 ");
	expect_at(f, 2, ">1x1 +1x1 ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(in_order_an_end_is_told_once_the_output_of_all_up_to_it_is_out),
	    TEST(unordered_an_end_is_told_once_the_output_of_so_many_is_out),
	    TEST(tasks_that_printed_nothing_or_were_passed_are_told_of_at_once),
	    TEST(what_begins_and_what_is_printed_is_told_at_once),
	    TEST(answers_in_short_are_told_late_too),
	    TEST(without_an_output_there_is_nothing_to_wait_for),
	    TEST(an_output_that_fails_leaves_what_is_late_untold),
	    TEST(the_rest_is_told_when_the_output_has_come_to_its_end_well),
	    TEST(the_rest_is_not_told_when_the_output_comes_to_a_bad_end),
	    TEST(a_record_is_not_written_before_the_one_in_front_of_it),
	    TEST(no_more_tasks_are_started_while_too_much_waits),
	    TEST(after_a_record_has_failed_no_other_says_done),
	    TEST(an_output_that_adds_to_what_tasks_print_is_waited_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

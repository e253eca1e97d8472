/* Several sinks as one: answers are told in the form that each of them understands. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "run/sinks.h"

/* Writes down what it is told; fails at the `fails_at`-th call of this kind. */
struct listener {
	struct sink sink;
	struct buf log;
	char fails_at; /* > * + = (answered) f F; 0: never */
	unsigned int calls_left;
	struct result result; /* of the last that settled */
	uint32_t slot;
};

static int
note(struct listener *listener, char what, struct err *err)
{
	if (listener->fails_at != what || listener->calls_left-- > 1)
		return 0;
	return err_set(err, ERR_SYSTEM, "fails at %c", what);
}

static void
append(struct buf *log, const char *bytes, size_t length)
{
	assert_int_equal(buf_append(log, bytes, length), 0);
}

static int
on_started(struct sink *sink, const struct task *task, uint32_t slot, struct err *err)
{
	struct listener *listener = (struct listener *)sink;
	struct arg *args = NULL;
	size_t capacity = 0;
	assert_int_equal(task->count, 1);
	assert_int_equal(
	    buf_printf(&listener->log, ">%" PRIu64 ".%u", task->seq, task->attempt), 0);
	assert_int_equal(task_unpack(task_bytes(task), task->packed_bytes,
				     task->arg_count, &args, &capacity),
			 0);
	for (uint32_t i = 0; i < task->arg_count; i++)
		assert_int_equal(buf_printf(&listener->log, "(%s)", args[i].bytes), 0);
	free(args);
	listener->slot = slot;
	return note(listener, '>', err);
}

static int
on_output(struct sink *sink, const struct task *task, enum result_stream stream,
	  const char *bytes, size_t length, struct err *err)
{
	struct listener *listener = (struct listener *)sink;
	assert_int_equal(stream, RESULT_STDOUT);
	assert_true(length > 0);
	assert_int_equal(task->count, 1);
	assert_int_equal(buf_printf(&listener->log, "*%" PRIu64 "'", task->seq), 0);
	append(&listener->log, bytes, length);
	append(&listener->log, "'", 1);
	return note(listener, '*', err);
}

static int
on_settled(struct sink *sink, const struct task *task, const struct result *result,
	   struct err *err)
{
	struct listener *listener = (struct listener *)sink;
	assert_int_equal(buf_printf(&listener->log, "+%" PRIu64 " ", task->seq), 0);
	listener->result = *result;
	return note(listener, '+', err);
}

static int
on_answered(struct sink *sink, const struct task *chunk, const struct answers *answers,
	    struct err *err)
{
	struct listener *listener = (struct listener *)sink;
	assert_int_equal(buf_printf(&listener->log, "=%" PRIu64 "x%u/%u'", chunk->seq,
				    answers->count, chunk->count),
			 0);
	append(&listener->log, answers->bytes, answers->length);
	append(&listener->log, "' ", 2);
	return note(listener, '=', err);
}

static int
on_flush(struct sink *sink, struct err *err)
{
	return note((struct listener *)sink, 'f', err);
}

static const struct sink_ops in_short = {.answered = on_answered, .flush = on_flush};
static const struct sink_ops at_length = {
    .started = on_started, .output = on_output, .settled = on_settled, .flush = on_flush};
static const struct sink_ops ends_only = {.settled = on_settled};
static const struct sink_ops nothing_at_all = {.flush = on_flush};

struct fixture {
	struct listener listeners[3];
	struct sinks sinks;
	struct task *chunk;
	struct err err;
};

/* Tasks 10 to 13 of two values: t<seq> and nothing. */
static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct buf packed = {0};
	char text[] = "t10";
	assert_non_null(f);
	for (int i = 0; i < 4; i++, text[2]++) {
		assert_int_equal(task_pack(&packed, text, 3), 0);
		assert_int_equal(task_pack(&packed, "", 0), 0);
	}
	f->chunk = task_new(10, 4, 2, &packed);
	assert_non_null(f->chunk);
	buf_fini(&packed);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	for (size_t i = 0; i < f->sinks.count; i++)
		buf_fini(&f->listeners[i].log);
	sinks_fini(&f->sinks);
	free(f->chunk);
	free(f);
	return 0;
}

static struct listener *
add(struct fixture *f, const struct sink_ops *ops)
{
	struct listener *listener = &f->listeners[f->sinks.count];
	listener->sink.ops = ops;
	f->sinks.items[f->sinks.count++] = &listener->sink;
	return listener;
}

/* The first `count` of: "ten\n", nothing, "tw", "thirteen". */
static int
answer(struct fixture *f, uint32_t count)
{
	static const struct answer items[] = {
	    {.bytes = 4}, {.bytes = 0}, {.bytes = 2}, {.bytes = 8}};
	struct answers answers = {.items = items, .count = count, .worker = 6, .slot = 3};
	answers.bytes = "ten\ntwthirteen";
	for (uint32_t i = 0; i < count; i++)
		answers.length += items[i].bytes;
	return sinks_answered(&f->sinks, f->chunk, &answers, &f->err);
}

static void
expect(struct listener *listener, const char *log)
{
	assert_string_equal(buf_str(&listener->log), log);
	buf_clear(&listener->log);
}

#define ALL_AT_LENGTH                                                       \
	">10.1(t10)()*10'ten\n'+10 >11.1(t11)()+11 >12.1(t12)()*12'tw'+12 " \
	">13.1(t13)()*13'thirteen'+13 "

static void
each_sink_hears_answers_in_its_own_form(void **state)
{
	struct fixture *f = *state;
	struct listener *brief = add(f, &in_short);
	struct listener *long_winded = add(f, &at_length);
	struct listener *ends = add(f, &ends_only);
	assert_int_equal(answer(f, 4), 0);
	expect(brief, "=10x4/4'ten\ntwthirteen' ");
	expect(long_winded, ALL_AT_LENGTH);
	expect(ends, "+10 +11 +12 +13 ");
	assert_int_equal(f->chunk->count, 4); /* is the plan's to change */
	assert_int_equal(f->chunk->seq, 10);
}

static void
part_of_a_chunk_is_told_of_as_such(void **state)
{
	struct fixture *f = *state;
	struct listener *brief = add(f, &in_short);
	struct listener *long_winded = add(f, &at_length);
	assert_int_equal(answer(f, 1), 0);
	expect(brief, "=10x1/4'ten\n' ");
	expect(long_winded, ">10.1(t10)()*10'ten\n'+10 ");
	task_drop(f->chunk, 1);
	f->chunk->attempt = 2;
	assert_int_equal(answer(f, 2), 0);
	expect(brief, "=11x2/3'ten\n' ");
	expect(long_winded, ">11.2(t11)()*11'ten\n'+11 >12.2(t12)()+12 ");
}

static void
a_sink_that_hears_of_nothing_is_not_asked(void **state)
{
	struct fixture *f = *state;
	struct listener *deaf = add(f, &nothing_at_all);
	assert_int_equal(answer(f, 4), 0);
	expect(deaf, "");
	assert_int_equal(sinks_flush(&f->sinks, &f->err), 0);
}

static void
tasks_without_values_are_told_apart_too(void **state)
{
	struct fixture *f = *state;
	const struct buf none = {0};
	struct listener *long_winded = add(f, &at_length);
	free(f->chunk);
	f->chunk = task_new(0, 4, 0, &none);
	assert_int_equal(answer(f, 2), 0);
	expect(long_winded, ">0.1*0'ten\n'+0 >1.1+1 ");
}

static void
an_answer_at_length_is_a_success_of_its_worker(void **state)
{
	struct fixture *f = *state;
	struct listener *long_winded = add(f, &at_length);
	int64_t now_ns = clock_now_ns();
	int64_t real_ns = clock_real_ns();
	const struct answer item = {
	    .started_at_ns = now_ns - 5 * NS_PER_S, .wall_ns = 123, .bytes = 2};
	const struct answers answers = {
	    .items = &item, .count = 1, .worker = 6, .slot = 3, .bytes = "ab", .length = 2};
	assert_int_equal(sinks_answered(&f->sinks, f->chunk, &answers, &f->err), 0);
	const struct result *result = &long_winded->result;
	assert_true(result_is_success(result));
	assert_int_equal(result->signal, 0);
	assert_int_equal(result->worker, 6);
	assert_int_equal(result->slot, 3);
	assert_int_equal(long_winded->slot, 3);
	assert_int_equal(result->cpu, -1);
	assert_int_equal(result->wall_ns, 123);
	assert_int_equal(result->stdout_bytes, 2);
	assert_int_equal(result->stderr_bytes, 0);
	/* On the clock of the day, as exact as two clocks are read one after the other. */
	int64_t away_ns = result->started_real_ns - (real_ns - 5 * NS_PER_S);
	assert_in_range(away_ns + 10 * NS_PER_S, 9 * NS_PER_S, 11 * NS_PER_S);
}

/* Nothing more is told to the one that failed, in the middle of a chunk or later. */
static void
a_sink_that_fails_is_left_alone_and_the_others_hear_all(void **state)
{
	struct fixture *f = *state;
	static const struct {
		char at;
		unsigned int nth;
		const char *log;
	} cases[] = {
	    {'>', 2, ">10.1(t10)()*10'ten\n'+10 >11.1(t11)()"},
	    {'*', 2, ">10.1(t10)()*10'ten\n'+10 >11.1(t11)()+11 >12.1(t12)()*12'tw'"},
	    {'+', 1, ">10.1(t10)()*10'ten\n'+10 "},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		f->sinks.count = 0;
		memset(f->sinks.has_failed, 0, sizeof(f->sinks.has_failed));
		struct listener *before = add(f, &in_short);
		struct listener *failing = add(f, &at_length);
		struct listener *behind = add(f, &at_length);
		failing->fails_at = cases[i].at;
		failing->calls_left = cases[i].nth;
		assert_int_equal(answer(f, 4), -1);
		assert_int_equal(f->err.kind, ERR_SYSTEM);
		expect(before, "=10x4/4'ten\ntwthirteen' ");
		expect(failing, cases[i].log);
		expect(behind, ALL_AT_LENGTH);
		assert_int_equal(answer(f, 4), 0);
		expect(failing, "");
		expect(behind, ALL_AT_LENGTH);
		expect(before, "=10x4/4'ten\ntwthirteen' ");
	}
}

static void
a_sink_that_fails_over_answers_in_short_is_left_alone(void **state)
{
	struct fixture *f = *state;
	struct listener *failing = add(f, &in_short);
	struct listener *behind = add(f, &in_short);
	failing->fails_at = '=';
	failing->calls_left = 1;
	assert_int_equal(answer(f, 4), -1);
	assert_string_equal(f->err.text, "fails at =");
	expect(failing, "=10x4/4'ten\ntwthirteen' ");
	expect(behind, "=10x4/4'ten\ntwthirteen' ");
	assert_int_equal(answer(f, 4), 0);
	expect(failing, "");
	expect(behind, "=10x4/4'ten\ntwthirteen' ");
}

static void
a_failed_flush_counts_as_a_failure_for_answers(void **state)
{
	struct fixture *f = *state;
	struct listener *failing = add(f, &in_short);
	struct listener *behind = add(f, &at_length);
	failing->fails_at = 'f';
	failing->calls_left = 1;
	assert_int_equal(sinks_flush(&f->sinks, &f->err), -1);
	assert_int_equal(answer(f, 4), 0);
	expect(failing, "");
	expect(behind, ALL_AT_LENGTH);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(each_sink_hears_answers_in_its_own_form),
	    TEST(part_of_a_chunk_is_told_of_as_such),
	    TEST(a_sink_that_hears_of_nothing_is_not_asked),
	    TEST(tasks_without_values_are_told_apart_too),
	    TEST(an_answer_at_length_is_a_success_of_its_worker),
	    TEST(a_sink_that_fails_is_left_alone_and_the_others_hear_all),
	    TEST(a_sink_that_fails_over_answers_in_short_is_left_alone),
	    TEST(a_failed_flush_counts_as_a_failure_for_answers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

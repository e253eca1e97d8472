/* A history in front of a source: what is done comes out marked, in order, chunk or not. */
#include "fake_source.h"

#include "task/history.h"

#define SEQS 64

struct fixture {
	struct history history;
	bool has[SEQS];
	bool has_nothing; /* of more than SEQS */
	uint64_t asked_count;
	uint64_t fails_at;
	struct fake_source inner;
	struct source *source;
};

static int
fixture_has(struct history *history, uint64_t seq, const struct arg *args,
	    size_t arg_count, struct err *err)
{
	struct fixture *f = (struct fixture *)history;
	(void)args;
	assert_int_equal(arg_count, 0);
	assert_int_equal(seq, f->asked_count);
	f->asked_count++;
	if (seq == f->fails_at)
		return err_set(err, ERR_SYSTEM, "cannot look it up");
	return !f->has_nothing && f->has[seq];
}

static const struct history_ops fixture_ops = {.has = fixture_has};

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	f->history.ops = &fixture_ops;
	f->fails_at = SEQS;
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	source_free(f->source);
	assert_true(f->inner.is_freed);
	free(f);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* `done` has a 1 for each task that is done, and a 0 for each other. */
static void
open_source(struct fixture *f, const char *script, const char *done)
{
	struct err err = {0};
	for (size_t i = 0; done[i] != '\0'; i++)
		f->has[i] = done[i] == '1';
	fake_source_init(&f->inner, script);
	f->source = history_source_new(&f->inner.source, &f->history, &err);
	assert_non_null(f->source);
}

static void
expect(struct fixture *f, uint32_t count_max, uint64_t seq, uint32_t count, bool is_done)
{
	struct err err = {0};
	struct task *task;
	assert_int_equal(source_next(f->source, count_max, &task, &err), SOURCE_TASK);
	assert_int_equal(task->seq, seq);
	assert_int_equal(task->count, count);
	assert_int_equal(task->is_done, is_done);
	free(task);
}

static void
expect_status(struct fixture *f, enum source_status status)
{
	struct err err = {0};
	struct task *task;
	assert_int_equal(source_next(f->source, 8, &task, &err), status);
}

static void
chunk_is_cut_where_done_and_not_done_meet(void **state)
{
	struct fixture *f = *state;
	open_source(f, "tttttttt", "11001000");
	expect(f, 8, 0, 2, true);
	expect(f, 8, 2, 2, false);
	expect(f, 8, 4, 1, true);
	expect(f, 8, 5, 3, false);
	expect_status(f, SOURCE_END);
	assert_int_equal(f->asked_count, 8);
}

static void
chunk_of_one_kind_stays_whole(void **state)
{
	struct fixture *f = *state;
	open_source(f, "tttttt", "000111");
	expect(f, 3, 0, 3, false);
	expect(f, 3, 3, 3, true);
	expect_status(f, SOURCE_END);
}

static void
chunk_is_no_larger_than_chunks_are(void **state)
{
	struct fixture *f = *state;
	char script[TASK_CHUNK_MAX + 11];
	memset(script, 't', sizeof(script) - 1);
	script[sizeof(script) - 1] = '\0';
	f->has_nothing = true;
	f->fails_at = UINT64_MAX;
	open_source(f, script, "");
	expect(f, UINT32_MAX, 0, TASK_CHUNK_MAX, false);
	expect(f, UINT32_MAX, TASK_CHUNK_MAX, 10, false);
	expect_status(f, SOURCE_END);
}

static void
source_that_waits_is_waited_for(void **state)
{
	struct fixture *f = *state;
	open_source(f, "twt", "10");
	expect(f, 8, 0, 1, true);
	expect_status(f, SOURCE_WAIT);
	assert_int_equal(source_wait_fd(f->source), f->inner.wait_fd);
	expect(f, 8, 1, 1, false);
}

static void
what_another_history_says_is_done_stays_done(void **state)
{
	struct fixture *f = *state;
	open_source(f, "dt", "00");
	f->asked_count = 1; /* only about the second */
	expect(f, 8, 0, 1, true);
	expect(f, 8, 1, 1, false);
	expect_status(f, SOURCE_END);
}

static void
history_that_cannot_answer_is_an_error(void **state)
{
	struct fixture *f = *state;
	f->fails_at = 1;
	open_source(f, "ttt", "000");
	expect_status(f, SOURCE_ERROR);
}

static void
part_of_a_chunk_that_was_not_taken_is_freed(void **state)
{
	struct fixture *f = *state;
	open_source(f, "tttt", "0011");
	expect(f, 4, 0, 2, false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(chunk_is_cut_where_done_and_not_done_meet),
	    TEST(chunk_of_one_kind_stays_whole),
	    TEST(chunk_is_no_larger_than_chunks_are),
	    TEST(source_that_waits_is_waited_for),
	    TEST(what_another_history_says_is_done_stays_done),
	    TEST(history_that_cannot_answer_is_an_error),
	    TEST(part_of_a_chunk_that_was_not_taken_is_freed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Tests of sink/output: answers to several tasks at once, in and out of their turn. */
#include <signal.h>

#include "output_fixture.h"

/* Tasks from `seq` on, one for each text, of a chunk that has `more` tasks behind them. */
static int
tell_answers(struct fixture *f, uint64_t seq, uint32_t more, const char *const *texts,
	     struct err *err)
{
	const struct buf none = {0};
	struct answer items[MAX_TASKS];
	struct buf bytes = {0};
	struct answers answers = {.items = items, .worker = 1, .slot = 7};
	for (; texts[answers.count] != NULL; answers.count++) {
		const char *text = texts[answers.count];
		items[answers.count] = (struct answer){.bytes = (uint32_t)strlen(text)};
		assert_int_equal(buf_append_str(&bytes, text), 0);
	}
	answers.bytes = bytes.bytes;
	answers.length = bytes.length;
	struct task *chunk = task_new(seq, answers.count + more, 0, &none);
	assert_non_null(chunk);
	int status = f->sink->ops->answered(f->sink, chunk, &answers, err);
	free(chunk);
	buf_fini(&bytes);
	return status;
}

#define TEXTS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void
answers(struct fixture *f, uint64_t seq, const char *const *texts)
{
	struct err err = {0};
	assert_int_equal(tell_answers(f, seq, 0, texts, &err), 0);
}

static void
answers_in_turn_go_straight_out(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	start(f);
	answers(f, 0, TEXTS("a\n", "", "b"));
	expect_out(f, "a\nb");
	assert_int_equal(tell_answers(f, 3, 5, TEXTS("c"), &err), 0); /* 1 of 6 */
	expect_out(f, "a\nbc");
	assert_int_equal(f->sink->ops->window_end(f->sink), 4 + 100);
	answers(f, 4, TEXTS("d", "e", "f", "g", "h"));
	expect_out(f, "a\nbcdefgh");
	expect_finished(f);
}

static void
early_answers_wait_for_their_turn(void **state)
{
	struct fixture *f = *state;
	start(f);
	answers(f, 6, TEXTS("g", "h"));
	answers(f, 3, TEXTS("d"));
	answers(f, 4, TEXTS("e", "f"));
	expect_out(f, "");
	assert_int_equal(f->sink->ops->window_end(f->sink), 100);
	answers(f, 0, TEXTS("a", "b"));
	expect_out(f, "ab");
	assert_int_equal(f->sink->ops->window_end(f->sink), 102);
	answers(f, 2, TEXTS("c"));
	expect_out(f, "abcdefgh");
	assert_int_equal(f->sink->ops->window_end(f->sink), 108);
	expect_finished(f);
}

static void
early_answers_that_say_nothing_keep_their_places(void **state)
{
	struct fixture *f = *state;
	start(f);
	answers(f, 1, TEXTS("", "", ""));
	answers(f, 4, TEXTS("e", ""));
	answers(f, 6, TEXTS(""));
	answers(f, 0, TEXTS(""));
	expect_out(f, "e");
	assert_int_equal(f->sink->ops->window_end(f->sink), 107);
	expect_finished(f);
}

static void
answers_and_tasks_at_length_take_turns(void **state)
{
	struct fixture *f = *state;
	start(f);
	begin(f, 2);
	say(f, 2, "c1 ");
	answers(f, 3, TEXTS("d ", "e "));
	begin(f, 5);
	complain(f, 5, "f! ");
	say(f, 5, "f ");
	settle(f, 5);
	answers(f, 6, TEXTS("g "));
	expect_out(f, "");
	answers(f, 0, TEXTS("a ", "b "));
	expect_out(f, "a b c1 "); /* whose turn it is streams */
	say(f, 2, "c2 ");
	expect_out(f, "a b c1 c2 ");
	expect_err(f, "");
	settle(f, 2);
	expect_out(f, "a b c1 c2 d e f g ");
	expect_err(f, "f! ");
	expect_finished(f);
}

static void
one_that_may_be_retried_holds_up_the_answers_behind_it(void **state)
{
	struct fixture *f = *state;
	f->spec.max_attempts = 2;
	start(f);
	begin(f, 0);
	say(f, 0, "wrong");
	answers(f, 1, TEXTS("b", "c"));
	retry(f, 0);
	expect_out(f, "");
	answers(f, 0, TEXTS("a"));
	expect_out(f, "abc");
	expect_finished(f);
}

static void
unordered_answers_go_out_as_they_come(void **state)
{
	struct fixture *f = *state;
	f->spec.is_ordered = false;
	start(f);
	begin(f, 0);
	say(f, 0, "a");
	answers(f, 3, TEXTS("d", "", "f"));
	expect_out(f, "df");
	answers(f, 1, TEXTS("b", "c"));
	expect_out(f, "dfbc");
	settle(f, 0);
	expect_out(f, "dfbca");
	assert_int_equal(f->sink->ops->window_end(f->sink), UINT64_MAX);
	expect_finished(f);
}

static void
answers_are_told_at_length_where_something_is_added_to_them(void **state)
{
	struct fixture *f = *state;
	static const struct {
		enum spec_output_mode mode;
		const char *tag;
		bool is_verbose;
		bool is_traced;
		bool is_short;
	} cases[] = {{SPEC_OUTPUT_GROUP, NULL, false, false, true},
		     {SPEC_OUTPUT_NONE, NULL, true, true, true}, /* the worker shows them */
		     {SPEC_OUTPUT_LINE, NULL, false, false, false},
		     {SPEC_OUTPUT_GROUP, "{}", false, false, false},
		     {SPEC_OUTPUT_GROUP, NULL, true, false, false},
		     {SPEC_OUTPUT_GROUP, NULL, false, true, false}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		f->spec.output_mode = cases[i].mode;
		f->spec.tag = cases[i].tag;
		f->spec.is_verbose = cases[i].is_verbose;
		f->spec.is_traced = cases[i].is_traced;
		start(f);
		assert_int_equal(f->sink->ops->answered != NULL, cases[i].is_short);
		f->sink->ops->free(f->sink);
		f->sink = NULL;
		template_free(f->tag);
		template_free(f->command);
		f->tag = f->command = NULL;
	}
}

static void
answers_to_a_reader_that_has_gone_are_dropped_and_their_turn_passes(void **state)
{
	struct fixture *f = *state;
	use_pipe(f);
	start(f);
	io_close(f->read_fd);
	f->read_fd = -1;
	answers(f, 4, TEXTS("parked"));
	answers(f, 0, TEXTS("a"));
	flush(f);
	assert_true(output_is_pipe_closed(f->sink));
	answers(f, 1, TEXTS("b"));
	answers(f, 3, TEXTS("d"));
	answers(f, 2, TEXTS("c"));
	assert_int_equal(f->sink->ops->window_end(f->sink), 5 + 100);
	assert_true(f->sink->ops->is_done(f->sink));
	assert_false(is_behind(f));
}

/* Ten answers of `bytes` each, of one letter each. */
static void
answer_large(struct fixture *f, uint64_t seq, size_t bytes)
{
	char *texts[11] = {NULL};
	for (size_t i = 0; i < 10; i++) {
		texts[i] = malloc(bytes + 1);
		assert_non_null(texts[i]);
		memset(texts[i], 'a' + (int)((seq + i) % 26), bytes);
		texts[i][bytes] = '\0';
	}
	answers(f, seq, (const char *const *)texts);
	for (size_t i = 0; i < 10; i++)
		free(texts[i]);
}

static void
expect_large(const struct buf *got, uint64_t count, size_t bytes)
{
	assert_int_equal(got->length, count * bytes);
	for (size_t i = 0; i < got->length; i++)
		if (got->bytes[i] != (char)('a' + (int)(i / bytes % 26)))
			fail_msg("byte %zu is not task %zu's", i, i / bytes);
}

static void
large_answers_that_are_early_come_back_from_the_disk(void **state)
{
	struct fixture *f = *state;
	struct buf got = {0};
	size_t bytes = 50000;
	f->spec.buffer_bytes = 100000;
	start(f);
	for (uint64_t seq = 90; seq > 0; seq -= 10)
		answer_large(f, seq, bytes);
	expect_out(f, "");
	answer_large(f, 0, bytes);
	flush(f);
	read_file(f->out_fd, &got);
	expect_large(&got, 100, bytes);
	expect_finished(f);
	buf_fini(&got);
}

static void
large_answers_leave_a_slow_reader_behind_and_lose_nothing(void **state)
{
	struct fixture *f = *state;
	struct buf got = {0};
	size_t bytes = 30000;
	use_pipe(f);
	start(f);
	for (uint64_t seq = 0; seq < 100; seq += 10)
		answer_large(f, seq, bytes);
	flush(f);
	assert_true(is_behind(f));
	while (!f->sink->ops->is_done(f->sink)) {
		assert_true(read_pipe(f, &got, 100000) > 0);
		flush(f);
	}
	read_pipe(f, &got, SIZE_MAX);
	expect_large(&got, 100, bytes);
	expect_finished(f);
	buf_fini(&got);
}

/* --- whatever happens in whatever order --- */

struct story {
	unsigned int seed;
	bool is_settled[MAX_TASKS];
	struct buf expected; /* unordered: what must be there by then */
};

static unsigned int
below(struct story *story, unsigned int bound)
{
	return (unsigned int)rand_r(&story->seed) % bound;
}

/* What task n prints: nothing, or its number some times. */
static void
text_of(int n, char *text, size_t text_bytes)
{
	snprintf(text, text_bytes, n % 3 == 1 ? "%d\n" : "%d %d ", n, n);
	if (n % 3 == 0)
		*text = '\0';
}

/* A run of unsettled tasks somewhere ahead ends: in short, or one by one at length. */
static void
end_some(struct fixture *f, struct story *story, int head)
{
	char texts[8][32];
	const char *list[9] = {NULL};
	int first = head + (int)below(story, 20);
	int most = 1 + (int)below(story, 8);
	int count = 0;
	while (count < most && first + count < MAX_TASKS &&
	       !story->is_settled[first + count]) {
		text_of(first + count, texts[count], sizeof(texts[count]));
		list[count] = texts[count];
		story->is_settled[first + count] = true;
		count++;
	}
	if (!f->spec.is_ordered)
		for (int i = 0; i < count; i++)
			assert_int_equal(buf_append_str(&story->expected, texts[i]), 0);
	if (count > 0 && below(story, 2) == 0) {
		answers(f, (uint64_t)first, list);
		return;
	}
	for (int i = 0; i < count; i++) {
		begin(f, first + i);
		say(f, first + i, texts[i]);
		settle(f, first + i);
	}
}

static void
tell_story(struct fixture *f, unsigned int seed)
{
	struct story story = {.seed = seed};
	char text[32];
	int head = 0;
	f->spec.is_ordered = seed % 2 == 0;
	f->spec.max_attempts = seed / 2 % 2 == 0 ? 1 : 3;
	f->spec.buffer_bytes = seed / 4 % 2 == 0 ? 0 : 100000;
	start(f);
	while (head < MAX_TASKS) {
		end_some(f, &story, head);
		while (head < MAX_TASKS && story.is_settled[head])
			head++;
		if (f->spec.is_ordered)
			assert_int_equal(f->sink->ops->window_end(f->sink), head + 100);
	}
	for (int n = 0; f->spec.is_ordered && n < MAX_TASKS; n++) {
		text_of(n, text, sizeof(text));
		assert_int_equal(buf_append_str(&story.expected, text), 0);
	}
	expect_out(f, buf_str(&story.expected));
	expect_finished(f);
	buf_fini(&story.expected);
}

static void
any_order_of_answers_and_ends_gives_what_a_serial_run_would(void **state)
{
	(void)state;
	for (unsigned int seed = 1; seed <= 200; seed++) {
		void *one = NULL;
		assert_int_equal(set_up(&one), 0);
		tell_story(one, seed);
		tear_down(&one);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(answers_in_turn_go_straight_out),
	    TEST(early_answers_wait_for_their_turn),
	    TEST(early_answers_that_say_nothing_keep_their_places),
	    TEST(answers_and_tasks_at_length_take_turns),
	    TEST(one_that_may_be_retried_holds_up_the_answers_behind_it),
	    TEST(unordered_answers_go_out_as_they_come),
	    TEST(answers_are_told_at_length_where_something_is_added_to_them),
	    TEST(answers_to_a_reader_that_has_gone_are_dropped_and_their_turn_passes),
	    TEST(large_answers_that_are_early_come_back_from_the_disk),
	    TEST(large_answers_leave_a_slow_reader_behind_and_lose_nothing),
	    cmocka_unit_test(any_order_of_answers_and_ends_gives_what_a_serial_run_would),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

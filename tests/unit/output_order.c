/* Tests of sink/output: whatever happens in whatever order, the output is the model's. */
#include <signal.h>

#include "output_fixture.h"

struct story {
	unsigned int seed;
	struct buf printed[MAX_TASKS][RESULT_STREAMS]; /* by the last attempt, with tags */
	bool is_mid_line[MAX_TASKS][RESULT_STREAMS];
	bool is_settled[MAX_TASKS];
	int attempts_left[MAX_TASKS];
	struct buf expected[RESULT_STREAMS];
	int head;
};

static unsigned int
below(struct story *story, unsigned int bound)
{
	return (unsigned int)rand_r(&story->seed) % bound;
}

static void
expect_more(struct story *story, int n, enum result_stream stream, const char *bytes,
	    size_t length, bool has_tags)
{
	struct buf *to = &story->printed[n][stream];
	for (size_t i = 0; i < length; i++) {
		if (has_tags && !story->is_mid_line[n][stream])
			assert_int_equal(buf_printf(to, "v%d\t", n), 0);
		assert_int_equal(buf_append_char(to, bytes[i]), 0);
		story->is_mid_line[n][stream] = bytes[i] != '\n';
	}
}

static void
expect_block(struct story *story, int n)
{
	for (int i = 0; i < RESULT_STREAMS; i++)
		assert_int_equal(buf_append(&story->expected[i], story->printed[n][i].bytes,
					    story->printed[n][i].length),
				 0);
}

static void
forget_attempt(struct story *story, int n)
{
	for (int i = 0; i < RESULT_STREAMS; i++) {
		buf_clear(&story->printed[n][i]);
		story->is_mid_line[n][i] = false;
	}
}

static void
print_something(struct fixture *f, struct story *story, int n)
{
	char bytes[3000];
	size_t length = 1 + below(story, below(story, 3) == 0 ? sizeof(bytes) : 20);
	enum result_stream stream = below(story, 3) == 0 ? RESULT_STDERR : RESULT_STDOUT;
	for (size_t i = 0; i < length; i++)
		bytes[i] = (char)(below(story, 8) == 0 ? '\n' : 'a' + below(story, 26));
	print(f, n, stream, bytes, length);
	expect_more(story, n, stream, bytes, length, f->tag != NULL);
}

static void
settle_in_story(struct fixture *f, struct story *story, int n)
{
	settle(f, n);
	story->is_settled[n] = true;
	if (!f->spec.is_ordered)
		expect_block(story, n);
	for (; f->spec.is_ordered && story->head < MAX_TASKS &&
	       story->is_settled[story->head];
	     story->head++)
		expect_block(story, story->head);
}

/* One thing happens to one of the next few unsettled tasks. */
static void
go_on(struct fixture *f, struct story *story)
{
	int n = story->head + (int)below(story, 12);
	if (n >= MAX_TASKS || story->is_settled[n])
		return;
	if (story->attempts_left[n] == 0) { /* not started yet */
		story->attempts_left[n] = (int)f->spec.max_attempts;
		if (below(story, 10) > 0)
			begin(f, n);
		else
			settle_in_story(f, story, n); /* skipped */
	} else if (below(story, 4) > 0) {
		print_something(f, story, n);
	} else if (story->attempts_left[n] > 1 && below(story, 2) == 0) {
		retry(f, n);
		forget_attempt(story, n);
		story->attempts_left[n]--;
		begin(f, n);
	} else {
		settle_in_story(f, story, n);
	}
	if (below(story, 5) == 0)
		flush(f);
}

static bool
is_told(const struct story *story)
{
	for (int n = 0; n < MAX_TASKS; n++)
		if (!story->is_settled[n])
			return false;
	return true;
}

static void
tell_story(struct fixture *f, struct story *story, struct buf *got)
{
	while (!is_told(story)) {
		go_on(f, story);
		if (!f->spec.is_ordered)
			while (story->head < MAX_TASKS && story->is_settled[story->head])
				story->head++;
		if (f->read_fd != -1 && below(story, 6) == 0)
			read_pipe(f, got, below(story, 5000));
	}
	while (f->read_fd != -1 && !f->sink->ops->is_done(f->sink)) {
		flush(f);
		read_pipe(f, got, 20000);
	}
	flush(f);
	if (f->read_fd != -1)
		read_pipe(f, got, SIZE_MAX);
	else
		read_file(f->out_fd, got);
}

static void
expect_same(const struct buf *got, const struct buf *expected)
{
	assert_int_equal(got->length, expected->length);
	if (got->length > 0)
		assert_memory_equal(got->bytes, expected->bytes, got->length);
}

static void
check_story(struct fixture *f, unsigned int seed)
{
	struct story *story = calloc(1, sizeof(*story));
	struct buf got = {0}, got_err = {0};
	assert_non_null(story);
	story->seed = seed;
	start(f);
	tell_story(f, story, &got);
	read_file(f->err_fd, &got_err);
	expect_same(&got, &story->expected[RESULT_STDOUT]);
	expect_same(&got_err, &story->expected[RESULT_STDERR]);
	expect_finished(f);
	buf_fini(&got);
	buf_fini(&got_err);
	for (int n = 0; n < MAX_TASKS; n++)
		for (int i = 0; i < RESULT_STREAMS; i++)
			buf_fini(&story->printed[n][i]);
	buf_fini(&story->expected[RESULT_STDOUT]);
	buf_fini(&story->expected[RESULT_STDERR]);
	free(story);
}

/*
 * Each seed picks one way to run. In line mode the order of bytes is the model's only
 * when ordered.
 */
static void
any_order_of_events_gives_what_a_serial_run_would(void **state)
{
	for (unsigned int seed = 1; seed <= 96; seed++) {
		void *one = NULL;
		assert_int_equal(set_up(&one), 0);
		struct fixture *f = one;
		f->spec.is_ordered = seed % 2 == 0;
		f->spec.tag = seed / 2 % 2 == 0 ? "{}" : NULL;
		f->spec.buffer_bytes = seed / 4 % 2 == 0 ? 0 : 10000;
		f->spec.max_attempts = seed / 8 % 2 == 0 ? 1 : 3;
		if (f->spec.is_ordered && f->spec.max_attempts == 1 && seed / 16 % 2 == 0)
			f->spec.output_mode = SPEC_OUTPUT_LINE;
		if (seed / 32 % 2 == 0)
			use_pipe(f);
		check_story(f, seed);
		tear_down(&one);
	}
	(void)state;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(any_order_of_events_gives_what_a_serial_run_would),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

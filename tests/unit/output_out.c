/* What the output says is out: written, not only handed over. */
#include <fcntl.h>

#include "output_fixture.h"

#define BULK_BYTES ((size_t)4 * 1024 * 1024)

static uint64_t
out_end(struct fixture *f)
{
	bool is_by_seq;
	uint64_t end = f->sink->ops->out_end(f->sink, &is_by_seq);
	assert_int_equal(is_by_seq, f->spec.is_ordered);
	return end;
}

static void
in_order_all_before_the_head_are_out_once_flushed(void **state)
{
	struct fixture *f = *state;
	start(f);
	flush(f);
	assert_int_equal(out_end(f), 0);
	say(f, 1, "one\n");
	settle(f, 1);
	flush(f);
	assert_int_equal(out_end(f), 0);
	say(f, 0, "zero\n");
	settle(f, 0);
	assert_int_equal(out_end(f), 0); /* still with the writer */
	flush(f);
	assert_int_equal(out_end(f), 2);
}

static void
unordered_those_that_settled_are_counted(void **state)
{
	struct fixture *f = *state;
	f->spec.is_ordered = false;
	start(f);
	say(f, 5, "five\n");
	complain(f, 3, "three\n");
	settle(f, 5);
	flush(f);
	assert_int_equal(out_end(f), 1);
	settle(f, 3);
	assert_int_equal(out_end(f), 1);
	flush(f);
	assert_int_equal(out_end(f), 2);
}

static void
a_reader_that_is_slow_holds_back_only_what_it_has_not_taken(void **state)
{
	struct fixture *f = *state;
	struct buf taken = {0};
	char *bulk = calloc(1, BULK_BYTES);
	assert_non_null(bulk);
	use_pipe(f);
	start(f);
	say(f, 0, "first");
	settle(f, 0);
	flush(f);
	assert_int_equal(out_end(f), 1);
	print(f, 1, RESULT_STDOUT, bulk, BULK_BYTES);
	settle(f, 1);
	flush(f);
	say(f, 2, "last");
	settle(f, 2);
	flush(f);
	assert_int_equal(out_end(f), 1);
	while (taken.length < 5 + BULK_BYTES) {
		assert_int_equal(out_end(f), 1);
		read_pipe(f, &taken, 64 * 1024);
		flush(f);
		if (out_end(f) > 1)
			break;
	}
	assert_true(taken.length + 2 * 1024 * 1024 > BULK_BYTES); /* less the pipe's own */
	for (int tries = 0; tries < 1000 && out_end(f) < 3; tries++) {
		read_pipe(f, &taken, 64 * 1024);
		flush(f);
	}
	assert_int_equal(out_end(f), 3);
	free(bulk);
	buf_fini(&taken);
}

/* There is never a moment when nothing is waiting. */
static void
it_moves_on_under_a_continuous_stream(void **state)
{
	struct fixture *f = *state;
	struct buf taken = {0};
	size_t piece_bytes = 2 * 1024 * 1024;
	char *piece = calloc(1, piece_bytes);
	assert_non_null(piece);
	use_pipe(f);
	start(f);
	for (int n = 0; n < 20; n++) {
		print(f, n, RESULT_STDOUT, piece, piece_bytes);
		settle(f, n);
		size_t least = taken.length + piece_bytes * (n > 0);
		do {
			read_pipe(f, &taken, 64 * 1024);
			flush(f);
			assert_false(f->sink->ops->is_done(f->sink));
		} while (taken.length < least);
	}
	assert_true(out_end(f) > 10);
	assert_true(out_end(f) < 20);
	free(piece);
	buf_fini(&taken);
}

static void
what_a_reader_that_left_did_not_take_is_never_out(void **state)
{
	struct fixture *f = *state;
	use_pipe(f);
	start(f);
	say(f, 0, "taken");
	settle(f, 0);
	flush(f);
	io_close_set(&f->read_fd);
	say(f, 1, "lost");
	settle(f, 1);
	flush(f);
	flush(f);
	say(f, 2, "lost");
	settle(f, 2);
	flush(f);
	assert_true(output_is_pipe_closed(f->sink));
	assert_int_equal(out_end(f), 1);
}

static void
a_reader_of_stderr_that_left_holds_nothing_back(void **state)
{
	struct fixture *f = *state;
	int fds[2];
	assert_int_equal(io_pipe(fds, 0), 0);
	io_close(f->err_fd);
	io_close(fds[0]);
	f->err_fd = fds[1];
	start(f);
	complain(f, 0, "lost");
	say(f, 0, "kept");
	settle(f, 0);
	flush(f);
	assert_int_equal(out_end(f), 1);
}

static void
what_found_no_room_is_not_out(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	io_close(f->out_fd);
	f->out_fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_int_not_equal(f->out_fd, -1);
	start(f);
	say(f, 0, "x");
	settle(f, 0);
	assert_int_equal(f->sink->ops->flush(f->sink, &err), -1);
	assert_int_equal(out_end(f), 0);
}

static void
answers_and_tasks_done_before_count_like_others(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	const struct answer item = {.bytes = 1};
	const struct answers answers = {
	    .items = &item, .count = 1, .bytes = "x", .length = 1};
	start(f);
	assert_int_equal(f->sink->ops->passed(f->sink, task_of(f, 0), &err), 0);
	assert_int_equal(f->sink->ops->answered(f->sink, task_of(f, 1), &answers, &err), 0);
	flush(f);
	assert_int_equal(out_end(f), 2);
	f->sink->ops->free(f->sink);
	template_free(f->command);
	f->spec.is_ordered = false;
	start(f);
	assert_int_equal(f->sink->ops->passed(f->sink, task_of(f, 0), &err), 0);
	assert_int_equal(f->sink->ops->answered(f->sink, task_of(f, 1), &answers, &err), 0);
	flush(f);
	assert_int_equal(out_end(f), 1); /* of those that settled in this run */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(in_order_all_before_the_head_are_out_once_flushed),
	    TEST(unordered_those_that_settled_are_counted),
	    TEST(a_reader_that_is_slow_holds_back_only_what_it_has_not_taken),
	    TEST(it_moves_on_under_a_continuous_stream),
	    TEST(what_a_reader_that_left_did_not_take_is_never_out),
	    TEST(a_reader_of_stderr_that_left_holds_nothing_back),
	    TEST(what_found_no_room_is_not_out),
	    TEST(answers_and_tasks_done_before_count_like_others),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Tests of sink/output: order, grouping, lines, tags, and what it does when nobody reads.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>

#include "output_fixture.h"

/* Order and grouping. */

static void
task_whose_turn_it_is_streams_and_others_wait(void **state)
{
	struct fixture *f = *state;
	start(f);
	say(f, 1, "one ");
	say(f, 0, "zero ");
	expect_out(f, "zero ");
	say(f, 0, "more ");
	expect_out(f, "zero more ");
	settle(f, 0);
	expect_out(f, "zero more one ");
	say(f, 1, "live");
	expect_out(f, "zero more one live");
	settle(f, 1);
	expect_finished(f);
}

static void
settled_ahead_of_their_turn_come_out_in_input_order(void **state)
{
	struct fixture *f = *state;
	start(f);
	say(f, 3, "d");
	settle(f, 3);
	say(f, 1, "b");
	settle(f, 1);
	settle(f, 2); /* never printed */
	expect_out(f, "");
	settle(f, 0);
	expect_out(f, "bd");
	expect_finished(f);
}

static void
skipped_tasks_do_not_hold_up_the_order(void **state)
{
	struct fixture *f = *state;
	start(f);
	for (int n = 0; n < 10; n++)
		settle(f, n);
	say(f, 10, "ten");
	expect_out(f, "ten");
	assert_int_equal(f->sink->ops->window_end(f->sink), 110);
	settle(f, 10);
	expect_finished(f);
}

static void
window_moves_with_the_first_unsettled_task(void **state)
{
	struct fixture *f = *state;
	start(f);
	assert_int_equal(f->sink->ops->window_end(f->sink), 100);
	settle(f, 1);
	assert_int_equal(f->sink->ops->window_end(f->sink), 100);
	settle(f, 0);
	assert_int_equal(f->sink->ops->window_end(f->sink), 102);
}

static void
unordered_has_no_window(void **state)
{
	struct fixture *f = *state;
	f->spec.is_ordered = false;
	start(f);
	assert_true(f->sink->ops->window_end(f->sink) == UINT64_MAX);
}

static void
unordered_blocks_come_as_tasks_settle(void **state)
{
	struct fixture *f = *state;
	f->spec.is_ordered = false;
	start(f);
	say(f, 0, "a1 ");
	say(f, 1, "b1 ");
	complain(f, 1, "oops ");
	say(f, 0, "a2 ");
	expect_out(f, "");
	settle(f, 1);
	expect_out(f, "b1 ");
	expect_err(f, "oops ");
	settle(f, 0);
	expect_out(f, "b1 a1 a2 ");
	expect_finished(f);
}

static void
one_file_for_both_keeps_tasks_together(void **state)
{
	struct fixture *f = *state;
	f->is_one_file = true;
	start(f);
	for (int n = 4; n >= 0; n--) {
		char text[16];
		snprintf(text, sizeof(text), "e%d ", n);
		complain(f, n, text);
		*text = 'o';
		say(f, n, text);
		settle(f, n);
	}
	/* The first was live. */
	expect_out(f, "e0 o0 o1 e1 o2 e2 o3 e3 o4 e4 ");
	expect_finished(f);
}

static void
task_that_may_be_retried_is_held_and_its_failed_attempts_forgotten(void **state)
{
	struct fixture *f = *state;
	f->spec.max_attempts = 3;
	start(f);
	say(f, 0, "bad");
	complain(f, 0, "worse");
	expect_out(f, "");
	retry(f, 0);
	say(f, 0, "good");
	expect_out(f, "");
	settle(f, 0);
	expect_out(f, "good");
	expect_err(f, "");
	expect_finished(f);
}

static void
ungroup_leaves_commands_to_the_workers(void **state)
{
	struct fixture *f = *state;
	f->spec.output_mode = SPEC_OUTPUT_NONE;
	f->spec.is_verbose = true;
	f->spec.tag = "{}";
	start(f);
	assert_true(f->sink->ops->window_end(f->sink) == UINT64_MAX);
	begin(f, 1);
	begin(f, 0);
	settle(f, 1);
	settle(f, 0);
	expect_finished(f);
	expect_out(f, "");
}

/* Lines and tags. */

static void
line_mode_passes_whole_lines_as_they_come(void **state)
{
	struct fixture *f = *state;
	f->spec.is_ordered = false;
	f->spec.output_mode = SPEC_OUTPUT_LINE;
	start(f);
	say(f, 0, "a1\na2");
	expect_out(f, "a1\n");
	say(f, 1, "b1");
	complain(f, 1, "e1\ne2");
	expect_out(f, "a1\n");
	expect_err(f, "e1\n");
	say(f, 0, "-end\na3");
	expect_out(f, "a1\na2-end\n");
	settle(f, 1);
	expect_out(f, "a1\na2-end\nb1");
	expect_err(f, "e1\ne2");
	settle(f, 0);
	expect_out(f, "a1\na2-end\nb1a3");
	expect_finished(f);
}

static void
ordered_line_mode_passes_lines_of_the_task_whose_turn_it_is(void **state)
{
	struct fixture *f = *state;
	f->spec.output_mode = SPEC_OUTPUT_LINE;
	start(f);
	say(f, 1, "b1\nb2");
	say(f, 0, "a1\na2");
	expect_out(f, "a1\n");
	settle(f, 0);
	expect_out(f, "a1\na2b1\n");
	say(f, 1, ".\nb3");
	expect_out(f, "a1\na2b1\nb2.\n");
	settle(f, 1);
	expect_out(f, "a1\na2b1\nb2.\nb3");
	expect_finished(f);
}

static void
line_mode_forgets_the_cut_line_of_a_retried_attempt(void **state)
{
	struct fixture *f = *state;
	f->spec.is_ordered = false;
	f->spec.max_attempts = 2;
	f->spec.output_mode = SPEC_OUTPUT_LINE;
	start(f);
	say(f, 0, "old\ncut");
	retry(f, 0);
	say(f, 0, "new\n");
	settle(f, 0);
	expect_out(f, "old\nnew\n");
	expect_finished(f);
}

static void
line_mode_keeps_the_lines_of_a_retried_attempt_that_wait_for_their_turn(void **state)
{
	struct fixture *f = *state;
	f->spec.max_attempts = 2;
	f->spec.output_mode = SPEC_OUTPUT_LINE;
	start(f);
	say(f, 1, "old\ncut");
	retry(f, 1);
	say(f, 1, "new\n");
	settle(f, 1);
	settle(f, 0);
	expect_out(f, "old\nnew\n");
	expect_finished(f);
}

static void
line_longer_than_memory_stays_whole(void **state)
{
	struct fixture *f = *state;
	struct buf got = {0};
	char part[1000];
	f->spec.is_ordered = false;
	f->spec.output_mode = SPEC_OUTPUT_LINE;
	f->spec.buffer_bytes = 100000;
	start(f);
	memset(part, 'x', sizeof(part));
	for (int i = 0; i < 2000; i++) {
		print(f, 0, RESULT_STDOUT, part, sizeof(part));
		if (i % 500 == 0)
			say(f, 1, "short\n");
	}
	expect_out(f, "short\nshort\nshort\nshort\n");
	say(f, 0, "!\n");
	say(f, 1, "after\n");
	settle(f, 0);
	settle(f, 1);
	flush(f);
	read_file(f->out_fd, &got);
	assert_int_equal(got.length, 24 + 2000 * 1000 + 2 + 6);
	assert_memory_equal(got.bytes + 24 + 2000 * 1000, "!\nafter\n", 8);
	for (size_t i = 24; i < 24 + 2000 * 1000; i++)
		assert_int_equal(got.bytes[i], 'x');
	buf_fini(&got);
	expect_finished(f);
}

static void
tags_stand_before_each_line_of_both_streams(void **state)
{
	struct fixture *f = *state;
	f->spec.tag = "{#}:{}:{%}";
	start(f);
	begin(f, 0);
	begin(f, 1);
	say(f, 1, "b\n\nlast");
	complain(f, 1, "err\n");
	say(f, 0, "a\n");
	settle(f, 1);
	settle(f, 0);
	expect_out(f, "1:v0:7\ta\n2:v1:7\tb\n2:v1:7\t\n2:v1:7\tlast");
	expect_err(f, "2:v1:7\terr\n");
	expect_finished(f);
}

/*
 * Prints `text` cut in two at every place, three tasks at a time: live, held and line by
 * line.
 */
static void
check_tags_cut_anywhere(struct fixture *f, const char *text, const char *tagged)
{
	struct buf expected = {0};
	size_t length = strlen(text);
	start(f);
	for (size_t cut = 0; cut <= length; cut++) {
		int n = (int)cut;
		begin(f, n);
		print(f, n, RESULT_STDOUT, text, cut);
		flush(f);
		print(f, n, RESULT_STDOUT, text + cut, length - cut);
		if (n % 2 == 1)
			settle(f, n - 1);
		if (n % 2 == 1)
			settle(f, n);
	}
	if (length % 2 == 0)
		settle(f, (int)length);
	for (size_t cut = 0; cut <= length; cut++)
		assert_int_equal(buf_append_str(&expected, tagged), 0);
	expect_out(f, buf_str(&expected));
	buf_fini(&expected);
	expect_finished(f);
}

static void
tags_do_not_depend_on_how_output_is_cut(void **state)
{
	check_tags_cut_anywhere(*state, "one\n\ntwo\nx", "T\tone\nT\t\nT\ttwo\nT\tx");
}

static void
tags_in_line_mode_do_not_depend_on_how_output_is_cut(void **state)
{
	struct fixture *f = *state;
	f->spec.output_mode = SPEC_OUTPUT_LINE;
	check_tags_cut_anywhere(f, "one\n\ntwo\nx", "T\tone\nT\t\nT\ttwo\nT\tx");
}

static int
set_up_with_tag(void **state)
{
	if (set_up(state) == -1)
		return -1;
	((struct fixture *)*state)->spec.tag = "T";
	return 0;
}

static void
tag_of_a_retried_attempt_starts_at_a_line_again(void **state)
{
	struct fixture *f = *state;
	f->spec.max_attempts = 2;
	start(f);
	begin(f, 0);
	say(f, 0, "cut");
	retry(f, 0);
	begin(f, 0);
	say(f, 0, "whole\n");
	settle(f, 0);
	expect_out(f, "T\twhole\n");
	expect_finished(f);
}

static void
verbose_puts_the_command_before_its_output(void **state)
{
	struct fixture *f = *state;
	f->spec.is_verbose = true;
	f->spec.tag = "{}";
	start(f);
	begin(f, 1);
	begin(f, 0);
	say(f, 1, "b");
	expect_out(f, "v0\techo v0\n");
	settle(f, 1);
	settle(f, 0);
	expect_out(f, "v0\techo v0\nv1\techo v1\nv1\tb");
	expect_finished(f);
}

static void
trace_shows_commands_on_stderr_at_once(void **state)
{
	struct fixture *f = *state;
	f->spec.is_traced = true;
	f->spec.tag = "{}";
	start(f);
	begin(f, 1);
	expect_err(f, "echo v1\n");
	begin(f, 0);
	expect_err(f, "echo v1\necho v0\n");
	expect_out(f, "");
}

/* Readers that are slow, full or gone. */

static void
reader_that_stops_puts_the_sink_behind_and_loses_nothing(void **state)
{
	struct fixture *f = *state;
	struct buf got = {0};
	char block[100000];
	int fds[2];
	size_t total = 0;
	use_pipe(f);
	start(f);
	memset(block, 'b', sizeof(block));
	while (!is_behind(f)) {
		print(f, 0, RESULT_STDOUT, block, sizeof(block));
		flush(f);
		total += sizeof(block);
		assert_true(total < 10 * 1024 * 1024);
	}
	assert_true(total > OUTPUT_BEHIND_BYTES);
	settle(f, 0);
	say(f, 1, "end");
	settle(f, 1);
	assert_int_equal(f->sink->ops->wait_fds(f->sink, fds), 1);
	assert_int_not_equal(fds[0], output_watch_fd(f->sink));
	while (!f->sink->ops->is_done(f->sink)) {
		struct pollfd pfd = {.fd = fds[0], .events = POLLOUT};
		assert_true(read_pipe(f, &got, SIZE_MAX) > 0);
		assert_int_equal(poll(&pfd, 1, 0), 1);
		flush(f);
	}
	read_pipe(f, &got, SIZE_MAX);
	assert_int_equal(got.length, total + 3);
	assert_memory_equal(got.bytes + total, "end", 3);
	buf_fini(&got);
	expect_finished(f);
}

static void
held_block_larger_than_the_pipe_goes_out_bit_by_bit(void **state)
{
	struct fixture *f = *state;
	struct buf got = {0};
	unsigned int numbers[25000];
	use_pipe(f);
	f->spec.buffer_bytes = 200000;
	start(f);
	for (int i = 0; i < 60; i++) {
		for (unsigned int k = 0; k < 25000; k++)
			numbers[k] = (unsigned int)i * 25000 + k;
		print(f, 1, RESULT_STDOUT, (char *)numbers, sizeof(numbers));
	}
	assert_false(is_behind(f));
	settle(f, 1);
	settle(f, 0);
	assert_true(is_behind(f));
	while (!f->sink->ops->is_done(f->sink)) {
		assert_true(read_pipe(f, &got, 70000) > 0);
		flush(f);
	}
	read_pipe(f, &got, SIZE_MAX);
	assert_int_equal(got.length, 60 * sizeof(numbers));
	for (unsigned int k = 0; k < 60 * 25000; k++) {
		unsigned int number;
		memcpy(&number, got.bytes + k * sizeof(number), sizeof(number));
		assert_int_equal(number, k);
	}
	buf_fini(&got);
	expect_finished(f);
}

static void
gone_reader_ends_quietly(void **state)
{
	struct fixture *f = *state;
	use_pipe(f);
	start(f);
	assert_int_equal(output_watch_fd(f->sink), f->out_fd);
	assert_false(output_is_pipe_closed(f->sink));
	say(f, 2, "held");
	io_close_set(&f->read_fd);
	assert_true(output_is_pipe_closed(f->sink)); /* without a write */
	say(f, 0, "lost");
	flush(f);
	say(f, 1, "lost");
	for (int n = 2; n >= 0; n--)
		settle(f, n);
	assert_true(output_is_pipe_closed(f->sink));
	expect_finished(f);
}

static void
gone_reader_of_stderr_is_ignored(void **state)
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
	assert_false(output_is_pipe_closed(f->sink));
	assert_int_equal(output_watch_fd(f->sink), -1);
	expect_out(f, "kept");
	expect_finished(f);
}

static void
full_stdout_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	io_close(f->out_fd);
	f->out_fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_int_not_equal(f->out_fd, -1);
	start(f);
	say(f, 0, "x");
	assert_int_equal(f->sink->ops->flush(f->sink, &err), -1);
	assert_string_equal(err.text, "cannot write to stdout: No space left on device");
}

static void
held_output_that_finds_no_room_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	char block[5000] = {0};
	f->spec.tmp_dir = "/nowhere";
	f->spec.buffer_bytes = 4096;
	start(f);
	assert_int_equal(f->sink->ops->output(f->sink, task_of(f, 1), RESULT_STDOUT,
					      block, sizeof(block), &err),
			 -1);
	assert_int_equal(err.errno_value, ENOENT);
	assert_non_null(strstr(err.text, "/nowhere"));
}

static void
run_given_up_releases_everything(void **state)
{
	struct fixture *f = *state;
	char block[5000] = {0};
	use_pipe(f);
	f->spec.tag = "{}";
	f->spec.output_mode = SPEC_OUTPUT_LINE;
	f->spec.buffer_bytes = 20000;
	start(f);
	for (int n = 0; n < 20; n++) {
		begin(f, n);
		print(f, n, RESULT_STDOUT, block, sizeof(block));
		if (n % 3 == 1)
			settle(f, n);
	}
	/*
	 * tear_down frees the sink; the sanitizers and the spill's own assertions do the
	 * checking.
	 */
}

#define OUTPUT_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define TAG_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_with_tag, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    OUTPUT_TEST(task_whose_turn_it_is_streams_and_others_wait),
	    OUTPUT_TEST(settled_ahead_of_their_turn_come_out_in_input_order),
	    OUTPUT_TEST(skipped_tasks_do_not_hold_up_the_order),
	    OUTPUT_TEST(window_moves_with_the_first_unsettled_task),
	    OUTPUT_TEST(unordered_has_no_window),
	    OUTPUT_TEST(unordered_blocks_come_as_tasks_settle),
	    OUTPUT_TEST(one_file_for_both_keeps_tasks_together),
	    OUTPUT_TEST(task_that_may_be_retried_is_held_and_its_failed_attempts_forgotten),
	    OUTPUT_TEST(ungroup_leaves_commands_to_the_workers),
	    OUTPUT_TEST(line_mode_passes_whole_lines_as_they_come),
	    OUTPUT_TEST(ordered_line_mode_passes_lines_of_the_task_whose_turn_it_is),
	    OUTPUT_TEST(line_mode_forgets_the_cut_line_of_a_retried_attempt),
	    OUTPUT_TEST(
		line_mode_keeps_the_lines_of_a_retried_attempt_that_wait_for_their_turn),
	    OUTPUT_TEST(line_longer_than_memory_stays_whole),
	    OUTPUT_TEST(tags_stand_before_each_line_of_both_streams),
	    TAG_TEST(tags_do_not_depend_on_how_output_is_cut),
	    TAG_TEST(tags_in_line_mode_do_not_depend_on_how_output_is_cut),
	    TAG_TEST(tag_of_a_retried_attempt_starts_at_a_line_again),
	    OUTPUT_TEST(verbose_puts_the_command_before_its_output),
	    OUTPUT_TEST(trace_shows_commands_on_stderr_at_once),
	    OUTPUT_TEST(reader_that_stops_puts_the_sink_behind_and_loses_nothing),
	    OUTPUT_TEST(held_block_larger_than_the_pipe_goes_out_bit_by_bit),
	    OUTPUT_TEST(gone_reader_ends_quietly),
	    OUTPUT_TEST(gone_reader_of_stderr_is_ignored),
	    OUTPUT_TEST(full_stdout_is_an_error),
	    OUTPUT_TEST(held_output_that_finds_no_room_is_an_error),
	    OUTPUT_TEST(run_given_up_releases_everything),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

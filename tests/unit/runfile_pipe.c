/* The pipes to a recorder: what is said and heard, and how it is told that they are no good. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/io.h"
#include "record/runfile_pipe.h"

/* Both ends of both: the recorder is the test. */
struct fixture {
	struct runfile_pipe pipe;
	int said_fd;
	int answer_fd;
	struct err err;
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int to[2], from[2];
	if (f == NULL || io_pipe(to, 0) == -1 || io_set_nonblocking(to[1]) == -1 ||
	    io_pipe(from, 0) == -1)
		return -1;
	*f = (struct fixture){.pipe = {.to_fd = to[1], .from_fd = from[0], .path = "run.db"},
			      .said_fd = to[0],
			      .answer_fd = from[1]};
	signal(SIGPIPE, SIG_IGN);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	runfile_pipe_fini(&f->pipe);
	io_close_set(&f->said_fd);
	io_close_set(&f->answer_fd);
	free(f);
	return 0;
}

static void
say(struct fixture *f, const void *bytes, size_t length)
{
	assert_int_equal(
	    runfile_pipe_say(&f->pipe, 1, WIRE_END, bytes, length, NULL, 0, 0, &f->err), 0);
}

static void
answer(struct fixture *f, enum wire_type type, const char *text)
{
	struct wire_failed failed = {.kind = ERR_SYSTEM};
	size_t length = type == WIRE_FAILED ? sizeof(failed) + strlen(text) : 0;
	struct wire_header header = {.payload_bytes = (uint32_t)length, .type = type};
	assert_int_equal(io_write_all(f->answer_fd, &header, sizeof(header)), 0);
	if (length == 0)
		return;
	assert_int_equal(io_write_all(f->answer_fd, &failed, sizeof(failed)), 0);
	assert_int_equal(io_write_all(f->answer_fd, text, strlen(text)), 0);
}

/* More than a pipe takes. */
static void
say_much(struct fixture *f)
{
	static const char bytes[1024 * 1024];
	say(f, bytes, sizeof(bytes));
}

static void
what_a_frame_cannot_hold_is_refused(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(runfile_pipe_say(&f->pipe, 0, WIRE_OUTPUT, "x", 1, "y", 1,
					  UINT32_MAX - 1, &f->err),
			 -1);
	assert_string_equal(f->err.text, "run.db: too much at once");
	assert_int_equal(runfile_pipe_pending_bytes(&f->pipe), 0);
}

static void
what_was_said_arrives_once_and_whole(void **state)
{
	struct fixture *f = *state;
	struct wire_header header;
	char text[4];
	say(f, "text", 4);
	assert_int_equal(runfile_pipe_say_rest(&f->pipe, CLOCK_NEVER, &f->err), 0);
	assert_int_equal(runfile_pipe_pending_bytes(&f->pipe), 0);
	assert_int_equal(io_read(f->said_fd, &header, sizeof(header)), sizeof(header));
	assert_int_equal(header.payload_bytes, 4);
	assert_int_equal(header.type, WIRE_END);
	assert_int_equal(header.stage, 1);
	assert_int_equal(io_read(f->said_fd, text, 4), 4);
	assert_memory_equal(text, "text", 4);
}

static void
waiting_has_an_end(void **state)
{
	struct fixture *f = *state;
	int64_t now_ns = clock_now_ns();
	say_much(f);
	assert_int_equal(runfile_pipe_say_rest(&f->pipe, now_ns, &f->err), -1);
	assert_string_equal(f->err.text, "run.db: not all of it is on disk yet");
	assert_true(runfile_pipe_pending_bytes(&f->pipe) > 0);
	assert_int_equal(
	    runfile_pipe_await(&f->pipe, WIRE_SAVED, now_ns, NULL, NULL, &f->err), -1);
	assert_string_equal(f->err.text, "run.db: not all of it is on disk yet");
}

static void
recorder_that_reads_no_more_says_why(void **state)
{
	struct fixture *f = *state;
	answer(f, WIRE_FAILED, "the disk is full");
	io_close_set(&f->said_fd);
	say(f, "text", 4);
	assert_int_equal(runfile_pipe_flush(&f->pipe, &f->err), -1);
	assert_string_equal(f->err.text, "the disk is full");
}

static void
recorder_that_reads_no_more_may_have_ended(void **state)
{
	struct fixture *f = *state;
	answer(f, WIRE_SAVED, "");
	io_close_set(&f->said_fd);
	say(f, "text", 4);
	assert_int_equal(runfile_pipe_say_rest(&f->pipe, CLOCK_NEVER, &f->err), -1);
	assert_string_equal(f->err.text, "run.db: its writer ended too early");
}

static void
recorder_that_ends_while_it_is_waited_for_has_died(void **state)
{
	struct fixture *f = *state;
	say(f, "text", 4);
	io_close_set(&f->said_fd);
	io_close_set(&f->answer_fd);
	assert_int_equal(
	    runfile_pipe_await(&f->pipe, WIRE_SAVED, CLOCK_NEVER, NULL, NULL, &f->err), -1);
	assert_string_equal(f->err.text, "run.db: the process that wrote it has died");
}

static void
pipe_that_cannot_be_written_is_an_error(void **state)
{
	struct fixture *f = *state;
	say(f, "text", 4);
	io_close_set(&f->pipe.to_fd);
	assert_int_equal(runfile_pipe_flush(&f->pipe, &f->err), -1);
	assert_string_equal(f->err.text,
			    "cannot pass on what to write to run.db: Bad file "
			    "descriptor");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(what_a_frame_cannot_hold_is_refused),
	    TEST(what_was_said_arrives_once_and_whole),
	    TEST(waiting_has_an_end),
	    TEST(recorder_that_reads_no_more_says_why),
	    TEST(recorder_that_reads_no_more_may_have_ended),
	    TEST(recorder_that_ends_while_it_is_waited_for_has_died),
	    TEST(pipe_that_cannot_be_written_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

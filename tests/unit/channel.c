/* Tests of pool/channel: a worker's line to the coordinator. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"

#include "base/io.h"
#include "base/sig.h"
#include "ipc/frame.h"
#include "pool/channel.h"

#define EXIT_ORPHANED 77

struct line {
	struct channel channel;
	struct board board;
	struct outbox outbox; /* the coordinator's side */
	int outbox_fd;
	sigset_t old_mask;
	int fds[2];
};

static void
orphaned(void)
{
	_exit(EXIT_ORPHANED);
}

static int
set_up(void **state)
{
	struct line *line = calloc(1, sizeof(*line));
	struct err err = {0};
	struct outbox outbox;
	sigset_t all;
	if (line == NULL || (line->outbox_fd = outbox_open(&err)) == -1 ||
	    outbox_map(&line->outbox, line->outbox_fd, 0, true, &err) == -1 ||
	    outbox_map(&outbox, line->outbox_fd, 0, false, &err) == -1 ||
	    board_init(&line->board, 1, &err) == -1 || io_pipe(line->fds, 0) == -1 ||
	    io_set_nonblocking(line->fds[0]) == -1 ||
	    io_set_nonblocking(line->fds[1]) == -1)
		return -1;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &line->old_mask);
	sig_handle(SIGCHLD, channel_on_child);
	sigdelset(&all, SIGCHLD);
	sigdelset(&all, SIGALRM);
	channel_init(&line->channel, line->fds[1], &outbox, line->outbox_fd,
		     line->board.seats, &all, orphaned);
	channel_begin(&line->channel, 5, 2);
	*state = line;
	alarm(TEST_SECONDS);
	return 0;
}

static int
tear_down(void **state)
{
	struct line *line = *state;
	io_close(line->fds[0]);
	io_close(line->fds[1]);
	channel_fini(&line->channel);
	outbox_unmap(&line->outbox);
	close(line->outbox_fd);
	board_fini(&line->board);
	sigprocmask(SIG_SETMASK, &line->old_mask, NULL);
	free(line);
	return 0;
}

static const char *
expect(struct line *line, enum frame_type type, size_t payload_bytes)
{
	struct frame_header header;
	const char *payload;
	size_t length;
	const char *bytes = outbox_peek(&line->outbox, &length);
	assert_int_equal(frame_get(bytes, length, &header, &payload), 1);
	assert_int_equal(header.type, type);
	assert_int_equal(header.payload_bytes, payload_bytes);
	assert_int_equal(header.seq, 5);
	assert_int_equal(header.attempt, 2);
	outbox_take(&line->outbox, frame_bytes(payload_bytes));
	outbox_release(&line->outbox);
	return payload; /* which stays there as long as nothing more is said */
}

/* Whether the coordinator has been woken since the last time. */
static bool
is_rung(struct line *line)
{
	char bytes[8];
	bool is_rung = io_read(line->fds[0], bytes, sizeof(bytes)) == 1;
	outbox_answer(&line->outbox);
	return is_rung;
}

static void
frames_of_a_task_arrive_in_order_with_its_name(void **state)
{
	struct line *line = *state;
	size_t wanted;
	struct result result = {.exit_status = 9};
	int fds[2];
	assert_int_equal(io_pipe(fds, 0), 0);
	assert_int_equal(io_write_all(fds[1], "output", 6), 0);
	channel_started(&line->channel, 1234);
	assert_int_equal(channel_pull(&line->channel, RESULT_STDERR, fds[0], &wanted), 6);
	channel_finished(&line->channel, &result);
	int64_t started_at_ns;
	memcpy(&started_at_ns, expect(line, FRAME_STARTED, sizeof(started_at_ns)),
	       sizeof(started_at_ns));
	assert_int_equal(started_at_ns, 1234);
	assert_memory_equal(expect(line, FRAME_STDERR, 6), "output", 6);
	assert_memory_equal(expect(line, FRAME_FINISHED, sizeof(result)), &result,
			    sizeof(result));
	assert_int_equal(line->channel.stream_bytes[RESULT_STDERR], 6);
	assert_int_equal(line->channel.stream_bytes[RESULT_STDOUT], 0);
	close(fds[0]);
	close(fds[1]);
}

static void
output_is_heard_while_the_task_is_silent(void **state)
{
	struct line *line = *state;
	size_t wanted;
	int fds[2];
	assert_int_equal(io_pipe(fds, 0), 0);
	assert_int_equal(io_write_all(fds[1], "live", 4), 0);
	assert_int_equal(channel_pull(&line->channel, RESULT_STDOUT, fds[0], &wanted), 4);
	assert_false(is_rung(line));
	assert_int_equal(channel_wait(&line->channel, NULL, 0, -1), 0);
	assert_true(is_rung(line));
	assert_memory_equal(expect(line, FRAME_STDOUT, 4), "live", 4);
	close(fds[0]);
	close(fds[1]);
}

static void
only_the_attempt_that_is_meant_is_cancelled(void **state)
{
	struct line *line = *state;
	struct board_seat *seat = line->board.seats;
	struct channel_cancel cancel;
	assert_false(channel_is_cancelled(&line->channel, &cancel));
	atomic_store(&seat->cancel_seq, 5);
	atomic_store(&seat->cancel_attempt, 1);
	atomic_store(&seat->cancel_reason, RESULT_TIMEOUT);
	assert_false(channel_is_cancelled(&line->channel, &cancel));
	atomic_store(&seat->cancel_attempt, 2);
	assert_true(channel_is_cancelled(&line->channel, &cancel));
	assert_int_equal(cancel.reason, RESULT_TIMEOUT);
	assert_false(cancel.is_at_once);
	channel_begin(&line->channel, 6, 2);
	assert_false(channel_is_cancelled(&line->channel, &cancel));
	atomic_store(&seat->order, BOARD_RETIRE);
	assert_false(channel_is_cancelled(&line->channel, &cancel));
	atomic_store(&seat->order, BOARD_KILL_ALL);
	assert_true(channel_is_cancelled(&line->channel, &cancel));
	assert_int_equal(cancel.reason, RESULT_CANCELLED);
	assert_true(cancel.is_at_once);
}

/* Fills the outbox: the next full frame has to wait. */
static void
fill_up(struct line *line)
{
	char note[4000];
	memset(note, 'n', sizeof(note));
	while (outbox_reserve(&line->channel.outbox, frame_bytes(FRAME_PAYLOAD_MAX)) != NULL)
		channel_note(&line->channel, note, sizeof(note));
}

static void
much_is_heard_at_once(void **state)
{
	struct line *line = *state;
	channel_note(&line->channel, "x", 1);
	assert_false(is_rung(line));
	fill_up(line);
	assert_true(is_rung(line));
}

static void
a_full_outbox_does_not_hide_an_order(void **state)
{
	struct line *line = *state;
	size_t wanted;
	fill_up(line);
	atomic_store(&line->board.seats->order, BOARD_CANCEL_ALL);
	errno = 0;
	assert_int_equal(
	    channel_pull(&line->channel, RESULT_STDOUT, line->fds[0], &wanted), -1);
	assert_int_equal(errno, EAGAIN);
}

/* Hears all a sleeping writer has to say; wakes it when it has made room. */
static void
hear_all(struct line *line, pid_t writer, char first, char last)
{
	char next = first;
	while (next <= last) {
		struct frame_header header;
		const char *payload;
		size_t length;
		const char *bytes = outbox_peek(&line->outbox, &length);
		int status = frame_get(bytes, length, &header, &payload);
		if (status == 0)
			continue;
		assert_int_equal(status, 1);
		assert_int_equal(header.type, FRAME_STDOUT);
		for (uint32_t i = 0; i < header.payload_bytes; i++)
			assert_int_equal(payload[i], next);
		next++;
		outbox_take(&line->outbox, frame_bytes(header.payload_bytes));
		if (outbox_release(&line->outbox))
			kill(writer, SIGUSR1);
	}
}

static void
on_usr1(int signal)
{
	(void)signal;
}

static void
a_full_outbox_makes_the_worker_wait_and_nothing_is_lost(void **state)
{
	struct line *line = *state;
	pid_t pid = child_fork();
	if (pid == 0) {
		struct err err = {0};
		static char bytes[FRAME_PAYLOAD_MAX];
		close(line->fds[0]); /* else we would wait for ourselves */
		sig_handle(SIGUSR1, on_usr1);
		sigdelset(&line->channel.wait_mask, SIGUSR1);
		if (outbox_map(&line->channel.outbox, line->outbox_fd, 0, false, &err) == -1)
			_exit(1);
		for (char byte = 'a'; byte <= 'z'; byte++) {
			memset(bytes, byte, sizeof(bytes));
			channel_output(&line->channel, RESULT_STDOUT, bytes, sizeof(bytes));
		}
		_exit(0);
	}
	hear_all(line, pid, 'a', 'z');
	assert_child_exits(pid, 0);
}

static void
what_was_said_is_waited_for_until_it_is_taken(void **state)
{
	struct line *line = *state;
	size_t length;
	char byte;
	int fds[2];
	assert_int_equal(io_pipe(fds, 0), 0);
	assert_int_equal(io_set_nonblocking(fds[0]), 0);
	pid_t pid = child_fork();
	if (pid == 0) {
		struct err err = {0};
		close(line->fds[0]);
		sig_handle(SIGUSR1, on_usr1);
		sigdelset(&line->channel.wait_mask, SIGUSR1);
		if (outbox_map(&line->channel.outbox, line->outbox_fd, 0, false, &err) == -1)
			_exit(1);
		channel_note(&line->channel, "done", 4);
		channel_await_heard(&line->channel);
		_exit(io_write_all(fds[1], "x", 1) == 0 ? 0 : 1);
	}
	struct pollfd pfd = {.fd = line->fds[0], .events = POLLIN};
	assert_int_equal(poll(&pfd, 1, 10000), 1); /* it has rung and now waits */
	assert_non_null(outbox_peek(&line->outbox, &length));
	assert_int_equal(length, frame_bytes(4));
	outbox_take(&line->outbox, length);
	assert_int_equal(io_read(fds[0], &byte, 1), -1); /* taken, but not released */
	while (!outbox_release(&line->outbox) && io_read(fds[0], &byte, 1) != 1)
		; /* it was not asleep yet */
	kill(pid, SIGUSR1);
	assert_child_exits(pid, 0);
	close(fds[0]);
	close(fds[1]);
}

static void
an_order_ends_the_wait_for_being_heard(void **state)
{
	struct line *line = *state;
	channel_note(&line->channel, "done", 4);
	atomic_store(&line->board.seats->order, BOARD_CANCEL_ALL);
	channel_await_heard(&line->channel);
	channel_begin(&line->channel, 6, 1);
	size_t length;
	assert_non_null(outbox_peek(&line->outbox, &length));
	assert_int_equal(length, frame_bytes(4));
}

static void
the_end_of_a_child_is_told_once(void **state)
{
	struct line *line = *state;
	pid_t pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0)
		_exit(0);
	while (!channel_child_ended())
		channel_wait(&line->channel, NULL, 0, 10000);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_false(channel_child_ended());
}

static void
a_coordinator_that_is_gone_is_noticed(void **state)
{
	struct line *line = *state;
	int status;
	char byte = 'x';
	int ready[2];
	assert_int_equal(io_pipe(ready, 0), 0);
	pid_t pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		struct err err = {0};
		outbox_map(&line->channel.outbox, line->outbox_fd, 0, false, &err);
		close(line->fds[0]);
		io_read(ready[0], &byte, 1); /* the parent's reading end is closed, too */
		channel_note(&line->channel, "x", 1);
		channel_flush(&line->channel);
		_exit(0);
	}
	close(line->fds[0]);
	line->fds[0] = -1;
	assert_int_equal(io_write_all(ready[1], &byte, 1), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EXIT_ORPHANED);
	io_close(ready[0]);
	io_close(ready[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(frames_of_a_task_arrive_in_order_with_its_name),
	    TEST(output_is_heard_while_the_task_is_silent),
	    TEST(only_the_attempt_that_is_meant_is_cancelled),
	    TEST(much_is_heard_at_once),
	    TEST(a_full_outbox_does_not_hide_an_order),
	    TEST(a_full_outbox_makes_the_worker_wait_and_nothing_is_lost),
	    TEST(what_was_said_is_waited_for_until_it_is_taken),
	    TEST(an_order_ends_the_wait_for_being_heard),
	    TEST(the_end_of_a_child_is_told_once),
	    TEST(a_coordinator_that_is_gone_is_noticed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What a worker that is executed anew is told, and what it does not fall for. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"

#include "base/io.h"
#include "ipc/outbox.h"
#include "pool/letter.h"

#define VARIABLE "PINION_LETTER"

struct fixture {
	struct spec spec;
	struct sig_origin origin;
	struct board board;
	struct worker_config worker;
	int fds[2];
};

static const struct arg names[] = {{"first", 5}, {"", 0}, {"with \0 in it", 12}};

static void
set_up(struct fixture *fixture)
{
	struct err err = {0};
	*fixture = (struct fixture){0};
	spec_init(&fixture->spec, SPEC_MAP);
	fixture->spec.shell = "/bin/some shell";
	sig_origin_save(&fixture->origin);
	sigaddset(&fixture->origin.ignored, SIGHUP);
	assert_int_equal(board_init(&fixture->board, 5, &err), 0);
	assert_int_equal(io_pipe(fixture->fds, 0), 0);
	fixture->worker = (struct worker_config){
	    .spec = &fixture->spec,
	    .place = {.share = 4, .cpu = 2},
	    .origin = &fixture->origin,
	    .run_name = "abc",
	    .ring = ring_new(16, 4096, &err),
	    .board = &fixture->board,
	    .seat = &fixture->board.seats[3],
	    .column_count = 7,
	    .number = 11,
	    .slot_index = 3,
	    .worker_count = 4,
	    .result_fd = fixture->fds[1],
	    .outbox_fd = io_memfd("outbox", 0),
	    .first_stdin_fd = -1,
	    .coordinator = getpid(),
	};
	assert_non_null(fixture->worker.ring);
}

static void
tear_down(struct fixture *fixture)
{
	io_close(fixture->fds[0]);
	io_close(fixture->fds[1]);
	io_close(fixture->worker.outbox_fd);
	ring_free(fixture->worker.ring);
	board_fini(&fixture->board);
	spec_fini(&fixture->spec);
}

static bool
write_letter(const struct fixture *fixture)
{
	return letter_write(&fixture->worker, names, 3, NULL) == 0 &&
	       getenv(VARIABLE) != NULL;
}

static bool
are_numbers_right(const struct worker_config *worker, const struct fixture *fixture)
{
	return worker->place.share == 4 && worker->place.cpu == 2 &&
	       worker->column_count == 7 && worker->number == 11 &&
	       worker->slot_index == 3 && worker->worker_count == 4 &&
	       worker->result_fd == fixture->fds[1] &&
	       worker->outbox_fd == fixture->worker.outbox_fd &&
	       worker->first_stdin_fd == -1 && worker->coordinator == getppid() &&
	       worker->topology == NULL && worker->shared == NULL;
}

static bool
are_names_right(const struct letter *letter)
{
	bool is_right = letter->name_count == 3;
	for (size_t i = 0; i < 3 && is_right; i++)
		is_right =
		    letter->names[i].length == names[i].length &&
		    memcmp(letter->names[i].bytes, names[i].bytes, names[i].length) == 0;
	return is_right;
}

static int
check_letter(const struct fixture *fixture)
{
	static struct letter letter;
	if (!write_letter(fixture))
		return 1;
	if (fcntl(fixture->fds[1], F_GETFD) != 0) /* it survives an exec */
		return 2;
	if (letter_read(&letter) != 1 || getenv(VARIABLE) != NULL)
		return 3;
	if (fcntl(fixture->fds[1], F_GETFD) != FD_CLOEXEC) /* and no other */
		return 4;
	if (!are_numbers_right(&letter.worker, fixture))
		return 5;
	if (strcmp(letter.worker.run_name, "abc") != 0 ||
	    strcmp(letter.shell, "/bin/some shell") != 0 || !are_names_right(&letter))
		return 6;
	if (!sig_was_ignored(letter.worker.origin, SIGHUP))
		return 7;
	atomic_store(&letter.worker.seat->seq, 42);
	return ring_is_closed(letter.worker.ring) ? 0 : 8;
}

static void
a_letter_says_all_that_a_worker_needs(void **state)
{
	(void)state;
	struct fixture fixture;
	set_up(&fixture);
	ring_close(fixture.worker.ring);
	pid_t pid = child_fork();
	if (pid == 0)
		_exit(check_letter(&fixture));
	assert_child_exits(pid, 0);
	assert_int_equal(fixture.board.seats[3].seq, 42);
	tear_down(&fixture);
}

static void
a_letter_to_another_process_is_none(void **state)
{
	(void)state;
	struct fixture fixture;
	static struct letter letter;
	set_up(&fixture);
	pid_t pid = child_fork();
	if (pid == 0) {
		if (!write_letter(&fixture))
			_exit(1);
		pid = child_fork();
		if (pid == 0)
			_exit(letter_read(&letter) != 0 || getenv(VARIABLE) != NULL);
		_exit(WEXITSTATUS(child_wait(pid)));
	}
	assert_child_exits(pid, 0);
	tear_down(&fixture);
}

static void
a_worker_without_its_coordinator_does_nothing(void **state)
{
	(void)state;
	struct fixture fixture;
	static struct letter letter;
	set_up(&fixture);
	fixture.worker.coordinator = 1;
	pid_t pid = child_fork();
	if (pid == 0) {
		if (write_letter(&fixture))
			letter_read(&letter);
		_exit(0);
	}
	assert_child_exits(pid, WORKER_BROKEN);
	tear_down(&fixture);
}

static void
a_worker_that_cannot_follow_its_letter_says_so(void **state)
{
	(void)state;
	struct fixture fixture;
	static struct letter letter;
	struct outbox outbox;
	struct err err = {0};
	size_t length = 0;
	set_up(&fixture);
	assert_int_equal(outbox_map(&outbox, fixture.worker.outbox_fd, 3, true, &err), 0);
	fixture.board.seat_count = 6; /* a letter that is wrong */
	pid_t pid = child_fork();
	if (pid == 0) {
		if (write_letter(&fixture))
			letter_read(&letter);
		_exit(0);
	}
	fixture.board.seat_count = 5;
	assert_child_exits(pid, WORKER_CANNOT_START);
	const char *said = outbox_peek(&outbox, &length);
	assert_non_null(memmem(said, length, "no board of 6 workers", 21));
	outbox_unmap(&outbox);
	tear_down(&fixture);
}

/* As a coordinator it would start workers by the same words, and those would, and so on. */
static void
a_worker_that_cannot_read_its_letter_ends(void **state)
{
	(void)state;
	struct fixture fixture;
	static struct letter letter;
	set_up(&fixture);
	pid_t pid = child_fork();
	if (pid == 0) {
		if (!write_letter(&fixture))
			_exit(1);
		close(atoi(getenv(VARIABLE)));
		letter_read(&letter);
		_exit(0);
	}
	assert_child_exits(pid, WORKER_CANNOT_START);
	tear_down(&fixture);
}

static void
a_variable_that_names_no_letter_is_taken_away(void **state)
{
	(void)state;
	char others[5][32];
	static struct letter letter;
	int fd = io_memfd("test", 65536);
	snprintf(others[0], sizeof(*others), "%d", fd);
	snprintf(others[1], sizeof(*others), "%d:%d", fd, getppid());
	snprintf(others[2], sizeof(*others), "1:%d", getpid());
	snprintf(others[3], sizeof(*others), "%d:%d ", fd, getpid());
	snprintf(others[4], sizeof(*others), "-1:%d", getpid());
	const char *const values[] = {"",        "1",       "-1",      "x",
				      ":",       others[0], others[1], others[2],
				      others[3], others[4]};
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		assert_int_equal(setenv(VARIABLE, values[i], 1), 0);
		assert_int_equal(letter_read(&letter), 0);
		assert_null(getenv(VARIABLE));
	}
	assert_int_equal(letter_read(&letter), 0);
	assert_int_equal(close(fd), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TIMED_TEST(a_letter_says_all_that_a_worker_needs),
	    TIMED_TEST(a_letter_to_another_process_is_none),
	    TIMED_TEST(a_worker_without_its_coordinator_does_nothing),
	    TIMED_TEST(a_worker_that_cannot_follow_its_letter_says_so),
	    TIMED_TEST(a_worker_that_cannot_read_its_letter_ends),
	    TIMED_TEST(a_variable_that_names_no_letter_is_taken_away),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

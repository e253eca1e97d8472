/* The board: seats that worker and coordinator share. */
#include "child.h"

#include "base/io.h"
#include "ipc/board.h"

static void
new_seats_are_reset(void **state)
{
	(void)state;
	struct board board;
	struct err err = {0};
	assert_int_equal(board_init(&board, 5, &err), 0);
	assert_int_equal(board.seat_count, 5);
	for (size_t i = 0; i < 5; i++) {
		assert_true(board.seats[i].seq == BOARD_NO_TASK);
		assert_int_equal(board.seats[i].pid, 0);
		assert_int_equal(board.seats[i].order, BOARD_GO);
		assert_int_equal(board.seats[i].cancel_reason, 0);
	}
	board_fini(&board);
	assert_null(board.seats);
	board_fini(&board);
}

static void
both_sides_see_what_the_other_writes(void **state)
{
	(void)state;
	struct board board;
	struct err err = {0};
	assert_int_equal(board_init(&board, 2, &err), 0);
	atomic_store(&board.seats[1].order, BOARD_RETIRE);
	pid_t pid = child_fork();
	if (pid == 0) {
		if (atomic_load(&board.seats[1].order) != BOARD_RETIRE)
			_exit(1);
		atomic_store(&board.seats[1].seq, 42);
		atomic_store(&board.seats[1].pid, getpid());
		_exit(0);
	}
	assert_child_exits(pid, 0);
	assert_int_equal(board.seats[1].seq, 42);
	assert_int_equal(board.seats[1].pid, pid);
	assert_true(board.seats[0].seq == BOARD_NO_TASK);
	board_fini(&board);
}

static void
an_attached_board_is_the_same_board(void **state)
{
	(void)state;
	struct board board, attached;
	struct err err = {0};
	assert_int_equal(board_init(&board, 3, &err), 0);
	assert_int_equal(board_attach(&attached, io_dup(board.fd), 3, &err), 0);
	assert_ptr_not_equal(attached.seats, board.seats);
	atomic_store(&attached.seats[2].seq, 42);
	atomic_store(&attached.notices->has_said_unflushed, 1);
	assert_int_equal(board.seats[2].seq, 42);
	assert_int_equal(board.notices->has_said_unflushed, 1);
	board_fini(&attached);
	assert_int_equal(board.seats[2].seq, 42);
	board_fini(&board);
}

static void
what_has_another_size_is_no_board(void **state)
{
	(void)state;
	struct board board, attached;
	struct err err = {0};
	assert_int_equal(board_init(&board, 3, &err), 0);
	assert_int_equal(board_attach(&attached, board.fd, 4, &err), -1);
	assert_string_equal(err.text, "this is no board of 4 workers");
	assert_null(attached.seats);
	assert_int_equal(board_attach(&attached, -1, 3, &err), -1);
	board_fini(&board);
}

static void
reset_forgets_who_sat_there_before(void **state)
{
	(void)state;
	struct board board;
	struct err err = {0};
	assert_int_equal(board_init(&board, 1, &err), 0);
	struct board_seat *seat = &board.seats[0];
	atomic_store(&seat->seq, 7);
	atomic_store(&seat->attempt, 2);
	atomic_store(&seat->pid, 3);
	atomic_store(&seat->exec_errno, 4);
	atomic_store(&seat->served_count, 5);
	atomic_store(&seat->order, BOARD_KILL_ALL);
	atomic_store(&seat->cancel_reason, 1);
	atomic_store(&seat->cancel_seq, 7);
	atomic_store(&seat->cancel_attempt, 2);
	board_seat_reset(seat);
	assert_true(seat->seq == BOARD_NO_TASK);
	assert_int_equal(seat->attempt, 0);
	assert_int_equal(seat->pid, 0);
	assert_int_equal(seat->exec_errno, 0);
	assert_int_equal(seat->served_count, 0);
	assert_int_equal(seat->order, BOARD_GO);
	assert_int_equal(seat->cancel_reason, 0);
	board_fini(&board);
}

static void
sides_do_not_share_cache_lines(void **state)
{
	(void)state;
	assert_int_equal(offsetof(struct board_seat, order) % 64, 0);
	assert_true(offsetof(struct board_seat, order) >
		    offsetof(struct board_seat, served_count));
	assert_int_equal(sizeof(struct board_seat) % 64, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TIMED_TEST(new_seats_are_reset),
	    TIMED_TEST(both_sides_see_what_the_other_writes),
	    TIMED_TEST(an_attached_board_is_the_same_board),
	    TIMED_TEST(what_has_another_size_is_no_board),
	    TIMED_TEST(reset_forgets_who_sat_there_before),
	    TIMED_TEST(sides_do_not_share_cache_lines),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

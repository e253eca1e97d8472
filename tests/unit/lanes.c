/* What each worker does, as the board and /proc have it. */
#include <stdlib.h>

#include "child.h"

#include "base/clock.h"
#include "sink/lanes.h"

struct fixture {
	struct board board;
	struct lanes lanes;
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err err = {0};
	alarm(TEST_SECONDS);
	*state = f;
	return f == NULL || board_init(&f->board, 3, &err) == -1 ||
		       lanes_init(&f->lanes, &f->board, 0) == -1
		   ? -1
		   : 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	lanes_fini(&f->lanes);
	board_fini(&f->board);
	free(f);
	alarm(0);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void
idle_workers_have_no_task(void **state)
{
	struct fixture *f = *state;
	lanes_look(&f->lanes, NS_PER_S, 3);
	assert_int_equal(lanes_busy(&f->lanes), 0);
	assert_null(lanes_newest(&f->lanes));
	assert_int_equal(f->lanes.items[2].seq, BOARD_NO_TASK);
}

static void
task_is_in_hand_since_it_was_first_seen(void **state)
{
	struct fixture *f = *state;
	atomic_store(&f->board.seats[1].seq, 7);
	lanes_look(&f->lanes, 1000, 0);
	lanes_look(&f->lanes, 2000, 0);
	assert_int_equal(f->lanes.items[1].seq, 7);
	assert_int_equal(f->lanes.items[1].since_ns, 1000);
	assert_int_equal(lanes_busy(&f->lanes), 1);
	f->lanes.items[1].has_what = true;
	atomic_store(&f->board.seats[1].attempt, 2);
	lanes_look(&f->lanes, 3000, 0);
	assert_int_equal(f->lanes.items[1].since_ns, 3000);
	assert_false(f->lanes.items[1].has_what);
}

static void
newest_is_the_one_with_the_highest_seq(void **state)
{
	struct fixture *f = *state;
	atomic_store(&f->board.seats[0].seq, 5);
	atomic_store(&f->board.seats[1].seq, 9);
	lanes_look(&f->lanes, 1000, 0);
	assert_ptr_equal(lanes_newest(&f->lanes), &f->lanes.items[1]);
}

/* Busy until it is ended, or with a child that is. */
static pid_t
fork_busy(bool is_grandchild)
{
	pid_t pid = child_fork();
	if (pid == 0 && is_grandchild) {
		fork_busy(false);
		pause();
	}
	if (pid == 0)
		for (;;)
			;
	return pid;
}

static void
assert_seen_busy(struct fixture *f, bool is_grandchild)
{
	pid_t pid = fork_busy(is_grandchild);
	int64_t now_ns = NS_PER_S;
	atomic_store(&f->board.seats[0].pid, pid);
	lanes_look(&f->lanes, now_ns, 3);
	assert_int_equal(f->lanes.items[0].cpu_percent, -1);
	while (f->lanes.items[0].cpu_percent <= 0) {
		now_ns += NS_PER_S; /* looks as if it had passed */
		lanes_look(&f->lanes, now_ns, 3);
		usleep(1000);
	}
	assert_true(f->lanes.items[0].cpu_percent > 0);
	kill(pid, SIGKILL);
	assert_child_dies_of(pid, SIGKILL);
	now_ns += NS_PER_S;
	lanes_look(&f->lanes, now_ns, 3);
	assert_int_equal(f->lanes.items[0].cpu_percent, 0);
	atomic_store(&f->board.seats[0].pid, 0);
	lanes_look(&f->lanes, now_ns, 3);
	assert_int_equal(f->lanes.items[0].cpu_percent, -1);
}

static void
cpu_time_of_the_process_is_seen(void **state)
{
	assert_seen_busy(*state, false);
}

static void
cpu_time_of_what_it_started_is_seen(void **state)
{
	assert_seen_busy(*state, true);
}

static void
cpu_time_is_not_looked_at_where_it_is_not_wanted(void **state)
{
	struct fixture *f = *state;
	atomic_store(&f->board.seats[2].pid, getpid());
	lanes_look(&f->lanes, NS_PER_S, 2);
	lanes_look(&f->lanes, 3 * NS_PER_S, 2);
	assert_int_equal(f->lanes.items[2].cpu_percent, -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(idle_workers_have_no_task),
	    TEST(task_is_in_hand_since_it_was_first_seen),
	    TEST(newest_is_the_one_with_the_highest_seq),
	    TEST(cpu_time_of_the_process_is_seen),
	    TEST(cpu_time_of_what_it_started_is_seen),
	    TEST(cpu_time_is_not_looked_at_where_it_is_not_wanted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Tests of pool/doze: sleeping in a read, and what ends it. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "child.h"

#include "base/io.h"
#include "base/sig.h"
#include "pool/doze.h"

#define LONG_MS 600000

struct bed {
	struct doze doze;
	int fds[2];         /* what is read in a doze */
	int guarded_fds[2]; /* what disturbs it */
	sigset_t old_mask;
};

static void
on_signal(int signal)
{
	(void)signal;
	doze_disturb();
}

static int
set_up(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));
	sigset_t rest;
	if (bed == NULL || io_pipe(bed->fds, 0) == -1 ||
	    io_pipe(bed->guarded_fds, 0) == -1 || io_set_nonblocking(bed->fds[0]) == -1)
		return -1;
	sigfillset(&rest);
	sigdelset(&rest, SIGALRM);
	sigprocmask(SIG_SETMASK, &rest, &bed->old_mask);
	sig_handle(SIGUSR1, on_signal);
	sig_handle(SIGCHLD, on_signal);
	doze_init(&bed->doze);
	*state = bed;
	alarm(TEST_SECONDS);
	return bed->doze.is_possible && doze_guard(bed->guarded_fds[0]) == 0 ? 0 : -1;
}

static int
tear_down(void **state)
{
	struct bed *bed = *state;
	doze_fini(&bed->doze);
	signal(SIGUSR1, SIG_IGN); /* none is left for the next test */
	signal(SIGCHLD, SIG_IGN);
	for (int i = 0; i < 2; i++) {
		close(bed->fds[i]);
		close(bed->guarded_fds[i]);
	}
	sigprocmask(SIG_SETMASK, &bed->old_mask, NULL);
	free(bed);
	return 0;
}

static void
expect_nothing(struct bed *bed)
{
	char byte;
	errno = 0;
	assert_int_equal(io_read(bed->fds[0], &byte, 1), -1);
	assert_int_equal(errno, EAGAIN);
}

static void
expect_byte(struct bed *bed)
{
	char byte;
	assert_int_equal(io_read(bed->fds[0], &byte, 1), 1);
}

/* A child that does so while we sleep, or shortly before: either must do. */
static pid_t
fork_child(struct bed *bed, void (*act)(struct bed *bed))
{
	pid_t pid = child_fork();
	if (pid != 0)
		return pid;
	act(bed);
	_exit(0);
}

static void
write_byte(struct bed *bed)
{
	if (write(bed->fds[1], "x", 1) != 1)
		_exit(1);
}

static void
send_order(struct bed *bed)
{
	(void)bed;
	kill(getppid(), SIGUSR1);
	pause(); /* its end would disturb as well */
}

static void
end(struct bed *bed)
{
	(void)bed;
}

static void
a_read_sleeps_until_there_are_bytes(void **state)
{
	struct bed *bed = *state;
	doze_begin(&bed->doze, bed->fds[0], LONG_MS);
	pid_t pid = fork_child(bed, write_byte);
	expect_byte(bed);
	child_wait(pid);
}

static void
a_signal_ends_the_sleep(void **state)
{
	struct bed *bed = *state;
	doze_begin(&bed->doze, bed->fds[0], LONG_MS);
	pid_t pid = fork_child(bed, send_order);
	expect_nothing(bed);
	assert_true(doze_is_disturbed());
	kill(pid, SIGKILL);
	child_wait(pid);
}

static void
the_end_of_a_child_ends_the_sleep(void **state)
{
	struct bed *bed = *state;
	doze_begin(&bed->doze, bed->fds[0], LONG_MS);
	pid_t pid = fork_child(bed, end);
	expect_nothing(bed);
	assert_true(doze_is_disturbed());
	child_wait(pid);
}

static void
a_signal_from_before_is_not_lost(void **state)
{
	struct bed *bed = *state;
	raise(SIGUSR1);
	doze_begin(&bed->doze, bed->fds[0], LONG_MS);
	assert_true(doze_is_disturbed());
	expect_nothing(bed);
}

static void
time_ends_the_sleep(void **state)
{
	struct bed *bed = *state;
	doze_begin(&bed->doze, bed->fds[0], 1);
	expect_nothing(bed);
	assert_true(doze_is_disturbed());
}

/* An answer that comes behind something on stderr is not taken without knowing of that. */
static void
guarded_bytes_are_known_of_before_later_ones_are_read(void **state)
{
	struct bed *bed = *state;
	doze_begin(&bed->doze, bed->fds[0], LONG_MS);
	assert_int_equal(write(bed->guarded_fds[1], "x", 1), 1);
	write_byte(bed);
	expect_byte(bed);
	assert_true(doze_is_disturbed());
}

static void
guarded_bytes_from_before_are_known_of(void **state)
{
	struct bed *bed = *state;
	assert_int_equal(write(bed->guarded_fds[1], "x", 1), 1);
	doze_begin(&bed->doze, bed->fds[0], LONG_MS);
	assert_true(doze_is_disturbed());
}

static void
after_it_the_pipe_does_not_block_and_signals_do_not_come(void **state)
{
	struct bed *bed = *state;
	sigset_t mask;
	doze_begin(&bed->doze, bed->fds[0], LONG_MS);
	doze_end(&bed->doze);
	expect_nothing(bed);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	assert_true(sigismember(&mask, SIGUSR1));
	assert_true(sigismember(&mask, SIGCHLD));
	assert_false(doze_is_disturbed());
	raise(SIGUSR1);
	assert_false(doze_is_disturbed());
}

static void
one_may_follow_another(void **state)
{
	struct bed *bed = *state;
	for (int i = 0; i < 3; i++) {
		doze_begin(&bed->doze, bed->fds[0], LONG_MS);
		assert_false(doze_is_disturbed());
		raise(SIGUSR1);
		assert_true(doze_is_disturbed());
		expect_nothing(bed);
		doze_end(&bed->doze);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_read_sleeps_until_there_are_bytes, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(a_signal_ends_the_sleep, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(the_end_of_a_child_ends_the_sleep, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(a_signal_from_before_is_not_lost, set_up,
					    tear_down),
	    cmocka_unit_test_setup_teardown(time_ends_the_sleep, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		guarded_bytes_are_known_of_before_later_ones_are_read, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(guarded_bytes_from_before_are_known_of,
					    set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		after_it_the_pipe_does_not_block_and_signals_do_not_come, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(one_may_follow_another, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

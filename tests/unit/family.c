/* Which children are workers, and the end of those that are not. */
#include <errno.h>

#include "child.h"

#include "base/io.h"
#include "pool/family.h"

static void
add(struct family *family, pid_t pid)
{
	assert_int_equal(family_reserve(family), 0);
	family_add(family, pid);
}

static pid_t
fork_exiting(int status)
{
	siginfo_t info;
	pid_t pid = child_fork();
	if (pid == 0)
		_exit(status);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	return pid;
}

/* Runs until it is killed; with this environment, which shows once exec has happened. */
static pid_t
fork_running(const char *const *environment)
{
	static const char *const argv[] = {"sleep", "1000", NULL};
	int fds[2];
	char byte;
	assert_int_equal(io_pipe(fds, 0), 0);
	pid_t pid = child_fork();
	if (pid == 0) {
		execve("/bin/sleep", (char *const *)argv, (char *const *)environment);
		_exit(1);
	}
	close(fds[1]);
	assert_int_equal(io_read(fds[0], &byte, 1), 0);
	close(fds[0]);
	return pid;
}

static bool
is_running(pid_t pid)
{
	return waitpid(pid, NULL, WNOHANG) == 0;
}

static bool
is_gone(pid_t pid)
{
	return waitpid(pid, NULL, WNOHANG) == -1 && errno == ECHILD;
}

static void
end(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_child_dies_of(pid, SIGKILL);
}

static void
orphans_are_reaped_but_no_worker(void **state)
{
	(void)state;
	struct family family = {0};
	pid_t first = fork_exiting(3);
	pid_t worker = fork_exiting(4);
	pid_t second = fork_exiting(5);
	add(&family, worker);
	family_reap_orphans(&family);
	family_reap_orphans(&family);
	assert_child_exits(worker, 4);
	family_remove(&family, worker);
	family_reap_orphans(&family); /* what stood behind the worker */
	assert_true(is_gone(first));
	assert_true(is_gone(second));
	family_reap_orphans(&family);
	family_fini(&family);
}

static void
sweep_ends_orphans_that_say_nothing_but_no_worker(void **state)
{
	(void)state;
	struct family family = {0};
	const char *const nothing[] = {NULL};
	pid_t worker = fork_running(nothing);
	pid_t orphan = fork_running(nothing);
	add(&family, worker);
	family_sweep(&family, "run", 5);
	family_reap_orphans(&family);
	assert_true(is_running(worker));
	assert_true(is_gone(orphan));
	end(worker);
	family_fini(&family);
}

static void
sweep_ends_orphans_of_one_task_and_spares_those_of_others(void **state)
{
	(void)state;
	struct family family = {0};
	const char *const of_5[] = {"PINION_RUN=run", "PINION_SEQ=5", NULL};
	const char *const of_6[] = {"PINION_RUN=run", "PINION_SEQ=6", NULL};
	pid_t meant = fork_running(of_5);
	pid_t other = fork_running(of_6);
	family_sweep(&family, "run", 5);
	family_reap_orphans(&family);
	assert_true(is_gone(meant));
	assert_true(is_running(other));
	end(other);
	family_fini(&family);
}

static void
removed_workers_are_forgotten(void **state)
{
	(void)state;
	struct family family = {0};
	for (pid_t pid = 1000; pid < 1100; pid++)
		add(&family, pid);
	for (pid_t pid = 1000; pid < 1100; pid += 2)
		family_remove(&family, pid);
	family_remove(&family, 4711);
	assert_int_equal(family.count, 50);
	for (size_t i = 0; i < family.count; i++)
		assert_int_equal(family.pids[i] % 2, 1);
	family_fini(&family);
	assert_int_equal(family.count, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TIMED_TEST(orphans_are_reaped_but_no_worker),
	    TIMED_TEST(sweep_ends_orphans_that_say_nothing_but_no_worker),
	    TIMED_TEST(sweep_ends_orphans_of_one_task_and_spares_those_of_others),
	    TIMED_TEST(removed_workers_are_forgotten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * child.h: for tests that fork: children that die with the test, and limits on time.
 *
 * cmocka's assertions jump; a child must not use them: it says what it found by its exit status.
 */
#ifndef PINION_TESTS_CHILD_H
#define PINION_TESTS_CHILD_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define TEST_SECONDS 100 /* a test that takes longer hangs; enough for valgrind */

/* As cmocka wants them for setup and teardown. */
static inline int
limit_time(void **state)
{
	(void)state;
	alarm(TEST_SECONDS);
	return 0;
}

static inline int
lift_limit(void **state)
{
	(void)state;
	alarm(0);
	return 0;
}

#define TIMED_TEST(name) cmocka_unit_test_setup_teardown(name, limit_time, lift_limit)

/* As fork, but the child has a time limit too and does not outlive the test. */
static inline pid_t
child_fork(void)
{
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		alarm(TEST_SECONDS);
	}
	assert_int_not_equal(pid, -1);
	return pid;
}

static inline int
child_wait(pid_t pid)
{
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static inline void
assert_child_exits(pid_t pid, int exit_status)
{
	int status = child_wait(pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), exit_status);
}

static inline void
assert_child_dies_of(pid_t pid, int signal)
{
	int status = child_wait(pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), signal);
}

/* Memory that children write and the test reads; zeroes. */
static inline void *
shared_new(size_t bytes)
{
	void *memory =
	    mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(memory, MAP_FAILED);
	return memory;
}

#endif

/* Tests of pool/tree: ending a task's processes, all of them. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/io.h"
#include "pool/tree.h"

/* Whoever holds the writing end is alive: the reading end says so when the last is gone. */
struct witness {
	int fds[2];
};

static void
witness_open(struct witness *witness)
{
	assert_int_equal(io_pipe(witness->fds, 0), 0);
}

/* Waits for `count` bytes: so many processes stand where they should. */
static void
witness_wait(const struct witness *witness, int count)
{
	char byte;
	for (int i = 0; i < count; i++)
		assert_int_equal(io_read(witness->fds[0], &byte, 1), 1);
}

static void
witness_says_all_are_gone(struct witness *witness)
{
	char byte;
	close(witness->fds[1]);
	struct pollfd pfd = {.fd = witness->fds[0], .events = POLLIN};
	assert_int_equal(poll(&pfd, 1, 10000), 1);
	assert_int_equal(io_read(witness->fds[0], &byte, 1), 0);
	close(witness->fds[0]);
}

static _Noreturn void
stay(const struct witness *witness, bool is_stubborn)
{
	if (is_stubborn)
		for (int signal = SIGHUP; signal <= SIGTERM; signal++)
			sigaction(signal, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
	io_write_all(witness->fds[1], "x", 1);
	for (;;)
		pause();
}

/* A child in its own group with a child, and one that left by a double fork and setsid. */
static pid_t
plant(const struct witness *witness, bool is_stubborn)
{
	pid_t pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid != 0) {
		setpgid(pid, pid);
		return pid;
	}
	setpgid(0, 0);
	if (fork() == 0)
		stay(witness, is_stubborn);
	pid_t middle = fork();
	if (middle == 0) {
		setsid();
		if (fork() == 0) {
			setsid();
			if (fork() == 0)
				stay(witness, is_stubborn);
			stay(witness, is_stubborn);
		}
		_exit(0);
	}
	waitpid(middle, NULL, 0);
	stay(witness, is_stubborn);
}

#define PLANTED 4

static void
kill_ends_children_grandchildren_and_those_who_left(void **state)
{
	(void)state;
	for (int round = 0; round < 30; round++) {
		struct witness witness;
		struct tree_rule rule = {.run = NULL};
		witness_open(&witness);
		pid_t pid = plant(&witness, true);
		witness_wait(&witness, PLANTED);
		assert_int_equal(tree_count(&rule), PLANTED);
		tree_kill(pid, &rule, 0);
		assert_int_equal(tree_count(&rule), 0);
		witness_says_all_are_gone(&witness);
		while (waitpid(-1, NULL, 0) > 0)
			;
	}
}

static void
signal_reaches_all_and_a_kept_status_stays_for_its_owner(void **state)
{
	struct witness witness;
	struct tree_rule rule = {.run = NULL};
	int status;
	(void)state;
	witness_open(&witness);
	pid_t pid = plant(&witness, false);
	witness_wait(&witness, PLANTED);
	tree_signal(pid, SIGTERM, &rule);
	witness_says_all_are_gone(&witness);
	tree_kill(pid, &rule, pid);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

/* The member of the group is also a descendant; it is told by one of the two. */
static void
each_process_hears_a_signal_once(void **state)
{
	struct witness witness;
	struct tree_rule rule = {.run = NULL};
	sigset_t set;
	(void)state;
	witness_open(&witness);
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN); /* these queue: two are two */
	sigprocmask(SIG_BLOCK, &set, NULL);
	pid_t pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		setpgid(0, 0);
		io_write_all(witness.fds[1], "x", 1);
		for (;;) {
			int signal;
			sigwait(&set, &signal);
			io_write_all(witness.fds[1], "s", 1);
		}
	}
	setpgid(pid, pid);
	witness_wait(&witness, 1);
	tree_signal(pid, SIGRTMIN, &rule);
	witness_wait(&witness, 1);
	struct pollfd pfd = {.fd = witness.fds[0], .events = POLLIN};
	assert_int_equal(poll(&pfd, 1, 200), 0);
	tree_kill(pid, &rule, 0);
	witness_says_all_are_gone(&witness);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void
spared_children_and_all_below_them_are_left_alone(void **state)
{
	struct witness spared_witness;
	struct witness witness;
	(void)state;
	witness_open(&spared_witness);
	pid_t spared = fork();
	assert_int_not_equal(spared, -1);
	if (spared == 0) {
		if (fork() == 0)
			stay(&spared_witness, false);
		stay(&spared_witness, false);
	}
	witness_wait(&spared_witness, 2);
	witness_open(&witness);
	pid_t pid = plant(&witness, false);
	witness_wait(&witness, PLANTED);
	struct tree_rule rule = {.spared = &spared, .spared_count = 1};
	assert_int_equal(tree_count(&rule), PLANTED);
	tree_kill(pid, &rule, 0);
	witness_says_all_are_gone(&witness);
	struct tree_rule all = {.run = NULL};
	assert_int_equal(tree_count(&all), 2);
	tree_kill(0, &all, 0);
	witness_says_all_are_gone(&spared_witness);
}

static pid_t
execute_with(const char *first, const char *second)
{
	pid_t pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		char *argv[] = {(char *)"sleep", (char *)"1000", NULL};
		char *envp[] = {(char *)"PATH=/bin", (char *)first, (char *)second, NULL};
		execve("/bin/sleep", argv, envp);
		_exit(127);
	}
	return pid;
}

static bool
has_environment(pid_t pid, const char *variable)
{
	char path[64];
	char bytes[4096];
	snprintf(path, sizeof(path), "/proc/%ld/environ", (long)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	ssize_t got = io_read(fd, bytes, sizeof(bytes));
	close(fd);
	return got > 0 &&
	       memmem(bytes, (size_t)got, variable, strlen(variable) + 1) != NULL;
}

static size_t
count_meant(const char *first, const char *second, uint64_t seq)
{
	struct tree_rule rule = {.run = "r1", .seq = seq};
	struct tree_rule all = {.run = NULL};
	pid_t pid = execute_with(first, second);
	while (!has_environment(pid, second)) /* until then it is ours */
		;
	size_t count = tree_count(&rule);
	tree_kill(0, &all, 0);
	return count;
}

static void
the_environment_says_whose_a_process_is(void **state)
{
	(void)state;
	assert_int_equal(count_meant("PINION_RUN=r1", "PINION_SEQ=7", 7), 1);
	assert_int_equal(count_meant("PINION_RUN=r1", "PINION_SEQ=7", 8), 0);
	assert_int_equal(count_meant("PINION_RUN=r1", "PINION_SEQ=77", 7), 0);
	assert_int_equal(count_meant("PINION_RUN=r1", "PINION_SEQ=7", 77), 0);
	assert_int_equal(count_meant("PINION_RUN=r2", "PINION_SEQ=7", 8), 1);
	assert_int_equal(count_meant("PINION_RUN=r11", "PINION_SEQ=7", 8), 1);
	assert_int_equal(count_meant("XPINION_RUN=r1", "PINION_SEQ=7", 8), 1);
	assert_int_equal(count_meant("PINION_RUN=r1", "NOTHING=7", 8), 1);
}

static void
zombies_do_not_count_but_are_children(void **state)
{
	struct tree_rule rule = {.run = NULL};
	pid_t pids[4];
	(void)state;
	pid_t pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0)
		_exit(0);
	siginfo_t info;
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(tree_count(&rule), 0);
	assert_int_equal(tree_children(pids, 4), 1);
	assert_int_equal(pids[0], pid);
	waitpid(pid, NULL, 0);
	assert_int_equal(tree_children(pids, 4), 0);
}

static void *
stay_in_thread(void *context)
{
	stay(context, false);
}

#define VISITED_MAX 16

struct visited {
	pid_t threads[VISITED_MAX];
	size_t count;
};

static void
note_visit(void *context, pid_t thread)
{
	struct visited *visited = context;
	assert_in_range(visited->count, 0, VISITED_MAX - 1);
	visited->threads[visited->count++] = thread;
}

static pid_t
parent_of(pid_t pid)
{
	char path[64];
	int parent = -1;
	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%*d (%*[^)]) %*c %d", &parent), 1);
	fclose(file);
	return parent;
}

/* How many of those visited from `from` on, in a row, are threads of that process. */
static size_t
count_threads_of(pid_t pid, const struct visited *visited, size_t from)
{
	size_t count = 0;
	while (from + count < visited->count &&
	       syscall(SYS_tgkill, pid, visited->threads[from + count], 0) == 0)
		count++;
	return count;
}

/* Of the child's two threads, one has a child of its own, and that has one, too. */
static void
all_threads_are_visited_and_parents_before_children(void **state)
{
	struct witness witness;
	struct tree_rule rule = {.run = NULL};
	struct visited visited = {.count = 0};
	(void)state;
	witness_open(&witness);
	pid_t pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		pthread_t thread;
		if (fork() == 0) {
			if (fork() == 0)
				stay(&witness, false);
			stay(&witness, false);
		}
		pthread_create(&thread, NULL, stay_in_thread, &witness);
		stay(&witness, false);
	}
	witness_wait(&witness, 4);
	tree_visit_threads(pid, note_visit, &visited);
	/* A sanitizer may have a thread of its own in each process. */
	size_t parent_count = count_threads_of(pid, &visited, 0);
	assert_true(parent_count >= 2);
	assert_int_equal(visited.threads[0], pid);
	pid_t child = visited.threads[parent_count];
	assert_int_equal(parent_of(child), pid);
	size_t child_count = count_threads_of(child, &visited, parent_count);
	assert_true(child_count >= 1);
	pid_t grandchild = visited.threads[parent_count + child_count];
	assert_int_equal(parent_of(grandchild), child);
	assert_int_equal(
	    parent_count + child_count +
		count_threads_of(grandchild, &visited, parent_count + child_count),
	    visited.count);
	tree_kill(0, &rule, 0);
	witness_says_all_are_gone(&witness);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static void
a_crowd_is_ended(void **state)
{
	struct witness witness;
	struct tree_rule rule = {.run = NULL};
	(void)state;
	witness_open(&witness);
	for (int i = 0; i < 700; i++) {
		pid_t pid = fork();
		assert_int_not_equal(pid, -1);
		if (pid == 0)
			stay(&witness, true);
	}
	witness_wait(&witness, 700);
	tree_kill(0, &rule, 0);
	witness_says_all_are_gone(&witness);
	while (waitpid(-1, NULL, 0) > 0)
		;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(kill_ends_children_grandchildren_and_those_who_left),
	    cmocka_unit_test(signal_reaches_all_and_a_kept_status_stays_for_its_owner),
	    cmocka_unit_test(each_process_hears_a_signal_once),
	    cmocka_unit_test(spared_children_and_all_below_them_are_left_alone),
	    cmocka_unit_test(the_environment_says_whose_a_process_is),
	    cmocka_unit_test(zombies_do_not_count_but_are_children),
	    cmocka_unit_test(all_threads_are_visited_and_parents_before_children),
	    cmocka_unit_test(a_crowd_is_ended),
	};
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

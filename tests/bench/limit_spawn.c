/*
 * limit_spawn.c: what the kernel allows, for tests/bench/run to compare with.
 *
 *   limit_spawn [-c] [-u] TASKS PROCESSES PROGRAM [ARG]...
 *
 * PROCESSES processes, each pinned to its CPU, each run an equal share of TASKS times PROGRAM with
 * the ARGs and the task's number: vfork, execve, wait, and nothing else. -c captures: stdout of
 * each is a pipe, read to its end and then written in one piece, in no order across processes.
 * -u does not pin. A PROGRAM that cannot be executed or fails ends it with status 1.
 */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pin.h"

extern char **environ;

struct limit {
	long task_count;
	long process_count;
	bool is_capturing;
	bool is_pinned;
	char **argv; /* of a task; its last word is number */
	char number[24];
};

/* Reads the task's output to its end; what fits goes out in one write. */
static void
limit_capture(int fd)
{
	static char bytes[65536];
	size_t length = 0;
	ssize_t got;
	while ((got = read(fd, bytes + length, sizeof(bytes) - length)) > 0) {
		length += (size_t)got;
		if (length == sizeof(bytes))
			errx(1, "a task's output is over %zu bytes", sizeof(bytes));
	}
	if (got == -1 || write(STDOUT_FILENO, bytes, length) != (ssize_t)length)
		err(1, "output");
}

static void
limit_run_task(const struct limit *limit)
{
	int fds[2] = {-1, -1};
	if (limit->is_capturing && pipe(fds) == -1)
		err(1, "pipe");
	pid_t pid = vfork();
	if (pid == -1)
		err(1, "vfork");
	if (pid == 0) {
		if (limit->is_capturing) {
			dup2(fds[1], STDOUT_FILENO);
			close(fds[0]);
			close(fds[1]);
		}
		execve(limit->argv[0], limit->argv, environ);
		_exit(127);
	}
	if (limit->is_capturing) {
		close(fds[1]);
		limit_capture(fds[0]);
		close(fds[0]);
	}
	int status;
	if (waitpid(pid, &status, 0) == -1)
		err(1, "waitpid");
	if (status != 0)
		errx(1, "%s: wait status %#x", limit->argv[0], (unsigned int)status);
}

static int
limit_run_share(struct limit *limit, long index)
{
	if (limit->is_pinned)
		pin(index);
	for (long i = index; i < limit->task_count; i += limit->process_count) {
		snprintf(limit->number, sizeof(limit->number), "%ld", i + 1);
		limit_run_task(limit);
	}
	return 0;
}

/* One share in each process; with a single process, in this one. */
static int
limit_run(struct limit *limit)
{
	if (limit->process_count == 1)
		return limit_run_share(limit, 0);
	for (long i = 0; i < limit->process_count; i++) {
		pid_t pid = fork();
		if (pid == -1)
			err(1, "fork");
		if (pid == 0)
			_exit(limit_run_share(limit, i));
	}
	int worst = 0, status;
	while (wait(&status) > 0)
		worst |= status;
	return worst == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
	struct limit limit = {.is_pinned = true};
	int option;
	while ((option = getopt(argc, argv, "+cu")) != -1) {
		limit.is_capturing |= option == 'c';
		limit.is_pinned &= option != 'u';
		if (option == '?')
			return 2;
	}
	argc -= optind;
	argv += optind;
	if (argc < 3 || (limit.task_count = atol(argv[0])) < 1 ||
	    (limit.process_count = atol(argv[1])) < 1)
		errx(2, "usage: limit_spawn [-c] [-u] TASKS PROCESSES PROGRAM [ARG]...");

	limit.argv = calloc((size_t)argc, sizeof(*limit.argv));
	if (limit.argv == NULL)
		err(1, "calloc");
	for (int i = 0; i < argc - 2; i++)
		limit.argv[i] = argv[i + 2];
	limit.argv[argc - 2] = limit.number;
	int status = limit_run(&limit);
	free(limit.argv);
	return status;
}

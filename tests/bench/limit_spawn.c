/*
 * limit_spawn.c: what the kernel allows, for tests/bench/run to compare with.
 *
 *   limit_spawn [-c] [-u] TASKS PROCESSES PROGRAM [ARG]...
 *   limit_spawn [-c] [-u] -i PROCESSES PROGRAM [ARG]... <FILE
 *
 * PROCESSES processes, each pinned to its CPU, run PROGRAM with the ARGs and the task's number,
 * TASKS times in all: vfork, execve, wait, and nothing else. With -i there is a task for each line
 * of FILE, and the line is its last word. A process that is done with a task takes the next.
 * -c captures: stdout of each is a pipe, read to its end and then written in one piece, in no order
 * across processes. -u does not pin. A PROGRAM that cannot be executed or fails ends it with
 * status 1.
 */
#include <err.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pin.h"

struct limit {
	_Atomic long *claimed; /* tasks ever taken, by any process; all share it */
	long task_count;
	long process_count;
	bool is_capturing;
	bool is_pinned;
	char **lines; /* NULL: the last word is the task's number */
	char **argv;  /* of a task */
	int argc;     /* without the last word */
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

/* Until there are no more. */
static int
limit_run_tasks(struct limit *limit, long index)
{
	if (limit->is_pinned)
		pin(index);
	long i;
	while ((i = atomic_fetch_add(limit->claimed, 1)) < limit->task_count) {
		snprintf(limit->number, sizeof(limit->number), "%ld", i + 1);
		limit->argv[limit->argc] =
		    limit->lines != NULL ? limit->lines[i] : limit->number;
		limit_run_task(limit);
	}
	return 0;
}

/* A single process is this one. */
static int
limit_run(struct limit *limit)
{
	if (limit->process_count == 1)
		return limit_run_tasks(limit, 0);
	for (long i = 0; i < limit->process_count; i++) {
		pid_t pid = fork();
		if (pid == -1)
			err(1, "fork");
		if (pid == 0)
			_exit(limit_run_tasks(limit, i));
	}
	int worst = 0, status;
	while (wait(&status) > 0)
		worst |= status;
	return worst == 0 ? 0 : 1;
}

static void
limit_read_lines(struct limit *limit)
{
	struct stat status;
	if (fstat(STDIN_FILENO, &status) == -1 || !S_ISREG(status.st_mode))
		errx(2, "stdin is not a file");
	size_t size = (size_t)status.st_size;
	char *text = malloc(size + 1);
	/* No line is shorter than its newline. */
	limit->lines = calloc(size + 1, sizeof(*limit->lines));
	if (text == NULL || limit->lines == NULL)
		err(1, "memory");
	if (read(STDIN_FILENO, text, size) != (ssize_t)size)
		err(1, "input");
	text[size] = '\0';
	for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"))
		limit->lines[limit->task_count++] = line;
}

static void
limit_init(struct limit *limit, char **words, int count)
{
	limit->claimed = mmap(NULL, sizeof(*limit->claimed), PROT_READ | PROT_WRITE,
			      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	limit->argv = calloc((size_t)count + 2, sizeof(*limit->argv));
	if (limit->claimed == MAP_FAILED || limit->argv == NULL)
		err(1, "memory");
	for (int i = 0; i < count; i++)
		limit->argv[i] = words[i];
	limit->argc = count;
}

int
main(int argc, char **argv)
{
	struct limit limit = {.is_pinned = true};
	bool is_from_lines = false;
	int option;
	while ((option = getopt(argc, argv, "+cui")) != -1) {
		limit.is_capturing |= option == 'c';
		limit.is_pinned &= option != 'u';
		is_from_lines |= option == 'i';
		if (option == '?')
			return 2;
	}
	argv += optind;
	if (is_from_lines)
		limit_read_lines(&limit);
	else if (*argv != NULL)
		limit.task_count = atol(*argv++);
	if (limit.task_count < 1 || argv[0] == NULL || argv[1] == NULL ||
	    (limit.process_count = atol(argv[0])) < 1)
		errx(2,
		     "usage: limit_spawn [-c] [-u] TASKS|-i PROCESSES PROGRAM [ARG]...");
	int count = 0;
	while (argv[1 + count] != NULL)
		count++;
	limit_init(&limit, argv + 1, count);
	return limit_run(&limit);
}

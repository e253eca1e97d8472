/*
 * limit_output.c: what the kernel allows for large outputs in order, for tests/bench/run to compare
 * with.
 *
 *   limit_output TASKS PROCESSES PROGRAM [ARG]...
 *
 * PROCESSES processes, each pinned to its CPU, take TASKS in turn; a task is PROGRAM with the ARGs
 * and its number. When all tasks before it are out its output goes out as one block, in the way that
 * is fastest where it goes to:
 *
 *   a pipe     spliced from a pipe that is the task's stdout, while the task runs; until its turn a
 *              task gets as far as that pipe is long
 *   elsewhere  by sendfile from a memfd that is the task's stdout, and that of the next
 */
#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pin.h"

#define PIPE_BYTES (1 << 20)

/* What all processes share. */
struct turns {
	_Atomic uint32_t claimed; /* tasks ever claimed, by any process */
	_Atomic uint32_t printed; /* tasks whose output is out, in order */
};

struct limit {
	struct turns *turns;
	uint32_t task_count;
	long process_count;
	bool is_to_pipe;
	char **argv; /* of a task; its last word is number */
	char number[24];
};

static pid_t
limit_start(const struct limit *limit, int stdout_fd)
{
	pid_t pid = vfork();
	if (pid == -1)
		err(1, "vfork");
	if (pid == 0) {
		dup2(stdout_fd, STDOUT_FILENO);
		execve(limit->argv[0], limit->argv, environ);
		_exit(127);
	}
	return pid;
}

static void
limit_end(const struct limit *limit, pid_t pid)
{
	int status;
	if (waitpid(pid, &status, 0) == -1)
		err(1, "waitpid");
	if (status != 0)
		errx(1, "%s: wait status %#x", limit->argv[0], (unsigned int)status);
}

static void
turns_await(struct turns *turns, uint32_t task)
{
	uint32_t printed;
	while ((printed = atomic_load(&turns->printed)) != task)
		syscall(SYS_futex, &turns->printed, FUTEX_WAIT, printed, NULL, NULL, 0);
}

static void
turns_pass(struct turns *turns)
{
	atomic_fetch_add(&turns->printed, 1);
	syscall(SYS_futex, &turns->printed, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* The task's output, and its end, through a pipe. */
static void
limit_stream(const struct limit *limit, uint32_t task)
{
	int fds[2];
	ssize_t count;
	if (pipe2(fds, O_CLOEXEC) == -1)
		err(1, "pipe2");
	fcntl(fds[1], F_SETPIPE_SZ, PIPE_BYTES);
	pid_t pid = limit_start(limit, fds[1]);
	close(fds[1]);
	turns_await(limit->turns, task);
	while ((count = splice(fds[0], NULL, STDOUT_FILENO, NULL, PIPE_BYTES, 0)) > 0)
		;
	if (count == -1)
		err(1, "output");
	close(fds[0]);
	limit_end(limit, pid);
}

/* The same through a memfd. */
static void
limit_store(const struct limit *limit, uint32_t task, int fd)
{
	limit_end(limit, limit_start(limit, fd));
	off_t length = lseek(fd, 0, SEEK_CUR), at = 0;
	turns_await(limit->turns, task);
	while (at < length)
		if (sendfile(STDOUT_FILENO, fd, &at, (size_t)(length - at)) <= 0)
			err(1, "output");
	if (length == -1 || lseek(fd, 0, SEEK_SET) == -1)
		err(1, "lseek");
}

static int
limit_run_process(struct limit *limit, long index)
{
	uint32_t task;
	pin(index);
	int fd = memfd_create("output", MFD_CLOEXEC);
	if (fd == -1)
		err(1, "memfd_create");
	while ((task = atomic_fetch_add(&limit->turns->claimed, 1)) < limit->task_count) {
		snprintf(limit->number, sizeof(limit->number), "%u", task + 1);
		if (limit->is_to_pipe)
			limit_stream(limit, task);
		else
			limit_store(limit, task, fd);
		turns_pass(limit->turns);
	}
	return 0;
}

static int
limit_run(struct limit *limit)
{
	for (long i = 0; i < limit->process_count; i++) {
		pid_t pid = fork();
		if (pid == -1)
			err(1, "fork");
		if (pid == 0)
			_exit(limit_run_process(limit, i));
	}
	/* One that fails would leave the others waiting for its turn. */
	int status;
	while (wait(&status) > 0)
		if (status != 0)
			return 1;
	return 0;
}

int
main(int argc, char **argv)
{
	struct limit limit = {0};
	struct stat status;
	if (argc < 4 || atol(argv[1]) < 1 || (limit.process_count = atol(argv[2])) < 1)
		errx(2, "usage: limit_output TASKS PROCESSES PROGRAM [ARG]...");
	limit.task_count = (uint32_t)atol(argv[1]);
	if (fstat(STDOUT_FILENO, &status) == -1)
		err(1, "fstat");
	limit.is_to_pipe = S_ISFIFO(status.st_mode);
	if (limit.is_to_pipe)
		fcntl(STDOUT_FILENO, F_SETPIPE_SZ, PIPE_BYTES);
	limit.turns = mmap(NULL, sizeof(*limit.turns), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	limit.argv = calloc((size_t)argc, sizeof(*limit.argv));
	if (limit.turns == MAP_FAILED || limit.argv == NULL)
		err(1, "memory");
	for (int i = 0; i < argc - 3; i++)
		limit.argv[i] = argv[i + 3];
	limit.argv[argc - 3] = limit.number;
	int result = limit_run(&limit);
	free(limit.argv);
	return result;
}

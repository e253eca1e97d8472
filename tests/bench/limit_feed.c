/*
 * limit_feed.c: what two pipes to a program allow, for tests/bench/run to compare with.
 *
 *   limit_feed LINES PROCESSES PROGRAM [ARG]... <FILE
 *
 * PROCESSES processes, each pinned to its CPU and with a PROGRAM of its own on the same CPU, each
 * give it an equal share of the lines in FILE, LINES at a time, and read its answer, a line for
 * each line, before they give it more. With LINES 1 that is lockstep. The answers are printed at
 * the end, in the order of the lines. An answer is no longer than its line.
 */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pin.h"

#define PIPE_BYTES 65536 /* what a pipe takes before anyone reads */

struct program {
	pid_t pid;
	int in_fd;
	int out_fd;
};

/* Lines of one process; in memory that all share, as the parent prints the answers. */
struct share {
	const char *lines;
	const char *lines_end;
	char *answers; /* room for as many bytes as there are in the lines */
	size_t answers_length;
};

struct limit {
	long lines_at_once;
	long process_count;
	char **argv;
	struct share *shares;
};

static void *
limit_shared(size_t bytes)
{
	void *memory =
	    mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		err(1, "mmap");
	return memory;
}

/* The end of the first `count` lines, or of all if there are fewer. */
static const char *
limit_skip_lines(const char *at, const char *end, long count)
{
	for (; count > 0 && at < end; count--) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		if (newline == NULL)
			errx(1, "the last line has no end");
		at = newline + 1;
	}
	return at;
}

static long
limit_count_lines(const char *at, const char *end)
{
	long count = 0;
	for (; at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL; at++)
		count++;
	return count;
}

static void
program_start(struct program *program, char **argv)
{
	int in[2], out[2];
	if (pipe(in) == -1 || pipe(out) == -1)
		err(1, "pipe");
	program->pid = vfork();
	if (program->pid == -1)
		err(1, "vfork");
	if (program->pid == 0) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		close(in[0]);
		close(in[1]);
		close(out[0]);
		close(out[1]);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	program->in_fd = in[1];
	program->out_fd = out[0];
}

static void
program_end(struct program *program, const char *name)
{
	int status;
	close(program->in_fd);
	if (waitpid(program->pid, &status, 0) == -1)
		err(1, "waitpid");
	if (status != 0)
		errx(1, "%s: wait status %#x", name, (unsigned int)status);
	close(program->out_fd);
}

/* One batch: all of it out, then all its answers in. */
static void
limit_exchange(const struct program *program, struct share *share, const char *end,
	       long line_count)
{
	size_t length = (size_t)(end - share->lines);
	if (length > PIPE_BYTES)
		errx(1, "lines too long to give %ld at once", line_count);
	if (write(program->in_fd, share->lines, length) != (ssize_t)length)
		err(1, "write");
	while (line_count > 0) {
		char *answers = share->answers + share->answers_length;
		ssize_t got = read(program->out_fd, answers, length);
		if (got == -1)
			err(1, "read");
		if (got == 0)
			errx(1, "an answer is missing or longer than its line");
		line_count -= limit_count_lines(answers, answers + got);
		share->answers_length += (size_t)got;
		length -= (size_t)got;
	}
	share->lines = end;
}

static int
limit_run_share(const struct limit *limit, long index)
{
	struct share *share = &limit->shares[index];
	struct program program;
	pin(index);
	program_start(&program, limit->argv);
	while (share->lines < share->lines_end) {
		const char *end =
		    limit_skip_lines(share->lines, share->lines_end, limit->lines_at_once);
		limit_exchange(
		    &program, share, end,
		    limit->lines_at_once == 1 ? 1 : limit_count_lines(share->lines, end));
	}
	program_end(&program, limit->argv[0]);
	return 0;
}

static void
limit_divide(struct limit *limit)
{
	struct stat status;
	if (fstat(STDIN_FILENO, &status) == -1)
		err(1, "fstat");
	if (!S_ISREG(status.st_mode) || status.st_size == 0)
		errx(2, "stdin is not a file with something in it");
	size_t length = (size_t)status.st_size;
	const char *lines =
	    mmap(NULL, length, PROT_READ, MAP_PRIVATE | MAP_POPULATE, STDIN_FILENO, 0);
	if (lines == MAP_FAILED)
		err(1, "mmap");
	char *answers = limit_shared(length);
	limit->shares = limit_shared((size_t)limit->process_count * sizeof(struct share));

	const char *at = lines, *end = lines + length;
	long line_count = limit_count_lines(lines, end), given_count = 0;
	for (long i = 0; i < limit->process_count; i++) {
		long count = line_count * (i + 1) / limit->process_count - given_count;
		struct share *share = &limit->shares[i];
		share->lines = at;
		share->answers = answers + (at - lines);
		at = limit_skip_lines(at, end, count);
		share->lines_end = at;
		given_count += count;
	}
}

static int
limit_run(const struct limit *limit)
{
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
	if (worst != 0)
		return 1;
	for (long i = 0; i < limit->process_count; i++) {
		const struct share *share = &limit->shares[i];
		ssize_t length = (ssize_t)share->answers_length;
		if (length > 0 &&
		    write(STDOUT_FILENO, share->answers, (size_t)length) != length)
			err(1, "output");
	}
	return 0;
}

int
main(int argc, char **argv)
{
	struct limit limit = {0};
	if (argc < 4 || (limit.lines_at_once = atol(argv[1])) < 1 ||
	    (limit.process_count = atol(argv[2])) < 1)
		errx(2, "usage: limit_feed LINES PROCESSES PROGRAM [ARG]... <FILE");
	limit.argv = argv + 3;
	limit_divide(&limit);
	return limit_run(&limit);
}

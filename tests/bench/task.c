/*
 * task.c: the tasks of tests/bench/run that no usual program is right for.
 *
 *   task sleep MS      sleeps so long, then prints MS
 *   task compute MS    uses so much CPU time, then prints MS
 *   task block NUMBER  prints 10 MB, each line of it NUMBER and dots
 *   task hold ...      waits to be killed
 *   task busy          keeps the first CPU we may use busy until its parent ends
 */
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "pin.h"

#define BLOCK_BYTES 10000000
#define LINE_BYTES 100
#define WRITE_BYTES 100000 /* divides BLOCK_BYTES, is a multiple of LINE_BYTES */

static struct timespec
task_time(const char *ms)
{
	double seconds = atof(ms) / 1e3;
	struct timespec time = {.tv_sec = (time_t)seconds};
	time.tv_nsec = (long)((seconds - (double)time.tv_sec) * 1e9);
	return time;
}

static int
task_sleep(const char *ms)
{
	struct timespec time = task_time(ms);
	clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
	return puts(ms) == EOF;
}

/* Time on a CPU, so that what else runs there makes it longer, but not less work. */
static int
task_compute(const char *ms)
{
	struct timespec wanted = task_time(ms), used;
	do {
		for (volatile int i = 0; i < 1000; i++)
			;
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	} while (used.tv_sec < wanted.tv_sec ||
		 (used.tv_sec == wanted.tv_sec && used.tv_nsec < wanted.tv_nsec));
	return puts(ms) == EOF;
}

static int
task_block(const char *number)
{
	static char bytes[WRITE_BYTES];
	size_t length = strlen(number);
	if (length >= LINE_BYTES)
		errx(2, "%s: too long", number);
	memset(bytes, '.', sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i += LINE_BYTES) {
		memcpy(bytes + i, number, length);
		bytes[i + LINE_BYTES - 1] = '\n';
	}
	for (size_t written = 0; written < BLOCK_BYTES;) {
		size_t at = written % sizeof(bytes);
		ssize_t count = write(STDOUT_FILENO, bytes + at, sizeof(bytes) - at);
		if (count == -1)
			err(1, "output");
		written += (size_t)count;
	}
	return 0;
}

static int
task_hold(const char *unused)
{
	(void)unused;
	return pause();
}

static int
task_busy(const char *unused)
{
	(void)unused;
	pid_t parent = getppid();
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		return 1;
	pin(0);
	for (volatile int i = 0;; i++)
		;
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(const char *argument);
		int argc_min;
	} kinds[] = {
	    {"sleep", task_sleep, 3}, {"compute", task_compute, 3},
	    {"block", task_block, 3}, {"hold", task_hold, 2},
	    {"busy", task_busy, 2},
	};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (argc >= kinds[i].argc_min && strcmp(argv[1], kinds[i].name) == 0)
			return kinds[i].run(argv[2]);
	errx(2, "usage: task sleep|compute|block|hold|busy [ARGUMENT]");
}

/*
 * timed.c: how long a command takes and what it costs, for tests/bench/run.
 *
 *   timed SECONDS FILE COMMAND [ARG]...
 *
 * Runs COMMAND in a process group of its own and writes into FILE the seconds it took, the
 * seconds of CPU, user and system, that it and all it waited for used, and those that the first
 * process used itself. Ends as COMMAND does; kills the group and says so when it takes longer
 * than SECONDS, or when told to end.
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double
timed_clock_s(clockid_t clock)
{
	struct timespec now;
	if (clock_gettime(clock, &now) == -1)
		err(2, "clock_gettime");
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double
timed_seconds(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

static pid_t
timed_start(char **argv, const sigset_t *mask)
{
	pid_t pid = vfork();
	if (pid == -1)
		err(2, "vfork");
	if (pid == 0) {
		setpgid(0, 0);
		sigprocmask(SIG_SETMASK, mask, NULL);
		execvp(argv[0], argv);
		_exit(127);
	}
	return pid;
}

/* The signal that ended the wait: SIGCHLD, or one that asks us to end, or 0 if it was the time. */
static int
timed_wait(const sigset_t *signals, long limit_s)
{
	struct timespec left = {.tv_sec = limit_s};
	int number;
	do {
		number = sigtimedwait(signals, NULL, &left);
	} while (number == -1 && errno == EINTR);
	return number == -1 ? 0 : number;
}

/* Of a process alone, which has ended and is still to be waited for. */
static double
timed_own_cpu_s(pid_t pid)
{
	clockid_t clock;
	siginfo_t info;
	if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) == -1 ||
	    clock_getcpuclockid(pid, &clock) != 0)
		errx(2, "process %d has no CPU clock", pid);
	return timed_clock_s(clock);
}

static void
timed_write(const char *path, double wall_s, const struct rusage *usage, double own_cpu_s)
{
	FILE *file = fopen(path, "we");
	double cpu_s = timed_seconds(usage->ru_utime) + timed_seconds(usage->ru_stime);
	if (file == NULL ||
	    fprintf(file, "%.6f %.6f %.6f\n", wall_s, cpu_s, own_cpu_s) < 0 ||
	    fclose(file) == EOF)
		err(2, "%s", path);
}

int
main(int argc, char **argv)
{
	long limit_s = argc > 3 ? atol(argv[1]) : 0;
	if (limit_s < 1)
		errx(2, "usage: timed SECONDS FILE COMMAND [ARG]...");
	sigset_t signals, before;
	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, &before);

	double begin_s = timed_clock_s(CLOCK_MONOTONIC);
	pid_t pid = timed_start(argv + 3, &before);
	int number = timed_wait(&signals, limit_s);
	if (number != SIGCHLD)
		kill(-pid, SIGKILL);
	double own_cpu_s = timed_own_cpu_s(pid);
	int status;
	struct rusage usage;
	if (wait4(pid, &status, 0, &usage) == -1)
		err(2, "wait4");
	double wall_s = timed_clock_s(CLOCK_MONOTONIC) - begin_s;

	if (number == 0)
		errx(124, "%s: not done after %ld seconds", argv[3], limit_s);
	if (number != SIGCHLD)
		return 128 + number;
	if (WIFSIGNALED(status))
		errx(128 + WTERMSIG(status), "%s: signal %d", argv[3], WTERMSIG(status));
	timed_write(argv[2], wall_s, &usage, own_cpu_s);
	return WEXITSTATUS(status);
}

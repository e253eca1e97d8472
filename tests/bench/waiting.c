/*
 * waiting.c: the memory of a runner while its tasks wait, for tests/bench/run.
 *
 *   waiting SECONDS FILE TASKS COMMAND [ARG]...
 *
 * Starts COMMAND and waits until TASKS of its descendants are `task hold` (task.c, the program
 * beside this one) and all the others have been idle for a while: what it was going to read it
 * has read. Then writes into FILE the sum of the others' PSS in bytes, and two 0 where timed.c has
 * times, and kills them all. Fails when that takes longer than SECONDS.
 */
#include <ctype.h>
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PROCESSES_MAX 32768
#define LOOK_MS 20
#define IDLE_LOOKS 10 /* in a row, and it is idle */

struct process {
	pid_t pid;
	pid_t parent;
	unsigned long ticks; /* of CPU */
	char state;
	bool is_ours; /* descends from us */
	bool is_task;
};

struct look {
	struct process processes[PROCESSES_MAX];
	size_t count;
	char task_path[PATH_MAX];
};

static bool
process_read(struct process *process, const char *pid)
{
	char path[64], line[1024];
	snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return false; /* it has ended */
	bool is_read = fgets(line, sizeof(line), file) != NULL;
	fclose(file);
	char *name_end = is_read ? strrchr(line, ')') : NULL;
	unsigned long user, system;
	int parent;
	if (name_end == NULL ||
	    sscanf(name_end + 1, " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
		   &process->state, &parent, &user, &system) != 4)
		return false;
	process->pid = atoi(pid);
	process->parent = parent;
	process->ticks = user + system;
	process->is_ours = process->is_task = false;
	return true;
}

static bool
process_is_task(const struct process *process, const char *task_path)
{
	char path[64], target[PATH_MAX];
	snprintf(path, sizeof(path), "/proc/%d/exe", process->pid);
	ssize_t length = readlink(path, target, sizeof(target) - 1);
	if (length == -1)
		return false;
	target[length] = '\0';
	return strcmp(target, task_path) == 0;
}

static unsigned long
process_pss_bytes(const struct process *process)
{
	char path[64], line[256];
	unsigned long kib = 0;
	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", process->pid);
	FILE *file = fopen(path, "re");
	if (file == NULL)
		err(1, "%s", path);
	while (fgets(line, sizeof(line), file) != NULL)
		if (sscanf(line, "Pss: %lu kB", &kib) == 1)
			break;
	fclose(file);
	return kib * 1024;
}

/* A child's number may be smaller than its parent's: again until nobody is new. */
static void
look_find_ours(struct look *look)
{
	pid_t self = getpid();
	for (bool is_new = true; is_new;) {
		is_new = false;
		for (size_t i = 0; i < look->count; i++) {
			struct process *process = &look->processes[i];
			bool is_ours = process->parent == self;
			for (size_t j = 0; j < look->count && !is_ours; j++)
				is_ours = look->processes[j].is_ours &&
					  look->processes[j].pid == process->parent;
			is_new |= is_ours && !process->is_ours;
			process->is_ours = is_ours;
		}
	}
}

/* At all our descendants that live. */
static void
look_around(struct look *look)
{
	DIR *folder = opendir("/proc");
	struct dirent *entry;
	if (folder == NULL)
		err(1, "/proc");
	look->count = 0;
	while (look->count < PROCESSES_MAX && (entry = readdir(folder)) != NULL)
		if (isdigit((unsigned char)entry->d_name[0]) &&
		    process_read(&look->processes[look->count], entry->d_name))
			look->count++;
	closedir(folder);
	look_find_ours(look);
	size_t count = 0;
	for (size_t i = 0; i < look->count; i++) {
		struct process *process = &look->processes[i];
		if (!process->is_ours || process->state == 'Z')
			continue;
		process->is_task = process_is_task(process, look->task_path);
		look->processes[count++] = *process;
	}
	look->count = count;
}

static long
look_count_tasks(const struct look *look)
{
	long count = 0;
	for (size_t i = 0; i < look->count; i++)
		count += look->processes[i].is_task;
	return count;
}

/* What the CPU time of all but tasks adds up to; -1 when one wants more of it now. */
static long
look_ticks(const struct look *look)
{
	unsigned long ticks = 0;
	for (size_t i = 0; i < look->count; i++) {
		const struct process *process = &look->processes[i];
		if (process->is_task)
			continue;
		if (process->state == 'R' || process->state == 'D')
			return -1;
		ticks += process->ticks;
	}
	return (long)ticks;
}

static unsigned long
look_pss_bytes(const struct look *look)
{
	unsigned long bytes = 0;
	for (size_t i = 0; i < look->count; i++)
		if (!look->processes[i].is_task)
			bytes += process_pss_bytes(&look->processes[i]);
	return bytes;
}

static void
look_pause(void)
{
	struct timespec time = {.tv_nsec = LOOK_MS * 1000000};
	nanosleep(&time, NULL);
}

/* Whether the tasks came and the rest fell idle in time. */
static bool
look_await_idle(struct look *look, long task_count, long limit_s)
{
	long before = -1;
	int idle_looks = 0;
	for (long left = limit_s * 1000 / LOOK_MS; left > 0; left--) {
		look_around(look);
		long ticks = look_ticks(look);
		bool is_idle = ticks != -1 && ticks == before &&
			       look_count_tasks(look) == task_count;
		idle_looks = is_idle ? idle_looks + 1 : 0;
		if (idle_looks == IDLE_LOOKS)
			return true;
		if (look->count == 0)
			errx(1, "it has ended");
		before = ticks;
		look_pause();
	}
	return false;
}

static void
look_kill_all(struct look *look)
{
	do {
		look_around(look);
		for (size_t i = 0; i < look->count; i++)
			kill(look->processes[i].pid, SIGKILL);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	} while (look->count > 0);
}

static void
look_find_task(struct look *look, const char *self)
{
	char copy[PATH_MAX], path[PATH_MAX];
	snprintf(copy, sizeof(copy), "%s", self);
	if (snprintf(path, sizeof(path), "%s/task", dirname(copy)) >= PATH_MAX ||
	    realpath(path, look->task_path) == NULL)
		err(2, "%s", path);
}

static void
waiting_start(char **argv)
{
	pid_t pid = vfork();
	if (pid == -1)
		err(2, "vfork");
	if (pid == 0) {
		setpgid(0, 0);
		execvp(argv[0], argv);
		_exit(127);
	}
}

static void
waiting_write(const char *path, unsigned long bytes)
{
	FILE *file = fopen(path, "we");
	if (file == NULL || fprintf(file, "%lu 0 0\n", bytes) < 0 || fclose(file) == EOF)
		err(2, "%s", path);
}

int
main(int argc, char **argv)
{
	static struct look look;
	long limit_s = argc > 4 ? atol(argv[1]) : 0;
	if (limit_s < 1)
		errx(2, "usage: waiting SECONDS FILE TASKS COMMAND [ARG]...");
	/* Ours stay ours when their parent dies. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) == -1)
		err(2, "prctl");
	look_find_task(&look, argv[0]);
	waiting_start(argv + 4);
	bool is_idle = look_await_idle(&look, atol(argv[3]), limit_s);
	if (is_idle)
		waiting_write(argv[2], look_pss_bytes(&look));
	look_kill_all(&look);
	if (!is_idle)
		errx(124, "%s: not idle with %s tasks after %ld seconds", argv[4],
		     argv[3], limit_s);
	return 0;
}

/* coproc_silence.c: see coproc_silence.h. */
#include "pool/coproc_silence.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"

#define SILENCE_PATH_BYTES 512

enum silence_kind {
	SILENCE_BUSY,
	SILENCE_WAITS, /* for another process of the group */
	SILENCE_READS, /* our pipe */
};

struct silence_process {
	char state;
	long group;
	unsigned long long cpu_ticks;
};

/* The first bytes of a small file, as a string. */
static bool
silence_read(const char *path, char *text, size_t bytes)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return false;
	ssize_t got = io_read(fd, text, bytes - 1);
	close(fd);
	if (got <= 0)
		return false;
	text[got] = '\0';
	return true;
}

static bool
silence_stat(const char *folder, struct silence_process *process)
{
	char path[SILENCE_PATH_BYTES + 16];
	char text[512];
	unsigned long long user, system;
	snprintf(path, sizeof(path), "%s/stat", folder);
	if (!silence_read(path, text, sizeof(text)))
		return false;
	const char *at = strrchr(text, ')'); /* the name before it may hold anything */
	if (at == NULL ||
	    sscanf(at + 1, " %c %*d %ld %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu",
		   &process->state, &process->group, &user, &system) != 4)
		return false;
	process->cpu_ticks = user + system;
	return true;
}

/* What descriptor `fd` of the process is. */
static bool
silence_stat_fd(const char *folder, unsigned long fd, struct stat *st)
{
	char path[SILENCE_PATH_BYTES + 32];
	snprintf(path, sizeof(path), "%s/fd/%lu", folder, fd);
	return stat(path, st) == 0;
}

/* In what a sleeping process sleeps. */
static enum silence_kind
silence_sleep_kind(const char *folder, const struct stat *pipe)
{
	char path[SILENCE_PATH_BYTES + 16];
	char text[128];
	struct stat st;
	long call;
	unsigned long fd;
	snprintf(path, sizeof(path), "%s/syscall", folder);
	if (!silence_read(path, text, sizeof(text)))
		return SILENCE_READS; /* who knows; it sleeps */
	if (sscanf(text, "%ld %lx", &call, &fd) != 2)
		return SILENCE_BUSY; /* it runs */
	if (call == SYS_wait4 || call == SYS_waitid)
		return SILENCE_WAITS;
	if ((call != SYS_read && call != SYS_readv) ||
	    !silence_stat_fd(folder, fd, &st) || !S_ISFIFO(st.st_mode))
		return SILENCE_BUSY;
	return st.st_dev == pipe->st_dev && st.st_ino == pipe->st_ino ? SILENCE_READS
								      : SILENCE_WAITS;
}

static void
silence_look_at(const char *folder, pid_t pgid, const struct stat *pipe,
		struct coproc_look *look)
{
	struct silence_process process;
	if (!silence_stat(folder, &process) || process.group != pgid || process.state == 'Z')
		return;
	enum silence_kind kind =
	    process.state == 'S' ? silence_sleep_kind(folder, pipe) : SILENCE_BUSY;
	look->cpu_ticks += process.cpu_ticks;
	look->reader_count += kind == SILENCE_READS;
	look->busy_count += kind == SILENCE_BUSY;
}

void
coproc_look(const char *proc, pid_t pgid, int pipe_fd, struct coproc_look *look)
{
	struct stat pipe;
	char folder[SILENCE_PATH_BYTES];
	*look = (struct coproc_look){0};
	DIR *dir = fstat(pipe_fd, &pipe) == -1 ? NULL : opendir(proc);
	if (dir == NULL)
		return;
	const struct dirent *entry;
	while ((entry = readdir(dir)) != NULL) {
		int length = snprintf(folder, sizeof(folder), "%s/%s", proc, entry->d_name);
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
		    (size_t)length < sizeof(folder))
			silence_look_at(folder, pgid, &pipe, look);
	}
	closedir(dir);
}

bool
coproc_look_is_waiting(const struct coproc_look *before, const struct coproc_look *after)
{
	return before->reader_count > 0 && before->busy_count == 0 &&
	       after->reader_count > 0 && after->busy_count == 0 &&
	       before->cpu_ticks == after->cpu_ticks;
}

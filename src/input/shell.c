/* shell.c: see shell.h. */
#include "input/shell.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"

#define PARENTS_MAX 256 /* a bound, should parents change under our eyes */
#define STAT_BYTES 512

static bool
is_executable(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0 && S_ISREG(status.st_mode) &&
	       access(path, X_OK) == 0;
}

/* A shell that reads quoted words (quote.h). */
static bool
is_shell_name(const char *name)
{
	static const char *const names[] = {
	    "sh",   "bash", "rbash", "dash", "ash",  "ksh", "ksh93", "lksh",
	    "mksh", "oksh", "pdksh", "posh", "yash", "zsh", "rzsh",  "fish"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

/* One that reads them in another way: a value could be taken for commands. */
static bool
is_foreign_shell_name(const char *name)
{
	static const char *const names[] = {"csh", "tcsh", "bsd-csh", "rc", "es", "nu"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash == NULL ? path : slash + 1;
}

/*
 * What /proc/PID/exe points to, also when that file was replaced since; false if we may
 * not know.
 */
static bool
read_executable(pid_t pid, char *path, size_t path_bytes)
{
	static const char deleted[] = " (deleted)";
	char link[64];
	snprintf(link, sizeof(link), "/proc/%d/exe", (int)pid);
	ssize_t length = readlink(link, path, path_bytes - 1);
	if (length <= 0)
		return false;
	path[length] = '\0';
	char *tail = path + length - (sizeof(deleted) - 1);
	if (tail > path && strcmp(tail, deleted) == 0)
		*tail = '\0';
	return true;
}

/*
 * The name and the parent of a process, from /proc/PID/stat: "PID (NAME) STATE PARENT
 * ...".
 */
static bool
read_stat(pid_t pid, char *name, size_t name_bytes, pid_t *parent)
{
	char path[64], text[STAT_BYTES];
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return false;
	ssize_t length = io_read(fd, text, sizeof(text) - 1);
	io_close(fd);
	if (length <= 0)
		return false;
	text[length] = '\0';
	const char *open_at = strchr(text, '(');
	const char *close_at = strrchr(text, ')'); /* the name itself may hold some */
	int parent_pid;
	if (open_at == NULL || close_at == NULL ||
	    sscanf(close_at + 1, " %*c %d", &parent_pid) != 1)
		return false;
	snprintf(name, name_bytes, "%.*s", (int)(close_at - open_at - 1), open_at + 1);
	*parent = parent_pid;
	return true;
}

/*
 * The path to run for a shell that is /proc/PID/exe `path`, called `name`; false if it
 * is no shell.
 */
static bool
accept_shell(char *path, size_t path_bytes, const char *name)
{
	const char *base = base_name(path);
	/* One binary is many programs: only its name says that it is a shell now. */
	if (strcmp(base, "busybox") == 0 && is_shell_name(name))
		snprintf(path, path_bytes, "/bin/sh");
	else if (!is_shell_name(base))
		return false;
	return is_executable(path);
}

int
shell_of_process(pid_t pid, char *path, size_t path_bytes)
{
	for (int i = 0; i < PARENTS_MAX && pid > 0; i++) {
		char name[64];
		pid_t parent;
		if (!read_stat(pid, name, sizeof(name), &parent))
			return -1;
		if (read_executable(pid, path, path_bytes) &&
		    accept_shell(path, path_bytes, name))
			return 0;
		pid = parent;
	}
	return -1;
}

/*
 * `name` as it is when it has a slash, else the first such program in $PATH, into path.
 */
static bool
find_in_path(const char *name, char *path, size_t path_bytes)
{
	const char *directories = getenv("PATH");
	if (strchr(name, '/') != NULL)
		return (size_t)snprintf(path, path_bytes, "%s", name) < path_bytes &&
		       is_executable(path);
	while (directories != NULL && *directories != '\0') {
		size_t length = strcspn(directories, ":");
		int written =
		    snprintf(path, path_bytes, "%.*s/%s", length == 0 ? 1 : (int)length,
			     length == 0 ? "." : directories, name);
		if (written > 0 && (size_t)written < path_bytes && is_executable(path))
			return true;
		directories += length;
		if (*directories == ':')
			directories++;
	}
	return false;
}

static const char *
keep(struct spec *spec, const char *path, struct err *err)
{
	const char *copy = spec_strdup(spec, path);
	if (copy == NULL)
		err_no_memory(err);
	return copy;
}

/* What the user wants. NULL and err when it cannot be had. */
static const char *
shell_wanted(struct spec *spec, const char *wanted, struct err *err)
{
	char path[PATH_MAX];
	if (!find_in_path(wanted, path, sizeof(path)))
		err_set(err, ERR_USAGE,
			"PARALLEL_SHELL: '%.200s' is no program that can be run: unset "
			"it, or give "
			"the path of a shell",
			wanted);
	else if (is_foreign_shell_name(base_name(path)))
		err_set(err, ERR_USAGE,
			"PARALLEL_SHELL: values cannot be quoted for '%.200s': unset it, "
			"or give the path of a POSIX shell or of fish",
			wanted);
	else
		return keep(spec, path, err);
	return NULL;
}

const char *
shell_find(struct spec *spec, struct err *err)
{
	char path[PATH_MAX];
	const char *wanted = getenv("PARALLEL_SHELL");
	if (wanted != NULL && *wanted != '\0')
		return shell_wanted(spec, wanted, err);
	if (shell_of_process(getppid(), path, sizeof(path)) == 0)
		return keep(spec, path, err);
	const char *login_shell = getenv("SHELL");
	if (login_shell != NULL && login_shell[0] == '/' && is_executable(login_shell) &&
	    !is_foreign_shell_name(base_name(login_shell)))
		return keep(spec, login_shell, err);
	return "/bin/sh";
}

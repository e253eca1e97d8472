/* spawn.c: see spawn.h. Home of clone, execve and the child's last steps. */
#include "pool/spawn.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SPAWN_STACK_BYTES (256 * 1024)
#define SPAWN_SHELL "/bin/sh" /* for scripts without #!, as execvp does */

/* What a worker changed and a task must not see. */
static const int spawn_signals[] = {SIGUSR1, SIGCHLD, 0};

struct spawn_child {
	const struct spawn *spawn;
	const struct spawn_request *request;
	const char *file;
	char *const *argv;
};

int
spawn_init(struct spawn *spawn, const struct sig_origin *origin, struct board_seat *seat,
	   const char *path, struct err *err)
{
	*spawn = (struct spawn){
	    .origin = origin, .seat = seat, .path = path, .worker = getpid()};
	void *stack = mmap(NULL, SPAWN_STACK_BYTES, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (stack == MAP_FAILED)
		return err_errno(err, "cannot map a stack for starting tasks");
	spawn->stack = stack;
	spawn->stack_bytes = SPAWN_STACK_BYTES;
	return 0;
}

void
spawn_fini(struct spawn *spawn)
{
	if (spawn->stack != NULL)
		munmap(spawn->stack, spawn->stack_bytes);
	buf_fini(&spawn->found_word);
	buf_fini(&spawn->found_path);
	*spawn = (struct spawn){0};
}

/* --- in the child; shares the worker's memory, so it writes nothing but its own stack and the seat --- */

static int
spawn_place_fd(int fd, int number)
{
	return fd == -1 || dup2(fd, number) != -1 ? 0 : -1;
}

/* Not for the address sanitizer: it does not know this stack, and _exit would make it say so. */
__attribute__((no_sanitize("address"))) static int
spawn_child_main(void *context)
{
	const struct spawn_child *child = context;
	const struct spawn_request *request = child->request;
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != child->spawn->worker)
		_exit(1); /* the worker died before that was armed */
	if (spawn_place_fd(request->stdin_fd, 0) == 0 &&
	    spawn_place_fd(request->stdout_fd, 1) == 0 &&
	    spawn_place_fd(request->stderr_fd, 2) == 0 &&
	    spawn_place_fd(request->extra_fd, 3) == 0 &&
	    (request->folder_fd == -1 || fchdir(request->folder_fd) == 0)) {
		sig_origin_restore(child->spawn->origin, spawn_signals);
		execve(child->file, child->argv, request->envp);
	}
	atomic_store(&child->spawn->seat->exec_errno, errno);
	_exit(127);
}

/* --- in the worker --- */

static bool
spawn_is_executable(const char *file, int *errno_value)
{
	struct stat st;
	if (stat(file, &st) == -1) {
		if (errno == EACCES)
			*errno_value = EACCES;
		return false;
	}
	if (S_ISREG(st.st_mode) && access(file, X_OK) == 0)
		return true;
	*errno_value = S_ISDIR(st.st_mode) ? *errno_value : EACCES;
	return false;
}

/* Looks the word up in $PATH into found_path. -1 and errno. */
static int
spawn_search(struct spawn *spawn, const char *word)
{
	int errno_value = ENOENT;
	const char *folder = spawn->path;
	for (;;) {
		size_t length = strcspn(folder, ":");
		buf_clear(&spawn->found_path);
		if (buf_append(&spawn->found_path, folder, length) == -1 ||
		    (length > 0 && buf_append_char(&spawn->found_path, '/') == -1) ||
		    buf_append_str(&spawn->found_path, word) == -1 ||
		    buf_str(&spawn->found_path) == NULL) {
			errno = ENOMEM;
			return -1;
		}
		if (spawn_is_executable(spawn->found_path.bytes, &errno_value))
			return 0;
		if (folder[length] == '\0')
			break;
		folder += length + 1;
	}
	errno = errno_value;
	return -1;
}

/* The file to execute for a command word; the last answer is remembered. NULL and errno. */
static const char *
spawn_lookup(struct spawn *spawn, const char *word)
{
	if (strchr(word, '/') != NULL)
		return word;
	if (spawn->found_word.length > 0 && strcmp(spawn->found_word.bytes, word) == 0)
		return spawn->found_path.bytes;
	buf_clear(&spawn->found_word);
	if (*word == '\0') {
		errno = ENOENT;
		return NULL;
	}
	if (spawn_search(spawn, word) == -1)
		return NULL;
	if (buf_append_str(&spawn->found_word, word) == -1 ||
	    buf_str(&spawn->found_word) == NULL) {
		buf_clear(&spawn->found_word);
		errno = ENOMEM;
		return NULL;
	}
	return spawn->found_path.bytes;
}

/* Clones; the child's errno, or 0 and its pid. */
static int
spawn_clone(struct spawn *spawn, struct spawn_child *child, pid_t *pid)
{
	struct board_seat *seat = spawn->seat;
	atomic_store(&seat->exec_errno, 0);
	*pid = clone(spawn_child_main, (char *)spawn->stack + spawn->stack_bytes,
		     CLONE_VM | CLONE_VFORK | CLONE_PARENT_SETTID | SIGCHLD, child,
		     (pid_t *)&seat->pid);
	if (*pid == -1)
		return errno;
	int errno_value = atomic_load(&seat->exec_errno);
	if (errno_value == 0)
		return 0;
	while (waitpid(*pid, NULL, 0) == -1 && errno == EINTR)
		;
	atomic_store(&seat->pid, 0);
	return errno_value;
}

/* A script without #!: as execvp does, sh FILE ARG... */
static int
spawn_script(struct spawn *spawn, struct spawn_child *child, pid_t *pid)
{
	size_t argc = 0;
	while (child->argv[argc] != NULL)
		argc++;
	const char **argv = calloc(argc + 2, sizeof(*argv));
	if (argv == NULL)
		return ENOMEM;
	argv[0] = SPAWN_SHELL;
	argv[1] = child->file;
	memcpy(argv + 2, child->argv + 1, (argc > 0 ? argc - 1 : 0) * sizeof(*argv));
	child->file = SPAWN_SHELL;
	child->argv = (char *const *)argv;
	int errno_value = spawn_clone(spawn, child, pid);
	free(argv);
	return errno_value;
}

pid_t
spawn_start(struct spawn *spawn, const struct spawn_request *request)
{
	pid_t pid = -1;
	struct spawn_child child = {
	    .spawn = spawn, .request = request, .argv = request->argv};
	child.file = spawn_lookup(spawn, request->argv[0]);
	if (child.file == NULL)
		return -1;
	int errno_value = spawn_clone(spawn, &child, &pid);
	if (errno_value == ENOENT && child.file != request->argv[0]) {
		buf_clear(&spawn->found_word); /* it may have moved since it was looked up */
		child.file = spawn_lookup(spawn, request->argv[0]);
		if (child.file == NULL)
			return -1;
		errno_value = spawn_clone(spawn, &child, &pid);
	}
	if (errno_value == ENOEXEC)
		errno_value = spawn_script(spawn, &child, &pid);
	if (errno_value == 0)
		return pid;
	errno = errno_value;
	return -1;
}

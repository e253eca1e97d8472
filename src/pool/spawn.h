/*
 * spawn.h: starting a process from a worker.
 *
 * vfork by another name: clone with CLONE_VM and CLONE_VFORK on a small stack of its own,
 * so that the cost does not depend on the worker's memory (PERFORMANCE: 38,000 starts a
 * second against 17,600 by fork) and the worker goes on only when the child has become
 * the program or failed. The child: own process group, SIGKILL when the worker dies, the
 * descriptors asked for, the caller's signal mask and dispositions, then execve. An
 * execve that fails comes back as an errno, so that "cannot execute" and "exited 127"
 * differ.
 *
 * All signals are blocked in the caller.
 */
#ifndef PINION_SPAWN_H
#define PINION_SPAWN_H

#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/sig.h"
#include "ipc/board.h"

struct spawn {
	const struct sig_origin *origin;
	struct board_seat *seat; /* pid and exec_errno are written there */
	const char *path;        /* $PATH of the tasks; borrowed */
	pid_t worker;            /* we ourselves */
	void *stack;
	size_t stack_bytes;
	struct buf found_word; /* the last command word looked up, */
	struct buf found_path; /* and where it is */
};

struct spawn_request {
	char *const *argv;
	char *const *envp;
	int stdin_fd;  /* -1: the worker's own 0 */
	int stdout_fd; /* -1: the worker's own 1 */
	int stderr_fd;
	int extra_fd;  /* becomes 3; -1: none */
	int folder_fd; /* where to run; -1: where the worker is */
};

int spawn_init(struct spawn *spawn, const struct sig_origin *origin,
	       struct board_seat *seat, const char *path, struct err *err);
void spawn_fini(struct spawn *spawn);

/* The child's pid; -1 with errno when there is no child (fork failed or the command cannot be executed). */
pid_t spawn_start(struct spawn *spawn, const struct spawn_request *request);

#endif

/*
 * child.h: a process an executor started, and its end.
 *
 * Ending it means its whole tree: --termseq step by step while anything of it lives, then
 * SIGKILL until nothing is found. Meanwhile the executor goes on taking what it writes.
 */
#ifndef PINION_CHILD_H
#define PINION_CHILD_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/err.h"
#include "pool/executor.h"

struct child {
	pid_t pid;      /* and its group's number */
	bool has_ended; /* waited for: status and usage are valid */
	int status;     /* as wait4 gives it */
	struct rusage usage;
};

/* Takes the child's end if it has come (WNOHANG), or waits for it (0). */
void child_reap(struct child *child, int options);

/* One wait for output, an end or an order, up to `timeout_ms`; what the executor does then. */
typedef int child_pump(void *context, int timeout_ms, struct err *err);

/*
 * Ends the child and all of the task in hand (host->rule), with grace unless `cancel` says
 * at once, which it may come to say meanwhile. 0 with the child reaped; -1 and err as pump.
 */
int child_end_tree(struct child *child, struct executor_host *host,
		   struct channel_cancel *cancel, child_pump *pump, void *context,
		   struct err *err);

#endif

/*
 * live.h: the runs of this user that are under way, seen from another process.
 *
 * Finds their sockets, asks all of them at once and waits no longer than LIVE_PATIENCE_MS for
 * the answers; removes the sockets of runs that were killed. Used by status and ctl; the other
 * end is control.h.
 */
#ifndef PINION_LIVE_H
#define PINION_LIVE_H

#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "ipc/run_name.h"

#define LIVE_PATIENCE_MS 2000
#define LIVE_REPLY_MAX_BYTES ((size_t)16 * 1024 * 1024)

struct live_run {
	char name[RUN_NAME_BYTES];
	pid_t pid;
	int fd; /* -1: it has ended, or talks nonsense */
	/* What it has said; with a NUL behind it, and no newline, once that is a whole line. */
	struct buf reply;
	bool has_replied;
};

/* Zero: none. */
struct live {
	struct live_run *runs; /* sorted by name, numbers as numbers */
	size_t count;
};

/* All of them, or the one of this name, if it is live. 0, -1 and err. */
int live_open(struct live *live, const char *name, struct err *err);

/* Closes all, and forgets them. */
void live_close(struct live *live);

/* Sends a line to each and gathers replies. Who does not reply in time has no has_replied. */
int live_ask(struct live *live, const char *line, struct err *err);

/* Until the time is over or one of them ends. */
void live_wait(const struct live *live, int timeout_ms);

#endif

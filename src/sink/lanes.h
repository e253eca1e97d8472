/*
 * lanes.h: what each worker does, for a display: from the board, and from /proc.
 *
 * Looks only when asked; workers and the run do nothing for it. Since when a task is in hand is
 * known as exactly as one looks often. CPU time is that of the task's first process and what it
 * has started, as a part of the last second.
 */
#ifndef PINION_LANES_H
#define PINION_LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "ipc/board.h"

struct lane {
	uint64_t seq; /* BOARD_NO_TASK: none in hand */
	uint32_t attempt;
	int64_t since_ns;
	struct buf what; /* of this seq, once it has been asked for; the display's */
	bool has_what;
	/* CPU time. */
	pid_t pid;
	int64_t cpu_at_ns; /* when it had used */
	uint64_t cpu_ticks;
	int cpu_percent; /* since the look before that; -1: not known */
};

struct lanes {
	const struct board *board; /* borrowed */
	struct lane *items;        /* one for each seat */
	size_t count;
};

/* 0, or -1 without memory. */
int lanes_init(struct lanes *lanes, const struct board *board, int64_t now_ns);
void lanes_fini(struct lanes *lanes);

/* For the first `cpu_lanes` also at /proc. */
void lanes_look(struct lanes *lanes, int64_t now_ns, size_t cpu_lanes);

uint64_t lanes_busy(const struct lanes *lanes);

/* The one with the highest seq; NULL: none is busy. */
struct lane *lanes_newest(const struct lanes *lanes);

#endif

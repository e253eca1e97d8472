/*
 * memkills.h: which of the tasks that died by KILL were ended by the kernel, for want of memory.
 *
 * The kernel tells nobody who it was that it killed, but counts: for our control group (version 2:
 * memory.events, with all groups below; version 1: memory.oom_control) or, in none, for the
 * machine (/proc/vmstat). A task that died by KILL is held to be one of those counted since it
 * began, each of which explains one task. So one that somebody else killed while the kernel was
 * ending another process of the same group is taken for it.
 */
#ifndef PINION_MEMKILLS_H
#define PINION_MEMKILLS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cgroup.h"
#include "task/result.h"

struct memkills {
	const char *root; /* as in gauge.h */
	struct buf path;  /* of the counter; empty: there is none */
	struct buf text;
	uint64_t first_count; /* at the start of the run */
	uint64_t count;       /* as last read */
	int64_t read_at_ns;
	uint64_t explained_end; /* kills up to this count are used up */
};

/* Finds the counter and reads it. 0, or -1 without memory. */
int memkills_init(struct memkills *memkills, const char *root,
		  const struct cgroups *cgroups);
void memkills_fini(struct memkills *memkills);

/* The count that a task begins with now; it may be a second old. */
uint64_t memkills_begin(struct memkills *memkills, int64_t now_ns);

/* Whether a task that began with this count and ended so was killed for memory. */
bool memkills_explain(struct memkills *memkills, uint64_t begin_count,
		      const struct result *result);

#endif

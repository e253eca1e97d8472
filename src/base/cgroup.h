/*
 * cgroup.h: the control groups above us, of version 1 and 2, wherever they are mounted.
 *
 * Finds for each hierarchy where it shows us our own group, once; then reads files on each level
 * from there up to the root of what we can see, as often as wanted. Who reads knows what the files
 * say: pool/budget (CPU), run/gauge (memory).
 *
 * What is missing or unreadable is no limit: only lack of memory is an error.
 */
#ifndef PINION_CGROUP_H
#define PINION_CGROUP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

enum cgroup_hierarchy {
	CGROUP_UNIFIED, /* version 2 */
	CGROUP_CPU,     /* the others: version 1 */
	CGROUP_CPUSET,
	CGROUP_MEMORY,
	CGROUP_HIERARCHIES,
};

/* Where we are in a hierarchy. */
struct cgroup_place {
	struct buf folder;   /* in the file system; empty: not to be seen */
	size_t mount_length; /* so much of it is the mount point */
};

struct cgroups {
	const char *root; /* borrowed: in front of every path that is opened; "" outside of tests */
	struct cgroup_place places[CGROUP_HIERARCHIES];
};

/* One level, and what was last read on any of them. */
struct cgroup_level {
	const char *root;
	struct buf folder;
	struct buf path; /* of the file last read, without root */
	struct buf text;
};

/* 0, or -1 without memory; cgroups_fini is right either way. */
int cgroups_find(struct cgroups *cgroups, const char *root);
void cgroups_fini(struct cgroups *cgroups);

/* Called for our own level first. Other than 0 ends the climb. */
typedef int cgroup_visit(void *context, struct cgroup_level *level);

/* 0, what a visit said, or -1 without memory. */
int cgroups_climb(const struct cgroups *cgroups, enum cgroup_hierarchy hierarchy,
		  cgroup_visit *visit, void *context);

/* A file of this level: level->text, empty where it cannot be read. 0, or -1 without memory. */
int cgroup_read(struct cgroup_level *level, const char *name);

/* Takes a number and the blanks behind it; false where there is none. */
bool cgroup_take_number(const char **at, long long *value);

#endif

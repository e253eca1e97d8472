/*
 * budget.h: how much of the machine we may use, as the kernel says.
 *
 * Reads the affinity mask, and the CPU quota and cpuset of the control groups above us: version 1
 * and 2, or both at once, wherever they are mounted. A quota counts on every level up to the root
 * of what we can see, and the tightest holds. Called by topology once, before the first fork.
 *
 * What is missing, unreadable or makes no sense is no limit: only lack of memory is an error.
 */
#ifndef PINION_BUDGET_H
#define PINION_BUDGET_H

#include <stddef.h>

#include "base/buf.h"
#include "base/cgroup.h"
#include "base/err.h"

struct budget {
	unsigned int *pus; /* the affinity mask: the kernel's numbers, ascending; at least one */
	size_t pu_count;
	double quota_cpus; /* the tightest of all cgroups above us; 0: none */
	char *quota_path;  /* the file that says so; NULL: none */
	char *cpuset_cpus; /* the list of the cpuset we are in, "0-3"; NULL: none */
	char *cpuset_path; /* the file that says so; NULL: none */
	struct cgroups cgroups;
};

/* Zero-initialise first; budget_fini is right whatever they returned. 0 or -1. */
int budget_read_affinity(struct budget *budget, struct err *err);

/* `root` goes in front of every path that is opened, not of those reported; "" outside of tests. */
int budget_read_cgroups(struct budget *budget, const char *root, struct err *err);

void budget_fini(struct budget *budget);

/* Appends ascending numbers as the kernel writes lists: "0-3,8". 0 or -1 without memory. */
int budget_append_list(struct buf *text, const unsigned int *numbers, size_t count);

#endif

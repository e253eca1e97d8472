/*
 * topology.h: the machine's real budget, and a place on it for each worker.
 *
 * Built in the coordinator before the first fork, then read-only; workers inherit it and bind
 * themselves with topology_bind. Its parts are budget (what the kernel allows us), machine (the
 * only user of hwloc) and places (who sits where); others need only this header.
 *
 * The budget is the least of the affinity mask, the cpuset and the CPU quota of every cgroup above
 * us (v1 and v2), and never below 1. Places are sets of PUs:
 *   core   one core each, one PU per core first, spread over caches and NUMA nodes
 *   share  fewer workers than cores: neighbouring cores, so many as everyone gets
 *   pu     one hardware thread each
 *   numa   a NUMA node each
 *   none   not bound
 * auto is core with as many workers as cores, share with fewer, none with more or when the quota,
 * not the mask, is what limits the budget.
 */
#ifndef PINION_TOPOLOGY_H
#define PINION_TOPOLOGY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/cgroup.h"
#include "base/err.h"
#include "task/spec.h"

struct topology;

/* What the places are made from; filled by topology_new. */
struct topology_facts {
	size_t machine_core_count; /* all online */
	size_t machine_pu_count;
	size_t core_count; /* within the affinity mask and cpuset */
	size_t pu_count;
	size_t numa_count;
	double quota_cpus;      /* least quota of all cgroups above us; 0: none */
	const char *quota_path; /* the file that says so; NULL: none */
	size_t budget_cores; /* what "one worker per core" means: min(cores, quota rounded up), at least 1 */
	size_t budget_threads;
};

struct topology *topology_new(struct err *err);

/* The same with all of the caches, for `pinion topology`; takes a little longer. */
struct topology *topology_new_detailed(struct err *err);

/*
 * For tests: a machine by hwloc's synthetic description, of which we may use the
 * `allowed` PUs (ascending; NULL: all) and so many CPUs' time (0: no quota).
 */
struct topology *topology_new_synthetic(const char *description,
					const unsigned int *allowed, size_t allowed_count,
					double quota_cpus, struct err *err);

void topology_free(struct topology *topology);
const struct topology_facts *topology_facts(const struct topology *topology);

/* Where we are in the control groups; in none on a synthetic machine. */
const struct cgroups *topology_cgroups(const struct topology *topology);

/*
 * How many workers the limit of open files allows each of so many pools: the max_workers to begin
 * with. At least 1.
 */
size_t topology_worker_limit(size_t pool_count);

/*
 * The number of workers that `jobs` means on this machine, at least 1. For SPEC_JOBS_FILE
 * the file is read now. Percentages are rounded up, as GNU parallel does. `max_workers`
 * bounds SPEC_JOBS_MAX and everything else (descriptors, processes). 0 and err
 * (ERR_USAGE) when the file cannot be read or holds nonsense.
 */
size_t topology_worker_count(const struct topology *topology,
			     const struct spec_jobs *jobs, enum spec_dialect dialect,
			     size_t max_workers, struct err *err);

/* What auto means for so many workers; other kinds come back as they are. */
enum spec_bind topology_bind_kind(const struct topology *topology, enum spec_bind bind,
				  size_t worker_count);

/* One line, borrowed from static memory: why auto chose that. */
const char *topology_bind_why(const struct topology *topology, enum spec_bind bind,
			      size_t worker_count);

/*
 * OMP_NUM_THREADS of worker `slot_index` (from 0) of `worker_count`: the PUs of its
 * place, divided among the workers that sit there; not bound, or under a quota, no more
 * than its part of the budget's threads. At least 1.
 */
size_t topology_share(const struct topology *topology, enum spec_bind bind,
		      size_t worker_count, size_t slot_index);

/*
 * Binds the calling process (and its memory, where there are several NUMA nodes) to its
 * place. 0, also when the kind means no binding; -1 with errno when the kernel refuses,
 * which callers treat as no binding. Async-signal-safety is not promised.
 */
int topology_bind(const struct topology *topology, enum spec_bind bind,
		  size_t worker_count, size_t slot_index);

/* How many places differ. 1: everyone's is all of the budget. */
size_t topology_place_count(const struct topology *topology, enum spec_bind bind,
			    size_t worker_count);

/*
 * Lets the process `pid` and all below it, which were started in that worker's place, run on all
 * of the budget. What has another mask than the place gave it, or is not ours to change, is left
 * alone; so is where memory comes from.
 */
void topology_widen(const struct topology *topology, enum spec_bind bind,
		    size_t worker_count, size_t slot_index, pid_t pid);

/* For `pinion topology`: plain text and JSON. 0 or -1 without memory. */
int topology_print(const struct topology *topology, enum spec_bind bind,
		   size_t worker_count, struct buf *text);
int topology_print_json(const struct topology *topology, enum spec_bind bind,
			size_t worker_count, struct buf *text);

#endif

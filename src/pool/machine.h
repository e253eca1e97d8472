/*
 * machine.h: the cores we may use, and how they lie in the machine.
 *
 * Plain machines are read by machine_sysfs; others, and all where more is asked, by hwloc, which
 * knows everything and takes its time: asked once, for plain tables, and let go. Only machine.c
 * knows hwloc.
 * Cores stand in hwloc's order, in which neighbours share caches and NUMA nodes, and each
 * core's PUs stand together, so that any run of neighbouring cores is one slice of `pus`.
 *
 * Where hwloc fails or does not know our PUs, every PU of the mask is taken for a core of
 * its own.
 */
#ifndef PINION_MACHINE_H
#define PINION_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Indices count from 0, over the whole machine, the same for cores that share the thing. */
struct machine_core {
	size_t pu_first; /* its allowed PUs in machine->pus */
	size_t pu_count;
	unsigned int package_index;
	unsigned int node_index;  /* NUMA */
	unsigned int cache_index; /* the outermost cache */
	unsigned int node_number; /* the kernel's number of the NUMA node */
};

/* All data caches of one level and size. */
struct machine_cache {
	unsigned int level;
	uint64_t size_bytes; /* of each; 0: unknown */
	size_t count;
};

#define MACHINE_CACHES 8

struct machine {
	struct machine_core *cores; /* those with an allowed PU */
	size_t core_count;
	unsigned int *pus; /* the kernel's numbers of the allowed PUs, in the order of cores */
	size_t pu_count;

	/* The whole machine, allowed or not. */
	size_t all_core_count;
	size_t all_pu_count;
	size_t all_package_count;
	size_t all_node_count;
	struct machine_cache caches[MACHINE_CACHES]; /* where it is detailed */
	size_t cache_count;
	bool is_known; /* hwloc could say; else one PU per core and nothing more is assumed */
};

/*
 * This machine, cut down to the `allowed` PUs (ascending). With `is_detailed`, caches are
 * listed, which costs time and is only good to look at. 0, or -1 without memory.
 */
int machine_init(struct machine *machine, const unsigned int *allowed,
		 size_t allowed_count, bool is_detailed, struct err *err);

/* The same from hwloc in any case. */
int machine_init_hwloc(struct machine *machine, const unsigned int *allowed,
		       size_t allowed_count, bool is_detailed, struct err *err);

/* For tests: a machine by hwloc's synthetic description; NULL `allowed` is all of it. */
int machine_init_synthetic(struct machine *machine, const char *description,
			   const unsigned int *allowed, size_t allowed_count,
			   struct err *err);

void machine_fini(struct machine *machine);

#endif

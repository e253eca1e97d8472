/*
 * machine_sysfs.h: a plain machine from a few of the kernel's files, as hwloc would tell it.
 *
 * hwloc reads some thirty files for each CPU; where to put workers is in one for each core and
 * a few for each thing that cores share. Called by machine only, which asks hwloc when this
 * says that the machine is not plain: something is missing or odd, or between a core and its
 * outermost cache there is more that several cores share. Both agree on what is plain.
 *
 * Caches are not listed: machine->cache_count stays 0.
 */
#ifndef PINION_MACHINE_SYSFS_H
#define PINION_MACHINE_SYSFS_H

#include "pool/machine.h"

enum machine_sysfs {
	MACHINE_SYSFS_NO_MEMORY,
	MACHINE_SYSFS_NOT_PLAIN,
	MACHINE_SYSFS_READ
};

/*
 * Fills `machine`, cut down to the `allowed` PUs (ascending, at least one), or leaves it empty.
 * `root` goes in front of every path; "" outside of tests.
 */
enum machine_sysfs machine_read_sysfs(struct machine *machine, const char *root,
				      const unsigned int *allowed, size_t allowed_count);

#endif

/*
 * gauge.h: how busy the machine is: processes that run, free memory, pressure.
 *
 * Reads the kernel's files whenever it is asked; the throttle asks a few times a second. Decides
 * nothing. Files of the machine: /proc/stat, /proc/meminfo, /proc/pressure; and the memory limits
 * of all control groups above us.
 */
#ifndef PINION_GAUGE_H
#define PINION_GAUGE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/cgroup.h"
#include "base/err.h"
#include "task/spec.h"

/* The time stalled, as it was at a moment. */
struct gauge_stall {
	uint64_t total_us;
	int64_t at_ns; /* 0: none yet */
};

struct gauge {
	const char *root; /* in front of every path; "" outside of tests; borrowed */
	const struct cgroups *cgroups; /* borrowed; NULL: in none */
	struct buf text;
	struct gauge_stall older[SPEC_PRESSURES];
	struct gauge_stall newer[SPEC_PRESSURES];
};

void gauge_init(struct gauge *gauge, const char *root, const struct cgroups *cgroups);
void gauge_fini(struct gauge *gauge);

/* Whether all that the spec has bounds for can be read here; else err. */
int gauge_check(struct gauge *gauge, const struct spec *spec, struct err *err);

/*
 * The processes that run or wait for a disk, without us, and the CPUs that are online. Unlike the
 * load average this knows at once what has just started. All return 0, or -1 when the kernel does
 * not say; the values are left alone then.
 */
int gauge_load(struct gauge *gauge, double *running, double *cpus);

/* What can be had without swapping: of the machine's memory, or of a limit above us if less. */
int gauge_free_bytes(struct gauge *gauge, uint64_t *free_bytes);

/*
 * Percent of the last one to two seconds in which some task on the machine stalled; of the last
 * ten, when it was not asked for a while.
 */
int gauge_pressure(struct gauge *gauge, enum spec_pressure kind, int64_t now_ns,
		   double *percent);

#endif

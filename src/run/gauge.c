/* gauge.c: see gauge.h. */
#include "run/gauge.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/slurp.h"

#define GAUGE_WINDOW_NS NS_PER_S
#define GAUGE_OLD_NS (3 * NS_PER_S)

void
gauge_init(struct gauge *gauge, const char *root, const struct cgroups *cgroups)
{
	*gauge = (struct gauge){.root = root, .cgroups = cgroups};
}

void
gauge_fini(struct gauge *gauge)
{
	buf_fini(&gauge->text);
}

/* --- processes --- */

/* The lines cpu0, cpu1, ... of /proc/stat. */
static size_t
count_cpus(const char *text)
{
	size_t count = 0;
	for (const char *line = text; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		count += strncmp(line, "cpu", 3) == 0 && line[3] >= '0' && line[3] <= '9';
	}
	return count;
}

int
gauge_load(struct gauge *gauge, double *running, double *cpus)
{
	uint64_t running_count, blocked_count = 0;
	if (slurp(gauge->root, "/proc/stat", &gauge->text) == -1 ||
	    !slurp_number(gauge->text.bytes, "procs_running ", &running_count))
		return -1;
	slurp_number(gauge->text.bytes, "procs_blocked ", &blocked_count);
	if (running_count > 0)
		running_count--; /* who reads this is running */
	*running = (double)(running_count + blocked_count);
	*cpus = (double)count_cpus(gauge->text.bytes);
	return *cpus > 0 ? 0 : -1;
}

/* --- memory --- */

static void
lower(uint64_t *least, long long limit, uint64_t used, uint64_t reclaimable)
{
	uint64_t bound = (uint64_t)limit;
	used = used > reclaimable ? used - reclaimable : 0;
	uint64_t left = bound > used ? bound - used : 0;
	if (left < *least)
		*least = left;
}

/* A file of this level that is a number and nothing else; "max" is none. */
static int
read_number(struct cgroup_level *level, const char *name, long long *number)
{
	if (cgroup_read(level, name) == -1)
		return -1;
	const char *at = level->text.bytes;
	return cgroup_take_number(&at, number) && *at == '\0' && *number >= 0;
}

/* What a level leaves free below `limit`. Files that are cached and not in use can be dropped. */
static int
see_limit(struct cgroup_level *level, long long limit, const char *usage_name,
	  const char *cache_name, uint64_t *least)
{
	long long used;
	uint64_t cached = 0;
	int status = read_number(level, usage_name, &used);
	if (status != 1)
		return status;
	if (cgroup_read(level, "memory.stat") == -1)
		return -1;
	slurp_number(level->text.bytes, cache_name, &cached);
	lower(least, limit, (uint64_t)used, cached);
	return 0;
}

/* Above memory.high the kernel slows the group down, which is no better than full. */
static int
visit_v2(void *context, struct cgroup_level *level)
{
	static const char *const names[] = {"memory.max", "memory.high"};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		long long limit;
		int status = read_number(level, names[i], &limit);
		if (status == 1)
			status = see_limit(level, limit, "memory.current",
					   "inactive_file ", context);
		if (status == -1)
			return -1;
	}
	return 0;
}

static int
visit_v1(void *context, struct cgroup_level *level)
{
	long long limit;
	int status = read_number(level, "memory.limit_in_bytes", &limit);
	return status != 1 ? status
			   : see_limit(level, limit, "memory.usage_in_bytes",
				       "total_inactive_file ", context);
}

int
gauge_free_bytes(struct gauge *gauge, uint64_t *free_bytes)
{
	uint64_t free_kib;
	if (slurp(gauge->root, "/proc/meminfo", &gauge->text) == -1 ||
	    !slurp_number(gauge->text.bytes, "MemAvailable:", &free_kib))
		return -1;
	uint64_t least = free_kib * 1024;
	if (gauge->cgroups != NULL &&
	    (cgroups_climb(gauge->cgroups, CGROUP_UNIFIED, visit_v2, &least) == -1 ||
	     cgroups_climb(gauge->cgroups, CGROUP_MEMORY, visit_v1, &least) == -1))
		return -1;
	*free_bytes = least;
	return 0;
}

/* --- pressure --- */

static const char *const pressure_paths[SPEC_PRESSURES] = {
    [SPEC_PRESSURE_CPU] = "/proc/pressure/cpu",
    [SPEC_PRESSURE_MEMORY] = "/proc/pressure/memory",
    [SPEC_PRESSURE_IO] = "/proc/pressure/io"};

/* "some avg10=0.09 avg60=0.45 avg300=10.70 total=8586351550" */
static int
read_pressure(struct gauge *gauge, enum spec_pressure kind, double *avg10,
	      uint64_t *total_us)
{
	if (slurp(gauge->root, pressure_paths[kind], &gauge->text) == -1)
		return -1;
	return sscanf(gauge->text.bytes,
		      "some avg10=%lf avg60=%*f avg300=%*f total=%" SCNu64, avg10,
		      total_us) == 2
		   ? 0
		   : -1;
}

int
gauge_pressure(struct gauge *gauge, enum spec_pressure kind, int64_t now_ns, double *percent)
{
	struct gauge_stall *older = &gauge->older[kind], *newer = &gauge->newer[kind];
	struct gauge_stall now = {.at_ns = now_ns};
	double avg10;
	if (read_pressure(gauge, kind, &avg10, &now.total_us) == -1)
		return -1;
	if (older->at_ns == 0 || now_ns - older->at_ns > GAUGE_OLD_NS) {
		*older = *newer = now;
		*percent = avg10;
		return 0;
	}
	int64_t window_us = (now_ns - older->at_ns) / 1000;
	*percent = window_us <= 0 ? avg10
				  : (double)(now.total_us - older->total_us) * 100 /
					(double)window_us;
	if (now_ns - newer->at_ns >= GAUGE_WINDOW_NS) {
		*older = *newer;
		*newer = now;
	}
	return 0;
}

/* --- at the start --- */

int
gauge_check(struct gauge *gauge, const struct spec *spec, struct err *err)
{
	double running, cpus;
	uint64_t free_bytes;
	if (spec->load.kind != SPEC_JOBS_DEFAULT && gauge_load(gauge, &running, &cpus) == -1)
		return err_set(err, ERR_SYSTEM,
			       "--load: /proc/stat does not say what runs here");
	if (spec->memfree_bytes > 0 && gauge_free_bytes(gauge, &free_bytes) == -1)
		return err_set(err, ERR_SYSTEM,
			       "--memfree: /proc/meminfo does not say what is free here");
	for (int i = 0; i < SPEC_PRESSURES; i++) {
		double percent;
		uint64_t total_us;
		if (spec->pressure_percents[i] > 0 &&
		    read_pressure(gauge, (enum spec_pressure)i, &percent, &total_us) == -1)
			return err_set(
			    err, ERR_SYSTEM,
			    "--max-pressure: this kernel has no %s: it knows of no "
			    "pressure, or was not booted with psi=1",
			    pressure_paths[i]);
	}
	return 0;
}

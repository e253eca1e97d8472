/*
 * Files of the kernel, apart by form feeds: groups, mounts, limits, meminfo, pressure, stat; or,
 * where the first byte is odd, lists of CPUs. In a container others may have made them.
 */
#include <sched.h>
#include <sys/stat.h>

#include "fuzz.h"
#include "pool/budget.h"
#include "pool/machine_sysfs.h"
#include "run/gauge.h"
#include "run/memkills.h"

static const char *const limits[] = {
    "/proc/self/cgroup",
    "/proc/self/mountinfo",
    "/m/a/cpu.max",
    "/m/cpu.max",
    "/m/a/cpuset.cpus.effective",
    "/m/a/memory.max",
    "/m/a/memory.current",
    "/m/a/memory.stat",
    "/m/a/memory.events",
    "/m/a/cpu.cfs_quota_us",
    "/m/a/cpu.cfs_period_us",
    "/m/a/memory.limit_in_bytes",
    "/proc/meminfo",
    "/proc/stat",
    "/proc/pressure/memory",
    NULL,
};

#define CPU "/sys/devices/system/cpu"
static const char *const machine_files[] = {
    CPU "/online",
    CPU "/cpu0/topology/thread_siblings_list",
    CPU "/cpu1/topology/thread_siblings_list",
    CPU "/cpu0/topology/core_siblings_list",
    CPU "/cpu1/topology/core_siblings_list",
    CPU "/cpu0/topology/physical_package_id",
    CPU "/cpu0/topology/core_id",
    CPU "/cpu1/topology/core_id",
    CPU "/cpu0/topology/cluster_cpus_list",
    CPU "/cpu0/cache/index0/shared_cpu_list",
    CPU "/cpu1/cache/index0/shared_cpu_list",
    CPU "/cpu0/cache/index0/type",
    CPU "/cpu0/cache/index0/level",
    "/sys/devices/system/node/online",
    "/sys/devices/system/node/node0/cpulist",
    NULL,
};

static void
make_folders(char *path, size_t skipped)
{
	for (char *at = path + skipped; (at = strchr(at + 1, '/')) != NULL; *at = '/') {
		*at = '\0';
		mkdir(path, 0700);
	}
}

/* What is between form feeds, file by file; what is not there is empty. */
static void
put_files(const char *root, const char *const *names, char *text)
{
	for (; *names != NULL; names++) {
		char path[4096];
		const char *part = text == NULL ? "" : strsep(&text, "\f");
		snprintf(path, sizeof(path), "%s%s", root, *names);
		make_folders(path, strlen(root));
		fuzz_put(path, part, strlen(part));
	}
}

static void
read_limits(const char *root)
{
	struct budget budget = {0};
	struct gauge gauge;
	struct memkills kills;
	struct err err = {0};
	double running, cpus, percent;
	uint64_t free_bytes;
	fuzz_expect(budget_read_cgroups(&budget, root, &err) == 0);
	fuzz_expect(budget.quota_cpus >= 0);
	gauge_init(&gauge, root, &budget.cgroups);
	if (gauge_load(&gauge, &running, &cpus) == 0)
		fuzz_expect(running >= 0 && cpus >= 1);
	gauge_free_bytes(&gauge, &free_bytes);
	for (int64_t at_ns = 1; at_ns < 4; at_ns++)
		gauge_pressure(&gauge, SPEC_PRESSURE_MEMORY, at_ns * 1000000000, &percent);
	gauge_fini(&gauge);
	fuzz_expect(memkills_init(&kills, root, &budget.cgroups) == 0);
	memkills_begin(&kills, 1);
	memkills_fini(&kills);
	budget_fini(&budget);
}

static void
read_machine(const char *root)
{
	static const unsigned int allowed[] = {0, 1};
	struct machine machine = {0};
	if (machine_read_sysfs(&machine, root, allowed, 2) == MACHINE_SYSFS_READ)
		fuzz_expect(machine.core_count >= 1 && machine.core_count <= 2);
	machine_fini(&machine);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	const char *root = fuzz_folder();
	char *text = fuzz_string(data + 1, size - 1);
	bool is_machine = (data[0] & 1) != 0;
	put_files(root, is_machine ? machine_files : limits, text);
	is_machine ? read_machine(root) : read_limits(root);
	free(text);
	return 0;
}

/* machine_sysfs.c: see machine_sysfs.h. */
#include "pool/machine_sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"

#define CPUS_MOST CPU_SETSIZE /* a larger machine is hwloc's */
#define CACHES_MOST 10
#define FILE_BYTES 4096
#define PATH_BYTES 64
#define NO_CPU UINT16_MAX

/* The CPUs divided up by something they share: each part goes by its first CPU. */
struct division {
	uint16_t first_of[CPUS_MOST];
	size_t part_count;
};

struct census {
	int cpu_fd;  /* /sys/devices/system/cpu */
	int node_fd; /* /sys/devices/system/node; -1: a kernel without NUMA */
	cpu_set_t online;
	unsigned int cpu_end;   /* one more than the highest online */
	unsigned int outermost; /* index of the outermost cache */
	struct division cores, packages, caches, nodes;
	unsigned int node_number[CPUS_MOST]; /* by the node's first CPU */
};

/* --- Files --- */

/* The text of a small file, without the end of its line; false where it cannot be read. */
static bool
read_text(int folder_fd, const char *path, char text[FILE_BYTES])
{
	int fd = openat(folder_fd, path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return false;
	ssize_t got = io_read(fd, text, FILE_BYTES);
	io_close(fd);
	if (got <= 0 || got == FILE_BYTES || text[got - 1] != '\n')
		return false;
	text[got - 1] = '\0';
	return true;
}

/* "0-3,8"; also empty. False for what is no such list, or reaches too far. */
static bool
parse_list(const char *at, cpu_set_t *set)
{
	CPU_ZERO(set);
	while (*at != '\0') {
		char *end;
		unsigned long first = strtoul(at, &end, 10), last = first;
		if (end != at && *end == '-')
			last = strtoul(at = end + 1, &end, 10);
		if (end == at || last < first || last >= CPUS_MOST ||
		    (*end != ',' && *end != '\0'))
			return false;
		for (unsigned long i = first; i <= last; i++)
			CPU_SET(i, set);
		at = end + (*end == ',');
	}
	return true;
}

static bool
read_list(int folder_fd, const char *path, cpu_set_t *set)
{
	char text[FILE_BYTES];
	return read_text(folder_fd, path, text) && parse_list(text, set);
}

/* A file of one CPU; `format` takes its number. */
#define CPU_PATH(path, format, ...) \
	char path[PATH_BYTES];      \
	snprintf(path, sizeof(path), format, __VA_ARGS__)

static unsigned int
first_cpu(const struct census *census)
{
	unsigned int cpu = 0;
	while (!CPU_ISSET(cpu, &census->online))
		cpu++;
	return cpu;
}

/* --- Divisions --- */

static void
division_clear(struct division *division)
{
	memset(division->first_of, 0xff, sizeof(division->first_of));
	division->part_count = 0;
}

/* Parts come in the order of their first CPUs and must not overlap. */
static bool
division_add(struct division *division, const struct census *census, cpu_set_t *part)
{
	uint16_t first = NO_CPU;
	CPU_AND(part, part, &census->online);
	for (unsigned int cpu = 0; cpu < census->cpu_end; cpu++) {
		if (!CPU_ISSET(cpu, part))
			continue;
		first = first == NO_CPU ? (uint16_t)cpu : first;
		if (division->first_of[cpu] != NO_CPU)
			return false;
		division->first_of[cpu] = first;
	}
	division->part_count++;
	return first != NO_CPU;
}

/* Asks the first CPU of each part who the others are. */
static bool
division_read(struct division *division, const struct census *census, const char *name)
{
	cpu_set_t part;
	division_clear(division);
	for (unsigned int cpu = 0; cpu < census->cpu_end; cpu++) {
		if (!CPU_ISSET(cpu, &census->online) || division->first_of[cpu] != NO_CPU)
			continue;
		CPU_PATH(path, "cpu%u/%s", cpu, name);
		if (!read_list(census->cpu_fd, path, &part) || !CPU_ISSET(cpu, &part) ||
		    !division_add(division, census, &part) ||
		    division->first_of[cpu] != cpu)
			return false;
	}
	return true;
}

/* Whether each part of `fine` lies in one of `coarse`. */
static bool
division_refines(const struct division *fine, const struct division *coarse,
		 const struct census *census)
{
	for (unsigned int cpu = 0; cpu < census->cpu_end; cpu++)
		if (CPU_ISSET(cpu, &census->online) &&
		    coarse->first_of[cpu] != coarse->first_of[fine->first_of[cpu]])
			return false;
	return true;
}

/* --- What cores are and share --- */

/* AMD once made cores of which the kernel says they are threads of one: hwloc knows. */
static bool
siblings_are_threads(const struct census *census)
{
	char one[FILE_BYTES], other[FILE_BYTES];
	for (unsigned int cpu = 0; cpu < census->cpu_end; cpu++) {
		unsigned int first = census->cores.first_of[cpu];
		if (first == NO_CPU || first == cpu)
			continue;
		CPU_PATH(one_path, "cpu%u/topology/core_id", first);
		CPU_PATH(other_path, "cpu%u/topology/core_id", cpu);
		return read_text(census->cpu_fd, one_path, one) &&
		       read_text(census->cpu_fd, other_path, other) &&
		       strcmp(one, other) == 0;
	}
	return true;
}

/* Where the kernel does not know packages it numbers them -1. */
static bool
read_packages(struct census *census)
{
	char text[FILE_BYTES];
	CPU_PATH(path, "cpu%u/topology/physical_package_id", first_cpu(census));
	return read_text(census->cpu_fd, path, text) && strcmp(text, "-1") != 0 &&
	       division_read(&census->packages, census, "topology/core_siblings_list");
}

/* The kernel numbers a CPU's caches from the inside out. */
static bool
find_outermost_cache(struct census *census)
{
	unsigned int cpu = first_cpu(census), count = 0;
	char text[FILE_BYTES];
	for (; count < CACHES_MOST; count++) {
		CPU_PATH(path, "cpu%u/cache/index%u", cpu, count);
		if (faccessat(census->cpu_fd, path, F_OK, 0) == -1)
			break;
	}
	if (count == 0)
		return false;
	census->outermost = count - 1;
	CPU_PATH(type, "cpu%u/cache/index%u/type", cpu, census->outermost);
	if (!read_text(census->cpu_fd, type, text) || strcmp(text, "Instruction") == 0)
		return false;
	CPU_PATH(level, "cpu%u/cache/index%u/level", cpu, census->outermost);
	return read_text(census->cpu_fd, level, text) && strchr("234", text[0]) != NULL;
}

/* Whether only PUs of one core are in a list. What there is no list of is not shared. */
static bool
is_within_core(const struct census *census, unsigned int cpu, const char *path)
{
	cpu_set_t part;
	errno = 0;
	if (!read_list(census->cpu_fd, path, &part))
		return errno == ENOENT;
	for (unsigned int other = 0; other < census->cpu_end; other++)
		if (CPU_ISSET(other, &part) && CPU_ISSET(other, &census->online) &&
		    census->cores.first_of[other] != census->cores.first_of[cpu])
			return false;
	return true;
}

/* Nothing that several cores share comes between this CPU and its outermost cache. */
static bool
is_plain_inside(const struct census *census, unsigned int cpu)
{
	CPU_PATH(cluster, "cpu%u/topology/cluster_cpus_list", cpu);
	if (!is_within_core(census, cpu, cluster))
		return false;
	if (census->outermost == 0)
		return true;
	CPU_PATH(cache, "cpu%u/cache/index%u/shared_cpu_list", cpu, census->outermost - 1);
	return is_within_core(census, cpu, cache);
}

/*
 * Looks inside at two CPUs of each cache, the first and the last: where cores are of two
 * kinds, these are of different ones.
 */
static bool
read_caches(struct census *census)
{
	uint16_t last_of[CPUS_MOST];
	if (!find_outermost_cache(census))
		return false;
	CPU_PATH(name, "cache/index%u/shared_cpu_list", census->outermost);
	if (!division_read(&census->caches, census, name))
		return false;
	for (unsigned int cpu = 0; cpu < census->cpu_end; cpu++)
		if (CPU_ISSET(cpu, &census->online))
			last_of[census->caches.first_of[cpu]] = (uint16_t)cpu;
	for (unsigned int cpu = 0; cpu < census->cpu_end; cpu++) {
		if (census->caches.first_of[cpu] != cpu)
			continue;
		if (!is_plain_inside(census, cpu) ||
		    /* NOLINTNEXTLINE(clang-analyzer-core*): one that is its cache's first is online. */
		    (last_of[cpu] != cpu && !is_plain_inside(census, last_of[cpu])))
			return false;
	}
	return true;
}

/* All CPUs are in one node. */
static bool
add_only_node(struct census *census, unsigned int number)
{
	cpu_set_t part = census->online;
	census->node_number[first_cpu(census)] = number;
	return division_add(&census->nodes, census, &part);
}

/* A node without CPUs is not plain. */
static bool
add_node(struct census *census, unsigned int number)
{
	cpu_set_t part;
	CPU_PATH(path, "node%u/cpulist", number);
	if (!read_list(census->node_fd, path, &part) ||
	    !division_add(&census->nodes, census, &part))
		return false;
	unsigned int cpu = 0;
	while (!CPU_ISSET(cpu, &part))
		cpu++;
	census->node_number[cpu] = number;
	return true;
}

static bool
read_nodes(struct census *census)
{
	cpu_set_t numbers;
	division_clear(&census->nodes);
	if (census->node_fd == -1)
		return add_only_node(census, 0);
	if (!read_list(census->node_fd, "online", &numbers))
		return false;
	bool is_only = CPU_COUNT(&numbers) == 1;
	for (unsigned int number = 0; number < CPUS_MOST; number++)
		if (CPU_ISSET(number, &numbers) &&
		    !(is_only ? add_only_node(census, number) : add_node(census, number)))
			return false;
	for (unsigned int cpu = 0; cpu < census->cpu_end; cpu++)
		if (CPU_ISSET(cpu, &census->online) && census->nodes.first_of[cpu] == NO_CPU)
			return false;
	return true;
}

static bool
read_census(struct census *census)
{
	if (!read_list(census->cpu_fd, "online", &census->online))
		return false;
	for (unsigned int cpu = 0; cpu < CPUS_MOST; cpu++)
		if (CPU_ISSET(cpu, &census->online))
			census->cpu_end = cpu + 1;
	return census->cpu_end > 0 &&
	       division_read(&census->cores, census, "topology/thread_siblings_list") &&
	       siblings_are_threads(census) && read_packages(census) &&
	       read_caches(census) && read_nodes(census);
}

/* --- From the census to tables --- */

#define LEVELS 4

/* From the coarsest to the finest, which is that of the cores; false where they do not nest. */
static bool
order_levels(const struct census *census, const struct division *levels[LEVELS])
{
	levels[0] = &census->packages;
	levels[1] = &census->nodes;
	levels[2] = &census->caches;
	levels[3] = &census->cores;
	for (size_t i = 1; i < LEVELS - 1; i++)
		for (size_t j = i; j > 0; j--)
			if (levels[j]->part_count < levels[j - 1]->part_count) {
				const struct division *coarser = levels[j];
				levels[j] = levels[j - 1];
				levels[j - 1] = coarser;
			}
	for (size_t i = 1; i < LEVELS; i++)
		if (!division_refines(levels[i], levels[i - 1], census))
			return false;
	return true;
}

/* A core by the first CPUs of all that it lies in, coarsest first, which is hwloc's order. */
struct core_key {
	uint16_t first[LEVELS];
};

static int
compare_keys(const void *left, const void *right)
{
	const struct core_key *a = left, *b = right;
	for (size_t i = 0; i < LEVELS; i++)
		if (a->first[i] != b->first[i])
			return a->first[i] < b->first[i] ? -1 : 1;
	return 0;
}

static void
list_cores(const struct census *census, const struct division *levels[LEVELS],
	   struct core_key *keys)
{
	for (unsigned int cpu = 0; cpu < census->cpu_end; cpu++) {
		if (census->cores.first_of[cpu] != cpu)
			continue;
		for (size_t i = 0; i < LEVELS; i++)
			keys->first[i] = levels[i]->first_of[cpu];
		keys++;
	}
}

static void
add_core(struct machine *machine, const struct census *census, struct machine_core core,
	 unsigned int first, const cpu_set_t *allowed)
{
	core.pu_first = machine->pu_count;
	for (unsigned int cpu = first; cpu < census->cpu_end; cpu++)
		if (census->cores.first_of[cpu] == first && CPU_ISSET(cpu, allowed))
			machine->pus[core.pu_first + core.pu_count++] = cpu;
	machine->pu_count += core.pu_count;
	if (core.pu_count > 0)
		machine->cores[machine->core_count++] = core;
}

/* Numbers everything in the order of the cores, also what none of the allowed PUs is in. */
static void
fill_cores(struct machine *machine, const struct census *census,
	   const struct core_key *keys, const cpu_set_t *allowed)
{
	struct machine_core core = {0};
	unsigned int before = keys[0].first[LEVELS - 1];
	for (size_t i = 0; i < census->cores.part_count; i++) {
		unsigned int cpu = keys[i].first[LEVELS - 1];
		core.package_index +=
		    census->packages.first_of[cpu] != census->packages.first_of[before];
		core.node_index +=
		    census->nodes.first_of[cpu] != census->nodes.first_of[before];
		core.cache_index +=
		    census->caches.first_of[cpu] != census->caches.first_of[before];
		core.node_number = census->node_number[census->nodes.first_of[cpu]];
		add_core(machine, census, core, cpu, allowed);
		before = cpu;
	}
}

static enum machine_sysfs
fill(struct machine *machine, const struct census *census, const cpu_set_t *allowed)
{
	const struct division *levels[LEVELS];
	if (!order_levels(census, levels))
		return MACHINE_SYSFS_NOT_PLAIN;
	*machine = (struct machine){
	    .all_core_count = census->cores.part_count,
	    .all_pu_count = (size_t)CPU_COUNT(&census->online),
	    .all_package_count = census->packages.part_count,
	    .all_node_count = census->nodes.part_count,
	    .is_known = true,
	};
	struct core_key *keys = calloc(machine->all_core_count, sizeof(*keys));
	machine->cores = calloc(machine->all_core_count, sizeof(*machine->cores));
	machine->pus = calloc(machine->all_pu_count, sizeof(*machine->pus));
	bool has_memory = keys != NULL && machine->cores != NULL && machine->pus != NULL;
	if (has_memory) {
		list_cores(census, levels, keys);
		qsort(keys, machine->all_core_count, sizeof(*keys), compare_keys);
		fill_cores(machine, census, keys, allowed);
	} else {
		machine_fini(machine);
	}
	free(keys);
	return has_memory ? MACHINE_SYSFS_READ : MACHINE_SYSFS_NO_MEMORY;
}

static int
open_folder(const char *root, const char *folder)
{
	char path[PATH_MAX];
	if ((size_t)snprintf(path, sizeof(path), "%s%s", root, folder) >= sizeof(path))
		return -1;
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* False also where one of them is not online, as hwloc and the kernel then disagree. */
static bool
set_allowed(const struct census *census, const unsigned int *allowed,
	    size_t allowed_count, cpu_set_t *set)
{
	CPU_ZERO(set);
	for (size_t i = 0; i < allowed_count; i++) {
		if (allowed[i] >= CPUS_MOST || !CPU_ISSET(allowed[i], &census->online))
			return false;
		CPU_SET(allowed[i], set);
	}
	return true;
}

enum machine_sysfs
machine_read_sysfs(struct machine *machine, const char *root, const unsigned int *allowed,
		   size_t allowed_count)
{
	struct census census = {.cpu_fd = open_folder(root, "/sys/devices/system/cpu")};
	enum machine_sysfs result = MACHINE_SYSFS_NOT_PLAIN;
	cpu_set_t set;
	*machine = (struct machine){0};
	if (census.cpu_fd == -1)
		return result;
	census.node_fd = open_folder(root, "/sys/devices/system/node");
	if (read_census(&census) && set_allowed(&census, allowed, allowed_count, &set))
		result = fill(machine, &census, &set);
	io_close(census.node_fd);
	io_close(census.cpu_fd);
	return result;
}

/* machine.c: see machine.h. */
#include "pool/machine.h"

#include <hwloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pool/machine_sysfs.h"

/* --- Loading --- */

/*
 * The variables that make hwloc quick and quiet: most of its time goes into plugins and
 * the x86 component, which tell nothing that matters here, and what it cannot find we say
 * ourselves. They must not reach the tasks' environment, so they hold for the load only.
 */
static const char *const quick_names[] = {"HWLOC_HIDE_ERRORS", "HWLOC_PLUGINS_PATH",
					  "HWLOC_COMPONENTS"};
static const char *const quick_values[] = {"2", "/dev/null", "linux,stop"};
#define QUICK_COUNT 3

/* Variables by which a user gives hwloc another source; then hwloc is left to itself. */
static bool
has_own_source(void)
{
	static const char *const names[] = {"HWLOC_COMPONENTS", "HWLOC_XMLFILE",
					    "HWLOC_SYNTHETIC", "HWLOC_FSROOT"};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (getenv(names[i]) != NULL)
			return true;
	return false;
}

static void
quick_end(const bool is_set[QUICK_COUNT])
{
	for (size_t i = 0; i < QUICK_COUNT; i++)
		if (is_set[i])
			unsetenv(quick_names[i]);
}

static void
quick_begin(bool is_set[QUICK_COUNT])
{
	for (size_t i = 0; i < QUICK_COUNT; i++)
		is_set[i] = getenv(quick_names[i]) == NULL &&
			    setenv(quick_names[i], quick_values[i], 1) == 0;
}

static int
keep_types(hwloc_topology_t hwloc, bool is_detailed)
{
	static const hwloc_obj_type_t types[] = {HWLOC_OBJ_PACKAGE, HWLOC_OBJ_CORE,
						 HWLOC_OBJ_L4CACHE, HWLOC_OBJ_L3CACHE,
						 HWLOC_OBJ_L2CACHE};
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (hwloc_topology_set_type_filter(hwloc, types[i],
						   HWLOC_TYPE_FILTER_KEEP_ALL) == -1)
			return -1;
	if (is_detailed && hwloc_topology_set_type_filter(
			       hwloc, HWLOC_OBJ_L1CACHE, HWLOC_TYPE_FILTER_KEEP_ALL) == -1)
		return -1;
	/* Without groups a NUMA node that is part of a package would claim all of the package. */
	return hwloc_topology_set_type_filter(hwloc, HWLOC_OBJ_GROUP,
					      HWLOC_TYPE_FILTER_KEEP_STRUCTURE);
}

static int
set_filters(hwloc_topology_t hwloc, bool is_detailed)
{
	if (hwloc_topology_set_all_types_filter(hwloc, HWLOC_TYPE_FILTER_KEEP_NONE) == -1 ||
	    keep_types(hwloc, is_detailed) == -1)
		return -1;
	/* Also the PUs outside of our cpuset, so that the machine can be told from our part of it. */
	return hwloc_topology_set_flags(hwloc, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED |
						   HWLOC_TOPOLOGY_FLAG_NO_DISTANCES |
						   HWLOC_TOPOLOGY_FLAG_NO_MEMATTRS |
						   HWLOC_TOPOLOGY_FLAG_NO_CPUKINDS);
}

/* NULL `description`: this machine. NULL where hwloc cannot. */
static hwloc_topology_t
load(const char *description, bool is_detailed)
{
	hwloc_topology_t hwloc;
	if (hwloc_topology_init(&hwloc) == -1)
		return NULL;
	if (set_filters(hwloc, is_detailed) == 0 &&
	    (description == NULL || hwloc_topology_set_synthetic(hwloc, description) == 0) &&
	    hwloc_topology_load(hwloc) == 0)
		return hwloc;
	hwloc_topology_destroy(hwloc);
	return NULL;
}

static hwloc_topology_t
load_this_machine(bool is_detailed)
{
	if (has_own_source())
		return load(NULL, is_detailed);
	bool is_set[QUICK_COUNT];
	quick_begin(is_set);
	hwloc_topology_t hwloc = load(NULL, is_detailed);
	quick_end(is_set);
	return hwloc;
}

/* --- From hwloc's objects to tables --- */

/* The NUMA node around a core; NULL where there is none. */
static hwloc_obj_t
node_of(hwloc_topology_t hwloc, hwloc_obj_t core)
{
	for (hwloc_obj_t node = NULL;
	     (node = hwloc_get_next_obj_by_type(hwloc, HWLOC_OBJ_NUMANODE, node)) != NULL;)
		if (hwloc_bitmap_isincluded(core->cpuset, node->cpuset))
			return node;
	return NULL;
}

static hwloc_obj_t
outermost_cache_of(hwloc_obj_t core)
{
	hwloc_obj_t cache = NULL;
	for (hwloc_obj_t above = core; above != NULL; above = above->parent)
		if (hwloc_obj_type_is_dcache(above->type))
			cache = above;
	return cache;
}

static void
add_core(struct machine *machine, hwloc_topology_t hwloc, hwloc_obj_t object,
	 hwloc_const_bitmap_t allowed)
{
	struct machine_core core = {.pu_first = machine->pu_count};
	unsigned int pu;
	hwloc_bitmap_foreach_begin(pu, object->cpuset)
	{
		if (hwloc_bitmap_isset(allowed, pu))
			machine->pus[core.pu_first + core.pu_count++] = pu;
	}
	hwloc_bitmap_foreach_end();
	if (core.pu_count == 0)
		return;
	hwloc_obj_t package =
	    hwloc_get_ancestor_obj_by_type(hwloc, HWLOC_OBJ_PACKAGE, object);
	hwloc_obj_t node = node_of(hwloc, object);
	hwloc_obj_t cache = outermost_cache_of(object);
	core.package_index = package == NULL ? 0 : package->logical_index;
	core.node_index = node == NULL ? 0 : node->logical_index;
	core.node_number = node == NULL ? 0 : node->os_index;
	core.cache_index = cache == NULL ? core.package_index : cache->logical_index;
	machine->pu_count += core.pu_count;
	machine->cores[machine->core_count++] = core;
}

static void
add_cache(struct machine *machine, hwloc_obj_t object)
{
	struct machine_cache cache = {.level = object->attr->cache.depth,
				      .size_bytes = object->attr->cache.size};
	size_t i = 0;
	while (i < machine->cache_count &&
	       (machine->caches[i].level != cache.level ||
		machine->caches[i].size_bytes != cache.size_bytes))
		i++;
	if (i == MACHINE_CACHES)
		return;
	if (i == machine->cache_count)
		machine->caches[machine->cache_count++] = cache;
	machine->caches[i].count++;
}

/* Outermost first. */
static void
add_caches(struct machine *machine, hwloc_topology_t hwloc)
{
	int depth_count = hwloc_topology_get_depth(hwloc);
	for (int depth = 0; depth < depth_count; depth++) {
		if (!hwloc_obj_type_is_dcache(hwloc_get_depth_type(hwloc, depth)))
			continue;
		for (hwloc_obj_t cache = NULL;
		     (cache = hwloc_get_next_obj_by_depth(hwloc, depth, cache)) != NULL;)
			add_cache(machine, cache);
	}
}

static size_t
count_of(hwloc_topology_t hwloc, hwloc_obj_type_t type)
{
	int count = hwloc_get_nbobjs_by_type(hwloc, type);
	return count > 0 ? (size_t)count : 0;
}

/* How cores are told apart; a machine that hwloc knows only as PUs has one in each core. */
static hwloc_obj_type_t
core_type(hwloc_topology_t hwloc)
{
	return count_of(hwloc, HWLOC_OBJ_CORE) > 0 ? HWLOC_OBJ_CORE : HWLOC_OBJ_PU;
}

static int
compare_cores(const void *left, const void *right)
{
	const struct machine_core *a = left, *b = right;
	if (a->node_index != b->node_index)
		return a->node_index < b->node_index ? -1 : 1;
	return a->pu_first < b->pu_first ? -1 : a->pu_first > b->pu_first;
}

/* Makes the cores of a node neighbours, whatever the order of the packages around them. */
static int
sort_by_node(struct machine *machine)
{
	unsigned int *pus = calloc(machine->pu_count + 1, sizeof(*pus));
	if (pus == NULL)
		return -1;
	qsort(machine->cores, machine->core_count, sizeof(*machine->cores), compare_cores);
	size_t filled = 0;
	for (size_t i = 0; i < machine->core_count; i++) {
		struct machine_core *core = &machine->cores[i];
		memcpy(pus + filled, machine->pus + core->pu_first,
		       core->pu_count * sizeof(*pus));
		core->pu_first = filled;
		filled += core->pu_count;
	}
	free(machine->pus);
	machine->pus = pus;
	return 0;
}

static int
fill(struct machine *machine, hwloc_topology_t hwloc, hwloc_const_bitmap_t allowed)
{
	hwloc_obj_type_t type = core_type(hwloc);
	machine->is_known = true;
	machine->all_core_count = count_of(hwloc, type);
	machine->all_pu_count = count_of(hwloc, HWLOC_OBJ_PU);
	machine->all_package_count = count_of(hwloc, HWLOC_OBJ_PACKAGE);
	machine->all_node_count = count_of(hwloc, HWLOC_OBJ_NUMANODE);
	machine->cores = calloc(machine->all_core_count, sizeof(*machine->cores));
	machine->pus = calloc(machine->all_pu_count, sizeof(*machine->pus));
	if (machine->cores == NULL || machine->pus == NULL)
		return -1;
	for (hwloc_obj_t object = NULL;
	     (object = hwloc_get_next_obj_by_type(hwloc, type, object)) != NULL;)
		add_core(machine, hwloc, object, allowed);
	add_caches(machine, hwloc);
	return sort_by_node(machine);
}

/* --- Making one --- */

static hwloc_bitmap_t
bitmap_of(const unsigned int *numbers, size_t count)
{
	hwloc_bitmap_t bitmap = hwloc_bitmap_alloc();
	for (size_t i = 0; bitmap != NULL && i < count; i++) {
		if (hwloc_bitmap_set(bitmap, numbers[i]) == -1) {
			hwloc_bitmap_free(bitmap);
			bitmap = NULL;
		}
	}
	return bitmap;
}

/* Does hwloc know the PUs that the kernel lets us use? A source the user gave need not know all. */
static bool
is_plausible(hwloc_topology_t hwloc, hwloc_const_bitmap_t allowed)
{
	hwloc_const_bitmap_t known = hwloc_topology_get_topology_cpuset(hwloc);
	return has_own_source() ? hwloc_bitmap_intersects(known, allowed) != 0
				: hwloc_bitmap_isincluded(allowed, known) != 0;
}

int
machine_init_flat(struct machine *machine, const unsigned int *allowed,
		  size_t allowed_count, struct err *err)
{
	*machine = (struct machine){0};
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	size_t count = online > 0 ? (size_t)online : 1;
	machine->all_core_count = count > allowed_count ? count : allowed_count;
	machine->all_pu_count = machine->all_core_count;
	machine->cores = calloc(allowed_count, sizeof(*machine->cores));
	machine->pus = calloc(allowed_count, sizeof(*machine->pus));
	if (machine->cores == NULL || machine->pus == NULL) {
		machine_fini(machine);
		return err_no_memory(err);
	}
	for (size_t i = 0; i < allowed_count; i++) {
		machine->cores[i] = (struct machine_core){.pu_first = i, .pu_count = 1};
		machine->pus[i] = allowed[i];
	}
	machine->core_count = machine->pu_count = allowed_count;
	return 0;
}

int
machine_init_hwloc(struct machine *machine, const unsigned int *allowed,
		   size_t allowed_count, bool is_detailed, struct err *err)
{
	*machine = (struct machine){0};
	hwloc_bitmap_t bitmap = bitmap_of(allowed, allowed_count);
	if (bitmap == NULL)
		return err_no_memory(err);
	hwloc_topology_t hwloc = load_this_machine(is_detailed);
	int failed;
	if (hwloc == NULL || !is_plausible(hwloc, bitmap)) {
		failed = machine_init_flat(machine, allowed, allowed_count, err);
	} else if ((failed = fill(machine, hwloc, bitmap)) == -1) {
		machine_fini(machine);
		err_no_memory(err);
	}
	if (hwloc != NULL)
		hwloc_topology_destroy(hwloc);
	hwloc_bitmap_free(bitmap);
	return failed;
}

int
machine_init(struct machine *machine, const unsigned int *allowed, size_t allowed_count,
	     bool is_detailed, struct err *err)
{
	enum machine_sysfs found = MACHINE_SYSFS_NOT_PLAIN;
	if (!is_detailed && !has_own_source())
		found = machine_read_sysfs(machine, "", allowed, allowed_count);
	if (found == MACHINE_SYSFS_NO_MEMORY)
		return err_no_memory(err);
	if (found == MACHINE_SYSFS_READ)
		return 0;
	return machine_init_hwloc(machine, allowed, allowed_count, is_detailed, err);
}

int
machine_init_synthetic(struct machine *machine, const char *description,
		       const unsigned int *allowed, size_t allowed_count, struct err *err)
{
	*machine = (struct machine){0};
	hwloc_topology_t hwloc = load(description, true);
	if (hwloc == NULL)
		return err_set(err, ERR_USAGE, "not a synthetic topology: %s", description);
	int failed = -1;
	hwloc_bitmap_t bitmap =
	    allowed != NULL ? bitmap_of(allowed, allowed_count)
			    : hwloc_bitmap_dup(hwloc_topology_get_topology_cpuset(hwloc));
	if (bitmap != NULL)
		failed = fill(machine, hwloc, bitmap);
	if (failed == -1) {
		machine_fini(machine);
		err_no_memory(err);
	}
	hwloc_bitmap_free(bitmap);
	hwloc_topology_destroy(hwloc);
	return failed;
}

void
machine_fini(struct machine *machine)
{
	free(machine->cores);
	free(machine->pus);
	*machine = (struct machine){0};
}

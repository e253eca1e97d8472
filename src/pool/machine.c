/* machine.c: see machine.h. */
#include "pool/machine.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pool/hwloc_late.h"
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

/* hwloc, with a topology loaded. */
struct source {
	struct hwloc_late late;
	hwloc_topology_t topology;
};

static int
keep_type(const struct source *source, hwloc_obj_type_t type,
	  enum hwloc_type_filter_e filter)
{
	return source->late.topology_set_type_filter(source->topology, type, filter);
}

static int
keep_types(const struct source *source, bool is_detailed)
{
	static const hwloc_obj_type_t types[] = {HWLOC_OBJ_PACKAGE, HWLOC_OBJ_CORE,
						 HWLOC_OBJ_L4CACHE, HWLOC_OBJ_L3CACHE,
						 HWLOC_OBJ_L2CACHE};
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (keep_type(source, types[i], HWLOC_TYPE_FILTER_KEEP_ALL) == -1)
			return -1;
	if (is_detailed &&
	    keep_type(source, HWLOC_OBJ_L1CACHE, HWLOC_TYPE_FILTER_KEEP_ALL) == -1)
		return -1;
	/* Without groups a NUMA node that is part of a package would claim all of the package. */
	return keep_type(source, HWLOC_OBJ_GROUP, HWLOC_TYPE_FILTER_KEEP_STRUCTURE);
}

static int
set_filters(const struct source *source, bool is_detailed)
{
	if (source->late.topology_set_all_types_filter(
		source->topology, HWLOC_TYPE_FILTER_KEEP_NONE) == -1 ||
	    keep_types(source, is_detailed) == -1)
		return -1;
	/* Also the PUs outside of our cpuset, so that the machine can be told from our part of it. */
	return source->late.topology_set_flags(
	    source->topology,
	    HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED | HWLOC_TOPOLOGY_FLAG_NO_DISTANCES |
		HWLOC_TOPOLOGY_FLAG_NO_MEMATTRS | HWLOC_TOPOLOGY_FLAG_NO_CPUKINDS);
}

/* NULL `description`: this machine. -1 where hwloc cannot. */
static int
load(struct source *source, const char *description, bool is_detailed)
{
	const struct hwloc_late *late = &source->late;
	if (late->topology_init(&source->topology) == -1)
		return -1;
	if (set_filters(source, is_detailed) == 0 &&
	    (description == NULL ||
	     late->topology_set_synthetic(source->topology, description) == 0) &&
	    late->topology_load(source->topology) == 0)
		return 0;
	late->topology_destroy(source->topology);
	return -1;
}

static int
load_this_machine(struct source *source, bool is_detailed)
{
	if (has_own_source())
		return load(source, NULL, is_detailed);
	bool is_set[QUICK_COUNT];
	quick_begin(is_set);
	int failed = load(source, NULL, is_detailed);
	quick_end(is_set);
	return failed;
}

/* --- From hwloc's objects to tables --- */

static size_t
count_at(const struct source *source, int depth)
{
	return source->late.get_nbobjs_by_depth(source->topology, depth);
}

static size_t
count_of(const struct source *source, hwloc_obj_type_t type)
{
	return count_at(source, source->late.get_type_depth(source->topology, type));
}

static hwloc_obj_t
object_at(const struct source *source, int depth, size_t index)
{
	return source->late.get_obj_by_depth(source->topology, depth, (unsigned int)index);
}

/* The NUMA node around a core; NULL where there is none. */
static hwloc_obj_t
node_of(const struct source *source, hwloc_obj_t core)
{
	size_t count = count_at(source, HWLOC_TYPE_DEPTH_NUMANODE);
	for (size_t i = 0; i < count; i++) {
		hwloc_obj_t node = object_at(source, HWLOC_TYPE_DEPTH_NUMANODE, i);
		if (source->late.bitmap_isincluded(core->cpuset, node->cpuset))
			return node;
	}
	return NULL;
}

static hwloc_obj_t
outermost_cache_of(const struct source *source, hwloc_obj_t core)
{
	hwloc_obj_t cache = NULL;
	for (hwloc_obj_t above = core; above != NULL; above = above->parent)
		if (source->late.obj_type_is_dcache(above->type))
			cache = above;
	return cache;
}

static void
add_core(struct machine *machine, const struct source *source, hwloc_obj_t object,
	 hwloc_const_bitmap_t allowed)
{
	const struct hwloc_late *late = &source->late;
	struct machine_core core = {.pu_first = machine->pu_count};
	for (int pu = -1; (pu = late->bitmap_next(object->cpuset, pu)) != -1;)
		if (late->bitmap_isset(allowed, (unsigned int)pu))
			machine->pus[core.pu_first + core.pu_count++] = (unsigned int)pu;
	if (core.pu_count == 0)
		return;
	hwloc_obj_t package =
	    hwloc_get_ancestor_obj_by_type(source->topology, HWLOC_OBJ_PACKAGE, object);
	hwloc_obj_t node = node_of(source, object);
	hwloc_obj_t cache = outermost_cache_of(source, object);
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
add_caches(struct machine *machine, const struct source *source)
{
	int depth_count = source->late.topology_get_depth(source->topology);
	for (int depth = 0; depth < depth_count; depth++) {
		hwloc_obj_type_t type =
		    source->late.get_depth_type(source->topology, depth);
		if (!source->late.obj_type_is_dcache(type))
			continue;
		for (size_t i = 0; i < count_at(source, depth); i++)
			add_cache(machine, object_at(source, depth, i));
	}
}

/* How cores are told apart; a machine that hwloc knows only as PUs has one in each core. */
static hwloc_obj_type_t
core_type(const struct source *source)
{
	return count_of(source, HWLOC_OBJ_CORE) > 0 ? HWLOC_OBJ_CORE : HWLOC_OBJ_PU;
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
fill(struct machine *machine, const struct source *source, hwloc_const_bitmap_t allowed)
{
	int depth = source->late.get_type_depth(source->topology, core_type(source));
	machine->is_known = true;
	machine->all_core_count = count_at(source, depth);
	machine->all_pu_count = count_of(source, HWLOC_OBJ_PU);
	machine->all_package_count = count_of(source, HWLOC_OBJ_PACKAGE);
	machine->all_node_count = count_of(source, HWLOC_OBJ_NUMANODE);
	machine->cores = calloc(machine->all_core_count, sizeof(*machine->cores));
	machine->pus = calloc(machine->all_pu_count, sizeof(*machine->pus));
	if (machine->cores == NULL || machine->pus == NULL)
		return -1;
	for (size_t i = 0; i < machine->all_core_count; i++)
		add_core(machine, source, object_at(source, depth, i), allowed);
	add_caches(machine, source);
	return sort_by_node(machine);
}

static hwloc_bitmap_t
bitmap_of(const struct hwloc_late *late, const unsigned int *numbers, size_t count)
{
	hwloc_bitmap_t bitmap = late->bitmap_alloc();
	for (size_t i = 0; bitmap != NULL && i < count; i++) {
		if (late->bitmap_set(bitmap, numbers[i]) == -1) {
			late->bitmap_free(bitmap);
			bitmap = NULL;
		}
	}
	return bitmap;
}

/* The same, cut down to the numbers, or with all that there is; cleans up when it fails. */
static int
fill_from(struct machine *machine, const struct source *source,
	  const unsigned int *allowed, size_t allowed_count)
{
	const struct hwloc_late *late = &source->late;
	hwloc_bitmap_t bitmap =
	    allowed != NULL
		? bitmap_of(late, allowed, allowed_count)
		: late->bitmap_dup(late->topology_get_topology_cpuset(source->topology));
	int failed = bitmap == NULL ? -1 : fill(machine, source, bitmap);
	if (failed == -1)
		machine_fini(machine);
	late->bitmap_free(bitmap);
	return failed;
}

/* --- Making one --- */

/* One PU per core, nothing else known. */
static int
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

/* Does hwloc know the PUs that the kernel lets us use? A source the user gave need not know all. */
static bool
is_plausible(const struct source *source, const unsigned int *allowed, size_t allowed_count)
{
	size_t known_count = 0;
	hwloc_const_bitmap_t known =
	    source->late.topology_get_topology_cpuset(source->topology);
	for (size_t i = 0; i < allowed_count; i++)
		known_count += source->late.bitmap_isset(known, allowed[i]) != 0;
	return has_own_source() ? known_count > 0 : known_count == allowed_count;
}

int
machine_init_hwloc(struct machine *machine, const unsigned int *allowed,
		   size_t allowed_count, bool is_detailed, struct err *err)
{
	struct source source;
	int failed = 0;
	*machine = (struct machine){0};
	if (hwloc_late_open(&source.late) == 0 &&
	    load_this_machine(&source, is_detailed) == 0) {
		if (is_plausible(&source, allowed, allowed_count))
			failed = fill_from(machine, &source, allowed, allowed_count);
		source.late.topology_destroy(source.topology);
	}
	hwloc_late_close(&source.late);
	if (failed == -1)
		return err_no_memory(err);
	return machine->is_known ? 0
				 : machine_init_flat(machine, allowed, allowed_count, err);
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
	struct source source;
	int failed;
	*machine = (struct machine){0};
	if (hwloc_late_open(&source.late) == -1 || load(&source, description, true) == -1) {
		failed =
		    err_set(err, ERR_USAGE, "not a synthetic topology: %s", description);
	} else {
		failed = fill_from(machine, &source, allowed, allowed_count);
		source.late.topology_destroy(source.topology);
		if (failed == -1)
			err_no_memory(err);
	}
	hwloc_late_close(&source.late);
	return failed;
}

void
machine_fini(struct machine *machine)
{
	free(machine->cores);
	free(machine->pus);
	*machine = (struct machine){0};
}

/*
 * hwloc_late.h: hwloc's functions, loaded when they are needed.
 *
 * Most runs need none of them (see machine.h), and the three libraries that come with hwloc are
 * a tenth of the time that a run of one task takes: in the coordinator, and in every worker it
 * forks. So we are compiled with hwloc's header and not linked with it. Used by machine only.
 *
 * What hwloc's header defines inline may call functions that are not here, which then cannot be
 * linked: nothing can be forgotten.
 */
#ifndef PINION_HWLOC_LATE_H
#define PINION_HWLOC_LATE_H

#include <hwloc.h>

/* clang-format off */
#define HWLOC_LATE_FUNCTIONS(with) \
	with(bitmap_alloc) \
	with(bitmap_dup) \
	with(bitmap_free) \
	with(bitmap_isincluded) \
	with(bitmap_isset) \
	with(bitmap_next) \
	with(bitmap_set) \
	with(get_depth_type) \
	with(get_nbobjs_by_depth) \
	with(get_obj_by_depth) \
	with(get_type_depth) \
	with(obj_type_is_dcache) \
	with(topology_destroy) \
	with(topology_get_depth) \
	with(topology_get_topology_cpuset) \
	with(topology_init) \
	with(topology_load) \
	with(topology_set_all_types_filter) \
	with(topology_set_flags) \
	with(topology_set_synthetic) \
	with(topology_set_type_filter)
/* clang-format on */

/* NOLINTNEXTLINE(bugprone-macro-parentheses): a name that is declared takes none. */
#define HWLOC_LATE_POINTER(name) __typeof__(hwloc_##name) *name;

struct hwloc_late {
	void *handle;
	HWLOC_LATE_FUNCTIONS(HWLOC_LATE_POINTER)
};

/* 0, or -1 where there is no hwloc to be had. Then, too, hwloc_late_close is right. */
int hwloc_late_open(struct hwloc_late *hwloc);
void hwloc_late_close(struct hwloc_late *hwloc);

#endif

/* hwloc_late.c: see hwloc_late.h. */
#include "pool/hwloc_late.h"

#include <dlfcn.h>

#define HWLOC_LIBRARY "libhwloc.so.15"
_Static_assert(HWLOC_API_VERSION >> 16 == 2, HWLOC_LIBRARY " is hwloc 2");

int
hwloc_late_open(struct hwloc_late *hwloc)
{
	/* Global, for the sake of its plugins. */
	void *handle = dlopen(HWLOC_LIBRARY, RTLD_LAZY | RTLD_GLOBAL);
	*hwloc = (struct hwloc_late){.handle = handle};
	if (hwloc->handle == NULL)
		return -1;
#define HWLOC_LATE_LOAD(name)                                          \
	*(void **)&hwloc->name = dlsym(hwloc->handle, "hwloc_" #name); \
	if (hwloc->name == NULL)                                       \
		return -1;
	HWLOC_LATE_FUNCTIONS(HWLOC_LATE_LOAD)
	return 0;
}

void
hwloc_late_close(struct hwloc_late *hwloc)
{
	if (hwloc->handle != NULL)
		dlclose(hwloc->handle);
	*hwloc = (struct hwloc_late){0};
}

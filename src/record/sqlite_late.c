/* sqlite_late.c: see sqlite_late.h. */
#include "record/sqlite_late.h"

#include <dlfcn.h>
#include <stddef.h>

#define SQLITE_LIBRARY "libsqlite3.so.0"

int
sqlite_late_open(struct sqlite_late *sqlite, struct err *err)
{
	*sqlite = (struct sqlite_late){.handle = dlopen(SQLITE_LIBRARY, RTLD_NOW)};
	if (sqlite->handle == NULL)
		return err_set(err, ERR_SYSTEM, "a run file needs SQLite: %s", dlerror());
#define SQLITE_LATE_LOAD(name)                                                         \
	*(void **)&sqlite->name = dlsym(sqlite->handle, "sqlite3_" #name);             \
	if (sqlite->name == NULL)                                                      \
		return err_set(err, ERR_SYSTEM, "a run file needs a newer SQLite: %s", \
			       dlerror());
	SQLITE_LATE_FUNCTIONS(SQLITE_LATE_LOAD)
	return 0;
}

void
sqlite_late_close(struct sqlite_late *sqlite)
{
	if (sqlite->handle != NULL)
		dlclose(sqlite->handle);
	*sqlite = (struct sqlite_late){0};
}

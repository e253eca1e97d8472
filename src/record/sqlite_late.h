/*
 * sqlite_late.h: SQLite's functions, loaded when they are needed.
 *
 * Only a run with a run file needs them, and there only the recorder, which is a process of its
 * own: loading libsqlite3 and libm costs as much as all else that happens before main. So we are
 * compiled with SQLite's header and not linked with it.
 *
 * A function that is not in this list cannot be called: nothing can be forgotten.
 */
#ifndef PINION_SQLITE_LATE_H
#define PINION_SQLITE_LATE_H

#include <sqlite3.h>

#include "base/err.h"

/* clang-format off */
#define SQLITE_LATE_FUNCTIONS(with) \
	with(bind_blob64) \
	with(bind_int64) \
	with(bind_null) \
	with(bind_text64) \
	with(busy_timeout) \
	with(close) \
	with(column_blob) \
	with(column_bytes) \
	with(column_int64) \
	with(column_text) \
	with(column_type) \
	with(errmsg) \
	with(exec) \
	with(finalize) \
	with(open_v2) \
	with(prepare_v2) \
	with(reset) \
	with(step) \
	with(system_errno) \
	with(wal_autocheckpoint)
/* clang-format on */

/* NOLINTNEXTLINE(bugprone-macro-parentheses): a name that is declared takes none. */
#define SQLITE_LATE_POINTER(name) __typeof__(sqlite3_##name) *name;

struct sqlite_late {
	void *handle;
	SQLITE_LATE_FUNCTIONS(SQLITE_LATE_POINTER)
};

/* 0, or -1 and err where there is no SQLite to be had. Then, too, sqlite_late_close is right. */
int sqlite_late_open(struct sqlite_late *sqlite, struct err *err);
void sqlite_late_close(struct sqlite_late *sqlite);

#endif

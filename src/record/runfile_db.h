/*
 * runfile_db.h: the run file as a database: opened, checked, made; statements and their errors.
 *
 * pinion-run-file(5) documents the schema; the number in RUNFILE_SCHEMA_VERSION is that of the
 * page, and is in the file as PRAGMA user_version. A file with another one is refused, as is
 * one with another application_id.
 *
 * Used by the recorder, a process of its own, and by what reads a record. Functions wait for the
 * disk, so the coordinator calls none of them.
 */
#ifndef PINION_RUNFILE_DB_H
#define PINION_RUNFILE_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "record/sqlite_late.h"

#define RUNFILE_APPLICATION_ID 0x50696e52 /* "PinR" */
#define RUNFILE_SCHEMA_VERSION 3

/* Those of the table of tasks; SQLite reads them from 0 on, but binds them from 1 on. */
#define RUNFILE_TASK_COLUMNS                                                           \
	"id, run_id, stage, seq, identity, reason, exit, signal, errno, attempts,"     \
	" started_ns, wall_ns, user_ns, sys_ns, maxrss_bytes, worker, slot, cpu, pid," \
	" stdout_bytes, stderr_bytes, inputs, argv, overrides, stdout, stderr"

enum runfile_task_column {
	COLUMN_ID,
	COLUMN_RUN_ID,
	COLUMN_STAGE,
	COLUMN_SEQ,
	COLUMN_IDENTITY,
	COLUMN_REASON,
	COLUMN_EXIT,
	COLUMN_SIGNAL,
	COLUMN_ERRNO,
	COLUMN_ATTEMPTS,
	COLUMN_STARTED,
	COLUMN_WALL,
	COLUMN_USER,
	COLUMN_SYS,
	COLUMN_MAXRSS,
	COLUMN_WORKER,
	COLUMN_SLOT,
	COLUMN_CPU,
	COLUMN_PID,
	COLUMN_STDOUT_BYTES,
	COLUMN_STDERR_BYTES,
	COLUMN_INPUTS,
	COLUMN_ARGV,
	COLUMN_OVERRIDES,
	COLUMN_STDOUT,
	COLUMN_STDERR,
	COLUMN_COUNT,
};

struct runfile_db {
	struct sqlite_late sqlite;
	sqlite3 *handle;
	const char *path; /* borrowed; for messages */
};

/*
 * Opens a file that is there, may be empty, and is then made a run file if `is_writer`. Zero and
 * empty are fine to close. -1 and err: also when it is not ours.
 */
int runfile_db_open(struct runfile_db *db, const char *path, bool is_writer,
		    struct err *err);
void runfile_db_close(struct runfile_db *db);

/* SQL without results. */
int runfile_db_exec(const struct runfile_db *db, const char *sql, struct err *err);

/* To be finalized by sqlite.finalize, also when it is NULL: then err. */
sqlite3_stmt *runfile_db_prepare(const struct runfile_db *db, const char *sql,
				 struct err *err);

/* One step: 1: a row; 0: done, and the statement is ready for another time; -1 and err. */
int runfile_db_step(const struct runfile_db *db, sqlite3_stmt *statement, struct err *err);

#endif

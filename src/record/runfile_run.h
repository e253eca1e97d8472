/*
 * runfile_run.h: the row of a run: when it begins and when it ends. The recorder's.
 */
#ifndef PINION_RUNFILE_RUN_H
#define PINION_RUNFILE_RUN_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "record/records.h"
#include "record/runfile_db.h"
#include "record/runfile_past.h"
#include "record/runfile_wire.h"

/* Of the coordinator. */
struct run_origin {
	int pid;
	int64_t started_real_ns; /* before its first task could start */
};

/* `pid` is the coordinator's. Also takes away what a run that was killed had written of tasks that did not end. */
/* Also takes away what a run that was killed had written of tasks that did not end. */
int runfile_run_begin(const struct runfile_db *db, const struct records_config *config,
		      const struct run_origin *origin, const struct past *past,
		      int64_t *run_id, struct err *err);

/* The last transaction, which is on disk when this returns 0. */
int runfile_run_end(const struct runfile_db *db, int64_t run_id,
		    const struct wire_end *end, struct err *err);

/* "run k3x9 (process 4711 on host mill, since 2026-11-20 23:00:01)" of the last run; -1: there is none. */
int runfile_run_describe(const struct runfile_db *db, char *text, size_t text_bytes);

#endif

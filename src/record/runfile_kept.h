/*
 * runfile_kept.h: what tasks of runs before had put out, for stages whose tasks are not to be run
 * again: what they gave to the next stage is in the run file. The recorder's.
 *
 * Owns a temporary table of which rows these are, by identity; each is given once, those of the
 * first seqs first, so that of two tasks with the same values each gets its own. About 50 bytes of
 * memory for each.
 */
#ifndef PINION_RUNFILE_KEPT_H
#define PINION_RUNFILE_KEPT_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "record/runfile_db.h"
#include "task/history.h"

/* Zero: there are none. */
struct kept {
	const struct runfile_db *db; /* borrowed until kept_fini */
	sqlite3_stmt *insert;
	sqlite3_stmt *find;
	sqlite3_stmt *remove;
	sqlite3_stmt *row;
	sqlite3_stmt *pieces;
};

/* After -1, too, kept_fini is right. */
int kept_init(struct kept *kept, const struct runfile_db *db, struct err *err);
void kept_fini(struct kept *kept);

/* The task of a stage with this row has succeeded; `identity` are IDENTITY_BYTES. */
int kept_add(struct kept *kept, uint32_t stage, const void *identity, int64_t seq,
	     int64_t task_id, struct err *err);

/* Takes one of these out, and gives its stdout away: 1; 0: there is none; -1 and err. */
int kept_take(struct kept *kept, uint32_t stage, const void *identity, history_take *take,
	      void *context, struct err *err);

#endif

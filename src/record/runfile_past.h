/*
 * runfile_past.h: what a run file says of the runs before this one. The recorder's, and of what
 * shows a record.
 *
 * A run that resumes goes on with the last one: the two, and those that the last one resumed, are
 * a chain, which begins with a run that resumed none. What was done is what the chain has done.
 * A failure counts as long as no later run of the chain was asked to try it again and did: runs
 * that retry failures take as many failures from the runs before them as they have tasks with the
 * same identity. In a job of stages all this is about one of them: tasks are known by the command
 * of their stage, too.
 */
#ifndef PINION_RUNFILE_PAST_H
#define PINION_RUNFILE_PAST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "record/identity.h"
#include "record/runfile_db.h"
#include "task/result.h"
#include "task/spec.h"
#include "task/task.h"

/* What is resumed of a run file: with a joblog to retry from, the record begins anew. */
enum spec_resume past_resume(const struct spec *spec);

struct past {
	const struct spec *spec; /* of the stage that it is about, or of the job; borrowed */
	int64_t last_run_id;     /* 0: there is none */
	bool is_ended;           /* it said so itself */
	int64_t first_task_id;   /* of the chain */
	int64_t next_task_id;    /* of a run that begins now */
	struct identity command; /* of the last run, and its columns */
	size_t column_count;
	struct arg *names;
	size_t name_count;
	size_t name_capacity;
	struct buf packed_names;
};

/* After -1, too, past_fini is right. */
int past_find(const struct runfile_db *db, const struct spec *spec, struct past *past,
	      struct err *err);
void past_fini(struct past *past);

/* Called for tasks of the chain, one by one. 0, or -1 and err, which ends it. */
typedef int past_each(void *context, sqlite3_stmt *row, struct err *err);

/* The first columns of the rows that are given to past_each; those behind PAST_SLOT of failed ones. */
enum past_column {
	PAST_IDENTITY,
	PAST_ID,
	PAST_SUCCESS,
	PAST_SEQ,
	PAST_REASON,
	PAST_EXIT,
	PAST_SIGNAL,
	PAST_STARTED,
	PAST_WALL,
	PAST_STDOUT_BYTES,
	PAST_SLOT,
	PAST_INPUTS,
	PAST_OVERRIDES,
};

/* How the task of a row has ended: as much of it as a joblog tells. */
struct result past_read_end(const struct runfile_db *db, sqlite3_stmt *row);

/* Those that need not be run again, as `resume` has it: SPEC_RESUME_REST or SPEC_RESUME_FAILED. */
int past_each_done(const struct runfile_db *db, const struct past *past,
		   enum spec_resume resume, past_each *each, void *context,
		   struct err *err);

/* Those that have failed, by all that the chain says. */
int past_each_failed(const struct runfile_db *db, const struct past *past,
		     past_each *each, void *context, struct err *err);

#endif

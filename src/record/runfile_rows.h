/*
 * runfile_rows.h: what happens to tasks, as rows of the run file. The recorder's.
 *
 * Outputs come before the row of their task: they are kept until it settles, or longer ones
 * written as rows of `output` under the id that the task is going to have; without a row in
 * `task` they are nothing. All outputs kept are bounded together.
 *
 * Opens a transaction when there is something to write; commits when it is told to.
 */
#ifndef PINION_RUNFILE_ROWS_H
#define PINION_RUNFILE_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "record/identity.h"
#include "record/runfile_db.h"
#include "record/runfile_wire.h"
#include "task/template.h"

struct rows;

/* What the tasks of a stage are made by. */
struct rows_stage_config {
	const struct spec *spec;
	const struct template *command;
	size_t column_count;
};

/* All borrowed until rows_free. */
struct rows_config {
	const struct runfile_db *db;
	const struct rows_stage_config *stages; /* only until rows_new returns */
	size_t stage_count;                     /* one at least */
	int64_t run_id;
	int64_t first_task_id;
};

struct rows *rows_new(const struct rows_config *config, struct err *err);
void rows_free(struct rows *rows);

/* Which of them all that follows is about; the first to begin with. */
void rows_set_stage(struct rows *rows, size_t index);

int rows_output(struct rows *rows, const struct wire_output *output, const char *bytes,
		size_t length, struct err *err);
int rows_retried(struct rows *rows, const struct wire_output *output, struct err *err);
int rows_settled(struct rows *rows, const struct wire_settled *settled, const char *args,
		 size_t args_bytes, struct err *err);

/* `answers` are not aligned: they come as they lie in a frame. */
int rows_answered(struct rows *rows, const struct wire_answered *answered,
		  const char *answers, const char *outputs, const char *args,
		  size_t args_bytes, struct err *err);

/* The end: what those wrote that have not settled is not kept. */
int rows_end(struct rows *rows, struct err *err);

int rows_commit(struct rows *rows, struct err *err);

#endif

/*
 * records.h: all that is kept of a run, as its options ask.
 *
 * Opens the joblog, the results, the run file and whatever else there is; hands their sinks and
 * histories to whoever builds the run, and frees them. Knows of each only how to open it: what
 * a record is, and when it counts, is in its own file.
 */
#ifndef PINION_RECORDS_H
#define PINION_RECORDS_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "task/history.h"
#include "task/sink.h"
#include "task/source.h"
#include "task/spec.h"
#include "task/template.h"

#define RECORDS_MAX 4

/* Borrowed until records_close. */
struct records_config {
	const struct spec *spec;
	const struct template *command;
	const struct arg *names; /* of the columns; NULL: none */
	size_t name_count;
	size_t column_count;
	const char *run_name;
	size_t worker_count;
};

/* Zero: none. */
struct records {
	struct sink *sinks[RECORDS_MAX];
	size_t sink_count;
	struct history *histories[RECORDS_MAX];
	size_t history_count;
	struct source *source; /* of --retry-failed, in place of the inputs; NULL: none, or taken */
	struct buf notes; /* for the user, a line each */
	struct joblog *joblog;
};

/* Before the first worker is made. After -1 and err they are still to be closed. */
int records_open(struct records *records, const struct records_config *config,
		 struct err *err);
void records_close(struct records *records);

#endif

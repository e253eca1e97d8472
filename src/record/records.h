/*
 * records.h: all that is kept of a run, as its options ask.
 *
 * Opens the joblog, the results, the run file and whatever else there is; hands their sinks and
 * histories to whoever builds the run, and frees them. Knows of each only how to open it: what
 * a record is, and when it counts, is in its own file.
 */
#ifndef PINION_RECORDS_H
#define PINION_RECORDS_H

#include <stdbool.h>
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
	char *const *argv; /* "pinion", the verb, its words; NULL-terminated */
	size_t worker_count;
	const size_t *shares; /* threads for the tasks of each worker; only until records_open returns */
	size_t cpu_count; /* of the budget */
	/*
	 * The stages that feed this one, the last, in their order: a run file records all of
	 * them. Only until records_open returns.
	 */
	const struct records_config *before;
	size_t before_count;
};

/* Zero: none. */
struct records {
	struct sink *sinks[RECORDS_MAX];
	size_t sink_count;
	struct history *histories[RECORDS_MAX];
	size_t history_count;
	struct history *past; /* the one of these that recalls; NULL: none, or not needed */
	struct source *source; /* of --retry-failed, in place of the inputs; NULL: none, or taken */
	const struct arg *names; /* of the columns that the source has; NULL: none */
	size_t name_count;
	size_t column_count;
	struct buf notes; /* for the user, a line each */
	struct joblog *joblog;
	struct runfile *runfile;
	bool keeps_output; /* what tasks print goes into a record, and is not to be shown */
	bool has_front;    /* records are shown in its place: see records_open_front */
	struct sink *front;
};

/* How a run ended. */
enum records_outcome {
	RECORDS_COMPLETE,
	RECORDS_HALTED,
	RECORDS_DEADLINE,
	RECORDS_DRAINED,
	RECORDS_SIGNALLED, /* whoever waits for us waits no longer than a second for a slow disk */
	RECORDS_READER_GONE,
	RECORDS_BROKEN,
	RECORDS_FAILED,
};

/* Before the first worker is made. After -1 and err they are still to be closed. */
int records_open(struct records *records, const struct records_config *config,
		 struct err *err);

/*
 * For a stage before the last one, after its own were opened: what `last` records of all stages.
 * It is the index-th of those that are run.
 */
void records_share(struct records *records, const struct records *last, size_t index);

/*
 * With has_front: the sink that the run gets in place of `output`, which is borrowed until
 * records_close. NULL and err.
 */
struct sink *records_open_front(struct records *records,
				const struct records_config *config, struct sink *output,
				struct err *err);

/* After the run. 0: all that they keep is on disk. */
int records_finish(struct records *records, enum records_outcome outcome, int exit_status,
		   struct err *err);
void records_close(struct records *records);

#endif

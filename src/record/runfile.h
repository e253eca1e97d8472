/*
 * runfile.h: --run-file: the coordinator's half. Tells the recorder (runfile_recorder.h) what
 * happens, as a sink; knows what need not be run again, as a history; or brings back what is to be
 * run again, as a source. Sinks and histories are one for each stage, by their index among those
 * that are run; the history of one before the last also recalls what its tasks had put out.
 *
 * The sink writes to a pipe at the end of each turn and never waits for it. With more than
 * RUNFILE_PENDING_MAX left to say it is behind, and no more results are read.
 */
#ifndef PINION_RUNFILE_H
#define PINION_RUNFILE_H

#include <stdbool.h>

#include "record/records.h"

#define RUNFILE_PENDING_MAX (4 * 1024 * 1024)

struct runfile;

/*
 * Locks the file, starts the recorder and hears what was before this run. ERR_LOCKED: another
 * run has it. Before the first worker is made, and before there is a thread.
 */
struct runfile *runfile_open(const struct records_config *config, struct err *err);

/* Each NULL where there is none of it; freed by runfile_free. */
struct sink *runfile_sink(struct runfile *runfile, size_t index);
struct history *runfile_history(struct runfile *runfile, size_t index);

/*
 * How a task of the last stage had ended that its history has just said is done; borrowed.
 * NULL: there was no joblog to ask, and it is not known.
 */
const struct result *runfile_end_of(struct runfile *runfile, const struct arg *args,
				    size_t arg_count);

/*
 * --retry-failed: the tasks that have failed, once, and what their columns were called, borrowed.
 * The source is the caller's. With a joblog, too, that is the source.
 */
bool runfile_has_source(const struct spec *spec);
const struct arg *runfile_names(const struct runfile *runfile, size_t *name_count,
				size_t *column_count);
struct source *runfile_source(struct runfile *runfile, struct err *err);

/* How the run ended. After 0 all of it is on disk. */
int runfile_finish(struct runfile *runfile, enum records_outcome outcome, int exit_status,
		   struct err *err);
void runfile_free(struct runfile *runfile);

#endif

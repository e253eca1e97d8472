/*
 * joblog.h: --joblog: one line for each task that has ended, as GNU parallel writes it, and what
 * --resume, --resume-failed and --retry-failed do with the lines of an earlier run.
 *
 * A task is recorded when its last attempt has ended and its output is out; one that was
 * cancelled or never started is not. The sink writes, the history knows what was done before,
 * checking that each recorded command is the one that this job would run, and the source (for
 * --retry-failed) gives the failed commands themselves. All are borrowed from the joblog.
 */
#ifndef PINION_JOBLOG_H
#define PINION_JOBLOG_H

#include "base/buf.h"
#include "base/err.h"
#include "task/history.h"
#include "task/sink.h"
#include "task/source.h"
#include "task/spec.h"
#include "task/template.h"

struct joblog;

/* All borrowed until joblog_close. */
struct joblog_config {
	const struct spec *spec;
	const struct template *command;
	size_t column_count; /* for struct template_values */
};

/* NULL and err: no memory, the file cannot be used, or it is not a joblog, or another run's. */
struct joblog *joblog_open(const struct joblog_config *config, struct err *err);

/* NULL: nothing is written (--dry-run). */
struct sink *joblog_sink(struct joblog *joblog);

/*
 * One more record, of a task that was done before this run: it goes out with the next flush, or
 * at the end.
 */
int joblog_add(struct joblog *joblog, uint64_t seq, const struct arg *args,
	       size_t arg_count, const struct result *result, struct err *err);

/* NULL: nothing was done before. */
struct history *joblog_history(struct joblog *joblog);

/* --retry-failed: a source of its own, source_free ends it. NULL and err: no memory. */
struct source *joblog_source_new(struct joblog *joblog, struct err *err);

/* What the user should know of the log, a line each. 0, -1 without memory. */
int joblog_append_notes(const struct joblog *joblog, struct buf *notes);

void joblog_close(struct joblog *joblog);

#endif

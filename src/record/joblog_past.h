/*
 * joblog_past.h: what a joblog says of the runs before.
 *
 * Takes its lines one after the other, without reading any itself, and keeps of each task a few
 * bits: whether it succeeded, and what its command was, as a number. A last line that was cut
 * short by the end of a run is no record; anything else that is none means that this is no joblog.
 */
#ifndef PINION_JOBLOG_PAST_H
#define PINION_JOBLOG_PAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/seqset.h"

/* Where in the file the record of a failed task is. */
struct joblog_failure {
	uint64_t seq;
	uint64_t at;
	size_t length; /* without the newline */
};

/* Zero-initialise; keeps_failures, if wanted, before the first line. */
struct joblog_past {
	bool keeps_failures;
	struct seqset seqs;    /* bits: see joblog_past_* below */
	uint64_t failed_count; /* members without a success */
	uint64_t line_count;
	uint64_t end;       /* in the file: behind the last record or header */
	uint64_t torn_line; /* its number, from 1; 0: the file ends well */
	struct joblog_failure *failures;
	size_t failure_count;
	size_t failure_capacity;
};

/* The next line, without its newline, which begins at `at`. -1 and err: no joblog, or no memory. */
int joblog_past_take(struct joblog_past *past, uint64_t at, const char *bytes,
		     size_t length, struct err *err);

/*
 * The end of the file; `length` bytes behind the last newline. Leaves of the failures those of
 * tasks without a success, one each, in the order of seqs. -1 and err: no joblog.
 */
int joblog_past_finish(struct joblog_past *past, const char *bytes, size_t length,
		       struct err *err);

enum joblog_verdict { JOBLOG_UNKNOWN, JOBLOG_FAILED, JOBLOG_SUCCEEDED };

enum joblog_verdict joblog_past_find(struct joblog_past *past, uint64_t seq);

/* Of a task that is known: whether the command may have been that of this number. */
bool joblog_past_was(struct joblog_past *past, uint64_t seq, uint32_t hash);

void joblog_past_fini(struct joblog_past *past);

#endif

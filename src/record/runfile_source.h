/*
 * runfile_source.h: the tasks of a record that are to be run again, as a source.
 *
 * Each has the seq it had; those in between come out as not asked for, so that the order, {#} and
 * the messages are those of the recorded run.
 */
#ifndef PINION_RUNFILE_SOURCE_H
#define PINION_RUNFILE_SOURCE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "task/source.h"

/* One more task, in the order of their seqs. 0, -1 without memory. */
int runfile_source_add(struct buf *tasks, uint64_t seq, uint32_t arg_count,
		       const char *packed, size_t packed_bytes);

/* `tasks` as runfile_source_add made it, or empty. Takes it over. */
struct source *runfile_source_new(struct buf *tasks, struct err *err);

#endif

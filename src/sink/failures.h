/*
 * failures.h: how many tasks ended how, and the first few that failed, for the summary on
 * stderr.
 *
 * Owns the counts, the FAILURES_SHOWN failed tasks with the lowest seqs and, for each
 * kind of failure, a hint where there is a common mistake behind it. Writes nothing
 * itself.
 */
#ifndef PINION_FAILURES_H
#define PINION_FAILURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "task/sink.h"
#include "task/template.h"

#define FAILURES_SHOWN 5
#define FAILURES_LINE_CHARS 100 /* longer command lines are cut */

struct failures_config {
	const struct template *command; /* borrowed; NULL: no command lines, no hints */
	size_t column_count;            /* for struct template_values */
	bool keeps_tails; /* the last lines that failed tasks have printed are told, too */
	bool has_overrides; /* each task's first value is that (override.h) */
};

/* Tasks, not attempts. */
struct failures_counts {
	uint64_t done;   /* exit 0 */
	uint64_t failed; /* by themselves: exit, signal, timeout, cannot execute, lost */
	uint64_t mute; /* of them, those nobody can have heard of: cannot execute, lost */
	uint64_t cancelled; /* we ended them */
	uint64_t skipped;   /* never started */
	uint64_t passed;    /* done before this run */
};

struct sink *failures_new(const struct failures_config *config, struct err *err);

void failures_get_counts(const struct sink *sink, struct failures_counts *counts);

/*
 * Appends lines such as these, nothing when all tasks were done now:
 *   3 of 200 tasks failed (2 exit 1, 1 timed out), 4 never started, 90 done before
 *     task 17: exit 1: convert 'a b.jpg' out.png
 *     task 20: exit 1: [its id]: convert c.jpg out.png
 *     ... and 2 more
 *     hint: ...
 * Control bytes are \xHH, so that a file name cannot drive the terminal. 0, -1 without
 * memory.
 */
int failures_summary(const struct sink *sink, struct buf *text, struct err *err);

#endif

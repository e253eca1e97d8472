/*
 * link.h: what lies between two stages: a sink of the one, and the source of the next.
 *
 * Keeps what a task puts out until it has succeeded; then it is tasks of the next stage: each
 * line, the output as a whole without its last newline, or each line as a JSON object (spec.h,
 * pass). What a task that failed has put out goes no further. In order, the tasks that come of
 * one stand behind those that come of the tasks before it; else as these settle. Each carries
 * the seqs of those it came from (override.h), one for each stage before.
 *
 * A task that was done before this run gives what it had put out then.
 *
 * Bounded: with as many lines waiting as the next stage's window (10000 at most), or as many bytes
 * as there is memory for, the sink is behind. What it keeps is in memory up to a budget, then in an
 * unlinked file (spill.h).
 *
 * Owns all that. The source ends when the plan of the stage before has settled all it had and
 * nothing waits any more.
 */
#ifndef PINION_LINK_H
#define PINION_LINK_H

#include "base/err.h"
#include "ipc/blocks.h"
#include "task/history.h"
#include "task/plan.h"
#include "task/sink.h"
#include "task/source.h"
#include "task/spec.h"

struct link;

/* All borrowed until link_free. */
struct link_config {
	const struct spec *from;
	const struct spec *to;
	const struct plan *plan; /* of the stage before */
	struct history *past; /* what its tasks had put out that were done before; NULL: none were */
	struct blocks *blocks; /* where its large outputs come in */
	uint64_t buffer_bytes; /* kept in memory */
};

struct link *link_new(const struct link_config *config, struct err *err);

/*
 * Whose source it is, borrowed until link_free. What still comes in when that plan has been stopped
 * is for nobody: it is not kept, and holds back nothing.
 */
void link_set_taker(struct link *link, const struct plan *taker);

/* Both are parts of the link; to free them does nothing. */
struct sink *link_sink(struct link *link);
struct source *link_source(struct link *link);

/*
 * How many lines were no JSON objects, and so no tasks, and what was wrong with the first one,
 * borrowed. Where --halt ends the job at failures, the first one ends it.
 */
uint64_t link_refused(const struct link *link, const struct err **first);

void link_free(struct link *link);

#endif

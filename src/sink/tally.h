/*
 * tally.h: a sink that adds up what the tasks of a run cost, for pinion bench.
 *
 * Adds to a tally that is the caller's, which may be in memory that processes share. Keeps
 * nothing else, prints nothing.
 */
#ifndef PINION_TALLY_H
#define PINION_TALLY_H

#include <stdint.h>

#include "base/err.h"
#include "task/median.h"
#include "task/sink.h"

/* Zero: of no tasks. */
struct tally {
	uint64_t task_count; /* that were started */
	uint64_t failed_count;
	int64_t wall_ns; /* of all of them together, all their attempts */
	int64_t cpu_ns;  /* the same */
	int64_t longest_ns;
	uint64_t longest_seq;
	int64_t first_started_ns; /* since 1970 */
	int64_t last_ended_ns;
	uint64_t output_bytes;
	struct median median; /* of their wall time */
};

struct sink *tally_sink_new(struct tally *tally, struct err *err);

#endif

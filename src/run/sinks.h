/*
 * sinks.h: the sinks of a run, as one.
 *
 * Passes each call on to all of them; to records the ends of tasks when their output is out
 * (late.h). A sink whose function fails is not called again (but freed by its owner): what it
 * holds is no longer sound, and the run ends anyway. Owns none of them.
 */
#ifndef PINION_SINKS_H
#define PINION_SINKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "run/late.h"
#include "task/sink.h"

#define SINKS_MAX 8
#define SINKS_FDS_MAX (2 * SINKS_MAX)

struct sinks {
	struct sink *items[SINKS_MAX];
	size_t count;
	bool has_failed[SINKS_MAX];
	struct buf scratch; /* a task out of a chunk, for a sink that takes one at a time */
	struct late late;
	uint64_t settled_count; /* tasks that settled or answered */
};

void sinks_fini(struct sinks *sinks);

/* As the functions of one sink (sink.h); err is that of the last that failed. */
int sinks_started(struct sinks *sinks, const struct task *task, uint32_t slot,
		  struct err *err);
int sinks_output(struct sinks *sinks, const struct task *task, enum result_stream stream,
		 const char *bytes, size_t length, struct err *err);
int sinks_retried(struct sinks *sinks, const struct task *task,
		  const struct result *result, struct err *err);
int sinks_settled(struct sinks *sinks, const struct task *task,
		  const struct result *result, struct err *err);
int sinks_answered(struct sinks *sinks, const struct task *chunk,
		   const struct answers *answers, struct err *err);
int sinks_passed(struct sinks *sinks, const struct task *chunk, struct err *err);
int sinks_flush(struct sinks *sinks, struct err *err);
int sinks_finish(struct sinks *sinks, struct err *err);

/* Only of the records, where the output did not come to its end. */
int sinks_finish_records(struct sinks *sinks, struct err *err);

bool sinks_is_behind(const struct sinks *sinks);
bool sinks_is_done(const struct sinks *sinks);

/* Whether what the records were told would outlive us, after a flush. */
bool sinks_has_recorded(const struct sinks *sinks);

uint64_t sinks_window_end(const struct sinks *sinks);
uint64_t sinks_outputs_end(const struct sinks *sinks);
size_t sinks_wait_fds(const struct sinks *sinks, int fds[SINKS_FDS_MAX]);

#endif

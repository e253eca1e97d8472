/*
 * runfile_tasks.h: a run and all its tasks, one after the other, to be reported on.
 *
 * Sees the file as it stands when it is opened, whatever a run writes to it meanwhile, and
 * never writes. One task is in memory at a time, and of its output a piece.
 */
#ifndef PINION_RUNFILE_TASKS_H
#define PINION_RUNFILE_TASKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "record/reading.h"
#include "task/result.h"
#include "task/task.h"

/* A run, and what all its tasks come to. */
struct runfile_overview {
	int64_t id;
	int64_t resumes; /* the run it goes on with; 0: none */
	char *name;
	char *verb;
	char *host;
	char *version; /* of the pinion that ran it */
	char *cwd;
	struct runfile_words command; /* where there are stages the words of the verb */
	int worker_count;
	int cpu_count;
	int64_t started_real_ns;
	int64_t ended_real_ns; /* 0: it has no end */
	char *outcome;         /* NULL: it has no end */
	int exit_status;
	uint64_t passed_count; /* done before, so not run */
	bool is_live;          /* it has no end because it goes on */
	bool is_last;          /* of those in the file */

	uint64_t task_count;
	uint64_t done_count;
	uint64_t cancelled_count;
	uint64_t skipped_count;
	uint64_t ran_count;    /* those that were started; the rest is about them */
	uint32_t slot_count;   /* of all stages */
	char *stages;          /* their names; NULL: there are none */
	int64_t first_real_ns; /* the first one's start, the last one's end */
	int64_t last_real_ns;
	int64_t shortest_ns;
	int64_t longest_ns;
	int64_t wall_ns; /* of all together */
	int64_t cpu_ns;
	uint64_t measured_count; /* those whose cpu_ns and memory are known */
	int64_t maxrss_bytes;    /* the largest */
};

struct runfile_ended {
	uint64_t seq;
	const char *stage; /* its name; NULL: there are none. Until the next one */
	uint32_t lane; /* its slot, from 1, among those of all stages; 0: it had none */
	uint32_t attempts;
	bool has_run;
	bool is_measured; /* processor time and memory are known */
	struct result result;
};

struct runfile_tasks;

/* `run_id` 0: the last run. `path` is borrowed. ERR_USAGE: there is no such run. */
struct runfile_tasks *runfile_tasks_open(const char *path, int64_t run_id, struct err *err);
void runfile_tasks_close(struct runfile_tasks *tasks);

/* Valid until the close. */
const struct runfile_overview *runfile_tasks_overview(const struct runfile_tasks *tasks);

/* The next in order of stages and seqs: 1; 0: there is none; -1 and err. */
int runfile_tasks_next(struct runfile_tasks *tasks, struct runfile_ended *task,
		       struct err *err);

/*
 * How long the n-th longest ran, from 1, and how many ran longer, which are fewer than n; 0 and
 * all of them where there are not so many.
 */
int runfile_tasks_nth_longest(struct runfile_tasks *tasks, uint64_t n, int64_t *wall_ns,
			      uint64_t *longer_count, struct err *err);

/* The task's own values, or the words that were executed (none of feed and call). Until the next one. */
int runfile_tasks_inputs(struct runfile_tasks *tasks, const struct arg **args,
			 size_t *count, struct err *err);
int runfile_tasks_argv(struct runfile_tasks *tasks, const struct arg **words,
		       size_t *count, struct err *err);

/* What its line of JSON or the stages before it have said of it, as it travelled with it (override.h). */
int runfile_tasks_overrides(struct runfile_tasks *tasks, struct arg *overrides,
			    struct err *err);

/* What the task at hand has printed, in pieces, as often as is asked; or the last bytes of it. */
typedef int runfile_piece(void *context, const char *bytes, size_t length, struct err *err);
int runfile_tasks_output(struct runfile_tasks *tasks, enum result_stream stream,
			 runfile_piece *piece, void *context, struct err *err);
int runfile_tasks_tail(struct runfile_tasks *tasks, enum result_stream stream,
		       size_t max_bytes, struct buf *tail, struct err *err);

#endif

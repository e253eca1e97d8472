/*
 * run_parts.h: what the files of the run share. Private to them.
 *
 *   run.c        the loop: feed, wait, settle; signals; the end
 *   run_hear.c   what the backend tells: to the plan, then to the sinks
 */
#ifndef PINION_RUN_PARTS_H
#define PINION_RUN_PARTS_H

#include "run/attempts.h"
#include "run/run.h"
#include "run/throttle.h"

struct run {
	struct run_config config;
	struct backend *backend;
	struct throttle throttle;
	struct attempts attempts; /* what runs now */
	struct sinks sinks;
	int signal_fd;
	struct loop_watch *signal_watch;
	struct loop_watch *reader_watch;
	struct loop_watch *source_watch;
	int source_fd;
	struct loop_watch *sink_watches[SINKS_FDS_MAX];
	int sink_fds[SINKS_FDS_MAX];
	size_t sink_fd_count;
	bool wants_input;    /* the last feed ended waiting for the source */
	size_t passed_count; /* in the last feed */
	int64_t feed_at_ns;  /* when time alone lets the next feed do more */
	bool is_held;        /* the sinks are behind: results are not read */
	uint64_t outputs_end; /* outputs from this seq on are not read; UINT64_MAX: all are */
	uint64_t timed_end;  /* time limits of tasks from this seq on stand still */
	int64_t timed_at_ns; /* since when it is that */
	bool has_settled;    /* something, in this turn */
	bool has_lost_track; /* out of memory: some tasks' ends will never be known */
	bool is_ending;      /* nothing more is started */
	bool is_cancelling;  /* what runs is being ended */
	enum backend_force force;
	int64_t force_at_ns; /* when the next force is due */
	enum run_outcome outcome;
	int signal;
	struct err err;
};

/* run.c: ends the run for this reason, unless it is ending already, and what runs. */
void run_fail(struct run *run, enum run_outcome outcome, const struct err *err);

/* run_hear.c: a chunk could not be split: not all tasks will have an end, and the run ends without. */
void run_lose_track(struct run *run, const struct err *err);

/* run_hear.c: the last word on a task. */
void run_settle_task(struct run *run, struct task *task, const struct result *result);

/* run_hear.c: what was done before this run. */
void run_pass_task(struct run *run, struct task *task);

#endif

/*
 * run_parts.h: what the files of the run share. Private to them.
 *
 *   run.c        feed, wait, settle; the end
 *   run_hear.c   what the backend tells: to the plan, then to the sinks
 *   conductor.c  the loop over all runs of a job; signals
 *   steer.c      what a user at another terminal wants of them
 */
#ifndef PINION_RUN_PARTS_H
#define PINION_RUN_PARTS_H

#include "run/attempts.h"
#include "run/conductor.h"
#include "run/control.h"
#include "run/memkills.h"
#include "run/run.h"
#include "run/throttle.h"
#include "run/tokens.h"

/* Tasks that had their end. */
struct run_counts {
	uint64_t done;
	uint64_t failed;
	uint64_t cancelled;
	uint64_t skipped;
	uint64_t passed; /* done before this run */
};

struct run {
	struct run_config config;
	struct backend *backend;
	struct throttle throttle;
	struct tokens tokens;
	struct attempts attempts; /* what runs now */
	struct memkills memkills;
	bool wants_withdraw; /* what is queued is to wait for fewer beside it */
	bool has_skipped;    /* a task was never started */
	struct sinks sinks;
	struct run_counts counts;
	struct loop_watch *reader_watch;
	struct loop_watch *source_watch;
	int source_fd;
	struct loop_watch *sink_watches[SINKS_FDS_MAX];
	int sink_fds[SINKS_FDS_MAX];
	size_t sink_fd_count;
	bool wants_input;    /* the last feed ended waiting for the source */
	bool lacks_token;    /* so did that one for want of a token */
	size_t passed_count; /* in the last feed */
	int64_t feed_at_ns;  /* when time alone lets the next feed do more */
	bool is_paused;      /* by steer: nothing is started for now */
	bool has_cancelled;  /* by steer: some tasks, one by one */
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
	bool is_signalled;
	bool is_over; /* nothing of it is left, as far as it knows */
	struct err err;
};

struct conductor {
	struct loop *loop;
	const struct sig_origin *origin;
	struct run **runs;
	size_t run_count;
	struct run *leader; /* the first that ended before its tasks did */
	int signal_fd;
	struct loop_watch *signal_watch;
	int signal;
	bool is_deaf; /* waiting fails; the end is looked for from time to time */
	struct control *control; /* borrowed; NULL: nobody asks */
	struct screen *screen;   /* borrowed; NULL: nothing is ever drawn */
};

/* conductor.c: as if this signal had come. */
void conductor_on_end_signal(struct conductor *conductor, int signal);

/* --- run.c, for the conductor: one turn is run_prepare_wait, loop_turn, run_settle, run_feed --- */

/* Plan -> backend, while both have room. */
void run_feed(struct run *run);

/* Says what it waits for; until when at the latest. */
int64_t run_prepare_wait(struct run *run);

/* Results -> plan (retry? halt?) -> sinks. */
void run_settle(struct run *run);

/* Everything has settled and is written, and no worker is left. */
bool run_is_finished(struct run *run);

/* The last word of its sinks. */
void run_finish(struct run *run);

bool run_has_failed(const struct run *run);

/* Tasks were never started, or inputs never read. */
bool run_has_left(const struct run *run);

/* Ends as the leader does, if that ends before its tasks do. */
void run_follow(struct run *run, const struct run *leader);

/* A signal to end: the first with grace, the second at once. */
void run_end_by_signal(struct run *run, int signal);

/* Stops the workers and their tasks, and goes on after so much time. */
void run_suspend(struct run *run);
void run_resume(struct run *run, int64_t stopped_ns);

void run_reap(struct run *run);
void run_resize(struct run *run, int change); /* by so many workers: 1 or -1 */

/* run.c: ends the run for this reason, unless it is ending already, and what runs. */
void run_fail(struct run *run, enum run_outcome outcome, const struct err *err);

/* run.c: starts nothing more; what is queued comes back. The first reason for an end stays it. */
void run_end(struct run *run, enum run_outcome outcome);

/* run.c: ends the attempt, if it runs, and sees that it is not started again. */
void run_recall(struct run *run, uint64_t seq);

/* run_hear.c: a chunk could not be split: not all tasks will have an end, and the run ends without. */
void run_lose_track(struct run *run, const struct err *err);

/* run_hear.c: the last word on a task. */
void run_settle_task(struct run *run, struct task *task, const struct result *result);

/* run_hear.c: the same of one that was cancelled before it was started. */
void run_settle_cancelled(struct run *run, struct task *task);

/* run_hear.c: what was done before this run. */
void run_pass_task(struct run *run, struct task *task);

#endif

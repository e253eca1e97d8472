/*
 * pool_parts.h: what the files of the pool share. Private to them.
 *
 *   pool.c        the interface of a backend: tasks in, orders, the pool's life
 *   pool_steer.c  from outside: pause, retire, recall a task; what workers do
 *   pool_hear.c   frames from workers: what is believed, and told to the client
 *   pool_tail.c   more tasks do not come: those that run may use the cores of the others
 *   pool_staff.c  workers start and end: start, replace, settle what a dead one had
 */
#ifndef PINION_POOL_PARTS_H
#define PINION_POOL_PARTS_H

#include <signal.h>

#include "ipc/board.h"
#include "ipc/frame.h"
#include "ipc/outbox.h"
#include "ipc/ring.h"
#include "pool/chunking.h"
#include "pool/flights.h"
#include "pool/pool.h"
#include "pool/start.h"

/* A seat and the worker process on it. */
struct pool_worker {
	struct pool *pool;
	pid_t pid; /* 0: the seat is empty */
	uint32_t number;
	size_t place_count; /* workers there were to be, with those of other pools, when it took its place */
	int result_fd; /* a byte in it: look into the outbox; -1: trusted no more */
	struct outbox outbox; /* the seat's: mapped for its first worker */
	struct loop_watch *watch;
	int64_t poll_at_ns; /* CLOCK_NEVER */
	bool is_held_back;  /* its next frame is output that is not wanted now */
	bool has_started;   /* any task */
	uint64_t stream_bytes[RESULT_STREAMS]; /* what the task that it has started has printed */
	bool is_waited_for; /* its pid is nobody's any more, though it is not buried yet */
	bool was_told_off;  /* by cancel_all or resize: its end is no failure */
	enum result_reason cancel_reason; /* of the attempt it was told to end; 0: none */
	uint64_t cancel_seq;
	bool is_blameless; /* killed for cancel_seq: whatever else it had is not to be charged */
	pid_t tail_pid;    /* the process that was at work here at the last look */
	bool has_widened;  /* it was let go from the place */
	char *start_error; /* what it said before it gave up */
};

struct pool {
	struct backend backend;
	struct pool_config config;
	struct ring *ring;
	struct board board;
	int outbox_fd; /* all outboxes */
	struct starter *starter;
	struct pool_worker *workers; /* config.worker_max seats */
	size_t target_count;
	size_t live_count;
	uint32_t next_number;
	struct flights flights;
	struct chunking chunking;
	struct answer *answers;  /* scratch: TASK_CHUNK_MAX, made when the first come */
	struct buf answer_bytes; /* scratch */
	int64_t tail_at_ns;      /* the next look at who still runs; CLOCK_NEVER */
	unsigned int failed_starts; /* in a row */
	unsigned int idle_deaths; /* in a row: with tasks, none of them in hand, by their word */
	bool has_served;          /* any task */
	bool is_recorded;         /* what workers say is released only by pool_recorded */
	bool has_taken;           /* anything since then */
	bool is_held;
	bool is_paused;
	uint64_t outputs_end; /* outputs of tasks from this seq on are left where they are */
	bool is_closed;
	bool is_cancelled;
	bool is_broken;
};

/* The number of its seat, from 0. */
static inline uint32_t
pool_slot(const struct pool_worker *worker)
{
	return (uint32_t)(worker - worker->pool->workers);
}

static inline struct board_seat *
pool_seat(const struct pool_worker *worker)
{
	return &worker->pool->board.seats[worker - worker->pool->workers];
}

/* A signal to the worker process, if there is one. */
static inline void
pool_kill(const struct pool_worker *worker, int signal)
{
	if (worker->pid != 0 && !worker->is_waited_for)
		kill(worker->pid, signal);
}

/* --- pool.c --- */

/* Gives a worker an order and sees that it looks. */
void pool_order(struct pool_worker *worker, enum board_order order);

/* As backend.h has it. */
void pool_withdraw(struct backend *backend);

bool pool_is_deaf(const struct pool *pool);

/* Who has it; NULL: nobody that we know. */
struct pool_worker *pool_worker_of(struct pool *pool, const struct flight *flight);

/* Tells a worker to end this task, which is in its hand, or kills it for that. */
void pool_cancel_in_hand(struct pool_worker *worker, uint64_t seq, uint32_t attempt,
			 enum result_reason reason, bool is_kill);

/* A fed program that waits for its answers may want those tasks that are there now. */
void pool_signal_wanting(struct pool *pool);

/* --- pool_steer.c --- */

/* Workers on the seats from this one on finish what is in their hands and leave. */
void pool_retire_from(struct pool *pool, size_t first);

/* As backend.h has them. */
void pool_pause(struct backend *backend, bool is_paused);
void pool_retire(struct backend *backend);
void pool_recall(struct backend *backend, uint64_t seq);
size_t pool_seat_count(const struct backend *backend);
bool pool_look(const struct backend *backend, size_t index, struct backend_worker *worker);

/* --- pool_hear.c --- */

/* Watches a worker's pipe unless the pool is held, or it is watched already. */
int pool_watch(struct pool_worker *worker, struct err *err);
void pool_unwatch(struct pool_worker *worker);

/*
 * Takes the frames a worker has committed, up to output that is not wanted now, or all of them
 * from a dead one. What it says after garbage does not count.
 */
void pool_take_frames(struct pool_worker *worker);

/* The same from all workers that were stopped at such output. */
void pool_take_held_back(struct pool *pool);

/*
 * A plugin keeps its worker from ringing again soon after it has rung: what it said meanwhile is
 * taken a moment later.
 */
int64_t pool_poll_at(const struct backend *backend);
void pool_poll(struct backend *backend, int64_t now_ns);
void pool_recorded(struct backend *backend);

/* --- pool_tail.c --- */

void pool_spread(struct backend *backend, bool is_all);

/* --- pool_staff.c --- */

/* As many workers as there is work for. With one at least, a failure to add more is no failure. */
int pool_staff(struct pool *pool, struct err *err);

/* A task or chunk that was handed out, and nobody has: to be started again. */
void pool_give_back(struct pool *pool, uint64_t seq, uint32_t attempt);

/* Learns from the ring who has claimed what, and frees its cells. */
void pool_collect(struct pool *pool);

/* After a worker's death was waited for: everything it had gets its end. */
void pool_bury(struct pool_worker *worker, int status);

/*
 * Who was to start a worker has failed, and may have started it all the same: it is dead, and what
 * it had gets its end.
 */
void pool_take_back(struct pool_worker *worker);

/* How the pool's workers are made. NULL and err. */
struct starter *pool_starter(struct pool *pool, struct err *err);

/* Tells the client, once, that nothing can be served any more. */
void pool_break(struct pool *pool, const struct err *err);

#endif

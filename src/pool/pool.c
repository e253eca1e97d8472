/* pool.c: see pool.h and, for the other files of the pool, pool_parts.h. */
#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "pool/pool_parts.h"

#define POOL_RING_CELLS 4096
#define POOL_RING_BYTES (1024 * 1024)
#define POOL_AHEAD 8         /* chunks with the pool for each worker */
#define POOL_AHEAD_TASKS 128 /* and at least so many tasks; see pool_ahead */

static struct pool *
pool_of(const struct backend *backend)
{
	return (struct pool *)backend;
}

static void
pool_reap(struct backend *backend)
{
	struct pool *pool = pool_of(backend);
	struct err err = {0};
	for (size_t i = 0; i < pool->config.worker_max; i++) {
		int status;
		struct pool_worker *worker = &pool->workers[i];
		if (worker->pid != 0 &&
		    waitpid(worker->pid, &status, WNOHANG) == worker->pid)
			pool_bury(worker, status);
	}
	family_reap_orphans(pool->config.family);
	if (pool_staff(pool, &err) == -1)
		pool_break(pool, &err);
}

static uint32_t
pool_chunk(const struct backend *backend)
{
	return chunking_count(&pool_of(backend)->chunking);
}

/*
 * How many tasks the pool has at most: enough that no worker waits for the coordinator. That
 * counts those that have ended and are not heard of, for up to CHANNEL_DELAY_MS: of the smallest
 * of programs a worker runs about 90 meanwhile.
 */
static size_t
pool_ahead(const struct pool *pool)
{
	size_t count = POOL_AHEAD * chunking_count(&pool->chunking);
	if (count < POOL_AHEAD_TASKS)
		count = POOL_AHEAD_TASKS;
	return count * pool->target_count;
}

static size_t
pool_room(const struct backend *backend)
{
	const struct pool *pool = pool_of(backend);
	size_t most = pool_ahead(pool);
	size_t count = pool->flights.task_count;
	if (pool->is_cancelled || pool->is_closed || pool->is_broken || count >= most ||
	    !ring_has_room(pool->ring, 0))
		return 0;
	return most - count;
}

static size_t
pool_idle_count(const struct backend *backend)
{
	const struct pool *pool = pool_of(backend);
	size_t busy = pool->flights.task_count;
	return busy < pool->target_count ? pool->target_count - busy : 0;
}

static int
pool_submit(struct backend *backend, const struct task *task, struct err *err)
{
	struct pool *pool = pool_of(backend);
	struct task_cell cell = {.seq = task->seq,
				 .count = task->count,
				 .attempt = task->attempt,
				 .arg_count = task->arg_count};
	if (!ring_has_room(pool->ring, sizeof(cell) + task->packed_bytes))
		pool_collect(pool);
	if (!ring_has_room(pool->ring, sizeof(cell) + task->packed_bytes))
		return 1;
	if (flights_add(&pool->flights, task->seq, task->count, task->attempt) == -1)
		return err_no_memory(err);
	if (ring_push(pool->ring, task->seq, task->attempt, &cell, sizeof(cell),
		      task_bytes(task), task->packed_bytes, err) == 0)
		return 0;
	flights_remove(&pool->flights, task->seq);
	return -1;
}

/* New tasks may be what a program wants before it answers those it has. */
void
pool_signal_wanting(struct pool *pool)
{
	atomic_thread_fence(memory_order_seq_cst); /* as executor_next_or_signal says */
	for (size_t i = 0; i < pool->config.worker_max; i++) {
		_Atomic uint32_t *wants_task = &pool->board.seats[i].wants_task;
		if (atomic_load(wants_task) != 0 && atomic_exchange(wants_task, 0) != 0)
			pool_kill(&pool->workers[i], SIGUSR1);
	}
}

static int
pool_publish(struct backend *backend, struct err *err)
{
	struct pool *pool = pool_of(backend);
	if (ring_publish(pool->ring) && pool->config.spec->executor == SPEC_COPROC)
		pool_signal_wanting(pool);
	return pool_staff(pool, err);
}

void
pool_withdraw(struct backend *backend)
{
	struct pool *pool = pool_of(backend);
	uint64_t seq;
	uint32_t attempt;
	while (ring_withdraw(pool->ring, pool->next_number, &seq, &attempt)) {
		pool_give_back(pool, seq, attempt);
	}
	pool_collect(pool);
}

struct pool_worker *
pool_worker_of(struct pool *pool, const struct flight *flight)
{
	for (size_t i = 0; i < pool->config.worker_max; i++)
		if (pool->workers[i].pid != 0 && pool->workers[i].number == flight->owner)
			return &pool->workers[i];
	return NULL;
}

/* While a function is called nobody in the worker hears an order. */
bool
pool_is_deaf(const struct pool *pool)
{
	return pool->config.spec->executor == SPEC_PLUGIN;
}

void
pool_cancel_in_hand(struct pool_worker *worker, uint64_t seq, uint32_t attempt,
		    enum result_reason reason, bool is_kill)
{
	/* In the moment until it dies the next one may begin; in hand or not, it is blameless. */
	worker->is_blameless = pool_is_deaf(worker->pool);
	struct board_seat *seat = pool_seat(worker);
	worker->cancel_reason = reason;
	worker->cancel_seq = seq;
	atomic_store(&seat->cancel_seq, seq);
	atomic_store(&seat->cancel_attempt, attempt);
	atomic_store(&seat->cancel_reason, (uint32_t)reason);
	pool_kill(worker, is_kill ? SIGKILL : SIGUSR1);
}

static void
pool_cancel(struct backend *backend, uint64_t seq, enum result_reason reason,
	    enum backend_force force)
{
	struct pool *pool = pool_of(backend);
	struct pool_worker *worker = NULL;
	struct flight flight;
	if (flights_get(&pool->flights, seq, &flight))
		worker = pool_worker_of(pool, &flight);
	bool is_kill = pool_is_deaf(pool) || force == BACKEND_KILL_WORKER;
	if (worker != NULL && is_kill)
		pool_take_frames(worker); /* it may have ended, and the next one begun */
	if (worker == NULL || !flights_get(&pool->flights, seq, &flight))
		return;
	pool_cancel_in_hand(worker, seq, flight.attempt, reason, is_kill);
}

void
pool_order(struct pool_worker *worker, enum board_order order)
{
	atomic_store(&pool_seat(worker)->order, order);
	if (order >= BOARD_RETIRE)
		worker->was_told_off = true;
	/* A function is not to be disturbed: the board is looked at between two calls. */
	if (!pool_is_deaf(worker->pool) || !worker->has_started)
		pool_kill(worker, SIGUSR1);
}

static void
pool_cancel_all(struct backend *backend, enum backend_force force)
{
	struct pool *pool = pool_of(backend);
	pool->is_cancelled = true;
	pool_withdraw(backend);
	for (size_t i = 0; i < pool->config.worker_max; i++) {
		struct pool_worker *worker = &pool->workers[i];
		if (worker->pid == 0)
			continue;
		pool_order(worker,
			   force == BACKEND_GRACE ? BOARD_CANCEL_ALL : BOARD_KILL_ALL);
		if (force == BACKEND_KILL_WORKER ||
		    (force == BACKEND_AT_ONCE && pool_is_deaf(pool)))
			pool_kill(worker, SIGKILL);
	}
	ring_wake_all(pool->ring);
}

static void
pool_resize(struct backend *backend, size_t worker_count)
{
	struct pool *pool = pool_of(backend);
	struct err err = {0};
	if (worker_count < 1)
		worker_count = 1;
	if (worker_count > pool->config.worker_max)
		worker_count = pool->config.worker_max;
	pool->target_count = worker_count;
	pool_retire_from(pool, worker_count);
	if (pool_staff(pool, &err) == -1)
		pool_break(pool, &err);
}

static size_t
pool_worker_count(const struct backend *backend)
{
	return pool_of(backend)->target_count;
}

/* Sends a signal to the groups of all tasks in hand. */
static void
pool_signal_tasks(struct pool *pool, int signal)
{
	for (size_t i = 0; i < pool->config.worker_max; i++) {
		pid_t group = atomic_load(&pool->board.seats[i].pid);
		if (pool->workers[i].pid != 0 && pool_is_deaf(pool))
			pool_kill(&pool->workers[i], signal == SIGTSTP ? SIGSTOP : signal);
		else if (pool->workers[i].pid != 0 && group > 1)
			kill(-group, signal);
	}
}

static void
pool_suspend(struct backend *backend)
{
	struct pool *pool = pool_of(backend);
	for (size_t i = 0; i < pool->config.worker_max; i++) /* nothing new starts */
		if (atomic_load(&pool->board.seats[i].order) == BOARD_GO)
			atomic_store(&pool->board.seats[i].order, BOARD_HOLD);
	pool_signal_tasks(pool, SIGTSTP);
}

static void
pool_resume(struct backend *backend)
{
	struct pool *pool = pool_of(backend);
	for (size_t i = 0; i < pool->config.worker_max; i++)
		if (atomic_load(&pool->board.seats[i].order) == BOARD_HOLD &&
		    !pool->is_paused)
			atomic_store(&pool->board.seats[i].order, BOARD_GO);
	pool_signal_tasks(pool, SIGCONT);
	ring_wake_all(pool->ring);
}

static void
pool_hold(struct backend *backend, bool is_held)
{
	struct pool *pool = pool_of(backend);
	struct err err = {0};
	pool->is_held = is_held;
	for (size_t i = 0; i < pool->config.worker_max; i++) {
		if (pool->workers[i].pid == 0)
			continue;
		if (is_held)
			pool_unwatch(&pool->workers[i]);
		else if (pool_watch(&pool->workers[i], &err) == -1)
			pool_break(pool, &err);
	}
	pool_take_held_back(pool);
}

static void
pool_hold_from(struct backend *backend, uint64_t seq)
{
	struct pool *pool = pool_of(backend);
	pool->outputs_end = seq;
	pool_take_held_back(pool);
}

static void
pool_leave_socket(struct backend *backend, const char *path, uint64_t inode)
{
	board_leave_socket(&pool_of(backend)->board, path, inode);
}

/* -v: where the chunks are worth a word. */
static void
pool_tell_chunks(const struct pool *pool)
{
	const struct spec *spec = pool->config.spec;
	char text[256];
	char line[320];
	if (!spec->is_verbose || !pool->chunking.is_auto || pool->chunking.task_ns <= 0 ||
	    (spec->executor == SPEC_SPAWN && pool->chunking.count == 1))
		return;
	int length = snprintf(line, sizeof(line), "%s: %s\n", spec->program,
			      chunking_describe(&pool->chunking, text, sizeof(text)));
	pool->config.client.note(pool->config.client.context, line, (size_t)length);
}

static void
pool_close(struct backend *backend)
{
	struct pool *pool = pool_of(backend);
	if (pool->is_closed)
		return;
	pool->is_closed = true;
	pool_tell_chunks(pool);
	ring_close(pool->ring);
}

static bool
pool_is_gone(const struct backend *backend)
{
	return pool_of(backend)->live_count == 0;
}

/* Whatever is still alive ends now. */
static void
pool_stop(struct pool *pool)
{
	for (size_t i = 0; pool->workers != NULL && i < pool->config.worker_max; i++) {
		struct pool_worker *worker = &pool->workers[i];
		if (worker->pid != 0) {
			uint64_t seq = atomic_load(&pool_seat(worker)->seq);
			pool_kill(worker, SIGKILL);
			waitpid(worker->pid, NULL, 0);
			family_remove(pool->config.family, worker->pid);
			family_sweep(pool->config.family, pool->config.run_name, seq);
		}
		pool_unwatch(worker);
		io_close(worker->result_fd);
		outbox_unmap(&worker->outbox);
		free(worker->start_error);
	}
}

static void
pool_free(struct backend *backend)
{
	struct pool *pool = pool_of(backend);
	pool_stop(pool);
	starter_free(pool->starter);
	free(pool->workers);
	flights_fini(&pool->flights);
	free(pool->answers);
	buf_fini(&pool->answer_bytes);
	if (pool->config.jobserver != NULL && pool->config.jobserver->board == &pool->board)
		pool->config.jobserver->board = NULL;
	board_fini(&pool->board);
	ring_free(pool->ring);
	io_close(pool->outbox_fd);
	free(pool);
}

static const struct backend_ops pool_ops = {
    .room = pool_room,
    .chunk = pool_chunk,
    .idle_count = pool_idle_count,
    .submit = pool_submit,
    .publish = pool_publish,
    .spread = pool_spread,
    .withdraw = pool_withdraw,
    .cancel = pool_cancel,
    .recall = pool_recall,
    .cancel_all = pool_cancel_all,
    .resize = pool_resize,
    .worker_count = pool_worker_count,
    .suspend = pool_suspend,
    .resume = pool_resume,
    .pause = pool_pause,
    .retire = pool_retire,
    .seat_count = pool_seat_count,
    .look = pool_look,
    .hold = pool_hold,
    .hold_from = pool_hold_from,
    .poll_at = pool_poll_at,
    .poll = pool_poll,
    .recorded = pool_recorded,
    .leave_socket = pool_leave_socket,
    .reap = pool_reap,
    .close = pool_close,
    .is_gone = pool_is_gone,
    .free = pool_free,
};

const struct board *
pool_board(const struct backend *backend)
{
	return &pool_of(backend)->board;
}

struct backend *
pool_new(const struct pool_config *config, struct err *err)
{
	assert(config->worker_count >= 1 && config->worker_max >= config->worker_count);
	struct pool *pool = calloc(1, sizeof(*pool));
	if (pool == NULL) {
		err_no_memory(err);
		return NULL;
	}
	pool->backend.ops = &pool_ops;
	pool->config = *config;
	pool->is_recorded = spec_is_recorded(config->spec);
	pool->outbox_fd = -1;
	pool->tail_at_ns = CLOCK_NEVER;
	pool->outputs_end = UINT64_MAX;
	pool->target_count = config->worker_count;
	chunking_init(&pool->chunking, config->spec);
	pool->workers = calloc(config->worker_max, sizeof(*pool->workers));
	if (pool->workers == NULL) {
		err_no_memory(err);
		goto free_pool;
	}
	for (size_t i = 0; i < config->worker_max; i++)
		pool->workers[i] = (struct pool_worker){.pool = pool, .result_fd = -1};
	if (board_init(&pool->board, config->worker_max, err) == -1)
		goto free_pool;
	if (config->spec->start_method != SPEC_START_SPAWN)
		board_close_file(&pool->board);
	if (config->jobserver != NULL && config->jobserver->board == NULL)
		config->jobserver->board = &pool->board;
	pool->outbox_fd = outbox_open(err);
	if (pool->outbox_fd == -1)
		goto free_pool;
	blocks_set_file(config->blocks, pool->outbox_fd,
			outbox_file_bytes(config->worker_max));
	pool->ring = ring_new(POOL_RING_CELLS, POOL_RING_BYTES, err);
	if (pool->ring == NULL)
		goto free_pool;
	pool->starter = pool_starter(pool, err);
	if (pool->starter == NULL)
		goto free_pool;
	return &pool->backend;

free_pool:
	pool_free(&pool->backend);
	return NULL;
}

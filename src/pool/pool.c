/* pool.c: see pool.h. Home of fork and of waiting for workers. */
#include "pool/pool.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "ipc/board.h"
#include "ipc/frame.h"
#include "ipc/ring.h"
#include "pool/flights.h"
#include "pool/worker.h"

#define POOL_RING_CELLS 4096
#define POOL_RING_BYTES (1024 * 1024)
#define POOL_READ_BYTES (128 * 1024) /* taken from a worker's pipe at once */
#define POOL_AHEAD 8                 /* tasks with the pool per worker and chunk */
#define POOL_AHEAD_MIN 64

/* A seat and the worker process on it. */
struct pool_worker {
	struct pool *pool;
	pid_t pid; /* 0: the seat is empty */
	uint32_t number;
	int result_fd;
	struct frame_reader reader;
	struct loop_watch *watch;
	bool has_started;  /* any task */
	bool was_told_off; /* by cancel_all or resize: its end is no failure */
	enum result_reason cancel_reason; /* of the attempt it was told to end; 0: none */
	uint64_t cancel_seq;
	char *start_error; /* what it said before it gave up */
};

struct pool {
	struct backend backend;
	struct pool_config config;
	struct ring *ring;
	struct board board;
	struct pool_worker *workers; /* config.worker_max seats */
	size_t target_count;
	size_t live_count;
	uint32_t next_number;
	struct flights flights;
	unsigned int failed_starts; /* in a row */
	bool is_held;
	bool is_closed;
	bool is_cancelled;
	bool is_broken;
};

static struct pool *
pool_of(const struct backend *backend)
{
	return (struct pool *)backend;
}

static struct board_seat *
pool_seat(const struct pool_worker *worker)
{
	return &worker->pool->board.seats[worker - worker->pool->workers];
}

/* --- starting workers --- */

static void pool_on_frames(void *context, unsigned int events);

static int
pool_watch(struct pool_worker *worker, struct err *err)
{
	if (worker->pool->is_held || worker->watch != NULL || worker->result_fd == -1)
		return 0;
	worker->watch = loop_watch(worker->pool->config.loop, worker->result_fd,
				   LOOP_READ, pool_on_frames, worker, err);
	return worker->watch == NULL ? -1 : 0;
}

static void
pool_unwatch(struct pool_worker *worker)
{
	loop_unwatch(worker->pool->config.loop, worker->watch);
	worker->watch = NULL;
}

static _Noreturn void
pool_child(const struct pool *pool, const struct pool_worker *worker, int result_fd,
	   pid_t parent)
{
	const struct pool_config *config = &pool->config;
	struct worker_config child = {
	    .spec = config->spec,
	    .template = config->template,
	    .topology = config->topology,
	    .origin = config->origin,
	    .run_name = config->run_name,
	    .ring = pool->ring,
	    .seat = pool_seat(worker),
	    .column_count = config->column_count,
	    .number = worker->number,
	    .slot_index = (size_t)(worker - pool->workers),
	    .worker_count = pool->target_count,
	    .result_fd = result_fd,
	    .first_stdin_fd = config->first_stdin_fd,
	    .coordinator = parent,
	};
	worker_main(&child);
}

/* A worker on an empty seat. */
static int
pool_fork(struct pool *pool, struct pool_worker *worker, struct err *err)
{
	int fds[2];
	pid_t parent = getpid();
	if (family_reserve(pool->config.family) == -1)
		return err_no_memory(err);
	if (io_pipe(fds, IO_PIPE_BYTES) == -1)
		return err_errno(err, "cannot make a pipe for a worker");
	if (io_set_nonblocking(fds[0]) == -1 || io_set_nonblocking(fds[1]) == -1) {
		err_errno(err, "cannot set up a worker's pipe");
		goto close_pipe;
	}
	board_seat_reset(pool_seat(worker));
	atomic_store(
	    &pool_seat(worker)->chunk_count,
	    pool->config.spec->chunk_count ? (uint32_t)pool->config.spec->chunk_count : 1);
	*worker = (struct pool_worker){
	    .pool = pool, .number = pool->next_number++, .result_fd = fds[0]};
	if (pool_watch(worker, err) == -1)
		goto empty_seat;
	worker->pid = fork();
	if (worker->pid == 0)
		pool_child(pool, worker, fds[1], parent);
	if (worker->pid == -1) {
		err_errno(err, "cannot fork a worker");
		pool_unwatch(worker);
		goto empty_seat;
	}
	close(fds[1]);
	family_add(pool->config.family, worker->pid);
	pool->live_count++;
	return 0;

empty_seat:
	*worker = (struct pool_worker){.pool = pool, .result_fd = -1};
close_pipe:
	close(fds[0]);
	close(fds[1]);
	return -1;
}

static void
pool_break(struct pool *pool, const struct err *err)
{
	if (pool->is_broken)
		return;
	pool->is_broken = true;
	pool->config.client.broken(pool->config.client.context, err);
}

/* As many workers as there is work for. With one at least, a failure to add more is no failure. */
static int
pool_staff(struct pool *pool, struct err *err)
{
	for (size_t i = 0; i < pool->target_count; i++) {
		if (pool->is_cancelled || pool->is_broken ||
		    pool->live_count >= pool->target_count ||
		    pool->live_count >= flights_count(&pool->flights))
			return 0;
		if (pool->workers[i].pid != 0)
			continue;
		if (pool_fork(pool, &pool->workers[i], err) == -1)
			return pool->live_count > 0 ? 0 : -1;
	}
	return 0;
}

/* --- hearing from workers --- */

/* Makes known what the ring says about who took what, and frees its cells. */
static void
pool_collect(struct pool *pool)
{
	struct ring_ticket ticket;
	while (ring_collect(pool->ring, &ticket))
		if (ticket.owner != RING_OWNER_NONE)
			flights_claim(&pool->flights, ticket.id, ticket.attempt,
				      ticket.owner);
}

/* A worker that sends what cannot be has a garbled memory: its word counts no more. */
static void
pool_distrust(struct pool_worker *worker)
{
	pool_unwatch(worker);
	io_close_set(&worker->result_fd);
	kill(worker->pid, SIGKILL);
}

static void
pool_keep_start_error(struct pool_worker *worker, const char *text, size_t length)
{
	free(worker->start_error);
	worker->start_error = strndup(text, length);
}

static bool
pool_on_started(struct pool_worker *worker, struct flight flight,
		const struct frame_header *header, const char *payload)
{
	const struct backend_client *client = &worker->pool->config.client;
	int64_t started_at_ns;
	if (header->payload_bytes != sizeof(started_at_ns) || flight.is_started)
		return false;
	memcpy(&started_at_ns, payload, sizeof(started_at_ns));
	flight.owner = worker->number;
	flight.is_started = true;
	flights_set(&worker->pool->flights, header->seq, flight);
	worker->has_started = true;
	client->started(client->context, header->seq, header->attempt,
			(uint32_t)(worker - worker->pool->workers) + 1, started_at_ns);
	return true;
}

static bool
pool_on_finished(struct pool_worker *worker, struct flight flight,
		 const struct frame_header *header, const char *payload)
{
	const struct backend_client *client = &worker->pool->config.client;
	struct result result;
	if (header->payload_bytes != sizeof(result) || !flight.is_started)
		return false;
	memcpy(&result, payload, sizeof(result));
	if (result.reason >= RESULT_REASONS)
		return false;
	worker->pool->failed_starts = 0;
	if (worker->cancel_seq == header->seq)
		worker->cancel_reason = 0;
	flights_remove(&worker->pool->flights, header->seq);
	client->finished(client->context, header->seq, header->attempt, &result);
	return true;
}

/* One frame. False: it cannot be right. */
static bool
pool_on_frame(struct pool_worker *worker, const struct frame_header *header,
	      const char *payload)
{
	struct pool *pool = worker->pool;
	const struct backend_client *client = &pool->config.client;
	struct flight flight;
	enum frame_type type = (enum frame_type)header->type;
	if (type == FRAME_NOTE) {
		client->note(client->context, payload, header->payload_bytes);
		return true;
	}
	if (type == FRAME_START_FAILED) {
		pool_keep_start_error(worker, payload, header->payload_bytes);
		return true;
	}
	if (!flights_get(&pool->flights, header->seq, &flight) ||
	    flight.attempt != header->attempt ||
	    (flight.owner != FLIGHTS_NOBODY && flight.owner != worker->number))
		return false;
	if (type == FRAME_STARTED)
		return pool_on_started(worker, flight, header, payload);
	if (type == FRAME_FINISHED)
		return pool_on_finished(worker, flight, header, payload);
	if (!flight.is_started)
		return false;
	client->output(client->context, header->seq, header->attempt,
		       type == FRAME_STDOUT ? RESULT_STDOUT : RESULT_STDERR, payload,
		       header->payload_bytes);
	return true;
}

/* Takes all whole frames that were read. False: garbage. */
static bool
pool_take_frames(struct pool_worker *worker)
{
	struct frame_header header;
	const char *payload;
	int status;
	while ((status = frame_next(&worker->reader, &header, &payload)) == 1)
		if (!pool_on_frame(worker, &header, payload))
			return false;
	return status == 0;
}

static void
pool_on_frames(void *context, unsigned int events)
{
	struct pool_worker *worker = context;
	(void)events;
	ssize_t got =
	    frame_reader_fill(&worker->reader, worker->result_fd, POOL_READ_BYTES);
	if (got > 0 && !pool_take_frames(worker))
		pool_distrust(worker);
	else if (got == 0)
		pool_unwatch(worker); /* the rest is up to SIGCHLD */
	else if (got == -1 && errno != EAGAIN)
		pool_distrust(worker);
}

/* --- burying workers --- */

struct pool_search {
	struct pool *pool;
	uint32_t owner;
};

static void
pool_visit_claim(void *context, uint64_t seq, uint32_t attempt)
{
	const struct pool_search *search = context;
	flights_claim(&search->pool->flights, seq, attempt, search->owner);
}

/* The last frames of a dead worker: all that was whole counts. */
static void
pool_read_last_frames(struct pool_worker *worker)
{
	while (worker->result_fd != -1) {
		ssize_t got =
		    frame_reader_fill(&worker->reader, worker->result_fd, POOL_READ_BYTES);
		if (got <= 0 || !pool_take_frames(worker))
			return;
	}
}

static void
pool_report_lost(struct pool *pool, const struct pool_worker *worker, uint64_t seq,
		 uint32_t attempt, int status)
{
	const struct backend_client *client = &pool->config.client;
	struct result result = {
	    .reason = RESULT_LOST,
	    .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
	    .worker = worker->number,
	    .slot = (uint32_t)(worker - pool->workers) + 1,
	    .cpu = -1,
	};
	if (worker->cancel_reason != 0 && worker->cancel_seq == seq)
		result.reason = worker->cancel_reason;
	else if (pool->is_cancelled)
		result.reason = RESULT_CANCELLED;
	client->finished(client->context, seq, attempt, &result);
}

/* Gives every attempt the dead worker had an end: lost if it was in its hand, else returned. */
static void
pool_settle_flights(struct pool_worker *worker, uint64_t seq_in_hand, int status)
{
	struct pool *pool = worker->pool;
	const struct backend_client *client = &pool->config.client;
	uint64_t seq;
	struct flight flight;
	while (flights_find_owned(&pool->flights, worker->number, &seq, &flight)) {
		flights_remove(&pool->flights, seq);
		if (flight.is_started || seq == seq_in_hand)
			pool_report_lost(pool, worker, seq, flight.attempt, status);
		else
			client->returned(client->context, seq, flight.attempt);
	}
}

/* A worker that ended before it served anything, and not because we said so. */
static void
pool_count_failed_start(struct pool *pool, const struct pool_worker *worker, int status)
{
	struct err err = {0};
	if (++pool->failed_starts < POOL_START_TRIES)
		return;
	if (worker->start_error != NULL)
		err_set(&err, ERR_BROKEN, "%s (%u workers in a row)", worker->start_error,
			pool->failed_starts);
	else
		err_set(&err, ERR_BROKEN,
			"%u workers in a row died before they served a task (%s %d)",
			pool->failed_starts, WIFSIGNALED(status) ? "signal" : "exit",
			WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	pool_break(pool, &err);
}

static void
pool_bury(struct pool_worker *worker, int status)
{
	struct pool *pool = worker->pool;
	struct pool_search search = {.pool = pool, .owner = worker->number};
	struct pool_worker dead;
	family_remove(pool->config.family, worker->pid);
	pool->live_count--;
	pool_read_last_frames(worker);
	ring_reclaim(pool->ring, worker->number, pool_visit_claim, &search);
	pool_collect(pool);
	uint64_t seq_in_hand = atomic_load(&pool_seat(worker)->seq);
	if (status != 0)
		family_sweep(pool->config.family, pool->config.run_name, seq_in_hand);
	pool_unwatch(worker);
	dead = *worker;
	worker->pid = 0;
	worker->result_fd = -1;
	worker->reader = (struct frame_reader){0};
	pool_settle_flights(worker, seq_in_hand, status);
	if (!dead.has_started && status != 0 && !dead.was_told_off)
		pool_count_failed_start(pool, &dead, status);
	worker->start_error = NULL;
	io_close(dead.result_fd);
	frame_reader_fini(&dead.reader);
	free(dead.start_error);
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

/* --- the rest of the interface --- */

static size_t
pool_room(const struct backend *backend)
{
	const struct pool *pool = pool_of(backend);
	size_t chunk = pool->config.spec->chunk_count ? pool->config.spec->chunk_count : 1;
	size_t most = POOL_AHEAD * chunk * pool->target_count;
	if (most < POOL_AHEAD_MIN)
		most = POOL_AHEAD_MIN;
	if (pool->is_cancelled || pool->is_closed || pool->is_broken ||
	    flights_count(&pool->flights) >= most || !ring_has_room(pool->ring, 0))
		return 0;
	size_t cells = ring_room(pool->ring);
	return cells < most - flights_count(&pool->flights)
		   ? cells
		   : most - flights_count(&pool->flights);
}

static size_t
pool_idle_count(const struct backend *backend)
{
	const struct pool *pool = pool_of(backend);
	size_t busy = flights_count(&pool->flights);
	return busy < pool->target_count ? pool->target_count - busy : 0;
}

static int
pool_submit(struct backend *backend, const struct task *task, struct err *err)
{
	struct pool *pool = pool_of(backend);
	struct task_cell cell = {
	    .seq = task->seq, .attempt = task->attempt, .arg_count = task->arg_count};
	pool_collect(pool);
	if (!ring_has_room(pool->ring, sizeof(cell) + task->packed_bytes))
		return 1;
	if (flights_add(&pool->flights, task->seq, task->attempt) == -1)
		return err_no_memory(err);
	if (ring_push(pool->ring, task->seq, task->attempt, &cell, sizeof(cell),
		      task->packed, task->packed_bytes, err) == 0)
		return 0;
	flights_remove(&pool->flights, task->seq);
	return -1;
}

static int
pool_publish(struct backend *backend, struct err *err)
{
	struct pool *pool = pool_of(backend);
	ring_publish(pool->ring);
	return pool_staff(pool, err);
}

static void
pool_withdraw(struct backend *backend)
{
	struct pool *pool = pool_of(backend);
	uint64_t seq;
	uint32_t attempt;
	while (ring_withdraw(pool->ring, &seq, &attempt)) {
		flights_remove(&pool->flights, seq);
		pool->config.client.returned(pool->config.client.context, seq, attempt);
	}
	pool_collect(pool);
}

static struct pool_worker *
pool_worker_of(struct pool *pool, const struct flight *flight)
{
	for (size_t i = 0; i < pool->config.worker_max; i++)
		if (pool->workers[i].pid != 0 && pool->workers[i].number == flight->owner)
			return &pool->workers[i];
	return NULL;
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
	if (worker == NULL)
		return;
	struct board_seat *seat = pool_seat(worker);
	worker->cancel_reason = reason;
	worker->cancel_seq = seq;
	atomic_store(&seat->cancel_seq, seq);
	atomic_store(&seat->cancel_attempt, flight.attempt);
	atomic_store(&seat->cancel_reason, (uint32_t)reason);
	kill(worker->pid, force == BACKEND_KILL_WORKER ? SIGKILL : SIGUSR1);
}

/* Gives a worker an order and sees that it looks. */
static void
pool_order(struct pool_worker *worker, enum board_order order)
{
	atomic_store(&pool_seat(worker)->order, order);
	if (order >= BOARD_RETIRE)
		worker->was_told_off = true;
	kill(worker->pid, SIGUSR1);
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
		if (force == BACKEND_KILL_WORKER)
			kill(worker->pid, SIGKILL);
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
	for (size_t i = worker_count; i < pool->config.worker_max; i++)
		if (pool->workers[i].pid != 0)
			pool_order(&pool->workers[i], BOARD_RETIRE);
	ring_wake_all(pool->ring);
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
		if (pool->workers[i].pid != 0 && group > 1)
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
		if (atomic_load(&pool->board.seats[i].order) == BOARD_HOLD)
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
}

static void
pool_close(struct backend *backend)
{
	struct pool *pool = pool_of(backend);
	if (pool->is_closed)
		return;
	pool->is_closed = true;
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
			kill(worker->pid, SIGKILL);
			waitpid(worker->pid, NULL, 0);
			family_remove(pool->config.family, worker->pid);
			family_sweep(pool->config.family, pool->config.run_name, seq);
		}
		pool_unwatch(worker);
		io_close(worker->result_fd);
		frame_reader_fini(&worker->reader);
		free(worker->start_error);
	}
}

static void
pool_free(struct backend *backend)
{
	struct pool *pool = pool_of(backend);
	pool_stop(pool);
	free(pool->workers);
	flights_fini(&pool->flights);
	board_fini(&pool->board);
	ring_free(pool->ring);
	free(pool);
}

static const struct backend_ops pool_ops = {
    .room = pool_room,
    .idle_count = pool_idle_count,
    .submit = pool_submit,
    .publish = pool_publish,
    .withdraw = pool_withdraw,
    .cancel = pool_cancel,
    .cancel_all = pool_cancel_all,
    .resize = pool_resize,
    .worker_count = pool_worker_count,
    .suspend = pool_suspend,
    .resume = pool_resume,
    .hold = pool_hold,
    .reap = pool_reap,
    .close = pool_close,
    .is_gone = pool_is_gone,
    .free = pool_free,
};

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
	pool->target_count = config->worker_count;
	pool->workers = calloc(config->worker_max, sizeof(*pool->workers));
	if (pool->workers == NULL) {
		err_no_memory(err);
		goto free_pool;
	}
	for (size_t i = 0; i < config->worker_max; i++)
		pool->workers[i] = (struct pool_worker){.pool = pool, .result_fd = -1};
	if (board_init(&pool->board, config->worker_max, err) == -1)
		goto free_pool;
	pool->ring = ring_new(POOL_RING_CELLS, POOL_RING_BYTES, err);
	if (pool->ring == NULL)
		goto free_pool;
	return &pool->backend;

free_pool:
	pool_free(&pool->backend);
	return NULL;
}

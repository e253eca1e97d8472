/* pool_staff.c: see pool_parts.h. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/visible.h"
#include "pool/executor.h"
#include "pool/pool_parts.h"

/* On the board, where workers see it however they are made. */
static int
pool_offer_jobserver(const struct pool_worker *worker)
{
	struct jobserver *jobserver = worker->pool->config.jobserver;
	if (jobserver == NULL)
		return 0;
	int fd = jobserver_seat_fd(jobserver, pool_slot(worker));
	atomic_store(&pool_seat(worker)->jobserver_fd, fd);
	atomic_store(&pool_seat(worker)->jobserver_style, jobserver->style);
	return fd == -1 ? -1 : 0;
}

/* A worker on an empty seat. */
static int
pool_start(struct pool *pool, struct pool_worker *worker, struct err *err)
{
	int fds[2];
	if (family_reserve(pool->config.family) == -1)
		return err_no_memory(err);
	outbox_unmap(&worker->outbox);
	if (outbox_map(&worker->outbox, pool->outbox_fd, (size_t)(worker - pool->workers),
		       true, err) == -1)
		return -1;
	if (io_pipe(fds, 0) == -1)
		return err_errno(err, "cannot make a pipe for a worker");
	if (io_set_nonblocking(fds[0]) == -1 || io_set_nonblocking(fds[1]) == -1) {
		err_errno(err, "cannot set up a worker's pipe");
		goto close_pipe;
	}
	board_seat_reset(pool_seat(worker));
	if (pool_offer_jobserver(worker) == -1) {
		err_errno(err, "cannot make a jobserver's pipe");
		goto close_pipe;
	}
	*worker = (struct pool_worker){.pool = pool,
				       .number = pool->next_number++,
				       .place_count =
					   pool->config.other_count + pool->target_count,
				       .result_fd = fds[0],
				       .outbox = worker->outbox,
				       .poll_at_ns = CLOCK_NEVER};
	if (pool_watch(worker, err) == -1)
		goto empty_seat;
	struct starter_request request = {
	    .number = worker->number,
	    .slot_index = (size_t)(worker - pool->workers),
	    .worker_count = worker->place_count,
	    .result_fd = fds[1],
	};
	pid_t pid = starter_start(pool->starter, &request, err);
	if (pid == -1) {
		pool_unwatch(worker);
		pool_take_back(worker);
		goto empty_seat;
	}
	close(fds[1]);
	worker->pid = pid;
	family_add(pool->config.family, worker->pid);
	pool->live_count++;
	return 0;

empty_seat:
	*worker =
	    (struct pool_worker){.pool = pool, .result_fd = -1, .outbox = worker->outbox};
close_pipe:
	close(fds[0]);
	close(fds[1]);
	return -1;
}

void
pool_break(struct pool *pool, const struct err *err)
{
	if (pool->is_broken)
		return;
	pool->is_broken = true;
	pool->config.client.broken(pool->config.client.context, err);
}

int
pool_staff(struct pool *pool, struct err *err)
{
	for (size_t i = 0; i < pool->target_count; i++) {
		if (pool->is_cancelled || pool->is_broken ||
		    pool->live_count >= pool->target_count ||
		    pool->live_count >= pool->flights.task_count)
			return 0;
		if (pool->workers[i].pid != 0)
			continue;
		int is_open = starter_open(pool->starter, err);
		if (is_open == 0)
			return 0; /* pool_on_ready goes on */
		if (is_open == -1 || pool_start(pool, &pool->workers[i], err) == -1)
			return pool->live_count > 0 ? 0 : -1;
	}
	return 0;
}

static void
pool_on_ready(void *context)
{
	struct pool *pool = context;
	struct err err = {0};
	if (pool_staff(pool, &err) == -1)
		pool_break(pool, &err);
}

static void
pool_on_broken(void *context, const struct err *err)
{
	pool_break(context, err);
}

static void
pool_run_worker(const struct worker_config *worker)
{
	worker_main(worker);
}

struct starter *
pool_starter(struct pool *pool, struct err *err)
{
	const struct pool_config *config = &pool->config;
	struct starter_config starter = {
	    .worker = {.spec = config->spec,
		       .template = config->template,
		       .topology = config->topology,
		       .place = {.cpu = -1},
		       .place_first = config->place_first,
		       .origin = config->origin,
		       .run_name = config->run_name,
		       .ring = pool->ring,
		       .board = &pool->board,
		       .column_count = config->column_count,
		       .outbox_fd = pool->outbox_fd,
		       .first_stdin_fd = config->first_stdin_fd,
		       .coordinator = getpid()},
	    .loop = config->loop,
	    .family = config->family,
	    .argv = config->argv,
	    .names = config->names,
	    .name_count = config->name_count,
	    .run = pool_run_worker,
	    .prepare = executor_prepare,
	    .unprepare = executor_unprepare,
	    .ready = pool_on_ready,
	    .broken = pool_on_broken,
	    .context = pool,
	};
	return starter_new(&starter, err);
}

void
pool_give_back(struct pool *pool, uint64_t seq, uint32_t attempt)
{
	struct flight flight;
	if (!flights_get(&pool->flights, seq, &flight) || flight.attempt != attempt ||
	    flight.owner != FLIGHTS_NOBODY)
		return;
	flights_remove(&pool->flights, seq);
	pool->config.client.returned(pool->config.client.context, seq, attempt, 0);
}

void
pool_collect(struct pool *pool)
{
	struct ring_ticket ticket;
	while (ring_collect(pool->ring, &ticket))
		if (ticket.owner < pool->next_number)
			flights_claim(&pool->flights, ticket.id, ticket.attempt,
				      ticket.owner);
		else if (ticket.owner != RING_OWNER_NONE) /* garbled: nobody's */
			pool_give_back(pool, ticket.id, ticket.attempt);
}

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

/* A plugin's function has ended the worker with itself; only KILL comes from elsewhere. */
static void
pool_blame_function(int status, struct result *result)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
		result->reason = RESULT_SIGNAL;
	if (!WIFEXITED(status))
		return;
	result->reason = RESULT_EXIT;
	if (result->exit_status == 0)
		result->exit_status = 1; /* it has not returned: no success */
}

static void
pool_report_lost(struct pool *pool, const struct pool_worker *worker, uint64_t seq,
		 struct flight flight, int status)
{
	const struct backend_client *client = &pool->config.client;
	struct result result = {
	    .reason = RESULT_LOST,
	    .exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 0,
	    .signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
	    .worker = worker->number,
	    .slot = (uint32_t)(worker - pool->workers) + 1,
	    .cpu = -1,
	};
	if (flight.is_started) {
		result.stdout_bytes = worker->stream_bytes[RESULT_STDOUT];
		result.stderr_bytes = worker->stream_bytes[RESULT_STDERR];
	}
	if (pool->config.spec->executor == SPEC_PLUGIN)
		pool_blame_function(status, &result);
	if (worker->cancel_reason != 0 && worker->cancel_seq == seq)
		result.reason = worker->cancel_reason;
	else if (pool->is_cancelled)
		result.reason = RESULT_CANCELLED;
	client->finished(client->context, seq, flight.attempt, &result);
}

/*
 * Gives every attempt the dead worker had an end: lost if it was in its hand, else returned. So is
 * what was in its hand when we killed it for a task that had just ended. How many there were.
 */
static size_t
pool_settle_flights(struct pool_worker *worker, uint64_t seq_in_hand, int status)
{
	struct pool *pool = worker->pool;
	const struct backend_client *client = &pool->config.client;
	uint64_t seq;
	struct flight flight;
	size_t count = 0;
	while (flights_find_owned(&pool->flights, worker->number, &seq, &flight)) {
		count++;
		bool is_suspect = seq == seq_in_hand && flight.count > 1 &&
				  atomic_load(&pool_seat(worker)->is_chunk) != 0;
		bool is_lost = (flight.is_started || (seq == seq_in_hand && !is_suspect)) &&
			       !(worker->is_blameless && seq != worker->cancel_seq);
		flights_drop(&pool->flights, seq, is_lost ? 1 : flight.count);
		if (is_lost)
			pool_report_lost(pool, worker, seq, flight, status);
		else
			client->returned(client->context, seq, flight.attempt,
					 is_suspect ? 1 : 0);
	}
	return count;
}

/*
 * The task that a dead worker had in its hand, by its word on the board. If that names none of its
 * own again and again, it is not to be trusted: workers die of a function that writes wildly, and
 * without one that is charged with it, their tasks would come back and kill others for ever.
 */
static uint64_t
pool_seq_in_hand(struct pool_worker *dead, int status)
{
	struct pool *pool = dead->pool;
	uint64_t said = atomic_load(&pool_seat(dead)->seq);
	uint64_t seq;
	struct flight flight;
	bool is_known = flights_find_around(&pool->flights, said, &seq, &flight) &&
			flight.owner == dead->number;
	bool is_start = !dead->has_started && said == BOARD_NO_TASK;
	if (is_known || is_start || status == 0 || dead->was_told_off ||
	    !flights_find_owned(&pool->flights, dead->number, &seq, &flight) ||
	    ++pool->idle_deaths < POOL_START_TRIES)
		return said;
	return seq;
}

/*
 * Whether it ended before it could serve, and not because we said so. A task in its hand may
 * have killed it before we heard that the task had started.
 */
static bool
pool_is_failed_start(const struct pool_worker *dead, uint64_t seq_in_hand,
		     size_t flight_count, int status)
{
	/* One that has nothing left to do leaves with 0; so may foreign code, in the middle. */
	if ((status == 0 && flight_count == 0) || dead->was_told_off)
		return false;
	if (dead->start_error != NULL)
		return true;
	return !dead->has_started && seq_in_hand == BOARD_NO_TASK;
}

static void
pool_count_failed_start(struct pool *pool, const struct pool_worker *worker, int status)
{
	struct err err = {0};
	bool has_given_up = WIFEXITED(status) && WEXITSTATUS(status) == WORKER_GAVE_UP;
	pool->failed_starts++;
	if (pool->failed_starts < POOL_START_TRIES && (!has_given_up || pool->has_served))
		return;
	if (worker->start_error != NULL && has_given_up)
		err_set(&err, ERR_BROKEN, "%s", worker->start_error);
	else if (worker->start_error != NULL)
		err_set(&err, ERR_BROKEN, "%s (%u worker%s in a row)", worker->start_error,
			pool->failed_starts, pool->failed_starts == 1 ? "" : "s");
	else if (pool->config.spec->executor == SPEC_PLUGIN)
		err_set(&err, ERR_BROKEN,
			"init of %s ended its process (%s %d), %u times in a row",
			pool->config.spec->plugin_path,
			WIFSIGNALED(status) ? "signal" : "exit",
			WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
			pool->failed_starts);
	else
		err_set(&err, ERR_BROKEN,
			"%u workers in a row died before they served a task (%s %d)",
			pool->failed_starts, WIFSIGNALED(status) ? "signal" : "exit",
			WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	pool_break(pool, &err);
}

/* Nobody's task, so nobody would hear of it: a crash in a plugin's fini. */
static void
pool_tell_late_crash(const struct pool_worker *dead, uint64_t seq_in_hand, int status)
{
	const struct pool *pool = dead->pool;
	const char *path = pool->config.spec->plugin_path;
	struct buf text = {0};
	if (pool->config.spec->executor != SPEC_PLUGIN || pool->is_cancelled ||
	    seq_in_hand != BOARD_NO_TASK || !dead->has_started || !WIFSIGNALED(status) ||
	    WTERMSIG(status) == SIGKILL)
		return;
	if (buf_printf(&text, "%s: fini of ", pool->config.spec->program) == 0 &&
	    visible_append(&text, path, strlen(path), SIZE_MAX) == 0 &&
	    buf_printf(&text, " was killed by signal %d\n", WTERMSIG(status)) == 0)
		pool->config.client.note(pool->config.client.context, text.bytes,
					 text.length);
	buf_fini(&text);
}

/* What it says on the board that it has in hand is its own, also where its claim is garbled. */
static void
pool_claim_in_hand(struct pool_worker *dead)
{
	struct flights *flights = &dead->pool->flights;
	uint64_t seq;
	struct flight flight;
	if (flights_find_around(flights, atomic_load(&pool_seat(dead)->seq), &seq, &flight) &&
	    flight.attempt == atomic_load(&pool_seat(dead)->attempt))
		flights_claim(flights, seq, flight.attempt, dead->number);
}

/* What it has left in the memory that it shared. */
static void
pool_inherit(struct pool_worker *worker)
{
	struct pool *pool = worker->pool;
	struct pool_search search = {.pool = pool, .owner = worker->number};
	pool_take_frames(worker);
	blocks_reclaim(pool->config.blocks, pool_slot(worker));
	ring_reclaim(pool->ring, worker->number, pool_visit_claim, &search);
	pool_collect(pool);
	pool_claim_in_hand(worker);
}

void
pool_take_back(struct pool_worker *worker)
{
	pool_inherit(worker);
	pool_settle_flights(worker, atomic_load(&pool_seat(worker)->seq), 0);
}

void
pool_bury(struct pool_worker *worker, int status)
{
	struct pool *pool = worker->pool;
	struct pool_worker dead;
	family_remove(pool->config.family, worker->pid);
	pool->live_count--;
	worker->is_waited_for = true;
	pool_inherit(worker);
	uint64_t seq_in_hand = pool_seq_in_hand(worker, status);
	if (status != 0)
		family_sweep(pool->config.family, pool->config.run_name, seq_in_hand);
	pool_unwatch(worker);
	dead = *worker;
	worker->pid = 0;
	worker->result_fd = -1;
	size_t flight_count = pool_settle_flights(worker, seq_in_hand, status);
	/* It may have been woken for a task that it did not live to claim, or have garbled it. */
	if (status != 0) {
		ring_mend(pool->ring);
		pool->backend.ops->withdraw(&pool->backend);
	}
	if (ring_unclaimed(pool->ring) > 0)
		ring_wake_all(pool->ring);
	pool_tell_late_crash(&dead, seq_in_hand, status);
	if (pool_is_failed_start(&dead, seq_in_hand, flight_count, status))
		pool_count_failed_start(pool, &dead, status);
	worker->start_error = NULL;
	io_close(dead.result_fd);
	free(dead.start_error);
}

/* pool_steer.c: see pool_parts.h. */
#include "pool/pool_parts.h"

void
pool_retire_from(struct pool *pool, size_t first)
{
	for (size_t i = first; i < pool->config.worker_max; i++)
		if (pool->workers[i].pid != 0)
			pool_order(&pool->workers[i], BOARD_RETIRE);
	ring_wake_all(pool->ring);
}

void
pool_retire(struct backend *backend)
{
	pool_retire_from((struct pool *)backend, 0);
}

void
pool_pause(struct backend *backend, bool is_paused)
{
	struct pool *pool = (struct pool *)backend;
	uint32_t from = is_paused ? BOARD_GO : BOARD_HOLD;
	pool->is_paused = is_paused;
	for (size_t i = 0; i < pool->config.worker_max; i++) {
		_Atomic uint32_t *order = &pool->board.seats[i].order;
		if (atomic_load(order) == from)
			atomic_store(order, is_paused ? BOARD_HOLD : BOARD_GO);
	}
	if (is_paused)
		return;
	ring_wake_all(pool->ring); /* for the rest of their chunks */
	pool_signal_wanting(pool);
}

/* To know what is where. */
static void
pool_take_all_frames(struct pool *pool)
{
	for (size_t i = 0; i < pool->config.worker_max; i++)
		if (pool->workers[i].pid != 0)
			pool_take_frames(&pool->workers[i]);
	pool_collect(pool);
}

void
pool_recall(struct backend *backend, uint64_t seq)
{
	struct pool *pool = (struct pool *)backend;
	struct pool_worker *worker = NULL;
	struct flight flight;
	uint64_t first;
	pool_take_all_frames(pool);
	if (flights_find_around(&pool->flights, seq, &first, &flight))
		worker = pool_worker_of(pool, &flight);
	if (worker == NULL) { /* nobody has claimed it, or it has its end */
		pool_withdraw(backend);
		return;
	}
	struct board_seat *seat = pool_seat(worker);
	uint64_t in_hand = atomic_load(&seat->seq);
	bool is_in_chunk = in_hand == first && atomic_load(&seat->is_chunk) != 0;
	if (in_hand == seq || is_in_chunk)
		pool_cancel_in_hand(worker, in_hand, flight.attempt, RESULT_CANCELLED,
				    pool_is_deaf(pool));
	else
		pool_order(worker, BOARD_RETIRE); /* what it has not begun comes back */
}

size_t
pool_seat_count(const struct backend *backend)
{
	return ((const struct pool *)backend)->config.worker_max;
}

bool
pool_look(const struct backend *backend, size_t index, struct backend_worker *worker)
{
	const struct pool *pool = (const struct pool *)backend;
	const struct pool_worker *of = &pool->workers[index];
	const struct board_seat *seat = &pool->board.seats[index];
	if (of->pid == 0)
		return false;
	int32_t task_pid = atomic_load(&seat->pid);
	*worker = (struct backend_worker){
	    .slot = (uint32_t)index + 1,
	    .pid = of->pid,
	    .attempt = atomic_load(&seat->attempt),
	    .seq = atomic_load(&seat->seq),
	    .task_pid = task_pid > 0 ? task_pid : 0,
	    .served_count = atomic_load(&seat->served_count),
	};
	return true;
}

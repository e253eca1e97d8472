/*
 * pool_tail.c: see pool_parts.h.
 *
 * A place of one's own is worth having while all cores are at work. With fewer tasks left than
 * workers it ties a task to a core that it may have to share with strangers, beside one that has
 * nothing to do. Then tasks are let go: what they run may use the whole budget. Workers keep their
 * places, so that whatever they start later has its place again.
 *
 * Only tasks seen at two looks in a row, POOL_TAIL_MS apart, are worth the visit; nobody looks
 * while there is work for all.
 */
#include <sys/types.h>

#include "base/clock.h"
#include "pool/pool_parts.h"

#define POOL_TAIL_MS 3

/*
 * A command is over when its task is. A program that is fed and a worker with a plugin take more
 * tasks, and must not lose their places before it is known that there are none.
 */
static bool
pool_is_in_tail(const struct pool *pool, bool is_all)
{
	const struct pool_config *config = &pool->config;
	return pool->flights.task_count > 0 &&
	       pool->flights.task_count < pool->target_count && config->topology != NULL &&
	       (is_all || config->spec->executor == SPEC_SPAWN) &&
	       topology_place_count(config->topology, config->spec->bind,
				    config->other_count + pool->target_count) > 1;
}

/* The process that works on the task in hand; 0: there is none now. */
static pid_t
pool_process_at_work(const struct pool_worker *worker)
{
	const struct board_seat *seat = pool_seat(worker);
	if (worker->pid == 0 || worker->is_waited_for ||
	    atomic_load(&seat->seq) == BOARD_NO_TASK)
		return 0;
	if (worker->pool->config.spec->executor == SPEC_PLUGIN)
		return worker->pid;
	pid_t pid = atomic_load(&seat->pid);
	return pid > 1 ? pid : 0;
}

/* Whether it is to be looked at once more. */
static bool
pool_look_at(struct pool_worker *worker)
{
	const struct pool_config *config = &worker->pool->config;
	pid_t pid = pool_process_at_work(worker);
	if (pid != 0 && pid != worker->tail_pid) {
		worker->tail_pid = pid;
		worker->has_widened = false;
		return true;
	}
	if (pid != 0 && !worker->has_widened) {
		worker->has_widened = true;
		topology_widen(
		    config->topology, config->spec->bind, worker->place_count,
		    config->place_first + (size_t)(worker - worker->pool->workers), pid);
	}
	return false;
}

void
pool_spread(struct backend *backend, bool is_all)
{
	struct pool *pool = (struct pool *)backend;
	if (!pool_is_in_tail(pool, is_all)) {
		pool->tail_at_ns = CLOCK_NEVER;
		return;
	}
	int64_t now_ns = clock_now_ns();
	if (pool->tail_at_ns != CLOCK_NEVER && now_ns < pool->tail_at_ns)
		return;
	bool is_unsettled = false;
	for (size_t i = 0; i < pool->config.worker_max; i++)
		is_unsettled |= pool_look_at(&pool->workers[i]);
	pool->tail_at_ns = is_unsettled ? now_ns + POOL_TAIL_MS * NS_PER_MS : CLOCK_NEVER;
}

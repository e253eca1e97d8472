/* dry.c: see dry.h. */
#include "pool/dry.h"

#include <stdlib.h>

#include "base/clock.h"

#define DRY_ROOM 64 /* tasks taken in one turn of the loop */

struct dry {
	struct backend backend;
	struct dry_config config;
	struct buf line;
	struct arg *args;
	size_t arg_capacity;
};

static size_t
dry_room(const struct backend *backend)
{
	(void)backend;
	return DRY_ROOM;
}

static uint32_t
dry_chunk(const struct backend *backend)
{
	(void)backend;
	return 1;
}

static int
dry_submit(struct backend *backend, const struct task *task, struct err *err)
{
	struct dry *dry = (struct dry *)backend;
	const struct backend_client *client = &dry->config.client;
	uint64_t seq = task->seq;
	uint32_t attempt = task->attempt; /* the task may be gone once it has finished */
	struct result result = {.reason = RESULT_EXIT, .cpu = -1};
	if (task_unpack(task_bytes(task), task->packed_bytes, task->arg_count, &dry->args,
			&dry->arg_capacity) == -1)
		return err_no_memory(err);
	struct template_values values = {
	    .seq = seq,
	    .slot = (uint32_t)(seq % dry->config.worker_count) + 1,
	    .args = dry->args,
	    .arg_count = task->arg_count,
	    .column_count = dry->config.column_count,
	};
	buf_clear(&dry->line);
	if (template_append_line(dry->config.template, &values, &dry->line, err) == -1)
		return -1;
	if (buf_append_char(&dry->line, '\n') == -1)
		return err_no_memory(err);
	client->started(client->context, seq, attempt, values.slot, clock_now_ns());
	client->output(client->context, seq, attempt, RESULT_STDOUT, dry->line.bytes,
		       dry->line.length);
	client->finished(client->context, seq, attempt, &result);
	return 0;
}

static int
dry_publish(struct backend *backend, struct err *err)
{
	(void)backend;
	(void)err;
	return 0;
}

/* Nothing ever runs, so there is nothing to take back, end, stop or watch. */
static void
dry_ignore(struct backend *backend)
{
	(void)backend;
}

static void
dry_cancel(struct backend *backend, uint64_t seq, enum result_reason reason,
	   enum backend_force force)
{
	(void)backend, (void)seq, (void)reason, (void)force;
}

static void
dry_recall(struct backend *backend, uint64_t seq)
{
	(void)backend, (void)seq;
}

static size_t
dry_seat_count(const struct backend *backend)
{
	(void)backend;
	return 0;
}

static bool
dry_look(const struct backend *backend, size_t index, struct backend_worker *worker)
{
	(void)backend, (void)index, (void)worker;
	return false;
}

static void
dry_cancel_all(struct backend *backend, enum backend_force force)
{
	(void)backend, (void)force;
}

static void
dry_resize(struct backend *backend, size_t worker_count)
{
	(void)backend, (void)worker_count;
}

static size_t
dry_worker_count(const struct backend *backend)
{
	return ((const struct dry *)backend)->config.worker_count;
}

static int64_t
dry_poll_at(const struct backend *backend)
{
	(void)backend;
	return CLOCK_NEVER;
}

static void
dry_poll(struct backend *backend, int64_t now_ns)
{
	(void)backend, (void)now_ns;
}

static void
dry_spread(struct backend *backend, bool is_all)
{
	(void)backend, (void)is_all;
}

static void
dry_hold(struct backend *backend, bool is_held)
{
	(void)backend, (void)is_held;
}

static void
dry_hold_from(struct backend *backend, uint64_t seq)
{
	(void)backend, (void)seq;
}

static bool
dry_is_gone(const struct backend *backend)
{
	(void)backend;
	return true;
}

static void
dry_free(struct backend *backend)
{
	struct dry *dry = (struct dry *)backend;
	buf_fini(&dry->line);
	free(dry->args);
	free(dry);
}

static const struct backend_ops dry_ops = {
    .room = dry_room,
    .chunk = dry_chunk,
    .idle_count = dry_room,
    .submit = dry_submit,
    .publish = dry_publish,
    .spread = dry_spread,
    .withdraw = dry_ignore,
    .cancel = dry_cancel,
    .recall = dry_recall,
    .cancel_all = dry_cancel_all,
    .resize = dry_resize,
    .worker_count = dry_worker_count,
    .suspend = dry_ignore,
    .resume = dry_ignore,
    .pause = dry_hold,
    .retire = dry_ignore,
    .seat_count = dry_seat_count,
    .look = dry_look,
    .hold = dry_hold,
    .hold_from = dry_hold_from,
    .poll_at = dry_poll_at,
    .poll = dry_poll,
    .reap = dry_ignore,
    .close = dry_ignore,
    .is_gone = dry_is_gone,
    .free = dry_free,
};

struct backend *
dry_new(const struct dry_config *config, struct err *err)
{
	struct dry *dry = calloc(1, sizeof(*dry));
	if (dry == NULL) {
		err_no_memory(err);
		return NULL;
	}
	dry->backend.ops = &dry_ops;
	dry->config = *config;
	return &dry->backend;
}

/* pool_hear.c: see pool_parts.h. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "pool/pool_parts.h"

/* A worker that sends what cannot be has a garbled memory: its word counts no more. */
static void
pool_distrust(struct pool_worker *worker)
{
	pool_unwatch(worker);
	io_close_set(&worker->result_fd);
	pool_kill(worker, SIGKILL);
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

void
pool_take_frames(struct pool_worker *worker)
{
	size_t length;
	const char *bytes =
	    worker->result_fd == -1 ? NULL : outbox_peek(&worker->outbox, &length);
	bool is_sound = bytes != NULL;
	while (is_sound && length > 0) {
		struct frame_header header;
		const char *payload;
		is_sound = frame_get(bytes, length, &header, &payload) == 1 &&
			   pool_on_frame(worker, &header, payload);
		if (!is_sound)
			break;
		bytes += frame_bytes(header.payload_bytes);
		length -= frame_bytes(header.payload_bytes);
		if (outbox_release(&worker->outbox, frame_bytes(header.payload_bytes)))
			pool_kill(worker, SIGUSR1);
	}
	if (!is_sound && worker->result_fd != -1)
		pool_distrust(worker);
}

static void
pool_on_frames(void *context, unsigned int events)
{
	struct pool_worker *worker = context;
	char rings[64];
	(void)events;
	ssize_t got = io_read(worker->result_fd, rings, sizeof(rings));
	if (got == 0)
		pool_unwatch(worker); /* the rest is up to SIGCHLD */
	outbox_answer(&worker->outbox);
	pool_take_frames(worker);
	pool_collect(
	    worker->pool); /* room comes from what was claimed, also when the ring is full */
}

int
pool_watch(struct pool_worker *worker, struct err *err)
{
	if (worker->pool->is_held || worker->watch != NULL || worker->result_fd == -1)
		return 0;
	worker->watch = loop_watch(worker->pool->config.loop, worker->result_fd,
				   LOOP_READ, pool_on_frames, worker, err);
	return worker->watch == NULL ? -1 : 0;
}

void
pool_unwatch(struct pool_worker *worker)
{
	loop_unwatch(worker->pool->config.loop, worker->watch);
	worker->watch = NULL;
}

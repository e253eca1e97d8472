/* pool_hear.c: see pool_parts.h. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "pool/pool_parts.h"

#define POOL_READ_BYTES (128 * 1024) /* taken from a worker's pipe at once */

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
	bool is_sound = got > 0 ? pool_take_frames(worker) : got == 0 || errno == EAGAIN;
	if (!is_sound)
		pool_distrust(worker);
	else if (got == 0)
		pool_unwatch(worker); /* the rest is up to SIGCHLD */
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

void
pool_read_last_frames(struct pool_worker *worker)
{
	while (worker->result_fd != -1) {
		ssize_t got =
		    frame_reader_fill(&worker->reader, worker->result_fd, POOL_READ_BYTES);
		if (got <= 0 || !pool_take_frames(worker))
			return;
	}
}

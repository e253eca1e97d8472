/* pool_hear.c: see pool_parts.h. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/io.h"
#include "pool/channel.h"
#include "pool/pool_parts.h"

/* Behind the moment up to which a worker that has rung may be silent. */
#define POOL_POLL_MS (CHANNEL_DELAY_MS + 2)

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

/*
 * What the frame is about, if this worker may have a say in it. It is the worker's from then
 * on: what is left of a chunk is not found by the name of its cell any more.
 */
static bool
pool_find_flight(struct pool_worker *worker, const struct frame_header *header,
		 struct flight *flight)
{
	struct flights *flights = &worker->pool->flights;
	if (!flights_get(flights, header->seq, flight) ||
	    flight->attempt != header->attempt ||
	    (flight->owner != FLIGHTS_NOBODY && flight->owner != worker->number))
		return false;
	flight->owner = worker->number;
	flights_set(flights, header->seq, *flight);
	return true;
}

static void
pool_break_no_memory(struct pool *pool)
{
	struct err err = {0};
	err_no_memory(&err);
	pool_break(pool, &err);
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
	if (flights_split(&worker->pool->flights, header->seq) == -1) {
		pool_break_no_memory(worker->pool);
		return true;
	}
	flight.count = 1;
	flight.is_started = true;
	flights_set(&worker->pool->flights, header->seq, flight);
	worker->has_started = true;
	memset(worker->stream_bytes, 0, sizeof(worker->stream_bytes));
	client->started(client->context, header->seq, header->attempt,
			pool_slot(worker) + 1, started_at_ns);
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
	if (result.reason != RESULT_NO_ANSWER) {
		worker->pool->failed_starts = 0;
		worker->pool->idle_deaths = 0;
		worker->pool->has_served = true;
	}
	if (worker->cancel_seq == header->seq)
		worker->cancel_reason = 0;
	chunking_add(&worker->pool->chunking, 1, result.wall_ns);
	flights_remove(&worker->pool->flights, header->seq);
	client->finished(client->context, header->seq, header->attempt, &result);
	return true;
}

/* An unstarted rest of a chunk comes back. */
static bool
pool_on_returned(struct pool_worker *worker, struct flight flight,
		 const struct frame_header *header, const char *payload)
{
	const struct backend_client *client = &worker->pool->config.client;
	uint32_t count;
	if (header->payload_bytes != sizeof(count) || flight.is_started)
		return false;
	memcpy(&count, payload, sizeof(count));
	if (count != flight.count)
		return false;
	flights_remove(&worker->pool->flights, header->seq);
	client->returned(client->context, header->seq, header->attempt,
			 (count - 1) / (uint32_t)worker->pool->target_count + 1);
	return true;
}

/* Output in the outbox. A seat with much of it is given blocks for what comes next. */
static bool
pool_on_output(struct pool_worker *worker, struct flight flight,
	       const struct frame_header *header, const char *payload)
{
	const struct pool_config *config = &worker->pool->config;
	enum result_stream stream =
	    header->type == FRAME_STDOUT ? RESULT_STDOUT : RESULT_STDERR;
	if (!flight.is_started)
		return false;
	worker->stream_bytes[stream] += header->payload_bytes;
	config->client.output(config->client.context, header->seq, header->attempt,
			      stream, payload, header->payload_bytes);
	if (header->payload_bytes == FRAME_PAYLOAD_MAX)
		blocks_offer(config->blocks, pool_slot(worker), &worker->outbox);
	return true;
}

/* The same in a block. */
static bool
pool_on_block(struct pool_worker *worker, struct flight flight,
	      const struct frame_header *header, const char *payload)
{
	const struct pool_config *config = &worker->pool->config;
	struct block_part part;
	if (header->payload_bytes != sizeof(part) || !flight.is_started)
		return false;
	memcpy(&part, payload, sizeof(part));
	if (part.stream >= RESULT_STREAMS)
		return false;
	const char *bytes = blocks_take(config->blocks, pool_slot(worker), &part);
	if (bytes == NULL)
		return false;
	worker->stream_bytes[part.stream] += part.length;
	config->client.output(config->client.context, header->seq, header->attempt,
			      (enum result_stream)part.stream, bytes, part.length);
	blocks_pass(config->blocks, &part);
	if (part.is_last)
		blocks_offer(config->blocks, pool_slot(worker), &worker->outbox);
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
	if (type == FRAME_BROKEN) {
		struct err err = {0};
		err_set(&err, ERR_BROKEN, "%.*s", (int)header->payload_bytes, payload);
		pool_break(pool, &err);
		return true;
	}
	if (type == FRAME_START_FAILED) {
		pool_keep_start_error(worker, payload, header->payload_bytes);
		return true;
	}
	if (!pool_find_flight(worker, header, &flight))
		return false;
	if (type == FRAME_STARTED)
		return pool_on_started(worker, flight, header, payload);
	if (type == FRAME_FINISHED)
		return pool_on_finished(worker, flight, header, payload);
	if (type == FRAME_RETURNED)
		return pool_on_returned(worker, flight, header, payload);
	if (type == FRAME_BLOCK)
		return pool_on_block(worker, flight, header, payload);
	return pool_on_output(worker, flight, header, payload);
}

/* An answer behind those gathered; there is room for its bytes. */
static void
pool_gather_answer(struct pool *pool, struct answers *answers,
		   const struct frame_header *header, const char *payload)
{
	struct frame_answer answer;
	size_t length = header->payload_bytes - sizeof(answer);
	memcpy(&answer, payload, sizeof(answer));
	memcpy(pool->answer_bytes.bytes + pool->answer_bytes.length,
	       payload + sizeof(answer), length);
	pool->answer_bytes.length += length;
	pool->answers[answers->count++] = (struct answer){
	    .started_at_ns = answer.started_at_ns,
	    .wall_ns = answer.wall_ns,
	    .bytes = (uint32_t)length,
	};
}

static void
pool_tell_answers(struct pool_worker *worker, uint64_t seq, uint32_t attempt,
		  struct answers *answers)
{
	struct pool *pool = worker->pool;
	const struct backend_client *client = &pool->config.client;
	int64_t wall_ns = 0;
	for (uint32_t i = 0; i < answers->count; i++)
		wall_ns += answers->items[i].wall_ns;
	chunking_add(&pool->chunking, answers->count, wall_ns);
	pool->failed_starts = 0;
	pool->idle_deaths = 0;
	pool->has_served = true;
	worker->has_started = true;
	flights_drop(&pool->flights, seq, answers->count);
	answers->bytes = pool->answer_bytes.bytes;
	answers->length = pool->answer_bytes.length;
	client->answered(client->context, seq, attempt, answers);
}

/*
 * The answers at the front of `bytes`, as many as belong together: what they take there, 0 for
 * none that can be right.
 */
static size_t
pool_take_answers(struct pool_worker *worker, const char *bytes, size_t length)
{
	struct pool *pool = worker->pool;
	struct frame_header header, first = {0};
	struct flight flight;
	const char *payload;
	size_t used = 0;
	if (pool->answers == NULL)
		pool->answers = calloc(TASK_CHUNK_MAX, sizeof(*pool->answers));
	struct answers answers = {
	    .items = pool->answers,
	    .worker = worker->number,
	    .slot = pool_slot(worker) + 1,
	};
	buf_clear(&pool->answer_bytes);
	if (frame_get(bytes, length, &first, &payload) != 1 || pool->answers == NULL ||
	    buf_reserve(&pool->answer_bytes, length) == -1 ||
	    !pool_find_flight(worker, &first, &flight) || flight.is_started)
		return 0;
	while (answers.count < flight.count &&
	       frame_get(bytes + used, length - used, &header, &payload) == 1 &&
	       header.type == FRAME_ANSWER && header.seq == first.seq + answers.count &&
	       header.attempt == first.attempt &&
	       header.payload_bytes >= sizeof(struct frame_answer)) {
		pool_gather_answer(pool, &answers, &header, payload);
		used += frame_bytes(header.payload_bytes);
	}
	if (used > 0)
		pool_tell_answers(worker, first.seq, first.attempt, &answers);
	return used;
}

/* The frame at the front of `bytes`, or several that belong together: what they take; 0: garbage. */
static size_t
pool_take_some(struct pool_worker *worker, const char *bytes, size_t length)
{
	struct frame_header header;
	const char *payload;
	if (frame_get(bytes, length, &header, &payload) != 1)
		return 0;
	if (header.type == FRAME_ANSWER)
		return pool_take_answers(worker, bytes, length);
	return pool_on_frame(worker, &header, payload) ? frame_bytes(header.payload_bytes)
						       : 0;
}

/* The frame at the front is output that nobody wants now. */
static bool
pool_is_held_back(const struct pool_worker *worker, const char *bytes, size_t length)
{
	struct frame_header header;
	const char *payload;
	return worker->pool->outputs_end != UINT64_MAX && !worker->is_waited_for &&
	       frame_get(bytes, length, &header, &payload) == 1 &&
	       header.seq >= worker->pool->outputs_end &&
	       (header.type == FRAME_STDOUT || header.type == FRAME_STDERR ||
		header.type == FRAME_BLOCK);
}

static void
pool_release(struct pool_worker *worker)
{
	if (worker->outbox.head != NULL && outbox_release(&worker->outbox))
		pool_kill(worker, SIGUSR1);
}

/* Workers that wait for their results to be taken begin the next task only now. */
void
pool_recorded(struct backend *backend)
{
	struct pool *pool = (struct pool *)backend;
	if (!pool->is_recorded || !pool->has_taken)
		return;
	pool->has_taken = false;
	for (size_t i = 0; i < pool->config.worker_max; i++)
		pool_release(&pool->workers[i]);
}

void
pool_take_frames(struct pool_worker *worker)
{
	size_t length = 0;
	const char *bytes =
	    worker->result_fd == -1 ? NULL : outbox_peek(&worker->outbox, &length);
	bool is_sound = bytes != NULL;
	worker->is_held_back = false;
	while (is_sound && length > 0) {
		worker->is_held_back = pool_is_held_back(worker, bytes, length);
		if (worker->is_held_back)
			break;
		size_t used = pool_take_some(worker, bytes, length);
		is_sound = used > 0;
		bytes += used;
		length -= used;
		outbox_take(&worker->outbox, used);
		if (!worker->pool->is_recorded)
			pool_release(worker);
	}
	worker->pool->has_taken = true;
	if (!is_sound && worker->result_fd != -1)
		pool_distrust(worker);
}

void
pool_take_held_back(struct pool *pool)
{
	for (size_t i = 0; i < pool->config.worker_max && !pool->is_held; i++)
		if (pool->workers[i].is_held_back)
			pool_take_frames(&pool->workers[i]);
	pool_collect(pool);
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
	if (got == -1 && errno != EAGAIN) {
		pool_distrust(worker);
		return;
	}
	outbox_answer(&worker->outbox);
	pool_take_frames(worker);
	if (worker->pool->config.spec->executor == SPEC_PLUGIN)
		worker->poll_at_ns = clock_now_ns() + POOL_POLL_MS * NS_PER_MS;
	pool_collect(
	    worker->pool); /* room comes from what was claimed, also when the ring is full */
}

/* The moment somebody is to be heard without having rung. */
static int64_t
pool_hear_at(const struct pool *pool)
{
	int64_t at_ns = CLOCK_NEVER;
	if (pool->is_held || pool->config.spec->executor != SPEC_PLUGIN)
		return at_ns;
	for (size_t i = 0; i < pool->config.worker_max; i++)
		if (pool->workers[i].pid != 0 && pool->workers[i].poll_at_ns < at_ns)
			at_ns = pool->workers[i].poll_at_ns;
	return at_ns;
}

int64_t
pool_poll_at(const struct backend *backend)
{
	const struct pool *pool = (const struct pool *)backend;
	int64_t at_ns = pool_hear_at(pool);
	return pool->tail_at_ns < at_ns ? pool->tail_at_ns : at_ns;
}

void
pool_poll(struct backend *backend, int64_t now_ns)
{
	struct pool *pool = (struct pool *)backend;
	if (pool_hear_at(pool) > now_ns)
		return;
	for (size_t i = 0; i < pool->config.worker_max; i++) {
		struct pool_worker *worker = &pool->workers[i];
		if (worker->pid == 0 || worker->poll_at_ns > now_ns)
			continue;
		worker->poll_at_ns = CLOCK_NEVER;
		pool_take_frames(worker);
	}
	pool_collect(pool);
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

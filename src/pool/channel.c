/* channel.c: see channel.h. */
#include "pool/channel.h"

#include <errno.h>
#include <sched.h>
#include <string.h>

#include "base/clock.h"
#include "base/io.h"
#include "ipc/frame.h"
#include "pool/doze.h"

#define CHANNEL_ROOM_MS 100 /* between looks for room, besides being told of it */
#define CHANNEL_YIELD_NS (NS_PER_MS / 10) /* before a sleep */

/* Set by the handler; signals come in only while channel.c waits. */
static volatile sig_atomic_t channel_has_ended_child;

void
channel_on_child(int signal)
{
	(void)signal;
	channel_has_ended_child = 1;
	doze_disturb();
}

bool
channel_child_ended(void)
{
	bool has_ended = channel_has_ended_child != 0;
	channel_has_ended_child = 0;
	return has_ended;
}

void
channel_init(struct channel *channel, int fd, const struct outbox *outbox, int outbox_fd,
	     struct board_seat *seat, const sigset_t *wait_mask, void (*orphaned)(void))
{
	*channel = (struct channel){.fd = fd,
				    .outbox = *outbox,
				    .outbox_fd = outbox_fd,
				    .seat = seat,
				    .wait_mask = *wait_mask,
				    .orphaned = orphaned,
				    .delay_ns = CHANNEL_DELAY_MS * NS_PER_MS,
				    .flush_at_ns = CLOCK_NEVER,
				    .seq = BOARD_NO_TASK};
}

void
channel_fini(struct channel *channel)
{
	block_writer_fini(&channel->blocks);
	outbox_unmap(&channel->outbox);
}

void
channel_begin(struct channel *channel, uint64_t seq, uint32_t attempt)
{
	channel->seq = seq;
	channel->attempt = attempt;
	memset(channel->stream_bytes, 0, sizeof(channel->stream_bytes));
}

void
channel_flush(struct channel *channel)
{
	bool is_heard = channel->unheard_bytes == 0;
	channel->unheard_bytes = 0;
	channel->block_bytes = 0;
	channel->flush_at_ns = CLOCK_NEVER;
	if (is_heard || !outbox_ring(&channel->outbox))
		return;
	/* The pipe cannot be full: there is one byte in it for each time the coordinator looked. */
	if (io_write(channel->fd, "", 1) == -1 && errno != EAGAIN)
		channel->orphaned();
}

void
channel_flush_due(struct channel *channel, int64_t now_ns)
{
	if (now_ns - channel->flushed_at_ns < channel->delay_ns)
		return;
	channel->flushed_at_ns = now_ns;
	channel_flush(channel);
}

/*
 * Sleeps until there is room for `length` bytes, or for `timeout` (NULL: for ever) between two
 * looks. NULL: the task in hand is to be ended.
 */
static char *
channel_await_room(struct channel *channel, size_t length, bool is_stubborn,
		   const struct timespec *timeout)
{
	struct channel_cancel cancel;
	for (;;) {
		struct pollfd pfd = {.fd = channel->fd};
		outbox_want_room(&channel->outbox);
		char *to = outbox_reserve(&channel->outbox, length);
		if (to != NULL) {
			/* What wakes us must not disturb the next call of a plugin. */
			if (!outbox_unwant_room(&channel->outbox) && timeout != NULL)
				ppoll(NULL, 0, timeout, &channel->wait_mask);
			return to;
		}
		if (!is_stubborn && channel_is_cancelled(channel, &cancel))
			return NULL;
		channel_flush(channel);
		ppoll(&pfd, 1, timeout, &channel->wait_mask);
		if (pfd.revents != 0 || !outbox_is_sound(&channel->outbox))
			channel->orphaned();
	}
}

/*
 * Room for `length` bytes, at once if there is. NULL: the task in hand is to be ended. Where
 * signals are open, for a plugin, one that comes before we sleep must not be lost; and the plugin
 * may have threads, one of which takes it.
 */
static char *
channel_reserve(struct channel *channel, size_t length, bool is_stubborn)
{
	static const struct timespec look = {.tv_nsec = CHANNEL_ROOM_MS * NS_PER_MS};
	sigset_t all, old;
	char *to = outbox_reserve(&channel->outbox, length);
	if (to != NULL)
		return to;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	bool is_open = sigismember(&old, SIGUSR1) == 0;
	to = channel_await_room(channel, length, is_stubborn, is_open ? &look : NULL);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return to;
}

/* What was reserved is said; soon to be heard, or now when much has come together. */
static void
channel_commit(struct channel *channel, size_t length)
{
	outbox_commit(&channel->outbox, length);
	channel->unheard_bytes += length;
	if (channel->unheard_bytes >= CHANNEL_BATCH_BYTES)
		channel_flush(channel);
	else if (channel->flush_at_ns == CLOCK_NEVER)
		channel->flush_at_ns = clock_now_ns() + channel->delay_ns;
}

/*
 * There is room for all that fits only when all is taken. As a rule that is soon: to sleep and be
 * woken for it at each task would cost twice as much of /bin/true's rate.
 */
void
channel_await_heard(struct channel *channel)
{
	int64_t until_ns = clock_now_ns() + CHANNEL_YIELD_NS;
	channel_flush(channel);
	while (outbox_reserve(&channel->outbox, OUTBOX_BYTES) == NULL &&
	       clock_now_ns() < until_ns)
		sched_yield();
	channel_reserve(channel, OUTBOX_BYTES, false);
}

static void
channel_add(struct channel *channel, enum frame_type type, uint64_t seq, uint32_t attempt,
	    const void *payload, size_t payload_bytes)
{
	char *to = channel_reserve(channel, frame_bytes(payload_bytes), true);
	frame_put_header(to, type, seq, attempt, payload_bytes);
	if (payload_bytes > 0)
		memcpy(to + frame_bytes(0), payload, payload_bytes);
	channel_commit(channel, frame_bytes(payload_bytes));
}

/* Any number of bytes, in as many frames as they need. */
static void
channel_add_bytes(struct channel *channel, enum frame_type type, uint64_t seq,
		  uint32_t attempt, const char *bytes, size_t length)
{
	while (length > 0) {
		size_t part = length < FRAME_PAYLOAD_MAX ? length : FRAME_PAYLOAD_MAX;
		channel_add(channel, type, seq, attempt, bytes, part);
		bytes += part;
		length -= part;
	}
}

static enum frame_type
channel_output_type(enum result_stream stream)
{
	return stream == RESULT_STDOUT ? FRAME_STDOUT : FRAME_STDERR;
}

void
channel_output(struct channel *channel, enum result_stream stream, const char *bytes,
	       size_t length)
{
	channel->stream_bytes[stream] += length;
	channel_add_bytes(channel, channel_output_type(stream), channel->seq,
			  channel->attempt, bytes, length);
}

void
channel_started(struct channel *channel, int64_t started_at_ns)
{
	channel_add(channel, FRAME_STARTED, channel->seq, channel->attempt,
		    &started_at_ns, sizeof(started_at_ns));
}

void
channel_finished(struct channel *channel, const struct result *result)
{
	channel_add(channel, FRAME_FINISHED, channel->seq, channel->attempt, result,
		    sizeof(*result));
}

void
channel_answer(struct channel *channel, const struct frame_answer *answer,
	       const char *bytes, size_t length)
{
	size_t payload_bytes = sizeof(*answer) + length;
	char *to = channel_reserve(channel, frame_bytes(payload_bytes), true);
	frame_put_header(to, FRAME_ANSWER, channel->seq, channel->attempt, payload_bytes);
	memcpy(to + frame_bytes(0), answer, sizeof(*answer));
	if (length > 0)
		memcpy(to + frame_bytes(sizeof(*answer)), bytes, length);
	channel_commit(channel, frame_bytes(payload_bytes));
}

void
channel_returned(struct channel *channel, uint64_t seq, uint32_t attempt, uint32_t count)
{
	channel_add(channel, FRAME_RETURNED, seq, attempt, &count, sizeof(count));
}

void
channel_note(struct channel *channel, const char *bytes, size_t length)
{
	channel_add_bytes(channel, FRAME_NOTE, 0, 0, bytes, length);
}

void
channel_start_failed(struct channel *channel, const char *text)
{
	channel_add(channel, FRAME_START_FAILED, 0, 0, text,
		    strnlen(text, FRAME_PAYLOAD_MAX));
}

void
channel_broken(struct channel *channel, const char *text)
{
	channel_add(channel, FRAME_BROKEN, 0, 0, text, strnlen(text, FRAME_PAYLOAD_MAX));
}

/* The bytes are in the block in hand: says so. */
static void
channel_tell_part(struct channel *channel, enum result_stream stream, size_t length)
{
	struct block_part part;
	block_writer_put(&channel->blocks, length, &part);
	part.stream = (uint16_t)stream;
	channel_add(channel, FRAME_BLOCK, channel->seq, channel->attempt, &part,
		    sizeof(part));
	channel->block_bytes += length;
	if (channel->block_bytes >= CHANNEL_BLOCK_BATCH_BYTES)
		channel_flush(channel);
}

ssize_t
channel_pull(struct channel *channel, enum result_stream stream, int fd, size_t *wanted)
{
	char *to = block_writer_room(&channel->blocks, &channel->outbox,
				     channel->outbox_fd, wanted);
	if (to != NULL) {
		ssize_t got = io_read(fd, to, *wanted);
		if (got > 0) {
			channel->stream_bytes[stream] += (uint64_t)got;
			channel_tell_part(channel, stream, (size_t)got);
		}
		return got;
	}
	*wanted = FRAME_PAYLOAD_MAX;
	to = channel_reserve(channel, frame_bytes(FRAME_PAYLOAD_MAX), false);
	if (to == NULL) {
		errno = EAGAIN;
		return -1;
	}
	ssize_t got = io_read(fd, to + frame_bytes(0), FRAME_PAYLOAD_MAX);
	if (got <= 0)
		return got;
	frame_put_header(to, channel_output_type(stream), channel->seq, channel->attempt,
			 (size_t)got);
	channel->stream_bytes[stream] += (uint64_t)got;
	channel_commit(channel, frame_bytes((size_t)got));
	return got;
}

int
channel_due_ms(const struct channel *channel)
{
	if (channel->flush_at_ns == CLOCK_NEVER)
		return -1;
	return clock_timeout_ms(channel->flush_at_ns, clock_now_ns());
}

int
channel_wait(struct channel *channel, struct pollfd *fds, nfds_t count, int timeout_ms)
{
	int due_ms = channel_due_ms(channel);
	bool is_due_first = due_ms != -1 && (timeout_ms == -1 || due_ms < timeout_ms);
	if (is_due_first)
		timeout_ms = due_ms;
	struct timespec timeout = {.tv_sec = timeout_ms / 1000,
				   .tv_nsec = timeout_ms % 1000 * NS_PER_MS};
	int ready =
	    ppoll(fds, count, timeout_ms == -1 ? NULL : &timeout, &channel->wait_mask);
	bool is_interrupted =
	    ready == -1 && errno == EINTR; /* a task has ended: nothing is due */
	if (is_due_first && (ready == 0 || timeout_ms == 0))
		channel_flush(channel);
	return is_interrupted ? 0 : ready;
}

bool
channel_is_cancelled(const struct channel *channel, struct channel_cancel *cancel)
{
	const struct board_seat *seat = channel->seat;
	uint32_t order = atomic_load(&seat->order);
	if (order == BOARD_CANCEL_ALL || order == BOARD_KILL_ALL) {
		*cancel = (struct channel_cancel){.reason = RESULT_CANCELLED,
						  .is_at_once = order == BOARD_KILL_ALL};
		return true;
	}
	uint32_t reason = atomic_load(&seat->cancel_reason);
	if (reason == 0 || reason >= RESULT_REASONS ||
	    atomic_load(&seat->cancel_seq) != channel->seq ||
	    atomic_load(&seat->cancel_attempt) != channel->attempt)
		return false;
	*cancel = (struct channel_cancel){.reason = (enum result_reason)reason};
	return true;
}

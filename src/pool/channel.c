/* channel.c: see channel.h. */
#include "pool/channel.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/io.h"
#include "ipc/frame.h"

/* Set by the handler; signals come in only while channel.c waits. */
static volatile sig_atomic_t channel_has_ended_child;

void
channel_on_child(int signal)
{
	(void)signal;
	channel_has_ended_child = 1;
}

bool
channel_child_ended(void)
{
	bool has_ended = channel_has_ended_child != 0;
	channel_has_ended_child = 0;
	return has_ended;
}

void
channel_init(struct channel *channel, int fd, struct board_seat *seat,
	     const sigset_t *wait_mask, void (*orphaned)(void))
{
	*channel = (struct channel){.fd = fd,
				    .seat = seat,
				    .wait_mask = *wait_mask,
				    .orphaned = orphaned,
				    .flush_at_ns = CLOCK_NEVER,
				    .seq = BOARD_NO_TASK};
}

void
channel_begin(struct channel *channel, uint64_t seq, uint32_t attempt)
{
	channel->seq = seq;
	channel->attempt = attempt;
	memset(channel->stream_bytes, 0, sizeof(channel->stream_bytes));
}

/* Something is there to be sent: soon, or now when much has come together. */
static void
channel_added(struct channel *channel, bool is_stubborn)
{
	if (channel->frames.length - channel->sent >= CHANNEL_BATCH_BYTES)
		channel_flush(channel, is_stubborn);
	else if (channel->flush_at_ns == CLOCK_NEVER)
		channel->flush_at_ns = clock_now_ns() + CHANNEL_DELAY_MS * NS_PER_MS;
}

int
channel_started(struct channel *channel, int64_t started_at_ns)
{
	if (frame_append(&channel->frames, FRAME_STARTED, channel->seq, channel->attempt,
			 &started_at_ns, sizeof(started_at_ns)) == -1)
		return -1;
	channel_added(channel, false);
	return 0;
}

int
channel_finished(struct channel *channel, const struct result *result)
{
	if (frame_append(&channel->frames, FRAME_FINISHED, channel->seq, channel->attempt,
			 result, sizeof(*result)) == -1)
		return -1;
	channel_added(channel, true);
	return 0;
}

int
channel_note(struct channel *channel, const char *bytes, size_t length)
{
	return frame_append(&channel->frames, FRAME_NOTE, 0, 0, bytes, length);
}

int
channel_start_failed(struct channel *channel, const char *text)
{
	return frame_append(&channel->frames, FRAME_START_FAILED, 0, 0, text, strlen(text));
}

ssize_t
channel_pull(struct channel *channel, enum result_stream stream, int fd)
{
	struct buf *frames = &channel->frames;
	struct frame_header header = {
	    .type = stream == RESULT_STDOUT ? FRAME_STDOUT : FRAME_STDERR,
	    .attempt = (uint16_t)channel->attempt,
	    .seq = channel->seq,
	};
	if (buf_reserve(frames, sizeof(header) + FRAME_PAYLOAD_MAX) == -1) {
		errno = ENOMEM;
		return -1;
	}
	char *payload = frames->bytes + frames->length + sizeof(header);
	ssize_t got = io_read(fd, payload, FRAME_PAYLOAD_MAX);
	if (got <= 0)
		return got;
	header.payload_bytes = (uint32_t)got;
	memcpy(frames->bytes + frames->length, &header, sizeof(header));
	frames->length += sizeof(header) + (size_t)got;
	channel->stream_bytes[stream] += (uint64_t)got;
	channel_added(channel, false);
	return got;
}

static void
channel_send(struct channel *channel)
{
	while (channel->sent < channel->frames.length) {
		ssize_t written =
		    io_write(channel->fd, channel->frames.bytes + channel->sent,
			     channel->frames.length - channel->sent);
		if (written == -1 && errno == EAGAIN)
			return;
		if (written == -1)
			channel->orphaned();
		channel->sent += (size_t)written;
	}
	buf_clear(&channel->frames);
	channel->sent = 0;
	channel->flush_at_ns = CLOCK_NEVER;
}

bool
channel_flush(struct channel *channel, bool is_stubborn)
{
	struct channel_cancel cancel;
	channel_send(channel);
	while (channel->sent < channel->frames.length) {
		if (!is_stubborn && channel_is_cancelled(channel, &cancel))
			return false;
		struct pollfd pfd = {.fd = channel->fd, .events = POLLOUT};
		ppoll(&pfd, 1, NULL, &channel->wait_mask);
		channel_send(channel);
	}
	return true;
}

int
channel_wait(struct channel *channel, struct pollfd *fds, nfds_t count, int timeout_ms)
{
	bool is_due_first = false;
	if (channel->flush_at_ns != CLOCK_NEVER) {
		int due_ms = clock_timeout_ms(channel->flush_at_ns, clock_now_ns());
		if (timeout_ms == -1 || due_ms < timeout_ms) {
			timeout_ms = due_ms;
			is_due_first = true;
		}
	}
	struct timespec timeout = {.tv_sec = timeout_ms / 1000,
				   .tv_nsec = timeout_ms % 1000 * NS_PER_MS};
	int ready =
	    ppoll(fds, count, timeout_ms == -1 ? NULL : &timeout, &channel->wait_mask);
	if (is_due_first && ready == 0 && !channel_flush(channel, false))
		channel->flush_at_ns = clock_now_ns() + CHANNEL_DELAY_MS * NS_PER_MS;
	return ready;
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

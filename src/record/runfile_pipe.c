/* runfile_pipe.c: see runfile_pipe.h. */
#include "record/runfile_pipe.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "base/io.h"

#define SENT_MAX (64 * 1024) /* kept in front of what is pending before it is moved */

void
runfile_pipe_fini(struct runfile_pipe *pipe)
{
	io_close_set(&pipe->to_fd);
	io_close_set(&pipe->from_fd);
	buf_fini(&pipe->pending);
	buf_fini(&pipe->answer);
}

/* --- telling --- */

size_t
runfile_pipe_pending_bytes(const struct runfile_pipe *pipe)
{
	return pipe->pending.length - pipe->sent;
}

static int
pipe_fail(const struct runfile_pipe *pipe, struct err *err)
{
	return err_errno(err, "cannot pass on what to write to %.200s", pipe->path);
}

/* As much as the pipe takes. 0, or -1 and errno. */
static int
pipe_write(struct runfile_pipe *pipe)
{
	while (runfile_pipe_pending_bytes(pipe) > 0) {
		ssize_t written = io_write(pipe->to_fd, pipe->pending.bytes + pipe->sent,
					   runfile_pipe_pending_bytes(pipe));
		if (written == -1 && errno == EAGAIN)
			break;
		if (written == -1)
			return -1;
		pipe->sent += (size_t)written;
	}
	if (runfile_pipe_pending_bytes(pipe) == 0) {
		buf_clear(&pipe->pending);
		pipe->sent = 0;
	} else if (pipe->sent > SENT_MAX) {
		buf_consume(&pipe->pending, pipe->sent);
		pipe->sent = 0;
	}
	return 0;
}

int
runfile_pipe_say(struct runfile_pipe *pipe, uint32_t stage, enum wire_type type,
		 const void *head, size_t head_bytes, const void *tail, size_t tail_bytes,
		 size_t rest, struct err *err)
{
	size_t length = head_bytes + tail_bytes + rest;
	struct wire_header header = {
	    .payload_bytes = (uint32_t)length, .type = type, .stage = stage};
	if (length > UINT32_MAX)
		return err_set(err, ERR_SYSTEM, "%.200s: too much at once", pipe->path);
	if (buf_reserve(&pipe->pending, sizeof(header) + length) == -1)
		return err_no_memory(err);
	buf_append(&pipe->pending, &header, sizeof(header));
	buf_append(&pipe->pending, head, head_bytes);
	buf_append(&pipe->pending, tail, tail_bytes);
	return 0;
}

/* --- hearing --- */

static int
pipe_hear_failure(const char *payload, size_t length, struct err *err)
{
	struct wire_failed failed;
	memcpy(&failed, payload, sizeof(failed));
	err_set(err, (enum err_kind)failed.kind, "%.*s", (int)(length - sizeof(failed)),
		payload + sizeof(failed));
	if (err != NULL)
		err->errno_value = failed.errno_value;
	return -1;
}

/* The whole frames that have come. 1: also one of `type`, 0: not yet; -1 and err. */
static int
pipe_take_frames(struct runfile_pipe *pipe, enum wire_type type, runfile_pipe_hear *hear,
		 void *context, struct err *err)
{
	struct wire_header header;
	size_t at = 0;
	int status = 0;
	while (status == 0 && pipe->answer.length - at >= sizeof(header)) {
		const char *payload = pipe->answer.bytes + at + sizeof(header);
		memcpy(&header, pipe->answer.bytes + at, sizeof(header));
		if (pipe->answer.length - at - sizeof(header) < header.payload_bytes)
			break;
		if (header.type == WIRE_FAILED)
			status = pipe_hear_failure(payload, header.payload_bytes, err);
		else if (hear != NULL)
			status = hear(context, &header, payload, err);
		if (status == 0)
			status = header.type == type;
		at += sizeof(header) + header.payload_bytes;
	}
	if (at > 0)
		buf_consume(&pipe->answer, at);
	return status;
}

static int
pipe_read(struct runfile_pipe *pipe, struct err *err)
{
	if (buf_reserve(&pipe->answer, RUNFILE_PIPE_BYTES) == -1)
		return err_no_memory(err);
	ssize_t got = io_read(pipe->from_fd, pipe->answer.bytes + pipe->answer.length,
			      RUNFILE_PIPE_BYTES);
	if (got <= 0)
		return err_set(err, ERR_SYSTEM,
			       "%.200s: the process that wrote it has died", pipe->path);
	pipe->answer.length += (size_t)got;
	return 0;
}

/* Until there is something to hear, or room to say more. 0; -1 and err. */
static int
pipe_wait(struct runfile_pipe *pipe, int64_t until_ns, struct err *err)
{
	struct pollfd fds[2] = {{.fd = pipe->from_fd, .events = POLLIN},
				{.fd = pipe->to_fd, .events = POLLOUT}};
	int ready;
	do {
		int count = runfile_pipe_pending_bytes(pipe) > 0 ? 2 : 1;
		ready = poll(fds, count, clock_timeout_ms(until_ns, clock_now_ns()));
	} while (ready == -1 && errno == EINTR);
	if (ready == -1)
		return err_errno(err, "cannot wait for what writes %.200s", pipe->path);
	if (ready == 0)
		return err_set(err, ERR_SYSTEM, "%.200s: not all of it is on disk yet",
			       pipe->path);
	if (fds[1].revents != 0 && pipe_write(pipe) == -1) {
		if (errno != EPIPE)
			return pipe_fail(pipe, err);
		/* Nobody reads any more, and the last frame says why. */
		buf_clear(&pipe->pending);
		pipe->sent = 0;
	}
	return fds[0].revents == 0 ? 0 : pipe_read(pipe, err);
}

int
runfile_pipe_await(struct runfile_pipe *pipe, enum wire_type type, int64_t until_ns,
		   runfile_pipe_hear *hear, void *context, struct err *err)
{
	int status;
	while ((status = pipe_take_frames(pipe, type, hear, context, err)) == 0)
		if (pipe_wait(pipe, until_ns, err) == -1)
			return -1;
	return status == 1 ? 0 : -1;
}

/* Why the pipe broke. Always -1. */
static int
pipe_hear_why(struct runfile_pipe *pipe, struct err *err)
{
	return runfile_pipe_await(pipe, WIRE_SAVED, CLOCK_NEVER, NULL, NULL, err) == 0
		   ? err_set(err, ERR_SYSTEM, "%.200s: its writer ended too early",
			     pipe->path)
		   : -1;
}

int
runfile_pipe_flush(struct runfile_pipe *pipe, struct err *err)
{
	if (pipe_write(pipe) == 0)
		return 0;
	return errno == EPIPE ? pipe_hear_why(pipe, err) : pipe_fail(pipe, err);
}

int
runfile_pipe_say_rest(struct runfile_pipe *pipe, int64_t until_ns, struct err *err)
{
	while (runfile_pipe_flush(pipe, err) == 0) {
		if (runfile_pipe_pending_bytes(pipe) == 0)
			return 0;
		if (pipe_wait(pipe, until_ns, err) == -1)
			return -1;
	}
	return -1;
}

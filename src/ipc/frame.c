/* frame.c: see frame.h. */
#include "ipc/frame.h"

#include <errno.h>
#include <string.h>

#include "base/io.h"

int
frame_append(struct buf *frames, enum frame_type type, uint64_t seq, uint32_t attempt,
	     const void *payload, size_t payload_bytes)
{
	assert(payload_bytes <= FRAME_PAYLOAD_MAX && attempt <= FRAME_ATTEMPT_MAX);
	struct frame_header header = {
	    .payload_bytes = (uint32_t)payload_bytes,
	    .type = (uint16_t)type,
	    .attempt = (uint16_t)attempt,
	    .seq = seq,
	};
	if (buf_reserve(frames, sizeof(header) + payload_bytes) == -1)
		return -1;
	buf_append(frames, &header, sizeof(header)); /* cannot fail: reserved */
	return buf_append(frames, payload, payload_bytes);
}

ssize_t
frame_reader_fill(struct frame_reader *reader, int fd, size_t max)
{
	buf_consume(&reader->bytes, reader->consumed);
	reader->consumed = 0;
	if (buf_reserve(&reader->bytes, max) == -1) {
		errno = ENOMEM;
		return -1;
	}
	ssize_t got = io_read(fd, reader->bytes.bytes + reader->bytes.length, max);
	if (got > 0)
		reader->bytes.length += (size_t)got;
	return got;
}

int
frame_next(struct frame_reader *reader, struct frame_header *header, const char **payload)
{
	size_t left = reader->bytes.length - reader->consumed;
	if (left < sizeof(*header))
		return 0;
	const char *at = reader->bytes.bytes + reader->consumed;
	memcpy(header, at, sizeof(*header));
	if (header->payload_bytes > FRAME_PAYLOAD_MAX || header->type < FRAME_STARTED ||
	    header->type >= FRAME_TYPES)
		return -1;
	if (left - sizeof(*header) < header->payload_bytes)
		return 0;
	*payload = at + sizeof(*header);
	reader->consumed += sizeof(*header) + header->payload_bytes;
	return 1;
}

void
frame_reader_fini(struct frame_reader *reader)
{
	buf_fini(&reader->bytes);
	reader->consumed = 0;
}

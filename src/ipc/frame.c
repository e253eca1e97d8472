/* frame.c: see frame.h. */
#include "ipc/frame.h"

#include <string.h>

void
frame_put_header(char *to, enum frame_type type, uint64_t seq, uint32_t attempt,
		 size_t payload_bytes)
{
	assert(payload_bytes <= FRAME_PAYLOAD_MAX && attempt <= FRAME_ATTEMPT_MAX);
	struct frame_header header = {
	    .payload_bytes = (uint32_t)payload_bytes,
	    .type = (uint16_t)type,
	    .attempt = (uint16_t)attempt,
	    .seq = seq,
	};
	memcpy(to, &header, sizeof(header));
}

int
frame_get(const char *bytes, size_t length, struct frame_header *header,
	  const char **payload)
{
	if (length == 0)
		return 0;
	if (length < sizeof(*header))
		return -1;
	memcpy(header, bytes, sizeof(*header));
	*payload = bytes + sizeof(*header);
	return header->type < FRAME_STARTED || header->type >= FRAME_TYPES ||
		       header->payload_bytes > FRAME_PAYLOAD_MAX ||
		       header->payload_bytes > length - sizeof(*header)
		   ? -1
		   : 1;
}

/* decorate.c: see decorate.h. */
#include "sink/decorate.h"

#include <stdlib.h>
#include <string.h>

struct tag *
tag_new(const char *text, size_t length)
{
	struct tag *tag = malloc(sizeof(*tag) + length + 1);
	if (tag == NULL)
		return NULL;
	tag->length = length + 1;
	if (length > 0)
		memcpy(tag->bytes, text, length);
	tag->bytes[length] = '\t';
	return tag;
}

ssize_t
decorate_tag(struct buf *out, const struct tag *tag, bool *is_mid_line, const char *bytes,
	     size_t length)
{
	size_t used = 0;
	while (used < length && (used == 0 || out->length < DECORATE_BYTES)) {
		const char *newline = memchr(bytes + used, '\n', length - used);
		size_t part = newline == NULL ? length - used
					      : (size_t)(newline - bytes) + 1 - used;
		if (!*is_mid_line && buf_append(out, tag->bytes, tag->length) == -1)
			return -1;
		if (buf_append(out, bytes + used, part) == -1)
			return -1;
		*is_mid_line = newline == NULL;
		used += part;
	}
	return (ssize_t)used;
}

size_t
decorate_whole_lines(const char *bytes, size_t length)
{
	const char *newline = memrchr(bytes, '\n', length);
	return newline == NULL ? 0 : (size_t)(newline - bytes) + 1;
}

/* visible.c: see visible.h. */
#include "base/visible.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/utf8.h"

/* The bytes one by one. */
static int
visible_append_escaped(struct buf *text, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (buf_printf(text, "\\x%02x", (unsigned char)bytes[i]) == -1)
			return -1;
	return 0;
}

int
visible_append(struct buf *text, const char *bytes, size_t length, size_t max_chars)
{
	size_t chars = 0, count;
	for (size_t i = 0; i < length; i += count) {
		uint32_t code;
		count = utf8_decode(bytes + i, length - i, &code);
		bool is_seen = count > 0 && !utf8_is_hidden(code);
		count = count > 0 ? count : 1;
		size_t width = is_seen ? 1 : 4 * count;
		if (width > max_chars - chars)
			return buf_append_str(text, "...");
		chars += width;
		if ((is_seen ? buf_append(text, bytes + i, count)
			     : visible_append_escaped(text, bytes + i, count)) == -1)
			return -1;
	}
	return 0;
}

int
visible_line(struct buf *line)
{
	struct buf shown = {0};
	size_t length = line->length;
	bool has_end = length > 0 && line->bytes[length - 1] == '\n';
	if (visible_append(&shown, line->bytes, length - has_end, SIZE_MAX) == -1 ||
	    (has_end && buf_append_char(&shown, '\n') == -1)) {
		buf_fini(&shown);
		return -1;
	}
	buf_fini(line);
	*line = shown;
	return 0;
}

/* visible.c: see visible.h. */
#include "sink/visible.h"

#include <stdbool.h>

int
visible_append(struct buf *text, const char *bytes, size_t length, size_t max_chars)
{
	size_t chars = 0;
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)bytes[i];
		bool is_control = c < 0x20 || c == 0x7f;
		bool continues = c >= 0x80 && c < 0xc0; /* within a UTF-8 character */
		size_t width = is_control ? 4 : 1;
		if (!continues) {
			if (chars + width > max_chars)
				return buf_append_str(text, "...");
			chars += width;
		}
		if ((is_control ? buf_printf(text, "\\x%02x", c)
				: buf_append_char(text, (char)c)) == -1)
			return -1;
	}
	return 0;
}

/* shown.c: see shown.h. */
#include "report/shown.h"

#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

/* --- characters --- */

struct range {
	uint32_t first;
	uint32_t last;
};

static bool
is_in(uint32_t code, const struct range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	return false;
}

/* Columns of a terminal. */
static size_t
width_of(uint32_t code)
{
	static const struct range none[] = {
	    {0x300, 0x36f}, {0x1ab0, 0x1aff}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}};
	static const struct range two[] = {
	    {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},
	    {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},
	    {0xff00, 0xff60},   {0xffe0, 0xffe6},   {0x1f300, 0x1f64f},
	    {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};
	if (code < 0x300)
		return 1;
	if (is_in(code, none, sizeof(none) / sizeof(*none)))
		return 0;
	return is_in(code, two, sizeof(two) / sizeof(*two)) ? 2 : 1;
}

/* --- a line --- */

/* One character and how it is shown. */
struct glyph {
	size_t byte_count;
	size_t columns;
	char text[16];
	size_t text_length;
};

static void
glyph_escape(struct glyph *glyph, const char *format, uint32_t code)
{
	static const char digits[] = "0123456789abcdef";
	char *to = glyph->text;
	*to++ = '\\';
	if (format[0] == 'x') {
		*to++ = 'x';
		*to++ = digits[code >> 4 & 15];
		*to++ = digits[code & 15];
	} else {
		int shift = 20;
		*to++ = 'u';
		*to++ = '{';
		while (shift > 4 && code >> shift == 0)
			shift -= 4;
		for (; shift >= 0; shift -= 4)
			*to++ = digits[code >> shift & 15];
		*to++ = '}';
	}
	glyph->text_length = glyph->columns = (size_t)(to - glyph->text);
}

static void
glyph_read(struct glyph *glyph, const char *bytes, size_t length, bool is_ascii)
{
	uint32_t code;
	glyph->byte_count = utf8_decode(bytes, length, &code);
	if (glyph->byte_count == 0) {
		glyph->byte_count = 1;
		glyph_escape(glyph, "x", (unsigned char)bytes[0]);
	} else if (code == '\n' || code == '\t' || code == '\r') {
		glyph->text[0] = '\\';
		glyph->text[1] = (char)(code == '\n' ? 'n' : code == '\t' ? 't' : 'r');
		glyph->text_length = glyph->columns = 2;
	} else if (utf8_is_hidden(code) || (is_ascii && code >= 0x80)) {
		glyph_escape(glyph, code < 0x80 ? "x" : "u", code);
	} else {
		memcpy(glyph->text, bytes, glyph->byte_count);
		glyph->text_length = glyph->byte_count;
		glyph->columns = width_of(code);
	}
}

int
shown_append(struct buf *text, const char *bytes, size_t length,
	     const struct shown_style *style)
{
	size_t columns = 0, fitting = text->length;
	struct glyph glyph;
	for (size_t at = 0; at < length; at += glyph.byte_count) {
		glyph_read(&glyph, bytes + at, length - at, style->is_ascii);
		if (columns + glyph.columns > style->max_columns) {
			text->length = fitting;
			return buf_append_str(text, "...");
		}
		if (buf_append(text, glyph.text, glyph.text_length) == -1)
			return -1;
		columns += glyph.columns;
		if (columns + 3 <= style->max_columns)
			fitting = text->length;
	}
	return 0;
}

size_t
shown_columns(const char *text, size_t length)
{
	size_t columns = 0, byte_count;
	uint32_t code;
	for (size_t at = 0; at < length; at += byte_count) {
		byte_count = utf8_decode(text + at, length - at, &code);
		if (byte_count == 0)
			byte_count = 1;
		else
			columns += width_of(code);
	}
	return columns;
}

/* --- the end of an output --- */

/* Where the escape sequence at `at` ends (ECMA-48: CSI, OSC, or two bytes). */
static size_t
sequence_end(const char *bytes, size_t at, size_t length)
{
	size_t i = at + 1;
	if (i < length && bytes[i] == '[') {
		for (i++; i < length && (bytes[i] < 0x40 || bytes[i] == 0x7f); i++)
			;
		return i < length ? i + 1 : length;
	}
	if (i < length && bytes[i] == ']') {
		while (i < length && bytes[i] != '\a' &&
		       !(bytes[i] == '\\' && bytes[i - 1] == '\033'))
			i++;
		return i < length ? i + 1 : length;
	}
	return i < length ? i + 1 : length;
}

/* The line without sequences; \b and \r do what they do on a terminal; tabs become blanks. */
static int
line_as_seen(struct buf *seen, const char *bytes, size_t length)
{
	buf_clear(seen);
	while (length > 0 && bytes[length - 1] == '\r')
		length--;
	for (size_t at = 0; at < length;) {
		char c = bytes[at];
		if (c == '\033') {
			at = sequence_end(bytes, at, length);
			continue;
		}
		at++;
		if (c == '\r')
			buf_clear(seen);
		else if (c == '\t' ? buf_append(seen, "    ", 4) == -1
				   : buf_append_char(seen, c) == -1)
			return -1;
	}
	return 0;
}

static size_t
line_start(const char *bytes, size_t end)
{
	while (end > 0 && bytes[end - 1] != '\n')
		end--;
	return end;
}

static bool
is_blank(char c)
{
	return c == '\n' || c == ' ' || c == '\t' || c == '\r';
}

int
shown_append_tail(struct buf *text, const char *bytes, size_t length, bool is_cut,
		  size_t max_lines, const struct shown_style *style)
{
	struct buf seen = {0};
	int status = 0;
	while (length > 0 && is_blank(bytes[length - 1]))
		length--;
	size_t from = length;
	for (size_t i = 0; i < max_lines && from > 0; i++)
		from = line_start(bytes, i == 0 ? length : from - 1);
	const char *first_end =
	    from == 0 && is_cut && length > 0 ? memchr(bytes, '\n', length) : NULL;
	if (first_end != NULL)
		from = (size_t)(first_end - bytes) + 1;
	while (from < length && status == 0) {
		const char *newline = memchr(bytes + from, '\n', length - from);
		size_t end = newline == NULL ? length : (size_t)(newline - bytes);
		if (line_as_seen(&seen, bytes + from, end - from) == -1 ||
		    shown_append(text, seen.bytes, seen.length, style) == -1 ||
		    buf_append_char(text, '\n') == -1)
			status = -1;
		from = end + 1;
	}
	buf_fini(&seen);
	return status;
}

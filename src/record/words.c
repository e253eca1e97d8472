/* words.c: see words.h. */
#include "record/words.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>

/* How many bytes the character at `at` has; 0: it is none. */
static size_t
utf8_length(const unsigned char *at, size_t left)
{
	static const unsigned char first_min[] = {0xc2, 0xe0, 0xf0};
	static const unsigned char first_max[] = {0xdf, 0xef, 0xf4};
	size_t length = 0;
	if (at[0] < 0x80)
		return 1;
	while (length < 3 && !(at[0] >= first_min[length] && at[0] <= first_max[length]))
		length++;
	length += 2;
	if (length > 4 || length > left)
		return 0;
	for (size_t i = 1; i < length; i++)
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
	    (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
		return 0; /* overlong, a surrogate, beyond the last character */
	return length;
}

bool
words_are_utf8(const char *bytes, size_t length)
{
	const unsigned char *at = (const unsigned char *)bytes;
	const unsigned char *end = at + length;
	while (at < end) {
		size_t step = utf8_length(at, (size_t)(end - at));
		if (step == 0)
			return false;
		at += step;
	}
	return true;
}

static bool
is_plain(unsigned char c)
{
	return c >= 0x20 && c != '"' && c != '\\' && c != 0x7f;
}

static int
append_string(struct buf *json, const struct arg *word)
{
	const char *at = word->bytes;
	const char *end = at + word->length;
	if (buf_append_char(json, '"') == -1)
		return -1;
	while (at < end) {
		const char *from = at;
		while (at < end && is_plain((unsigned char)*at))
			at++;
		if (buf_append(json, from, (size_t)(at - from)) == -1)
			return -1;
		if (at < end && buf_printf(json, "\\u%04x", (unsigned char)*at++) == -1)
			return -1;
	}
	return buf_append_char(json, '"');
}

static int
append_json(struct buf *column, const struct arg *words, size_t count)
{
	if (buf_append_char(column, '[') == -1)
		return -1;
	for (size_t i = 0; i < count; i++)
		if ((i > 0 && buf_append_char(column, ',') == -1) ||
		    append_string(column, &words[i]) == -1)
			return -1;
	return buf_append_char(column, ']');
}

static int
append_blob(struct buf *column, const struct arg *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t length_le = htole32((uint32_t)words[i].length);
		if (buf_append(column, &length_le, sizeof(length_le)) == -1 ||
		    buf_append(column, words[i].bytes, words[i].length) == -1)
			return -1;
	}
	return 0;
}

int
words_append(struct buf *column, const struct arg *words, size_t count, bool *is_text)
{
	*is_text = true;
	for (size_t i = 0; i < count; i++)
		*is_text &= words_are_utf8(words[i].bytes, words[i].length);
	return *is_text ? append_json(column, words, count)
			: append_blob(column, words, count);
}

/* The digits of \uXXXX below 0x80, which is all that append_string writes; -1: not so. */
static int
read_escape(const char *digits, size_t left)
{
	int c = 0;
	if (left < 5 || digits[0] != 'u')
		return -1;
	for (int i = 1; i <= 4; i++) {
		static const char hex[] = "0123456789abcdef";
		const char *digit = memchr(hex, digits[i], 16);
		if (digit == NULL)
			return -1;
		c = c * 16 + (int)(digit - hex);
	}
	return c < 0x80 ? c : -1;
}

/* The string at *at, behind its first quote, up to and with its last; into `word`. */
static int
read_string(struct buf *word, const char **at, const char *end)
{
	for (; *at < end && **at != '"'; (*at)++) {
		char c = **at;
		if (c == '\\') {
			int escaped = read_escape(*at + 1, (size_t)(end - *at - 1));
			if (escaped == -1)
				return -1;
			c = (char)escaped;
			*at += 5;
		}
		if (buf_append_char(word, c) == -1)
			return -1;
	}
	if (*at == end)
		return -1;
	(*at)++;
	return 0;
}

static int
read_json(struct buf *packed, size_t *count, const char *at, const char *end)
{
	struct buf word = {0};
	int status = 0;
	if (end - at < 2 || *at != '[' || end[-1] != ']')
		return -1;
	at++;
	end--;
	while (status == 0 && at < end) {
		if (*count > 0 && *at++ != ',')
			status = -1;
		buf_clear(&word);
		if (status == -1 || at == end || *at++ != '"' ||
		    read_string(&word, &at, end) == -1 ||
		    task_pack(packed, word.bytes, word.length) == -1)
			status = -1;
		(*count)++;
	}
	buf_fini(&word);
	return status;
}

static int
read_blob(struct buf *packed, size_t *count, const char *at, const char *end)
{
	while (at < end) {
		uint32_t length;
		if ((size_t)(end - at) < sizeof(length))
			return -1;
		memcpy(&length, at, sizeof(length));
		length = le32toh(length);
		at += sizeof(length);
		if (length > (size_t)(end - at) || task_pack(packed, at, length) == -1)
			return -1;
		at += length;
		(*count)++;
	}
	return 0;
}

int
words_read(struct buf *packed, size_t *count, const char *column, size_t length,
	   bool is_text)
{
	*count = 0;
	return is_text ? read_json(packed, count, column, column + length)
		       : read_blob(packed, count, column, column + length);
}

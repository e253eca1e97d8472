/* words.c: see words.h. */
#include "record/words.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>

#include "base/json_text.h"

/* What stands in front of a word of this index. */
static char
separator_at(size_t index, bool is_pairs)
{
	return is_pairs && index % 2 == 1 ? ':' : ',';
}

static int
append_json(struct buf *column, const struct arg *words, size_t count, bool is_pairs)
{
	if (buf_append_char(column, is_pairs ? '{' : '[') == -1)
		return -1;
	for (size_t i = 0; i < count; i++)
		if ((i > 0 && buf_append_char(column, separator_at(i, is_pairs)) == -1) ||
		    json_text_append(column, words[i].bytes, words[i].length) == -1)
			return -1;
	return buf_append_char(column, is_pairs ? '}' : ']');
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

static int
append_words(struct buf *column, const struct arg *words, size_t count, bool is_pairs,
	     bool *is_text)
{
	*is_text = true;
	for (size_t i = 0; i < count; i++)
		*is_text &= json_text_is_utf8(words[i].bytes, words[i].length);
	return *is_text ? append_json(column, words, count, is_pairs)
			: append_blob(column, words, count);
}

int
words_append(struct buf *column, const struct arg *words, size_t count, bool *is_text)
{
	return append_words(column, words, count, false, is_text);
}

int
words_append_pairs(struct buf *column, const struct arg *words, size_t count, bool *is_text)
{
	return append_words(column, words, count, true, is_text);
}

/* The value of \uXXXX below 0x80, which is all that there is; -1: not so. */
static int
read_code(const char *digits)
{
	int c = 0;
	for (int i = 0; i < 4; i++) {
		static const char hex[] = "0123456789abcdef";
		const char *digit = memchr(hex, digits[i], 16);
		if (digit == NULL)
			return -1;
		c = c * 16 + (int)(digit - hex);
	}
	return c < 0x80 ? c : -1;
}

/* What stands behind a backslash at *at; -1: nothing that json_text writes. */
static int
read_escape(const char **at, const char *end)
{
	static const char letters[] = "\"\\bfnrt";
	static const char plain[] = "\"\\\b\f\n\r\t";
	if (*at == end)
		return -1;
	const char *letter = memchr(letters, **at, sizeof(letters) - 1);
	bool is_code = **at == 'u' && end - *at > 4;
	int c = letter != NULL ? plain[letter - letters]
		: is_code      ? read_code(*at + 1)
			       : -1;
	*at += is_code ? 5 : 1;
	return c;
}

/* The string at *at, behind its first quote, up to and with its last; into `word`. */
static int
read_string(struct buf *word, const char **at, const char *end)
{
	while (*at < end && **at != '"') {
		int c = (unsigned char)*(*at)++;
		if (c == '\\')
			c = read_escape(at, end);
		if (c == -1 || buf_append_char(word, (char)c) == -1)
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
	bool is_pairs = at < end && *at == '{';
	if (end - at < 2 || *at != (is_pairs ? '{' : '[') ||
	    end[-1] != (is_pairs ? '}' : ']'))
		return -1;
	at++;
	end--;
	while (status == 0 && at < end) {
		if (*count > 0 && *at++ != separator_at(*count, is_pairs))
			status = -1;
		buf_clear(&word);
		if (status == -1 || at == end || *at++ != '"' ||
		    read_string(&word, &at, end) == -1 ||
		    task_pack(packed, word.bytes, word.length) == -1)
			status = -1;
		(*count)++;
	}
	buf_fini(&word);
	return is_pairs && *count % 2 == 1 ? -1 : status;
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

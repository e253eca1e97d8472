/* quote.c: see quote.h. */
#include "base/quote.h"

#include <string.h>

/* Bytes that mean themselves to every shell, in a word that does not begin with %. */
static const bool quote_is_plain[256] = {
    ['a' ... 'z'] = true, ['A' ... 'Z'] = true, ['0' ... '9'] = true, ['%'] = true,
    ['+'] = true,         [','] = true,         ['-'] = true,         ['.'] = true,
    ['/'] = true,         [':'] = true,         ['@'] = true,         ['_'] = true,
};

static bool
quote_is_needed(const char *bytes, size_t length)
{
	if (length == 0 || bytes[0] == '%')
		return true;
	for (size_t i = 0; i < length; i++)
		if (!quote_is_plain[(unsigned char)bytes[i]])
			return true;
	return false;
}

/* What ends a part in single quotes, to be written with a backslash between two of them. */
static bool
quote_is_special(char c)
{
	return c == '\'' || c == '\\';
}

int
quote_append(struct buf *buf, const char *bytes, size_t length)
{
	if (!quote_is_needed(bytes, length))
		return buf_append(buf, bytes, length);
	if (buf_append_char(buf, '\'') == -1)
		return -1;
	for (size_t from = 0, at = 0; from < length; from = ++at) {
		while (at < length && !quote_is_special(bytes[at]))
			at++;
		if (buf_append(buf, bytes + from, at - from) == -1)
			return -1;
		if (at < length && (buf_append_str(buf, "'\\") == -1 ||
				    buf_append_char(buf, bytes[at]) == -1 ||
				    buf_append_char(buf, '\'') == -1))
			return -1;
	}
	return buf_append_char(buf, '\'');
}

size_t
quote_length(const char *bytes, size_t length)
{
	if (!quote_is_needed(bytes, length))
		return length;
	size_t quoted_length = length + 2;
	for (size_t i = 0; i < length; i++)
		if (quote_is_special(bytes[i]))
			quoted_length += 3;
	return quoted_length;
}

int
quote_append_argv(struct buf *buf, char *const *argv)
{
	for (size_t i = 0; argv[i] != NULL; i++) {
		if (i > 0 && buf_append_char(buf, ' ') == -1)
			return -1;
		if (quote_append(buf, argv[i], strlen(argv[i])) == -1)
			return -1;
	}
	return 0;
}

/* The bytes from *at up to what ends this part of a word: one kind of quotes, or none. */
static size_t
quote_part(const char **at, const char *end)
{
	const char *from = *at;
	if (*from == '\\' && end - from > 1) {
		*at = from + 1;
		return 1;
	}
	if (*from != '\'' && *from != '"')
		return 1;
	const char *quote = memchr(from + 1, *from, (size_t)(end - from - 1));
	*at = from + 1;
	return (size_t)((quote != NULL ? quote : end) - *at);
}

int
quote_next(const char **at, const char *end, struct buf *word)
{
	buf_clear(word);
	while (*at < end && (**at == ' ' || **at == '\t' || **at == '\n'))
		++*at;
	if (*at == end)
		return 0;
	while (*at < end && **at != ' ' && **at != '\t' && **at != '\n') {
		bool is_quoted = **at == '\'' || **at == '"';
		size_t length = quote_part(at, end);
		if (length > 0 && buf_append(word, *at, length) == -1)
			return -1;
		*at += length;
		if (is_quoted && *at < end)
			++*at; /* the quote at its end */
	}
	return 1;
}

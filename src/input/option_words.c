/* option_words.c: see option_words.h. */
#include "input/option_words.h"

#include <stdbool.h>
#include <string.h>

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/*
 * What a backslash in front of `c` takes away its meaning of: anything outside of
 * quotes.
 */
static bool
is_escapable(char c, char quote)
{
	return c != '\0' &&
	       (quote == '\0' || (quote == '"' && strchr("$`\"\\\n", c) != NULL));
}

/*
 * Reads one word at `in` and writes it, NUL-terminated, to *out, which is moved behind
 * the NUL. Returns what follows the word; NULL when a quote is not closed.
 */
static const char *
read_word(const char *in, char **out)
{
	char quote = '\0';
	for (; *in != '\0' && (quote != '\0' || !is_blank(*in)); in++) {
		if (*in == quote)
			quote = '\0';
		else if (quote == '\0' && (*in == '\'' || *in == '"'))
			quote = *in;
		else if (*in == '\\' && is_escapable(in[1], quote))
			*(*out)++ = *++in;
		else
			*(*out)++ = *in;
	}
	*(*out)++ = '\0';
	return quote == '\0' ? in : NULL;
}

int
option_words_split(struct spec *spec, const char *text, char ***words, size_t *word_count,
		   struct err *err)
{
	/* Each word but the last takes a byte and a blank of the text. */
	size_t length = strlen(text);
	char *out = spec_alloc(spec, 2 * length + 2);
	char **list = spec_alloc(spec, (length / 2 + 2) * sizeof(*list));
	size_t count = 0;
	if (out == NULL || list == NULL)
		return err_no_memory(err);
	for (;;) {
		while (is_blank(*text))
			text++;
		if (*text == '\0')
			break;
		list[count++] = out;
		text = read_word(text, &out);
		if (text == NULL)
			return err_set(err, ERR_USAGE, "a quote is not closed");
	}
	*words = list;
	*word_count = count;
	return 0;
}

/* makeflags.c: see makeflags.h. */
#include "base/makeflags.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define MAKEFLAGS_PREFIX \
	"--jobserver-" /* of -auth, of -fds (make before 4.2) and -style */

/*
 * The next word: *at is behind it then. NULL: there is none. A backslash keeps a blank in it; one
 * that is the last of all has nothing to keep, and would keep what is put behind it.
 */
static const char *
makeflags_word(const char **at, size_t *length)
{
	const char *word = *at + strspn(*at, " \t");
	const char *end = word;
	while (*end != '\0' && *end != ' ' && *end != '\t' && strcmp(end, "\\") != 0)
		end += *end == '\\' ? 2 : 1;
	*at = end + (*end == '\\');
	*length = (size_t)(end - word);
	return *length == 0 ? NULL : word;
}

static bool
makeflags_is(const char *word, size_t length, const char *text)
{
	return length == strlen(text) && memcmp(word, text, length) == 0;
}

static bool
makeflags_begins(const char *word, size_t length, const char *text)
{
	return length >= strlen(text) && memcmp(word, text, strlen(text)) == 0;
}

/* A descriptor's number at *at, which is behind it then. */
static bool
makeflags_number(const char **at, int *number)
{
	char *end;
	long value = strtol(*at, &end, 10);
	bool is_number = end != *at && value >= -INT_MAX && value <= INT_MAX;
	*number = (int)value;
	*at = end;
	return is_number;
}

static bool
makeflags_parse(const char *value, size_t length, struct makeflags_auth *auth)
{
	const char *at = value;
	*auth = (struct makeflags_auth){.read_fd = -1, .write_fd = -1};
	if (makeflags_begins(value, length, "fifo:")) {
		auth->path = value + strlen("fifo:");
		auth->path_length = length - strlen("fifo:");
		return auth->path_length > 0;
	}
	return makeflags_number(&at, &auth->read_fd) && *at++ == ',' &&
	       makeflags_number(&at, &auth->write_fd) && at == value + length;
}

bool
makeflags_find(const char *makeflags, struct makeflags_auth *auth)
{
	static const char *const names[] = {"--jobserver-auth=", "--jobserver-fds="};
	const char *at = makeflags, *word;
	size_t length;
	bool has_found = false;
	while ((word = makeflags_word(&at, &length)) != NULL &&
	       !makeflags_is(word, length, "--"))
		for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
			if (makeflags_begins(word, length, names[i]))
				has_found =
				    makeflags_parse(word + strlen(names[i]),
						    length - strlen(names[i]), auth);
	return has_found;
}

bool
makeflags_is_dry_run(const char *makeflags)
{
	const char *at = makeflags;
	size_t length;
	const char *word = makeflags_word(&at, &length);
	/* Letters stand in the first word, alone, or there are none. */
	return word != NULL && word[0] != '-' && memchr(word, '=', length) == NULL &&
	       memchr(word, 'n', length) != NULL;
}

int
makeflags_append(struct buf *text, const char *makeflags, const char *auth, size_t jobs)
{
	const char *at = makeflags == NULL ? "" : makeflags, *word, *variables = "";
	size_t length, start = text->length;
	while ((word = makeflags_word(&at, &length)) != NULL) {
		if (makeflags_is(word, length, "--")) {
			variables = word;
			break;
		}
		if (makeflags_begins(word, length, MAKEFLAGS_PREFIX))
			continue;
		/* Only the first word may be letters without a dash. */
		if (buf_append_str(
			text, word == makeflags && text->length == start ? "" : " ") == -1 ||
		    buf_append(text, word, length) == -1)
			return -1;
	}
	if ((jobs > 0 && buf_printf(text, " -j%zu", jobs) == -1) ||
	    buf_printf(text, " --jobserver-auth=%s", auth) == -1)
		return -1;
	return *variables == '\0' ? 0 : buf_printf(text, " %s", variables);
}

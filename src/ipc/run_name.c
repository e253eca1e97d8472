/* run_name.c: see run_name.h. */
#include "ipc/run_name.h"

#include <stdio.h>
#include <string.h>

#define RUN_NAME_MADE_CHARS 20 /* short enough to be typed */

/* As isalnum in the C locale. */
static bool
name_is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool
name_is_char(char c)
{
	return name_is_alnum(c) || c == '-' || c == '_' || c == '.';
}

static bool
name_is_good(const char *name, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!name_is_char(name[i]))
			return false;
	return length > 0 && name_is_alnum(*name);
}

bool
run_name_is_good(const char *name)
{
	return strlen(name) <= RUN_NAME_CHARS && name_is_good(name, strlen(name));
}

bool
run_name_of_file(char name[RUN_NAME_BYTES], const char *file)
{
	size_t suffix = strlen(RUN_NAME_SUFFIX);
	size_t length = strlen(file);
	if (length <= suffix || length - suffix >= RUN_NAME_BYTES ||
	    strcmp(file + length - suffix, RUN_NAME_SUFFIX) != 0 ||
	    !name_is_good(file, length - suffix))
		return false;
	memcpy(name, file, length - suffix);
	name[length - suffix] = '\0';
	return true;
}

/* The first word that is no assignment; *length of it. */
static const char *
name_first_word(const char *command, size_t *length)
{
	for (;;) {
		command += strspn(command, " \t\n");
		*length = strcspn(command, " \t\n");
		if (*length == 0 || memchr(command, '=', *length) == NULL)
			return command;
		command += *length;
	}
}

void
run_name_make(char name[RUN_NAME_BYTES], const char *command)
{
	size_t length;
	size_t count = 0;
	const char *word = name_first_word(command, &length);
	const char *slash = memrchr(word, '/', length);
	const char *end = word + length;
	for (word = slash != NULL ? slash + 1 : word; word < end; word++) {
		if (!name_is_char(*word) || (count > 0 && *word == '.'))
			break; /* of score.py, score */
		if ((count == 0 && !name_is_alnum(*word)) || count == RUN_NAME_MADE_CHARS)
			continue;
		name[count++] = *word;
	}
	name[count] = '\0';
	if (count == 0)
		snprintf(name, RUN_NAME_BYTES, "run");
}

/* library.c: see library.h. */
#include "input/library.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool
library_is_symbol(const char *text)
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
	static const char rest[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789$.";
	return *text != '\0' && strchr(letters, *text) != NULL &&
	       text[strspn(text, rest)] == '\0';
}

/* The absolute path of a file that is there; NULL and errno. */
static const char *
library_find(struct spec *spec, const char *path)
{
	char *found = realpath(path, NULL);
	if (found == NULL)
		return NULL;
	const char *copy = spec_strdup(spec, found);
	free(found);
	if (copy == NULL)
		errno = ENOMEM;
	return copy;
}

int
library_parse(struct spec *spec, const char *word, struct err *err)
{
	char *path = spec_strdup(spec, word);
	if (path == NULL)
		return err_no_memory(err);
	spec->plugin_path = library_find(spec, path);
	if (spec->plugin_path != NULL)
		return 0;
	char *colon = strrchr(path, ':');
	if (colon != NULL && colon != path && library_is_symbol(colon + 1)) {
		*colon = '\0';
		spec->plugin_symbol = colon + 1;
		spec->plugin_path = library_find(spec, path);
	}
	if (spec->plugin_path != NULL)
		return 0;
	if (errno == ENOMEM)
		return err_no_memory(err);
	if (path[0] == '\0' || strchr(path, '/') != NULL) {
		err_errno(err, "cannot open %s", path);
		if (err != NULL)
			err->kind = ERR_USAGE;
		return -1;
	}
	spec->plugin_path = path;
	return 0;
}

/*
 * glob.h: the names of files that match patterns, sorted by their bytes.
 *
 * * ? and [...] as in the shell, within one name, and not for a dot at its beginning; ** as a
 * name by itself stands for any number of folders, none too, but for hidden ones and links to
 * folders. Folders themselves do not match. A folder named in a pattern that is not there, or
 * cannot be read, is an error: only a place that was searched may be found empty.
 */
#ifndef PINION_GLOB_H
#define PINION_GLOB_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "task/spec.h"

struct glob_list {
	char **names;
	size_t count;
	size_t capacity;
};

/* All that match one of the patterns of a SPEC_INPUT_GLOB, each once. 0, or -1 and err. */
int glob_find(const struct spec_input *input, struct glob_list *list, struct err *err);
void glob_fini(struct glob_list *list);

#endif

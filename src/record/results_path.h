/*
 * results_path.h: where in a results folder the files of a task are.
 *
 * Names come from what the tasks are given, so they are made safe here: whatever the values, a
 * path has only names below the folder. GNU parallel's names, but for the last three:
 *
 *   DIR                column/value/column/value, each value one name: / is \_, \ is \\, a tab
 *                      \t, a NUL byte \0; an empty value is no name. Columns are numbers, or
 *                      the header's names, in the order of these. -n 0: #/ and the task's number
 *   a template         what is behind its last / before the first replacement string, filled in;
 *                      a / in a value makes folders. Ends it in /, it is a folder's name as
 *                      above, else that of a file; a NUL byte is _
 *   . and ..           are \. and \..; a . that is no file's name is left out of templates
 *   a name too long    for the file system is its beginning, \# and 16 digits that tell it from
 *                      others
 *
 * Pure functions of bytes: whether the names exist, and what is in them, is results_tree.h.
 */
#ifndef PINION_RESULTS_PATH_H
#define PINION_RESULTS_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "task/spec.h"
#include "task/template.h"

struct results_path;

enum results_file { RESULTS_STDOUT, RESULTS_STDERR, RESULTS_SEQ, RESULTS_FILES };

/* Zero-initialise, use again, end with results_name_fini. */
struct results_name {
	struct buf folders; /* one in the other: names, each ended by a NUL */
	struct buf files;   /* RESULTS_FILES names, each ended by a NUL */
};

/* spec->results and the names of the columns are borrowed. NULL and err. */
struct results_path *results_path_new(const struct spec *spec, const struct arg *names,
				      size_t name_count, size_t column_count,
				      struct err *err);
void results_path_free(struct results_path *path);

/* The folder that holds all of it, as the user named it. */
const char *results_path_folder(const struct results_path *path);

/* Where the files of this task are, with no name longer than `name_max`. 0, -1 without memory. */
int results_path_find(struct results_path *path, const struct template_values *values,
		      size_t name_max, struct results_name *name, struct err *err);

void results_name_fini(struct results_name *name);

/* The name of one of the files. */
const char *results_name_file(const struct results_name *name, enum results_file file);

#endif

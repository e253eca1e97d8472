/*
 * stamp.h: what a file says about how it was made, so that it need not be made again.
 *
 * A stamp is an extended attribute of the output (user.pinion): it comes into place together with
 * the file, and goes with it. It holds a hash of
 *   - the command as a line, with the outputs' own names and without the slot, and the
 *     variables, folder and stdin that the task has for itself (override.h);
 *   - size and mtime of each value that is the name of a file, before the command was started (an
 *     output is no input, even if it is also a value);
 *   - size and mtime of the output itself;
 * and, apart from the hash, which task of which run made it. A file whose stamp is still true has
 * not been touched since, nor have its inputs, so no clock is asked and no time has to be newer
 * than another. Where the file system keeps no attributes no file has a stamp.
 */
#ifndef PINION_STAMP_H
#define PINION_STAMP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/err.h"
#include "task/template.h"

/* What is hashed of a task, for all its outputs. */
struct stamp {
	uint64_t hash;
	const char *run;
	uint64_t seq;
};

/*
 * The task's command and its inputs as they are now. Relative names are in `folder` (empty: the
 * current one), which ends with a slash. -1 and err: no memory.
 */
int stamp_take(struct stamp *stamp, const struct template *template,
	       const struct template_values *values, const struct arg *overrides,
	       const char *folder, struct err *err);

/* Onto an output that is done. Where that cannot be it has none; no error. */
void stamp_put(const struct stamp *stamp, int fd, const struct stat *status);

/* Whether the file at `path`, whose lstat is `status`, was made just so. */
bool stamp_is_true(const struct stamp *stamp, const char *path, const struct stat *status);

/* Whether another task of the stamp's run has made the file at `path`. */
bool stamp_is_others(const struct stamp *stamp, const char *path);

#endif

/*
 * makeflags.h: what GNU make says of its jobserver in the variable MAKEFLAGS, as text.
 *
 * "kn -j4 --jobserver-auth=3,4 -- CC=clang": letters, words, and behind "--" variables. Only
 * reads and writes text: no descriptor is looked at here. Called by ipc/jobserver, which joins
 * what it finds, and by pool/task_env, which tells tasks of it.
 */
#ifndef PINION_MAKEFLAGS_H
#define PINION_MAKEFLAGS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Where a jobserver is. */
struct makeflags_auth {
	const char *path; /* of a named pipe, borrowed from the text; NULL: two descriptors */
	size_t path_length;
	int read_fd; /* negative: make has taken it away from this command */
	int write_fd;
};

/* Whether it names a jobserver in a form that is understood: the last that it names. */
bool makeflags_find(const char *makeflags, struct makeflags_auth *auth);

/* Whether it is `make -n`, which wants to see what would be done. */
bool makeflags_is_dry_run(const char *makeflags);

/*
 * The same flags with this jobserver, "3,4" or "fifo:PATH", in place of what they name, and
 * -jN unless `jobs` is 0. NULL `makeflags`: there are none. 0, -1 without memory.
 */
int makeflags_append(struct buf *text, const char *makeflags, const char *auth,
		     size_t jobs);

#endif

/*
 * intact.h: whether what was written to a file is still to be had.
 *
 * A file that somebody deletes or empties while it is written to takes every write: only a look
 * at the end finds it. Whoever keeps a record asks before the run may say that it was kept.
 */
#ifndef PINION_INTACT_H
#define PINION_INTACT_H

#include <stdint.h>

#include "base/err.h"

/*
 * The open file has a name, whichever, and `bytes` or more. `what` is the option that named it,
 * "--joblog". 0, or -1 and err.
 */
int intact_check(int fd, uint64_t bytes, const char *what, const char *path,
		 struct err *err);

#endif

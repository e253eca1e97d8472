/*
 * slurp.h: all of a small file's text, such as the kernel's in /proc and /sys are.
 */
#ifndef PINION_SLURP_H
#define PINION_SLURP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * Replaces `text` by what is in the file, NUL-ended; by the empty text where it cannot be read. The
 * path that is opened is `path` behind `root`, which is "" outside of tests. 0, or -1 without
 * memory.
 */
int slurp(const char *root, const char *path, struct buf *text);

/* The number behind `name` at the start of a line of that; false where there is none. */
bool slurp_number(const char *text, const char *name, uint64_t *number);

#endif

/*
 * visible.h: bytes of names and commands for a message a person reads.
 */
#ifndef PINION_VISIBLE_H
#define PINION_VISIBLE_H

#include <stddef.h>

#include "base/buf.h"

/*
 * Appends the bytes with control bytes as \xHH, as diag.h does, so that no name drives
 * the terminal; after at most `max_chars` characters comes "..." instead. UTF-8
 * characters stay whole. 0, or -1 without memory.
 */
int visible_append(struct buf *text, const char *bytes, size_t length, size_t max_chars);

#endif

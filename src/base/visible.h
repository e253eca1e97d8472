/*
 * visible.h: bytes of names and commands for a message a person reads, so that none of them
 * drives the terminal, hides or turns the line around.
 */
#ifndef PINION_VISIBLE_H
#define PINION_VISIBLE_H

#include <stddef.h>

#include "base/buf.h"

/*
 * Appends what is seen (utf8.h) as it is, and each byte of all else as \xHH. After at most
 * `max_chars` characters comes "..." instead. 0, or -1 without memory.
 */
int visible_append(struct buf *text, const char *bytes, size_t length, size_t max_chars);

/* The same with a line of any length, where it is; its newline stays. */
int visible_line(struct buf *line);

#endif

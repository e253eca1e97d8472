/*
 * picture.h: quantities drawn with characters: eighths of a block, or ASCII alone.
 */
#ifndef PINION_PICTURE_H
#define PINION_PICTURE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* A bar for a part, from 0 to 1, of so many columns, and blanks for the rest. More than 0 is seen. */
int picture_bar(struct buf *text, double part, size_t columns, bool has_blocks);

/* One column, filled from below. */
int picture_level(struct buf *text, double part, bool has_blocks);

#endif

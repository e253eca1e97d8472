/*
 * shown.h: bytes that somebody else chose, for a person to look at: on a terminal, in a page.
 *
 * What drives a terminal, has no shape or turns the direction of writing comes out as \xHH or
 * \u{HHHH}, as do bytes that are not UTF-8; so what is appended is UTF-8 without control
 * characters.
 */
#ifndef PINION_SHOWN_H
#define PINION_SHOWN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct shown_style {
	bool is_ascii;      /* no other characters either */
	size_t max_columns; /* at most so many, the last three then "..."; at least 3 */
};

/* One line. 0, -1 without memory. */
int shown_append(struct buf *text, const char *bytes, size_t length,
		 const struct shown_style *style);

/*
 * The last lines of what a program has printed, each with a newline behind it: as it would be
 * seen, so without colours, and of a line that was written over with \r the last state. Blank
 * lines at the end are left out. `is_cut`: the bytes begin within a line.
 */
int shown_append_tail(struct buf *text, const char *bytes, size_t length, bool is_cut,
		      size_t max_lines, const struct shown_style *style);

/* How many columns of a terminal the text takes that is between these. */
size_t shown_columns(const char *text, size_t length);

#endif

/*
 * decorate.h: where lines begin and end: tags in front of each, and whole lines apart
 * from the rest.
 *
 * Works on a stream that comes in pieces cut anywhere; allocates nothing but the caller's
 * buf.
 */
#ifndef PINION_DECORATE_H
#define PINION_DECORATE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"

#define DECORATE_BYTES (64 * 1024)

struct tag {
	size_t length;
	char bytes[]; /* the text and its tab */
};

/* NULL without memory. free() ends it. */
struct tag *tag_new(const char *text, size_t length);

/*
 * Appends the bytes to `out` with the tag where a line begins; *is_mid_line carries over
 * from piece to piece. Stops early once `out` holds DECORATE_BYTES: returns how many of
 * the bytes were used, at least 1; -1 without memory.
 */
ssize_t decorate_tag(struct buf *out, const struct tag *tag, bool *is_mid_line,
		     const char *bytes, size_t length);

/* How many of the bytes are whole lines: up to and with the last newline. */
size_t decorate_whole_lines(const char *bytes, size_t length);

#endif

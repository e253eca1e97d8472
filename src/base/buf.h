/*
 * buf.h: growable bytes.
 *
 * Owns one allocation. Zero-initialise (`struct buf b = {0}`) or reuse after buf_clear;
 * end with buf_fini. `bytes` may move on every call that adds; it is NULL while nothing
 * was ever added. Functions that may allocate return 0, or -1 when out of memory with the
 * content unchanged.
 */
#ifndef PINION_BUF_H
#define PINION_BUF_H

#include <stddef.h>
#include <string.h>

struct buf {
	char *bytes;
	size_t length;
	size_t capacity;
};

void buf_fini(struct buf *buf);

/* Forgets the content, keeps the memory. */
void buf_clear(struct buf *buf);

int buf_grow(struct buf *buf, size_t more); /* buf_reserve's, where there is no room */

/* Room for `more` bytes behind the content; they may then be written directly and `length` raised. */
static inline int
buf_reserve(struct buf *buf, size_t more)
{
	return more <= buf->capacity - buf->length ? 0 : buf_grow(buf, more);
}

/* gcc 12's analyzer thinks that no room at all may be enough, for more than no bytes. */
#ifndef __clang__
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wanalyzer-null-argument"
#endif
static inline int
buf_append(struct buf *buf, const void *bytes, size_t length)
{
	if (length == 0)
		return 0;
	if (buf_reserve(buf, length) == -1)
		return -1;
	memcpy(buf->bytes + buf->length, bytes, length);
	buf->length += length;
	return 0;
}
#ifndef __clang__
#pragma GCC diagnostic pop
#endif

static inline int
buf_append_char(struct buf *buf, char c)
{
	return buf_append(buf, &c, 1);
}

int buf_append_str(struct buf *buf, const char *string);
int buf_printf(struct buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Ends the content with a NUL that is not counted in length; returns the string, NULL without memory. */
const char *buf_str(struct buf *buf);

/* Drops the first `length` bytes; the rest moves to the front. */
void buf_consume(struct buf *buf, size_t length);

#endif

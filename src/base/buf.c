/* buf.c: see buf.h. */
#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_MIN_BYTES 64

void
buf_fini(struct buf *buf)
{
	free(buf->bytes);
	*buf = (struct buf){0};
}

void
buf_clear(struct buf *buf)
{
	buf->length = 0;
}

int
buf_grow(struct buf *buf, size_t more)
{
	if (more > SIZE_MAX / 2 - buf->length)
		return -1;
	size_t capacity = buf->capacity + buf->capacity / 2;
	if (capacity < buf->length + more)
		capacity = buf->length + more;
	if (capacity < BUF_MIN_BYTES)
		capacity = BUF_MIN_BYTES;
	char *bytes = realloc(buf->bytes, capacity);
	if (bytes == NULL)
		return -1;
	buf->bytes = bytes;
	buf->capacity = capacity;
	return 0;
}

int
buf_append_str(struct buf *buf, const char *string)
{
	return buf_append(buf, string, strlen(string));
}

int
buf_printf(struct buf *buf, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	int length = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	if (length < 0 || buf_reserve(buf, (size_t)length + 1) == -1)
		return -1;
	va_start(ap, format);
	vsnprintf(buf->bytes + buf->length, (size_t)length + 1, format, ap);
	va_end(ap);
	buf->length += (size_t)length;
	return 0;
}

const char *
buf_str(struct buf *buf)
{
	if (buf_reserve(buf, 1) == -1)
		return NULL;
	buf->bytes[buf->length] = '\0';
	return buf->bytes;
}

void
buf_consume(struct buf *buf, size_t length)
{
	assert(length <= buf->length);
	if (length == 0)
		return;
	buf->length -= length;
	memmove(buf->bytes, buf->bytes + length, buf->length);
}

/* err.c: see err.h. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What may be done about it, where that is the same wherever it comes from. */
static const char *
err_hint(int errno_value)
{
	switch (errno_value) {
	case EFBIG:
		return " (see ulimit -f)";
	case EMFILE:
		return " (see ulimit -n)";
	default:
		return "";
	}
}

__attribute__((format(printf, 4, 0))) static void
err_vset(struct err *err, enum err_kind kind, int errno_value, const char *format,
	 va_list ap)
{
	err->kind = kind;
	err->errno_value = errno_value;
	int length = vsnprintf(err->text, sizeof(err->text), format, ap);
	if (errno_value == 0 || length < 0 || (size_t)length >= sizeof(err->text))
		return;
	snprintf(err->text + length, sizeof(err->text) - (size_t)length, ": %s%s",
		 strerror(errno_value), err_hint(errno_value));
}

int
err_set(struct err *err, enum err_kind kind, const char *format, ...)
{
	if (err == NULL)
		return -1;
	va_list ap;
	va_start(ap, format);
	err_vset(err, kind, 0, format, ap);
	va_end(ap);
	return -1;
}

int
err_errno(struct err *err, const char *format, ...)
{
	int errno_value = errno;
	if (err == NULL)
		return -1;
	va_list ap;
	va_start(ap, format);
	err_vset(err, ERR_SYSTEM, errno_value, format, ap);
	va_end(ap);
	return -1;
}

void
err_context(struct err *err, const char *format, ...)
{
	if (err == NULL)
		return;
	char text[2 * ERR_TEXT_BYTES];
	va_list ap;
	va_start(ap, format);
	int length = vsnprintf(text, ERR_TEXT_BYTES, format, ap);
	va_end(ap);
	if (length < 0 || length >= ERR_TEXT_BYTES)
		return;
	snprintf(text + length, sizeof(text) - (size_t)length, ": %s", err->text);
	memcpy(err->text, text, sizeof(err->text) - 1);
}

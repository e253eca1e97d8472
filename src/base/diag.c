/* diag.c: see diag.h. */
#include "base/diag.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/visible.h"

#define DIAG_PATIENCE_MS 1000

/* All of `bytes`, unless the other side takes nothing for DIAG_PATIENCE_MS. */
static void
diag_write_fd(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		struct pollfd pfd = {.fd = fd, .events = POLLOUT};
		int ready = poll(&pfd, 1, DIAG_PATIENCE_MS);
		if (ready == 0 || (ready == -1 && errno != EINTR))
			return;
		ssize_t written = ready == 1 ? write(fd, bytes, length) : 0;
		if (written == -1 && errno != EINTR && errno != EAGAIN)
			return;
		if (written > 0) {
			bytes += written;
			length -= (size_t)written;
		}
	}
}

/* A message begins a line of its own, also where a task has left one unfinished. */
static void
diag_write(const struct diag *diag, const char *bytes, size_t length, bool is_message)
{
	struct screen *screen = diag->screen;
	if (screen != NULL)
		screen_erase(screen);
	if (screen != NULL && screen->is_mid_line && is_message)
		diag_write_fd(diag->fd, "\n", 1);
	diag_write_fd(diag->fd, bytes, length);
	if (screen != NULL && length > 0)
		screen_wrote(screen, bytes[length - 1]);
}

static void
diag_copy(const struct diag *diag, const struct buf *line)
{
	if (diag->copy != NULL && diag->copy->length + line->length <= DIAG_COPY_BYTES)
		buf_append(diag->copy, line->bytes, line->length); /* without memory, not */
}

static void
diag_line(const struct diag *diag, const char *text, size_t length)
{
	struct buf line = {0};
	if (buf_printf(&line, "%s: ", diag->name) == 0 &&
	    visible_append(&line, text, length, SIZE_MAX) == 0 &&
	    buf_append_char(&line, '\n') == 0) {
		diag_write(diag, line.bytes, line.length, true);
		diag_copy(diag, &line);
	} else {
		diag_write(diag, "pinion: out of memory\n", 22, true);
	}
	buf_fini(&line);
}

void
diag_say(const struct diag *diag, const char *format, ...)
{
	int saved = errno;
	char text[4096];
	va_list ap;
	va_start(ap, format);
	int length = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (length >= (int)sizeof(text))
		length = (int)sizeof(text) - 1;
	if (length > 0)
		diag_line(diag, text, (size_t)length);
	errno = saved;
}

void
diag_raw(const struct diag *diag, const char *bytes, size_t length)
{
	int saved = errno;
	diag_write(diag, bytes, length, false);
	errno = saved;
}

void
diag_err(const struct diag *diag, const struct err *err)
{
	diag_say(diag, "%s", err->text);
}

/* screen.c: see screen.h. */
#include "base/screen.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/io.h"

/*
 * To the left edge, and all from there to the end of the screen goes; but not from its very first
 * cell at once: some terminals take that for an empty screen and keep what was on it.
 */
#define SCREEN_ERASE "\r \x1b[J\r\x1b[K"

bool
screen_is_possible(int fd)
{
	const char *kind = getenv("TERM");
	return isatty(fd) && kind != NULL && *kind != '\0' && strcmp(kind, "dumb") != 0;
}

void
screen_open(struct screen *screen, int fd)
{
	*screen = (struct screen){
	    .is_open = true, .fd = fd, .private_fd = io_reopen_nonblocking(fd)};
}

void
screen_size(const struct screen *screen, size_t *columns, size_t *rows)
{
	struct winsize size = {0};
	ioctl(screen->fd, TIOCGWINSZ, &size);
	*columns = size.ws_col > 0 ? size.ws_col : 80;
	*rows = size.ws_row > 0 ? size.ws_row : 24;
}

/* A terminal that is not the one of our session has no jobs. */
static bool
screen_is_ours(const struct screen *screen)
{
	pid_t group = tcgetpgrp(screen->fd);
	return group == -1 || group == getpgrp();
}

static ssize_t
screen_write_once(const struct screen *screen, const char *bytes, size_t length)
{
	struct pollfd pfd = {.fd = screen->fd, .events = POLLOUT};
	if (screen->private_fd != -1)
		return io_write(screen->private_fd, bytes, length);
	if (poll(&pfd, 1, 0) != 1) {
		errno = EAGAIN;
		return -1;
	}
	return io_write(screen->fd, bytes, length < PIPE_BUF ? length : PIPE_BUF);
}

/* Nothing more is drawn. */
static void
screen_give_up(struct screen *screen)
{
	io_close_set(&screen->private_fd);
	buf_fini(&screen->rest);
	*screen = (struct screen){0};
}

/* Writes the rest, as far as it is taken now; true when nothing is left. */
static bool
screen_flush(struct screen *screen)
{
	while (screen->rest.length > 0) {
		ssize_t written =
		    screen_write_once(screen, screen->rest.bytes, screen->rest.length);
		if (written == -1 && errno == EAGAIN)
			return false;
		if (written <= 0) {
			screen_give_up(screen);
			return true;
		}
		buf_consume(&screen->rest, (size_t)written);
	}
	return true;
}

/*
 * Each line with what clears the rest of its row, then back to the start of the first. A terminal
 * may have become narrower and not told us yet: meanwhile it breaks no lines, or that would be
 * another row.
 */
static int
screen_append_lines(struct buf *rest, const char *text, size_t length)
{
	size_t breaks = 0;
	if (buf_append_str(rest, "\r\x1b[?7l") == -1)
		return -1;
	for (const char *end; (end = memchr(text, '\n', length)) != NULL; breaks++) {
		size_t line = (size_t)(end - text);
		if (buf_append(rest, text, line) == -1 ||
		    buf_append_str(rest, "\x1b[K\r\n") == -1)
			return -1;
		text += line + 1;
		length -= line + 1;
	}
	if (buf_append(rest, text, length) == -1 ||
	    buf_append_str(rest, "\x1b[J\x1b[?7h\r") == -1)
		return -1;
	return breaks > 0 ? buf_printf(rest, "\x1b[%zuA", breaks) : 0;
}

void
screen_paint(struct screen *screen, const char *text, size_t length)
{
	if (!screen->is_open || screen->is_mid_line || !screen_flush(screen) ||
	    !screen->is_open || !screen_is_ours(screen))
		return;
	size_t columns, rows;
	screen_size(screen, &columns, &rows);
	/* What a narrower terminal has broken in two is best drawn anew. */
	if (columns != screen->columns && !screen_erase(screen))
		return;
	screen->columns = columns;
	if (screen_append_lines(&screen->rest, text, length) == -1) {
		buf_clear(&screen->rest);
		return;
	}
	screen->is_drawn = true;
	screen_flush(screen);
}

bool
screen_erase(struct screen *screen)
{
	if (!screen->is_open || (!screen->is_drawn && screen->rest.length == 0))
		return true;
	if (screen->is_drawn && screen_is_ours(screen) &&
	    buf_append_str(&screen->rest, SCREEN_ERASE) == -1)
		return true;
	screen->is_drawn = false;
	return screen_flush(screen);
}

void
screen_wrote(struct screen *screen, char last)
{
	screen->is_mid_line = screen->is_open && last != '\n';
}

void
screen_close(struct screen *screen)
{
	screen_erase(screen);
	if (screen->is_open)
		screen_give_up(screen);
}

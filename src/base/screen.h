/*
 * screen.h: a few lines at the bottom of a terminal that come and go beside what is written there.
 *
 * Owns what is drawn and nothing else of the terminal: leaves no mode changed and the cursor to
 * be seen. That waits at the start of the first line drawn, so that one sequence takes all of it
 * away however the terminal has been resized meanwhile. Everyone in this process who writes to
 * a terminal (diag, sink/writer) calls screen_erase before and screen_wrote after; the lines are
 * drawn again at the next screen_paint. While others have left a line unfinished nothing is
 * drawn: it could not be taken away without that line.
 *
 * Never blocks. A terminal that fails, or has gone, is not written to any more. Nothing is
 * drawn, or taken away, while another job of the shell has the terminal.
 */
#ifndef PINION_SCREEN_H
#define PINION_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* All zero: there is none, and the functions do nothing. */
struct screen {
	bool is_open;
	int fd;         /* the terminal; the caller's */
	int private_fd; /* the same, non-blocking; -1: not to be had */
	bool is_drawn;
	size_t columns;   /* there were when it was */
	bool is_mid_line; /* what others wrote last was no end of a line */
	struct buf rest;  /* of the last change: the terminal did not take it yet */
};

/* Whether lines can come and go on what is behind fd: a terminal, and none that is dumb. */
bool screen_is_possible(int fd);

void screen_open(struct screen *screen, int fd);

/* Takes away what is drawn. */
void screen_close(struct screen *screen);

/* As the terminal has it now; 80 and 24 where it does not know. */
void screen_size(const struct screen *screen, size_t *columns, size_t *rows);

/*
 * Draws these lines, apart by newlines, over the last ones; each narrower than the screen, all
 * together lower.
 */
void screen_paint(struct screen *screen, const char *text, size_t length);

/* False: the terminal takes nothing now, and nothing may be written to it. */
bool screen_erase(struct screen *screen);

/* The last byte of what was written after screen_erase. */
void screen_wrote(struct screen *screen, char last);

#endif

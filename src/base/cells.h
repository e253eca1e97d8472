/*
 * cells.h: any bytes as so many cells of a terminal.
 *
 * In the encoding that the environment names (LC_ALL, LC_CTYPE, LANG), whatever the process has
 * set; the process's own locale stays as it is. What that cannot show, control bytes among it,
 * comes out as \xHH, so that no name drives the terminal.
 */
#ifndef PINION_CELLS_H
#define PINION_CELLS_H

#include <locale.h>
#include <stddef.h>

#include "base/buf.h"

/* Zero-initialise; a locale is not opened before it is needed. */
struct cells {
	locale_t locale;
};

void cells_fini(struct cells *cells);

/*
 * Appends as many of the characters as fit into `most` cells; where not all do, the last of
 * those are dots. *used says how many cells it took. 0, or -1 without memory.
 */
int cells_append(struct cells *cells, struct buf *text, const char *bytes, size_t length,
		 size_t most, size_t *used);

/* How many bytes of a text from cells_append fit into `most` cells. */
size_t cells_bytes(struct cells *cells, const char *bytes, size_t length, size_t most);

#endif

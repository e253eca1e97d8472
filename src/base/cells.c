/* cells.c: see cells.h. */
#include "base/cells.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#define CELLS_DOTS 3 /* "...", for what is left out */

/* A character, or what is shown in its place. */
struct cells_piece {
	const char *bytes;
	size_t length;
	size_t width;
	char escape[5];
};

void
cells_fini(struct cells *cells)
{
	if (cells->locale != (locale_t)0)
		freelocale(cells->locale);
	cells->locale = (locale_t)0;
}

/* One that is named but not installed is taken for UTF-8, which it nearly always is. */
static void
cells_open(struct cells *cells)
{
	if (cells->locale == (locale_t)0)
		cells->locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
	if (cells->locale == (locale_t)0)
		cells->locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	if (cells->locale == (locale_t)0)
		cells->locale = newlocale(LC_CTYPE_MASK, "C", (locale_t)0);
}

/* Takes one character, in the locale of the thread; returns how many bytes it is long. */
static size_t
cells_take(const char *bytes, size_t length, struct cells_piece *piece)
{
	mbstate_t state = {0};
	wchar_t character;
	size_t taken = mbrtowc(&character, bytes, length, &state);
	bool is_whole = taken > 0 && taken <= length;
	int width = is_whole ? wcwidth(character) : -1;
	if (width >= 0) {
		*piece = (struct cells_piece){
		    .bytes = bytes, .length = taken, .width = (size_t)width};
		return taken;
	}
	*piece = (struct cells_piece){.length = 4, .width = 4};
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): only an escape has no bytes. */
	snprintf(piece->escape, sizeof(piece->escape), "\\x%02x", (unsigned char)*bytes);
	return 1;
}

/*
 * How many bytes of them fit into `most` cells, and what they take there. Appends them to
 * `text`, unless that is NULL.
 */
static int
cells_fit(struct buf *text, const char *bytes, size_t length, size_t most, size_t *used,
	  size_t *fitting)
{
	size_t at = 0;
	*used = 0;
	while (at < length) {
		struct cells_piece piece;
		size_t taken = cells_take(bytes + at, length - at, &piece);
		const char *shown = piece.bytes != NULL ? piece.bytes : piece.escape;
		if (*used + piece.width > most)
			break;
		if (text != NULL && buf_append(text, shown, piece.length) == -1)
			return -1;
		*used += piece.width;
		at += taken;
	}
	*fitting = at;
	return 0;
}

static int
cells_append_here(struct buf *text, const char *bytes, size_t length, size_t most,
		  size_t *used)
{
	size_t fitting;
	cells_fit(NULL, bytes, length, most, used, &fitting);
	size_t dots = fitting < length ? (most < CELLS_DOTS ? most : CELLS_DOTS) : 0;
	if (cells_fit(text, bytes, length, most - dots, used, &fitting) == -1)
		return -1;
	*used += dots;
	return buf_append(text, "...", dots);
}

int
cells_append(struct cells *cells, struct buf *text, const char *bytes, size_t length,
	     size_t most, size_t *used)
{
	cells_open(cells);
	locale_t before = uselocale(cells->locale);
	int status = cells_append_here(text, bytes, length, most, used);
	uselocale(before);
	return status;
}

size_t
cells_bytes(struct cells *cells, const char *bytes, size_t length, size_t most)
{
	size_t used, fitting;
	cells_open(cells);
	locale_t before = uselocale(cells->locale);
	cells_fit(NULL, bytes, length, most, &used, &fitting);
	uselocale(before);
	return fitting;
}

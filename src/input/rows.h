/*
 * rows.h: rows of values, for the parts of input/ to hand to each other.
 *
 * A struct row is a list of borrowed values: the columns of one item, or of a combination
 * of items. A struct rows keeps copies of many, to be read again. Both are
 * zero-initialised and end with their _fini. Values here need not be followed by a NUL;
 * those that rows_append gives are.
 */
#ifndef PINION_ROWS_H
#define PINION_ROWS_H

#include "base/buf.h"
#include "task/task.h"

struct row {
	struct arg *args;
	size_t count;
	size_t capacity;
};

struct rows_entry; /* where a row is in `packed` */

struct rows {
	struct buf packed;
	struct rows_entry *entries;
	size_t count;
	size_t capacity;
};

/* Appends one value; the bytes stay the caller's. 0, -1 without memory. */
int row_add(struct row *row, const char *bytes, size_t length);

/* Forgets the values, keeps the memory. */
void row_clear(struct row *row);
void row_fini(struct row *row);

/* Keeps a copy of the row. 0, -1 without memory. */
int rows_add(struct rows *rows, const struct row *row);

/*
 * Appends the values of a kept row to `row`; valid until the next rows_add. 0, -1 without
 * memory.
 */
int rows_append(const struct rows *rows, size_t index, struct row *row);
void rows_fini(struct rows *rows);

#endif

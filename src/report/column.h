/*
 * column.h: the numbers and texts of many tasks, as short as JSON gets them.
 *
 * A column of numbers is an array; where all are the same, that one number. A column of texts is
 * one string, in which a text is a letter and what differs from the text before it: the letter
 * says how many bytes of that one it begins with (COLUMN_LETTERS); texts are apart by newlines.
 * It has a budget: the less is left for those to come, the shorter texts are cut.
 */
#ifndef PINION_COLUMN_H
#define PINION_COLUMN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define COLUMN_LETTERS "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"

struct column {
	struct buf text;
	int64_t first;
	bool differs;
	bool is_begun;
};

/* 0, -1 without memory. */
int column_add(struct column *column, int64_t number);
int column_append(const struct column *column, struct buf *json);
void column_fini(struct column *column);

struct text_column {
	struct buf text;
	struct buf last;
	struct buf shown;
	size_t budget_bytes; /* what is left */
	uint64_t left;       /* texts to come */
	size_t most_columns; /* of one text */
};

/* The bytes as shown.h shows them. */
int text_column_add(struct text_column *column, const char *bytes, size_t length);
void text_column_fini(struct text_column *column);

/* How much one more may take. */
size_t text_column_room(const struct text_column *column);

/* A JSON string that is safe in a script element, too. */
int column_append_string(struct buf *json, const char *bytes, size_t length);

#endif

/*
 * words.h: lists of words in a column of a database.
 *
 * As a JSON array of strings where all of them are UTF-8, which SQLite's JSON functions read;
 * else as a blob: each word behind its length in 4 bytes, little-endian. One word alone is text,
 * or a blob of its bytes. Pairs, of a name and a value each, are a JSON object, or the same blob.
 */
#ifndef PINION_WORDS_H
#define PINION_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "task/task.h"

/* Appends the list in one of the two forms; *is_text: JSON. 0, -1 without memory. */
int words_append(struct buf *column, const struct arg *words, size_t count, bool *is_text);

/* The same of pairs: names and values by turns. */
int words_append_pairs(struct buf *column, const struct arg *words, size_t count,
		       bool *is_text);

/*
 * The list that one of these wrote, in packed form (task.h), appended to `packed`; -1: it is
 * none, or there is no memory.
 */
int words_read(struct buf *packed, size_t *count, const char *column, size_t length,
	       bool is_text);

#endif

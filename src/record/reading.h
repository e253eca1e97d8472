/*
 * reading.h: the columns of a row of a run file, as the program has them.
 *
 * A column that makes no sense is an error of the whole reading, told once, so that a row is
 * read without a look at each column. Used by what reads a record, never by the recorder.
 */
#ifndef PINION_READING_H
#define PINION_READING_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "record/runfile_db.h"

/* Words, NULL-terminated, with the bytes they point to. */
struct runfile_words {
	char **words;
	size_t count;
	struct buf bytes;
};

void runfile_words_fini(struct runfile_words *words);

/* A row, and what went wrong with its columns so far. */
struct reading {
	struct runfile_db db;
	sqlite3_stmt *row;
	struct err *err;
	int status;
};

/* `path` is borrowed. -1 and err: reading_close is still right. */
int reading_open(struct reading *reading, const char *path, const char *sql,
		 struct err *err);
void reading_close(struct reading *reading);

/* Without memory, too. */
void reading_fail(struct reading *reading);

int64_t reading_number(struct reading *reading, int column); /* 0 for NULL */

/*
 * A moment, a length, a count: never below 0, and the sum of two is no overflow, whatever a record
 * says that is not sound.
 */
int64_t reading_amount(struct reading *reading, int column);
char *reading_text(struct reading *reading, int column); /* NULL for NULL */
char *reading_needed_text(struct reading *reading, int column);

/* The list of a column in packed form (task.h), appended; none for NULL. */
void reading_packed(struct reading *reading, int column, struct buf *packed, size_t *count);

/* Strings out of a packed list, which they take over; none where one has a NUL inside. */
void reading_unpack_words(struct reading *reading, struct runfile_words *words,
			  struct buf *packed, size_t count);
void reading_words(struct reading *reading, int column, struct runfile_words *words);

#endif

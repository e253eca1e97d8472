/* reading.c: see reading.h. */
#include "record/reading.h"

#include <stdlib.h>
#include <string.h>

#include "record/words.h"
#include "task/task.h"

void
reading_fail(struct reading *reading)
{
	if (reading->status == 0)
		reading->status =
		    err_set(reading->err, ERR_SYSTEM,
			    "%.200s: a row that cannot be understood", reading->db.path);
}

int64_t
reading_number(struct reading *reading, int column)
{
	return reading->db.sqlite.column_int64(reading->row, column);
}

int64_t
reading_amount(struct reading *reading, int column)
{
	int64_t amount = reading_number(reading, column);
	if (amount < 0)
		return 0;
	return amount < INT64_MAX / 2 ? amount : INT64_MAX / 2;
}

/* NULL for NULL. */
char *
reading_text(struct reading *reading, int column)
{
	const struct sqlite_late *sqlite = &reading->db.sqlite;
	const char *bytes = sqlite->column_blob(reading->row, column);
	size_t length = (size_t)sqlite->column_bytes(reading->row, column);
	if (sqlite->column_type(reading->row, column) == SQLITE_NULL)
		return NULL;
	char *text = strndup(bytes == NULL ? "" : bytes, length);
	if (text == NULL)
		reading_fail(reading);
	return text;
}

/* As reading_text, of what is never NULL. */
char *
reading_needed_text(struct reading *reading, int column)
{
	char *text = reading_text(reading, column);
	if (text == NULL)
		reading_fail(reading);
	return text;
}

/* The list of a column in packed form; none for NULL. */
void
reading_packed(struct reading *reading, int column, struct buf *packed, size_t *count)
{
	const struct sqlite_late *sqlite = &reading->db.sqlite;
	int type = sqlite->column_type(reading->row, column);
	*count = 0;
	if (type == SQLITE_NULL)
		return;
	const char *bytes = sqlite->column_blob(reading->row, column);
	if (words_read(packed, count, bytes,
		       (size_t)sqlite->column_bytes(reading->row, column),
		       type == SQLITE_TEXT) == -1)
		reading_fail(reading);
}

/* Strings out of a packed list, which they take over; none where one has a NUL inside. */
void
reading_unpack_words(struct reading *reading, struct runfile_words *words,
		     struct buf *packed, size_t count)
{
	struct arg *args = NULL;
	size_t capacity = 0;
	words->bytes = *packed;
	*packed = (struct buf){0};
	words->words = calloc(count + 1, sizeof(*words->words));
	if (words->words == NULL || task_unpack(words->bytes.bytes, words->bytes.length,
						(uint32_t)count, &args, &capacity) == -1) {
		reading_fail(reading);
		count = 0;
	}
	words->count = count;
	for (size_t i = 0; i < count; i++) {
		words->words[i] = (char *)(uintptr_t)args[i].bytes;
		if (memchr(args[i].bytes, '\0', args[i].length) != NULL)
			words->count = 0;
	}
	if (words->words != NULL)
		words->words[words->count] = NULL;
	free(args);
}

void
reading_words(struct reading *reading, int column, struct runfile_words *words)
{
	struct buf packed = {0};
	size_t count;
	reading_packed(reading, column, &packed, &count);
	reading_unpack_words(reading, words, &packed, count);
	buf_fini(&packed);
}

int
reading_open(struct reading *reading, const char *path, const char *sql, struct err *err)
{
	*reading = (struct reading){.err = err};
	if (runfile_db_open(&reading->db, path, false, err) == -1)
		return -1;
	reading->row = runfile_db_prepare(&reading->db, sql, err);
	return reading->row == NULL ? -1 : 0;
}

void
reading_close(struct reading *reading)
{
	if (reading->row != NULL)
		reading->db.sqlite.finalize(reading->row);
	runfile_db_close(&reading->db);
}

void
runfile_words_fini(struct runfile_words *words)
{
	free(words->words);
	buf_fini(&words->bytes);
	*words = (struct runfile_words){0};
}

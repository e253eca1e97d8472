/* rows.c: see rows.h. */
#include "input/rows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define ROW_MIN_ARGS 8
#define ROWS_MIN_ENTRIES 64

struct rows_entry {
	size_t offset;
	size_t arg_count;
};

/* Room for one more in a row's array. */
static int
row_grow(struct row *row)
{
	size_t capacity = row->capacity > 0 ? row->capacity * 2 : ROW_MIN_ARGS;
	struct arg *args = reallocarray(row->args, capacity, sizeof(*args));
	if (args == NULL)
		return -1;
	row->args = args;
	row->capacity = capacity;
	return 0;
}

int
row_add(struct row *row, const char *bytes, size_t length)
{
	if (row->count == row->capacity && row_grow(row) == -1)
		return -1;
	row->args[row->count++] = (struct arg){.bytes = bytes, .length = length};
	return 0;
}

void
row_clear(struct row *row)
{
	row->count = 0;
}

void
row_fini(struct row *row)
{
	free(row->args);
	*row = (struct row){0};
}

static int
rows_grow(struct rows *rows)
{
	size_t capacity = rows->capacity > 0 ? rows->capacity * 2 : ROWS_MIN_ENTRIES;
	struct rows_entry *entries =
	    reallocarray(rows->entries, capacity, sizeof(*entries));
	if (entries == NULL)
		return -1;
	rows->entries = entries;
	rows->capacity = capacity;
	return 0;
}

int
rows_add(struct rows *rows, const struct row *row)
{
	if (rows->count == rows->capacity && rows_grow(rows) == -1)
		return -1;
	size_t offset = rows->packed.length;
	for (size_t i = 0; i < row->count; i++) {
		if (task_pack(&rows->packed, row->args[i].bytes, row->args[i].length) ==
		    -1) {
			rows->packed.length = offset;
			return -1;
		}
	}
	rows->entries[rows->count++] = (struct rows_entry){offset, row->count};
	return 0;
}

int
rows_append(const struct rows *rows, size_t index, struct row *row)
{
	assert(index < rows->count);
	const char *at = rows->packed.bytes + rows->entries[index].offset;
	for (size_t i = 0; i < rows->entries[index].arg_count; i++) {
		uint32_t length;
		memcpy(&length, at, sizeof(length));
		at += sizeof(length);
		if (row_add(row, at, length) == -1)
			return -1;
		at += (size_t)length + 1;
	}
	return 0;
}

void
rows_fini(struct rows *rows)
{
	buf_fini(&rows->packed);
	free(rows->entries);
	*rows = (struct rows){0};
}

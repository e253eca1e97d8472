/* joblog_line.c: see joblog_line.h. */
#include "record/joblog_line.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "task/task.h"

#define JOBLOG_SEQ_DIGITS_MAX 16 /* of TASK_SEQS_MAX */
#define JOBLOG_NUMBERS 4         /* Starttime JobRuntime Send Receive */

/* Seconds with three decimals, rounded. */
static void
joblog_format_seconds(char text[32], int64_t ns)
{
	int64_t ms = (ns + NS_PER_MS / 2) / NS_PER_MS;
	if (ms < 0)
		ms = 0;
	snprintf(text, 32, "%" PRId64 ".%03d", ms / 1000, (int)(ms % 1000));
}

int
joblog_line_append(struct buf *text, const struct joblog_line *line)
{
	char started[32], wall[32];
	joblog_format_seconds(started, line->started_real_ns);
	joblog_format_seconds(wall, line->wall_ns);
	if (buf_printf(text, "%" PRIu64 "\t:\t%s\t%10s\t0\t%" PRIu64 "\t%d\t%d\t",
		       line->seq + 1, started, wall, line->receive_bytes,
		       line->exit_value, line->signal) == -1 ||
	    buf_append(text, line->command, line->command_length) == -1)
		return -1;
	if (line->command_length > 0) {
		char *at = text->bytes + text->length - line->command_length;
		const char *end = text->bytes + text->length;
		while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL)
			*at = '\0';
	}
	return buf_append_char(text, '\n');
}

/* What is left of a line. */
struct cursor {
	const char *at;
	const char *end;
};

/* The column up to the next tab, which is passed; false: there is none, or nothing in it. */
static bool
cursor_column(struct cursor *cursor, const char **column, size_t *length)
{
	const char *tab = memchr(cursor->at, '\t', (size_t)(cursor->end - cursor->at));
	if (tab == NULL || tab == cursor->at)
		return false;
	*column = cursor->at;
	*length = (size_t)(tab - cursor->at);
	cursor->at = tab + 1;
	return true;
}

/* Digits, a sign, a point, and blanks in front. */
static bool
cursor_number(struct cursor *cursor)
{
	const char *column;
	size_t length, at = 0;
	if (!cursor_column(cursor, &column, &length))
		return false;
	while (at < length && column[at] == ' ')
		at++;
	if (at == length)
		return false;
	for (; at < length; at++)
		if ((column[at] < '0' || column[at] > '9') && column[at] != '.' &&
		    column[at] != '-')
			return false;
	return true;
}

/* Digits only, no more than `most` of them. */
static bool
cursor_digits(const char *digits, size_t length, size_t most, uint64_t *number)
{
	*number = 0;
	if (length == 0 || length > most)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (digits[i] < '0' || digits[i] > '9')
			return false;
		*number = *number * 10 + (uint64_t)(digits[i] - '0');
	}
	return true;
}

/* An exit value or signal: -1, 0, 127. */
static bool
cursor_small(struct cursor *cursor, int *number)
{
	const char *column;
	size_t length;
	uint64_t magnitude;
	if (!cursor_column(cursor, &column, &length))
		return false;
	bool is_negative = column[0] == '-';
	if (!cursor_digits(column + is_negative, length - is_negative, 9, &magnitude))
		return false;
	*number = is_negative ? -(int)magnitude : (int)magnitude;
	return true;
}

/* As it is written: nothing in front, not even a zero. */
static bool
cursor_seq(const char *column, size_t length, uint64_t *number)
{
	return cursor_digits(column, length, JOBLOG_SEQ_DIGITS_MAX, number) &&
	       column[0] != '0' && *number <= TASK_SEQS_MAX;
}

bool
joblog_line_parse(const char *bytes, size_t length, struct joblog_line *line)
{
	struct cursor cursor = {bytes, bytes + length};
	const char *column;
	size_t column_length;
	uint64_t seq;
	if (length == 0 || !cursor_column(&cursor, &column, &column_length) ||
	    !cursor_seq(column, column_length, &seq))
		return false;
	*line = (struct joblog_line){.seq = seq - 1};
	if (!cursor_column(&cursor, &column, &column_length)) /* the host */
		return false;
	for (int i = 0; i < JOBLOG_NUMBERS; i++)
		if (!cursor_number(&cursor))
			return false;
	if (!cursor_small(&cursor, &line->exit_value) ||
	    !cursor_small(&cursor, &line->signal))
		return false;
	line->command = cursor.at;
	line->command_length = (size_t)(cursor.end - cursor.at);
	return true;
}

bool
joblog_line_begins_record(const char *bytes, size_t length)
{
	const char *tab = memchr(bytes, '\t', length);
	uint64_t seq;
	return cursor_seq(bytes, tab == NULL ? length : (size_t)(tab - bytes), &seq);
}

bool
joblog_line_is_header(const char *bytes, size_t length)
{
	return length == sizeof(JOBLOG_HEADER) - 2 && /* less the newline and the NUL */
	       joblog_line_begins_header(bytes, length);
}

bool
joblog_line_begins_header(const char *bytes, size_t length)
{
	return length < sizeof(JOBLOG_HEADER) - 1 &&
	       (length == 0 || memcmp(bytes, JOBLOG_HEADER, length) == 0);
}

uint32_t
joblog_line_hash(const char *command, size_t length)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
	for (size_t i = 0; i < length; i++) {
		char c = command[i];
		if (c == '\n')
			c = '\0';
		if (c != '\'' && c != '"' && c != '\\')
			hash = (hash ^ (unsigned char)c) * UINT64_C(0x100000001b3);
	}
	return (uint32_t)(hash ^ hash >> 32);
}

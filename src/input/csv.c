/* csv.c: see csv.h. */
#include "input/csv.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

struct csv {
	const struct spec_input *input;
	struct lines *lines;
	uint64_t line;        /* the last one read, from 1 */
	uint64_t record_line; /* where the record begins */
	size_t field_count;   /* of each record; 0: any */
	bool is_joining;      /* joined is the beginning of a record */
	struct buf joined;
	struct buf unquoted; /* fields with quotes in them */
};

struct csv *
csv_open(const struct spec_input *input, struct lines *lines, struct err *err)
{
	struct csv *csv = calloc(1, sizeof(*csv));
	if (csv == NULL) {
		err_no_memory(err);
		return NULL;
	}
	csv->input = input;
	csv->lines = lines;
	return csv;
}

void
csv_close(struct csv *csv)
{
	if (csv == NULL)
		return;
	buf_fini(&csv->joined);
	buf_fini(&csv->unquoted);
	free(csv);
}

static const char *
csv_name(const struct csv *csv)
{
	return strcmp(csv->input->path, "-") == 0 ? "standard input" : csv->input->path;
}

static int
csv_refuse(const struct csv *csv, struct err *err, const char *what)
{
	return err_set(err, ERR_USAGE, "%.200s:%" PRIu64 ": %s", csv_name(csv),
		       csv->record_line, what);
}

/* Behind the opening quote at `at`: the closing one; NULL: it is not here. */
static const char *
csv_find_close(const char *at, const char *end)
{
	while ((at = memchr(at, '"', (size_t)(end - at))) != NULL) {
		if (at + 1 == end || at[1] != '"')
			return at;
		at += 2;
	}
	return NULL;
}

/* Whether a quote is open at the line's end, when one was, or was not, at its beginning. */
static bool
csv_is_open(const struct csv *csv, const struct arg *line, bool is_open)
{
	const char *at = line->bytes;
	const char *end = at + line->length;
	if (line->length == 0 || memchr(at, '"', line->length) == NULL)
		return is_open;
	for (;;) {
		if (is_open || (at < end && *at == '"')) {
			at = csv_find_close(is_open ? at : at + 1, end);
			if (at == NULL)
				return true;
		}
		is_open = false;
		at = memchr(at, csv->input->separator, (size_t)(end - at));
		if (at == NULL)
			return false;
		at++;
	}
}

/* One more line of a record that goes over several. */
static int
csv_join(struct csv *csv, const struct arg *line, struct err *err)
{
	if (!csv->is_joining)
		buf_clear(&csv->joined);
	else if (buf_append_char(&csv->joined, '\n') == -1)
		return err_no_memory(err);
	csv->is_joining = true;
	if (buf_append(&csv->joined, line->bytes, line->length) == -1)
		return err_no_memory(err);
	if (csv->joined.length > CSV_RECORD_MAX_BYTES)
		return csv_refuse(csv, err,
				  "a record of more than 64 MiB begins here: is a "
				  "quote not closed?");
	return 0;
}

/* The first line may begin with a byte order mark. */
static void
csv_skip_mark(struct csv *csv, struct arg *line)
{
	static const char mark[] = "\xef\xbb\xbf";
	if (csv->line != 1 || line->length < 3 || memcmp(line->bytes, mark, 3) != 0)
		return;
	line->bytes += 3;
	line->length -= 3;
}

/* The CR of a line's end, if it is not in quotes. */
static void
csv_cut_return(struct arg *record)
{
	if (record->length > 0 && record->bytes[record->length - 1] == '\r')
		record->length--;
}

enum source_status
csv_next(struct csv *csv, bool waits, struct arg *record, struct err *err)
{
	for (;;) {
		struct arg line;
		enum source_status status = waits ? lines_next_wait(csv->lines, &line, err)
						  : lines_next(csv->lines, &line, err);
		if (status == SOURCE_END && csv->is_joining) {
			csv_refuse(csv, err,
				   "a quote that opens in this record has no end");
			return SOURCE_ERROR;
		}
		if (status != SOURCE_TASK)
			return status;
		csv->line++;
		csv_skip_mark(csv, &line);
		if (!csv->is_joining)
			csv->record_line = csv->line;
		*record = line;
		bool is_open = csv_is_open(csv, &line, csv->is_joining);
		if (csv->is_joining || is_open) {
			if (csv_join(csv, &line, err) == -1)
				return SOURCE_ERROR;
			*record = (struct arg){csv->joined.bytes, csv->joined.length};
		}
		if (is_open)
			continue;
		csv->is_joining = false;
		csv_cut_return(record);
		if (record->length > 0)
			return SOURCE_TASK;
	}
}

/* The text between quotes, with doubled ones single, in `unquoted`, which has room for it. */
static struct arg
csv_unquote(struct csv *csv, const char *start, const char *end)
{
	if (memchr(start, '"', (size_t)(end - start)) == NULL)
		return (struct arg){start, (size_t)(end - start)};
	char *out = csv->unquoted.bytes + csv->unquoted.length;
	struct arg field = {out, 0};
	for (const char *at = start; at < end; at++) {
		*out++ = *at;
		at += *at == '"';
	}
	field.length = (size_t)(out - field.bytes);
	csv->unquoted.length += field.length;
	return field;
}

/* The field at *at, which is moved to the separator behind it, or to the end. */
static int
csv_take_field(struct csv *csv, const char **at, const char *end, struct arg *field,
	       struct err *err)
{
	const char *start = *at;
	if (start < end && *start == '"') {
		const char *close = csv_find_close(start + 1, end);
		assert(close != NULL); /* csv_next has seen to that */
		*field = csv_unquote(csv, start + 1, close);
		*at = close + 1;
		if (*at < end && **at != csv->input->separator)
			return csv_refuse(
			    csv, err,
			    "a field goes on behind its closing quote; a quote "
			    "inside of quotes is doubled");
		return 0;
	}
	*at = memchr(start, csv->input->separator, (size_t)(end - start));
	if (*at == NULL)
		*at = end;
	*field = (struct arg){start, (size_t)(*at - start)};
	if (memchr(start, '"', field->length) != NULL)
		return csv_refuse(csv, err,
				  "a quote inside of a field that does not begin "
				  "with one: such fields are in quotes as a whole");
	return 0;
}

static int
csv_check_count(struct csv *csv, size_t count, struct err *err)
{
	if (csv->field_count == 0 && csv->input->has_header)
		csv->field_count = count;
	if (csv->field_count == 0 || csv->field_count == count)
		return 0;
	return err_set(err, ERR_USAGE,
		       "%.200s:%" PRIu64 ": %zu fields, where the header has %zu",
		       csv_name(csv), csv->record_line, count, csv->field_count);
}

int
csv_split(struct csv *csv, const struct arg *record, struct row *row, struct err *err)
{
	const char *at = record->bytes;
	const char *end = at + record->length;
	size_t count = 0;
	buf_clear(&csv->unquoted);
	if (buf_reserve(&csv->unquoted, record->length + 1) == -1)
		return err_no_memory(err);
	for (;;) {
		struct arg field = {"", 0};
		if (csv_take_field(csv, &at, end, &field, err) == -1)
			return -1;
		if (row_add(row, field.bytes, field.length) == -1)
			return err_no_memory(err);
		count++;
		if (at == end)
			return csv_check_count(csv, count, err);
		at++;
	}
}

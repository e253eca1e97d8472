/* results_rows.c: see results_rows.h. */
#include "record/results_rows.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "task/result_json.h"

#define HEADER_START(sep)                                                              \
	"Seq" sep "Host" sep "Starttime" sep "JobRuntime" sep "Send" sep "Receive" sep \
	"Exitval" sep "Signal" sep "Command" sep

const char *
results_rows_header_start(enum results_format format)
{
	return format == RESULTS_TSV ? HEADER_START("\t") : HEADER_START(",");
}

static bool
rows_is_csv(enum results_format format)
{
	return format == RESULTS_CSV || format == RESULTS_TSV;
}

static char
rows_separator(enum results_format format)
{
	return format == RESULTS_TSV ? '\t' : ',';
}

/* --- cells --- */

static bool
rows_needs_quotes(enum results_format format, const char *bytes, size_t length)
{
	static const char special[] = "\" \t\n\v\f\r";
	for (size_t i = 0; i < length; i++)
		if (memchr(special, bytes[i], sizeof(special)) != NULL || /* and NUL */
		    bytes[i] == rows_separator(format))
			return true;
	return false;
}

void
results_note_take(struct results_note *note, enum results_format format,
		  const char *bytes, size_t length)
{
	if (!rows_is_csv(format))
		json_text_check(&note->utf8, bytes, length);
	else if (!note->needs_quotes)
		note->needs_quotes = rows_needs_quotes(format, bytes, length);
}

/* What stands between the quotes. */
static int
append_doubled(struct buf *text, const char *bytes, size_t length)
{
	size_t from = 0;
	for (size_t i = 0; i < length; i++)
		if (bytes[i] == '"') {
			if (buf_append(text, bytes + from, i + 1 - from) == -1)
				return -1;
			from = i; /* once more */
		}
	return buf_append(text, bytes + from, length - from);
}

static int
append_cell(struct results_rows *rows, const char *bytes, size_t length)
{
	if (!rows_needs_quotes(rows->format, bytes, length))
		return buf_append(&rows->text, bytes, length);
	if (buf_append_char(&rows->text, '"') == -1 ||
	    append_doubled(&rows->text, bytes, length) == -1)
		return -1;
	return buf_append_char(&rows->text, '"');
}

/* "1795250361.685" for so many digits behind the point, rounded. */
static int
append_seconds(struct buf *text, int64_t ns, int digits)
{
	int64_t unit = NS_PER_S;
	for (int i = 0; i < digits; i++)
		unit /= 10;
	int64_t count = ns < 0 ? 0 : (ns + unit / 2) / unit;
	int64_t per_second = NS_PER_S / unit;
	return buf_printf(text, "%" PRId64 ".%0*" PRId64, count / per_second, digits,
			  count % per_second);
}

/* --- output --- */

enum rows_code { ROWS_AS_IS, ROWS_DOUBLED, ROWS_ESCAPED, ROWS_BASE64 };

static int
append_coded(struct buf *text, enum rows_code code, struct json_base64 *base64,
	     const char *bytes, size_t length)
{
	switch (code) {
	case ROWS_DOUBLED:
		return append_doubled(text, bytes, length);
	case ROWS_ESCAPED:
		return json_text_append_part(text, bytes, length);
	case ROWS_BASE64:
		return json_base64_append(base64, text, bytes, length);
	case ROWS_AS_IS:
		break;
	}
	return buf_append(text, bytes, length);
}

static int
rows_pass_on(struct results_rows *rows, struct err *err)
{
	int status = rows->put(rows->context, rows->text.bytes, rows->text.length, err);
	buf_clear(&rows->text);
	return status;
}

static int
put_stream(struct results_rows *rows, struct held *held, enum rows_code code,
	   struct err *err)
{
	struct json_base64 base64 = {{0}, 0};
	while (held_bytes(held) > 0) {
		const char *bytes;
		size_t length;
		if (held_peek(rows->spill, held, &bytes, &length, err) == -1)
			return -1;
		if (append_coded(&rows->text, code, &base64, bytes, length) == -1)
			return err_no_memory(err);
		held_consume(rows->spill, held, length);
		if (rows->text.length >= RESULTS_ROWS_PIECE_BYTES &&
		    rows_pass_on(rows, err) == -1)
			return -1;
	}
	return json_base64_end(&base64, &rows->text) == -1 ? err_no_memory(err) : 0;
}

/* --- csv --- */

static int
append_header_values(struct results_rows *rows)
{
	for (size_t i = 0; i < rows->value_columns; i++) {
		char number[32];
		int length = snprintf(number, sizeof(number), "V%zu", i + 1);
		struct arg name = {number, (size_t)length};
		if (i < rows->name_count)
			name = rows->names[i];
		if (append_cell(rows, name.bytes, name.length) == -1 ||
		    buf_append_char(&rows->text, rows_separator(rows->format)) == -1)
			return -1;
	}
	return 0;
}

static int
append_header(struct results_rows *rows, size_t arg_count)
{
	if (rows->value_columns == 0)
		rows->value_columns = arg_count;
	rows->has_header = true;
	if (buf_append_str(&rows->text, results_rows_header_start(rows->format)) == -1 ||
	    append_header_values(rows) == -1)
		return -1;
	return buf_printf(&rows->text, "Stdout%cStderr\n", rows_separator(rows->format));
}

/* The last column has all values from its own on. */
static int
append_last_value(struct results_rows *rows, const struct results_row *row, size_t column)
{
	struct buf rest = {0};
	int status = 0;
	for (size_t i = column; i < row->arg_count && status == 0; i++) {
		if (i > column)
			status = buf_append_char(&rest, ' ');
		if (status == 0)
			status = buf_append(&rest, row->args[i].bytes, row->args[i].length);
	}
	if (status == 0)
		status = append_cell(rows, rest.bytes, rest.length);
	buf_fini(&rest);
	return status;
}

static int
append_values(struct results_rows *rows, const struct results_row *row)
{
	for (size_t i = 0; i < rows->value_columns; i++) {
		struct arg value = {"", 0};
		if (i < row->arg_count)
			value = row->args[i];
		bool is_last = i + 1 == rows->value_columns;
		if ((is_last ? append_last_value(rows, row, i)
			     : append_cell(rows, value.bytes, value.length)) == -1 ||
		    buf_append_char(&rows->text, rows_separator(rows->format)) == -1)
			return -1;
	}
	return 0;
}

static int
append_facts(struct results_rows *rows, const struct results_row *row)
{
	const struct result *result = row->result;
	struct buf *text = &rows->text;
	char sep = rows_separator(rows->format);
	if (buf_printf(text, "%" PRIu64 "%c:%c", row->seq + 1, sep, sep) == -1 ||
	    append_seconds(text, result->started_real_ns, 3) == -1 ||
	    buf_append_char(text, sep) == -1 ||
	    append_seconds(text, result->wall_ns, 3) == -1)
		return -1;
	if (buf_printf(text, "%c0%c%" PRIu64 "%c%d%c%d%c", sep, sep, result->stdout_bytes,
		       sep, result_gnu_exit(result), sep, result->signal, sep) == -1 ||
	    append_cell(rows, row->command, row->command_length) == -1)
		return -1;
	return buf_append_char(text, sep);
}

static int
put_csv_stream(struct results_rows *rows, const struct results_row *row,
	       enum result_stream stream, char end, struct err *err)
{
	bool is_quoted = row->notes[stream].needs_quotes;
	if (is_quoted && buf_append_char(&rows->text, '"') == -1)
		return err_no_memory(err);
	if (put_stream(rows, row->streams[stream], is_quoted ? ROWS_DOUBLED : ROWS_AS_IS,
		       err) == -1)
		return -1;
	if ((is_quoted && buf_append_char(&rows->text, '"') == -1) ||
	    buf_append_char(&rows->text, end) == -1)
		return err_no_memory(err);
	return 0;
}

static int
put_csv(struct results_rows *rows, const struct results_row *row, struct err *err)
{
	if ((!rows->has_header && append_header(rows, row->arg_count) == -1) ||
	    append_facts(rows, row) == -1 || append_values(rows, row) == -1)
		return err_no_memory(err);
	if (put_csv_stream(rows, row, RESULT_STDOUT, rows_separator(rows->format), err) ==
	    -1)
		return -1;
	return put_csv_stream(rows, row, RESULT_STDERR, '\n', err);
}

/* --- JSON --- */

/* ,"name":"text" or ,"name_base64":"..." */
static int
append_member(struct buf *text, const char *name, const char *bytes, size_t length)
{
	bool is_text = json_text_is_utf8(bytes, length);
	if (buf_printf(text, ",\"%s%s\":", name, is_text ? "" : "_base64") == -1)
		return -1;
	return is_text ? json_text_append(text, bytes, length)
		       : json_base64_append_string(text, bytes, length);
}

static bool
row_has_only_text(const struct results_row *row)
{
	for (size_t i = 0; i < row->arg_count; i++)
		if (!json_text_is_utf8(row->args[i].bytes, row->args[i].length))
			return false;
	return true;
}

/* ,"args":["a","b"], or all of them as base64. */
static int
append_list(struct buf *text, const char *name, const struct results_row *row)
{
	bool is_text = row_has_only_text(row);
	if (buf_printf(text, ",\"%s%s\":[", name, is_text ? "" : "_base64") == -1)
		return -1;
	for (size_t i = 0; i < row->arg_count; i++)
		if ((i > 0 && buf_append_char(text, ',') == -1) ||
		    (is_text
			 ? json_text_append(text, row->args[i].bytes, row->args[i].length)
			 : json_base64_append_string(text, row->args[i].bytes,
						     row->args[i].length)) == -1)
			return -1;
	return buf_append_char(text, ']');
}

static int
append_number(struct buf *text, const char *name, int64_t number)
{
	return buf_printf(text, ",\"%s\":%" PRId64, name, number);
}

static int
append_time(struct buf *text, const char *name, int64_t ns, int digits)
{
	if (buf_printf(text, ",\"%s\":", name) == -1)
		return -1;
	return append_seconds(text, ns, digits);
}

static int
append_gnu_facts(struct buf *text, const struct results_row *row)
{
	const struct result *result = row->result;
	if (buf_printf(text, "{\"Seq\":%" PRIu64 ",\"Host\":\":\"", row->seq + 1) == -1 ||
	    append_time(text, "Starttime", result->started_real_ns, 3) == -1 ||
	    append_time(text, "JobRuntime", result->wall_ns, 3) == -1 ||
	    append_number(text, "Send", 0) == -1 ||
	    append_number(text, "Receive", (int64_t)result->stdout_bytes) == -1 ||
	    append_number(text, "Exitval", result_gnu_exit(result)) == -1 ||
	    append_number(text, "Signal", result->signal) == -1 ||
	    append_member(text, "Command", row->command, row->command_length) == -1)
		return -1;
	return append_list(text, "V", row);
}

static int
append_own_facts(struct results_rows *rows, const struct results_row *row)
{
	const struct result_json json = {
	    .seq = row->seq,
	    .args = row->args,
	    .arg_count = row->arg_count,
	    .command = rows->has_commands ? row->command : NULL,
	    .command_length = row->command_length,
	    .result = row->result,
	    .attempts = row->attempt,
	    .is_measured = rows->has_commands,
	};
	return buf_append_char(&rows->text, '{') == -1
		   ? -1
		   : result_json_append(&rows->text, &json);
}

static int
put_json_stream(struct results_rows *rows, const struct results_row *row,
		enum result_stream stream, const char *name, struct err *err)
{
	bool is_text = json_text_was_utf8(&row->notes[stream].utf8);
	if (buf_printf(&rows->text, ",\"%s%s\":\"", name, is_text ? "" : "_base64") == -1)
		return err_no_memory(err);
	if (put_stream(rows, row->streams[stream], is_text ? ROWS_ESCAPED : ROWS_BASE64,
		       err) == -1)
		return -1;
	return buf_append_char(&rows->text, '"') == -1 ? err_no_memory(err) : 0;
}

static int
put_json(struct results_rows *rows, const struct results_row *row, struct err *err)
{
	bool is_own = rows->format == RESULTS_JSONL;
	if ((is_own ? append_own_facts(rows, row) : append_gnu_facts(&rows->text, row)) ==
	    -1)
		return err_no_memory(err);
	if (put_json_stream(rows, row, RESULT_STDOUT, is_own ? "stdout" : "Stdout", err) ==
		-1 ||
	    put_json_stream(rows, row, RESULT_STDERR, is_own ? "stderr" : "Stderr", err) ==
		-1)
		return -1;
	return buf_append_str(&rows->text, "}\n") == -1 ? err_no_memory(err) : 0;
}

int
results_rows_format(const char *name)
{
	static const char *const ends[] = {
	    [RESULTS_CSV] = ".csv", [RESULTS_TSV] = ".tsv", [RESULTS_JSON] = ".json", [RESULTS_JSONL] = ".jsonl"};
	const char *dot = strrchr(name, '.');
	for (int i = 0; dot != NULL && i < (int)(sizeof(ends) / sizeof(*ends)); i++)
		if (strcasecmp(dot, ends[i]) == 0)
			return i;
	return -1;
}

int
results_rows_begin(struct results_rows *rows)
{
	buf_clear(&rows->text);
	return rows_is_csv(rows->format) ? append_header(rows, rows->value_columns) : 0;
}

int
results_rows_put(struct results_rows *rows, const struct results_row *row, struct err *err)
{
	buf_clear(&rows->text);
	if ((rows_is_csv(rows->format) ? put_csv(rows, row, err)
				       : put_json(rows, row, err)) == -1)
		return -1;
	return rows_pass_on(rows, err);
}

void
results_rows_fini(struct results_rows *rows)
{
	buf_fini(&rows->text);
}

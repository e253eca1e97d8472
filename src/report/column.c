/* column.c: see column.h. */
#include "report/column.h"

#include <inttypes.h>
#include <string.h>

#include "base/json_text.h"
#include "report/shown.h"

int
column_add(struct column *column, int64_t number)
{
	if (!column->is_begun)
		column->first = number;
	column->differs |= number != column->first;
	int status =
	    buf_printf(&column->text, column->is_begun ? ",%" PRId64 : "%" PRId64, number);
	column->is_begun = true;
	return status;
}

int
column_append(const struct column *column, struct buf *json)
{
	if (column->is_begun && !column->differs)
		return buf_printf(json, "%" PRId64, column->first);
	if (buf_append_char(json, '[') == -1 ||
	    buf_append(json, column->text.bytes, column->text.length) == -1)
		return -1;
	return buf_append_char(json, ']');
}

void
column_fini(struct column *column)
{
	buf_fini(&column->text);
}

size_t
text_column_room(const struct text_column *column)
{
	size_t share = column->left > 0 ? column->budget_bytes / column->left * 2 : 0;
	if (share > column->budget_bytes)
		share = column->budget_bytes;
	return share < column->most_columns ? share : column->most_columns;
}

/* ASCII only, so that characters are bytes. */
static size_t
common_prefix(const struct buf *a, const struct buf *b)
{
	size_t most = sizeof(COLUMN_LETTERS) - 2;
	size_t count = 0;
	while (count < most && count < a->length && count < b->length &&
	       a->bytes[count] == b->bytes[count] && (a->bytes[count] & 0x80) == 0)
		count++;
	return count;
}

int
text_column_add(struct text_column *column, const char *bytes, size_t length)
{
	struct shown_style style = {.max_columns = column->most_columns};
	buf_clear(&column->shown);
	if (shown_append(&column->shown, bytes, length, &style) == -1)
		return -1;
	size_t prefix = common_prefix(&column->last, &column->shown);
	/* What is shared costs nothing, so only the rest must keep to the budget. */
	style.max_columns = prefix + text_column_room(column);
	if (style.max_columns < 3)
		style.max_columns = 3;
	if (shown_columns(column->shown.bytes, column->shown.length) > style.max_columns) {
		buf_clear(&column->shown);
		if (shown_append(&column->shown, bytes, length, &style) == -1)
			return -1;
		prefix = common_prefix(&column->last, &column->shown);
	}
	size_t start = column->text.length;
	if ((start > 0 && buf_append_char(&column->text, '\n') == -1) ||
	    buf_append_char(&column->text, COLUMN_LETTERS[prefix]) == -1 ||
	    buf_append(&column->text, column->shown.bytes + prefix,
		       column->shown.length - prefix) == -1)
		return -1;
	size_t spent = column->text.length - start;
	column->budget_bytes -= spent < column->budget_bytes ? spent : column->budget_bytes;
	column->left -= column->left > 0;
	struct buf swap = column->last;
	column->last = column->shown;
	column->shown = swap;
	return 0;
}

void
text_column_fini(struct text_column *column)
{
	buf_fini(&column->text);
	buf_fini(&column->last);
	buf_fini(&column->shown);
}

int
column_append_string(struct buf *json, const char *bytes, size_t length)
{
	size_t from = 0;
	if (buf_append_char(json, '"') == -1)
		return -1;
	for (size_t i = 0; i <= length; i++) {
		if (i < length && bytes[i] != '<')
			continue;
		if (json_text_append_part(json, bytes + from, i - from) == -1 ||
		    (i < length && buf_append_str(json, "\\u003c") == -1))
			return -1;
		from = i + 1;
	}
	return buf_append_char(json, '"');
}

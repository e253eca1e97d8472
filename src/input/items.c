/* items.c: see items.h. */
#include "input/items.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "input/csv.h"
#include "input/glob.h"
#include "input/jsonl.h"
#include "input/lines.h"
#include "input/range.h"

struct items {
	const struct spec_input *input;
	struct lines *lines; /* NULL: no file */
	struct csv *csv;     /* what makes records of them, */
	struct jsonl *jsonl; /* or objects; NULL: nothing */
	struct glob_list found;
	char **values; /* of the command line, or found */
	size_t value_count;
	uint64_t number_count; /* SPEC_INPUT_RANGE */
	uint64_t number_index;
	char number[RANGE_TEXT_BYTES];
	size_t value_index;
	bool has_header;
	const char *rest; /* of a value that is split; NULL: take the next one */
	char delimiter;
	const char *end_of_input;
	bool splits_values;
	bool skips_blank;
	bool joins_lines; /* an item that ends in a blank goes on in the next one */
	bool has_ended;
	bool is_joining; /* joined is the beginning of an item */
	struct buf joined;
};

/* What is to be read, or found. */
static int
items_open_input(struct items *items, const struct spec *spec, struct err *err)
{
	const struct spec_input *input = items->input;
	switch (input->kind) {
	case SPEC_INPUT_ARGS:
		items->values = input->values;
		items->value_count = input->value_count;
		return 0;
	case SPEC_INPUT_GLOB:
		if (glob_find(input, &items->found, err) == -1)
			return -1;
		items->values = items->found.names;
		items->value_count = items->found.count;
		return 0;
	case SPEC_INPUT_RANGE:
		items->number_count = range_count(&input->range);
		return 0;
	case SPEC_INPUT_FILE:
	case SPEC_INPUT_CSV:
	case SPEC_INPUT_JSONL:
		break;
	}
	items->lines = lines_open(input->path, items->delimiter, err);
	if (items->lines == NULL)
		return -1;
	if (input->kind == SPEC_INPUT_CSV)
		items->csv = csv_open(input, items->lines, err);
	if (input->kind == SPEC_INPUT_JSONL)
		items->jsonl = jsonl_open(spec, input->path, items->lines, err);
	return input->kind == SPEC_INPUT_FILE || items->csv != NULL || items->jsonl != NULL
		   ? 0
		   : -1;
}

/* Lines of CSV and JSON are lines whatever ends others. */
static char
items_delimiter(const struct spec *spec, const struct spec_input *input)
{
	if (input->kind == SPEC_INPUT_CSV || input->kind == SPEC_INPUT_JSONL)
		return '\n';
	if (input->is_nul)
		return '\0';
	return spec->delimiter;
}

static bool
items_names_columns(const struct spec *spec, const struct spec_input *input)
{
	if (input->kind == SPEC_INPUT_CSV)
		return input->has_header;
	return spec->has_header &&
	       (input->kind == SPEC_INPUT_ARGS || input->kind == SPEC_INPUT_FILE);
}

struct items *
items_open(const struct spec *spec, const struct spec_input *input, struct err *err)
{
	struct items *items = calloc(1, sizeof(*items));
	bool is_args = input->kind == SPEC_INPUT_ARGS;
	if (items == NULL) {
		err_no_memory(err);
		return NULL;
	}
	*items = (struct items){
	    .input = input,
	    .delimiter = items_delimiter(spec, input),
	    .end_of_input = spec->end_of_input,
	    .splits_values =
		is_args && spec->dialect == SPEC_PARALLEL && spec->delimiter != '\0',
	    .skips_blank = spec->skips_empty,
	    .joins_lines = spec->group == SPEC_GROUP_LINES || spec->max_lines > 0,
	    .has_header = items_names_columns(spec, input),
	};
	if (items_open_input(items, spec, err) == 0)
		return items;
	items_close(items);
	return NULL;
}

void
items_close(struct items *items)
{
	if (items == NULL)
		return;
	csv_close(items->csv);
	jsonl_close(items->jsonl);
	lines_close(items->lines);
	glob_fini(&items->found);
	buf_fini(&items->joined);
	free(items);
}

static enum source_status
items_next_number(struct items *items, struct arg *item)
{
	if (items->number_index == items->number_count)
		return SOURCE_END;
	size_t length =
	    range_write(&items->input->range, items->number_index++, items->number);
	*item = (struct arg){items->number, length};
	return SOURCE_TASK;
}

static enum source_status
items_next_value(struct items *items, struct arg *item)
{
	if (items->rest == NULL && items->value_index == items->value_count)
		return SOURCE_END;
	if (items->rest == NULL)
		items->rest = items->values[items->value_index++];
	const char *end =
	    items->splits_values ? strchr(items->rest, items->delimiter) : NULL;
	size_t length = end != NULL ? (size_t)(end - items->rest) : strlen(items->rest);
	*item = (struct arg){items->rest, length};
	items->rest = end != NULL ? end + 1 : NULL;
	return SOURCE_TASK;
}

static enum source_status
items_next_raw(struct items *items, struct arg *item, struct err *err)
{
	if (items->has_ended)
		return SOURCE_END;
	enum source_status status;
	if (items->lines != NULL)
		status = lines_next(items->lines, item, err);
	else if (items->input->kind == SPEC_INPUT_RANGE)
		status = items_next_number(items, item);
	else
		status = items_next_value(items, item);
	if (status != SOURCE_TASK || items->end_of_input == NULL)
		return status;
	if (item->length != strlen(items->end_of_input) ||
	    memcmp(item->bytes, items->end_of_input, item->length) != 0)
		return status;
	items->has_ended = true;
	return SOURCE_END;
}

static bool
items_is_blank(const struct arg *item)
{
	for (size_t i = 0; i < item->length; i++)
		if (!columns_is_space(item->bytes[i]))
			return false;
	return true;
}

/* As items_next_raw, without what -r skips. */
static enum source_status
items_next_kept(struct items *items, struct arg *item, struct err *err)
{
	enum source_status status;
	do
		status = items_next_raw(items, item, err);
	while (status == SOURCE_TASK && items->skips_blank && items_is_blank(item));
	return status;
}

static bool
items_is_continued(const struct arg *item)
{
	if (item->length == 0)
		return false;
	char last = item->bytes[item->length - 1];
	return last == ' ' || last == '\t';
}

/* As items_next_kept, with continued lines put together. */
static enum source_status
items_next_joined(struct items *items, struct arg *item, struct err *err)
{
	for (;;) {
		enum source_status status = items_next_kept(items, item, err);
		if (status == SOURCE_END && items->is_joining)
			break;
		if (status != SOURCE_TASK ||
		    !(items->is_joining || items_is_continued(item)))
			return status;
		if (!items->is_joining)
			buf_clear(&items->joined);
		items->is_joining = true;
		if (buf_append(&items->joined, item->bytes, item->length) == -1) {
			err_no_memory(err);
			return SOURCE_ERROR;
		}
		if (!items_is_continued(
			&(struct arg){items->joined.bytes, items->joined.length}))
			break;
	}
	items->is_joining = false;
	*item = (struct arg){items->joined.bytes, items->joined.length};
	return SOURCE_TASK;
}

enum source_status
items_next(struct items *items, struct arg *item, struct err *err)
{
	if (items->csv != NULL)
		return csv_next(items->csv, false, item, err);
	if (items->jsonl != NULL)
		return jsonl_next(items->jsonl, item, err);
	return items->joins_lines ? items_next_joined(items, item, err)
				  : items_next_kept(items, item, err);
}

bool
items_has_header(const struct items *items)
{
	return items->has_header;
}

enum source_status
items_header(struct items *items, struct arg *item, struct err *err)
{
	if (items->csv != NULL)
		return csv_next(items->csv, true, item, err);
	if (items->lines != NULL)
		return lines_next_wait(items->lines, item, err);
	return items_next_value(items, item);
}

bool
items_are_plain(const struct items *items)
{
	return items->csv == NULL && items->jsonl == NULL;
}

int
items_split(struct items *items, const struct columns *columns, const struct arg *item,
	    struct row *row, struct err *err)
{
	if (items->csv != NULL)
		return csv_split(items->csv, item, row, err);
	if (items->jsonl != NULL)
		return jsonl_split(items->jsonl, item, row, err);
	return columns_split(columns, item, row) == -1 ? err_no_memory(err) : 0;
}

int
items_fd(const struct items *items)
{
	return items->lines != NULL ? lines_fd(items->lines) : -1;
}

bool
items_is_exhausted(const struct items *items)
{
	if (items->has_ended)
		return true;
	return items->lines == NULL && items->rest == NULL &&
	       items->value_index == items->value_count &&
	       items->number_index == items->number_count;
}

bool
items_share_input(const struct items *one, const struct items *other)
{
	return one->lines != NULL && other->lines != NULL &&
	       lines_share_input(one->lines, other->lines);
}

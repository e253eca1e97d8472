/* items.c: see items.h. */
#include "input/items.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "input/columns.h"
#include "input/lines.h"

struct items {
	const struct spec_input *input;
	struct lines *lines; /* NULL: values of the command line */
	size_t value_index;
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

struct items *
items_open(const struct spec *spec, const struct spec_input *input, struct err *err)
{
	struct items *items = calloc(1, sizeof(*items));
	if (items == NULL) {
		err_no_memory(err);
		return NULL;
	}
	*items = (struct items){
	    .input = input,
	    .delimiter = spec->delimiter,
	    .end_of_input = spec->end_of_input,
	    .splits_values = spec->dialect == SPEC_PARALLEL && spec->delimiter != '\0',
	    .skips_blank = spec->skips_empty,
	    .joins_lines = spec->group == SPEC_GROUP_LINES || spec->max_lines > 0,
	};
	if (input->kind == SPEC_INPUT_ARGS)
		return items;
	items->lines = lines_open(input->path, spec->delimiter, err);
	if (items->lines != NULL)
		return items;
	items_close(items);
	return NULL;
}

void
items_close(struct items *items)
{
	if (items == NULL)
		return;
	lines_close(items->lines);
	buf_fini(&items->joined);
	free(items);
}

static enum source_status
items_next_value(struct items *items, struct arg *item)
{
	if (items->rest == NULL && items->value_index == items->input->value_count)
		return SOURCE_END;
	if (items->rest == NULL)
		items->rest = items->input->values[items->value_index++];
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
	enum source_status status = items->lines != NULL
					? lines_next(items->lines, item, err)
					: items_next_value(items, item);
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
	return items->joins_lines ? items_next_joined(items, item, err)
				  : items_next_kept(items, item, err);
}

enum source_status
items_header(struct items *items, struct arg *item, struct err *err)
{
	return items->lines != NULL ? lines_next_wait(items->lines, item, err)
				    : items_next_value(items, item);
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
	       items->value_index == items->input->value_count;
}

bool
items_share_input(const struct items *one, const struct items *other)
{
	return one->lines != NULL && other->lines != NULL &&
	       lines_share_input(one->lines, other->lines);
}

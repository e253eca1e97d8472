/* combine.c: see combine.h. */
#include "input/combine.h"

#include <stdlib.h>
#include <string.h>

#include "input/shuffle.h"
#include "input/zip.h"

/* Linked sources, which count as one here. */
struct combine_part {
	struct zip zip;
	struct rows kept;
	const struct row *row; /* the current one, while it is read for the first time */
	size_t replay_index;   /* the current one, when has_ended */
	bool is_kept;
	bool has_ended;
};

struct combine {
	struct columns columns;
	struct combine_part *parts;
	size_t part_count;
	size_t moving;    /* the part that is to give its next row */
	bool has_started; /* all parts have given their first row */
	bool has_names;   /* of columns, by some source */
	bool is_shuffled;
	struct rows shuffled; /* all combinations, when is_shuffled */
	size_t *order;        /* of the shuffled ones; NULL until all are there */
	size_t order_index;
	struct row row;
	struct items *items; /* the one source, when rows are its items as they are; else NULL */
	struct arg item;     /* its last one */
	struct row item_row; /* that as a row */
};

static int
combine_add_part(struct combine *combine, bool wraps, struct err *err)
{
	struct combine_part *parts =
	    reallocarray(combine->parts, combine->part_count + 1, sizeof(*parts));
	if (parts == NULL)
		return err_no_memory(err);
	combine->parts = parts;
	parts[combine->part_count] = (struct combine_part){0};
	zip_init(&parts[combine->part_count].zip, &combine->columns, wraps);
	combine->part_count++;
	return 0;
}

/* No header: its column has no name, but its place. */
static int
combine_add_nameless(struct combine *combine, struct rows *names, struct err *err)
{
	row_clear(&combine->row);
	if (row_add(&combine->row, "", 0) == -1 || rows_add(names, &combine->row) == -1)
		return err_no_memory(err);
	return 0;
}

static int
combine_add_names(struct combine *combine, struct items *items, struct rows *names,
		  struct err *err)
{
	struct arg header;
	enum source_status status = SOURCE_END;
	if (items_has_header(items))
		status = items_header(items, &header, err);
	if (status == SOURCE_ERROR)
		return -1;
	if (status == SOURCE_END)
		return combine_add_nameless(combine, names, err);
	row_clear(&combine->row);
	if (items_split(items, &combine->columns, &header, &combine->row, err) == -1)
		return -1;
	return rows_add(names, &combine->row) == -1 ? err_no_memory(err) : 0;
}

static int
combine_refuse_shared(const struct combine *combine, const struct items *items,
		      const char *path, struct err *err)
{
	for (size_t i = 0; i < combine->part_count; i++)
		if (zip_shares_input(&combine->parts[i].zip, items))
			return err_set(
			    err, ERR_USAGE,
			    "%s is named twice as an input, but can be read only once: "
			    "save it to a file first",
			    path == NULL || strcmp(path, "-") == 0 ? "standard input"
								   : path);
	return 0;
}

static int
combine_add_input(struct combine *combine, const struct spec *spec,
		  const struct spec_input *input, struct rows *names, struct err *err)
{
	bool is_linked =
	    combine->part_count > 0 && (input->is_linked || spec->is_all_linked);
	if (!is_linked && combine_add_part(combine, spec->is_all_linked, err) == -1)
		return -1;
	struct items *items = items_open(spec, input, err);
	if (items == NULL)
		return -1;
	if (combine_refuse_shared(combine, items, input->path, err) == -1 ||
	    (combine->has_names && combine_add_names(combine, items, names, err) == -1)) {
		items_close(items);
		return -1;
	}
	return zip_add(&combine->parts[combine->part_count - 1].zip, items, err);
}

static int
combine_add_inputs(struct combine *combine, const struct spec *spec, struct rows *names,
		   struct err *err)
{
	static const struct spec_input standard_input = {.kind = SPEC_INPUT_FILE,
							 .path = "-"};
	if (spec->input_count == 0)
		return combine_add_input(combine, spec, &standard_input, names, err);
	for (size_t i = 0; i < spec->input_count; i++)
		if (combine_add_input(combine, spec, &spec->inputs[i], names, err) == -1)
			return -1;
	return 0;
}

/* Millions of lines of one file, the usual case, need nothing of what is here. */
static void
combine_set_items(struct combine *combine)
{
	if (combine->part_count > 1 || combine->is_shuffled ||
	    !columns_are_items(&combine->columns))
		return;
	struct items *items = zip_only_items(&combine->parts[0].zip);
	if (items == NULL || !items_are_plain(items))
		return;
	combine->items = items;
	combine->item_row = (struct row){.args = &combine->item, .count = 1};
}

static bool
combine_has_header(const struct spec *spec)
{
	bool has_header = spec->has_header;
	for (size_t i = 0; i < spec->input_count; i++)
		has_header |= spec->inputs[i].has_header;
	return has_header;
}

struct combine *
combine_open(const struct spec *spec, struct rows *names, struct err *err)
{
	struct combine *combine = calloc(1, sizeof(*combine));
	if (combine == NULL) {
		err_no_memory(err);
		return NULL;
	}
	combine->is_shuffled = spec->is_shuffled;
	combine->has_names = combine_has_header(spec);
	if (columns_init(&combine->columns, spec, err) == -1 ||
	    combine_add_inputs(combine, spec, names, err) == -1) {
		combine_close(combine);
		return NULL;
	}
	combine_set_items(combine);
	return combine;
}

void
combine_close(struct combine *combine)
{
	if (combine == NULL)
		return;
	for (size_t i = 0; i < combine->part_count; i++) {
		zip_fini(&combine->parts[i].zip);
		rows_fini(&combine->parts[i].kept);
	}
	free(combine->parts);
	columns_fini(&combine->columns);
	rows_fini(&combine->shuffled);
	free(combine->order);
	row_fini(&combine->row);
	free(combine);
}

/* The part's next row. SOURCE_END: it begins again from its top. */
static enum source_status
combine_move(struct combine_part *part, struct err *err)
{
	if (part->has_ended) {
		part->replay_index = (part->replay_index + 1) % part->kept.count;
		return part->replay_index == 0 ? SOURCE_END : SOURCE_TASK;
	}
	enum source_status status = zip_next(&part->zip, &part->row, err);
	if (status == SOURCE_END) {
		part->has_ended = true;
		part->replay_index = 0;
	} else if (status == SOURCE_TASK && part->is_kept &&
		   rows_add(&part->kept, part->row) == -1) {
		err_no_memory(err);
		return SOURCE_ERROR;
	}
	return status;
}

/*
 * The first row of each part. A part after the first is kept only when one before it can
 * make it start again.
 */
static enum source_status
combine_start(struct combine *combine, struct err *err)
{
	for (; combine->moving < combine->part_count; combine->moving++) {
		struct combine_part *part = &combine->parts[combine->moving];
		for (size_t i = 0; i < combine->moving && !part->is_kept; i++)
			part->is_kept = !zip_is_exhausted(&combine->parts[i].zip);
		enum source_status status = combine_move(part, err);
		if (status != SOURCE_TASK)
			return status;
	}
	combine->has_started = true;
	for (size_t i = 0; i < combine->part_count; i++)
		if (!zip_is_empty(&combine->parts[i].zip))
			return SOURCE_TASK;
	return SOURCE_END;
}

/* The last part moves on; each that begins again moves on the one before it. */
static enum source_status
combine_advance(struct combine *combine, struct err *err)
{
	for (;;) {
		enum source_status status =
		    combine_move(&combine->parts[combine->moving], err);
		if (status != SOURCE_END || combine->moving == 0)
			return status;
		combine->moving--;
	}
}

static int
combine_append_part(const struct combine_part *part, struct row *row)
{
	if (part->has_ended)
		return rows_append(&part->kept, part->replay_index, row);
	for (size_t i = 0; i < part->row->count; i++)
		if (row_add(row, part->row->args[i].bytes, part->row->args[i].length) == -1)
			return -1;
	return 0;
}

static enum source_status
combine_next_ordered(struct combine *combine, const struct row **row, struct err *err)
{
	enum source_status status = combine->has_started ? combine_advance(combine, err)
							 : combine_start(combine, err);
	if (status != SOURCE_TASK)
		return status;
	combine->moving = combine->part_count - 1;
	*row = combine->parts[0].row;
	if (combine->part_count == 1)
		return SOURCE_TASK;
	*row = &combine->row;
	row_clear(&combine->row);
	for (size_t i = 0; i < combine->part_count; i++) {
		if (combine_append_part(&combine->parts[i], &combine->row) == -1) {
			err_no_memory(err);
			return SOURCE_ERROR;
		}
	}
	return SOURCE_TASK;
}

static enum source_status
combine_next_shuffled(struct combine *combine, const struct row **row, struct err *err)
{
	while (combine->order == NULL) {
		enum source_status status = combine_next_ordered(combine, row, err);
		if (status == SOURCE_ERROR || status == SOURCE_WAIT)
			return status;
		if (status == SOURCE_END)
			combine->order = shuffle_order(combine->shuffled.count);
		if ((status == SOURCE_TASK && rows_add(&combine->shuffled, *row) == -1) ||
		    (status == SOURCE_END && combine->order == NULL)) {
			err_no_memory(err);
			return SOURCE_ERROR;
		}
	}
	if (combine->order_index == combine->shuffled.count)
		return SOURCE_END;
	row_clear(&combine->row);
	*row = &combine->row;
	if (rows_append(&combine->shuffled, combine->order[combine->order_index++],
			&combine->row) == 0)
		return SOURCE_TASK;
	err_no_memory(err);
	return SOURCE_ERROR;
}

enum source_status
combine_next(struct combine *combine, const struct row **row, struct err *err)
{
	if (combine->items != NULL) {
		*row = &combine->item_row;
		return items_next(combine->items, &combine->item, err);
	}
	return combine->is_shuffled ? combine_next_shuffled(combine, row, err)
				    : combine_next_ordered(combine, row, err);
}

int
combine_fd(const struct combine *combine)
{
	return zip_fd(&combine->parts[combine->moving].zip);
}

/* rpl.c: see rpl.h. */
#include "task/rpl.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "task/rpl_plus.h"

#define RPL_INDEX_DIGITS 8

struct rpl_row {
	const char *name; /* NULL: another row took its name */
	size_t name_length;
	const char *origin; /* the name it had at first; NULL: it is the user's */
	enum rpl_kind kind;
	struct edit edit; /* what a fixed row does; a --rpl row's edit owns its subst */
	const char *complaint; /* why it is refused; NULL: it is not */
};

struct rpl_table {
	struct rpl_row *rows;
	size_t row_count;
	const struct arg *names;
	size_t name_count;
	int name_index; /* what the first of them stands for */
	bool has_plus;
	bool takes_last_index; /* {.2} for {2.} */
	size_t out_count;      /* {out1} to {outN} */
	struct edit *edits;    /* made by rpl_match */
};

#define ROW(text, ...)                                                                     \
	{                                                                                  \
		.name = text, .name_length = sizeof(text) - 1, .origin = text, __VA_ARGS__ \
	}

static const struct rpl_row rows_basic[] = {
    ROW("{}", .edit = {.kind = EDIT_NONE}),
    ROW("{.}", .edit = {.kind = EDIT_STEM, .count = 1}),
    ROW("{/}", .edit = {.kind = EDIT_BASE}),
    ROW("{//}", .edit = {.kind = EDIT_DIRNAME}),
    ROW("{/.}", .edit = {.kind = EDIT_BASE_STEM, .count = 1}),
    ROW("{#}", .kind = RPL_SEQ),
    ROW("{%}", .kind = RPL_SLOT),
};

#define NEEDS_TOTAL \
	"needs the number of all tasks, which is not known while inputs are still read"
#define NEEDS_HOSTS "is about remote hosts, of which there are none"
#define NEEDS_PERL \
	"is not supported: it would have to skip tasks; filter the inputs instead"

static const struct rpl_row rows_plus[] = {
    ROW("{+/}", .edit = {.kind = EDIT_DIR}),
    ROW("{+.}", .edit = {.kind = EDIT_LAST_EXTENSION}),
    ROW("{+..}", .edit = {.kind = EDIT_EXTENSIONS, .count = 2}),
    ROW("{+...}", .edit = {.kind = EDIT_EXTENSIONS, .count = 3}),
    ROW("{..}", .edit = {.kind = EDIT_STEM, .count = 2}),
    ROW("{...}", .edit = {.kind = EDIT_STEM, .count = 3}),
    ROW("{/..}", .edit = {.kind = EDIT_BASE_STEM, .count = 2}),
    ROW("{/...}", .edit = {.kind = EDIT_BASE_STEM, .count = 3}),
    ROW("{slot}", .kind = RPL_SLOT),
    ROW("{##}", .complaint = NEEDS_TOTAL),
    ROW("{0#}", .complaint = NEEDS_TOTAL),
    ROW("{0%}", .complaint = "is not supported; {%} is the slot without zeros in front"),
    ROW("{choose_k}", .complaint = NEEDS_PERL),
    ROW("{uniq}", .complaint = NEEDS_PERL),
    ROW("{host}", .complaint = NEEDS_HOSTS),
    ROW("{sshlogin}", .complaint = NEEDS_HOSTS),
    ROW("{hgrp}", .complaint = NEEDS_HOSTS),
    ROW("{agrp}", .complaint = NEEDS_HOSTS),
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

void
rpl_table_free(struct rpl_table *table)
{
	if (table == NULL)
		return;
	for (size_t i = 0; i < table->row_count; i++)
		subst_list_free(table->rows[i].edit.subst);
	free(table->rows);
	edit_free_list(table->edits);
	free(table);
}

static struct rpl_row *
table_find(struct rpl_table *table, const char *name)
{
	size_t length = strlen(name);
	for (size_t i = 0; i < table->row_count; i++) {
		struct rpl_row *row = &table->rows[i];
		if (row->name != NULL && row->name_length == length &&
		    memcmp(row->name, name, length) == 0)
			return row;
	}
	return NULL;
}

static struct rpl_row *
table_find_origin(struct rpl_table *table, const char *origin)
{
	for (size_t i = 0; i < table->row_count; i++)
		if (table->rows[i].origin != NULL &&
		    strcmp(table->rows[i].origin, origin) == 0)
			return &table->rows[i];
	return NULL;
}

/* From now on `name` means this row and no other. */
static void
table_name_row(struct rpl_table *table, struct rpl_row *row, const char *name)
{
	struct rpl_row *other = table_find(table, name);
	if (other != NULL)
		other->name = NULL;
	row->name = name;
	row->name_length = strlen(name);
}

static int
table_add_user(struct rpl_table *table, const struct spec_rpl *user, struct err *err)
{
	struct rpl_row *known = table_find_origin(table, user->edit);
	struct rpl_row row = {.edit = {.kind = EDIT_SUBST}};

	if (known != NULL) {
		table_name_row(table, known, user->name);
		return 0;
	}
	if (strstr(user->edit, "$$") != NULL)
		return err_set(
		    err, ERR_USAGE,
		    "replacement string %s: groups in its name are not supported; "
		    "see --plus for {%%text} and {/text/other}",
		    user->name);
	row.edit.subst = subst_list_new(user->edit, err);
	if (row.edit.subst == NULL) {
		err_context(err, "replacement string %s", user->name);
		return -1;
	}
	table->rows[table->row_count] = row;
	table_name_row(table, &table->rows[table->row_count++], user->name);
	return 0;
}

struct rpl_table *
rpl_table_new(const struct spec *spec, const struct arg *names, size_t name_count,
	      struct err *err)
{
	struct rpl_table *table = calloc(1, sizeof(*table));
	if (table == NULL)
		goto no_memory;
	table->rows = calloc(COUNT(rows_basic) + COUNT(rows_plus) + spec->rpl_count,
			     sizeof(*table->rows));
	if (table->rows == NULL)
		goto no_memory;
	memcpy(table->rows, rows_basic, sizeof(rows_basic));
	table->row_count = COUNT(rows_basic);
	if (spec->has_plus) {
		memcpy(table->rows + table->row_count, rows_plus, sizeof(rows_plus));
		table->row_count += COUNT(rows_plus);
	}
	bool has_members = spec->member_count > 0;
	table->names = has_members ? spec->members : names;
	table->name_count = has_members     ? spec->member_count
			    : names == NULL ? 0
					    : name_count;
	table->name_index = has_members ? RPL_MEMBER : 1;
	table->has_plus = spec->has_plus;
	table->takes_last_index = spec->dialect != SPEC_PARALLEL;
	for (size_t i = 0; i < spec->rpl_count; i++)
		if (table_add_user(table, &spec->rpls[i], err) == -1)
			goto free_table;
	return table;
no_memory:
	err_no_memory(err);
free_table:
	rpl_table_free(table);
	return NULL;
}

void
rpl_table_set_outs(struct rpl_table *table, size_t count)
{
	table->out_count = count;
}

static bool
starts_with(const char *text, size_t length, const char *start, size_t start_length)
{
	return start_length <= length && memcmp(text, start, start_length) == 0;
}

/* Length of a number such as 12 or -1, 0: there is none. */
static size_t
parse_index(const char *text, size_t length, int *index)
{
	size_t at = length > 0 && text[0] == '-' ? 1 : 0;
	size_t first_digit = at;
	int value = 0;
	for (; at < length && text[at] >= '0' && text[at] <= '9'; at++) {
		if (at - first_digit == RPL_INDEX_DIGITS)
			return 0;
		value = value * 10 + (text[at] - '0');
	}
	if (at == first_digit)
		return 0;
	*index = text[0] == '-' ? -value : value;
	return at;
}

/*
 * What stands between the { and the suffix of an edit: nothing, a number, or a column's
 * name.
 */
struct selector {
	size_t length;
	int index;
};

/*
 * A name beats a number written the same way. `which` goes up from 0; false: no more of
 * them.
 */
static bool
next_selector(const struct rpl_table *table, const char *text, size_t length,
	      size_t *which, struct selector *selector)
{
	while (*which < table->name_count + 2) {
		size_t i = (*which)++;
		*selector = (struct selector){0, 0};
		if (i < table->name_count) {
			const struct arg *name = &table->names[i];
			*selector =
			    (struct selector){name->length, table->name_index + (int)i};
			if (!starts_with(text, length, name->bytes, name->length))
				continue;
		} else if (i == table->name_count) {
			selector->length = parse_index(text, length, &selector->index);
		}
		if (selector->length > 0 || i > table->name_count)
			return true;
	}
	return false;
}

/* The length of `row` at `text` with this selector behind its {, 0: it is not there. */
static size_t
row_match_selected(const struct rpl_row *row, const char *text, size_t length,
		   const struct selector *selector)
{
	if (row->name == NULL || row->name_length < 2 || row->name[0] != '{' ||
	    row->name[row->name_length - 1] != '}')
		return 0;
	size_t before = 1 + selector->length;
	if (!starts_with(text + before, length - before, row->name + 1,
			 row->name_length - 1))
		return 0;
	return selector->length + row->name_length;
}

/* {.2}: the number behind the suffix. */
static size_t
row_match_last_index(const struct rpl_row *row, const char *text, size_t length, int *index)
{
	if (row->name == NULL || row->kind != RPL_VALUE || row->complaint != NULL ||
	    row->name_length < 3 || row->name[0] != '{' ||
	    row->name[row->name_length - 1] != '}' ||
	    !starts_with(text, length, row->name, row->name_length - 1))
		return 0;
	size_t at = row->name_length - 1;
	size_t digits = parse_index(text + at, length - at, index);
	at += digits;
	return digits > 0 && at < length && text[at] == '}' ? at + 1 : 0;
}

struct match {
	size_t length;
	const struct rpl_row *row;
	int index;
};

static void
match_take(struct match *best, size_t length, const struct rpl_row *row, int index)
{
	if (length > best->length)
		*best = (struct match){length, row, index};
}

static void
match_rows(const struct rpl_table *table, const char *text, size_t length,
	   struct match *best)
{
	for (size_t i = 0; i < table->row_count; i++) {
		const struct rpl_row *row = &table->rows[i];
		if (row->name != NULL &&
		    starts_with(text, length, row->name, row->name_length))
			match_take(best, row->name_length, row, 0);
	}
	struct selector selector;
	for (size_t which = 0; text[0] == '{' && next_selector(table, text + 1, length - 1,
							       &which, &selector);)
		for (size_t i = 0; i < table->row_count; i++)
			match_take(
			    best,
			    row_match_selected(&table->rows[i], text, length, &selector),
			    &table->rows[i], selector.index);
	for (size_t i = 0; table->takes_last_index && i < table->row_count; i++) {
		int index = 0;
		size_t matched =
		    row_match_last_index(&table->rows[i], text, length, &index);
		match_take(best, matched, &table->rows[i], index);
	}
}

/* {out}, {out2}; as rpl_match. */
static ssize_t
match_out(const struct rpl_table *table, const char *text, size_t length, struct rpl *rpl,
	  struct err *err)
{
	static const char start[] = "{out";
	size_t at = sizeof(start) - 1;
	int index = 1;
	if (table->out_count == 0 || !starts_with(text, length, start, at))
		return 0;
	if (at < length && text[at] != '-')
		at += parse_index(text + at, length - at, &index);
	if (at == length || text[at] != '}')
		return 0;
	if (index < 1 || (size_t)index > table->out_count)
		return err_set(err, ERR_USAGE,
			       "%.*s: there is no such output, only %zu --output",
			       (int)at + 1, text, table->out_count);
	*rpl = (struct rpl){.kind = RPL_OUT, .index = index};
	return (ssize_t)at + 1;
}

/* {:-text} and the like; as rpl_match. */
static ssize_t
match_plus(struct rpl_table *table, const char *text, size_t length, struct rpl *rpl,
	   struct err *err)
{
	struct selector selector;
	size_t which = 0;

	while (next_selector(table, text + 1, length - 1, &which, &selector)) {
		struct edit *edit = NULL;
		size_t before = 1 + selector.length;
		ssize_t matched =
		    rpl_plus_match(text + before, length - before, &edit, err);
		if (matched == -1)
			return -1;
		if (matched == 0)
			continue;
		edit->next = table->edits;
		table->edits = edit;
		*rpl = (struct rpl){RPL_VALUE, selector.index, edit};
		return (ssize_t)before + matched;
	}
	return 0;
}

ssize_t
rpl_match(struct rpl_table *table, const char *text, size_t length, struct rpl *rpl,
	  struct err *err)
{
	struct match best = {0};

	if (length == 0)
		return 0;
	match_rows(table, text, length, &best);
	if (best.length == 0) {
		ssize_t matched = match_out(table, text, length, rpl, err);
		return matched == 0 && table->has_plus && text[0] == '{'
			   ? match_plus(table, text, length, rpl, err)
			   : matched;
	}
	if (best.row->complaint != NULL)
		return err_set(err, ERR_USAGE, "%.*s %s", (int)best.length, text,
			       best.row->complaint);
	*rpl = (struct rpl){best.row->kind, best.index, &best.row->edit};
	return (ssize_t)best.length;
}

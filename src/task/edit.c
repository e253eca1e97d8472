/* edit.c: see edit.h. */
#include "task/edit.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static struct arg
edit_base(const struct arg *value)
{
	const char *slash = memrchr(value->bytes, '/', value->length);
	if (slash == NULL)
		return *value;
	return (struct arg){slash + 1, (size_t)(value->bytes + value->length - slash) - 1};
}

static size_t
length_without_slashes(const char *bytes, size_t length)
{
	while (length > 0 && bytes[length - 1] == '/')
		length--;
	return length;
}

static struct arg
edit_dirname(const struct arg *value)
{
	size_t length = length_without_slashes(value->bytes, value->length);
	while (length > 0 && value->bytes[length - 1] != '/')
		length--;
	if (length > 0)
		length = length_without_slashes(value->bytes, length);
	else if (value->length == 0 || value->bytes[0] != '/')
		return (struct arg){".", 1};
	return length == 0 ? (struct arg){"/", 1} : (struct arg){value->bytes, length};
}

/*
 * Where the last `count` extensions start (at their dot); value->length when it has not
 * as many in its last component.
 */
static size_t
extensions_start(const struct arg *value, size_t count)
{
	for (size_t at = value->length; at > 0; at--) {
		if (value->bytes[at - 1] == '/')
			break;
		if (value->bytes[at - 1] == '.' && --count == 0)
			return at - 1;
	}
	return value->length;
}

static struct arg
edit_stem(const struct arg *value, size_t count)
{
	return (struct arg){value->bytes, extensions_start(value, count)};
}

static struct arg
edit_dir(const struct arg *value)
{
	const char *slash = memrchr(value->bytes, '/', value->length);
	return (struct arg){value->bytes,
			    slash == NULL ? 0 : (size_t)(slash - value->bytes)};
}

static struct arg
edit_from(const struct arg *value, size_t start)
{
	if (start > value->length)
		start = value->length;
	return (struct arg){value->bytes + start, value->length - start};
}

static struct arg
edit_last_extension(const struct arg *value)
{
	const char *dot = memrchr(value->bytes, '.', value->length);
	return edit_from(value,
			 dot == NULL ? value->length : (size_t)(dot - value->bytes) + 1);
}

static struct arg
edit_extensions(const struct arg *value, size_t count)
{
	size_t start = extensions_start(value, count);
	return edit_from(value, start == value->length ? start : start + 1);
}

static struct arg
edit_range(const struct edit *edit, const struct arg *value)
{
	struct arg rest = edit_from(value, edit->count);
	if (rest.length > edit->length)
		rest.length = edit->length;
	return rest;
}

static struct arg
edit_cut(const struct edit *edit, const struct arg *value)
{
	if (value->length > INT_MAX)
		return *value;
	if (edit->kind == EDIT_CUT_START) {
		size_t start = subst_list_shortest_start(edit->subst, value);
		return start == SIZE_MAX ? *value : edit_from(value, start);
	}
	size_t tail = subst_list_shortest_tail(edit->subst, value);
	return tail == SIZE_MAX ? *value : (struct arg){value->bytes, value->length - tail};
}

int
edit_apply(const struct edit *edit, const struct arg *value, struct buf scratch[2],
	   struct arg *outcome)
{
	struct arg base;

	switch (edit->kind) {
	case EDIT_NONE:
		*outcome = *value;
		return 0;
	case EDIT_BASE:
		*outcome = edit_base(value);
		return 0;
	case EDIT_DIRNAME:
		*outcome = edit_dirname(value);
		return 0;
	case EDIT_STEM:
		*outcome = edit_stem(value, edit->count);
		return 0;
	case EDIT_BASE_STEM:
		base = edit_base(value);
		*outcome = edit_stem(&base, edit->count);
		return 0;
	case EDIT_DIR:
		*outcome = edit_dir(value);
		return 0;
	case EDIT_LAST_EXTENSION:
		*outcome = edit_last_extension(value);
		return 0;
	case EDIT_EXTENSIONS:
		*outcome = edit_extensions(value, edit->count);
		return 0;
	case EDIT_DEFAULT:
		*outcome = *value;
		if (value->length == 0)
			*outcome = (struct arg){edit->text, strlen(edit->text)};
		return 0;
	case EDIT_RANGE:
		*outcome = edit_range(edit, value);
		return 0;
	case EDIT_SUBST:
		return subst_list_apply(edit->subst, value, scratch, outcome);
	case EDIT_CUT_START:
	case EDIT_CUT_TAIL:
		*outcome = edit_cut(edit, value);
		return 0;
	}
	return -1;
}

void
edit_free_list(struct edit *edit)
{
	while (edit != NULL) {
		struct edit *next = edit->next;
		free(edit->text);
		subst_list_free(edit->subst);
		free(edit);
		edit = next;
	}
}

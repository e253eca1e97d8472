/* columns.c: see columns.h. */
#include "input/columns.h"

#include <string.h>

#include "task/perl_regex.h"

/* What --header splits at when there is no --colsep. */
#define COLUMNS_HEADER_SEPARATOR "\\t"

bool
columns_is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* A separator that is one byte, plain or escaped. */
static bool
columns_is_byte(const char *colsep, char *byte)
{
	if (colsep[0] != '\0' && colsep[1] == '\0') {
		*byte = colsep[0];
		return strchr(".[](){}*+?^$|\\", colsep[0]) == NULL;
	}
	if (colsep[0] != '\\' || colsep[1] == '\0' || colsep[2] != '\0')
		return false;
	switch (colsep[1]) {
	case 't':
		*byte = '\t';
		return true;
	case 'n':
		*byte = '\n';
		return true;
	case '0':
		*byte = '\0';
		return true;
	default:
		*byte = colsep[1];
		return strchr(".[](){}*+?^$|\\,;:/-_ ", colsep[1]) != NULL;
	}
}

static int
columns_compile(struct columns *columns, const char *colsep, struct err *err)
{
	struct buf posix = {0};
	if (perl_regex_translate(colsep, strlen(colsep), &posix, err) == -1) {
		err_context(err, "--colsep '%s'", colsep);
		buf_fini(&posix);
		return -1;
	}
	int code = regcomp(&columns->regex, posix.bytes, REG_EXTENDED);
	buf_fini(&posix);
	if (code != 0) {
		char text[128];
		regerror(code, &columns->regex, text, sizeof(text));
		return err_set(err, ERR_USAGE,
			       "--colsep '%s' is no regular expression: %s", colsep, text);
	}
	columns->has_regex = true;
	return 0;
}

int
columns_init(struct columns *columns, const struct spec *spec, struct err *err)
{
	const char *colsep = spec->colsep;
	if (colsep == NULL && spec->has_header)
		colsep = COLUMNS_HEADER_SEPARATOR;
	*columns = (struct columns){.kind = COLUMNS_WHOLE, .trim = spec->trim};
	if (colsep == NULL)
		return 0;
	if (columns_is_byte(colsep, &columns->byte)) {
		columns->kind = COLUMNS_BYTE;
		return 0;
	}
	columns->kind = COLUMNS_REGEX;
	return columns_compile(columns, colsep, err);
}

void
columns_fini(struct columns *columns)
{
	if (columns->has_regex)
		regfree(&columns->regex);
	*columns = (struct columns){0};
}

bool
columns_are_items(const struct columns *columns)
{
	return columns->kind == COLUMNS_WHOLE && columns->trim == SPEC_TRIM_NONE;
}

static int
columns_add(const struct columns *columns, const char *start, const char *end,
	    struct row *row)
{
	bool trims_left =
	    columns->trim == SPEC_TRIM_LEFT || columns->trim == SPEC_TRIM_BOTH;
	bool trims_right =
	    columns->trim == SPEC_TRIM_RIGHT || columns->trim == SPEC_TRIM_BOTH;
	while (trims_left && start < end && columns_is_space(*start))
		start++;
	/* NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): start < end, so it is there. */
	while (trims_right && start < end && columns_is_space(end[-1]))
		end--;
	return row_add(row, start, (size_t)(end - start));
}

static int
columns_split_byte(const struct columns *columns, const struct arg *item, struct row *row)
{
	const char *start = item->bytes;
	const char *end = start + item->length;
	const char *found;
	while ((found = memchr(start, columns->byte, (size_t)(end - start))) != NULL) {
		if (columns_add(columns, start, found, row) == -1)
			return -1;
		start = found + 1;
	}
	return columns_add(columns, start, end, row);
}

static bool
columns_match(const struct columns *columns, const struct arg *item, size_t from,
	      regmatch_t *match)
{
	*match = (regmatch_t){(regoff_t)from, (regoff_t)item->length};
	return regexec(&columns->regex, item->bytes, 1, match, REG_STARTEND) == 0;
}

/*
 * The first separator that ends behind `start`, so that an empty match does not stand
 * still.
 */
static bool
columns_find(const struct columns *columns, const struct arg *item, size_t start,
	     regmatch_t *match)
{
	return columns_match(columns, item, start, match) &&
	       ((size_t)match->rm_eo > start ||
		columns_match(columns, item, start + 1, match));
}

static int
columns_split_regex(const struct columns *columns, const struct arg *item, struct row *row)
{
	size_t start = 0;
	regmatch_t match;
	while (start < item->length && columns_find(columns, item, start, &match)) {
		if (columns_add(columns, item->bytes + start, item->bytes + match.rm_so,
				row) == -1)
			return -1;
		start = (size_t)match.rm_eo;
	}
	return columns_add(columns, item->bytes + start, item->bytes + item->length, row);
}

int
columns_split(const struct columns *columns, const struct arg *item, struct row *row)
{
	const struct arg whole = {item->length > 0 ? item->bytes : "", item->length};
	switch (columns->kind) {
	case COLUMNS_WHOLE:
		return columns_add(columns, whole.bytes, whole.bytes + whole.length, row);
	case COLUMNS_BYTE:
		return columns_split_byte(columns, &whole, row);
	case COLUMNS_REGEX:
		return columns_split_regex(columns, &whole, row);
	}
	return -1;
}

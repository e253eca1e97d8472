/* rpl_plus.c: see rpl_plus.h. */
#include "task/rpl_plus.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum plus_form {
	PLUS_DEFAULT,
	PLUS_RANGE,
	PLUS_REGEX,   /* one regular expression, by itself */
	PLUS_REPLACE, /* regex/replacement */
};

struct plus_row {
	const char *sign;
	enum plus_form form;
	enum edit_kind kind;
	const char *regex; /* around the user's, which comes for %s; no other % in it */
	bool is_global;
	enum subst_case match_case;
};

/* A longer sign comes before the shorter one it starts with. */
static const struct plus_row plus_rows[] = {
    {":-", PLUS_DEFAULT, EDIT_DEFAULT, NULL, false, SUBST_CASE_KEEP},
    {":", PLUS_RANGE, EDIT_RANGE, NULL, false, SUBST_CASE_KEEP},
    {"##", PLUS_REGEX, EDIT_SUBST, "^%s", false, SUBST_CASE_KEEP},
    {"#", PLUS_REGEX, EDIT_CUT_START, "%s", false, SUBST_CASE_KEEP},
    {"%%", PLUS_REGEX, EDIT_SUBST, "%s$", false, SUBST_CASE_KEEP},
    {"%", PLUS_REGEX, EDIT_CUT_TAIL, "%s", false, SUBST_CASE_KEEP},
    {"//", PLUS_REPLACE, EDIT_SUBST, "%s", true, SUBST_CASE_KEEP},
    {"/#", PLUS_REPLACE, EDIT_SUBST, "^%s", true, SUBST_CASE_KEEP},
    {"/%", PLUS_REPLACE, EDIT_SUBST, "%s$", true, SUBST_CASE_KEEP},
    {"/", PLUS_REPLACE, EDIT_SUBST, "%s", false, SUBST_CASE_KEEP},
    {"^^", PLUS_REGEX, EDIT_SUBST, "(%s)", true, SUBST_CASE_UPPER},
    {"^", PLUS_REGEX, EDIT_SUBST, "^(%s)", false, SUBST_CASE_UPPER},
    {",,", PLUS_REGEX, EDIT_SUBST, "(%s)", true, SUBST_CASE_LOWER},
    {",", PLUS_REGEX, EDIT_SUBST, "^(%s)", false, SUBST_CASE_LOWER},
};

/* Digits at *at, which moves behind them; false: none, or too many. */
static bool
parse_count(const char **at, size_t *count)
{
	char *end;
	if (**at < '0' || **at > '9' || strspn(*at, "0123456789") > 9)
		return false;
	*count = strtoul(*at, &end, 10);
	*at = end;
	return true;
}

/* These return 1 when `body` is right for the form, 0 when not, -1 and err. */
static int
plus_parse_range(const char *body, struct edit *edit)
{
	edit->length = SIZE_MAX;
	if (!parse_count(&body, &edit->count))
		return 0;
	if (*body == ':') {
		body++;
		if (!parse_count(&body, &edit->length))
			return 0;
	}
	return *body == '\0' ? 1 : 0;
}

static int
plus_make_subst(const struct plus_row *row, const char *regex, const char *replacement,
		struct edit *edit, struct err *err)
{
	struct buf whole = {0};
	const char *hole = strstr(row->regex, "%s");
	if (buf_append(&whole, row->regex, (size_t)(hole - row->regex)) == -1 ||
	    buf_append_str(&whole, regex) == -1 ||
	    buf_append_str(&whole, hole + 2) == -1 || buf_str(&whole) == NULL)
		err_no_memory(err);
	else
		edit->subst = subst_list_new_one(whole.bytes, replacement, row->is_global,
						 row->match_case, err);
	buf_fini(&whole);
	return edit->subst == NULL ? -1 : 1;
}

static int
plus_parse_replace(const struct plus_row *row, char *body, struct edit *edit,
		   struct err *err)
{
	char *slash = strchr(body, '/');
	if (slash == NULL || slash == body)
		return 0;
	*slash = '\0';
	return plus_make_subst(row, body, slash + 1, edit, err);
}

static int
plus_parse(const struct plus_row *row, char *body, struct edit *edit, struct err *err)
{
	edit->kind = row->kind;
	if (body[0] == '\0')
		return 0;
	switch (row->form) {
	case PLUS_DEFAULT:
		edit->text = strdup(body);
		return edit->text == NULL ? err_no_memory(err) : 1;
	case PLUS_RANGE:
		return plus_parse_range(body, edit);
	case PLUS_REGEX:
		return plus_make_subst(row, body, "", edit, err);
	case PLUS_REPLACE:
		return plus_parse_replace(row, body, edit, err);
	}
	return 0;
}

static const struct plus_row *
plus_find_row(const char *text, size_t length)
{
	for (size_t i = 0; i < sizeof(plus_rows) / sizeof(plus_rows[0]); i++) {
		size_t sign_length = strlen(plus_rows[i].sign);
		if (sign_length < length &&
		    memcmp(text, plus_rows[i].sign, sign_length) == 0)
			return &plus_rows[i];
	}
	return NULL;
}

ssize_t
rpl_plus_match(const char *text, size_t length, struct edit **edit, struct err *err)
{
	const struct plus_row *row = plus_find_row(text, length);
	const char *close = memchr(text, '}', length);
	if (row == NULL || close == NULL || close < text + strlen(row->sign))
		return 0;

	const char *body = text + strlen(row->sign);
	char *copy = strndup(body, (size_t)(close - body));
	struct edit *made = calloc(1, sizeof(*made));
	int status = copy == NULL || made == NULL ? err_no_memory(err)
						  : plus_parse(row, copy, made, err);
	free(copy);
	if (status == -1 && made != NULL)
		err_context(err, "{%.*s}", (int)(close - text), text);
	if (status == 1)
		*edit = made;
	else
		edit_free_list(made);
	return status == 1 ? close + 1 - text : status;
}

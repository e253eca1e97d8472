/* subst.c: see subst.h. */
#include "task/subst.h"

#include <limits.h>
#include <regex.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "task/perl_regex.h"

#define SUBST_GROUPS 10 /* \0 (the whole match) to \9 */

struct subst_step {
	regex_t regex;
	bool has_regex;
	bool is_global;
	bool ignores_case;
	enum subst_case match_case;

	/*
	 * What to put in: bytes, in which each entry of `groups` says where a group
	 * goes.
	 */
	struct buf replacement;
	struct buf groups; /* of struct subst_group, in the order of their places */
};

struct subst_group {
	size_t at; /* in front of this byte of the replacement */
	unsigned int number;
};

struct subst_list {
	struct subst_step *steps;
	size_t step_count;
};

static void
step_fini(struct subst_step *step)
{
	if (step->has_regex)
		regfree(&step->regex);
	buf_fini(&step->replacement);
	buf_fini(&step->groups);
}

void
subst_list_free(struct subst_list *list)
{
	if (list == NULL)
		return;
	for (size_t i = 0; i < list->step_count; i++)
		step_fini(&list->steps[i]);
	free(list->steps);
	free(list);
}

static struct subst_step *
list_add_step(struct subst_list *list, struct err *err)
{
	struct subst_step *steps =
	    reallocarray(list->steps, list->step_count + 1, sizeof(*list->steps));
	if (steps == NULL) {
		err_no_memory(err);
		return NULL;
	}
	list->steps = steps;
	struct subst_step *step = &steps[list->step_count++];
	*step = (struct subst_step){0};
	return step;
}

static int
step_compile(struct subst_step *step, const char *regex, size_t length, struct err *err)
{
	struct buf posix = {0};
	int status = perl_regex_translate(regex, length, &posix, err);
	if (status == -1)
		goto free_posix;
	int code = regcomp(&step->regex, posix.bytes,
			   REG_EXTENDED | (step->ignores_case ? REG_ICASE : 0));
	if (code != 0) {
		char text[128];
		regerror(code, &step->regex, text, sizeof(text));
		status = err_set(err, ERR_USAGE, "bad regular expression \"%.*s\": %s",
				 (int)(length > 200 ? 200 : length), regex, text);
		goto free_posix;
	}
	step->has_regex = true;
free_posix:
	buf_fini(&posix);
	return status;
}

/*
 * The number after a $ or \, also as ${1} and $&; -1: there is none. Moves *at past it.
 */
static int
parse_group_number(const char **at, const char *end, char sign)
{
	const char *c = *at;
	if (c < end && sign == '$' && *c == '&') {
		*at = c + 1;
		return 0;
	}
	bool is_braced = sign == '$' && end - c >= 3 && c[0] == '{' && c[2] == '}';
	if (is_braced)
		c++;
	if (c >= end || *c < '1' || *c > '9')
		return -1;
	*at = c + (is_braced ? 2 : 1);
	return *c - '0';
}

static int
replacement_add_byte(struct subst_step *step, char c, struct err *err)
{
	return buf_append_char(&step->replacement, c) == -1 ? err_no_memory(err) : 0;
}

static int
replacement_add_group(struct subst_step *step, int number, struct err *err)
{
	struct subst_group group = {step->replacement.length, (unsigned int)number};
	if ((size_t)number > step->regex.re_nsub)
		return err_set(err, ERR_USAGE,
			       "there is no group %d in the regular expression", number);
	return buf_append(&step->groups, &group, sizeof(group)) == -1 ? err_no_memory(err)
								      : 0;
}

static int
replacement_add_escape(struct subst_step *step, char c, struct err *err)
{
	if (c == 't')
		return replacement_add_byte(step, '\t', err);
	if (c == 'n')
		return replacement_add_byte(step, '\n', err);
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '0')
		return err_set(err, ERR_USAGE, "\\%c is not supported in a replacement", c);
	return replacement_add_byte(step, c, err);
}

static int
step_parse_replacement(struct subst_step *step, const char *text, size_t length,
		       struct err *err)
{
	const char *end = text + length;
	for (const char *at = text; at < end;) {
		char c = *at++;
		int status;
		int number = c == '$' || c == '\\' ? parse_group_number(&at, end, c) : -1;
		if (number >= 0)
			status = replacement_add_group(step, number, err);
		else if (c == '\\' && at < end)
			status = replacement_add_escape(step, *at++, err);
		else if (c == '$' && at < end)
			status =
			    err_set(err, ERR_USAGE,
				    "Perl variables are not supported in a replacement");
		else
			status = replacement_add_byte(step, c, err);
		if (status == -1)
			return -1;
	}
	return 0;
}

/* Where text ends that was opened by `open` and is closed by `close`; NULL: nowhere. */
static const char *
find_close(const char *at, char open, char close)
{
	size_t depth = 1;
	for (; *at != '\0'; at++) {
		if (*at == '\\' && at[1] != '\0')
			at++;
		else if (*at == close && --depth == 0)
			return at;
		else if (*at == open && open != close)
			depth++;
	}
	return NULL;
}

static char
closing_delimiter(char open)
{
	switch (open) {
	case '(':
		return ')';
	case '[':
		return ']';
	case '{':
		return '}';
	case '<':
		return '>';
	default:
		return open;
	}
}

/*
 * A copy in which, as Perl has it, an escaped delimiter is a plain one, but for
 * brackets.
 */
static int
copy_piece(struct buf *piece, const char *start, const char *end, char open, char close)
{
	buf_clear(piece);
	for (const char *at = start; at < end; at++) {
		bool is_escape = *at == '\\' && at + 1 < end;
		if (is_escape && at[1] == close && open == close)
			at++;
		else if (is_escape && buf_append_char(piece, *at++) == -1)
			return -1;
		if (buf_append_char(piece, *at) == -1)
			return -1;
	}
	return buf_str(piece) == NULL ? -1 : 0;
}

static int
step_parse_flags(struct subst_step *step, const char **at, struct err *err)
{
	for (;; (*at)++) {
		char c = **at;
		if (c == 'g')
			step->is_global = true;
		else if (c == 'i')
			step->ignores_case = true;
		else if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
			return err_set(err, ERR_USAGE,
				       "the flag %c of s/// is not supported", c);
		else
			return 0;
	}
}

static const char *
skip_blanks(const char *at)
{
	return at + strspn(at, " \t\n");
}

static int
err_not_subst(struct err *err)
{
	return err_set(
	    err, ERR_USAGE,
	    "only s/regex/replacement/ with the flags g and i is supported here, "
	    "several apart by ;, and no other Perl");
}

/* One s/a/b/flags at *at, which moves behind it. */
static int
step_parse(struct subst_step *step, const char **at, struct err *err)
{
	struct buf piece = {0};
	int status = -1;
	char open = '\0';
	if ((*at)[0] == 's')
		open = (*at)[1];
	char close = closing_delimiter(open);
	if (open == '\0' || open == ' ' || (unsigned char)open >= 0x80 || open == '_' ||
	    (open >= '0' && open <= '9') || (open >= 'a' && open <= 'z') ||
	    (open >= 'A' && open <= 'Z'))
		return err_not_subst(err);
	const char *regex = *at + 2;
	const char *regex_end = find_close(regex, open, close);
	if (regex_end == NULL)
		return err_not_subst(err);
	const char *replacement = regex_end + 1;
	if (open != close) {
		replacement = skip_blanks(replacement);
		if (*replacement++ != open)
			return err_not_subst(err);
	}
	const char *replacement_end = find_close(replacement, open, close);
	if (replacement_end == NULL)
		return err_not_subst(err);
	*at = replacement_end + 1;
	if (step_parse_flags(step, at, err) == -1)
		return -1;
	if (copy_piece(&piece, regex, regex_end, open, close) == -1) {
		err_no_memory(err);
		goto free_piece;
	}
	if (step_compile(step, piece.bytes, piece.length, err) == -1)
		goto free_piece;
	status = step_parse_replacement(step, replacement,
					(size_t)(replacement_end - replacement), err);
free_piece:
	buf_fini(&piece);
	return status;
}

static int
list_parse(struct subst_list *list, const char *text, struct err *err)
{
	const char *at = text + strspn(text, " \t\n;");
	if (*at == '\0')
		return err_not_subst(err);
	while (*at != '\0') {
		struct subst_step *step = list_add_step(list, err);
		if (step == NULL || step_parse(step, &at, err) == -1)
			return -1;
		at = skip_blanks(at);
		if (*at != ';' && *at != '\0')
			return err_not_subst(err);
		at += strspn(at, " \t\n;");
	}
	return 0;
}

struct subst_list *
subst_list_new(const char *text, struct err *err)
{
	struct subst_list *list = calloc(1, sizeof(*list));
	if (list == NULL) {
		err_no_memory(err);
		return NULL;
	}
	if (list_parse(list, text, err) == -1) {
		subst_list_free(list);
		return NULL;
	}
	return list;
}

struct subst_list *
subst_list_new_one(const char *regex, const char *replacement, bool is_global,
		   enum subst_case match_case, struct err *err)
{
	struct subst_list *list = calloc(1, sizeof(*list));
	if (list == NULL) {
		err_no_memory(err);
		return NULL;
	}
	struct subst_step *step = list_add_step(list, err);
	if (step == NULL)
		goto free_list;
	step->is_global = is_global;
	step->match_case = match_case;
	if (step_compile(step, regex, strlen(regex), err) == -1)
		goto free_list;
	if (buf_append_str(&step->replacement, replacement) == -1) {
		err_no_memory(err);
		goto free_list;
	}
	return list;
free_list:
	subst_list_free(list);
	return NULL;
}

/* The first match at or after `from`; offsets count from the start of the value. */
static bool
step_match(const struct subst_step *step, const struct arg *value, size_t from,
	   regmatch_t groups[SUBST_GROUPS])
{
	groups[0].rm_so = (regoff_t)from;
	groups[0].rm_eo = (regoff_t)value->length;
	return regexec(&step->regex, value->bytes, SUBST_GROUPS, groups, REG_STARTEND) == 0;
}

static char
byte_in_case(char c, enum subst_case match_case)
{
	if (match_case == SUBST_CASE_UPPER && c >= 'a' && c <= 'z')
		return (char)(c - 'a' + 'A');
	if (match_case == SUBST_CASE_LOWER && c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	return c;
}

static int
append_in_case(const struct subst_step *step, const char *bytes, size_t length,
	       struct buf *out)
{
	if (buf_reserve(out, length) == -1)
		return -1;
	for (size_t i = 0; i < length; i++)
		out->bytes[out->length++] = byte_in_case(bytes[i], step->match_case);
	return 0;
}

static int
append_group(const struct arg *value, const regmatch_t *group, struct buf *out)
{
	if (group->rm_so < 0)
		return 0;
	return buf_append(out, value->bytes + group->rm_so,
			  (size_t)(group->rm_eo - group->rm_so));
}

static int
append_replacement(const struct subst_step *step, const struct arg *value,
		   const regmatch_t groups[SUBST_GROUPS], struct buf *out)
{
	const struct subst_group *places = (const struct subst_group *)step->groups.bytes;
	size_t place_count = step->groups.length / sizeof(*places);
	size_t done = 0;

	if (step->match_case != SUBST_CASE_KEEP)
		return append_in_case(step, value->bytes + groups[0].rm_so,
				      (size_t)(groups[0].rm_eo - groups[0].rm_so), out);
	for (size_t i = 0; i < place_count; i++) {
		if (buf_append(out, step->replacement.bytes + done, places[i].at - done) ==
			-1 ||
		    append_group(value, &groups[places[i].number], out) == -1)
			return -1;
		done = places[i].at;
	}
	if (done == step->replacement.length)
		return 0;
	return buf_append(out, step->replacement.bytes + done,
			  step->replacement.length - done);
}

/*
 * One step; `out` is empty. False in *is_changed: nothing matched, and `out` means
 * nothing.
 */
static int
step_apply(const struct subst_step *step, const struct arg *value, struct buf *out,
	   bool *is_changed)
{
	regmatch_t groups[SUBST_GROUPS];
	size_t done = 0;

	*is_changed = false;
	for (size_t from = 0;
	     from <= value->length && step_match(step, value, from, groups);) {
		size_t start = (size_t)groups[0].rm_so;
		size_t end = (size_t)groups[0].rm_eo;
		*is_changed = true;
		if (buf_append(out, value->bytes + done, start - done) == -1 ||
		    append_replacement(step, value, groups, out) == -1)
			return -1;
		done = end;
		if (!step->is_global)
			break;
		from = end > start ? end : end + 1; /* an empty match must not come again */
	}
	return buf_append(out, value->bytes + done, value->length - done);
}

int
subst_list_apply(const struct subst_list *list, const struct arg *value,
		 struct buf scratch[2], struct arg *outcome)
{
	size_t free_scratch = 0; /* the one that does not hold *outcome */

	*outcome = *value;
	if (value->length > INT_MAX) /* more than regoff_t can count */
		return -1;
	for (size_t i = 0; i < list->step_count; i++) {
		struct buf *out = &scratch[free_scratch];
		bool is_changed;
		buf_clear(out);
		if (step_apply(&list->steps[i], outcome, out, &is_changed) == -1 ||
		    buf_str(out) == NULL)
			return -1;
		if (!is_changed)
			continue;
		*outcome = (struct arg){out->bytes, out->length};
		free_scratch = 1 - free_scratch;
	}
	return 0;
}

static bool
is_whole_match(const struct subst_list *list, const struct arg *value, size_t start,
	       size_t end)
{
	struct arg piece = {value->bytes + start, end - start};
	regmatch_t groups[SUBST_GROUPS];
	return step_match(&list->steps[0], &piece, 0, groups) && groups[0].rm_so == 0 &&
	       (size_t)groups[0].rm_eo == piece.length;
}

size_t
subst_list_shortest_start(const struct subst_list *list, const struct arg *value)
{
	for (size_t length = 0; length <= value->length; length++)
		if (is_whole_match(list, value, 0, length))
			return length;
	return SIZE_MAX;
}

size_t
subst_list_shortest_tail(const struct subst_list *list, const struct arg *value)
{
	for (size_t length = 0; length <= value->length; length++)
		if (is_whole_match(list, value, value->length - length, value->length))
			return length;
	return SIZE_MAX;
}

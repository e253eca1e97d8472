/* perl_regex.c: see perl_regex.h. */
#include "task/perl_regex.h"

#include <stdbool.h>
#include <string.h>

struct translation {
	const char *at;
	const char *end;
	struct buf *posix;
	struct err *err;
};

/* What a bracket holds, sorted out so that ] comes first, ^ not first and - last. */
struct bracket {
	struct buf items;
	bool is_negated;
	bool has_close;
	bool has_caret;
	bool has_dash;
};

static bool
is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static bool
is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

static int
add(struct translation *t, const char *text)
{
	return buf_append_str(t->posix, text) == -1 ? err_no_memory(t->err) : 0;
}

static int
add_bytes(struct translation *t, const char *bytes, size_t length)
{
	return buf_append(t->posix, bytes, length) == -1 ? err_no_memory(t->err) : 0;
}

static int
refuse(struct translation *t, const char *what)
{
	return err_set(t->err, ERR_USAGE,
		       "%s is not supported in a regular expression here", what);
}

/* The byte that \c stands for, in and out of brackets; '\0': none. */
static char
escaped_byte(char c)
{
	switch (c) {
	case 't':
		return '\t';
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 'f':
		return '\f';
	case 'e':
		return '\033';
	default:
		if (is_alnum(c))
			return '\0';
		return c;
	}
}

static const char *
escaped_class(char c)
{
	switch (c) {
	case 'd':
		return "[[:digit:]]";
	case 'D':
		return "[^[:digit:]]";
	case 'w':
		return "[[:alnum:]_]";
	case 'W':
		return "[^[:alnum:]_]";
	case 's':
		return "[[:space:]]";
	case 'S':
		return "[^[:space:]]";
	case 'A':
		return "^";
	case 'z':
	case 'Z':
		return "$";
	case 'b':
		return "\\b";
	case 'B':
		return "\\B";
	default:
		return NULL;
	}
}

static int
translate_escape(struct translation *t)
{
	if (t->at + 1 == t->end)
		return refuse(t, "a \\ at the end");
	char c = t->at[1];
	const char *class = escaped_class(c);
	t->at += 2;
	if (class != NULL)
		return add(t, class);
	if (c >= '1' && c <= '9')
		return add_bytes(t, t->at - 2, 2);
	char byte = escaped_byte(c);
	if (byte == '\0')
		return refuse(t, ((char[]){'\\', c, '\0'}));
	if (is_one_of(byte, ".[]{}()*+?^$|\\") && add(t, "\\") == -1)
		return -1;
	return add_bytes(t, &byte, 1);
}

/* One member byte, which may be the start of a range. */
static int
bracket_add_byte(struct translation *t, struct bracket *bracket, char byte)
{
	bool is_range = t->end - t->at > 1 && t->at[0] == '-' && t->at[1] != ']';
	if (!is_range && byte == ']')
		bracket->has_close = true;
	else if (!is_range && byte == '^')
		bracket->has_caret = true;
	else if (!is_range && byte == '-')
		bracket->has_dash = true;
	else if (buf_append_char(&bracket->items, byte) == -1)
		return err_no_memory(t->err);
	if (!is_range)
		return 0;
	char last = t->at[1];
	t->at += 2;
	if (last == '\\' && t->at < t->end)
		last = escaped_byte(*t->at++);
	if (last == '\0' || last == '[' || is_one_of(byte, "]^-"))
		return refuse(t, "such a range in [ ]");
	if (buf_append_char(&bracket->items, '-') == -1 ||
	    buf_append_char(&bracket->items, last) == -1)
		return err_no_memory(t->err);
	return 0;
}

static int
bracket_add_class(struct translation *t, struct bracket *bracket, const char *class)
{
	return buf_append_str(&bracket->items, class) == -1 ? err_no_memory(t->err) : 0;
}

static int
bracket_add_escape(struct translation *t, struct bracket *bracket)
{
	if (t->at + 1 == t->end)
		return refuse(t, "a \\ at the end");
	char c = t->at[1];
	t->at += 2;
	if (c == 'd')
		return bracket_add_class(t, bracket, "[:digit:]");
	if (c == 'w')
		return bracket_add_class(t, bracket, "[:alnum:]_");
	if (c == 's')
		return bracket_add_class(t, bracket, "[:space:]");
	char byte = escaped_byte(c);
	if (byte == '\0')
		return refuse(t, "such an escape in [ ]");
	return bracket_add_byte(t, bracket, byte);
}

/* [:alpha:] and its like; 0 when there is none here. */
static size_t
named_class_length(const struct translation *t)
{
	if (t->end - t->at < 4 || t->at[1] != ':')
		return 0;
	const char *close = memmem(t->at + 2, (size_t)(t->end - t->at) - 2, ":]", 2);
	return close == NULL ? 0 : (size_t)(close + 2 - t->at);
}

static int
bracket_read(struct translation *t, struct bracket *bracket)
{
	const char *start;

	t->at++;
	if (t->at < t->end && *t->at == '^') {
		bracket->is_negated = true;
		t->at++;
	}
	for (start = t->at; t->at < t->end && (*t->at != ']' || t->at == start);) {
		size_t class_length = *t->at == '[' ? named_class_length(t) : 0;
		int status;
		if (class_length > 0) {
			status = buf_append(&bracket->items, t->at, class_length);
			if (status == -1)
				err_no_memory(t->err);
			t->at += class_length;
		} else if (*t->at == '\\') {
			status = bracket_add_escape(t, bracket);
		} else {
			t->at++;
			status = bracket_add_byte(t, bracket, t->at[-1]);
		}
		if (status == -1)
			return -1;
	}
	if (t->at == t->end)
		return err_set(t->err, ERR_USAGE,
			       "a [ in the regular expression is not closed");
	t->at++;
	return 0;
}

static int
bracket_write(struct translation *t, const struct bracket *bracket)
{
	bool is_caret_alone = bracket->has_caret && !bracket->is_negated &&
			      !bracket->has_close && bracket->items.length == 0;
	if (is_caret_alone)
		return add(t, bracket->has_dash ? "[-^]" : "\\^");
	if (add(t, bracket->is_negated ? "[^" : "[") == -1 ||
	    (bracket->has_close && add(t, "]") == -1) ||
	    add_bytes(t, bracket->items.bytes, bracket->items.length) == -1 ||
	    (bracket->has_caret && add(t, "^") == -1) ||
	    (bracket->has_dash && add(t, "-") == -1))
		return -1;
	return add(t, "]");
}

static int
translate_bracket(struct translation *t)
{
	struct bracket bracket = {0};
	int status = bracket_read(t, &bracket);
	if (status == 0)
		status = bracket_write(t, &bracket);
	buf_fini(&bracket.items);
	return status;
}

/* Whether a { opens {n}, {n,} or {n,m}; else it is a plain byte. */
static bool
is_interval(const struct translation *t)
{
	const char *at = t->at + 1;
	const char *digits = at;
	while (at < t->end && *at >= '0' && *at <= '9')
		at++;
	if (at == digits)
		return false;
	if (at < t->end && *at == ',')
		at++;
	while (at < t->end && *at >= '0' && *at <= '9')
		at++;
	return at < t->end && *at == '}';
}

/* Perl has none of another either; regcomp takes them, and the cube of their number in time. */
static bool
is_quantifier(const struct translation *t)
{
	return t->at < t->end && (*t->at == '*' || (*t->at == '{' && is_interval(t)));
}

static int
translate_quantifier(struct translation *t)
{
	if (*t->at == '{') {
		if (!is_interval(t)) {
			t->at++;
			return add(t, "\\{");
		}
		while (*t->at != '}')
			if (add_bytes(t, t->at++, 1) == -1)
				return -1;
	}
	if (add_bytes(t, t->at++, 1) == -1)
		return -1;
	if (t->at < t->end && *t->at == '?')
		return refuse(t, "a non-greedy quantifier such as *? or +?");
	if (t->at < t->end && *t->at == '+')
		return refuse(t, "a possessive quantifier such as *+");
	if (is_quantifier(t))
		return refuse(t, "a quantifier of a quantifier such as **");
	return 0;
}

static int
translate_dollar(struct translation *t)
{
	t->at++;
	if (t->at < t->end && (is_alnum(*t->at) || *t->at == '_' || *t->at == '{'))
		return refuse(t, "a Perl variable");
	return add(t, "$");
}

static int
translate_one(struct translation *t)
{
	switch (*t->at) {
	case '\\':
		return translate_escape(t);
	case '[':
		return translate_bracket(t);
	case '*':
	case '+':
	case '?':
	case '{':
		return translate_quantifier(t);
	case '$':
		return translate_dollar(t);
	case '}':
		t->at++;
		return add(t, "\\}");
	case '(':
		if (t->end - t->at > 1 && t->at[1] == '?')
			return refuse(t, "(?...)");
		break;
	default:
		break;
	}
	return add_bytes(t, t->at++, 1);
}

int
perl_regex_translate(const char *regex, size_t length, struct buf *posix, struct err *err)
{
	struct translation t = {regex, regex + length, posix, err};
	while (t.at < t.end)
		if (translate_one(&t) == -1)
			return -1;
	return add_bytes(&t, "", 1);
}

/* json_read.c: see json_read.h. */
#include "input/json_read.h"

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSON_FEW_KEYS 16 /* are compared each with each */

struct reader {
	struct json *json;
	const struct json_source *source;
	const char *at;
	const char *end;
	struct json_value *value; /* that is read now: for the path in errors */
	size_t depth;
	struct err *err;
};

/* At `place`, in what is read now. */
__attribute__((format(printf, 3, 4))) static int
reader_refuse(const struct reader *reader, const char *place, const char *format, ...)
{
	char text[ERR_TEXT_BYTES];
	va_list ap;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	err_set(reader->err, ERR_USAGE, "%s", text);
	json_set_place(reader->source, (size_t)(place - reader->source->bytes),
		       reader->value, reader->err);
	return -1;
}

/* --- reading --- */

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static void
skip_blanks(struct reader *reader)
{
	while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\t' ||
					    *reader->at == '\n' || *reader->at == '\r'))
		reader->at++;
}

/* Says what stands where `expected` should. */
static int
refuse_here(const struct reader *reader, const char *expected)
{
	const char *at = reader->at;
	if (at == reader->end)
		return reader_refuse(reader, at, "expected %s, but here is the end",
				     expected);
	if (*at == '#' ||
	    (*at == '/' && at + 1 < reader->end && (at[1] == '/' || at[1] == '*')))
		return reader_refuse(reader, at,
				     "JSON has no comments: take it out, or "
				     "write it into \"description\"");
	if (*at == '\'')
		return reader_refuse(reader, at,
				     "expected %s, but here is a single quote: "
				     "JSON has double ones",
				     expected);
	size_t length = 1;
	while (at + length < reader->end && length < 20 && is_letter(*at) &&
	       is_letter(at[length]))
		length++;
	if (*at > ' ' && *at <= '~')
		return reader_refuse(reader, at, "expected %s, but here is %.*s",
				     expected, (int)length, at);
	return reader_refuse(reader, at, "expected %s, but here is the byte 0x%02x",
			     expected, (unsigned char)*at);
}

/* Four hexadecimal digits; -1 if they are not. */
static int
read_hex(const char *at, const char *end)
{
	int code = 0;
	if (end - at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = at[i];
		int digit = is_digit(c)              ? c - '0'
			    : (c >= 'a' && c <= 'f') ? c - 'a' + 10
			    : (c >= 'A' && c <= 'F') ? c - 'A' + 10
						     : -1;
		if (digit == -1)
			return -1;
		code = code * 16 + digit;
	}
	return code;
}

static char *
put_utf8(char *out, uint32_t code)
{
	if (code < 0x80) {
		*out++ = (char)code;
	} else if (code < 0x800) {
		*out++ = (char)(0xc0 | code >> 6);
		*out++ = (char)(0x80 | (code & 0x3f));
	} else if (code < 0x10000) {
		*out++ = (char)(0xe0 | code >> 12);
		*out++ = (char)(0x80 | (code >> 6 & 0x3f));
		*out++ = (char)(0x80 | (code & 0x3f));
	} else {
		*out++ = (char)(0xf0 | code >> 18);
		*out++ = (char)(0x80 | (code >> 12 & 0x3f));
		*out++ = (char)(0x80 | (code >> 6 & 0x3f));
		*out++ = (char)(0x80 | (code & 0x3f));
	}
	return out;
}

/* At the u of an escape: the character behind it, also one written as a pair. */
static int
read_unicode(struct reader *reader, char **out)
{
	const char *start = reader->at - 1;
	int code = read_hex(reader->at + 1, reader->end);
	uint32_t full = (uint32_t)code;
	if (code == -1)
		return reader_refuse(reader, start,
				     "expected four hexadecimal digits behind \\u");
	if (code == 0)
		return reader_refuse(reader, start,
				     "\\u0000 is a NUL byte, which no argument, "
				     "name or line can hold");
	reader->at += 5;
	if (code >= 0xd800 && code < 0xe000) {
		int low = reader->end - reader->at >= 6 && reader->at[0] == '\\' &&
				  reader->at[1] == 'u'
			      ? read_hex(reader->at + 2, reader->end)
			      : -1;
		if (code >= 0xdc00 || low < 0xdc00 || low >= 0xe000)
			return reader_refuse(reader, start,
					     "half of a surrogate pair is no character");
		full =
		    0x10000 + ((uint32_t)(code - 0xd800) << 10) + (uint32_t)(low - 0xdc00);
		reader->at += 6;
	}
	*out = put_utf8(*out, full);
	return 0;
}

/* At a backslash. */
static int
read_escape(struct reader *reader, char **out)
{
	static const char letters[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
	const char *start = reader->at++;
	if (reader->at == reader->end)
		return refuse_here(reader, "the rest of a string");
	if (*reader->at == 'u')
		return read_unicode(reader, out);
	const char *letter = *reader->at == '\0' ? NULL : strchr(letters, *reader->at);
	if (letter == NULL)
		return reader_refuse(reader, start,
				     "unknown escape: a backslash is written \\\\");
	*(*out)++ = values[letter - letters];
	reader->at++;
	return 0;
}

/* Where the string that begins at `at` ends: at its quote, or at the source's end. */
static const char *
find_quote(const char *at, const char *end)
{
	while (at < end && *at != '"')
		at += *at == '\\' && at + 1 < end ? 2 : 1;
	return at;
}

/* At the opening quote. */
static int
read_text(struct reader *reader, const char **text, size_t *length)
{
	const char *start = reader->at++;
	const char *quote = find_quote(reader->at, reader->end);
	char *bytes = json_alloc(reader->json, (size_t)(quote - start) + 1);
	char *out = bytes;
	if (bytes == NULL)
		return err_no_memory(reader->err);
	while (reader->at < reader->end && *reader->at != '"') {
		unsigned char c = (unsigned char)*reader->at;
		if (c == '\\') {
			if (read_escape(reader, &out) == -1)
				return -1;
		} else if (c < ' ') {
			return reader_refuse(
			    reader, reader->at,
			    "a string goes over no line end, and control "
			    "characters in it are written \\n, \\t, \\u001b");
		} else {
			*out++ = *reader->at++;
		}
	}
	if (reader->at == reader->end)
		return reader_refuse(reader, start,
				     "the string that begins here has no end");
	reader->at++;
	*out = '\0';
	*text = bytes;
	*length = (size_t)(out - bytes);
	return 0;
}

static void
skip_digits(struct reader *reader)
{
	while (reader->at < reader->end && is_digit(*reader->at))
		reader->at++;
}

static bool
is_next(const struct reader *reader, char c)
{
	return reader->at < reader->end && *reader->at == c;
}

/* Moves over digits, of which there must be one. */
static int
expect_digits(struct reader *reader)
{
	if (reader->at == reader->end || !is_digit(*reader->at))
		return refuse_here(reader, "a digit");
	skip_digits(reader);
	return 0;
}

static int
read_number(struct reader *reader, struct json_value *value)
{
	const char *start = reader->at;
	if (is_next(reader, '-'))
		reader->at++;
	const char *first = reader->at;
	if (expect_digits(reader) == -1)
		return -1;
	if (*first == '0' && reader->at - first > 1)
		return reader_refuse(reader, start, "a number does not begin with 0");
	if (is_next(reader, '.')) {
		reader->at++;
		if (expect_digits(reader) == -1)
			return -1;
	}
	if (is_next(reader, 'e') || is_next(reader, 'E')) {
		reader->at++;
		if (is_next(reader, '-') || is_next(reader, '+'))
			reader->at++;
		if (expect_digits(reader) == -1)
			return -1;
	}
	size_t length = (size_t)(reader->at - start);
	char *text = json_alloc(reader->json, length + 1);
	if (text == NULL)
		return err_no_memory(reader->err);
	memcpy(text, start, length);
	text[length] = '\0';
	if (isinf(strtod(text, NULL)))
		return reader_refuse(reader, start, "a number so large cannot be had");
	value->text = text;
	value->length = length;
	return 0;
}

static bool
take_word(struct reader *reader, const char *word)
{
	size_t length = strlen(word);
	if ((size_t)(reader->end - reader->at) < length ||
	    memcmp(reader->at, word, length) != 0)
		return false;
	reader->at += length;
	return true;
}

/* --- keys that are there twice --- */

static int
compare_keys(const struct json_value *one, const struct json_value *other)
{
	size_t length =
	    one->key_length < other->key_length ? one->key_length : other->key_length;
	int order = memcmp(one->key, other->key, length);
	if (order != 0)
		return order;
	return (one->key_length > other->key_length) -
	       (one->key_length < other->key_length);
}

/* By key; equal ones as they stand in the source. */
static int
compare_members(const void *a, const void *b)
{
	const struct json_value *one = *(const struct json_value *const *)a;
	const struct json_value *other = *(const struct json_value *const *)b;
	int order = compare_keys(one, other);
	return order != 0 ? order
			  : (one->key_at > other->key_at) - (one->key_at < other->key_at);
}

/* The first key that repeats another one; among few members. */
static const struct json_value *
find_twin_of_few(const struct json_value *object)
{
	for (const struct json_value *at = object->first; at != NULL; at = at->next)
		for (const struct json_value *before = object->first; before != at;
		     before = before->next)
			if (compare_keys(at, before) == 0)
				return at;
	return NULL;
}

/* One of many: 0; -1 without memory. */
static int
find_twin_of_many(const struct json_value *object, size_t count,
		  const struct json_value **twin)
{
	const struct json_value **members = calloc(count, sizeof(*members));
	if (members == NULL)
		return -1;
	size_t i = 0;
	for (const struct json_value *at = object->first; at != NULL; at = at->next)
		members[i++] = at;
	qsort(members, count, sizeof(*members), compare_members);
	*twin = NULL;
	for (i = 1; i < count && *twin == NULL; i++)
		if (compare_keys(members[i - 1], members[i]) == 0)
			*twin = members[i];
	free(members);
	return 0;
}

static int
refuse_twins(struct reader *reader, const struct json_value *object, size_t count)
{
	const struct json_value *twin = NULL;
	if (count <= JSON_FEW_KEYS)
		twin = find_twin_of_few(object);
	else if (find_twin_of_many(object, count, &twin) == -1)
		return err_no_memory(reader->err);
	return twin == NULL ? 0
			    : json_refuse_key(twin, reader->err, "this key is here twice");
}

/* --- containers --- */

static int read_value(struct reader *reader, struct json_value *value);

static struct json_value *
new_value(struct reader *reader, struct json_value *parent)
{
	struct json_value *value = json_add_root(reader->json, reader->source);
	if (value == NULL)
		err_no_memory(reader->err);
	else
		value->parent = parent;
	return value;
}

/* The key of a member and its colon. */
static int
read_key(struct reader *reader, struct json_value *member)
{
	if (!is_next(reader, '"'))
		return refuse_here(reader, "a key in double quotes");
	member->key_at = (size_t)(reader->at - reader->source->bytes);
	if (read_text(reader, &member->key, &member->key_length) == -1)
		return -1;
	reader->value = member;
	skip_blanks(reader);
	if (!is_next(reader, ':'))
		return refuse_here(reader, "a colon");
	reader->at++;
	return 0;
}

/* Behind an element: 1: there is another one; 0: that was all; -1. */
static int
read_comma(struct reader *reader, char closing)
{
	skip_blanks(reader);
	if (is_next(reader, closing)) {
		reader->at++;
		return 0;
	}
	if (!is_next(reader, ','))
		return refuse_here(reader,
				   closing == ']' ? "a comma or ]" : "a comma or }");
	const char *comma = reader->at++;
	skip_blanks(reader);
	if (is_next(reader, closing))
		return reader_refuse(reader, comma,
				     "a comma behind the last one: take it out");
	return 1;
}

/* At the opening bracket. */
static int
read_container(struct reader *reader, struct json_value *container)
{
	bool is_object = container->kind == JSON_OBJECT;
	char closing = is_object ? '}' : ']';
	struct json_value **link = &container->first;
	size_t count = 0;
	int more = 1;
	if (++reader->depth > JSON_DEPTH_MAX)
		return reader_refuse(reader, reader->at,
				     "nested too deeply: %d levels are the most",
				     JSON_DEPTH_MAX);
	reader->at++;
	skip_blanks(reader);
	if (is_next(reader, closing)) {
		reader->at++;
		more = 0;
	}
	for (; more == 1; count++) {
		struct json_value *value = new_value(reader, container);
		if (value == NULL || (is_object && read_key(reader, value) == -1))
			return -1;
		*link = value;
		link = &value->next;
		if (read_value(reader, value) == -1)
			return -1;
		reader->value = container;
		more = read_comma(reader, closing);
	}
	reader->depth--;
	if (more == -1)
		return -1;
	return is_object ? refuse_twins(reader, container, count) : 0;
}

static int
read_value(struct reader *reader, struct json_value *value)
{
	int status = 0;
	skip_blanks(reader);
	reader->value = value;
	value->at = (size_t)(reader->at - reader->source->bytes);
	if (is_next(reader, '{') || is_next(reader, '[')) {
		value->kind = *reader->at == '{' ? JSON_OBJECT : JSON_ARRAY;
		status = read_container(reader, value);
	} else if (is_next(reader, '"')) {
		value->kind = JSON_STRING;
		status = read_text(reader, &value->text, &value->length);
	} else if (is_next(reader, '-') ||
		   (reader->at < reader->end && is_digit(*reader->at))) {
		value->kind = JSON_NUMBER;
		status = read_number(reader, value);
	} else if (take_word(reader, "true")) {
		value->kind = JSON_TRUE;
	} else if (take_word(reader, "false")) {
		value->kind = JSON_FALSE;
	} else if (!take_word(reader, "null")) {
		status = refuse_here(reader, "a value");
	}
	value->end = (size_t)(reader->at - reader->source->bytes);
	return status;
}

struct json_value *
json_read(struct json *json, const struct json_source *source, struct err *err)
{
	static const char bom[] = "\xef\xbb\xbf";
	struct reader reader = {
	    .json = json,
	    .source = source,
	    .at = source->bytes,
	    .end = source->bytes + source->length,
	    .err = err,
	};
	take_word(&reader, bom);
	struct json_value *root = new_value(&reader, NULL);
	if (root == NULL || read_value(&reader, root) == -1)
		return NULL;
	reader.value = NULL;
	skip_blanks(&reader);
	if (reader.at < reader.end) {
		refuse_here(&reader, "nothing more");
		return NULL;
	}
	return root;
}

/* json_tree.c: see json_tree.h. */
#include "input/json_tree.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSON_BLOCK_BYTES 8000
#define JSON_PATH_PART_CHARS 60 /* a longer key is cut in messages */

struct json_block {
	struct json_block *next;
	_Alignas(max_align_t) char bytes[];
};

/* --- memory --- */

void
json_fini(struct json *json)
{
	while (json->blocks != NULL) {
		struct json_block *next = json->blocks->next;
		free(json->blocks);
		json->blocks = next;
	}
	*json = (struct json){0};
}

/* Large pieces get a block of their own, so that the rest of the newest one is not lost. */
void *
json_alloc(struct json *json, size_t bytes)
{
	const size_t align = _Alignof(max_align_t);
	bytes = (bytes + align - 1) / align * align;
	if (bytes <= json->spare_bytes) {
		json->spare += bytes;
		json->spare_bytes -= bytes;
		return json->spare - bytes;
	}
	size_t block_bytes = bytes > JSON_BLOCK_BYTES / 4 ? bytes : JSON_BLOCK_BYTES;
	struct json_block *block = malloc(sizeof(*block) + block_bytes);
	if (block == NULL)
		return NULL;
	block->next = json->blocks;
	json->blocks = block;
	if (block_bytes > bytes) {
		json->spare = block->bytes + bytes;
		json->spare_bytes = block_bytes - bytes;
	}
	return block->bytes;
}

/* --- messages --- */

const char *
json_kind_name(enum json_kind kind)
{
	static const char *const names[] = {
	    [JSON_NULL] = "null",        [JSON_FALSE] = "false",
	    [JSON_TRUE] = "true",        [JSON_NUMBER] = "a number",
	    [JSON_STRING] = "a string",  [JSON_ARRAY] = "an array",
	    [JSON_OBJECT] = "an object",
	};
	return names[kind];
}

static size_t
json_index(const struct json_value *value)
{
	size_t index = 0;
	for (const struct json_value *at = value->parent->first;
	     at != NULL && at != value; at = at->next)
		index++;
	return index;
}

/* A key may hold anything, but a message is one line. */
static int
json_append_key(const struct json_value *value, struct buf *path)
{
	size_t start = path->length;
	if (buf_printf(path, "%s%.*s", start > 0 ? "." : "", JSON_PATH_PART_CHARS,
		       value->key) == -1)
		return -1;
	for (size_t i = start; i < path->length; i++)
		if ((unsigned char)path->bytes[i] < ' ')
			path->bytes[i] = '?';
	return 0;
}

int
json_path(const struct json_value *value, struct buf *path)
{
	if (value->parent == NULL)
		return 0;
	if (json_path(value->parent, path) == -1)
		return -1;
	if (value->key == NULL)
		return buf_printf(path, "[%zu]", json_index(value));
	return json_append_key(value, path);
}

static void
json_locate(const struct json_source *source, size_t at, size_t *line, size_t *column)
{
	const char *start = source->bytes;
	const char *stop = source->bytes + at;
	const char *newline;
	*line = source->first_line;
	while ((newline = memchr(start, '\n', (size_t)(stop - start))) != NULL) {
		++*line;
		start = newline + 1;
	}
	*column = (size_t)(stop - start) + 1;
}

/* "name:line:column: path: " in front of what err says. */
void
json_set_place(const struct json_source *source, size_t at,
	       const struct json_value *value, struct err *err)
{
	struct buf path = {0};
	if (value != NULL && json_path(value, &path) == 0 && path.length > 0 &&
	    buf_str(&path) != NULL)
		err_context(err, "%.200s", path.bytes);
	buf_fini(&path);
	if (source->first_line == 0) {
		err_context(err, "%.100s", source->name);
		return;
	}
	size_t line, column;
	json_locate(source, at, &line, &column);
	err_context(err, "%.200s:%zu:%zu", source->name, line, column);
}

__attribute__((format(printf, 4, 0))) static int
json_refuse_at(const struct json_value *value, size_t at, struct err *err,
	       const char *format, va_list ap)
{
	char text[ERR_TEXT_BYTES];
	vsnprintf(text, sizeof(text), format, ap);
	err_set(err, ERR_USAGE, "%s", text);
	json_set_place(value->source, at, value, err);
	return -1;
}

int
json_refuse(const struct json_value *value, struct err *err, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	json_refuse_at(value, value->at, err, format, ap);
	va_end(ap);
	return -1;
}

int
json_refuse_key(const struct json_value *value, struct err *err, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	json_refuse_at(value, value->key != NULL ? value->key_at : value->at, err, format,
		       ap);
	va_end(ap);
	return -1;
}

/* --- trees --- */

struct json_value *
json_member(const struct json_value *object, const char *key)
{
	size_t length = strlen(key);
	if (object->kind != JSON_OBJECT)
		return NULL;
	for (struct json_value *at = object->first; at != NULL; at = at->next)
		if (at->key_length == length && memcmp(at->key, key, length) == 0)
			return at;
	return NULL;
}

size_t
json_count(const struct json_value *value)
{
	size_t count = 0;
	for (const struct json_value *at = value->first; at != NULL; at = at->next)
		count++;
	return count;
}

char *
json_copy(struct json *json, const char *text, size_t length)
{
	char *copy = json_alloc(json, length + 1);
	if (copy == NULL)
		return NULL;
	if (length > 0)
		memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

struct json_source *
json_add_source(struct json *json, const char *name)
{
	struct json_source *source = json_alloc(json, sizeof(*source));
	if (source != NULL)
		*source = (struct json_source){.name = name};
	return source;
}

int
json_set_text(struct json *json, struct json_value *value, const char *text, size_t length)
{
	value->text = json_copy(json, text, length);
	value->length = length;
	return value->text == NULL ? -1 : 0;
}

struct json_value *
json_add_root(struct json *json, const struct json_source *source)
{
	struct json_value *value = json_alloc(json, sizeof(*value));
	if (value != NULL)
		*value = (struct json_value){.source = source};
	return value;
}

struct json_value *
json_add(struct json *json, struct json_value *parent, const char *key,
	 const struct json_source *source)
{
	struct json_value *value = json_add_root(json, source);
	struct json_value **link = &parent->first;
	if (value == NULL)
		return NULL;
	value->parent = parent;
	if (key != NULL) {
		value->key_length = strlen(key);
		value->key = json_copy(json, key, value->key_length);
		if (value->key == NULL)
			return NULL;
	}
	while (*link != NULL)
		link = &(*link)->next;
	*link = value;
	return value;
}

void
json_replace(struct json_value *value, const struct json_value *other)
{
	struct json_value before = *value;
	*value = *other;
	value->key = before.key; /* in the source of the other one */
	value->key_length = before.key_length;
	value->key_at = value->at;
	value->next = before.next;
	value->parent = before.parent;
	for (struct json_value *at = value->first; at != NULL; at = at->next)
		at->parent = value;
}

void
json_remove(struct json_value *value)
{
	struct json_value **link = &value->parent->first;
	while (*link != value)
		link = &(*link)->next;
	*link = value->next;
}

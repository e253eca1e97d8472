/*
 * json_tree.h: JSON as a tree whose values know where they stand, and messages about them.
 *
 * Made by json_read.h, changed by --set, read by those who fill a spec or make tasks of it.
 */
#ifndef PINION_JSON_TREE_H
#define PINION_JSON_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

enum json_kind {
	JSON_NULL,
	JSON_FALSE,
	JSON_TRUE,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

/* Where bytes came from. */
struct json_source {
	const char *name;
	const char *bytes;
	size_t length;
	size_t first_line; /* the number of its first line; 0: it has none, but is a word */
};

struct json_value {
	enum json_kind kind;
	const char *text; /* a string without escapes, or a number as it was written; ends in a NUL */
	size_t length;
	const char *key; /* of a member of an object; ends in a NUL */
	size_t key_length;
	struct json_value *first; /* of the members or elements */
	struct json_value *next;
	struct json_value *parent;
	const struct json_source *source;
	size_t at; /* its bytes in the source */
	size_t end;
	size_t key_at;
};

/* Owns trees of one or more sources. Zero-initialise; end, or empty, with json_fini. */
struct json {
	struct json_block *blocks;
	char *spare; /* in the newest block */
	size_t spare_bytes;
};

void json_fini(struct json *json);

/* NULL: there is no such member. */
struct json_value *json_member(const struct json_value *object, const char *key);
size_t json_count(const struct json_value *value);

/* "inputs.args[2]"; nothing for the root. 0, -1 without memory. */
int json_path(const struct json_value *value, struct buf *path);

/* Sets "name:line:column: path: ..." and returns -1; the key's place instead of the value's. */
int json_refuse(const struct json_value *value, struct err *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int json_refuse_key(const struct json_value *value, struct err *err, const char *format,
		    ...) __attribute__((format(printf, 3, 4)));

/* Puts "name:line:column: path: " in front of what err says; `value` may be NULL. */
void json_set_place(const struct json_source *source, size_t at,
		    const struct json_value *value, struct err *err);

/* "a string", "an object", for messages. */
const char *json_kind_name(enum json_kind kind);

/* --- for those who make or change trees; NULL and -1: without memory --- */

void *json_alloc(struct json *json, size_t bytes);
char *json_copy(struct json *json, const char *text, size_t length);

/* A source that lives as long as the trees; without lines; its name is borrowed. */
struct json_source *json_add_source(struct json *json, const char *name);

/* The text of a string or number becomes a copy of this. */
int json_set_text(struct json *json, struct json_value *value, const char *text,
		  size_t length);

/* A root; or a new member behind the others, or element (key NULL). It is null as yet. */
struct json_value *json_add_root(struct json *json, const struct json_source *source);
struct json_value *json_add(struct json *json, struct json_value *parent, const char *key,
			    const struct json_source *source);

/* Puts `other` in the place of `value`, which keeps its key; takes it out of its parent. */
void json_replace(struct json_value *value, const struct json_value *other);
void json_remove(struct json_value *value);

#endif

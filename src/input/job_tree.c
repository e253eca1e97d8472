/* job_tree.c: see job_tree.h. */
#include "input/job_tree.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json_text.h"
#include "input/json_read.h"

#define INDENT "  "
#define LINE_BYTES 80 /* a list that fits is on one line */

/* --- --set --- */

static char *
json_join(struct json *json, const char *one, const char *other)
{
	struct buf text = {0};
	char *joined = NULL;
	if (buf_append_str(&text, one) == 0 && buf_append_str(&text, other) == 0)
		joined = json_copy(json, text.bytes, text.length);
	buf_fini(&text);
	return joined;
}

/* The element that "3" means; NULL: there is none. */
static struct json_value *
element_at(const struct json_value *array, const char *text)
{
	char *end;
	unsigned long index = strtoul(text, &end, 10);
	struct json_value *at = array->first;
	if (*text < '0' || *text > '9' || *end != '\0')
		return NULL;
	while (at != NULL && index-- > 0)
		at = at->next;
	return at;
}

/* What `value` has under this part of a path, made if it can be. */
static struct json_value *
step_down(struct json *json, struct json_value *value, const char *part,
	  const struct json_source *source, struct err *err)
{
	struct json_value *next = value->kind == JSON_ARRAY ? element_at(value, part)
							    : json_member(value, part);
	if (next != NULL)
		return next;
	if (value->kind == JSON_NULL)
		value->kind = JSON_OBJECT; /* it was just made, or is made now */
	if (value->kind != JSON_OBJECT) {
		json_refuse(value, err, "%.100s: here is %s, which has no %.60s",
			    source->name, json_kind_name(value->kind), part);
		return NULL;
	}
	next = json_add(json, value, part, source);
	if (next == NULL)
		err_no_memory(err);
	return next;
}

/* What the text behind = is: JSON if it can be read as such, else a string; NULL: no memory. */
static struct json_value *
set_value(struct json *json, const struct json_source *source)
{
	struct err err = {0};
	struct json_value *value = json_read(json, source, &err);
	if (value != NULL || err.kind != ERR_USAGE)
		return value;
	value = json_add_root(json, source);
	if (value != NULL)
		value->kind = JSON_STRING;
	return value == NULL ||
		       json_set_text(json, value, source->bytes, source->length) == -1
		   ? NULL
		   : value;
}

static int
set_member(struct json *json, struct json_value *root, const char *set, struct err *err)
{
	size_t path_length = strcspn(set, "=");
	char *path = json_copy(json, set, path_length);
	char *name = json_join(json, "--set ", set);
	struct json_source *source = name == NULL ? NULL : json_add_source(json, name);
	if (path == NULL || source == NULL)
		return err_no_memory(err);
	source->bytes = set + path_length + 1;
	source->length = strlen(source->bytes);
	struct json_value *value = set_value(json, source);
	if (value == NULL)
		return err_no_memory(err);
	struct json_value *place = root;
	for (char *part = strsep(&path, "."); part != NULL && place != NULL;
	     part = strsep(&path, "."))
		place = step_down(json, place, part, source, err);
	if (place == NULL)
		return -1;
	if (value->kind == JSON_NULL)
		json_remove(place);
	else
		json_replace(place, value);
	return 0;
}

/* --- ${NAME} --- */

static bool
is_name(const char *text, size_t length)
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
	return length > 0 && (text[0] < '0' || text[0] > '9') &&
	       strspn(text, letters) >= length;
}

static const char *
find_variable(const char *name, size_t length)
{
	for (char **variable = environ; *variable != NULL; variable++)
		if (strncmp(*variable, name, length) == 0 && (*variable)[length] == '=')
			return *variable + length + 1;
	return NULL;
}

/* Behind ${: appends what it stands for; returns what follows its }, NULL and err. */
static const char *
put_variable(const struct json_value *value, const char *text, struct buf *out,
	     struct err *err)
{
	size_t length = strcspn(text, "}");
	size_t name_length = strcspn(text, ":}");
	const char *fallback = NULL;
	if (text[name_length] == ':' && text[name_length + 1] == '-')
		fallback = text + name_length + 2;
	if (text[length] == '\0' || !is_name(text, name_length) ||
	    (text[name_length] == ':' && fallback == NULL)) {
		json_refuse(
		    value, err,
		    "${%.40s is no variable of the environment: write $${ for ${, or "
		    "${NAME:-default}",
		    text);
		return NULL;
	}
	if (fallback != NULL &&
	    memmem(fallback, (size_t)(text + length - fallback), "${", 2)) {
		json_refuse(value, err, "${%.*s}: a default has no variables in it",
			    (int)length, text);
		return NULL;
	}
	const char *found = find_variable(text, name_length);
	size_t bytes = found == NULL ? 0 : strlen(found);
	if (fallback != NULL && bytes == 0) {
		found = fallback;
		bytes = (size_t)(text + length - fallback);
	}
	if (found == NULL) {
		json_refuse(value, err,
			    "${%.*s} is not set in the environment; "
			    "${%.*s:-default} would do",
			    (int)name_length, text, (int)name_length, text);
		return NULL;
	}
	if (buf_append(out, found, bytes) == -1) {
		err_no_memory(err);
		return NULL;
	}
	return text + length + 1;
}

static int
put_text(const struct json_value *value, struct buf *out, struct err *err)
{
	const char *at = value->text;
	for (const char *dollar = strstr(at, "${"); dollar != NULL;
	     dollar = strstr(at, "${")) {
		bool is_escaped = dollar > at && dollar[-1] == '$';
		size_t before = (size_t)(dollar - at) - is_escaped;
		if (buf_append(out, at, before) == -1 ||
		    (is_escaped && buf_append_str(out, "${") == -1))
			return err_no_memory(err);
		at = is_escaped ? dollar + 2 : put_variable(value, dollar + 2, out, err);
		if (at == NULL)
			return -1;
	}
	return buf_append_str(out, at) == -1 ? err_no_memory(err) : 0;
}

/* In this value and all below it. */
static int
put_variables(struct json *json, struct json_value *value, struct err *err)
{
	if (value->kind == JSON_STRING && strstr(value->text, "${") != NULL) {
		struct buf text = {0};
		int status = put_text(value, &text, err);
		if (status == 0 && json_set_text(json, value, text.bytes, text.length) == -1)
			status = err_no_memory(err);
		buf_fini(&text);
		return status;
	}
	for (struct json_value *at = value->first; at != NULL; at = at->next)
		if (put_variables(json, at, err) == -1)
			return -1;
	return 0;
}

struct json_value *
job_tree_read(struct json *json, const struct json_source *source,
	      const char *const *sets, size_t set_count, struct err *err)
{
	struct json_value *root = json_read(json, source, err);
	if (root == NULL)
		return NULL;
	if (root->kind != JSON_OBJECT) {
		json_refuse(root, err, "expected an object, found %s",
			    json_kind_name(root->kind));
		return NULL;
	}
	for (size_t i = 0; i < set_count; i++)
		if (set_member(json, root, sets[i], err) == -1)
			return NULL;
	return put_variables(json, root, err) == -1 ? NULL : root;
}

/* --- printing --- */

int
job_tree_print_text(const char *bytes, size_t length, struct buf *text)
{
	const char *end = bytes + length;
	const char *dollar;
	if (buf_append_char(text, '"') == -1)
		return -1;
	while ((dollar = memmem(bytes, (size_t)(end - bytes), "${", 2)) != NULL) {
		if (json_text_append_part(text, bytes, (size_t)(dollar - bytes)) == -1 ||
		    buf_append_str(text, "$${") == -1)
			return -1;
		bytes = dollar + 2;
	}
	if (json_text_append_part(text, bytes, (size_t)(end - bytes)) == -1)
		return -1;
	return buf_append_char(text, '"');
}

static int
print_line_end(size_t depth, struct buf *text)
{
	if (buf_append_char(text, '\n') == -1)
		return -1;
	for (size_t i = 0; i < depth; i++)
		if (buf_append_str(text, INDENT) == -1)
			return -1;
	return 0;
}

static int print_value(const struct json_value *value, size_t depth, bool is_flat,
		       struct buf *text);

/* Members and elements: all on one line, or each on its own. */
static int
print_container(const struct json_value *value, size_t depth, bool is_flat, struct buf *text)
{
	bool is_object = value->kind == JSON_OBJECT;
	if (buf_append_char(text, is_object ? '{' : '[') == -1)
		return -1;
	for (const struct json_value *at = value->first; at != NULL; at = at->next) {
		if (!is_flat && print_line_end(depth + 1, text) == -1)
			return -1;
		if (is_object && (json_text_append(text, at->key, at->key_length) == -1 ||
				  buf_append_str(text, ": ") == -1))
			return -1;
		if (print_value(at, depth + 1, is_flat, text) == -1)
			return -1;
		if (at->next != NULL && buf_append_str(text, is_flat ? ", " : ",") == -1)
			return -1;
	}
	if (!is_flat && value->first != NULL && print_line_end(depth, text) == -1)
		return -1;
	return buf_append_char(text, is_object ? '}' : ']');
}

static int
print_value(const struct json_value *value, size_t depth, bool is_flat, struct buf *text)
{
	static const char *const words[] = {
	    [JSON_NULL] = "null", [JSON_FALSE] = "false", [JSON_TRUE] = "true"};
	size_t start = text->length;
	switch (value->kind) {
	case JSON_NULL:
	case JSON_FALSE:
	case JSON_TRUE:
		return buf_append_str(text, words[value->kind]);
	case JSON_NUMBER:
		return buf_append(text, value->text, value->length);
	case JSON_STRING:
		return job_tree_print_text(value->text, value->length, text);
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	if (is_flat)
		return print_container(value, depth, true, text);
	if (depth > 0 && print_container(value, depth, true, text) == -1)
		return -1;
	if (depth > 0 && text->length - start + depth * strlen(INDENT) < LINE_BYTES)
		return 0;
	text->length = start;
	return print_container(value, depth, false, text);
}

int
job_tree_print(const struct json_value *root, struct buf *text)
{
	if (print_value(root, 0, false, text) == -1)
		return -1;
	return buf_append_char(text, '\n');
}

/* jsonl.c: see jsonl.h. */
#include "input/jsonl.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "input/columns.h"
#include "input/json_read.h"
#include "input/option_value.h"
#include "task/override.h"

struct jsonl {
	const struct spec *spec;
	struct lines *lines;
	struct json_source source; /* the line in hand */
	struct json json;          /* its tree */
	struct buf overrides;
	struct buf variable;
};

struct jsonl *
jsonl_open(const struct spec *spec, const char *path, struct lines *lines, struct err *err)
{
	struct jsonl *jsonl = calloc(1, sizeof(*jsonl));
	if (jsonl == NULL) {
		err_no_memory(err);
		return NULL;
	}
	jsonl->spec = spec;
	jsonl->lines = lines;
	jsonl->source.name = strcmp(path, "-") == 0 ? "standard input" : path;
	return jsonl;
}

void
jsonl_close(struct jsonl *jsonl)
{
	if (jsonl == NULL)
		return;
	json_fini(&jsonl->json);
	buf_fini(&jsonl->overrides);
	buf_fini(&jsonl->variable);
	free(jsonl);
}

void
jsonl_set_place(struct jsonl *jsonl, const char *name, uint64_t line_number)
{
	jsonl->source.name = name;
	jsonl->source.first_line = line_number;
}

bool
jsonl_is_blank(const struct arg *line)
{
	for (size_t i = 0; i < line->length; i++)
		if (!columns_is_space(line->bytes[i]))
			return false;
	return true;
}

enum source_status
jsonl_next(struct jsonl *jsonl, struct arg *line, struct err *err)
{
	enum source_status status;
	do {
		status = lines_next(jsonl->lines, line, err);
		if (status != SOURCE_TASK)
			return status;
		jsonl->source.first_line++;
	} while (jsonl_is_blank(line));
	if (line->bytes[line->length - 1] == '\r')
		line->length--;
	return SOURCE_TASK;
}

/* What stands for it in a command. */
static struct arg
jsonl_text(const struct json_value *value)
{
	switch (value->kind) {
	case JSON_NULL:
		return (struct arg){"", 0};
	case JSON_STRING:
	case JSON_NUMBER:
		return (struct arg){value->text, value->length};
	case JSON_FALSE:
	case JSON_TRUE:
	case JSON_ARRAY:
	case JSON_OBJECT:
		break;
	}
	return (struct arg){value->source->bytes + value->at, value->end - value->at};
}

static int
jsonl_override(struct jsonl *jsonl, enum override_kind kind,
	       const struct json_value *value, struct err *err)
{
	if (override_add(&jsonl->overrides, kind, value->text, value->length) == -1)
		return err_no_memory(err);
	return 0;
}

static int
jsonl_take_timeout(struct jsonl *jsonl, const struct json_value *value, struct err *err)
{
	int64_t timeout_ns;
	if ((value->kind != JSON_NUMBER && value->kind != JSON_STRING) ||
	    value_duration_ns(value->text, &timeout_ns) == -1)
		return json_refuse(
		    value, err, "expected a number of seconds, or a string like \"1h30m\"");
	if (override_add(&jsonl->overrides, OVERRIDE_TIMEOUT, (const char *)&timeout_ns,
			 sizeof(timeout_ns)) == -1)
		return err_no_memory(err);
	return 0;
}

static int
jsonl_take_variable(struct jsonl *jsonl, const struct json_value *value, struct err *err)
{
	struct buf *text = &jsonl->variable;
	if (value->key_length == 0 || strchr(value->key, '=') != NULL)
		return json_refuse_key(value, err, "no name of a variable");
	if (value->kind != JSON_STRING && value->kind != JSON_NUMBER)
		return json_refuse(value, err, "expected a string or a number, found %s",
				   json_kind_name(value->kind));
	buf_clear(text);
	if (buf_append(text, value->key, value->key_length) == -1 ||
	    buf_append_char(text, '=') == -1 ||
	    buf_append(text, value->text, value->length) == -1 ||
	    override_add(&jsonl->overrides, OVERRIDE_ENV, text->bytes, text->length) == -1)
		return err_no_memory(err);
	return 0;
}

static int
jsonl_take_env(struct jsonl *jsonl, const struct json_value *value, struct err *err)
{
	if (value->kind != JSON_OBJECT)
		return json_refuse(value, err, "expected an object of variables, found %s",
				   json_kind_name(value->kind));
	for (const struct json_value *at = value->first; at != NULL; at = at->next)
		if (jsonl_take_variable(jsonl, at, err) == -1)
			return -1;
	return 0;
}

static int
jsonl_take_stdin(struct jsonl *jsonl, const struct json_value *value, struct err *err)
{
	const struct json_value *text = json_member(value, "text");
	const struct json_value *file =
	    value->kind == JSON_STRING ? value : json_member(value, "file");
	const struct json_value *chosen = text != NULL ? text : file;
	if (chosen == NULL || chosen->kind != JSON_STRING || json_count(value) > 1)
		return json_refuse(value, err,
				   "expected the name of a file, or {\"text\": \"...\"}");
	return jsonl_override(
	    jsonl, text != NULL ? OVERRIDE_STDIN_TEXT : OVERRIDE_STDIN_FILE, chosen, err);
}

/* One member of the object, if it means something. */
static int
jsonl_take_member(struct jsonl *jsonl, const struct json_value *value, struct err *err)
{
	bool is_process = jsonl->spec->executor == SPEC_SPAWN;
	bool is_text = value->kind == JSON_STRING || value->kind == JSON_NUMBER;
	if (strcmp(value->key, "timeout") == 0)
		return jsonl_take_timeout(jsonl, value, err);
	if (strcmp(value->key, "id") == 0)
		return is_text ? jsonl_override(jsonl, OVERRIDE_ID, value, err)
			       : json_refuse(value, err, "expected a string or a number");
	if (!is_process)
		return 0;
	if (strcmp(value->key, "cwd") == 0)
		return value->kind == JSON_STRING
			   ? jsonl_override(jsonl, OVERRIDE_CWD, value, err)
			   : json_refuse(value, err, "expected the name of a folder");
	if (strcmp(value->key, "env") == 0)
		return jsonl_take_env(jsonl, value, err);
	if (strcmp(value->key, "stdin") == 0)
		return jsonl_take_stdin(jsonl, value, err);
	return 0;
}

static int
jsonl_add_named(const struct jsonl *jsonl, const struct json_value *object,
		struct row *row, struct err *err)
{
	for (size_t i = 0; i < jsonl->spec->member_count; i++) {
		const char *name = jsonl->spec->members[i].bytes;
		const struct json_value *value = json_member(object, name);
		if (value == NULL)
			return json_refuse(
			    object, err,
			    "there is no %.60s, which the command names as "
			    "{%.60s}; write { %.60s } if it is no name",
			    name, name, name);
		struct arg text = jsonl_text(value);
		if (row_add(row, text.bytes, text.length) == -1)
			return err_no_memory(err);
	}
	return 0;
}

static int
jsonl_add_args(const struct json_value *args, struct row *row, struct err *err)
{
	if (args->kind != JSON_ARRAY)
		return json_refuse(args, err, "expected an array, found %s",
				   json_kind_name(args->kind));
	for (const struct json_value *at = args->first; at != NULL; at = at->next) {
		struct arg text = jsonl_text(at);
		if (row_add(row, text.bytes, text.length) == -1)
			return err_no_memory(err);
	}
	return 0;
}

int
jsonl_split(struct jsonl *jsonl, const struct arg *line, struct row *row, struct err *err)
{
	json_fini(&jsonl->json);
	buf_clear(&jsonl->overrides);
	jsonl->source.bytes = line->bytes;
	jsonl->source.length = line->length;
	const struct json_value *object = json_read(&jsonl->json, &jsonl->source, err);
	if (object == NULL)
		return -1;
	if (object->kind != JSON_OBJECT)
		return json_refuse(object, err, "expected an object, found %s",
				   json_kind_name(object->kind));
	for (const struct json_value *at = object->first; at != NULL; at = at->next)
		if (jsonl_take_member(jsonl, at, err) == -1)
			return -1;
	const struct buf *overrides = &jsonl->overrides;
	if (row_add(row, overrides->length > 0 ? overrides->bytes : "",
		    overrides->length) == -1)
		return err_no_memory(err);
	if (jsonl_add_named(jsonl, object, row, err) == -1)
		return -1;
	const struct json_value *args = json_member(object, "args");
	if (args != NULL)
		return jsonl_add_args(args, row, err);
	return row_add(row, line->bytes, line->length) == -1 ? err_no_memory(err) : 0;
}

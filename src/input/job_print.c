/* job_print.c: see job_print.h. The schema is in job_schema.c. */
#include "input/job_print.h"

#include <string.h>

#include "input/job_keys.h"
#include "input/job_tree.h"

struct printer {
	struct json json;
	struct json_source source; /* of none of it */
	const struct spec *spec;
	const struct option_found *found;
	size_t count;
};

/* --- values --- */

static struct json_value *
add_kind(struct printer *printer, struct json_value *parent, const char *key,
	 enum json_kind kind)
{
	struct json_value *value = json_add(&printer->json, parent, key, &printer->source);
	if (value != NULL)
		value->kind = kind;
	return value;
}

static int
add_flag(struct printer *printer, struct json_value *parent, const char *key)
{
	return add_kind(printer, parent, key, JSON_TRUE) == NULL ? -1 : 0;
}

static int
add_bytes(struct printer *printer, struct json_value *parent, const char *key,
	  const char *bytes, size_t length, enum json_kind kind)
{
	struct json_value *value = add_kind(printer, parent, key, kind);
	return value == NULL ? -1 : json_set_text(&printer->json, value, bytes, length);
}

static int
add_text(struct printer *printer, struct json_value *parent, const char *key,
	 const char *text)
{
	return add_bytes(printer, parent, key, text, strlen(text), JSON_STRING);
}

/* 12, -3, 0.5: what JSON has as a number, too. */
static bool
is_number(const char *text, size_t length)
{
	static const char digits[] = "0123456789";
	size_t at = length > 0 && text[0] == '-' ? 1 : 0;
	size_t whole = strspn(text + at, digits);
	if (whole == 0 || (whole > 1 && text[at] == '0'))
		return false;
	at += whole;
	if (at < length && text[at] == '.') {
		size_t places = strspn(text + at + 1, digits);
		at += places > 0 ? 1 + places : 0;
	}
	return at == length;
}

static int
add_word(struct printer *printer, struct json_value *parent, const char *key,
	 const char *bytes, size_t length)
{
	return add_bytes(printer, parent, key, bytes, length,
			 is_number(bytes, length) ? JSON_NUMBER : JSON_STRING);
}

static int
add_words(struct printer *printer, struct json_value *parent, const char *key,
	  char *const *words, size_t count)
{
	struct json_value *list = add_kind(printer, parent, key, JSON_ARRAY);
	for (size_t i = 0; list != NULL && i < count; i++)
		if (add_text(printer, list, NULL, words[i]) == -1)
			return -1;
	return list == NULL ? -1 : 0;
}

/* --- what is no option --- */

/* One word is a command line, unless it was quoted. */
static int
add_command(struct printer *printer, struct json_value *root)
{
	static const char *const keys[] = {
	    [SPEC_MAP] = "command", [SPEC_FEED] = "feed", [SPEC_CALL] = "call"};
	const struct spec *spec = printer->spec;
	bool is_map = spec->dialect == SPEC_MAP;
	char **words = is_map ? spec->words : spec->program_words;
	size_t count = is_map ? spec->word_count : spec->program_word_count;
	if (count == 0)
		return 0;
	if (count == 1 && !spec->is_quoted)
		return add_text(printer, root, keys[spec->dialect], words[0]);
	return add_words(printer, root, keys[spec->dialect], words, count);
}

static int
add_input(struct printer *printer, struct json_value *parent, const char *key,
	  const struct spec_input *input)
{
	struct json_value *object = add_kind(printer, parent, key, JSON_OBJECT);
	int status = 0;
	if (object == NULL)
		return -1;
	switch (input->kind) {
	case SPEC_INPUT_ARGS:
		status =
		    add_words(printer, object, "args", input->values, input->value_count);
		break;
	case SPEC_INPUT_FILE:
		status = add_text(printer, object, "lines", input->path);
		break;
	case SPEC_INPUT_CSV:
		status = add_text(printer, object, "csv", input->path);
		break;
	case SPEC_INPUT_JSONL:
		status = add_text(printer, object, "jsonl", input->path);
		break;
	case SPEC_INPUT_GLOB: /* no command line has these */
	case SPEC_INPUT_RANGE:
		break;
	}
	return status == 0 && input->is_linked ? add_flag(printer, object, "linked")
					       : status;
}

static int
add_inputs(struct printer *printer, struct json_value *root)
{
	const struct spec *spec = printer->spec;
	if (spec->input_count == 0)
		return 0;
	if (spec->input_count == 1)
		return add_input(printer, root, "inputs", &spec->inputs[0]);
	struct json_value *list = add_kind(printer, root, "inputs", JSON_ARRAY);
	for (size_t i = 0; list != NULL && i < spec->input_count; i++)
		if (add_input(printer, list, NULL, &spec->inputs[i]) == -1)
			return -1;
	return list == NULL ? -1 : 0;
}

static int
add_env(struct printer *printer, struct json_value *root)
{
	const struct spec *spec = printer->spec;
	if (spec->env_count == 0)
		return 0;
	struct json_value *object = add_kind(printer, root, "env", JSON_OBJECT);
	for (size_t i = 0; object != NULL && i < spec->env_count; i++) {
		const char *equals = strchr(spec->env[i], '=');
		char *name = json_copy(&printer->json, spec->env[i],
				       (size_t)(equals - spec->env[i]));
		if (name == NULL || add_text(printer, object, name, equals + 1) == -1)
			return -1;
	}
	return object == NULL ? -1 : 0;
}

/* --- options --- */

/* Words apart by commas as an array. */
static int
add_list(struct printer *printer, struct json_value *root, const char *key, const char *text)
{
	struct json_value *list = add_kind(printer, root, key, JSON_ARRAY);
	while (list != NULL) {
		size_t length = strcspn(text, ",");
		if (add_word(printer, list, NULL, text, length) == -1)
			return -1;
		if (text[length] == '\0')
			return 0;
		text += length + 1;
	}
	return -1;
}

/* All occurrences of an option, at the place of its first. */
static int
add_occurrences(struct printer *printer, struct json_value *root, const char *key,
		const struct option_row *row)
{
	struct json_value *list = add_kind(printer, root, key, JSON_ARRAY);
	for (size_t i = 0; list != NULL && i < printer->count; i++)
		if (printer->found[i].option == row &&
		    add_text(printer, list, NULL, printer->found[i].value) == -1)
			return -1;
	return list == NULL ? -1 : 0;
}

/* What an option means whose value was left out: the first of the words it knows, if any. */
static const char *
default_value(struct printer *printer, const struct job_key *key)
{
	const char *words = key->row->words;
	if (key->type == JOB_COUNT)
		return "1";
	return words == NULL ? "" : json_copy(&printer->json, words, strcspn(words, " "));
}

static int
add_option(struct printer *printer, struct json_value *root, const struct job_key *key,
	   const struct option_found *found)
{
	const char *value =
	    found->value != NULL ? found->value : default_value(printer, key);
	struct json_value *before = json_member(root, key->name);
	if (value == NULL)
		return -1;
	if (before != NULL && key->type == JOB_TEXTS)
		return 0;
	if (before != NULL) /* the last one wins */
		json_remove(before);
	switch (key->type) {
	case JOB_FLAG:
		return add_flag(printer, root, key->name);
	case JOB_COUNT:
	case JOB_TIME:
	case JOB_VALUE:
		return add_word(printer, root, key->name, value, strlen(value));
	case JOB_TEXT:
		return add_text(printer, root, key->name, value);
	case JOB_LIST:
		return add_list(printer, root, key->name, value);
	case JOB_TEXTS:
		return add_occurrences(printer, root, key->name, found->option);
	}
	return 0;
}

static int
add_order(struct printer *printer, struct json_value *root)
{
	struct json_value *before = json_member(root, "order");
	if (before != NULL)
		json_remove(before);
	return add_text(printer, root, "order",
			printer->spec->is_ordered ? "input" : "finish");
}

static int
add_found(struct printer *printer, struct json_value *root, const struct option_found *found)
{
	struct job_key key;
	if (!job_key_printed(found->option, &key))
		return 0;
	if (key.kind == JOB_KEY_ORDER)
		return add_order(printer, root);
	if (key.kind == JOB_KEY_STDIN)
		return add_text(printer, root, key.name, printer->spec->stdin_path);
	if (key.kind == JOB_KEY_NAME)
		return add_text(printer, root, key.name, printer->spec->name);
	return key.kind == JOB_KEY_OPTION ? add_option(printer, root, &key, found) : 0;
}

static int
add_all(struct printer *printer, struct json_value *root)
{
	if (add_command(printer, root) == -1 || add_inputs(printer, root) == -1 ||
	    add_env(printer, root) == -1)
		return -1;
	for (size_t i = 0; i < printer->count; i++)
		if (add_found(printer, root, &printer->found[i]) == -1)
			return -1;
	return 0;
}

int
job_print(const struct spec *spec, const struct option_found *found, size_t count,
	  struct buf *text)
{
	struct printer printer = {.spec = spec, .found = found, .count = count};
	int status = -1;
	struct json_value *root = json_add_root(&printer.json, &printer.source);
	if (root != NULL) {
		root->kind = JSON_OBJECT;
		status = add_all(&printer, root);
	}
	if (status == 0)
		status = job_tree_print(root, text);
	json_fini(&printer.json);
	return status;
}

/* job_inputs.c: "inputs" of a job's file; see job_parts.h. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "input/job_parts.h"
#include "input/option_value.h"
#include "input/range.h"

#define KINDS "args, product, zip, lines, nul, glob, csv, jsonl, range"

struct input_kind {
	const char *key;
	int (*take)(struct spec *spec, const struct json_value *value, struct err *err);
	const char *others; /* keys that may stand beside it, apart by blanks */
};

static int
add_input(struct spec *spec, const struct spec_input *input, struct err *err)
{
	return spec_add_input(spec, input) == -1 ? err_no_memory(err) : 0;
}

static int
add_values(struct spec *spec, const struct json_value *value, bool is_linked,
	   struct err *err)
{
	struct spec_input input = {.kind = SPEC_INPUT_ARGS, .is_linked = is_linked};
	if (value->kind != JSON_ARRAY)
		return job_refuse_kind(value, "an array of strings", err);
	input.values = job_take_words(spec, value, &input.value_count, err);
	return input.values == NULL ? -1 : add_input(spec, &input, err);
}

static int
take_args(struct spec *spec, const struct json_value *value, struct err *err)
{
	return add_values(spec, value, false, err);
}

static int
add_lists(struct spec *spec, const struct json_value *value, bool is_linked, struct err *err)
{
	if (value->kind != JSON_ARRAY || value->first == NULL)
		return json_refuse(value, err, "expected an array of arrays");
	for (const struct json_value *at = value->first; at != NULL; at = at->next)
		if (add_values(spec, at, is_linked && at != value->first, err) == -1)
			return -1;
	return 0;
}

static int
take_product(struct spec *spec, const struct json_value *value, struct err *err)
{
	return add_lists(spec, value, false, err);
}

static int
take_zip(struct spec *spec, const struct json_value *value, struct err *err)
{
	return add_lists(spec, value, true, err);
}

static int
take_path(struct spec *spec, const struct json_value *value, struct spec_input *input,
	  struct err *err)
{
	static const char expected[] = "the name of a file, or \"-\" for stdin";
	input->path = job_take_text(spec, value, expected, err);
	if (input->path == NULL)
		return -1;
	if (input->path[0] == '\0')
		return json_refuse(value, err, "expected %s, found nothing", expected);
	return add_input(spec, input, err);
}

static int
take_lines(struct spec *spec, const struct json_value *value, struct err *err)
{
	struct spec_input input = {.kind = SPEC_INPUT_FILE};
	return take_path(spec, value, &input, err);
}

static int
take_nul(struct spec *spec, const struct json_value *value, struct err *err)
{
	struct spec_input input = {.kind = SPEC_INPUT_FILE, .is_nul = true};
	return take_path(spec, value, &input, err);
}

static int
take_jsonl(struct spec *spec, const struct json_value *value, struct err *err)
{
	struct spec_input input = {.kind = SPEC_INPUT_JSONL};
	return take_path(spec, value, &input, err);
}

static int
take_csv(struct spec *spec, const struct json_value *value, struct err *err)
{
	struct spec_input input = {.kind = SPEC_INPUT_CSV, .separator = ','};
	const struct json_value *header = json_member(value->parent, "header");
	const struct json_value *separator = json_member(value->parent, "separator");
	if (header != NULL && header->kind != JSON_TRUE && header->kind != JSON_FALSE)
		return job_refuse_kind(header, "true or false", err);
	input.has_header = header != NULL && header->kind == JSON_TRUE;
	if (separator != NULL && (separator->kind != JSON_STRING ||
				  value_byte(separator->text, &input.separator) == -1 ||
				  strchr("\"\r\n", input.separator) != NULL))
		return json_refuse(separator, err,
				   "expected one character, such as \";\" or \"\\t\"");
	return take_path(spec, value, &input, err);
}

/* 2026-01-31, 2026-01-31 22:00, 2026-01-31T22:00:00: local time. */
static bool
read_date(const char *text, int64_t *at_ns)
{
	static const char *const formats[] = {"%Y-%m-%d", "%Y-%m-%d %H:%M",
					      "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M:%S",
					      "%Y-%m-%dT%H:%M:%S"};
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		struct tm tm = {.tm_isdst = -1};
		const char *end = strptime(text, formats[i], &tm);
		if (end == NULL || *end != '\0')
			continue;
		time_t at = mktime(&tm);
		*at_ns = (int64_t)at * NS_PER_S;
		return at != (time_t)-1;
	}
	return false;
}

/* A file there is; else a date; else how long ago. */
static int
take_newer_than(const struct json_value *value, struct spec_input *input, struct err *err)
{
	struct stat st;
	int64_t ago_ns;
	const char *text = value->text;
	if (value->kind != JSON_STRING)
		return job_refuse_kind(value, "a string: a file, a date, or 24h", err);
	input->is_newer = true;
	if (stat(text, &st) == 0)
		input->newer_than_ns = st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec;
	else if (value_duration_ns(text, &ago_ns) == 0)
		input->newer_than_ns = clock_real_ns() - ago_ns;
	else if (!read_date(text, &input->newer_than_ns))
		return json_refuse(
		    value, err,
		    "'%.100s' is neither a file that is there, nor a date like "
		    "2026-01-31 22:00, nor a time like 24h",
		    text);
	return 0;
}

static int
take_glob(struct spec *spec, const struct json_value *value, struct err *err)
{
	struct spec_input input = {.kind = SPEC_INPUT_GLOB};
	const struct json_value *newer = json_member(value->parent, "newer_than");
	input.values = job_take_words(spec, value, &input.value_count, err);
	if (input.values == NULL || (newer != NULL && !spec->is_inherited &&
				     take_newer_than(newer, &input, err) == -1))
		return -1;
	for (size_t i = 0; i < input.value_count; i++)
		if (input.values[i][0] == '\0')
			return json_refuse(value, err, "expected a pattern, found nothing");
	return add_input(spec, &input, err);
}

static int
take_range(struct spec *spec, const struct json_value *value, struct err *err)
{
	static const char expected[] = "[from, to] or [from, to, step], of numbers";
	struct spec_input input = {.kind = SPEC_INPUT_RANGE};
	const char *texts[3] = {NULL, NULL, "1"};
	size_t count = json_count(value);
	const struct json_value *at = value->first;
	if (value->kind != JSON_ARRAY || count < 2 || count > 3)
		return json_refuse(value, err, "expected %s", expected);
	for (size_t i = 0; i < count; i++, at = at->next) {
		if (at->kind != JSON_NUMBER)
			return job_refuse_kind(at, "a number", err);
		texts[i] = at->text;
	}
	if (range_parse(&input.range, texts) == -1)
		return json_refuse(
		    value, err,
		    "expected numbers of up to 9 decimal places and 18 digits, "
		    "and a step that is not 0");
	return add_input(spec, &input, err);
}

static const struct input_kind kinds[] = {
    {"args", take_args, ""},
    {"product", take_product, ""},
    {"zip", take_zip, ""},
    {"lines", take_lines, ""},
    {"nul", take_nul, ""},
    {"glob", take_glob, "newer_than"},
    {"csv", take_csv, "header separator"},
    {"jsonl", take_jsonl, ""},
    {"range", take_range, ""},
};

static const struct input_kind *
find_kind(const struct json_value *member)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(member->key, kinds[i].key) == 0)
			return &kinds[i];
	return NULL;
}

static bool
is_beside(const struct input_kind *kind, const char *key)
{
	size_t length = strlen(key);
	for (const char *at = kind->others; *at != '\0';) {
		size_t word_length = strcspn(at, " ");
		if (word_length == length && memcmp(at, key, length) == 0)
			return true;
		at += word_length;
		at += strspn(at, " ");
	}
	return strcmp(key, "linked") == 0;
}

/* An object: one kind, and what belongs to it. */
static int
take_source(struct spec *spec, const struct json_value *object, struct err *err)
{
	const struct json_value *chosen = NULL;
	const struct input_kind *kind = NULL;
	if (object->kind != JSON_OBJECT)
		return job_refuse_kind(object, "an object with one of " KINDS, err);
	for (const struct json_value *at = object->first; at != NULL; at = at->next) {
		const struct input_kind *found = find_kind(at);
		if (found == NULL)
			continue;
		if (chosen != NULL)
			return json_refuse_key(
			    at, err, "here is %s already: several are an array of objects",
			    chosen->key);
		chosen = at;
		kind = found;
	}
	for (const struct json_value *at = object->first; at != NULL; at = at->next)
		if (at != chosen && (kind == NULL || !is_beside(kind, at->key)))
			return json_refuse_key(at, err,
					       "unknown here: expected one of " KINDS);
	if (kind == NULL)
		return json_refuse(object, err, "expected one of " KINDS);
	return kind->take(spec, chosen, err);
}

/* One of several: combined with the others each with each, or, linked, in step. */
static int
take_element(struct spec *spec, const struct json_value *object, struct err *err)
{
	size_t first = spec->input_count;
	const struct json_value *linked = json_member(object, "linked");
	if (take_source(spec, object, err) == -1)
		return -1;
	if (linked == NULL)
		return 0;
	if (linked->kind != JSON_TRUE && linked->kind != JSON_FALSE)
		return job_refuse_kind(linked, "true or false", err);
	if (linked->kind == JSON_TRUE && first == 0)
		return json_refuse_key(linked, err, "there is no input before this one");
	spec->inputs[first].is_linked = linked->kind == JSON_TRUE;
	return 0;
}

int
job_take_inputs(struct spec *spec, const struct json_value *value, struct err *err)
{
	if (value->kind != JSON_ARRAY)
		return take_element(spec, value, err);
	if (value->first == NULL)
		return json_refuse(value, err, "expected one input at least");
	for (const struct json_value *at = value->first; at != NULL; at = at->next)
		if (take_element(spec, at, err) == -1)
			return -1;
	return 0;
}

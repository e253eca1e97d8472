/* job_schema.c: the JSON Schema of job files; see job_print.h. */
#include <string.h>

#include "input/job_keys.h"
#include "input/job_print.h"

/* What the keys that are no options take; JOB_KEY_ order. */
static const char *const own_schemas[] = {
    [JOB_KEY_OPTION] = "",
    [JOB_KEY_NAME] = "\"type\": \"string\"",
    [JOB_KEY_DESCRIPTION] = "\"type\": \"string\"",
    [JOB_KEY_COMMAND] = "\"$ref\": \"#/$defs/words\"",
    [JOB_KEY_FEED] = "\"$ref\": \"#/$defs/words\"",
    [JOB_KEY_CALL] = "\"$ref\": \"#/$defs/words\"",
    [JOB_KEY_INPUTS] = "\"anyOf\": [{\"$ref\": \"#/$defs/input\"}, {\"type\": \"array\", "
		       "\"minItems\": 1, \"items\": {\"$ref\": \"#/$defs/input\"}}]",
    [JOB_KEY_ENV] = "\"type\": \"object\", \"additionalProperties\": "
		    "{\"$ref\": \"#/$defs/word\"}",
    [JOB_KEY_STDIN] =
	"\"anyOf\": [{\"type\": \"string\"}, {\"type\": \"object\", \"minProperties\": "
	"1, "
	"\"maxProperties\": 1, \"additionalProperties\": false, \"properties\": "
	"{\"text\": {\"type\": \"string\"}, \"file\": {\"type\": \"string\"}}}]",
    [JOB_KEY_ORDER] = "\"enum\": [\"input\", \"finish\"]",
    [JOB_KEY_STAGES] = "\"type\": \"array\", \"minItems\": 1, \"items\": "
		       "{\"$ref\": \"#/$defs/stage\"}",
    [JOB_KEY_PASS] = "\"enum\": [\"lines\", \"output\", \"json\"]",
};

static const char *const type_schemas[] = {
    [JOB_FLAG] = "\"type\": \"boolean\"",
    [JOB_COUNT] = "\"type\": [\"integer\", \"string\"]",
    [JOB_TIME] = "\"type\": [\"number\", \"string\"]",
    [JOB_VALUE] = "\"type\": [\"number\", \"string\"]",
    [JOB_TEXT] = "\"type\": \"string\"",
    [JOB_LIST] = "\"anyOf\": [{\"type\": \"string\"}, {\"$ref\": \"#/$defs/list\"}]",
    [JOB_TEXTS] = "\"anyOf\": [{\"type\": \"string\"}, {\"$ref\": \"#/$defs/texts\"}]",
};

static const char head[] =
    "{\n"
    "  \"$schema\": \"https://json-schema.org/draft/2020-12/schema\",\n"
    "  \"title\": \"pinion job\",\n"
    "  \"description\": \"What pinion run takes; pinion-job(5) is the manual.\",\n"
    "  \"$ref\": \"#/$defs/job\",\n"
    "  \"$defs\": {\n"
    "    \"word\": {\"type\": [\"string\", \"number\"]},\n"
    "    \"list\": {\"type\": \"array\", \"items\": {\"$ref\": \"#/$defs/word\"}},\n"
    "    \"texts\": {\"type\": \"array\", \"items\": {\"type\": \"string\"}},\n"
    "    \"words\": {\"anyOf\": [{\"type\": \"string\", \"minLength\": 1}, "
    "{\"type\": \"array\", \"minItems\": 1, \"items\": {\"$ref\": \"#/$defs/word\"}}]},\n"
    "    \"lists\": {\"type\": \"array\", \"minItems\": 1, \"items\": "
    "{\"$ref\": \"#/$defs/list\"}},\n";

/* Each kind of input, and what may stand beside it. */
static const struct {
	const char *key;
	const char *schema;
	const char *others;
} inputs[] = {
    {"args", "{\"$ref\": \"#/$defs/list\"}", ""},
    {"product", "{\"$ref\": \"#/$defs/lists\"}", ""},
    {"zip", "{\"$ref\": \"#/$defs/lists\"}", ""},
    {"lines", "{\"type\": \"string\", \"minLength\": 1}", ""},
    {"nul", "{\"type\": \"string\", \"minLength\": 1}", ""},
    {"glob", "{\"$ref\": \"#/$defs/words\"}", ", \"newer_than\": {\"type\": \"string\"}"},
    {"csv", "{\"type\": \"string\", \"minLength\": 1}",
     ", \"header\": {\"type\": \"boolean\"}, \"separator\": {\"type\": \"string\", "
     "\"minLength\": 1}"},
    {"jsonl", "{\"type\": \"string\", \"minLength\": 1}", ""},
    {"range",
     "{\"type\": \"array\", \"minItems\": 2, \"maxItems\": 3, \"items\": {\"type\": "
     "\"number\"}}",
     ""},
};

static int
print_inputs(struct buf *text)
{
	const size_t count = sizeof(inputs) / sizeof(*inputs);
	if (buf_append_str(text, "    \"input\": {\"oneOf\": [\n") == -1)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (buf_printf(
			text,
			"      {\"type\": \"object\", \"required\": [\"%s\"], "
			"\"additionalProperties\": false, \"properties\": {\"%s\": %s%s, "
			"\"linked\": {\"type\": \"boolean\"}}}%s\n",
			inputs[i].key, inputs[i].key, inputs[i].schema, inputs[i].others,
			i + 1 < count ? "," : "") == -1)
			return -1;
	return buf_append_str(text, "    ]},\n");
}

/* Help texts hold quotes and backslashes, but nothing else that JSON escapes. */
static int
print_text(struct buf *text, const char *string)
{
	int status = buf_append_char(text, '"');
	for (; *string != '\0' && status == 0; string++) {
		if (strchr("\"\\", *string) != NULL)
			status = buf_append_char(text, '\\');
		if (status == 0)
			status = buf_append_char(text, *string);
	}
	return status == 0 ? buf_append_char(text, '"') : -1;
}

static int
print_key(struct buf *text, const struct job_key *key, bool is_first)
{
	const char *schema = key->kind == JOB_KEY_OPTION ? type_schemas[key->type]
							 : own_schemas[key->kind];
	if (buf_printf(text, "%s        \"%s\": {%s, \"description\": ",
		       is_first ? "" : ",\n", key->name, schema) == -1 ||
	    print_text(text, key->help) == -1)
		return -1;
	return buf_append_char(text, '}');
}

static int
print_object(struct buf *text, const char *name, bool is_stage)
{
	struct job_key key;
	size_t cursor = 0;
	bool is_first = true;
	if (buf_printf(text,
		       "    \"%s\": {\n      \"type\": \"object\",\n"
		       "      \"additionalProperties\": false,\n"
		       "      \"properties\": {\n",
		       name) == -1)
		return -1;
	while (job_key_next(&cursor, &key)) {
		if (!(is_stage ? key.is_of_stage : key.is_of_job))
			continue;
		if (print_key(text, &key, is_first) == -1)
			return -1;
		is_first = false;
	}
	return buf_append_str(text, "\n      }\n    }");
}

int
job_print_schema(struct buf *text)
{
	if (buf_append_str(text, head) == -1 || print_inputs(text) == -1 ||
	    print_object(text, "job", false) == -1 || buf_append_str(text, ",\n") == -1 ||
	    print_object(text, "stage", true) == -1)
		return -1;
	return buf_append_str(text, "\n  }\n}\n");
}

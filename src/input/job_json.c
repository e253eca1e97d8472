/* job_json.c: see job_json.h. */
#include "input/job_json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/quote.h"
#include "input/job_keys.h"
#include "input/job_parts.h"
#include "input/job_tree.h"
#include "input/members.h"
#include "input/option_set.h"
#include "input/option_settle.h"

/* One object, of a job or of a stage, on its way into a spec. */
struct job_reader {
	struct option_state state;
	bool is_job;       /* keys of a job may stand here, */
	bool is_stage;     /* those of a stage */
	bool is_inherited; /* a stage takes from its job what is for it: */
	bool is_first;
	bool is_last;
	const struct json_value *executor; /* the member that says what runs; NULL: none */
	struct err *err;
};

/* --- values --- */

int
job_refuse_kind(const struct json_value *value, const char *expected, struct err *err)
{
	return json_refuse(value, err, "expected %s, found %s", expected,
			   json_kind_name(value->kind));
}

static char *
copy_text(struct spec *spec, const char *text, size_t length, struct err *err)
{
	char *copy = spec_alloc(spec, length + 1);
	if (copy == NULL)
		err_no_memory(err);
	else
		memcpy(copy, text, length);
	return copy;
}

char *
job_take_text(struct spec *spec, const struct json_value *value, const char *expected,
	      struct err *err)
{
	if (value->kind == JSON_STRING)
		return copy_text(spec, value->text, value->length, err);
	job_refuse_kind(value, expected, err);
	return NULL;
}

/* As job_take_text, of a number, too. */
static char *
job_take_word(struct spec *spec, const struct json_value *value, struct err *err)
{
	if (value->kind == JSON_NUMBER)
		return copy_text(spec, value->text, value->length, err);
	return job_take_text(spec, value, "a string or a number", err);
}

char **
job_take_words(struct spec *spec, const struct json_value *value, size_t *count,
	       struct err *err)
{
	bool is_list = value->kind == JSON_ARRAY;
	*count = is_list ? json_count(value) : 1;
	char **words = spec_alloc(spec, (*count + 1) * sizeof(*words));
	if (words == NULL) {
		err_no_memory(err);
		return NULL;
	}
	const struct json_value *at = is_list ? value->first : value;
	for (size_t i = 0; i < *count; i++, at = at->next) {
		words[i] = is_list ? job_take_word(spec, at, err)
				   : job_take_text(spec, at, "a string or an array", err);
		if (words[i] == NULL)
			return NULL;
	}
	return words;
}

/* --- options --- */

/* A number as options are written: 1e3 is 1000. */
static char *
take_number(struct job_reader *reader, const struct json_value *value, bool is_whole)
{
	static const double exact_max = 9007199254740992.0; /* 2^53 */
	char text[32];
	double number = strtod(value->text, NULL);
	bool is_small = number > -exact_max && number < exact_max;
	bool is_integer = is_small && number == (double)(int64_t)number;
	if (is_whole && is_small && !is_integer) {
		json_refuse(value, reader->err, "expected a whole number, found %.40s",
			    value->text);
		return NULL;
	}
	if (strpbrk(value->text, "eE.") == NULL || !is_integer)
		return copy_text(reader->state.spec, value->text, value->length,
				 reader->err);
	snprintf(text, sizeof(text), "%.0f", number);
	return copy_text(reader->state.spec, text, strlen(text), reader->err);
}

/* An array's words with commas between. */
static char *
take_list(struct job_reader *reader, const struct json_value *array)
{
	struct buf text = {0};
	char *list = NULL;
	int status = 0;
	for (const struct json_value *at = array->first; at != NULL && status == 0;
	     at = at->next) {
		if (at->kind != JSON_STRING && at->kind != JSON_NUMBER) {
			job_refuse_kind(at, "a string", reader->err);
			goto free_text;
		}
		if (at != array->first)
			status = buf_append_char(&text, ',');
		if (status == 0)
			status = buf_append(&text, at->text, at->length);
	}
	if (status == -1)
		err_no_memory(reader->err);
	else
		list = copy_text(reader->state.spec, text.length > 0 ? text.bytes : "",
				 text.length, reader->err);
free_text:
	buf_fini(&text);
	return list;
}

/* The option's value as it would be typed; NULL and err. */
static char *
take_value(struct job_reader *reader, const struct job_key *key,
	   const struct json_value *value)
{
	static const char *const expected[] = {
	    [JOB_FLAG] = "true or false",
	    [JOB_COUNT] = "a number, or a string like \"10k\"",
	    [JOB_TIME] = "a number of seconds, or a string like \"1h30m\"",
	    [JOB_VALUE] = "a number or a string",
	    [JOB_TEXT] = "a string",
	    [JOB_LIST] = "a string or an array of strings",
	    [JOB_TEXTS] = "a string or an array of strings",
	};
	bool takes_number =
	    key->type == JOB_COUNT || key->type == JOB_TIME || key->type == JOB_VALUE;
	if (value->kind == JSON_NUMBER && takes_number)
		return take_number(reader, value, key->type == JOB_COUNT);
	if (value->kind == JSON_ARRAY && key->type == JOB_LIST)
		return take_list(reader, value);
	if (key->type == JOB_FLAG) {
		job_refuse_kind(value, expected[key->type], reader->err);
		return NULL;
	}
	return job_take_text(reader->state.spec, value, expected[key->type], reader->err);
}

/* The setter's words without the option's name, which is not what the user wrote. */
static int
refuse_value(struct job_reader *reader, const struct option_row *row,
	     const struct json_value *value, const struct err *cause)
{
	char name[OPTION_NAME_BYTES];
	const char *text = cause->text;
	size_t length = strlen(option_name(row, name));
	if (cause->kind != ERR_USAGE) {
		if (reader->err != NULL)
			*reader->err = *cause;
		return -1;
	}
	if (strncmp(text, name, length) == 0 && strncmp(text + length, ": ", 2) == 0)
		text += length + 2;
	return json_refuse(value, reader->err, "%s", text);
}

static int
set_option(struct job_reader *reader, const struct option_row *row, const char *text,
	   const struct json_value *value)
{
	struct err cause = {0};
	if (row->set(&reader->state, row, text, &cause) == -1)
		return refuse_value(reader, row, value, &cause);
	return 0;
}

static int
refuse_elsewhere(struct job_reader *reader, const struct job_key *key,
		 const struct json_value *value)
{
	static const struct {
		unsigned int verb;
		const char *key;
	} executors[] = {
	    {OPTION_MAP, "command"}, {OPTION_FEED, "feed"}, {OPTION_CALL, "call"}};
	char text[64] = "";
	for (size_t i = 0; i < sizeof(executors) / sizeof(*executors); i++) {
		if ((key->row->verbs & executors[i].verb) == 0)
			continue;
		if (text[0] != '\0')
			strcat(text, " or ");
		strcat(text, executors[i].key);
	}
	return json_refuse_key(value, reader->err, "goes with %s only", text);
}

static int
take_option(struct job_reader *reader, const struct job_key *key,
	    const struct json_value *value)
{
	if ((key->row->verbs & option_dialect_bit(reader->state.spec->dialect)) == 0)
		return refuse_elsewhere(reader, key, value);
	if (key->type == JOB_FLAG && value->kind == JSON_FALSE)
		return 0;
	if (key->type == JOB_FLAG && value->kind == JSON_TRUE)
		return set_option(reader, key->row, NULL, value);
	const struct json_value *at = value;
	if (key->type == JOB_TEXTS && value->kind == JSON_ARRAY)
		at = value->first;
	for (; at != NULL; at = at == value ? NULL : at->next) {
		char *text = take_value(reader, key, at);
		if (text == NULL || set_option(reader, key->row, text, at) == -1)
			return -1;
	}
	return 0;
}

/* --- keys that are no options --- */

static int
take_name(struct job_reader *reader, const char **name, const struct json_value *value)
{
	*name = job_take_text(reader->state.spec, value, "a string", reader->err);
	return *name == NULL ? -1 : 0;
}

/* The words of command, feed or call. */
static int
take_executor(struct job_reader *reader, const struct json_value *value)
{
	struct spec *spec = reader->state.spec;
	if (reader->executor != NULL)
		return json_refuse_key(
		    value, reader->err,
		    "here is a %s already: one of command, feed and call",
		    reader->executor->key);
	reader->executor = value;
	spec->words = job_take_words(spec, value, &spec->word_count, reader->err);
	if (spec->words == NULL)
		return -1;
	if (spec->word_count == 0 || spec->words[0][0] == '\0')
		return json_refuse(value, reader->err, "expected a program, found nothing");
	return 0;
}

/* A single word of an array is no command line for the shell. */
static int
protect_word(struct job_reader *reader)
{
	struct spec *spec = reader->state.spec;
	struct buf text = {0};
	if (spec->word_count != 1 || reader->executor->kind != JSON_ARRAY)
		return 0;
	if (spec->dialect == SPEC_MAP)
		spec->is_quoted = true;
	if (spec->dialect != SPEC_FEED)
		return 0;
	if (quote_append(&text, spec->words[0], strlen(spec->words[0])) == 0)
		spec->words[0] = copy_text(spec, text.bytes, text.length, reader->err);
	else
		err_no_memory(reader->err);
	bool is_done = text.length > 0 && spec->words[0] != NULL;
	buf_fini(&text);
	return is_done ? 0 : -1;
}

/* One variable: through the option, which is NAME=VALUE. */
static int
take_variable(struct job_reader *reader, const struct json_value *value)
{
	struct spec *spec = reader->state.spec;
	if (value->key_length == 0 || strchr(value->key, '=') != NULL)
		return json_refuse_key(value, reader->err, "no name of a variable");
	char *text = job_take_word(spec, value, reader->err);
	if (text == NULL)
		return -1;
	char *variable = spec_alloc(spec, value->key_length + strlen(text) + 2);
	if (variable == NULL)
		return err_no_memory(reader->err);
	memcpy(variable, value->key, value->key_length);
	variable[value->key_length] = '=';
	strcpy(variable + value->key_length + 1, text);
	return spec_add_env(spec, variable) == -1 ? err_no_memory(reader->err) : 0;
}

static int
take_env(struct job_reader *reader, const struct json_value *value)
{
	if (value->kind != JSON_OBJECT)
		return job_refuse_kind(value, "an object of variables", reader->err);
	for (const struct json_value *at = value->first; at != NULL; at = at->next)
		if (take_variable(reader, at) == -1)
			return -1;
	return 0;
}

static int
take_stdin(struct job_reader *reader, const struct json_value *value)
{
	struct spec *spec = reader->state.spec;
	const struct json_value *text = json_member(value, "text");
	const char **field = text != NULL ? &spec->stdin_text : &spec->stdin_path;
	if (spec->dialect != SPEC_MAP)
		return json_refuse_key(value, reader->err, "goes with command only");
	if (text == NULL && value->kind == JSON_OBJECT)
		text = json_member(value, "file");
	if (value->kind != JSON_STRING && (text == NULL || json_count(value) != 1))
		return json_refuse(value, reader->err,
				   "expected the name of a file, or {\"text\": \"...\"}");
	return take_name(reader, field, text != NULL ? text : value);
}

/* One of these words; -1 and err. */
static int
take_choice(struct job_reader *reader, const struct json_value *value,
	    const char *const *words, size_t count)
{
	char text[128] = "";
	for (size_t i = 0; i < count; i++) {
		if (value->kind == JSON_STRING && strcmp(value->text, words[i]) == 0)
			return (int)i;
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s\"%s\"",
			 i == 0 ? "" : " or ", words[i]);
	}
	return json_refuse(value, reader->err, "expected %s", text);
}

static int
take_order(struct job_reader *reader, const struct json_value *value)
{
	static const char *const words[] = {"finish", "input"};
	int choice = take_choice(reader, value, words, 2);
	if (choice == -1)
		return -1;
	reader->state.spec->is_ordered = choice == 1;
	return 0;
}

static int
take_pass(struct job_reader *reader, const struct json_value *value)
{
	static const char *const words[] = {
	    [SPEC_PASS_LINES] = "lines", [SPEC_PASS_OUTPUT] = "output", [SPEC_PASS_JSON] = "json"};
	int choice = take_choice(reader, value, words, 3);
	if (choice == -1)
		return -1;
	reader->state.spec->pass = (enum spec_pass)choice;
	return 0;
}

/* --- an object --- */

static int
refuse_key(struct job_reader *reader, const struct json_value *member)
{
	char text[OPTION_NAME_BYTES * 4];
	const char *hint = job_key_hint(member->key, member->key_length, text);
	if (hint == NULL)
		return json_refuse_key(
		    member, reader->err,
		    "unknown key; pinion-job(5) lists those there are");
	return json_refuse_key(member, reader->err, "unknown key: did you mean %s?", hint);
}

static int
take_member(struct job_reader *reader, const struct json_value *member)
{
	struct job_key key;
	struct spec *spec = reader->state.spec;
	const char *ignored;
	if (!job_key_find(member->key, member->key_length, &key))
		return refuse_key(reader, member);
	if (!(reader->is_job && key.is_of_job) && !(reader->is_stage && key.is_of_stage))
		return json_refuse_key(member, reader->err, "belongs %s",
				       reader->is_stage ? "to the job, not to a stage"
							: "into a stage");
	if (reader->is_inherited &&
	    !job_key_reaches(&key, reader->is_first, reader->is_last))
		return 0;
	switch (key.kind) {
	case JOB_KEY_OPTION:
		return take_option(reader, &key, member);
	case JOB_KEY_NAME: /* the job's comes before that of its only stage */
		return take_name(reader, spec->name != NULL ? &ignored : &spec->name,
				 member);
	case JOB_KEY_DESCRIPTION:
		return take_name(reader, &ignored, member);
	case JOB_KEY_COMMAND:
	case JOB_KEY_FEED:
	case JOB_KEY_CALL:
		return take_executor(reader, member);
	case JOB_KEY_INPUTS:
		return job_take_inputs(spec, member, reader->err);
	case JOB_KEY_ENV:
		return take_env(reader, member);
	case JOB_KEY_STDIN:
		return take_stdin(reader, member);
	case JOB_KEY_ORDER:
		return take_order(reader, member);
	case JOB_KEY_PASS:
		return take_pass(reader, member);
	case JOB_KEY_STAGES:
		break; /* read by themselves */
	}
	return 0;
}

static int
take_members(struct job_reader *reader, const struct json_value *object)
{
	for (const struct json_value *at = object->first; at != NULL; at = at->next)
		if (take_member(reader, at) == -1)
			return -1;
	return 0;
}

/* What is left to do once all keys are known. */
static int
complete(struct job_reader *reader, const struct json_value *object)
{
	struct spec *spec = reader->state.spec;
	struct err cause = {0};
	if (option_settle(&reader->state, reader->err) == -1 ||
	    (reader->executor != NULL && protect_word(reader) == -1))
		return -1;
	if (spec->resume == SPEC_RETRY_FAILED && spec->joblog != NULL)
		option_drop_tasks(spec);
	if (spec->dialect != SPEC_MAP && option_take_program(spec, &cause) == -1)
		return json_refuse(reader->executor, reader->err, "%s", cause.text);
	if (members_settle(spec, &cause) == -1)
		return json_refuse(object, reader->err, "%s", cause.text);
	return 0;
}

/* What runs the tasks of this object. */
static enum spec_dialect
dialect_of(const struct json_value *object)
{
	if (json_member(object, "feed") != NULL)
		return SPEC_FEED;
	return json_member(object, "call") != NULL ? SPEC_CALL : SPEC_MAP;
}

/* Begins anew, with the defaults of what it turned out to be. */
static void
restart_spec(struct spec *spec, enum spec_dialect dialect)
{
	struct spec fresh;
	spec_init(&fresh, dialect);
	fresh.arena = spec->arena;
	fresh.job_text = spec->job_text;
	fresh.print = spec->print;
	fresh.is_inherited = spec->is_inherited;
	fresh.is_dry_run = spec->is_dry_run;
	fresh.program = "pinion run";
	*spec = fresh;
}

static struct job_reader
job_reader_of(struct spec *spec, struct err *err)
{
	return (struct job_reader){
	    .state = {.spec = spec, .value_sep = ":::", .file_sep = "::::"}, .err = err};
}

/* A job of one step: the whole object, or that and its only stage. */
static int
read_single(struct spec *spec, const struct json_value *job,
	    const struct json_value *stage, struct err *err)
{
	struct job_reader reader = job_reader_of(spec, err);
	restart_spec(spec, dialect_of(stage != NULL ? stage : job));
	reader.is_job = true;
	if (take_members(&reader, job) == -1)
		return -1;
	reader.is_job = false;
	reader.is_stage = true;
	if (stage != NULL && take_members(&reader, stage) == -1)
		return -1;
	return complete(&reader, job);
}

/* What it is called in messages; two by one name nobody could tell apart. */
static int
name_stage(struct spec *spec, const struct json_value *stage, struct err *err)
{
	char number[24];
	for (size_t i = 0; i < spec->stage_index && spec->name != NULL; i++)
		if (strcmp(spec->job->stages[i].stage, spec->name) == 0)
			return json_refuse(json_member(stage, "name"), err,
					   "stage %zu has this name already", i + 1);
	snprintf(number, sizeof(number), "%zu", spec->stage_index + 1);
	spec->stage = spec->name != NULL ? spec->name : spec_strdup(spec, number);
	return spec->stage == NULL ? err_no_memory(err) : 0;
}

/* What cannot be said of several stages at once. */
static int
check_whole(const struct spec *spec, const struct json_value *job, struct err *err)
{
	if (spec->halt.when != SPEC_HALT_NEVER && spec->halt.is_percent)
		return json_refuse(json_member(job, "halt"), err,
				   "how many tasks there are is not known with stages: "
				   "expected a number, not a percentage");
	if (spec->resume == SPEC_RETRY_FAILED)
		return json_refuse(json_member(job, "retry_failed"), err,
				   "what a stage is given comes from the one before it: "
				   "with stages say resume_failed");
	return 0;
}

/* What stages have together, and what each has for itself, in that order. */
static int
read_stage(struct spec *job_spec, size_t index, const struct json_value *job,
	   const struct json_value *stage, struct err *err)
{
	struct spec *spec = &job_spec->stages[index];
	struct job_reader reader = job_reader_of(spec, err);
	bool takes_objects =
	    index > 0 && job_spec->stages[index - 1].pass == SPEC_PASS_JSON;
	restart_spec(spec, dialect_of(stage));
	spec->job = job_spec;
	spec->stage_index = index;
	spec->takes_objects = takes_objects;
	spec->is_inherited = job_spec->is_inherited;
	spec->is_dry_run = job_spec->is_dry_run;
	reader.is_first = index == 0;
	reader.is_last = index == job_spec->stage_count - 1;
	reader.is_inherited = true;
	reader.is_job = true;
	if (take_members(&reader, job) == -1)
		return -1;
	reader.is_inherited = false;
	reader.is_job = false;
	reader.is_stage = true;
	if (take_members(&reader, stage) == -1 || complete(&reader, stage) == -1)
		return -1;
	if (spec->halt.why != SPEC_HALT_FAIL && !reader.is_last)
		spec->halt.when = SPEC_HALT_NEVER; /* it is the last ones' to succeed */
	return name_stage(spec, stage, err);
}

static int
read_stages(struct spec *spec, const struct json_value *job,
	    const struct json_value *stages, struct err *err)
{
	struct job_reader reader = job_reader_of(spec, err);
	size_t index = 0;
	restart_spec(spec, SPEC_MAP);
	reader.is_job = true;
	if (take_members(&reader, job) == -1 || option_settle(&reader.state, err) == -1 ||
	    check_whole(spec, job, err) == -1)
		return -1;
	spec->stage_count = json_count(stages);
	spec->stages = spec_alloc(spec, spec->stage_count * sizeof(*spec->stages));
	if (spec->stages == NULL) {
		spec->stage_count = 0;
		return err_no_memory(err);
	}
	for (const struct json_value *at = stages->first; at != NULL; at = at->next)
		if (read_stage(spec, index++, job, at, err) == -1)
			return -1;
	return 0;
}

/* With stages, what runs and how is theirs to say. */
static int
check_stages(const struct json_value *job, const struct json_value *stages, struct err *err)
{
	struct job_key key;
	if (stages->kind != JSON_ARRAY || stages->first == NULL)
		return json_refuse(stages, err,
				   "expected an array of stages, one at least");
	for (const struct json_value *at = stages->first; at != NULL; at = at->next)
		if (at->kind != JSON_OBJECT)
			return job_refuse_kind(at, "an object", err);
	for (const struct json_value *at = job->first; at != NULL; at = at->next)
		if (job_key_find(at->key, at->key_length, &key) && key.is_of_stage &&
		    key.kind != JOB_KEY_NAME && key.kind != JOB_KEY_DESCRIPTION)
			return json_refuse_key(
			    at, err, "with stages this belongs into each of them");
	return 0;
}

static int
read_tree(struct spec *spec, const struct json_value *root, struct err *err)
{
	const struct json_value *stages = json_member(root, "stages");
	if (stages == NULL)
		return read_single(spec, root, NULL, err);
	if (check_stages(root, stages, err) == -1)
		return -1;
	return stages->first->next == NULL ? read_single(spec, root, stages->first, err)
					   : read_stages(spec, root, stages, err);
}

/* --- the file --- */

static int
read_all(int fd, struct buf *text, const char *name, struct err *err)
{
	for (;;) {
		if (buf_reserve(text, 65536) == -1)
			return err_no_memory(err);
		ssize_t got =
		    io_read(fd, text->bytes + text->length, text->capacity - text->length);
		if (got == -1)
			return err_errno(err, "cannot read %s", name);
		if (got == 0)
			return 0;
		text->length += (size_t)got;
		if (text->length > JOB_TEXT_MAX_BYTES)
			return err_set(
			    err, ERR_USAGE,
			    "%s: larger than 256 MiB: no job file; long lists of "
			    "inputs go into files of their own",
			    name);
	}
}

static int
load(struct spec *spec, const char *path, struct err *err)
{
	bool is_stdin = strcmp(path, "-") == 0;
	int fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd == -1) {
		err_errno(err, "cannot open %s", path);
		if (err != NULL)
			err->kind = ERR_USAGE;
		return -1;
	}
	int status = read_all(fd, &spec->job_text, is_stdin ? "standard input" : path, err);
	if (!is_stdin)
		io_close(fd);
	return status;
}

int
job_read(struct option_state *state, const char *path, struct err *err)
{
	struct spec *spec = state->spec;
	struct json json = {0};
	struct buf text = {0};
	int status = -1;
	bool is_given = spec->job_text.length > 0;
	if (!is_given && load(spec, path, err) == -1)
		return -1;
	const struct json_source source = {
	    .name = strcmp(path, "-") == 0 ? "standard input" : path,
	    .bytes = spec->job_text.length > 0 ? spec->job_text.bytes : "",
	    .length = spec->job_text.length,
	    .first_line = 1,
	};
	const struct json_value *root = job_tree_read(
	    &json, &source, state->sets, is_given ? 0 : state->set_count, err);
	if (root != NULL)
		status = read_tree(spec, root, err);
	if (status == 0 && job_tree_print(root, &text) == -1)
		status = err_no_memory(err);
	json_fini(&json);
	buf_fini(&spec->job_text);
	spec->job_text = text;
	if (status == 0 && state->is_print_wanted &&
	    buf_append(&spec->print, text.bytes, text.length) == -1)
		status = err_no_memory(err);
	return status;
}

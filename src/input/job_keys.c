/* job_keys.c: see job_keys.h. */
#include "input/job_keys.h"

#include <stdio.h>
#include <string.h>

#include "input/option_find.h"
#include "input/option_set.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Keys that are no options. */
struct own_key {
	const char *name;
	enum job_key_kind kind;
	bool is_of_job;
	bool is_of_stage;
	const char *help;
};

static const struct own_key own_keys[] = {
    {"name", JOB_KEY_NAME, true, true, "what the job, or stage, is called in messages"},
    {"description", JOB_KEY_DESCRIPTION, true, true, "what it is for; a place for comments"},
    {"command", JOB_KEY_COMMAND, true, true,
     "an array: executed as it is; a string: a command line for the shell"},
    {"feed", JOB_KEY_FEED, true, true,
     "a program that is started once in each worker and fed the inputs"},
    {"call", JOB_KEY_CALL, true, true,
     "LIB.so[:SYMBOL], whose function is called for each input"},
    {"inputs", JOB_KEY_INPUTS, true, false,
     "where the tasks come from; absent: lines of stdin"},
    {"env", JOB_KEY_ENV, true, true, "variables for the tasks"},
    {"stdin", JOB_KEY_STDIN, true, true, "what each task reads: a file, or {\"text\": ...}"},
    {"order", JOB_KEY_ORDER, true, false,
     "print outputs in the order of the input, or as tasks finish"},
    {"stages", JOB_KEY_STAGES, true, false,
     "a pipeline: what one stage puts out is the next one's input"},
    {"pass", JOB_KEY_PASS, false, true,
     "what of a stage's output makes a task of the next: lines, output, json"},
};

/* Options by another name; those with a letter alone have none yet. */
static const struct {
	const char *option;
	const char *key;
} renamed[] = {
    {"jobs", "workers"}, {"workdir", "cwd"},     {"X", "context_replace"},
    {"m", "multiple"},   {"v", "show_commands"},
};

const struct job_exception job_exceptions[] = {
    {"arg-file", NULL, "inputs: {\"lines\": FILE}"},
    {"csv", NULL, "inputs: {\"csv\": FILE}"},
    {"jsonl", NULL, "inputs: {\"jsonl\": FILE}"},
    {"arg-sep", NULL, "inputs, which need no separators"},
    {"arg-file-sep", NULL, "inputs, which need no separators"},
    {"E", "eof", "eof"},
    {"I", "replace", "replace"},
    {"L", "max_lines", "max_lines"},
    {"env", NULL, "env: {NAME: VALUE}"},
    {"stdin", "stdin", "stdin"},
    {"keep-order", "order", "order: \"input\""},
    {"unordered", "order", "order: \"finish\""},
    {"name", "name", "name"},
    {"print-spec", NULL, "pinion run --print-spec"},
    {"help", NULL, "pinion run --help"},
    {"version", NULL, "pinion --version"},
    {"list-options", NULL, "pinion run --list-options"},
};
const size_t job_exception_count = COUNT(job_exceptions);

/* By setter; others take a number or a string. */
static const struct {
	option_setter *set;
	enum job_type type;
} types[] = {
    {option_set_count, JOB_COUNT},
    {option_set_size, JOB_COUNT},
    {option_set_task_count, JOB_COUNT},
    {option_set_max_args, JOB_COUNT},
    {option_set_max_replace_args, JOB_COUNT},
    {option_set_max_lines_old, JOB_COUNT},
    {option_set_inflight, JOB_COUNT},
    {option_set_retries, JOB_COUNT},
    {option_set_jobs, JOB_COUNT},
    {option_set_chunksize, JOB_COUNT},
    {option_set_duration, JOB_TIME},
    {option_set_timeout, JOB_TIME},
    {option_set_string, JOB_TEXT},
    {option_set_directory, JOB_TEXT},
    {option_set_delimiter, JOB_TEXT},
    {option_set_eof, JOB_TEXT},
    {option_set_header, JOB_TEXT},
    {option_set_trim, JOB_TEXT},
    {option_set_rpl_name, JOB_TEXT},
    {option_set_tagstring, JOB_TEXT},
    {option_set_bind, JOB_TEXT},
    {option_set_start_method, JOB_TEXT},
    {option_set_jobserver, JOB_TEXT},
    {option_set_protocol, JOB_TEXT},
    {option_set_halt, JOB_TEXT},
    {option_set_retry_on, JOB_LIST},
    {option_set_max_pressure, JOB_LIST},
    {option_set_ionice, JOB_TEXT},
    {option_set_deadline, JOB_TEXT},
    {option_set_cron, JOB_TEXT},
    {option_set_termseq, JOB_LIST},
    {option_set_rpl, JOB_TEXTS},
    {option_set_output, JOB_TEXTS},
    {option_set_fsync, JOB_TEXT},
};

static enum job_type
type_of(const struct option_row *row)
{
	if (row->argument == OPTION_ARGUMENT_NONE)
		return JOB_FLAG;
	for (size_t i = 0; i < COUNT(types); i++)
		if (types[i].set == row->set)
			return types[i].type;
	return JOB_VALUE;
}

/* How the tables here call it: "jobs", "X". */
static bool
is_called(const struct option_row *row, const char *name)
{
	const char *rest = row->names, *first;
	size_t length = option_next_name(&rest, &first);
	if (length == 0)
		return name[0] == row->letters[0] && name[1] == '\0';
	return strlen(name) == length && memcmp(name, first, length) == 0;
}

static const struct job_exception *
find_exception(const struct option_row *row)
{
	for (size_t i = 0; i < job_exception_count; i++)
		if (is_called(row, job_exceptions[i].option))
			return &job_exceptions[i];
	return NULL;
}

static void
set_name(struct job_key *key, const struct option_row *row)
{
	char name[OPTION_NAME_BYTES];
	for (size_t i = 0; i < COUNT(renamed); i++)
		if (is_called(row, renamed[i].option)) {
			snprintf(key->name, sizeof(key->name), "%s", renamed[i].key);
			return;
		}
	option_name(row, name);
	snprintf(key->name, sizeof(key->name), "%s", name + strspn(name, "-"));
	for (char *at = key->name; *at != '\0'; at++)
		if (*at == '-')
			*at = '_';
}

/* A stage has a command and workers of its own; where tasks come from and go to is the job's. */
static bool
is_of_stage(const struct option_row *row)
{
	switch (row->section) {
	case OPTION_SECTION_COMMAND:
	case OPTION_SECTION_POOL:
	case OPTION_SECTION_FAILURE:
		return row->set != option_set_halt && row->set != option_set_fail_fast &&
		       row->set != option_set_deadline && row->set != option_set_cron &&
		       !is_called(row, "dry-run");
	case OPTION_SECTION_INPUT:
	case OPTION_SECTION_OUTPUT:
	case OPTION_SECTION_RECORD:
	case OPTION_SECTION_OTHER:
	case OPTION_SECTIONS:
		break;
	}
	return is_called(row, "window");
}

/* Of what is put out, this is not for the last stage alone. */
static bool
is_for_all_stages(const struct option_row *row)
{
	static const char *const names[] = {"buffer", "tmpdir", "verbose",
					    "quiet",  "json",   "json-stream"};
	for (size_t i = 0; i < COUNT(names); i++)
		if (is_called(row, names[i]))
			return true;
	return false;
}

bool
job_key_reaches(const struct job_key *key, bool is_first, bool is_last)
{
	if (key->kind == JOB_KEY_INPUTS)
		return is_first;
	if (key->kind != JOB_KEY_OPTION)
		return key->kind == JOB_KEY_ORDER;
	if (key->row->section == OPTION_SECTION_INPUT)
		return is_first;
	bool is_of_end = key->row->section == OPTION_SECTION_OUTPUT ||
			 key->row->section == OPTION_SECTION_RECORD;
	return is_last || !is_of_end || is_for_all_stages(key->row);
}

bool
job_key_of(const struct option_row *row, struct job_key *key)
{
	if ((row->verbs & OPTION_JOB) == 0 || find_exception(row) != NULL)
		return false;
	*key = (struct job_key){
	    .kind = JOB_KEY_OPTION,
	    .help = row->help,
	    .is_of_job = true,
	    .is_of_stage = is_of_stage(row),
	    .row = row,
	    .type = type_of(row),
	};
	set_name(key, row);
	return true;
}

bool
job_key_printed(const struct option_row *row, struct job_key *key)
{
	const struct job_exception *exception = find_exception(row);
	if (exception == NULL)
		return job_key_of(row, key);
	return exception->key != NULL &&
	       job_key_find(exception->key, strlen(exception->key), key);
}

bool
job_key_next(size_t *cursor, struct job_key *key)
{
	if (*cursor < COUNT(own_keys)) {
		const struct own_key *own = &own_keys[(*cursor)++];
		*key = (struct job_key){
		    .kind = own->kind,
		    .help = own->help,
		    .is_of_job = own->is_of_job,
		    .is_of_stage = own->is_of_stage,
		};
		snprintf(key->name, sizeof(key->name), "%s", own->name);
		return true;
	}
	while (*cursor - COUNT(own_keys) < option_count)
		if (job_key_of(&option_table[(*cursor)++ - COUNT(own_keys)], key))
			return true;
	return false;
}

bool
job_key_find(const char *name, size_t length, struct job_key *key)
{
	size_t cursor = 0;
	while (job_key_next(&cursor, key))
		if (strlen(key->name) == length && memcmp(key->name, name, length) == 0)
			return true;
	return false;
}

/* Whether it is the option's long name, with _ or - in it. */
static bool
is_option_name(const struct option_row *row, const char *name, size_t length)
{
	const char *rest = row->names, *at;
	size_t at_length;
	while ((at_length = option_next_name(&rest, &at)) > 0) {
		size_t i = 0;
		while (i < length && i < at_length &&
		       (at[i] == name[i] || (at[i] == '-' && name[i] == '_')))
			i++;
		if (i == length && i == at_length)
			return true;
	}
	return false;
}

/* An option by its own name, or by one of its others. */
static const char *
hint_of_option(const char *name, size_t length, char text[OPTION_NAME_BYTES * 4])
{
	for (size_t i = 0; i < option_count; i++) {
		const struct option_row *row = &option_table[i];
		const struct job_exception *exception = find_exception(row);
		struct job_key key;
		if (!is_option_name(row, name, length) || (row->verbs & OPTION_JOB) == 0)
			continue;
		if (exception == NULL && !job_key_of(row, &key))
			continue;
		snprintf(text, OPTION_NAME_BYTES * 4, "%s",
			 exception != NULL ? exception->instead : key.name);
		return text;
	}
	return NULL;
}

const char *
job_key_hint(const char *name, size_t length, char text[OPTION_NAME_BYTES * 4])
{
	struct job_key key;
	size_t cursor = 0;
	size_t least = length / 3 + 1; /* a third of it may be wrong, rounded */
	const char *hint = hint_of_option(name, length, text);
	if (hint != NULL)
		return hint;
	while (job_key_next(&cursor, &key)) {
		size_t distance =
		    option_name_distance(name, length, key.name, strlen(key.name));
		if (distance >= least)
			continue;
		least = distance;
		snprintf(text, OPTION_NAME_BYTES * 4, "%s", key.name);
		hint = text;
	}
	return hint;
}

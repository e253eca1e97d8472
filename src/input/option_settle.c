/* option_settle.c: see option_settle.h. */
#include "input/option_settle.h"

#include <string.h>

#include "input/library.h"

static enum spec_group
settle_group(const struct option_state *state)
{
	if (state->spec->is_valueless)
		return SPEC_GROUP_ONE;
	if (state->is_lines_given && !state->is_count_given)
		return SPEC_GROUP_LINES;
	if (state->is_context_fill_given)
		return SPEC_GROUP_FILL_CONTEXT;
	if (state->is_fill_given || state->is_xargs_given)
		return SPEC_GROUP_FILL;
	return state->is_count_given ? SPEC_GROUP_COUNT : SPEC_GROUP_ONE;
}

/* With --json there is nothing but objects on stdout: what cannot be then, and what to do. */
static int
settle_json(const struct spec *spec, struct err *err)
{
	const char *other = NULL;
	if (spec->json == SPEC_JSON_NONE)
		return 0;
	if (spec->output_mode == SPEC_OUTPUT_NONE)
		other = "--ungroup, where tasks write to stdout themselves";
	else if (spec->output_mode == SPEC_OUTPUT_LINE)
		other = "--line-buffer; --json-stream tells of output as it comes";
	else if (spec->tag != NULL)
		other = "--tag; the objects have the args of their task";
	else if (spec->is_verbose)
		other = "-v; the objects have the command of their task";
	return other == NULL
		   ? 0
		   : err_set(err, ERR_USAGE, "%s cannot be combined with %s",
			     spec->json == SPEC_JSON_EVENTS ? "--json-stream" : "--json",
			     other);
}

/* A joblog has the commands that failed, but not what lines of JSON say of their tasks. */
static int
settle_retry(const struct spec *spec, struct err *err)
{
	bool has_objects = false;
	for (size_t i = 0; i < spec->input_count; i++)
		has_objects |= spec->inputs[i].kind == SPEC_INPUT_JSONL;
	if (spec->resume != SPEC_RETRY_FAILED || spec->joblog == NULL || !has_objects)
		return 0;
	return err_set(
	    err, ERR_USAGE,
	    "--retry-failed: the joblog does not know the variables, folders "
	    "and input that JSON lines give their tasks: give --resume-failed, "
	    "or --run-file in place of --joblog");
}

/* What was done before is in a record. */
static int
settle_resume(const struct spec *spec, struct err *err)
{
	static const char *const names[] = {[SPEC_RESUME_REST] = "--resume",
					    [SPEC_RESUME_FAILED] = "--resume-failed",
					    [SPEC_RETRY_FAILED] = "--retry-failed"};
	bool has_record = spec->joblog != NULL || spec->run_file != NULL ||
			  (spec->resume != SPEC_RETRY_FAILED && spec->results != NULL);
	if (spec->resume == SPEC_RESUME_NOTHING || has_record)
		return settle_retry(spec, err);
	return err_set(
	    err,
	    ERR_USAGE, "%s needs the record of the earlier run: add --joblog FILE or --run-file FILE",
	    names[spec->resume]);
}

int
option_settle(struct option_state *state, struct err *err)
{
	struct spec *spec = state->spec;
	spec->group = settle_group(state);
	bool is_fill = state->is_fill_given || state->is_xargs_given;
	spec->repeats_context =
	    state->is_context_fill_given || (state->is_context_wanted && !is_fill);
	spec->shares_rest = !state->is_xargs_given &&
			    (state->is_fill_given || state->is_context_fill_given);
	if (spec->colsep != NULL && !state->is_trim_given)
		spec->trim = SPEC_TRIM_BOTH;
	if (state->tag_text != NULL)
		spec->tag = state->tag_text;
	if (state->is_silent)
		spec->is_verbose = false;
	if (settle_json(spec, err) == -1)
		return -1;
	bool is_kept = spec->results != NULL && spec->output_mode == SPEC_OUTPUT_NONE;
	if (spec->is_dry_run || is_kept)
		spec->output_mode = SPEC_OUTPUT_GROUP;
	if (settle_resume(spec, err) == -1)
		return -1;
	if (strcmp(state->value_sep, state->file_sep) == 0)
		return err_set(
		    err, ERR_USAGE,
		    "--arg-sep and --arg-file-sep are both '%.100s': make them differ",
		    state->value_sep);
	return 0;
}

void
option_drop_tasks(struct spec *spec)
{
	spec->input_count = 0;
	if (spec->executor != SPEC_SPAWN || spec->word_count == 0)
		return;
	spec->word_count = 0;
	spec->words[0] = NULL;
}

int
option_take_program(struct spec *spec, struct err *err)
{
	static char value[] = "{}";
	static char *value_words[] = {value, NULL};
	if (spec->word_count == 0)
		return err_set(
		    err, ERR_USAGE,
		    spec->dialect == SPEC_FEED
			? "which program is to be fed? pinion feed PROGRAM [ARGUMENT]..."
			: "which library is to be called? pinion call LIB.so "
			  "[ARGUMENT]...");
	if (spec->dialect == SPEC_CALL && library_parse(spec, spec->words[0], err) == -1)
		return -1;
	spec->program_words = spec->words;
	spec->program_word_count = spec->word_count;
	spec->words = value_words;
	spec->word_count = 1;
	return 0;
}

/* options.c: see options.h. The rows are in option_table, what they do in option_set. */
#include "input/options.h"

#include <stdlib.h>
#include <string.h>

#include "input/job_json.h"
#include "input/job_print.h"
#include "input/members.h"
#include "input/option_scan.h"
#include "input/option_set.h"
#include "input/option_settle.h"
#include "input/option_table.h"
#include "input/option_words.h"
#include "input/shell.h"

static bool
has_plain(const struct option_scan *scan)
{
	for (size_t i = 0; i < scan->found_count; i++) {
		if (scan->found[i].option->set == option_set_plain)
			return true;
	}
	return false;
}

/* Takes the options in $PARALLEL; what is left of it is found in *scan. */
static int
apply_environment(struct option_state *state, struct option_scan *scan, struct err *err)
{
	const char *text = getenv("PARALLEL");
	char **words;
	size_t count;
	if (text == NULL)
		return 0;
	if (option_words_split(state->spec, text, &words, &count, err) == -1 ||
	    option_scan(scan, state->spec, words, count, err) == -1 ||
	    option_apply(state, scan->found, scan->found_count, err) == -1) {
		err_context(err, "in $PARALLEL");
		return -1;
	}
	return 0;
}

/*
 * True for ":::", "::::" (*is_file) and the two with a plus (*is_linked), or what stands
 * for them.
 */
static bool
is_separator(const struct option_state *state, const char *word, bool *is_file,
	     bool *is_linked)
{
	const char *const separators[2] = {state->value_sep, state->file_sep};
	for (size_t i = 0; i < 2; i++) {
		size_t length = strlen(separators[i]);
		if (strncmp(word, separators[i], length) != 0)
			continue;
		if (word[length] != '\0' && strcmp(word + length, "+") != 0)
			continue;
		*is_file = i == 1;
		*is_linked = word[length] == '+';
		return true;
	}
	return false;
}

static size_t
count_until_separator(const struct option_state *state, char *const *words, size_t count)
{
	bool is_file, is_linked;
	size_t i = 0;
	while (i < count && !is_separator(state, words[i], &is_file, &is_linked))
		i++;
	return i;
}

/* Each file is an input of its own. */
static int
add_files(struct spec *spec, const char *separator, char *const *paths, size_t count,
	  bool is_linked, struct err *err)
{
	if (count == 0)
		return err_set(err, ERR_USAGE,
			       "no file after '%.100s': name one, or - for stdin",
			       separator);
	for (size_t i = 0; i < count; i++) {
		struct spec_input input = {.kind = SPEC_INPUT_FILE,
					   .is_linked = is_linked && spec->input_count > 0,
					   .path = paths[i]};
		if (paths[i][0] == '\0')
			return err_set(
			    err, ERR_USAGE,
			    "an empty file name after '%.100s': name a file, or - for "
			    "stdin",
			    separator);
		if (spec_add_input(spec, &input) == -1)
			return err_no_memory(err);
	}
	return 0;
}

/* The words from the first separator on. */
static int
take_inputs(struct option_state *state, char **words, size_t count, struct err *err)
{
	struct spec *spec = state->spec;
	size_t i = 0;
	while (i < count) {
		bool is_file = false, is_linked = false;
		const char *separator = words[i];
		is_separator(state, separator, &is_file, &is_linked);
		char **values = words + ++i;
		size_t value_count = count_until_separator(state, values, count - i);
		i += value_count;
		if (is_file) {
			if (add_files(spec, separator, values, value_count, is_linked,
				      err) == -1)
				return -1;
			continue;
		}
		struct spec_input input = {.kind = SPEC_INPUT_ARGS,
					   .is_linked = is_linked && spec->input_count > 0,
					   .values = values,
					   .value_count = value_count};
		if (spec_add_input(spec, &input) == -1)
			return err_no_memory(err);
	}
	return 0;
}

/* The command, and the inputs behind it; words left in $PARALLEL come in front of it. */
static int
take_words(struct option_state *state, const struct option_scan *environment,
	   const struct option_scan *scan, struct err *err)
{
	struct spec *spec = state->spec;
	size_t first_count = environment->count - environment->index;
	size_t second_count = scan->count - scan->index;
	size_t count = first_count + second_count;
	char **words = spec_alloc(spec, (count + 1) * sizeof(*words));
	if (words == NULL)
		return err_no_memory(err);
	for (size_t i = 0; i < first_count; i++)
		words[i] = environment->words[environment->index + i];
	for (size_t i = 0; i < second_count; i++)
		words[first_count + i] = scan->words[scan->index + i];
	size_t word_count = count_until_separator(state, words, count);
	if (take_inputs(state, words + word_count, count - word_count, err) == -1)
		return -1;
	words[word_count] = NULL;
	spec->words = words;
	spec->word_count = word_count;
	return 0;
}

/* What is left to do once all options are known. */
static int
complete_spec(struct option_state *state, const struct option_scan *environment,
	      const struct option_scan *scan, struct err *err)
{
	struct spec *spec = state->spec;
	if (option_settle(state, err) == -1 ||
	    take_words(state, environment, scan, err) == -1)
		return -1;
	if (spec->resume == SPEC_RETRY_FAILED && spec->joblog != NULL)
		option_drop_tasks(spec);
	if ((spec->dialect == SPEC_FEED || spec->dialect == SPEC_CALL) &&
	    option_take_program(spec, err) == -1)
		return -1;
	if (members_settle(spec, err) == -1)
		return -1;
	if (state->is_print_wanted &&
	    job_print(spec, scan->found, scan->found_count, &spec->print) == -1)
		return err_no_memory(err);
	if (spec->dialect == SPEC_PARALLEL && !spec->is_inherited) {
		spec->shell = shell_find(spec, err);
		if (spec->shell == NULL)
			return -1;
	}
	return 0;
}

/* pinion run: a file, and more options behind it. */
static int
take_job(struct option_state *state, const struct option_scan *scan, struct err *err)
{
	struct option_scan rest = {.verb = scan->verb};
	size_t left = scan->count - scan->index;
	char *const *words = scan->words + scan->index;
	if (left == 0)
		return err_set(err, ERR_USAGE,
			       "which job? pinion run JOB.json, or - for stdin");
	if (option_scan(&rest, state->spec, words + 1, left - 1, err) == -1 ||
	    option_apply(state, rest.found, rest.found_count, err) == -1)
		return -1;
	if (rest.index < rest.count)
		return err_set(err, ERR_USAGE,
			       "'%.200s' is one word too many: pinion run takes one file",
			       rest.words[rest.index]);
	return state->outcome == OPTIONS_RUN ? job_read(state, words[0], err) : 0;
}

/* What to do with a spec that is complete. */
static enum options_outcome
settle_outcome(const struct option_state *state)
{
	if (state->outcome != OPTIONS_RUN)
		return state->outcome;
	if (state->is_print_wanted)
		return OPTIONS_PRINT;
	return state->is_check_wanted ? OPTIONS_CHECK : OPTIONS_RUN;
}

enum options_outcome
options_parse(struct spec *spec, int argc, char **argv, struct err *err)
{
	struct option_state state = {
	    .spec = spec, .outcome = OPTIONS_RUN, .value_sep = ":::", .file_sep = "::::"};
	const unsigned int verb = option_dialect_bit(spec->dialect);
	struct option_scan environment = {.verb = verb}, scan = {.verb = verb};
	if (option_scan(&scan, spec, argv, (size_t)argc, err) == -1)
		return OPTIONS_ERROR;
	if (spec->dialect == SPEC_PARALLEL && !has_plain(&scan) &&
	    apply_environment(&state, &environment, err) == -1)
		return OPTIONS_ERROR;
	if (option_apply(&state, scan.found, scan.found_count, err) == -1)
		return OPTIONS_ERROR;
	if (state.outcome == OPTIONS_RUN &&
	    (spec->dialect == SPEC_RUN
		 ? take_job(&state, &scan, err)
		 : complete_spec(&state, &environment, &scan, err)) == -1)
		return OPTIONS_ERROR;
	return settle_outcome(&state);
}

/* option_set.c: see option_set.h. */
#include "input/option_set.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "input/option_refuse.h"
#include "input/option_value.h"
#include "ipc/run_name.h"

static void *
field_at(struct option_state *state, const struct option_row *option)
{
	return (char *)state->spec + option->operand;
}

int
option_set_true(struct option_state *state, const struct option_row *option,
		const char *value, struct err *err)
{
	(void)value;
	(void)err;
	*(bool *)field_at(state, option) = true;
	return 0;
}

int
option_set_false(struct option_state *state, const struct option_row *option,
		 const char *value, struct err *err)
{
	(void)value;
	(void)err;
	*(bool *)field_at(state, option) = false;
	return 0;
}

int
option_set_string(struct option_state *state, const struct option_row *option,
		  const char *value, struct err *err)
{
	if (value[0] == '\0')
		return refuse(option, value, "empty: give it some text", err);
	*(const char **)field_at(state, option) = value;
	return 0;
}

int
option_set_name(struct option_state *state, const struct option_row *option,
		const char *value, struct err *err)
{
	if (!run_name_is_good(value))
		return refuse(
		    option, value,
		    "not a name: write up to 32 letters, digits and - _ . that begin "
		    "with a letter or digit",
		    err);
	state->spec->name = value;
	return 0;
}

int
option_set_directory(struct option_state *state, const struct option_row *option,
		     const char *value, struct err *err)
{
	struct stat status;
	if (strcmp(value, "...") == 0)
		return refuse(option, value, "for remote machines only: name a directory",
			      err);
	if (!state->spec->is_inherited &&
	    (stat(value, &status) == -1 || !S_ISDIR(status.st_mode)))
		return refuse(option, value,
			      "not a directory: make it first, or name another", err);
	*(const char **)field_at(state, option) = value;
	return 0;
}

int
option_set_size(struct option_state *state, const struct option_row *option,
		const char *value, struct err *err)
{
	if (value_count(value, field_at(state, option)) == -1)
		return refuse(option, value,
			      "not a size: write a number, or 100k, 64M, 2G", err);
	return 0;
}

/* A whole number from `least` on that fits a size_t. */
static int
read_count(const struct option_row *option, const char *value, size_t least,
	   size_t *count, struct err *err)
{
	uint64_t number;
	if (value_count(value, &number) == -1 || number > SIZE_MAX)
		return refuse(option, value, "not a number: write one like 8, 10k or 2M",
			      err);
	if (number < least)
		return refuse(option, value, "too small: the least is 1", err);
	*count = (size_t)number;
	return 0;
}

int
option_set_count(struct option_state *state, const struct option_row *option,
		 const char *value, struct err *err)
{
	return read_count(option, value, 1, field_at(state, option), err);
}

int
option_set_task_count(struct option_state *state, const struct option_row *option,
		      const char *value, struct err *err)
{
	size_t count = 0;
	if (read_count(option, value, 1, &count, err) == -1)
		return -1;
	*(uint64_t *)field_at(state, option) = count;
	return 0;
}

int
option_set_duration(struct option_state *state, const struct option_row *option,
		    const char *value, struct err *err)
{
	if (value_duration_ns(value, field_at(state, option)) == -1)
		return refuse(option, value,
			      "not a time: write seconds, or 90s, 1.5h, 1h30m", err);
	return 0;
}

int
option_note(struct option_state *state, const struct option_row *option,
	    const char *value, struct err *err)
{
	(void)value;
	(void)err;
	*(bool *)((char *)state + option->operand) = true;
	return 0;
}

int
option_ask(struct option_state *state, const struct option_row *option, const char *value,
	   struct err *err)
{
	(void)value;
	(void)err;
	state->outcome = (enum options_outcome)option->operand;
	return 0;
}

int
option_ignore(struct option_state *state, const struct option_row *option,
	      const char *value, struct err *err)
{
	(void)state;
	(void)option;
	(void)value;
	(void)err;
	return 0;
}

int
option_set_plain(struct option_state *state, const struct option_row *option,
		 const char *value, struct err *err)
{
	return option_ignore(state, option, value, err);
}

int
option_set_jobs(struct option_state *state, const struct option_row *option,
		const char *value, struct err *err)
{
	struct spec_jobs *jobs = &state->spec->jobs;
	struct stat status;
	if (spec_jobs_parse(jobs, value) == 0)
		return 0;
	if (!state->spec->is_inherited &&
	    (stat(value, &status) == -1 || S_ISDIR(status.st_mode) ||
	     access(value, R_OK) == -1))
		return refuse(
		    option, value,
		    "neither a number, N%, +N, -N, cores, threads nor a file that can be "
		    "read",
		    err);
	*jobs = (struct spec_jobs){.kind = SPEC_JOBS_FILE, .path = value};
	return 0;
}

static int
add_file(struct option_state *state, const struct option_row *option, const char *path,
	 const struct spec_input *input, struct err *err)
{
	if (path[0] == '\0')
		return refuse(option, path, "empty: name a file, or - for stdin", err);
	return spec_add_input(state->spec, input) == -1 ? err_no_memory(err) : 0;
}

int
option_set_arg_file(struct option_state *state, const struct option_row *option,
		    const char *value, struct err *err)
{
	struct spec_input input = {.kind = SPEC_INPUT_FILE, .path = value};
	return add_file(state, option, value, &input, err);
}

int
option_set_csv(struct option_state *state, const struct option_row *option,
	       const char *value, struct err *err)
{
	struct spec_input input = {.kind = SPEC_INPUT_CSV, .path = value, .separator = ','};
	return add_file(state, option, value, &input, err);
}

int
option_set_jsonl(struct option_state *state, const struct option_row *option,
		 const char *value, struct err *err)
{
	struct spec_input input = {.kind = SPEC_INPUT_JSONL, .path = value};
	return add_file(state, option, value, &input, err);
}

/* A name alone: tasks have it anyway. */
int
option_set_env(struct option_state *state, const struct option_row *option,
	       const char *value, struct err *err)
{
	if (value[0] == '=')
		return refuse(option, value, "no variable: write NAME=VALUE", err);
	if (strchr(value, '=') == NULL)
		return 0;
	return spec_add_env(state->spec, value) == -1 ? err_no_memory(err) : 0;
}

int
option_add_set(struct option_state *state, const char *text, struct err *err)
{
	const char **sets = spec_alloc(state->spec, (state->set_count + 1) * sizeof(*sets));
	char *copy = spec_alloc(state->spec, strlen(text) + 1);
	if (sets == NULL || copy == NULL)
		return err_no_memory(err);
	if (state->set_count > 0)
		memcpy(sets, state->sets, state->set_count * sizeof(*sets));
	sets[state->set_count++] = strcpy(copy, text);
	state->sets = sets;
	return 0;
}

int
option_set_set(struct option_state *state, const struct option_row *option,
	       const char *value, struct err *err)
{
	const char *equals = strchr(value, '=');
	if (equals == NULL || equals == value)
		return refuse(option, value,
			      "no key and value: write it like workers=2 or "
			      "inputs.glob='x/*.jpg'",
			      err);
	return option_add_set(state, value, err);
}

int
option_set_null(struct option_state *state, const struct option_row *option,
		const char *value, struct err *err)
{
	(void)option;
	(void)value;
	(void)err;
	state->spec->delimiter = '\0';
	return 0;
}

int
option_set_delimiter(struct option_state *state, const struct option_row *option,
		     const char *value, struct err *err)
{
	if (value_byte(value, &state->spec->delimiter) == -1)
		return refuse(
		    option,
		    value, "not one byte: write a single character, \\n, \\t, \\0, \\x2c or \\054",
		    err);
	return 0;
}

int
option_set_eof(struct option_state *state, const struct option_row *option,
	       const char *value, struct err *err)
{
	(void)option;
	(void)err;
	state->spec->end_of_input = value != NULL && value[0] != '\0' ? value : NULL;
	return 0;
}

int
option_set_header(struct option_state *state, const struct option_row *option,
		  const char *value, struct err *err)
{
	if (strcmp(value, ":") != 0 && strcmp(value, ".*\\n") != 0)
		return refuse(option, value, "not possible: write ':', the first line",
			      err);
	state->spec->has_header = true;
	return 0;
}

/* -n, -N: 0 means that the items are not put into the command. */
int
option_set_max_args(struct option_state *state, const struct option_row *option,
		    const char *value, struct err *err)
{
	if (read_count(option, value, 0, &state->spec->max_args, err) == -1)
		return -1;
	state->is_count_given = true;
	state->spec->is_valueless = state->spec->max_args == 0;
	return 0;
}

int
option_set_max_replace_args(struct option_state *state, const struct option_row *option,
			    const char *value, struct err *err)
{
	state->is_context_wanted = true;
	return option_set_max_args(state, option, value, err);
}

int
option_set_max_lines(struct option_state *state, const struct option_row *option,
		     const char *value, struct err *err)
{
	if (read_count(option, value, 0, &state->spec->max_lines, err) == -1)
		return -1;
	state->is_lines_given = true;
	state->is_context_wanted = true;
	state->spec->is_valueless = state->spec->max_lines == 0;
	return 0;
}

/* -l, where 0 and nothing mean 1. */
int
option_set_max_lines_old(struct option_state *state, const struct option_row *option,
			 const char *value, struct err *err)
{
	if (option_set_max_lines(state, option, value != NULL ? value : "1", err) == -1)
		return -1;
	if (state->spec->max_lines == 0)
		state->spec->max_lines = 1;
	state->spec->is_valueless = false;
	return 0;
}

int
option_set_trim(struct option_state *state, const struct option_row *option,
		const char *value, struct err *err)
{
	if (value_trim(value, &state->spec->trim) == -1)
		return refuse(option, value, "not one of n, l, r, lr, rl", err);
	state->is_trim_given = true;
	return 0;
}

int
option_set_value_sep(struct option_state *state, const struct option_row *option,
		     const char *value, struct err *err)
{
	if (value[0] == '\0')
		return refuse(option, value,
			      "empty: give the word to use in place of :::", err);
	state->value_sep = value;
	return 0;
}

int
option_set_file_sep(struct option_state *state, const struct option_row *option,
		    const char *value, struct err *err)
{
	if (value[0] == '\0')
		return refuse(option, value,
			      "empty: give the word to use in place of ::::", err);
	state->file_sep = value;
	return 0;
}

int
option_set_rpl_name(struct option_state *state, const struct option_row *option,
		    const char *value, struct err *err)
{
	if (value == NULL || strcmp(value, option->words) == 0)
		return 0;
	if (value[0] == '\0')
		return refuse(option, value, "empty: give the string to replace", err);
	return spec_add_rpl(state->spec, value, option->words) == -1 ? err_no_memory(err)
								     : 0;
}

int
option_set_rpl(struct option_state *state, const struct option_row *option,
	       const char *value, struct err *err)
{
	size_t name_length = strcspn(value, " \t\n");
	if (name_length == 0 || value[name_length] == '\0')
		return refuse(
		    option, value,
		    "not a tag, a blank and an edit: write it like '{base} s/_[0-9]*$//'",
		    err);
	char *name = spec_strdup(state->spec, value);
	if (name == NULL)
		return err_no_memory(err);
	name[name_length] = '\0';
	const char *edit = value + name_length + 1;
	return spec_add_rpl(state->spec, name, edit) == -1 ? err_no_memory(err) : 0;
}

int
option_set_tag(struct option_state *state, const struct option_row *option,
	       const char *value, struct err *err)
{
	(void)option;
	(void)value;
	(void)err;
	state->spec->tag = "{}";
	return 0;
}

int
option_set_tagstring(struct option_state *state, const struct option_row *option,
		     const char *value, struct err *err)
{
	(void)option;
	char *text = spec_strdup(state->spec, value);
	if (text == NULL)
		return err_no_memory(err);
	value_unescape_blanks(text);
	state->tag_text = text;
	return 0;
}

int
option_set_output_mode(struct option_state *state, const struct option_row *option,
		       const char *value, struct err *err)
{
	(void)value;
	(void)err;
	state->spec->output_mode = (enum spec_output_mode)option->operand;
	return 0;
}

int
option_set_json(struct option_state *state, const struct option_row *option,
		const char *value, struct err *err)
{
	(void)value;
	(void)err;
	state->spec->json = (enum spec_json)option->operand;
	return 0;
}

int
option_set_progress(struct option_state *state, const struct option_row *option,
		    const char *value, struct err *err)
{
	(void)value;
	(void)err;
	state->spec->progress = (enum spec_progress)option->operand;
	return 0;
}

int
option_set_bind(struct option_state *state, const struct option_row *option,
		const char *value, struct err *err)
{
	if (value_bind(value, &state->spec->bind) == -1)
		return refuse(option, value,
			      "not one of auto, core, share, pu, numa, none", err);
	return 0;
}

int
option_set_start_method(struct option_state *state, const struct option_row *option,
			const char *value, struct err *err)
{
	if (value_start_method(value, &state->spec->start_method) == -1)
		return refuse(option, value, "not one of fork, spawn, forkserver", err);
	return 0;
}

int
option_set_protocol(struct option_state *state, const struct option_row *option,
		    const char *value, struct err *err)
{
	static const char *const names[] = {[SPEC_PROTOCOL_LINE] = "line",
					    [SPEC_PROTOCOL_NUL] = "nul",
					    [SPEC_PROTOCOL_JSON] = "json",
					    [SPEC_PROTOCOL_COUNT] = "count"};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(value, names[i]) == 0) {
			state->spec->protocol = (enum spec_protocol)i;
			return 0;
		}
	}
	return refuse(option, value, "not one of line, nul, json, count", err);
}

int
option_set_jobserver(struct option_state *state, const struct option_row *option,
		     const char *value, struct err *err)
{
	static const struct {
		const char *name;
		enum spec_jobserver jobserver;
	} styles[] = {{"auto", SPEC_JOBSERVER_AUTO},
		      {"pipe", SPEC_JOBSERVER_PIPE},
		      {"fifo", SPEC_JOBSERVER_FIFO},
		      {"none", SPEC_JOBSERVER_NONE}};
	for (size_t i = 0; i < sizeof(styles) / sizeof(*styles); i++) {
		if (strcmp(value == NULL ? "auto" : value, styles[i].name) == 0) {
			state->spec->jobserver = styles[i].jobserver;
			return 0;
		}
	}
	return refuse(option, value, "not one of auto, pipe, fifo, none", err);
}

int
option_set_rounds(struct option_state *state, const struct option_row *option,
		  const char *value, struct err *err)
{
	size_t count = 0;
	if (read_count(option, value, 1, &count, err) == -1)
		return -1;
	if (count > OPTION_ROUNDS_MAX)
		return refuse(option, value, "too many: 100 at most", err);
	state->spec->round_count = count;
	return 0;
}

int
option_set_inflight(struct option_state *state, const struct option_row *option,
		    const char *value, struct err *err)
{
	size_t count = 0;
	if (read_count(option, value, 1, &count, err) == -1)
		return -1;
	if (count > OPTION_INFLIGHT_MAX)
		return refuse(option, value, "too many: 65536 at most", err);
	state->spec->inflight_count = count;
	return 0;
}

int
option_set_chunksize(struct option_state *state, const struct option_row *option,
		     const char *value, struct err *err)
{
	size_t count = 0;
	if (strcmp(value, "auto") != 0 && read_count(option, value, 1, &count, err) == -1)
		return -1;
	state->spec->chunk_count = count;
	return 0;
}

int
option_set_output(struct option_state *state, const struct option_row *option,
		  const char *value, struct err *err)
{
	if (value[0] == '\0')
		return refuse(option, value, "empty: name a file, such as {.}.png", err);
	return spec_add_output(state->spec, value) == -1 ? err_no_memory(err) : 0;
}

int
option_set_fsync(struct option_state *state, const struct option_row *option,
		 const char *value, struct err *err)
{
	static const char *const names[] = {
	    [SPEC_FSYNC_NONE] = "none", [SPEC_FSYNC_FILE] = "file", [SPEC_FSYNC_DIR] = "dir"};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(value, names[i]) == 0) {
			state->spec->fsync = (enum spec_fsync)i;
			return 0;
		}
	}
	return refuse(option, value, "not one of none, file, dir", err);
}

int
option_set_retries(struct option_state *state, const struct option_row *option,
		   const char *value, struct err *err)
{
	uint64_t count;
	if (value_count(value, &count) == -1 || count > UINT_MAX)
		return refuse(option, value,
			      "not a number of tries: write 3, or 0 for no limit", err);
	state->spec->max_attempts = count == 0 ? UINT_MAX : (unsigned int)count;
	return 0;
}

int
option_set_retry_on(struct option_state *state, const struct option_row *option,
		    const char *value, struct err *err)
{
	if (value_retry_on(value, &state->spec->retry_on) == -1)
		return refuse(
		    option, value,
		    "not a list of exit, signal, timeout, lost, memory, apart by commas, "
		    "or all",
		    err);
	return 0;
}

int
option_set_timeout(struct option_state *state, const struct option_row *option,
		   const char *value, struct err *err)
{
	struct spec_timeout timeout = {0};
	if (value_percent(value, &timeout.percent) == -1 &&
	    value_duration_ns(value, &timeout.ns) == -1)
		return refuse(option, value,
			      "not a time: write seconds, or 90s, 1.5h, 1h30m, or 200% "
			      "of the median "
			      "run time",
			      err);
	state->spec->timeout = timeout;
	return 0;
}

int
option_set_halt(struct option_state *state, const struct option_row *option,
		const char *value, struct err *err)
{
	if (value_halt(value, &state->spec->halt) == -1)
		return refuse(
		    option, value,
		    "not never, nor soon or now with ,fail=N ,success=N or ,done=N, "
		    "N from 1 or 1% to 100%",
		    err);
	return 0;
}

int
option_set_fail_fast(struct option_state *state, const struct option_row *option,
		     const char *value, struct err *err)
{
	(void)value;
	return option_set_halt(state, option, "now,fail=1", err);
}

int
option_set_termseq(struct option_state *state, const struct option_row *option,
		   const char *value, struct err *err)
{
	struct spec *spec = state->spec;
	if (value_term_steps(value, spec->term_steps, &spec->term_step_count) == -1)
		return refuse(
		    option, value,
		    "not a list of up to 16 signals with milliseconds: write it like "
		    "TERM,200,KILL,25",
		    err);
	return 0;
}

/* Where there are several the one that runs most counts, as GNU parallel has it. */
int
option_set_resume(struct option_state *state, const struct option_row *option,
		  const char *value, struct err *err)
{
	(void)value;
	(void)err;
	if ((size_t)state->spec->resume < option->operand)
		state->spec->resume = (enum spec_resume)option->operand;
	return 0;
}

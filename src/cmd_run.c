/*
 * cmd_run.c: pinion run: what a job file says, as map, feed or call would; and --check.
 *
 * --check opens what the job reads and compiles its templates, as a run does, and says what it
 * found; it does not touch stdin, and starts nothing.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "cmd.h"
#include "input/args.h"
#include "input/glob.h"
#include "input/range.h"
#include "pool/topology.h"
#include "task/template.h"

struct check {
	const struct spec *spec;
	struct buf text;
	struct args *args;
	struct template *command;
	struct template *tag;
};

static int
check_print(struct check *check, const char *title, const char *text)
{
	return buf_printf(&check->text, "%-10s%s\n", title, text);
}

/* --- inputs --- */

static int
check_count_files(const struct spec_input *input, size_t *count, struct err *err)
{
	struct glob_list list = {0};
	int status = glob_find(input, &list, err);
	*count = list.count;
	glob_fini(&list);
	return status;
}

static int
check_append_input(struct buf *text, const struct spec_input *input, struct err *err)
{
	size_t count = input->value_count;
	int status = 0;
	switch (input->kind) {
	case SPEC_INPUT_ARGS:
		status = buf_printf(text, "%zu value%s", count, count == 1 ? "" : "s");
		break;
	case SPEC_INPUT_FILE:
		status = buf_printf(text, "%s of %s", input->is_nul ? "items" : "lines",
				    input->path);
		break;
	case SPEC_INPUT_CSV:
		status = buf_printf(text, "CSV records of %s", input->path);
		break;
	case SPEC_INPUT_JSONL:
		status = buf_printf(text, "JSON lines of %s", input->path);
		break;
	case SPEC_INPUT_GLOB:
		if (check_count_files(input, &count, err) == -1)
			return -1;
		status = buf_printf(text, "%zu file%s", count, count == 1 ? "" : "s");
		break;
	case SPEC_INPUT_RANGE:
		status =
		    buf_printf(text, "%" PRIu64 " numbers", range_count(&input->range));
		break;
	}
	return status == -1 ? err_no_memory(err) : 0;
}

static int
check_append_inputs(const struct spec *spec, struct buf *text, struct err *err)
{
	if (spec->input_count == 0 && buf_append_str(text, "lines of stdin") == -1)
		return err_no_memory(err);
	for (size_t i = 0; i < spec->input_count; i++) {
		const char *between =
		    spec->inputs[i].is_linked ? ", in step with " : ", each with ";
		if (i > 0 && buf_append_str(text, between) == -1)
			return err_no_memory(err);
		if (check_append_input(text, &spec->inputs[i], err) == -1)
			return -1;
	}
	return 0;
}

static bool
check_reads_stdin(const struct spec *spec)
{
	bool reads = spec->input_count == 0;
	for (size_t i = 0; i < spec->input_count; i++)
		reads |= spec->inputs[i].path != NULL &&
			 strcmp(spec->inputs[i].path, "-") == 0;
	return reads;
}

/* --- what runs --- */

static int
check_print_executor(struct check *check, const struct spec *spec)
{
	static const char *const titles[] = {
	    [SPEC_SPAWN] = "command", [SPEC_COPROC] = "feed", [SPEC_PLUGIN] = "call"};
	bool is_command = spec->executor == SPEC_SPAWN;
	char **words = is_command ? spec->words : spec->program_words;
	size_t count = is_command ? spec->word_count : spec->program_word_count;
	if (count == 0)
		return check_print(check, titles[spec->executor], "each input is one");
	if (buf_printf(&check->text, "%-10s", titles[spec->executor]) == -1)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (buf_printf(&check->text, "%s%s", i > 0 ? " " : "", words[i]) == -1)
			return -1;
	return buf_append_char(&check->text, '\n');
}

static int
check_print_workers(struct check *check, const struct spec *spec, struct err *err)
{
	size_t pool_count = check->spec->stage_count > 0 ? check->spec->stage_count : 1;
	struct topology *topology = topology_new(err);
	if (topology == NULL)
		return -1;
	size_t count = topology_worker_count(topology, &spec->jobs, spec->dialect,
					     topology_worker_limit(pool_count), err);
	topology_free(topology);
	if (count == 0)
		return -1;
	return buf_printf(&check->text, "%-10s%zu\n", "workers", count) == -1
		   ? err_no_memory(err)
		   : 0;
}

/* The first task's command; nothing where there is none yet. */
static int
check_print_first(struct check *check, struct err *err)
{
	struct task *task;
	struct arg *args = NULL;
	size_t capacity = 0;
	int status = 0;
	args_set_template(check->args, check->command, 1);
	enum source_status source = source_next(args_source(check->args), 1, &task, err);
	if (source == SOURCE_ERROR)
		return -1;
	if (source == SOURCE_END)
		return check_print(check, "first", "none: there are no inputs") == -1
			   ? err_no_memory(err)
			   : 0;
	if (source == SOURCE_WAIT)
		return 0;
	if (task_unpack(task_bytes(task), task->packed_bytes, task->arg_count, &args,
			&capacity) == -1 ||
	    buf_printf(&check->text, "%-10s", "first") == -1) {
		status = err_no_memory(err);
	} else {
		const struct template_values values = {.slot = 1,
						       .args = args,
						       .arg_count = task->arg_count,
						       .column_count =
							   args_column_count(check->args)};
		status = template_append_line(check->command, &values, &check->text, err);
		if (status == 0 && buf_append_char(&check->text, '\n') == -1)
			status = err_no_memory(err);
	}
	free(args);
	free(task);
	return status;
}

/* Compiles what a run would; `names` are the columns'. */
static int
check_templates(struct check *check, const struct spec *spec, const struct arg *names,
		size_t name_count, struct err *err)
{
	template_free(check->command);
	check->command = template_new(spec, names, name_count, err);
	if (check->command == NULL)
		return -1;
	if (spec->tag == NULL)
		return 0;
	template_free(check->tag);
	check->tag = template_new_text(spec, spec->tag, names, name_count, err);
	return check->tag == NULL ? -1 : 0;
}

static int
check_step(struct check *check, const struct spec *spec, const struct arg *names,
	   size_t name_count, struct err *err)
{
	if (check_templates(check, spec, names, name_count, err) == -1 ||
	    check_print_workers(check, spec, err) == -1)
		return -1;
	if (check_print_executor(check, spec) == -1)
		return err_no_memory(err);
	return check->args == NULL || spec->stage_index > 0
		   ? 0
		   : check_print_first(check, err);
}

static int
check_stages(struct check *check, const struct arg *names, size_t name_count,
	     struct err *err)
{
	const struct spec *spec = check->spec;
	for (size_t i = 0; i < spec->stage_count; i++) {
		const char *name = spec->stages[i].name;
		if (buf_printf(&check->text, "\n%-10s%zu%s%s\n", "stage", i + 1,
			       name == NULL ? "" : ": ", name == NULL ? "" : name) == -1)
			return err_no_memory(err);
		if (check_step(check, &spec->stages[i], i == 0 ? names : NULL,
			       i == 0 ? name_count : 0, err) == -1)
			return -1;
	}
	return 0;
}

static int
check_job(struct check *check, struct err *err)
{
	const struct spec *spec = check->spec;
	const struct arg *names = NULL;
	size_t name_count = 0;
	const struct spec *first = spec->stage_count > 0 ? &spec->stages[0] : spec;
	if (spec->name != NULL && check_print(check, "name", spec->name) == -1)
		return err_no_memory(err);
	if (buf_printf(&check->text, "%-10s", "inputs") == -1)
		return err_no_memory(err);
	if (check_append_inputs(first, &check->text, err) == -1)
		return -1;
	if (buf_append_char(&check->text, '\n') == -1)
		return err_no_memory(err);
	if (!check_reads_stdin(first)) {
		check->args = args_open(first, err);
		if (check->args == NULL)
			return -1;
		names = args_names(check->args, &name_count);
	}
	if (spec->stage_count > 0)
		return check_stages(check, names, name_count, err);
	return check_step(check, spec, names, name_count, err);
}

int
cmd_check(const struct spec *spec, const struct diag *diag)
{
	struct check check = {.spec = spec};
	struct err err = {0};
	int status;
	if (check_job(&check, &err) == 0) {
		status = cmd_print(diag, &check.text, 0);
	} else {
		diag_err(diag, &err);
		status = err.kind == ERR_USAGE || err.kind == ERR_SYSTEM ? CMD_USAGE
									 : CMD_BROKEN;
	}
	args_close(check.args);
	template_free(check.command);
	template_free(check.tag);
	buf_fini(&check.text);
	return status;
}

int
cmd_run(int argc, char **argv)
{
	return cmd_tasks(SPEC_RUN, argc, argv, NULL);
}

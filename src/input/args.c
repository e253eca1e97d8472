/* args.c: see args.h. */
#include "input/args.h"

#include <stdlib.h>

#include "input/combine.h"
#include "input/group.h"
#include "input/rows.h"

struct args {
	struct source source; /* first: a struct source * is a struct args * */
	struct combine *combine;
	struct group *group;
	struct rows name_rows; /* one of each input source; owns the bytes of names */
	struct row names;
	size_t column_count;
};

static struct args *
args_of(struct source *source)
{
	return (struct args *)source;
}

static enum source_status
args_next(struct source *source, uint32_t count_max, struct task **task, struct err *err)
{
	return group_next(args_of(source)->group, count_max, task, err);
}

static int
args_wait_fd(const struct source *source)
{
	return combine_fd(((const struct args *)source)->combine);
}

static void
args_free(struct source *source)
{
	args_close(args_of(source));
}

static const struct source_ops args_ops = {
    .next = args_next,
    .wait_fd = args_wait_fd,
    .free = args_free,
};

static int
args_read_names(struct args *args, struct err *err)
{
	for (size_t i = 0; i < args->name_rows.count; i++)
		if (rows_append(&args->name_rows, i, &args->names) == -1)
			return err_no_memory(err);
	return 0;
}

static size_t
args_count_columns(const struct args *args, const struct spec *spec)
{
	if (args->names.count > 0)
		return args->names.count;
	if (spec->colsep != NULL)
		return 0;
	for (size_t i = 0; i < spec->input_count; i++)
		if (spec->inputs[i].kind == SPEC_INPUT_CSV)
			return 0;
	return spec->input_count > 0 ? spec->input_count : 1;
}

struct args *
args_open(const struct spec *spec, struct err *err)
{
	struct args *args = calloc(1, sizeof(*args));
	if (args == NULL) {
		err_no_memory(err);
		return NULL;
	}
	args->source.ops = &args_ops;
	args->combine = combine_open(spec, &args->name_rows, err);
	if (args->combine == NULL)
		goto close_args;
	args->group = group_new(spec, args->combine, err);
	if (args->group == NULL || args_read_names(args, err) == -1)
		goto close_args;
	args->column_count = args_count_columns(args, spec);
	return args;

close_args:
	args_close(args);
	return NULL;
}

const struct arg *
args_names(const struct args *args, size_t *count)
{
	*count = args->names.count;
	return args->names.args;
}

size_t
args_column_count(const struct args *args)
{
	return args->column_count;
}

void
args_set_template(struct args *args, const struct template *template, size_t worker_count)
{
	group_set_template(args->group, template, worker_count);
}

struct source *
args_source(struct args *args)
{
	return &args->source;
}

void
args_close(struct args *args)
{
	if (args == NULL)
		return;
	group_free(args->group);
	combine_close(args->combine);
	row_fini(&args->names);
	rows_fini(&args->name_rows);
	free(args);
}

/* uptodate.c: see uptodate.h. */
#include "record/uptodate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/draft.h"
#include "task/override.h"
#include "task/stamp.h"

/* Where a task's outputs are. */
struct uptodate {
	const struct spec *spec;
	const struct template *template;
	size_t column_count;
	struct buf folder; /* of the task, with a slash, from where we are */
	struct buf path;   /* scratch */
};

struct uptodate_history {
	struct history history;
	struct uptodate uptodate;
	struct stamp stamp;
};

struct uptodate_sink {
	struct sink sink;
	struct uptodate uptodate;
	struct arg *args; /* scratch */
	size_t arg_capacity;
};

static struct uptodate
uptodate_of(const struct records_config *config)
{
	return (struct uptodate){.spec = config->spec,
				 .template = config->command,
				 .column_count = config->column_count};
}

static void
uptodate_fini(struct uptodate *self)
{
	buf_fini(&self->folder);
	buf_fini(&self->path);
}

static int
uptodate_enter(struct uptodate *self, const struct arg *overrides, struct err *err)
{
	buf_clear(&self->folder);
	if (override_append_folder(overrides, self->spec->work_dir, &self->folder) == -1 ||
	    buf_str(&self->folder) == NULL)
		return err_no_memory(err);
	return 0;
}

/* The name of one output as we see it: our folder need not be that of the tasks. */
static const char *
uptodate_path(struct uptodate *self, size_t index, const struct template_values *values,
	      struct err *err)
{
	struct buf *path = &self->path;
	size_t at = self->folder.length;
	buf_clear(path);
	if (buf_append(path, self->folder.bytes, at) == -1) {
		err_no_memory(err);
		return NULL;
	}
	if (template_append_output(self->template, index, values, path, err) == -1)
		return NULL;
	if (buf_str(path) == NULL) {
		err_no_memory(err);
		return NULL;
	}
	return path->bytes + (path->bytes[at] == '/' ? at : 0);
}

/* What dead ones have left of any of a task's outputs. */
static int
uptodate_clear(struct uptodate *self, const struct template_values *values, struct err *err)
{
	for (size_t i = 0; i < self->spec->output_count; i++) {
		const char *path = uptodate_path(self, i, values, err);
		if (path == NULL)
			return -1;
		draft_clear(path);
	}
	return 0;
}

/* --- the history --- */

/* 1: it is as the task would make it; 0; -1 and err. The stamp is taken for the first. */
static int
uptodate_has_output(struct uptodate_history *self, size_t index,
		    const struct template_values *values, struct err *err)
{
	struct uptodate *uptodate = &self->uptodate;
	struct stat status;
	const char *path = uptodate_path(uptodate, index, values, err);
	if (path == NULL)
		return -1;
	if (lstat(path, &status) == -1)
		return 0;
	const struct arg overrides = override_of_args(uptodate->spec, values->args);
	if (index == 0 && stamp_take(&self->stamp, uptodate->template, values, &overrides,
				     uptodate->folder.bytes, err) == -1)
		return -1;
	return stamp_is_true(&self->stamp, path, &status);
}

static int
uptodate_has(struct history *history, uint64_t seq, const struct arg *args,
	     size_t arg_count, struct err *err)
{
	struct uptodate_history *self = (struct uptodate_history *)history;
	struct uptodate *uptodate = &self->uptodate;
	struct template_values values = {.seq = seq,
					 .args = args,
					 .arg_count = arg_count,
					 .column_count = uptodate->column_count};
	const struct arg overrides = override_of_args(uptodate->spec, args);
	int has = 1;
	if (uptodate_enter(uptodate, &overrides, err) == -1)
		return -1;
	for (size_t i = 0; has == 1 && i < uptodate->spec->output_count; i++)
		has = uptodate_has_output(self, i, &values, err);
	if (has == 1 && !uptodate->spec->is_dry_run &&
	    uptodate_clear(uptodate, &values, err) == -1)
		return -1;
	return has;
}

static void
uptodate_history_free(struct history *history)
{
	struct uptodate_history *self = (struct uptodate_history *)history;
	uptodate_fini(&self->uptodate);
	free(self);
}

static const struct history_ops uptodate_history_ops = {
    .has = uptodate_has,
    .free = uptodate_history_free,
};

struct history *
uptodate_history_new(const struct records_config *config, struct err *err)
{
	struct uptodate_history *self = calloc(1, sizeof(*self));
	if (self == NULL) {
		err_no_memory(err);
		return NULL;
	}
	self->history.ops = &uptodate_history_ops;
	self->uptodate = uptodate_of(config);
	self->stamp.run = config->run_name;
	return &self->history;
}

/* --- the sink --- */

static int
uptodate_failed(struct sink *sink, const struct task *task, const struct result *result,
		struct err *err)
{
	struct uptodate_sink *self = (struct uptodate_sink *)sink;
	if (result_is_success(result) || result->reason == RESULT_SKIPPED)
		return 0;
	if (task_unpack(task_bytes(task), task->packed_bytes, task->arg_count,
			&self->args, &self->arg_capacity) == -1)
		return err_no_memory(err);
	struct template_values values = {.seq = task->seq,
					 .slot = result->slot,
					 .args = self->args,
					 .arg_count = task->arg_count,
					 .column_count = self->uptodate.column_count};
	const struct arg overrides = override_of_args(self->uptodate.spec, self->args);
	if (uptodate_enter(&self->uptodate, &overrides, err) == -1)
		return -1;
	return uptodate_clear(&self->uptodate, &values, err);
}

static void
uptodate_sink_free(struct sink *sink)
{
	struct uptodate_sink *self = (struct uptodate_sink *)sink;
	uptodate_fini(&self->uptodate);
	free(self->args);
	free(self);
}

static const struct sink_ops uptodate_sink_ops = {
    .retried = uptodate_failed,
    .settled = uptodate_failed,
    .free = uptodate_sink_free,
};

struct sink *
uptodate_sink_new(const struct records_config *config, struct err *err)
{
	struct uptodate_sink *self = calloc(1, sizeof(*self));
	if (self == NULL) {
		err_no_memory(err);
		return NULL;
	}
	self->sink.ops = &uptodate_sink_ops;
	self->uptodate = uptodate_of(config);
	return &self->sink;
}

/* results.c: see results.h. */
#include "record/results.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/seqmap.h"
#include "ipc/spill.h"
#include "record/results_path.h"
#include "record/results_rows.h"
#include "record/results_table.h"
#include "record/results_tree.h"

/* What a task has printed so far. */
struct kept {
	struct held *streams[RESULT_STREAMS];
	struct results_note notes[RESULT_STREAMS];
};

struct results {
	struct sink sink;
	struct results_config config;
	bool is_tree;
	bool has_table;
	struct results_path *path; /* is_tree */
	struct results_tree tree;
	struct results_name name;
	struct results_rows rows;   /* not is_tree */
	struct results_table table; /* has_table */
	const struct task *task;    /* whose record is being put */
	struct seqmap kept;         /* of struct kept *, by seq */
	struct spill spill;
	struct buf command; /* scratch */
	struct arg *args;   /* scratch */
	size_t arg_capacity;
};

static struct results *
results_of(struct sink *sink)
{
	return (struct results *)sink; /* its first member */
}

/* --- what tasks print --- */

static struct kept *
results_find(const struct results *results, uint64_t seq)
{
	const uint64_t *found = seqmap_find(&results->kept, seq);
	return found == NULL ? NULL : (struct kept *)(uintptr_t)*found;
}

static struct kept *
results_add(struct results *results, uint64_t seq)
{
	struct kept *kept = results_find(results, seq);
	if (kept != NULL)
		return kept;
	kept = calloc(1, sizeof(*kept));
	if (kept != NULL &&
	    seqmap_set(&results->kept, seq, (uint64_t)(uintptr_t)kept) == -1) {
		free(kept);
		return NULL;
	}
	return kept;
}

static void
results_free_kept(struct results *results, struct kept *kept)
{
	for (int i = 0; i < RESULT_STREAMS; i++)
		held_free(&results->spill, kept->streams[i]);
	free(kept);
}

static void
results_forget(struct results *results, uint64_t seq)
{
	struct kept *kept = results_find(results, seq);
	if (kept == NULL)
		return;
	results_free_kept(results, kept);
	seqmap_remove(&results->kept, seq);
}

static int
results_output(struct sink *sink, const struct task *task, enum result_stream stream,
	       const char *bytes, size_t length, struct err *err)
{
	struct results *results = results_of(sink);
	if (length == 0)
		return 0;
	struct kept *kept = results_add(results, task->seq);
	if (kept == NULL)
		return err_no_memory(err);
	if (!results->is_tree)
		results_note_take(&kept->notes[stream], results->rows.format, bytes,
				  length);
	return held_append(&results->spill, &kept->streams[stream], bytes, length, err);
}

static int
results_retried(struct sink *sink, const struct task *task, const struct result *result,
		struct err *err)
{
	(void)result;
	(void)err;
	results_forget(results_of(sink), task->seq);
	return 0;
}

/* --- what is written of them --- */

static bool
results_is_kept(const struct results *results, const struct result *result)
{
	switch ((enum result_reason)result->reason) {
	case RESULT_CANCELLED:
	case RESULT_SKIPPED:
		return false;
	case RESULT_LOST:
		return !results->is_tree;
	case RESULT_EXIT:
	case RESULT_SIGNAL:
	case RESULT_TIMEOUT:
	case RESULT_CANNOT_EXECUTE:
	case RESULT_NO_ANSWER:
	case RESULT_NO_OUTPUT:
	case RESULT_MEMORY:
	case RESULT_REASONS:
		break;
	}
	return true;
}

static int
results_put_tree(struct results *results, const struct template_values *values,
		 struct kept *kept, struct err *err)
{
	if (results_path_find(results->path, values, results->tree.name_max,
			      &results->name, err) == -1)
		return -1;
	return results_tree_put(&results->tree, &results->name, &results->spill,
				kept->streams, values->seq, err);
}

static int
results_put_row(struct results *results, const struct task *task,
		const struct template_values *values, const struct result *result,
		struct kept *kept, struct err *err)
{
	struct result told = *result;
	const struct template_values visible =
	    template_values_visible(values, results->config.spec->hidden_count);
	struct results_row row = {
	    .seq = task->seq,
	    .attempt = result_attempts(result, task->attempt),
	    .result = &told,
	    .args = visible.args,
	    .arg_count = visible.arg_count,
	    .notes = kept->notes,
	};
	if (told.started_real_ns == 0) /* it never ran */
		told.started_real_ns = clock_real_ns();
	memcpy(row.streams, kept->streams, sizeof(row.streams));
	buf_clear(&results->command);
	if (template_append_line(results->config.command, values, &results->command,
				 err) == -1)
		return -1;
	row.command = results->command.bytes;
	row.command_length = results->command.length;
	results->task = task;
	return results_rows_put(&results->rows, &row, err);
}

static int
results_put(struct results *results, const struct task *task, const struct result *result,
	    struct err *err)
{
	struct kept nothing = {0};
	struct kept *kept = results_find(results, task->seq);
	if (kept == NULL)
		kept = &nothing;
	if (task_unpack(task_bytes(task), task->packed_bytes, task->arg_count,
			&results->args, &results->arg_capacity) == -1)
		return err_no_memory(err);
	const struct template_values values = {
	    .seq = task->seq,
	    .slot = result->slot,
	    .args = results->args,
	    .arg_count = task->arg_count,
	    .column_count = results->config.column_count,
	};
	if (results->is_tree)
		return results_put_tree(results, &values, kept, err);
	return results_put_row(results, task, &values, result, kept, err);
}

static int
results_settled(struct sink *sink, const struct task *task, const struct result *result,
		struct err *err)
{
	struct results *results = results_of(sink);
	int status = 0;
	if (results_is_kept(results, result))
		status = results_put(results, task, result, err);
	if (status == 0 && results->has_table)
		results_table_end_record(&results->table);
	results_forget(results, task->seq);
	return status;
}

static int
results_finish(struct sink *sink, struct err *err)
{
	struct results *results = results_of(sink);
	return results->has_table ? results_table_finish(&results->table, err) : 0;
}

static void
results_free(struct sink *sink)
{
	struct results *results = results_of(sink);
	size_t cursor = 0;
	uint64_t seq, kept;
	while (seqmap_next(&results->kept, &cursor, &seq, &kept))
		results_free_kept(results, (struct kept *)(uintptr_t)kept);
	seqmap_fini(&results->kept);
	results_tree_close(&results->tree);
	results_table_close(&results->table);
	results_path_free(results->path);
	results_name_fini(&results->name);
	results_rows_fini(&results->rows);
	spill_fini(&results->spill);
	buf_fini(&results->command);
	free(results->args);
	free(results);
}

static const struct sink_ops results_ops = {
    .is_record = true,
    .output = results_output,
    .retried = results_retried,
    .settled = results_settled,
    .finish = results_finish,
    .free = results_free,
};

/* --- opening --- */

bool
results_is_folder(const struct spec *spec)
{
	return results_rows_format(spec->results) == -1;
}

bool
results_is_on_stdout(const struct spec *spec)
{
	return spec->results[0] == '-' && spec->results[1] == '.' &&
	       !results_is_folder(spec);
}

static int
results_put_table(void *context, const char *bytes, size_t length, struct err *err)
{
	struct results *results = context;
	return results_table_put(&results->table, bytes, length, err);
}

static int
results_put_output(void *context, const char *bytes, size_t length, struct err *err)
{
	struct results *results = context;
	struct sink *output = results->config.output;
	return output->ops->output(output, results->task, RESULT_STDOUT, bytes, length,
				   err);
}

/* In csv: as many columns of values as each task has, where that is known; else as the first has. */
static size_t
results_value_columns(const struct results_config *config)
{
	const struct spec *spec = config->spec;
	if (spec->is_valueless)
		return 0;
	if (spec->group == SPEC_GROUP_ONE)
		return config->column_count;
	return spec->group == SPEC_GROUP_COUNT ? config->column_count * spec->max_args : 0;
}

static void
results_set_rows(struct results *results, enum results_format format)
{
	results->rows = (struct results_rows){
	    .format = format,
	    .names = results->config.names,
	    .name_count = results->config.name_count,
	    .value_columns = results_value_columns(&results->config),
	    .has_commands = results->config.spec->executor == SPEC_SPAWN,
	    .spill = &results->spill,
	    .put = results_put_table,
	    .context = results,
	};
}

static int
results_open_table(struct results *results, enum results_format format, struct err *err)
{
	const struct spec *spec = results->config.spec;
	if (results_table_open(&results->table, spec->results, format,
			       spec->resume != SPEC_RESUME_NOTHING, err) == -1)
		return -1;
	results->has_table = true;
	results_set_rows(results, format);
	if (results->table.has_header) {
		results->rows.has_header = true;
		results->rows.value_columns = results->table.value_columns;
	}
	return 0;
}

static int
results_open_tree(struct results *results, struct err *err)
{
	const struct results_config *config = &results->config;
	results->is_tree = true;
	results->path = results_path_new(config->spec, config->names, config->name_count,
					 config->column_count, err);
	if (results->path == NULL)
		return -1;
	return results_tree_open(&results->tree, results_path_folder(results->path), err);
}

/*
 * Which record comes first in the output is not known before it is there, so the header is in
 * front of all, and where the columns are not known there is one for all values.
 */
static int
results_open_output(struct results *results, enum results_format format, struct err *err)
{
	results_set_rows(results, format);
	results->rows.put = results_put_output;
	if (results->rows.value_columns == 0 && !results->config.spec->is_valueless)
		results->rows.value_columns = 1;
	if (results_rows_begin(&results->rows) == -1)
		return err_no_memory(err);
	if (io_write_all(STDOUT_FILENO, results->rows.text.bytes,
			 results->rows.text.length) == -1)
		return err_errno(err, "cannot write to stdout");
	return 0;
}

static int
results_open(struct results *results, struct err *err)
{
	int format = results_rows_format(results->config.spec->results);
	if (format == -1)
		return results_open_tree(results, err);
	if (results->config.output != NULL)
		return results_open_output(results, (enum results_format)format, err);
	return results_open_table(results, (enum results_format)format, err);
}

struct sink *
results_new(const struct results_config *config, struct err *err)
{
	const struct spec *spec = config->spec;
	struct results *results = calloc(1, sizeof(*results));
	if (results == NULL) {
		err_no_memory(err);
		return NULL;
	}
	results->sink.ops = &results_ops;
	results->config = *config;
	results->tree.folder_fd = -1;
	results->table.fd = -1;
	spill_init(&results->spill, spill_folder(spec->tmp_dir), spec->buffer_bytes, NULL);
	if (results_open(results, err) == 0)
		return &results->sink;
	results_free(&results->sink);
	return NULL;
}

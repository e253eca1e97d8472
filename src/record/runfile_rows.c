/* runfile_rows.c: see runfile_rows.h. */
#include "record/runfile_rows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/seqmap.h"
#include "record/hidden.h"
#include "record/reason.h"
#include "record/words.h"

#define INLINE_MAX 2048             /* bytes of a stream in the task's own row */
#define PART_BYTES (128 * 1024)     /* of a stream in a row of `output` */
#define KEPT_MAX (16 * 1024 * 1024) /* of all streams before they get rows */

static const char insert_task_sql[] =
    "INSERT INTO task (" RUNFILE_TASK_COLUMNS ") VALUES"
    " (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";
static const char insert_output_sql[] =
    "INSERT INTO output (task_id, stream, bytes) VALUES (?, ?, ?)";
static const char delete_output_sql[] = "DELETE FROM output WHERE task_id = ?";

/* A task that has written something and not yet settled. */
struct unsettled {
	int64_t id; /* the one that its row will have; 0: not chosen yet */
	struct buf kept[RESULT_STREAMS];
	bool has_rows[RESULT_STREAMS];
};

struct rows_stage {
	struct rows_stage_config config;
	struct identity command;
	struct seqmap unsettled; /* seq to struct unsettled * */
};

struct rows {
	struct rows_config config;
	struct rows_stage *stages;
	struct rows_stage *stage; /* the one at hand */
	int64_t next_id;
	bool is_open;
	sqlite3_stmt *insert_task;
	sqlite3_stmt *insert_output;
	sqlite3_stmt *delete_output;
	size_t kept_bytes;
	struct arg *args;
	size_t arg_capacity;
	struct command argv;
	struct buf inputs_column;
	struct buf overrides_column;
	struct buf argv_column;
	struct buf words; /* of struct arg: argv */
};

/* --- transactions --- */

static int
rows_begin(struct rows *rows, struct err *err)
{
	if (rows->is_open)
		return 0;
	if (runfile_db_exec(rows->config.db, "BEGIN IMMEDIATE", err) == -1)
		return -1;
	rows->is_open = true;
	return 0;
}

int
rows_commit(struct rows *rows, struct err *err)
{
	if (!rows->is_open)
		return 0;
	rows->is_open = false;
	return runfile_db_exec(rows->config.db, "COMMIT", err);
}

/* --- output --- */

static struct unsettled *
rows_find(const struct rows *rows, uint64_t seq)
{
	const uint64_t *found = seqmap_find(&rows->stage->unsettled, seq);
	return found == NULL ? NULL : (struct unsettled *)(uintptr_t)*found;
}

static struct unsettled *
rows_find_or_add(struct rows *rows, uint64_t seq, struct err *err)
{
	struct unsettled *task = rows_find(rows, seq);
	if (task != NULL)
		return task;
	task = calloc(1, sizeof(*task));
	if (task == NULL ||
	    seqmap_set(&rows->stage->unsettled, seq, (uint64_t)(uintptr_t)task) == -1) {
		free(task);
		err_no_memory(err);
		return NULL;
	}
	return task;
}

static void
rows_free_unsettled(struct rows *rows, struct unsettled *task)
{
	for (int stream = 0; stream < RESULT_STREAMS; stream++) {
		rows->kept_bytes -= task->kept[stream].length;
		buf_fini(&task->kept[stream]);
	}
	free(task);
}

static int
rows_insert_output(struct rows *rows, int64_t task_id, int stream, const char *bytes,
		   size_t length, struct err *err)
{
	const struct sqlite_late *sqlite = &rows->config.db->sqlite;
	sqlite3_stmt *insert = rows->insert_output;
	if (rows_begin(rows, err) == -1)
		return -1;
	sqlite->bind_int64(insert, 1, task_id);
	sqlite->bind_int64(insert, 2, stream + 1);
	sqlite->bind_blob64(insert, 3, bytes, length, SQLITE_STATIC);
	return runfile_db_step(rows->config.db, insert, err);
}

/* Writes what is kept of a stream. */
static int
rows_write_kept(struct rows *rows, struct unsettled *task, int stream, struct err *err)
{
	struct buf *kept = &task->kept[stream];
	if (kept->length == 0)
		return 0;
	if (task->id == 0)
		task->id = rows->next_id++;
	if (rows_insert_output(rows, task->id, stream, kept->bytes, kept->length, err) == -1)
		return -1;
	task->has_rows[stream] = true;
	rows->kept_bytes -= kept->length;
	buf_fini(kept);
	return 0;
}

int
rows_output(struct rows *rows, const struct wire_output *output, const char *bytes,
	    size_t length, struct err *err)
{
	struct unsettled *task = rows_find_or_add(rows, output->seq, err);
	if (task == NULL)
		return -1;
	struct buf *kept = &task->kept[output->stream];
	if (buf_append(kept, bytes, length) == -1)
		return err_no_memory(err);
	rows->kept_bytes += length;
	if (kept->length < PART_BYTES && rows->kept_bytes < KEPT_MAX)
		return 0;
	return rows_write_kept(rows, task, (int)output->stream, err);
}

/* Takes back what was written of a task's output. */
static int
rows_delete_output(struct rows *rows, const struct unsettled *task, struct err *err)
{
	if (!task->has_rows[RESULT_STDOUT] && !task->has_rows[RESULT_STDERR])
		return 0;
	if (rows_begin(rows, err) == -1)
		return -1;
	rows->config.db->sqlite.bind_int64(rows->delete_output, 1, task->id);
	return runfile_db_step(rows->config.db, rows->delete_output, err);
}

int
rows_retried(struct rows *rows, const struct wire_output *output, struct err *err)
{
	struct unsettled *task = rows_find(rows, output->seq);
	if (task == NULL)
		return 0;
	int status = rows_delete_output(rows, task, err);
	seqmap_remove(&rows->stage->unsettled, output->seq);
	rows_free_unsettled(rows, task);
	return status;
}

static int
rows_end_stage(struct rows *rows, const struct rows_stage *stage, struct err *err)
{
	uint64_t seq, value;
	for (size_t cursor = 0; seqmap_next(&stage->unsettled, &cursor, &seq, &value);)
		if (rows_delete_output(rows, (struct unsettled *)(uintptr_t)value, err) ==
		    -1)
			return -1;
	return 0;
}

int
rows_end(struct rows *rows, struct err *err)
{
	for (size_t i = 0; i < rows->config.stage_count; i++)
		if (rows_end_stage(rows, &rows->stages[i], err) == -1)
			return -1;
	return 0;
}

/* --- the row of a task --- */

/* Its place in the statement. */
static int
rows_place(enum runfile_task_column column)
{
	return (int)column + 1;
}

static void
rows_bind(struct rows *rows, enum runfile_task_column column, int64_t number)
{
	rows->config.db->sqlite.bind_int64(rows->insert_task, rows_place(column), number);
}

static void
rows_bind_if(struct rows *rows, enum runfile_task_column column, bool is_known,
	     int64_t number)
{
	if (is_known)
		rows_bind(rows, column, number);
	else
		rows->config.db->sqlite.bind_null(rows->insert_task, rows_place(column));
}

static void
rows_bind_column(struct rows *rows, enum runfile_task_column column,
		 const struct buf *value, bool is_text)
{
	const struct sqlite_late *sqlite = &rows->config.db->sqlite;
	if (is_text)
		sqlite->bind_text64(rows->insert_task, rows_place(column), value->bytes,
				    value->length, SQLITE_STATIC, SQLITE_UTF8);
	else
		sqlite->bind_blob64(rows->insert_task, rows_place(column), value->bytes,
				    value->length, SQLITE_STATIC);
}

static void
rows_bind_reason(struct rows *rows, const struct result *result)
{
	const char *reason = reason_word(result->reason);
	rows->config.db->sqlite.bind_text64(rows->insert_task, COLUMN_REASON + 1, reason,
					    strlen(reason), SQLITE_STATIC, SQLITE_UTF8);
}

static void
rows_bind_result(struct rows *rows, const struct result *result)
{
	bool has_ended = result->reason == RESULT_EXIT;
	bool has_run = result->started_real_ns != 0;
	bool has_process = result->pid != 0;
	bool is_measured = has_process && rows->stage->config.spec->executor == SPEC_SPAWN;
	rows_bind_reason(rows, result);
	rows_bind_if(rows, COLUMN_EXIT, has_ended || result->exit_status != 0,
		     result->exit_status);
	rows_bind_if(rows, COLUMN_SIGNAL, result->signal != 0, result->signal);
	rows_bind_if(rows, COLUMN_ERRNO, result->errno_value != 0, result->errno_value);
	rows_bind_if(rows, COLUMN_STARTED, has_run, result->started_real_ns);
	rows_bind_if(rows, COLUMN_WALL, has_run, result->wall_ns);
	rows_bind_if(rows, COLUMN_USER, is_measured, result->user_ns);
	rows_bind_if(rows, COLUMN_SYS, is_measured, result->sys_ns);
	rows_bind_if(rows, COLUMN_MAXRSS, is_measured, result->maxrss_bytes);
	rows_bind_if(rows, COLUMN_WORKER, has_run, result->worker);
	rows_bind_if(rows, COLUMN_SLOT, has_run, result->slot);
	rows_bind_if(rows, COLUMN_CPU, result->cpu != -1, result->cpu);
	rows_bind_if(rows, COLUMN_PID, has_process, result->pid);
	rows_bind(rows, COLUMN_STDOUT_BYTES, (int64_t)result->stdout_bytes);
	rows_bind(rows, COLUMN_STDERR_BYTES, (int64_t)result->stderr_bytes);
}

/* What was executed; a task that was fed or called has none, nor one with a NUL byte. */
static int
rows_bind_argv(struct rows *rows, uint64_t seq, uint32_t slot, uint32_t arg_count,
	       struct err *err)
{
	struct command *argv = &rows->argv;
	struct template_values values = {.seq = seq,
					 .slot = slot,
					 .args = rows->args,
					 .arg_count = arg_count,
					 .column_count = rows->stage->config.column_count};
	bool is_text;
	rows_bind_if(rows, COLUMN_ARGV, false, 0);
	if (rows->stage->config.spec->executor != SPEC_SPAWN)
		return 0;
	if (template_expand(rows->stage->config.command, &values, argv, err) == -1)
		return -1;
	if (argv->has_nul)
		return 0;
	buf_clear(&rows->words);
	for (size_t i = 0; i < argv->argc; i++) {
		struct arg word = {argv->argv[i], strlen(argv->argv[i])};
		if (buf_append(&rows->words, &word, sizeof(word)) == -1)
			return err_no_memory(err);
	}
	buf_clear(&rows->argv_column);
	if (words_append(&rows->argv_column, (struct arg *)(void *)rows->words.bytes,
			 argv->argc, &is_text) == -1)
		return err_no_memory(err);
	rows_bind_column(rows, COLUMN_ARGV, &rows->argv_column, is_text);
	return 0;
}

/* The values that the user sees as the task's; and what else came with them. */
static int
rows_bind_inputs(struct rows *rows, uint32_t arg_count)
{
	const struct spec *spec = rows->stage->config.spec;
	uint32_t hidden = spec->hidden_count;
	struct buf *overrides = &rows->overrides_column;
	bool is_text;
	buf_clear(&rows->inputs_column);
	if (words_append(&rows->inputs_column, rows->args + hidden, arg_count - hidden,
			 &is_text) == -1)
		return -1;
	rows_bind_column(rows, COLUMN_INPUTS, &rows->inputs_column, is_text);
	rows_bind_if(rows, COLUMN_OVERRIDES, false, 0);
	buf_clear(overrides);
	if (hidden > 0 && hidden_append(overrides, spec, rows->args, &is_text) == -1)
		return -1;
	if (overrides->length > 0)
		rows_bind_column(rows, COLUMN_OVERRIDES, overrides, is_text);
	return 0;
}

/* Binds what is the task's own, but for what it wrote. Its values are in rows->args. */
static int
rows_bind_task(struct rows *rows, int64_t id, uint64_t seq, uint32_t arg_count,
	       const struct result *result, struct identity *identity, struct err *err)
{
	const struct spec *spec = rows->stage->config.spec;
	*identity = identity_of_task(&rows->stage->command, spec, rows->args, arg_count);
	rows_bind(rows, COLUMN_ID, id);
	rows_bind(rows, COLUMN_RUN_ID, rows->config.run_id);
	rows_bind_if(rows, COLUMN_STAGE, spec->job != NULL, (int64_t)spec->stage_index);
	rows_bind(rows, COLUMN_SEQ, (int64_t)seq);
	rows->config.db->sqlite.bind_blob64(rows->insert_task, COLUMN_IDENTITY + 1,
					    identity, sizeof(*identity), SQLITE_STATIC);
	rows_bind_result(rows, result);
	if (rows_bind_inputs(rows, arg_count) == -1)
		return err_no_memory(err);
	return rows_bind_argv(rows, seq, result->slot, arg_count, err);
}

/* What a stream wrote: into the row where it is short, NULL where there is none or it has rows. */
static int
rows_bind_stream(struct rows *rows, int64_t id, int stream, const char *bytes,
		 size_t length, bool has_rows, struct err *err)
{
	enum runfile_task_column column =
	    stream == RESULT_STDOUT ? COLUMN_STDOUT : COLUMN_STDERR;
	if (length > 0 && length <= INLINE_MAX && !has_rows) {
		rows->config.db->sqlite.bind_blob64(rows->insert_task, rows_place(column),
						    bytes, length, SQLITE_STATIC);
		return 0;
	}
	rows_bind_if(rows, column, false, 0);
	return length == 0 ? 0 : rows_insert_output(rows, id, stream, bytes, length, err);
}

/* With all values bound to memory that is still there. */
static int
rows_insert_task(struct rows *rows, struct err *err)
{
	return runfile_db_step(rows->config.db, rows->insert_task, err);
}

static int
rows_settle(struct rows *rows, const struct wire_settled *settled, struct unsettled *task,
	    struct err *err)
{
	struct identity identity;
	int64_t id = task->id != 0 ? task->id : rows->next_id++;
	if (rows_begin(rows, err) == -1)
		return -1;
	rows_bind(rows, COLUMN_ATTEMPTS, settled->attempt);
	if (rows_bind_task(rows, id, settled->seq, settled->arg_count, &settled->result,
			   &identity, err) == -1)
		return -1;
	for (int stream = 0; stream < RESULT_STREAMS; stream++)
		if (rows_bind_stream(rows, id, stream, task->kept[stream].bytes,
				     task->kept[stream].length, task->has_rows[stream],
				     err) == -1)
			return -1;
	return rows_insert_task(rows, err);
}

int
rows_settled(struct rows *rows, const struct wire_settled *settled, const char *args,
	     size_t args_bytes, struct err *err)
{
	struct unsettled silent = {0};
	struct unsettled *task = rows_find(rows, settled->seq);
	if (task_unpack(args, args_bytes, settled->arg_count, &rows->args,
			&rows->arg_capacity) == -1)
		return err_no_memory(err);
	int status = rows_settle(rows, settled, task != NULL ? task : &silent, err);
	if (task != NULL) {
		seqmap_remove(&rows->stage->unsettled, settled->seq);
		rows_free_unsettled(rows, task);
	}
	return status;
}

static int
rows_answer(struct rows *rows, const struct wire_answered *answered, uint32_t index,
	    const struct wire_answer *answer, const char *output, struct err *err)
{
	struct identity identity;
	struct result result = {
	    .reason = RESULT_EXIT,
	    .worker = answered->worker,
	    .slot = answered->slot,
	    .cpu = -1,
	    .started_real_ns = answer->started_at_ns + answered->real_offset_ns,
	    .wall_ns = answer->wall_ns,
	    .stdout_bytes = answer->output_bytes,
	};
	int64_t id = rows->next_id++;
	rows_bind(rows, COLUMN_ATTEMPTS, 1);
	if (rows_bind_task(rows, id, answered->seq + index, answered->arg_count, &result,
			   &identity, err) == -1)
		return -1;
	rows_bind_if(rows, COLUMN_STDERR, false, 0);
	if (rows_bind_stream(rows, id, RESULT_STDOUT, output, answer->output_bytes, false,
			     err) == -1)
		return -1;
	return rows_insert_task(rows, err);
}

int
rows_answered(struct rows *rows, const struct wire_answered *answered, const char *answers,
	      const char *outputs, const char *args, size_t args_bytes, struct err *err)
{
	if (rows_begin(rows, err) == -1)
		return -1;
	for (uint32_t i = 0; i < answered->count; i++) {
		struct wire_answer answer;
		memcpy(&answer, answers + i * sizeof(answer), sizeof(answer));
		if (task_unpack_next(&args, &args_bytes, answered->arg_count, &rows->args,
				     &rows->arg_capacity) == -1)
			return err_no_memory(err);
		if (rows_answer(rows, answered, i, &answer, outputs, err) == -1)
			return -1;
		outputs += answer.output_bytes;
	}
	return 0;
}

/* --- the whole --- */

void
rows_set_stage(struct rows *rows, size_t index)
{
	assert(index < rows->config.stage_count);
	rows->stage = &rows->stages[index];
}

/* NULL without memory. */
static struct rows *
rows_alloc(const struct rows_config *config)
{
	struct rows *rows = calloc(1, sizeof(*rows));
	struct rows_stage *stages = calloc(config->stage_count, sizeof(*stages));
	if (rows == NULL || stages == NULL) {
		free(rows);
		free(stages);
		return NULL;
	}
	rows->config = *config;
	rows->config.stages = NULL;
	rows->stages = stages;
	rows->stage = stages;
	for (size_t i = 0; i < config->stage_count; i++) {
		stages[i].config = config->stages[i];
		stages[i].command = identity_of_command(config->stages[i].spec);
	}
	return rows;
}

struct rows *
rows_new(const struct rows_config *config, struct err *err)
{
	const struct runfile_db *db = config->db;
	struct rows *rows = rows_alloc(config);
	if (rows == NULL) {
		err_no_memory(err);
		return NULL;
	}
	rows->next_id = config->first_task_id;
	rows->insert_task = runfile_db_prepare(db, insert_task_sql, err);
	rows->insert_output = runfile_db_prepare(db, insert_output_sql, err);
	rows->delete_output = runfile_db_prepare(db, delete_output_sql, err);
	if (rows->insert_task != NULL && rows->insert_output != NULL &&
	    rows->delete_output != NULL)
		return rows;
	rows_free(rows);
	return NULL;
}

static void
rows_free_stage(struct rows *rows, struct rows_stage *stage)
{
	uint64_t seq, value;
	size_t cursor = 0;
	while (seqmap_next(&stage->unsettled, &cursor, &seq, &value))
		rows_free_unsettled(rows, (struct unsettled *)(uintptr_t)value);
	seqmap_fini(&stage->unsettled);
}

void
rows_free(struct rows *rows)
{
	if (rows == NULL)
		return;
	const struct sqlite_late *sqlite = &rows->config.db->sqlite;
	for (size_t i = 0; i < rows->config.stage_count; i++)
		rows_free_stage(rows, &rows->stages[i]);
	free(rows->stages);
	sqlite->finalize(rows->insert_task);
	sqlite->finalize(rows->insert_output);
	sqlite->finalize(rows->delete_output);
	free(rows->args);
	command_fini(&rows->argv);
	buf_fini(&rows->inputs_column);
	buf_fini(&rows->overrides_column);
	buf_fini(&rows->argv_column);
	buf_fini(&rows->words);
	free(rows);
}

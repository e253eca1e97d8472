/* runfile_run.c: see runfile_run.h. */
#include "record/runfile_run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json_text.h"
#include "record/limits.h"
#include "record/words.h"

static const char insert_run_sql[] =
    "INSERT INTO run (name, resumes, resume_mode, verb, words, command,"
    " command_identity, cwd, work_dir, pinion_version, host, kernel, pid, umask, nice,"
    " limits, worker_count, cpu_count, first_task_id, started_ns, names, column_count,"
    " threads, job)"
    " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) RETURNING id";

enum run_column {
	RUN_NAME = 1,
	RUN_RESUMES,
	RUN_RESUME_MODE,
	RUN_VERB,
	RUN_WORDS,
	RUN_COMMAND,
	RUN_COMMAND_IDENTITY,
	RUN_CWD,
	RUN_WORK_DIR,
	RUN_PINION_VERSION,
	RUN_HOST,
	RUN_KERNEL,
	RUN_PID,
	RUN_UMASK,
	RUN_NICE,
	RUN_LIMITS,
	RUN_WORKER_COUNT,
	RUN_CPU_COUNT,
	RUN_FIRST_TASK_ID,
	RUN_STARTED,
	RUN_NAMES,
	RUN_COLUMN_COUNT,
	RUN_THREADS,
	RUN_JOB,
};

static const char insert_stage_sql[] =
    "INSERT INTO stage VALUES (?,?,?,?,?,?,?,?,?,?,?,?)";

enum stage_column {
	STAGE_RUN_ID = 1,
	STAGE_STAGE,
	STAGE_NAME,
	STAGE_RUN_NAME,
	STAGE_VERB,
	STAGE_COMMAND,
	STAGE_COMMAND_IDENTITY,
	STAGE_NAMES,
	STAGE_COLUMN_COUNT,
	STAGE_WORK_DIR,
	STAGE_WORKER_COUNT,
	STAGE_THREADS,
};

static const char delete_litter_sql[] =
    "DELETE FROM output WHERE task_id >="
    " (SELECT first_task_id FROM run ORDER BY id DESC LIMIT 1)"
    " AND NOT EXISTS (SELECT 1 FROM task WHERE task.id = task_id)";

static const char end_run_sql[] =
    "UPDATE run SET ended_ns = ?, outcome = ?, exit = ?, passed_count = ? WHERE id = ?";

static const char describe_sql[] =
    "SELECT printf('run %s (process %d on host %s, since %s)', name, pid, host,"
    " datetime(started_ns / 1000000000, 'unixepoch', 'localtime'))"
    " FROM run ORDER BY id DESC LIMIT 1";

/* The values of the row of a run or a stage that is being made; SQLite copies them. */
struct run_row {
	const struct runfile_db *db;
	sqlite3_stmt *insert;
	struct buf column;
};

static void
row_bind_bytes(struct run_row *row, int column, const char *bytes, size_t length,
	       bool is_text)
{
	const struct sqlite_late *sqlite = &row->db->sqlite;
	if (is_text)
		sqlite->bind_text64(row->insert, column, bytes, length, SQLITE_TRANSIENT,
				    SQLITE_UTF8);
	else
		sqlite->bind_blob64(row->insert, column, bytes, length, SQLITE_TRANSIENT);
}

/* NULL for NULL. */
static void
row_bind_word(struct run_row *row, int column, const char *word)
{
	if (word != NULL)
		row_bind_bytes(row, column, word, strlen(word),
			       json_text_is_utf8(word, strlen(word)));
	else
		row->db->sqlite.bind_null(row->insert, column);
}

static void
row_bind_number(struct run_row *row, int column, int64_t number)
{
	row->db->sqlite.bind_int64(row->insert, column, number);
}

/* A NULL-terminated list, after `before` if that is one, too. 0, -1 without memory. */
static int
row_bind_words(struct run_row *row, int column, char *const *before, char *const *words)
{
	struct buf args = {0};
	bool is_text;
	int status = 0;
	for (int i = 0; i < 2; i++) {
		char *const *list = i == 0 ? before : words;
		for (; list != NULL && *list != NULL && status == 0; list++) {
			struct arg arg = {*list, strlen(*list)};
			status = buf_append(&args, &arg, sizeof(arg));
		}
	}
	buf_clear(&row->column);
	if (status == 0)
		status = words_append(&row->column, (struct arg *)(void *)args.bytes,
				      args.length / sizeof(struct arg), &is_text);
	if (status == 0)
		row_bind_bytes(row, column, row->column.bytes, row->column.length, is_text);
	buf_fini(&args);
	return status;
}

/* The part of the machine that each slot's tasks are told of. */
static int
row_bind_threads(struct run_row *row, int column, const struct records_config *config)
{
	buf_clear(&row->column);
	if (buf_append_char(&row->column, '[') == -1)
		return -1;
	for (size_t i = 0; i < config->worker_count; i++)
		if (buf_printf(&row->column, "%s%zu", i == 0 ? "" : ",",
			       config->shares[i]) == -1)
			return -1;
	if (buf_append_char(&row->column, ']') == -1)
		return -1;
	row_bind_bytes(row, column, row->column.bytes, row->column.length, true);
	return 0;
}

/* What the columns are called, of which there are so many; those of a retry are the record's. */
static int
row_bind_columns(struct run_row *row, int count_column, int names_column,
		 const struct records_config *config, const struct past *past)
{
	bool is_retry = past_resume(config->spec) == SPEC_RETRY_FAILED;
	bool is_text;
	row_bind_number(row, count_column,
			(int64_t)(is_retry ? past->column_count : config->column_count));
	row_bind_word(row, names_column, NULL);
	buf_clear(&row->column);
	if (words_append(&row->column, is_retry ? past->names : config->names,
			 is_retry ? past->name_count : config->name_count, &is_text) == -1)
		return -1;
	if ((is_retry ? past->name_count : config->name_count) > 0)
		row_bind_bytes(row, names_column, row->column.bytes, row->column.length,
			       is_text);
	return 0;
}

/* What a job's file said. */
static void
row_bind_job_text(struct run_row *row, const struct buf *text)
{
	if (text->length == 0)
		row->db->sqlite.bind_null(row->insert, RUN_JOB);
	else
		row_bind_bytes(row, RUN_JOB, text->bytes, text->length,
			       json_text_is_utf8(text->bytes, text->length));
}

/* Before anything is put into it, or the program or library. */
static int
row_bind_command(struct run_row *row, int command_column, int identity_column,
		 const struct spec *spec)
{
	struct identity command = identity_of_command(spec);
	row_bind_bytes(row, identity_column, (const char *)&command, sizeof(command),
		       false);
	/* Else words is {} alone. */
	return row_bind_words(row, command_column, NULL,
			      spec->executor == SPEC_SPAWN ? spec->words
							   : spec->program_words);
}

static int
row_bind_job(struct run_row *row, const struct records_config *config)
{
	const struct spec *spec = config->spec;
	row_bind_word(row, RUN_VERB, config->argv[1]);
	row_bind_word(row, RUN_WORK_DIR, spec->work_dir);
	row_bind_job_text(row, spec->job != NULL ? &spec->job->job_text : &spec->job_text);
	if (row_bind_command(row, RUN_COMMAND, RUN_COMMAND_IDENTITY, spec) == -1)
		return -1;
	return row_bind_words(row, RUN_WORDS, NULL,
			      (char *const *)(uintptr_t)(config->argv + 2));
}

static int
row_bind_surroundings(struct run_row *row, struct err *err)
{
	struct utsname system;
	mode_t mask = umask(077);
	umask(mask);
	char *cwd = getcwd(NULL, 0);
	if (cwd == NULL || uname(&system) == -1) {
		free(cwd);
		return err_errno(err, "cannot say where we are");
	}
	row_bind_word(row, RUN_CWD, cwd);
	free(cwd);
	row_bind_word(row, RUN_PINION_VERSION, PINION_VERSION);
	row_bind_word(row, RUN_HOST, system.nodename);
	row_bind_word(row, RUN_KERNEL, system.release);
	row_bind_number(row, RUN_UMASK, mask);
	row_bind_number(row, RUN_NICE, getpriority(PRIO_PROCESS, 0));
	buf_clear(&row->column);
	if (limits_append(&row->column) == -1)
		return err_no_memory(err);
	row_bind_bytes(row, RUN_LIMITS, row->column.bytes, row->column.length, true);
	return 0;
}

static void
row_bind_past(struct run_row *row, const struct records_config *config,
	      const struct past *past)
{
	static const char *const modes[] = {
	    [SPEC_RESUME_REST] = "rest", [SPEC_RESUME_FAILED] = "failed", [SPEC_RETRY_FAILED] = "retry"};
	enum spec_resume resume = past_resume(config->spec);
	bool resumes = resume != SPEC_RESUME_NOTHING && past->last_run_id != 0;
	row_bind_number(row, RUN_RESUMES, past->last_run_id);
	if (!resumes)
		row->db->sqlite.bind_null(row->insert, RUN_RESUMES);
	row_bind_word(row, RUN_RESUME_MODE, resumes ? modes[resume] : NULL);
	row_bind_number(row, RUN_FIRST_TASK_ID, past->next_task_id);
}

static int
row_insert(struct run_row *row, int64_t *run_id, struct err *err)
{
	int status = runfile_db_step(row->db, row->insert, err);
	if (status != 1)
		return -1;
	*run_id = row->db->sqlite.column_int64(row->insert, 0);
	return runfile_db_step(row->db, row->insert, err); /* to its end */
}

/* Of all stages. */
static int64_t
count_workers(const struct records_config *config)
{
	size_t count = config->worker_count;
	for (size_t i = 0; i < config->before_count; i++)
		count += config->before[i].worker_count;
	return (int64_t)count;
}

static int
run_make_row(struct run_row *row, const struct records_config *config,
	     const struct past *past, int64_t *run_id, struct err *err)
{
	row_bind_word(row, RUN_NAME, config->run_name);
	row_bind_number(row, RUN_WORKER_COUNT, count_workers(config));
	row_bind_number(row, RUN_CPU_COUNT, (int64_t)config->cpu_count);
	row_bind_past(row, config, past);
	if (row_bind_job(row, config) == -1 ||
	    row_bind_columns(row, RUN_COLUMN_COUNT, RUN_NAMES, config, past) == -1 ||
	    row_bind_threads(row, RUN_THREADS, config) == -1)
		return err_no_memory(err);
	if (row_bind_surroundings(row, err) == -1)
		return -1;
	return row_insert(row, run_id, err);
}

static int
stage_make_row(struct run_row *row, const struct records_config *config,
	       const struct past *past, int64_t run_id, struct err *err)
{
	static const char *const verbs[] = {
	    [SPEC_SPAWN] = "map", [SPEC_COPROC] = "feed", [SPEC_PLUGIN] = "call"};
	const struct spec *spec = config->spec;
	row_bind_number(row, STAGE_RUN_ID, run_id);
	row_bind_number(row, STAGE_STAGE, (int64_t)spec->stage_index);
	row_bind_word(row, STAGE_NAME, spec->stage);
	row_bind_word(row, STAGE_RUN_NAME, config->run_name);
	row_bind_word(row, STAGE_VERB, verbs[spec->executor]);
	row_bind_word(row, STAGE_WORK_DIR, spec->work_dir);
	row_bind_number(row, STAGE_WORKER_COUNT, (int64_t)config->worker_count);
	if (row_bind_command(row, STAGE_COMMAND, STAGE_COMMAND_IDENTITY, spec) == -1 ||
	    row_bind_columns(row, STAGE_COLUMN_COUNT, STAGE_NAMES, config, past) == -1 ||
	    row_bind_threads(row, STAGE_THREADS, config) == -1)
		return err_no_memory(err);
	return runfile_db_step(row->db, row->insert, err);
}

/* A row for each stage; none where there are no stages. */
static int
insert_stages(const struct runfile_db *db, const struct records_config *config,
	      const struct past *past, int64_t run_id, struct err *err)
{
	struct run_row row = {.db = db};
	int status = 0;
	if (config->spec->job == NULL)
		return 0;
	row.insert = runfile_db_prepare(db, insert_stage_sql, err);
	if (row.insert == NULL)
		return -1;
	for (size_t i = 0; i < config->before_count && status == 0; i++)
		status = stage_make_row(&row, &config->before[i], past, run_id, err);
	if (status == 0)
		status = stage_make_row(&row, config, past, run_id, err);
	db->sqlite.finalize(row.insert);
	buf_fini(&row.column);
	return status;
}

int
runfile_run_begin(const struct runfile_db *db, const struct records_config *config,
		  const struct run_origin *origin, const struct past *past,
		  int64_t *run_id, struct err *err)
{
	struct run_row row = {.db = db};
	if (runfile_db_exec(db, "BEGIN IMMEDIATE", err) == -1 ||
	    runfile_db_exec(db, delete_litter_sql, err) == -1)
		return -1;
	row.insert = runfile_db_prepare(db, insert_run_sql, err);
	if (row.insert == NULL)
		return -1;
	row_bind_number(&row, RUN_PID, origin->pid);
	row_bind_number(&row, RUN_STARTED, origin->started_real_ns);
	int status = run_make_row(&row, config, past, run_id, err);
	db->sqlite.finalize(row.insert);
	buf_fini(&row.column);
	if (status == -1 || insert_stages(db, config, past, *run_id, err) == -1)
		return -1;
	return runfile_db_exec(db, "COMMIT", err);
}

int
runfile_run_end(const struct runfile_db *db, int64_t run_id, const struct wire_end *end,
		struct err *err)
{
	static const char *const outcomes[] = {
	    [RECORDS_COMPLETE] = "complete", [RECORDS_HALTED] = "halted",
	    [RECORDS_DEADLINE] = "deadline", [RECORDS_DRAINED] = "drained",
	    [RECORDS_SIGNALLED] = "signal",  [RECORDS_READER_GONE] = "reader gone",
	    [RECORDS_BROKEN] = "broken",     [RECORDS_FAILED] = "failed"};
	const char *outcome = outcomes[end->outcome];
	if (runfile_db_exec(db, "PRAGMA synchronous = FULL", err) == -1)
		return -1;
	sqlite3_stmt *update = runfile_db_prepare(db, end_run_sql, err);
	if (update == NULL)
		return -1;
	db->sqlite.bind_int64(update, 1, clock_real_ns());
	db->sqlite.bind_text64(update, 2, outcome, strlen(outcome), SQLITE_STATIC,
			       SQLITE_UTF8);
	db->sqlite.bind_int64(update, 3, end->exit_status);
	db->sqlite.bind_int64(update, 4, (int64_t)end->passed_count);
	db->sqlite.bind_int64(update, 5, run_id);
	int status = runfile_db_step(db, update, err);
	db->sqlite.finalize(update);
	/* A reader that is in the way of this is no error: the log is on disk, too. */
	return status == -1 ? -1
			    : runfile_db_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", err);
}

int
runfile_run_describe(const struct runfile_db *db, char *text, size_t text_bytes)
{
	sqlite3_stmt *query = runfile_db_prepare(db, describe_sql, NULL);
	if (query == NULL)
		return -1;
	int status = runfile_db_step(db, query, NULL);
	if (status == 1)
		snprintf(text, text_bytes, "%s",
			 (const char *)db->sqlite.column_text(query, 0));
	db->sqlite.finalize(query);
	return status == 1 ? 0 : -1;
}

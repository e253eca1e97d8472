/* runfile_read.c: see runfile_read.h. */
#include "record/runfile_read.h"

#include <stdlib.h>
#include <string.h>

#include "record/runfile_db.h"
#include "record/words.h"

#define RUN_COLUMNS_SQL                                                           \
	"run.id, run.name, verb, words, run.cwd, work_dir, limits, umask, nice, " \
	"run.pid,"                                                                \
	" names, column_count, threads, job"

enum run_column {
	RUN_ID,
	RUN_NAME,
	RUN_VERB,
	RUN_WORDS,
	RUN_CWD,
	RUN_WORK_DIR,
	RUN_LIMITS,
	RUN_UMASK,
	RUN_NICE,
	RUN_PID,
	RUN_NAMES,
	RUN_COLUMN_COUNT,
	RUN_THREADS,
	RUN_JOB,
	RUN_COLUMNS,
};

static const char task_sql[] =
    "SELECT " RUN_COLUMNS_SQL
    ", seq, attempts, ifnull(worker, 0), ifnull(slot, 1), inputs, argv, overrides,"
    " reason = 'timeout'"
    " FROM task JOIN run ON run.id = run_id WHERE seq = ?1 AND (?2 = 0 OR run_id = ?2)"
    " ORDER BY task.id DESC LIMIT 1";

enum task_column {
	TASK_SEQ = RUN_COLUMNS,
	TASK_ATTEMPTS,
	TASK_WORKER,
	TASK_SLOT,
	TASK_INPUTS,
	TASK_ARGV,
	TASK_OVERRIDES,
	TASK_TIMED_OUT,
};

static const char chain_start_sql[] =
    "WITH RECURSIVE chain (id) AS ("
    "  SELECT max(id) FROM run"
    "  UNION ALL SELECT run.resumes FROM run JOIN chain USING (id)"
    "  WHERE run.resumes IS NOT NULL)"
    " SELECT " RUN_COLUMNS_SQL " FROM run WHERE id = (SELECT min(id) FROM chain)";

/* A row, and what went wrong with its columns so far. */
struct reading {
	struct runfile_db db;
	sqlite3_stmt *row;
	struct err *err;
	int status;
};

static void
reading_fail(struct reading *reading)
{
	if (reading->status == 0)
		reading->status =
		    err_set(reading->err, ERR_SYSTEM,
			    "%.200s: a row that cannot be understood", reading->db.path);
}

static int64_t
read_number(struct reading *reading, int column)
{
	return reading->db.sqlite.column_int64(reading->row, column);
}

/* NULL for NULL. */
static char *
read_text(struct reading *reading, int column)
{
	const struct sqlite_late *sqlite = &reading->db.sqlite;
	const char *bytes = sqlite->column_blob(reading->row, column);
	size_t length = (size_t)sqlite->column_bytes(reading->row, column);
	if (sqlite->column_type(reading->row, column) == SQLITE_NULL)
		return NULL;
	char *text = strndup(bytes == NULL ? "" : bytes, length);
	if (text == NULL)
		reading_fail(reading);
	return text;
}

/* As read_text, of what is never NULL. */
static char *
read_needed_text(struct reading *reading, int column)
{
	char *text = read_text(reading, column);
	if (text == NULL)
		reading_fail(reading);
	return text;
}

/* The list of a column in packed form; none for NULL. */
static void
read_packed(struct reading *reading, int column, struct buf *packed, size_t *count)
{
	const struct sqlite_late *sqlite = &reading->db.sqlite;
	int type = sqlite->column_type(reading->row, column);
	*count = 0;
	if (type == SQLITE_NULL)
		return;
	const char *bytes = sqlite->column_blob(reading->row, column);
	if (words_read(packed, count, bytes,
		       (size_t)sqlite->column_bytes(reading->row, column),
		       type == SQLITE_TEXT) == -1)
		reading_fail(reading);
}

/* Strings out of a packed list, which they take over; none where one has a NUL inside. */
static void
words_from_packed(struct reading *reading, struct runfile_words *words,
		  struct buf *packed, size_t count)
{
	struct arg *args = NULL;
	size_t capacity = 0;
	words->bytes = *packed;
	*packed = (struct buf){0};
	words->words = calloc(count + 1, sizeof(*words->words));
	if (words->words == NULL || task_unpack(words->bytes.bytes, words->bytes.length,
						(uint32_t)count, &args, &capacity) == -1) {
		reading_fail(reading);
		count = 0;
	}
	words->count = count;
	for (size_t i = 0; i < count; i++) {
		words->words[i] = (char *)(uintptr_t)args[i].bytes;
		if (memchr(args[i].bytes, '\0', args[i].length) != NULL)
			words->count = 0;
	}
	if (words->words != NULL)
		words->words[words->count] = NULL;
	free(args);
}

static void
read_words(struct reading *reading, int column, struct runfile_words *words)
{
	struct buf packed = {0};
	size_t count;
	read_packed(reading, column, &packed, &count);
	words_from_packed(reading, words, &packed, count);
	buf_fini(&packed);
}

static void
read_hidden(struct reading *reading, int column, struct hidden *hidden)
{
	const struct sqlite_late *sqlite = &reading->db.sqlite;
	if (hidden_read(hidden, sqlite->column_blob(reading->row, column),
			(size_t)sqlite->column_bytes(reading->row, column),
			sqlite->column_type(reading->row, column) == SQLITE_TEXT) == -1)
		reading_fail(reading);
}

static void
read_run(struct reading *reading, struct runfile_run *run)
{
	run->id = read_number(reading, RUN_ID);
	run->name = read_needed_text(reading, RUN_NAME);
	run->verb = read_needed_text(reading, RUN_VERB);
	read_words(reading, RUN_WORDS, &run->words);
	run->cwd = read_needed_text(reading, RUN_CWD);
	run->work_dir = read_text(reading, RUN_WORK_DIR);
	run->limits = read_needed_text(reading, RUN_LIMITS);
	run->umask = (int)read_number(reading, RUN_UMASK);
	run->nice = (int)read_number(reading, RUN_NICE);
	run->pid = (int)read_number(reading, RUN_PID);
	read_words(reading, RUN_NAMES, &run->names);
	run->column_count = (size_t)read_number(reading, RUN_COLUMN_COUNT);
	run->threads = read_needed_text(reading, RUN_THREADS);
	run->job = read_text(reading, RUN_JOB);
}

static void
read_task(struct reading *reading, struct runfile_task *task)
{
	struct buf packed = {0};
	read_run(reading, &task->run);
	task->seq = (uint64_t)read_number(reading, TASK_SEQ);
	task->attempt = (uint32_t)read_number(reading, TASK_ATTEMPTS);
	task->worker = (uint32_t)read_number(reading, TASK_WORKER);
	task->slot = (uint32_t)read_number(reading, TASK_SLOT);
	read_packed(reading, TASK_INPUTS, &task->packed_inputs, &task->input_count);
	if (buf_append(&packed, task->packed_inputs.bytes, task->packed_inputs.length) == -1)
		reading_fail(reading);
	words_from_packed(reading, &task->inputs, &packed, task->input_count);
	buf_fini(&packed);
	read_words(reading, TASK_ARGV, &task->argv);
	read_hidden(reading, TASK_OVERRIDES, &task->hidden);
	task->has_timed_out = read_number(reading, TASK_TIMED_OUT) != 0;
}

static int
reading_open(struct reading *reading, const char *path, const char *sql, struct err *err)
{
	*reading = (struct reading){.err = err};
	if (runfile_db_open(&reading->db, path, false, err) == -1)
		return -1;
	reading->row = runfile_db_prepare(&reading->db, sql, err);
	return reading->row == NULL ? -1 : 0;
}

static void
reading_close(struct reading *reading)
{
	if (reading->row != NULL)
		reading->db.sqlite.finalize(reading->row);
	runfile_db_close(&reading->db);
}

int
runfile_read_task(const char *path, int64_t run_id, uint64_t seq,
		  struct runfile_task *task, struct err *err)
{
	struct reading reading;
	*task = (struct runfile_task){0};
	int status = reading_open(&reading, path, task_sql, err);
	if (status == 0) {
		reading.db.sqlite.bind_int64(reading.row, 1, (int64_t)seq);
		reading.db.sqlite.bind_int64(reading.row, 2, run_id);
		status = runfile_db_step(&reading.db, reading.row, err);
		if (status == 0)
			status = err_set(
			    err, ERR_USAGE, "%.200s: no task %ju has ended in %s", path,
			    (uintmax_t)seq + 1, run_id == 0 ? "it" : "this run");
	}
	if (status == 1) {
		read_task(&reading, task);
		status = reading.status;
	}
	reading_close(&reading);
	return status;
}

int
runfile_read_run(const char *path, struct runfile_run *run, struct err *err)
{
	struct reading reading;
	*run = (struct runfile_run){0};
	int status = reading_open(&reading, path, chain_start_sql, err);
	if (status == 0)
		status = runfile_db_step(&reading.db, reading.row, err);
	if (status == 1) {
		read_run(&reading, run);
		status = reading.status;
	} else if (status == 0) {
		status = err_set(err, ERR_USAGE, "%.200s: there is no run in it", path);
	}
	reading_close(&reading);
	return status;
}

static void
runfile_words_fini(struct runfile_words *words)
{
	free(words->words);
	buf_fini(&words->bytes);
	*words = (struct runfile_words){0};
}

void
runfile_run_fini(struct runfile_run *run)
{
	free(run->name);
	free(run->verb);
	free(run->cwd);
	free(run->work_dir);
	free(run->limits);
	free(run->threads);
	free(run->job);
	runfile_words_fini(&run->words);
	runfile_words_fini(&run->names);
	*run = (struct runfile_run){0};
}

void
runfile_task_fini(struct runfile_task *task)
{
	runfile_run_fini(&task->run);
	runfile_words_fini(&task->inputs);
	runfile_words_fini(&task->argv);
	buf_fini(&task->packed_inputs);
	hidden_fini(&task->hidden);
	*task = (struct runfile_task){0};
}

/* runfile_read.c: see runfile_read.h. */
#include "record/runfile_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char task_sql[] =
    "SELECT run.id, ifnull(run_name, run.name), run.verb, words, cwd,"
    " iif(run_name IS NULL, run.work_dir, stage.work_dir), limits, umask, nice, run.pid,"
    " iif(run_name IS NULL, run.names, stage.names),"
    " ifnull(stage.column_count, run.column_count), ifnull(stage.threads, run.threads),"
    " job, seq, attempts, ifnull(worker, 0), ifnull(slot, 1), inputs, argv, overrides,"
    " reason = 'timeout', task.stage"
    " FROM task JOIN run ON run.id = task.run_id"
    " LEFT JOIN stage ON stage.run_id = task.run_id AND stage.stage = task.stage"
    " WHERE seq = ?1 AND (?2 = 0 OR task.run_id = ?2) AND iif(?3 IS NULL,"
    "  task.stage IS (SELECT max(s.stage) FROM stage AS s WHERE s.run_id = task.run_id),"
    "  task.stage = (SELECT s.stage FROM stage AS s WHERE s.run_id = task.run_id"
    "   AND (s.name = ?3 OR s.stage + 1 = ?4) ORDER BY s.name = ?3 DESC LIMIT 1))"
    " ORDER BY task.id DESC LIMIT 1";

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

enum task_column {
	TASK_SEQ = RUN_COLUMNS,
	TASK_ATTEMPTS,
	TASK_WORKER,
	TASK_SLOT,
	TASK_INPUTS,
	TASK_ARGV,
	TASK_OVERRIDES,
	TASK_TIMED_OUT,
	TASK_STAGE,
};

static const char chain_start_sql[] =
    "WITH RECURSIVE chain (id) AS ("
    "  SELECT max(id) FROM run"
    "  UNION ALL SELECT run.resumes FROM run JOIN chain USING (id)"
    "  WHERE run.resumes < run.id)"
    " SELECT id, name, verb, words, cwd, work_dir, limits, umask, nice, pid, names,"
    " column_count, threads, job FROM run WHERE id = (SELECT min(id) FROM chain)";

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
	run->id = reading_number(reading, RUN_ID);
	run->name = reading_needed_text(reading, RUN_NAME);
	run->verb = reading_needed_text(reading, RUN_VERB);
	reading_words(reading, RUN_WORDS, &run->words);
	run->cwd = reading_needed_text(reading, RUN_CWD);
	run->work_dir = reading_text(reading, RUN_WORK_DIR);
	run->limits = reading_needed_text(reading, RUN_LIMITS);
	run->umask = (int)reading_number(reading, RUN_UMASK);
	run->nice = (int)reading_number(reading, RUN_NICE);
	run->pid = (int)reading_number(reading, RUN_PID);
	reading_words(reading, RUN_NAMES, &run->names);
	run->column_count = (size_t)reading_number(reading, RUN_COLUMN_COUNT);
	run->threads = reading_needed_text(reading, RUN_THREADS);
	run->job = reading_text(reading, RUN_JOB);
}

static void
read_task(struct reading *reading, struct runfile_task *task)
{
	struct buf packed = {0};
	read_run(reading, &task->run);
	task->seq = (uint64_t)reading_number(reading, TASK_SEQ);
	task->attempt = (uint32_t)reading_number(reading, TASK_ATTEMPTS);
	task->worker = (uint32_t)reading_number(reading, TASK_WORKER);
	task->slot = (uint32_t)reading_number(reading, TASK_SLOT);
	reading_packed(reading, TASK_INPUTS, &task->packed_inputs, &task->input_count);
	if (buf_append(&packed, task->packed_inputs.bytes, task->packed_inputs.length) == -1)
		reading_fail(reading);
	reading_unpack_words(reading, &task->inputs, &packed, task->input_count);
	buf_fini(&packed);
	reading_words(reading, TASK_ARGV, &task->argv);
	read_hidden(reading, TASK_OVERRIDES, &task->hidden);
	task->has_timed_out = reading_number(reading, TASK_TIMED_OUT) != 0;
	task->stage_index = (size_t)reading_number(reading, TASK_STAGE);
}

static void
bind_which(const struct reading *reading, const struct runfile_which *which)
{
	const struct sqlite_late *sqlite = &reading->db.sqlite;
	sqlite->bind_int64(reading->row, 1, (int64_t)which->seq);
	sqlite->bind_int64(reading->row, 2, which->run_id);
	if (which->stage == NULL)
		return;
	sqlite->bind_text64(reading->row, 3, which->stage, strlen(which->stage),
			    SQLITE_STATIC, SQLITE_UTF8);
	sqlite->bind_int64(reading->row, 4, strtoll(which->stage, NULL, 10));
}

static int
refuse_task(const char *path, const struct runfile_which *which, struct err *err)
{
	bool has_stage = which->stage != NULL;
	char run[40] = "";
	if (which->run_id != 0)
		snprintf(run, sizeof(run), "run %jd of ", (intmax_t)which->run_id);
	return err_set(err, ERR_USAGE, "%.200s: no task %ju%s%.100s has ended in %sit",
		       path, (uintmax_t)which->seq + 1, has_stage ? " of stage " : "",
		       has_stage ? which->stage : "", run);
}

int
runfile_read_task(const char *path, const struct runfile_which *which,
		  struct runfile_task *task, struct err *err)
{
	struct reading reading;
	*task = (struct runfile_task){0};
	int status = reading_open(&reading, path, task_sql, err);
	if (status == 0) {
		bind_which(&reading, which);
		status = runfile_db_step(&reading.db, reading.row, err);
		if (status == 0)
			status = refuse_task(path, which, err);
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

/*
 * run_readers.h: a small run file, and all that reads one: resume's past, replay's reader and what
 * it makes of the words, report in each of its forms.
 */
#ifndef PINION_TESTS_FUZZ_RUN_READERS_H
#define PINION_TESTS_FUZZ_RUN_READERS_H

#include <sqlite3.h>

#include "fuzz.h"
#include "input/options.h"
#include "record/hidden.h"
#include "record/runfile_past.h"
#include "record/runfile_read.h"
#include "record/words.h"
#include "report/report.h"

/* Two runs, the second of which goes on with the first one, of a job of two stages. */
static const char run_rows_sql[] =
    "INSERT INTO run (id, name, resumes, resume_mode, verb, words, command,"
    " command_identity, names, column_count, cwd, pinion_version, host, kernel, pid, "
    "umask,"
    " nice, limits, worker_count, cpu_count, threads, first_task_id, started_ns, "
    "ended_ns,"
    " outcome, exit, passed_count) VALUES"
    " (1, 'one', NULL, NULL, 'map', '[\"-j2\",\"echo\"]', '[\"echo\"]', zeroblob(16),"
    "  '[\"city\"]', 1, '/', '0.1', 'h', 'k', 7, 18, 0, '{\"nofile\":\"1024\"}', 2, 4,"
    "  '[2,1]', 1, 1000000000, 5000000000, 'complete', 1, 0),"
    " (2, 'two', 1, 'failed', 'map', '[\"echo\",\"{}\"]', '[\"echo\"]', zeroblob(16),"
    "  NULL, 1, '/', '0.1', 'h', 'k', 8, 18, 0, '{}', 2, 4, '[1]', 4, 6000000000, NULL,"
    "  NULL, NULL, 1);"
    "INSERT INTO task (id, run_id, stage, seq, identity, reason, exit, signal, attempts,"
    " started_ns, wall_ns, user_ns, sys_ns, maxrss_bytes, worker, slot, cpu, pid,"
    " stdout_bytes, stderr_bytes, inputs, argv, overrides, stdout, stderr) VALUES"
    " (1, 1, NULL, 0, zeroblob(16), 'exit', 0, 0, 1, 1000000000, 2000, 10, 5, 4096, 0, 1,"
    "  3, 99, 3, 0, '[\"a\"]', '[\"echo\",\"a\"]', NULL, 'a' || char(10), NULL),"
    " (2, 1, NULL, 1, x'000102030405060708090a0b0c0d0e0f', 'exit', 3, 0, 2, 1000000500,"
    "  3000, 10, 5, 8192, 1, 2, 2, 98, 0, 5, '[\"b\"]', '[\"echo\",\"b\"]',"
    "  '{\"env.N\":\"own\",\"from\":\"1,2\",\"timeout_ns\":\"5\"}', NULL, x'6572720aff'),"
    " (3, 1, NULL, 2, x'ff', 'signal', NULL, 9, 1, 1000000900, 1, NULL, NULL, NULL, 0, 1,"
    "  NULL, 97, 0, 0, x'0100000063', NULL, NULL, NULL, NULL),"
    " (4, 2, NULL, 1, x'000102030405060708090a0b0c0d0e0f', 'timeout', NULL, 15, 1,"
    "  6000000000, 1000, 1, 1, 4096, 0, 1, 0, 96, 0, 0, '[\"b\"]', NULL, NULL, NULL,"
    "  NULL),"
    " (5, 2, 1, 3, x'100102030405060708090a0b0c0d0e0f', 'skipped', NULL, NULL, 0, NULL,"
    "  NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, '[]', NULL, NULL, NULL,"
    "  NULL);"
    "INSERT INTO stage VALUES (2, 1, 'read', 'two', 'map', '[\"echo\"]', zeroblob(16),"
    " '[\"x\"]', 1, NULL, 2, '[1]');"
    "INSERT INTO output (task_id, stream, bytes) VALUES (2, 1, 'first'), (2, 1, 'next');";

/* Whether what was told is told well: any outcome is fine. */
static inline void
run_expect(int status, const struct err *err)
{
	if (status == -1)
		fuzz_expect_failure(err);
}

/* Rows that have no more than their identity. */
static int
run_pass_row(void *context, sqlite3_stmt *row, struct err *err)
{
	(void)context;
	(void)row;
	(void)err;
	return 0;
}

static int
run_read_row(void *context, sqlite3_stmt *row, struct err *err)
{
	const struct runfile_db *db = context;
	const struct sqlite_late *sqlite = &db->sqlite;
	struct spec spec = {.hidden_count = 1};
	struct hidden hidden = {0};
	struct buf packed = {0};
	size_t count;
	if (words_read(&packed, &count, sqlite->column_blob(row, PAST_INPUTS),
		       (size_t)sqlite->column_bytes(row, PAST_INPUTS),
		       sqlite->column_type(row, PAST_INPUTS) == SQLITE_TEXT) == 0)
		fuzz_expect(count <= packed.length);
	if (hidden_read(&hidden, sqlite->column_blob(row, PAST_OVERRIDES),
			(size_t)sqlite->column_bytes(row, PAST_OVERRIDES),
			sqlite->column_type(row, PAST_OVERRIDES) == SQLITE_TEXT) == 0)
		run_expect(hidden_pack(&packed, &spec, &hidden, err), err);
	buf_fini(&packed);
	hidden_fini(&hidden);
	*err = (struct err){0};
	return 0;
}

static inline void
run_read_past(const char *path)
{
	struct runfile_db db;
	struct spec spec;
	struct past past = {0};
	struct err err = {0};
	spec_init(&spec, SPEC_MAP);
	int status = runfile_db_open(&db, path, false, &err);
	if (status == 0)
		status = past_find(&db, &spec, &past, &err);
	run_expect(status, &err);
	if (status == 0) {
		run_expect(
		    past_each_done(&db, &past, SPEC_RESUME_REST, run_pass_row, &db, &err),
		    &err);
		run_expect(past_each_done(&db, &past, SPEC_RESUME_FAILED, run_pass_row,
					  &db, &err),
			   &err);
		run_expect(past_each_failed(&db, &past, run_read_row, &db, &err), &err);
	}
	past_fini(&past);
	runfile_db_close(&db);
	spec_fini(&spec);
}

/* What replay does before it executes anything. */
static inline void
run_read_words(const struct runfile_run *run)
{
	struct spec spec;
	struct err err = {0};
	spec_init(&spec, SPEC_MAP);
	spec.is_inherited = true;
	enum options_outcome outcome =
	    options_parse(&spec, (int)run->words.count, run->words.words, &err);
	if (outcome == OPTIONS_ERROR)
		fuzz_expect_failure(&err);
	spec_fini(&spec);
}

static inline void
run_read_task(const char *path, const struct runfile_which *which)
{
	struct runfile_task task;
	struct err err = {0};
	int status = runfile_read_task(path, which, &task, &err);
	run_expect(status, &err);
	if (status == 0)
		run_read_words(&task.run);
	runfile_task_fini(&task);
}

static inline void
run_read_for_replay(const char *path)
{
	struct runfile_run run;
	struct err err = {0};
	int status = runfile_read_run(path, &run, &err);
	run_expect(status, &err);
	if (status == 0)
		run_read_words(&run);
	runfile_run_fini(&run);
	for (uint64_t seq = 0; seq < 3; seq++)
		run_read_task(path, &(struct runfile_which){.seq = seq});
	run_read_task(path, &(struct runfile_which){.seq = 1, .run_id = 1});
	run_read_task(path, &(struct runfile_which){.seq = 3, .stage = "read"});
}

/* In all forms. */
static inline void
run_report(const char *path, int64_t run_id)
{
	static report_maker *const makers[] = {report_text_new, report_page_new,
					       report_trace_new, report_json_new,
					       report_csv_new};
	enum { COUNT = sizeof(makers) / sizeof(*makers) };
	struct report_config config = {
	    .path = path, .shown_max = 10, .screen = {80, true, true}};
	struct report_out outs[COUNT];
	struct report_writer *writers[COUNT];
	struct err err = {0};
	size_t count = 0;
	config.tasks = runfile_tasks_open(path, run_id, &err);
	int status = config.tasks == NULL ? -1 : 0;
	for (; status == 0 && count < COUNT; count++) {
		fuzz_expect(report_out_open(&outs[count], "/dev/null", &err) == 0);
		writers[count] = makers[count](&config, &outs[count], &err);
		fuzz_expect(writers[count] != NULL);
	}
	if (status == 0)
		status = report_run(&config, writers, count, &err);
	run_expect(status, &err);
	while (count-- > 0) {
		writers[count]->free(writers[count]);
		report_out_close(&outs[count]);
	}
	runfile_tasks_close(config.tasks);
}

static inline void
run_read_all(const char *path)
{
	run_read_past(path);
	run_read_for_replay(path);
	run_report(path, 0);
	run_report(path, 1);
}

/* "run.db" in the folder of this process. */
static inline const char *
run_path(const char *suffix)
{
	static char paths[4][4200];
	static int at;
	at = (at + 1) % 4;
	snprintf(paths[at], sizeof(paths[at]), "%s/run.db%s", fuzz_folder(), suffix);
	return paths[at];
}

/* Loaded once, and not for each that reads. */
static inline void
run_load_sqlite(void)
{
	static struct sqlite_late sqlite;
	struct err err = {0};
	if (sqlite.handle == NULL)
		fuzz_expect(sqlite_late_open(&sqlite, &err) == 0);
}

/* Makes it anew, with those rows in it, and leaves it open. */
static inline void
run_make(struct runfile_db *db)
{
	struct err err = {0};
	static const char *const suffixes[] = {"-wal", "-shm", "-journal"};
	run_load_sqlite();
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++)
		unlink(run_path(suffixes[i]));
	fuzz_put(run_path(""), "", 0);
	if (runfile_db_open(db, run_path(""), true, &err) == -1 ||
	    runfile_db_exec(db, run_rows_sql, &err) == -1)
		fprintf(stderr, "%s\n", err.text), abort();
}

#endif

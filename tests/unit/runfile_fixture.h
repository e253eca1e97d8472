/*
 * runfile_fixture.h: a folder with a run file, the spec of its run, and questions to it in SQL.
 */
#ifndef PINION_TESTS_RUNFILE_FIXTURE_H
#define PINION_TESTS_RUNFILE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <cmocka.h>

#include "record/runfile.h"
#include "record/runfile_db.h"
#include "record/runfile_source.h"

struct fixture {
	char folder[64];
	char path[80];
	struct spec spec;
	struct template *command;
	struct records_config config;
	struct runfile *runfile;
	struct err err;
	char answer[4096];
};

static char *fixture_words[] = {(char *)(uintptr_t) "echo", (char *)(uintptr_t) "{}", NULL};
static char *fixture_argv[] = {(char *)(uintptr_t) "pinion", (char *)(uintptr_t) "map",
			       (char *)(uintptr_t) "echo", NULL};
static const size_t fixture_shares[] = {2, 1};

static inline int
fixture_setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	strcpy(f->folder, "/tmp/pinion-runfile.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->path, sizeof(f->path), "%s/run.db", f->folder);
	signal(SIGPIPE, SIG_IGN); /* blocked in a run */
	spec_init(&f->spec, SPEC_MAP);
	f->spec.words = fixture_words;
	f->spec.word_count = 2;
	f->spec.run_file = f->path;
	f->command = template_new(&f->spec, NULL, 0, &f->err);
	assert_non_null(f->command);
	f->config = (struct records_config){.spec = &f->spec,
					    .command = f->command,
					    .column_count = 1,
					    .run_name = "testrun",
					    .argv = fixture_argv,
					    .worker_count = 2,
					    .shares = fixture_shares,
					    .cpu_count = 4};
	*state = f;
	return 0;
}

static inline int
fixture_teardown(void **state)
{
	static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
	struct fixture *f = *state;
	char path[96];
	runfile_free(f->runfile);
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		snprintf(path, sizeof(path), "%s%s", f->path, suffixes[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(f->folder), 0);
	template_free(f->command);
	spec_fini(&f->spec);
	free(f);
	return 0;
}

static inline void
fixture_open(struct fixture *f)
{
	f->runfile = runfile_open(&f->config, &f->err);
	if (f->runfile == NULL)
		fail_msg("%s", f->err.text);
}

static inline void
fixture_close(struct fixture *f)
{
	runfile_free(f->runfile);
	f->runfile = NULL;
}

static inline void
fixture_finish(struct fixture *f)
{
	if (runfile_finish(f->runfile, RECORDS_COMPLETE, 0, &f->err) == -1)
		fail_msg("%s", f->err.text);
	fixture_close(f);
}

/* What the query gives: the first column of all rows, apart by blanks. */
static inline const char *
fixture_ask(struct fixture *f, const char *sql)
{
	struct runfile_db db;
	int status;
	assert_int_equal(runfile_db_open(&db, f->path, false, &f->err), 0);
	sqlite3_stmt *query = runfile_db_prepare(&db, sql, &f->err);
	if (query == NULL)
		fail_msg("%s: %s", sql, f->err.text);
	size_t length = 0;
	f->answer[0] = '\0';
	while ((status = runfile_db_step(&db, query, &f->err)) == 1)
		length += (size_t)snprintf(f->answer + length, sizeof(f->answer) - length,
					   "%s%s", length == 0 ? "" : " ",
					   (const char *)db.sqlite.column_text(query, 0));
	assert_int_equal(status, 0);
	db.sqlite.finalize(query);
	runfile_db_close(&db);
	return f->answer;
}

static inline struct task *
fixture_task(uint64_t seq, const char *value)
{
	struct buf packed = {0};
	assert_int_equal(task_pack(&packed, value, strlen(value)), 0);
	struct task *task = task_new(seq, 1, 1, &packed);
	assert_non_null(task);
	buf_fini(&packed);
	return task;
}

static inline void
fixture_write(struct fixture *f, const struct task *task, enum result_stream stream,
	      const char *bytes, size_t length)
{
	struct sink *sink = runfile_sink(f->runfile, 0);
	assert_int_equal(sink->ops->output(sink, task, stream, bytes, length, &f->err), 0);
	assert_int_equal(sink->ops->flush(sink, &f->err), 0);
}

static inline void
fixture_settle(struct fixture *f, uint64_t seq, const char *value, int exit_status,
	       uint64_t stdout_bytes)
{
	struct sink *sink = runfile_sink(f->runfile, 0);
	struct task *task = fixture_task(seq, value);
	struct result result = {.reason = RESULT_EXIT,
				.exit_status = exit_status,
				.pid = 77,
				.slot = 1,
				.cpu = 3,
				.started_real_ns = 1000,
				.wall_ns = 5,
				.stdout_bytes = stdout_bytes};
	assert_int_equal(sink->ops->settled(sink, task, &result, &f->err), 0);
	assert_int_equal(sink->ops->flush(sink, &f->err), 0);
	free(task);
}

#endif

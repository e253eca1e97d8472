/*
 * A run file that is a sound database with odd things in it: which table, column and row, and what
 * is there now: nothing, a number, text or bytes; or the table or the column is not there, or the
 * version is another. All that reads one gives rows or says why not.
 */
#include "base/slurp.h"
#include "run_readers.h"

struct cursor {
	const uint8_t *at;
	size_t left;
};

static uint8_t
take_byte(struct cursor *cursor)
{
	if (cursor->left == 0)
		return 0;
	cursor->left--;
	return *cursor->at++;
}

static int64_t
take_number(struct cursor *cursor)
{
	static const int64_t odd[] = {0,         1,         -1,        INT64_MAX,
				      INT64_MIN, INT32_MAX, INT32_MIN, UINT32_MAX,
				      2,         1000000007};
	uint8_t which = take_byte(cursor);
	if (which < sizeof(odd) / sizeof(*odd))
		return odd[which];
	uint64_t number = 0;
	for (int i = 0; i < which % 8 + 1; i++)
		number = number << 8 | take_byte(cursor);
	return (int64_t)number;
}

/* The constraints are gone: any table may hold anything. */
static const char loosen_sql[] =
    "CREATE TABLE run2 AS SELECT * FROM run; DROP TABLE run;"
    "ALTER TABLE run2 RENAME TO run;"
    "CREATE TABLE task2 AS SELECT * FROM task; DROP TABLE task;"
    "ALTER TABLE task2 RENAME TO task;"
    "CREATE TABLE stage2 AS SELECT * FROM stage; DROP TABLE stage;"
    "ALTER TABLE stage2 RENAME TO stage;";

static const char *const columns[][32] = {
    {"run",        "id",           "name",
     "resumes",    "resume_mode",  "verb",
     "words",      "command",      "command_identity",
     "names",      "column_count", "cwd",
     "work_dir",   "pid",          "umask",
     "nice",       "limits",       "worker_count",
     "cpu_count",  "threads",      "first_task_id",
     "started_ns", "ended_ns",     "outcome",
     "exit",       "passed_count", "job",
     NULL},
    {"task",         "id",           "run_id",  "stage",   "seq",
     "identity",     "reason",       "exit",    "signal",  "errno",
     "attempts",     "started_ns",   "wall_ns", "user_ns", "sys_ns",
     "maxrss_bytes", "worker",       "slot",    "cpu",     "pid",
     "stdout_bytes", "stderr_bytes", "inputs",  "argv",    "overrides",
     "stdout",       "stderr",       NULL},
    {"stage", "run_id", "stage", "name", "run_name", "verb", "command", "names",
     "column_count", "work_dir", "threads", NULL},
    {"output", "task_id", "stream", "bytes", NULL},
};

static void
bind(const struct runfile_db *db, sqlite3_stmt *update, struct cursor *cursor)
{
	const struct sqlite_late *sqlite = &db->sqlite;
	uint8_t kind = take_byte(cursor);
	if (kind % 4 == 0) {
		sqlite->bind_null(update, 1);
	} else if (kind % 4 == 1) {
		sqlite->bind_int64(update, 1, take_number(cursor));
	} else {
		size_t length = take_byte(cursor);
		if (length > cursor->left)
			length = cursor->left;
		if (kind % 4 == 2)
			sqlite->bind_text64(update, 1, (const char *)cursor->at, length,
					    SQLITE_STATIC, SQLITE_UTF8);
		else
			sqlite->bind_blob64(update, 1, cursor->at, length, SQLITE_STATIC);
		cursor->at += length;
		cursor->left -= length;
	}
}

/* One value becomes another; in one row, or, from 128 on, in all. */
static void
update(const struct runfile_db *db, const char *table, const char *column,
       struct cursor *cursor)
{
	char sql[256];
	struct err err = {0};
	uint8_t row = take_byte(cursor);
	snprintf(sql, sizeof(sql), "UPDATE %s SET %s = ?1 WHERE rowid = %d OR %d", table,
		 column, row % 8, row > 127);
	sqlite3_stmt *statement = runfile_db_prepare(db, sql, &err);
	if (statement == NULL) /* it is no longer there */
		return;
	bind(db, statement, cursor);
	runfile_db_step(db, statement, &err);
	db->sqlite.finalize(statement);
}

static void
change(const struct runfile_db *db, struct cursor *cursor)
{
	char sql[256];
	const char *const *table =
	    columns[take_byte(cursor) % (sizeof(columns) / sizeof(*columns))];
	size_t count = 1;
	while (table[count] != NULL)
		count++;
	const char *column = table[1 + take_byte(cursor) % (count - 1)];
	uint8_t what = take_byte(cursor);
	if (what < 250) {
		update(db, table[0], column, cursor);
		return;
	}
	if (what == 250)
		snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", take_byte(cursor));
	else if (what == 251)
		snprintf(sql, sizeof(sql), "DROP TABLE %s", table[0]);
	else if (what == 252)
		snprintf(sql, sizeof(sql), "INSERT INTO %s SELECT * FROM %s", table[0],
			 table[0]);
	else
		snprintf(sql, sizeof(sql), "ALTER TABLE %s DROP COLUMN %s", table[0],
			 column);
	runfile_db_exec(db, sql, NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct buf base;
	struct cursor cursor = {data, size};
	struct runfile_db db;
	struct err err = {0};
	if (base.length == 0) {
		run_make(&db);
		fuzz_expect(runfile_db_exec(&db, loosen_sql, &err) == 0);
		fuzz_expect(runfile_db_exec(&db, "PRAGMA journal_mode = DELETE", &err) == 0);
		runfile_db_close(&db);
		fuzz_expect(slurp("", run_path(""), &base) == 0 && base.length > 0);
	}
	fuzz_put(run_path(""), base.bytes, base.length);
	fuzz_expect(runfile_db_open(&db, run_path(""), false, &err) == 0);
	runfile_db_exec(&db, "PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY",
			&err);
	for (int i = 0; i < 16 && cursor.left > 0; i++)
		change(&db, &cursor);
	runfile_db_close(&db);
	run_read_all(run_path(""));
	return 0;
}

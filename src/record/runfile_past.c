/* runfile_past.c: see runfile_past.h. */
#include "record/runfile_past.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "record/identity_bag.h"
#include "record/reason.h"
#include "record/words.h"

static const char last_run_sql[] =
    "SELECT id, ended_ns IS NOT NULL, ifnull((SELECT stage.command_identity FROM stage"
    "  WHERE run_id = run.id AND stage = ?1), command_identity), column_count, names"
    " FROM run ORDER BY id DESC LIMIT 1";

/* A run goes on with an earlier one: in a record that is not sound it may be itself. */
static const char chain_sql[] =
    "WITH RECURSIVE chain (id) AS ("
    "  SELECT max(id) FROM run"
    "  UNION ALL SELECT run.resumes FROM run JOIN chain USING (id)"
    "  WHERE run.resumes < run.id)"
    " SELECT min(first_task_id), (SELECT ifnull(max(id), 0) + 1 FROM task)"
    " FROM run JOIN chain USING (id)";

#define SUCCESS "(reason = 'exit' AND exit = 0)"
#define END "reason, exit, signal, started_ns, wall_ns, stdout_bytes, slot"
#define RETRIES "run_id IN (SELECT id FROM run WHERE resume_mode IN ('failed', 'retry'))"

static const char successes_sql[] =
    "SELECT identity, id, 1, seq, " END
    " FROM task WHERE id >= ?2 AND stage IS ?1 AND " SUCCESS;

/* The newest first: those that were tried again are known before what they replace. */
static const char ends_sql[] =
    "SELECT identity, id, " SUCCESS ", seq, " END ", inputs, overrides, run_id, " RETRIES
    " FROM task WHERE id >= ?2 AND stage IS ?1"
    " AND reason NOT IN ('cancelled', 'skipped') ORDER BY id DESC";

enum { ENDS_RUN_ID = PAST_OVERRIDES + 1, ENDS_RETRIES };

enum spec_resume
past_resume(const struct spec *spec)
{
	return spec->resume == SPEC_RETRY_FAILED && spec->joblog != NULL
		   ? SPEC_RESUME_NOTHING
		   : spec->resume;
}

/* A digest; 0, or -1 and err when it is none. */
static int
past_read_identity(const struct runfile_db *db, sqlite3_stmt *row, int column,
		   struct identity *identity, struct err *err)
{
	const void *bytes = db->sqlite.column_blob(row, column);
	if (bytes == NULL || db->sqlite.column_bytes(row, column) != (int)sizeof(*identity))
		return err_set(err, ERR_SYSTEM, "%.200s: a row has no sound identity",
			       db->path);
	memcpy(identity, bytes, sizeof(*identity));
	return 0;
}

static int
past_read_names(const struct runfile_db *db, sqlite3_stmt *row, int column,
		struct past *past, struct err *err)
{
	const struct sqlite_late *sqlite = &db->sqlite;
	int type = sqlite->column_type(row, column);
	if (type == SQLITE_NULL)
		return 0;
	if (words_read(
		&past->packed_names, &past->name_count, sqlite->column_blob(row, column),
		(size_t)sqlite->column_bytes(row, column), type == SQLITE_TEXT) == -1 ||
	    task_unpack(past->packed_names.bytes, past->packed_names.length,
			(uint32_t)past->name_count, &past->names,
			&past->name_capacity) == -1)
		return err_set(err, ERR_SYSTEM, "%.200s: cannot read the columns' names",
			       db->path);
	return 0;
}

/* A statement about the stage, if there is one. */
static sqlite3_stmt *
past_query(const struct runfile_db *db, const struct past *past, const char *sql,
	   struct err *err)
{
	sqlite3_stmt *query = runfile_db_prepare(db, sql, err);
	if (query != NULL && past->spec->stage != NULL)
		db->sqlite.bind_int64(query, 1, (int64_t)past->spec->stage_index);
	return query;
}

static int
past_find_last(const struct runfile_db *db, struct past *past, struct err *err)
{
	sqlite3_stmt *query = past_query(db, past, last_run_sql, err);
	if (query == NULL)
		return -1;
	int status = runfile_db_step(db, query, err);
	if (status == 1) {
		past->last_run_id = db->sqlite.column_int64(query, 0);
		past->is_ended = db->sqlite.column_int64(query, 1) != 0;
		past->column_count = (size_t)db->sqlite.column_int64(query, 3);
		status = past_read_identity(db, query, 2, &past->command, err);
		if (status == 0)
			status = past_read_names(db, query, 4, past, err);
	}
	db->sqlite.finalize(query);
	return status;
}

int
past_find(const struct runfile_db *db, const struct spec *spec, struct past *past,
	  struct err *err)
{
	*past = (struct past){.spec = spec, .next_task_id = 1};
	if (past_find_last(db, past, err) == -1)
		return -1;
	sqlite3_stmt *query = runfile_db_prepare(db, chain_sql, err);
	if (query == NULL)
		return -1;
	int status = runfile_db_step(db, query, err);
	if (status == 1) {
		past->first_task_id = db->sqlite.column_int64(query, 0);
		past->next_task_id = db->sqlite.column_int64(query, 1);
	}
	db->sqlite.finalize(query);
	return status == -1 ? -1 : 0;
}

void
past_fini(struct past *past)
{
	free(past->names);
	buf_fini(&past->packed_names);
	*past = (struct past){0};
}

/* One about the tasks of the chain. */
static sqlite3_stmt *
past_query_tasks(const struct runfile_db *db, const struct past *past, const char *sql,
		 struct err *err)
{
	sqlite3_stmt *query = past_query(db, past, sql, err);
	if (query != NULL)
		db->sqlite.bind_int64(query, 2, past->first_task_id);
	return query;
}

struct result
past_read_end(const struct runfile_db *db, sqlite3_stmt *row)
{
	const struct sqlite_late *sqlite = &db->sqlite;
	const char *reason = sqlite->column_blob(row, PAST_REASON);
	size_t length = (size_t)sqlite->column_bytes(row, PAST_REASON);
	return (struct result){
	    .reason = reason_find(reason != NULL ? reason : "", length),
	    .exit_status = (int32_t)sqlite->column_int64(row, PAST_EXIT),
	    .signal = (int32_t)sqlite->column_int64(row, PAST_SIGNAL),
	    .slot = (uint32_t)sqlite->column_int64(row, PAST_SLOT),
	    .started_real_ns = sqlite->column_int64(row, PAST_STARTED),
	    .wall_ns = sqlite->column_int64(row, PAST_WALL),
	    .stdout_bytes = (uint64_t)sqlite->column_int64(row, PAST_STDOUT_BYTES),
	};
}

static int
past_each_success(const struct runfile_db *db, const struct past *past, past_each *each,
		  void *context, struct err *err)
{
	sqlite3_stmt *query = past_query_tasks(db, past, successes_sql, err);
	int status = query == NULL ? -1 : 1;
	while (status == 1 && (status = runfile_db_step(db, query, err)) == 1)
		if (each(context, query, err) == -1)
			status = -1;
	db->sqlite.finalize(query);
	return status;
}

/* What is known while the rows are gone through, the newest first. */
struct tries {
	struct identity_bag later; /* tried again in later runs than the one at hand */
	struct buf now;            /* of struct identity: tried again in this one */
	int64_t run_id;
};

static void
tries_fini(struct tries *tries)
{
	identity_bag_fini(&tries->later);
	buf_fini(&tries->now);
}

/* From here on the rows are of another run. 0, -1 without memory. */
static int
tries_set_run(struct tries *tries, int64_t run_id)
{
	const struct identity *now = (const void *)tries->now.bytes;
	if (run_id == tries->run_id)
		return 0;
	for (size_t i = 0; i < tries->now.length / sizeof(*now); i++)
		if (identity_bag_add(&tries->later, &now[i]) == -1)
			return -1;
	buf_clear(&tries->now);
	tries->run_id = run_id;
	return 0;
}

/* Whether a row still counts: 1, 0; -1 and err. */
static int
tries_take_row(struct tries *tries, const struct runfile_db *db, sqlite3_stmt *row,
	       struct err *err)
{
	struct identity identity;
	bool is_success = db->sqlite.column_int64(row, PAST_SUCCESS) != 0;
	bool is_retry = db->sqlite.column_int64(row, ENDS_RETRIES) != 0;
	if (tries_set_run(tries, db->sqlite.column_int64(row, ENDS_RUN_ID)) == -1)
		return err_no_memory(err);
	if (is_success && !is_retry)
		return 1;
	if (past_read_identity(db, row, PAST_IDENTITY, &identity, err) == -1)
		return -1;
	if (is_retry && buf_append(&tries->now, &identity, sizeof(identity)) == -1)
		return err_no_memory(err);
	return is_success || !identity_bag_take(&tries->later, &identity);
}

static int
past_each_end(const struct runfile_db *db, const struct past *past, bool wants_successes,
	      past_each *each, void *context, struct err *err)
{
	struct tries tries = {0};
	sqlite3_stmt *query = past_query_tasks(db, past, ends_sql, err);
	int status = query == NULL ? -1 : 1;
	while (status == 1 && (status = runfile_db_step(db, query, err)) == 1) {
		int counts = tries_take_row(&tries, db, query, err);
		bool is_wanted =
		    wants_successes || db->sqlite.column_int64(query, PAST_SUCCESS) == 0;
		if (counts == -1 ||
		    (counts == 1 && is_wanted && each(context, query, err) == -1))
			status = -1;
	}
	db->sqlite.finalize(query);
	tries_fini(&tries);
	return status;
}

int
past_each_done(const struct runfile_db *db, const struct past *past,
	       enum spec_resume resume, past_each *each, void *context, struct err *err)
{
	return resume == SPEC_RESUME_FAILED
		   ? past_each_success(db, past, each, context, err)
		   : past_each_end(db, past, true, each, context, err);
}

int
past_each_failed(const struct runfile_db *db, const struct past *past, past_each *each,
		 void *context, struct err *err)
{
	return past_each_end(db, past, false, each, context, err);
}

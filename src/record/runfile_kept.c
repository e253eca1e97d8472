/* runfile_kept.c: see runfile_kept.h. */
#include "record/runfile_kept.h"

#include "record/identity.h"
#include "task/result.h"

static const char table_sql[] =
    "PRAGMA temp_store = MEMORY;"
    "CREATE TEMP TABLE kept (stage INTEGER, identity BLOB, seq INTEGER, task_id INTEGER,"
    " PRIMARY KEY (stage, identity, seq, task_id)) WITHOUT ROWID";

/* Where a stage and an identity are asked for, they are ?1 and ?2. */
static const char insert_sql[] = "INSERT INTO temp.kept VALUES (?1, ?2, ?3, ?4)";
static const char find_sql[] =
    "SELECT seq, task_id FROM temp.kept WHERE stage = ?1 AND identity = ?2"
    " ORDER BY seq, task_id LIMIT 1";
static const char remove_sql[] =
    "DELETE FROM temp.kept"
    " WHERE stage = ?1 AND identity = ?2 AND seq = ?3 AND task_id = ?4";
static const char row_sql[] = "SELECT stdout FROM task WHERE id = ?1";
static const char pieces_sql[] =
    "SELECT bytes FROM output WHERE task_id = ?1 AND stream = ?2 ORDER BY id";

int
kept_init(struct kept *kept, const struct runfile_db *db, struct err *err)
{
	*kept = (struct kept){.db = db};
	if (runfile_db_exec(db, table_sql, err) == -1)
		return -1;
	kept->insert = runfile_db_prepare(db, insert_sql, err);
	kept->find = runfile_db_prepare(db, find_sql, err);
	kept->remove = runfile_db_prepare(db, remove_sql, err);
	kept->row = runfile_db_prepare(db, row_sql, err);
	kept->pieces = runfile_db_prepare(db, pieces_sql, err);
	return kept->insert == NULL || kept->find == NULL || kept->remove == NULL ||
		       kept->row == NULL || kept->pieces == NULL
		   ? -1
		   : 0;
}

void
kept_fini(struct kept *kept)
{
	if (kept->db == NULL)
		return;
	kept->db->sqlite.finalize(kept->insert);
	kept->db->sqlite.finalize(kept->find);
	kept->db->sqlite.finalize(kept->remove);
	kept->db->sqlite.finalize(kept->row);
	kept->db->sqlite.finalize(kept->pieces);
	*kept = (struct kept){0};
}

static void
kept_bind(const struct kept *kept, sqlite3_stmt *statement, uint32_t stage,
	  const void *identity)
{
	kept->db->sqlite.bind_int64(statement, 1, stage);
	kept->db->sqlite.bind_blob64(statement, 2, identity, IDENTITY_BYTES, SQLITE_STATIC);
}

int
kept_add(struct kept *kept, uint32_t stage, const void *identity, int64_t seq,
	 int64_t task_id, struct err *err)
{
	kept_bind(kept, kept->insert, stage, identity);
	kept->db->sqlite.bind_int64(kept->insert, 3, seq);
	kept->db->sqlite.bind_int64(kept->insert, 4, task_id);
	return runfile_db_step(kept->db, kept->insert, err);
}

/* The first row of these; 0: there is none; -1 and err. */
static int64_t
kept_find(struct kept *kept, uint32_t stage, const void *identity, struct err *err)
{
	kept_bind(kept, kept->find, stage, identity);
	int found = runfile_db_step(kept->db, kept->find, err);
	if (found != 1)
		return found;
	int64_t seq = kept->db->sqlite.column_int64(kept->find, 0);
	int64_t task_id = kept->db->sqlite.column_int64(kept->find, 1);
	kept->db->sqlite.reset(kept->find);
	kept_bind(kept, kept->remove, stage, identity);
	kept->db->sqlite.bind_int64(kept->remove, 3, seq);
	kept->db->sqlite.bind_int64(kept->remove, 4, task_id);
	return runfile_db_step(kept->db, kept->remove, err) == -1 ? -1 : task_id;
}

/* All rows of a statement about this task, whose first column are bytes. */
static int
kept_give(struct kept *kept, sqlite3_stmt *statement, int64_t task_id, history_take *take,
	  void *context, struct err *err)
{
	const struct sqlite_late *sqlite = &kept->db->sqlite;
	int status;
	sqlite->bind_int64(statement, 1, task_id);
	while ((status = runfile_db_step(kept->db, statement, err)) == 1) {
		const void *bytes = sqlite->column_blob(statement, 0);
		size_t length = (size_t)sqlite->column_bytes(statement, 0);
		if (bytes != NULL && take(context, bytes, length, err) == -1) {
			sqlite->reset(statement);
			return -1;
		}
	}
	return status;
}

int
kept_take(struct kept *kept, uint32_t stage, const void *identity, history_take *take,
	  void *context, struct err *err)
{
	int64_t task_id = kept->db == NULL ? 0 : kept_find(kept, stage, identity, err);
	if (task_id <= 0)
		return (int)task_id;
	kept->db->sqlite.bind_int64(kept->pieces, 2, RESULT_STDOUT + 1);
	if (kept_give(kept, kept->row, task_id, take, context, err) == -1 ||
	    kept_give(kept, kept->pieces, task_id, take, context, err) == -1)
		return -1;
	return 1;
}

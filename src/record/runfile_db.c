/* runfile_db.c: see runfile_db.h. */
#include "record/runfile_db.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"

/* A reader in the way, or a checkpoint of its, is waited for. */
#define BUSY_MS 10000

/*
 * So many pages in the log before they go to their places. Each time costs two waits for the
 * disk, so a log of 16 MiB; while it is written to, it is not read by anyone but readers.
 */
#define CHECKPOINT_PAGES 4096

static const char schema_sql[] = "PRAGMA application_id = 1349086802;"
				 "PRAGMA user_version = 3;"
				 "CREATE TABLE run ("
				 "  id INTEGER PRIMARY KEY,"
				 "  name TEXT NOT NULL,"
				 "  resumes INTEGER REFERENCES run (id),"
				 "  resume_mode TEXT,"
				 "  verb TEXT NOT NULL,"
				 "  words NOT NULL,"
				 "  command NOT NULL,"
				 "  command_identity BLOB NOT NULL,"
				 "  job,"
				 "  names,"
				 "  column_count INTEGER NOT NULL,"
				 "  cwd NOT NULL,"
				 "  work_dir,"
				 "  pinion_version TEXT NOT NULL,"
				 "  host TEXT NOT NULL,"
				 "  kernel TEXT NOT NULL,"
				 "  pid INTEGER NOT NULL,"
				 "  umask INTEGER NOT NULL,"
				 "  nice INTEGER NOT NULL,"
				 "  limits TEXT NOT NULL,"
				 "  worker_count INTEGER NOT NULL,"
				 "  cpu_count INTEGER NOT NULL,"
				 "  threads TEXT NOT NULL,"
				 "  first_task_id INTEGER NOT NULL,"
				 "  started_ns INTEGER NOT NULL,"
				 "  ended_ns INTEGER,"
				 "  outcome TEXT,"
				 "  exit INTEGER,"
				 "  passed_count INTEGER"
				 ");"
				 "CREATE TABLE stage ("
				 "  run_id INTEGER NOT NULL REFERENCES run (id),"
				 "  stage INTEGER NOT NULL,"
				 "  name NOT NULL,"
				 "  run_name TEXT NOT NULL,"
				 "  verb TEXT NOT NULL,"
				 "  command NOT NULL,"
				 "  command_identity BLOB NOT NULL,"
				 "  names,"
				 "  column_count INTEGER NOT NULL,"
				 "  work_dir,"
				 "  worker_count INTEGER NOT NULL,"
				 "  threads TEXT NOT NULL,"
				 "  PRIMARY KEY (run_id, stage)"
				 ");"
				 "CREATE TABLE task ("
				 "  id INTEGER PRIMARY KEY,"
				 "  run_id INTEGER NOT NULL REFERENCES run (id),"
				 "  stage INTEGER,"
				 "  seq INTEGER NOT NULL,"
				 "  identity BLOB NOT NULL,"
				 "  reason TEXT NOT NULL,"
				 "  exit INTEGER,"
				 "  signal INTEGER,"
				 "  errno INTEGER,"
				 "  attempts INTEGER NOT NULL,"
				 "  started_ns INTEGER,"
				 "  wall_ns INTEGER,"
				 "  user_ns INTEGER,"
				 "  sys_ns INTEGER,"
				 "  maxrss_bytes INTEGER,"
				 "  worker INTEGER,"
				 "  slot INTEGER,"
				 "  cpu INTEGER,"
				 "  pid INTEGER,"
				 "  stdout_bytes INTEGER NOT NULL,"
				 "  stderr_bytes INTEGER NOT NULL,"
				 "  inputs NOT NULL,"
				 "  argv,"
				 "  overrides,"
				 "  stdout BLOB,"
				 "  stderr BLOB"
				 ");"
				 "CREATE TABLE output ("
				 "  id INTEGER PRIMARY KEY,"
				 "  task_id INTEGER NOT NULL,"
				 "  stream INTEGER NOT NULL,"
				 "  bytes BLOB NOT NULL"
				 ");"
				 "CREATE INDEX output_task ON output (task_id, stream);"
				 "COMMIT;";

_Static_assert(RUNFILE_APPLICATION_ID == 1349086802, "in the schema");
_Static_assert(RUNFILE_SCHEMA_VERSION == 3, "in the schema");

/* err from what SQLite says: "FILE: database or disk is full". Returns -1. */
static int
runfile_db_fail(const struct runfile_db *db, struct err *err)
{
	int errno_value = db->sqlite.system_errno(db->handle);
	err_set(err, ERR_SYSTEM, "%.200s: %s%s%s", db->path,
		db->sqlite.errmsg(db->handle), errno_value != 0 ? ": " : "",
		errno_value != 0 ? strerror(errno_value) : "");
	if (err != NULL)
		err->errno_value = errno_value;
	return -1;
}

int
runfile_db_exec(const struct runfile_db *db, const char *sql, struct err *err)
{
	return db->sqlite.exec(db->handle, sql, NULL, NULL, NULL) == SQLITE_OK
		   ? 0
		   : runfile_db_fail(db, err);
}

sqlite3_stmt *
runfile_db_prepare(const struct runfile_db *db, const char *sql, struct err *err)
{
	sqlite3_stmt *statement = NULL;
	if (db->sqlite.prepare_v2(db->handle, sql, -1, &statement, NULL) != SQLITE_OK)
		runfile_db_fail(db, err);
	return statement;
}

int
runfile_db_step(const struct runfile_db *db, sqlite3_stmt *statement, struct err *err)
{
	int status = db->sqlite.step(statement);
	if (status == SQLITE_ROW)
		return 1;
	int outcome = status == SQLITE_DONE ? 0 : runfile_db_fail(db, err);
	db->sqlite.reset(statement);
	return outcome;
}

/* A statement that gives one number. */
static int
db_get_number(const struct runfile_db *db, const char *sql, int64_t *number, struct err *err)
{
	sqlite3_stmt *statement = runfile_db_prepare(db, sql, err);
	if (statement == NULL)
		return -1;
	int got = runfile_db_step(db, statement, err);
	*number = got == 1 ? db->sqlite.column_int64(statement, 0) : 0;
	db->sqlite.finalize(statement);
	return got == -1 ? -1 : 0;
}

static int
db_refuse(const struct runfile_db *db, struct err *err)
{
	return err_set(
	    err, ERR_SYSTEM,
	    "%.200s is not a run file, and is left as it is: name another file", db->path);
}

/* 1: ours; 0: empty; -1 and err: something else. */
static int
db_check(const struct runfile_db *db, struct err *err)
{
	int64_t application_id, version, table_count;
	int status = db->sqlite.exec(db->handle, "PRAGMA schema_version", NULL, NULL, NULL);
	if (status == SQLITE_NOTADB || status == SQLITE_CORRUPT)
		return db_refuse(db, err);
	if (status != SQLITE_OK)
		return runfile_db_fail(db, err);
	/* Tables that are there were made with their numbers: in this order nobody makes them between. */
	if (db_get_number(db, "SELECT count(*) FROM sqlite_schema", &table_count, err) ==
		-1 ||
	    db_get_number(db, "PRAGMA application_id", &application_id, err) == -1 ||
	    db_get_number(db, "PRAGMA user_version", &version, err) == -1)
		return -1;
	if (application_id == 0 && table_count == 0)
		return 0;
	if (application_id != RUNFILE_APPLICATION_ID)
		return db_refuse(db, err);
	if (version != RUNFILE_SCHEMA_VERSION)
		return err_set(err, ERR_SYSTEM,
			       "%.200s has schema %d and is of %s pinion: this one "
			       "knows %d",
			       db->path, (int)version,
			       version > RUNFILE_SCHEMA_VERSION ? "a newer" : "an older",
			       RUNFILE_SCHEMA_VERSION);
	return 1;
}

static uint32_t
big_endian(const unsigned char *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
	       (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Whether there is a log, or a journal, that has something for the file. */
static bool
db_has_log(const struct runfile_db *db)
{
	static const char *const suffixes[] = {"-wal", "-journal"};
	char path[PATH_MAX];
	struct stat st;
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		snprintf(path, sizeof(path), "%s%s", db->path, suffixes[i]);
		if (lstat(path, &st) == 0 && st.st_size > 0)
			return true;
	}
	return false;
}

/*
 * Whether the file is shorter than its header says. SQLite sees that only when it comes to the
 * pages that are not there; while there is a log they may be in that.
 */
static bool
db_is_cut_off(const struct runfile_db *db, const unsigned char *header, off_t size)
{
	uint32_t page_bytes = (uint32_t)header[16] << 8 | header[17];
	uint32_t page_count = big_endian(header + 28);
	bool is_count_valid = big_endian(header + 24) == big_endian(header + 92);
	if (page_bytes == 1)
		page_bytes = 65536;
	return is_count_valid && size < (off_t)page_count * page_bytes && !db_has_log(db);
}

/*
 * Looks at the file before SQLite does: an empty one, or one that begins as databases do. This
 * closes a descriptor of it, with which all locks of this process on the file go, so there must
 * be none yet.
 */
static int
db_look_at_header(const struct runfile_db *db, struct err *err)
{
	static const char magic[16] = "SQLite format 3";
	unsigned char header[100];
	struct stat st;
	int fd = open(db->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1)
		return err_errno(err, "cannot open %.200s", db->path);
	ssize_t got = 0; /* of a pipe or a device nothing is taken */
	int saved = 0;
	if (fstat(fd, &st) == -1 ||
	    (S_ISREG(st.st_mode) && (got = io_read_start(fd, header, sizeof(header))) == -1))
		saved = errno;
	io_close(fd);
	errno = saved;
	if (saved != 0)
		return err_errno(err, "cannot read %.200s", db->path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_SYSTEM, "%.200s is not a regular file", db->path);
	if (got == 0)
		return 0;
	if (got < (ssize_t)sizeof(header) || memcmp(header, magic, sizeof(magic)) != 0)
		return db_refuse(db, err);
	if (db_is_cut_off(db, header, st.st_size))
		return err_set(err, ERR_SYSTEM, "%.200s is damaged: its end is missing",
			       db->path);
	return 0;
}

/* So that a file that is new is found again after a power cut. SQLite does not look whether this works. */
static int
db_sync_folder(const struct runfile_db *db, struct err *err)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s", db->path);
	int fd = open(dirname(path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int status = fd == -1 || fsync(fd) == -1 ? -1 : 0;
	/* EINVAL: a file system that knows no such thing. */
	if (status == -1 && errno != EINVAL)
		err_errno(err, "cannot sync the folder of %.200s", db->path);
	else
		status = 0;
	io_close(fd);
	return status;
}

/* The recorder of a run that was killed may make it at the same time. */
static int
db_make_schema(const struct runfile_db *db, struct err *err)
{
	if (runfile_db_exec(db, "BEGIN IMMEDIATE", err) == -1)
		return -1;
	int status = db_check(db, err);
	if (status == -1)
		return -1;
	return runfile_db_exec(db, status == 0 ? schema_sql : "COMMIT", err);
}

static int
db_set_up_writer(const struct runfile_db *db, struct err *err)
{
	static const char log_sql[] =
	    "PRAGMA page_size = 4096; PRAGMA synchronous = NORMAL;"
	    "PRAGMA journal_mode = WAL;"
	    "PRAGMA cache_size = -8192";
	int status = db_check(db, err);
	if (status == -1 || runfile_db_exec(db, log_sql, err) == -1 ||
	    (status == 0 &&
	     (db_make_schema(db, err) == -1 || db_sync_folder(db, err) == -1)))
		return -1;
	db->sqlite.wal_autocheckpoint(db->handle, CHECKPOINT_PAGES);
	return 0;
}

static int
db_set_up_reader(const struct runfile_db *db, struct err *err)
{
	int status = db_check(db, err);
	if (status == 0)
		return err_set(err, ERR_SYSTEM, "%.200s is empty: there is no run in it",
			       db->path);
	return status == -1 ? -1 : 0;
}

/* The path as a URI that says that nobody will write to it. 0, -1 without memory. */
static int
append_fixed_uri(struct buf *uri, const char *path)
{
	if (buf_append_str(uri, "file:") == -1)
		return -1;
	for (const char *at = path; *at != '\0'; at++)
		if ((strchr("%?#", *at) != NULL ? buf_printf(uri, "%%%02x", *at)
						: buf_append_char(uri, *at)) == -1)
			return -1;
	return buf_append_str(uri, "?immutable=1") == -1 || buf_str(uri) == NULL ? -1 : 0;
}

/* Where not even readers can make the files that SQLite has beside a database with a log. */
static int
db_open_fixed(struct runfile_db *db, struct err *err)
{
	struct buf uri = {0};
	db->sqlite.close(db->handle);
	db->handle = NULL;
	int status = append_fixed_uri(&uri, db->path) == -1 ? err_no_memory(err) : 0;
	if (status == 0 && db->sqlite.open_v2(uri.bytes, &db->handle,
					      SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READONLY |
						  SQLITE_OPEN_URI,
					      NULL) != SQLITE_OK)
		status = runfile_db_fail(db, err);
	buf_fini(&uri);
	return status;
}

static bool
db_is_in_fixed_folder(const struct runfile_db *db)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s", db->path);
	return access(dirname(path), W_OK) == -1 && !db_has_log(db);
}

int
runfile_db_open(struct runfile_db *db, const char *path, bool is_writer, struct err *err)
{
	*db = (struct runfile_db){.path = path};
	if (db_look_at_header(db, err) == -1 || sqlite_late_open(&db->sqlite, err) == -1)
		return -1;
	int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE;
	if (db->sqlite.open_v2(path, &db->handle, flags, NULL) != SQLITE_OK)
		return runfile_db_fail(db, err);
	if (!is_writer && db_is_in_fixed_folder(db) && db_open_fixed(db, err) == -1)
		return -1;
	db->sqlite.busy_timeout(db->handle, BUSY_MS);
	return is_writer ? db_set_up_writer(db, err) : db_set_up_reader(db, err);
}

void
runfile_db_close(struct runfile_db *db)
{
	if (db->handle != NULL)
		db->sqlite.close(db->handle);
	db->handle = NULL;
	sqlite_late_close(&db->sqlite);
}

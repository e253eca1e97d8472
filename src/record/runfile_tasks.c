/* runfile_tasks.c: see runfile_tasks.h. */
#include "record/runfile_tasks.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "record/hidden.h"
#include "record/reason.h"
#include "record/runfile_recorder.h"
#include "record/words.h"

static const char run_sql[] =
    "SELECT id, ifnull(resumes, 0), name, verb, host, pinion_version, cwd,"
    " iif(EXISTS (SELECT 1 FROM stage WHERE run_id = run.id), words, command),"
    " worker_count, cpu_count, started_ns, ifnull(ended_ns, 0), outcome, ifnull(exit, 0),"
    " ifnull(passed_count, 0), first_task_id,"
    " (SELECT min(first_task_id) FROM run AS later WHERE later.id > run.id),"
    " (SELECT group_concat(name, ' | ') FROM"
    "  (SELECT name FROM stage WHERE run_id = run.id ORDER BY stage))"
    " FROM run WHERE id = iif(?1 = 0, (SELECT max(id) FROM run), ?1)";

enum run_column {
	RUN_ID,
	RUN_RESUMES,
	RUN_NAME,
	RUN_VERB,
	RUN_HOST,
	RUN_VERSION,
	RUN_CWD,
	RUN_COMMAND,
	RUN_WORKER_COUNT,
	RUN_CPU_COUNT,
	RUN_STARTED,
	RUN_ENDED,
	RUN_OUTCOME,
	RUN_EXIT,
	RUN_PASSED,
	RUN_FIRST_TASK,
	RUN_NEXT_FIRST_TASK,
	RUN_STAGES,
};

/* There is no index by run, but the rows of a run are together, as far as another came after it. */
#define OF_RUN_SQL " FROM task WHERE run_id = ?1 AND id >= ?2 AND id < ?3"

static const char sums_sql[] =
    "SELECT count(*), total(reason = 'exit' AND exit = 0), total(reason = 'cancelled'),"
    " total(reason = 'skipped'), count(started_ns), max(slot), min(started_ns),"
    " max(started_ns + wall_ns), min(wall_ns), max(wall_ns), total(wall_ns),"
    " total(user_ns + sys_ns), count(user_ns), max(maxrss_bytes)" OF_RUN_SQL;

/* How many slots each stage has, and which one that is. */
static const char slots_sql[] = "SELECT ifnull(stage, 0), ifnull(max(slot), 0)" OF_RUN_SQL
				" GROUP BY stage ORDER BY stage";

/* More there are only in a record that is not sound. */
#define SLOTS_MAX 65536
#define STAGES_MAX 65536

enum sum_column {
	SUM_COUNT,
	SUM_DONE,
	SUM_CANCELLED,
	SUM_SKIPPED,
	SUM_RAN,
	SUM_SLOTS,
	SUM_FIRST,
	SUM_LAST,
	SUM_SHORTEST,
	SUM_LONGEST,
	SUM_WALL,
	SUM_CPU,
	SUM_MEASURED,
	SUM_MAXRSS,
};

/* Rows are in the order in which tasks ended. Only ids are sorted, not what is behind them. */
static const char order_sql[] = "SELECT id, stage, seq" OF_RUN_SQL " ORDER BY stage, seq";

static const char longest_sql[] =
    "SELECT wall_ns" OF_RUN_SQL " ORDER BY wall_ns DESC LIMIT 1 OFFSET ?4";
static const char longer_sql[] = "SELECT count(*)" OF_RUN_SQL " AND wall_ns > ?4";

static const char task_sql[] =
    "SELECT " RUNFILE_TASK_COLUMNS ", (SELECT name FROM stage"
    " WHERE stage.run_id = task.run_id AND stage.stage = task.stage)"
    " FROM task WHERE id = ?1";

enum { COLUMN_STAGE_NAME = COLUMN_COUNT };

static const char output_sql[] =
    "SELECT bytes FROM output WHERE task_id = ?1 AND stream = ?2 ORDER BY id";
static const char tail_sql[] =
    "SELECT bytes FROM output WHERE task_id = ?1 AND stream = ?2 ORDER BY id DESC";

/* A list of a task's words, unpacked when it is asked for. */
struct list {
	struct buf packed;
	struct arg *args;
	size_t capacity;
};

struct runfile_tasks {
	struct reading reading; /* its row is the task at hand */
	sqlite3_stmt *order;
	sqlite3_stmt *output;
	sqlite3_stmt *tail;
	struct runfile_overview overview;
	struct buf lane_starts; /* of uint32_t: for each stage, how many lanes are before its own */
	int64_t id_range[2];
	int64_t task_id;
	struct list inputs;
	struct list argv;
	struct list overrides;
	struct hidden hidden;
};

/* --- the run --- */

/* Whoever writes a run holds a lock. Before SQLite has locks of its own, which the close would take away. */
static bool
is_locked(const char *path)
{
	struct flock lock = {.l_type = F_RDLCK,
			     .l_whence = SEEK_SET,
			     .l_start = RUNFILE_LOCK_RUN,
			     .l_len = 1};
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	bool is_held = fd != -1 && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
	io_close(fd);
	return is_held;
}

static void
read_run(struct runfile_tasks *tasks)
{
	struct reading *reading = &tasks->reading;
	struct runfile_overview *run = &tasks->overview;
	int64_t next_first = reading_number(reading, RUN_NEXT_FIRST_TASK);
	run->id = reading_number(reading, RUN_ID);
	run->resumes = reading_number(reading, RUN_RESUMES);
	run->name = reading_needed_text(reading, RUN_NAME);
	run->verb = reading_needed_text(reading, RUN_VERB);
	run->host = reading_needed_text(reading, RUN_HOST);
	run->version = reading_needed_text(reading, RUN_VERSION);
	run->cwd = reading_needed_text(reading, RUN_CWD);
	reading_words(reading, RUN_COMMAND, &run->command);
	run->worker_count = (int)reading_number(reading, RUN_WORKER_COUNT);
	run->cpu_count = (int)reading_number(reading, RUN_CPU_COUNT);
	run->started_real_ns = reading_amount(reading, RUN_STARTED);
	run->ended_real_ns = reading_amount(reading, RUN_ENDED);
	run->outcome = reading_text(reading, RUN_OUTCOME);
	run->exit_status = (int)reading_number(reading, RUN_EXIT);
	run->passed_count = (uint64_t)reading_amount(reading, RUN_PASSED);
	run->is_last = next_first == 0;
	run->stages = reading_text(reading, RUN_STAGES);
	run->is_live &= run->outcome == NULL && run->is_last;
	tasks->id_range[0] = reading_number(reading, RUN_FIRST_TASK);
	tasks->id_range[1] = next_first == 0 ? INT64_MAX : next_first;
}

static uint32_t
bounded_slots(int64_t count)
{
	if (count < 0)
		return 0;
	return count < SLOTS_MAX ? (uint32_t)count : SLOTS_MAX;
}

static void
read_sums(struct runfile_tasks *tasks)
{
	struct reading *reading = &tasks->reading;
	struct runfile_overview *run = &tasks->overview;
	run->task_count = (uint64_t)reading_amount(reading, SUM_COUNT);
	run->done_count = (uint64_t)reading_amount(reading, SUM_DONE);
	run->cancelled_count = (uint64_t)reading_amount(reading, SUM_CANCELLED);
	run->skipped_count = (uint64_t)reading_amount(reading, SUM_SKIPPED);
	run->ran_count = (uint64_t)reading_amount(reading, SUM_RAN);
	run->slot_count = bounded_slots(reading_number(reading, SUM_SLOTS));
	run->first_real_ns = reading_amount(reading, SUM_FIRST);
	run->last_real_ns = reading_amount(reading, SUM_LAST);
	run->shortest_ns = reading_amount(reading, SUM_SHORTEST);
	run->longest_ns = reading_amount(reading, SUM_LONGEST);
	run->wall_ns = reading_amount(reading, SUM_WALL);
	run->cpu_ns = reading_amount(reading, SUM_CPU);
	run->measured_count = (uint64_t)reading_amount(reading, SUM_MEASURED);
	run->maxrss_bytes = reading_amount(reading, SUM_MAXRSS);
}

static void
bind_run(const struct runfile_tasks *tasks, sqlite3_stmt *statement)
{
	const struct sqlite_late *sqlite = &tasks->reading.db.sqlite;
	sqlite->bind_int64(statement, 1, tasks->overview.id);
	sqlite->bind_int64(statement, 2, tasks->id_range[0]);
	sqlite->bind_int64(statement, 3, tasks->id_range[1]);
}

/* Another statement in the place of the one that is read. */
static int
read_with(struct runfile_tasks *tasks, const char *sql, struct err *err)
{
	struct reading *reading = &tasks->reading;
	if (reading->row != NULL)
		reading->db.sqlite.finalize(reading->row);
	reading->row = runfile_db_prepare(&reading->db, sql, err);
	return reading->row == NULL ? -1 : 0;
}

static int
load_run(struct runfile_tasks *tasks, int64_t run_id, struct err *err)
{
	struct reading *reading = &tasks->reading;
	reading->db.sqlite.bind_int64(reading->row, 1, run_id);
	int status = runfile_db_step(&reading->db, reading->row, err);
	if (status == 0 && run_id == 0)
		return err_set(err, ERR_USAGE, "%.200s: there is no run in it",
			       reading->db.path);
	if (status == 0)
		return err_set(err, ERR_USAGE,
			       "%.200s: there is no run %jd in it; its runs are counted "
			       "from 1",
			       reading->db.path, (intmax_t)run_id);
	if (status == -1)
		return -1;
	read_run(tasks);
	return reading->status;
}

static int
load_sums(struct runfile_tasks *tasks, struct err *err)
{
	struct reading *reading = &tasks->reading;
	if (read_with(tasks, sums_sql, err) == -1)
		return -1;
	bind_run(tasks, reading->row);
	if (runfile_db_step(&reading->db, reading->row, err) == -1)
		return -1;
	read_sums(tasks);
	return reading->status;
}

/* Stages up to `stage` begin here, unless they have their place already. 0, -1 without memory. */
static int
add_lane_starts(struct runfile_tasks *tasks, int64_t stage, uint32_t start)
{
	while (tasks->lane_starts.length <= (size_t)stage * sizeof(start))
		if (buf_append(&tasks->lane_starts, &start, sizeof(start)) == -1)
			return -1;
	return 0;
}

/* The workers of stages are others, though they are counted from 1 in each. */
static int
load_lanes(struct runfile_tasks *tasks, struct err *err)
{
	struct reading *reading = &tasks->reading;
	uint32_t count = 0;
	int status;
	if (tasks->overview.stages == NULL)
		return 0;
	if (read_with(tasks, slots_sql, err) == -1)
		return -1;
	bind_run(tasks, reading->row);
	while ((status = runfile_db_step(&reading->db, reading->row, err)) == 1) {
		int64_t stage = reading_number(reading, 0);
		if (stage < 0 || stage > STAGES_MAX)
			return err_set(err, ERR_SYSTEM, "%.200s: a task is of no stage",
				       reading->db.path);
		if (add_lane_starts(tasks, stage, count) == -1)
			return err_no_memory(err);
		count += bounded_slots(reading_number(reading, 1));
		count = bounded_slots(count);
	}
	tasks->overview.slot_count = count;
	return status;
}

static int
prepare_tasks(struct runfile_tasks *tasks, struct err *err)
{
	const struct runfile_db *db = &tasks->reading.db;
	if (read_with(tasks, task_sql, err) == -1)
		return -1;
	tasks->order = runfile_db_prepare(db, order_sql, err);
	if (tasks->order == NULL)
		return -1;
	tasks->output = runfile_db_prepare(db, output_sql, err);
	if (tasks->output == NULL)
		return -1;
	tasks->tail = runfile_db_prepare(db, tail_sql, err);
	if (tasks->tail == NULL)
		return -1;
	bind_run(tasks, tasks->order);
	return 0;
}

struct runfile_tasks *
runfile_tasks_open(const char *path, int64_t run_id, struct err *err)
{
	struct runfile_tasks *tasks = calloc(1, sizeof(*tasks));
	if (tasks == NULL) {
		err_no_memory(err);
		return NULL;
	}
	tasks->overview.is_live = is_locked(path);
	if (reading_open(&tasks->reading, path, "BEGIN", err) == -1 ||
	    runfile_db_step(&tasks->reading.db, tasks->reading.row, err) == -1 ||
	    read_with(tasks, run_sql, err) == -1 || load_run(tasks, run_id, err) == -1 ||
	    load_sums(tasks, err) == -1 || load_lanes(tasks, err) == -1 ||
	    prepare_tasks(tasks, err) == -1) {
		runfile_tasks_close(tasks);
		return NULL;
	}
	return tasks;
}

static void
finalize(const struct runfile_tasks *tasks, sqlite3_stmt *statement)
{
	if (statement != NULL)
		tasks->reading.db.sqlite.finalize(statement);
}

void
runfile_tasks_close(struct runfile_tasks *tasks)
{
	if (tasks == NULL)
		return;
	finalize(tasks, tasks->order);
	finalize(tasks, tasks->output);
	finalize(tasks, tasks->tail);
	reading_close(&tasks->reading);
	free(tasks->overview.name);
	free(tasks->overview.verb);
	free(tasks->overview.host);
	free(tasks->overview.version);
	free(tasks->overview.cwd);
	free(tasks->overview.outcome);
	free(tasks->overview.stages);
	runfile_words_fini(&tasks->overview.command);
	buf_fini(&tasks->lane_starts);
	buf_fini(&tasks->inputs.packed);
	free(tasks->inputs.args);
	buf_fini(&tasks->argv.packed);
	free(tasks->argv.args);
	buf_fini(&tasks->overrides.packed);
	free(tasks->overrides.args);
	hidden_fini(&tasks->hidden);
	free(tasks);
}

const struct runfile_overview *
runfile_tasks_overview(const struct runfile_tasks *tasks)
{
	return &tasks->overview;
}

/* --- its tasks --- */

static bool
is_null(struct reading *reading, enum runfile_task_column column)
{
	return reading->db.sqlite.column_type(reading->row, column) == SQLITE_NULL;
}

static enum result_reason
read_reason(struct reading *reading)
{
	const struct sqlite_late *sqlite = &reading->db.sqlite;
	const char *word = (const char *)sqlite->column_text(reading->row, COLUMN_REASON);
	return word == NULL ? RESULT_REASONS
			    : reason_find(word, (size_t)sqlite->column_bytes(
						    reading->row, COLUMN_REASON));
}

/* How many lanes are before those of the task at hand. */
static uint32_t
lane_start(struct runfile_tasks *tasks)
{
	uint32_t start = 0;
	size_t at = (size_t)reading_number(&tasks->reading, COLUMN_STAGE) * sizeof(start);
	if (at < tasks->lane_starts.length)
		memcpy(&start, tasks->lane_starts.bytes + at, sizeof(start));
	return start;
}

static void
read_task(struct runfile_tasks *tasks, struct runfile_ended *task)
{
	struct reading *reading = &tasks->reading;
	const struct sqlite_late *sqlite = &reading->db.sqlite;
	*task = (struct runfile_ended){
	    .seq = (uint64_t)reading_amount(reading, COLUMN_SEQ),
	    .attempts = (uint32_t)reading_number(reading, COLUMN_ATTEMPTS),
	    .has_run = !is_null(reading, COLUMN_STARTED),
	    .is_measured = !is_null(reading, COLUMN_USER),
	    .stage = (const char *)sqlite->column_text(reading->row, COLUMN_STAGE_NAME),
	};
	task->result = (struct result){
	    .reason = read_reason(reading),
	    .exit_status = (int32_t)reading_number(reading, COLUMN_EXIT),
	    .signal = (int32_t)reading_number(reading, COLUMN_SIGNAL),
	    .errno_value = (int32_t)reading_number(reading, COLUMN_ERRNO),
	    .pid = (int32_t)reading_number(reading, COLUMN_PID),
	    .worker = (uint32_t)reading_number(reading, COLUMN_WORKER),
	    .slot = (uint32_t)reading_number(reading, COLUMN_SLOT),
	    .cpu = is_null(reading, COLUMN_CPU)
		       ? -1
		       : (int32_t)reading_number(reading, COLUMN_CPU),
	    .started_real_ns = reading_amount(reading, COLUMN_STARTED),
	    .wall_ns = reading_amount(reading, COLUMN_WALL),
	    .user_ns = reading_amount(reading, COLUMN_USER),
	    .sys_ns = reading_amount(reading, COLUMN_SYS),
	    .maxrss_bytes = reading_amount(reading, COLUMN_MAXRSS),
	    .stdout_bytes = (uint64_t)reading_amount(reading, COLUMN_STDOUT_BYTES),
	    .stderr_bytes = (uint64_t)reading_amount(reading, COLUMN_STDERR_BYTES),
	};
	if (task->has_run)
		task->lane = lane_start(tasks) + task->result.slot;
}

int
runfile_tasks_next(struct runfile_tasks *tasks, struct runfile_ended *task, struct err *err)
{
	struct reading *reading = &tasks->reading;
	const struct sqlite_late *sqlite = &reading->db.sqlite;
	int status = runfile_db_step(&reading->db, tasks->order, err);
	if (status != 1)
		return status;
	tasks->task_id = sqlite->column_int64(tasks->order, 0);
	sqlite->reset(reading->row);
	sqlite->bind_int64(reading->row, 1, tasks->task_id);
	status = runfile_db_step(&reading->db, reading->row, err);
	if (status == 1)
		read_task(tasks, task);
	return status;
}

/* One number about the run, 0 for none. */
static int
query_number(struct runfile_tasks *tasks, const char *sql, int64_t parameter,
	     int64_t *number, struct err *err)
{
	const struct runfile_db *db = &tasks->reading.db;
	sqlite3_stmt *statement = runfile_db_prepare(db, sql, err);
	if (statement == NULL)
		return -1;
	bind_run(tasks, statement);
	db->sqlite.bind_int64(statement, 4, parameter);
	int status = runfile_db_step(db, statement, err);
	*number = status == 1 ? db->sqlite.column_int64(statement, 0) : 0;
	db->sqlite.finalize(statement);
	return status == -1 ? -1 : 0;
}

int
runfile_tasks_nth_longest(struct runfile_tasks *tasks, uint64_t n, int64_t *wall_ns,
			  uint64_t *longer_count, struct err *err)
{
	int64_t count;
	if (query_number(tasks, longest_sql, (int64_t)n - 1, wall_ns, err) == -1 ||
	    query_number(tasks, longer_sql, *wall_ns, &count, err) == -1)
		return -1;
	*longer_count = (uint64_t)count;
	return 0;
}

/* --- its words and its output --- */

static int
read_list(struct runfile_tasks *tasks, enum runfile_task_column column, struct list *list,
	  const struct arg **args, size_t *count, struct err *err)
{
	tasks->reading.err = err;
	buf_clear(&list->packed);
	reading_packed(&tasks->reading, column, &list->packed, count);
	if (tasks->reading.status == 0 &&
	    task_unpack(list->packed.bytes, list->packed.length, (uint32_t)*count,
			&list->args, &list->capacity) == -1)
		reading_fail(&tasks->reading);
	*args = list->args;
	return tasks->reading.status;
}

int
runfile_tasks_inputs(struct runfile_tasks *tasks, const struct arg **args, size_t *count,
		     struct err *err)
{
	return read_list(tasks, COLUMN_INPUTS, &tasks->inputs, args, count, err);
}

int
runfile_tasks_argv(struct runfile_tasks *tasks, const struct arg **words, size_t *count,
		   struct err *err)
{
	return read_list(tasks, COLUMN_ARGV, &tasks->argv, words, count, err);
}

int
runfile_tasks_overrides(struct runfile_tasks *tasks, struct arg *overrides, struct err *err)
{
	static const struct spec without_members = {.hidden_count = 1};
	const struct reading *reading = &tasks->reading;
	const struct sqlite_late *sqlite = &reading->db.sqlite;
	struct list *list = &tasks->overrides;
	*overrides = (struct arg){"", 0};
	if (is_null(&tasks->reading, COLUMN_OVERRIDES))
		return 0;
	buf_clear(&list->packed);
	if (hidden_read(
		&tasks->hidden, sqlite->column_blob(reading->row, COLUMN_OVERRIDES),
		(size_t)sqlite->column_bytes(reading->row, COLUMN_OVERRIDES),
		sqlite->column_type(reading->row, COLUMN_OVERRIDES) == SQLITE_TEXT) == -1)
		return err_set(err, ERR_SYSTEM,
			       "%.200s: cannot read the overrides of a task",
			       reading->db.path);
	if (hidden_pack(&list->packed, &without_members, &tasks->hidden, err) == -1)
		return -1;
	if (task_unpack(list->packed.bytes, list->packed.length, 1, &list->args,
			&list->capacity) == -1)
		return err_no_memory(err);
	*overrides = list->args[0];
	return 0;
}

/* What is in the row itself; NULL: nothing, or it has rows of its own. */
static const char *
find_inline(const struct runfile_tasks *tasks, enum result_stream stream, size_t *length)
{
	const struct reading *reading = &tasks->reading;
	int column = stream == RESULT_STDOUT ? COLUMN_STDOUT : COLUMN_STDERR;
	const char *bytes = reading->db.sqlite.column_blob(reading->row, column);
	*length = (size_t)reading->db.sqlite.column_bytes(reading->row, column);
	return bytes;
}

static void
bind_stream(const struct runfile_tasks *tasks, sqlite3_stmt *statement,
	    enum result_stream stream)
{
	const struct sqlite_late *sqlite = &tasks->reading.db.sqlite;
	sqlite->reset(statement);
	sqlite->bind_int64(statement, 1, tasks->task_id);
	sqlite->bind_int64(statement, 2, (int)stream + 1);
}

static const char *
read_piece(const struct runfile_tasks *tasks, sqlite3_stmt *statement, size_t *length)
{
	const struct sqlite_late *sqlite = &tasks->reading.db.sqlite;
	const char *bytes = sqlite->column_blob(statement, 0);
	*length = (size_t)sqlite->column_bytes(statement, 0);
	return bytes;
}

int
runfile_tasks_output(struct runfile_tasks *tasks, enum result_stream stream,
		     runfile_piece *piece, void *context, struct err *err)
{
	size_t length;
	const char *bytes = find_inline(tasks, stream, &length);
	int status;
	if (bytes != NULL)
		return piece(context, bytes, length, err);
	bind_stream(tasks, tasks->output, stream);
	while ((status = runfile_db_step(&tasks->reading.db, tasks->output, err)) == 1) {
		bytes = read_piece(tasks, tasks->output, &length);
		if (piece(context, bytes, length, err) == -1)
			return -1;
	}
	return status;
}

/* The end of these bytes in front of what is there, up to max_bytes in all. */
static int
prepend_tail(struct buf *tail, const char *bytes, size_t length, size_t max_bytes,
	     struct err *err)
{
	size_t room = max_bytes - tail->length;
	size_t taken = length < room ? length : room;
	if (taken == 0)
		return 0;
	if (buf_reserve(tail, taken) == -1)
		return err_no_memory(err);
	memmove(tail->bytes + taken, tail->bytes, tail->length);
	memcpy(tail->bytes, bytes + length - taken, taken);
	tail->length += taken;
	return 0;
}

int
runfile_tasks_tail(struct runfile_tasks *tasks, enum result_stream stream,
		   size_t max_bytes, struct buf *tail, struct err *err)
{
	size_t length;
	const char *bytes = find_inline(tasks, stream, &length);
	int status = 0;
	buf_clear(tail);
	if (max_bytes == 0)
		return 0;
	if (bytes != NULL)
		return prepend_tail(tail, bytes, length, max_bytes, err);
	bind_stream(tasks, tasks->tail, stream);
	while (tail->length < max_bytes &&
	       (status = runfile_db_step(&tasks->reading.db, tasks->tail, err)) == 1) {
		bytes = read_piece(tasks, tasks->tail, &length);
		if (prepend_tail(tail, bytes, length, max_bytes, err) == -1)
			return -1;
	}
	tasks->reading.db.sqlite.reset(tasks->tail);
	return status == -1 ? -1 : 0;
}

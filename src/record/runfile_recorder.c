/* runfile_recorder.c: see runfile_recorder.h. */
#include "record/runfile_recorder.h"

#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "record/hidden.h"
#include "record/intact.h"
#include "record/runfile_db.h"
#include "record/runfile_kept.h"
#include "record/runfile_past.h"
#include "record/runfile_rows.h"
#include "record/runfile_run.h"
#include "record/runfile_wire.h"
#include "record/words.h"

#define READ_BYTES (256 * 1024)
#define ANSWER_BYTES (64 * 1024)
#define DONE_ROOM_MAX (UINT64_C(1) << 22)
#define LOCK_WAIT_MS 10000 /* for the recorder of a run that was killed */

struct recorder {
	const struct recorder_config *config;
	struct runfile_db db;
	struct past past; /* of the stage that is told of; in the end the last */
	struct kept kept;
	struct run_origin origin;
	int64_t run_id;
	struct rows *rows;
	struct template *command; /* with the names of the record; NULL: the coordinator's */
	struct buf input;         /* frames, the last one perhaps not yet whole */
	struct buf answer;        /* what is to be in a frame */
	struct buf said;          /* frames on their way to the coordinator */
	struct buf tasks;         /* of struct retried */
	uint32_t stage;           /* that is told of */
	bool was_asked;           /* the coordinator waits for our answers */
	bool has_ended;           /* the coordinator said so */
};

/* --- answers --- */

/* All that has been said so far. */
static int
recorder_flush(struct recorder *self, struct err *err)
{
	int status =
	    io_write_all(self->config->answer_fd, self->said.bytes, self->said.length);
	buf_clear(&self->said);
	return status == -1 ? err_errno(err, "cannot tell the run of its run file") : 0;
}

/* A frame, which goes out with others: at the latest when recorder_flush is called. */
static int
recorder_send(struct recorder *self, enum wire_type type, const void *bytes,
	      size_t length, struct err *err)
{
	struct wire_header header = {
	    .payload_bytes = (uint32_t)length, .type = type, .stage = self->stage};
	if (buf_append(&self->said, &header, sizeof(header)) == -1 ||
	    buf_append(&self->said, bytes, length) == -1)
		return err_no_memory(err);
	return self->said.length < ANSWER_BYTES ? 0 : recorder_flush(self, err);
}

/* The last word, also without memory; if nobody hears it, nobody is there. */
static void
recorder_send_failure(struct recorder *self, const struct err *failure)
{
	struct wire_failed head = {.kind = (int32_t)failure->kind,
				   .errno_value = failure->errno_value};
	size_t length = strlen(failure->text);
	struct wire_header header = {.payload_bytes = (uint32_t)(sizeof(head) + length),
				     .type = WIRE_FAILED};
	int fd = self->config->answer_fd;
	if (recorder_flush(self, NULL) == 0 &&
	    io_write_all(fd, &header, sizeof(header)) == 0 &&
	    io_write_all(fd, &head, sizeof(head)) == 0)
		io_write_all(fd, failure->text, length);
}

/* --- what was before this run --- */

static int
recorder_send_done(struct recorder *self, struct err *err)
{
	if (recorder_send(self, WIRE_DONE_BEFORE, self->answer.bytes, self->answer.length,
			  err) == -1)
		return -1;
	buf_clear(&self->answer);
	return 0;
}

static bool
recorder_tells_of_last(const struct recorder *self)
{
	return self->stage == self->config->records->before_count;
}

/* A joblog may lack what the run that was killed had told us. */
static bool
recorder_tells_of_ends(const struct recorder *self)
{
	return recorder_tells_of_last(self) && self->config->records->spec->joblog != NULL;
}

static int
recorder_send_ended(struct recorder *self, const void *identity, sqlite3_stmt *row,
		    struct err *err)
{
	struct wire_ended ended = {.result = past_read_end(&self->db, row)};
	memcpy(&ended.identity, identity, IDENTITY_BYTES);
	return recorder_send(self, WIRE_ENDED, &ended, sizeof(ended), err);
}

/* A past_each: gathers identities in frames. What stages before the last put out is wanted, too. */
static int
recorder_take_done(void *context, sqlite3_stmt *row, struct err *err)
{
	struct recorder *self = context;
	const void *identity = self->db.sqlite.column_blob(row, PAST_IDENTITY);
	if (identity == NULL ||
	    self->db.sqlite.column_bytes(row, PAST_IDENTITY) != IDENTITY_BYTES)
		return err_set(err, ERR_SYSTEM, "%.200s: a row has no sound identity",
			       self->db.path);
	if (!recorder_tells_of_last(self) &&
	    self->db.sqlite.column_int64(row, PAST_SUCCESS) != 0 &&
	    kept_add(&self->kept, self->stage, identity,
		     self->db.sqlite.column_int64(row, PAST_SEQ),
		     self->db.sqlite.column_int64(row, PAST_ID), err) == -1)
		return -1;
	if (recorder_tells_of_ends(self) &&
	    recorder_send_ended(self, identity, row, err) == -1)
		return -1;
	if (buf_append(&self->answer, identity, IDENTITY_BYTES) == -1)
		return err_no_memory(err);
	return self->answer.length < ANSWER_BYTES ? 0 : recorder_send_done(self, err);
}

/* Another command's tasks would all be new, which is not what anyone means by going on. */
static int
recorder_check_command(const struct recorder *self, struct err *err)
{
	struct identity command = identity_of_command(self->config->records->spec);
	if (memcmp(&command, &self->past.command, sizeof(command)) == 0)
		return 0;
	return err_set(
	    err, ERR_USAGE,
	    "%.200s: its last run had another command, so there is nothing to resume: "
	    "give that command, or leave the option away for a new run",
	    self->db.path);
}

/* Only for room: a record that is not sound may have any ids. */
static uint64_t
recorder_done_max(const struct past *past)
{
	if (past->first_task_id < 0 || past->next_task_id < past->first_task_id)
		return 0;
	uint64_t count = (uint64_t)(past->next_task_id - past->first_task_id);
	return count < DONE_ROOM_MAX ? count : DONE_ROOM_MAX;
}

/* What was done in the stage at hand. */
static int
recorder_tell_done(struct recorder *self, struct err *err)
{
	enum spec_resume resume = past_resume(self->config->records->spec);
	uint64_t done_max = recorder_done_max(&self->past);
	if (self->config->records->before_count == 0 &&
	    recorder_send(self, WIRE_DONE_MAX, &done_max, sizeof(done_max), err) == -1)
		return -1;
	if (past_each_done(&self->db, &self->past, resume, recorder_take_done, self,
			   err) == -1)
		return -1;
	return self->answer.length == 0 ? 0 : recorder_send_done(self, err);
}

struct retried {
	uint64_t seq;
	uint64_t arg_count;
	struct buf packed;
};

/* What stands in front of the task's own values. */
static int
recorder_take_hidden(struct recorder *self, sqlite3_stmt *row, struct retried *task,
		     struct err *err)
{
	const struct sqlite_late *sqlite = &self->db.sqlite;
	const struct spec *spec = self->config->records->spec;
	struct hidden hidden = {0};
	int status = hidden_read(&hidden, sqlite->column_blob(row, PAST_OVERRIDES),
				 (size_t)sqlite->column_bytes(row, PAST_OVERRIDES),
				 sqlite->column_type(row, PAST_OVERRIDES) == SQLITE_TEXT);
	if (status == -1)
		err_set(err, ERR_SYSTEM, "%.200s: cannot read the overrides of a task",
			self->db.path);
	else
		status = hidden_pack(&task->packed, spec, &hidden, err);
	task->arg_count = spec->hidden_count;
	hidden_fini(&hidden);
	return status;
}

static int
recorder_take_inputs(struct recorder *self, sqlite3_stmt *row, struct retried *task,
		     struct err *err)
{
	const struct sqlite_late *sqlite = &self->db.sqlite;
	size_t count;
	bool is_text = sqlite->column_type(row, PAST_INPUTS) == SQLITE_TEXT;
	const char *inputs = sqlite->column_blob(row, PAST_INPUTS);
	size_t length = (size_t)sqlite->column_bytes(row, PAST_INPUTS);
	if (words_read(&task->packed, &count, inputs, length, is_text) == -1)
		return err_set(err, ERR_SYSTEM,
			       "%.200s: cannot read the inputs of a task", self->db.path);
	task->arg_count += count;
	return 0;
}

/* A past_each: keeps what has failed, for they come in no useful order. */
static int
recorder_take_failed(void *context, sqlite3_stmt *row, struct err *err)
{
	struct recorder *self = context;
	int64_t seq = self->db.sqlite.column_int64(row, PAST_SEQ);
	struct retried task = {.seq = (uint64_t)seq};
	if (seq < 0 || task.seq >= TASK_SEQS_MAX)
		return err_set(err, ERR_SYSTEM, "%.200s: a row has no sound seq: %" PRId64,
			       self->db.path, seq);
	int status = recorder_take_hidden(self, row, &task, err);
	if (status == 0)
		status = recorder_take_inputs(self, row, &task, err);
	if (status == 0 && buf_append(&self->tasks, &task, sizeof(task)) == -1)
		status = err_no_memory(err);
	if (status == -1)
		buf_fini(&task.packed);
	return status;
}

static int
compare_seqs(const void *a, const void *b)
{
	const struct retried *first = a, *second = b;
	return (first->seq > second->seq) - (first->seq < second->seq);
}

static int
recorder_send_task(struct recorder *self, const struct retried *task, uint64_t seq,
		   struct err *err)
{
	struct wire_task head = {.seq = seq, .arg_count = (uint32_t)task->arg_count};
	buf_clear(&self->answer);
	if (buf_append(&self->answer, &head, sizeof(head)) == -1 ||
	    buf_append(&self->answer, task->packed.bytes, task->packed.length) == -1)
		return err_no_memory(err);
	return recorder_send(self, WIRE_TASK, self->answer.bytes, self->answer.length, err);
}

/* In the order of their seqs; runs with other lists may have had the same ones. */
static int
recorder_send_tasks(struct recorder *self, struct err *err)
{
	struct retried *tasks = (void *)self->tasks.bytes;
	size_t count = self->tasks.length / sizeof(*tasks);
	uint64_t next_seq = 0;
	if (count > 0)
		qsort(tasks, count, sizeof(*tasks), compare_seqs);
	for (size_t i = 0; i < count; i++) {
		uint64_t seq = tasks[i].seq < next_seq ? next_seq : tasks[i].seq;
		if (recorder_send_task(self, &tasks[i], seq, err) == -1)
			return -1;
		next_seq = seq + 1;
	}
	return 0;
}

static int
recorder_tell_failed(struct recorder *self, struct err *err)
{
	struct retried *tasks;
	int status =
	    past_each_failed(&self->db, &self->past, recorder_take_failed, self, err);
	if (status == 0)
		status = recorder_send_tasks(self, err);
	tasks = (void *)self->tasks.bytes;
	for (size_t i = 0; i < self->tasks.length / sizeof(*tasks); i++)
		buf_fini(&tasks[i].packed);
	buf_fini(&self->tasks);
	return status;
}

/* Names of columns that the command may have in it. */
static int
recorder_tell_names(struct recorder *self, struct err *err)
{
	const struct past *past = &self->past;
	struct wire_names head = {.column_count = (uint32_t)past->column_count,
				  .name_count = (uint32_t)past->name_count};
	buf_clear(&self->answer);
	if (buf_append(&self->answer, &head, sizeof(head)) == -1 ||
	    buf_append(&self->answer, past->packed_names.bytes,
		       past->packed_names.length) == -1)
		return err_no_memory(err);
	return recorder_send(self, WIRE_NAMES, self->answer.bytes, self->answer.length,
			     err);
}

/* What was done in the stages before the last. */
static int
recorder_tell_before(struct recorder *self, struct err *err)
{
	const struct records_config *records = self->config->records;
	const struct spec *last = self->past.spec;
	int status = 0;
	if (records->before_count > 0)
		status = kept_init(&self->kept, &self->db, err);
	for (size_t i = 0; i < records->before_count && status == 0; i++) {
		self->past.spec = records->before[i].spec;
		self->stage = (uint32_t)i;
		status = recorder_tell_done(self, err);
	}
	self->past.spec = last;
	self->stage = (uint32_t)records->before_count;
	return status;
}

static int
recorder_tell_past(struct recorder *self, struct err *err)
{
	if (recorder_check_command(self, err) == -1)
		return -1;
	if (past_resume(self->config->records->spec) == SPEC_RETRY_FAILED)
		return recorder_tell_names(self, err) == -1 ||
			       recorder_tell_failed(self, err) == -1
			   ? -1
			   : 0;
	if (recorder_tell_before(self, err) == -1)
		return -1;
	return recorder_tell_done(self, err);
}

/* Tells what was before, then that this is all. */
static int
recorder_get_ready(struct recorder *self, struct err *err)
{
	enum spec_resume resume = past_resume(self->config->records->spec);
	bool has_past = self->past.last_run_id != 0;
	if (resume == SPEC_RETRY_FAILED && !has_past)
		return err_set(err, ERR_USAGE, "%.200s: there is no run in it to retry",
			       self->db.path);
	if (resume != SPEC_RESUME_NOTHING && has_past && recorder_tell_past(self, err) == -1)
		return -1;
	return recorder_send(self, WIRE_READY, NULL, 0, err) == -1
		   ? -1
		   : recorder_flush(self, err);
}

/* --- beginning --- */

/* In use by another run: by which, if the file says so. */
static int
recorder_refuse(struct recorder *self, struct err *err)
{
	char who[256];
	if (self->db.handle == NULL ||
	    runfile_run_describe(&self->db, who, sizeof(who)) == -1)
		return err_set(
		    err, ERR_LOCKED, "%.200s is in use by another run, of process %d",
		    self->config->records->spec->run_file, self->config->holder_pid);
	return err_set(err, ERR_LOCKED, "%.200s is in use by %s", self->db.path, who);
}

/* What was opened by its name must be what was locked: links may have been moved meanwhile. */
static int
recorder_check_file(const struct recorder *self, struct err *err)
{
	struct stat locked, named;
	if (fstat(self->config->lock_fd, &locked) == -1 ||
	    lstat(self->db.path, &named) == -1)
		return err_errno(err, "cannot look at %.200s", self->db.path);
	if (locked.st_dev == named.st_dev && locked.st_ino == named.st_ino)
		return 0;
	return err_set(err, ERR_SYSTEM, "%.200s was replaced by another file",
		       self->db.path);
}

static int
recorder_lock(const struct recorder *self, struct err *err)
{
	struct flock lock = {.l_type = F_WRLCK,
			     .l_whence = SEEK_SET,
			     .l_start = RUNFILE_LOCK_WRITE,
			     .l_len = 1};
	for (int i = 0; fcntl(self->config->lock_fd, F_SETLK, &lock) == -1; i++) {
		struct timespec moment = {.tv_nsec = NS_PER_MS};
		if (i == LOCK_WAIT_MS)
			return err_errno(err,
					 "%.200s is still written to by a run that ended",
					 self->db.path);
		nanosleep(&moment, NULL);
	}
	return 0;
}

static struct rows_stage_config
stage_of(const struct records_config *records)
{
	return (struct rows_stage_config){.spec = records->spec,
					  .command = records->command,
					  .column_count = records->column_count};
}

/* The run's last stage is `last`; the others are as they were configured. */
static int
recorder_make_rows(struct recorder *self, const struct rows_stage_config *last,
		   struct err *err)
{
	const struct records_config *records = self->config->records;
	size_t count = records->before_count + 1;
	struct rows_stage_config *stages = calloc(count, sizeof(*stages));
	if (stages == NULL)
		return err_no_memory(err);
	for (size_t i = 0; i < records->before_count; i++)
		stages[i] = stage_of(&records->before[i]);
	stages[count - 1] = *last;
	const struct rows_config rows = {
	    .db = &self->db,
	    .stages = stages,
	    .stage_count = count,
	    .run_id = self->run_id,
	    .first_task_id = self->past.next_task_id,
	};
	self->rows = rows_new(&rows, err);
	free(stages);
	return self->rows == NULL ? -1 : 0;
}

static int
recorder_begin_run(struct recorder *self, struct err *err)
{
	const struct records_config *records = self->config->records;
	struct rows_stage_config last = stage_of(records);
	if (runfile_run_begin(&self->db, records, &self->origin, &self->past,
			      &self->run_id, err) == -1)
		return -1;
	if (past_resume(self->config->records->spec) == SPEC_RETRY_FAILED &&
	    self->past.name_count > 0) {
		self->command = template_new(records->spec, self->past.names,
					     self->past.name_count, err);
		if (self->command == NULL)
			return -1;
		last.command = self->command;
		last.column_count = self->past.column_count;
	}
	return recorder_make_rows(self, &last, err);
}

static int
recorder_begin(struct recorder *self, struct err *err)
{
	const struct spec *spec = self->config->records->spec;
	bool is_free = self->config->holder_pid == 0;
	bool is_writer = is_free && !spec->is_dry_run;
	if (runfile_db_open(&self->db, spec->run_file, is_writer, is_free ? err : NULL) ==
	    -1)
		return is_free ? -1 : recorder_refuse(self, err);
	if (!is_free)
		return recorder_refuse(self, err);
	if (recorder_check_file(self, err) == -1 || recorder_lock(self, err) == -1 ||
	    past_find(&self->db, spec, &self->past, err) == -1 ||
	    recorder_get_ready(self, err) == -1)
		return -1;
	return spec->is_dry_run ? 0 : recorder_begin_run(self, err);
}

/* --- while it runs --- */

static int
recorder_end(struct recorder *self, const struct wire_end *end, struct err *err)
{
	if (rows_end(self->rows, err) == -1 || rows_commit(self->rows, err) == -1 ||
	    runfile_run_end(&self->db, self->run_id, end, err) == -1)
		return -1;
	self->has_ended = true;
	return 0;
}

static int
recorder_take_settled(struct recorder *self, const char *payload, size_t length,
		      struct err *err)
{
	struct wire_settled settled;
	memcpy(&settled, payload, sizeof(settled));
	return rows_settled(self->rows, &settled, payload + sizeof(settled),
			    length - sizeof(settled), err);
}

static int
recorder_take_answered(struct recorder *self, const char *payload, size_t length,
		       struct err *err)
{
	struct wire_answered answered;
	memcpy(&answered, payload, sizeof(answered));
	const char *answers = payload + sizeof(answered);
	const char *outputs = answers + answered.count * sizeof(struct wire_answer);
	const char *args = outputs + answered.output_bytes;
	return rows_answered(self->rows, &answered, answers, outputs, args,
			     (size_t)(payload + length - args), err);
}

/* A history_take: a piece of what the coordinator has asked for. */
static int
recorder_send_piece(void *context, const char *bytes, size_t length, struct err *err)
{
	return recorder_send(context, WIRE_PIECE, bytes, length, err);
}

static int
recorder_recall(struct recorder *self, uint32_t stage, const char *identity, struct err *err)
{
	int found = kept_take(&self->kept, stage, identity, recorder_send_piece, self, err);
	uint32_t has_succeeded = found == 1;
	self->was_asked = true;
	return found == -1 ? -1
			   : recorder_send(self, WIRE_RECALLED, &has_succeeded,
					   sizeof(has_succeeded), err);
}

static int
recorder_take_frame(struct recorder *self, const struct wire_header *header,
		    const char *payload, struct err *err)
{
	size_t length = header->payload_bytes;
	struct wire_output output;
	struct wire_end end;
	switch (header->type) {
	case WIRE_OUTPUT:
		memcpy(&output, payload, sizeof(output));
		return rows_output(self->rows, &output, payload + sizeof(output),
				   length - sizeof(output), err);
	case WIRE_RETRIED:
		memcpy(&output, payload, sizeof(output));
		return rows_retried(self->rows, &output, err);
	case WIRE_SETTLED:
		return recorder_take_settled(self, payload, length, err);
	case WIRE_ANSWERED:
		return recorder_take_answered(self, payload, length, err);
	case WIRE_RECALL:
		return recorder_recall(self, header->stage, payload, err);
	case WIRE_END:
		memcpy(&end, payload, sizeof(end));
		return recorder_end(self, &end, err);
	default:
		return err_set(err, ERR_SYSTEM, "the recorder was told nonsense");
	}
}

/* All whole frames there are. */
static int
recorder_take_input(struct recorder *self, struct err *err)
{
	struct wire_header header;
	const char *at = self->input.bytes;
	const char *end = at + self->input.length;
	while ((size_t)(end - at) >= sizeof(header)) {
		memcpy(&header, at, sizeof(header));
		if ((size_t)(end - at) - sizeof(header) < header.payload_bytes)
			break;
		rows_set_stage(self->rows, header.stage);
		if (recorder_take_frame(self, &header, at + sizeof(header), err) == -1)
			return -1;
		at += sizeof(header) + header.payload_bytes;
	}
	buf_consume(&self->input, (size_t)(at - self->input.bytes));
	return 0;
}

/* How much there was; 0: the coordinator has closed it; -1 and err. */
static ssize_t
recorder_read(struct recorder *self, struct err *err)
{
	if (buf_reserve(&self->input, READ_BYTES) == -1)
		return err_no_memory(err);
	ssize_t got = io_read(self->config->in_fd, self->input.bytes + self->input.length,
			      READ_BYTES);
	if (got == -1)
		return err_errno(err, "cannot read what is to be recorded");
	self->input.length += (size_t)got;
	return got;
}

/*
 * Leaves what comes now in the pipe, so that it makes one commit, and the coordinator need not
 * wake us for each of its pieces. But not while there is much.
 */
static void
recorder_pause(size_t got)
{
	struct timespec pause = {.tv_nsec = RECORDER_PAUSE_MS * NS_PER_MS};
	if (got < READ_BYTES / 2)
		nanosleep(&pause, NULL);
}

static int
recorder_serve(struct recorder *self, struct err *err)
{
	ssize_t got;
	while ((got = recorder_read(self, err)) > 0) {
		if (recorder_take_input(self, err) == -1 ||
		    recorder_flush(self, err) == -1 || rows_commit(self->rows, err) == -1)
			return -1;
		if (self->has_ended)
			return 0;
		if (!self->was_asked)
			recorder_pause((size_t)got);
		self->was_asked = false;
	}
	return (int)got;
}

/* --- the process --- */

/* Ctrl-C and the ends of jobs are the coordinator's: with it gone, the pipe says so. */
static void
recorder_set_up_signals(void)
{
	static const int ignored[] = {SIGINT,  SIGTERM, SIGHUP,  SIGQUIT,
				      SIGUSR1, SIGUSR2, SIGPIPE, SIGXFSZ,
				      SIGTSTP, SIGTTIN, SIGTTOU};
	for (size_t i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		signal(ignored[i], SIG_IGN);
}

/* Nobody else's pipe stays open because of us, and no message of ours gets into a file. */
static int
recorder_set_up_fds(const struct recorder_config *config)
{
	int keep[] = {config->lock_fd, config->in_fd, config->answer_fd};
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd == -1)
		return -1;
	for (int fd = 0; fd <= 2; fd++)
		if (dup2(null_fd, fd) == -1)
			return -1;
	io_close_from(3, keep, 3);
	return 0;
}

_Noreturn void
recorder_main(const struct recorder_config *config)
{
	struct recorder self = {.config = config, .origin = {config->pid, clock_real_ns()}};
	struct err err = {0};
	setsid();
	recorder_set_up_signals();
	int status = recorder_set_up_fds(config);
	if (status == -1)
		err_errno(&err, "cannot start the recorder");
	if (status == 0)
		status = recorder_begin(&self, &err);
	if (status == 0 && self.rows != NULL)
		status = recorder_serve(&self, &err);
	rows_free(self.rows);
	kept_fini(&self.kept);
	/* Into one file, where nobody else has it open. */
	runfile_db_close(&self.db);
	if (status == 0 && self.has_ended)
		status = intact_check(config->lock_fd, 0, "--run-file",
				      config->records->spec->run_file, &err);
	if (status == -1)
		recorder_send_failure(&self, &err);
	else if (self.has_ended && recorder_send(&self, WIRE_SAVED, NULL, 0, NULL) == 0)
		recorder_flush(&self, NULL);
	past_fini(&self.past);
	template_free(self.command);
	buf_fini(&self.input);
	buf_fini(&self.answer);
	buf_fini(&self.said);
	_exit(status == -1);
}

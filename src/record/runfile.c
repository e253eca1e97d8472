/* runfile.c: see runfile.h. */
#include "record/runfile.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/io.h"
#include "record/identity_bag.h"
#include "record/runfile_ends.h"
#include "record/runfile_past.h"
#include "record/runfile_pipe.h"
#include "record/runfile_recorder.h"
#include "record/runfile_source.h"
#include "record/runfile_wire.h"

#define ABRUPT_MS 1000 /* a run that was told to end waits so long for its record */

/* What is said of one stage, and what was done in it before. */
struct runfile_stage {
	struct sink sink; /* first */
	struct runfile *runfile;
	uint32_t index;
	const struct spec *spec;
	struct history history;
	struct identity command;
	struct identity_bag done;
	int wait_fd; /* the pipe: one for each, as each run watches it in the same loop */
};

struct runfile {
	struct runfile_stage *stages;
	size_t stage_count; /* one at least, the last is what messages are about */
	const struct spec *spec;
	pid_t recorder; /* -1: none */
	int lock_fd;
	struct runfile_pipe pipe;
	bool is_saved; /* that was the recorder's last word */
	uint64_t passed_count;
	struct buf names; /* the payload of WIRE_NAMES */
	struct arg *name_args;
	size_t name_capacity;
	struct wire_names names_head;
	struct buf tasks; /* for the source */
	struct runfile_ends ends;
};

static struct runfile_stage *
stage_of(struct sink *sink)
{
	return (struct runfile_stage *)sink;
}

static struct runfile *
runfile_of(const struct sink *sink)
{
	return ((const struct runfile_stage *)sink)->runfile;
}

/* --- hearing the recorder --- */

static int
runfile_hear_done_max(struct runfile_stage *stage, const char *payload, struct err *err)
{
	uint64_t count;
	memcpy(&count, payload, sizeof(count));
	return identity_bag_reserve(&stage->done, count) == -1 ? err_no_memory(err) : 0;
}

static int
runfile_hear_done(struct runfile_stage *stage, const char *payload, size_t length,
		  struct err *err)
{
	struct identity identity;
	for (size_t at = 0; at < length; at += sizeof(identity)) {
		memcpy(&identity, payload + at, sizeof(identity));
		if (identity_bag_add(&stage->done, &identity) == -1)
			return err_no_memory(err);
	}
	return 0;
}

static int
runfile_hear_task(struct runfile *self, const char *payload, size_t length, struct err *err)
{
	struct wire_task head;
	memcpy(&head, payload, sizeof(head));
	if (runfile_source_add(&self->tasks, head.seq, head.arg_count,
			       payload + sizeof(head), length - sizeof(head)) == -1)
		return err_no_memory(err);
	return 0;
}

static int
runfile_hear_names(struct runfile *self, const char *payload, size_t length, struct err *err)
{
	size_t packed_bytes = length - sizeof(self->names_head);
	memcpy(&self->names_head, payload, sizeof(self->names_head));
	if (buf_append(&self->names, payload + sizeof(self->names_head), packed_bytes) ==
		-1 ||
	    task_unpack(self->names.bytes, packed_bytes, self->names_head.name_count,
			&self->name_args, &self->name_capacity) == -1)
		return err_no_memory(err);
	return 0;
}

/* A runfile_pipe_hear. */
static int
runfile_hear(void *context, const struct wire_header *header, const char *payload,
	     struct err *err)
{
	struct runfile *self = context;
	struct runfile_stage *stage = &self->stages[header->stage];
	size_t length = header->payload_bytes;
	switch (header->type) {
	case WIRE_DONE_MAX:
		return runfile_hear_done_max(stage, payload, err);
	case WIRE_DONE_BEFORE:
		return runfile_hear_done(stage, payload, length, err);
	case WIRE_ENDED:
		return runfile_ends_add(&self->ends, payload, err);
	case WIRE_NAMES:
		return runfile_hear_names(self, payload, length, err);
	case WIRE_TASK:
		return runfile_hear_task(self, payload, length, err);
	default:
		return 0;
	}
}

/* --- telling it --- */

static int
runfile_say(struct runfile_stage *stage, enum wire_type type, const void *head,
	    size_t head_bytes, const void *tail, size_t tail_bytes, struct err *err)
{
	return runfile_pipe_say(&stage->runfile->pipe, stage->index, type, head,
				head_bytes, tail, tail_bytes, 0, err);
}

static int
runfile_output(struct sink *sink, const struct task *task, enum result_stream stream,
	       const char *bytes, size_t length, struct err *err)
{
	struct wire_output output = {.seq = task->seq, .stream = stream};
	return runfile_say(stage_of(sink), WIRE_OUTPUT, &output, sizeof(output), bytes,
			   length, err);
}

static int
runfile_retried(struct sink *sink, const struct task *task, const struct result *result,
		struct err *err)
{
	struct wire_output output = {.seq = task->seq};
	(void)result;
	return runfile_say(stage_of(sink), WIRE_RETRIED, &output, sizeof(output), NULL, 0,
			   err);
}

static int
runfile_settled(struct sink *sink, const struct task *task, const struct result *result,
		struct err *err)
{
	struct wire_settled settled = {.seq = task->seq,
				       .attempt = result_attempts(result, task->attempt),
				       .arg_count = task->arg_count,
				       .result = *result};
	return runfile_say(stage_of(sink), WIRE_SETTLED, &settled, sizeof(settled),
			   task_bytes(task), task->packed_bytes, err);
}

static int
runfile_answered(struct sink *sink, const struct task *chunk,
		 const struct answers *answers, struct err *err)
{
	struct runfile_stage *stage = stage_of(sink);
	struct runfile_pipe *pipe = &stage->runfile->pipe;
	struct wire_answered answered = {.seq = chunk->seq,
					 .count = answers->count,
					 .arg_count = chunk->arg_count,
					 .worker = answers->worker,
					 .slot = answers->slot,
					 .real_offset_ns = clock_real_ns() - clock_now_ns(),
					 .output_bytes = answers->length};
	size_t args_bytes = task_prefix_bytes(chunk, answers->count);
	size_t rest = answers->count * sizeof(struct wire_answer) + answers->length;
	if (runfile_pipe_say(pipe, stage->index, WIRE_ANSWERED, &answered,
			     sizeof(answered), NULL, 0, rest + args_bytes, err) == -1)
		return -1;
	/* There is room for all of this. */
	for (uint32_t i = 0; i < answers->count; i++) {
		const struct answer *item = &answers->items[i];
		struct wire_answer answer = {.started_at_ns = item->started_at_ns,
					     .wall_ns = item->wall_ns,
					     .output_bytes = item->bytes};
		buf_append(&pipe->pending, &answer, sizeof(answer));
	}
	buf_append(&pipe->pending, answers->bytes, answers->length);
	buf_append(&pipe->pending, task_bytes(chunk), args_bytes);
	return 0;
}

static int
runfile_passed(struct sink *sink, const struct task *chunk, struct err *err)
{
	(void)err;
	if (!chunk->is_unknown)
		runfile_of(sink)->passed_count += chunk->count;
	return 0;
}

static bool
runfile_is_behind(const struct sink *sink)
{
	return runfile_pipe_pending_bytes(&runfile_of(sink)->pipe) > RUNFILE_PENDING_MAX;
}

static bool
runfile_is_done(const struct sink *sink)
{
	return runfile_pipe_pending_bytes(&runfile_of(sink)->pipe) == 0;
}

static size_t
runfile_wait_fds(const struct sink *sink, int fds[2])
{
	fds[0] = ((const struct runfile_stage *)sink)->wait_fd;
	return runfile_pipe_pending_bytes(&runfile_of(sink)->pipe) > 0;
}

static int
runfile_flush_sink(struct sink *sink, struct err *err)
{
	return runfile_pipe_flush(&runfile_of(sink)->pipe, err);
}

/* Whoever opened it frees it. */
static void
runfile_free_sink(struct sink *sink)
{
	(void)sink;
}

static const struct sink_ops runfile_sink_ops = {
    .is_record = true,
    .output = runfile_output,
    .retried = runfile_retried,
    .settled = runfile_settled,
    .answered = runfile_answered,
    .passed = runfile_passed,
    .is_behind = runfile_is_behind,
    .wait_fds = runfile_wait_fds,
    .flush = runfile_flush_sink,
    .is_done = runfile_is_done,
    .free = runfile_free_sink,
};

/* --- what was done before --- */

static struct runfile_stage *
stage_of_history(struct history *history)
{
	return (struct runfile_stage *)(void *)((char *)history -
						offsetof(struct runfile_stage, history));
}

static int
runfile_has(struct history *history, uint64_t seq, const struct arg *args,
	    size_t arg_count, struct err *err)
{
	struct runfile_stage *stage = stage_of_history(history);
	struct identity identity =
	    identity_of_task(&stage->command, stage->spec, args, arg_count);
	(void)seq;
	(void)err;
	return identity_bag_take(&stage->done, &identity);
}

/* What a task that was done before had put out, on its way to who asked. */
struct recalled {
	history_take *take;
	void *context;
	bool has_succeeded;
};

/* A runfile_pipe_hear. */
static int
runfile_hear_recalled(void *context, const struct wire_header *header,
		      const char *payload, struct err *err)
{
	struct recalled *recalled = context;
	uint32_t has_succeeded;
	if (header->type == WIRE_PIECE)
		return recalled->take(recalled->context, payload, header->payload_bytes,
				      err);
	memcpy(&has_succeeded, payload, sizeof(has_succeeded));
	recalled->has_succeeded = has_succeeded != 0;
	return 0;
}

static int
runfile_ask(struct history *history, const struct arg *args, size_t arg_count,
	    struct err *err)
{
	struct runfile_stage *stage = stage_of_history(history);
	struct identity identity =
	    identity_of_task(&stage->command, stage->spec, args, arg_count);
	return runfile_say(stage, WIRE_RECALL, &identity, sizeof(identity), NULL, 0, err);
}

static int
runfile_answer(struct history *history, history_take *take, void *context, struct err *err)
{
	struct recalled recalled = {.take = take, .context = context};
	if (runfile_pipe_await(&stage_of_history(history)->runfile->pipe, WIRE_RECALLED,
			       CLOCK_NEVER, runfile_hear_recalled, &recalled, err) == -1)
		return -1;
	return recalled.has_succeeded;
}

static void
runfile_free_history(struct history *history)
{
	(void)history;
}

static const struct history_ops runfile_history_ops = {
    .has = runfile_has,
    .ask = runfile_ask,
    .answer = runfile_answer,
    .free = runfile_free_history,
};

/* --- opening --- */

/* Nothing but a regular file of this very name: no link, which others may have put there. */
static int
runfile_open_file(struct runfile *self, struct err *err)
{
	const char *path = self->spec->run_file;
	int creates = self->spec->is_dry_run ? 0 : O_CREAT;
	struct stat st;
	self->lock_fd = open(
	    path, O_RDWR | creates | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
	if (self->lock_fd == -1 && errno == ELOOP)
		return err_set(err, ERR_SYSTEM,
			       "%.200s is a symbolic link: name the file itself", path);
	if (self->lock_fd == -1)
		return err_errno(err, "cannot open %.200s", path);
	if (fstat(self->lock_fd, &st) == -1)
		return err_errno(err, "cannot look at %.200s", path);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_SYSTEM, "%.200s is not a regular file", path);
	return 0;
}

/* The process that has it locked; 0: it is ours; -1 and err. */
static int
runfile_lock(struct runfile *self, struct err *err)
{
	for (;;) {
		struct flock lock = {.l_type = F_WRLCK,
				     .l_whence = SEEK_SET,
				     .l_start = RUNFILE_LOCK_RUN,
				     .l_len = 1};
		if (fcntl(self->lock_fd, F_SETLK, &lock) == 0)
			return 0;
		if ((errno != EAGAIN && errno != EACCES) ||
		    fcntl(self->lock_fd, F_GETLK, &lock) == -1)
			return err_errno(err, "cannot lock %.200s", self->spec->run_file);
		if (lock.l_type != F_UNLCK)
			return lock.l_pid;
	}
}

static int
runfile_fork(struct runfile *self, struct recorder_config *recorder, struct err *err)
{
	self->recorder = fork();
	if (self->recorder == -1)
		return err_errno(err, "cannot start the recorder of a run file");
	if (self->recorder == 0)
		recorder_main(recorder);
	return 0;
}

static int
runfile_start_recorder(struct runfile *self, const struct records_config *config,
		       int holder_pid, struct err *err)
{
	int to[2] = {-1, -1}, from[2] = {-1, -1};
	int status = -1;
	if (io_pipe(to, RUNFILE_PIPE_BYTES) == -1 ||
	    io_pipe(from, RUNFILE_PIPE_BYTES) == -1 || io_set_nonblocking(to[1]) == -1) {
		err_errno(err, "cannot make pipes for a run file");
		io_close(to[1]);
		io_close(from[0]);
	} else {
		struct recorder_config recorder = {.records = config,
						   .lock_fd = self->lock_fd,
						   .in_fd = to[0],
						   .answer_fd = from[1],
						   .pid = getpid(),
						   .holder_pid = holder_pid};
		self->pipe.to_fd = to[1];
		self->pipe.from_fd = from[0];
		status = runfile_fork(self, &recorder, err);
	}
	io_close(to[0]);
	io_close(from[1]);
	return status;
}

/* All but the last have their own of the pipe's end. */
static int
runfile_dup_fds(struct runfile *self, struct err *err)
{
	for (size_t i = 0; i < self->stage_count; i++) {
		bool is_last = i == self->stage_count - 1;
		self->stages[i].wait_fd =
		    is_last ? self->pipe.to_fd : io_dup(self->pipe.to_fd);
		if (self->stages[i].wait_fd == -1)
			return err_errno(err, "cannot make pipes for a run file");
	}
	return 0;
}

static int
runfile_set_up(struct runfile *self, const struct records_config *config, struct err *err)
{
	if (runfile_open_file(self, err) == -1)
		return -1;
	int holder_pid = runfile_lock(self, err);
	if (holder_pid == -1 ||
	    runfile_start_recorder(self, config, holder_pid, err) == -1 ||
	    runfile_dup_fds(self, err) == -1)
		return -1;
	return runfile_pipe_await(&self->pipe, WIRE_READY, CLOCK_NEVER, runfile_hear,
				  self, err);
}

static void
runfile_stage_init(struct runfile_stage *stage, struct runfile *runfile, size_t index,
		   const struct spec *spec)
{
	*stage = (struct runfile_stage){.sink.ops = &runfile_sink_ops,
					.runfile = runfile,
					.index = (uint32_t)index,
					.spec = spec,
					.history.ops = &runfile_history_ops,
					.command = identity_of_command(spec),
					.wait_fd = -1};
}

/* NULL without memory. */
static struct runfile *
runfile_new(const struct records_config *config)
{
	size_t stage_count = config->before_count + 1;
	struct runfile *self = calloc(1, sizeof(*self));
	struct runfile_stage *stages = calloc(stage_count, sizeof(*stages));
	if (self == NULL || stages == NULL) {
		free(self);
		free(stages);
		return NULL;
	}
	self->stages = stages;
	self->stage_count = stage_count;
	for (size_t i = 0; i < stage_count; i++)
		runfile_stage_init(&stages[i], self, i,
				   i < config->before_count ? config->before[i].spec
							    : config->spec);
	return self;
}

struct runfile *
runfile_open(const struct records_config *config, struct err *err)
{
	struct runfile *self = runfile_new(config);
	if (self == NULL) {
		err_no_memory(err);
		return NULL;
	}
	self->spec = config->spec;
	self->recorder = -1;
	self->lock_fd = -1;
	self->pipe = (struct runfile_pipe){
	    .to_fd = -1, .from_fd = -1, .path = config->spec->run_file};
	if (runfile_set_up(self, config, err) == 0)
		return self;
	runfile_free(self);
	return NULL;
}

struct sink *
runfile_sink(struct runfile *runfile, size_t index)
{
	return runfile->spec->is_dry_run ? NULL : &runfile->stages[index].sink;
}

struct history *
runfile_history(struct runfile *runfile, size_t index)
{
	enum spec_resume resume = runfile->spec->resume;
	return resume == SPEC_RESUME_REST || resume == SPEC_RESUME_FAILED
		   ? &runfile->stages[index].history
		   : NULL;
}

const struct result *
runfile_end_of(struct runfile *runfile, const struct arg *args, size_t arg_count)
{
	struct runfile_stage *last = &runfile->stages[runfile->stage_count - 1];
	struct identity identity =
	    identity_of_task(&last->command, last->spec, args, arg_count);
	return runfile_ends_take(&runfile->ends, &identity);
}

bool
runfile_has_source(const struct spec *spec)
{
	return past_resume(spec) == SPEC_RETRY_FAILED;
}

const struct arg *
runfile_names(const struct runfile *runfile, size_t *name_count, size_t *column_count)
{
	*name_count = runfile->names_head.name_count;
	*column_count = runfile->names_head.column_count;
	return *name_count > 0 ? runfile->name_args : NULL;
}

struct source *
runfile_source(struct runfile *runfile, struct err *err)
{
	return runfile_source_new(&runfile->tasks, err);
}

/* --- the end --- */

int
runfile_finish(struct runfile *runfile, enum records_outcome outcome, int exit_status,
	       struct err *err)
{
	struct wire_end end = {.outcome = (int32_t)outcome,
			       .exit_status = exit_status,
			       .passed_count = runfile->passed_count};
	struct runfile_stage *last = &runfile->stages[runfile->stage_count - 1];
	bool is_abrupt = outcome == RECORDS_SIGNALLED;
	int64_t until_ns = is_abrupt ? clock_now_ns() + ABRUPT_MS * NS_PER_MS : CLOCK_NEVER;
	if (runfile->spec->is_dry_run)
		return 0;
	if (runfile_say(last, WIRE_END, &end, sizeof(end), NULL, 0, err) == -1 ||
	    runfile_pipe_say_rest(&runfile->pipe, until_ns, err) == -1 ||
	    runfile_pipe_await(&runfile->pipe, WIRE_SAVED, until_ns, NULL, NULL, err) == -1)
		return -1;
	runfile->is_saved = true;
	return 0;
}

/*
 * The recorder ends as soon as its pipe is closed, and has then written down what it was told. It
 * is not waited for where it waits for a disk: with us gone, its end is nobody's business.
 */
void
runfile_free(struct runfile *runfile)
{
	if (runfile == NULL)
		return;
	for (size_t i = 0; i < runfile->stage_count - 1; i++)
		io_close(runfile->stages[i].wait_fd);
	for (size_t i = 0; i < runfile->stage_count; i++)
		identity_bag_fini(&runfile->stages[i].done);
	runfile_pipe_fini(&runfile->pipe);
	io_close(runfile->lock_fd);
	if (runfile->recorder != -1)
		waitpid(runfile->recorder, NULL, runfile->is_saved ? 0 : WNOHANG);
	buf_fini(&runfile->names);
	free(runfile->name_args);
	buf_fini(&runfile->tasks);
	runfile_ends_fini(&runfile->ends);
	free(runfile->stages);
	free(runfile);
}

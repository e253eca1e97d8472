/* joblog.c: see joblog.h. */
#include "record/joblog.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "record/joblog_line.h"
#include "record/joblog_parts.h"

#define JOBLOG_SLOTS_MAX 4096 /* {%} that are tried when a command is compared */

/* --- the sink --- */

static struct joblog *
joblog_of(struct sink *sink)
{
	return (struct joblog *)sink; /* its first member */
}

/* The command as it is shown, into joblog->command. */
static int
joblog_expand(struct joblog *joblog, uint64_t seq, uint32_t slot, const struct arg *args,
	      size_t arg_count, struct err *err)
{
	const struct template_values values = {
	    .seq = seq,
	    .slot = slot,
	    .args = args,
	    .arg_count = arg_count,
	    .column_count = joblog->config.column_count,
	};
	buf_clear(&joblog->command);
	return template_append_line(joblog->config.command, &values, &joblog->command, err);
}

/* Behind a run file it goes out only with a flush, when that has what the line says. */
static int
joblog_put(struct joblog *joblog, struct joblog_line *line, uint32_t slot,
	   const struct arg *args, size_t arg_count, struct err *err)
{
	if (joblog_expand(joblog, line->seq, slot, args, arg_count, err) == -1)
		return -1;
	line->command = joblog->command.bytes;
	line->command_length = joblog->command.length;
	if (joblog_line_append(&joblog->file.queue, line) == -1)
		return err_no_memory(err);
	return joblog->config.spec->run_file != NULL ? 0
						     : joblog_file_put(&joblog->file, err);
}

/* The record of one task, whose values are next in the packed ones. */
static int
joblog_record(struct joblog *joblog, struct joblog_line *line, uint32_t slot,
	      const char **packed, size_t *packed_bytes, uint32_t arg_count,
	      struct err *err)
{
	if (task_unpack_next(packed, packed_bytes, arg_count, &joblog->args,
			     &joblog->arg_capacity) == -1)
		return err_no_memory(err);
	return joblog_put(joblog, line, slot, joblog->args, arg_count, err);
}

static struct joblog_line
joblog_line_of(uint64_t seq, const struct result *result)
{
	bool has_run = result->started_real_ns != 0;
	return (struct joblog_line){.seq = seq,
				    .started_real_ns = has_run ? result->started_real_ns
							       : clock_real_ns(),
				    .wall_ns = result->wall_ns,
				    .receive_bytes = result->stdout_bytes,
				    .exit_value = result_gnu_exit(result),
				    .signal = result->signal};
}

static int
joblog_settled(struct sink *sink, const struct task *task, const struct result *result,
	       struct err *err)
{
	const char *packed = task_bytes(task);
	size_t packed_bytes = task->packed_bytes;
	struct joblog_line line = joblog_line_of(task->seq, result);
	if (result->reason == RESULT_CANCELLED || result->reason == RESULT_SKIPPED)
		return 0;
	return joblog_record(joblog_of(sink), &line, result->slot, &packed, &packed_bytes,
			     task->arg_count, err);
}

int
joblog_add(struct joblog *joblog, uint64_t seq, const struct arg *args, size_t arg_count,
	   const struct result *result, struct err *err)
{
	struct joblog_line line = joblog_line_of(seq, result);
	return joblog_put(joblog, &line, result->slot, args, arg_count, err);
}

static int
joblog_answered(struct sink *sink, const struct task *chunk,
		const struct answers *answers, struct err *err)
{
	const char *packed = task_bytes(chunk);
	size_t packed_bytes = chunk->packed_bytes;
	int64_t real_ns = clock_real_ns() - clock_now_ns();
	for (uint32_t i = 0; i < answers->count; i++) {
		const struct answer *answer = &answers->items[i];
		struct joblog_line line = {.seq = chunk->seq + i,
					   .started_real_ns =
					       answer->started_at_ns + real_ns,
					   .wall_ns = answer->wall_ns,
					   .receive_bytes = answer->bytes};
		if (joblog_record(joblog_of(sink), &line, answers->slot, &packed,
				  &packed_bytes, chunk->arg_count, err) == -1)
			return -1;
	}
	return 0;
}

static int
joblog_flush(struct sink *sink, struct err *err)
{
	return joblog_file_flush(&joblog_of(sink)->file, err);
}

static int
joblog_finish(struct sink *sink, struct err *err)
{
	return joblog_file_finish(&joblog_of(sink)->file, err);
}

/* joblog_close ends it. */
static void
joblog_free_sink(struct sink *sink)
{
	(void)sink;
}

static const struct sink_ops joblog_sink_ops = {
    .is_record = true,
    .settled = joblog_settled,
    .answered = joblog_answered,
    .flush = joblog_flush,
    .finish = joblog_finish,
    .free = joblog_free_sink,
};

/* --- the history --- */

/*
 * Whether the recorded command is this job's for these values: 1 or 0; -1 and err. The slot it
 * had is not known, so where the command depends on it any may have been the one.
 */
static int
joblog_is_ours(struct joblog *joblog, uint64_t seq, const struct arg *args,
	       size_t arg_count, struct err *err)
{
	uint32_t first_hash = 0;
	for (uint32_t slot = 1; slot <= JOBLOG_SLOTS_MAX; slot++) {
		if (joblog_expand(joblog, seq, slot, args, arg_count, err) == -1)
			return -1;
		uint32_t hash =
		    joblog_line_hash(joblog->command.bytes, joblog->command.length);
		if (joblog_past_was(&joblog->file.past, seq, hash))
			return 1;
		if (slot == 1)
			first_hash = hash;
		else if (hash == first_hash)
			return 0;
	}
	return 0;
}

static int
joblog_refuse(struct joblog *joblog, uint64_t seq, const struct arg *args,
	      size_t arg_count, struct err *err)
{
	struct buf recorded = {0};
	uint64_t line_number;
	int status = joblog_file_find(&joblog->file, seq, &line_number, &recorded, err);
	if (status == 0)
		status = joblog_expand(joblog, seq, 1, args, arg_count, err);
	if (status == 0 && (buf_str(&recorded) == NULL || buf_str(&joblog->command) == NULL))
		status = err_no_memory(err);
	if (status == 0)
		err_set(err, ERR_USAGE,
			"--joblog %.100s, line %" PRIu64 ": task %" PRIu64
			" was '%.80s' and is '%.80s' now: give the command and inputs of "
			"that "
			"log, or name another file",
			joblog->file.path, line_number, seq + 1, recorded.bytes,
			joblog->command.bytes);
	buf_fini(&recorded);
	return -1;
}

static int
joblog_has(struct history *history, uint64_t seq, const struct arg *args,
	   size_t arg_count, struct err *err)
{
	struct joblog *joblog =
	    (struct joblog *)(void *)((char *)history - offsetof(struct joblog, history));
	enum joblog_verdict verdict = joblog_past_find(&joblog->file.past, seq);
	if (verdict == JOBLOG_UNKNOWN)
		return 0;
	int is_ours = joblog_is_ours(joblog, seq, args, arg_count, err);
	if (is_ours == 0)
		return joblog_refuse(joblog, seq, args, arg_count, err);
	if (is_ours == -1)
		return -1;
	return verdict == JOBLOG_SUCCEEDED ||
	       joblog->config.spec->resume == SPEC_RESUME_REST;
}

/* joblog_close ends it. */
static void
joblog_free_history(struct history *history)
{
	(void)history;
}

static const struct history_ops joblog_history_ops = {
    .has = joblog_has,
    .free = joblog_free_history,
};

/* --- the whole --- */

struct joblog *
joblog_open(const struct joblog_config *config, struct err *err)
{
	const struct spec *spec = config->spec;
	bool appends = spec->joblog[0] == '+';
	bool resumes = spec->resume != SPEC_RESUME_NOTHING;
	struct joblog *joblog = calloc(1, sizeof(*joblog));
	if (joblog == NULL) {
		err_no_memory(err);
		return NULL;
	}
	joblog->sink.ops = &joblog_sink_ops;
	joblog->history.ops = &joblog_history_ops;
	joblog->config = *config;
	joblog->file.fd = -1;
	enum joblog_mode mode = resumes || appends ? JOBLOG_APPEND : JOBLOG_ANEW;
	if (spec->is_dry_run)
		mode = JOBLOG_READ_ONLY;
	if ((spec->is_dry_run && !resumes) ||
	    joblog_file_open(&joblog->file, spec->joblog + appends, mode,
			     spec->resume == SPEC_RETRY_FAILED, err) == 0)
		return joblog;
	joblog_close(joblog);
	return NULL;
}

struct sink *
joblog_sink(struct joblog *joblog)
{
	return joblog->config.spec->is_dry_run ? NULL : &joblog->sink;
}

struct history *
joblog_history(struct joblog *joblog)
{
	enum spec_resume resume = joblog->config.spec->resume;
	bool is_asked = resume == SPEC_RESUME_REST || resume == SPEC_RESUME_FAILED;
	return is_asked && joblog->file.past.seqs.count > 0 ? &joblog->history : NULL;
}

int
joblog_append_notes(const struct joblog *joblog, struct buf *notes)
{
	const struct joblog_file *file = &joblog->file;
	const struct joblog_past *past = &file->past;
	if (past->torn_line != 0 &&
	    buf_printf(
		notes,
		"--joblog %s: line %" PRIu64
		" was cut short: it does not count, and goes with the next record\n",
		file->path, past->torn_line) == -1)
		return -1;
	if (joblog->config.spec->resume == SPEC_RESUME_REST &&
	    joblog->config.spec->dialect != SPEC_PARALLEL && past->failed_count > 0 &&
	    buf_printf(
		notes, "--joblog %s: %" PRIu64 " recorded task%s failed and will not be run again; --resume-failed does\n",
		file->path, past->failed_count, past->failed_count == 1 ? "" : "s") == -1)
		return -1;
	return 0;
}

void
joblog_close(struct joblog *joblog)
{
	if (joblog == NULL)
		return;
	joblog_file_close(&joblog->file);
	buf_fini(&joblog->command);
	free(joblog->args);
	free(joblog);
}

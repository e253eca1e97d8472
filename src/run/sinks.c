/* sinks.c: see sinks.h. */
#include "run/sinks.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* The next sink from *at on that can be called; NULL: no more. Moves *at behind it. */
static struct sink *
sinks_next(const struct sinks *sinks, size_t *at)
{
	while (*at < sinks->count)
		if (!sinks->has_failed[(*at)++])
			return sinks->items[*at - 1];
	return NULL;
}

/* Notes how the sink before `at` did; -1 if it or one before it failed. */
static int
sinks_note(struct sinks *sinks, size_t at, int sink_status, int status)
{
	if (sink_status == -1)
		sinks->has_failed[at - 1] = true;
	return sink_status == -1 ? -1 : status;
}

int
sinks_started(struct sinks *sinks, const struct task *task, uint32_t slot, struct err *err)
{
	int status = 0;
	struct sink *sink;
	for (size_t at = 0; (sink = sinks_next(sinks, &at)) != NULL;)
		if (sink->ops->started != NULL)
			status = sinks_note(
			    sinks, at, sink->ops->started(sink, task, slot, err), status);
	return status;
}

int
sinks_output(struct sinks *sinks, const struct task *task, enum result_stream stream,
	     const char *bytes, size_t length, struct err *err)
{
	int status = 0;
	struct sink *sink;
	for (size_t at = 0; (sink = sinks_next(sinks, &at)) != NULL;)
		if (sink->ops->output != NULL)
			status = sinks_note(
			    sinks, at,
			    sink->ops->output(sink, task, stream, bytes, length, err),
			    status);
	return status;
}

int
sinks_retried(struct sinks *sinks, const struct task *task, const struct result *result,
	      struct err *err)
{
	int status = 0;
	struct sink *sink;
	for (size_t at = 0; (sink = sinks_next(sinks, &at)) != NULL;)
		if (sink->ops->retried != NULL)
			status = sinks_note(sinks, at,
					    sink->ops->retried(sink, task, result, err),
					    status);
	return status;
}

/* The one that says when outputs are out; NULL: none does, and nothing is late. */
static const struct sink *
sinks_out(const struct sinks *sinks)
{
	for (size_t i = 0; i < sinks->count; i++)
		if (sinks->items[i]->ops->out_end != NULL)
			return sinks->items[i];
	return NULL;
}

/* Before which ticket all output is out, and how tickets are counted. */
static uint64_t
sinks_out_end(const struct sinks *sinks, bool *is_by_seq)
{
	const struct sink *out = sinks_out(sinks);
	*is_by_seq = false;
	return out != NULL ? out->ops->out_end(out, is_by_seq) : UINT64_MAX;
}

static uint64_t
sinks_ticket(const struct sinks *sinks, uint64_t seq)
{
	bool is_by_seq;
	sinks_out_end(sinks, &is_by_seq);
	return is_by_seq ? seq : sinks->settled_count;
}

/* Whether a task that has ended so has anything on its way that records have to wait for. */
static bool
sinks_has_output(const struct sinks *sinks, uint64_t output_bytes)
{
	const struct sink *out = sinks_out(sinks);
	return out != NULL && (output_bytes > 0 || out->ops->adds_output);
}

/* Once a record could not be kept, no other may say that a task is done. */
static bool
sinks_is_silenced(const struct sinks *sinks, const struct sink *sink)
{
	for (size_t i = 0; sink->ops->is_record && i < sinks->count; i++)
		if (sinks->has_failed[i] && sinks->items[i]->ops->is_record)
			return true;
	return false;
}

/*
 * To a record, a task that would have been tried again was cut off: that is no last word, after which
 * a resumed run would pass it over.
 */
static int
sinks_settle_one(struct sinks *sinks, struct sink *sink, size_t at, const struct task *task,
		 const struct result *result, int status, struct err *err)
{
	struct result told = *result;
	if (sink->ops->settled == NULL || sinks_is_silenced(sinks, sink))
		return status;
	if (sink->ops->is_record && task->has_retry_left)
		told.reason = RESULT_CANCELLED;
	return sinks_note(sinks, at, sink->ops->settled(sink, task, &told, err), status);
}

int
sinks_settled(struct sinks *sinks, const struct task *task, const struct result *result,
	      struct err *err)
{
	int status = 0;
	bool is_late = sinks_has_output(sinks, result->stdout_bytes + result->stderr_bytes);
	bool has_late = false;
	struct sink *sink;
	for (size_t at = 0; (sink = sinks_next(sinks, &at)) != NULL;) {
		if (is_late && sink->ops->is_record)
			has_late = true;
		else
			status =
			    sinks_settle_one(sinks, sink, at, task, result, status, err);
	}
	if (has_late && late_keep_settled(&sinks->late, sinks_ticket(sinks, task->seq),
					  task, result) == -1)
		status = err_no_memory(err);
	sinks->settled_count++;
	return status;
}

int
sinks_passed(struct sinks *sinks, const struct task *chunk, struct err *err)
{
	int status = 0;
	struct sink *sink;
	for (size_t at = 0; (sink = sinks_next(sinks, &at)) != NULL;)
		if (sink->ops->passed != NULL)
			status = sinks_note(sinks, at,
					    sink->ops->passed(sink, chunk, err), status);
	return status;
}

/* The index-th task of a chunk, in the scratch; the next one begins at *at. */
static struct task *
sinks_single_out(struct sinks *sinks, const struct task *chunk, uint32_t index,
		 const char **at, struct err *err)
{
	const char *end = *at;
	for (uint32_t i = 0; i < chunk->arg_count; i++) {
		uint32_t length;
		memcpy(&length, end, sizeof(length));
		end += sizeof(length) + length + 1;
	}
	size_t bytes = (size_t)(end - *at);
	buf_clear(&sinks->scratch);
	if (buf_reserve(&sinks->scratch, sizeof(*chunk) + bytes) == -1) {
		err_no_memory(err);
		return NULL;
	}
	struct task *task = (struct task *)(void *)sinks->scratch.bytes;
	*task = *chunk;
	task->seq += index;
	task->count = 1;
	task->packed_at = 0;
	task->packed_bytes = bytes;
	memcpy(task->packed, *at, bytes);
	*at = end;
	return task;
}

/* An answer in the long form. */
static int
sinks_tell(struct sink *sink, const struct task *task, const struct answers *answers,
	   uint32_t index, const char *output, struct err *err)
{
	const struct answer *answer = &answers->items[index];
	struct result result = {
	    .reason = RESULT_EXIT,
	    .worker = answers->worker,
	    .slot = answers->slot,
	    .cpu = -1,
	    .started_real_ns = answer->started_at_ns + (clock_real_ns() - clock_now_ns()),
	    .wall_ns = answer->wall_ns,
	    .stdout_bytes = answer->bytes,
	};
	if (sink->ops->started != NULL &&
	    sink->ops->started(sink, task, answers->slot, err) == -1)
		return -1;
	if (sink->ops->output != NULL && answer->bytes > 0 &&
	    sink->ops->output(sink, task, RESULT_STDOUT, output, answer->bytes, err) == -1)
		return -1;
	return sink->ops->settled != NULL ? sink->ops->settled(sink, task, &result, err)
					  : 0;
}

static int
sinks_tell_one_by_one(struct sinks *sinks, struct sink *sink, const struct task *chunk,
		      const struct answers *answers, struct err *err)
{
	const char *args = task_bytes(chunk);
	const char *output = answers->length > 0 ? answers->bytes : "";
	for (uint32_t i = 0; i < answers->count; i++) {
		struct task *task = sinks_single_out(sinks, chunk, i, &args, err);
		if (task == NULL || sinks_tell(sink, task, answers, i, output, err) == -1)
			return -1;
		output += answers->items[i].bytes;
	}
	return 0;
}

static int
sinks_answer_one(struct sinks *sinks, struct sink *sink, size_t at,
		 const struct task *chunk, const struct answers *answers, int status,
		 struct err *err)
{
	if (sinks_is_silenced(sinks, sink))
		return status;
	return sinks_note(sinks, at,
			  sink->ops->answered != NULL
			      ? sink->ops->answered(sink, chunk, answers, err)
			      : sinks_tell_one_by_one(sinks, sink, chunk, answers, err),
			  status);
}

int
sinks_answered(struct sinks *sinks, const struct task *chunk,
	       const struct answers *answers, struct err *err)
{
	int status = 0;
	bool is_late = sinks_has_output(sinks, answers->length);
	bool has_late = false;
	struct sink *sink;
	for (size_t at = 0; (sink = sinks_next(sinks, &at)) != NULL;) {
		if (is_late && sink->ops->is_record) {
			has_late = true;
			sinks->late.keeps_output |= sink->ops->output != NULL;
		} else {
			status =
			    sinks_answer_one(sinks, sink, at, chunk, answers, status, err);
		}
	}
	if (has_late && late_keep_answered(&sinks->late, sinks_ticket(sinks, chunk->seq),
					   chunk, answers) == -1)
		status = err_no_memory(err);
	sinks->settled_count += answers->count;
	return status;
}

/* Tells the records what had to wait for its output, as far as that is out. */
static int
sinks_tell_late(struct sinks *sinks, uint64_t out_end, struct err *err)
{
	int status = 0;
	struct late_end *end;
	struct sink *sink;
	while ((end = late_take(&sinks->late, out_end)) != NULL) {
		for (size_t at = 0; (sink = sinks_next(sinks, &at)) != NULL;) {
			if (!sink->ops->is_record)
				continue;
			status = end->is_answered
				     ? sinks_answer_one(sinks, sink, at, end->task,
							&end->answers, status, err)
				     : sinks_settle_one(sinks, sink, at, end->task,
							&end->result, status, err);
		}
		free(end);
	}
	return status;
}

void
sinks_fini(struct sinks *sinks)
{
	buf_fini(&sinks->scratch);
	late_fini(&sinks->late);
}

/* What a sink still has to write: after it the next record does not say yet that it is written. */
static bool
sinks_is_unwritten(const struct sink *sink)
{
	return sink->ops->is_record && sink->ops->is_done != NULL &&
	       !sink->ops->is_done(sink);
}

/* Flush or finish of those sinks that are records, or those that are not. */
static int
sinks_step_all(struct sinks *sinks, bool is_record, bool is_finish, struct err *err)
{
	int status = 0;
	struct sink *sink;
	for (size_t at = 0; (sink = sinks_next(sinks, &at)) != NULL;) {
		int (*step)(struct sink *, struct err *) =
		    is_finish ? sink->ops->finish : sink->ops->flush;
		if (sink->ops->is_record == is_record && step != NULL)
			status = sinks_note(sinks, at, step(sink, err), status);
		if (is_record && !is_finish && sinks_is_unwritten(sink))
			break;
	}
	return status;
}

int
sinks_flush(struct sinks *sinks, struct err *err)
{
	bool is_by_seq;
	int status = sinks_step_all(sinks, false, false, err);
	if (status == 0)
		status = sinks_tell_late(sinks, sinks_out_end(sinks, &is_by_seq), err);
	if (sinks_step_all(sinks, true, false, err) == -1)
		status = -1;
	return status;
}

int
sinks_finish_records(struct sinks *sinks, struct err *err)
{
	int status = sinks_step_all(sinks, true, false, err);
	if (sinks_step_all(sinks, true, true, err) == -1)
		status = -1;
	return status;
}

int
sinks_finish(struct sinks *sinks, struct err *err)
{
	int status = sinks_step_all(sinks, false, true, err);
	if (status == 0)
		status = sinks_tell_late(sinks, UINT64_MAX, err);
	if (sinks_finish_records(sinks, err) == -1)
		status = -1;
	return status;
}

bool
sinks_is_behind(const struct sinks *sinks)
{
	struct sink *sink;
	for (size_t at = 0; (sink = sinks_next(sinks, &at)) != NULL;)
		if (sink->ops->is_behind != NULL && sink->ops->is_behind(sink))
			return true;
	return false;
}

bool
sinks_is_done(const struct sinks *sinks)
{
	struct sink *sink;
	for (size_t at = 0; (sink = sinks_next(sinks, &at)) != NULL;)
		if (sink->ops->is_done != NULL && !sink->ops->is_done(sink))
			return false;
	return true;
}

bool
sinks_has_recorded(const struct sinks *sinks)
{
	struct sink *sink;
	for (size_t at = 0; (sink = sinks_next(sinks, &at)) != NULL;)
		if (sinks_is_unwritten(sink))
			return false;
	return true;
}

/* What bounds the ends that wait: those that run may end, but no further tasks are started. */
static uint64_t
sinks_late_window_end(const struct sinks *sinks)
{
	bool is_by_seq;
	uint64_t out_end = sinks_out_end(sinks, &is_by_seq);
	return is_by_seq ? out_end + 1 : 0;
}

uint64_t
sinks_window_end(const struct sinks *sinks)
{
	uint64_t end = sinks->late.bytes > LATE_MAX_BYTES ? sinks_late_window_end(sinks)
							  : UINT64_MAX;
	struct sink *sink;
	for (size_t at = 0; (sink = sinks_next(sinks, &at)) != NULL;) {
		uint64_t sink_end =
		    sink->ops->window_end != NULL ? sink->ops->window_end(sink) : end;
		if (sink_end < end)
			end = sink_end;
	}
	return end;
}

uint64_t
sinks_outputs_end(const struct sinks *sinks)
{
	uint64_t end = UINT64_MAX;
	struct sink *sink;
	for (size_t at = 0; (sink = sinks_next(sinks, &at)) != NULL;) {
		uint64_t sink_end =
		    sink->ops->outputs_end != NULL ? sink->ops->outputs_end(sink) : end;
		if (sink_end < end)
			end = sink_end;
	}
	return end;
}

size_t
sinks_wait_fds(const struct sinks *sinks, int fds[SINKS_FDS_MAX])
{
	size_t count = 0;
	struct sink *sink;
	for (size_t at = 0; (sink = sinks_next(sinks, &at)) != NULL;)
		if (sink->ops->wait_fds != NULL)
			count += sink->ops->wait_fds(sink, fds + count);
	return count;
}

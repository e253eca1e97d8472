/* joblog_retry.c: the source of --retry-failed; see joblog.h. */
#include <stdlib.h>

#include "base/quote.h"
#include "record/joblog_parts.h"

struct retry {
	struct source source;
	struct joblog *joblog;
	size_t index;      /* of the next failure */
	uint64_t next_seq; /* all before it have been given */
	struct buf command;
	struct buf word;
	struct buf packed;
};

/* Tasks that succeeded. */
static struct task *
retry_pass_known(struct seqset *known, uint64_t seq, uint64_t end, uint32_t count_max)
{
	static const struct buf nothing;
	uint32_t count = 1;
	while (count < count_max && seq + count < end &&
	       seqset_find(known, seq + count) != NULL)
		count++;
	struct task *task = task_new(seq, count, 0, &nothing);
	if (task != NULL)
		task->is_done = true;
	return task;
}

/*
 * What comes before the next failure: tasks that succeeded, or of which nothing is known. Those
 * keep their places in the order, and are passed.
 */
static struct task *
retry_pass(struct retry *retry, uint64_t end, uint32_t count_max)
{
	struct seqset *known = &retry->joblog->file.past.seqs;
	uint64_t next = seqset_next(known, retry->next_seq);
	struct task *task = next > retry->next_seq
				? task_new_gap(retry->next_seq, next)
				: retry_pass_known(known, retry->next_seq, end, count_max);
	if (task != NULL)
		retry->next_seq += task->count;
	return task;
}

/* A command is one value; what is fed or called is as many as there are words. */
static int
retry_pack(struct retry *retry, uint32_t *arg_count)
{
	const char *at = retry->command.bytes;
	const char *end = at + retry->command.length;
	int status;
	buf_clear(&retry->packed);
	*arg_count = 1;
	if (retry->joblog->config.spec->executor == SPEC_SPAWN)
		return task_pack(&retry->packed, at, retry->command.length);
	for (*arg_count = 0; (status = quote_next(&at, end, &retry->word)) == 1;
	     ++*arg_count)
		if (task_pack(&retry->packed, retry->word.bytes, retry->word.length) == -1)
			return -1;
	return status;
}

static struct task *
retry_take(struct retry *retry, struct err *err)
{
	struct joblog_file *file = &retry->joblog->file;
	const struct joblog_failure *failure = &file->past.failures[retry->index++];
	uint32_t arg_count;
	retry->next_seq = failure->seq + 1;
	buf_clear(&retry->command);
	if (joblog_file_read_command(file, failure->at, failure->length, &retry->command,
				     err) == -1)
		return NULL;
	struct task *task = retry_pack(retry, &arg_count) == 0
				? task_new(failure->seq, 1, arg_count, &retry->packed)
				: NULL;
	if (task == NULL)
		err_no_memory(err);
	return task;
}

static enum source_status
retry_next(struct source *source, uint32_t count_max, struct task **task, struct err *err)
{
	struct retry *retry = (struct retry *)source;
	const struct joblog_past *past = &retry->joblog->file.past;
	bool has_more = retry->index < past->failure_count;
	uint64_t end = has_more ? past->failures[retry->index].seq : past->seqs.end;
	if (retry->next_seq < end) {
		*task = retry_pass(retry, end, count_max);
		if (*task == NULL)
			err_no_memory(err);
	} else if (has_more) {
		*task = retry_take(retry, err);
	} else {
		return SOURCE_END;
	}
	return *task == NULL ? SOURCE_ERROR : SOURCE_TASK;
}

static int
retry_wait_fd(const struct source *source)
{
	(void)source;
	return -1; /* it never waits */
}

static void
retry_free(struct source *source)
{
	struct retry *retry = (struct retry *)source;
	buf_fini(&retry->command);
	buf_fini(&retry->word);
	buf_fini(&retry->packed);
	free(retry);
}

static const struct source_ops retry_ops = {
    .next = retry_next,
    .wait_fd = retry_wait_fd,
    .free = retry_free,
};

struct source *
joblog_source_new(struct joblog *joblog, struct err *err)
{
	struct retry *retry = calloc(1, sizeof(*retry));
	if (retry == NULL) {
		err_no_memory(err);
		return NULL;
	}
	retry->source.ops = &retry_ops;
	retry->joblog = joblog;
	return &retry->source;
}

/* joblog_past.c: see joblog_past.h. */
#include "record/joblog_past.h"

#include <inttypes.h>
#include <stdlib.h>

#include "record/joblog_line.h"

#define PAST_SUCCEEDED UINT32_C(1) /* in the bits of a seq; the others are of its hash */

static int
past_refuse(uint64_t line, struct err *err)
{
	return err_set(
	    err, ERR_USAGE,
	    "line %" PRIu64
	    " is no record: this is no joblog, or it is damaged; name another file, or "
	    "take that line out",
	    line);
}

static int
past_keep_failure(struct joblog_past *past, const struct joblog_failure *failure)
{
	if (past->failure_count == past->failure_capacity) {
		size_t capacity =
		    past->failure_capacity == 0 ? 64 : 2 * past->failure_capacity;
		struct joblog_failure *grown =
		    reallocarray(past->failures, capacity, sizeof(*grown));
		if (grown == NULL)
			return -1;
		past->failures = grown;
		past->failure_capacity = capacity;
	}
	past->failures[past->failure_count++] = *failure;
	return 0;
}

static int
past_add(struct joblog_past *past, uint64_t at, size_t length,
	 const struct joblog_line *line)
{
	bool is_new = seqset_find(&past->seqs, line->seq) == NULL;
	bool is_success = line->exit_value == 0 && line->signal == 0;
	uint32_t *bits = seqset_add(&past->seqs, line->seq);
	if (bits == NULL)
		return -1;
	bool was_success = !is_new && (*bits & PAST_SUCCEEDED) != 0;
	if (is_new && !is_success)
		past->failed_count++;
	if (!is_new && !was_success && is_success)
		past->failed_count--;
	*bits = (joblog_line_hash(line->command, line->command_length) & ~PAST_SUCCEEDED) |
		(is_success || was_success ? PAST_SUCCEEDED : 0);
	const struct joblog_failure failure = {line->seq, at, length};
	return is_success || !past->keeps_failures ? 0 : past_keep_failure(past, &failure);
}

int
joblog_past_take(struct joblog_past *past, uint64_t at, const char *bytes, size_t length,
		 struct err *err)
{
	struct joblog_line line;
	if (past->torn_line != 0) /* it was not the last one */
		return past_refuse(past->torn_line, err);
	past->line_count++;
	if (joblog_line_parse(bytes, length, &line)) {
		if (past_add(past, at, length, &line) == -1)
			return err_no_memory(err);
	} else if (past->line_count > 1 && joblog_line_begins_record(bytes, length)) {
		past->torn_line = past->line_count; /* somebody ended the line for us */
		return 0;
	} else if (past->line_count > 1 || !joblog_line_is_header(bytes, length)) {
		return past_refuse(past->line_count, err);
	}
	past->end = at + length + 1;
	return 0;
}

static int
past_compare(const void *a, const void *b)
{
	const struct joblog_failure *left = a, *right = b;
	if (left->seq != right->seq)
		return left->seq < right->seq ? -1 : 1;
	return (left->at > right->at) - (left->at < right->at);
}

/* Sorted, the last of each seq, and none that succeeded in the end. */
static void
past_settle_failures(struct joblog_past *past)
{
	size_t count = 0;
	if (past->failure_count == 0)
		return;
	qsort(past->failures, past->failure_count, sizeof(*past->failures), past_compare);
	for (size_t i = 0; i < past->failure_count; i++) {
		const struct joblog_failure *failure = &past->failures[i];
		if (joblog_past_find(past, failure->seq) == JOBLOG_SUCCEEDED)
			continue;
		if (count > 0 && past->failures[count - 1].seq == failure->seq)
			count--;
		past->failures[count++] = *failure;
	}
	past->failure_count = count;
}

int
joblog_past_finish(struct joblog_past *past, const char *bytes, size_t length,
		   struct err *err)
{
	if (length > 0 && past->torn_line != 0)
		return past_refuse(past->torn_line, err);
	if (length > 0 && past->line_count == 0 && !joblog_line_begins_header(bytes, length))
		return past_refuse(1, err);
	if (length > 0)
		past->torn_line = past->line_count + 1;
	past_settle_failures(past);
	return 0;
}

enum joblog_verdict
joblog_past_find(struct joblog_past *past, uint64_t seq)
{
	const uint32_t *bits = seqset_find(&past->seqs, seq);
	if (bits == NULL)
		return JOBLOG_UNKNOWN;
	return (*bits & PAST_SUCCEEDED) != 0 ? JOBLOG_SUCCEEDED : JOBLOG_FAILED;
}

bool
joblog_past_was(struct joblog_past *past, uint64_t seq, uint32_t hash)
{
	const uint32_t *bits = seqset_find(&past->seqs, seq);
	return bits != NULL && ((*bits ^ hash) & ~PAST_SUCCEEDED) == 0;
}

void
joblog_past_fini(struct joblog_past *past)
{
	seqset_fini(&past->seqs);
	free(past->failures);
	*past = (struct joblog_past){0};
}

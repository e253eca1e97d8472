/* failures.c: see failures.h. */
#include "sink/failures.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/visible.h"
#include "sink/hint.h"
#include "sink/tails.h"
#include "task/override.h"

#define FAILURES_ID_CHARS 40
#define FAILURES_TAIL_LINES 10 /* in all */
#define FAILURES_KINDS 8       /* told apart in the summary */

struct failure {
	uint64_t seq;
	struct result result;
	struct buf line; /* fit for a terminal */
	struct buf tail; /* of what it has printed, as it was */
};

/* Failures that are described alike. */
struct failure_kind {
	struct result sample;
	uint64_t count;
	struct buf hint; /* empty: none */
};

struct failures {
	struct sink sink;
	struct failures_config config;
	struct failures_counts counts;
	struct failure shown[FAILURES_SHOWN]; /* in seq order */
	size_t shown_count;
	struct failure_kind kinds[FAILURES_KINDS];
	size_t kind_count;
	uint64_t other_count; /* of kinds that found no room */
	struct tails tails;   /* of tasks that run */
	struct arg *args;     /* scratch */
	size_t arg_capacity;
};

static struct failures *
failures_of(struct sink *sink)
{
	return (struct failures *)sink; /* its first member */
}

static const struct failures *
failures_of_const(const struct sink *sink)
{
	return (const struct failures *)sink;
}

static int
failures_find_values(struct failures *failures, const struct task *task,
		     const struct result *result, struct template_values *values,
		     struct err *err)
{
	if (task_unpack(task_bytes(task), task->packed_bytes, task->arg_count,
			&failures->args, &failures->arg_capacity) == -1)
		return err_no_memory(err);
	*values = (struct template_values){.seq = task->seq,
					   .slot = result->slot,
					   .args = failures->args,
					   .arg_count = task->arg_count,
					   .column_count = failures->config.column_count};
	return 0;
}

/* "from task 3, then 17: ": of the stages before. */
static int
failures_append_from(const struct arg *overrides, struct buf *text)
{
	struct arg from;
	if (!override_find(overrides, OVERRIDE_FROM, &from))
		return 0;
	for (size_t at = 0; at < from.length; at += sizeof(uint64_t)) {
		uint64_t seq;
		memcpy(&seq, from.bytes + at, sizeof(seq));
		if (buf_printf(text, "%s %" PRIu64, at == 0 ? "from task" : ", then",
			       seq + 1) == -1)
			return -1;
	}
	return buf_append_str(text, ": ");
}

/* Where it came from, and "[id]: " where the task's input has given it one. */
static int
failures_append_id(const struct failures *failures, const struct template_values *values,
		   struct buf *text)
{
	struct arg id;
	if (!failures->config.has_overrides)
		return 0;
	if (failures_append_from(&values->args[0], text) == -1)
		return -1;
	if (!override_find(&values->args[0], OVERRIDE_ID, &id))
		return 0;
	if (buf_append_char(text, '[') == -1 ||
	    visible_append(text, id.bytes, id.length, FAILURES_ID_CHARS) == -1)
		return -1;
	return buf_append_str(text, "]: ");
}

/* The command line, fit for a terminal. */
static int
failures_append_line(struct failures *failures, const struct template_values *values,
		     struct buf *text, struct err *err)
{
	struct buf line = {0};
	int status = 0;
	if (failures_append_id(failures, values, text) == -1)
		status = err_no_memory(err);
	if (status == 0)
		status = template_append_line(failures->config.command, values, &line, err);
	if (status == 0 &&
	    visible_append(text, line.bytes, line.length, FAILURES_LINE_CHARS) == -1)
		status = err_no_memory(err);
	buf_fini(&line);
	return status;
}

static bool
failures_is_alike(const struct result *a, const struct result *b)
{
	if (a->reason != b->reason)
		return false;
	switch ((enum result_reason)a->reason) {
	case RESULT_EXIT:
		return a->exit_status == b->exit_status;
	case RESULT_SIGNAL:
		return a->signal == b->signal;
	case RESULT_CANNOT_EXECUTE:
	case RESULT_NO_OUTPUT:
		return a->errno_value == b->errno_value;
	case RESULT_TIMEOUT:
	case RESULT_LOST:
	case RESULT_NO_ANSWER:
	case RESULT_CANCELLED:
	case RESULT_SKIPPED:
	case RESULT_MEMORY:
	case RESULT_REASONS:
		break;
	}
	return true;
}

/*
 * The kind this result counts to; NULL: there is no room for one more. *is_new: nothing
 * counted yet.
 */
static struct failure_kind *
failures_find_kind(struct failures *failures, const struct result *result, bool *is_new)
{
	*is_new = false;
	for (size_t i = 0; i < failures->kind_count; i++)
		if (failures_is_alike(&failures->kinds[i].sample, result))
			return &failures->kinds[i];
	if (failures->kind_count == FAILURES_KINDS)
		return NULL;
	*is_new = true;
	struct failure_kind *kind = &failures->kinds[failures->kind_count++];
	*kind = (struct failure_kind){.sample = *result};
	return kind;
}

static void
failure_fini(struct failure *failure)
{
	buf_fini(&failure->line);
	buf_fini(&failure->tail);
}

/* A place among the shown ones for this seq; NULL when all there have lower ones. */
static struct failure *
failures_find_place(struct failures *failures, uint64_t seq)
{
	size_t at = failures->shown_count;
	while (at > 0 && failures->shown[at - 1].seq > seq)
		at--;
	if (at == FAILURES_SHOWN)
		return NULL;
	if (failures->shown_count == FAILURES_SHOWN)
		failure_fini(&failures->shown[--failures->shown_count]);
	memmove(&failures->shown[at + 1], &failures->shown[at],
		(failures->shown_count - at) * sizeof(*failures->shown));
	failures->shown_count++;
	failures->shown[at] = (struct failure){.seq = seq};
	return &failures->shown[at];
}

static int
failures_add(struct failures *failures, const struct task *task,
	     const struct result *result, struct err *err)
{
	struct template_values values;
	bool is_new_kind;
	struct failure_kind *kind = failures_find_kind(failures, result, &is_new_kind);
	struct failure *place = failures_find_place(failures, task->seq);
	failures->counts.failed++;
	failures->counts.mute +=
	    result->reason == RESULT_CANNOT_EXECUTE || result->reason == RESULT_LOST;
	*(kind != NULL ? &kind->count : &failures->other_count) += 1;
	if (place != NULL) {
		place->result = *result;
		tails_take(&failures->tails, task->seq, &place->tail);
	}
	if (failures->config.command == NULL || (place == NULL && !is_new_kind))
		return 0;
	if (failures_find_values(failures, task, result, &values, err) == -1)
		return -1;
	if (place != NULL &&
	    failures_append_line(failures, &values, &place->line, err) == -1)
		return -1;
	return is_new_kind ? hint_append(&kind->hint, result, failures->config.command,
					 &values, err)
			   : 0;
}

static int
failures_count(struct failures *failures, const struct task *task,
	       const struct result *result, struct err *err)
{
	switch ((enum result_reason)result->reason) {
	case RESULT_CANCELLED:
		failures->counts.cancelled++;
		return 0;
	case RESULT_SKIPPED:
		failures->counts.skipped++;
		return 0;
	case RESULT_EXIT:
	case RESULT_SIGNAL:
	case RESULT_TIMEOUT:
	case RESULT_CANNOT_EXECUTE:
	case RESULT_LOST:
	case RESULT_NO_ANSWER:
	case RESULT_NO_OUTPUT:
	case RESULT_MEMORY:
	case RESULT_REASONS:
		break;
	}
	if (!result_is_success(result))
		return failures_add(failures, task, result, err);
	failures->counts.done++;
	return 0;
}

static int
failures_settled(struct sink *sink, const struct task *task, const struct result *result,
		 struct err *err)
{
	struct failures *failures = failures_of(sink);
	int status = failures_count(failures, task, result, err);
	tails_drop(&failures->tails, task->seq);
	return status;
}

static int
failures_output(struct sink *sink, const struct task *task, enum result_stream stream,
		const char *bytes, size_t length, struct err *err)
{
	return tails_add(&failures_of(sink)->tails, task->seq, stream, bytes, length) == -1
		   ? err_no_memory(err)
		   : 0;
}

static int
failures_retried(struct sink *sink, const struct task *task, const struct result *result,
		 struct err *err)
{
	(void)result;
	(void)err;
	tails_drop(&failures_of(sink)->tails, task->seq);
	return 0;
}

static int
failures_passed(struct sink *sink, const struct task *chunk, struct err *err)
{
	(void)err;
	if (!chunk->is_unknown)
		failures_of(sink)->counts.passed += chunk->count;
	return 0;
}

static int
failures_answered(struct sink *sink, const struct task *chunk,
		  const struct answers *answers, struct err *err)
{
	(void)chunk;
	(void)err;
	failures_of(sink)->counts.done += answers->count;
	return 0;
}

static void
failures_free(struct sink *sink)
{
	struct failures *failures = failures_of(sink);
	for (size_t i = 0; i < failures->shown_count; i++)
		failure_fini(&failures->shown[i]);
	for (size_t i = 0; i < failures->kind_count; i++)
		buf_fini(&failures->kinds[i].hint);
	tails_fini(&failures->tails);
	free(failures->args);
	free(failures);
}

static const struct sink_ops failures_ops = {
    .settled = failures_settled,
    .passed = failures_passed,
    .answered = failures_answered,
    .free = failures_free,
};

static const struct sink_ops failures_tails_ops = {
    .output = failures_output,
    .retried = failures_retried,
    .settled = failures_settled,
    .passed = failures_passed,
    .answered = failures_answered,
    .free = failures_free,
};

struct sink *
failures_new(const struct failures_config *config, struct err *err)
{
	struct failures *failures = calloc(1, sizeof(*failures));
	if (failures == NULL) {
		err_no_memory(err);
		return NULL;
	}
	failures->sink.ops = config->keeps_tails ? &failures_tails_ops : &failures_ops;
	failures->config = *config;
	return &failures->sink;
}

void
failures_get_counts(const struct sink *sink, struct failures_counts *counts)
{
	*counts = failures_of_const(sink)->counts;
}

/* The kind with the most failures among those not in `told`; NULL: all told. */
static const struct failure_kind *
failures_commonest(const struct failures *failures, const bool told[FAILURES_KINDS])
{
	const struct failure_kind *commonest = NULL;
	for (size_t i = 0; i < failures->kind_count; i++)
		if (!told[i] &&
		    (commonest == NULL || failures->kinds[i].count > commonest->count))
			commonest = &failures->kinds[i];
	return commonest;
}

/* " (2 exit 1, 1 timed out)" */
static int
failures_append_kinds(const struct failures *failures, struct buf *text)
{
	bool told[FAILURES_KINDS] = {false};
	const struct failure_kind *kind;
	const char *before = " (";
	while ((kind = failures_commonest(failures, told)) != NULL) {
		char words[128];
		result_describe(&kind->sample, words, sizeof(words));
		if (buf_printf(text, "%s%" PRIu64 " %s", before, kind->count, words) == -1)
			return -1;
		told[kind - failures->kinds] = true;
		before = ", ";
	}
	if (failures->other_count > 0 &&
	    buf_printf(text, ", %" PRIu64 " otherwise", failures->other_count) == -1)
		return -1;
	return buf_append_char(text, ')');
}

/* "3 of 200 tasks failed", the first time; then ", 4 never started". */
static int
failures_append_count(struct buf *text, uint64_t count, const char *words, uint64_t *total)
{
	if (*total == 0)
		return buf_printf(text, ", %" PRIu64 " %s", count, words);
	int status = buf_printf(text, "%" PRIu64 " of %" PRIu64 " task%s %s", count,
				*total, *total == 1 ? "" : "s", words);
	*total = 0;
	return status;
}

static int
failures_append_head(const struct failures *failures, struct buf *text)
{
	const struct failures_counts *counts = &failures->counts;
	uint64_t total = counts->done + counts->failed + counts->cancelled +
			 counts->skipped + counts->passed;
	if (counts->failed > 0 &&
	    (failures_append_count(text, counts->failed, "failed", &total) == -1 ||
	     failures_append_kinds(failures, text) == -1))
		return -1;
	if (counts->cancelled > 0 &&
	    failures_append_count(text, counts->cancelled, "cancelled", &total) == -1)
		return -1;
	if (counts->skipped > 0 &&
	    failures_append_count(text, counts->skipped, "never started", &total) == -1)
		return -1;
	if (counts->passed > 0 &&
	    failures_append_count(text, counts->passed, "done before", &total) == -1)
		return -1;
	return buf_append_char(text, '\n');
}

/* Indented, so many lines of it at most. */
static int
failures_append_tail(const struct failure *failure, size_t line_count, struct buf *text)
{
	const struct buf *tail = &failure->tail;
	size_t at = tails_last_lines(tail, line_count);
	while (at < tail->length && line_count-- > 0) {
		const char *line = tail->bytes + at;
		const char *end = memchr(line, '\n', tail->length - at);
		size_t length = end != NULL ? (size_t)(end - line) : tail->length - at;
		if (buf_append_str(text, "    | ") == -1 ||
		    visible_append(text, line, length, FAILURES_LINE_CHARS) == -1 ||
		    buf_append_char(text, '\n') == -1)
			return -1;
		at += length + 1;
	}
	return 0;
}

static int
failures_append_shown(const struct failures *failures, struct buf *text)
{
	for (size_t i = 0; i < failures->shown_count; i++) {
		const struct failure *failure = &failures->shown[i];
		char words[128];
		result_describe(&failure->result, words, sizeof(words));
		if (buf_printf(text, "  task %" PRIu64 ": %s%s", failure->seq + 1, words,
			       failure->line.length > 0 ? ": " : "") == -1 ||
		    buf_append(text, failure->line.bytes, failure->line.length) == -1 ||
		    buf_append_char(text, '\n') == -1 ||
		    failures_append_tail(
			failure, FAILURES_TAIL_LINES / failures->shown_count, text) == -1)
			return -1;
	}
	uint64_t more = failures->counts.failed - failures->shown_count;
	return more == 0 ? 0 : buf_printf(text, "  ... and %" PRIu64 " more\n", more);
}

static int
failures_append_hints(const struct failures *failures, struct buf *text)
{
	for (size_t i = 0; i < failures->kind_count; i++) {
		const struct buf *hint = &failures->kinds[i].hint;
		if (hint->length > 0 && (buf_append_str(text, "  hint: ") == -1 ||
					 buf_append(text, hint->bytes, hint->length) == -1 ||
					 buf_append_char(text, '\n') == -1))
			return -1;
	}
	return 0;
}

int
failures_summary(const struct sink *sink, struct buf *text, struct err *err)
{
	const struct failures *failures = failures_of_const(sink);
	const struct failures_counts *counts = &failures->counts;
	if (counts->failed + counts->cancelled + counts->skipped + counts->passed == 0)
		return 0;
	if (failures_append_head(failures, text) == -1 ||
	    failures_append_shown(failures, text) == -1 ||
	    failures_append_hints(failures, text) == -1)
		return err_no_memory(err);
	return 0;
}

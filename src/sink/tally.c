/* tally.c: see tally.h. */
#include "sink/tally.h"

#include <stdlib.h>

struct tally_sink {
	struct sink sink;
	struct tally *tally;
};

static void
tally_add(struct tally *tally, const struct result *result)
{
	int64_t ended_ns = result->started_real_ns + result->wall_ns;
	tally->wall_ns += result->wall_ns;
	tally->cpu_ns += result->user_ns + result->sys_ns;
	tally->output_bytes += result->stdout_bytes + result->stderr_bytes;
	if (tally->first_started_ns == 0 ||
	    result->started_real_ns < tally->first_started_ns)
		tally->first_started_ns = result->started_real_ns;
	if (ended_ns > tally->last_ended_ns)
		tally->last_ended_ns = ended_ns;
}

static int
tally_retried(struct sink *sink, const struct task *task, const struct result *result,
	      struct err *err)
{
	(void)task;
	(void)err;
	tally_add(((struct tally_sink *)sink)->tally, result);
	return 0;
}

static int
tally_settled(struct sink *sink, const struct task *task, const struct result *result,
	      struct err *err)
{
	struct tally *tally = ((struct tally_sink *)sink)->tally;
	(void)err;
	if (result->reason == RESULT_SKIPPED)
		return 0;
	tally_add(tally, result);
	tally->task_count++;
	tally->failed_count += !result_is_success(result);
	median_add(&tally->median, result->wall_ns);
	if (result->wall_ns > tally->longest_ns) {
		tally->longest_ns = result->wall_ns;
		tally->longest_seq = task->seq;
	}
	return 0;
}

static void
tally_free(struct sink *sink)
{
	free(sink);
}

static const struct sink_ops tally_ops = {
    .retried = tally_retried,
    .settled = tally_settled,
    .free = tally_free,
};

struct sink *
tally_sink_new(struct tally *tally, struct err *err)
{
	struct tally_sink *self = calloc(1, sizeof(*self));
	if (self == NULL) {
		err_no_memory(err);
		return NULL;
	}
	self->sink.ops = &tally_ops;
	self->tally = tally;
	return &self->sink;
}

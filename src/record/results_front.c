/* results_front.c: see results_front.h. */
#include "record/results_front.h"

#include <stdlib.h>

struct results_front {
	struct sink sink;
	struct sink *records; /* of results_new */
	struct sink *output;  /* hears all but what tasks print */
};

static struct results_front *
front_of(struct sink *sink)
{
	return (struct results_front *)sink; /* its first member */
}

static const struct results_front *
front_of_const(const struct sink *sink)
{
	return (const struct results_front *)sink;
}

static int
front_started(struct sink *sink, const struct task *task, uint32_t slot, struct err *err)
{
	struct sink *output = front_of(sink)->output;
	return output->ops->started(output, task, slot, err);
}

static int
front_take(struct sink *sink, const struct task *task, enum result_stream stream,
	   const char *bytes, size_t length, struct err *err)
{
	struct sink *records = front_of(sink)->records;
	return records->ops->output(records, task, stream, bytes, length, err);
}

static int
front_retried(struct sink *sink, const struct task *task, const struct result *result,
	      struct err *err)
{
	struct results_front *front = front_of(sink);
	if (front->records->ops->retried(front->records, task, result, err) == -1)
		return -1;
	return front->output->ops->retried(front->output, task, result, err);
}

/* The record becomes what the task has printed. */
static int
front_settled(struct sink *sink, const struct task *task, const struct result *result,
	      struct err *err)
{
	struct results_front *front = front_of(sink);
	if (front->records->ops->settled(front->records, task, result, err) == -1)
		return -1;
	return front->output->ops->settled(front->output, task, result, err);
}

static int
front_passed(struct sink *sink, const struct task *chunk, struct err *err)
{
	struct sink *output = front_of(sink)->output;
	return output->ops->passed(output, chunk, err);
}

static bool
front_is_behind(const struct sink *sink)
{
	const struct sink *output = front_of_const(sink)->output;
	return output->ops->is_behind(output);
}

static uint64_t
front_window_end(const struct sink *sink)
{
	const struct sink *output = front_of_const(sink)->output;
	return output->ops->window_end(output);
}

static size_t
front_wait_fds(const struct sink *sink, int fds[2])
{
	const struct sink *output = front_of_const(sink)->output;
	return output->ops->wait_fds(output, fds);
}

static uint64_t
front_out_end(const struct sink *sink, bool *is_by_seq)
{
	const struct sink *output = front_of_const(sink)->output;
	return output->ops->out_end(output, is_by_seq);
}

static int
front_flush(struct sink *sink, struct err *err)
{
	struct sink *output = front_of(sink)->output;
	return output->ops->flush(output, err);
}

static bool
front_is_done(const struct sink *sink)
{
	const struct sink *output = front_of_const(sink)->output;
	return output->ops->is_done(output);
}

static int
front_finish(struct sink *sink, struct err *err)
{
	struct sink *output = front_of(sink)->output;
	return output->ops->finish(output, err);
}

static void
front_free(struct sink *sink)
{
	sink_free(front_of(sink)->records);
	free(front_of(sink));
}

static const struct sink_ops front_ops = {
    .adds_output = true,
    .started = front_started,
    .output = front_take,
    .retried = front_retried,
    .settled = front_settled,
    .passed = front_passed,
    .is_behind = front_is_behind,
    .window_end = front_window_end,
    .wait_fds = front_wait_fds,
    .out_end = front_out_end,
    .flush = front_flush,
    .is_done = front_is_done,
    .finish = front_finish,
    .free = front_free,
};

struct sink *
results_front_new(const struct results_config *config, struct err *err)
{
	struct results_front *front = calloc(1, sizeof(*front));
	if (front == NULL) {
		err_no_memory(err);
		return NULL;
	}
	front->sink.ops = &front_ops;
	front->output = config->output;
	front->records = results_new(config, err);
	if (front->records != NULL)
		return &front->sink;
	free(front);
	return NULL;
}

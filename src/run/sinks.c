/* sinks.c: see sinks.h. */
#include "run/sinks.h"

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

int
sinks_settled(struct sinks *sinks, const struct task *task, const struct result *result,
	      struct err *err)
{
	int status = 0;
	struct sink *sink;
	for (size_t at = 0; (sink = sinks_next(sinks, &at)) != NULL;)
		if (sink->ops->settled != NULL)
			status = sinks_note(sinks, at,
					    sink->ops->settled(sink, task, result, err),
					    status);
	return status;
}

int
sinks_flush(struct sinks *sinks, struct err *err)
{
	int status = 0;
	struct sink *sink;
	for (size_t at = 0; (sink = sinks_next(sinks, &at)) != NULL;)
		if (sink->ops->flush != NULL)
			status = sinks_note(sinks, at, sink->ops->flush(sink, err), status);
	return status;
}

int
sinks_finish(struct sinks *sinks, struct err *err)
{
	int status = 0;
	struct sink *sink;
	for (size_t at = 0; (sink = sinks_next(sinks, &at)) != NULL;)
		if (sink->ops->finish != NULL)
			status =
			    sinks_note(sinks, at, sink->ops->finish(sink, err), status);
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

uint64_t
sinks_window_end(const struct sinks *sinks)
{
	uint64_t end = UINT64_MAX;
	struct sink *sink;
	for (size_t at = 0; (sink = sinks_next(sinks, &at)) != NULL;) {
		uint64_t sink_end =
		    sink->ops->window_end != NULL ? sink->ops->window_end(sink) : end;
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

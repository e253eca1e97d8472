/*
 * sink.h: interface of what uses results: output, joblog, run file, statistics.
 *
 * The run calls a sink's functions in this order for each task: started (each attempt),
 * any number of output, then either retried (this attempt does not count: forget its
 * output) or settled (the last word). Where answered is not NULL it stands for started,
 * output and settled of several tasks at once; a sink without it gets those. Different tasks
 * interleave freely. Functions never block; a sink that cannot write fast enough keeps what it
 * has and says so by is_behind until it caught up, and the run stops reading results meanwhile.
 * Any function may be NULL. Bytes are borrowed for the call.
 *
 * A sink that is a record hears that a task has settled, or answered, only when all its output
 * is where it was promised; never, if it does not get there or another record has failed. The
 * rest it hears at once. Flush and finish it hears on every way out.
 *
 * Errors are fatal for the run: a result that cannot be handed over is never a success.
 */
#ifndef PINION_SINK_H
#define PINION_SINK_H

#include "base/err.h"
#include "task/result.h"
#include "task/task.h"

struct sink {
	const struct sink_ops *ops;
};

struct sink_ops {
	bool is_record; /* see above */
	bool adds_output; /* there is output of each task, be it nothing but what is added */

	int (*started)(struct sink *sink, const struct task *task, uint32_t slot,
		       struct err *err);
	int (*output)(struct sink *sink, const struct task *task, enum result_stream stream,
		      const char *bytes, size_t length, struct err *err);
	int (*retried)(struct sink *sink, const struct task *task,
		       const struct result *result, struct err *err);
	int (*settled)(struct sink *sink, const struct task *task,
		       const struct result *result, struct err *err);

	/* The first tasks of `chunk`, as many as there are answers, have succeeded so. */
	int (*answered)(struct sink *sink, const struct task *chunk,
			const struct answers *answers, struct err *err);

	/* All the tasks of `chunk` were done before this run: nothing of them will come. */
	int (*passed)(struct sink *sink, const struct task *chunk, struct err *err);

	/* True while no more results should be read. */
	bool (*is_behind)(const struct sink *sink);

	/*
	 * Outputs of tasks from this seq on had better stay where they are for the moment;
	 * UINT64_MAX: all are wanted.
	 */
	uint64_t (*outputs_end)(struct sink *sink);

	/* Tasks up to (not including) this seq may be started now; UINT64_MAX: any. */
	uint64_t (*window_end)(const struct sink *sink);

	/* Descriptors to wait on for writing while behind or with something left; fills up to 2, returns how many. */
	size_t (*wait_fds)(const struct sink *sink, int fds[2]);

	/* Called when a wait_fd is writable, and at the end of each turn. */
	int (*flush)(struct sink *sink, struct err *err);

	/*
	 * The outputs of all tasks before this one are out: those with a lower seq where
	 * *is_by_seq, else so many as settled first. What a reader that has gone did not take is
	 * never out. At most one sink of a run has it.
	 */
	uint64_t (*out_end)(const struct sink *sink, bool *is_by_seq);

	/* True when nothing is left to write. */
	bool (*is_done)(const struct sink *sink);

	/* The end, after all has been flushed: closes and checks what it opened. */
	int (*finish)(struct sink *sink, struct err *err);
	void (*free)(struct sink *sink);
};

static inline void
sink_free(struct sink *sink)
{
	if (sink != NULL)
		sink->ops->free(sink);
}

#endif

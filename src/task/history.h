/*
 * history.h: interface of what was done before this run, so that it need not be done again: a
 * joblog or run file to resume, an output that is up to date.
 *
 * history_source_new puts one in front of a source: tasks that are done come out of it marked
 * (is_done) and go no further than the plan. Several histories go one behind the other.
 */
#ifndef PINION_HISTORY_H
#define PINION_HISTORY_H

#include "base/err.h"
#include "task/source.h"
#include "task/task.h"

struct history {
	const struct history_ops *ops;
};

/* Some of what a task had put out. 0, or -1 and err. */
typedef int history_take(void *context, const char *bytes, size_t length, struct err *err);

struct history_ops {
	/*
	 * Whether the task of this seq and with these values is done: 1 or 0; -1 and err. Asked once
	 * for each task of the input that no history before it has said is done, in seq order.
	 */
	int (*has)(struct history *history, uint64_t seq, const struct arg *args,
		   size_t arg_count, struct err *err);
	/*
	 * What a task with these values, which it has said is done, had put out on stdout: asked for
	 * any number of them, then answered as often, in this order and before anything else is asked.
	 * An answer gives it away in as many pieces as it likes: 1; 0: the task did not succeed; -1 and
	 * err. Waits for a disk. NULL: it does not know.
	 */
	int (*ask)(struct history *history, const struct arg *args, size_t arg_count,
		   struct err *err);
	int (*answer)(struct history *history, history_take *take, void *context,
		      struct err *err);
	void (*free)(struct history *history);
};

/*
 * The same tasks, some of them marked. Owns the source from here on (also after NULL and err), and
 * not the history.
 */
struct source *history_source_new(struct source *source, struct history *history,
				  struct err *err);

static inline void
history_free(struct history *history)
{
	if (history != NULL)
		history->ops->free(history);
}

#endif

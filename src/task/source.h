/*
 * source.h: interface of where tasks come from.
 *
 * A source hands out tasks in seq order, one by one or in chunks of those that are there, never
 * blocks and never reads further ahead than what it was asked for needs (and one read of its
 * file). The plan is its only caller.
 */
#ifndef PINION_SOURCE_H
#define PINION_SOURCE_H

#include "base/err.h"
#include "task/task.h"

enum source_status {
	SOURCE_ERROR = -1, /* err says what; the source must not be asked again */
	SOURCE_END = 0,
	SOURCE_TASK = 1, /* *task is the caller's */
	SOURCE_WAIT = 2, /* nothing now: ask again when source_wait_fd is readable */
};

struct source {
	const struct source_ops *ops;
};

struct source_ops {
	/* A chunk of at most `count_max` tasks: never waits for more than the first. */
	enum source_status (*next)(struct source *source, uint32_t count_max,
				   struct task **task, struct err *err);
	int (*wait_fd)(const struct source *source); /* after SOURCE_WAIT */
	void (*free)(struct source *source);
};

static inline enum source_status
source_next(struct source *source, uint32_t count_max, struct task **task, struct err *err)
{
	return source->ops->next(source, count_max, task, err);
}

static inline int
source_wait_fd(const struct source *source)
{
	return source->ops->wait_fd(source);
}

static inline void
source_free(struct source *source)
{
	if (source != NULL)
		source->ops->free(source);
}

#endif

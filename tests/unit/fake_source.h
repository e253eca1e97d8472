/*
 * fake_source.h: a source that follows a script: "tttwddte" is three tasks, a wait, two that were
 * done before, a task, an error.
 *
 * What is not written is the end. After an error it must not be asked again.
 */
#ifndef PINION_TESTS_FAKE_SOURCE_H
#define PINION_TESTS_FAKE_SOURCE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "task/source.h"

struct fake_source {
	struct source source;
	const char *script;
	uint64_t task_count; /* given so far */
	int wait_fd;
	bool has_failed;
	bool is_freed;
};

static inline enum source_status
fake_source_next(struct source *source, uint32_t count_max, struct task **task,
		 struct err *err)
{
	struct fake_source *fake = (struct fake_source *)source;
	struct buf packed = {0};
	uint32_t count;
	assert_false(fake->has_failed);
	switch (*fake->script) {
	case '\0':
		return SOURCE_END;
	case 'w':
		fake->script++;
		return SOURCE_WAIT;
	case 'e':
		fake->has_failed = true;
		err_set(err, ERR_SYSTEM, "cannot read");
		return SOURCE_ERROR;
	default:
		for (count = 0; count < count_max && fake->script[count] == *fake->script;)
			count++;
		*task = task_new(fake->task_count, count, 0, &packed);
		assert_non_null(*task);
		(*task)->is_done = *fake->script == 'd';
		fake->script += count;
		fake->task_count += count;
		return SOURCE_TASK;
	}
}

static inline int
fake_source_wait_fd(const struct source *source)
{
	return ((const struct fake_source *)source)->wait_fd;
}

static inline void
fake_source_free(struct source *source)
{
	((struct fake_source *)source)->is_freed = true;
}

static inline void
fake_source_init(struct fake_source *fake, const char *script)
{
	static const struct source_ops ops = {
	    .next = fake_source_next,
	    .wait_fd = fake_source_wait_fd,
	    .free = fake_source_free,
	};
	*fake = (struct fake_source){.source.ops = &ops, .script = script, .wait_fd = 1000};
}

#endif

/*
 * override.h: what one task has in place of what the job says for all: by a JSON object.
 *
 * Travels with the task as its first hidden value (spec.h: hidden_count): a list of a letter
 * and a packed value each (task.h), nothing where there are none. Workers apply variables,
 * folder and stdin, the coordinator the time limit.
 */
#ifndef PINION_OVERRIDE_H
#define PINION_OVERRIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "task/arg.h"
#include "task/spec.h"
#include "task/task.h"

enum override_kind {
	OVERRIDE_ID = 'i',
	OVERRIDE_ENV = 'e', /* NAME=VALUE; one each */
	OVERRIDE_CWD = 'd',
	OVERRIDE_STDIN_FILE = 'f',
	OVERRIDE_STDIN_TEXT = 't',
	OVERRIDE_TIMEOUT = 'l', /* an int64_t: nanoseconds, in host order */
	OVERRIDE_FROM =
	    'o', /* uint64_t, in host order: seqs of the tasks it came from, one of each stage before */
};

/* 0, -1 without memory. */
int override_add(struct buf *overrides, enum override_kind kind, const char *bytes,
		 size_t length);

/* Steps through them: starts with *at = all of them, and moves it; false: no more. */
bool override_next(struct arg *at, enum override_kind *kind, struct arg *value);

/* The first of its kind; false: there is none. */
bool override_find(const struct arg *overrides, enum override_kind kind, struct arg *value);

/*
 * Appends the folder that the task is in, with a slash behind it, as it is seen from where
 * `work_dir` (NULL: none) is: nothing where it has none of its own. 0, -1 without memory.
 */
int override_append_folder(const struct arg *overrides, const char *work_dir,
			   struct buf *path);

/* Among a task's values, as they are hidden there; empty where the spec has no such input. */
struct arg override_of_args(const struct spec *spec, const struct arg *args);

/* The first task's of a chunk; empty where the spec has no such input. */
struct arg override_of_task(const struct spec *spec, const struct task *task);

#endif

/*
 * task_setting.h: where a command finds itself: its variables, folder and stdin.
 *
 * Those of the job are the worker's own, but for stdin; a task that has others (override.h)
 * gets them here. Costs nothing where neither is asked for. Owned by the executor, used for
 * one task at a time.
 */
#ifndef PINION_TASK_SETTING_H
#define PINION_TASK_SETTING_H

#include "base/buf.h"
#include "base/err.h"
#include "pool/task_env.h"
#include "task/arg.h"
#include "task/spec.h"

struct task_setting {
	char *const *variables;
	int folder_fd; /* -1: the worker's */
	int stdin_fd;  /* -1: the worker's */
	char **merged; /* variables, when they are not the worker's */
	size_t merged_capacity;
};

void task_setting_init(struct task_setting *setting);
void task_setting_fini(struct task_setting *setting);

/*
 * For a task with these overrides (may be empty). 0; 1: what it names is not there, as a line
 * in `complaint` says; -1 and err. To be closed in any case.
 */
int task_setting_open(struct task_setting *setting, const struct spec *spec,
		      const struct task_env *env, const struct arg *overrides,
		      struct buf *complaint, struct err *err);
void task_setting_close(struct task_setting *setting);

#endif

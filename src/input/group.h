/*
 * group.h: combinations into tasks: -n -N -L -X -m -s.
 *
 * A group of one input is given at once. A larger one is given when it is full by count
 * or when the next input would make the command longer than -s or execve allow; an input
 * that is too long all by itself is a group of its own, and it is the task that fails.
 * With shares_rest (-X, -m) a full group waits for the input after it: if there is none,
 * what it holds is shared evenly among the workers.
 */
#ifndef PINION_GROUP_H
#define PINION_GROUP_H

#include <stddef.h>

#include "base/err.h"
#include "input/combine.h"
#include "task/source.h"
#include "task/spec.h"
#include "task/template.h"

struct group;

/* All borrowed until group_free. */
struct group *group_new(const struct spec *spec, struct combine *combine, struct err *err);
void group_free(struct group *group);

/* Without a template the length of a command has no bound. */
void group_set_template(struct group *group, const struct template *template,
			size_t worker_count);

/* As source_next. */
enum source_status group_next(struct group *group, uint32_t count_max, struct task **task,
			      struct err *err);

#endif

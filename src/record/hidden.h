/*
 * hidden.h: the hidden values of tasks from JSON lines (spec.h), as a column of the run file.
 *
 * Pairs (words.h): "id", "cwd", "env.NAME", "stdin.file", "stdin.text", "timeout_ns" for what
 * the line sets for its task (task/override), "from" for the tasks of the stages before that it
 * came from, then "{NAME}" for each member that a template
 * names. So a record can be read, and gives back the very bytes that the task travelled with.
 */
#ifndef PINION_HIDDEN_H
#define PINION_HIDDEN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "task/arg.h"
#include "task/spec.h"

/*
 * Appends the column for the spec's hidden values, which `args` begins with; nothing where they
 * say nothing. 0, -1 without memory.
 */
int hidden_append(struct buf *column, const struct spec *spec, const struct arg *args,
		  bool *is_text);

/* What a column said: pairs, packed (task.h). */
struct hidden {
	struct buf packed;
	struct arg *pairs;
	size_t count; /* of names and values */
	size_t capacity;
};

/* In place of what was read before; an empty column has no pairs. 0; -1: it is none. */
int hidden_read(struct hidden *hidden, const char *column, size_t length, bool is_text);
void hidden_fini(struct hidden *hidden);

/*
 * Appends the hidden values that a task of this spec has in front of its own, packed. -1 and
 * err: also when the record has no member that a template now names.
 */
int hidden_pack(struct buf *packed, const struct spec *spec, const struct hidden *hidden,
		struct err *err);

#endif

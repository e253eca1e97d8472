/*
 * jsonl.h: tasks as JSON, an object a line, streamed.
 *
 * An object's values are the elements of its "args", or the line as it is; in front of them
 * come the hidden ones (spec.h): its overrides, from "id", "timeout" and, where a task is a
 * process, "env", "cwd" and "stdin"; and the members that templates name. A string stands for
 * its text, a number for what was written, true and false for their words, null for nothing,
 * an array or object for its JSON. Empty lines are no tasks. Errors name the line.
 */
#ifndef PINION_JSONL_H
#define PINION_JSONL_H

#include "base/err.h"
#include "input/lines.h"
#include "input/rows.h"
#include "task/source.h"
#include "task/spec.h"

struct jsonl;

/* All borrowed until jsonl_close; `lines` is NULL where jsonl_next is not used. NULL and err. */
struct jsonl *jsonl_open(const struct spec *spec, const char *path, struct lines *lines,
			 struct err *err);
void jsonl_close(struct jsonl *jsonl);

/* Where the lines to be split come from, in messages; borrowed. */
void jsonl_set_place(struct jsonl *jsonl, const char *name, uint64_t line_number);

bool jsonl_is_blank(const struct arg *line);

/* The next line, valid until the next call. */
enum source_status jsonl_next(struct jsonl *jsonl, struct arg *line, struct err *err);

/* Appends the values of the line just given, valid as long as that. 0; -1 and err. */
int jsonl_split(struct jsonl *jsonl, const struct arg *line, struct row *row,
		struct err *err);

#endif

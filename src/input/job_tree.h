/*
 * job_tree.h: the text of a job's file, as the tree that is meant.
 *
 * Three steps: strict JSON (json_read), then what --set says in the place of members, then
 * ${NAME} and ${NAME:-default} in all strings that are values: the variable's value, or, where
 * it is unset (with :- also where it is empty), the default; without one that is an error.
 * $${ stands for ${. What was put in is not looked through again.
 */
#ifndef PINION_JOB_TREE_H
#define PINION_JOB_TREE_H

#include "base/buf.h"
#include "input/json_tree.h"

/*
 * `source` and `sets` ("key.path=value") are borrowed for as long as the tree lives. NULL and
 * err.
 */
struct json_value *job_tree_read(struct json *json, const struct json_source *source,
				 const char *const *sets, size_t set_count,
				 struct err *err);

/*
 * Appends the tree as JSON, indented, that reads as the same tree: with $${ for ${. 0, -1
 * without memory.
 */
int job_tree_print(const struct json_value *root, struct buf *text);

/* UTF-8 as a string that reads as the same: with $${ for ${. 0, -1 without memory. */
int job_tree_print_text(const char *bytes, size_t length, struct buf *text);

#endif

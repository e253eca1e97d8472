/*
 * job_parts.h: what the files that read a job's file share. Private to them.
 *
 *   job_tree     text into a tree: --set, ${NAME}
 *   job_json     the tree into the spec
 *   job_inputs   "inputs"
 *   job_keys     which keys there are; also for --print-spec and the schema
 */
#ifndef PINION_JOB_PARTS_H
#define PINION_JOB_PARTS_H

#include "input/json_tree.h"
#include "task/spec.h"

/* The string's text, living in the spec; NULL and err when it is none, naming what it should be. */
char *job_take_text(struct spec *spec, const struct json_value *value,
		    const char *expected, struct err *err);

/* All of an array as words, NULL-terminated; of a string as one. NULL and err. */
char **job_take_words(struct spec *spec, const struct json_value *value, size_t *count,
		      struct err *err);

/* "expected %s, found a number" */
int job_refuse_kind(const struct json_value *value, const char *expected, struct err *err);

/* "inputs": 0, or -1 and err. */
int job_take_inputs(struct spec *spec, const struct json_value *value, struct err *err);

#endif

/*
 * result_json.h: a task and its end as members of a JSON object; pinion-json(5) is their page.
 *
 * Members without the braces around them, so that a writer puts its own in front and behind.
 * Bytes that are not UTF-8 are base64 under the member's name and _base64. What is not
 * known is left out. What a task has printed is not here: it can be large.
 */
#ifndef PINION_RESULT_JSON_H
#define PINION_RESULT_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "task/result.h"
#include "task/task.h"

/* All borrowed for the call. */
struct result_json {
	uint64_t seq;           /* from 0; what is written is {#}, from 1 */
	const char *stage;      /* of the job; NULL: it has none */
	struct arg overrides;   /* where the task came from, its id; empty: neither */
	const struct arg *args; /* the hidden ones are not among them */
	size_t arg_count;
	const char *command; /* the line a person can paste; NULL: there is none */
	size_t command_length;

	/* Only for result_json_append. */
	const struct result *result;
	uint32_t attempts; /* that were started */
	bool is_measured;  /* processor time and memory are the task's own */
	bool is_dry_run;   /* it has not run at all */
};

/* ,"stage":"read"; nothing for NULL. 0, -1 without memory. */
int result_json_append_stage(struct buf *text, const char *stage);

/* Appends "seq":1,"args":["a"],"command":"echo a". 0, -1 without memory. */
int result_json_append_task(struct buf *text, const struct result_json *json);

/* "timed_out" */
const char *result_json_status(const struct result *result);

/* The same and ,"status":"done","exit":0 and so on to "maxrss_bytes". */
int result_json_append(struct buf *text, const struct result_json *json);

#endif

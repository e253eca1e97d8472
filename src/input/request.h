/*
 * request.h: the command line of the verbs that run no tasks: topology, report, replay, status,
 * ctl, completion.
 *
 * Their options are rows of the option table, too: found, refused, told and completed as those
 * of the other verbs. But they may stand behind other words.
 */
#ifndef PINION_REQUEST_H
#define PINION_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "input/option_table.h"
#include "input/options.h"
#include "task/spec.h"

#define REQUEST_TOP_DEFAULT 10
#define REQUEST_TOP_MAX 10000

/* What was said; each verb has options for some of it. Strings are borrowed from argv. */
struct request {
	struct spec spec; /* --jobs, --bind; first, since the setters find it and the rest here */
	char **words; /* that are no options; NULL-terminated */
	size_t word_count;
	const char *html; /* where it is to go, "-" is stdout; NULL: nowhere */
	const char *trace;
	const char *json;
	const char *csv;
	uint64_t top;
	uint64_t run_id; /* 0: none was named */
	bool is_failed;
	bool is_print;
	bool is_shell;
	bool is_watched;
	bool wants_json;
	bool wants_names;
};

/*
 * `argv` without the program's and the verb's names. OPTIONS_RUN means that the request is to
 * be answered. Whatever it returns, request_fini is called.
 */
enum options_outcome request_parse(struct request *request, unsigned int verb, int argc,
				   char **argv, struct err *err);
void request_fini(struct request *request);

/* Setters of the table: into the field of struct request at option->operand, or of that name. */
option_setter request_set_target; /* const char *; "-" without a value */
option_setter request_set_run;
option_setter request_set_top;

#endif

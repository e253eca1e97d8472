/*
 * job_json.h: a job's file into the spec: what pinion run reads.
 *
 * Keys that are options go through the option table's setters, so that a value means what it
 * means on the command line and is refused with the same words, behind the file's name, line,
 * column and path. pinion-job(5) is the page.
 */
#ifndef PINION_JOB_JSON_H
#define PINION_JOB_JSON_H

#include "base/err.h"
#include "input/option_table.h"

#define JOB_TEXT_MAX_BYTES ((size_t)256 * 1024 * 1024)

/*
 * Reads the file ("-" is stdin) and completes the spec, which becomes one of SPEC_MAP,
 * SPEC_FEED, SPEC_CALL. Heeds the state's sets and the environment, and puts what came of them
 * into the spec's job_text; a job_text that is there already is read in place of all these.
 * With is_print_wanted it is in spec->print, too. 0, or -1 and err.
 */
int job_read(struct option_state *state, const char *path, struct err *err);

#endif

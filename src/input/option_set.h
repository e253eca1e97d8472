/*
 * option_set.h: the setters of the option table: check a value, put it into the spec.
 *
 * Only option_table names them. Their errors are ERR_USAGE: the option, the value, and
 * what it may be.
 */
#ifndef PINION_OPTION_SET_H
#define PINION_OPTION_SET_H

#include "input/option_table.h"

#define OPTION_ROUNDS_MAX 100
#define OPTION_INFLIGHT_MAX 65536 /* tasks in one program's pipe */

/* Into the field of spec at the offset option->operand. */
option_setter option_set_true;       /* bool */
option_setter option_set_false;      /* bool */
option_setter option_set_string;     /* const char *; not empty */
option_setter option_set_directory;  /* const char *; must be there */
option_setter option_set_size;       /* uint64_t */
option_setter option_set_count;      /* size_t, from 1 */
option_setter option_set_task_count; /* uint64_t, from 1 */
option_setter option_set_duration;   /* int64_t, nanoseconds */

option_setter option_set_name; /* spec->name */

/* Sets the bool of struct option_state at the offset option->operand. */
option_setter option_note;

/* The outcome of parsing becomes option->operand. */
option_setter option_ask;

/* Another name for the replacement string that option->words names. */
option_setter option_set_rpl_name;

option_setter option_ignore;
/* Changes nothing: options.c looks for it before it reads $PARALLEL. */
option_setter option_set_plain;
option_setter option_set_jobs;
option_setter option_set_arg_file;
option_setter option_set_csv;
option_setter option_set_jsonl;
option_setter option_set_env;
option_setter option_set_set;
option_setter option_set_null;
option_setter option_set_delimiter;
option_setter option_set_eof;
option_setter option_set_header;
option_setter option_set_max_args;
option_setter option_set_max_replace_args;
option_setter option_set_max_lines;
option_setter option_set_max_lines_old;
option_setter option_set_trim;
option_setter option_set_value_sep;
option_setter option_set_file_sep;
option_setter option_set_rpl;
option_setter option_set_tag;
option_setter option_set_tagstring;
option_setter option_set_output_mode; /* operand: enum spec_output_mode */
option_setter option_set_json;        /* operand: enum spec_json */
option_setter option_set_progress;    /* operand: enum spec_progress */
option_setter option_set_bind;
option_setter option_set_start_method;
option_setter option_set_chunksize;
option_setter option_set_retries;
option_setter option_set_retry_on;
option_setter option_set_timeout;
option_setter option_set_halt;
option_setter option_set_output;
option_setter option_set_fsync;
option_setter option_set_protocol;
option_setter option_set_jobserver;
option_setter option_set_rounds;   /* from 1 to OPTION_ROUNDS_MAX */
option_setter option_set_inflight; /* from 1 to OPTION_INFLIGHT_MAX */
option_setter option_set_fail_fast;
option_setter option_set_load;
option_setter option_set_max_pressure;
option_setter option_set_nice;
option_setter option_set_ionice;
option_setter option_set_deadline;
option_setter option_set_cron;
option_setter option_set_termseq;
option_setter option_set_resume; /* operand: an enum spec_resume */

/* "KEY=VALUE" behind the other --set; copied. 0, or -1 and err. */
int option_add_set(struct option_state *state, const char *text, struct err *err);

#endif

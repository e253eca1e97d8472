/*
 * job_keys.h: the keys of a job's file: nearly all of them are options by another spelling.
 *
 * An option's key is its long name with _ for -, and its value what the option's setter
 * takes: reading, printing (--print-spec) and the schema all go through the option table. A
 * few options have other names here, a few are no keys because something else says the same
 * (job_exceptions), and a few keys are no options.
 */
#ifndef PINION_JOB_KEYS_H
#define PINION_JOB_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "input/option_table.h"

enum job_key_kind {
	JOB_KEY_OPTION,
	JOB_KEY_NAME,
	JOB_KEY_DESCRIPTION,
	JOB_KEY_COMMAND,
	JOB_KEY_FEED,
	JOB_KEY_CALL,
	JOB_KEY_INPUTS,
	JOB_KEY_ENV,
	JOB_KEY_STDIN,
	JOB_KEY_ORDER,
	JOB_KEY_STAGES,
	JOB_KEY_PASS,
};

/* What JSON an option takes. */
enum job_type {
	JOB_FLAG,  /* true; false is as if it were not there */
	JOB_COUNT, /* a whole number, or a string: "10k" */
	JOB_TIME,  /* seconds, or a string: "1h30m" */
	JOB_VALUE, /* a number or a string */
	JOB_TEXT,  /* a string */
	JOB_LIST,  /* a string, or an array of what is apart by commas in the option */
	JOB_TEXTS, /* a string, or an array of them, each an occurrence of the option */
};

struct job_key {
	char name[OPTION_NAME_BYTES];
	enum job_key_kind kind;
	const char *help;
	bool is_of_job;               /* may stand at the top, */
	bool is_of_stage;             /* in a stage */
	const struct option_row *row; /* JOB_KEY_OPTION */
	enum job_type type;           /* the same */
};

/* An option that is no key. */
struct job_exception {
	const char *option; /* long name, else its letter */
	const char *key;    /* another one that says the same; NULL: none by itself */
	const char *instead;
};

extern const struct job_exception job_exceptions[];
extern const size_t job_exception_count;

/* Steps through all keys: starts with *cursor 0; false: there are no more. */
bool job_key_next(size_t *cursor, struct job_key *key);

/* False: there is no such key. */
bool job_key_find(const char *name, size_t length, struct job_key *key);

/* The key of an option; false: it has none. */
bool job_key_of(const struct option_row *row, struct job_key *key);

/* The key that prints an option: its own, or that of another one that says the same. */
bool job_key_printed(const struct option_row *row, struct job_key *key);

/* What somebody may have meant by a key that there is none of; NULL: nobody knows. */
const char *job_key_hint(const char *name, size_t length, char text[OPTION_NAME_BYTES * 4]);

/*
 * With stages, whether what this key of the job says is for this one: where tasks come from for
 * the first, where they go to for the last, the rest for all.
 */
bool job_key_reaches(const struct job_key *key, bool is_first, bool is_last);

#endif

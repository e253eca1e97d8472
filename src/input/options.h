/*
 * options.h: the command line of the verbs that run tasks; request.h has that of the others.
 *
 * One table of rows: name, argument, help text, verbs, setter. Parsing, --help and
 * shell completion all come from the rows. Options end at the first word that is not
 * one, or at "--"; then come the command's words up to the first :::, ::::, :::+ or
 * ::::+, and the inputs.
 */
#ifndef PINION_OPTIONS_H
#define PINION_OPTIONS_H

#include "base/buf.h"
#include "base/err.h"
#include "task/spec.h"

/* The verbs, of which an option belongs to some; bits. */
enum {
	OPTION_MAP = 1,
	OPTION_PARALLEL = 2,
	OPTION_FEED = 4,
	OPTION_CALL = 8,
	OPTION_RUN = 16,
	OPTION_BENCH = 32,    /* see option_verbs_of */
	OPTION_TOPOLOGY = 64, /* this and what follows: see request.h */
	OPTION_REPORT = 128,
	OPTION_REPLAY = 256,
	OPTION_STATUS = 512,
	OPTION_CTL = 1024,
	OPTION_COMPLETION = 2048,
	OPTION_COMMANDS = OPTION_MAP | OPTION_PARALLEL,
	OPTION_JOB = OPTION_MAP | OPTION_FEED | OPTION_CALL, /* what a job's file can be */
	OPTION_RUNNING = OPTION_COMMANDS | OPTION_FEED | OPTION_CALL,
	OPTION_REQUESTS = OPTION_TOPOLOGY | OPTION_REPORT | OPTION_REPLAY |
			  OPTION_STATUS | OPTION_CTL | OPTION_COMPLETION,
	OPTION_ALL = OPTION_RUNNING | OPTION_RUN | OPTION_BENCH | OPTION_REQUESTS,
};

unsigned int option_dialect_bit(enum spec_dialect dialect);

enum options_outcome {
	OPTIONS_ERROR = -1, /* err (ERR_USAGE) names the word and what to write instead */
	OPTIONS_RUN = 0,    /* spec is complete */
	OPTIONS_HELP,       /* --help was asked for */
	OPTIONS_VERSION,
	OPTIONS_LIST, /* --list-options, which --help does not tell; for tests of man pages */
	OPTIONS_SCHEMA,
	OPTIONS_PRINT, /* spec->print is what was asked for */
	OPTIONS_CHECK, /* spec is complete, but only to be looked at */
};

/*
 * `argv` without the program's and the verb's names; `spec` fresh from spec_init,
 * with is_inherited set if it is.
 * Strings are borrowed from argv, or live in the spec. In SPEC_PARALLEL the options in
 * $PARALLEL come first, and spec->shell is found as shell.h says.
 */
enum options_outcome options_parse(struct spec *spec, int argc, char **argv,
				   struct err *err);

/* The whole help text of a verb, for stdout. 0, or -1 without memory. */
int options_print_help(unsigned int verb, struct buf *text);

/*
 * Every name of every option, one a line: "--jobs", "--max-procs", "-j", "-P". 0, or -1
 * without memory.
 */
int options_list(unsigned int verb, struct buf *text);

/*
 * Completion script of a shell: "bash", "zsh", "fish"; -1 for another name or without
 * memory.
 */
int options_print_completion(const char *shell, struct buf *text);

#endif

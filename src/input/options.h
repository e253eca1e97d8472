/*
 * options.h: the command line of the verbs that run tasks.
 *
 * One table of rows: name, argument, help text, dialects, setter. Parsing, --help and
 * shell completion all come from the rows. Options end at the first word that is not
 * one, or at "--"; then come the command's words up to the first :::, ::::, :::+ or
 * ::::+, and the inputs.
 */
#ifndef PINION_OPTIONS_H
#define PINION_OPTIONS_H

#include "base/buf.h"
#include "base/err.h"
#include "task/spec.h"

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

/* The whole help text of a dialect, for stdout. 0, or -1 without memory. */
int options_print_help(enum spec_dialect dialect, struct buf *text);

/*
 * Every name of every option, one a line: "--jobs", "--max-procs", "-j", "-P". 0, or -1
 * without memory.
 */
int options_list(enum spec_dialect dialect, struct buf *text);

/*
 * Completion script of a shell: "bash", "zsh", "fish"; -1 for another name or without
 * memory.
 */
int options_print_completion(const char *shell, struct buf *text);

#endif

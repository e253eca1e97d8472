/*
 * option_table.h: the rows: every option, once.
 *
 * Parsing (options), --help (option_help) and completion (option_complete) read the same
 * rows, and the man pages are tested against them. To add an option, add a row; to add a
 * verb, add a bit and a row to option_verbs.
 */
#ifndef PINION_OPTION_TABLE_H
#define PINION_OPTION_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "input/options.h"
#include "task/spec.h"

enum option_section {
	OPTION_SECTION_INPUT,
	OPTION_SECTION_COMMAND,
	OPTION_SECTION_POOL,
	OPTION_SECTION_OUTPUT,
	OPTION_SECTION_FAILURE,
	OPTION_SECTION_RECORD,
	OPTION_SECTION_OTHER,
	OPTION_SECTIONS,
};

enum option_argument {
	OPTION_ARGUMENT_NONE,
	OPTION_ARGUMENT_NEEDED, /* "--jobs 4", "--jobs=4", "-j 4", "-j4" */
	/* "--eof=x", "-ex"; the next word only in `parallel`, and if it is no option. */
	OPTION_ARGUMENT_TEXT,
	/* "--max-lines=2", "-l2"; the next word if it is a number. */
	OPTION_ARGUMENT_COUNT,
	/* "--jobserver=pipe"; never the next word. */
	OPTION_ARGUMENT_JOINED,
};

/* What completion offers for the argument. */
enum option_hint {
	OPTION_HINT_NONE,
	OPTION_HINT_FILE,
	OPTION_HINT_DIRECTORY,
	OPTION_HINT_COMMAND,
	OPTION_HINT_WORDS, /* those in `words` */
};

/*
 * What the setters work on: the spec, and what must be known of all options before it is
 * complete.
 */
struct option_state {
	struct spec *spec;
	enum options_outcome outcome;
	const char *value_sep; /* ":::" */
	const char *file_sep;  /* "::::" */
	const char *tag_text;  /* --tagstring */
	bool is_trim_given;
	bool is_count_given;        /* -n, -N */
	bool is_lines_given;        /* -L, -l */
	bool is_context_wanted;     /* -N, -L, -l */
	bool is_context_fill_given; /* -X */
	bool is_fill_given;         /* -m */
	bool is_xargs_given;
	bool is_silent;
	bool is_print_wanted; /* --print-spec */
	bool is_check_wanted; /* run --check */
	const char **sets;    /* run --set KEY=VALUE; not NULL-terminated */
	size_t set_count;
};

struct option_row;

/* Takes one occurrence. `value` is NULL when there is none. 0, or -1 and err. */
typedef int option_setter(struct option_state *state, const struct option_row *option,
			  const char *value, struct err *err);

struct option_row {
	const char *names;   /* long ones, apart by '|'; the first is shown; "": none */
	const char *letters; /* short ones, the first is shown; "": none */
	enum option_argument argument;
	const char *argument_name; /* "N"; NULL: none */
	unsigned int verbs;
	enum option_section section;
	const char *help; /* one line; NULL: neither in help nor in completion */
	option_setter *set;
	size_t operand; /* for the setter: the offset of a field, or a constant */
	enum option_hint hint;
	const char *words; /* apart by blanks */
};

struct option_verb {
	const char *name;
	unsigned int bit;
	const char *help;
	bool runs_command; /* words after its options are a command */
	/* Else: what they may be, apart by blanks; "": there are none; NULL: files. */
	const char *words;
	bool takes_run; /* and the first of them is the name of a live run */
};

extern const struct option_row option_table[];
extern const size_t option_count;
extern const struct option_verb option_verbs[];
extern const size_t option_verb_count;

/*
 * The verbs that have the option: those of its row, and bench. That has what map has, but for what
 * is about output and records, which it does not keep.
 */
unsigned int option_verbs_of(const struct option_row *option);

/*
 * "--jobs", or "-X" where there is no long name: how messages call it; borrowed from
 * `text`.
 */
#define OPTION_NAME_BYTES 64
const char *option_name(const struct option_row *option, char text[OPTION_NAME_BYTES]);

/*
 * Steps through the long names: starts with *rest = option->names; returns the length of
 * the next name at *name, 0 after the last.
 */
size_t option_next_name(const char **rest, const char **name);

#endif

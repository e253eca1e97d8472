/*
 * template_compiled.h: what template.c makes and template_expand.c reads. Nobody else's
 * business.
 */
#ifndef PINION_TEMPLATE_COMPILED_H
#define PINION_TEMPLATE_COMPILED_H

#include <stdbool.h>

#include "base/buf.h"
#include "task/rpl.h"
#include "task/template_form.h"

enum shape {
	SHAPE_ARGV,        /* argv_form is executed */
	SHAPE_QUOTED_LINE, /* argv_form, quoted word by word, is given to the shell */
	SHAPE_LINE,        /* line_form is given to the shell */
	SHAPE_INPUT,       /* line_form, its values as they are: they bring the command */
	SHAPE_TEXT,        /* line_form's one word, nothing quoted */
};

struct template
{
	enum shape shape;
	bool is_split;      /* SHAPE_ARGV: stands for a command line */
	bool repeats_words; /* -X, -N, -L: a word with all values is written once for each */
	bool is_filled;     /* -X, -m: {n} is every n-th value */
	bool is_plain_shell; /* plain command lines may go without the shell */
	size_t hidden_count; /* values in front of those that {} sees */
	const char *shell;   /* borrowed from the spec */
	struct form argv_form;
	struct form line_form; /* also kept when the line was split, for who wants to see the line */
	struct form *outs; /* --output: each of one word */
	size_t out_count;
	struct buf line_text;   /* what line_form's parts point to */
	struct buf split_text;  /* what argv_form's parts point to, when split */
	struct rpl_table *rpls; /* owns the edits */
};

#endif

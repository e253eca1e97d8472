/*
 * template_form.h: a compiled text: words made of parts. template.c's own business.
 *
 * A part is plain text, a value (with an edit), the seq, the slot or an output. Texts and edits are
 * borrowed from the template's sources.
 */
#ifndef PINION_TEMPLATE_FORM_H
#define PINION_TEMPLATE_FORM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "task/rpl.h"

enum part_kind { PART_TEXT, PART_VALUE, PART_SEQ, PART_SLOT, PART_OUT };

struct part {
	enum part_kind kind;
	int index; /* PART_VALUE, PART_OUT: as in struct rpl */
	const struct edit *edit;
	const char *bytes; /* PART_TEXT */
	size_t length;
};

struct word {
	size_t first_part;
	size_t part_count;
	const char *gap; /* the blanks in front of it, in a line */
	size_t gap_length;
	bool has_all;  /* a part that stands for all values */
	bool is_fixed; /* there even when it is empty: an empty word of the user's */
};

struct form {
	struct buf parts; /* of struct part */
	struct buf words; /* of struct word */
};

void form_fini(struct form *form);
const struct word *form_words(const struct form *form, size_t *count);
const struct part *form_parts(const struct form *form, const struct word *word);

/* Whether a part says something of the input. */
bool form_has_values(const struct form *form);

/* Whether a part stands for this output, from 1. */
bool form_has_out(const struct form *form, size_t index);

/* One word of all the text, even when it is empty. */
int form_add_word(struct form *form, struct rpl_table *table, const char *text,
		  size_t length, struct err *err);

/*
 * Words as the blanks of the text outside replacement strings make them; the last may be
 * empty.
 */
int form_add_line(struct form *form, struct rpl_table *table, const char *text,
		  size_t length, struct err *err);

/*
 * The same line as words of an argv, when a shell would find nothing in it to do. 1, 0:
 * a shell is needed, -1 and err. `text` takes the words' bytes and must stay.
 */
int form_split_line(struct form *argv_form, const struct form *line_form,
		    struct buf *text, struct err *err);

#endif

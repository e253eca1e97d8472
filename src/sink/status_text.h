/*
 * status_text.h: what live runs say of themselves (pinion-control(7)), for a person to read.
 *
 * Takes their replies as they came; what they say is not trusted to be sound, nor to be fit for
 * a terminal: control bytes come out as \xHH, lines end at the width.
 */
#ifndef PINION_STATUS_TEXT_H
#define PINION_STATUS_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define STATUS_TEXT_WIDTH 200 /* where nobody says how wide it may be */

struct status_item {
	const char *name;
	int pid;           /* 0: not known */
	const char *reply; /* NULL: it does not answer */
};

/* A line for each, below a heading if there is one. 0, -1 without memory. */
int status_text_table(struct buf *text, const struct status_item *items, size_t count,
		      bool has_heading, size_t width);

/* All about one run, and in at most `rows` lines its workers. */
int status_text_detail(struct buf *text, const struct status_item *item, size_t width,
		       size_t rows);

/* The reply as one line of JSON, or one that says that there is none. */
int status_text_json(struct buf *text, const struct status_item *item);

#endif

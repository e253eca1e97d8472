/*
 * columns.h: one item into its columns: --colsep, --trim.
 *
 * Follows perl's split with a limit of -1: empty columns count, also at the end, and a
 * separator that matches nothing separates every two characters. A single byte as
 * separator needs no regular expression. Read-only after columns_init.
 */
#ifndef PINION_COLUMNS_H
#define PINION_COLUMNS_H

#include <regex.h>
#include <stdbool.h>

#include "base/err.h"
#include "input/rows.h"
#include "task/spec.h"

enum columns_kind { COLUMNS_WHOLE, COLUMNS_BYTE, COLUMNS_REGEX };

struct columns {
	enum columns_kind kind;
	char byte;
	bool has_regex; /* regex is compiled */
	regex_t regex;
	enum spec_trim trim;
};

/* -1 and err for a --colsep that is no regular expression or not one that can be had. */
int columns_init(struct columns *columns, const struct spec *spec, struct err *err);
void columns_fini(struct columns *columns);

/*
 * Appends the item's columns to the row; they point into the item. 0, -1 without memory.
 */
int columns_split(const struct columns *columns, const struct arg *item, struct row *row);

/* Whether each item is its own one column, as it is. */
bool columns_are_items(const struct columns *columns);

/* What --trim and -r take for white space. */
bool columns_is_space(char c);

#endif

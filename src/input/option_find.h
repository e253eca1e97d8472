/*
 * option_find.h: from what was typed to a row of the option table.
 *
 * Long names may be cut short as long as one option only begins like that, and may leave
 * out dashes inside; an error for an unknown one names the nearest.
 */
#ifndef PINION_OPTION_FIND_H
#define PINION_OPTION_FIND_H

#include <stddef.h>

#include "base/err.h"
#include "input/option_table.h"

/* `typed` without its leading "--". NULL and err when there is not exactly one. */
const struct option_row *option_find(unsigned int verb, const char *typed,
				     size_t typed_length, struct err *err);

/* NULL when there is none. */
const struct option_row *option_find_letter(unsigned int verb, char letter);

/* The verb that a misspelt one is nearest to; NULL: none is near. */
const char *option_nearest_verb(const char *typed);

/*
 * The number of letters to change, add, drop or swap to make one name of the other; SIZE_MAX
 * for what is too long to be a misspelt name.
 */
size_t option_name_distance(const char *a, size_t a_length, const char *b, size_t b_length);

#endif

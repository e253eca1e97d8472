/*
 * option_words.h: splits a string into words as a shell would, for the options in
 * $PARALLEL.
 *
 * Blanks and newlines part words; 'single' and "double" quotes and backslashes keep them
 * together. Nothing is expanded.
 */
#ifndef PINION_OPTION_WORDS_H
#define PINION_OPTION_WORDS_H

#include <stddef.h>

#include "base/err.h"
#include "task/spec.h"

/*
 * The words live in the spec and end with a NULL that is not counted. 0, or -1 and err.
 */
int option_words_split(struct spec *spec, const char *text, char ***words,
		       size_t *word_count, struct err *err);

#endif

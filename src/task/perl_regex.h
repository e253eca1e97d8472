/*
 * perl_regex.h: from the regular expressions people write for GNU parallel to POSIX
 * extended ones.
 *
 * Translates what has an equivalent (\d \w \s \D \W \S, escapes, brackets with escapes
 * in them) and refuses what has none: lookaround and other (?...), non-greedy and
 * possessive quantifiers, variables.
 */
#ifndef PINION_PERL_REGEX_H
#define PINION_PERL_REGEX_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

/* Appends the translation and ends it with a NUL that counts. 0, or -1 and err. */
int perl_regex_translate(const char *regex, size_t length, struct buf *posix,
			 struct err *err);

#endif

/*
 * subst.h: lists of s/regex/replacement/ as --rpl takes them.
 *
 * A list is written as in Perl: steps apart by ";", any delimiter (s:a:b: s{a}{b}),
 * flags g (all) and i (any case), groups as \1 or $1, the whole match as $&. The regex
 * is POSIX extended with Perl's \d \w \s \D \W \S \b \t \n understood; the longest match
 * wins. All other Perl is refused with a message that says so. Values are any bytes.
 */
#ifndef PINION_SUBST_H
#define PINION_SUBST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "task/task.h"

struct subst_list;

enum subst_case { SUBST_CASE_KEEP, SUBST_CASE_UPPER, SUBST_CASE_LOWER };

/* NULL and err when it is not understood; subst_list_free ends it. */
struct subst_list *subst_list_new(const char *text, struct err *err);

/*
 * One step from its pieces. `regex` in the syntax above; what it matches becomes
 * `replacement` (taken as it is), or with a case other than KEEP is itself written in
 * that case.
 */
struct subst_list *subst_list_new_one(const char *regex, const char *replacement,
				      bool is_global, enum subst_case match_case,
				      struct err *err);
void subst_list_free(struct subst_list *list);

/*
 * Applies all steps. The outcome is borrowed from `value` or one of `scratch`. 0, -1
 * without memory.
 */
int subst_list_apply(const struct subst_list *list, const struct arg *value,
		     struct buf scratch[2], struct arg *outcome);

/*
 * For cutting as little as possible: the length of the shortest start (or, from the end,
 * the shortest tail) of the value that the first step's regex matches whole; SIZE_MAX:
 * none does.
 */
size_t subst_list_shortest_start(const struct subst_list *list, const struct arg *value);
size_t subst_list_shortest_tail(const struct subst_list *list, const struct arg *value);

#endif

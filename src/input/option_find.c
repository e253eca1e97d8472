/* option_find.c: see option_find.h. */
#include "input/option_find.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define NAME_BYTES_MAX 40 /* longer words are no misspelling of an option */

enum name_match { NAME_DIFFERS, NAME_BEGINS, NAME_EQUALS };

/*
 * Compares what was typed with a long name; dashes inside do not count, as for GNU
 * parallel's twins.
 */
static enum name_match
match_name(const char *typed, size_t typed_length, const char *name, size_t name_length)
{
	size_t at = 0;
	bool is_empty = true;
	for (size_t i = 0; i < typed_length; i++) {
		if (typed[i] == '-')
			continue;
		while (at < name_length && name[at] == '-')
			at++;
		if (at == name_length || name[at] != typed[i])
			return NAME_DIFFERS;
		at++;
		is_empty = false;
	}
	if (is_empty)
		return NAME_DIFFERS;
	return at == name_length ? NAME_EQUALS : NAME_BEGINS;
}

/* The best match among an option's names, which is put into *name. */
static enum name_match
match_option(const struct option_row *option, const char *typed, size_t typed_length,
	     const char **name, size_t *name_length)
{
	enum name_match best = NAME_DIFFERS;
	const char *rest = option->names, *candidate;
	size_t length;
	while ((length = option_next_name(&rest, &candidate)) > 0) {
		enum name_match match = match_name(typed, typed_length, candidate, length);
		if (match <= best)
			continue;
		best = match;
		*name = candidate;
		*name_length = length;
	}
	return best == NAME_BEGINS && option->help == NULL ? NAME_DIFFERS : best;
}

/* The number of letters to change, add, drop or swap to make `b` of `a`. */
static size_t
edit_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t rows[3][NAME_BYTES_MAX + 1];
	size_t *before = rows[0], *last = rows[1], *row = rows[2];
	for (size_t j = 0; j <= b_length; j++)
		last[j] = before[j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			size_t best = last[j - 1] + (a[i - 1] != b[j - 1]);
			if (last[j] + 1 < best)
				best = last[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			row[j] = best;
		}
		size_t *oldest = before;
		before = last;
		last = row;
		row = oldest;
	}
	return last[b_length];
}

size_t
option_name_distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
	if (a_length > NAME_BYTES_MAX || b_length > NAME_BYTES_MAX)
		return SIZE_MAX;
	return edit_distance(a, a_length, b, b_length);
}

const char *
option_nearest_verb(const char *typed)
{
	const char *nearest = NULL;
	size_t least = strlen(typed) / 3 + 1;
	for (size_t i = 0; i < option_verb_count; i++) {
		const char *name = option_verbs[i].name;
		size_t distance =
		    option_name_distance(typed, strlen(typed), name, strlen(name));
		if (distance < least) {
			least = distance;
			nearest = name;
		}
	}
	return nearest;
}

/* The known long name nearest to a misspelt one, when it is near enough; else NULL. */
static const char *
nearest_name(unsigned int verb, const char *typed, size_t typed_length, size_t *name_length)
{
	const char *nearest = NULL;
	if (typed_length < 2 || typed_length > NAME_BYTES_MAX)
		return NULL;
	size_t least = typed_length / 3 + 1; /* a third of it may be wrong, rounded */
	for (size_t i = 0; i < option_count; i++) {
		const char *rest = option_table[i].names, *name;
		size_t length;
		if ((option_verbs_of(&option_table[i]) & verb) == 0 ||
		    option_table[i].help == NULL)
			continue;
		while ((length = option_next_name(&rest, &name)) > 0) {
			size_t distance =
			    option_name_distance(typed, typed_length, name, length);
			if (distance >= least)
				continue;
			least = distance;
			nearest = name;
			*name_length = length;
		}
	}
	return nearest;
}

/* The verbs that have options of that name, and one of those; 0: none has. */
static unsigned int
find_elsewhere(const char *typed, size_t typed_length, const struct option_row **option)
{
	unsigned int verbs = 0;
	for (size_t i = 0; i < option_count; i++) {
		const char *name;
		size_t length;
		if (option_table[i].help == NULL ||
		    match_option(&option_table[i], typed, typed_length, &name, &length) !=
			NAME_EQUALS)
			continue;
		verbs |= option_table[i].verbs;
		*option = &option_table[i];
	}
	return verbs;
}

static int
refuse_elsewhere(const struct option_row *option, unsigned int verbs, struct err *err)
{
	char name[OPTION_NAME_BYTES];
	char text[ERR_TEXT_BYTES] = "";
	size_t used = 0;
	for (size_t i = 0; i < option_verb_count; i++)
		if ((option_verbs[i].bit & verbs) != 0 && used < sizeof(text))
			used +=
			    (size_t)snprintf(text + used, sizeof(text) - used, "%s%s",
					     used > 0 ? ", " : "", option_verbs[i].name);
	return err_set(err, ERR_USAGE, "%s is no option here, but of: %s",
		       option_name(option, name), text);
}

static int
refuse_unknown(unsigned int verb, const char *typed, size_t typed_length, struct err *err)
{
	size_t length;
	const struct option_row *elsewhere;
	unsigned int verbs = find_elsewhere(typed, typed_length, &elsewhere);
	if (verbs != 0)
		return refuse_elsewhere(elsewhere, verbs, err);
	const char *nearest = nearest_name(verb, typed, typed_length, &length);
	int shown = typed_length > 100 ? 100 : (int)typed_length;
	if (nearest == NULL)
		return err_set(err, ERR_USAGE,
			       "unknown option --%.*s: --help lists those there are",
			       shown, typed);
	return err_set(err, ERR_USAGE, "unknown option --%.*s: did you mean --%.*s?",
		       shown, typed, (int)length, nearest);
}

static int
refuse_ambiguous(unsigned int verb, const char *typed, size_t typed_length, struct err *err)
{
	char text[ERR_TEXT_BYTES] = "";
	size_t used = 0;
	for (size_t i = 0; i < option_count; i++) {
		const char *name;
		size_t length;
		if ((option_verbs_of(&option_table[i]) & verb) == 0 ||
		    match_option(&option_table[i], typed, typed_length, &name, &length) !=
			NAME_BEGINS ||
		    used + length + 5 > sizeof(text))
			continue;
		if (used > 0) {
			memcpy(text + used, ", ", 2);
			used += 2;
		}
		memcpy(text + used, "--", 2);
		memcpy(text + used + 2, name, length);
		used += length + 2;
		text[used] = '\0';
	}
	return err_set(err, ERR_USAGE, "--%.*s is short for several options: %s",
		       (int)typed_length, typed, text);
}

const struct option_row *
option_find(unsigned int verb, const char *typed, size_t typed_length, struct err *err)
{
	const struct option_row *begun = NULL;
	size_t begun_count = 0;
	for (size_t i = 0; i < option_count; i++) {
		const struct option_row *option = &option_table[i];
		const char *name;
		size_t length;
		if ((option_verbs_of(option) & verb) == 0)
			continue;
		enum name_match match =
		    match_option(option, typed, typed_length, &name, &length);
		if (match == NAME_EQUALS)
			return option;
		if (match == NAME_BEGINS) {
			begun = option;
			begun_count++;
		}
	}
	if (begun_count == 0)
		refuse_unknown(verb, typed, typed_length, err);
	if (begun_count > 1)
		refuse_ambiguous(verb, typed, typed_length, err);
	return begun_count == 1 ? begun : NULL;
}

const struct option_row *
option_find_letter(unsigned int verb, char letter)
{
	for (size_t i = 0; i < option_count; i++) {
		if ((option_verbs_of(&option_table[i]) & verb) != 0 &&
		    strchr(option_table[i].letters, letter) != NULL)
			return &option_table[i];
	}
	return NULL;
}

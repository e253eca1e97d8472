/* What the tests of the command line share: parse words that must be right, refuse wrong ones. */
#ifndef PINION_TEST_OPTIONS_H
#define PINION_TEST_OPTIONS_H

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "input/options.h"

#define WORDS_MAX 64
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct parsed {
	struct spec spec;
	struct err err;
	enum options_outcome outcome;
	char *words[WORDS_MAX];
};

static inline void
parse_list(struct parsed *parsed, enum spec_dialect dialect, va_list ap)
{
	int count = 0;
	memset(&parsed->err, 0, sizeof(parsed->err));
	while ((parsed->words[count] = va_arg(ap, char *)) != NULL)
		assert_true(++count < WORDS_MAX);
	spec_init(&parsed->spec, dialect);
	parsed->outcome = options_parse(&parsed->spec, count, parsed->words, &parsed->err);
}

/* Words up to a NULL; for command lines that must be right. */
static inline struct spec *
parse(struct parsed *parsed, enum spec_dialect dialect, ...)
{
	va_list ap;
	va_start(ap, dialect);
	parse_list(parsed, dialect, ap);
	va_end(ap);
	if (parsed->outcome == OPTIONS_ERROR)
		print_error("%s\n", parsed->err.text);
	assert_int_equal(parsed->outcome, OPTIONS_RUN);
	return &parsed->spec;
}

static inline void
drop(struct parsed *parsed)
{
	spec_fini(&parsed->spec);
}

/* The words behind `part` must be refused with a text that has `part` in it. */
static inline void
refuse(enum spec_dialect dialect, const char *part, ...)
{
	struct parsed parsed;
	va_list ap;
	va_start(ap, part);
	parse_list(&parsed, dialect, ap);
	va_end(ap);
	assert_int_equal(parsed.outcome, OPTIONS_ERROR);
	assert_int_equal(parsed.err.kind, ERR_USAGE);
	if (strstr(parsed.err.text, part) == NULL)
		fail_msg("'%s' does not say '%s'", parsed.err.text, part);
	drop(&parsed);
}

#define PARSE_MAP(parsed, ...) parse(parsed, SPEC_MAP, __VA_ARGS__, NULL)
#define PARSE_PARALLEL(parsed, ...) parse(parsed, SPEC_PARALLEL, __VA_ARGS__, NULL)
#define REFUSE(part, ...) refuse(SPEC_MAP, part, __VA_ARGS__, NULL)

static inline void
assert_words(const struct spec *spec, const char *joined)
{
	char text[512] = "";
	for (size_t i = 0; i < spec->word_count; i++) {
		strcat(text, i == 0 ? "" : "|");
		strcat(text, spec->words[i]);
	}
	assert_string_equal(text, joined);
	assert_null(spec->words[spec->word_count]);
}

static inline void
assert_values(const struct spec_input *input, const char *joined)
{
	char text[512] = "";
	assert_int_equal(input->kind, SPEC_INPUT_ARGS);
	for (size_t i = 0; i < input->value_count; i++) {
		strcat(text, i == 0 ? "" : "|");
		strcat(text, input->values[i]);
	}
	assert_string_equal(text, joined);
}

#endif

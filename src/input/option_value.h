/*
 * option_value.h: what the words after options mean: numbers, durations, signals, lists.
 *
 * Pure: text in, value out. Every function reads the whole text; it returns 0, or -1 and
 * leaves *value alone when the text is not of the form or does not fit. The callers,
 * option_set, say so to the user.
 */
#ifndef PINION_OPTION_VALUE_H
#define PINION_OPTION_VALUE_H

#include <stddef.h>
#include <stdint.h>

#include "task/spec.h"

/*
 * 12, 1.5k, 64M, 2Gi: k m g t p are powers of 1000; K M G T P, and all with an i, of
 * 1024. The result is rounded down to a whole number.
 */
int value_count(const char *text, uint64_t *count);

/* 10, 0.5, 90s, 1d3.5h16.6m4s: seconds, or a sum of d h m s parts. */
int value_duration_ns(const char *text, int64_t *duration_ns);

/* 50%, 12.5%; above 0. */
int value_percent(const char *text, double *percent);

/* One byte: a character, or an escape: \n \t \r \0 \\ \a \b \f \v, \x2c, \054. */
int value_byte(const char *text, char *byte);

/* Replaces \t \n \r, in place; other escapes stay as they are. */
void value_unescape_blanks(char *text);

/* never, now|soon,fail|success|done=N|N%, and the old 0, 1, 2, -1, -2, N%. */
int value_halt(const char *text, struct spec_halt *halt);

/*
 * TERM,200,KILL,25: signals by name or number, each with milliseconds; the last one's
 * may be left out.
 */
int value_term_steps(const char *text, struct spec_term_step *steps, size_t *step_count);

/* exit,signal,timeout,lost,memory or all. */
int value_retry_on(const char *text, unsigned int *retry_on);

int value_trim(const char *text, enum spec_trim *trim);
int value_bind(const char *text, enum spec_bind *bind);
int value_start_method(const char *text, enum spec_start_method *method);

#endif

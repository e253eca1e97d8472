/*
 * range.h: numbers as inputs: from, from + step, ..., as far as `to`.
 *
 * Decimal, and exact: 0.1 ten times is 1.0. All are written with as many decimal places as the
 * most precise of the three.
 */
#ifndef PINION_RANGE_H
#define PINION_RANGE_H

#include <stdint.h>

#include "task/spec.h"

#define RANGE_TEXT_BYTES 32

/* from, to, step as JSON has numbers. 0; -1: too long, or a step of 0. */
int range_parse(struct spec_range *range, const char *const texts[3]);

/* How many there are. */
uint64_t range_count(const struct spec_range *range);

/* The one at `index`, below that count; its length. */
size_t range_write(const struct spec_range *range, uint64_t index,
		   char text[RANGE_TEXT_BYTES]);

#endif

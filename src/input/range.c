/* range.c: see range.h. */
#include "input/range.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RANGE_DECIMALS_MAX 9
#define RANGE_MAX INT64_C(1000000000000000000) /* sums of two still fit */

static int
decimals_of(const char *text)
{
	const char *point = strchr(text, '.');
	return point == NULL ? 0 : (int)strlen(point + 1);
}

/* One more digit behind the number; -1: beyond RANGE_MAX. */
static int
add_digit(int64_t *value, int digit)
{
	if (*value > (RANGE_MAX - digit) / 10)
		return -1;
	*value = *value * 10 + digit;
	return 0;
}

/* The number times 10^decimals, which it has at most. */
static int
scale(const char *text, unsigned int decimals, int64_t *scaled)
{
	bool is_negative = *text == '-';
	int64_t value = 0;
	unsigned int places = 0;
	bool is_behind_point = false;
	for (text += is_negative; *text != '\0'; text++) {
		if (*text == '.') {
			is_behind_point = true;
			continue;
		}
		if (*text < '0' || *text > '9') /* an exponent */
			return -1;
		if (add_digit(&value, *text - '0') == -1)
			return -1;
		places += is_behind_point;
	}
	for (; places < decimals; places++)
		if (add_digit(&value, 0) == -1)
			return -1;
	*scaled = is_negative ? -value : value;
	return 0;
}

int
range_parse(struct spec_range *range, const char *const texts[3])
{
	int decimals = 0;
	for (int i = 0; i < 3; i++)
		if (decimals_of(texts[i]) > decimals)
			decimals = decimals_of(texts[i]);
	if (decimals > RANGE_DECIMALS_MAX)
		return -1;
	range->decimals = (unsigned int)decimals;
	if (scale(texts[0], range->decimals, &range->from) == -1 ||
	    scale(texts[1], range->decimals, &range->to) == -1 ||
	    scale(texts[2], range->decimals, &range->step) == -1)
		return -1;
	return range->step == 0 ? -1 : 0;
}

uint64_t
range_count(const struct spec_range *range)
{
	int64_t distance = range->to - range->from;
	if ((distance < 0) != (range->step < 0) && distance != 0)
		return 0;
	return (uint64_t)(distance / range->step) + 1;
}

size_t
range_write(const struct spec_range *range, uint64_t index, char text[RANGE_TEXT_BYTES])
{
	int64_t value = range->from + (int64_t)index * range->step;
	uint64_t size = value < 0 ? -(uint64_t)value : (uint64_t)value;
	uint64_t unit = 1;
	for (unsigned int i = 0; i < range->decimals; i++)
		unit *= 10;
	int length = snprintf(text, RANGE_TEXT_BYTES, "%s%" PRIu64, value < 0 ? "-" : "",
			      size / unit);
	if (range->decimals > 0)
		length += snprintf(text + length, RANGE_TEXT_BYTES - (size_t)length,
				   ".%0*" PRIu64, (int)range->decimals, size % unit);
	return (size_t)length;
}

/* quantity.c: see quantity.h. */
#include "report/quantity.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

/* Three digits, and what is below them rounded. */
static const char *
put_scaled(char *text, double value, const char *unit)
{
	int digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
	snprintf(text, QUANTITY_BYTES, "%.*f %s", digits, value, unit);
	return text;
}

/* "7 h 12 min", without a part that is 0. */
static const char *
put_pair(char *text, int64_t large, const char *large_unit, int64_t small,
	 const char *small_unit)
{
	if (small == 0)
		snprintf(text, QUANTITY_BYTES, "%" PRId64 " %s", large, large_unit);
	else
		snprintf(text, QUANTITY_BYTES, "%" PRId64 " %s %" PRId64 " %s", large,
			 large_unit, small, small_unit);
	return text;
}

const char *
quantity_duration(char text[QUANTITY_BYTES], int64_t ns)
{
	if (ns <= 0)
		return strcpy(text, "0 s");
	if (ns < 1000)
		return put_pair(text, ns, "ns", 0, "");
	if (ns < 999500)
		return put_scaled(text, (double)ns / 1e3, "us");
	if (ns < 999500000)
		return put_scaled(text, (double)ns / 1e6, "ms");
	if (ns < 59950 * NS_PER_MS)
		return put_scaled(text, (double)ns / 1e9, "s");
	int64_t seconds = (ns + NS_PER_S / 2) / NS_PER_S;
	int64_t minutes = (seconds + 30) / 60;
	if (seconds < 3600)
		return put_pair(text, seconds / 60, "min", seconds % 60, "s");
	if (minutes < 24 * 60)
		return put_pair(text, minutes / 60, "h", minutes % 60, "min");
	int64_t hours = (minutes + 30) / 60;
	return put_pair(text, hours / 24, "d", hours % 24, "h");
}

const char *
quantity_round_duration(char text[QUANTITY_BYTES], int64_t ns)
{
	quantity_duration(text, ns);
	char *unit = text + strcspn(text, " ");
	char *end = unit;
	if (memchr(text, '.', (size_t)(unit - text)) == NULL)
		return text;
	while (end[-1] == '0')
		end--;
	if (end[-1] == '.')
		end--;
	memmove(end, unit, strlen(unit) + 1);
	return text;
}

const char *
quantity_bytes(char text[QUANTITY_BYTES], int64_t bytes)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB"};
	double value = (double)bytes / 1024;
	size_t unit = 0;
	if (bytes < 1024)
		return put_pair(text, bytes < 0 ? 0 : bytes, "B", 0, "");
	for (; value >= 999.5 && unit + 1 < sizeof(units) / sizeof(*units); unit++)
		value /= 1024;
	return put_scaled(text, value, units[unit]);
}

const char *
quantity_count(char text[QUANTITY_BYTES], uint64_t count)
{
	char digits[QUANTITY_BYTES];
	int length = snprintf(digits, sizeof(digits), "%" PRIu64, count);
	char *to = text;
	for (int i = 0; i < length; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			*to++ = ',';
		*to++ = digits[i];
	}
	*to = '\0';
	return text;
}

const char *
quantity_moment(char text[QUANTITY_BYTES], int64_t real_ns)
{
	time_t seconds = (time_t)(real_ns / NS_PER_S);
	struct tm local;
	if (localtime_r(&seconds, &local) == NULL ||
	    strftime(text, QUANTITY_BYTES, "%Y-%m-%d %H:%M:%S", &local) == 0)
		return strcpy(text, "?");
	return text;
}

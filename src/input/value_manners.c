/* value_manners.c: see value_manners.h. */
#include "input/value_manners.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "input/option_value.h"

#define NICE_LEAST (-20)
#define NICE_MOST 19
#define RUN_NAME_CHARS 64

/* ioprio_set(2): the class above the level; 4 is the level of who says none. */
#define IOPRIO_CLASS_SHIFT 13
#define IOPRIO_LEVELS 8
#define IOPRIO_LEVEL_DEFAULT 4

int
value_load(const char *text, struct spec_jobs *load)
{
	struct spec_jobs parsed;
	if (spec_jobs_parse(&parsed, text) == -1 || parsed.kind == SPEC_JOBS_CORES ||
	    parsed.kind == SPEC_JOBS_THREADS)
		return -1;
	*load = parsed;
	return 0;
}

/* The number that the `length` bytes at text are, with or without a percent sign; -1. */
static double
pressure_number(const char *text, size_t length)
{
	char number[32];
	double percent;
	if (length > 0 && text[length - 1] == '%')
		length--;
	if (length >= sizeof(number) - 1)
		return -1;
	memcpy(number, text, length);
	memcpy(number + length, "%", sizeof("%"));
	return value_percent(number, &percent) == -1 || percent > 100 ? -1 : percent;
}

static int
pressure_kind(const char *name, size_t length)
{
	static const char *const names[SPEC_PRESSURES] = {
	    [SPEC_PRESSURE_CPU] = "cpu", [SPEC_PRESSURE_MEMORY] = "memory", [SPEC_PRESSURE_IO] = "io"};
	for (int i = 0; i < SPEC_PRESSURES; i++)
		if (strlen(names[i]) == length && memcmp(name, names[i], length) == 0)
			return i;
	return -1;
}

int
value_pressure(const char *text, double percents[SPEC_PRESSURES])
{
	double parsed[SPEC_PRESSURES];
	memcpy(parsed, percents, sizeof(parsed));
	for (;;) {
		size_t length = strcspn(text, ",");
		size_t name_length = strcspn(text, "=");
		if (name_length >= length)
			return -1;
		int kind = pressure_kind(text, name_length);
		double percent =
		    pressure_number(text + name_length + 1, length - name_length - 1);
		if (kind == -1 || percent < 0)
			return -1;
		parsed[kind] = percent;
		if (text[length] == '\0')
			break;
		text += length + 1;
	}
	memcpy(percents, parsed, sizeof(parsed));
	return 0;
}

/* A whole number from least to most. */
static int
read_number(const char *text, long least, long most, int *number)
{
	char *end;
	errno = 0;
	long value = strtol(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0 || value < least || value > most)
		return -1;
	*number = (int)value;
	return 0;
}

int
value_nice(const char *text, int *nice)
{
	return read_number(text, NICE_LEAST, NICE_MOST, nice);
}

int
value_ionice(const char *text, int *ioprio)
{
	static const struct {
		const char *name;
		int number;
		bool has_level;
	} classes[] = {{"realtime", 1, true}, {"best-effort", 2, true}, {"idle", 3, false}};
	size_t length = strcspn(text, ":");
	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++) {
		int level = classes[i].has_level ? IOPRIO_LEVEL_DEFAULT : 0;
		if (strlen(classes[i].name) != length ||
		    memcmp(text, classes[i].name, length) != 0)
			continue;
		if (text[length] == ':' &&
		    (!classes[i].has_level ||
		     read_number(text + length + 1, 0, IOPRIO_LEVELS - 1, &level) == -1))
			return -1;
		*ioprio = classes[i].number << IOPRIO_CLASS_SHIFT | level;
		return 0;
	}
	return -1;
}

int
value_run_name(const char *text)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t length = strlen(text);
	return length > 0 && length <= RUN_NAME_CHARS && text[0] != '.' &&
		       text[0] != '-' && strspn(text, allowed) == length
		   ? 0
		   : -1;
}

/* Whether `time` is what it was before mktime made sense of it: there is no 31 February. */
static bool
is_on_calendar(const struct tm *asked, const struct tm *made)
{
	return asked->tm_mday == made->tm_mday && asked->tm_mon == made->tm_mon &&
	       asked->tm_year == made->tm_year;
}

/* 06:30, 06:30:10 at text, into the three fields. */
static bool
read_day_time(const char *text, struct tm *time)
{
	static const char *const formats[] = {"%H:%M", "%H:%M:%S"};
	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		struct tm parsed = *time;
		const char *end = strptime(text, formats[i], &parsed);
		if (end == NULL || *end != '\0')
			continue;
		*time = parsed;
		return true;
	}
	return false;
}

static time_t
time_of(struct tm day)
{
	day.tm_isdst = -1; /* whatever it is on that day */
	return mktime(&day);
}

/* The next one of that time of the day. */
static int
next_day_time(const char *text, int64_t now_real_ns, int64_t *at_real_ns)
{
	time_t now = (time_t)(now_real_ns / NS_PER_S);
	struct tm day;
	if (localtime_r(&now, &day) == NULL)
		return -1;
	day.tm_sec = 0;
	if (!read_day_time(text, &day))
		return -1;
	time_t at = time_of(day);
	if (at <= now) {
		day.tm_mday++;
		at = time_of(day);
	}
	*at_real_ns = (int64_t)at * NS_PER_S;
	return 0;
}

static int
moment(const char *text, int64_t *at_real_ns)
{
	struct tm asked = {.tm_isdst = -1};
	const char *rest = strptime(text, "%Y-%m-%d", &asked);
	if (rest == NULL || (*rest != 'T' && *rest != ' ') ||
	    !read_day_time(rest + 1, &asked))
		return -1;
	struct tm made = asked;
	time_t at = mktime(&made);
	if (at == (time_t)-1 || !is_on_calendar(&asked, &made))
		return -1;
	*at_real_ns = (int64_t)at * NS_PER_S;
	return 0;
}

int
value_deadline(const char *text, int64_t now_real_ns, int64_t *deadline_real_ns)
{
	int64_t duration_ns;
	if (value_duration_ns(text, &duration_ns) == 0)
		return __builtin_add_overflow(now_real_ns, duration_ns, deadline_real_ns)
			   ? -1
			   : 0;
	if (next_day_time(text, now_real_ns, deadline_real_ns) == 0)
		return 0;
	return moment(text, deadline_real_ns);
}

/* The words after --load, --max-pressure, --ionice, --deadline. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "input/value_manners.h"

/* 2026-11-21 12:00 in a zone that is three hours ahead and has no summer. */
#define NOON_S INT64_C(1795251600)
#define HOUR_S INT64_C(3600)

static int
set_zone(void **state)
{
	(void)state;
	setenv("TZ", "TST-3", 1);
	tzset();
	return 0;
}

static int64_t
deadline_s(const char *text)
{
	int64_t at_ns = -1;
	return value_deadline(text, NOON_S * NS_PER_S, &at_ns) == -1 ? -1
								     : at_ns / NS_PER_S;
}

static void
time_of_the_day_is_the_next_one(void **state)
{
	(void)state;
	assert_int_equal(deadline_s("13:00"), NOON_S + HOUR_S);
	assert_int_equal(deadline_s("12:00:01"), NOON_S + 1);
	assert_int_equal(deadline_s("12:00"), NOON_S + 24 * HOUR_S);
	assert_int_equal(deadline_s("6:30"), NOON_S + 18 * HOUR_S + 1800);
	assert_int_equal(deadline_s("06:30"), NOON_S + 18 * HOUR_S + 1800);
}

static void
duration_is_from_now(void **state)
{
	(void)state;
	assert_int_equal(deadline_s("8h"), NOON_S + 8 * HOUR_S);
	assert_int_equal(deadline_s("1h30m"), NOON_S + HOUR_S + 1800);
	assert_int_equal(deadline_s("90"), NOON_S + 90);
}

static void
moment_may_be_past(void **state)
{
	(void)state;
	assert_int_equal(deadline_s("2026-11-22T06:00"), NOON_S + 18 * HOUR_S);
	assert_int_equal(deadline_s("2026-11-22 06:00:05"), NOON_S + 18 * HOUR_S + 5);
	assert_int_equal(deadline_s("2026-11-21T11:00"), NOON_S - HOUR_S);
}

static void
no_other_times_are_taken(void **state)
{
	static const char *const texts[] = {"",
					    "24:00",
					    "12:60",
					    "6:",
					    "06:30x",
					    "2026-11-22",
					    "2026-02-30T06:00",
					    "2026-11-22T",
					    "tomorrow",
					    "2026-11-22T25:00",
					    "-8h",
					    "06:30 tomorrow"};
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_int_equal(deadline_s(texts[i]), -1);
}

static void
load_is_as_jobs_are_but_no_words(void **state)
{
	struct spec_jobs load = {.kind = SPEC_JOBS_DEFAULT};
	(void)state;
	assert_int_equal(value_load("cores", &load), -1);
	assert_int_equal(value_load("/etc/passwd", &load), -1);
	assert_int_equal(value_load("", &load), -1);
	assert_int_equal(load.kind, SPEC_JOBS_DEFAULT);
	assert_int_equal(value_load("80%", &load), 0);
	assert_int_equal(load.kind, SPEC_JOBS_PERCENT);
	assert_true(load.value == 80);
	assert_int_equal(value_load("-1", &load), 0);
	assert_int_equal(load.kind, SPEC_JOBS_PLUS);
}

static void
pressure_is_a_list_and_those_not_named_stay(void **state)
{
	double percents[SPEC_PRESSURES] = {0};
	(void)state;
	assert_int_equal(value_pressure("io=20", percents), 0);
	assert_int_equal(value_pressure("cpu=12.5%,memory=100", percents), 0);
	assert_true(percents[SPEC_PRESSURE_CPU] == 12.5);
	assert_true(percents[SPEC_PRESSURE_MEMORY] == 100);
	assert_true(percents[SPEC_PRESSURE_IO] == 20);
}

static void
no_other_pressures_are_taken(void **state)
{
	static const char *const texts[] = {
	    "",       "cpu",    "cpu=",        "=5",     "cpu=0",    "cpu=101", "disk=5",
	    "cpu=5,", ",cpu=5", "cpu=5,,io=1", "cpu=-5", "cpu,io=5", "cpu=5%%"};
	double percents[SPEC_PRESSURES] = {1, 2, 3};
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_int_equal(value_pressure(texts[i], percents), -1);
	assert_true(percents[SPEC_PRESSURE_CPU] == 1);
}

static void
ionice_is_a_class_and_a_level(void **state)
{
	int ioprio = -1;
	(void)state;
	assert_int_equal(value_ionice("idle", &ioprio), 0);
	assert_int_equal(ioprio, 3 << 13);
	assert_int_equal(value_ionice("best-effort", &ioprio), 0);
	assert_int_equal(ioprio, 2 << 13 | 4);
	assert_int_equal(value_ionice("realtime:0", &ioprio), 0);
	assert_int_equal(ioprio, 1 << 13);
	assert_int_equal(value_ionice("idle:1", &ioprio), -1);
	assert_int_equal(value_ionice("best-effort:8", &ioprio), -1);
	assert_int_equal(value_ionice("best-effort:", &ioprio), -1);
	assert_int_equal(value_ionice("none", &ioprio), -1);
	assert_int_equal(ioprio, 1 << 13);
}

static void
nice_is_from_minus_20_to_19(void **state)
{
	int nice = 7;
	(void)state;
	assert_int_equal(value_nice("20", &nice), -1);
	assert_int_equal(value_nice("-21", &nice), -1);
	assert_int_equal(value_nice("1x", &nice), -1);
	assert_int_equal(value_nice("", &nice), -1);
	assert_int_equal(nice, 7);
	assert_int_equal(value_nice("-20", &nice), 0);
	assert_int_equal(nice, -20);
}

static void
name_of_a_run_is_fit_for_a_file(void **state)
{
	static const char *const bad[] = {"",   ".",   "..",  ".x",
					  "-x", "a/b", "a b", "\303\244"};
	char longest[66];
	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[65] = '\0';
	assert_int_equal(value_run_name(longest), -1);
	longest[64] = '\0';
	assert_int_equal(value_run_name(longest), 0);
	assert_int_equal(value_run_name("_Photos-2.night"), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(value_run_name(bad[i]), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(time_of_the_day_is_the_next_one),
	    cmocka_unit_test(duration_is_from_now),
	    cmocka_unit_test(moment_may_be_past),
	    cmocka_unit_test(no_other_times_are_taken),
	    cmocka_unit_test(load_is_as_jobs_are_but_no_words),
	    cmocka_unit_test(pressure_is_a_list_and_those_not_named_stay),
	    cmocka_unit_test(no_other_pressures_are_taken),
	    cmocka_unit_test(ionice_is_a_class_and_a_level),
	    cmocka_unit_test(name_of_a_run_is_fit_for_a_file),
	    cmocka_unit_test(nice_is_from_minus_20_to_19),
	};
	return cmocka_run_group_tests(tests, set_zone, NULL);
}

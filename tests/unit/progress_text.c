/* What is shown of a run, as text: on screens of all widths. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "sink/progress_text.h"

static const struct progress_view half_done = {
    .counts = {.done = 48, .failed = 2},
    .total = 100,
    .is_total_known = true,
    .running = 4,
    .rate = 12.34,
    .mean_ns = 325 * NS_PER_MS,
    .left_ns = 63 * NS_PER_S,
    .spread_ns = 5 * NS_PER_S,
    .load = 3.91,
};

static const size_t widths[] = {1, 2, 5, 10, 11, 20, 40, 60, 80, 200};
#define WIDTHS (sizeof(widths) / sizeof(*widths))

/* Borrowed until the next call. */
static const char *
line(const struct progress_view *view, size_t columns)
{
	static struct buf text;
	buf_clear(&text);
	assert_int_equal(progress_text_line(&text, view, columns, false), 0);
	return buf_str(&text);
}

static const char *
bar(const struct progress_view *view, size_t columns, bool is_coloured)
{
	static struct buf text;
	struct cells cells = {0};
	setenv("LC_ALL", "C.UTF-8", 1);
	buf_clear(&text);
	assert_int_equal(progress_text_bar(&text, view, columns, is_coloured, &cells), 0);
	cells_fini(&cells);
	return buf_str(&text);
}

static const char *
lane(const struct progress_lane *of, size_t columns)
{
	static struct buf text;
	struct cells cells = {0};
	setenv("LC_ALL", "C.UTF-8", 1);
	buf_clear(&text);
	assert_int_equal(progress_text_lane(&text, of, columns, &cells), 0);
	cells_fini(&cells);
	return buf_str(&text);
}

static void
wide_screen_has_all_of_it(void **state)
{
	(void)state;
	assert_string_equal(
	    line(&half_done, 200),
	    "[==============>              ] 50 of 100  2 failed  4 running  "
	    "12.3/s  ETA 1m03s +-5s  load 3.91");
}

static void
narrower_screens_leave_out_what_matters_least(void **state)
{
	(void)state;
	assert_string_equal(line(&half_done, 80),
			    "[=====>     ] 50 of 100  2 failed  4 running  12.3/s  "
			    "ETA 1m03s +-5s  load 3.91");
	assert_string_equal(
	    line(&half_done, 60),
	    "[===>   ] 50 of 100  2 failed  4 running  12.3/s  ETA 1m03s");
	assert_string_equal(line(&half_done, 40), "50 of 100  2 failed  ETA 1m03s");
	assert_string_equal(line(&half_done, 10), "50 of 100");
	assert_string_equal(line(&half_done, 9), "");
}

static void
bar_comes_before_the_load(void **state)
{
	struct progress_view view = half_done;
	(void)state;
	view.counts = (struct progress_counts){.done = 50};
	assert_string_equal(
	    line(&view, 60),
	    "[======>     ] 50 of 100  4 running  12.3/s  ETA 1m03s +-5s");
}

static void
no_line_is_as_wide_as_the_screen(void **state)
{
	struct progress_view huge = half_done;
	struct cells cells = {0};
	(void)state;
	huge.counts.done = huge.counts.failed = UINT64_MAX / 2;
	huge.total = UINT64_MAX;
	huge.running = 100000;
	huge.left_ns = huge.spread_ns = 900000000 * NS_PER_S;
	huge.load = 12345.67;
	for (size_t i = 0; i < WIDTHS; i++) {
		const struct progress_view *views[] = {&half_done, &huge};
		for (size_t j = 0; j < 2; j++) {
			struct buf eta = {0};
			assert_true(strlen(line(views[j], widths[i])) < widths[i]);
			assert_true(strlen(bar(views[j], widths[i], false)) < widths[i]);
			assert_int_equal(progress_text_eta(&eta, views[j], widths[i]), 0);
			assert_true(eta.length < widths[i]);
			buf_fini(&eta);
		}
	}
	cells_fini(&cells);
}

static void
open_end_is_told_and_has_neither_bar_nor_end(void **state)
{
	struct progress_view view = half_done;
	(void)state;
	view.is_total_known = false;
	assert_string_equal(line(&view, 200),
			    "50 of 100+  2 failed  4 running  12.3/s  load 3.91");
}

static void
what_is_not_known_is_not_shown(void **state)
{
	struct progress_view view = {
	    .total = 9, .is_total_known = true, .running = 4, .left_ns = -1, .load = -1};
	(void)state;
	assert_string_equal(line(&view, 80),
			    "[>                            ] 0 of 9  4 running");
}

static void
bar_is_full_at_the_end_and_of_nothing(void **state)
{
	struct progress_view view = {
	    .counts.done = 9, .total = 9, .is_total_known = true, .load = -1};
	(void)state;
	assert_string_equal(line(&view, 40), "[===========] 9 of 9  0 running  ETA 0s");
	view.counts.done = view.total = 0;
	assert_string_equal(line(&view, 40), "[===========] 0 of 0  0 running  ETA 0s");
}

static void
colours_take_no_room(void **state)
{
	struct buf text = {0};
	(void)state;
	assert_int_equal(progress_text_line(&text, &half_done, 80, true), 0);
	assert_string_equal(
	    buf_str(&text),
	    "[\x1b[32m=====>\x1b[0m     ] 50 of 100  \x1b[31m2 failed\x1b[0m  "
	    "4 running  12.3/s  ETA 1m03s +-5s  load 3.91");
	buf_fini(&text);
}

static void
line_for_a_file_has_no_bar(void **state)
{
	struct buf text = {0};
	(void)state;
	assert_int_equal(progress_text_plain(&text, &half_done), 0);
	assert_string_equal(buf_str(&text), "50 of 100, 2 failed, 4 running, 12.3/s, "
					    "ETA 1m03s +-5s, load 3.91");
	buf_fini(&text);
}

static void
gnu_bar_is_reversed_as_far_as_the_work_is_done(void **state)
{
	struct progress_view view = half_done;
	(void)state;
	view.newest = "写真.jpg";
	view.newest_length = strlen(view.newest);
	assert_string_equal(bar(&view, 41, true),
			    "\x1b[7m50% 50:50=1m03s 写真\x1b[0m.jpg                ");
	assert_string_equal(bar(&view, 40, false),
			    "[=====>    ] 50% 50:50=1m03s 写真.jpg");
	view.is_total_known = false;
	view.left_ns = -1;
	assert_string_equal(bar(&view, 21, true), "\x1b[7m50% 50:50+\x1b[0m=? 写真...");
}

static void
gnu_eta_has_its_words(void **state)
{
	struct buf text = {0};
	(void)state;
	assert_int_equal(progress_text_eta(&text, &half_done, 80), 0);
	assert_string_equal(buf_str(&text),
			    "ETA: 1m03s Left: 50 AVG: 0.33s  local:4/50/50%/0.3s ");
	buf_fini(&text);
}

static void
lane_says_what_how_long_and_cpu(void **state)
{
	struct progress_lane of = {.slot = 3,
				   .is_busy = true,
				   .for_ns = 12 * NS_PER_S,
				   .cpu_percent = 98,
				   .what = "convert a\x1b.jpg 写真.png"};
	(void)state;
	of.what_length = strlen(of.what);
	assert_string_equal(lane(&of, 80),
			    "   3    12s   98%  convert a\\x1b.jpg 写真.png");
	assert_string_equal(lane(&of, 40), "   3    12s   98%  convert a\\x1b.jpg...");
	of.cpu_percent = -1;
	assert_string_equal(lane(&of, 30), "   3    12s        convert...");
	assert_string_equal(lane(&of, 10), "   3    1");
	of.is_busy = false;
	of.what_length = 0;
	assert_string_equal(lane(&of, 80), "   3      -        ");
}

static void
end_tells_what_became_of_all(void **state)
{
	struct progress_end end = {.counts = {.done = 118, .failed = 2},
				   .run_ns = 12300 * NS_PER_MS,
				   .task_ns = 48000 * NS_PER_MS,
				   .worker_ns = 4 * 12300 * NS_PER_MS};
	struct buf text = {0};
	(void)state;
	assert_int_equal(progress_text_end(&text, &end), 0);
	assert_string_equal(buf_str(&text), "120 tasks, 2 failed, in 12s; "
					    "speed-up 3.90, efficiency 98%");
	buf_clear(&text);
	end = (struct progress_end){.counts = {.cancelled = 1, .skipped = 2, .passed = 3},
				    .run_ns = NS_PER_S / 2};
	assert_int_equal(progress_text_end(&text, &end), 0);
	assert_string_equal(buf_str(&text),
			    "6 tasks, 0 failed, 1 cancelled, 2 never started, "
			    "3 done before, in 0.5s");
	buf_fini(&text);
}

static void
durations_have_two_units(void **state)
{
	static const struct {
		int64_t ns;
		const char *text;
	} cases[] = {{-5, "0.0s"},
		     {0, "0.0s"},
		     {449 * NS_PER_MS, "0.4s"},
		     {9999 * NS_PER_MS, "9.9s"},
		     {10 * NS_PER_S, "10s"},
		     {59999 * NS_PER_MS, "59s"},
		     {185 * NS_PER_S, "3m05s"},
		     {7620 * NS_PER_S, "2h07m"},
		     {(5 * 86400 + 3 * 3600) * NS_PER_S, "5d03h"},
		     {INT64_MAX, "106751d23h"}};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[PROGRESS_DURATION_BYTES];
		assert_string_equal(progress_duration(text, cases[i].ns), cases[i].text);
	}
}

static void
rates_have_three_digits_and_a_fit_unit(void **state)
{
	static const struct {
		double per_s;
		const char *text;
	} cases[] = {{0.5 / 3600, "0.50/h"}, {0.2, "12.0/min"},  {3.456, "3.46/s"},
		     {9.999, "10.0/s"},      {123.4, "123/s"},   {9876, "9876/s"},
		     {12340, "12.3k/s"},     {1.2e6, "1.20M/s"}, {123.4e6, "123M/s"}};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[PROGRESS_RATE_BYTES];
		assert_string_equal(progress_rate(text, cases[i].per_s), cases[i].text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(wide_screen_has_all_of_it),
	    cmocka_unit_test(narrower_screens_leave_out_what_matters_least),
	    cmocka_unit_test(bar_comes_before_the_load),
	    cmocka_unit_test(no_line_is_as_wide_as_the_screen),
	    cmocka_unit_test(open_end_is_told_and_has_neither_bar_nor_end),
	    cmocka_unit_test(what_is_not_known_is_not_shown),
	    cmocka_unit_test(bar_is_full_at_the_end_and_of_nothing),
	    cmocka_unit_test(colours_take_no_room),
	    cmocka_unit_test(line_for_a_file_has_no_bar),
	    cmocka_unit_test(gnu_bar_is_reversed_as_far_as_the_work_is_done),
	    cmocka_unit_test(gnu_eta_has_its_words),
	    cmocka_unit_test(lane_says_what_how_long_and_cpu),
	    cmocka_unit_test(end_tells_what_became_of_all),
	    cmocka_unit_test(durations_have_two_units),
	    cmocka_unit_test(rates_have_three_digits_and_a_fit_unit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

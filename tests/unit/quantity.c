/* Quantities for a person, and drawn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "report/picture.h"
#include "report/quantity.h"

static void
durations_have_three_digits_and_the_unit_that_fits(void **state)
{
	static const struct {
		int64_t ns;
		const char *text;
	} some[] = {{-5, "0 s"},
		    {0, "0 s"},
		    {999, "999 ns"},
		    {1000, "1.00 us"},
		    {999499, "999 us"},
		    {999500, "1.00 ms"},
		    {12345678, "12.3 ms"},
		    {999999999, "1.00 s"},
		    {59949999999, "59.9 s"},
		    {59960000000, "1 min"},
		    {61000000000, "1 min 1 s"},
		    {3599700000000, "1 h"},
		    {25920000000000, "7 h 12 min"},
		    {90000000000000, "1 d 1 h"}};
	char text[QUANTITY_BYTES];
	(void)state;
	for (size_t i = 0; i < sizeof(some) / sizeof(*some); i++)
		assert_string_equal(quantity_duration(text, some[i].ns), some[i].text);
}

static void
round_durations_have_no_digits_that_say_nothing(void **state)
{
	char text[QUANTITY_BYTES];
	(void)state;
	assert_string_equal(quantity_round_duration(text, 1000000), "1 ms");
	assert_string_equal(quantity_round_duration(text, 1500000000), "1.5 s");
	assert_string_equal(quantity_round_duration(text, 200), "200 ns");
	assert_string_equal(quantity_round_duration(text, 0), "0 s");
	assert_string_equal(quantity_round_duration(text, 600000000000), "10 min");
}

static void
bytes_are_in_powers_of_1024(void **state)
{
	char text[QUANTITY_BYTES];
	(void)state;
	assert_string_equal(quantity_bytes(text, 0), "0 B");
	assert_string_equal(quantity_bytes(text, 1023), "1023 B");
	assert_string_equal(quantity_bytes(text, 1024), "1.00 KiB");
	assert_string_equal(quantity_bytes(text, 1023 * 1024), "1.00 MiB");
	assert_string_equal(quantity_bytes(text, INT64_MAX), "8192 PiB");
}

static void
counts_have_commas(void **state)
{
	char text[QUANTITY_BYTES];
	(void)state;
	assert_string_equal(quantity_count(text, 0), "0");
	assert_string_equal(quantity_count(text, 999), "999");
	assert_string_equal(quantity_count(text, 1000), "1,000");
	assert_string_equal(quantity_count(text, UINT64_MAX),
			    "18,446,744,073,709,551,615");
}

static void
assert_bar(double part, bool has_blocks, const char *expected)
{
	struct buf text = {0};
	assert_int_equal(picture_bar(&text, part, 4, has_blocks), 0);
	assert_string_equal(buf_str(&text), expected);
	buf_fini(&text);
}

static void
bars_fill_their_columns_and_never_hide_what_is_little(void **state)
{
	(void)state;
	assert_bar(0, true, "    ");
	assert_bar(1e-9, true, "▏   ");
	assert_bar(0.5, true, "██  ");
	assert_bar(0.53125, true, "██▏ ");
	assert_bar(1, true, "████");
	assert_bar(7, true, "████");
	assert_bar(1e-9, false, "#   ");
	assert_bar(0.5, false, "##  ");
	assert_bar(0, false, "    ");
}

static void
levels_are_one_column(void **state)
{
	struct buf text = {0};
	(void)state;
	for (int i = 0; i <= 8; i++)
		assert_int_equal(picture_level(&text, i / 8.0, true), 0);
	assert_int_equal(picture_level(&text, 0.001, true), 0);
	for (int i = 0; i <= 8; i += 4)
		assert_int_equal(picture_level(&text, i / 8.0, false), 0);
	assert_string_equal(buf_str(&text), " ▁▂▃▄▅▆▇█▁ -#");
	buf_fini(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(durations_have_three_digits_and_the_unit_that_fits),
	    cmocka_unit_test(round_durations_have_no_digits_that_say_nothing),
	    cmocka_unit_test(bytes_are_in_powers_of_1024),
	    cmocka_unit_test(counts_have_commas),
	    cmocka_unit_test(bars_fill_their_columns_and_never_hide_what_is_little),
	    cmocka_unit_test(levels_are_one_column),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What others chose, fit for the eye: nothing of it drives a terminal, and none is lost silently. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "report/shown.h"

static void
assert_shown(const char *bytes, size_t length, size_t max_columns, bool is_ascii,
	     const char *expected)
{
	struct shown_style style = {.is_ascii = is_ascii, .max_columns = max_columns};
	struct buf text = {0};
	assert_int_equal(shown_append(&text, bytes, length, &style), 0);
	assert_string_equal(text.length == 0 ? "" : buf_str(&text), expected);
	buf_fini(&text);
}

static void
assert_tail(const char *bytes, bool is_cut, size_t max_lines, const char *expected)
{
	struct shown_style style = {.max_columns = 60};
	struct buf text = {0};
	assert_int_equal(
	    shown_append_tail(&text, bytes, strlen(bytes), is_cut, max_lines, &style), 0);
	assert_string_equal(text.length == 0 ? "" : buf_str(&text), expected);
	buf_fini(&text);
}

static void
text_stays_as_it_is(void **state)
{
	(void)state;
	assert_shown("a b\\c <&>", 9, 80, false, "a b\\c <&>");
	assert_shown("grün 写真", 12, 80, false, "grün 写真");
}

static void
no_byte_below_a_blank_comes_through(void **state)
{
	char all[256];
	struct shown_style style = {.max_columns = 4000};
	struct buf text = {0};
	(void)state;
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (char)i;
	assert_int_equal(shown_append(&text, all, sizeof(all), &style), 0);
	for (size_t i = 0; i < text.length; i++)
		assert_in_range((unsigned char)text.bytes[i], 0x20, 0x7e);
	assert_non_null(strstr(buf_str(&text), "\\x1b"));
	assert_non_null(strstr(text.bytes, "\\xff"));
	buf_fini(&text);
}

static void
bytes_that_are_not_utf8_are_shown_each(void **state)
{
	(void)state;
	assert_shown("a\xc3", 2, 80, false, "a\\xc3");
	assert_shown("\xc0\xaf", 2, 80, false, "\\xc0\\xaf");          /* over-long */
	assert_shown("\xed\xa0\x80", 3, 80, false, "\\xed\\xa0\\x80"); /* a surrogate */
	assert_shown("\xf4\x90\x80\x80z", 5, 80, false, "\\xf4\\x90\\x80\\x80z");
}

static void
what_turns_or_hides_text_is_shown(void **state)
{
	(void)state;
	assert_shown("a\u202eb", 5, 80, false, "a\\u{202e}b");
	assert_shown("\u200b\xc2\x85", 5, 80, false, "\\u{200b}\\u{85}");
}

static void
ascii_shows_other_characters_by_their_number(void **state)
{
	(void)state;
	assert_shown("é\U0001f600", 6, 80, true, "\\u{e9}\\u{1f600}");
}

static void
a_long_line_is_cut_at_its_columns(void **state)
{
	(void)state;
	assert_shown("abcdefgh", 8, 8, false, "abcdefgh");
	assert_shown("abcdefghi", 9, 8, false, "abcde...");
	assert_shown("写真写真写", 15, 8, false, "写真...");
	assert_shown("abcd\001efgh", 9, 8, false, "abcd...");
}

static void
columns_are_those_of_a_terminal(void **state)
{
	(void)state;
	assert_int_equal(shown_columns("abc", 3), 3);
	assert_int_equal(shown_columns("写真", 6), 4);
	assert_int_equal(shown_columns("e\u0301", 3), 1);
}

static void
the_last_lines_come_without_blank_ones_behind(void **state)
{
	(void)state;
	assert_tail("one\ntwo\nthree\n\n \n", false, 2, "two\nthree\n");
	assert_tail("one", false, 3, "one\n");
	assert_tail("", false, 3, "");
	assert_tail("\n\n", false, 3, "");
	assert_tail("a\n\nb\n", false, 5, "a\n\nb\n");
}

static void
a_line_that_was_cut_in_front_is_left_out(void **state)
{
	(void)state;
	assert_tail("alf a line\nwhole\n", true, 5, "whole\n");
	assert_tail("alf a line", true, 5, "alf a line\n"); /* there is nothing else */
	struct shown_style style = {.max_columns = 40};
	struct buf none = {0};
	assert_int_equal(shown_append_tail(&none, NULL, 0, true, 5, &style), 0);
	assert_int_equal(none.length, 0);
}

static void
lines_are_as_a_terminal_shows_them(void **state)
{
	(void)state;
	assert_tail("\033[1;31merror:\033[0m bad\n", false, 3, "error: bad\n");
	assert_tail("10 %\r50 %\r100 %\r\n", false, 3, "100 %\n");
	assert_tail("dos\r\nends\r\r\nso\r\n", false, 3, "dos\nends\nso\n");
	assert_tail("\033]0;title\a\ttext\n", false, 3, "    text\n");
	assert_tail("cut off \033[3", false, 3, "cut off \n");
	assert_tail("bell\a\n", false, 3, "bell\\x07\n");
	assert_tail("reset\033c and\033", false, 3, "reset and\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(text_stays_as_it_is),
	    cmocka_unit_test(no_byte_below_a_blank_comes_through),
	    cmocka_unit_test(bytes_that_are_not_utf8_are_shown_each),
	    cmocka_unit_test(what_turns_or_hides_text_is_shown),
	    cmocka_unit_test(ascii_shows_other_characters_by_their_number),
	    cmocka_unit_test(a_long_line_is_cut_at_its_columns),
	    cmocka_unit_test(columns_are_those_of_a_terminal),
	    cmocka_unit_test(the_last_lines_come_without_blank_ones_behind),
	    cmocka_unit_test(a_line_that_was_cut_in_front_is_left_out),
	    cmocka_unit_test(lines_are_as_a_terminal_shows_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Any bytes as so many cells of a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/cells.h"

/* Asserts what `bytes` look like in at most so many cells, and how many they take. */
static void
assert_looks(const char *locale, const char *bytes, size_t most, const char *expected,
	     size_t expected_used)
{
	struct cells cells = {0};
	struct buf text = {0};
	size_t used;
	assert_int_equal(setenv("LC_ALL", locale, 1), 0);
	assert_int_equal(cells_append(&cells, &text, bytes, strlen(bytes), most, &used), 0);
	assert_string_equal(buf_str(&text), expected);
	assert_int_equal(used, expected_used);
	buf_fini(&text);
	cells_fini(&cells);
}

static void
text_that_fits_stays_as_it_is(void **state)
{
	(void)state;
	assert_looks("C.UTF-8", "photo.jpg", 9, "photo.jpg", 9);
	assert_looks("C.UTF-8", "Zürich é", 8, "Zürich é", 8);
	assert_looks("C.UTF-8", "", 5, "", 0);
	assert_looks("C.UTF-8", "", 0, "", 0);
}

static void
text_that_does_not_fit_ends_in_dots(void **state)
{
	(void)state;
	assert_looks("C.UTF-8", "photo.jpg", 8, "photo...", 8);
	assert_looks("C.UTF-8", "Zürich", 5, "Zü...", 5);
	assert_looks("C.UTF-8", "photo", 3, "...", 3);
	assert_looks("C.UTF-8", "photo", 2, "..", 2);
	assert_looks("C.UTF-8", "photo", 0, "", 0);
}

static void
wide_characters_take_two_cells_and_are_never_cut(void **state)
{
	(void)state;
	assert_looks("C.UTF-8", "写真.jpg", 8, "写真.jpg", 8);
	assert_looks("C.UTF-8", "写真.jpg", 7, "写真...", 7);
	assert_looks("C.UTF-8", "写真.jpg", 6, "写...", 5);
}

static void
combining_marks_take_no_cell(void **state)
{
	(void)state;
	assert_looks("C.UTF-8", "e\xcc\x81t\xcc\x81", 2, "e\xcc\x81t\xcc\x81", 2);
	assert_looks("C.UTF-8", "e\xcc\x81tude", 4, "e\xcc\x81...", 4);
}

static void
control_bytes_and_broken_characters_are_made_visible(void **state)
{
	(void)state;
	assert_looks("C.UTF-8", "a\x1b[2Jb\n", 20, "a\\x1b[2Jb\\x0a", 13);
	assert_looks("C.UTF-8", "\xff\xc3", 20, "\\xff\\xc3", 8);
	assert_looks("C.UTF-8", "\xc2\x9b", 20, "\\xc2\\x9b", 8); /* CSI in eight bits */
	assert_looks("C.UTF-8", "ab\x1b", 5, "ab...", 5);
}

static void
what_the_locale_does_not_know_is_made_visible(void **state)
{
	(void)state;
	assert_looks("C", "\xc3\xa9", 20, "\\xc3\\xa9", 8);
	assert_looks("xx_XX.UTF-8", "é", 20, "é", 1); /* not installed */
}

static void
locale_of_the_process_stays(void **state)
{
	(void)state;
	const char *before = setlocale(LC_ALL, NULL);
	assert_looks("C.UTF-8", "é", 1, "é", 1);
	assert_string_equal(setlocale(LC_ALL, NULL), before);
}

static void
bytes_of_a_text_are_counted_in_whole_characters(void **state)
{
	(void)state;
	struct cells cells = {0};
	setenv("LC_ALL", "C.UTF-8", 1);
	assert_int_equal(cells_bytes(&cells, "aé写b", 7, 0), 0);
	assert_int_equal(cells_bytes(&cells, "aé写b", 7, 2), 3);
	assert_int_equal(cells_bytes(&cells, "aé写b", 7, 3), 3);
	assert_int_equal(cells_bytes(&cells, "aé写b", 7, 4), 6);
	assert_int_equal(cells_bytes(&cells, "aé写b", 7, 9), 7);
	cells_fini(&cells);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(text_that_fits_stays_as_it_is),
	    cmocka_unit_test(text_that_does_not_fit_ends_in_dots),
	    cmocka_unit_test(wide_characters_take_two_cells_and_are_never_cut),
	    cmocka_unit_test(combining_marks_take_no_cell),
	    cmocka_unit_test(control_bytes_and_broken_characters_are_made_visible),
	    cmocka_unit_test(what_the_locale_does_not_know_is_made_visible),
	    cmocka_unit_test(locale_of_the_process_stays),
	    cmocka_unit_test(bytes_of_a_text_are_counted_in_whole_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

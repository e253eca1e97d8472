/* Columns of a page: short, safe in a script element, and never above their budget. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "report/column.h"

static void
assert_json(const int64_t *numbers, size_t count, const char *expected)
{
	struct column column = {0};
	struct buf json = {0};
	for (size_t i = 0; i < count; i++)
		assert_int_equal(column_add(&column, numbers[i]), 0);
	assert_int_equal(column_append(&column, &json), 0);
	assert_string_equal(buf_str(&json), expected);
	buf_fini(&json);
	column_fini(&column);
}

static void
numbers_that_are_all_the_same_are_one(void **state)
{
	(void)state;
	assert_json((int64_t[]){7, 7, 7}, 3, "7");
	assert_json((int64_t[]){-1}, 1, "-1");
	assert_json((int64_t[]){1, -2, 1}, 3, "[1,-2,1]");
	assert_json(NULL, 0, "[]");
}

static void
texts_begin_with_what_they_share_with_the_last(void **state)
{
	struct text_column column = {.budget_bytes = 1000, .left = 4, .most_columns = 100};
	(void)state;
	assert_int_equal(text_column_add(&column, "img/0001.jpg", 12), 0);
	assert_int_equal(text_column_add(&column, "img/0002.jpg", 12), 0);
	assert_int_equal(text_column_add(&column, "", 0), 0);
	assert_int_equal(text_column_add(&column, "a\nb", 3), 0);
	assert_string_equal(buf_str(&column.text), "0img/0001.jpg\n72.jpg\n0\n0a\\nb");
	text_column_fini(&column);
}

static void
characters_are_never_cut_by_what_is_shared(void **state)
{
	struct text_column column = {.budget_bytes = 1000, .left = 2, .most_columns = 100};
	(void)state;
	assert_int_equal(text_column_add(&column, "a\u00e9", 3), 0);
	assert_int_equal(text_column_add(&column, "a\u00e8", 3), 0);
	assert_string_equal(buf_str(&column.text), "0a\u00e9\n1\u00e8");
	text_column_fini(&column);
}

static void
texts_keep_to_their_budget_all_together(void **state)
{
	struct text_column column = {
	    .budget_bytes = 20000, .left = 1000, .most_columns = 300};
	char text[400];
	(void)state;
	for (unsigned int i = 0; i < 1000; i++) {
		/* Nothing is shared. */
		memset(text, 'a' + (int)(i % 26), sizeof(text));
		assert_int_equal(text_column_add(&column, text, sizeof(text)), 0);
	}
	/* Each has its letter, its newline and three dots at least. */
	assert_in_range(column.text.length, 10000, 20000 + 1000 * 5);
	text_column_fini(&column);
}

static void
a_string_cannot_end_the_script_it_is_in(void **state)
{
	static const char text[] = "</script><!-- \"\\\n";
	struct buf json = {0};
	(void)state;
	assert_int_equal(column_append_string(&json, text, sizeof(text) - 1), 0);
	assert_string_equal(buf_str(&json), "\"\\u003c/script>\\u003c!-- \\\"\\\\\\n\"");
	buf_fini(&json);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_that_are_all_the_same_are_one),
	    cmocka_unit_test(texts_begin_with_what_they_share_with_the_last),
	    cmocka_unit_test(characters_are_never_cut_by_what_is_shared),
	    cmocka_unit_test(texts_keep_to_their_budget_all_together),
	    cmocka_unit_test(a_string_cannot_end_the_script_it_is_in),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

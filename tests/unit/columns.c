/* One item into columns, as perl's split and GNU parallel's --trim do it. */
#include "inputs.h"

#include "input/columns.h"

/* The columns of an item, each in < >. */
static void
assert_columns_of(const struct spec *spec, const char *item, size_t length,
		  const char *expected)
{
	struct columns columns;
	struct err err = {0};
	struct row row = {0};
	struct buf text = {0};
	assert_int_equal(columns_init(&columns, spec, &err), 0);
	assert_int_equal(columns_split(&columns, &(struct arg){item, length}, &row), 0);
	for (size_t i = 0; i < row.count; i++) {
		assert_int_equal(buf_append_char(&text, '<'), 0);
		assert_int_equal(buf_append(&text, row.args[i].bytes, row.args[i].length),
				 0);
		assert_int_equal(buf_append_char(&text, '>'), 0);
	}
	assert_string_equal(buf_str(&text), expected);
	buf_fini(&text);
	row_fini(&row);
	columns_fini(&columns);
}

static void
assert_split(const char *colsep, const char *item, const char *expected)
{
	struct spec spec;
	spec_init(&spec, SPEC_MAP);
	spec.colsep = colsep;
	assert_columns_of(&spec, item, strlen(item), expected);
	spec_fini(&spec);
}

static void
assert_trimmed(enum spec_trim trim, const char *colsep, const char *item,
	       const char *expected)
{
	struct spec spec;
	spec_init(&spec, SPEC_MAP);
	spec.colsep = colsep;
	spec.trim = trim;
	assert_columns_of(&spec, item, strlen(item), expected);
	spec_fini(&spec);
}

static void
without_separator_the_item_is_one_column(void **state)
{
	(void)state;
	assert_split(NULL, "a b,c\td", "<a b,c\td>");
	assert_split(NULL, "", "<>");
}

static void
a_single_byte_separates(void **state)
{
	(void)state;
	assert_split(",", "a,b", "<a><b>");
	assert_split(",", "ab", "<ab>");
	assert_split(" ", "a  b", "<a><><b>");
	assert_split("\t", "a\tb c", "<a><b c>");
}

static void
empty_columns_count_at_both_ends(void **state)
{
	(void)state;
	assert_split(",", ",a,,b,", "<><a><><b><>");
	assert_split(",", "", "<>");
	assert_split("[,]", ",a,,b,", "<><a><><b><>");
	assert_split("[,]", "", "<>");
}

static void
escaped_bytes_are_themselves(void **state)
{
	(void)state;
	assert_split("\\|", "a|b", "<a><b>");
	assert_split("\\.", "a.b", "<a><b>");
	assert_split("\\\\", "a\\b", "<a><b>");
	assert_split("\\t", "a\tb", "<a><b>");
	assert_split("\\n", "a\nb", "<a><b>");
	struct spec spec;
	spec_init(&spec, SPEC_MAP);
	spec.colsep = "\\0";
	assert_columns_of(&spec, "a\0b", 3, "<a><b>");
	spec_fini(&spec);
}

static void
a_regular_expression_separates(void **state)
{
	(void)state;
	assert_split("\\s+", "a \t b", "<a><b>");
	assert_split("\\s+", " a b ", "<><a><b><>");
	assert_split("\\d+", "a12b3c", "<a><b><c>");
	assert_split("[,;]", "a,b;c", "<a><b><c>");
	assert_split("[\\s,]+", "a , b", "<a><b>");
	assert_split("ab|cd", "1ab2cd3", "<1><2><3>");
	assert_split(", ?", "a, b,c", "<a><b><c>");
}

static void
an_anchor_holds_only_at_the_start_of_the_item(void **state)
{
	(void)state;
	assert_split("^a", "aab", "<><ab>");
	assert_split("b$", "bab", "<ba><>");
}

static void
a_separator_that_matches_nothing_separates_every_byte(void **state)
{
	(void)state;
	assert_split("", "abc", "<a><b><c><>");
	assert_split("b*", "abbc", "<a><c><>");
	assert_split("|", "x|y", "<x><|><y><>");
}

static void
columns_may_hold_nul_bytes(void **state)
{
	(void)state;
	struct spec spec;
	struct columns columns;
	struct row row = {0};
	spec_init(&spec, SPEC_MAP);
	static const char *const separators[] = {",", "[,]"};
	for (size_t i = 0; i < 2; i++) {
		spec.colsep = separators[i];
		assert_int_equal(columns_init(&columns, &spec, NULL), 0);
		row_clear(&row);
		assert_int_equal(columns_split(&columns, &(struct arg){"a\0b,c", 5}, &row),
				 0);
		assert_int_equal(row.count, 2);
		assert_int_equal(row.args[0].length, 3);
		assert_memory_equal(row.args[0].bytes, "a\0b", 3);
		columns_fini(&columns);
	}
	row_fini(&row);
	spec_fini(&spec);
}

static void
trim_takes_white_space_off_each_column(void **state)
{
	(void)state;
	assert_trimmed(SPEC_TRIM_NONE, NULL, " a , b ", "< a , b >");
	assert_trimmed(SPEC_TRIM_LEFT, NULL, " a , b ", "<a , b >");
	assert_trimmed(SPEC_TRIM_RIGHT, NULL, " a , b ", "< a , b>");
	assert_trimmed(SPEC_TRIM_BOTH, NULL, "\t\v\f\r a , b \r", "<a , b>");
	assert_trimmed(SPEC_TRIM_BOTH, ",", " a , b ", "<a><b>");
	assert_trimmed(SPEC_TRIM_LEFT, "[,]", " a , b ", "<a ><b >");
	assert_trimmed(SPEC_TRIM_BOTH, NULL, "  ", "<>");
}

static void
a_header_splits_at_tabs_unless_told_otherwise(void **state)
{
	(void)state;
	struct spec spec;
	spec_init(&spec, SPEC_MAP);
	spec.has_header = true;
	assert_columns_of(&spec, "a\tb c", 5, "<a><b c>");
	spec.colsep = " ";
	assert_columns_of(&spec, "a\tb c", 5, "<a\tb><c>");
	spec_fini(&spec);
}

static void
a_bad_expression_is_refused_by_name(void **state)
{
	(void)state;
	static const char *const bad[] = {"(a", "[a", "a+?", "(?=b)"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct spec spec;
		struct columns columns;
		struct err err = {0};
		spec_init(&spec, SPEC_MAP);
		spec.colsep = bad[i];
		assert_int_equal(columns_init(&columns, &spec, &err), -1);
		assert_int_equal(err.kind, ERR_USAGE);
		assert_non_null(strstr(err.text, bad[i]));
		assert_non_null(strstr(err.text, "--colsep"));
		columns_fini(&columns);
		spec_fini(&spec);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(without_separator_the_item_is_one_column),
	    cmocka_unit_test(a_single_byte_separates),
	    cmocka_unit_test(empty_columns_count_at_both_ends),
	    cmocka_unit_test(escaped_bytes_are_themselves),
	    cmocka_unit_test(a_regular_expression_separates),
	    cmocka_unit_test(an_anchor_holds_only_at_the_start_of_the_item),
	    cmocka_unit_test(a_separator_that_matches_nothing_separates_every_byte),
	    cmocka_unit_test(columns_may_hold_nul_bytes),
	    cmocka_unit_test(trim_takes_white_space_off_each_column),
	    cmocka_unit_test(a_header_splits_at_tabs_unless_told_otherwise),
	    cmocka_unit_test(a_bad_expression_is_refused_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

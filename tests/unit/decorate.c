/* Tests of sink/decorate: tags and lines in pieces cut anywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sink/decorate.h"

static void
check_cut(const struct tag *tag, const char *text, size_t cut, const char *tagged)
{
	struct buf out = {0};
	bool is_mid_line = false;
	size_t length = strlen(text);
	assert_int_equal(decorate_tag(&out, tag, &is_mid_line, text, cut), cut);
	assert_int_equal(decorate_tag(&out, tag, &is_mid_line, text + cut, length - cut),
			 length - cut);
	assert_string_equal(buf_str(&out), tagged);
	buf_fini(&out);
}

static void
tag_stands_before_each_line_wherever_the_text_is_cut(void **state)
{
	(void)state;
	const char *text = "\nab\n\nc";
	struct tag *tag = tag_new("A:", 2);
	assert_non_null(tag);
	for (size_t cut = 0; cut <= strlen(text); cut++)
		check_cut(tag, text, cut, "A:\t\nA:\tab\nA:\t\nA:\tc");
	free(tag);
}

static void
empty_tag_is_a_tab(void **state)
{
	(void)state;
	struct tag *tag = tag_new(NULL, 0);
	assert_non_null(tag);
	check_cut(tag, "a\nb\n", 1, "\ta\n\tb\n");
	free(tag);
}

static void
long_tags_before_short_lines_come_in_bounded_pieces(void **state)
{
	(void)state;
	char newlines[1000], name[5000];
	struct buf out = {0};
	bool is_mid_line = false;
	size_t used = 0, total = 0;
	memset(newlines, '\n', sizeof(newlines));
	memset(name, 'n', sizeof(name));
	struct tag *tag = tag_new(name, sizeof(name));
	assert_non_null(tag);
	while (used < sizeof(newlines)) {
		buf_clear(&out);
		ssize_t now = decorate_tag(&out, tag, &is_mid_line, newlines + used,
					   sizeof(newlines) - used);
		assert_true(now > 0);
		assert_true(out.length <= DECORATE_BYTES + sizeof(name) + 2);
		used += (size_t)now;
		total += out.length;
	}
	assert_int_equal(total, sizeof(newlines) * (sizeof(name) + 2));
	free(tag);
	buf_fini(&out);
}

static void
tag_longer_than_a_piece_still_makes_progress(void **state)
{
	(void)state;
	struct buf out = {0};
	bool is_mid_line = false;
	char *name = calloc(1, DECORATE_BYTES * 2);
	assert_non_null(name);
	struct tag *tag = tag_new(name, DECORATE_BYTES * 2);
	assert_non_null(tag);
	assert_int_equal(decorate_tag(&out, tag, &is_mid_line, "\n\n", 2), 1);
	buf_fini(&out);
	free(tag);
	free(name);
}

static void
whole_lines_end_at_the_last_newline(void **state)
{
	(void)state;
	assert_int_equal(decorate_whole_lines("", 0), 0);
	assert_int_equal(decorate_whole_lines("abc", 3), 0);
	assert_int_equal(decorate_whole_lines("a\nb\nc", 5), 4);
	assert_int_equal(decorate_whole_lines("a\n", 2), 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tag_stands_before_each_line_wherever_the_text_is_cut),
	    cmocka_unit_test(empty_tag_is_a_tab),
	    cmocka_unit_test(long_tags_before_short_lines_come_in_bounded_pieces),
	    cmocka_unit_test(tag_longer_than_a_piece_still_makes_progress),
	    cmocka_unit_test(whole_lines_end_at_the_last_newline),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

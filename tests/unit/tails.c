/* The last that tasks have printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sink/tails.h"

static void
add(struct tails *tails, uint64_t seq, enum result_stream stream, const char *text)
{
	assert_int_equal(tails_add(tails, seq, stream, text, strlen(text)), 0);
}

static void
assert_taken(struct tails *tails, uint64_t seq, const char *expected)
{
	struct buf text = {0};
	tails_take(tails, seq, &text);
	assert_int_equal(text.length, strlen(expected));
	assert_memory_equal(text.bytes == NULL ? "" : text.bytes, expected, text.length);
	buf_fini(&text);
}

static void
stderr_comes_before_stdout(void **state)
{
	struct tails tails = {0};
	(void)state;
	add(&tails, 1, RESULT_STDOUT, "out\n");
	add(&tails, 2, RESULT_STDOUT, "only ");
	add(&tails, 1, RESULT_STDERR, "err\n");
	add(&tails, 2, RESULT_STDOUT, "this\n");
	assert_taken(&tails, 1, "err\n");
	assert_taken(&tails, 2, "only this\n");
	assert_taken(&tails, 1, "");
	assert_taken(&tails, 3, "");
	tails_fini(&tails);
}

static void
dropped_is_forgotten_and_the_rest_ends_with_the_tails(void **state)
{
	struct tails tails = {0};
	(void)state;
	add(&tails, 1, RESULT_STDERR, "first attempt\n");
	tails_drop(&tails, 1);
	tails_drop(&tails, 1);
	add(&tails, 1, RESULT_STDERR, "second\n");
	assert_taken(&tails, 1, "second\n");
	add(&tails, 7, RESULT_STDERR, "runs yet\n");
	tails_fini(&tails);
}

static void
only_the_last_bytes_are_kept(void **state)
{
	struct tails tails = {0};
	struct buf text = {0};
	char many[3 * TAILS_BYTES];
	(void)state;
	memset(many, 'a', sizeof(many));
	assert_int_equal(tails_add(&tails, 0, RESULT_STDERR, many, sizeof(many)), 0);
	add(&tails, 0, RESULT_STDERR, "the end");
	tails_take(&tails, 0, &text);
	assert_int_equal(text.length, TAILS_BYTES);
	assert_memory_equal(text.bytes + text.length - 8, "athe end", 8);
	buf_fini(&text);
	tails_fini(&tails);
}

static void
last_lines_are_counted_from_the_end_without_blank_ones(void **state)
{
	static const struct {
		const char *text;
		size_t count;
		const char *lines;
	} cases[] = {
	    {"a\nb\nc\n", 2, "b\nc\n"},
	    {"a\nb\nc", 2, "b\nc"},
	    {"a\nb\n", 9, "a\nb\n"},
	    {"a\nb\n \n\n", 1, "b\n \n\n"},
	    {"", 3, ""},
	    {"\n\n", 3, "\n\n"},
	    {"one", 1, "one"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct buf text = {0};
		assert_int_equal(buf_append_str(&text, cases[i].text), 0);
		assert_non_null(buf_str(&text));
		size_t at = tails_last_lines(&text, cases[i].count);
		assert_string_equal(text.bytes + at, cases[i].lines);
		buf_fini(&text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(stderr_comes_before_stdout),
	    cmocka_unit_test(dropped_is_forgotten_and_the_rest_ends_with_the_tails),
	    cmocka_unit_test(only_the_last_bytes_are_kept),
	    cmocka_unit_test(last_lines_are_counted_from_the_end_without_blank_ones),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

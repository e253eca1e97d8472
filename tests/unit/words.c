/* Lists of words in a column: JSON where it can be, and the same words back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "record/words.h"

/* What is in the column, as text or blob, and that it is read back. */
static void
expect(const struct arg *words, size_t count, const char *column, size_t length,
       bool is_text)
{
	struct buf written = {0}, packed = {0};
	struct arg *args = NULL;
	size_t capacity = 0, read_count;
	bool is_written_text;
	assert_int_equal(words_append(&written, words, count, &is_written_text), 0);
	assert_int_equal(is_written_text, is_text);
	assert_int_equal(written.length, length);
	assert_memory_equal(written.length == 0 ? "" : written.bytes, column, length);
	assert_int_equal(
	    words_read(&packed, &read_count, written.bytes, written.length, is_text), 0);
	assert_int_equal(read_count, count);
	assert_int_equal(
	    task_unpack(packed.bytes, packed.length, (uint32_t)count, &args, &capacity), 0);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(args[i].length, words[i].length);
		assert_memory_equal(args[i].bytes, words[i].bytes, words[i].length);
	}
	free(args);
	buf_fini(&written);
	buf_fini(&packed);
}

static void
words_become_json(void **state)
{
	(void)state;
	const struct arg words[] = {{"a b", 3}, {"", 0}, {"\xc3\xa4", 2}};
	static const char json[] = "[\"a b\",\"\",\"\xc3\xa4\"]";
	expect(words, 3, json, strlen(json), true);
	expect(words, 0, "[]", 2, true);
}

static void
what_json_cannot_say_is_escaped(void **state)
{
	(void)state;
	const struct arg words[] = {{"\"\\\n\x1b\x7f\0,", 7}};
	static const char json[] = "[\"\\\"\\\\\\n\\u001b\x7f\\u0000,\"]";
	expect(words, 1, json, strlen(json), true);
}

static void
one_word_of_other_bytes_makes_a_blob(void **state)
{
	(void)state;
	const struct arg words[] = {{"a", 1}, {"\xff\0", 2}};
	static const char blob[] = "\1\0\0\0a\2\0\0\0\xff\0";
	expect(words, 2, blob, sizeof(blob) - 1, false);
}

static void
pairs_become_an_object(void **state)
{
	(void)state;
	const struct arg pairs[] = {{"a", 1}, {"\"", 1}, {"", 0}, {"d", 1}};
	static const char json[] = "{\"a\":\"\\\"\",\"\":\"d\"}";
	struct buf column = {0}, packed = {0};
	size_t count;
	bool is_text;
	assert_int_equal(words_append_pairs(&column, pairs, 4, &is_text), 0);
	assert_true(is_text);
	assert_string_equal(buf_str(&column), json);
	assert_int_equal(words_read(&packed, &count, column.bytes, column.length, true), 0);
	assert_int_equal(count, 4);
	buf_fini(&packed);
	buf_fini(&column);
}

static void
what_is_no_list_is_refused(void **state)
{
	(void)state;
	static const char *const texts[] = {"",
					    "[",
					    "]",
					    "x",
					    "[x]",
					    "[\"a]",
					    "[\"a\" \"b\"]",
					    "[\"\\x\"]",
					    "[\"\\u00ff\"]",
					    "[\"\\u00\"]",
					    "[\"a\",]",
					    "[\"\\\"]",
					    "[\"\\",
					    "{\"a\"}",
					    "{\"a\",\"b\"}",
					    "[\"a\":\"b\"]",
					    "{\"a\":\"b\"]",
					    "[\"\\u00zz\"]"};
	struct buf packed = {0};
	size_t count;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_int_equal(
		    words_read(&packed, &count, texts[i], strlen(texts[i]), true), -1);
	assert_int_equal(words_read(&packed, &count, "\1\0", 2, false), -1);
	assert_int_equal(words_read(&packed, &count, "\5\0\0\0abc", 7, false), -1);
	buf_fini(&packed);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(words_become_json),
	    cmocka_unit_test(what_json_cannot_say_is_escaped),
	    cmocka_unit_test(one_word_of_other_bytes_makes_a_blob),
	    cmocka_unit_test(pairs_become_an_object),
	    cmocka_unit_test(what_is_no_list_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

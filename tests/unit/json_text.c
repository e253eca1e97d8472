/* Bytes as JSON strings, checked and written in pieces cut anywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "base/json_text.h"

struct sample {
	const char *bytes;
	size_t length;
	bool is_utf8;
};

#define SAMPLE(text, is_utf8)                   \
	{                                       \
		text, sizeof(text) - 1, is_utf8 \
	}

static const struct sample samples[] = {
    SAMPLE("", true),
    SAMPLE("plain", true),
    SAMPLE("a\0b", true),
    SAMPLE("gr\xc3\xbc\xc3\x9f", true),
    SAMPLE("\xe2\x82\xac\xf0\x9f\x98\x80!", true),
    SAMPLE("\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf", true),
    SAMPLE("\xff", false),
    SAMPLE("abc\xc3", false),
    SAMPLE("\xc3(", false),
    SAMPLE("\xc0\x80", false),
    SAMPLE("\xe0\x9f\xbf", false),
    SAMPLE("\xed\xa0\x80", false),
    SAMPLE("\xf0\x8f\xbf\xbf", false),
    SAMPLE("\xf4\x90\x80\x80", false),
    SAMPLE("\xf5\x80\x80\x80", false),
    SAMPLE("ok\xe2\x82 and more", false),
    SAMPLE("\x80 then text", false),
};
static const size_t sample_count = sizeof(samples) / sizeof(*samples);

static void
utf8_is_told_from_other_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sample_count; i++)
		assert_int_equal(json_text_is_utf8(samples[i].bytes, samples[i].length),
				 samples[i].is_utf8);
}

static void
the_check_says_the_same_wherever_the_pieces_are_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < sample_count; i++)
		for (size_t cut = 0; cut <= samples[i].length; cut++)
			for (size_t next = cut; next <= samples[i].length; next++) {
				struct json_text_check check = {0};
				const char *bytes = samples[i].bytes;
				json_text_check(&check, bytes, cut);
				json_text_check(&check, bytes + cut, next - cut);
				json_text_check(&check, bytes + next,
						samples[i].length - next);
				assert_int_equal(json_text_was_utf8(&check),
						 samples[i].is_utf8);
			}
}

static void
a_character_cut_at_the_end_is_told(void **state)
{
	static const char text[] = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80";
	static const size_t cuts[] = {0, 0, 1, 0, 1, 2, 0, 1, 2, 3, 0};
	(void)state;
	for (size_t length = 0; length < sizeof(text); length++)
		assert_int_equal(json_text_cut_length(text, length), cuts[length]);
	assert_int_equal(json_text_cut_length("\x80\x80\x80\x80", 4), 0);
	assert_int_equal(json_text_cut_length("\xc3\xa4\xa4", 3), 0);
}

/* Eight bytes are looked at at once. */
static void
a_bad_byte_is_seen_wherever_it_is(void **state)
{
	char bytes[40];
	(void)state;
	for (size_t length = 1; length <= sizeof(bytes); length++)
		for (size_t at = 0; at < length; at++) {
			memset(bytes, 'x', sizeof(bytes));
			assert_true(json_text_is_utf8(bytes, length));
			bytes[at] = (char)0xff;
			assert_false(json_text_is_utf8(bytes, length));
		}
}

static void
strings_are_what_a_json_reader_reads_back(void **state)
{
	(void)state;
	struct buf text = {0};
	char bytes[256];
	size_t length = 0;
	for (int c = 1; c < 128; c++)
		bytes[length++] = (char)c;
	memcpy(bytes + length, "\xc3\xa4\xf0\x9f\x98\x80", 7);
	assert_int_equal(json_text_append(&text, bytes, strlen(bytes)), 0);
	cJSON *json = cJSON_ParseWithLength(text.bytes, text.length);
	assert_non_null(json);
	assert_string_equal(cJSON_GetStringValue(json), bytes);
	cJSON_Delete(json);
	buf_fini(&text);
}

static void
nul_is_written_out(void **state)
{
	(void)state;
	struct buf text = {0};
	assert_int_equal(json_text_append(&text, "a\0b", 3), 0);
	assert_string_equal(buf_str(&text), "\"a\\u0000b\"");
	buf_fini(&text);
}

static void
base64_is_that_of_the_rfc_wherever_the_pieces_are_cut(void **state)
{
	static const char *const pairs[][2] = {
	    {"", ""},
	    {"f", "Zg=="},
	    {"fo", "Zm8="},
	    {"foo", "Zm9v"},
	    {"foob", "Zm9vYg=="},
	    {"fooba", "Zm9vYmE="},
	    {"foobar", "Zm9vYmFy"},
	    {"\xff\xfe\xfd\x01", "//79AQ=="},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		for (size_t cut = 0; cut <= strlen(pairs[i][0]); cut++) {
			struct json_base64 base64 = {{0}, 0};
			struct buf text = {0};
			const char *rest = pairs[i][0] + cut;
			assert_int_equal(
			    json_base64_append(&base64, &text, pairs[i][0], cut), 0);
			assert_int_equal(
			    json_base64_append(&base64, &text, rest, strlen(rest)), 0);
			assert_int_equal(json_base64_end(&base64, &text), 0);
			assert_string_equal(buf_str(&text), pairs[i][1]);
			buf_fini(&text);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(utf8_is_told_from_other_bytes),
	    cmocka_unit_test(the_check_says_the_same_wherever_the_pieces_are_cut),
	    cmocka_unit_test(a_character_cut_at_the_end_is_told),
	    cmocka_unit_test(a_bad_byte_is_seen_wherever_it_is),
	    cmocka_unit_test(strings_are_what_a_json_reader_reads_back),
	    cmocka_unit_test(nul_is_written_out),
	    cmocka_unit_test(base64_is_that_of_the_rfc_wherever_the_pieces_are_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Strict JSON: what is taken, and where an error is said to be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "input/json_read.h"

static struct json_value *
read_bytes(struct json *json, struct json_source *source, const char *bytes,
	   size_t length, struct err *err)
{
	*source = (struct json_source){
	    .name = "f", .bytes = bytes, .length = length, .first_line = 1};
	return json_read(json, source, err);
}

/* The text is refused with exactly these words. */
static void
refuse(const char *text, const char *expected)
{
	struct json json = {0};
	struct json_source source;
	struct err err = {0};
	assert_null(read_bytes(&json, &source, text, strlen(text), &err));
	assert_int_equal(err.kind, ERR_USAGE);
	assert_string_equal(err.text, expected);
	json_fini(&json);
}

static void
assert_text(const char *text, const char *expected)
{
	struct json json = {0};
	struct json_source source;
	struct err err = {0};
	struct json_value *root = read_bytes(&json, &source, text, strlen(text), &err);
	assert_string_equal(err.text, "");
	assert_non_null(root);
	assert_string_equal(root->text, expected);
	assert_int_equal(root->length, strlen(expected));
	json_fini(&json);
}

static void
a_tree_has_kinds_keys_and_the_text_of_numbers(void **state)
{
	(void)state;
	static const char text[] =
	    "{\"a\": [1, -2.50e3, true, false, null], \"b\": {\"c\": \"d\"}}";
	struct json json = {0};
	struct json_source source;
	struct json_value *root = read_bytes(&json, &source, text, sizeof(text) - 1, NULL);
	assert_non_null(root);
	assert_int_equal(json_count(root), 2);
	struct json_value *a = json_member(root, "a");
	assert_int_equal(json_count(a), 5);
	assert_string_equal(a->first->text, "1");
	assert_string_equal(a->first->next->text, "-2.50e3");
	assert_int_equal(a->first->next->next->kind, JSON_TRUE);
	struct json_value *c = json_member(json_member(root, "b"), "c");
	assert_string_equal(c->text, "d");
	assert_null(json_member(root, "c"));
	struct buf path = {0};
	assert_int_equal(json_path(a->first->next, &path), 0);
	assert_string_equal(buf_str(&path), "a[1]");
	buf_fini(&path);
	json_fini(&json);
}

static void
strings_are_read_with_all_escapes(void **state)
{
	(void)state;
	assert_text("\"\"", "");
	assert_text("\"a\\\"\\\\\\/\\b\\f\\n\\r\\tz\"", "a\"\\/\b\f\n\r\tz");
	assert_text("\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\"",
		    "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
	assert_text("\"\xff\xfe\"", "\xff\xfe");
	assert_text("\xef\xbb\xbf \"x\"\n", "x");
}

static void
errors_name_line_column_and_path(void **state)
{
	(void)state;
	refuse("{\n  \"a\": {\"b\": [1, x]}\n}",
	       "f:2:18: a.b[1]: expected a value, but here is x");
	refuse("{\"a\" 1}", "f:1:6: a: expected a colon, but here is 1");
	refuse("{a: 1}", "f:1:2: expected a key in double quotes, but here is a");
	refuse("[1 2]", "f:1:4: expected a comma or ], but here is 2");
	refuse("", "f:1:1: expected a value, but here is the end");
	refuse("{\"a\": 1", "f:1:8: expected a comma or }, but here is the end");
	refuse("1 2", "f:1:3: expected nothing more, but here is 2");
	refuse("[nan]", "f:1:2: [0]: expected a value, but here is nan");
	refuse("\"abc", "f:1:1: the string that begins here has no end");
	refuse("[\x01]", "f:1:2: [0]: expected a value, but here is the byte 0x01");
}

static void
what_json_does_not_have_is_named(void **state)
{
	(void)state;
	refuse("[1,\n]", "f:1:3: a comma behind the last one: take it out");
	refuse("{\"a\": 1,}", "f:1:8: a comma behind the last one: take it out");
	refuse(
	    "// x\n1",
	    "f:1:1: JSON has no comments: take it out, or write it into \"description\"");
	refuse(
	    "{\"a\": 1 /* x */}",
	    "f:1:9: JSON has no comments: take it out, or write it into \"description\"");
	refuse("{'a': 1}", "f:1:2: expected a key in double quotes, but here is a single "
			   "quote: JSON has double ones");
	refuse("\"a\nb\"",
	       "f:1:3: a string goes over no line end, and control characters in it "
	       "are written \\n, \\t, \\u001b");
	refuse("\"\\x41\"", "f:1:2: unknown escape: a backslash is written \\\\");
	refuse("\"\\u12g4\"", "f:1:2: expected four hexadecimal digits behind \\u");
	refuse("[01]", "f:1:2: [0]: a number does not begin with 0");
	refuse("[1.]", "f:1:4: [0]: expected a digit, but here is ]");
	refuse("[+1]", "f:1:2: [0]: expected a value, but here is +");
	refuse("[.5]", "f:1:2: [0]: expected a value, but here is .");
}

static void
what_cannot_be_kept_is_refused(void **state)
{
	(void)state;
	refuse("[\"a\\u0000b\"]",
	       "f:1:4: [0]: \\u0000 is a NUL byte, which no argument, name or "
	       "line can hold");
	refuse("[\"\\ud800x\"]", "f:1:3: [0]: half of a surrogate pair is no character");
	refuse("[\"\\ude00\"]", "f:1:3: [0]: half of a surrogate pair is no character");
	refuse("{\"n\": 1e999}", "f:1:7: n: a number so large cannot be had");
	refuse("{\"a\": 1,\n \"b\": 2, \"a\": 3}", "f:2:10: a: this key is here twice");
	refuse("{\"a\": 1, \"\\u0061\": 3}", "f:1:10: a: this key is here twice");
}

static void
a_key_that_repeats_among_many_is_found(void **state)
{
	(void)state;
	struct buf text = {0};
	assert_int_equal(buf_append_str(&text, "{"), 0);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(buf_printf(&text, "\"k%d\": 1,\n", i), 0);
	assert_int_equal(buf_append_str(&text, "\"k77\": 2}"), 0);
	refuse(buf_str(&text), "f:100001:1: k77: this key is here twice");
	buf_fini(&text);
}

static void
nesting_has_a_bound(void **state)
{
	(void)state;
	char text[2 * 1000 + 1] = "";
	struct json json = {0};
	struct json_source source;
	struct err err = {0};
	memset(text, '[', 1000);
	memset(text + 1000, ']', 1000);
	assert_null(read_bytes(&json, &source, text, 2000, &err));
	assert_non_null(strstr(err.text, "nested too deeply: 64 levels are the most"));
	assert_non_null(read_bytes(&json, &source, text + 1000 - JSON_DEPTH_MAX,
				   2 * JSON_DEPTH_MAX, &err));
	json_fini(&json);
}

static void
a_string_of_100_megabytes_is_read(void **state)
{
	(void)state;
	size_t length = 100 * 1000 * 1000;
	char *text = malloc(length + 2);
	struct json json = {0};
	struct json_source source;
	assert_non_null(text);
	memset(text, 'a', length + 2);
	text[0] = text[length + 1] = '"';
	struct json_value *root = read_bytes(&json, &source, text, length + 2, NULL);
	assert_non_null(root);
	assert_int_equal(root->length, length);
	json_fini(&json);
	free(text);
}

/* Every beginning of a text, and the text with each byte changed, is read or refused. */
static void
damaged_text_is_an_error_and_nothing_worse(void **state)
{
	(void)state;
	static const char text[] =
	    "{\"a\": [1, -2.5e3, true, null], \"b\\ud83d\\ude00\": {\"c\": \"\\u0041\"}}";
	struct json json = {0};
	struct json_source source;
	for (size_t length = 0; length < sizeof(text) - 1; length++) {
		char *copy = malloc(length + 1);
		assert_non_null(copy);
		memcpy(copy, text, length);
		assert_null(read_bytes(&json, &source, copy, length, NULL));
		json_fini(&json);
		free(copy);
	}
	for (size_t at = 0; at < sizeof(text) - 1; at++) {
		char copy[sizeof(text)];
		for (int byte = 0; byte < 256; byte++) {
			struct err err = {0};
			memcpy(copy, text, sizeof(text));
			copy[at] = (char)byte;
			struct json_value *root =
			    read_bytes(&json, &source, copy, sizeof(text) - 1, &err);
			assert_true((root == NULL) == (err.kind == ERR_USAGE));
			json_fini(&json);
		}
	}
}

static void
a_tree_can_be_changed(void **state)
{
	(void)state;
	static const char text[] = "{\"a\": 1, \"b\": 2, \"c\": 3}";
	struct json json = {0};
	struct json_source source;
	struct json_source word = {.name = "--set", .bytes = "[7]", .length = 3};
	struct json_value *root = read_bytes(&json, &source, text, sizeof(text) - 1, NULL);
	struct json_value *list = json_read(&json, &word, NULL);
	json_remove(json_member(root, "b"));
	json_replace(json_member(root, "a"), list);
	struct json_value *added = json_add(&json, root, "d", &word);
	assert_non_null(added);
	assert_int_equal(json_set_text(&json, added, "xyz", 2), 0);
	assert_string_equal(added->text, "xy");
	assert_null(json_member(root, "b"));
	assert_int_equal(json_count(root), 3);
	struct err err = {0};
	json_refuse(json_member(root, "a")->first, &err, "no");
	assert_string_equal(err.text, "--set: a[0]: no");
	json_fini(&json);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_tree_has_kinds_keys_and_the_text_of_numbers),
	    cmocka_unit_test(strings_are_read_with_all_escapes),
	    cmocka_unit_test(errors_name_line_column_and_path),
	    cmocka_unit_test(what_json_does_not_have_is_named),
	    cmocka_unit_test(what_cannot_be_kept_is_refused),
	    cmocka_unit_test(a_key_that_repeats_among_many_is_found),
	    cmocka_unit_test(nesting_has_a_bound),
	    cmocka_unit_test(a_string_of_100_megabytes_is_read),
	    cmocka_unit_test(damaged_text_is_an_error_and_nothing_worse),
	    cmocka_unit_test(a_tree_can_be_changed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

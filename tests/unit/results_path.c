/* Names of files for values that are not made for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "record/results_path.h"

#define NAME_MOST 255

/* A value with its length, as NUL bytes may be in it. */
#define ARG(text)                      \
	{                              \
		text, sizeof(text) - 1 \
	}

struct fixture {
	struct spec spec;
	struct arg names[4];
	size_t name_count;
	size_t column_count;
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	if (f == NULL)
		return -1;
	spec_init(&f->spec, SPEC_MAP);
	f->spec.results = "out";
	f->column_count = 1;
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	spec_fini(&f->spec);
	free(f);
	return 0;
}

static void
append_names(struct buf *text, const struct buf *names, char end)
{
	for (size_t at = 0; at < names->length; at += strlen(names->bytes + at) + 1)
		assert_int_equal(buf_printf(text, "%s%c", names->bytes + at, end), 0);
}

/* "folder/folder/|stdout stderr seq " into text. */
static void
find(struct fixture *f, const struct arg *args, size_t arg_count, size_t name_max,
     struct buf *text)
{
	struct err err = {0};
	struct results_name name = {0};
	const struct template_values values = {
	    .seq = 6, .slot = 2, .args = args, .arg_count = arg_count};
	struct results_path *path =
	    results_path_new(&f->spec, f->names, f->name_count, f->column_count, &err);
	if (path == NULL)
		fail_msg("%s", err.text);
	assert_int_equal(results_path_find(path, &values, name_max, &name, &err), 0);
	append_names(text, &name.folders, '/');
	assert_int_equal(buf_append_char(text, '|'), 0);
	append_names(text, &name.files, ' ');
	assert_non_null(buf_str(text));
	results_name_fini(&name);
	results_path_free(path);
}

static void
assert_path(struct fixture *f, const struct arg *args, size_t arg_count,
	    const char *expected)
{
	struct buf text = {0};
	find(f, args, arg_count, NAME_MOST, &text);
	assert_string_equal(text.bytes, expected);
	buf_fini(&text);
}

static void
assert_folder(struct fixture *f, const char *expected)
{
	struct err err = {0};
	struct results_path *path =
	    results_path_new(&f->spec, f->names, f->name_count, f->column_count, &err);
	assert_non_null(path);
	assert_string_equal(results_path_folder(path), expected);
	results_path_free(path);
}

static void
each_value_is_one_name_behind_its_columns_number(void **state)
{
	static const struct {
		struct arg value;
		const char *expected;
	} rows[] = {
	    {ARG("a"), "1/a/|stdout stderr seq "},
	    {ARG("b c"), "1/b c/|stdout stderr seq "},
	    {ARG("d/e"), "1/d\\_e/|stdout stderr seq "},
	    {ARG("../../x"), "1/..\\_..\\_x/|stdout stderr seq "},
	    {ARG("/"), "1/\\_/|stdout stderr seq "},
	    {ARG("-rf"), "1/-rf/|stdout stderr seq "},
	    {ARG("a\\b"), "1/a\\\\b/|stdout stderr seq "},
	    {ARG("a\tb"), "1/a\\tb/|stdout stderr seq "},
	    {ARG("a\0b"), "1/a\\0b/|stdout stderr seq "},
	    {ARG("a\nb"), "1/a\nb/|stdout stderr seq "},
	    {ARG("\xff"), "1/\xff/|stdout stderr seq "},
	    {ARG(""), "1/|stdout stderr seq "},
	    {ARG("."), "1/\\./|stdout stderr seq "},
	    {ARG(".."), "1/\\../|stdout stderr seq "},
	    {ARG("..."), "1/.../|stdout stderr seq "},
	    {ARG(".a"), "1/.a/|stdout stderr seq "},
	    {ARG("a."), "1/a./|stdout stderr seq "},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_path(*state, &rows[i].value, 1, rows[i].expected);
}

static void
columns_come_in_the_order_of_their_names(void **state)
{
	struct fixture *f = *state;
	const struct arg values[] = {ARG("x"), ARG("y"), ARG("z")};
	f->column_count = 3;
	assert_path(f, values, 3, "1/x/2/y/3/z/|stdout stderr seq ");
	f->names[0] = (struct arg)ARG("10b");
	f->names[1] = (struct arg)ARG("zeta");
	f->names[2] = (struct arg)ARG("2a");
	f->name_count = 3;
	assert_path(f, values, 3, "zeta/y/2a/z/10b/x/|stdout stderr seq ");
	f->names[0] = (struct arg)ARG("a/b");
	f->names[1] = (struct arg)ARG("..");
	f->names[2] = (struct arg)ARG("");
	assert_path(f, values, 3, "3/z/\\../y/a/b/x/|stdout stderr seq ");
	f->names[0] = (struct arg)ARG("a//./");
	f->names[1] = (struct arg)ARG("/");
	f->names[2] = (struct arg)ARG("c");
	assert_path(f, values, 3, "y/a/x/c/z/|stdout stderr seq ");
	assert_path(f, values, 2, "y/a/x/|stdout stderr seq ");
	f->column_count = 0;
	assert_path(f, values, 2, "y/a/x/|stdout stderr seq ");
}

static void
several_inputs_have_their_columns_one_after_the_other(void **state)
{
	struct fixture *f = *state;
	const struct arg values[] = {ARG("a"), ARG("b"), ARG("c")};
	f->spec.group = SPEC_GROUP_COUNT;
	assert_path(f, values, 3, "1/a/1/b/1/c/|stdout stderr seq ");
	f->column_count = 2;
	assert_path(f, values, 3, "1/a/2/b/1/c/|stdout stderr seq ");
}

static void
a_task_without_values_has_its_number(void **state)
{
	assert_path(*state, NULL, 0, "#/7/|stdout stderr seq ");
}

static void
long_names_are_shortened_and_stay_apart(void **state)
{
	char longest[4097], other[4097];
	struct buf text = {0}, again = {0};
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	memcpy(other, longest, sizeof(other));
	other[4000] = 'y';
	const struct arg one = {longest, 4096}, two = {other, 4096}, fits = {longest, 255};
	find(*state, &one, 1, NAME_MOST, &text);
	assert_int_equal(strcspn(text.bytes + 2, "/"), NAME_MOST);
	assert_memory_equal(text.bytes + 2 + NAME_MOST - 18, "\\#", 2);
	find(*state, &two, 1, NAME_MOST, &again);
	assert_string_not_equal(text.bytes, again.bytes);
	buf_clear(&text);
	find(*state, &fits, 1, NAME_MOST, &text);
	assert_memory_equal(text.bytes + 2, longest, 255);
	buf_fini(&text);
	buf_fini(&again);
}

static void
no_character_is_cut_in_a_long_name(void **state)
{
	static const struct {
		struct arg value;
		const char *start;
	} rows[] = {
	    {ARG("12345678901/901234567890123456789"), "1/12345678901\\#"},
	    {ARG("1234567890\\123456789012345678901"), "1/1234567890\\\\\\#"},
	    {ARG("12345678901\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3"
		 "\xa4\xc3\xa4\xc3\xa4"),
	     "1/12345678901\\#"},
	    {ARG("123456789\xf0\x9f\x98\x80"
		 "12345678901234567890"),
	     "1/123456789\\#"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct buf text = {0};
		find(*state, &rows[i].value, 1, 18 + 12 - (i == 3), &text);
		text.bytes[strlen(rows[i].start)] = '\0';
		assert_string_equal(text.bytes, rows[i].start);
		buf_fini(&text);
	}
}

static void
a_template_names_files_below_what_it_begins_with(void **state)
{
	static const struct {
		const char *template;
		const char *folder;
		struct arg value;
		const char *expected;
	} rows[] = {
	    {"out/x_{}", "out/", ARG("a"), "|x_a x_a.err x_a.seq "},
	    {"out/x_{}", "out/", ARG("b/c"), "x_b/|c c.err c.seq "},
	    {"out/{}", "out/", ARG("../../etc"), "\\../\\../|etc etc.err etc.seq "},
	    {"out/{}", "out/", ARG("/etc/passwd"), "etc/|passwd passwd.err passwd.seq "},
	    {"out/{}", "out/", ARG("./a//b"), "a/|b b.err b.seq "},
	    {"out/{}", "out/", ARG(".."), "|\\.. \\...err \\...seq "},
	    {"out/{}", "out/", ARG("."), "|\\. \\..err \\..seq "},
	    {"out/{}", "out/", ARG("a/"), "a/|stdout stderr seq "},
	    {"out/{}", "out/", ARG("a\0b"), "|a_b a_b.err a_b.seq "},
	    {"out/{}/", "out/", ARG("a b"), "a b/|stdout stderr seq "},
	    {"out/{}/", "out/", ARG(".."), "\\../|stdout stderr seq "},
	    {"a/b/{/.}-{#}.{%}", "a/b/", ARG("x/y.jpg"), "|y-7.2 y-7.2.err y-7.2.seq "},
	    {"{}", ".", ARG("/a/b"), "a/|b b.err b.seq "},
	    {"/{}", "/", ARG("/a/b"), "a/|b b.err b.seq "},
	    {"my {}", ".", ARG("x"), "|my x my x.err my x.seq "},
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		f->spec.results = rows[i].template;
		assert_folder(f, rows[i].folder);
		assert_path(f, &rows[i].value, 1, rows[i].expected);
	}
}

static void
a_name_without_replacement_strings_is_a_folder(void **state)
{
	struct fixture *f = *state;
	f->spec.results = "out/{nothing}/";
	assert_folder(f, "out/{nothing}/");
	assert_path(f, &(const struct arg)ARG("x"), 1, "1/x/|stdout stderr seq ");
}

static void
a_long_file_name_leaves_room_for_its_ends(void **state)
{
	struct fixture *f = *state;
	struct buf text = {0};
	char longest[400];
	memset(longest, 'x', sizeof(longest));
	const struct arg value = {longest, sizeof(longest)};
	f->spec.results = "out/{}";
	find(f, &value, 1, NAME_MOST, &text);
	assert_int_equal(strcspn(text.bytes, " "), 1 + NAME_MOST - 4);
	assert_string_equal(text.bytes + text.length - 5, ".seq ");
	buf_fini(&text);
}

static void
perl_in_a_template_is_refused(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	f->spec.results = "out/{= s/a/b/ =}";
	assert_null(results_path_new(&f->spec, NULL, 0, 1, &err));
	assert_int_equal(err.kind, ERR_USAGE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(each_value_is_one_name_behind_its_columns_number),
	    TEST(columns_come_in_the_order_of_their_names),
	    TEST(several_inputs_have_their_columns_one_after_the_other),
	    TEST(a_task_without_values_has_its_number),
	    TEST(long_names_are_shortened_and_stay_apart),
	    TEST(no_character_is_cut_in_a_long_name),
	    TEST(a_template_names_files_below_what_it_begins_with),
	    TEST(a_name_without_replacement_strings_is_a_folder),
	    TEST(a_long_file_name_leaves_room_for_its_ends),
	    TEST(perl_in_a_template_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

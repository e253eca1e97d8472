/* Replacement strings: which texts are some, for which value, and what they do to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "task/rpl.h"

static const struct arg names[] = {{"name", 4}, {"a b", 3}, {"2020", 4}, {"", 0}};

static struct rpl_table *
new_table(struct spec_rpl *rpls, size_t rpl_count, bool has_plus, enum spec_dialect dialect)
{
	struct err err = {0};
	struct spec spec = {
	    .dialect = dialect,
	    .rpls = rpls,
	    .rpl_count = rpl_count,
	    .has_plus = has_plus,
	};
	struct rpl_table *table = rpl_table_new(&spec, names, 4, &err);
	if (table == NULL)
		fail_msg("%s", err.text);
	return table;
}

static void
assert_plain(struct rpl_table *table, const char *text)
{
	struct rpl rpl;
	if (rpl_match(table, text, strlen(text), &rpl, NULL) != 0)
		fail_msg("%s is taken for a replacement string", text);
}

/* `text` is one replacement string as a whole, even with more behind it. */
static struct rpl
match_whole(struct rpl_table *table, const char *text)
{
	struct rpl rpl;
	struct err err = {0};
	char longer[128];
	int length = snprintf(longer, sizeof(longer), "%s}.x", text);
	if (rpl_match(table, longer, (size_t)length, &rpl, &err) != (ssize_t)strlen(text))
		fail_msg("%s is not a replacement string; %s", text, err.text);
	assert_int_equal(rpl_match(table, text, strlen(text), &rpl, &err), strlen(text));
	return rpl;
}

static void
assert_index(struct rpl_table *table, const char *text, int index)
{
	struct rpl rpl = match_whole(table, text);
	assert_int_equal(rpl.kind, RPL_VALUE);
	assert_int_equal(rpl.index, index);
}

static void
assert_edit(struct rpl_table *table, const char *text, const char *value,
	    const char *expected)
{
	struct rpl rpl = match_whole(table, text);
	struct buf scratch[2] = {{0}};
	struct arg arg = {value, strlen(value)};
	struct arg outcome;
	assert_int_equal(rpl.kind, RPL_VALUE);
	assert_int_equal(edit_apply(rpl.edit, &arg, scratch, &outcome), 0);
	if (outcome.length != strlen(expected) ||
	    memcmp(outcome.bytes, expected, outcome.length) != 0)
		fail_msg("%s of \"%s\": \"%.*s\", not \"%s\"", text, value,
			 (int)outcome.length, outcome.bytes, expected);
	buf_fini(&scratch[0]);
	buf_fini(&scratch[1]);
}

static void
basic_strings_edit_as_gnu_parallel_does(void **state)
{
	/* value, {.}, {/}, {//}, {/.} */
	static const char *const rows[][5] = {
	    {"a/b/c.d.e", "a/b/c.d", "c.d.e", "a/b", "c.d"},
	    {"a/b/", "a/b/", "", "a", ""},
	    {"/", "/", "", "/", ""},
	    {"//", "//", "", "/", ""},
	    {"a", "a", "a", ".", "a"},
	    {"a.", "a", "a.", ".", "a"},
	    {".a", "", ".a", ".", ""},
	    {"a/.b", "a/", ".b", "a", ""},
	    {"/a", "/a", "a", "/", "a"},
	    {"//a", "//a", "a", "/", "a"},
	    {"a/b.c/d", "a/b.c/d", "d", "a/b.c", "d"},
	    {"a//b", "a//b", "b", "a", "b"},
	    {"a/b//", "a/b//", "", "a", ""},
	    {"..", ".", "..", ".", "."},
	    {"", "", "", ".", ""},
	    {"a\nb/c.d", "a\nb/c", "c.d", "a\nb", "c"},
	    {"\xff.\xfe", "\xff", "\xff.\xfe", ".", "\xff"},
	};
	(void)state;
	struct rpl_table *table = new_table(NULL, 0, false, SPEC_PARALLEL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_edit(table, "{}", rows[i][0], rows[i][0]);
		assert_edit(table, "{.}", rows[i][0], rows[i][1]);
		assert_edit(table, "{/}", rows[i][0], rows[i][2]);
		assert_edit(table, "{//}", rows[i][0], rows[i][3]);
		assert_edit(table, "{/.}", rows[i][0], rows[i][4]);
	}
	rpl_table_free(table);
}

static void
seq_and_slot_are_kinds_of_their_own(void **state)
{
	(void)state;
	struct rpl_table *table = new_table(NULL, 0, false, SPEC_PARALLEL);
	assert_int_equal(match_whole(table, "{#}").kind, RPL_SEQ);
	assert_int_equal(match_whole(table, "{%}").kind, RPL_SLOT);
	rpl_table_free(table);
}

static void
numbers_and_names_choose_a_value(void **state)
{
	(void)state;
	struct rpl_table *table = new_table(NULL, 0, false, SPEC_PARALLEL);
	assert_index(table, "{}", 0);
	assert_index(table, "{0}", 0);
	assert_index(table, "{12}", 12);
	assert_index(table, "{-1}", -1);
	assert_index(table, "{2/.}", 2);
	assert_index(table, "{-3//}", -3);
	assert_index(table, "{name}", 1);
	assert_index(table, "{name.}", 1);
	assert_index(table, "{a b/}", 2);
	assert_index(table, "{2020}", 3);
	assert_index(table, "{202}", 202);
	rpl_table_free(table);
}

static void
other_texts_are_plain(void **state)
{
	static const char *const texts[] = {
	    "{",           "}",     "x",      "{x}",   "{ }",     "{.1}",
	    "{1",          "{--1}", "{1 }",   "{..}",  "{+/}",    "{:-x}",
	    "{999999999}", "{-}",   "{name ", "{nam}", "{names}", ""};
	(void)state;
	struct rpl_table *table = new_table(NULL, 0, false, SPEC_PARALLEL);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_plain(table, texts[i]);
	rpl_table_free(table);
}

static void
map_also_takes_the_number_last(void **state)
{
	(void)state;
	struct rpl_table *table = new_table(NULL, 0, false, SPEC_MAP);
	assert_index(table, "{.1}", 1);
	assert_index(table, "{/-2}", -2);
	assert_index(table, "{//3}", 3);
	assert_edit(table, "{/.1}", "a/b.c", "b");
	assert_plain(table, "{#1}");
	assert_plain(table, "{.1");
	rpl_table_free(table);
}

static void
plus_strings_edit_as_gnu_parallel_does(void **state)
{
	static const char *const rows[][3] = {
	    {"{+/}", "a/b/c.d.e.f", "a/b"},
	    {"{+/}", "x", ""},
	    {"{+.}", "a/b/c.d.e.f", "f"},
	    {"{+.}", "a/b.c/d", "c/d"},
	    {"{+.}", "x", ""},
	    {"{+..}", "a/b/c.d.e.f", "e.f"},
	    {"{+..}", "a.b/c.d", ""},
	    {"{+...}", "c.d.e.f", "d.e.f"},
	    {"{..}", "a/b/c.d.e.f", "a/b/c.d"},
	    {"{..}", "x.y", "x.y"},
	    {"{...}", "a/b/c.d.e.f", "a/b/c"},
	    {"{/..}", "a/b/c.d.e.f", "c.d"},
	    {"{/...}", "a/b/c.d.e.f", "c"},
	    {"{:-foo}", "", "foo"},
	    {"{:-foo}", "x", "x"},
	    {"{:1}", "abc", "bc"},
	    {"{:9}", "abc", ""},
	    {"{:1:1}", "abc", "b"},
	    {"{:0:9}", "abc", "abc"},
	    {"{#ab*}", "aabbcbb", "abbcbb"},
	    {"{#a.*b}", "aabbcbb", "bcbb"},
	    {"{##a.*b}", "aabbcbbx", "x"},
	    {"{%.jpg}", "x.jpg", "x"},
	    {"{%b.*}", "aabbcbb", "aabbcb"},
	    {"{%%b.*}", "aabbcbb", "aa"},
	    {"{/b/X}", "aabbcbb", "aaXbcbb"},
	    {"{/b/}", "aabbcbb", "aabcbb"},
	    {"{//b/X}", "aabbcbb", "aaXXcXX"},
	    {"{/#a/X}", "aabb", "Xabb"},
	    {"{/%b/X}", "aabb", "aabX"},
	    {"{^a}", "aabba", "Aabba"},
	    {"{^^a}", "aabba", "AAbbA"},
	    {"{^^[^b]}", "a1bA", "A1bA"},
	    {"{,A}", "AABBA", "aABBA"},
	    {"{,,A}", "AABBA", "aaBBa"},
	};
	(void)state;
	struct rpl_table *table = new_table(NULL, 0, true, SPEC_PARALLEL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_edit(table, rows[i][0], rows[i][1], rows[i][2]);
	assert_int_equal(match_whole(table, "{slot}").kind, RPL_SLOT);
	assert_index(table, "{2:-x}", 2);
	assert_index(table, "{-1^^x}", -1);
	assert_index(table, "{name..}", 1);
	assert_index(table, "{name:1:2}", 1);
	assert_index(table, "{2/a/b}", 2);
	assert_plain(table, "{x}");
	assert_plain(table, "{:x}");
	assert_plain(table, "{/x}");
	assert_plain(table, "{:1:}");
	assert_plain(table, "{^}");
	assert_plain(table, "{:-x");
	rpl_table_free(table);
}

static void
plus_strings_we_cannot_do_are_refused(void **state)
{
	static const char *const texts[] = {"{##}",       "{0#}",   "{0%}",
					    "{choose_k}", "{uniq}", "{host}",
					    "{hgrp}",     "{/[/x}", "{%(?=x)}"};
	(void)state;
	struct rpl_table *table = new_table(NULL, 0, true, SPEC_PARALLEL);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct rpl rpl;
		struct err err = {0};
		assert_int_equal(rpl_match(table, texts[i], strlen(texts[i]), &rpl, &err),
				 -1);
		assert_int_equal(err.kind, ERR_USAGE);
		assert_non_null(strstr(err.text, "{"));
	}
	rpl_table_free(table);
}

static void
new_name_takes_the_place_of_the_old(void **state)
{
	(void)state;
	struct spec_rpl rpls[] = {{",,", "{}"}, {"{x}", "{.}"}, {"@", "{#}"}};
	struct rpl_table *table = new_table(rpls, 3, false, SPEC_PARALLEL);
	assert_edit(table, ",,", "a.b", "a.b");
	assert_edit(table, "{x}", "a.b", "a");
	assert_index(table, "{2x}", 2);
	assert_int_equal(match_whole(table, "@").kind, RPL_SEQ);
	assert_plain(table, "{}");
	assert_plain(table, "{.}");
	assert_plain(table, "{1}");
	assert_plain(table, "{#}");
	rpl_table_free(table);
}

static void
last_of_several_new_names_counts(void **state)
{
	(void)state;
	struct spec_rpl rpls[] = {
	    {"A", "{}"}, {"B", "{}"}, {"{.}", "s/a/1/"}, {"{.}", "s/a/2/"}};
	struct rpl_table *table = new_table(rpls, 4, false, SPEC_PARALLEL);
	assert_plain(table, "A");
	assert_edit(table, "B", "a", "a");
	assert_edit(table, "{.}", "a", "2");
	rpl_table_free(table);
}

static void
same_name_again_changes_nothing(void **state)
{
	(void)state;
	struct spec_rpl rpls[] = {{"{}", "{}"}};
	struct rpl_table *table = new_table(rpls, 1, false, SPEC_PARALLEL);
	assert_index(table, "{}", 0);
	assert_index(table, "{1}", 1);
	rpl_table_free(table);
}

static void
users_edits_work_for_one_value_too(void **state)
{
	(void)state;
	struct spec_rpl rpls[] = {
	    {"{x}", "s/a/b/g"}, {"NEW", "s/$/!/"}, {"NEWER", "s/^/?/"}};
	struct rpl_table *table = new_table(rpls, 3, false, SPEC_PARALLEL);
	assert_edit(table, "{x}", "aXa", "bXb");
	assert_index(table, "{2x}", 2);
	assert_edit(table, "{2x}", "a", "b");
	assert_edit(table, "NEW", "a", "a!");
	assert_edit(table, "NEWER", "a", "?a");
	rpl_table_free(table);
}

static void
bad_edits_are_refused_with_their_name(void **state)
{
	static const char *const edits[] = {"$_++", "s/$$1//", "s/(//", ""};
	(void)state;
	for (size_t i = 0; i < sizeof(edits) / sizeof(edits[0]); i++) {
		struct spec_rpl rpl = {"{x}", edits[i]};
		struct spec spec = {.rpls = &rpl, .rpl_count = 1};
		struct err err = {0};
		assert_null(rpl_table_new(&spec, NULL, 0, &err));
		assert_int_equal(err.kind, ERR_USAGE);
		assert_non_null(strstr(err.text, "{x}"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(basic_strings_edit_as_gnu_parallel_does),
	    cmocka_unit_test(seq_and_slot_are_kinds_of_their_own),
	    cmocka_unit_test(numbers_and_names_choose_a_value),
	    cmocka_unit_test(other_texts_are_plain),
	    cmocka_unit_test(map_also_takes_the_number_last),
	    cmocka_unit_test(plus_strings_edit_as_gnu_parallel_does),
	    cmocka_unit_test(plus_strings_we_cannot_do_are_refused),
	    cmocka_unit_test(new_name_takes_the_place_of_the_old),
	    cmocka_unit_test(last_of_several_new_names_counts),
	    cmocka_unit_test(same_name_again_changes_nothing),
	    cmocka_unit_test(users_edits_work_for_one_value_too),
	    cmocka_unit_test(bad_edits_are_refused_with_their_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

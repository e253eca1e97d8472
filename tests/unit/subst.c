/* s/regex/replacement/ lists, and Perl's regular expressions as far as they go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "task/subst.h"

static void
assert_applied_bytes(const char *text, struct arg value, struct arg expected)
{
	struct err err = {0};
	struct buf scratch[2] = {{0}};
	struct arg outcome;
	struct subst_list *list = subst_list_new(text, &err);
	if (list == NULL)
		fail_msg("%s: %s", text, err.text);
	assert_int_equal(subst_list_apply(list, &value, scratch, &outcome), 0);
	if (outcome.length != expected.length ||
	    memcmp(outcome.bytes, expected.bytes, expected.length) != 0)
		fail_msg("%s on \"%s\": \"%.*s\", not \"%s\"", text, value.bytes,
			 (int)outcome.length, outcome.bytes, expected.bytes);
	buf_fini(&scratch[0]);
	buf_fini(&scratch[1]);
	subst_list_free(list);
}

static void
assert_applied(const char *text, const char *value, const char *expected)
{
	assert_applied_bytes(text, (struct arg){value, strlen(value)},
			     (struct arg){expected, strlen(expected)});
}

static void
assert_refused(const char *text, const char *complaint)
{
	struct err err = {0};
	struct subst_list *list = subst_list_new(text, &err);
	if (list != NULL)
		fail_msg("%s was taken", text);
	assert_int_equal(err.kind, ERR_USAGE);
	if (strstr(err.text, complaint) == NULL)
		fail_msg("%s: \"%s\" does not say \"%s\"", text, err.text, complaint);
}

static void
first_match_is_replaced_and_all_with_g(void **state)
{
	(void)state;
	assert_applied("s/a/b/", "aaa", "baa");
	assert_applied("s/a/b/g", "aaa", "bbb");
	assert_applied("s/A/b/gi", "aAa", "bbb");
	assert_applied("s/x/b/", "aaa", "aaa");
	assert_applied("s/x*/-/g", "axb", "-a--b-");
	assert_applied("s/x*/-/g", "", "-");
	assert_applied("s/^a/-/g", "aaa", "-aa");
}

static void
steps_follow_each_other(void **state)
{
	(void)state;
	assert_applied("s:.*/::; s:\\.[^.]+$::", "a/b.c/d.e", "d");
	assert_applied(" s/a/b/;s/b/c/ ; s/c/d/;", "a", "d");
	assert_applied("s/x/y/;s/a/b/;s/z/y/", "a", "b");
}

static void
any_delimiter_will_do(void **state)
{
	(void)state;
	assert_applied("s,a/b,c,", "a/b", "c");
	assert_applied("s{a}{b}", "a", "b");
	assert_applied("s[a][b]", "a", "b");
	assert_applied("s<a><b>", "a", "b");
	assert_applied("s{a{2}} {b}g", "aaaa", "bb");
	assert_applied("s(\\(x\\))(y)", "a(x)", "ay");
	assert_applied("s#\\##-#", "#", "-");
	assert_applied("s/\\//-/g", "a/b/c", "a-b-c");
	assert_applied("s|a\\|b|_|g", "a|b", "_|_");
}

static void
groups_come_back_in_the_replacement(void **state)
{
	(void)state;
	assert_applied("s/(.)(.)/$2\\1/", "ab", "ba");
	assert_applied("s/(a)|(b)/[$1|$2]/g", "ab", "[a|][|b]");
	assert_applied("s/b/<$&>/", "abc", "a<b>c");
	assert_applied("s/(b)/${1}1/", "abc", "ab1c");
	assert_applied("s/b/\\t\\n\\$\\\\/", "b", "\t\n$\\");
	assert_applied("s/b/$/", "b", "$");
}

static void
perl_classes_are_understood(void **state)
{
	(void)state;
	assert_applied("s/\\d+/N/", "ab12", "abN");
	assert_applied("s/\\D+/N/", "ab12", "N12");
	assert_applied("s/\\w+/N/", "-a_1-", "-N-");
	assert_applied("s/\\W+/N/", "a--b", "aNb");
	assert_applied("s/^\\s+|\\s+$//g", " \ta b ", "a b");
	assert_applied("s/\\S+/N/", " ab ", " N ");
	assert_applied("s/[\\d.]+/N/", "a1.2b", "aNb");
	assert_applied("s/[^\\w\\s]/N/g", "a b-c_d", "a bNc_d");
	assert_applied("s/[\\w-]+/N/", "+a-b+", "+N+");
	assert_applied("s/\\bb/N/", "ab b", "ab N");
	assert_applied("s/\\Aa/N/g", "aa", "Na");
	assert_applied("s/[[:upper:]]/N/g", "aBc", "aNc");
}

static void
brackets_hold_what_perl_would_have_in_them(void **state)
{
	(void)state;
	assert_applied("s/[\\]\\/]/N/g", "a]b/c\\", "aNbNc\\");
	assert_applied("s/[]x]/N/g", "a]bx", "aNbN");
	assert_applied("s/[^]]/N/g", "a]b", "N]N");
	assert_applied("s/[\\^a]/N/g", "^ab", "NNb");
	assert_applied("s/[\\^]/N/g", "^ab", "Nab");
	assert_applied("s/[\\^-]/N/g", "^a-", "NaN");
	assert_applied("s/[\\\\]/N/g", "a\\b", "aNb");
	assert_applied("s/[a\\-c]/N/g", "abc-", "NbNN");
	assert_applied("s/[a-c-]/N/g", "abcd-", "NNNdN");
	assert_applied("s/[.*+?{}()|$]/N/g", "a.*b$", "aNNbN");
	assert_applied("s/[\\t ]/N/g", "a\tb\\t", "aNb\\t");
}

static void
braces_are_plain_where_they_do_not_count(void **state)
{
	(void)state;
	assert_applied("s/a{2}/N/", "aaa", "Na");
	assert_applied("s/a{2,}/N/", "aaa", "N");
	assert_applied("s/{a}/N/", "{a}", "N");
	assert_applied("s/a{,x}/N/", "a{,x}", "N");
}

static void
bytes_are_bytes(void **state)
{
	(void)state;
	assert_applied("s/\xff/x/", "a\xff\xfe", "ax\xfe");
	assert_applied("s/.$/x/", "a\n", "ax");
	assert_applied_bytes("s/b/xy/g", (struct arg){"a\0b\0b", 5},
			     (struct arg){"a\0xy\0xy", 7});
}

static void
other_perl_is_refused(void **state)
{
	(void)state;
	assert_refused("$_=uc($_)", "no other Perl");
	assert_refused("tr/a/b/", "no other Perl");
	assert_refused("", "no other Perl");
	assert_refused("s/a", "no other Perl");
	assert_refused("s/a/b", "no other Perl");
	assert_refused("s/a/b/ || s/c/d/", "no other Perl");
	assert_refused("s/a/b/e", "flag e");
	assert_refused("s(a)[b]", "no other Perl");
	assert_refused("s/a(?=b)//", "(?...)");
	assert_refused("s/a.*?b//", "non-greedy");
	assert_refused("s/a++b//", "possessive");
	assert_refused("s/a**//", "quantifier of a quantifier");
	assert_refused("s/a{2}*//", "quantifier of a quantifier");
	assert_refused("s/a*{2,3}//", "quantifier of a quantifier");
	assert_refused("s/$x//", "variable");
	assert_refused("s/a/$x/", "variable");
	assert_refused("s/a/\\U$1/", "\\U");
	assert_refused("s/(a)/$2/", "no group 2");
	assert_refused("s/\\Qa//", "\\Q");
	assert_refused("s/[a//", "not closed");
	assert_refused("s/(a//", "bad regular expression");
}

static void
shortest_start_and_tail_are_found(void **state)
{
	(void)state;
	struct err err = {0};
	struct arg value = {"aXbXc", 5};
	struct subst_list *list =
	    subst_list_new_one(".*X", "", false, SUBST_CASE_KEEP, &err);
	assert_non_null(list);
	assert_int_equal(subst_list_shortest_start(list, &value), 2);
	subst_list_free(list);
	list = subst_list_new_one("X.*", "", false, SUBST_CASE_KEEP, &err);
	assert_non_null(list);
	assert_int_equal(subst_list_shortest_tail(list, &value), 2);
	assert_true(subst_list_shortest_start(list, &value) == SIZE_MAX);
	subst_list_free(list);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(first_match_is_replaced_and_all_with_g),
	    cmocka_unit_test(steps_follow_each_other),
	    cmocka_unit_test(any_delimiter_will_do),
	    cmocka_unit_test(groups_come_back_in_the_replacement),
	    cmocka_unit_test(perl_classes_are_understood),
	    cmocka_unit_test(brackets_hold_what_perl_would_have_in_them),
	    cmocka_unit_test(braces_are_plain_where_they_do_not_count),
	    cmocka_unit_test(bytes_are_bytes),
	    cmocka_unit_test(other_perl_is_refused),
	    cmocka_unit_test(shortest_start_and_tail_are_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

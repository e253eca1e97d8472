/* Regular expressions as people write them for GNU parallel: what is translated, what is refused. */
#include "starve.h"

#include <regex.h>

#include "task/perl_regex.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Where the translated expression matches first, "" for nowhere; in `found`. */
static const char *
find(const char *regex, const char *text, char *found, size_t size)
{
	struct buf posix = {0};
	struct err err = {0};
	regex_t compiled;
	regmatch_t match;
	if (perl_regex_translate(regex, strlen(regex), &posix, &err) == -1)
		fail_msg("%s: %s", regex, err.text);
	if (regcomp(&compiled, posix.bytes, REG_EXTENDED) != 0)
		fail_msg("%s becomes %s, which is none", regex, posix.bytes);
	*found = '\0';
	if (regexec(&compiled, text, 1, &match, 0) == 0)
		snprintf(found, size, "%.*s", (int)(match.rm_eo - match.rm_so),
			 text + match.rm_so);
	regfree(&compiled);
	buf_fini(&posix);
	return found;
}

static const char *const samples[][3] = {
    /* bytes */
    {"a\\tb", "a\tb", "a\tb"},
    {"a\\nb", "a\nb", "a\nb"},
    {"\\r", "a\rb", "\r"},
    {"\\f", "a\fb", "\f"},
    {"\\e", "a\033b", "\033"},
    {"\\.\\[\\]\\{\\}\\(\\)\\*\\+\\?\\^\\$\\|\\\\", ".[]{}()*+?^$|\\", ".[]{}()*+?^$|\\"},
    {"\\/\\-\\ ", "/- ", "/- "},
    /* classes and places */
    {"\\d+\\D", "ab12c", "12c"},
    {"\\w+\\W", "ab_1-c", "ab_1-"},
    {"\\s\\S", "a b", " b"},
    {"\\Aa", "ba a", ""},
    {"a\\z", "ab a", "a"},
    {"b\\Z", "ab", "b"},
    {"\\bc", "bc c", "c"},
    {"\\Bc\\B", "acb", "c"},
    {"(a)\\1", "ab aa", "aa"},
    {"a$", "ab a", "a"},
    /* brackets */
    {"[\\d.]+", "a1.2b", "1.2"},
    {"[\\w]+", "-a_1-", "a_1"},
    {"[\\s]", "a b", " "},
    {"[^\\s]+", " ab ", "ab"},
    {"[[:alpha:]\\-]+", "1a-b2", "a-b"},
    {"[\\]]", "a]b", "]"},
    {"[]a]+", "x]ay", "]a"},
    {"[\\^]", "a^b", "^"},
    {"[\\^-]+", "a^-b", "^-"},
    {"[a^-]+", "b^-a", "^-a"},
    {"[^^]", "^a", "a"},
    {"[a-c]+", "xabcd", "abc"},
    {"[\\t-\\r]", "a\nb", "\n"},
    {"[[x]", "a[", "["},
    /* how often */
    {"a{2}", "aaa", "aa"},
    {"a{2,}", "aaa", "aaa"},
    {"a{1,2}", "aaa", "aa"},
    {"a{", "a{", "a{"},
    {"a{,2}", "a{,2}", "a{,2}"},
    {"a{1x}", "a{1x}", "a{1x}"},
    {"}", "a}", "}"},
    {"(ab)?c*", "abcc", "abcc"},
};

static void
what_has_an_equivalent_is_translated(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(samples); i++) {
		char found[64];
		if (strcmp(find(samples[i][0], samples[i][1], found, sizeof(found)),
			   samples[i][2]) != 0)
			fail_msg("%s finds \"%s\", not \"%s\"", samples[i][0], found,
				 samples[i][2]);
	}
}

static void
what_has_none_is_refused_and_named(void **state)
{
	(void)state;
	static const char *const bad[][2] = {
	    {"a\\", "a \\ at the end"},
	    {"\\Q", "\\Q"},
	    {"\\x41", "\\x"},
	    {"a*?", "non-greedy"},
	    {"a{2}?", "non-greedy"},
	    {"a++", "possessive"},
	    {"(?:a)", "(?...)"},
	    {"$a", "a Perl variable"},
	    {"${a}", "a Perl variable"},
	    {"[a", "is not closed"},
	    {"[a\\", "a \\ at the end"},
	    {"[\\D]", "such an escape in [ ]"},
	    {"[a-\\d]", "such a range in [ ]"},
	    {"[a-[]", "such a range in [ ]"},
	    {"[]-a]", "such a range in [ ]"},
	};
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct buf posix = {0};
		struct err err = {0};
		if (perl_regex_translate(bad[i][0], strlen(bad[i][0]), &posix, &err) == 0)
			fail_msg("%s becomes %s", bad[i][0], posix.bytes);
		assert_int_equal(err.kind, ERR_USAGE);
		if (strstr(err.text, bad[i][1]) == NULL)
			fail_msg("%s: %s", bad[i][0], err.text);
		buf_fini(&posix);
	}
}

static int
translate(void *context)
{
	struct buf posix = {0};
	struct err err = {0};
	const char *regex = context;
	int status = perl_regex_translate(regex, strlen(regex), &posix, &err);
	if (status == -1)
		assert_non_null(strstr(err.text, "memory"));
	buf_fini(&posix);
	return status;
}

static void
without_memory_nothing_is_translated(void **state)
{
	(void)state;
	/* Longer than what comes with the first allocation. */
	char long_one[] =
	    "[[:alpha:]\\w\\]^-][a-bcdefghijklmnopqrstuvwxyz0123456789_,.;:!"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ]{2,3}\\.\\t\\1|[^\\s]\\d\\d\\d\\d";
	starve_each(translate, long_one);
	for (size_t i = 0; i < COUNT(samples); i++) {
		char text[64];
		snprintf(text, sizeof(text), "%s", samples[i][0]);
		starve_each(translate, text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_has_an_equivalent_is_translated),
	    cmocka_unit_test(what_has_none_is_refused_and_named),
	    cmocka_unit_test(without_memory_nothing_is_translated),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

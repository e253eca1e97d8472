/* What runs are called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "ipc/run_name.h"

static void
assert_made(const char *command, const char *expected)
{
	char name[RUN_NAME_BYTES];
	run_name_make(name, command);
	assert_string_equal(name, expected);
	assert_true(run_name_is_good(name));
}

static void
name_is_the_command_without_folder_and_extension(void **state)
{
	(void)state;
	assert_made("gzip", "gzip");
	assert_made("/usr/bin/gzip", "gzip");
	assert_made("./score.py", "score");
	assert_made("libcrc.so.1", "libcrc");
	assert_made("gzip -9 {} > out", "gzip");
	assert_made("  LC_ALL=C A=b /bin/sort {}", "sort");
	assert_made("x264_2-b", "x264_2-b");
}

static void
name_of_nothing_usable_is_run(void **state)
{
	(void)state;
	assert_made("", "run");
	assert_made("{}", "run");
	assert_made("A=b", "run");
	assert_made("/", "run");
	assert_made("\xff\xfe", "run");
	assert_made("...", "run");
}

static void
name_ends_at_what_would_have_to_be_quoted(void **state)
{
	(void)state;
	assert_made("a;b", "a");
	assert_made("a$(b)", "a");
	assert_made("-x", "x");
	assert_made("abcdefghijklmnopqrstuvwxyz", "abcdefghijklmnopqrst");
}

static void
given_names_are_short_and_need_no_quotes(void **state)
{
	(void)state;
	assert_true(run_name_is_good("a"));
	assert_true(run_name_is_good("Photos.2026-11_a"));
	assert_true(run_name_is_good("abcdefghijklmnopqrstuvwxyz123456"));
	assert_false(run_name_is_good("abcdefghijklmnopqrstuvwxyz1234567"));
	assert_false(run_name_is_good(""));
	assert_false(run_name_is_good("-a"));
	assert_false(run_name_is_good(".a"));
	assert_false(run_name_is_good("a/b"));
	assert_false(run_name_is_good("a b"));
	assert_false(run_name_is_good("\xc3\xa4"));
}

static void
socket_tells_its_run(void **state)
{
	char name[RUN_NAME_BYTES];
	char longest[RUN_NAME_BYTES + 8];
	(void)state;
	assert_true(run_name_of_file(name, "gzip-12.run"));
	assert_string_equal(name, "gzip-12");
	assert_false(run_name_of_file(name, ".run"));
	assert_false(run_name_of_file(name, "gzip"));
	assert_false(run_name_of_file(name, "..run"));
	assert_false(run_name_of_file(name, "a b.run"));
	memset(longest, 'a', sizeof(longest));
	strcpy(longest + RUN_NAME_BYTES - 1, ".run");
	assert_true(run_name_of_file(name, longest));
	longest[RUN_NAME_BYTES - 1] = 'a';
	strcpy(longest + RUN_NAME_BYTES, ".run");
	assert_false(run_name_of_file(name, longest));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(name_is_the_command_without_folder_and_extension),
	    cmocka_unit_test(name_of_nothing_usable_is_run),
	    cmocka_unit_test(name_ends_at_what_would_have_to_be_quoted),
	    cmocka_unit_test(given_names_are_short_and_need_no_quotes),
	    cmocka_unit_test(socket_tells_its_run),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

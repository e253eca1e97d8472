/* What GNU make says of its jobserver. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/makeflags.h"

static void
assert_fds(const char *makeflags, int read_fd, int write_fd)
{
	struct makeflags_auth auth;
	assert_true(makeflags_find(makeflags, &auth));
	assert_null(auth.path);
	assert_int_equal(auth.read_fd, read_fd);
	assert_int_equal(auth.write_fd, write_fd);
}

static void
assert_path(const char *makeflags, const char *path)
{
	struct makeflags_auth auth;
	assert_true(makeflags_find(makeflags, &auth));
	assert_int_equal(auth.path_length, strlen(path));
	assert_memory_equal(auth.path, path, auth.path_length);
}

static void
assert_none(const char *makeflags)
{
	struct makeflags_auth auth;
	assert_false(makeflags_find(makeflags, &auth));
}

static void
descriptors_are_found_under_both_names(void **state)
{
	(void)state;
	assert_fds(" -j4 --jobserver-auth=3,4", 3, 4);
	assert_fds("kw -j --jobserver-fds=10,11 -- CC=clang", 10, 11);
	assert_fds("--jobserver-auth=-2,-2", -2, -2);
}

static void
a_path_is_found(void **state)
{
	(void)state;
	assert_path(" -j4 --jobserver-auth=fifo:/tmp/GMfifo17", "/tmp/GMfifo17");
	assert_path("n --jobserver-auth=fifo:/proc/1/fd/5 -- A=b", "/proc/1/fd/5");
}

static void
the_last_one_counts(void **state)
{
	(void)state;
	assert_fds("--jobserver-auth=3,4 -k --jobserver-auth=5,6", 5, 6);
	assert_fds("--jobserver-auth=fifo:/x --jobserver-auth=5,6", 5, 6);
	assert_none("--jobserver-auth=3,4 --jobserver-auth=none");
}

static void
what_is_no_jobserver_is_none(void **state)
{
	(void)state;
	assert_none("");
	assert_none("   ");
	assert_none("kn -j4");
	assert_none("--jobserver-auth=");
	assert_none("--jobserver-auth=3");
	assert_none("--jobserver-auth=3,");
	assert_none("--jobserver-auth=3,4x");
	assert_none("--jobserver-auth=fifo:");
	assert_none("--jobserver-auth=99999999999,4");
	assert_none("--jobserver-style=pipe");
	assert_none("-j2 -- FLAGS=--jobserver-auth=3,4 --jobserver-auth=3,4");
	assert_none("A=b\\ --jobserver-auth=3,4");
}

static void
only_letters_in_the_first_word_are_a_dry_run(void **state)
{
	(void)state;
	assert_true(makeflags_is_dry_run("n"));
	assert_true(makeflags_is_dry_run("kn -j2 --jobserver-auth=3,4"));
	assert_false(makeflags_is_dry_run(""));
	assert_false(makeflags_is_dry_run("k -n"));
	assert_false(makeflags_is_dry_run("-n"));
	assert_false(makeflags_is_dry_run(" --no-print-directory"));
	assert_false(makeflags_is_dry_run("name=value"));
}

static void
assert_appended(const char *makeflags, const char *auth, size_t jobs, const char *expected)
{
	struct buf text = {0};
	assert_int_equal(makeflags_append(&text, makeflags, auth, jobs), 0);
	assert_string_equal(buf_str(&text), expected);
	buf_fini(&text);
}

static void
a_jobserver_stands_beside_what_was_there(void **state)
{
	(void)state;
	assert_appended(NULL, "3,4", 8, " -j8 --jobserver-auth=3,4");
	assert_appended("", "3,4", 0, " --jobserver-auth=3,4");
	assert_appended("kw", "3,4", 8, "kw -j8 --jobserver-auth=3,4");
	assert_appended("-k  --warn", "fifo:/x", 2,
			"-k --warn -j2 --jobserver-auth=fifo:/x");
	assert_appended(" --warn", "3,4", 2, " --warn -j2 --jobserver-auth=3,4");
}

static void
another_jobserver_is_replaced(void **state)
{
	(void)state;
	assert_appended("k -j4 --jobserver-auth=3,4 -w", "10,11", 0,
			"k -j4 -w --jobserver-auth=10,11");
	assert_appended("--jobserver-fds=3,4 -k", "10,11", 0, " -k --jobserver-auth=10,11");
	assert_appended("--jobserver-style=fifo", "10,11", 0, " --jobserver-auth=10,11");
}

static void
variables_stay_behind_the_flags(void **state)
{
	(void)state;
	assert_appended("k -j4 -- CC=a\\ b X=--jobserver-auth=1,2", "3,4", 0,
			"k -j4 --jobserver-auth=3,4 -- CC=a\\ b X=--jobserver-auth=1,2");
	assert_appended("-- A=b", "3,4", 0, " --jobserver-auth=3,4 -- A=b");
}

/* It would take the blank in front of what comes behind it. */
static void
a_backslash_at_the_end_keeps_nothing(void **state)
{
	(void)state;
	assert_appended("k\\", "3,4", 0, "k --jobserver-auth=3,4");
	assert_appended("k \\", "3,4", 0, "k --jobserver-auth=3,4");
	assert_appended("k a\\\\", "3,4", 0, "k a\\\\ --jobserver-auth=3,4");
	assert_appended("k a\\ ", "3,4", 0, "k a\\  --jobserver-auth=3,4");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(descriptors_are_found_under_both_names),
	    cmocka_unit_test(a_path_is_found),
	    cmocka_unit_test(the_last_one_counts),
	    cmocka_unit_test(what_is_no_jobserver_is_none),
	    cmocka_unit_test(only_letters_in_the_first_word_are_a_dry_run),
	    cmocka_unit_test(a_jobserver_stands_beside_what_was_there),
	    cmocka_unit_test(another_jobserver_is_replaced),
	    cmocka_unit_test(variables_stay_behind_the_flags),
	    cmocka_unit_test(a_backslash_at_the_end_keeps_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

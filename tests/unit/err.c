/* Errors as values. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

static void
set_keeps_kind_and_text(void **state)
{
	(void)state;
	struct err err = {0};
	errno = ENOENT;
	assert_int_equal(err_set(&err, ERR_USAGE, "no %s", "sense"), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_int_equal(err.errno_value, 0);
	assert_string_equal(err.text, "no sense");
}

static void
errno_is_kept_and_told(void **state)
{
	(void)state;
	struct err err = {0};
	errno = ENOENT;
	assert_int_equal(err_errno(&err, "cannot open %s", "x"), -1);
	assert_int_equal(err.kind, ERR_SYSTEM);
	assert_int_equal(err.errno_value, ENOENT);
	assert_string_equal(err.text, "cannot open x: No such file or directory");
	assert_int_equal(err_no_memory(&err), -1);
	assert_int_equal(err.errno_value, ENOMEM);
	assert_non_null(strstr(err.text, "out of memory"));
}

static void
limits_of_the_process_are_named(void **state)
{
	(void)state;
	struct err err = {0};
	errno = EMFILE;
	err_errno(&err, "cannot open x");
	assert_string_equal(err.text,
			    "cannot open x: Too many open files (see ulimit -n)");
	errno = EFBIG;
	err_errno(&err, "cannot write x");
	assert_string_equal(err.text, "cannot write x: File too large (see ulimit -f)");
}

static void
context_goes_in_front(void **state)
{
	(void)state;
	struct err err = {0};
	err_set(&err, ERR_BROKEN, "cause");
	err_context(&err, "worker %d", 3);
	err_context(&err, "pool");
	assert_string_equal(err.text, "pool: worker 3: cause");
	assert_int_equal(err.kind, ERR_BROKEN);
}

static void
texts_of_any_length_are_cut_and_ended(void **state)
{
	(void)state;
	char longest[2 * ERR_TEXT_BYTES];
	memset(longest, 'x', sizeof(longest));
	for (size_t length = ERR_TEXT_BYTES - 40; length < ERR_TEXT_BYTES + 40; length++) {
		struct err err = {0};
		errno = ENOENT;
		assert_int_equal(err_errno(&err, "%.*s", (int)length, longest), -1);
		assert_true(strlen(err.text) < ERR_TEXT_BYTES);
		assert_int_equal(err.text[0], 'x');
		err_context(&err, "in front");
		assert_true(strlen(err.text) < ERR_TEXT_BYTES);
		assert_memory_equal(err.text, "in front: x", 11);
		err_context(&err, "%.*s", (int)length, longest);
		assert_true(strlen(err.text) < ERR_TEXT_BYTES);
	}
}

static void
null_is_allowed_everywhere(void **state)
{
	(void)state;
	assert_int_equal(err_set(NULL, ERR_USAGE, "x"), -1);
	assert_int_equal(err_errno(NULL, "x"), -1);
	assert_int_equal(err_no_memory(NULL), -1);
	err_context(NULL, "x");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(set_keeps_kind_and_text),
	    cmocka_unit_test(errno_is_kept_and_told),
	    cmocka_unit_test(limits_of_the_process_are_named),
	    cmocka_unit_test(context_goes_in_front),
	    cmocka_unit_test(texts_of_any_length_are_cut_and_ended),
	    cmocka_unit_test(null_is_allowed_everywhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

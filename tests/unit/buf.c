/* Growable bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

static void
appended_bytes_stand_in_order(void **state)
{
	(void)state;
	struct buf buf = {0};
	assert_int_equal(buf_append(&buf, "a\0b", 3), 0);
	assert_int_equal(buf_append_str(&buf, "cd"), 0);
	assert_int_equal(buf_append_char(&buf, 'e'), 0);
	assert_int_equal(buf_printf(&buf, "%d-%s", 17, "f"), 0);
	assert_int_equal(buf.length, 10);
	assert_memory_equal(buf.bytes, "a\0bcde17-f", 10);
	buf_fini(&buf);
	assert_null(buf.bytes);
	assert_int_equal(buf.length, 0);
}

static void
nothing_added_is_no_memory(void **state)
{
	(void)state;
	struct buf buf = {0};
	assert_int_equal(buf_append(&buf, NULL, 0), 0);
	assert_null(buf.bytes);
	buf_clear(&buf);
	buf_consume(&buf, 0);
	buf_fini(&buf);
}

static void
string_ends_in_a_nul_that_does_not_count(void **state)
{
	(void)state;
	struct buf buf = {0};
	assert_string_equal(buf_str(&buf), "");
	for (size_t i = 1; i < 300; i++) { /* also where the content just fills the memory */
		assert_int_equal(buf_append_char(&buf, 'x'), 0);
		assert_int_equal(strlen(buf_str(&buf)), i);
		assert_int_equal(buf.length, i);
	}
	buf_fini(&buf);
}

static void
long_text_is_printed_whole(void **state)
{
	(void)state;
	struct buf buf = {0};
	assert_int_equal(buf_append_str(&buf, ">"), 0);
	assert_int_equal(buf_printf(&buf, "%10000d", 7), 0);
	assert_int_equal(buf.length, 10001);
	assert_int_equal(buf.bytes[0], '>');
	assert_int_equal(buf.bytes[10000], '7');
	buf_fini(&buf);
}

static void
consumed_bytes_leave_the_rest_in_front(void **state)
{
	(void)state;
	struct buf buf = {0};
	assert_int_equal(buf_append_str(&buf, "abcdef"), 0);
	buf_consume(&buf, 2);
	assert_string_equal(buf_str(&buf), "cdef");
	buf_consume(&buf, 0);
	assert_string_equal(buf_str(&buf), "cdef");
	buf_consume(&buf, 4);
	assert_int_equal(buf.length, 0);
	buf_fini(&buf);
}

static void
clear_keeps_the_memory(void **state)
{
	(void)state;
	struct buf buf = {0};
	assert_int_equal(buf_reserve(&buf, 1000), 0);
	const char *bytes = buf.bytes;
	size_t capacity = buf.capacity;
	assert_true(capacity >= 1000);
	assert_int_equal(buf_append_str(&buf, "abc"), 0);
	buf_clear(&buf);
	assert_int_equal(buf.length, 0);
	assert_ptr_equal(buf.bytes, bytes);
	assert_int_equal(buf.capacity, capacity);
	buf_fini(&buf);
}

static void
impossible_sizes_leave_the_content(void **state)
{
	(void)state;
	struct buf buf = {0};
	assert_int_equal(buf_append_str(&buf, "abc"), 0);
	assert_int_equal(buf_reserve(&buf, SIZE_MAX), -1);
	assert_int_equal(buf_reserve(&buf, SIZE_MAX - 2), -1);
	assert_int_equal(buf_reserve(&buf, SIZE_MAX / 2 + 1), -1);
	assert_string_equal(buf_str(&buf), "abc");
	buf_fini(&buf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(appended_bytes_stand_in_order),
	    cmocka_unit_test(nothing_added_is_no_memory),
	    cmocka_unit_test(string_ends_in_a_nul_that_does_not_count),
	    cmocka_unit_test(long_text_is_printed_whole),
	    cmocka_unit_test(consumed_bytes_leave_the_rest_in_front),
	    cmocka_unit_test(clear_keeps_the_memory),
	    cmocka_unit_test(impossible_sizes_leave_the_content),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

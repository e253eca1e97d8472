/* Numbers as digits are those that printf would write. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/decimal.h"

static void
expect_number(uint64_t number)
{
	char text[DECIMAL_MAX_BYTES + 1], expected[64];
	*decimal_put(text, number) = '\0';
	snprintf(expected, sizeof(expected), "%" PRIu64, number);
	assert_string_equal(text, expected);
}

static void
numbers_of_each_length_are_written(void **state)
{
	(void)state;
	expect_number(0);
	expect_number(UINT64_MAX);
	for (uint64_t power = 1; power <= UINT64_MAX / 10; power *= 10) {
		expect_number(power - 1);
		expect_number(power);
		expect_number(power * 10 - 1);
	}
}

static void
expect_seconds(int64_t ns, int digits, const char *expected)
{
	char text[DECIMAL_MAX_BYTES + 1];
	*decimal_put_seconds(text, ns, digits) = '\0';
	assert_string_equal(text, expected);
}

static void
seconds_have_as_many_digits_as_asked_for(void **state)
{
	(void)state;
	expect_seconds(0, 9, "0.000000000");
	expect_seconds(1, 9, "0.000000001");
	expect_seconds(499, 6, "0.000000");
	expect_seconds(1999, 6, "0.000001");
	expect_seconds(INT64_C(1999999999), 3, "1.999");
	expect_seconds(INT64_C(1795250361685123456), 6, "1795250361.685123");
	expect_seconds(INT64_C(1795250361685123456), 1, "1795250361.6");
	expect_seconds(INT64_MAX, 9, "9223372036.854775807");
	expect_seconds(1234567890, 9, "1.234567890");
	expect_seconds(90807060504, 8, "90.80706050");
	expect_seconds(-1, 6, "0.000000");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_of_each_length_are_written),
	    cmocka_unit_test(seconds_have_as_many_digits_as_asked_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

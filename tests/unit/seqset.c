/* A set of seqs with bits for each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/seqset.h"

static void
an_empty_set_has_no_members(void **state)
{
	struct seqset set = {0};
	(void)state;
	assert_null(seqset_find(&set, 0));
	assert_int_equal(set.count, 0);
	assert_int_equal(set.end, 0);
	seqset_fini(&set);
}

static void
members_keep_their_bits_in_any_order_of_coming(void **state)
{
	static const uint64_t seqs[] = {63, 0, 64, 1000000, 1, UINT64_MAX - 1, 65};
	struct seqset set = {0};
	(void)state;
	for (size_t i = 0; i < sizeof(seqs) / sizeof(*seqs); i++) {
		uint32_t *bits = seqset_add(&set, seqs[i]);
		assert_non_null(bits);
		assert_int_equal(*bits, 0);
		*bits = (uint32_t)i + 1;
	}
	assert_int_equal(set.count, 7);
	assert_int_equal(set.end, UINT64_MAX);
	for (size_t i = 0; i < sizeof(seqs) / sizeof(*seqs); i++) {
		assert_int_equal(*seqset_find(&set, seqs[i]), i + 1);
		assert_int_equal(*seqset_add(&set, seqs[i]), i + 1);
	}
	assert_int_equal(set.count, 7);
	assert_null(seqset_find(&set, 2));
	assert_null(seqset_find(&set, 66));
	assert_null(seqset_find(&set, 999999));
	seqset_fini(&set);
}

static void
bits_stay_where_they_are_while_the_set_grows(void **state)
{
	struct seqset set = {0};
	(void)state;
	uint32_t *first = seqset_add(&set, 5);
	assert_non_null(first);
	for (uint64_t seq = 0; seq < 100000; seq += 3)
		assert_non_null(seqset_add(&set, seq));
	assert_ptr_equal(seqset_find(&set, 5), first);
	for (uint64_t seq = 0; seq < 100000; seq++)
		assert_int_equal(seqset_find(&set, seq) != NULL, seq % 3 == 0 || seq == 5);
	seqset_fini(&set);
}

static void
the_next_member_is_found_however_far_it_is(void **state)
{
	static const uint64_t seqs[] = {UINT64_MAX - 1,    64, 3, 1000,
					UINT64_C(1) << 50, 63};
	static const uint64_t expected[] = {
	    3, 63, 64, 1000, UINT64_C(1) << 50, UINT64_MAX - 1};
	struct seqset set = {0};
	uint64_t next = 0;
	(void)state;
	assert_int_equal(seqset_next(&set, 0), 0);
	for (size_t i = 0; i < sizeof(seqs) / sizeof(*seqs); i++) {
		assert_non_null(seqset_add(&set, seqs[i]));
		assert_int_equal(seqset_next(&set, seqs[i]), seqs[i]); /* also when it grows */
	}
	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
		assert_int_equal(seqset_next(&set, next), expected[i]);
		next = expected[i] + 1;
	}
	assert_int_equal(seqset_next(&set, next), set.end);
	seqset_fini(&set);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_empty_set_has_no_members),
	    cmocka_unit_test(members_keep_their_bits_in_any_order_of_coming),
	    cmocka_unit_test(the_next_member_is_found_however_far_it_is),
	    cmocka_unit_test(bits_stay_where_they_are_while_the_set_grows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

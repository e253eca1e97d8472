/* Tests of sink/pending: tasks found by their seq, wherever the seqs lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sink/pending.h"

#define SEQS 48

static void
entry_is_found_until_removed(void **state)
{
	(void)state;
	struct spill spill;
	struct pending_table table = {0};
	spill_init(&spill, "/nowhere", 1000, NULL);
	assert_null(pending_find(&table, 7));
	struct pending *pending = pending_add(&table, 7);
	assert_non_null(pending);
	pending->slot = 3;
	assert_ptr_equal(pending_add(&table, 7), pending);
	assert_ptr_equal(pending_find(&table, 7), pending);
	assert_null(pending_find(&table, 7 + 64)); /* the same home */
	pending_remove(&table, pending, &spill);
	assert_null(pending_find(&table, 7));
	assert_int_equal(pending_add(&table, 7)->slot, 0);
	pending_fini(&table, &spill);
	spill_fini(&spill);
}

/* Seqs that crowd together in any table: neighbours, and multiples of powers of two. */
static uint64_t
crowded_seq(unsigned int number)
{
	return number % 3 == 0 ? number : (uint64_t)number << (number % 3 == 1 ? 6 : 40);
}

static void
colliding_seqs_come_and_go_without_losing_each_other(void **state)
{
	(void)state;
	struct spill spill;
	struct pending_table table = {0};
	bool is_there[SEQS] = {false};
	unsigned int seed = 11;
	spill_init(&spill, "/nowhere", 1000, NULL);
	for (int i = 0; i < 20000; i++) {
		unsigned int number = (unsigned int)rand_r(&seed) % SEQS;
		uint64_t seq = crowded_seq(number);
		struct pending *pending = pending_find(&table, seq);
		assert_int_equal(pending != NULL, is_there[number]);
		if (pending != NULL) {
			assert_int_equal(pending->slot, number);
			pending_remove(&table, pending, &spill);
		} else {
			pending_add(&table, seq)->slot = number;
		}
		is_there[number] = !is_there[number];
	}
	pending_fini(&table, &spill);
	spill_fini(&spill);
}

static void
table_grows_with_what_is_in_it(void **state)
{
	(void)state;
	struct spill spill;
	struct pending_table table = {0};
	struct err err = {0};
	spill_init(&spill, "/nowhere", 10 * 1024 * 1024, NULL);
	for (uint64_t seq = 0; seq < 5000; seq++) {
		struct pending *pending = pending_add(&table, seq * 3);
		assert_non_null(pending);
		assert_int_equal(held_append(&spill, &pending->held[0], "text", 4, &err),
				 0);
	}
	assert_int_equal(table.count, 5000);
	for (uint64_t seq = 0; seq < 5000; seq++)
		assert_int_equal(held_bytes(pending_find(&table, seq * 3)->held[0]), 4);
	pending_fini(&table, &spill);
	assert_int_equal(spill.memory_bytes, 0);
	spill_fini(&spill);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(entry_is_found_until_removed),
	    cmocka_unit_test(colliding_seqs_come_and_go_without_losing_each_other),
	    cmocka_unit_test(table_grows_with_what_is_in_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

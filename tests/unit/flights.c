/* Which attempt is in flight, and with which worker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "pool/flights.h"
#include "task/task.h"

static struct flight
get(const struct flights *flights, uint64_t seq)
{
	struct flight flight;
	assert_true(flights_get(flights, seq, &flight));
	return flight;
}

static void
new_flight_is_with_nobody(void **state)
{
	(void)state;
	struct flights flights = {0};
	struct flight flight;
	assert_false(flights_get(&flights, 5, &flight));
	assert_int_equal(flights_add(&flights, 5, 1, 65535), 0);
	assert_int_equal(flights.map.count, 1);
	assert_int_equal(get(&flights, 5).attempt, 65535);
	assert_int_equal(get(&flights, 5).owner, FLIGHTS_NOBODY);
	assert_false(get(&flights, 5).is_started);
	flights_remove(&flights, 5);
	assert_int_equal(flights.map.count, 0);
	assert_false(flights_get(&flights, 5, &flight));
	flights_fini(&flights);
}

static void
first_claim_of_the_right_attempt_counts(void **state)
{
	(void)state;
	struct flights flights = {0};
	assert_int_equal(flights_add(&flights, 5, 1, 2), 0);
	flights_claim(&flights, 5, 1, 7); /* an older attempt */
	flights_claim(&flights, 6, 2, 7); /* not in flight */
	assert_int_equal(get(&flights, 5).owner, FLIGHTS_NOBODY);
	assert_int_equal(flights.map.count, 1);
	flights_claim(&flights, 5, 2, 7);
	assert_int_equal(get(&flights, 5).owner, 7);
	flights_claim(&flights, 5, 2, 8); /* another worker's word */
	assert_int_equal(get(&flights, 5).owner, 7);
	flights_fini(&flights);
}

static void
set_keeps_all_that_a_flight_is(void **state)
{
	(void)state;
	struct flights flights = {0};
	const struct flight flight = {
	    .count = 1, .attempt = 65535, .owner = FLIGHTS_NOBODY - 1, .is_started = true};
	assert_int_equal(flights_add(&flights, 5, 1, 1), 0);
	flights_set(&flights, 5, flight);
	assert_int_equal(get(&flights, 5).attempt, 65535);
	assert_int_equal(get(&flights, 5).owner, FLIGHTS_NOBODY - 1);
	assert_true(get(&flights, 5).is_started);
	flights_set(&flights, 6, flight); /* not in flight: stays so */
	assert_int_equal(flights.map.count, 1);
	flights_fini(&flights);
}

static void
all_flights_of_a_worker_are_found_and_no_others(void **state)
{
	(void)state;
	struct flights flights = {0};
	struct flight flight;
	uint64_t seq;
	size_t count = 0;
	for (uint64_t i = 0; i < 30; i++) {
		assert_int_equal(flights_add(&flights, i, 1, 1), 0);
		if (i % 3 != 2)
			flights_claim(&flights, i, 1, (uint32_t)(i % 3));
	}
	while (flights_find_owned(&flights, 1, &seq, &flight)) {
		assert_int_equal(seq % 3, 1);
		assert_int_equal(flight.owner, 1);
		flights_remove(&flights, seq);
		count++;
	}
	assert_int_equal(count, 10);
	assert_int_equal(flights.map.count, 20);
	assert_false(flights_find_owned(&flights, 9, &seq, &flight));
	flights_fini(&flights);
}

static void
assert_none(const struct flights *flights, uint64_t seq)
{
	struct flight flight;
	assert_false(flights_get(flights, seq, &flight));
}

static void
a_chunk_is_one_flight_of_many_tasks(void **state)
{
	(void)state;
	struct flights flights = {0};
	assert_int_equal(flights_add(&flights, 5, TASK_CHUNK_MAX, TASK_ATTEMPTS_MAX), 0);
	assert_int_equal(flights_add(&flights, 5000, 1, 1), 0);
	assert_int_equal(flights.map.count, 2);
	assert_int_equal(flights.task_count, TASK_CHUNK_MAX + 1);
	assert_int_equal(get(&flights, 5).count, TASK_CHUNK_MAX);
	assert_int_equal(get(&flights, 5).attempt, TASK_ATTEMPTS_MAX);
	assert_int_equal(get(&flights, 5).owner, FLIGHTS_NOBODY);
	assert_false(get(&flights, 5).is_started);
	assert_none(&flights, 6);
	flights_remove(&flights, 6); /* in the chunk, but not its name */
	assert_int_equal(flights.task_count, TASK_CHUNK_MAX + 1);
	flights_remove(&flights, 5);
	assert_int_equal(flights.map.count, 1);
	assert_int_equal(flights.task_count, 1);
	flights_fini(&flights);
}

static void
what_is_dropped_leaves_the_rest_as_it_was(void **state)
{
	(void)state;
	struct flights flights = {0};
	assert_int_equal(flights_add(&flights, 10, 8, 2), 0);
	flights_claim(&flights, 10, 2, 77);
	flights_drop(&flights, 10, 3);
	assert_none(&flights, 10);
	assert_int_equal(get(&flights, 13).count, 5);
	assert_int_equal(get(&flights, 13).attempt, 2);
	assert_int_equal(get(&flights, 13).owner, 77);
	assert_int_equal(flights.map.count, 1);
	assert_int_equal(flights.task_count, 5);
	flights_drop(&flights, 13, 0);
	flights_drop(&flights, 10, 3); /* not in flight any more */
	assert_int_equal(flights.task_count, 5);
	flights_drop(&flights, 13, 5);
	assert_none(&flights, 13);
	assert_none(&flights, 18);
	assert_int_equal(flights.map.count, 0);
	assert_int_equal(flights.task_count, 0);
	flights_fini(&flights);
}

static void
the_first_of_a_chunk_is_split_off_with_the_same_owner(void **state)
{
	(void)state;
	struct flights flights = {0};
	assert_int_equal(flights_add(&flights, 10, 3, 4), 0);
	flights_claim(&flights, 10, 4, 9);
	assert_int_equal(flights_split(&flights, 10), 0);
	assert_int_equal(get(&flights, 10).count, 1);
	assert_int_equal(get(&flights, 11).count, 2);
	assert_int_equal(get(&flights, 11).attempt, 4);
	assert_int_equal(get(&flights, 11).owner, 9);
	assert_int_equal(flights.map.count, 2);
	assert_int_equal(flights.task_count, 3);
	assert_int_equal(flights_split(&flights, 10), 0); /* one already */
	assert_int_equal(flights_split(&flights, 99), 0); /* none */
	assert_int_equal(flights.map.count, 2);
	flights_remove(&flights, 10);
	assert_int_equal(flights.task_count, 2);
	assert_int_equal(get(&flights, 11).count, 2);
	flights_fini(&flights);
}

/* Beside a table of counters: tasks of many chunks come, split, are dropped and go. */
static void
the_tasks_in_flight_are_counted_whatever_happens_to_them(void **state)
{
	(void)state;
	struct flights flights = {0};
	unsigned int seed = 1;
	uint64_t next_seq = 0;
	size_t task_count = 0;
	uint64_t seq;
	struct flight flight;
	for (int i = 0; i < 20000; i++) {
		uint32_t count = 1 + (uint32_t)rand_r(&seed) % 9;
		unsigned int what = (unsigned int)rand_r(&seed) % 4;
		bool is_any = flights_find_owned(&flights, FLIGHTS_NOBODY, &seq, &flight);
		if (what == 0 || !is_any) {
			assert_int_equal(flights_add(&flights, next_seq, count, 1), 0);
			next_seq += count;
			task_count += count;
		} else if (what == 1) {
			assert_int_equal(flights_split(&flights, seq), 0);
		} else if (what == 2) {
			count = count < flight.count ? count : flight.count;
			flights_drop(&flights, seq, count);
			task_count -= count;
		} else if (flights.map.count > 200) {
			flights_remove(&flights, seq);
			task_count -= flight.count;
		}
		assert_int_equal(flights.task_count, task_count);
	}
	while (flights_find_owned(&flights, FLIGHTS_NOBODY, &seq, &flight))
		flights_drop(&flights, seq, flight.count);
	assert_int_equal(flights.task_count, 0);
	flights_fini(&flights);
}

static void
flight_is_found_by_any_of_its_seqs(void **state)
{
	(void)state;
	struct flights flights = {0};
	struct flight flight;
	uint64_t first;
	assert_int_equal(flights_add(&flights, 5, 3, 1), 0);
	assert_int_equal(flights_add(&flights, 8, 1, 2), 0);
	assert_false(flights_find_around(&flights, 4, &first, &flight));
	assert_true(flights_find_around(&flights, 5, &first, &flight));
	assert_true(flights_find_around(&flights, 7, &first, &flight));
	assert_int_equal(first, 5);
	assert_int_equal(flight.count, 3);
	assert_true(flights_find_around(&flights, 8, &first, &flight));
	assert_int_equal(flight.attempt, 2);
	assert_false(flights_find_around(&flights, 9, &first, &flight));
	flights_fini(&flights);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(new_flight_is_with_nobody),
	    cmocka_unit_test(first_claim_of_the_right_attempt_counts),
	    cmocka_unit_test(set_keeps_all_that_a_flight_is),
	    cmocka_unit_test(all_flights_of_a_worker_are_found_and_no_others),
	    cmocka_unit_test(a_chunk_is_one_flight_of_many_tasks),
	    cmocka_unit_test(what_is_dropped_leaves_the_rest_as_it_was),
	    cmocka_unit_test(the_first_of_a_chunk_is_split_off_with_the_same_owner),
	    cmocka_unit_test(the_tasks_in_flight_are_counted_whatever_happens_to_them),
	    cmocka_unit_test(flight_is_found_by_any_of_its_seqs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

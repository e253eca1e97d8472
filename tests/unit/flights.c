/* Which attempt is in flight, and with which worker. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pool/flights.h"

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
	assert_int_equal(flights_count(&flights), 1);
	assert_int_equal(get(&flights, 5).attempt, 65535);
	assert_int_equal(get(&flights, 5).owner, FLIGHTS_NOBODY);
	assert_false(get(&flights, 5).is_started);
	flights_remove(&flights, 5);
	assert_int_equal(flights_count(&flights), 0);
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
	assert_int_equal(flights_count(&flights), 1);
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
	    .attempt = 65535, .owner = FLIGHTS_NOBODY - 1, .is_started = true};
	assert_int_equal(flights_add(&flights, 5, 1, 1), 0);
	flights_set(&flights, 5, flight);
	assert_int_equal(get(&flights, 5).attempt, 65535);
	assert_int_equal(get(&flights, 5).owner, FLIGHTS_NOBODY - 1);
	assert_true(get(&flights, 5).is_started);
	flights_set(&flights, 6, flight); /* not in flight: stays so */
	assert_int_equal(flights_count(&flights), 1);
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
	assert_int_equal(flights_count(&flights), 20);
	assert_false(flights_find_owned(&flights, 9, &seq, &flight));
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
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

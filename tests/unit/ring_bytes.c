/* The queue's payloads and places: what is joined, given back, and free again. */
#include <stdlib.h>
#include <sys/stat.h>

#include "ring_fixture.h"

#define PAGE_BYTES 4096

static void
head_and_body_arrive_joined(void **state)
{
	(void)state;
	struct ring *ring = new_ring(CELLS, DATA_BYTES);
	struct err err = {0};
	assert_int_equal(ring_push(ring, 0, 1, "head", 4, "body", 4, &err), 0);
	assert_int_equal(ring_push(ring, 1, 1, "head", 4, NULL, 0, &err), 0);
	assert_int_equal(ring_push(ring, 2, 1, NULL, 0, NULL, 0, &err), 0);
	ring_publish(ring);
	assert_takes(ring, claim_one(ring, 0), "headbody", 8);
	assert_takes(ring, claim_one(ring, 0), "head", 4);
	assert_takes(ring, claim_one(ring, 0), "", 0);
	ring_free(ring);
}

static void
ticket_says_id_attempt_and_owner(void **state)
{
	(void)state;
	struct ring *ring = new_ring(CELLS, DATA_BYTES);
	struct ring_ticket ticket;
	struct err err = {0};
	assert_int_equal(ring_push(ring, UINT64_C(1) << 40, 65535, NULL, 0, "x", 1, &err),
			 0);
	ring_publish(ring);
	take(ring, claim_one(ring, RING_OWNER_MAX - 1));
	assert_true(ring_collect(ring, &ticket));
	assert_int_equal(ticket.id, UINT64_C(1) << 40);
	assert_int_equal(ticket.attempt, 65535);
	assert_int_equal(ticket.owner, RING_OWNER_MAX - 1);
	ring_free(ring);
}

static void
full_data_area_has_no_room_though_cells_are_free(void **state)
{
	(void)state;
	struct ring *ring = new_ring(CELLS, DATA_BYTES);
	char bytes[DATA_BYTES / 4] = {0};
	for (uint64_t id = 0; id < 4; id++)
		push(ring, id, bytes, sizeof(bytes));
	assert_int_equal(ring_room(ring), CELLS - 4);
	assert_false(ring_has_room(ring, 1));
	assert_true(ring_has_room(ring, 0));
	ring_publish(ring);
	take(ring, claim_one(ring, 0));
	assert_false(ring_has_room(ring, 1));
	assert_collects(ring, 0, 0);
	assert_true(ring_has_room(ring, sizeof(bytes)));
	ring_free(ring);
}

static int64_t
ring_memory_bytes(const struct ring *ring)
{
	struct stat st;
	assert_int_equal(fstat(ring_fd(ring), &st), 0);
	return (int64_t)st.st_blocks * 512;
}

static char *
large_new(size_t length)
{
	char *bytes = malloc(length);
	assert_non_null(bytes);
	memset(bytes, 'x', length);
	return bytes;
}

static void
memory_of_large_payloads_is_given_back_when_collected(void **state)
{
	(void)state;
	struct ring *ring = new_ring(CELLS, DATA_BYTES);
	char *bytes = large_new(1 << 20);
	int64_t before = ring_memory_bytes(ring);
	for (uint64_t id = 0; id < 4; id++)
		push(ring, id, bytes, 1 << 20);
	ring_publish(ring);
	assert_true(ring_memory_bytes(ring) >= before + (4 << 20));
	for (uint64_t id = 0; id < 4; id++) {
		take(ring, claim_one(ring, 0));
		assert_collects(ring, id, 0);
	}
	assert_true(ring_memory_bytes(ring) <= before + 10 * PAGE_BYTES);
	free(bytes);
	ring_free(ring);
}

static void
stream_of_large_payloads_keeps_no_memory(void **state)
{
	(void)state;
	struct ring *ring = new_ring(CELLS, DATA_BYTES);
	char *bytes = large_new(10000);
	push(ring, 0, bytes, 10000);
	ring_publish(ring);
	int64_t before = ring_memory_bytes(ring);
	for (uint64_t id = 1; id < 2000; id++) { /* there is always one waiting */
		push(ring, id, bytes, 10000);
		ring_publish(ring);
		take(ring, claim_one(ring, 0));
		assert_collects(ring, id - 1, 0);
	}
	int64_t after = ring_memory_bytes(ring);
	free(bytes);
	ring_free(ring);
	assert_true(after <= before + 40 * PAGE_BYTES);
}

static void
places_of_withdrawn_cells_come_back(void **state)
{
	(void)state;
	struct ring *ring = new_ring(CELLS, DATA_BYTES);
	uint64_t id;
	uint32_t attempt;
	publish_ids(ring, 0, CELLS);
	for (uint64_t i = 0; i < CELLS; i++)
		assert_true(ring_withdraw(ring, RING_OWNER_MAX, &id, &attempt));
	assert_claims_nothing(ring);
	for (uint64_t i = 0; i < CELLS; i++)
		assert_collects(ring, i, RING_OWNER_NONE);
	assert_int_equal(ring_room(ring), CELLS);
	publish_ids(ring, 100, CELLS);
	for (uint64_t i = 0; i < CELLS; i++) {
		take(ring, claim_one(ring, 0));
		assert_collects(ring, 100 + i, 0);
	}
	ring_free(ring);
}

static void
unpublished_cells_can_be_withdrawn(void **state)
{
	(void)state;
	struct ring *ring = new_ring(CELLS, DATA_BYTES);
	struct err err = {0};
	uint64_t id;
	uint32_t attempt;
	assert_int_equal(ring_push(ring, 3, 9, NULL, 0, "x", 1, &err), 0);
	assert_true(ring_withdraw(ring, RING_OWNER_MAX, &id, &attempt));
	assert_int_equal(id, 3);
	assert_int_equal(attempt, 9);
	assert_false(ring_withdraw(ring, RING_OWNER_MAX, &id, &attempt));
	ring_publish(ring);
	assert_claims_nothing(ring);
	assert_collects(ring, 3, RING_OWNER_NONE);
	ring_free(ring);
}

static void
reclaim_of_a_worker_without_cells_names_nothing(void **state)
{
	(void)state;
	struct ring *ring = new_ring(CELLS, DATA_BYTES);
	struct visited visited = {.count = 0};
	uint64_t id;
	uint32_t attempt;
	publish_ids(ring, 0, 4);
	claim_one(ring, 1);
	assert_true(ring_withdraw(ring, RING_OWNER_MAX, &id, &attempt));
	ring_reclaim(ring, 0, visit, &visited);
	ring_reclaim(ring, 2, visit, &visited);
	assert_int_equal(visited.count, 0);
	ring_free(ring);
}

static void
others_go_on_after_a_reclaim_with_no_cell_twice(void **state)
{
	(void)state;
	struct ring *ring = new_ring(CELLS, DATA_BYTES);
	struct visited visited = {.count = 0};
	uint64_t positions[CELLS];
	publish_ids(ring, 0, 8);
	assert_int_equal(ring_claim(ring, 1, 3, positions), 3);
	assert_int_equal(ring_claim(ring, 2, 2, positions), 2);
	ring_reclaim(ring, 1, visit, &visited);
	assert_int_equal(visited.count, 3);
	assert_int_equal(ring_unclaimed(ring), 3);
	assert_int_equal(ring_claim(ring, 2, CELLS, positions + 2), 3);
	for (uint64_t id = 3; id < 8; id++)
		assert_takes(ring, positions[id - 3], (const char *)&id, sizeof(id));
	assert_claims_nothing(ring);
	ring_free(ring);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TIMED_TEST(head_and_body_arrive_joined),
	    TIMED_TEST(ticket_says_id_attempt_and_owner),
	    TIMED_TEST(full_data_area_has_no_room_though_cells_are_free),
	    TIMED_TEST(memory_of_large_payloads_is_given_back_when_collected),
	    TIMED_TEST(stream_of_large_payloads_keeps_no_memory),
	    TIMED_TEST(places_of_withdrawn_cells_come_back),
	    TIMED_TEST(unpublished_cells_can_be_withdrawn),
	    TIMED_TEST(reclaim_of_a_worker_without_cells_names_nothing),
	    TIMED_TEST(others_go_on_after_a_reclaim_with_no_cell_twice),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

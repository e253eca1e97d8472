/*
 * ring_fixture.h: for the tests of ipc/ring: a small ring, and one step of its use each.
 */
#ifndef PINION_TESTS_RING_FIXTURE_H
#define PINION_TESTS_RING_FIXTURE_H

#include <string.h>

#include "child.h"

#include "ipc/ring.h"

#define CELLS 16
#define DATA_BYTES 4096

static inline struct ring *
new_ring(size_t cell_count, size_t data_bytes)
{
	struct err err = {0};
	struct ring *ring = ring_new(cell_count, data_bytes, &err);
	assert_string_equal(err.text, "");
	assert_non_null(ring);
	return ring;
}

static inline void
push(struct ring *ring, uint64_t id, const char *bytes, size_t length)
{
	struct err err = {0};
	assert_true(ring_has_room(ring, length));
	assert_int_equal(ring_push(ring, id, 1, NULL, 0, bytes, length, &err), 0);
}

/* Cells with the ids from `first` on, whose bytes are the id. */
static inline void
publish_ids(struct ring *ring, uint64_t first, uint64_t count)
{
	for (uint64_t id = first; id < first + count; id++)
		push(ring, id, (const char *)&id, sizeof(id));
	ring_publish(ring);
}

static inline uint64_t
claim_one(struct ring *ring, uint32_t owner)
{
	uint64_t position;
	assert_int_equal(ring_claim(ring, owner, 1, &position), 1);
	return position;
}

static inline void
take(struct ring *ring, uint64_t position)
{
	struct buf bytes = {0};
	assert_int_equal(ring_take(ring, position, &bytes), 0);
	buf_fini(&bytes);
}

static inline void
assert_takes(struct ring *ring, uint64_t position, const char *expected, size_t length)
{
	struct buf bytes = {0};
	assert_int_equal(buf_append_str(&bytes, "what was there before"), 0);
	assert_int_equal(ring_take(ring, position, &bytes), 0);
	assert_int_equal(bytes.length, length);
	if (length > 0)
		assert_memory_equal(bytes.bytes, expected, length);
	buf_fini(&bytes);
}

static inline void
assert_collects(struct ring *ring, uint64_t id, uint32_t owner)
{
	struct ring_ticket ticket;
	assert_true(ring_collect(ring, &ticket));
	assert_int_equal(ticket.id, id);
	assert_int_equal(ticket.owner, owner);
}

static inline void
assert_collects_nothing(struct ring *ring)
{
	struct ring_ticket ticket;
	assert_false(ring_collect(ring, &ticket));
}

static inline void
assert_claims_nothing(struct ring *ring)
{
	uint64_t position;
	assert_int_equal(ring_claim(ring, 0, 1, &position), 0);
}

struct visited {
	uint64_t ids[CELLS];
	uint32_t attempts[CELLS];
	size_t count;
};

static inline void
visit(void *context, uint64_t id, uint32_t attempt)
{
	struct visited *visited = context;
	assert_true(visited->count < CELLS);
	visited->attempts[visited->count] = attempt;
	visited->ids[visited->count++] = id;
}

#endif

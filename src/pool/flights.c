/* flights.c: see flights.h. */
#include "pool/flights.h"

#include <assert.h>

#include "task/task.h"

/* attempt: 16 bits; count: 15; owner: 32; started: 1. */
static_assert(TASK_CHUNK_MAX < 1 << 15 && TASK_ATTEMPTS_MAX < 1 << 16, "one word");

static uint64_t
flight_pack(struct flight flight)
{
	return (uint64_t)flight.attempt << 48 | (uint64_t)flight.count << 33 |
	       (uint64_t)flight.owner << 1 | flight.is_started;
}

static struct flight
flight_unpack(uint64_t word)
{
	return (struct flight){
	    .count = (uint32_t)(word >> 33) & 0x7fff,
	    .attempt = (uint32_t)(word >> 48),
	    .owner = (uint32_t)(word >> 1),
	    .is_started = (word & 1) != 0,
	};
}

void
flights_fini(struct flights *flights)
{
	seqmap_fini(&flights->map);
}

int
flights_add(struct flights *flights, uint64_t seq, uint32_t count, uint32_t attempt)
{
	struct flight flight = {.count = count, .attempt = attempt, .owner = FLIGHTS_NOBODY};
	if (seqmap_set(&flights->map, seq, flight_pack(flight)) == -1)
		return -1;
	flights->task_count += count;
	return 0;
}

void
flights_remove(struct flights *flights, uint64_t seq)
{
	struct flight flight;
	if (!flights_get(flights, seq, &flight))
		return;
	flights->task_count -= flight.count;
	seqmap_remove(&flights->map, seq);
}

void
flights_drop(struct flights *flights, uint64_t seq, uint32_t count)
{
	struct flight flight;
	if (!flights_get(flights, seq, &flight) || count == 0)
		return;
	assert(count <= flight.count);
	seqmap_remove(&flights->map, seq);
	flights->task_count -= count;
	flight.count -= count;
	if (flight.count > 0) /* in the place of the one just removed */
		seqmap_set(&flights->map, seq + count, flight_pack(flight));
}

int
flights_split(struct flights *flights, uint64_t seq)
{
	struct flight flight;
	if (!flights_get(flights, seq, &flight) || flight.count == 1)
		return 0;
	flight.count--;
	if (seqmap_set(&flights->map, seq + 1, flight_pack(flight)) == -1)
		return -1;
	flight.count = 1;
	flights_set(flights, seq, flight);
	return 0;
}

bool
flights_get(const struct flights *flights, uint64_t seq, struct flight *flight)
{
	const uint64_t *word = seqmap_find(&flights->map, seq);
	if (word != NULL)
		*flight = flight_unpack(*word);
	return word != NULL;
}

bool
flights_find_around(const struct flights *flights, uint64_t seq, uint64_t *first,
		    struct flight *flight)
{
	size_t cursor = 0;
	uint64_t word;
	while (seqmap_next(&flights->map, &cursor, first, &word)) {
		*flight = flight_unpack(word);
		if (seq >= *first && seq - *first < flight->count)
			return true;
	}
	return false;
}

void
flights_set(struct flights *flights, uint64_t seq, struct flight flight)
{
	uint64_t *word = seqmap_find(&flights->map, seq);
	if (word != NULL)
		*word = flight_pack(flight);
}

void
flights_claim(struct flights *flights, uint64_t seq, uint32_t attempt, uint32_t owner)
{
	struct flight flight;
	if (!flights_get(flights, seq, &flight) || flight.attempt != attempt ||
	    flight.owner != FLIGHTS_NOBODY)
		return;
	flight.owner = owner;
	flights_set(flights, seq, flight);
}

bool
flights_find_owned(const struct flights *flights, uint32_t owner, uint64_t *seq,
		   struct flight *flight)
{
	size_t cursor = 0;
	uint64_t word;
	while (seqmap_next(&flights->map, &cursor, seq, &word)) {
		*flight = flight_unpack(word);
		if (flight->owner == owner)
			return true;
	}
	return false;
}

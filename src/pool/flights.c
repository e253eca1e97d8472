/* flights.c: see flights.h. */
#include "pool/flights.h"

static uint64_t
flight_pack(struct flight flight)
{
	return (uint64_t)flight.attempt << 48 | (uint64_t)flight.owner << 1 |
	       flight.is_started;
}

static struct flight
flight_unpack(uint64_t word)
{
	return (struct flight){
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

size_t
flights_count(const struct flights *flights)
{
	return flights->map.count;
}

int
flights_add(struct flights *flights, uint64_t seq, uint32_t attempt)
{
	struct flight flight = {.attempt = attempt, .owner = FLIGHTS_NOBODY};
	return seqmap_set(&flights->map, seq, flight_pack(flight));
}

void
flights_remove(struct flights *flights, uint64_t seq)
{
	seqmap_remove(&flights->map, seq);
}

bool
flights_get(const struct flights *flights, uint64_t seq, struct flight *flight)
{
	const uint64_t *word = seqmap_find(&flights->map, seq);
	if (word != NULL)
		*flight = flight_unpack(*word);
	return word != NULL;
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

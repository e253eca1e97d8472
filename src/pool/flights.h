/*
 * flights.h: which attempt is in flight, and with which worker.
 *
 * The pool's own memory of what it handed out, kept apart from anything a worker can write: a
 * worker's word counts only for attempts that are in flight and not another worker's. A chunk
 * is one flight, known by the first of its tasks that has no end yet.
 */
#ifndef PINION_FLIGHTS_H
#define PINION_FLIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/seqmap.h"

#define FLIGHTS_NOBODY UINT32_MAX /* not known to be with a worker yet */

struct flight {
	uint32_t count;   /* of tasks, up to TASK_CHUNK_MAX */
	uint32_t attempt; /* up to 65535 */
	uint32_t owner;   /* worker number, or FLIGHTS_NOBODY */
	bool is_started;
};

struct flights {
	struct seqmap map; /* seq -> a flight in one word */
	size_t task_count;
};

void flights_fini(struct flights *flights);

/* A new one, with nobody. 0, -1 without memory. */
int flights_add(struct flights *flights, uint64_t seq, uint32_t count, uint32_t attempt);
void flights_remove(struct flights *flights, uint64_t seq);

/* False when no attempt at this seq is in flight. */
bool flights_get(const struct flights *flights, uint64_t seq, struct flight *flight);

/* The same of the flight that this seq is part of, which begins at *first. */
bool flights_find_around(const struct flights *flights, uint64_t seq, uint64_t *first,
			 struct flight *flight);
void flights_set(struct flights *flights, uint64_t seq, struct flight flight);

/*
 * The first `count` tasks of the flight at seq are not part of it any more: what is left, if
 * anything, is in flight as before. Cannot fail.
 */
void flights_drop(struct flights *flights, uint64_t seq, uint32_t count);

/* Makes the first task of the flight at seq one of its own. 0, -1 without memory. */
int flights_split(struct flights *flights, uint64_t seq);

/* Says who has it, unless that is known or this attempt is not in flight. */
void flights_claim(struct flights *flights, uint64_t seq, uint32_t attempt, uint32_t owner);

/* Any flight of this worker; false: there is none. */
bool flights_find_owned(const struct flights *flights, uint32_t owner, uint64_t *seq,
			struct flight *flight);

#endif

/*
 * places.h: which PUs each worker gets.
 *
 * Pure arithmetic on a machine's tables, the same answer for the same question, so that every
 * worker can work out its own place. Called by topology only; `kind` is never SPEC_BIND_AUTO.
 */
#ifndef PINION_PLACES_H
#define PINION_PLACES_H

#include <stddef.h>

#include "base/err.h"
#include "pool/machine.h"
#include "task/spec.h"

/* Orders worked out once for a machine, which must outlive them. */
struct places {
	const struct machine *machine;
	size_t *core_order; /* cores such that those which follow each other lie far apart */
	size_t *node_first; /* the first core of each NUMA node that has one, and an end mark */
	size_t node_count;
};

/* A slice of machine->pus. */
struct place {
	size_t pu_first;
	size_t pu_count;
};

/* 0, or -1 without memory. */
int places_init(struct places *places, const struct machine *machine, struct err *err);
void places_fini(struct places *places);

/* How many different places the kind has for so many workers; 1 for SPEC_BIND_NONE. */
size_t places_count(const struct places *places, enum spec_bind kind, size_t worker_count);

/*
 * The place of worker `slot_index`, from 0; slots beyond places_count go round again.
 * Without memory, shares are cut at whatever core comes, also in the middle of a cache.
 */
struct place places_at(const struct places *places, enum spec_bind kind,
		       size_t worker_count, size_t slot_index);

#endif

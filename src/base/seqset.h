/*
 * seqset.h: a set of seqs, with 32 bits of the caller's for each.
 *
 * For what an earlier run recorded: a million seqs in a row take 4.5 MB, and seqs far apart no
 * more than 400 bytes each. Zero-initialise; end with seqset_fini.
 */
#ifndef PINION_SEQSET_H
#define PINION_SEQSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/seqmap.h"

struct seqset_block;

struct seqset {
	struct seqmap blocks;
	struct seqset_block *last; /* the one found last: the next seq is often in it too */
	uint64_t last_number;
	uint64_t *numbers; /* of all blocks, in order where is_sorted */
	size_t number_count;
	size_t number_capacity;
	bool is_sorted;
	uint64_t count;
	uint64_t end; /* all members are below */
};

void seqset_fini(struct seqset *set);

/*
 * Puts it in, if it is not; returns its bits, 0 at first, to read or change in place; they stay
 * where they are. NULL without memory. Seqs are below UINT64_MAX.
 */
uint32_t *seqset_add(struct seqset *set, uint64_t seq);

/* The bits of a member; NULL: it is none. */
uint32_t *seqset_find(struct seqset *set, uint64_t seq);

/* The first member that is not before `seq`; `end`: there is none. However far it is. */
uint64_t seqset_next(struct seqset *set, uint64_t seq);

#endif

/* seqset.c: see seqset.h. */
#include "base/seqset.h"

#include <stdlib.h>

#define SEQSET_BLOCK_SEQS 64

struct seqset_block {
	uint64_t members; /* one bit each */
	uint32_t bits[SEQSET_BLOCK_SEQS];
};

void
seqset_fini(struct seqset *set)
{
	size_t cursor = 0;
	uint64_t number, block;
	while (seqmap_next(&set->blocks, &cursor, &number, &block))
		free((struct seqset_block *)(uintptr_t)block);
	seqmap_fini(&set->blocks);
	*set = (struct seqset){0};
}

static struct seqset_block *
seqset_find_block(struct seqset *set, uint64_t number)
{
	if (set->last != NULL && set->last_number == number)
		return set->last;
	const uint64_t *found = seqmap_find(&set->blocks, number);
	if (found == NULL)
		return NULL;
	set->last = (struct seqset_block *)(uintptr_t)*found;
	set->last_number = number;
	return set->last;
}

static struct seqset_block *
seqset_add_block(struct seqset *set, uint64_t number)
{
	struct seqset_block *block = seqset_find_block(set, number);
	if (block != NULL)
		return block;
	block = calloc(1, sizeof(*block));
	if (block == NULL)
		return NULL;
	if (seqmap_set(&set->blocks, number, (uint64_t)(uintptr_t)block) == -1) {
		free(block);
		return NULL;
	}
	return block;
}

uint32_t *
seqset_add(struct seqset *set, uint64_t seq)
{
	struct seqset_block *block = seqset_add_block(set, seq / SEQSET_BLOCK_SEQS);
	uint64_t bit = UINT64_C(1) << seq % SEQSET_BLOCK_SEQS;
	if (block == NULL)
		return NULL;
	if ((block->members & bit) == 0) {
		block->members |= bit;
		set->count++;
		if (seq >= set->end)
			set->end = seq + 1;
	}
	return &block->bits[seq % SEQSET_BLOCK_SEQS];
}

uint32_t *
seqset_find(struct seqset *set, uint64_t seq)
{
	struct seqset_block *block = seqset_find_block(set, seq / SEQSET_BLOCK_SEQS);
	uint64_t bit = UINT64_C(1) << seq % SEQSET_BLOCK_SEQS;
	return block != NULL && (block->members & bit) != 0
		   ? &block->bits[seq % SEQSET_BLOCK_SEQS]
		   : NULL;
}

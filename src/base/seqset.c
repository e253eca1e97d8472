/* seqset.c: see seqset.h. */
#include "base/seqset.h"

#include <assert.h>
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
	free(set->numbers);
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

/* Room for one more. 0, -1 without memory. */
static int
seqset_reserve_number(struct seqset *set)
{
	if (set->number_count < set->number_capacity)
		return 0;
	size_t capacity = set->number_capacity == 0 ? 64 : 2 * set->number_capacity;
	uint64_t *grown = reallocarray(set->numbers, capacity, sizeof(*grown));
	if (grown == NULL)
		return -1;
	set->numbers = grown;
	set->number_capacity = capacity;
	return 0;
}

static struct seqset_block *
seqset_add_block(struct seqset *set, uint64_t number)
{
	struct seqset_block *block = seqset_find_block(set, number);
	if (block != NULL)
		return block;
	block = seqset_reserve_number(set) == 0 ? calloc(1, sizeof(*block)) : NULL;
	if (block == NULL)
		return NULL;
	if (seqmap_set(&set->blocks, number, (uint64_t)(uintptr_t)block) == -1) {
		free(block);
		return NULL;
	}
	set->numbers[set->number_count++] = number;
	set->is_sorted = false;
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

static int
seqset_compare(const void *a, const void *b)
{
	const uint64_t *left = a, *right = b;
	return (*left > *right) - (*left < *right);
}

/* Where the first block is that is not before this number. */
static size_t
seqset_lower_bound(struct seqset *set, uint64_t number)
{
	size_t low = 0, high = set->number_count;
	if (!set->is_sorted && set->number_count > 0)
		qsort(set->numbers, set->number_count, sizeof(*set->numbers),
		      seqset_compare);
	set->is_sorted = true;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (set->numbers[middle] < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint64_t
seqset_next(struct seqset *set, uint64_t seq)
{
	uint64_t number = seq / SEQSET_BLOCK_SEQS;
	uint64_t wanted = UINT64_MAX << seq % SEQSET_BLOCK_SEQS;
	for (size_t i = seqset_lower_bound(set, number); i < set->number_count; i++) {
		const struct seqset_block *block = seqset_find_block(set, set->numbers[i]);
		assert(block != NULL);
		uint64_t members = block->members;
		if (set->numbers[i] == number)
			members &= wanted;
		if (members != 0)
			return set->numbers[i] * SEQSET_BLOCK_SEQS +
			       (uint64_t)__builtin_ctzll(members);
	}
	return set->end;
}

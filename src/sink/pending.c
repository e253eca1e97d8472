/* pending.c: see pending.h. */
#include "sink/pending.h"

#include <stdlib.h>

#define PENDING_MIN_CAPACITY 64

/* Seqs come in a row, or in rows of a chunk's length; the multiplication spreads both. */
static size_t
pending_home(const struct pending_table *table, uint64_t seq)
{
	return (size_t)((seq * UINT64_C(0x9e3779b97f4a7c15)) >> 20) & (table->capacity - 1);
}

/* The entry of this seq, or the unused one where it would go. */
static struct pending *
pending_probe(const struct pending_table *table, uint64_t seq)
{
	size_t at = pending_home(table, seq);
	while (table->entries[at].is_used && table->entries[at].seq != seq)
		at = (at + 1) & (table->capacity - 1);
	return &table->entries[at];
}

struct pending *
pending_find(const struct pending_table *table, uint64_t seq)
{
	if (table->count == 0)
		return NULL;
	struct pending *pending = pending_probe(table, seq);
	return pending->is_used ? pending : NULL;
}

static int
pending_grow(struct pending_table *table)
{
	struct pending_table grown = {.count = table->count};
	grown.capacity = table->capacity == 0 ? PENDING_MIN_CAPACITY : table->capacity * 2;
	grown.entries = calloc(grown.capacity, sizeof(*grown.entries));
	if (grown.entries == NULL)
		return -1;
	for (size_t i = 0; i < table->capacity; i++)
		if (table->entries[i].is_used)
			*pending_probe(&grown, table->entries[i].seq) = table->entries[i];
	free(table->entries);
	*table = grown;
	return 0;
}

struct pending *
pending_add(struct pending_table *table, uint64_t seq)
{
	struct pending *pending = pending_find(table, seq);
	if (pending != NULL)
		return pending;
	if (2 * (table->count + 1) > table->capacity && pending_grow(table) == -1)
		return NULL;
	pending = pending_probe(table, seq);
	*pending = (struct pending){.seq = seq, .is_used = true};
	table->count++;
	return pending;
}

void
pending_clear(struct pending *pending, struct spill *spill)
{
	held_free(spill, pending->text);
	for (int i = 0; i < RESULT_STREAMS; i++) {
		held_free(spill, pending->held[i]);
		held_free(spill, pending->partial[i]);
	}
	free(pending->tag);
	*pending = (struct pending){.seq = pending->seq, .is_used = true};
}

void
pending_remove(struct pending_table *table, struct pending *pending, struct spill *spill)
{
	size_t mask = table->capacity - 1;
	size_t hole = (size_t)(pending - table->entries);
	pending_clear(pending, spill);
	table->count--;
	/*
	 * Entries that were pushed on past the hole move back into it, so that probing
	 * needs no marks.
	 */
	for (size_t at = (hole + 1) & mask; table->entries[at].is_used;
	     at = (at + 1) & mask) {
		size_t home = pending_home(table, table->entries[at].seq);
		if (((at - home) & mask) < ((at - hole) & mask))
			continue;
		table->entries[hole] = table->entries[at];
		hole = at;
	}
	table->entries[hole] = (struct pending){0};
}

void
pending_fini(struct pending_table *table, struct spill *spill)
{
	for (size_t i = 0; i < table->capacity; i++)
		if (table->entries[i].is_used)
			pending_clear(&table->entries[i], spill);
	free(table->entries);
	*table = (struct pending_table){0};
}

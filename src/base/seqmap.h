/*
 * seqmap.h: a map from seqs to one 64-bit word each.
 *
 * For the tasks in flight, of which there are few whatever the length of the input: a hash table
 * with linear probing that grows and never shrinks. Zero-initialise; end with seqmap_fini.
 */
#ifndef PINION_SEQMAP_H
#define PINION_SEQMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct seqmap_entry {
	uint64_t key_plus_1; /* 0: empty */
	uint64_t value;
};

struct seqmap {
	struct seqmap_entry *entries;
	size_t capacity; /* power of two, or 0 */
	size_t count;
};

void seqmap_fini(struct seqmap *map);

/* Sets or replaces. 0, -1 without memory. Keys are below UINT64_MAX. */
int seqmap_set(struct seqmap *map, uint64_t key, uint64_t value);

/* The word of a key, to read or change in place, valid until the next set or remove; NULL: none. */
uint64_t *seqmap_find(const struct seqmap *map, uint64_t key);

void seqmap_remove(struct seqmap *map, uint64_t key);

/* Goes through all entries in no order: `*cursor` starts at 0; false at the end. No changes meanwhile. */
bool seqmap_next(const struct seqmap *map, size_t *cursor, uint64_t *key, uint64_t *value);

#endif

/* seqmap.c: see seqmap.h. */
#include "base/seqmap.h"

#include <stdlib.h>

#define SEQMAP_MIN_CAPACITY 64

void
seqmap_fini(struct seqmap *map)
{
	free(map->entries);
	*map = (struct seqmap){0};
}

/* Seqs come in a row; the multiplication (Knuth, TAOCP 6.4) spreads them. */
static size_t
seqmap_home(const struct seqmap *map, uint64_t key)
{
	return (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 20) & (map->capacity - 1);
}

/* Where the key is, or the empty place where it would go. */
static size_t
seqmap_probe(const struct seqmap *map, uint64_t key)
{
	size_t at = seqmap_home(map, key);
	while (map->entries[at].key_plus_1 != 0 && map->entries[at].key_plus_1 != key + 1)
		at = (at + 1) & (map->capacity - 1);
	return at;
}

static int
seqmap_grow(struct seqmap *map)
{
	struct seqmap grown = {
	    .capacity = map->capacity ? map->capacity * 2 : SEQMAP_MIN_CAPACITY,
	    .count = map->count,
	};
	grown.entries = calloc(grown.capacity, sizeof(*grown.entries));
	if (grown.entries == NULL)
		return -1;
	for (size_t i = 0; i < map->capacity; i++)
		if (map->entries[i].key_plus_1 != 0)
			grown.entries[seqmap_probe(&grown, map->entries[i].key_plus_1 - 1)] =
			    map->entries[i];
	free(map->entries);
	*map = grown;
	return 0;
}

int
seqmap_set(struct seqmap *map, uint64_t key, uint64_t value)
{
	if (map->count * 2 >= map->capacity && seqmap_grow(map) == -1)
		return -1;
	struct seqmap_entry *entry = &map->entries[seqmap_probe(map, key)];
	map->count += entry->key_plus_1 == 0;
	*entry = (struct seqmap_entry){.key_plus_1 = key + 1, .value = value};
	return 0;
}

uint64_t *
seqmap_find(const struct seqmap *map, uint64_t key)
{
	if (map->capacity == 0)
		return NULL;
	struct seqmap_entry *entry = &map->entries[seqmap_probe(map, key)];
	return entry->key_plus_1 == 0 ? NULL : &entry->value;
}

/* Empties the place and moves up what probing would no longer find (no tombstones). */
void
seqmap_remove(struct seqmap *map, uint64_t key)
{
	if (map->capacity == 0)
		return;
	size_t hole = seqmap_probe(map, key);
	if (map->entries[hole].key_plus_1 == 0)
		return;
	map->count--;
	size_t mask = map->capacity - 1;
	for (size_t at = (hole + 1) & mask; map->entries[at].key_plus_1 != 0;
	     at = (at + 1) & mask) {
		size_t home = seqmap_home(map, map->entries[at].key_plus_1 - 1);
		if (((at - home) & mask) >= ((at - hole) & mask)) {
			map->entries[hole] = map->entries[at];
			hole = at;
		}
	}
	map->entries[hole].key_plus_1 = 0;
}

bool
seqmap_next(const struct seqmap *map, size_t *cursor, uint64_t *key, uint64_t *value)
{
	while (*cursor < map->capacity) {
		const struct seqmap_entry *entry = &map->entries[(*cursor)++];
		if (entry->key_plus_1 != 0) {
			*key = entry->key_plus_1 - 1;
			*value = entry->value;
			return true;
		}
	}
	return false;
}

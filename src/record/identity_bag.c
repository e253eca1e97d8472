/* identity_bag.c: see identity_bag.h. */
#include "record/identity_bag.h"

#include <stdlib.h>
#include <string.h>

#define BAG_MIN 64

void
identity_bag_fini(struct identity_bag *bag)
{
	free(bag->keys);
	free(bag->counts);
	*bag = (struct identity_bag){0};
}

/* Keys are digests: as random as can be. The top bits choose the place, in any number of places. */
static size_t
bag_home(const struct identity_bag *bag, const struct identity *identity)
{
	return (size_t)((unsigned __int128)identity->words[0] * bag->capacity >> 64);
}

/*
 * A place that was taken keeps its key when nothing is left of it, so that those behind it are
 * still found: its count is then BAG_NONE_LEFT.
 */
#define BAG_EMPTY 0
#define BAG_NONE_LEFT UINT32_MAX

/* Where the key is, or the empty place where it would be. */
static size_t
bag_find(const struct identity_bag *bag, const struct identity *identity)
{
	size_t i = bag_home(bag, identity);
	while (bag->counts[i] != BAG_EMPTY &&
	       memcmp(&bag->keys[i], identity, sizeof(*identity)) != 0)
		i = i + 1 == bag->capacity ? 0 : i + 1;
	return i;
}

static bool
bag_has_room(const struct identity_bag *bag, size_t count)
{
	return count <= bag->capacity - bag->capacity / 5;
}

static int
bag_resize(struct identity_bag *bag, size_t capacity)
{
	struct identity_bag bigger = {
	    .keys = malloc(capacity * sizeof(*bag->keys)),
	    .counts = calloc(capacity, sizeof(*bag->counts)),
	    .capacity = capacity,
	    .taken_count = bag->taken_count,
	};
	if (bigger.keys == NULL || bigger.counts == NULL) {
		identity_bag_fini(&bigger);
		return -1;
	}
	for (size_t i = 0; i < bag->capacity; i++) {
		if (bag->counts[i] == BAG_EMPTY)
			continue;
		size_t to = bag_find(&bigger, &bag->keys[i]);
		bigger.keys[to] = bag->keys[i];
		bigger.counts[to] = bag->counts[i];
	}
	identity_bag_fini(bag);
	*bag = bigger;
	return 0;
}

int
identity_bag_reserve(struct identity_bag *bag, size_t count)
{
	if (bag->capacity > 0 && bag_has_room(bag, count))
		return 0;
	if (count > SIZE_MAX / 64)
		return -1;
	return bag_resize(bag, BAG_MIN + count + count / 4);
}

int
identity_bag_add(struct identity_bag *bag, const struct identity *identity)
{
	if ((bag->capacity == 0 || !bag_has_room(bag, bag->taken_count + 1)) &&
	    bag_resize(bag, BAG_MIN + 2 * bag->capacity) == -1)
		return -1;
	size_t i = bag_find(bag, identity);
	/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): what is freed is not what it has now. */
	if (bag->counts[i] == BAG_EMPTY) {
		bag->keys[i] = *identity;
		bag->taken_count++;
	}
	if (bag->counts[i] == BAG_NONE_LEFT)
		bag->counts[i] = BAG_EMPTY;
	if (bag->counts[i] < BAG_NONE_LEFT - 1)
		bag->counts[i]++;
	return 0;
}

bool
identity_bag_take(struct identity_bag *bag, const struct identity *identity)
{
	if (bag->capacity == 0)
		return false;
	size_t i = bag_find(bag, identity);
	if (bag->counts[i] == BAG_EMPTY || bag->counts[i] == BAG_NONE_LEFT)
		return false;
	bag->counts[i]--;
	if (bag->counts[i] == BAG_EMPTY)
		bag->counts[i] = BAG_NONE_LEFT;
	return true;
}

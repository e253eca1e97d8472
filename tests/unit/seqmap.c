/* The map from seqs to words, against a plain array. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/seqmap.h"

#define KEYS 2000

/* Neighbours, far apart, and the largest there is. */
static uint64_t
key_of(unsigned int number)
{
	if (number == 0)
		return UINT64_MAX - 1;
	return number % 2 == 0 ? number : (uint64_t)number << 33;
}

static void
assert_same(const struct seqmap *map, const uint64_t *model)
{
	size_t count = 0;
	for (unsigned int i = 0; i < KEYS; i++) {
		const uint64_t *found = seqmap_find(map, key_of(i));
		assert_int_equal(found != NULL, model[i] != 0);
		if (found != NULL)
			assert_true(*found == model[i]);
		count += model[i] != 0;
	}
	assert_int_equal(map->count, count);
}

static void
behaves_as_an_array_would(void **state)
{
	(void)state;
	struct seqmap map = {0};
	static uint64_t model[KEYS]; /* 0: not there */
	unsigned int seed = 3;
	memset(model, 0, sizeof(model));
	for (int i = 0; i < 40000; i++) {
		unsigned int range = i / 4000 % 2 == 0 ? KEYS : 50; /* fill, then crowd */
		unsigned int number = (unsigned int)rand_r(&seed) % range;
		if (rand_r(&seed) % 2 == 0) {
			model[number] = (uint64_t)i + 1;
			assert_int_equal(seqmap_set(&map, key_of(number), model[number]),
					 0);
		} else {
			model[number] = 0;
			seqmap_remove(&map, key_of(number));
		}
		if (i % 1000 == 0)
			assert_same(&map, model);
	}
	assert_same(&map, model);
	seqmap_fini(&map);
}

static void
walk_gives_each_entry_once(void **state)
{
	(void)state;
	struct seqmap map = {0};
	bool is_seen[300] = {false};
	size_t cursor = 0;
	size_t count = 0;
	uint64_t key;
	uint64_t value;
	for (uint64_t i = 0; i < 300; i++)
		assert_int_equal(seqmap_set(&map, i * 7, i), 0);
	for (uint64_t i = 0; i < 300; i += 3)
		seqmap_remove(&map, i * 7);
	while (seqmap_next(&map, &cursor, &key, &value)) {
		assert_int_equal(key, value * 7);
		assert_true(value < 300 && value % 3 != 0 && !is_seen[value]);
		is_seen[value] = true;
		count++;
	}
	assert_int_equal(count, 200);
	seqmap_fini(&map);
}

static void
found_word_can_be_changed_in_place(void **state)
{
	(void)state;
	struct seqmap map = {0};
	assert_int_equal(seqmap_set(&map, 5, 1), 0);
	*seqmap_find(&map, 5) = 2;
	assert_int_equal(*seqmap_find(&map, 5), 2);
	assert_int_equal(seqmap_set(&map, 5, 3), 0);
	assert_int_equal(*seqmap_find(&map, 5), 3);
	assert_int_equal(map.count, 1);
	seqmap_fini(&map);
}

static void
empty_map_has_nothing(void **state)
{
	(void)state;
	struct seqmap map = {0};
	size_t cursor = 0;
	uint64_t key;
	uint64_t value;
	assert_null(seqmap_find(&map, 0));
	seqmap_remove(&map, 0);
	assert_false(seqmap_next(&map, &cursor, &key, &value));
	seqmap_fini(&map);
	seqmap_fini(&map);
}

static void
stream_of_seqs_does_not_make_it_grow(void **state)
{
	(void)state;
	struct seqmap map = {0};
	for (uint64_t seq = 0; seq < 100000; seq++) { /* 20 in flight at any time */
		assert_int_equal(seqmap_set(&map, seq, seq), 0);
		if (seq >= 20)
			seqmap_remove(&map, seq - 20);
	}
	assert_int_equal(map.count, 20);
	assert_true(map.capacity <= 64);
	seqmap_fini(&map);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(behaves_as_an_array_would),
	    cmocka_unit_test(walk_gives_each_entry_once),
	    cmocka_unit_test(found_word_can_be_changed_in_place),
	    cmocka_unit_test(empty_map_has_nothing),
	    cmocka_unit_test(stream_of_seqs_does_not_make_it_grow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

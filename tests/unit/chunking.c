/* How many tasks make a chunk. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/clock.h"
#include "pool/chunking.h"
#include "task/task.h"

static struct chunking
chunking_of(size_t chunk_count)
{
	struct chunking chunking;
	struct spec spec;
	spec_init(&spec, SPEC_MAP);
	spec.chunk_count = chunk_count;
	chunking_init(&chunking, &spec);
	spec_fini(&spec);
	return chunking;
}

/* A chunk, as large as it is now, of tasks that took so long each. */
static uint32_t
add_chunk(struct chunking *chunking, int64_t task_ns)
{
	uint32_t count = chunking_count(chunking);
	chunking_add(chunking, count, count * task_ns);
	return chunking_count(chunking);
}

static struct chunking
settled_at(int64_t task_ns)
{
	struct chunking chunking = chunking_of(0);
	for (int i = 0; i < 50; i++)
		add_chunk(&chunking, task_ns);
	return chunking;
}

static void
a_fixed_size_stays_whatever_tasks_take(void **state)
{
	(void)state;
	static const struct {
		size_t asked;
		uint32_t count;
	} cases[] = {{1, 1},
		     {7, 7},
		     {TASK_CHUNK_MAX, TASK_CHUNK_MAX},
		     {TASK_CHUNK_MAX + 1, TASK_CHUNK_MAX},
		     {SIZE_MAX, TASK_CHUNK_MAX}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct chunking chunking = chunking_of(cases[i].asked);
		assert_int_equal(chunking_count(&chunking), cases[i].count);
		assert_int_equal(add_chunk(&chunking, 1), cases[i].count);
		assert_int_equal(add_chunk(&chunking, NS_PER_S), cases[i].count);
	}
}

static void
auto_starts_with_one_and_grows_a_bounded_step_at_a_time(void **state)
{
	(void)state;
	struct chunking chunking = chunking_of(0);
	uint32_t before = chunking_count(&chunking);
	assert_int_equal(before, 1);
	for (int i = 0; i < 10; i++) {
		uint32_t count = add_chunk(&chunking, 1);
		assert_in_range(count, before, 8 * before);
		before = count;
	}
	assert_int_equal(before, TASK_CHUNK_MAX);
}

static void
auto_finds_the_work_that_a_chunk_should_be(void **state)
{
	(void)state;
	static const int64_t task_ns[] = {1000, 3000, 10000, 100000};
	for (size_t i = 0; i < sizeof(task_ns) / sizeof(*task_ns); i++) {
		struct chunking chunking = settled_at(task_ns[i]);
		int64_t wanted = CHUNKING_WORK_NS / task_ns[i];
		assert_in_range(chunking_count(&chunking), wanted - 1, wanted + 1);
	}
}

/* It is there after a few ms of work, however short the tasks. */
static void
auto_is_quick(void **state)
{
	(void)state;
	for (int64_t task_ns = 100; task_ns <= 100000; task_ns *= 10) {
		struct chunking chunking = chunking_of(0);
		int64_t wanted = CHUNKING_WORK_NS / task_ns;
		int64_t work_ns = 0;
		wanted = wanted < TASK_CHUNK_MAX ? wanted : TASK_CHUNK_MAX;
		while (chunking_count(&chunking) + 1 < wanted) {
			work_ns += chunking_count(&chunking) * task_ns;
			assert_true(work_ns <= 3 * NS_PER_MS);
			add_chunk(&chunking, task_ns);
		}
	}
}

static void
long_tasks_travel_alone(void **state)
{
	(void)state;
	static const int64_t task_ns[] = {CHUNKING_WORK_NS, NS_PER_MS, NS_PER_S, INT64_MAX};
	for (size_t i = 0; i < sizeof(task_ns) / sizeof(*task_ns); i++) {
		struct chunking chunking = chunking_of(0);
		for (int n = 0; n < 20; n++)
			assert_int_equal(add_chunk(&chunking, task_ns[i]), 1);
	}
}

static void
one_long_task_among_short_ones_ends_chunks_at_once(void **state)
{
	(void)state;
	for (int64_t task_ns = 100; task_ns <= 10000; task_ns *= 10) {
		struct chunking chunking = settled_at(task_ns);
		assert_true(chunking_count(&chunking) >= 29);
		chunking_add(&chunking, 1, 10 * NS_PER_MS);
		assert_int_equal(chunking_count(&chunking), 1);
	}
}

static void
after_a_long_task_chunks_of_short_ones_grow_again(void **state)
{
	(void)state;
	struct chunking chunking = settled_at(1000);
	uint32_t before = chunking_count(&chunking);
	chunking_add(&chunking, 1, 10 * NS_PER_MS);
	for (int i = 0; i < 100; i++)
		add_chunk(&chunking, 1000);
	assert_in_range(chunking_count(&chunking), before - 1, before);
}

static void
a_few_short_tasks_of_a_large_chunk_change_little(void **state)
{
	(void)state;
	struct chunking chunking = settled_at(1000);
	uint32_t before = chunking_count(&chunking);
	chunking_add(&chunking, 1, 1);
	assert_in_range(chunking_count(&chunking), before, before + before / 20);
	chunking_add(&chunking, 1, 3000);
	assert_in_range(chunking_count(&chunking), before - before / 20,
			before + before / 20);
}

/* Clocks are coarse, tasks as they like: whatever is told, it stays a number of tasks. */
static void
no_times_bring_it_out_of_its_bounds(void **state)
{
	(void)state;
	static const int64_t times[] = {INT64_MIN, -1, 0, 1, 1000, NS_PER_S, INT64_MAX};
	static const uint32_t counts[] = {0, 1, 2, 1000, TASK_CHUNK_MAX, UINT32_MAX};
	struct chunking chunking = chunking_of(0);
	unsigned int seed = 1;
	for (int i = 0; i < 20000; i++) {
		int64_t wall_ns = times[(size_t)rand_r(&seed) % 7];
		chunking_add(&chunking, counts[(size_t)rand_r(&seed) % 6], wall_ns);
		assert_in_range(chunking_count(&chunking), 1, TASK_CHUNK_MAX);
	}
}

static void
nothing_that_ended_changes_nothing(void **state)
{
	(void)state;
	struct chunking chunking = chunking_of(0);
	chunking_add(&chunking, 0, 0);
	chunking_add(&chunking, 0, NS_PER_S);
	assert_int_equal(chunking_count(&chunking), 1);
	assert_int_equal(add_chunk(&chunking, 1), 8);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_fixed_size_stays_whatever_tasks_take),
	    cmocka_unit_test(auto_starts_with_one_and_grows_a_bounded_step_at_a_time),
	    cmocka_unit_test(auto_finds_the_work_that_a_chunk_should_be),
	    cmocka_unit_test(auto_is_quick),
	    cmocka_unit_test(long_tasks_travel_alone),
	    cmocka_unit_test(one_long_task_among_short_ones_ends_chunks_at_once),
	    cmocka_unit_test(after_a_long_task_chunks_of_short_ones_grow_again),
	    cmocka_unit_test(a_few_short_tasks_of_a_large_chunk_change_little),
	    cmocka_unit_test(no_times_bring_it_out_of_its_bounds),
	    cmocka_unit_test(nothing_that_ended_changes_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

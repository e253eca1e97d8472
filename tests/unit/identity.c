/* Identities: what makes two tasks the same; and bags of them, which count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "record/identity.h"
#include "record/identity_bag.h"
#include "record/runfile_ends.h"
#include "task/override.h"

static struct identity
command_of(const char *first, const char *second)
{
	char *words[] = {(char *)(uintptr_t)first, (char *)(uintptr_t)second, NULL};
	struct spec spec;
	spec_init(&spec, SPEC_MAP);
	spec.words = words;
	spec.word_count = second == NULL ? 1 : 2;
	struct identity identity = identity_of_command(&spec);
	spec_fini(&spec);
	return identity;
}

static struct identity
task_of(const char *command, const char *first, const char *second)
{
	const struct spec spec = {0};
	struct identity identity = command_of(command, NULL);
	struct arg args[] = {{first, strlen(first)}, {second, second ? strlen(second) : 0}};
	return identity_of_task(&identity, &spec, args, second == NULL ? 1 : 2);
}

/* A task that has eight bytes of this for itself. */
static struct identity
task_with(enum override_kind kind, const char *text)
{
	struct buf overrides = {0};
	struct identity command = command_of("gzip", NULL);
	const struct spec spec = {.hidden_count = 1};
	assert_int_equal(override_add(&overrides, kind, text, 8), 0);
	const struct arg args[] = {{overrides.bytes, overrides.length}, {"a", 1}};
	struct identity identity = identity_of_task(&command, &spec, args, 2);
	buf_fini(&overrides);
	return identity;
}

static void
assert_same(struct identity a, struct identity b, bool is_same)
{
	assert_int_equal(memcmp(&a, &b, sizeof(a)) == 0, is_same);
}

static void
same_command_and_values_are_the_same_task(void **state)
{
	(void)state;
	assert_same(task_of("gzip", "a", NULL), task_of("gzip", "a", NULL), true);
}

static void
each_difference_counts(void **state)
{
	(void)state;
	assert_same(task_of("gzip", "a", NULL), task_of("gzip", "b", NULL), false);
	assert_same(task_of("gzip", "a", NULL), task_of("bzip2", "a", NULL), false);
	assert_same(task_of("gzip", "ab", "c"), task_of("gzip", "a", "bc"), false);
	assert_same(task_of("gzip", "a", ""), task_of("gzip", "a", NULL), false);
	assert_same(command_of("a b", NULL), command_of("a", "b"), false);
}

static void
what_a_task_has_for_itself_counts_but_for_its_limit_and_its_origin(void **state)
{
	static const enum override_kind counted[] = {OVERRIDE_ID, OVERRIDE_ENV,
						     OVERRIDE_CWD, OVERRIDE_STDIN_FILE,
						     OVERRIDE_STDIN_TEXT};
	(void)state;
	for (size_t i = 0; i < sizeof(counted) / sizeof(*counted); i++)
		assert_same(task_with(counted[i], "A=345678"),
			    task_with(counted[i], "A=345679"), false);
	assert_same(task_with(OVERRIDE_CWD, "A=345678"),
		    task_with(OVERRIDE_ENV, "A=345678"), false);
	assert_same(task_with(OVERRIDE_TIMEOUT, "12345678"),
		    task_with(OVERRIDE_TIMEOUT, "12345679"), true);
	assert_same(task_with(OVERRIDE_FROM, "12345678"), task_of("gzip", "a", NULL), true);
}

static void
options_that_change_the_command_count(void **state)
{
	(void)state;
	char *words[] = {(char *)(uintptr_t) "{..}", NULL};
	struct spec spec;
	spec_init(&spec, SPEC_MAP);
	spec.words = words;
	spec.word_count = 1;
	struct identity plain = identity_of_command(&spec);
	spec.has_plus = true;
	assert_same(plain, identity_of_command(&spec), false);
	spec.has_plus = false;
	spec.work_dir = "/";
	assert_same(plain, identity_of_command(&spec), false);
	spec.work_dir = NULL;
	spec.jobs.value = 7;
	spec.max_attempts = 9;
	assert_same(plain, identity_of_command(&spec), true);
	spec_fini(&spec);
}

static void
bag_gives_each_as_often_as_it_was_put_in(void **state)
{
	(void)state;
	struct identity_bag bag = {0};
	struct identity a = task_of("x", "a", NULL), b = task_of("x", "b", NULL);
	assert_false(identity_bag_take(&bag, &a));
	for (int i = 0; i < 3; i++)
		assert_int_equal(identity_bag_add(&bag, &a), 0);
	for (int i = 0; i < 3; i++) {
		assert_false(identity_bag_take(&bag, &b));
		assert_true(identity_bag_take(&bag, &a));
	}
	assert_false(identity_bag_take(&bag, &a));
	assert_int_equal(identity_bag_add(&bag, &a), 0);
	assert_true(identity_bag_take(&bag, &a));
	assert_false(identity_bag_take(&bag, &a));
	identity_bag_fini(&bag);
}

/* Wherever they lie: these crowd at one end, round which the search must go. */
static struct identity
crowded(uint64_t number)
{
	return (struct identity){{UINT64_MAX - number % 7, number}};
}

static void
bag_of_many_forgets_none(void **state)
{
	(void)state;
	struct identity_bag bag = {0};
	for (uint64_t i = 0; i < 2000; i++) {
		struct identity identity = crowded(i);
		assert_int_equal(identity_bag_add(&bag, &identity), 0);
	}
	for (uint64_t i = 0; i < 4000; i++) {
		struct identity identity = crowded(i);
		assert_int_equal(identity_bag_take(&bag, &identity), i < 2000);
		assert_false(identity_bag_take(&bag, &identity));
	}
	identity_bag_fini(&bag);
}

static void
bag_that_was_told_how_many_does_not_grow(void **state)
{
	(void)state;
	struct identity_bag bag = {0};
	assert_int_equal(identity_bag_reserve(&bag, 1000), 0);
	size_t capacity = bag.capacity;
	for (uint64_t i = 0; i < 1000; i++) {
		struct identity identity = {{i << 50, i}};
		assert_int_equal(identity_bag_add(&bag, &identity), 0);
	}
	assert_int_equal(bag.capacity, capacity);
	assert_true(capacity * (sizeof(*bag.keys) + sizeof(*bag.counts)) < 1000 * 27);
	identity_bag_fini(&bag);
}

/* A million equal inputs are one key. */
static void
bag_counts_equal_ones_in_one_place(void **state)
{
	(void)state;
	struct identity_bag bag = {0};
	struct identity a = task_of("x", "a", NULL);
	for (int i = 0; i < 1000000; i++)
		assert_int_equal(identity_bag_add(&bag, &a), 0);
	assert_true(bag.capacity < 100);
	for (int i = 0; i < 1000000; i++)
		assert_true(identity_bag_take(&bag, &a));
	assert_false(identity_bag_take(&bag, &a));
	identity_bag_fini(&bag);
}

static void
bag_of_more_than_there_can_be_is_refused(void **state)
{
	(void)state;
	struct identity_bag bag = {0};
	assert_int_equal(identity_bag_reserve(&bag, SIZE_MAX), -1);
	identity_bag_fini(&bag);
}

static void
where_a_task_of_a_stage_came_from_is_not_what_it_is(void **state)
{
	(void)state;
	const struct spec spec = {.hidden_count = 1};
	const struct identity command = command_of("a", NULL);
	struct identity identities[3];
	for (uint64_t from = 0; from < 3; from++) {
		struct buf overrides = {0};
		assert_int_equal(override_add(&overrides, OVERRIDE_FROM,
					      (const char *)&from, sizeof(from)),
				 0);
		assert_int_equal(
		    override_add(&overrides, OVERRIDE_ID, from == 2 ? "y" : "x", 1), 0);
		const struct arg args[] = {{overrides.bytes, overrides.length}, {"v", 1}};
		identities[from] = identity_of_task(&command, &spec, args, 2);
		buf_fini(&overrides);
	}
	assert_same(identities[0], identities[1], true);
	assert_same(identities[0], identities[2], false);
}

static void
ends_are_given_once_each_by_identity(void **state)
{
	struct runfile_ends ends = {0};
	struct err err;
	(void)state;
	assert_null(runfile_ends_take(&ends, &(struct identity){{1, 1}}));
	runfile_ends_fini(&ends);
	for (uint64_t i = 0; i < 30; i++) {
		struct wire_ended ended = {.identity = {{i * 7 % 10, i % 2}},
					   .result.wall_ns = (int64_t)i};
		assert_int_equal(runfile_ends_add(&ends, (const char *)&ended, &err), 0);
	}
	for (uint64_t i = 0; i < 10; i++) {
		const struct identity identity = {{i * 7 % 10, i % 2}};
		int64_t sum = 0;
		for (int j = 0; j < 3; j++) {
			const struct result *end = runfile_ends_take(&ends, &identity);
			assert_non_null(end);
			assert_int_equal(end->wall_ns % 10, i);
			sum += end->wall_ns;
		}
		assert_int_equal(sum, 30 + 3 * i);
		assert_null(runfile_ends_take(&ends, &identity));
	}
	assert_null(runfile_ends_take(&ends, &(struct identity){{10, 0}}));
	assert_null(runfile_ends_take(&ends, &(struct identity){{0, UINT64_MAX}}));
	runfile_ends_fini(&ends);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(same_command_and_values_are_the_same_task),
	    cmocka_unit_test(each_difference_counts),
	    cmocka_unit_test(
		what_a_task_has_for_itself_counts_but_for_its_limit_and_its_origin),
	    cmocka_unit_test(options_that_change_the_command_count),
	    cmocka_unit_test(bag_gives_each_as_often_as_it_was_put_in),
	    cmocka_unit_test(bag_of_many_forgets_none),
	    cmocka_unit_test(bag_that_was_told_how_many_does_not_grow),
	    cmocka_unit_test(bag_counts_equal_ones_in_one_place),
	    cmocka_unit_test(bag_of_more_than_there_can_be_is_refused),
	    cmocka_unit_test(ends_are_given_once_each_by_identity),
	    cmocka_unit_test(where_a_task_of_a_stage_came_from_is_not_what_it_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

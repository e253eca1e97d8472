/* Which tasks the kernel has killed for memory, from made-up counters. */
#include "kernel_files.h"

#include "base/clock.h"
#include "run/memkills.h"

struct fixture {
	struct kernel_files files;
	struct memkills memkills;
};

static const struct result killed = {.reason = RESULT_SIGNAL, .signal = 9};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	kernel_files_make(&f->files);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	memkills_fini(&f->memkills);
	kernel_files_remove(&f->files);
	free(f);
	return 0;
}

static void
open_memkills(struct fixture *f)
{
	assert_int_equal(memkills_init(&f->memkills, f->files.root, &f->files.cgroups), 0);
}

static void
put_count(struct fixture *f, const char *path, int count)
{
	char text[64];
	snprintf(text, sizeof(text), "low 0\noom 8\noom_kill %d\n", count);
	kernel_files_put(&f->files, path, text);
}

static void
kill_that_was_counted_since_the_start_is_explained_once(void **state)
{
	struct fixture *f = *state;
	put_count(f, "/proc/vmstat", 3);
	open_memkills(f);
	uint64_t begin = memkills_begin(&f->memkills, clock_now_ns());
	assert_int_equal(begin, 3);
	assert_false(memkills_explain(&f->memkills, begin, &killed));
	put_count(f, "/proc/vmstat", 5);
	assert_true(memkills_explain(&f->memkills, begin, &killed));
	assert_true(memkills_explain(&f->memkills, begin, &killed));
	assert_false(memkills_explain(&f->memkills, begin, &killed));
}

static void
kill_before_the_task_began_explains_nothing(void **state)
{
	struct fixture *f = *state;
	put_count(f, "/proc/vmstat", 0);
	open_memkills(f);
	put_count(f, "/proc/vmstat", 1);
	uint64_t begin = memkills_begin(&f->memkills, clock_now_ns() + 2 * NS_PER_S);
	assert_int_equal(begin, 1);
	assert_false(memkills_explain(&f->memkills, begin, &killed));
}

static void
only_ends_by_kill_are_explained(void **state)
{
	static const struct {
		struct result result;
		bool is_explained;
	} ends[] = {
	    {{.reason = RESULT_SIGNAL, .signal = 9}, true},
	    {{.reason = RESULT_SIGNAL, .signal = 15}, false},
	    {{.reason = RESULT_EXIT, .exit_status = 137}, true}, /* a shell's child was */
	    {{.reason = RESULT_EXIT, .exit_status = 1}, false},
	    {{.reason = RESULT_EXIT}, false},
	    {{.reason = RESULT_LOST, .signal = 9}, true},
	    {{.reason = RESULT_NO_ANSWER, .signal = 9}, true},
	    {{.reason = RESULT_CANCELLED, .signal = 9}, false},
	    {{.reason = RESULT_TIMEOUT, .signal = 9}, false},
	};
	struct fixture *f = *state;
	put_count(f, "/proc/vmstat", 0);
	open_memkills(f);
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		put_count(f, "/proc/vmstat", (int)(i + 1) * 10);
		assert_int_equal(memkills_explain(&f->memkills, i * 10, &ends[i].result),
				 ends[i].is_explained);
	}
}

static void
nearest_counter_is_taken(void **state)
{
	struct fixture *f = *state;
	put_count(f, "/proc/vmstat", 100);
	put_count(f, "/m/x/memory.oom_control", 20);
	kernel_files_put_self(&f->files, "4:memory:/x\n0::/y\n",
			      MOUNT_V1("memory", "/", "/m") MOUNT_V2("/", "/cg"));
	open_memkills(f);
	assert_int_equal(f->memkills.count, 20);
	memkills_fini(&f->memkills);
	put_count(f, "/cg/y/memory.events", 7);
	open_memkills(f);
	assert_int_equal(f->memkills.count, 7);
}

static void
without_a_counter_nothing_is_explained(void **state)
{
	struct fixture *f = *state;
	open_memkills(f);
	assert_int_equal(memkills_begin(&f->memkills, clock_now_ns() + 2 * NS_PER_S), 0);
	assert_false(memkills_explain(&f->memkills, 0, &killed));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(kill_that_was_counted_since_the_start_is_explained_once),
	    TEST(kill_before_the_task_began_explains_nothing),
	    TEST(only_ends_by_kill_are_explained),
	    TEST(nearest_counter_is_taken),
	    TEST(without_a_counter_nothing_is_explained),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

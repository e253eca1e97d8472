/* What holds back new starts. */
#include "kernel_files.h"

#include "base/clock.h"
#include "run/throttle.h"

#define LOOK (200 * NS_PER_MS)

struct fixture {
	struct kernel_files files;
	struct spec spec;
	struct throttle throttle;
	int64_t now_ns;
	char text[160];
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	kernel_files_make(&f->files);
	spec_init(&f->spec, SPEC_MAP);
	f->now_ns = 1000;
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	throttle_fini(&f->throttle);
	spec_fini(&f->spec);
	kernel_files_remove(&f->files);
	free(f);
	return 0;
}

static void
open_throttle(struct fixture *f)
{
	throttle_fini(&f->throttle); /* that of before */
	throttle_init(&f->throttle, &f->spec, f->files.root, &f->files.cgroups);
}

static size_t
allow(struct fixture *f, size_t room, size_t idle_count, int64_t now_ns)
{
	struct throttle_seats seats = {
	    .worker_count = 4, .idle_count = idle_count, .room = room};
	return throttle_allow(&f->throttle, &seats, now_ns);
}

/* How many of as many as there are idle workers, of 8, where so many are busy. */
static size_t
judge(struct fixture *f, size_t busy_count)
{
	struct throttle_seats seats = {
	    .worker_count = 8, .idle_count = 8 - busy_count, .room = 8};
	size_t count = throttle_allow(&f->throttle, &seats, f->now_ns);
	return throttle_judge(&f->throttle, count, &seats, f->now_ns);
}

static const char *
tell(struct fixture *f)
{
	return throttle_tell(&f->throttle, f->text, sizeof(f->text));
}

static void
nothing_asked_for_holds_nothing_back(void **state)
{
	struct fixture *f = *state;
	open_throttle(f);
	assert_int_equal(allow(f, 10, 0, 1000), 10);
	throttle_started(&f->throttle, 1000);
	assert_int_equal(allow(f, 10, 3, 1000), 10);
	assert_int_equal(allow(f, 0, 3, 1000), 0);
	assert_int_equal(throttle_wait_until(&f->throttle, 3), CLOCK_NEVER);
	assert_false(throttle_has_bounds(&f->throttle));
	assert_false(throttle_is_cautious(&f->throttle));
}

static void
halt_lets_only_idle_workers_start(void **state)
{
	struct fixture *f = *state;
	for (int when = SPEC_HALT_SOON; when <= SPEC_HALT_NOW; when++) {
		f->spec.halt.when = (enum spec_halt_when)when;
		open_throttle(f);
		assert_int_equal(allow(f, 10, 3, 1000), 3);
		assert_int_equal(allow(f, 10, 0, 1000), 0);
		assert_int_equal(allow(f, 2, 3, 1000), 2);
		assert_int_equal(throttle_wait_until(&f->throttle, 3), CLOCK_NEVER);
	}
}

static void
delay_allows_one_start_at_a_time(void **state)
{
	struct fixture *f = *state;
	f->spec.delay_ns = 500;
	open_throttle(f);
	assert_int_equal(allow(f, 10, 3, 1000), 1); /* the first at once */
	throttle_started(&f->throttle, 1000);
	assert_int_equal(allow(f, 10, 3, 1499), 0);
	assert_string_equal(throttle_holder(&f->throttle, 3, 1499), "delay");
	assert_null(throttle_holder(&f->throttle, 0, 1499));
	assert_null(throttle_holder(&f->throttle, 3, 1500));
	assert_int_equal(throttle_wait_until(&f->throttle, 3), 1500);
	assert_int_equal(allow(f, 10, 3, 1500), 1);
}

static void
delay_is_not_waited_for_while_nobody_is_idle(void **state)
{
	struct fixture *f = *state;
	f->spec.delay_ns = 500;
	open_throttle(f);
	throttle_started(&f->throttle, 1000);
	assert_int_equal(allow(f, 10, 0, 9999), 0);
	assert_int_equal(throttle_wait_until(&f->throttle, 0), CLOCK_NEVER);
}

/* --- load --- */

static void
put_running(struct fixture *f, int count)
{
	char text[128];
	snprintf(text, sizeof(text),
		 "cpu 1\ncpu0 1\ncpu1 1\ncpu2 1\ncpu3 1\nprocs_running %d\n", count + 1);
	kernel_files_put(&f->files, "/proc/stat", text);
}

static void
set_load(struct fixture *f, const char *load)
{
	assert_int_equal(spec_jobs_parse(&f->spec.load, load), 0);
	open_throttle(f);
}

static void
own_starts_count_as_load_until_the_next_look(void **state)
{
	struct fixture *f = *state;
	put_running(f, 1);
	set_load(f, "4");
	assert_int_equal(judge(f, 0), 1); /* one may always run */
	assert_int_equal(judge(f, 1), 3);
	assert_int_equal(judge(f, 4), 0);
	assert_int_equal(judge(f, 3), 1); /* one has ended */
	f->now_ns += LOOK;
	assert_int_equal(judge(f, 4), 3); /* the four sleep: only one thing runs */
}

static void
load_of_others_holds_back_all_but_one(void **state)
{
	struct fixture *f = *state;
	put_running(f, 9);
	set_load(f, "100%"); /* four CPUs */
	assert_int_equal(judge(f, 0), 1);
	assert_null(tell(f));
	assert_int_equal(judge(f, 1), 0);
	assert_string_equal(throttle_holder(&f->throttle, 7, f->now_ns), "load");
	assert_string_equal(tell(f), "tasks wait: 9 processes run on this machine, "
				     "--load wants fewer than 4");
	assert_int_equal(throttle_wait_until(&f->throttle, 7), 1000 + LOOK);
	f->now_ns += LOOK;
	assert_int_equal(judge(f, 1), 0);
	assert_null(tell(f)); /* once */
	put_running(f, 1);
	f->now_ns += LOOK;
	assert_int_equal(judge(f, 1), 3);
}

static void
load_may_be_of_the_cpus_and_some_more_or_fewer(void **state)
{
	struct fixture *f = *state;
	put_running(f, 1);
	set_load(f, "+2");
	assert_int_equal(judge(f, 1), 5);
	set_load(f, "-2");
	assert_int_equal(judge(f, 1), 1);
	put_running(f, 0);
	set_load(f, "0"); /* when nothing runs at all */
	assert_int_equal(judge(f, 1), 1);
}

static void
machine_is_not_looked_at_before_its_time(void **state)
{
	struct fixture *f = *state;
	put_running(f, 1);
	set_load(f, "4");
	assert_int_equal(judge(f, 1), 3);
	put_running(f, 9);
	f->now_ns += LOOK - 1;
	assert_int_equal(judge(f, 1), 3);
	f->now_ns += 1;
	assert_int_equal(judge(f, 1), 0);
}

/* --- memory, pressure --- */

static void
put_free(struct fixture *f, const char *kib)
{
	char text[64];
	snprintf(text, sizeof(text), "MemAvailable: %s kB\n", kib);
	kernel_files_put(&f->files, "/proc/meminfo", text);
}

static void
with_memory_one_more_runs_from_look_to_look(void **state)
{
	struct fixture *f = *state;
	f->spec.memfree_bytes = UINT64_C(1) << 30;
	put_free(f, "4194304");
	open_throttle(f);
	assert_int_equal(judge(f, 0), 1);
	assert_int_equal(judge(f, 1), 1);
	assert_int_equal(judge(f, 2), 0);
	assert_null(throttle_holder(&f->throttle, 6, f->now_ns));
	assert_null(tell(f));             /* that is not for want of memory */
	assert_int_equal(judge(f, 1), 1); /* in place of one that has ended */
	f->now_ns += LOOK;
	assert_int_equal(judge(f, 1), 2); /* two ran since */
	f->now_ns += LOOK;
	assert_int_equal(judge(f, 3), 1);
}

static void
too_little_memory_holds_back_all_but_one(void **state)
{
	struct fixture *f = *state;
	f->spec.memfree_bytes = UINT64_C(2) << 30;
	put_free(f, "1048576");
	open_throttle(f);
	assert_int_equal(judge(f, 0), 1);
	assert_int_equal(judge(f, 1), 0);
	assert_string_equal(throttle_holder(&f->throttle, 7, f->now_ns), "memfree");
	assert_string_equal(tell(f), "tasks wait: 1024 MiB of memory are free, --memfree "
				     "wants 2048");
	put_free(f, "3145728");
	f->now_ns += LOOK;
	assert_int_equal(judge(f, 1), 1);
	assert_int_equal(judge(f, 8), 0); /* for want of a worker */
	assert_null(throttle_holder(&f->throttle, 7, f->now_ns));
}

static void
memory_that_is_not_told_holds_nothing_back_for_want_of_it(void **state)
{
	struct fixture *f = *state;
	f->spec.memfree_bytes = UINT64_C(2) << 30;
	kernel_files_put(&f->files, "/proc/meminfo", "MemTotal: 1 kB\n");
	open_throttle(f);
	assert_int_equal(judge(f, 0), 1);
	assert_int_equal(judge(f, 1), 1);
	assert_null(throttle_holder(&f->throttle, 7, f->now_ns));
	assert_null(tell(f));
}

static void
pressure_holds_back_all_but_one_and_each_kind_is_told(void **state)
{
	struct fixture *f = *state;
	f->spec.pressure_percents[SPEC_PRESSURE_CPU] = 50;
	f->spec.pressure_percents[SPEC_PRESSURE_IO] = 20;
	kernel_files_put(&f->files, "/proc/pressure/cpu",
			 "some avg10=50.00 avg60=0.00 avg300=0.00 total=0\n");
	kernel_files_put(&f->files, "/proc/pressure/io",
			 "some avg10=31.20 avg60=0.00 avg300=0.00 total=0\n");
	open_throttle(f);
	assert_int_equal(judge(f, 0), 1);
	assert_int_equal(judge(f, 1), 0);
	assert_string_equal(throttle_holder(&f->throttle, 7, f->now_ns), "max-pressure");
	assert_string_equal(tell(f), "tasks wait: cpu pressure is 50%, --max-pressure "
				     "wants less than 50%");
	assert_string_equal(tell(f), "tasks wait: io pressure is 31%, --max-pressure "
				     "wants less than 20%");
	assert_null(tell(f));
	f->now_ns += LOOK; /* nothing stalled since */
	assert_int_equal(judge(f, 1), 1);
}

static void
dry_run_is_not_held_back(void **state)
{
	struct fixture *f = *state;
	f->spec.memfree_bytes = UINT64_C(2) << 30;
	f->spec.is_dry_run = true;
	open_throttle(f);
	assert_false(throttle_has_bounds(&f->throttle));
}

/* --- killed for memory --- */

static void
kill_for_memory_halves_what_may_run_until_tasks_succeed(void **state)
{
	struct fixture *f = *state;
	open_throttle(f);
	throttle_out_of_memory(&f->throttle, 8);
	assert_true(throttle_is_cautious(&f->throttle));
	assert_string_equal(tell(f),
			    "a task was killed for memory: no more than 4 run at "
			    "once for now");
	assert_null(tell(f));
	assert_int_equal(judge(f, 7), 0);
	assert_int_equal(judge(f, 4), 0);
	assert_string_equal(throttle_holder(&f->throttle, 4, f->now_ns), "memory");
	assert_int_equal(judge(f, 3), 1);
	assert_int_equal(judge(f, 0), 1);
	throttle_out_of_memory(&f->throttle, 1);
	assert_int_equal(judge(f, 0), 1);
	assert_int_equal(judge(f, 1), 0);
	for (size_t cap = 1; cap < 8; cap++) {
		assert_int_equal(judge(f, cap), 0);
		throttle_succeeded(&f->throttle, cap, 8);
	}
	assert_false(throttle_has_bounds(&f->throttle)); /* as many as there are workers */
	assert_false(throttle_is_cautious(&f->throttle));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(nothing_asked_for_holds_nothing_back),
	    TEST(halt_lets_only_idle_workers_start),
	    TEST(delay_allows_one_start_at_a_time),
	    TEST(delay_is_not_waited_for_while_nobody_is_idle),
	    TEST(own_starts_count_as_load_until_the_next_look),
	    TEST(load_of_others_holds_back_all_but_one),
	    TEST(load_may_be_of_the_cpus_and_some_more_or_fewer),
	    TEST(machine_is_not_looked_at_before_its_time),
	    TEST(with_memory_one_more_runs_from_look_to_look),
	    TEST(too_little_memory_holds_back_all_but_one),
	    TEST(memory_that_is_not_told_holds_nothing_back_for_want_of_it),
	    TEST(pressure_holds_back_all_but_one_and_each_kind_is_told),
	    TEST(dry_run_is_not_held_back),
	    TEST(kill_for_memory_halves_what_may_run_until_tasks_succeed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* How busy the machine is, from made-up files of the kernel. */
#include "kernel_files.h"

#include "base/clock.h"
#include "run/gauge.h"

#define MIB (UINT64_C(1) << 20)
#define S NS_PER_S

struct fixture {
	struct kernel_files files;
	struct gauge gauge;
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	kernel_files_make(&f->files);
	gauge_init(&f->gauge, f->files.root, &f->files.cgroups);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	gauge_fini(&f->gauge);
	kernel_files_remove(&f->files);
	free(f);
	return 0;
}

static uint64_t
free_mib(struct fixture *f)
{
	uint64_t bytes = 0;
	assert_int_equal(gauge_free_bytes(&f->gauge, &bytes), 0);
	return bytes / MIB;
}

static void
load_is_what_runs_or_waits_for_a_disk_without_us(void **state)
{
	struct fixture *f = *state;
	double running = -1, cpus = -1;
	kernel_files_put(&f->files, "/proc/stat",
			 "cpu  1 2 3\ncpu0 1 2 3\ncpu1 1 2 3\nctxt 9\nprocesses 77\n"
			 "procs_running 4\nprocs_blocked 2\n");
	assert_int_equal(gauge_load(&f->gauge, &running, &cpus), 0);
	assert_true(running == 5);
	assert_true(cpus == 2);
}

static void
load_that_is_not_told_is_not_known(void **state)
{
	struct fixture *f = *state;
	double running = -1, cpus = -1;
	assert_int_equal(gauge_load(&f->gauge, &running, &cpus), -1);
	kernel_files_put(&f->files, "/proc/stat", "cpu  1 2 3\ncpu0 1 2 3\n");
	assert_int_equal(gauge_load(&f->gauge, &running, &cpus), -1);
	assert_true(running == -1);
}

static void
memory_is_that_of_the_machine_without_limits(void **state)
{
	struct fixture *f = *state;
	kernel_files_put(&f->files, "/proc/meminfo",
			 "MemTotal: 9 kB\nMemAvailable:    2048000 kB\n");
	assert_int_equal(free_mib(f), 2000);
}

static void
limit_of_any_group_above_counts_less_what_can_be_dropped(void **state)
{
	struct fixture *f = *state;
	kernel_files_put(&f->files, "/proc/meminfo", "MemAvailable: 2048000 kB\n");
	kernel_files_put_self(&f->files, "0::/a/b\n", MOUNT_V2("/", "/cg"));
	kernel_files_put(&f->files, "/cg/a/b/memory.max", "max\n");
	kernel_files_put(&f->files, "/cg/a/memory.max", "1048576000\n");
	kernel_files_put(&f->files, "/cg/a/memory.current", "838860800\n");
	kernel_files_put(&f->files, "/cg/a/memory.stat",
			 "anon 5\ninactive_file 104857600\nactive_file 7\n");
	assert_int_equal(free_mib(f), 300); /* 1000 - (800 - 100) */
	kernel_files_put(&f->files, "/cg/a/b/memory.high", "209715200\n");
	kernel_files_put(&f->files, "/cg/a/b/memory.current", "104857600\n");
	kernel_files_put(&f->files, "/cg/a/b/memory.stat", "inactive_file 0\n");
	assert_int_equal(free_mib(f), 100);
	kernel_files_put(&f->files, "/cg/a/b/memory.current", "999999999\n");
	assert_int_equal(free_mib(f), 0);
}

static void
limits_of_version_1_count_too(void **state)
{
	struct fixture *f = *state;
	kernel_files_put(&f->files, "/proc/meminfo", "MemAvailable: 2048000 kB\n");
	kernel_files_put_self(&f->files, "4:memory:/x\n0::/\n",
			      MOUNT_V1("memory", "/", "/m") MOUNT_V2("/", "/cg"));
	kernel_files_put(&f->files, "/m/x/memory.limit_in_bytes", "524288000\n");
	kernel_files_put(&f->files, "/m/x/memory.usage_in_bytes", "419430400\n");
	kernel_files_put(&f->files, "/m/x/memory.stat",
			 "inactive_file 1\ntotal_inactive_file 104857600\n");
	kernel_files_put(&f->files, "/m/memory.limit_in_bytes", "9223372036854771712\n");
	kernel_files_put(&f->files, "/m/memory.usage_in_bytes", "1\n");
	assert_int_equal(free_mib(f), 200);
}

static void
put_pressure(struct fixture *f, const char *avg10, unsigned long total_us)
{
	char text[128];
	snprintf(text, sizeof(text),
		 "some avg10=%s avg60=0.00 avg300=0.00 total=%lu\n"
		 "full avg10=0.00 avg60=0.00 avg300=0.00 total=1\n",
		 avg10, total_us);
	kernel_files_put(&f->files, "/proc/pressure/io", text);
}

static int
pressure_at(struct fixture *f, int64_t now_ns)
{
	double percent = -1;
	assert_int_equal(gauge_pressure(&f->gauge, SPEC_PRESSURE_IO, now_ns, &percent), 0);
	return (int)(percent + 0.5);
}

static void
pressure_is_of_the_last_seconds_once_there_are_some(void **state)
{
	struct fixture *f = *state;
	put_pressure(f, "12.00", 1000000);
	assert_int_equal(pressure_at(f, 10 * S), 12);
	put_pressure(f, "12.00", 1400000);
	assert_int_equal(pressure_at(f, 11 * S), 40);
	put_pressure(f, "12.00", 1400000);
	assert_int_equal(pressure_at(f, 12 * S), 20); /* since 10 s */
	assert_int_equal(pressure_at(f, 13 * S), 0);  /* since 11 s */
	assert_int_equal(pressure_at(f, 60 * S), 12); /* nobody has asked for long */
}

static void
bound_that_cannot_be_read_is_an_error_that_says_so(void **state)
{
	struct fixture *f = *state;
	struct spec spec;
	struct err err = {0};
	spec_init(&spec, SPEC_MAP);
	assert_int_equal(gauge_check(&f->gauge, &spec, &err), 0);
	spec.pressure_percents[SPEC_PRESSURE_IO] = 5;
	assert_int_equal(gauge_check(&f->gauge, &spec, &err), -1);
	assert_non_null(strstr(err.text, "--max-pressure: this kernel has no "
					 "/proc/pressure/io"));
	put_pressure(f, "0.00", 0);
	assert_int_equal(gauge_check(&f->gauge, &spec, &err), 0);
	spec.memfree_bytes = 1;
	assert_int_equal(gauge_check(&f->gauge, &spec, &err), -1);
	assert_non_null(strstr(err.text, "--memfree"));
	spec.memfree_bytes = 0;
	spec.load.kind = SPEC_JOBS_COUNT;
	assert_int_equal(gauge_check(&f->gauge, &spec, &err), -1);
	assert_non_null(strstr(err.text, "--load"));
	spec_fini(&spec);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(load_is_what_runs_or_waits_for_a_disk_without_us),
	    TEST(load_that_is_not_told_is_not_known),
	    TEST(memory_is_that_of_the_machine_without_limits),
	    TEST(limit_of_any_group_above_counts_less_what_can_be_dropped),
	    TEST(limits_of_version_1_count_too),
	    TEST(pressure_is_of_the_last_seconds_once_there_are_some),
	    TEST(bound_that_cannot_be_read_is_an_error_that_says_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

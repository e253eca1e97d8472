/* The budget that the kernel's files grant, read from made-up trees of them. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/io.h"
#include "pool/budget.h"

#define MOUNT_V2(root, point) "30 20 0:41 " root " " point " rw - cgroup2 cgroup2 rw\n"
#define MOUNT_V1(what, root, point) \
	"31 20 0:42 " root " " point " rw,relatime shared:9 - cgroup cgroup rw," what "\n"

struct fixture {
	char root[64];
	struct budget budget;
};

static void
make_parents(const char *path)
{
	char partial[8192];
	for (const char *at = strchr(path + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
		snprintf(partial, sizeof(partial), "%.*s", (int)(at - path), path);
		assert_true(mkdir(partial, 0700) == 0 || errno == EEXIST);
	}
}

static void
put(const struct fixture *f, const char *path, const char *text)
{
	char full[8192];
	snprintf(full, sizeof(full), "%s%s", f->root, path);
	make_parents(full);
	int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_not_equal(fd, -1);
	assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
	io_close(fd);
}

static void
put_self(const struct fixture *f, const char *cgroup, const char *mountinfo)
{
	put(f, "/proc/self/cgroup", cgroup);
	put(f, "/proc/self/mountinfo", mountinfo);
}

static void
read_cgroups(struct fixture *f)
{
	struct err err = {0};
	budget_fini(&f->budget);
	assert_int_equal(budget_read_cgroups(&f->budget, f->root, &err), 0);
}

static void
assert_quota(struct fixture *f, double cpus, const char *path)
{
	read_cgroups(f);
	assert_non_null(f->budget.quota_path);
	assert_string_equal(f->budget.quota_path, path);
	assert_float_equal(f->budget.quota_cpus, cpus, 1e-9);
}

static void
assert_no_quota(struct fixture *f)
{
	read_cgroups(f);
	assert_null(f->budget.quota_path);
	assert_true(f->budget.quota_cpus == 0);
}

static int
setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	snprintf(f->root, sizeof(f->root), "/tmp/pinion-budget-XXXXXX");
	assert_non_null(mkdtemp(f->root));
	*state = f;
	return 0;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static int
teardown(void **state)
{
	struct fixture *f = *state;
	nftw(f->root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	budget_fini(&f->budget);
	free(f);
	return 0;
}

/* --- Version 2 --- */

static void
no_files_at_all_are_no_limit(void **state)
{
	struct fixture *f = *state;
	assert_no_quota(f);
	assert_null(f->budget.cpuset_path);
}

static void
no_control_groups_are_no_limit(void **state)
{
	put_self(*state, "", "21 1 8:1 / / rw - ext4 /dev/sda1 rw\n");
	assert_no_quota(*state);
}

static void
v2_quota_of_our_own_group_counts(void **state)
{
	struct fixture *f = *state;
	put_self(f, "0::/a/b\n", MOUNT_V2("/", "/sys/fs/cgroup"));
	put(f, "/sys/fs/cgroup/a/b/cpu.max", "150000 100000\n");
	put(f, "/sys/fs/cgroup/a/cpu.max", "max 100000\n");
	assert_quota(f, 1.5, "/sys/fs/cgroup/a/b/cpu.max");
}

static void
v2_tighter_quota_of_an_ancestor_wins(void **state)
{
	struct fixture *f = *state;
	put_self(f, "0::/a/b/c\n", MOUNT_V2("/", "/sys/fs/cgroup"));
	put(f, "/sys/fs/cgroup/a/b/c/cpu.max", "400000 100000\n");
	put(f, "/sys/fs/cgroup/a/b/cpu.max", "800000 100000\n");
	put(f, "/sys/fs/cgroup/a/cpu.max", "50000 25000\n");
	assert_quota(f, 2, "/sys/fs/cgroup/a/cpu.max");
}

static void
wider_quota_of_an_ancestor_loses(void **state)
{
	struct fixture *f = *state;
	put_self(f, "0::/a/b\n", MOUNT_V2("/", "/sys/fs/cgroup"));
	put(f, "/sys/fs/cgroup/a/b/cpu.max", "100000 100000\n");
	put(f, "/sys/fs/cgroup/a/cpu.max", "800000 100000\n");
	assert_quota(f, 1, "/sys/fs/cgroup/a/b/cpu.max");
}

static void
of_equal_quotas_the_nearest_is_named(void **state)
{
	struct fixture *f = *state;
	put_self(f, "0::/a/b\n", MOUNT_V2("/", "/sys/fs/cgroup"));
	put(f, "/sys/fs/cgroup/a/b/cpu.max", "100000 50000\n");
	put(f, "/sys/fs/cgroup/a/cpu.max", "200000 100000\n");
	assert_quota(f, 2, "/sys/fs/cgroup/a/b/cpu.max");
}

static void
quota_of_the_mount_point_counts(void **state)
{
	struct fixture *f = *state;
	put_self(f, "0::/\n", MOUNT_V2("/", "/sys/fs/cgroup"));
	put(f, "/sys/fs/cgroup/cpu.max", "300000 100000\n");
	put(f, "/sys/fs/cpu.max", "100000 100000\n"); /* above the mount: means nothing */
	assert_quota(f, 3, "/sys/fs/cgroup/cpu.max");
}

static void
max_is_no_limit(void **state)
{
	struct fixture *f = *state;
	put_self(f, "0::/a\n", MOUNT_V2("/", "/sys/fs/cgroup"));
	put(f, "/sys/fs/cgroup/a/cpu.max", "max 100000\n");
	assert_no_quota(f);
}

static void
levels_without_the_file_are_passed_over(void **state)
{
	struct fixture *f = *state;
	put_self(f, "0::/a/b/c (deleted)\n", MOUNT_V2("/", "/sys/fs/cgroup"));
	put(f, "/sys/fs/cgroup/a/cpu.max", "250000 100000\n");
	assert_quota(f, 2.5, "/sys/fs/cgroup/a/cpu.max");
}

static void
garbage_in_cpu_max_is_no_limit(void **state)
{
	struct fixture *f = *state;
	static const char *const garbage[] = {"",
					      "\n",
					      "abc\n",
					      "100000\n",
					      "100000 0\n",
					      "0 100000\n",
					      "-5 100000\n",
					      "1e5 100000\n",
					      "100000 max\n",
					      "100000 100000 7\n",
					      "\377\376",
					      "99999999999999999999 1\n",
					      "100000 99999999999999999999\n"};
	put_self(f, "0::/a\n", MOUNT_V2("/", "/sys/fs/cgroup"));
	for (size_t i = 0; i < sizeof(garbage) / sizeof(*garbage); i++) {
		put(f, "/sys/fs/cgroup/a/cpu.max", garbage[i]);
		assert_no_quota(f);
	}
}

static void
a_folder_in_place_of_the_file_is_no_limit(void **state)
{
	struct fixture *f = *state;
	put_self(f, "0::/a\n", MOUNT_V2("/", "/sys/fs/cgroup"));
	put(f, "/sys/fs/cgroup/a/cpu.max/x", "100000 100000\n");
	assert_no_quota(f);
}

/* --- Version 1, and both --- */

static void
v1_quota_is_quota_by_period(void **state)
{
	struct fixture *f = *state;
	put_self(f, "4:memory:/m\n3:cpu,cpuacct:/a\n",
		 MOUNT_V1("memory", "/", "/cg/memory")
		     MOUNT_V1("cpu,cpuacct", "/", "/cg/cpu"));
	put(f, "/cg/cpu/a/cpu.cfs_quota_us", "25000\n");
	put(f, "/cg/cpu/a/cpu.cfs_period_us", "50000\n");
	put(f, "/cg/cpu/cpu.cfs_quota_us", "-1\n");
	put(f, "/cg/cpu/cpu.cfs_period_us", "100000\n");
	assert_quota(f, 0.5, "/cg/cpu/a/cpu.cfs_quota_us");
}

static void
v1_tighter_quota_of_an_ancestor_wins(void **state)
{
	struct fixture *f = *state;
	put_self(f, "3:cpu:/a/b\n", MOUNT_V1("cpu", "/", "/cg/cpu"));
	put(f, "/cg/cpu/a/b/cpu.cfs_quota_us", "400000\n");
	put(f, "/cg/cpu/a/b/cpu.cfs_period_us", "100000\n");
	put(f, "/cg/cpu/a/cpu.cfs_quota_us", "300000\n");
	put(f, "/cg/cpu/a/cpu.cfs_period_us", "100000\n");
	assert_quota(f, 3, "/cg/cpu/a/cpu.cfs_quota_us");
}

static void
v1_without_quota_or_period_is_no_limit(void **state)
{
	struct fixture *f = *state;
	put_self(f, "3:cpu:/a/b\n", MOUNT_V1("cpu", "/", "/cg/cpu"));
	put(f, "/cg/cpu/a/b/cpu.cfs_quota_us", "100000\n");
	put(f, "/cg/cpu/a/cpu.cfs_period_us", "100000\n");
	put(f, "/cg/cpu/cpu.cfs_quota_us", "-1\n");
	put(f, "/cg/cpu/cpu.cfs_period_us", "100000\n");
	assert_no_quota(f);
}

static void
cpuset_and_cpuacct_are_not_mistaken_for_cpu(void **state)
{
	struct fixture *f = *state;
	put_self(f, "3:cpuset:/a\n4:cpuacct:/a\n5:name=cpu:/a\n",
		 MOUNT_V1("cpuset", "/", "/cg/cpuset") MOUNT_V1("cpu", "/", "/cg/cpu"));
	put(f, "/cg/cpu/a/cpu.cfs_quota_us", "100000\n");
	put(f, "/cg/cpu/a/cpu.cfs_period_us", "100000\n");
	assert_no_quota(f);
}

static void
hybrid_takes_the_least_of_both(void **state)
{
	struct fixture *f = *state;
	put_self(f, "3:cpu:/one\n0::/two\n",
		 MOUNT_V1("cpu", "/", "/cg/cpu") MOUNT_V2("/", "/cg/unified"));
	put(f, "/cg/cpu/one/cpu.cfs_quota_us", "200000\n");
	put(f, "/cg/cpu/one/cpu.cfs_period_us", "100000\n");
	put(f, "/cg/unified/two/cpu.max", "300000 100000\n");
	assert_quota(f, 2, "/cg/cpu/one/cpu.cfs_quota_us");
	put(f, "/cg/unified/two/cpu.max", "100000 100000\n");
	assert_quota(f, 1, "/cg/unified/two/cpu.max");
}

/* --- Mounts --- */

static void
mount_of_a_part_shows_us_below_its_root(void **state)
{
	struct fixture *f = *state;
	put_self(f, "0::/docker/abc/x\n", MOUNT_V2("/docker/abc", "/sys/fs/cgroup"));
	put(f, "/sys/fs/cgroup/x/cpu.max", "max 100000\n");
	put(f, "/sys/fs/cgroup/cpu.max", "200000 100000\n");
	assert_quota(f, 2, "/sys/fs/cgroup/cpu.max");
}

static void
mount_of_our_own_group_is_its_root(void **state)
{
	struct fixture *f = *state;
	put_self(f, "0::/docker/abc\n", MOUNT_V2("/docker/abc", "/sys/fs/cgroup"));
	put(f, "/sys/fs/cgroup/cpu.max", "700000 100000\n");
	assert_quota(f, 7, "/sys/fs/cgroup/cpu.max");
}

static void
mount_of_another_part_says_nothing_about_us(void **state)
{
	struct fixture *f = *state;
	put_self(f, "0::/docker/abcd\n", MOUNT_V2("/docker/abc", "/sys/fs/cgroup"));
	put(f, "/sys/fs/cgroup/cpu.max", "100000 100000\n");
	put(f, "/sys/fs/cgroupd/cpu.max", "100000 100000\n");
	put(f, "/sys/fs/cgroup/d/cpu.max", "100000 100000\n");
	assert_no_quota(f);
}

static void
second_mount_is_used_when_the_first_does_not_show_us(void **state)
{
	struct fixture *f = *state;
	put_self(f, "0::/a\n", MOUNT_V2("/other", "/mnt/1") MOUNT_V2("/", "/mnt/2"));
	put(f, "/mnt/1/cpu.max", "100000 100000\n");
	put(f, "/mnt/2/a/cpu.max", "200000 100000\n");
	assert_quota(f, 2, "/mnt/2/a/cpu.max");
}

static void
mount_from_outside_our_namespace_limits_us_by_its_root(void **state)
{
	struct fixture *f = *state;
	put_self(f, "0::/\n", MOUNT_V2("/../..", "/sys/fs/cgroup"));
	put(f, "/sys/fs/cgroup/cpu.max", "400000 100000\n");
	assert_quota(f, 4, "/sys/fs/cgroup/cpu.max");
}

static void
groups_outside_our_namespace_are_not_looked_for(void **state)
{
	struct fixture *f = *state;
	put_self(f, "0::/../other\n", MOUNT_V2("/", "/sys/fs/cgroup"));
	put(f, "/sys/fs/other/cpu.max", "100000 100000\n");
	put(f, "/sys/fs/cgroup/cpu.max", "100000 100000\n");
	assert_no_quota(f);
}

static void
escapes_in_mount_points_are_undone(void **state)
{
	struct fixture *f = *state;
	put_self(f, "0::/a\n", MOUNT_V2("/", "/my\\040control\\134groups"));
	put(f, "/my control\\groups/a/cpu.max", "200000 100000\n");
	assert_quota(f, 2, "/my control\\groups/a/cpu.max");
}

static void
names_of_groups_may_hold_colons(void **state)
{
	struct fixture *f = *state;
	put_self(f, "0::/a:b/c:\n", MOUNT_V2("/", "/sys/fs/cgroup"));
	put(f, "/sys/fs/cgroup/a:b/c:/cpu.max", "200000 100000\n");
	assert_quota(f, 2, "/sys/fs/cgroup/a:b/c:/cpu.max");
}

static void
very_deep_groups_still_have_ancestors(void **state)
{
	struct fixture *f = *state;
	struct buf cgroup = {0};
	assert_int_equal(buf_append_str(&cgroup, "0::"), 0);
	for (int i = 0; i < 3000; i++) /* longer than any path that can be opened */
		assert_int_equal(buf_append_str(&cgroup, "/deep"), 0);
	assert_int_equal(buf_append_char(&cgroup, '\n'), 0);
	put_self(f, buf_str(&cgroup), MOUNT_V2("/", "/cg"));
	put(f, "/cg/deep/deep/cpu.max", "200000 100000\n");
	assert_quota(f, 2, "/cg/deep/deep/cpu.max");
	buf_fini(&cgroup);
}

static void
garbage_in_proc_is_no_limit(void **state)
{
	struct fixture *f = *state;
	static const char *const cgroups[] = {
	    "x", ":", "::", "0:\n", "0::\n", "0::a", "\n\n\n", "1:cpu\n2:", ":::/"};
	static const char *const mounts[] = {
	    "",
	    " ",
	    "-",
	    "1 2 3 4 5 -",
	    "1 2 3 / /cg rw - cgroup2",
	    "1 2 3 / /cg rw - cgroup2 x",
	    "1 2 3 / /cg rw cgroup2 cgroup2 rw",
	    "1 2 3 \\0 \\77 rw - cgroup2 x rw",
	    "\\\\ \\0 \\04 \\777 \\ - - - - - -",
	};
	put(f, "/cg/cpu.max", "100000 100000\n");
	for (size_t i = 0; i < sizeof(cgroups) / sizeof(*cgroups); i++) {
		put_self(f, cgroups[i], MOUNT_V2("/", "/cg"));
		assert_no_quota(f);
	}
	for (size_t i = 0; i < sizeof(mounts) / sizeof(*mounts); i++) {
		put_self(f, "0::/\n3:cpu:/\n", mounts[i]);
		assert_no_quota(f);
	}
}

static void
long_list_of_mounts_is_read_to_its_end(void **state)
{
	struct fixture *f = *state;
	struct buf mounts = {0};
	for (int i = 0; i < 2000; i++)
		assert_int_equal(buf_printf(&mounts, "%d 1 0:%d / /mnt/%d rw - tmpfs x rw\n",
					    i + 100, i, i),
				 0);
	assert_int_equal(buf_append_str(&mounts, MOUNT_V2("/", "/cg")), 0);
	put_self(f, "0::/a\n", buf_str(&mounts));
	put(f, "/cg/a/cpu.max", "200000 100000\n");
	assert_quota(f, 2, "/cg/a/cpu.max");
	buf_fini(&mounts);
}

/* --- cpuset --- */

static void
cpuset_is_that_of_the_nearest_group_that_has_one(void **state)
{
	struct fixture *f = *state;
	put_self(f, "0::/a/b/c\n", MOUNT_V2("/", "/cg"));
	put(f, "/cg/cpuset.cpus.effective", "0-63\n");
	put(f, "/cg/a/cpuset.cpus.effective", "0-3,8\n");
	put(f, "/cg/a/b/cpuset.cpus.effective", "\n");
	read_cgroups(f);
	assert_string_equal(f->budget.cpuset_cpus, "0-3,8");
	assert_string_equal(f->budget.cpuset_path, "/cg/a/cpuset.cpus.effective");
}

static void
cpuset_of_version_1_goes_before_that_of_version_2(void **state)
{
	struct fixture *f = *state;
	put_self(f, "2:cpuset:/s\n0::/\n",
		 MOUNT_V2("/", "/cg/unified") MOUNT_V1("cpuset", "/", "/cg/cpuset"));
	put(f, "/cg/unified/cpuset.cpus.effective", "0-7\n");
	put(f, "/cg/cpuset/s/cpuset.effective_cpus", "2-3\n");
	read_cgroups(f);
	assert_string_equal(f->budget.cpuset_cpus, "2-3");
	assert_string_equal(f->budget.cpuset_path, "/cg/cpuset/s/cpuset.effective_cpus");
}

static void
garbage_in_a_cpuset_is_passed_over(void **state)
{
	struct fixture *f = *state;
	put_self(f, "0::/a\n", MOUNT_V2("/", "/cg"));
	put(f, "/cg/a/cpuset.cpus.effective", "0-3 or so\n");
	read_cgroups(f);
	assert_null(f->budget.cpuset_cpus);
	assert_null(f->budget.cpuset_path);
}

/* --- The mask --- */

static void
affinity_is_what_the_kernel_says(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	cpu_set_t mask;
	assert_int_equal(sched_getaffinity(0, sizeof(mask), &mask), 0);
	assert_int_equal(budget_read_affinity(&f->budget, &err), 0);
	assert_int_equal(f->budget.pu_count, CPU_COUNT(&mask));
	for (size_t i = 0; i < f->budget.pu_count; i++) {
		assert_true(CPU_ISSET(f->budget.pus[i], &mask));
		assert_true(i == 0 || f->budget.pus[i] > f->budget.pus[i - 1]);
	}
}

static void
assert_list(const unsigned int *numbers, size_t count, const char *expected)
{
	struct buf text = {0};
	assert_int_equal(budget_append_list(&text, numbers, count), 0);
	assert_string_equal(buf_str(&text), expected);
	buf_fini(&text);
}

static void
lists_are_written_as_the_kernel_writes_them(void **state)
{
	(void)state;
	assert_list(NULL, 0, "");
	assert_list((unsigned int[]){7}, 1, "7");
	assert_list((unsigned int[]){0, 1, 2, 3}, 4, "0-3");
	assert_list((unsigned int[]){0, 2, 3, 9, 11}, 5, "0,2-3,9,11");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(no_files_at_all_are_no_limit),
	    TEST(no_control_groups_are_no_limit),
	    TEST(v2_quota_of_our_own_group_counts),
	    TEST(v2_tighter_quota_of_an_ancestor_wins),
	    TEST(wider_quota_of_an_ancestor_loses),
	    TEST(of_equal_quotas_the_nearest_is_named),
	    TEST(quota_of_the_mount_point_counts),
	    TEST(max_is_no_limit),
	    TEST(levels_without_the_file_are_passed_over),
	    TEST(garbage_in_cpu_max_is_no_limit),
	    TEST(a_folder_in_place_of_the_file_is_no_limit),
	    TEST(v1_quota_is_quota_by_period),
	    TEST(v1_tighter_quota_of_an_ancestor_wins),
	    TEST(v1_without_quota_or_period_is_no_limit),
	    TEST(cpuset_and_cpuacct_are_not_mistaken_for_cpu),
	    TEST(hybrid_takes_the_least_of_both),
	    TEST(mount_of_a_part_shows_us_below_its_root),
	    TEST(mount_of_our_own_group_is_its_root),
	    TEST(mount_of_another_part_says_nothing_about_us),
	    TEST(second_mount_is_used_when_the_first_does_not_show_us),
	    TEST(mount_from_outside_our_namespace_limits_us_by_its_root),
	    TEST(groups_outside_our_namespace_are_not_looked_for),
	    TEST(escapes_in_mount_points_are_undone),
	    TEST(names_of_groups_may_hold_colons),
	    TEST(very_deep_groups_still_have_ancestors),
	    TEST(garbage_in_proc_is_no_limit),
	    TEST(long_list_of_mounts_is_read_to_its_end),
	    TEST(cpuset_is_that_of_the_nearest_group_that_has_one),
	    TEST(cpuset_of_version_1_goes_before_that_of_version_2),
	    TEST(garbage_in_a_cpuset_is_passed_over),
	    TEST(affinity_is_what_the_kernel_says),
	    TEST(lists_are_written_as_the_kernel_writes_them),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Plain machines from made-up trees of the kernel's files and from this one: as hwloc tells them. */
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

#include "base/io.h"
#include "pool/budget.h"
#include "pool/machine_sysfs.h"

#define CPU "/sys/devices/system/cpu/"
#define NODE "/sys/devices/system/node/"
#define CACHE_KINDS 4 /* two of L1, L2, and the one that cores share */

/* A tree under `root` that describes `machine`. */
struct fixture {
	char root[64];
	struct machine machine;
};

static void
make_parents(const char *path)
{
	char partial[512];
	for (const char *at = strchr(path + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
		snprintf(partial, sizeof(partial), "%.*s", (int)(at - path), path);
		assert_true(mkdir(partial, 0700) == 0 || errno == EEXIST);
	}
}

static void __attribute__((format(printf, 3, 4)))
put(const struct fixture *f, const char *text, const char *format, ...)
{
	char path[256], full[512];
	va_list args;
	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	snprintf(full, sizeof(full), "%s%s", f->root, path);
	int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd == -1) {
		make_parents(full);
		fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	}
	assert_int_not_equal(fd, -1);
	assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
	assert_int_equal(io_write_all(fd, "\n", 1), 0);
	io_close(fd);
}

static void
put_number(const struct fixture *f, unsigned int number, const char *prefix,
	   unsigned int cpu, const char *name)
{
	char text[16];
	snprintf(text, sizeof(text), "%u", number);
	put(f, text, "%s%u/%s", prefix, cpu, name);
}

static char *
list_of(const cpu_set_t *set)
{
	struct buf list = {0};
	unsigned int numbers[CPU_SETSIZE];
	size_t count = 0;
	for (unsigned int number = 0; number < CPU_SETSIZE; number++)
		if (CPU_ISSET(number, set))
			numbers[count++] = number;
	assert_int_equal(budget_append_list(&list, numbers, count), 0);
	assert_non_null(buf_str(&list));
	return list.bytes;
}

/* A set of PUs, as the kernel writes it twice: for us the list, for hwloc the mask. */
static void
put_set(const struct fixture *f, const cpu_set_t *set, const char *prefix,
	unsigned int number, const char *list_name, const char *mask_name)
{
	struct buf mask = {0};
	char *list = list_of(set);
	for (unsigned int word = CPU_SETSIZE / 32; word-- > 0;) {
		uint32_t bits = 0;
		for (unsigned int i = 0; i < 32; i++)
			bits |= (uint32_t)CPU_ISSET(word * 32 + i, set) << i;
		assert_int_equal(buf_printf(&mask, "%08x%s", bits, word > 0 ? "," : ""), 0);
	}
	put(f, list, "%s%u/%s", prefix, number, list_name);
	put(f, buf_str(&mask), "%s%u/%s", prefix, number, mask_name);
	free(list);
	buf_fini(&mask);
}

/* --- A tree from a machine's tables --- */

enum kind { KIND_CORE, KIND_PACKAGE, KIND_CACHE, KIND_NODE, KIND_ALL };

static unsigned int
index_of(const struct machine *machine, size_t core_index, enum kind kind)
{
	const struct machine_core *core = &machine->cores[core_index];
	const unsigned int indices[] = {[KIND_CORE] = (unsigned int)core_index,
					[KIND_PACKAGE] = core->package_index,
					[KIND_CACHE] = core->cache_index,
					[KIND_NODE] = core->node_index,
					[KIND_ALL] = 0};
	return indices[kind];
}

/* All PUs that share something with those of the core. */
static cpu_set_t
sharers(const struct machine *machine, size_t core_index, enum kind kind)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	for (size_t i = 0; i < machine->core_count; i++) {
		const struct machine_core *core = &machine->cores[i];
		if (index_of(machine, i, kind) != index_of(machine, core_index, kind))
			continue;
		for (size_t j = 0; j < core->pu_count; j++)
			CPU_SET(machine->pus[core->pu_first + j], &set);
	}
	return set;
}

static void
put_cache(const struct fixture *f, size_t core, unsigned int pu, unsigned int cache)
{
	static const char *const levels[CACHE_KINDS] = {"1", "1", "2", "3"};
	static const char *const types[CACHE_KINDS] = {"Data", "Instruction", "Unified",
						       "Unified"};
	char prefix[64];
	cpu_set_t set =
	    sharers(&f->machine, core, cache == CACHE_KINDS - 1 ? KIND_CACHE : KIND_CORE);
	snprintf(prefix, sizeof(prefix), CPU "cpu%u/cache/index", pu);
	put_set(f, &set, prefix, cache, "shared_cpu_list", "shared_cpu_map");
	put(f, levels[cache], "%s%u/level", prefix, cache);
	put(f, types[cache], "%s%u/type", prefix, cache);
	put(f, "1024K", "%s%u/size", prefix, cache);
}

static void
put_pu(const struct fixture *f, size_t core, unsigned int pu)
{
	cpu_set_t siblings = sharers(&f->machine, core, KIND_CORE);
	cpu_set_t package = sharers(&f->machine, core, KIND_PACKAGE);
	put_set(f, &siblings, CPU "cpu", pu, "topology/thread_siblings_list",
		"topology/thread_siblings");
	put_set(f, &siblings, CPU "cpu", pu, "topology/cluster_cpus_list",
		"topology/cluster_cpus");
	put_set(f, &package, CPU "cpu", pu, "topology/core_siblings_list",
		"topology/core_siblings");
	put_number(f, (unsigned int)core, CPU "cpu", pu, "topology/core_id");
	put_number(f, f->machine.cores[core].package_index, CPU "cpu", pu,
		   "topology/physical_package_id");
	for (unsigned int cache = 0; cache < CACHE_KINDS; cache++)
		put_cache(f, core, pu, cache);
}

static void
put_node(const struct fixture *f, size_t core)
{
	cpu_set_t node = sharers(&f->machine, core, KIND_NODE);
	unsigned int number = f->machine.cores[core].node_number;
	put_set(f, &node, NODE "node", number, "cpulist", "cpumap");
	put(f, "Node 0 MemTotal: 1024 kB", NODE "node%u/meminfo", number);
}

static void
put_machine(const struct fixture *f)
{
	const struct machine *machine = &f->machine;
	cpu_set_t nodes, pus = sharers(machine, 0, KIND_ALL);
	CPU_ZERO(&nodes);
	for (size_t i = 0; i < machine->core_count; i++) {
		const struct machine_core *core = &machine->cores[i];
		for (size_t j = 0; j < core->pu_count; j++)
			put_pu(f, i, machine->pus[core->pu_first + j]);
		put_node(f, i);
		CPU_SET(core->node_number, &nodes);
	}
	char *node_list = list_of(&nodes), *pu_list = list_of(&pus);
	put(f, pu_list, CPU "online");
	put(f, node_list, NODE "online");
	free(node_list);
	free(pu_list);
}

static void
make_tree(struct fixture *f, const char *description)
{
	struct err err = {0};
	/* Tens of thousands of files in all: where they cost no disk anything, if there is such a place. */
	snprintf(f->root, sizeof(f->root), "/dev/shm/pinion-machine-XXXXXX");
	if (mkdtemp(f->root) == NULL) {
		snprintf(f->root, sizeof(f->root), "/tmp/pinion-machine-XXXXXX");
		assert_non_null(mkdtemp(f->root));
	}
	if (machine_init_synthetic(&f->machine, description, NULL, 0, &err) == -1)
		fail_msg("%s", err.text);
	put_machine(f);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static void
remove_tree(struct fixture *f)
{
	nftw(f->root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	machine_fini(&f->machine);
}

/* --- Comparing --- */

static void
assert_same_machine(const struct machine *found, const struct machine *expected)
{
	assert_int_equal(found->core_count, expected->core_count);
	assert_int_equal(found->pu_count, expected->pu_count);
	assert_memory_equal(found->pus, expected->pus,
			    expected->pu_count * sizeof(*expected->pus));
	for (size_t i = 0; i < expected->core_count; i++) {
		const struct machine_core *a = &found->cores[i], *b = &expected->cores[i];
		assert_int_equal(a->pu_first, b->pu_first);
		assert_int_equal(a->pu_count, b->pu_count);
		assert_int_equal(a->package_index, b->package_index);
		assert_int_equal(a->node_index, b->node_index);
		assert_int_equal(a->cache_index, b->cache_index);
		assert_int_equal(a->node_number, b->node_number);
	}
	assert_int_equal(found->all_core_count, expected->all_core_count);
	assert_int_equal(found->all_pu_count, expected->all_pu_count);
	assert_int_equal(found->all_node_count, expected->all_node_count);
	assert_true(found->is_known && expected->is_known);
}

/* What hwloc reads from the same tree. */
static void
hwloc_reads(struct machine *machine, const struct fixture *f, const unsigned int *allowed,
	    size_t allowed_count)
{
	struct err err = {0};
	setenv("HWLOC_FSROOT", f->root, 1);
	setenv("HWLOC_COMPONENTS", "linux,stop", 1);
	int failed = machine_init_hwloc(machine, allowed, allowed_count, false, &err);
	unsetenv("HWLOC_FSROOT");
	unsetenv("HWLOC_COMPONENTS");
	assert_int_equal(failed, 0);
}

static void
assert_both_agree(const struct fixture *f, const unsigned int *allowed, size_t allowed_count)
{
	struct machine machine, expected;
	assert_int_equal(machine_read_sysfs(&machine, f->root, allowed, allowed_count),
			 MACHINE_SYSFS_READ);
	hwloc_reads(&expected, f, allowed, allowed_count);
	assert_same_machine(&machine, &expected);
	assert_int_equal(machine.all_package_count, expected.all_package_count);
	machine_fini(&expected);
	machine_fini(&machine);
}

/* With all PUs, and with every third left out. */
static void
assert_agreement(const char *description)
{
	struct fixture f;
	struct machine machine;
	make_tree(&f, description);
	unsigned int some[CPU_SETSIZE];
	size_t some_count = 0;
	for (unsigned int pu = 0; pu < f.machine.pu_count; pu++)
		if (pu % 3 != 1)
			some[some_count++] = pu;
	assert_both_agree(&f, some, some_count);
	some_count = 0;
	for (unsigned int pu = 0; pu < f.machine.pu_count; pu++)
		some[some_count++] = pu;
	assert_both_agree(&f, some, some_count);
	assert_int_equal(machine_read_sysfs(&machine, f.root, some, some_count),
			 MACHINE_SYSFS_READ);
	assert_same_machine(&machine, &f.machine);
	machine_fini(&machine);
	remove_tree(&f);
}

/* --- Plain machines --- */

static void
made_up_machines_are_what_hwloc_says(void **state)
{
	(void)state;
	assert_agreement("numanode:1 core:1 pu:1");
	assert_agreement("numanode:1 core:4 pu:1");
	assert_agreement("numanode:1 core:4 pu:2");
	assert_agreement("package:2 numanode:1 l3:1 core:8 pu:2");
	assert_agreement("package:1 numanode:1 l3:2 core:4 pu:1");
	assert_agreement("numanode:1 package:3 core:2 pu:1");
	assert_agreement("package:1 numanode:2 core:4 pu:1");
	assert_agreement("package:2 numanode:1 core:6 pu:1");
	assert_agreement("numanode:2 l3:2 core:3 pu:1");
	assert_agreement("package:1 numanode:1 l3:3 core:4 pu:1");
	assert_agreement("package:1 numanode:1 l3:2 core:6 pu:1");
	assert_agreement("package:2 numanode:2 l3:2 core:2 pu:2");
}

static void
numbers_may_go_round_the_machine(void **state)
{
	(void)state;
	/* All first threads before the second ones, and the packages in turn. */
	assert_agreement("package:1 numanode:1 l3:2 core:4 pu:2(indexes=8*2:1*8)");
	assert_agreement(
	    "package:2 numanode:1 l3:2 core:2 pu:2(indexes=package:core:pu)");
	assert_agreement("package:2 numanode:2 l3:1 core:4 pu:2(indexes=numa:core:pu)");
	assert_agreement("package:2 numanode:1(indexes=1,0) l3:1 core:2 pu:1");
}

static void
this_machine_is_what_hwloc_says(void **state)
{
	(void)state;
	struct err err = {0};
	struct budget budget = {0};
	struct machine machine, expected;
	assert_int_equal(budget_read_affinity(&budget, &err), 0);
	assert_int_equal(machine_init(&machine, budget.pus, budget.pu_count, false, &err),
			 0);
	assert_int_equal(
	    machine_init_hwloc(&expected, budget.pus, budget.pu_count, false, &err), 0);
	assert_same_machine(&machine, &expected);
	assert_int_equal(machine.all_package_count, expected.all_package_count);
	machine_fini(&machine);
	machine_fini(&expected);
	budget_fini(&budget);
}

static void
a_kernel_without_numa_has_one_node(void **state)
{
	(void)state;
	struct fixture f;
	char path[128], away[128];
	make_tree(&f, "package:1 numanode:1 l3:2 core:2 pu:1");
	snprintf(path, sizeof(path), "%s/sys/devices/system/node", f.root);
	snprintf(away, sizeof(away), "%s/away", f.root);
	assert_int_equal(rename(path, away), 0);
	assert_both_agree(&f, (unsigned int[]){0, 3}, 2);
	remove_tree(&f);
}

static void
cpus_that_are_offline_do_not_count(void **state)
{
	(void)state;
	struct fixture f;
	make_tree(&f, "package:1 numanode:1 l3:2 core:4 pu:2");
	put(&f, "0,2-13", CPU "online");
	assert_both_agree(&f, (unsigned int[]){0, 2, 3, 4}, 4);
	remove_tree(&f);
}

/* --- Others, which are hwloc's --- */

static struct fixture
plain_tree(void)
{
	struct fixture f;
	make_tree(&f, "package:2 numanode:1 l3:2 core:2 pu:2");
	return f;
}

static void
assert_not_plain(struct fixture *f)
{
	struct machine machine;
	assert_int_equal(machine_read_sysfs(&machine, f->root, (unsigned int[]){0, 4}, 2),
			 MACHINE_SYSFS_NOT_PLAIN);
	assert_null(machine.cores);
	assert_null(machine.pus);
	remove_tree(f);
}

/* A plain tree in which one file says something else. */
static void
assert_not_plain_with(const char *text, const char *path)
{
	struct fixture f = plain_tree();
	put(&f, text, "%s", path);
	assert_not_plain(&f);
}

static void
what_is_not_plain_is_left_to_hwloc(void **state)
{
	(void)state;
	struct fixture f = plain_tree();
	assert_both_agree(&f, (unsigned int[]){0, 4},
			  2); /* it is, without the changes below */
	remove_tree(&f);
	assert_not_plain_with("-1", CPU "cpu0/topology/physical_package_id");
	assert_not_plain_with("7", CPU "cpu1/topology/core_id"); /* a core of its own */
	assert_not_plain_with("0-3", CPU "cpu0/topology/cluster_cpus_list");
	assert_not_plain_with("0-3", CPU "cpu0/cache/index2/shared_cpu_list");
	assert_not_plain_with("12-15", CPU "cpu15/cache/index2/shared_cpu_list");
	assert_not_plain_with("Instruction", CPU "cpu0/cache/index3/type");
	assert_not_plain_with("1", CPU "cpu0/cache/index3/level");
	assert_not_plain_with("0-2,4-7", CPU "cpu0/topology/core_siblings_list");
	assert_not_plain_with("0-11", CPU "cpu0/cache/index3/shared_cpu_list");
	assert_not_plain_with("0-7", NODE "node1/cpulist");
	assert_not_plain_with("", NODE "node1/cpulist");
	assert_not_plain_with("0-2", NODE "online");
	assert_not_plain_with("1-15", CPU "online"); /* but the kernel lets us use 0 */
}

static void
nonsense_is_left_to_hwloc(void **state)
{
	(void)state;
	static const char *const nonsense[] = {
	    "",       "x",       "0-",
	    "-3",     "3-0",     "0-3 4",
	    "0-3,,5", "0-99999", "0,99999999999999999999",
	    "f"};
	for (size_t i = 0; i < sizeof(nonsense) / sizeof(*nonsense); i++) {
		assert_not_plain_with(nonsense[i], CPU "online");
		assert_not_plain_with(nonsense[i],
				      CPU "cpu0/topology/thread_siblings_list");
		assert_not_plain_with(nonsense[i],
				      CPU "cpu4/cache/index3/shared_cpu_list");
	}
}

static void
a_missing_file_is_left_to_hwloc(void **state)
{
	(void)state;
	static const char *const paths[] = {CPU "online",
					    CPU "cpu14/topology/thread_siblings_list",
					    CPU "cpu8/topology/core_siblings_list",
					    CPU "cpu0/cache/index3/type",
					    CPU "cpu12/cache/index3/shared_cpu_list",
					    NODE "online",
					    NODE "node1/cpulist"};
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		struct fixture f = plain_tree();
		char path[256];
		snprintf(path, sizeof(path), "%s%s", f.root, paths[i]);
		assert_int_equal(unlink(path), 0);
		assert_not_plain(&f);
	}
}

static void
parts_that_do_not_nest_are_left_to_hwloc(void **state)
{
	(void)state;
	struct fixture f = plain_tree();
	/* Nodes lie across the packages, 0-7 and 8-15, and across their caches. */
	put(&f, "0-1,8-15", NODE "node0/cpulist");
	put(&f, "2-7", NODE "node1/cpulist");
	assert_not_plain(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(made_up_machines_are_what_hwloc_says),
	    cmocka_unit_test(numbers_may_go_round_the_machine),
	    cmocka_unit_test(this_machine_is_what_hwloc_says),
	    cmocka_unit_test(a_kernel_without_numa_has_one_node),
	    cmocka_unit_test(cpus_that_are_offline_do_not_count),
	    cmocka_unit_test(what_is_not_plain_is_left_to_hwloc),
	    cmocka_unit_test(nonsense_is_left_to_hwloc),
	    cmocka_unit_test(a_missing_file_is_left_to_hwloc),
	    cmocka_unit_test(parts_that_do_not_nest_are_left_to_hwloc),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

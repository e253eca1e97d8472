/* The budget, the size of the pool and the workers' places, on made-up machines and on this one. */
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/io.h"
#include "pool/topology.h"
#include "pool/topology_parts.h"

#define ALL_PUS NULL, 0
#define PUS(...)                       \
	(unsigned int[]){__VA_ARGS__}, \
	    sizeof((unsigned int[]){__VA_ARGS__}) / sizeof(unsigned int)

/* Each names its NUMA nodes: where hwloc has to add one, it copies memory in a way valgrind reports. */
#define FOUR_CORES "numanode:1 core:4 pu:1"
#define FOUR_CORES_OF_TWO "numanode:1 core:4 pu:2"
#define TWO_PACKAGES "package:2 numanode:1 l3:1 core:8 pu:2"
#define TWO_CACHES "package:1 numanode:1 l3:2 core:4 pu:1"

static struct topology *
make(const char *description, const unsigned int *allowed, size_t allowed_count,
     double quota_cpus)
{
	struct err err = {0};
	struct topology *topology =
	    topology_new_synthetic(description, allowed, allowed_count, quota_cpus, &err);
	if (topology == NULL)
		fail_msg("%s", err.text);
	return topology;
}

/* "0-1 2-3 4": the places of the first `slot_count` workers. */
static void
assert_places(const struct topology *topology, enum spec_bind kind, size_t worker_count,
	      size_t slot_count, const char *expected)
{
	struct buf text = {0};
	for (size_t slot = 0; slot < slot_count; slot++) {
		struct place place = places_at(&topology->places, kind, worker_count, slot);
		if (slot > 0)
			assert_int_equal(buf_append_char(&text, ' '), 0);
		assert_int_equal(budget_append_list(&text,
						    topology->machine.pus + place.pu_first,
						    place.pu_count),
				 0);
	}
	assert_string_equal(buf_str(&text), expected);
	buf_fini(&text);
}

/* --- Facts --- */

static void
facts_count_machine_and_mask_apart(void **state)
{
	(void)state;
	struct topology *topology = make(TWO_PACKAGES, PUS(16, 17, 18), 0);
	const struct topology_facts *facts = topology_facts(topology);
	assert_int_equal(facts->machine_core_count, 16);
	assert_int_equal(facts->machine_pu_count, 32);
	assert_int_equal(facts->core_count, 2);
	assert_int_equal(facts->pu_count, 3);
	assert_int_equal(facts->numa_count, 1);
	assert_int_equal(facts->budget_cores, 2);
	assert_int_equal(facts->budget_threads, 3);
	assert_null(facts->quota_path);
	topology_free(topology);
}

static void
assert_budget(double quota_cpus, size_t cores, size_t threads)
{
	struct topology *topology = make(FOUR_CORES_OF_TWO, ALL_PUS, quota_cpus);
	assert_int_equal(topology_facts(topology)->budget_cores, cores);
	assert_int_equal(topology_facts(topology)->budget_threads, threads);
	topology_free(topology);
}

static void
quota_is_rounded_up_and_never_below_one(void **state)
{
	(void)state;
	assert_budget(0, 4, 8);
	assert_budget(0.01, 1, 1);
	assert_budget(1, 1, 1);
	assert_budget(1.5, 2, 2);
	assert_budget(4, 4, 4);
	assert_budget(4.1, 4, 5);
	assert_budget(1e12, 4, 8);
}

/* --- Places --- */

static void
one_core_is_everyones_place(void **state)
{
	(void)state;
	struct topology *topology = make("numanode:1 core:1 pu:1", ALL_PUS, 0);
	assert_places(topology, SPEC_BIND_CORE, 1, 1, "0");
	assert_places(topology, SPEC_BIND_CORE, 3, 3, "0 0 0");
	assert_places(topology, SPEC_BIND_SHARE, 3, 3, "0 0 0");
	assert_places(topology, SPEC_BIND_PU, 2, 2, "0 0");
	assert_places(topology, SPEC_BIND_NUMA, 2, 2, "0 0");
	topology_free(topology);
}

static void
core_gives_whole_cores_and_goes_round_again(void **state)
{
	(void)state;
	struct topology *topology = make(FOUR_CORES_OF_TWO, ALL_PUS, 0);
	assert_places(topology, SPEC_BIND_CORE, 6, 6, "0-1 2-3 4-5 6-7 0-1 2-3");
	topology_free(topology);
}

static void
core_spreads_over_nodes(void **state)
{
	(void)state;
	struct topology *topology = make(TWO_PACKAGES, ALL_PUS, 0);
	assert_places(topology, SPEC_BIND_CORE, 16, 5, "0-1 16-17 2-3 18-19 4-5");
	topology_free(topology);
}

static void
core_spreads_over_caches(void **state)
{
	(void)state;
	struct topology *topology = make(TWO_CACHES, ALL_PUS, 0);
	assert_places(topology, SPEC_BIND_CORE, 8, 8, "0 4 1 5 2 6 3 7");
	topology_free(topology);
}

static void
core_spreads_over_packages_within_one_node(void **state)
{
	(void)state;
	struct topology *topology = make("numanode:1 package:3 core:2 pu:1", ALL_PUS, 0);
	assert_places(topology, SPEC_BIND_CORE, 6, 6, "0 2 4 1 3 5");
	topology_free(topology);
}

static void
core_spreads_over_what_an_uneven_mask_leaves(void **state)
{
	(void)state;
	struct topology *topology = make(TWO_CACHES, PUS(3, 4, 5, 6), 0);
	assert_places(topology, SPEC_BIND_CORE, 4, 4, "3 4 5 6");
	topology_free(topology);
}

static void
every_core_of_many_is_given_once(void **state)
{
	(void)state;
	struct topology *topology =
	    make("package:4 numanode:2 l3:2 core:4 pu:1", ALL_PUS, 0);
	bool is_seen[64] = {false};
	for (size_t slot = 0; slot < 64; slot++) {
		struct place place = places_at(&topology->places, SPEC_BIND_CORE, 64, slot);
		assert_int_equal(place.pu_count, 1);
		assert_false(is_seen[topology->machine.pus[place.pu_first]]);
		is_seen[topology->machine.pus[place.pu_first]] = true;
	}
	/* Consecutive workers sit in different packages, four in four. */
	assert_places(topology, SPEC_BIND_CORE, 64, 5, "0 16 32 48 8");
	topology_free(topology);
}

static void
mask_leaves_only_some_cores(void **state)
{
	(void)state;
	struct topology *topology = make(FOUR_CORES, PUS(1, 3), 0);
	assert_places(topology, SPEC_BIND_CORE, 2, 2, "1 3");
	assert_places(topology, SPEC_BIND_SHARE, 1, 1, "1,3");
	assert_places(topology, SPEC_BIND_PU, 3, 3, "1 3 1");
	assert_places(topology, SPEC_BIND_NONE, 2, 1, "1,3");
	topology_free(topology);
}

static void
mask_leaves_only_one_thread_of_a_core(void **state)
{
	(void)state;
	struct topology *topology = make(FOUR_CORES_OF_TWO, PUS(0, 2, 3), 0);
	assert_places(topology, SPEC_BIND_CORE, 2, 2, "0 2-3");
	assert_places(topology, SPEC_BIND_PU, 4, 4, "0 2 3 0");
	topology_free(topology);
}

static void
pu_takes_one_of_each_core_before_siblings(void **state)
{
	(void)state;
	struct topology *topology = make(FOUR_CORES_OF_TWO, ALL_PUS, 0);
	assert_places(topology, SPEC_BIND_PU, 8, 8, "0 2 4 6 1 3 5 7");
	topology_free(topology);
}

static void
pu_spreads_over_nodes(void **state)
{
	(void)state;
	struct topology *topology = make(TWO_PACKAGES, ALL_PUS, 0);
	assert_places(topology, SPEC_BIND_PU, 32, 3, "0 16 2");
	struct place place = places_at(&topology->places, SPEC_BIND_PU, 32, 16);
	assert_int_equal(topology->machine.pus[place.pu_first], 1);
	topology_free(topology);
}

static void
numa_gives_whole_nodes_in_turn(void **state)
{
	(void)state;
	struct topology *topology = make(TWO_PACKAGES, ALL_PUS, 0);
	assert_places(topology, SPEC_BIND_NUMA, 3, 3, "0-15 16-31 0-15");
	topology_free(topology);
}

static void
numa_knows_several_nodes_in_a_package(void **state)
{
	(void)state;
	struct topology *topology = make("package:1 numanode:2 core:4 pu:1", ALL_PUS, 0);
	assert_places(topology, SPEC_BIND_NUMA, 3, 3, "0-3 4-7 0-3");
	topology_free(topology);
}

static void
numa_passes_over_nodes_outside_the_mask(void **state)
{
	(void)state;
	struct topology *topology = make(TWO_PACKAGES, PUS(20, 21, 22), 0);
	assert_places(topology, SPEC_BIND_NUMA, 2, 2, "20-22 20-22");
	topology_free(topology);
}

static void
share_gives_a_lone_worker_everything(void **state)
{
	(void)state;
	struct topology *topology = make(TWO_PACKAGES, ALL_PUS, 0);
	assert_places(topology, SPEC_BIND_SHARE, 1, 1, "0-31");
	topology_free(topology);
}

static void
share_cuts_neighbouring_cores(void **state)
{
	(void)state;
	struct topology *topology = make(FOUR_CORES, ALL_PUS, 0);
	assert_places(topology, SPEC_BIND_SHARE, 2, 2, "0-1 2-3");
	assert_places(topology, SPEC_BIND_SHARE, 3, 3, "0-1 2 3");
	assert_places(topology, SPEC_BIND_SHARE, 4, 4, "0 1 2 3");
	assert_places(topology, SPEC_BIND_SHARE, 5, 5, "0 1 2 3 0");
	topology_free(topology);
}

static void
share_cuts_between_nodes_where_sizes_allow(void **state)
{
	(void)state;
	struct topology *topology = make(TWO_PACKAGES, ALL_PUS, 0);
	assert_places(topology, SPEC_BIND_SHARE, 2, 2, "0-15 16-31");
	assert_places(topology, SPEC_BIND_SHARE, 6, 6, "0-5 6-11 12-15 16-21 22-27 28-31");
	topology_free(topology);
	topology = make("package:2 numanode:1 core:6 pu:1",
			PUS(0, 1, 2, 3, 6, 7, 8, 9, 10, 11), 0);
	assert_places(topology, SPEC_BIND_SHARE, 4, 4, "0-1 2-3 6-8 9-11");
	topology_free(topology);
}

static void
share_crosses_a_cache_rather_than_a_node(void **state)
{
	(void)state;
	struct topology *topology =
	    make("numanode:2 l3:2 core:3 pu:1", PUS(0, 3, 6, 7, 8), 0);
	assert_places(topology, SPEC_BIND_SHARE, 2, 2, "0,3 6-8");
	topology_free(topology);
}

static void
worker_limit_follows_the_limit_of_open_files(void **state)
{
	(void)state;
	struct rlimit saved, few;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &saved), 0);
	few = saved;
	few.rlim_cur = 64;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_in_range(topology_worker_limit(1), 32, 63);
	assert_in_range(topology_worker_limit(3), 8, 63 / 3);
	few.rlim_cur = 20;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(topology_worker_limit(3), 1);
	few.rlim_cur = 4;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	assert_int_equal(topology_worker_limit(1), 1);
	few.rlim_cur = saved.rlim_max;
	if (few.rlim_cur > 1000000) {
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
		assert_int_equal(topology_worker_limit(1), 2 * topology_worker_limit(2));
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &saved), 0);
}

static size_t
crossings(const struct machine *machine, size_t first, size_t count)
{
	return machine->cores[first].cache_index !=
	       machine->cores[first + count - 1].cache_index;
}

/* The least number of shares across a cache that any order of long and short ones has. */
static size_t
fewest_crossings(const struct machine *machine, size_t worker_count)
{
	size_t size = machine->core_count / worker_count;
	size_t long_total = machine->core_count % worker_count;
	size_t fewest = SIZE_MAX;
	for (unsigned int longs = 0; longs < 1U << worker_count; longs++) {
		if ((size_t)__builtin_popcount(longs) != long_total)
			continue;
		size_t at = 0, found = 0;
		for (size_t slot = 0; slot < worker_count; slot++) {
			size_t count = size + (longs >> slot & 1);
			found += crossings(machine, at, count);
			at += count;
		}
		fewest = found < fewest ? found : fewest;
	}
	return fewest;
}

/* On a machine of one PU per core: each core once, sizes even, no avoidable crossing. */
static void
assert_shares_are_best(const struct topology *topology, size_t worker_count)
{
	const struct machine *machine = &topology->machine;
	size_t at = 0, found = 0, least = machine->core_count / worker_count;
	for (size_t slot = 0; slot < worker_count; slot++) {
		struct place place =
		    places_at(&topology->places, SPEC_BIND_SHARE, worker_count, slot);
		assert_int_equal(place.pu_first, at);
		assert_in_range(place.pu_count, least, least + 1);
		found += crossings(machine, at, place.pu_count);
		at += place.pu_count;
	}
	assert_int_equal(at, machine->core_count);
	assert_int_equal(found, fewest_crossings(machine, worker_count));
}

static void
shares_are_even_and_cross_no_cache_without_need(void **state)
{
	(void)state;
	struct topology *machines[] = {
	    make("package:1 numanode:1 l3:3 core:4 pu:1", ALL_PUS, 0),
	    make("package:1 numanode:1 l3:3 core:4 pu:1", PUS(0, 4, 5, 6, 7, 8, 9), 0),
	    make("package:1 numanode:1 l3:3 core:4 pu:1",
		 PUS(0, 1, 2, 4, 5, 8, 9, 10, 11), 0),
	    make("package:1 numanode:1 l3:2 core:6 pu:1",
		 PUS(0, 1, 2, 3, 6, 7, 8, 9, 10, 11), 0),
	};
	for (size_t i = 0; i < sizeof(machines) / sizeof(*machines); i++) {
		size_t core_count = topology_facts(machines[i])->core_count;
		for (size_t worker_count = 1; worker_count <= core_count; worker_count++)
			assert_shares_are_best(machines[i], worker_count);
		topology_free(machines[i]);
	}
}

/* --- What auto means --- */

static void
auto_is_core_share_or_none(void **state)
{
	(void)state;
	struct topology *topology = make(FOUR_CORES_OF_TWO, ALL_PUS, 0);
	assert_int_equal(topology_bind_kind(topology, SPEC_BIND_AUTO, 3), SPEC_BIND_SHARE);
	assert_int_equal(topology_bind_kind(topology, SPEC_BIND_AUTO, 4), SPEC_BIND_CORE);
	assert_int_equal(topology_bind_kind(topology, SPEC_BIND_AUTO, 5), SPEC_BIND_NONE);
	assert_int_equal(topology_bind_kind(topology, SPEC_BIND_PU, 5), SPEC_BIND_PU);
	assert_non_null(
	    strstr(topology_bind_why(topology, SPEC_BIND_AUTO, 5), "more workers"));
	assert_string_equal(topology_bind_why(topology, SPEC_BIND_PU, 5), "as asked");
	topology_free(topology);
}

static void
auto_does_not_bind_under_a_quota_that_limits(void **state)
{
	(void)state;
	struct topology *topology = make(FOUR_CORES, ALL_PUS, 2);
	assert_int_equal(topology_bind_kind(topology, SPEC_BIND_AUTO, 2), SPEC_BIND_NONE);
	assert_non_null(strstr(topology_bind_why(topology, SPEC_BIND_AUTO, 2), "quota"));
	topology_free(topology);
	topology = make(FOUR_CORES, ALL_PUS, 3.5);
	assert_int_equal(topology_bind_kind(topology, SPEC_BIND_AUTO, 4), SPEC_BIND_CORE);
	topology_free(topology);
}

/* --- Threads per worker --- */

static void
share_of_threads_is_the_place(void **state)
{
	(void)state;
	struct topology *topology = make(FOUR_CORES_OF_TWO, ALL_PUS, 0);
	assert_int_equal(topology_share(topology, SPEC_BIND_AUTO, 1, 0), 8);
	assert_int_equal(topology_share(topology, SPEC_BIND_AUTO, 3, 0), 4);
	assert_int_equal(topology_share(topology, SPEC_BIND_AUTO, 3, 1), 2);
	assert_int_equal(topology_share(topology, SPEC_BIND_AUTO, 4, 3), 2);
	assert_int_equal(topology_share(topology, SPEC_BIND_PU, 2, 1), 1);
	topology_free(topology);
}

static void
share_of_threads_without_binding_is_a_part_of_the_budget(void **state)
{
	(void)state;
	struct topology *topology = make(FOUR_CORES_OF_TWO, ALL_PUS, 0);
	assert_int_equal(topology_share(topology, SPEC_BIND_NONE, 2, 1), 4);
	assert_int_equal(topology_share(topology, SPEC_BIND_AUTO, 100, 99), 1);
	topology_free(topology);
	topology = make(FOUR_CORES_OF_TWO, ALL_PUS, 3);
	assert_int_equal(topology_share(topology, SPEC_BIND_AUTO, 1, 0), 3);
	assert_int_equal(topology_share(topology, SPEC_BIND_SHARE, 1, 0), 3);
	topology_free(topology);
}

static void
workers_in_one_place_divide_its_threads(void **state)
{
	(void)state;
	struct topology *topology = make(FOUR_CORES_OF_TWO, ALL_PUS, 0);
	assert_int_equal(topology_share(topology, SPEC_BIND_CORE, 5, 0), 1);
	assert_int_equal(topology_share(topology, SPEC_BIND_CORE, 5, 4), 1);
	assert_int_equal(topology_share(topology, SPEC_BIND_CORE, 5, 1), 2);
	assert_int_equal(topology_share(topology, SPEC_BIND_NUMA, 3, 0), 2);
	topology_free(topology);
}

/* --- How many workers --- */

static size_t
count_for(const struct topology *topology, enum spec_jobs_kind kind, double value,
	  enum spec_dialect dialect)
{
	struct spec_jobs jobs = {.kind = kind, .value = value};
	return topology_worker_count(topology, &jobs, dialect, 100, NULL);
}

static void
worker_count_follows_jobs(void **state)
{
	(void)state;
	struct topology *topology = make(FOUR_CORES_OF_TWO, ALL_PUS, 0);
	assert_int_equal(count_for(topology, SPEC_JOBS_DEFAULT, 0, SPEC_MAP), 4);
	assert_int_equal(count_for(topology, SPEC_JOBS_DEFAULT, 0, SPEC_PARALLEL), 8);
	assert_int_equal(count_for(topology, SPEC_JOBS_COUNT, 7, SPEC_MAP), 7);
	assert_int_equal(count_for(topology, SPEC_JOBS_COUNT, 1e18, SPEC_MAP), 100);
	assert_int_equal(count_for(topology, SPEC_JOBS_PLUS, 2, SPEC_MAP), 6);
	assert_int_equal(count_for(topology, SPEC_JOBS_PLUS, -1, SPEC_MAP), 3);
	assert_int_equal(count_for(topology, SPEC_JOBS_PLUS, -9, SPEC_MAP), 1);
	assert_int_equal(count_for(topology, SPEC_JOBS_PLUS, -1, SPEC_PARALLEL), 7);
	assert_int_equal(count_for(topology, SPEC_JOBS_CORES, 0, SPEC_PARALLEL), 4);
	assert_int_equal(count_for(topology, SPEC_JOBS_THREADS, 0, SPEC_MAP), 8);
	assert_int_equal(count_for(topology, SPEC_JOBS_MAX, 0, SPEC_MAP), 100);
	topology_free(topology);
}

static void
percentages_are_rounded_up(void **state)
{
	(void)state;
	struct topology *topology = make(FOUR_CORES_OF_TWO, ALL_PUS, 0);
	assert_int_equal(count_for(topology, SPEC_JOBS_PERCENT, 50, SPEC_MAP), 2);
	assert_int_equal(count_for(topology, SPEC_JOBS_PERCENT, 51, SPEC_MAP), 3);
	assert_int_equal(count_for(topology, SPEC_JOBS_PERCENT, 0.5, SPEC_MAP), 1);
	assert_int_equal(count_for(topology, SPEC_JOBS_PERCENT, 50, SPEC_PARALLEL), 4);
	assert_int_equal(count_for(topology, SPEC_JOBS_PERCENT, 200, SPEC_MAP), 8);
	topology_free(topology);
}

static void
quota_counts_for_the_default(void **state)
{
	(void)state;
	struct topology *topology = make(FOUR_CORES_OF_TWO, ALL_PUS, 2.5);
	assert_int_equal(count_for(topology, SPEC_JOBS_DEFAULT, 0, SPEC_MAP), 3);
	assert_int_equal(count_for(topology, SPEC_JOBS_DEFAULT, 0, SPEC_PARALLEL), 3);
	topology_free(topology);
}

static size_t
count_from_file(const struct topology *topology, const char *content, struct err *err)
{
	char path[] = "/tmp/pinion-jobs-XXXXXX";
	int fd = mkstemp(path);
	assert_int_not_equal(fd, -1);
	assert_int_equal(io_write_all(fd, content, strlen(content)), 0);
	io_close(fd);
	struct spec_jobs jobs = {.kind = SPEC_JOBS_FILE, .path = path};
	size_t count = topology_worker_count(topology, &jobs, SPEC_MAP, 100, err);
	unlink(path);
	return count;
}

static void
jobs_file_holds_any_of_the_forms(void **state)
{
	(void)state;
	struct topology *topology = make(FOUR_CORES_OF_TWO, ALL_PUS, 0);
	assert_int_equal(count_from_file(topology, "3", NULL), 3);
	assert_int_equal(count_from_file(topology, " 50%\n", NULL), 2);
	assert_int_equal(count_from_file(topology, "\t+1 \r\n\n", NULL), 5);
	assert_int_equal(count_from_file(topology, "-1\n", NULL), 3);
	assert_int_equal(count_from_file(topology, "threads\n", NULL), 8);
	assert_int_equal(count_from_file(topology, "0\n", NULL), 100);
	topology_free(topology);
}

static void
jobs_file_with_nonsense_is_an_error_that_names_it(void **state)
{
	(void)state;
	struct topology *topology = make(FOUR_CORES, ALL_PUS, 0);
	static const char *const nonsense[] = {"",    "\n",     "four",
					       "3 4", "3\n4\n", "/dev/null"};
	for (size_t i = 0; i < sizeof(nonsense) / sizeof(*nonsense); i++) {
		struct err err = {0};
		assert_int_equal(count_from_file(topology, nonsense[i], &err), 0);
		assert_int_equal(err.kind, ERR_USAGE);
		assert_non_null(strstr(err.text, "/tmp/pinion-jobs-"));
	}
	topology_free(topology);
}

static void
jobs_file_that_cannot_be_read_is_an_error(void **state)
{
	(void)state;
	struct topology *topology = make(FOUR_CORES, ALL_PUS, 0);
	static const char *const paths[] = {"/nonexistent/jobs", "/dev/null", "/"};
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		struct err err = {0};
		struct spec_jobs jobs = {.kind = SPEC_JOBS_FILE, .path = paths[i]};
		assert_int_equal(
		    topology_worker_count(topology, &jobs, SPEC_MAP, 100, &err), 0);
		assert_int_equal(err.kind, ERR_USAGE);
		assert_non_null(strstr(err.text, paths[i]));
	}
	topology_free(topology);
}

/* --- This machine --- */

static struct topology *
this_machine(void)
{
	struct err err = {0};
	struct topology *topology = topology_new(&err);
	if (topology == NULL)
		fail_msg("%s", err.text);
	return topology;
}

static void
this_machine_is_within_the_mask(void **state)
{
	(void)state;
	struct topology *topology = this_machine();
	cpu_set_t mask;
	assert_int_equal(sched_getaffinity(0, sizeof(mask), &mask), 0);
	const struct topology_facts *facts = topology_facts(topology);
	assert_int_equal(facts->pu_count, CPU_COUNT(&mask));
	assert_in_range(facts->core_count, 1, facts->pu_count);
	assert_in_range(facts->budget_cores, 1, facts->core_count);
	assert_in_range(facts->machine_pu_count, facts->pu_count, 1 << 20);
	topology_free(topology);
}

static void
discovery_leaves_the_environment_alone(void **state)
{
	(void)state;
	unsetenv("HWLOC_COMPONENTS");
	unsetenv("HWLOC_PLUGINS_PATH");
	topology_free(this_machine());
	assert_null(getenv("HWLOC_COMPONENTS"));
	assert_null(getenv("HWLOC_PLUGINS_PATH"));
	setenv("HWLOC_PLUGINS_PATH", "/mine", 1);
	topology_free(this_machine());
	assert_string_equal(getenv("HWLOC_PLUGINS_PATH"), "/mine");
	unsetenv("HWLOC_PLUGINS_PATH");
}

static void
every_pu_is_a_core_where_hwloc_knows_nothing(void **state)
{
	(void)state;
	struct err err = {0};
	setenv("HWLOC_SYNTHETIC", "numanode:1 core:2 pu:1", 1);
	struct machine machine;
	assert_int_equal(machine_init(&machine, PUS(5, 9, 1000), false, &err), 0);
	unsetenv("HWLOC_SYNTHETIC");
	assert_false(machine.is_known);
	assert_int_equal(machine.core_count, 3);
	assert_int_equal(machine.pu_count, 3);
	assert_int_equal(machine.pus[2], 1000);
	struct places places;
	assert_int_equal(places_init(&places, &machine, &err), 0);
	struct place place = places_at(&places, SPEC_BIND_CORE, 3, 1);
	assert_int_equal(machine.pus[place.pu_first], 9);
	assert_int_equal(places_at(&places, SPEC_BIND_NUMA, 3, 1).pu_count, 3);
	places_fini(&places);
	machine_fini(&machine);
}

/* In a child: 0 when the kernel's mask after binding is exactly the place. */
static int
bind_and_compare(const struct topology *topology, enum spec_bind kind,
		 size_t worker_count, size_t slot_index)
{
	cpu_set_t mask;
	struct place place = places_at(&topology->places, kind, worker_count, slot_index);
	if (topology_bind(topology, kind, worker_count, slot_index) == -1 ||
	    sched_getaffinity(0, sizeof(mask), &mask) == -1)
		return 1;
	for (size_t i = 0; i < place.pu_count; i++)
		if (!CPU_ISSET(topology->machine.pus[place.pu_first + i], &mask))
			return 2;
	return (size_t)CPU_COUNT(&mask) == place.pu_count ? 0 : 3;
}

static void
bound_masks_are_the_places(void **state)
{
	(void)state;
	struct topology *topology = this_machine();
	size_t core_count = topology_facts(topology)->core_count;
	for (enum spec_bind kind = SPEC_BIND_CORE; kind <= SPEC_BIND_NONE; kind++) {
		for (size_t slot = 0; slot < core_count && slot < 8; slot++) {
			pid_t child = fork();
			if (child == 0) {
				int status =
				    bind_and_compare(topology, kind, core_count, slot);
				topology_free(topology);
				_exit(status);
			}
			int status;
			assert_int_equal(waitpid(child, &status, 0), child);
			assert_int_equal(status, 0);
		}
	}
	topology_free(topology);
}

/* A child that sits where `bound` says while it is believed to sit in slot 0: its mask afterwards. */
static cpu_set_t
widened(const struct topology *topology, size_t bound_slot, size_t core_count)
{
	int fds[2];
	char byte = 0;
	cpu_set_t mask;
	assert_int_equal(io_pipe(fds, 0), 0);
	pid_t child = fork();
	if (child == 0) {
		if (topology_bind(topology, SPEC_BIND_CORE, core_count, bound_slot) == 0)
			byte = 1;
		io_write_all(fds[1], &byte, 1);
		for (;;)
			pause();
	}
	assert_int_equal(io_read(fds[0], &byte, 1), 1);
	topology_widen(topology, SPEC_BIND_CORE, core_count, 0, child);
	assert_int_equal(sched_getaffinity(child, sizeof(mask), &mask), 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(byte, 1);
	return mask;
}

static void
who_sits_in_the_place_may_be_let_go_and_nobody_else(void **state)
{
	(void)state;
	struct topology *topology = this_machine();
	size_t core_count = topology_facts(topology)->core_count;
	cpu_set_t budget, mask;
	if (core_count < 2) {
		topology_free(topology);
		skip();
	}
	assert_int_equal(sched_getaffinity(0, sizeof(budget), &budget), 0);
	mask = widened(topology, 0, core_count);
	assert_true(CPU_EQUAL(&mask, &budget));
	mask = widened(topology, 1, core_count);
	struct place place = places_at(&topology->places, SPEC_BIND_CORE, core_count, 1);
	assert_int_equal(CPU_COUNT(&mask), place.pu_count);
	assert_true(CPU_ISSET(topology->machine.pus[place.pu_first], &mask));
	topology_free(topology);
}

static void
places_are_counted_once_each(void **state)
{
	(void)state;
	struct topology *topology = make(TWO_CACHES, ALL_PUS, 0);
	assert_int_equal(topology_place_count(topology, SPEC_BIND_AUTO, 1), 1);
	assert_int_equal(topology_place_count(topology, SPEC_BIND_AUTO, 3), 3);
	assert_int_equal(topology_place_count(topology, SPEC_BIND_AUTO, 9), 1);
	assert_int_equal(topology_place_count(topology, SPEC_BIND_CORE, 9), 8);
	assert_int_equal(topology_place_count(topology, SPEC_BIND_NUMA, 3), 1);
	assert_int_equal(topology_place_count(topology, SPEC_BIND_NONE, 3), 1);
	topology_free(topology);
}

static void
binding_to_what_is_not_there_fails(void **state)
{
	(void)state;
	struct topology *topology = make("numanode:1 core:4096 pu:1", PUS(4090, 4091), 0);
	assert_int_equal(topology_bind(topology, SPEC_BIND_CORE, 2, 0), -1);
	assert_int_equal(topology_bind(topology, SPEC_BIND_NONE, 2, 0), 0);
	topology_free(topology);
}

/* --- Printing --- */

static void
text_fits_into_80_columns(void **state)
{
	(void)state;
	struct topology *topology = make(TWO_PACKAGES, ALL_PUS, 2.5);
	struct buf text = {0};
	for (enum spec_bind kind = SPEC_BIND_AUTO; kind <= SPEC_BIND_NONE; kind++)
		assert_int_equal(topology_print(topology, kind, 40, &text), 0);
	assert_non_null(buf_str(&text));
	char *rest = text.bytes;
	for (char *line; (line = strsep(&rest, "\n")) != NULL;)
		assert_in_range(strlen(line), 0, 80);
	buf_fini(&text);
	topology_free(topology);
}

static void
text_tells_the_quota_and_that_nothing_is_bound(void **state)
{
	(void)state;
	struct topology *topology = make(FOUR_CORES, ALL_PUS, 2.5);
	struct buf text = {0};
	assert_int_equal(topology_print(topology, SPEC_BIND_AUTO, 3, &text), 0);
	assert_non_null(strstr(buf_str(&text), "2.5 CPUs"));
	assert_non_null(strstr(text.bytes, "none: a quota"));
	assert_non_null(strstr(text.bytes, "\n   all        1 "));
	buf_fini(&text);
	topology_free(topology);
}

static void
json_lists_each_place_once(void **state)
{
	(void)state;
	struct topology *topology = make(FOUR_CORES, ALL_PUS, 0);
	struct buf text = {0};
	assert_int_equal(topology_print_json(topology, SPEC_BIND_CORE, 9, &text), 0);
	assert_non_null(strstr(buf_str(&text), "\"worker_count\":\t9"));
	assert_non_null(strstr(text.bytes, "\"worker\":\t3"));
	assert_null(strstr(text.bytes, "\"worker\":\t4"));
	buf_fini(&text);
	topology_free(topology);
}

static void
nonsense_descriptions_are_refused(void **state)
{
	(void)state;
	struct err err = {0};
	assert_null(topology_new_synthetic("core:", ALL_PUS, 0, &err));
	assert_int_equal(err.kind, ERR_USAGE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(facts_count_machine_and_mask_apart),
	    cmocka_unit_test(quota_is_rounded_up_and_never_below_one),
	    cmocka_unit_test(one_core_is_everyones_place),
	    cmocka_unit_test(core_gives_whole_cores_and_goes_round_again),
	    cmocka_unit_test(core_spreads_over_nodes),
	    cmocka_unit_test(core_spreads_over_caches),
	    cmocka_unit_test(core_spreads_over_packages_within_one_node),
	    cmocka_unit_test(core_spreads_over_what_an_uneven_mask_leaves),
	    cmocka_unit_test(every_core_of_many_is_given_once),
	    cmocka_unit_test(mask_leaves_only_some_cores),
	    cmocka_unit_test(mask_leaves_only_one_thread_of_a_core),
	    cmocka_unit_test(pu_takes_one_of_each_core_before_siblings),
	    cmocka_unit_test(pu_spreads_over_nodes),
	    cmocka_unit_test(numa_gives_whole_nodes_in_turn),
	    cmocka_unit_test(numa_knows_several_nodes_in_a_package),
	    cmocka_unit_test(numa_passes_over_nodes_outside_the_mask),
	    cmocka_unit_test(share_gives_a_lone_worker_everything),
	    cmocka_unit_test(share_cuts_neighbouring_cores),
	    cmocka_unit_test(share_cuts_between_nodes_where_sizes_allow),
	    cmocka_unit_test(share_crosses_a_cache_rather_than_a_node),
	    cmocka_unit_test(worker_limit_follows_the_limit_of_open_files),
	    cmocka_unit_test(shares_are_even_and_cross_no_cache_without_need),
	    cmocka_unit_test(auto_is_core_share_or_none),
	    cmocka_unit_test(auto_does_not_bind_under_a_quota_that_limits),
	    cmocka_unit_test(share_of_threads_is_the_place),
	    cmocka_unit_test(share_of_threads_without_binding_is_a_part_of_the_budget),
	    cmocka_unit_test(workers_in_one_place_divide_its_threads),
	    cmocka_unit_test(worker_count_follows_jobs),
	    cmocka_unit_test(percentages_are_rounded_up),
	    cmocka_unit_test(quota_counts_for_the_default),
	    cmocka_unit_test(jobs_file_holds_any_of_the_forms),
	    cmocka_unit_test(jobs_file_with_nonsense_is_an_error_that_names_it),
	    cmocka_unit_test(jobs_file_that_cannot_be_read_is_an_error),
	    cmocka_unit_test(this_machine_is_within_the_mask),
	    cmocka_unit_test(discovery_leaves_the_environment_alone),
	    cmocka_unit_test(every_pu_is_a_core_where_hwloc_knows_nothing),
	    cmocka_unit_test(bound_masks_are_the_places),
	    cmocka_unit_test(who_sits_in_the_place_may_be_let_go_and_nobody_else),
	    cmocka_unit_test(places_are_counted_once_each),
	    cmocka_unit_test(binding_to_what_is_not_there_fails),
	    cmocka_unit_test(text_fits_into_80_columns),
	    cmocka_unit_test(text_tells_the_quota_and_that_nothing_is_bound),
	    cmocka_unit_test(json_lists_each_place_once),
	    cmocka_unit_test(nonsense_descriptions_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* topology.c: see topology.h. */
#include "pool/topology.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"
#include "pool/topology_parts.h"
#include "pool/tree.h"

#define JOBS_FILE_BYTES 256 /* a longer one holds nonsense */
#define JOBS_BLANKS " \t\r\n"
#define WORKERS_MOST 16384
#define OTHER_FDS 7     /* kept for everything that is no pool's */
#define POOL_FDS 5      /* of a pool, beside one for each of its workers */
#define MASK_CPUS 16384 /* twice what kernels know at most */
#define NODE_BITS 1024  /* the kernel's own limit */
#define LONG_BITS (8 * sizeof(unsigned long))

/* --- Making one --- */

/* For what is above 0 and fits. */
static size_t
round_up(double value)
{
	size_t whole = (size_t)value;
	return whole + ((double)whole < value);
}

/* So many of `count` as the quota pays for. */
static size_t
within_quota(size_t count, double quota_cpus)
{
	return quota_cpus <= 0 || quota_cpus >= (double)count ? count
							      : round_up(quota_cpus);
}

static void
sum_up(struct topology *topology)
{
	const struct machine *machine = &topology->machine;
	const struct budget *budget = &topology->budget;
	topology->facts = (struct topology_facts){
	    .machine_core_count = machine->all_core_count,
	    .machine_pu_count = machine->all_pu_count,
	    .core_count = machine->core_count,
	    .pu_count = machine->pu_count,
	    .numa_count = topology->places.node_count,
	    .quota_cpus = budget->quota_cpus,
	    .quota_path = budget->quota_path,
	    .budget_cores = within_quota(machine->core_count, budget->quota_cpus),
	    .budget_threads = within_quota(machine->pu_count, budget->quota_cpus),
	};
}

static struct topology *
new_from_kernel(bool is_detailed, struct err *err)
{
	struct topology *topology = calloc(1, sizeof(*topology));
	if (topology == NULL) {
		err_no_memory(err);
		return NULL;
	}
	struct budget *budget = &topology->budget;
	if (budget_read_affinity(budget, err) == -1 ||
	    budget_read_cgroups(budget, "", err) == -1 ||
	    machine_init(&topology->machine, budget->pus, budget->pu_count, is_detailed,
			 err) == -1 ||
	    places_init(&topology->places, &topology->machine, err) == -1) {
		topology_free(topology);
		return NULL;
	}
	sum_up(topology);
	return topology;
}

struct topology *
topology_new(struct err *err)
{
	return new_from_kernel(false, err);
}

struct topology *
topology_new_detailed(struct err *err)
{
	return new_from_kernel(true, err);
}

/* As if the kernel had said so. */
static int
pretend_budget(struct budget *budget, const struct machine *machine, double quota_cpus,
	       struct err *err)
{
	size_t mask_bytes = machine->pu_count * sizeof(*budget->pus);
	budget->pus = malloc(mask_bytes);
	budget->quota_path = quota_cpus > 0 ? strdup("(synthetic)") : NULL;
	if (budget->pus == NULL || (quota_cpus > 0 && budget->quota_path == NULL))
		return err_no_memory(err);
	memcpy(budget->pus, machine->pus, mask_bytes);
	budget->pu_count = machine->pu_count;
	budget->quota_cpus = quota_cpus;
	return 0;
}

struct topology *
topology_new_synthetic(const char *description, const unsigned int *allowed,
		       size_t allowed_count, double quota_cpus, struct err *err)
{
	struct topology *topology = calloc(1, sizeof(*topology));
	if (topology == NULL) {
		err_no_memory(err);
		return NULL;
	}
	struct machine *machine = &topology->machine;
	if (machine_init_synthetic(machine, description, allowed, allowed_count, err) == -1 ||
	    pretend_budget(&topology->budget, machine, quota_cpus, err) == -1 ||
	    places_init(&topology->places, machine, err) == -1) {
		topology_free(topology);
		return NULL;
	}
	sum_up(topology);
	return topology;
}

void
topology_free(struct topology *topology)
{
	if (topology == NULL)
		return;
	places_fini(&topology->places);
	machine_fini(&topology->machine);
	budget_fini(&topology->budget);
	free(topology);
}

const struct cgroups *
topology_cgroups(const struct topology *topology)
{
	return &topology->budget.cgroups;
}

const struct topology_facts *
topology_facts(const struct topology *topology)
{
	return &topology->facts;
}

/* --- How many workers --- */

/* The start of a regular file, NUL-ended: a pipe or a device could keep us waiting. */
static int
read_jobs_file(const char *path, char text[JOBS_FILE_BYTES], struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd == -1)
		return err_set(err, ERR_USAGE, "cannot read the number of jobs from %s: %s",
			       path, strerror(errno));
	ssize_t got = -1;
	errno = EINVAL;
	if (io_is_regular(fd))
		got = io_read_start(fd, text, JOBS_FILE_BYTES - 1);
	int saved = errno;
	io_close(fd);
	if (got == -1)
		return err_set(err, ERR_USAGE,
			       "cannot read the number of jobs from %s: %s", path,
			       saved == EINVAL ? "not a regular file" : strerror(saved));
	text[got] = '\0';
	return 0;
}

static int
jobs_from_file(const char *path, struct spec_jobs *jobs, struct err *err)
{
	char text[JOBS_FILE_BYTES];
	if (read_jobs_file(path, text, err) == -1)
		return -1;
	char *words = text + strspn(text, JOBS_BLANKS);
	size_t length = strlen(words);
	while (length > 0 && strchr(JOBS_BLANKS, words[length - 1]) != NULL)
		words[--length] = '\0';
	if (spec_jobs_parse(jobs, words) == 0)
		return 0;
	return err_set(
	    err, ERR_USAGE,
	    "%s does not hold a number of jobs: write N, N%%, +N, -N, cores or threads",
	    path);
}

static double
count_wanted(const struct topology_facts *facts, const struct spec_jobs *jobs,
	     enum spec_dialect dialect, size_t max_workers)
{
	double base = (double)(dialect == SPEC_PARALLEL ? facts->budget_threads
							: facts->budget_cores);
	switch (jobs->kind) {
	case SPEC_JOBS_COUNT:
		return jobs->value;
	case SPEC_JOBS_PERCENT:
		return base * jobs->value / 100;
	case SPEC_JOBS_PLUS:
		return base + jobs->value;
	case SPEC_JOBS_CORES:
		return (double)facts->budget_cores;
	case SPEC_JOBS_THREADS:
		return (double)facts->budget_threads;
	case SPEC_JOBS_MAX:
		return (double)max_workers;
	case SPEC_JOBS_DEFAULT:
	case SPEC_JOBS_FILE:
		break;
	}
	return base;
}

size_t
topology_worker_limit(size_t pool_count)
{
	struct rlimit limit;
	size_t others = OTHER_FDS + pool_count * POOL_FDS;
	size_t most = WORKERS_MOST / pool_count;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < WORKERS_MOST + others)
		most = limit.rlim_cur > others
			   ? (size_t)(limit.rlim_cur - others) / pool_count
			   : 0;
	return most > 0 ? most : 1;
}

size_t
topology_worker_count(const struct topology *topology, const struct spec_jobs *jobs,
		      enum spec_dialect dialect, size_t max_workers, struct err *err)
{
	struct spec_jobs from_file;
	if (jobs->kind == SPEC_JOBS_FILE) {
		if (jobs_from_file(jobs->path, &from_file, err) == -1)
			return 0;
		jobs = &from_file;
	}
	double wanted = count_wanted(&topology->facts, jobs, dialect, max_workers);
	if (wanted >= (double)max_workers)
		return max_workers > 0 ? max_workers : 1;
	return wanted > 1 ? round_up(wanted) : 1;
}

/* --- Where they sit --- */

/* Why auto chooses what it chooses, in the order in which it asks. */
enum auto_case { AUTO_QUOTA, AUTO_CROWDED, AUTO_FULL, AUTO_ROOMY };

static enum auto_case
auto_case(const struct topology_facts *facts, size_t worker_count)
{
	if (facts->budget_cores < facts->core_count)
		return AUTO_QUOTA;
	if (worker_count > facts->core_count)
		return AUTO_CROWDED;
	return worker_count == facts->core_count ? AUTO_FULL : AUTO_ROOMY;
}

enum spec_bind
topology_bind_kind(const struct topology *topology, enum spec_bind bind, size_t worker_count)
{
	static const enum spec_bind kinds[] = {[AUTO_QUOTA] = SPEC_BIND_NONE,
					       [AUTO_CROWDED] = SPEC_BIND_NONE,
					       [AUTO_FULL] = SPEC_BIND_CORE,
					       [AUTO_ROOMY] = SPEC_BIND_SHARE};
	return bind == SPEC_BIND_AUTO ? kinds[auto_case(&topology->facts, worker_count)]
				      : bind;
}

const char *
topology_bind_why(const struct topology *topology, enum spec_bind bind, size_t worker_count)
{
	static const char *const reasons[] = {
	    [AUTO_QUOTA] = "a quota limits the budget, the kernel moves workers better",
	    [AUTO_CROWDED] = "more workers than cores, the kernel moves them better",
	    [AUTO_FULL] = "as many workers as cores, so each has its own",
	    [AUTO_ROOMY] = "fewer workers than cores, so they divide them up",
	};
	return bind == SPEC_BIND_AUTO ? reasons[auto_case(&topology->facts, worker_count)]
				      : "as asked";
}

/* How many workers sit where this one sits. */
static size_t
sharer_count(const struct topology *topology, enum spec_bind kind, size_t worker_count,
	     size_t slot_index)
{
	size_t place_count = places_count(&topology->places, kind, worker_count);
	return worker_count / place_count +
	       (slot_index % place_count < worker_count % place_count);
}

size_t
topology_share(const struct topology *topology, enum spec_bind bind, size_t worker_count,
	       size_t slot_index)
{
	const struct topology_facts *facts = &topology->facts;
	enum spec_bind kind = topology_bind_kind(topology, bind, worker_count);
	assert(worker_count > 0);
	size_t budget_share = facts->budget_threads / worker_count;
	size_t share = budget_share;
	if (kind != SPEC_BIND_NONE) {
		struct place place =
		    places_at(&topology->places, kind, worker_count, slot_index);
		share = place.pu_count /
			sharer_count(topology, kind, worker_count, slot_index);
		if (facts->budget_threads < facts->pu_count && budget_share < share)
			share = budget_share;
	}
	return share > 0 ? share : 1;
}

/* The NUMA node that holds all of a place; NULL when it takes several, or there is only one. */
static const struct machine_core *
only_node(const struct machine *machine, const struct place *place)
{
	const struct machine_core *found = NULL;
	if (machine->all_node_count < 2)
		return NULL;
	for (size_t i = 0; i < machine->core_count; i++) {
		const struct machine_core *core = &machine->cores[i];
		if (core->pu_first + core->pu_count <= place->pu_first ||
		    core->pu_first >= place->pu_first + place->pu_count)
			continue;
		if (found != NULL && found->node_index != core->node_index)
			return NULL;
		found = core;
	}
	return found;
}

/* Memory comes from the node while it has some. Containers often forbid this call: no harm. */
static void
prefer_memory_of(const struct machine_core *core)
{
	unsigned long nodes[NODE_BITS / LONG_BITS] = {0};
	if (core == NULL || core->node_number >= NODE_BITS - 1)
		return;
	nodes[core->node_number / LONG_BITS] = 1UL << (core->node_number % LONG_BITS);
	syscall(SYS_set_mempolicy, MPOL_PREFERRED, nodes, (unsigned long)NODE_BITS);
}

/* One set of CPUs, as long as the kernel's may be. */
struct mask {
	cpu_set_t sets[MASK_CPUS / CPU_SETSIZE];
};

static void
mask_fill(struct mask *mask, const unsigned int *pus, size_t count)
{
	CPU_ZERO_S(sizeof(mask->sets), mask->sets);
	for (size_t i = 0; i < count; i++)
		CPU_SET_S(pus[i], sizeof(mask->sets), mask->sets);
}

int
topology_bind(const struct topology *topology, enum spec_bind bind, size_t worker_count,
	      size_t slot_index)
{
	enum spec_bind kind = topology_bind_kind(topology, bind, worker_count);
	if (kind == SPEC_BIND_NONE)
		return 0;
	const struct machine *machine = &topology->machine;
	struct place place = places_at(&topology->places, kind, worker_count, slot_index);
	struct mask mask;
	mask_fill(&mask, machine->pus + place.pu_first, place.pu_count);
	if (sched_setaffinity(0, sizeof(mask.sets), mask.sets) == -1)
		return -1;
	prefer_memory_of(only_node(machine, &place));
	return 0;
}

size_t
topology_place_count(const struct topology *topology, enum spec_bind bind,
		     size_t worker_count)
{
	return places_count(&topology->places,
			    topology_bind_kind(topology, bind, worker_count), worker_count);
}

struct widening {
	struct mask place;
	struct mask budget;
};

static void
widen_thread(void *context, pid_t thread)
{
	const struct widening *widening = context;
	struct mask now;
	if (sched_getaffinity(thread, sizeof(now.sets), now.sets) == 0 &&
	    CPU_EQUAL_S(sizeof(now.sets), now.sets, widening->place.sets))
		sched_setaffinity(thread, sizeof(widening->budget.sets),
				  widening->budget.sets);
}

void
topology_widen(const struct topology *topology, enum spec_bind bind, size_t worker_count,
	       size_t slot_index, pid_t pid)
{
	const struct machine *machine = &topology->machine;
	enum spec_bind kind = topology_bind_kind(topology, bind, worker_count);
	struct place place = places_at(&topology->places, kind, worker_count, slot_index);
	struct widening widening;
	mask_fill(&widening.place, machine->pus + place.pu_first, place.pu_count);
	mask_fill(&widening.budget, machine->pus, machine->pu_count);
	tree_visit_threads(pid, widen_thread, &widening);
}

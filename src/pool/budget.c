/* budget.c: see budget.h. */
#include "pool/budget.h"

#include <errno.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MASK_FIRST_CPUS 1024
#define MASK_MOST_CPUS (1 << 20)

/* --- The affinity mask --- */

static int
mask_to_list(struct budget *budget, const cpu_set_t *mask, size_t mask_bytes)
{
	size_t count = (size_t)CPU_COUNT_S(mask_bytes, mask);
	budget->pus = calloc(count > 0 ? count : 1, sizeof(*budget->pus));
	if (budget->pus == NULL)
		return -1;
	for (unsigned int i = 0; budget->pu_count < count; i++)
		if (CPU_ISSET_S(i, mask_bytes, mask))
			budget->pus[budget->pu_count++] = i;
	return 0;
}

/* Where the kernel will not tell our mask: all that are online, counted from 0. */
static int
mask_guess(struct budget *budget)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN);
	size_t count = online > 0 ? (size_t)online : 1;
	budget->pus = calloc(count, sizeof(*budget->pus));
	if (budget->pus == NULL)
		return -1;
	for (unsigned int i = 0; i < count; i++)
		budget->pus[budget->pu_count++] = i;
	return 0;
}

int
budget_read_affinity(struct budget *budget, struct err *err)
{
	for (int cpus = MASK_FIRST_CPUS; cpus <= MASK_MOST_CPUS; cpus *= 2) {
		cpu_set_t *mask = CPU_ALLOC(cpus);
		if (mask == NULL)
			return err_no_memory(err);
		size_t mask_bytes = CPU_ALLOC_SIZE(cpus);
		int failed = sched_getaffinity(0, mask_bytes, mask);
		bool is_too_small = failed == -1 && errno == EINVAL;
		int listed = failed == -1 ? -1 : mask_to_list(budget, mask, mask_bytes);
		CPU_FREE(mask);
		if (is_too_small)
			continue;
		if (failed == -1)
			break;
		return listed == -1 ? err_no_memory(err) : 0;
	}
	return mask_guess(budget) == -1 ? err_no_memory(err) : 0;
}

int
budget_append_list(struct buf *text, const unsigned int *numbers, size_t count)
{
	for (size_t i = 0, last; i < count; i = last + 1) {
		for (last = i; last + 1 < count && numbers[last + 1] == numbers[last] + 1;
		     last++)
			;
		const char *comma = i == 0 ? "" : ",";
		int failed = last == i ? buf_printf(text, "%s%u", comma, numbers[i])
				       : buf_printf(text, "%s%u-%u", comma, numbers[i],
						    numbers[last]);
		if (failed == -1)
			return -1;
	}
	return 0;
}

/* --- What they say --- */

static int
replace_string(char **string, const char *with)
{
	char *copy = strdup(with);
	if (copy == NULL)
		return -1;
	free(*string);
	*string = copy;
	return 0;
}

/* Keeps the tightest; of equals the one nearest to us, which is seen first. */
static int
quota_seen(struct budget *budget, long long quota_us, long long period_us, const char *path)
{
	if (quota_us <= 0 || period_us <= 0)
		return 0;
	double cpus = (double)quota_us / (double)period_us;
	if (budget->quota_path != NULL && cpus >= budget->quota_cpus)
		return 0;
	budget->quota_cpus = cpus;
	return replace_string(&budget->quota_path, path);
}

/* cpu.max: "150000 100000" or "max 100000" */
static int
quota_v2(void *context, struct cgroup_level *level)
{
	if (cgroup_read(level, "cpu.max") == -1)
		return -1;
	const char *at = level->text.bytes;
	long long quota_us, period_us;
	if (!cgroup_take_number(&at, &quota_us) || !cgroup_take_number(&at, &period_us) ||
	    *at != '\0')
		return 0;
	return quota_seen(context, quota_us, period_us, level->path.bytes);
}

static int
quota_v1(void *context, struct cgroup_level *level)
{
	long long quota_us, period_us;
	if (cgroup_read(level, "cpu.cfs_period_us") == -1)
		return -1;
	const char *at = level->text.bytes;
	if (!cgroup_take_number(&at, &period_us) || *at != '\0')
		return 0;
	if (cgroup_read(level, "cpu.cfs_quota_us") == -1)
		return -1;
	at = level->text.bytes;
	if (!cgroup_take_number(&at, &quota_us) || *at != '\0')
		return 0;
	return quota_seen(context, quota_us, period_us, level->path.bytes);
}

/* The nearest level that has a list; the kernel already cut it to what the levels above allow. */
static int
cpuset_level(void *context, struct cgroup_level *level)
{
	static const char *const names[] = {"cpuset.cpus.effective",
					    "cpuset.effective_cpus"};
	struct budget *budget = context;
	for (size_t i = 0; budget->cpuset_path == NULL && i < 2; i++) {
		if (cgroup_read(level, names[i]) == -1)
			return -1;
		char *list = level->text.bytes;
		size_t length = strspn(list, "0123456789,-");
		if (length == 0 || (list[length] != '\n' && list[length] != '\0'))
			continue;
		list[length] = '\0';
		if (replace_string(&budget->cpuset_cpus, list) == -1 ||
		    replace_string(&budget->cpuset_path, level->path.bytes) == -1)
			return -1;
	}
	return 0;
}

int
budget_read_cgroups(struct budget *budget, const char *root, struct err *err)
{
	struct cgroups *cgroups = &budget->cgroups;
	if (cgroups_find(cgroups, root) == -1 ||
	    cgroups_climb(cgroups, CGROUP_UNIFIED, quota_v2, budget) == -1 ||
	    cgroups_climb(cgroups, CGROUP_CPU, quota_v1, budget) == -1 ||
	    cgroups_climb(cgroups, CGROUP_CPUSET, cpuset_level, budget) == -1 ||
	    cgroups_climb(cgroups, CGROUP_UNIFIED, cpuset_level, budget) == -1)
		return err_no_memory(err);
	return 0;
}

void
budget_fini(struct budget *budget)
{
	cgroups_fini(&budget->cgroups);
	free(budget->pus);
	free(budget->quota_path);
	free(budget->cpuset_cpus);
	free(budget->cpuset_path);
	*budget = (struct budget){0};
}

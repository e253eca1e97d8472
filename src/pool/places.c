/* places.c: see places.h. */
#include "pool/places.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

/* --- Orders --- */

/* How many cores of each package, node and cache have been taken so far. */
struct usage {
	size_t *by_package;
	size_t *by_node;
	size_t *by_cache;
};

static bool
is_farther(const struct usage *usage, const struct machine_core *a,
	   const struct machine_core *b)
{
	if (usage->by_node[a->node_index] != usage->by_node[b->node_index])
		return usage->by_node[a->node_index] < usage->by_node[b->node_index];
	if (usage->by_package[a->package_index] != usage->by_package[b->package_index])
		return usage->by_package[a->package_index] <
		       usage->by_package[b->package_index];
	return usage->by_cache[a->cache_index] < usage->by_cache[b->cache_index];
}

/* The next core of the order: of the least used node, in it of the least used package and cache. */
static size_t
farthest(const struct machine *machine, const struct usage *usage, const bool *is_taken)
{
	size_t best = SIZE_MAX;
	for (size_t i = 0; i < machine->core_count; i++)
		if (!is_taken[i] &&
		    (best == SIZE_MAX ||
		     is_farther(usage, &machine->cores[i], &machine->cores[best])))
			best = i;
	return best;
}

static void
order_cores(struct places *places, const struct usage *usage, bool *is_taken)
{
	const struct machine *machine = places->machine;
	for (size_t n = 0; n < machine->core_count; n++) {
		size_t i = farthest(machine, usage, is_taken);
		const struct machine_core *core = &machine->cores[i];
		places->core_order[n] = i;
		is_taken[i] = true;
		usage->by_node[core->node_index]++;
		usage->by_package[core->package_index]++;
		usage->by_cache[core->cache_index]++;
	}
}

/* One more than the highest index of any kind of group, so that arrays of that size hold all. */
static size_t
group_limit(const struct machine *machine)
{
	size_t limit = 0;
	for (size_t i = 0; i < machine->core_count; i++) {
		const struct machine_core *core = &machine->cores[i];
		limit = core->package_index > limit ? core->package_index : limit;
		limit = core->node_index > limit ? core->node_index : limit;
		limit = core->cache_index > limit ? core->cache_index : limit;
	}
	return limit + 1;
}

static int
find_order(struct places *places)
{
	size_t limit = group_limit(places->machine);
	size_t *counts = calloc(limit, 3 * sizeof(*counts));
	bool *is_taken = calloc(places->machine->core_count, sizeof(*is_taken));
	if (counts != NULL && is_taken != NULL) {
		struct usage usage = {counts, counts + limit, counts + 2 * limit};
		order_cores(places, &usage, is_taken);
	}
	int result = counts != NULL && is_taken != NULL ? 0 : -1;
	free(counts);
	free(is_taken);
	return result;
}

static void
find_nodes(struct places *places)
{
	const struct machine *machine = places->machine;
	for (size_t i = 0; i < machine->core_count; i++)
		if (i == 0 ||
		    machine->cores[i].node_index != machine->cores[i - 1].node_index)
			places->node_first[places->node_count++] = i;
	places->node_first[places->node_count] = machine->core_count;
}

int
places_init(struct places *places, const struct machine *machine, struct err *err)
{
	*places = (struct places){.machine = machine};
	places->core_order = calloc(machine->core_count, sizeof(*places->core_order));
	places->node_first = calloc(machine->core_count + 1, sizeof(*places->node_first));
	if (places->core_order == NULL || places->node_first == NULL ||
	    find_order(places) == -1) {
		places_fini(places);
		return err_no_memory(err);
	}
	find_nodes(places);
	return 0;
}

void
places_fini(struct places *places)
{
	free(places->core_order);
	free(places->node_first);
	*places = (struct places){0};
}

/* --- Shares: runs of neighbouring cores whose sizes differ by at most 1 --- */

#define COST_CACHE 1
#define COST_NODE 1024 /* more than all the caches that could be crossed instead */

static uint32_t
crossing_cost(const struct machine *machine, size_t core_first, size_t core_count)
{
	const struct machine_core *first = &machine->cores[core_first];
	const struct machine_core *last = &machine->cores[core_first + core_count - 1];
	return (first->node_index != last->node_index ? COST_NODE : 0) +
	       (first->cache_index != last->cache_index ? COST_CACHE : 0);
}

/*
 * The cut, from the left: `slot` shares have been cut and `long_count` of them had one
 * core more. costs[long_count] is the least that what follows can cost; is_long tells
 * whether the next share is then a long one. Filled from the last slot to the first, so
 * one row of costs is enough.
 */
struct cut {
	const struct machine *machine;
	size_t worker_count;
	size_t short_size; /* cores in a short share */
	size_t long_total; /* so many shares must be long */
	uint32_t *costs;
	uint8_t *is_long; /* worker_count rows of long_total + 1 */
};

static void
cut_choose(struct cut *cut, size_t slot, size_t long_count)
{
	size_t at = slot * cut->short_size + long_count;
	size_t slots_left = cut->worker_count - slot;
	size_t long_left = cut->long_total - long_count;
	uint32_t cost_short = UINT32_MAX, cost_long = UINT32_MAX;
	if (long_left < slots_left)
		cost_short = cut->costs[long_count] +
			     crossing_cost(cut->machine, at, cut->short_size);
	if (long_left > 0)
		cost_long = cut->costs[long_count + 1] +
			    crossing_cost(cut->machine, at, cut->short_size + 1);
	bool is_long = cost_long <= cost_short;
	cut->is_long[slot * (cut->long_total + 1) + long_count] = is_long;
	cut->costs[long_count] = is_long ? cost_long : cost_short;
}

static void
cut_fill(struct cut *cut)
{
	for (size_t slot = cut->worker_count; slot-- > 0;) {
		size_t slots_left = cut->worker_count - slot;
		size_t most = cut->long_total < slot ? cut->long_total : slot;
		size_t least =
		    cut->long_total > slots_left ? cut->long_total - slots_left : 0;
		for (size_t long_count = least; long_count <= most; long_count++)
			cut_choose(cut, slot, long_count);
	}
}

struct core_run {
	size_t first;
	size_t count;
};

static struct core_run
cut_walk(const struct cut *cut, size_t slot_index)
{
	struct core_run run = {0};
	size_t long_count = 0;
	for (size_t slot = 0; slot <= slot_index; slot++) {
		bool is_long = cut->is_long[slot * (cut->long_total + 1) + long_count];
		run.first += run.count;
		run.count = cut->short_size + is_long;
		long_count += is_long;
	}
	return run;
}

/* The first shares get the odd cores. */
static struct core_run
share_plain(const struct cut *cut, size_t slot_index)
{
	size_t long_before = slot_index < cut->long_total ? slot_index : cut->long_total;
	return (struct core_run){slot_index * cut->short_size + long_before,
				 cut->short_size + (slot_index < cut->long_total)};
}

static struct core_run
share_of(const struct machine *machine, size_t worker_count, size_t slot_index)
{
	struct cut cut = {.machine = machine,
			  .worker_count = worker_count,
			  .short_size = machine->core_count / worker_count,
			  .long_total = machine->core_count % worker_count};
	if (cut.long_total == 0)
		return share_plain(&cut, slot_index);
	cut.costs = calloc(cut.long_total + 1, sizeof(*cut.costs));
	cut.is_long = calloc(worker_count, cut.long_total + 1);
	struct core_run run = share_plain(&cut, slot_index);
	if (cut.costs != NULL && cut.is_long != NULL) {
		cut_fill(&cut);
		run = cut_walk(&cut, slot_index);
	}
	free(cut.costs);
	free(cut.is_long);
	return run;
}

/* --- Places --- */

/* Neighbouring cores have their PUs next to each other. */
static struct place
place_of_cores(const struct machine *machine, size_t core_first, size_t core_count)
{
	struct place place = {.pu_first = machine->cores[core_first].pu_first};
	for (size_t i = 0; i < core_count; i++)
		place.pu_count += machine->cores[core_first + i].pu_count;
	return place;
}

/* First one PU of every core, then the second one of those that have it, and so on. */
static struct place
place_of_pu(const struct places *places, size_t index)
{
	const struct machine *machine = places->machine;
	for (size_t level = 0;; level++) {
		for (size_t i = 0; i < machine->core_count; i++) {
			const struct machine_core *core =
			    &machine->cores[places->core_order[i]];
			if (core->pu_count > level && index-- == 0)
				return (struct place){core->pu_first + level, 1};
		}
	}
}

size_t
places_count(const struct places *places, enum spec_bind kind, size_t worker_count)
{
	const struct machine *machine = places->machine;
	switch (kind) {
	case SPEC_BIND_CORE:
		return machine->core_count;
	case SPEC_BIND_SHARE:
		return worker_count < machine->core_count ? worker_count
							  : machine->core_count;
	case SPEC_BIND_PU:
		return machine->pu_count;
	case SPEC_BIND_NUMA:
		return places->node_count;
	case SPEC_BIND_NONE:
	case SPEC_BIND_AUTO:
		break;
	}
	return 1;
}

struct place
places_at(const struct places *places, enum spec_bind kind, size_t worker_count,
	  size_t slot_index)
{
	const struct machine *machine = places->machine;
	size_t count = places_count(places, kind, worker_count);
	size_t index = slot_index % count;
	struct core_run run;
	switch (kind) {
	case SPEC_BIND_CORE:
		return place_of_cores(machine, places->core_order[index], 1);
	case SPEC_BIND_SHARE:
		run = share_of(machine, count, index);
		return place_of_cores(machine, run.first, run.count);
	case SPEC_BIND_PU:
		return place_of_pu(places, index);
	case SPEC_BIND_NUMA:
		return place_of_cores(machine, places->node_first[index],
				      places->node_first[index + 1] -
					  places->node_first[index]);
	case SPEC_BIND_NONE:
	case SPEC_BIND_AUTO:
		break;
	}
	return (struct place){0, machine->pu_count};
}

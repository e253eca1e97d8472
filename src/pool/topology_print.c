/* topology_print.c: a topology for people and for programs; see topology.h. */
#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdlib.h>

#include "pool/topology_parts.h"

#define LABEL "%-10s "

/* The groups of one kind (packages, nodes) that a place touches, as a list: ascending, each once. */
struct group_list {
	unsigned int *numbers;
	size_t count;
};

enum group_kind { GROUP_PACKAGE, GROUP_NODE };

/* One line of the table. */
struct seat {
	struct place place;
	size_t core_count;
	size_t thread_count;
	struct group_list packages;
	struct group_list nodes;
};

/* What all of the printing asks. */
struct seating {
	const struct topology *topology;
	enum spec_bind asked;
	enum spec_bind kind;
	size_t worker_count;
	size_t seat_count; /* different ones that are taken */
};

static const char *
kind_name(enum spec_bind kind)
{
	static const char *const names[] = {
	    [SPEC_BIND_AUTO] = "auto",   [SPEC_BIND_CORE] = "core",
	    [SPEC_BIND_SHARE] = "share", [SPEC_BIND_PU] = "pu",
	    [SPEC_BIND_NUMA] = "numa",   [SPEC_BIND_NONE] = "none"};
	return names[kind];
}

static struct seating
seating_of(const struct topology *topology, enum spec_bind bind, size_t worker_count)
{
	struct seating seating = {.topology = topology,
				  .asked = bind,
				  .kind = topology_bind_kind(topology, bind, worker_count),
				  .worker_count = worker_count};
	size_t place_count = places_count(&topology->places, seating.kind, worker_count);
	seating.seat_count = worker_count < place_count ? worker_count : place_count;
	return seating;
}

/* --- Seats --- */

static int
compare_numbers(const void *left, const void *right)
{
	unsigned int a = *(const unsigned int *)left, b = *(const unsigned int *)right;
	return a < b ? -1 : a > b;
}

static void
sort_once(struct group_list *list)
{
	size_t kept = 0;
	qsort(list->numbers, list->count, sizeof(*list->numbers), compare_numbers);
	for (size_t i = 0; i < list->count; i++)
		if (i == 0 || list->numbers[i] != list->numbers[kept - 1])
			list->numbers[kept++] = list->numbers[i];
	list->count = kept;
}

static bool
is_in_place(const struct machine_core *core, const struct place *place)
{
	return core->pu_first < place->pu_first + place->pu_count &&
	       place->pu_first < core->pu_first + core->pu_count;
}

static int
groups_of(const struct machine *machine, const struct place *place, enum group_kind kind,
	  struct group_list *list)
{
	list->numbers = calloc(machine->core_count, sizeof(*list->numbers));
	if (list->numbers == NULL)
		return -1;
	for (size_t i = 0; i < machine->core_count; i++) {
		const struct machine_core *core = &machine->cores[i];
		if (is_in_place(core, place))
			list->numbers[list->count++] = kind == GROUP_PACKAGE
							   ? core->package_index
							   : core->node_number;
	}
	sort_once(list);
	return 0;
}

static void
seat_fini(struct seat *seat)
{
	free(seat->packages.numbers);
	free(seat->nodes.numbers);
}

static int
seat_init(struct seat *seat, const struct seating *seating, size_t index)
{
	const struct topology *topology = seating->topology;
	const struct machine *machine = &topology->machine;
	*seat = (struct seat){.place = places_at(&topology->places, seating->kind,
						 seating->worker_count, index),
			      .thread_count = topology_share(
				  topology, seating->kind, seating->worker_count, index)};
	for (size_t i = 0; i < machine->core_count; i++)
		seat->core_count += is_in_place(&machine->cores[i], &seat->place);
	if (groups_of(machine, &seat->place, GROUP_PACKAGE, &seat->packages) == 0 &&
	    groups_of(machine, &seat->place, GROUP_NODE, &seat->nodes) == 0)
		return 0;
	seat_fini(seat);
	return -1;
}

/* The PUs of a seat, ascending; the caller frees the numbers, which are NULL without memory. */
static struct group_list
seat_pus(const struct seating *seating, const struct seat *seat)
{
	const struct machine *machine = &seating->topology->machine;
	struct group_list pus = {.count = seat->place.pu_count};
	pus.numbers = calloc(pus.count, sizeof(*pus.numbers));
	if (pus.numbers == NULL)
		return pus;
	for (size_t i = 0; i < pus.count; i++)
		pus.numbers[i] = machine->pus[seat->place.pu_first + i];
	sort_once(&pus);
	return pus;
}

/* --- Text --- */

static const char *
plural(size_t count)
{
	return count == 1 ? "" : "s";
}

static int
print_machine(const struct machine *machine, struct buf *text)
{
	if (!machine->is_known)
		return buf_printf(
		    text,
		    LABEL "%zu CPU%s; hwloc cannot tell more, each is taken for a "
			  "core\n",
		    "machine", machine->all_pu_count, plural(machine->all_pu_count));
	if (buf_printf(text, LABEL, "machine") == -1)
		return -1;
	if (machine->all_package_count > 0 &&
	    buf_printf(text, "%zu package%s, ", machine->all_package_count,
		       plural(machine->all_package_count)) == -1)
		return -1;
	return buf_printf(text,
			  "%zu NUMA node%s, %zu core%s, %zu PU%s (hardware threads)\n",
			  machine->all_node_count, plural(machine->all_node_count),
			  machine->all_core_count, plural(machine->all_core_count),
			  machine->all_pu_count, plural(machine->all_pu_count));
}

static int
print_size(uint64_t bytes, struct buf *text)
{
	const char *const units[] = {"B", "KiB", "MiB", "GiB"};
	size_t unit = 0;
	while (unit < 3 && bytes >= 1024 && bytes % 1024 == 0) {
		bytes /= 1024;
		unit++;
	}
	return buf_printf(text, " of %" PRIu64 " %s", bytes, units[unit]);
}

static int
print_caches(const struct machine *machine, struct buf *text)
{
	for (size_t i = 0; i < machine->cache_count; i++) {
		const struct machine_cache *cache = &machine->caches[i];
		int failed = i == 0 ? buf_printf(text, LABEL, "caches") : 0;
		if (failed == -1 || buf_printf(text, "%s%zu L%u", i == 0 ? "" : ", ",
					       cache->count, cache->level) == -1)
			return -1;
		if (cache->size_bytes > 0 && print_size(cache->size_bytes, text) == -1)
			return -1;
	}
	return machine->cache_count > 0 ? buf_append_char(text, '\n') : 0;
}

static int
print_limits(const struct topology *topology, struct buf *text)
{
	const struct budget *budget = &topology->budget;
	const struct topology_facts *facts = &topology->facts;
	if (buf_printf(text, LABEL "PU%s ", "affinity", plural(budget->pu_count)) == -1 ||
	    budget_append_list(text, budget->pus, budget->pu_count) == -1 ||
	    buf_printf(text, " (%zu core%s, %zu NUMA node%s)\n", facts->core_count,
		       plural(facts->core_count), facts->numa_count,
		       plural(facts->numa_count)) == -1)
		return -1;
	if (budget->cpuset_path != NULL &&
	    buf_printf(text, LABEL "%s, from %s\n", "cpuset", budget->cpuset_cpus,
		       budget->cpuset_path) == -1)
		return -1;
	if (budget->quota_path == NULL)
		return buf_printf(text, LABEL "none\n", "CPU quota");
	return buf_printf(text, LABEL "%.4g CPUs, from %s\n", "CPU quota",
			  budget->quota_cpus, budget->quota_path);
}

static int
print_decision(const struct seating *seating, struct buf *text)
{
	const struct topology_facts *facts = &seating->topology->facts;
	if (buf_printf(text, LABEL "%zu core%s, %zu thread%s\n", "budget",
		       facts->budget_cores, plural(facts->budget_cores),
		       facts->budget_threads, plural(facts->budget_threads)) == -1)
		return -1;
	return buf_printf(
	    text, LABEL "%zu\n" LABEL "%s: %s\n", "workers", seating->worker_count,
	    "binding", kind_name(seating->kind),
	    topology_bind_why(seating->topology, seating->asked, seating->worker_count));
}

static int
print_list_column(const struct group_list *list, size_t width, struct buf *text)
{
	struct buf cell = {0};
	int failed = budget_append_list(&cell, list->numbers, list->count);
	if (failed == 0)
		failed = buf_str(&cell) == NULL
			     ? -1
			     : buf_printf(text, "  %*s", (int)width, cell.bytes);
	buf_fini(&cell);
	return failed;
}

static int
print_seat(const struct seating *seating, size_t index, struct buf *text)
{
	struct seat seat;
	if (seat_init(&seat, seating, index) == -1)
		return -1;
	struct group_list pus = seat_pus(seating, &seat);
	int failed = pus.numbers == NULL ? -1 : 0;
	if (failed == 0)
		failed = seating->kind == SPEC_BIND_NONE ? buf_printf(text, "%6s", "all")
							 : buf_printf(text, "%6zu", index);
	if (failed == 0)
		failed =
		    buf_printf(text, "  %7zu  %5zu", seat.thread_count, seat.core_count);
	if (failed == 0)
		failed = print_list_column(&seat.packages, 7, text);
	if (failed == 0)
		failed = print_list_column(&seat.nodes, 9, text);
	if (failed == 0)
		failed = print_list_column(&pus, 0, text);
	free(pus.numbers);
	seat_fini(&seat);
	return failed == 0 ? buf_append_char(text, '\n') : -1;
}

static int
print_seats(const struct seating *seating, struct buf *text)
{
	if (buf_append_str(text, "\nworker  threads  cores  package  NUMA node  PUs\n") ==
	    -1)
		return -1;
	for (size_t i = 0; i < seating->seat_count; i++)
		if (print_seat(seating, i, text) == -1)
			return -1;
	if (seating->kind == SPEC_BIND_NONE || seating->seat_count == seating->worker_count)
		return 0;
	return buf_printf(text, "Worker %zu sits with worker 0, and so on around.\n",
			  seating->seat_count);
}

int
topology_print(const struct topology *topology, enum spec_bind bind, size_t worker_count,
	       struct buf *text)
{
	struct seating seating = seating_of(topology, bind, worker_count);
	if (print_machine(&topology->machine, text) == -1 ||
	    print_caches(&topology->machine, text) == -1 ||
	    print_limits(topology, text) == -1 || print_decision(&seating, text) == -1)
		return -1;
	return print_seats(&seating, text);
}

/* --- JSON: every function is false without memory; what was made hangs on its parent --- */

static bool
add_number(cJSON *object, const char *key, double value)
{
	return cJSON_AddNumberToObject(object, key, value) != NULL;
}

static bool
add_numbers(cJSON *object, const char *key, const unsigned int *numbers, size_t count)
{
	cJSON *array = cJSON_AddArrayToObject(object, key);
	for (size_t i = 0; array != NULL && i < count; i++) {
		cJSON *number = cJSON_CreateNumber(numbers[i]);
		if (number == NULL || !cJSON_AddItemToArray(array, number)) {
			cJSON_Delete(number);
			return false;
		}
	}
	return array != NULL;
}

static cJSON *
add_object_to_array(cJSON *array)
{
	cJSON *object = cJSON_CreateObject();
	if (object != NULL && cJSON_AddItemToArray(array, object))
		return object;
	cJSON_Delete(object);
	return NULL;
}

static bool
json_machine(cJSON *root, const struct machine *machine)
{
	cJSON *object = cJSON_AddObjectToObject(root, "machine");
	if (object == NULL ||
	    !cJSON_AddBoolToObject(object, "is_known", machine->is_known) ||
	    !add_number(object, "package_count", (double)machine->all_package_count) ||
	    !add_number(object, "numa_node_count", (double)machine->all_node_count) ||
	    !add_number(object, "core_count", (double)machine->all_core_count) ||
	    !add_number(object, "pu_count", (double)machine->all_pu_count))
		return false;
	cJSON *caches = cJSON_AddArrayToObject(object, "caches");
	for (size_t i = 0; caches != NULL && i < machine->cache_count; i++) {
		const struct machine_cache *cache = &machine->caches[i];
		cJSON *item = add_object_to_array(caches);
		if (item == NULL || !add_number(item, "level", cache->level) ||
		    !add_number(item, "size_bytes", (double)cache->size_bytes) ||
		    !add_number(item, "count", (double)cache->count))
			return false;
	}
	return caches != NULL;
}

static bool
json_affinity(cJSON *root, const struct topology *topology)
{
	const struct topology_facts *facts = &topology->facts;
	cJSON *object = cJSON_AddObjectToObject(root, "affinity");
	return object != NULL &&
	       add_numbers(object, "pus", topology->budget.pus, topology->budget.pu_count) &&
	       add_number(object, "core_count", (double)facts->core_count) &&
	       add_number(object, "numa_node_count", (double)facts->numa_count);
}

static bool
json_cgroups(cJSON *root, const struct budget *budget)
{
	if (budget->cpuset_path == NULL) {
		if (cJSON_AddNullToObject(root, "cpuset") == NULL)
			return false;
	} else {
		cJSON *cpuset = cJSON_AddObjectToObject(root, "cpuset");
		if (cpuset == NULL ||
		    !cJSON_AddStringToObject(cpuset, "pus", budget->cpuset_cpus) ||
		    !cJSON_AddStringToObject(cpuset, "path", budget->cpuset_path))
			return false;
	}
	if (budget->quota_path == NULL)
		return cJSON_AddNullToObject(root, "quota") != NULL;
	cJSON *quota = cJSON_AddObjectToObject(root, "quota");
	return quota != NULL && add_number(quota, "limit_cpus", budget->quota_cpus) &&
	       cJSON_AddStringToObject(quota, "path", budget->quota_path) != NULL;
}

static bool
json_decision(cJSON *root, const struct seating *seating)
{
	const struct topology_facts *facts = &seating->topology->facts;
	cJSON *budget = cJSON_AddObjectToObject(root, "budget");
	if (budget == NULL ||
	    !add_number(budget, "core_count", (double)facts->budget_cores) ||
	    !add_number(budget, "thread_count", (double)facts->budget_threads) ||
	    !add_number(root, "worker_count", (double)seating->worker_count))
		return false;
	cJSON *binding = cJSON_AddObjectToObject(root, "binding");
	return binding != NULL &&
	       cJSON_AddStringToObject(binding, "asked", kind_name(seating->asked)) !=
		   NULL &&
	       cJSON_AddStringToObject(binding, "kind", kind_name(seating->kind)) != NULL &&
	       cJSON_AddStringToObject(binding, "reason",
				       topology_bind_why(seating->topology, seating->asked,
							 seating->worker_count)) != NULL;
}

static bool
json_seat(cJSON *array, const struct seating *seating, size_t index)
{
	struct seat seat;
	cJSON *object = add_object_to_array(array);
	if (object == NULL || seat_init(&seat, seating, index) == -1)
		return false;
	struct group_list pus = seat_pus(seating, &seat);
	bool is_complete =
	    pus.numbers != NULL && add_number(object, "worker", (double)index) &&
	    add_numbers(object, "pus", pus.numbers, pus.count) &&
	    add_number(object, "core_count", (double)seat.core_count) &&
	    add_number(object, "thread_count", (double)seat.thread_count) &&
	    add_numbers(object, "packages", seat.packages.numbers, seat.packages.count) &&
	    add_numbers(object, "numa_nodes", seat.nodes.numbers, seat.nodes.count);
	free(pus.numbers);
	seat_fini(&seat);
	return is_complete;
}

static bool
json_seats(cJSON *root, const struct seating *seating)
{
	cJSON *array = cJSON_AddArrayToObject(root, "places");
	for (size_t i = 0; array != NULL && i < seating->seat_count; i++)
		if (!json_seat(array, seating, i))
			return false;
	return array != NULL;
}

int
topology_print_json(const struct topology *topology, enum spec_bind bind,
		    size_t worker_count, struct buf *text)
{
	struct seating seating = seating_of(topology, bind, worker_count);
	cJSON *root = cJSON_CreateObject();
	char *printed = NULL;
	if (root != NULL && json_machine(root, &topology->machine) &&
	    json_affinity(root, topology) && json_cgroups(root, &topology->budget) &&
	    json_decision(root, &seating) && json_seats(root, &seating))
		printed = cJSON_Print(root);
	int failed = printed == NULL || buf_append_str(text, printed) == -1 ||
		     buf_append_char(text, '\n') == -1;
	cJSON_free(printed);
	cJSON_Delete(root);
	return failed ? -1 : 0;
}

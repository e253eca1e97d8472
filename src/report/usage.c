/* usage.c: see usage.h. */
#include "report/usage.h"

#include <stdlib.h>

int
usage_init(struct usage *usage, struct usage_span span, uint32_t slot_count,
	   size_t lane_max, size_t bin_count)
{
	*usage = (struct usage){.span = span,
				.slot_count = slot_count > 0 ? slot_count : 1,
				.bin_count = bin_count > 0 ? bin_count : 1};
	if (usage->span.end_ns <= span.start_ns)
		usage->span.end_ns = span.start_ns + 1;
	usage->lane_slots = (uint32_t)((usage->slot_count + lane_max - 1) / lane_max);
	usage->lane_count = (usage->slot_count + usage->lane_slots - 1) / usage->lane_slots;
	usage->busy_ns = calloc(usage->lane_count * usage->bin_count, sizeof(double));
	usage->memory = calloc(usage->bin_count, sizeof(double));
	return usage->busy_ns == NULL || usage->memory == NULL ? -1 : 0;
}

void
usage_fini(struct usage *usage)
{
	free(usage->busy_ns);
	free(usage->memory);
	*usage = (struct usage){0};
}

static size_t
lane_of(const struct usage *usage, uint32_t slot)
{
	uint32_t index = slot > 0 ? slot - 1 : 0;
	if (index >= usage->slot_count)
		index = usage->slot_count - 1;
	return index / usage->lane_slots;
}

static double
bin_ns(const struct usage *usage)
{
	return (double)(usage->span.end_ns - usage->span.start_ns) /
	       (double)usage->bin_count;
}

/* Where a moment is, in bins from the start. */
static double
position(const struct usage *usage, int64_t at_ns)
{
	double bins = (double)(at_ns - usage->span.start_ns) / bin_ns(usage);
	double last = (double)usage->bin_count;
	return bins < 0 ? 0 : bins > last ? last : bins;
}

void
usage_add(struct usage *usage, uint32_t slot, struct usage_span task, int64_t bytes)
{
	double *busy = usage->busy_ns + lane_of(usage, slot) * usage->bin_count;
	double from = position(usage, task.start_ns);
	double to = position(usage, task.end_ns);
	for (size_t bin = (size_t)from; bin < usage->bin_count && (double)bin < to; bin++) {
		double begin = (double)bin > from ? (double)bin : from;
		double end = (double)bin + 1 < to ? (double)bin + 1 : to;
		double ns = (end - begin) * bin_ns(usage);
		busy[bin] += ns;
		usage->memory[bin] += ns * (double)bytes;
	}
}

void
usage_slots(const struct usage *usage, size_t lane, uint32_t *first, uint32_t *last)
{
	*first = (uint32_t)lane * usage->lane_slots + 1;
	*last = *first + usage->lane_slots - 1;
	if (*last > usage->slot_count)
		*last = usage->slot_count;
}

static double
part_of(double ns, double all_ns)
{
	double part = ns / all_ns;
	return part > 1 ? 1 : part;
}

static double
slots_in(const struct usage *usage, size_t lane)
{
	uint32_t first, last;
	usage_slots(usage, lane, &first, &last);
	return (double)(last - first + 1);
}

double
usage_busy(const struct usage *usage, size_t lane, size_t bin)
{
	return part_of(usage->busy_ns[lane * usage->bin_count + bin],
		       bin_ns(usage) * slots_in(usage, lane));
}

double
usage_busy_all(const struct usage *usage, size_t lane)
{
	double ns = 0;
	for (size_t bin = 0; bin < usage->bin_count; bin++)
		ns += usage->busy_ns[lane * usage->bin_count + bin];
	return part_of(ns,
		       bin_ns(usage) * (double)usage->bin_count * slots_in(usage, lane));
}

double
usage_bytes(const struct usage *usage, size_t bin)
{
	return usage->memory[bin] / bin_ns(usage);
}

/* runfile_ends.c: see runfile_ends.h. */
#include "record/runfile_ends.h"

#include <stdlib.h>
#include <string.h>

int
runfile_ends_add(struct runfile_ends *ends, const char *payload, struct err *err)
{
	return buf_append(&ends->all, payload, sizeof(struct wire_ended)) == -1
		   ? err_no_memory(err)
		   : 0;
}

static int
ends_compare(const void *a, const void *b)
{
	const struct wire_ended *one = a, *other = b;
	return memcmp(&one->identity, &other->identity, sizeof(one->identity));
}

/* The first that is not before this identity; `count`: all are. */
static size_t
ends_find(const struct wire_ended *all, size_t count, const struct identity *identity)
{
	size_t first = 0;
	while (count > first) {
		size_t middle = first + (count - first) / 2;
		if (memcmp(&all[middle].identity, identity, sizeof(*identity)) < 0)
			first = middle + 1;
		else
			count = middle;
	}
	return first;
}

const struct result *
runfile_ends_take(struct runfile_ends *ends, const struct identity *identity)
{
	struct wire_ended *all = (void *)ends->all.bytes;
	size_t count = ends->all.length / sizeof(*all);
	if (!ends->is_sorted && count > 0)
		qsort(all, count, sizeof(*all), ends_compare);
	ends->is_sorted = true;
	size_t first = ends_find(all, count, identity);
	if (first == count)
		return NULL;
	size_t next = first + all[first].taken_count;
	if (next >= count || memcmp(&all[next].identity, identity, sizeof(*identity)) != 0)
		return NULL;
	all[first].taken_count++;
	return &all[next].result;
}

void
runfile_ends_fini(struct runfile_ends *ends)
{
	buf_fini(&ends->all);
	*ends = (struct runfile_ends){0};
}

/* ends.c: see ends.h. */
#include "task/ends.h"

#include <stdlib.h>

void
ends_fini(struct ends *ends)
{
	size_t cursor = 0;
	uint64_t seq;
	uint64_t word;
	while (seqmap_next(&ends->results, &cursor, &seq, &word))
		free((struct result *)(uintptr_t)word);
	seqmap_fini(&ends->results);
}

static struct result *
ends_look(const struct ends *ends, uint64_t seq)
{
	const uint64_t *word =
	    ends->results.entries != NULL ? seqmap_find(&ends->results, seq) : NULL;
	return word == NULL ? NULL : (struct result *)(uintptr_t)*word;
}

void
ends_keep(struct ends *ends, uint64_t seq, const struct result *result)
{
	struct result *kept = ends_look(ends, seq);
	if (kept != NULL) {
		*kept = *result;
		return;
	}
	kept = malloc(sizeof(*kept));
	if (kept == NULL)
		return;
	*kept = *result;
	if (seqmap_set(&ends->results, seq, (uintptr_t)kept) == -1)
		free(kept);
}

const struct result *
ends_find(const struct ends *ends, uint64_t seq)
{
	return ends_look(ends, seq);
}

void
ends_forget(struct ends *ends, uint64_t seq)
{
	struct result *kept = ends_look(ends, seq);
	if (kept == NULL)
		return;
	free(kept);
	seqmap_remove(&ends->results, seq);
}

/* attempts.c: see attempts.h. */
#include "run/attempts.h"

#include <stdlib.h>

#include "base/clock.h"

void
attempts_fini(struct attempts *attempts)
{
	free(attempts->items);
	*attempts = (struct attempts){0};
}

int
attempts_add(struct attempts *attempts, uint64_t seq, int64_t started_at_ns,
	     int64_t limit_ns)
{
	if (attempts->count == attempts->capacity) {
		size_t capacity = attempts->capacity ? attempts->capacity * 2 : 16;
		struct attempt *items = realloc(attempts->items, capacity * sizeof(*items));
		if (items == NULL)
			return -1;
		attempts->items = items;
		attempts->capacity = capacity;
	}
	attempts->items[attempts->count++] = (struct attempt){
	    .seq = seq, .started_at_ns = started_at_ns, .limit_ns = limit_ns};
	return 0;
}

struct attempt *
attempts_find(const struct attempts *attempts, uint64_t seq)
{
	for (size_t i = 0; i < attempts->count; i++)
		if (attempts->items[i].seq == seq)
			return &attempts->items[i];
	return NULL;
}

void
attempts_remove(struct attempts *attempts, uint64_t seq)
{
	struct attempt *attempt = attempts_find(attempts, seq);
	if (attempt != NULL)
		*attempt = attempts->items[--attempts->count];
}

void
attempts_shift(struct attempts *attempts, uint64_t seq, uint64_t seq_end, int64_t by_ns)
{
	for (size_t i = 0; i < attempts->count; i++) {
		struct attempt *attempt = &attempts->items[i];
		if (attempt->seq < seq || attempt->seq >= seq_end)
			continue;
		attempt->started_at_ns += by_ns;
		if (attempt->force_at_ns != 0)
			attempt->force_at_ns += by_ns;
	}
}

static int64_t
attempt_due_at_ns(const struct attempt *attempt, int64_t limit_ns)
{
	if (attempt->force_at_ns != 0)
		return attempt->force_at_ns;
	if (attempt->limit_ns != 0)
		limit_ns = attempt->limit_ns;
	return limit_ns == 0 ? CLOCK_NEVER : attempt->started_at_ns + limit_ns;
}

struct attempt *
attempts_next_due(struct attempts *attempts, uint64_t seq_end, int64_t limit_ns,
		  int64_t now_ns)
{
	for (size_t i = 0; i < attempts->count; i++)
		if (attempts->items[i].seq < seq_end &&
		    attempt_due_at_ns(&attempts->items[i], limit_ns) <= now_ns)
			return &attempts->items[i];
	return NULL;
}

int64_t
attempts_wait_until(const struct attempts *attempts, uint64_t seq_end, int64_t limit_ns)
{
	int64_t until = CLOCK_NEVER;
	for (size_t i = 0; i < attempts->count; i++) {
		int64_t due_at_ns = attempt_due_at_ns(&attempts->items[i], limit_ns);
		if (attempts->items[i].seq < seq_end && due_at_ns < until)
			until = due_at_ns;
	}
	return until;
}

/*
 * attempts.h: the attempts that run now, for their time limits.
 *
 * At most one per worker, so a plain array.
 */
#ifndef PINION_ATTEMPTS_H
#define PINION_ATTEMPTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct attempt {
	uint64_t seq;
	int64_t started_at_ns;
	int64_t limit_ns;       /* its own; 0: that of all */
	uint64_t memkill_count; /* what memkills_begin said when it started */
	int64_t force_at_ns; /* it was told to end; harder means are due then; 0: not told */
	bool is_cancelled; /* that was not for its time */
};

struct attempts {
	struct attempt *items;
	size_t count;
	size_t capacity;
};

void attempts_fini(struct attempts *attempts);
int attempts_add(struct attempts *attempts, uint64_t seq, int64_t started_at_ns,
		 int64_t limit_ns);

/* NULL where it is not known to run. Borrowed until the next add or remove. */
struct attempt *attempts_find(const struct attempts *attempts, uint64_t seq);
void attempts_remove(struct attempts *attempts, uint64_t seq);

/* As if those of seqs [seq, seq_end) had started so much later. */
void attempts_shift(struct attempts *attempts, uint64_t seq, uint64_t seq_end,
		    int64_t by_ns);

/*
 * Of those before seq_end one that is over `limit_ns` (0: none) and not told, or told and due for
 * more; NULL.
 */
struct attempt *attempts_next_due(struct attempts *attempts, uint64_t seq_end,
				  int64_t limit_ns, int64_t now_ns);

/* When the next one of them will be due; CLOCK_NEVER. */
int64_t attempts_wait_until(const struct attempts *attempts, uint64_t seq_end,
			    int64_t limit_ns);

#endif

/*
 * tokens.h: how many things run at once where tasks share cores with what they start themselves
 * (ipc/jobserver.h).
 *
 * A task runs one thing by right. As the server we lend what other workers do not use to the
 * tasks that run, each through the pipe of its seat, evenly, and again when some have used what
 * they got and others not. What a task was lent is ours again when it ends: no byte of it has to
 * come back. So the tasks and what is lent are never more than the workers. As a client we run
 * the first task by right and take a token from the pipe for each more, and put it back.
 *
 * Asked by the run before each start, told of each end. Zero: there is no jobserver, and nothing
 * is held back. Owns nothing but its lists and watches.
 */
#ifndef PINION_TOKENS_H
#define PINION_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "ipc/jobserver.h"
#include "ipc/loop.h"

/* The seat of a worker, as the server sees it. */
struct token_seat {
	bool is_running; /* a task */
	size_t lent_count;
	size_t unused_count; /* of those, at the last look */
	size_t share;        /* what it is to have unused */
	bool had_unused;
	int64_t sated_until_ns;   /* it wants no more for now */
	struct loop_watch *watch; /* for a token that is put back */
};

struct tokens {
	struct jobserver *jobserver; /* borrowed; NULL: none */
	struct loop *loop;
	size_t busy_count; /* tasks submitted whose end is not known */

	/* The server's. */
	struct token_seat *seats;
	size_t seat_count;
	size_t total; /* workers, set by the run: tasks and lent tokens are no more */
	int64_t look_at_ns; /* for tokens that nobody uses; CLOCK_NEVER */
	int64_t look_ns;    /* between two looks */

	struct loop_watch *watch; /* the client's, waiting for one */
};

int tokens_init(struct tokens *tokens, struct jobserver *jobserver, struct loop *loop,
		struct err *err);
void tokens_fini(struct tokens *tokens); /* gives back all that is not ours */

/*
 * Whether one task more may be started: makes sure that there is a token for it. If not, the
 * loop wakes up when there may be one.
 */
bool tokens_take(struct tokens *tokens);

/* What happens to tasks; slots count from 1. */
void tokens_submitted(struct tokens *tokens, size_t count);
void tokens_started(struct tokens *tokens, size_t slot);
void tokens_ended(struct tokens *tokens, size_t count);
void tokens_ended_at(struct tokens *tokens, size_t slot);

/* After all starts: what is left over is lent or given back. `is_waiting`: tokens_take said no. */
void tokens_settle(struct tokens *tokens, bool is_waiting, int64_t now_ns);

/* When tokens_settle is due without anything else happening; CLOCK_NEVER. */
int64_t tokens_wait_until(const struct tokens *tokens);

#endif

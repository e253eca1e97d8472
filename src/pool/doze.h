/*
 * doze.h: sleeping in a read of a pipe, with signals open and no poll before it.
 *
 * For answers that come at once, where a poll before each read is a fifth of all that an exchange
 * costs. Whatever else there is to see disturbs by a signal: orders and the ends of children, whose
 * handlers call doze_disturb; bytes in a pipe that is guarded, in the moment they are written; and
 * the time. Being disturbed makes the pipe non-blocking, so that it does not matter whether it
 * comes before the read or while that sleeps.
 *
 * One doze at a time in a process. SIGUSR1 and SIGCHLD must be handled, and blocked at rest.
 */
#ifndef PINION_DOZE_H
#define PINION_DOZE_H

#include <signal.h>
#include <stdbool.h>
#include <time.h>

struct doze {
	bool is_possible;
	bool is_on;
	timer_t timer; /* while it is possible */
	sigset_t rest; /* the mask while it is not on */
};

/* Where the kernel has no timers to give, it is not possible. */
void doze_init(struct doze *doze);
void doze_fini(struct doze *doze);

/* Bytes that are written to this pipe, which we read, disturb. 0; -1 and errno. */
int doze_guard(int fd);

/*
 * Until it is disturbed, at the latest so long from now (not 0), reads of `fd` may sleep; it is
 * non-blocking otherwise. Nothing to do while it is on.
 */
void doze_begin(struct doze *doze, int fd, int timeout_ms);

/* Whether something else is to be looked at; then the doze is to end. */
bool doze_is_disturbed(void);

/* Signals are blocked again. Nothing to do while it is not on. */
void doze_end(struct doze *doze);

/* For handlers of signals. */
void doze_disturb(void);

#endif

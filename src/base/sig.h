/*
 * sig.h: signal masks and dispositions, and signals as a descriptor.
 *
 * The coordinator blocks what it wants to hear of and reads it from a signalfd; nothing
 * runs in handlers there. What the caller had (mask, ignored signals) is remembered at
 * the start and given back to each task.
 */
#ifndef PINION_SIG_H
#define PINION_SIG_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* How things stood when we were started. */
struct sig_origin {
	sigset_t mask;
	sigset_t ignored;
};

void sig_origin_save(struct sig_origin *origin);
bool sig_was_ignored(const struct sig_origin *origin, int signal);

/*
 * Blocks `set` and returns a signalfd (non-blocking, CLOEXEC) that reads it; -1 and err on failure.
 * The caller leaves out of `set` what was ignored at the start and should stay so.
 */
int sig_open(const sigset_t *set, struct err *err);

/* The next signal waiting in a signalfd; 0: none; -1 with errno. */
int sig_next(int fd);

/* From here on it stays pending; tasks get the caller's mask. */
void sig_block(int signal);

/* Sets one handler (SA_RESTART off), with all signals blocked while it runs. */
void sig_handle(int signal, void (*handler)(int));

/*
 * In a child between fork and exec: `signals` (0-terminated) go back to the caller's
 * disposition, then the caller's mask. Async-signal-safe.
 */
void sig_origin_restore(const struct sig_origin *origin, const int *signals);

/* Ends the process by this signal, as if it had never been handled; returns only if that fails. */
void sig_die_of(int signal);

#endif

/*
 * conductor.h: the runs of a job in one loop, and the signals that are for all of them.
 *
 * A job has one run, or one for each of its stages, which feed each other. The conductor waits
 * for all of them at once, in the only loop_turn there is, answers signals, and sees that they
 * end together: when one ends before its tasks do (--halt, a signal, an error, a reader that
 * went away), the others end for the same reason.
 *
 * First INT, TERM or HUP: nothing more is started, what runs is ended with grace; second:
 * at once.
 *
 * Owns none of the runs, prints nothing.
 */
#ifndef PINION_CONDUCTOR_H
#define PINION_CONDUCTOR_H

#include "base/err.h"
#include "base/screen.h"
#include "base/sig.h"
#include "ipc/loop.h"
#include "run/run.h"

struct conductor;

/* Blocks the signals it handles from here on. All is borrowed until conductor_free. */
struct conductor *conductor_new(struct loop *loop, const struct sig_origin *origin,
				struct err *err);
void conductor_free(struct conductor *conductor);

/* Nothing stays drawn on it while we are stopped. */
void conductor_set_screen(struct conductor *conductor, struct screen *screen);

/* In the order in which they feed each other. 0, -1 without memory. */
int conductor_add(struct conductor *conductor, struct run *run);

/* From the first task to the last. err is filled for RUN_BROKEN and RUN_FAILED. */
enum run_outcome conductor_loop(struct conductor *conductor, struct err *err);

/* The first one that ended it, 0: none did. */
int conductor_signal(const struct conductor *conductor);

#endif

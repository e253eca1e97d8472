/*
 * steer.h: what status and ctl want of a job: joins its runs and a control socket.
 *
 * Owns the socket; borrows the conductor. Says how far the runs are, and does what it is told between two
 * turns of the loop: fewer or more workers, nothing new for now or for good, an end to some tasks
 * or all. No task is lost by any of it: what is not started is skipped or cancelled, and has
 * that as its end.
 */
#ifndef PINION_STEER_H
#define PINION_STEER_H

#include "base/err.h"

struct conductor;
struct spec;
struct steer;

/* When all runs are with the conductor; to be freed before it. `spec`: the job's, borrowed. */
struct steer *steer_new(struct conductor *conductor, const struct spec *spec,
			struct err *err);
void steer_free(struct steer *steer);

#endif

/*
 * cron.h: a run under --cron NAME: one at a time, silent when all is well, one screen when not.
 *
 * Owns the lock of that name, and the file that stands in for the standard output and error of the
 * run until its end: all that it and its tasks print is in there. After a success the file is
 * gone; else it stays until the next run of that name, and the screen says where it is. Both are in
 * a folder of the user's own that depends on nothing in the environment, so that a run from a
 * terminal and one from cron see each other:
 *
 *   root                /var/lib/pinion, or as others
 *   everybody else      /var/tmp/pinion-UID, or /tmp/pinion-UID
 *
 * The lock belongs to the process: one that was killed, or went with its machine, holds nothing.
 *
 *   NAME.lock     "PID SECONDS\n" of who holds the lock, since 1970
 *   NAME.output   what the last run has printed
 */
#ifndef PINION_CRON_H
#define PINION_CRON_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "task/spec.h"

struct cron;

/* How the run ended. */
struct cron_end {
	int status;
	int signal;                 /* that ended it; 0: none */
	const struct buf *messages; /* what the run has said, its summary last; lines */
	const struct spec *spec;
};

/*
 * Takes the lock of `name`, and puts descriptors 1 and 2 into the file. `folders` (NULL: as above)
 * ends with NULL; the first that can be had is taken. NULL and err; ERR_LOCKED says who has the
 * lock.
 */
struct cron *cron_open(const char *name, const char *const *folders, struct err *err);

/* Puts 1 and 2 back and lets go of the lock. If not all is well, writes the screen to 2. */
void cron_close(struct cron *cron, const struct cron_end *end);

#endif

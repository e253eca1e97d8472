/*
 * run_name.h: what a run is called by status and ctl, and its socket in the folder (sock.h).
 *
 * Letters, digits and - _ . in it, a letter or digit first: nothing to quote, short enough to be
 * typed, and no path.
 */
#ifndef PINION_RUN_NAME_H
#define PINION_RUN_NAME_H

#include <stdbool.h>

#define RUN_NAME_BYTES 48      /* with its number and a NUL */
#define RUN_NAME_CHARS 32      /* that one may give */
#define RUN_NAME_SUFFIX ".run" /* the socket of NAME is NAME.run */

/* Whether a user may give it. */
bool run_name_is_good(const char *name);

/* One made of a command line or a path: "gzip" of "/bin/gzip -9 {}"; "run" of nothing. */
void run_name_make(char name[RUN_NAME_BYTES], const char *command);

/* The run whose socket is called so; false: that is no socket of a run. */
bool run_name_of_file(char name[RUN_NAME_BYTES], const char *file);

#endif

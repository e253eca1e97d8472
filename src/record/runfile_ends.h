/*
 * runfile_ends.h: how tasks of earlier runs have ended, each once, by their identities.
 *
 * 112 bytes each. Zero-initialise; end with runfile_ends_fini. All are added before the first is
 * taken.
 */
#ifndef PINION_RUNFILE_ENDS_H
#define PINION_RUNFILE_ENDS_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "record/runfile_wire.h"

struct runfile_ends {
	struct buf all; /* of struct wire_ended; sorted once one is wanted */
	bool is_sorted;
};

/* The payload of WIRE_ENDED. */
int runfile_ends_add(struct runfile_ends *ends, const char *payload, struct err *err);

/* Borrowed; NULL: there is none, or none any more. */
const struct result *runfile_ends_take(struct runfile_ends *ends,
				       const struct identity *identity);

void runfile_ends_fini(struct runfile_ends *ends);

#endif

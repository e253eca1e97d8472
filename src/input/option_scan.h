/*
 * option_scan.h: from words to occurrences of options, and from those to the spec.
 *
 * The first step looks nothing up but names, the second calls the rows' setters; in between
 * whoever reads a command line may look at what there is.
 */
#ifndef PINION_OPTION_SCAN_H
#define PINION_OPTION_SCAN_H

#include <stddef.h>

#include "base/err.h"
#include "input/option_table.h"

/* One occurrence of an option. */
struct option_found {
	const struct option_row *option;
	const char *value; /* NULL: none */
};

/* The words being read, and where we are in them. */
struct option_scan {
	char *const *words;
	size_t count;
	size_t index;               /* the next one */
	unsigned int verb;          /* set by the caller */
	bool is_ended;              /* by "--": no word behind it is an option */
	struct option_found *found; /* room for all there can be */
	size_t found_count;
};

/*
 * Reads options up to the first other word. `words` NULL-terminated or not: `count`
 * counts. The list lives in the spec. 0, or -1 and err.
 */
int option_scan(struct option_scan *scan, struct spec *spec, char *const *words,
		size_t count, struct err *err);

/* Calls the setters, until one asks for something else than a run. 0, or -1 and err. */
int option_apply(struct option_state *state, const struct option_found *found,
		 size_t count, struct err *err);

#endif

/*
 * dry.h: the backend of --dry-run: says what would be run, and runs nothing.
 *
 * Each task "prints" its command line and succeeds at once, in the submit.
 */
#ifndef PINION_DRY_H
#define PINION_DRY_H

#include "task/backend.h"
#include "task/template.h"

struct dry_config {
	struct backend_client client;
	const struct template *template; /* borrowed */
	size_t column_count;
	size_t worker_count; /* {%} goes through so many slots */
};

struct backend *dry_new(const struct dry_config *config, struct err *err);

#endif

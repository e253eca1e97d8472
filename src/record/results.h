/*
 * results.h: --results: what each task printed, and how it ended, kept in place of being printed.
 *
 * The name says how:
 *
 *   DIR, TEMPLATE       a folder of files: results_path.h, results_tree.h
 *   FILE.csv .tsv       a table, and
 *   FILE.json .jsonl    objects: results_rows.h, results_table.h
 *   -.csv and its like  the same on stdout, in the order of the output: results_front.h
 *
 * A task's output is held back (spill.h) until its last attempt has ended, and then written
 * whole. A task that was cancelled or never started leaves nothing, and in a folder neither does
 * one that was lost with its worker. What a folder says of an earlier run: results_history.h;
 * tables say nothing of that.
 */
#ifndef PINION_RESULTS_H
#define PINION_RESULTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "task/sink.h"
#include "task/spec.h"
#include "task/template.h"

/* All borrowed until the sink is freed. */
struct results_config {
	const struct spec *spec; /* results is not NULL */
	const struct template *command;
	const struct arg *names; /* of the columns; NULL: none */
	size_t name_count;
	size_t column_count;
	struct sink *output; /* gets the records of -.csv as what tasks print; else NULL */
};

/* Whether the name asks for a folder; or for records on stdout, for which there must be an output. */
bool results_is_folder(const struct spec *spec);
bool results_is_on_stdout(const struct spec *spec);

/* NULL and err: no memory, or it cannot be written there. */
struct sink *results_new(const struct results_config *config, struct err *err);

#endif

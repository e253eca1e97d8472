/*
 * results_front.h: records on stdout: a sink that stands in front of the output.
 *
 * What the tasks print goes no further; the output gets a record for each in its place, and so
 * keeps its order, its bounds and its way of waiting. The run has this sink and not the output,
 * which must have every function but answered.
 */
#ifndef PINION_RESULTS_FRONT_H
#define PINION_RESULTS_FRONT_H

#include "base/err.h"
#include "record/results.h"
#include "task/sink.h"

/* config->output is not NULL. Writes the header, if there is one, at once. NULL and err. */
struct sink *results_front_new(const struct results_config *config, struct err *err);

#endif

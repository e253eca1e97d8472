/*
 * results_history.h: what a folder of results says was done before (--resume).
 *
 * A task whose results are whole is done, however it ended, as GNU parallel has it: the folder
 * does not say how. It is known by its values, not by its number, so inputs may have grown or
 * changed their order since.
 */
#ifndef PINION_RESULTS_HISTORY_H
#define PINION_RESULTS_HISTORY_H

#include "base/err.h"
#include "record/results.h"
#include "task/history.h"

/* NULL and err. Of a folder, not of a table. */
struct history *results_history_new(const struct results_config *config, struct err *err);

#endif

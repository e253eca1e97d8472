/*
 * uptodate.h: tasks whose outputs (--output) need not be made again, and what is left of outputs
 * whose worker died.
 *
 * The history says that a task is done when each of its outputs is there with a stamp that is
 * true (task/stamp): nothing is read but the file system, so there is no record to lose, and none
 * to name. What a dead run has left beside such an output it takes away. The sink does the same
 * after a task that failed here: its worker may have died over it.
 */
#ifndef PINION_UPTODATE_H
#define PINION_UPTODATE_H

#include "record/records.h"

/* Both NULL and err without memory. */
struct history *uptodate_history_new(const struct records_config *config, struct err *err);
struct sink *uptodate_sink_new(const struct records_config *config, struct err *err);

#endif

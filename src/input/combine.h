/*
 * combine.h: all input sources of a job, combined each with each.
 *
 * The last one varies fastest. The first streams; the others are kept as they come,
 * because they are needed again for the next item of the first (not when there will be
 * none), so a combination is given as soon as its items are there. --shuf waits for all,
 * keeps all and gives them in a random order.
 */
#ifndef PINION_COMBINE_H
#define PINION_COMBINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "input/columns.h"
#include "input/rows.h"
#include "task/source.h"
#include "task/spec.h"

struct combine;

/* Opens all inputs of the spec and reads their headers into `names`; waits for both. */
struct combine *combine_open(const struct spec *spec, struct rows *names, struct err *err);
void combine_close(struct combine *combine);

/*
 * SOURCE_TASK: *row, all columns of a combination, is valid until the next call. SOURCE_END: not
 * to be called again.
 */
enum source_status combine_next(struct combine *combine, const struct row **row,
				struct err *err);

/* After SOURCE_WAIT: what to wait for. */
int combine_fd(const struct combine *combine);

#endif

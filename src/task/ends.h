/*
 * ends.h: how the last attempts of tasks that are to be tried again have ended.
 *
 * Should it not come to the retry, that was the task's end. Kept by seq, by the plan, its only
 * caller. Zero: empty.
 */
#ifndef PINION_ENDS_H
#define PINION_ENDS_H

#include "base/seqmap.h"
#include "task/result.h"

struct ends {
	struct seqmap results; /* seq -> struct result * */
};

void ends_fini(struct ends *ends);

/* In the place of what was kept for the seq; without memory nothing is. */
void ends_keep(struct ends *ends, uint64_t seq, const struct result *result);

/* Borrowed until the next call for this seq; NULL: there is none. */
const struct result *ends_find(const struct ends *ends, uint64_t seq);
void ends_forget(struct ends *ends, uint64_t seq);

#endif

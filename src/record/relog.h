/*
 * relog.h: a history of a run file, beside which there is a joblog: what it says is done, and
 * the joblog did not know of, is added to the joblog.
 *
 * The run file is told first (records.c), so of a run that was killed it may have ends that the
 * joblog lacks; the other way round only if the recorder was killed, too.
 */
#ifndef PINION_RELOG_H
#define PINION_RELOG_H

#include "record/joblog.h"
#include "record/runfile.h"
#include "task/history.h"

/*
 * Asked before the joblog's own history. Owns `past`, the run file's, from here on (also after NULL
 * and err); borrows the others.
 */
struct history *relog_new(struct history *past, struct runfile *runfile,
			  struct joblog *joblog, struct err *err);

#endif

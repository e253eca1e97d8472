/*
 * relog.h: a history beside which there is a joblog: what it says is done, and the joblog did not
 * know of, is added to the joblog.
 *
 * The run file is told first (records.c), so of a run that was killed it may have ends that the
 * joblog lacks; the other way round only if the recorder was killed, too. And a file that a task
 * makes has its name before anybody has recorded the task.
 */
#ifndef PINION_RELOG_H
#define PINION_RELOG_H

#include "record/joblog.h"
#include "record/runfile.h"
#include "task/history.h"

/*
 * Owns `past` from here on (also after NULL and err); borrows the others. `runfile`: whose past it
 * is, asked before the joblog's own; NULL: it is asked behind that, and knows of successes and
 * nothing else.
 */
struct history *relog_new(struct history *past, struct runfile *runfile,
			  struct joblog *joblog, struct err *err);

#endif

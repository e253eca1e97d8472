/*
 * initializer.h: --initializer: a shell command run once in each worker before its first task.
 *
 * Its output goes to pinion's stderr; what it exports is the environment of the worker's
 * tasks; what it leaves running lives as long as the worker. It needs env(1) with -0.
 */
#ifndef PINION_INITIALIZER_H
#define PINION_INITIALIZER_H

#include "base/buf.h"
#include "base/err.h"
#include "pool/executor.h"

/*
 * Runs spec->initializer with the host's environment. 0 and the new environment as env -0
 * prints it; -1 and err: how it failed (it must not serve then). Ends early, -1, when the
 * worker is told to end.
 */
int initializer_run(struct executor_host *host, struct buf *environment, struct err *err);

#endif

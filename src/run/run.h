/*
 * run.h: the tasks of a job, or of one of its stages, from their plan to their end: feed, wait,
 * settle.
 *
 * Joins a plan, a backend and sinks through their interfaces. Owns none of them, prints
 * nothing. A run ends when everything has settled and is written, or when it was told to end:
 * by --halt, --deadline, a signal, a reader of stdout that went away, a broken pool, an error. On every way
 * out the backend has no worker left. Its turns are the conductor's to take (conductor.h).
 */
#ifndef PINION_RUN_H
#define PINION_RUN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cgroup.h"
#include "base/err.h"
#include "ipc/jobserver.h"
#include "ipc/loop.h"
#include "run/sinks.h"
#include "task/backend.h"
#include "task/plan.h"
#include "task/spec.h"

enum run_outcome {
	RUN_COMPLETE, /* all tasks settled, all is written */
	RUN_HALTED,   /* by --halt; see plan_halt_status */
	RUN_DEADLINE, /* it came before all tasks were started */
	RUN_DRAINED, /* somebody asked for it: what ran has ended, the rest was skipped */
	RUN_SIGNALLED,   /* conductor_signal says by which */
	RUN_READER_GONE, /* nobody reads stdout any more */
	RUN_BROKEN,      /* the pool cannot serve: err */
	RUN_FAILED,      /* input, output or the system failed: err */
};

/* All borrowed until run_free. */
struct run_config {
	const struct spec *spec;
	const char *root; /* in front of the kernel's files that are read; NULL: "" */
	const struct cgroups *cgroups; /* that we are in; NULL: none */
	struct loop *loop;
	struct plan *plan;
	struct sink *sinks[SINKS_MAX];
	size_t sink_count;
	struct jobserver *jobserver; /* NULL: cores are not shared with what tasks start */
	int reader_fd;               /* its LOOP_GONE ends the run quietly; -1: none */
	void *context;               /* for the functions below */
	bool (*is_reader_gone)(void *context); /* a write said so */
	void (*note)(void *context, const char *bytes,
		     size_t length); /* for stderr, of no task */
	size_t (*worker_count)(void *context); /* -j FILE read again; 0: leave it. NULL: never asked */
};

struct run;

struct run *run_new(const struct run_config *config, struct err *err);

/* What the backend must be made with; then tell the run of it before its first turn. */
struct backend_client run_client(struct run *run);
void run_set_backend(struct run *run, struct backend *backend);

void run_free(struct run *run);

#endif

/*
 * runfile_read.h: a task, or a whole run, out of a run file, to be run again.
 *
 * Everything is copied: the file is closed when these return, and may be in use by a run.
 */
#ifndef PINION_RUNFILE_READ_H
#define PINION_RUNFILE_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "record/hidden.h"
#include "record/reading.h"

/* A run: how it was started. */
struct runfile_run {
	int64_t id;
	char *name;
	char *verb;
	struct runfile_words words; /* behind the verb */
	char *job;                  /* what the job's file said; NULL: there was none */
	char *cwd;
	char *work_dir; /* --wd, from cwd; NULL: cwd */
	char *limits;
	int umask;
	int nice;
	int pid;
	struct runfile_words names; /* of its columns */
	size_t column_count;
	char *threads; /* "[2,1]": for the tasks of each slot */
};

struct runfile_task {
	struct runfile_run run; /* of a job of stages: with what is the stage's own */
	size_t stage_index;     /* where there are stages */
	uint64_t seq;
	uint32_t attempt; /* the last one */
	uint32_t worker;
	uint32_t slot;
	struct runfile_words inputs; /* no words, if one of them holds a NUL */
	struct buf packed_inputs;
	size_t input_count;
	struct hidden hidden;
	bool has_timed_out;
	struct runfile_words argv; /* none: it was not a command, or could not be executed */
};

/* Which task of a run file. */
struct runfile_which {
	int64_t run_id; /* 0: of the last run that has it */
	const char *stage; /* its name, or its number from 1; NULL: the last, or there are none */
	uint64_t seq;
};

int runfile_read_task(const char *path, const struct runfile_which *which,
		      struct runfile_task *task, struct err *err);

/* The run that is retried with `path`: the one that began what the last one went on with. */
int runfile_read_run(const char *path, struct runfile_run *run, struct err *err);

void runfile_task_fini(struct runfile_task *task);
void runfile_run_fini(struct runfile_run *run);

#endif

/*
 * cmd.h: the verbs. Each gets the arguments from its own name on and returns the exit status.
 */
#ifndef PINION_CMD_H
#define PINION_CMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/sig.h"
#include "input/options.h"
#include "task/sink.h"
#include "task/spec.h"
#include "task/task.h"

/* What the verbs return. `parallel` has GNU parallel's: 0, 1..100 failed tasks, 101 more, 255. */
enum {
	CMD_OK = 0,
	CMD_TASK_FAILED = 1,
	CMD_USAGE = 2,
	CMD_BROKEN = 3,   /* the pool, the system or the output failed */
	CMD_DEADLINE = 4, /* it came before all tasks were started */
	CMD_LOCKED = 75,  /* another run has the record */
	CMD_PARALLEL_ERROR = 255,
};

/* What is run again, with the words and the options of a recorded run. */
struct cmd_again {
	char **argv; /* the verb and its words, NULL-terminated */
	int argc;
	const char *job; /* what the job's file said; NULL: there was none */
	const char *run_file; /* the tasks that failed in it, recorded there; NULL: this one: */
	size_t stage_index; /* where the job has stages */
	uint64_t seq;
	uint32_t arg_count;
	const char *packed; /* its values (task.h), with the hidden ones (spec.h) */
	size_t packed_bytes;
	const struct arg *names; /* of its columns */
	size_t name_count;
	size_t column_count;
};

/* Of a recorded verb. */
enum spec_dialect cmd_tasks_dialect(const char *verb);

int cmd_tasks_again(const struct cmd_again *again);
int cmd_map(int argc, char **argv);
int cmd_parallel(int argc, char **argv);
int cmd_feed(int argc, char **argv);
int cmd_call(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_bench(int argc, char **argv);
int cmd_topology(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_ctl(int argc, char **argv);
int cmd_completion(int argc, char **argv);

/* Prints what was made (`failed`: -1 without memory) on stdout and frees it; the exit status. */
int cmd_print(const struct diag *diag, struct buf *text, int failed);

/* The same of what --help, --version or --list-options ask for. */
int cmd_print_about(const struct diag *diag, enum options_outcome outcome,
		    unsigned int verb);

/* What a verb that runs no tasks has to say to a request: the exit status, or -1 and err. */
struct request;
typedef int cmd_answer(struct request *request, const struct diag *diag, struct buf *text,
		       struct err *err);

/*
 * cmd_request.c: such a verb, one of OPTION_REQUESTS: reads the words, has them answered, prints
 * the text and what went wrong. The exit status.
 */
int cmd_request(unsigned int verb, int argc, char **argv, cmd_answer *answer);

/* A job to be run; all borrowed for the call. */
struct cmd_job {
	struct spec *spec;
	const char *verb; /* and its words: what was called for it */
	int argc;
	char **argv;
	const struct sig_origin *origin;
	const struct cmd_again *again; /* NULL: a run of its own */
	struct sink *watcher;          /* hears of all tasks, too; NULL: nobody does */
	bool is_mute; /* what tasks write to stderr goes where stdout goes: nowhere */
};

/* cmd_job.c: the exit status. Does not return where a signal ended the run. */
int cmd_job(const struct cmd_job *called);

/* cmd_bench.c: the job, several times in processes of their own, and its figures. */
int cmd_bench_job(const struct cmd_job *job);

/* cmd_tasks.c: a verb that runs tasks; `again` is NULL for a run of its own. */
int cmd_tasks(enum spec_dialect dialect, int argc, char **argv,
	      const struct cmd_again *again);

/* cmd_run.c: --check: prints what the job would do; the exit status. */
int cmd_check(const struct spec *spec, const struct diag *diag);

#endif

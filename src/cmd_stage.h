/*
 * cmd_stage.h: one stage of a job, or all of it: its inputs, pool, sinks and records.
 *
 * Joins the parts: args, or the link to the stage before, -> plan; pool -> backend; output,
 * failures and records -> sinks; and hands them to a run. Owned by the job (cmd_job.c), which
 * makes the stages in their order and runs them.
 */
#ifndef PINION_CMD_STAGE_H
#define PINION_CMD_STAGE_H

#include "base/diag.h"
#include "base/err.h"
#include "base/sig.h"
#include "cmd.h"
#include "cmd_show.h"
#include "input/args.h"
#include "input/link.h"
#include "ipc/blocks.h"
#include "ipc/jobserver.h"
#include "ipc/loop.h"
#include "pool/family.h"
#include "pool/topology.h"
#include "record/records.h"
#include "run/conductor.h"
#include "task/plan.h"
#include "task/spec.h"
#include "task/template.h"

/* What the stages of a job have together. */
struct stage_shared {
	const struct sig_origin *origin;
	const struct cmd_again *again; /* NULL: a run of its own */
	struct sink *watcher;          /* see struct cmd_job */
	bool is_mute;
	struct diag diag;
	bool tells_tails; /* of tasks that failed */
	char run_name[24];
	const char **argv; /* to execute this program with, for the same run */
	struct topology *topology;
	struct family family;
	struct loop *loop;
	struct conductor *conductor;
	struct jobserver make; /* that of the make we were started by, if we have joined it */
	bool has_make;
	struct show show;
};

struct stage {
	struct stage_shared *shared;
	const struct spec *spec;
	struct stage *before; /* whose output its tasks are; NULL: the first */
	bool is_last;
	char run_name[32]; /* of its tasks */
	size_t worker_count;
	size_t worker_max;
	size_t place_first; /* see pool.h */
	size_t other_count;

	struct blocks *blocks;
	size_t *shares; /* threads for the tasks of each worker */
	struct args *args; /* its inputs, until the plan has them; NULL: they come from elsewhere */
	struct template *command;
	struct template *tag;
	const struct arg *names; /* of the columns */
	size_t name_count;
	size_t column_count;
	struct plan *plan; /* owns the inputs */
	struct link *link; /* to the next one; NULL: the last */
	struct records records;
	struct sink *output;
	struct sink *front; /* the output, or what stands in front of it; borrowed */
	struct sink *failures;
	struct jobserver own_jobserver;
	struct jobserver *jobserver; /* this, or the make's; NULL: cores are not shared */
	struct show_part progress;
	struct run *run;
	struct backend *backend;
	int first_stdin_fd;
};

void stage_init(struct stage *stage, struct stage_shared *shared, const struct spec *spec);

/* First the runs and pools of all stages are stopped, then they end, the last one after all others. */
void stage_stop(struct stage *stage);
void stage_fini(struct stage *stage);

/* Whether its cores are shared with what tasks start; is_joined: with the make around us, too. */
bool stage_shares_cores(const struct spec *spec, bool is_joined);

/* How many workers it is to have; `limit`: the system allows no more. 0; -1 and err. */
int stage_set_up_workers(struct stage *stage, size_t limit, struct err *err);

/* Opens its inputs and compiles its templates: of all stages before the records of any. */
int stage_set_up_input(struct stage *stage, struct err *err);

/*
 * Opens its records. `before`: the stages that feed it, as stage_records_config has them, for the
 * last one, which is first here: what it records of all stages the others share with it.
 */
struct records_config stage_records_config(const struct stage *stage);
int stage_set_up_records(struct stage *stage, const struct records_config *before,
			 size_t before_count, struct err *err);

/* Makes the plan and the link. Of `before` first. */
int stage_set_up_plan(struct stage *stage, struct err *err);

/* Its tasks' output goes out beside that of the last one, which has its own then. */
int stage_set_up_sinks(struct stage *stage, struct sink *beside, struct err *err);

/* The run and the pool. From here on the conductor has it. */
int stage_set_up_run(struct stage *stage, struct err *err);

/* How its tasks ended, if anything is to be said of that. */
void stage_print_summary(const struct stage *stage);

/*
 * Whether any of them did not end well, what it put out was no task of the next stage, or some of
 * its input was never read.
 */
bool stage_has_failures(const struct stage *stage);

#endif

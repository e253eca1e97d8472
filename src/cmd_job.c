/*
 * cmd_job.c: a job is run: its stages, or all of it, whatever verb it comes from.
 *
 * Makes what the stages share and the stages (cmd_stage.h), lets the conductor take them to
 * their end, says what came of it, and picks the exit status.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/makeflags.h"
#include "cmd.h"
#include "cmd_stage.h"
#include "record/cron.h"
#include "run/steer.h"
#include "sink/failures.h"

struct job {
	struct spec *spec; /* the caller's, as these */
	const char *verb;  /* that it was called by */
	struct stage_shared shared;
	struct stage *stages; /* those that are run */
	size_t stage_count;
	struct steer *steer; /* while they run */
	enum run_outcome outcome;
	struct cron *cron;   /* NULL: not a run of that kind */
	struct buf messages; /* for it */
};

/* --- setting up --- */

/* PINION_RUN: short, different for each run on this machine. */
static void
job_name_run(struct stage_shared *shared)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	uint64_t number = ((uint64_t)clock_real_ns() / 1000) << 10 ^ (uint64_t)getpid();
	size_t length = 0;
	for (; number > 0 && length < sizeof(shared->run_name) - 1; number /= 36)
		shared->run_name[length++] = digits[number % 36];
	shared->run_name[length] = '\0';
}

/* What runs this verb again, by whatever name it was called: pinion VERB ARGUMENT... */
static int
job_set_argv(struct job *job, int argc, char **argv, struct err *err)
{
	job->shared.argv = calloc((size_t)argc + 2, sizeof(*job->shared.argv));
	if (job->shared.argv == NULL)
		return err_no_memory(err);
	job->shared.argv[0] = "pinion";
	job->shared.argv[1] = job->verb;
	memcpy(job->shared.argv + 2, argv + 1, (size_t)(argc - 1) * sizeof(*argv));
	return 0;
}

/* Shares cores with the make we were started by, if that lets us and we are to. */
static void
job_join_make(struct job *job, struct spec *specs, size_t count)
{
	const char *makeflags = getenv("MAKEFLAGS");
	struct stage_shared *shared = &job->shared;
	struct err err = {0};
	bool is_wanted = false, is_asked_for = false;
	for (size_t i = 0; i < count; i++) {
		is_wanted |= stage_shares_cores(&specs[i], true);
		is_asked_for |= stage_shares_cores(&specs[i], false);
	}
	if (!is_wanted)
		return;
	int joined = jobserver_join(&shared->make, makeflags, &err);
	shared->has_make = joined == 1;
	if (joined == -1 && is_asked_for)
		diag_err(&shared->diag, &err);
	if (shared->has_make && makeflags_is_dry_run(makeflags))
		job->spec->is_dry_run = true;
}

/* What tasks start is to run on any core that is free, so their workers are not bound. */
static void
job_share_cores(struct job *job, struct spec *specs, size_t count)
{
	job_join_make(job, specs, count);
	for (size_t i = 0; i < count; i++) {
		specs[i].is_dry_run |= job->spec->is_dry_run;
		if (specs[i].bind == SPEC_BIND_AUTO &&
		    stage_shares_cores(&specs[i], job->shared.has_make))
			specs[i].bind = SPEC_BIND_NONE;
	}
}

/* Of which stage tasks are run again, of so many: of a record all that failed in the last. */
static size_t
job_stage_again(const struct cmd_again *again, size_t stage_count)
{
	return again->run_file != NULL || stage_count == 1 ? stage_count - 1
							   : again->stage_index;
}

/*
 * Which of its stages are run: all; of a dry run the first, as nobody knows what it would put
 * out; the one of which tasks are run again.
 */
static int
job_make_stages(struct job *job, struct err *err)
{
	struct spec *spec = job->spec;
	struct spec *specs = spec->stage_count > 0 ? spec->stages : spec;
	size_t count = spec->stage_count > 0 ? spec->stage_count : 1;
	job_share_cores(job, specs, count);
	if (job->shared.again != NULL)
		specs += job_stage_again(job->shared.again, count);
	if (job->shared.again != NULL || spec->is_dry_run)
		count = 1;
	job->stages = calloc(count, sizeof(*job->stages));
	if (job->stages == NULL)
		return err_no_memory(err);
	job->stage_count = count;
	for (size_t i = 0; i < count; i++) {
		stage_init(&job->stages[i], &job->shared, &specs[i]);
		job->stages[i].is_last = i == count - 1;
		job->stages[i].before = i > 0 ? &job->stages[i - 1] : NULL;
	}
	return 0;
}

/* Whether its workers have places of their own. */
static bool
job_is_bound(const struct stage *stage)
{
	return stage->spec->bind == SPEC_BIND_AUTO ||
	       stage->spec->bind == SPEC_BIND_CORE || stage->spec->bind == SPEC_BIND_SHARE;
}

/*
 * One budget for all: while there are cores enough, no worker sits where that of another stage
 * does. Else each stage has all of them, as if it were alone: whichever has work takes them.
 */
static void
job_place_stages(struct job *job)
{
	size_t total = 0;
	size_t first = 0;
	for (size_t i = 0; i < job->stage_count; i++)
		total += job_is_bound(&job->stages[i]) ? job->stages[i].worker_count : 0;
	if (total > topology_facts(job->shared.topology)->budget_cores)
		return;
	for (size_t i = 0; i < job->stage_count; i++) {
		struct stage *stage = &job->stages[i];
		if (!job_is_bound(stage))
			continue;
		stage->place_first = first;
		stage->other_count = total - stage->worker_count;
		first += stage->worker_count;
	}
}

static int
job_set_up_workers(struct job *job, struct err *err)
{
	size_t limit = topology_worker_limit(job->stage_count);
	job->shared.topology = topology_new(err);
	if (job->shared.topology == NULL)
		return -1;
	for (size_t i = 0; i < job->stage_count; i++)
		if (stage_set_up_workers(&job->stages[i], limit, err) == -1)
			return -1;
	job_place_stages(job);
	return 0;
}

static int
job_set_up_loop(struct job *job, struct err *err)
{
	struct stage_shared *shared = &job->shared;
	shared->loop = loop_new(err);
	if (shared->loop == NULL)
		return -1;
	shared->conductor = conductor_new(shared->loop, shared->origin, err);
	if (shared->conductor == NULL)
		return -1;
	if (family_adopt_given(&shared->family) == -1)
		return err_no_memory(err);
	/* What a dead worker leaves behind comes to us, and the workers of a server do. */
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) == -1 &&
	    job->spec->start_method == SPEC_START_FORKSERVER)
		return err_errno(err,
				 "cannot have the workers of a fork server: leave out "
				 "--start-method, or say spawn");
	return 0;
}

/* Where messages and outputs go, what is drawn of the job makes way for them. */
static void
job_set_up_show(struct job *job)
{
	struct stage_shared *shared = &job->shared;
	show_init(&shared->show, job->spec, &shared->diag);
	shared->diag.screen = show_screen(&shared->show);
}

/* The last stage's first: what records all stages must know them when it is opened. */
static int
job_set_up_records(struct job *job, struct err *err)
{
	struct stage *last = &job->stages[job->stage_count - 1];
	size_t before_count = job->stage_count - 1;
	struct records_config *before = calloc(job->stage_count, sizeof(*before));
	if (before == NULL)
		return err_no_memory(err);
	for (size_t i = 0; i < before_count; i++)
		before[i] = stage_records_config(&job->stages[i]);
	int status = stage_set_up_records(last, before, before_count, err);
	free(before);
	for (size_t i = 0; i < before_count && status == 0; i++) {
		status = stage_set_up_records(&job->stages[i], NULL, 0, err);
		if (status == 0)
			records_share(&job->stages[i].records, &last->records, i);
	}
	return status;
}

static int
job_set_up_input(struct job *job, struct err *err)
{
	for (size_t i = 0; i < job->stage_count; i++)
		if (stage_set_up_input(&job->stages[i], err) == -1)
			return -1;
	if (job_set_up_records(job, err) == -1)
		return -1;
	for (size_t i = 0; i < job->stage_count; i++)
		if (stage_set_up_plan(&job->stages[i], err) == -1)
			return -1;
	return 0;
}

static int
job_set_up(struct job *job, struct err *err)
{
	job_name_run(&job->shared);
	if (job_make_stages(job, err) == -1 || job_set_up_workers(job, err) == -1 ||
	    job_set_up_input(job, err) == -1)
		return -1;
	job_set_up_show(job);
	struct stage *last = &job->stages[job->stage_count - 1];
	if (stage_set_up_sinks(last, NULL, err) == -1)
		return -1;
	for (size_t i = 0; i < job->stage_count - 1; i++)
		if (stage_set_up_sinks(&job->stages[i], last->output, err) == -1)
			return -1;
	if (job_set_up_loop(job, err) == -1)
		return -1;
	conductor_set_screen(job->shared.conductor, show_screen(&job->shared.show));
	for (size_t i = 0; i < job->stage_count; i++)
		if (stage_set_up_run(&job->stages[i], err) == -1)
			return -1;
	job->steer = steer_new(job->shared.conductor, job->spec, err);
	if (job->steer == NULL)
		return -1;
	return show_start(&job->shared.show, job->shared.loop, err);
}

static void
job_fini(struct job *job)
{
	show_fini(&job->shared.show);
	job->shared.diag.screen = NULL;
	for (size_t i = 0; i < job->stage_count; i++)
		stage_stop(&job->stages[i]);
	for (size_t i = 0; i < job->stage_count; i++)
		stage_fini(&job->stages[i]);
	free(job->stages);
	jobserver_close(&job->shared.make);
	conductor_free(job->shared.conductor);
	loop_free(job->shared.loop);
	topology_free(job->shared.topology);
	family_fini(&job->shared.family);
	free(job->shared.argv);
	buf_fini(&job->messages);
}

/* --- the end --- */

/* GNU parallel leaves it to the shell and the commands to tell what went wrong. */
static bool
job_leaves_telling(const struct job *job)
{
	struct failures_counts counts;
	failures_get_counts(job->stages[0].failures, &counts);
	return job->spec->dialect == SPEC_PARALLEL && counts.mute == 0;
}

static void
job_print_summary(const struct job *job)
{
	const struct spec *spec = job->spec;
	bool is_silent = spec->is_quiet || job_leaves_telling(job);
	if ((is_silent && job->cron == NULL) || job->outcome == RUN_READER_GONE)
		return;
	for (size_t i = 0; i < job->stage_count; i++)
		stage_print_summary(&job->stages[i]);
	if (job->outcome == RUN_DEADLINE)
		diag_say(&job->shared.diag, "the deadline came first%s",
			 spec_is_recorded(job->stages[job->stage_count - 1].spec)
			     ? ": --resume does the rest"
			     : "");
	if (job->outcome == RUN_DRAINED)
		diag_say(&job->shared.diag, "ended early: pinion ctl asked to drain it");
	if (spec->stage_count > 1 && spec->is_dry_run)
		diag_say(
		    &job->shared.diag,
		    "what the other stages would be given is not known in a dry run");
}

/* GNU parallel's: the number of failed tasks, or what --halt says. */
static int
job_parallel_status(const struct job *job, const struct failures_counts *counts,
		    bool has_failed)
{
	int halt_status = plan_halt_status(job->stages[0].plan);
	if (halt_status != -1)
		return halt_status;
	uint64_t count = counts->failed + counts->cancelled + counts->skipped;
	if (count == 0) /* of those that were not even read nobody knows how many there are */
		return has_failed;
	return count > 100 ? 101 : (int)count;
}

static int
job_status(const struct job *job)
{
	const struct stage *last = &job->stages[job->stage_count - 1];
	bool is_parallel = job->spec->dialect == SPEC_PARALLEL;
	struct failures_counts counts;
	bool has_failed = false;
	for (size_t i = 0; i < job->stage_count; i++)
		has_failed |= stage_has_failures(&job->stages[i]);
	failures_get_counts(last->failures, &counts);
	if (job->outcome == RUN_BROKEN || job->outcome == RUN_FAILED)
		return is_parallel ? CMD_PARALLEL_ERROR : CMD_BROKEN;
	if (is_parallel)
		return job->outcome == RUN_DEADLINE
			   ? CMD_PARALLEL_ERROR
			   : job_parallel_status(job, &counts, has_failed);
	if (job->outcome == RUN_HALTED && plan_halt_status(last->plan) == 0 &&
	    last->spec->halt.why == SPEC_HALT_SUCCESS)
		return CMD_OK;
	if (job->outcome == RUN_DEADLINE)
		return CMD_DEADLINE;
	return has_failed ? CMD_TASK_FAILED : CMD_OK;
}

/* Ends as the signal would have ended us, so that the caller's shell sees it. */
static int
job_die(int signal, const struct sig_origin *origin)
{
	if (signal == SIGPIPE && sig_was_ignored(origin, SIGPIPE))
		return CMD_TASK_FAILED;
	sig_die_of(signal);
	return 128 + signal;
}

/* What the records say of the end. It is part of it that they can be written. */
static int
job_finish_records(struct job *job, int status)
{
	static const enum records_outcome outcomes[] = {
	    [RUN_COMPLETE] = RECORDS_COMPLETE,   [RUN_HALTED] = RECORDS_HALTED,
	    [RUN_DEADLINE] = RECORDS_DEADLINE,   [RUN_DRAINED] = RECORDS_DRAINED,
	    [RUN_SIGNALLED] = RECORDS_SIGNALLED, [RUN_READER_GONE] = RECORDS_READER_GONE,
	    [RUN_BROKEN] = RECORDS_BROKEN,       [RUN_FAILED] = RECORDS_FAILED};
	int signal = conductor_signal(job->shared.conductor);
	bool has_failed = false;
	if (signal != 0)
		status = 128 + signal;
	for (size_t i = 0; i < job->stage_count; i++) {
		struct err err = {0};
		if (records_finish(&job->stages[i].records, outcomes[job->outcome],
				   status, &err) == 0)
			continue;
		has_failed = true;
		if (job->outcome != RUN_FAILED) /* else it has been said */
			diag_err(&job->shared.diag, &err);
	}
	return has_failed ? -1 : 0;
}

/* What differs from the recorded run: where tasks come from, and what is written of them. */
static void
job_set_again(const struct job *job)
{
	const struct cmd_again *again = job->shared.again;
	struct spec *spec = job->spec;
	if (spec->stage_count > 0)
		spec = &spec->stages[job_stage_again(again, spec->stage_count)];
	spec->resume = SPEC_RETRY_FAILED;
	spec->run_file = again->run_file;
	spec->joblog = NULL;
	spec->deadline_real_ns = 0; /* whose night it was is over */
	if (again->run_file != NULL)
		return;
	spec->results = NULL;
	job->spec->is_quiet = true;
	spec->jobs = (struct spec_jobs){.kind = SPEC_JOBS_COUNT, .value = 1};
}

/* From here on messages are kept for the screen at the end. */
static int
job_open_cron(struct job *job, struct err *err)
{
	const struct spec *spec = job->spec;
	if (spec->cron == NULL || spec->is_dry_run || job->shared.again != NULL)
		return 0;
	job->cron = cron_open(spec->cron, NULL, err);
	if (job->cron == NULL)
		return -1;
	job->shared.diag.copy = &job->messages;
	job->shared.tells_tails = true;
	return 0;
}

static void
job_close_cron(struct job *job, int status)
{
	if (job->cron == NULL)
		return;
	const struct cron_end end = {
	    .status = status,
	    .signal =
		job->outcome == RUN_SIGNALLED ? conductor_signal(job->shared.conductor) : 0,
	    .messages = &job->messages,
	    .spec = job->spec,
	};
	cron_close(job->cron, &end);
}

static int
job_run(struct job *job, int argc, char **argv)
{
	struct err err = {0};
	bool is_parallel = job->spec->dialect == SPEC_PARALLEL;
	if (job_open_cron(job, &err) == -1 || job_set_argv(job, argc, argv, &err) == -1 ||
	    job_set_up(job, &err) == -1) {
		diag_err(&job->shared.diag, &err);
		if (is_parallel)
			return CMD_PARALLEL_ERROR;
		if (err.kind == ERR_LOCKED)
			return CMD_LOCKED;
		return err.kind == ERR_USAGE ? CMD_USAGE : CMD_BROKEN;
	}
	job->outcome = conductor_loop(job->shared.conductor, &err);
	steer_free(job->steer); /* nobody answers any more */
	if (job->outcome == RUN_BROKEN || job->outcome == RUN_FAILED)
		diag_err(&job->shared.diag, &err);
	job_print_summary(job);
	if (job->outcome != RUN_READER_GONE)
		show_end(&job->shared.show);
	int status = job_status(job);
	if (job_finish_records(job, status) == -1)
		return is_parallel ? CMD_PARALLEL_ERROR : CMD_BROKEN;
	return status;
}

int
cmd_job(const struct cmd_job *called)
{
	struct job job = {
	    .spec = called->spec,
	    .verb = called->verb,
	    .shared = {.make.client_fd = -1,
		       .origin = called->origin,
		       .again = called->again,
		       .watcher = called->watcher,
		       .is_mute = called->is_mute,
		       .diag = {.name = called->spec->program, .fd = STDERR_FILENO}},
	};
	if (called->again != NULL)
		job_set_again(&job);
	int status = job_run(&job, called->argc, called->argv);
	job_close_cron(&job, status);
	enum run_outcome outcome = job.outcome;
	int signal =
	    outcome == RUN_SIGNALLED ? conductor_signal(job.shared.conductor) : SIGPIPE;
	job_fini(&job);
	if (outcome == RUN_SIGNALLED || outcome == RUN_READER_GONE)
		return job_die(signal, called->origin);
	return status;
}

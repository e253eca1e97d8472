/*
 * cmd_map.c: a job is run: tasks over inputs, whatever verb it comes from.
 *
 * Joins the parts: args -> plan, pool -> backend, output and failures -> sinks, and hands them
 * to the run.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/io.h"
#include "cmd.h"
#include "input/args.h"
#include "ipc/loop.h"
#include "pool/dry.h"
#include "pool/pool.h"
#include "record/records.h"
#include "record/runfile_source.h"
#include "run/conductor.h"
#include "sink/failures.h"
#include "sink/output.h"

/* More workers may come later (-j FILE, USR1), up to so many at least. */
#define MAP_WORKERS_SPARE 256

struct map {
	struct spec *spec; /* the caller's, as all of these */
	const char *verb;  /* that it was called by */
	const struct sig_origin *origin;
	struct diag diag;
	char run_name[24];
	struct topology *topology;
	struct template *command;
	struct template *tag;
	const char **argv;       /* to execute this program with, for the same run */
	const struct arg *names; /* of the columns */
	size_t name_count;
	size_t column_count;
	size_t worker_count;
	size_t worker_max;
	const struct cmd_again *again; /* NULL: a run of its own */
	struct loop *loop;
	struct blocks *blocks;
	struct plan *plan; /* owns the inputs */
	struct sink *output;
	struct sink *front; /* the output, or what stands in front of it; borrowed */
	struct sink *failures;
	struct records records;
	struct family family;
	struct conductor *conductor;
	struct run *run;
	struct backend *backend;
	int first_stdin_fd;
	enum run_outcome outcome;
};

/* --- setting up --- */

/* PINION_RUN: short, different for each run on this machine. */
static void
map_name_run(struct map *map)
{
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	uint64_t number = ((uint64_t)clock_real_ns() / 1000) << 10 ^ (uint64_t)getpid();
	size_t length = 0;
	for (; number > 0 && length < sizeof(map->run_name) - 1; number /= 36)
		map->run_name[length++] = digits[number % 36];
	map->run_name[length] = '\0';
}

/* What runs this verb again, by whatever name it was called: pinion VERB ARGUMENT... */
static int
map_set_argv(struct map *map, int argc, char **argv, struct err *err)
{
	map->argv = calloc((size_t)argc + 2, sizeof(*map->argv));
	if (map->argv == NULL)
		return err_no_memory(err);
	map->argv[0] = "pinion";
	map->argv[1] = map->verb;
	memcpy(map->argv + 2, argv + 1, (size_t)(argc - 1) * sizeof(*argv));
	return 0;
}

/* Says so when the system gives fewer workers than were asked for. */
static void
map_say_limit(const struct map *map, size_t limit)
{
	const struct spec_jobs *jobs = &map->spec->jobs;
	if (jobs->kind == SPEC_JOBS_COUNT && jobs->value > (double)limit)
		diag_say(&map->diag,
			 "only %zu of %.0f workers: the limit of open files "
			 "(ulimit -n) "
			 "allows no more",
			 map->worker_count, jobs->value);
}

/* Takes the text apart. */
static void
map_say_lines(const struct map *map, struct buf *text)
{
	if (text->length == 0 || buf_str(text) == NULL)
		return;
	char *rest = text->bytes;
	for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n"))
		if (*line != '\0')
			diag_say(&map->diag, "%s", line);
}

static int
map_set_up_workers(struct map *map, struct err *err)
{
	size_t limit = topology_worker_limit();
	map->topology = topology_new(err);
	if (map->topology == NULL)
		return -1;
	map->worker_count = topology_worker_count(map->topology, &map->spec->jobs,
						  map->spec->dialect, limit, err);
	if (map->worker_count == 0)
		return -1;
	map_say_limit(map, limit);
	map->worker_max = map->worker_count;
	if (map->worker_max < MAP_WORKERS_SPARE)
		map->worker_max = MAP_WORKERS_SPARE < limit ? MAP_WORKERS_SPARE : limit;
	return 0;
}

static struct records_config
map_records_config(const struct map *map)
{
	return (struct records_config){
	    .spec = map->spec,
	    .command = map->command,
	    .names = map->names,
	    .name_count = map->name_count,
	    .column_count = map->column_count,
	    .run_name = map->run_name,
	    .argv = (char *const *)(uintptr_t)map->argv,
	    .worker_count = map->worker_count,
	    .cpu_count = topology_facts(map->topology)->budget_threads,
	};
}

static int
map_set_up_records(struct map *map, struct err *err)
{
	struct records_config config = map_records_config(map);
	size_t *shares = calloc(map->worker_count, sizeof(*shares));
	if (shares == NULL)
		return err_no_memory(err);
	for (size_t i = 0; i < map->worker_count; i++)
		shares[i] =
		    topology_share(map->topology, map->spec->bind, map->worker_count, i);
	config.shares = shares;
	int status = records_open(&map->records, &config, err);
	free(shares);
	if (status == -1)
		return -1;
	if (!map->spec->is_quiet)
		map_say_lines(map, &map->records.notes);
	return 0;
}

/* The source is the plan's from here on, behind what says which of its tasks are done. */
static int
map_set_up_plan(struct map *map, struct source *source, struct err *err)
{
	for (size_t i = 0; i < map->records.history_count; i++) {
		source = history_source_new(source, map->records.histories[i], err);
		if (source == NULL)
			return -1;
	}
	map->plan = plan_new(map->spec, source, err);
	if (map->plan == NULL)
		source_free(source);
	return map->plan == NULL ? -1 : 0;
}

static int
map_set_up_templates(struct map *map, struct err *err)
{
	map->command = template_new(map->spec, map->names, map->name_count, err);
	if (map->command == NULL)
		return -1;
	if (map->spec->tag == NULL)
		return 0;
	map->tag =
	    template_new_text(map->spec, map->spec->tag, map->names, map->name_count, err);
	return map->tag == NULL ? -1 : 0;
}

static void
map_free_templates(struct map *map)
{
	template_free(map->tag);
	template_free(map->command);
	map->tag = NULL;
	map->command = NULL;
}

/* One task of a recorded run, in place of those of a record. */
static int
map_set_up_again(struct map *map, struct err *err)
{
	const struct cmd_again *again = map->again;
	struct buf tasks = {0};
	if (again == NULL || again->run_file != NULL)
		return 0;
	if (runfile_source_add(&tasks, again->seq, again->arg_count, again->packed,
			       again->packed_bytes) == -1) {
		buf_fini(&tasks);
		return err_no_memory(err);
	}
	map->records.names = again->names;
	map->records.name_count = again->name_count;
	map->records.column_count = again->column_count;
	map->records.source = runfile_source_new(&tasks, err);
	buf_fini(&tasks);
	return map->records.source == NULL ? -1 : 0;
}

/* --retry-failed: the record has the inputs, and the names of their columns. */
static int
map_set_up_retry(struct map *map, struct err *err)
{
	if (map_set_up_templates(map, err) == -1 || map_set_up_records(map, err) == -1)
		return -1;
	if (map_set_up_again(map, err) == -1)
		return -1;
	map->records.history_count = 0; /* its tasks are those that are not done */
	if (map->records.name_count > 0) {
		map_free_templates(map);
		map->names = map->records.names;
		map->name_count = map->records.name_count;
		if (map_set_up_templates(map, err) == -1)
			return -1;
	}
	map->column_count = map->records.column_count;
	struct source *source = map->records.source;
	map->records.source = NULL;
	return map_set_up_plan(map, source, err);
}

/* Opens the inputs, compiles the templates, makes the plan. */
static int
map_set_up_input(struct map *map, struct err *err)
{
	if (map->spec->resume == SPEC_RETRY_FAILED)
		return map_set_up_retry(map, err);
	struct args *args = args_open(map->spec, err);
	if (args == NULL)
		return -1;
	map->names = args_names(args, &map->name_count);
	map->column_count = args_column_count(args);
	if (map_set_up_templates(map, err) == -1)
		goto close_args;
	args_set_template(args, map->command, map->worker_count);
	if (map_set_up_records(map, err) == 0)
		return map_set_up_plan(map, args_source(args), err);

close_args:
	args_close(args);
	return -1;
}

static int
map_set_up_output(struct map *map, struct err *err)
{
	struct output_config output = {
	    .spec = map->spec,
	    .blocks = map->blocks,
	    .out_fd = STDOUT_FILENO,
	    .err_fd = STDERR_FILENO,
	    .content = map->records.keeps_output ? OUTPUT_NONE
		       : map->records.has_front  ? OUTPUT_RECORDS
						 : OUTPUT_ALL,
	    .tag = map->tag,
	    .command = map->command,
	    .column_count = map->column_count,
	};
	if (map->records.has_front && map->spec->json != SPEC_JSON_NONE)
		return err_set(
		    err, ERR_USAGE,
		    "--json cannot be combined with --results %.200s: both would "
		    "go to stdout: name a file or a folder",
		    map->spec->results);
	map->output = output_new(&output, err);
	if (map->output == NULL)
		return -1;
	map->front = map->output;
	if (map->records.has_front) {
		const struct records_config config = map_records_config(map);
		map->front = records_open_front(&map->records, &config, map->output, err);
	}
	return map->front == NULL ? -1 : 0;
}

static int
map_set_up_sinks(struct map *map, struct err *err)
{
	struct failures_config failures = {.command = map->command,
					   .column_count = map->column_count,
					   .has_overrides = map->spec->hidden_count > 0};
	if (map_set_up_output(map, err) == -1)
		return -1;
	map->failures = failures_new(&failures, err);
	return map->failures == NULL ? -1 : 0;
}

static bool
map_is_reader_gone(void *context)
{
	const struct map *map = context;
	return output_is_pipe_closed(map->output);
}

static void
map_note(void *context, const char *bytes, size_t length)
{
	const struct map *map = context;
	diag_raw(&map->diag, bytes, length);
}

/* -j FILE again; what cannot be read or understood leaves things as they are. */
static size_t
map_read_worker_count(void *context)
{
	const struct map *map = context;
	return topology_worker_count(map->topology, &map->spec->jobs, map->spec->dialect,
				     map->worker_max, NULL);
}

static int
map_set_up_run(struct map *map, struct err *err)
{
	struct run_config config = {
	    .spec = map->spec,
	    .loop = map->loop,
	    .plan = map->plan,
	    .sinks = {map->front, map->failures},
	    .sink_count = 2,
	    .reader_fd = output_watch_fd(map->output),
	    .context = map,
	    .is_reader_gone = map_is_reader_gone,
	    .note = map_note,
	    .worker_count =
		map->spec->jobs.kind == SPEC_JOBS_FILE ? map_read_worker_count : NULL,
	};
	for (size_t i = 0; i < map->records.sink_count; i++)
		config.sinks[config.sink_count++] = map->records.sinks[i];
	map->run = run_new(&config, err);
	if (map->run == NULL)
		return -1;
	return conductor_add(map->conductor, map->run) == -1 ? err_no_memory(err) : 0;
}

/* GNU parallel's rule: with -a FILE the first task has our stdin, which is not the input then. */
static int
map_first_stdin(const struct map *map)
{
	const struct spec *spec = map->spec;
	bool has_file = false;
	for (size_t i = 0; i < spec->input_count; i++) {
		if (spec->inputs[i].kind != SPEC_INPUT_FILE)
			continue;
		if (strcmp(spec->inputs[i].path, "-") == 0)
			return -1;
		has_file = true;
	}
	if (spec->dialect != SPEC_PARALLEL || !has_file || isatty(STDIN_FILENO))
		return -1;
	return io_dup(STDIN_FILENO);
}

static struct backend *
map_make_backend(struct map *map, struct err *err)
{
	struct backend_client client = run_client(map->run);
	struct dry_config dry = {
	    .client = client,
	    .template = map->command,
	    .column_count = map->column_count,
	    .worker_count = map->worker_count,
	};
	if (map->spec->is_dry_run)
		return dry_new(&dry, err);
	map->first_stdin_fd = map_first_stdin(map);
	if (family_adopt_given(&map->family) == -1) {
		err_no_memory(err);
		return NULL;
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1); /* what a dead worker leaves behind comes to us */
	struct pool_config pool = {
	    .spec = map->spec,
	    .template = map->command,
	    .topology = map->topology,
	    .origin = map->origin,
	    .run_name = map->run_name,
	    .family = &map->family,
	    .loop = map->loop,
	    .blocks = map->blocks,
	    .client = client,
	    .column_count = map->column_count,
	    .worker_count = map->worker_count,
	    .worker_max = map->worker_max,
	    .first_stdin_fd = map->first_stdin_fd,
	    .argv = map->argv,
	    .names = map->names,
	    .name_count = map->name_count,
	};
	return pool_new(&pool, err);
}

static int
map_set_up(struct map *map, struct err *err)
{
	map_name_run(map);
	map->blocks = blocks_new(map->spec->buffer_bytes);
	if (map->blocks == NULL)
		return err_no_memory(err);
	if (map_set_up_workers(map, err) == -1 || map_set_up_input(map, err) == -1 ||
	    map_set_up_sinks(map, err) == -1)
		return -1;
	map->loop = loop_new(err);
	if (map->loop == NULL)
		return -1;
	map->conductor = conductor_new(map->loop, map->origin, err);
	if (map->conductor == NULL || map_set_up_run(map, err) == -1)
		return -1;
	map->backend = map_make_backend(map, err);
	if (map->backend == NULL)
		return -1;
	run_set_backend(map->run, map->backend);
	return 0;
}

static void
map_fini(struct map *map)
{
	if (map->backend != NULL)
		map->backend->ops->free(map->backend);
	run_free(map->run);
	conductor_free(map->conductor);
	sink_free(map->output);
	sink_free(map->failures);
	blocks_free(map->blocks); /* which the output kept some of */
	plan_free(map->plan);
	records_close(&map->records);
	loop_free(map->loop);
	map_free_templates(map);
	topology_free(map->topology);
	family_fini(&map->family);
	io_close(map->first_stdin_fd);
	free(map->argv);
}

/* --- the end --- */

static void
map_print_summary(const struct map *map)
{
	struct buf text = {0};
	struct err err = {0};
	if (map->spec->is_quiet || map->spec->dialect == SPEC_PARALLEL ||
	    map->outcome == RUN_READER_GONE)
		return;
	if (failures_summary(map->failures, &text, &err) == -1) {
		diag_err(&map->diag, &err);
	} else {
		map_say_lines(map, &text);
	}
	if (plan_has_unread_input(map->plan))
		diag_say(&map->diag, "the rest of the input was not read");
	buf_fini(&text);
}

/* GNU parallel's: the number of failed tasks, or what --halt says. */
static int
map_parallel_status(const struct map *map, const struct failures_counts *counts)
{
	int halt_status = plan_halt_status(map->plan);
	if (halt_status != -1)
		return halt_status;
	return counts->failed > 100 ? 101 : (int)counts->failed;
}

static int
map_status(const struct map *map)
{
	bool is_parallel = map->spec->dialect == SPEC_PARALLEL;
	struct failures_counts counts;
	failures_get_counts(map->failures, &counts);
	if (map->outcome == RUN_BROKEN || map->outcome == RUN_FAILED)
		return is_parallel ? CMD_PARALLEL_ERROR : CMD_BROKEN;
	if (is_parallel)
		return map_parallel_status(map, &counts);
	if (map->outcome == RUN_HALTED && plan_halt_status(map->plan) == 0 &&
	    map->spec->halt.why == SPEC_HALT_SUCCESS)
		return CMD_OK;
	return counts.failed + counts.cancelled + counts.skipped > 0 ? CMD_TASK_FAILED
								     : CMD_OK;
}

/* Ends as the signal would have ended us, so that the caller's shell sees it. */
static int
map_die(int signal, const struct sig_origin *origin)
{
	if (signal == SIGPIPE && sig_was_ignored(origin, SIGPIPE))
		return CMD_TASK_FAILED;
	sig_die_of(signal);
	return 128 + signal;
}

/* What the records say of the end. It is part of it that they can be written. */
static int
map_finish_records(struct map *map, int status)
{
	static const enum records_outcome outcomes[] = {
	    [RUN_COMPLETE] = RECORDS_COMPLETE,   [RUN_HALTED] = RECORDS_HALTED,
	    [RUN_SIGNALLED] = RECORDS_SIGNALLED, [RUN_READER_GONE] = RECORDS_READER_GONE,
	    [RUN_BROKEN] = RECORDS_BROKEN,       [RUN_FAILED] = RECORDS_FAILED};
	struct err err = {0};
	int signal = conductor_signal(map->conductor);
	if (signal != 0)
		status = 128 + signal;
	if (records_finish(&map->records, outcomes[map->outcome], status, &err) == 0)
		return 0;
	if (map->outcome != RUN_FAILED) /* else it has been said */
		diag_err(&map->diag, &err);
	return -1;
}

/* What differs from the recorded run: where tasks come from, and what is written of them. */
static void
map_set_again(struct map *map, const struct cmd_again *again)
{
	struct spec *spec = map->spec;
	map->again = again;
	if (again == NULL)
		return;
	spec->resume = SPEC_RETRY_FAILED;
	spec->run_file = again->run_file;
	spec->joblog = NULL;
	if (again->run_file != NULL)
		return;
	spec->results = NULL;
	spec->is_quiet = true;
	spec->jobs = (struct spec_jobs){.kind = SPEC_JOBS_COUNT, .value = 1};
}

static int
map_run(struct map *map, int argc, char **argv)
{
	struct err err = {0};
	bool is_parallel = map->spec->dialect == SPEC_PARALLEL;
	if (cmd_refuse_stages(map->spec, &err) == -1 ||
	    map_set_argv(map, argc, argv, &err) == -1 || map_set_up(map, &err) == -1) {
		diag_err(&map->diag, &err);
		if (is_parallel)
			return CMD_PARALLEL_ERROR;
		if (err.kind == ERR_LOCKED)
			return CMD_LOCKED;
		return err.kind == ERR_USAGE ? CMD_USAGE : CMD_BROKEN;
	}
	map->outcome = conductor_loop(map->conductor, &err);
	if (map->outcome == RUN_BROKEN || map->outcome == RUN_FAILED)
		diag_err(&map->diag, &err);
	map_print_summary(map);
	int status = map_status(map);
	if (map_finish_records(map, status) == -1)
		return is_parallel ? CMD_PARALLEL_ERROR : CMD_BROKEN;
	return status;
}

int
cmd_job(const struct cmd_job *job)
{
	struct map map = {
	    .spec = job->spec,
	    .verb = job->verb,
	    .origin = job->origin,
	    .diag = {.name = job->spec->program, .fd = STDERR_FILENO},
	    .first_stdin_fd = -1,
	};
	map_set_again(&map, job->again);
	int status = map_run(&map, job->argc, job->argv);
	enum run_outcome outcome = map.outcome;
	int signal = outcome == RUN_SIGNALLED ? conductor_signal(map.conductor) : SIGPIPE;
	map_fini(&map);
	if (outcome == RUN_SIGNALLED || outcome == RUN_READER_GONE)
		return map_die(signal, job->origin);
	return status;
}

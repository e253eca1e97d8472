/* cmd_stage.c: see cmd_stage.h. */
#include "cmd_stage.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "pool/dry.h"
#include "pool/pool.h"
#include "record/runfile_source.h"
#include "run/run.h"
#include "sink/failures.h"
#include "sink/output.h"

/* More workers may come later (-j FILE, USR1), up to so many at least. */
#define STAGE_WORKERS_SPARE 256

/* Says so when the system gives fewer workers than were asked for. */
static void
stage_say_limit(const struct stage *stage, size_t limit)
{
	const struct spec_jobs *jobs = &stage->spec->jobs;
	if (jobs->kind == SPEC_JOBS_COUNT && jobs->value > (double)limit)
		diag_say(&stage->shared->diag,
			 "only %zu of %.0f workers: the limit of open files "
			 "(ulimit -n) "
			 "allows no more",
			 stage->worker_count, jobs->value);
}

/* Each line of the text is a message. Takes it apart. */
static void
stage_say_lines(const struct stage *stage, struct buf *text)
{
	const struct diag *diag = &stage->shared->diag;
	const char *name = stage->spec->stage;
	if (text->length == 0)
		return;
	if (buf_str(text) == NULL) {
		diag_say(diag, "out of memory");
		return;
	}
	char *rest = text->bytes;
	for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n"))
		if (*line != '\0' && name != NULL)
			diag_say(diag, "stage %s: %s", name, line);
		else if (*line != '\0')
			diag_say(diag, "%s", line);
}

bool
stage_shares_cores(const struct spec *spec, bool is_joined)
{
	if (spec->is_dry_run || spec->jobserver == SPEC_JOBSERVER_NONE)
		return false;
	return spec->jobserver != SPEC_JOBSERVER_JOIN ||
	       (is_joined && spec->executor == SPEC_SPAWN);
}

/* The make's, or one of our own. */
static int
stage_set_up_jobserver(struct stage *stage)
{
	enum spec_jobserver wanted = stage->spec->jobserver;
	enum jobserver_style style = JOBSERVER_PIPE;
	if (!stage_shares_cores(stage->spec, stage->shared->has_make))
		return 0;
	if (stage->shared->has_make) {
		stage->jobserver = &stage->shared->make;
		return 0;
	}
	if (wanted == SPEC_JOBSERVER_FIFO)
		style = JOBSERVER_FIFO;
	else if (wanted == SPEC_JOBSERVER_AUTO)
		style = jobserver_style_of_make();
	stage->jobserver = &stage->own_jobserver;
	return jobserver_serve(stage->jobserver, style, stage->worker_max);
}

int
stage_set_up_workers(struct stage *stage, size_t limit, struct err *err)
{
	stage->worker_count = topology_worker_count(
	    stage->shared->topology, &stage->spec->jobs, stage->spec->dialect, limit, err);
	if (stage->worker_count == 0)
		return -1;
	stage_say_limit(stage, limit);
	stage->worker_max = stage->worker_count;
	if (stage->worker_max < STAGE_WORKERS_SPARE)
		stage->worker_max =
		    STAGE_WORKERS_SPARE < limit ? STAGE_WORKERS_SPARE : limit;
	stage->blocks = blocks_new(stage->spec->buffer_bytes);
	return stage->blocks == NULL || stage_set_up_jobserver(stage) == -1
		   ? err_no_memory(err)
		   : 0;
}

struct records_config
stage_records_config(const struct stage *stage)
{
	return (struct records_config){
	    .spec = stage->spec,
	    .command = stage->command,
	    .names = stage->names,
	    .name_count = stage->name_count,
	    .column_count = stage->column_count,
	    .run_name = stage->run_name,
	    .argv = (char *const *)(uintptr_t)stage->shared->argv,
	    .worker_count = stage->worker_count,
	    .shares = stage->shares,
	    .cpu_count = topology_facts(stage->shared->topology)->budget_threads,
	};
}

static int
stage_set_up_shares(struct stage *stage)
{
	stage->shares = calloc(stage->worker_count, sizeof(*stage->shares));
	if (stage->shares == NULL)
		return -1;
	for (size_t i = 0; i < stage->worker_count; i++)
		stage->shares[i] = topology_share(
		    stage->shared->topology, stage->spec->bind,
		    stage->other_count + stage->worker_count, stage->place_first + i);
	return 0;
}

int
stage_set_up_records(struct stage *stage, const struct records_config *before,
		     size_t before_count, struct err *err)
{
	struct records_config config = stage_records_config(stage);
	config.before = before;
	config.before_count = before_count;
	if (records_open(&stage->records, &config, err) == -1)
		return -1;
	if (!stage->spec->is_quiet)
		stage_say_lines(stage, &stage->records.notes);
	return 0;
}

/* The source is the plan's from here on, behind what says which of its tasks are done. */
static int
stage_make_plan(struct stage *stage, struct source *source, struct err *err)
{
	for (size_t i = 0; i < stage->records.history_count; i++) {
		source = history_source_new(source, stage->records.histories[i], err);
		if (source == NULL)
			return -1;
	}
	stage->plan = plan_new(stage->spec, source, err);
	if (stage->plan == NULL)
		source_free(source);
	return stage->plan == NULL ? -1 : 0;
}

static int
stage_set_up_templates(struct stage *stage, struct err *err)
{
	stage->command = template_new(stage->spec, stage->names, stage->name_count, err);
	if (stage->command == NULL)
		return -1;
	if (stage->spec->tag == NULL)
		return 0;
	stage->tag = template_new_text(stage->spec, stage->spec->tag, stage->names,
				       stage->name_count, err);
	return stage->tag == NULL ? -1 : 0;
}

static void
stage_free_templates(struct stage *stage)
{
	template_free(stage->tag);
	template_free(stage->command);
	stage->tag = NULL;
	stage->command = NULL;
}

/* One task of a recorded run, in place of those of a record. */
static int
stage_set_up_again(struct stage *stage, struct err *err)
{
	const struct cmd_again *again = stage->shared->again;
	struct buf tasks = {0};
	if (again == NULL || again->run_file != NULL)
		return 0;
	if (runfile_source_add(&tasks, again->seq, again->arg_count, again->packed,
			       again->packed_bytes) == -1) {
		buf_fini(&tasks);
		return err_no_memory(err);
	}
	stage->records.names = again->names;
	stage->records.name_count = again->name_count;
	stage->records.column_count = again->column_count;
	stage->records.source = runfile_source_new(&tasks, err);
	buf_fini(&tasks);
	return stage->records.source == NULL ? -1 : 0;
}

/* --retry-failed: the record has the inputs, and the names of their columns. */
static int
stage_set_up_retry(struct stage *stage, struct err *err)
{
	if (stage_set_up_again(stage, err) == -1)
		return -1;
	stage->records.history_count = 0; /* its tasks are those that are not done */
	if (stage->records.name_count > 0) {
		stage_free_templates(stage);
		stage->names = stage->records.names;
		stage->name_count = stage->records.name_count;
		if (stage_set_up_templates(stage, err) == -1)
			return -1;
	}
	stage->column_count = stage->records.column_count;
	struct source *source = stage->records.source;
	stage->records.source = NULL;
	return stage_make_plan(stage, source, err);
}

static int
stage_set_up_link(struct stage *stage, struct err *err)
{
	const struct spec *job = stage->spec->job;
	struct link_config config = {
	    .from = stage->spec,
	    .to = &job->stages[stage->spec->stage_index + 1],
	    .plan = stage->plan,
	    .past = stage->records.past,
	    .blocks = stage->blocks,
	    .buffer_bytes = stage->spec->buffer_bytes / job->stage_count,
	};
	stage->link = link_new(&config, err);
	return stage->link == NULL ? -1 : 0;
}

/* From its own inputs, if it has any: else its tasks come from a record, or the stage before. */
int
stage_set_up_input(struct stage *stage, struct err *err)
{
	if (stage_set_up_shares(stage) == -1)
		return err_no_memory(err);
	if (stage->spec->resume == SPEC_RETRY_FAILED || stage->before != NULL)
		return stage_set_up_templates(stage, err);
	stage->args = args_open(stage->spec, err);
	if (stage->args == NULL)
		return -1;
	stage->names = args_names(stage->args, &stage->name_count);
	stage->column_count = args_column_count(stage->args);
	if (stage_set_up_templates(stage, err) == -1)
		return -1;
	args_set_template(stage->args, stage->command, stage->worker_count);
	return 0;
}

static int
stage_set_up_source(struct stage *stage, struct err *err)
{
	if (stage->spec->resume == SPEC_RETRY_FAILED)
		return stage_set_up_retry(stage, err);
	if (stage->before != NULL) {
		if (stage_make_plan(stage, link_source(stage->before->link), err) == -1)
			return -1;
		link_set_taker(stage->before->link, stage->plan);
		return 0;
	}
	struct source *source = args_source(stage->args);
	stage->args = NULL;
	return stage_make_plan(stage, source, err);
}

int
stage_set_up_plan(struct stage *stage, struct err *err)
{
	if (stage_set_up_source(stage, err) == -1)
		return -1;
	if (stage->before != NULL && stage->spec->halt.why == SPEC_HALT_FAIL)
		plan_share_halt(stage->plan, stage->before->plan);
	return stage->is_last ? 0 : stage_set_up_link(stage, err);
}

/* What of its output is for stdout. */
static enum output_content
stage_output_content(const struct stage *stage)
{
	if (stage->records.keeps_output)
		return OUTPUT_NONE;
	if (stage->records.has_front)
		return OUTPUT_RECORDS;
	return stage->is_last ? OUTPUT_ALL : OUTPUT_ERRORS;
}

static int
stage_set_up_output(struct stage *stage, struct sink *beside, struct err *err)
{
	struct output_config output = {
	    .is_shared = beside != NULL || stage->before != NULL,
	    .beside = beside,
	    .spec = stage->spec,
	    .blocks = stage->blocks,
	    .out_fd = STDOUT_FILENO,
	    .err_fd = stage->shared->is_mute ? STDOUT_FILENO : STDERR_FILENO,
	    .screen = show_screen(&stage->shared->show),
	    .content = stage_output_content(stage),
	    .tag = stage->tag,
	    .command = stage->command,
	    .column_count = stage->column_count,
	};
	if (stage->records.has_front && stage->spec->json != SPEC_JSON_NONE)
		return err_set(
		    err, ERR_USAGE,
		    "--json cannot be combined with --results %.200s: both would "
		    "go to stdout: name a file or a folder",
		    stage->spec->results);
	stage->output = output_new(&output, err);
	if (stage->output == NULL)
		return -1;
	stage->front = stage->output;
	if (stage->records.has_front) {
		const struct records_config config = stage_records_config(stage);
		stage->front =
		    records_open_front(&stage->records, &config, stage->output, err);
	}
	return stage->front == NULL ? -1 : 0;
}

int
stage_set_up_sinks(struct stage *stage, struct sink *beside, struct err *err)
{
	struct failures_config failures = {.command = stage->command,
					   .column_count = stage->column_count,
					   .has_overrides = stage->spec->hidden_count > 0,
					   .keeps_tails = stage->shared->tells_tails};
	if (stage_set_up_output(stage, beside, err) == -1)
		return -1;
	stage->failures = failures_new(&failures, err);
	if (stage->failures == NULL)
		return -1;
	stage->progress = (struct show_part){
	    .show = &stage->shared->show,
	    .spec = stage->spec,
	    .plan = stage->plan,
	    .command = stage->command,
	    .column_count = stage->column_count,
	    .reads_ahead =
		stage->before == NULL, /* what a stage puts out is bounded by its link */
	};
	return show_part_init(&stage->progress, err);
}

static bool
stage_is_reader_gone(void *context)
{
	const struct stage *stage = context;
	return output_is_pipe_closed(stage->output);
}

static void
stage_note(void *context, const char *bytes, size_t length)
{
	const struct stage *stage = context;
	diag_raw(&stage->shared->diag, bytes, length);
}

/* -j FILE again; what cannot be read or understood leaves things as they are. */
static size_t
stage_read_worker_count(void *context)
{
	const struct stage *stage = context;
	return topology_worker_count(stage->shared->topology, &stage->spec->jobs,
				     stage->spec->dialect, stage->worker_max, NULL);
}

static int
stage_make_run(struct stage *stage, struct err *err)
{
	struct run_config config = {
	    .spec = stage->spec,
	    .cgroups = topology_cgroups(stage->shared->topology),
	    .loop = stage->shared->loop,
	    .plan = stage->plan,
	    .sinks = {stage->front, stage->failures},
	    .sink_count = 2,
	    .jobserver = stage->jobserver,
	    .reader_fd = output_watch_fd(stage->output),
	    .context = stage,
	    .is_reader_gone = stage_is_reader_gone,
	    .note = stage_note,
	    .worker_count =
		stage->spec->jobs.kind == SPEC_JOBS_FILE ? stage_read_worker_count : NULL,
	};
	if (stage->progress.progress != NULL)
		config.sinks[config.sink_count++] = stage->progress.progress;
	if (stage->link != NULL)
		config.sinks[config.sink_count++] = link_sink(stage->link);
	for (size_t i = 0; i < stage->records.sink_count; i++)
		config.sinks[config.sink_count++] = stage->records.sinks[i];
	if (stage->shared->watcher != NULL)
		config.sinks[config.sink_count++] = stage->shared->watcher;
	stage->run = run_new(&config, err);
	if (stage->run == NULL)
		return -1;
	return conductor_add(stage->shared->conductor, stage->run) == -1
		   ? err_no_memory(err)
		   : 0;
}

/* GNU parallel's rule: with -a FILE the first task has our stdin, which is not the input then. */
static int
stage_first_stdin(const struct stage *stage)
{
	const struct spec *spec = stage->spec;
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
stage_make_backend(struct stage *stage, struct err *err)
{
	struct backend_client client = run_client(stage->run);
	struct dry_config dry = {
	    .client = client,
	    .template = stage->command,
	    .column_count = stage->column_count,
	    .worker_count = stage->worker_count,
	};
	if (stage->spec->is_dry_run)
		return dry_new(&dry, err);
	stage->first_stdin_fd = stage_first_stdin(stage);
	struct pool_config pool = {
	    .spec = stage->spec,
	    .template = stage->command,
	    .topology = stage->shared->topology,
	    .origin = stage->shared->origin,
	    .run_name = stage->run_name,
	    .family = &stage->shared->family,
	    .loop = stage->shared->loop,
	    .jobserver = stage->jobserver,
	    .blocks = stage->blocks,
	    .client = client,
	    .column_count = stage->column_count,
	    .worker_count = stage->worker_count,
	    .worker_max = stage->worker_max,
	    .place_first = stage->place_first,
	    .other_count = stage->other_count,
	    .first_stdin_fd = stage->first_stdin_fd,
	    .argv = stage->shared->argv,
	    .names = stage->names,
	    .name_count = stage->name_count,
	};
	return pool_new(&pool, err);
}

int
stage_set_up_run(struct stage *stage, struct err *err)
{
	if (stage_make_run(stage, err) == -1)
		return -1;
	stage->backend = stage_make_backend(stage, err);
	if (stage->backend == NULL)
		return -1;
	run_set_backend(stage->run, stage->backend);
	return stage->progress.progress == NULL
		   ? 0
		   : show_part_start(&stage->progress, pool_board(stage->backend),
				     stage->backend, err);
}

/* --- made and ended --- */

void
stage_init(struct stage *stage, struct stage_shared *shared, const struct spec *spec)
{
	*stage = (struct stage){
	    .shared = shared,
	    .spec = spec,
	    .is_last = true,
	    .own_jobserver.client_fd = -1,
	    .first_stdin_fd = -1,
	};
	if (spec->stage_index == 0)
		snprintf(stage->run_name, sizeof(stage->run_name), "%s", shared->run_name);
	else
		snprintf(stage->run_name, sizeof(stage->run_name), "%s-%zu",
			 shared->run_name, spec->stage_index + 1);
}

void
stage_stop(struct stage *stage)
{
	if (stage->backend != NULL)
		stage->backend->ops->free(stage->backend);
	run_free(stage->run); /* which gives tokens back */
	jobserver_close(&stage->own_jobserver);
	plan_free(stage->plan);
}

void
stage_fini(struct stage *stage)
{
	link_free(stage->link);
	sink_free(stage->output);
	sink_free(stage->failures);
	show_part_fini(&stage->progress);
	blocks_free(stage->blocks); /* which the link and the output kept some of */
	records_close(&stage->records);
	if (stage->args != NULL)
		args_close(stage->args);
	stage_free_templates(stage);
	free(stage->shares);
	io_close(stage->first_stdin_fd);
}

/* Lines of its output that the next stage could not take. */
static int
stage_append_refused(const struct stage *stage, struct buf *text)
{
	const struct err *first;
	uint64_t count = stage->link == NULL ? 0 : link_refused(stage->link, &first);
	if (count == 0)
		return 0;
	return buf_printf(text,
			  count == 1 ? "%" PRIu64 " line of output makes no task: %s\n"
				     : "%" PRIu64 " lines of output make no tasks: %s\n",
			  count, first->text);
}

void
stage_print_summary(const struct stage *stage)
{
	struct buf text = {0};
	struct err err = {0};
	if (failures_summary(stage->failures, &text, &err) == -1)
		diag_err(&stage->shared->diag, &err);
	else if (stage_append_refused(stage, &text) == -1 ||
		 (plan_has_unread_input(stage->plan) &&
		  buf_append_str(&text, "the rest of the input was not read\n") == -1))
		diag_say(&stage->shared->diag, "out of memory");
	else
		stage_say_lines(stage, &text);
	buf_fini(&text);
}

bool
stage_has_failures(const struct stage *stage)
{
	struct failures_counts counts;
	const struct err *first;
	failures_get_counts(stage->failures, &counts);
	return counts.failed + counts.cancelled + counts.skipped > 0 ||
	       plan_has_unread_input(stage->plan) ||
	       (stage->link != NULL && link_refused(stage->link, &first) > 0);
}

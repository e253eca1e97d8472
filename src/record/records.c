/* records.c: see records.h. */
#include "record/records.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "record/apart.h"
#include "record/joblog.h"
#include "record/relog.h"
#include "record/results.h"
#include "record/results_front.h"
#include "record/results_history.h"
#include "record/runfile.h"
#include "record/uptodate.h"

/* Those that are not NULL. */
static void
records_add(struct records *records, struct sink *sink, struct history *history)
{
	if (sink != NULL)
		records->sinks[records->sink_count++] = sink;
	if (history != NULL)
		records->histories[records->history_count++] = history;
}

static int
records_open_joblog(struct records *records, const struct records_config *config,
		    struct err *err)
{
	const struct joblog_config joblog = {
	    .spec = config->spec,
	    .command = config->command,
	    .column_count = config->column_count,
	};
	if (config->spec->joblog == NULL)
		return 0;
	records->joblog = joblog_open(&joblog, err);
	if (records->joblog == NULL)
		return -1;
	records_add(records, joblog_sink(records->joblog), joblog_history(records->joblog));
	if (joblog_append_notes(records->joblog, &records->notes) == -1)
		return err_no_memory(err);
	if (config->spec->resume != SPEC_RETRY_FAILED)
		return 0;
	records->source = joblog_source_new(records->joblog, err);
	return records->source == NULL ? -1 : 0;
}

/* A history, or one in its place that tells the joblog, too; NULL and err, and it has its end. */
static struct history *
records_tell_joblog(const struct records *records, const struct spec *spec,
		    struct history *past, struct runfile *runfile, struct err *err)
{
	if (past == NULL || records->joblog == NULL || spec->is_dry_run ||
	    spec->resume == SPEC_RESUME_NOTHING)
		return past;
	return relog_new(past, runfile, records->joblog, err);
}

static int
records_open_outputs(struct records *records, const struct records_config *config,
		     struct err *err)
{
	if (config->spec->output_count == 0)
		return 0;
	struct sink *sink = uptodate_sink_new(config, err);
	if (sink == NULL)
		return -1;
	records_add(records, sink, NULL);
	/* What the next stage would get of a task that is not run, nobody knows. */
	if (spec_feeds_stage(config->spec))
		return 0;
	struct history *history = uptodate_history_new(config, err);
	history = records_tell_joblog(records, config->spec, history, NULL, err);
	records_add(records, NULL, history);
	return history == NULL ? -1 : 0;
}

static struct results_config
records_results(const struct records_config *config, struct sink *output)
{
	return (struct results_config){
	    .spec = config->spec,
	    .command = config->command,
	    .names = config->names,
	    .name_count = config->name_count,
	    .column_count = config->column_count,
	    .output = output,
	};
}

/* A joblog or a run file knows more of what was done before than a folder does. */
static int
records_open_past_results(struct records *records, const struct results_config *results,
			  struct err *err)
{
	const struct spec *spec = results->spec;
	if (spec->resume == SPEC_RESUME_NOTHING || spec->joblog != NULL ||
	    spec->run_file != NULL)
		return 0;
	if (!results_is_folder(spec))
		return err_set(err, ERR_USAGE,
			       "--results %.200s does not say what was done before: add "
			       "--joblog FILE",
			       spec->results);
	if (spec->resume != SPEC_RESUME_REST)
		return err_set(err, ERR_USAGE,
			       "--results %.200s does not say which tasks failed: add "
			       "--joblog FILE, or give --resume",
			       spec->results);
	struct history *history = results_history_new(results, err);
	if (history == NULL)
		return -1;
	records_add(records, NULL, history);
	return 0;
}

static int
records_open_results(struct records *records, const struct records_config *config,
		     struct err *err)
{
	const struct spec *spec = config->spec;
	struct results_config results = records_results(config, NULL);
	if (spec->results == NULL)
		return 0;
	if (records->names != NULL) {
		results.names = records->names;
		results.name_count = records->name_count;
	}
	if (spec->resume == SPEC_RETRY_FAILED && spec->joblog != NULL &&
	    results_is_folder(spec))
		return err_set(err, ERR_USAGE,
			       "--retry-failed has no values to name the files of "
			       "--results %.200s by: give --resume-failed",
			       spec->results);
	if (records_open_past_results(records, &results, err) == -1)
		return -1;
	if (spec->is_dry_run)
		return 0;
	records->has_front = results_is_on_stdout(spec);
	if (records->has_front)
		return 0;
	records->keeps_output = spec->output_mode != SPEC_OUTPUT_LINE;
	struct sink *sink = results_new(&results, err);
	if (sink == NULL)
		return -1;
	records_add(records, sink, NULL);
	return 0;
}

/* --dry-run makes none, and looks into one only to resume it. */
static bool
records_needs_runfile(const struct spec *spec)
{
	struct stat st;
	if (spec->run_file == NULL || !spec->is_dry_run)
		return spec->run_file != NULL;
	if (spec->resume == SPEC_RETRY_FAILED)
		return true;
	return spec->resume != SPEC_RESUME_NOTHING &&
	       !(lstat(spec->run_file, &st) == -1 ? errno == ENOENT : st.st_size == 0);
}

static int
records_open_runfile(struct records *records, const struct records_config *config,
		     struct err *err)
{
	if (!records_needs_runfile(config->spec))
		return 0;
	records->runfile = runfile_open(config, err);
	if (records->runfile == NULL)
		return -1;
	if (!runfile_has_source(config->spec))
		return 0;
	records->names =
	    runfile_names(records->runfile, &records->name_count, &records->column_count);
	records->source = runfile_source(records->runfile, err);
	return records->source == NULL ? -1 : 0;
}

/*
 * The first to be asked of what was done before: it knows how many of equal tasks are done, and so
 * has to hear of each.
 */
static int
records_add_past(struct records *records, const struct records_config *config,
		 struct err *err)
{
	struct history *past =
	    records->runfile == NULL
		? NULL
		: runfile_history(records->runfile, config->before_count);
	if (past == NULL)
		return 0;
	past = records_tell_joblog(records, config->spec, past, records->runfile, err);
	if (past == NULL)
		return -1;
	memmove(records->histories + 1, records->histories,
		records->history_count * sizeof(struct history *));
	records->histories[0] = past;
	records->history_count++;
	return 0;
}

int
records_open(struct records *records, const struct records_config *config, struct err *err)
{
	*records = (struct records){0};
	if (!config->spec->is_dry_run && apart_check(config, err) == -1)
		return -1;
	/*
	 * In this order they hear of an end, and write it down: what says that a task is done
	 * behind what it says is done, the joblog behind the run file, from which it can learn.
	 */
	if (records_open_runfile(records, config, err) == -1 ||
	    records_open_results(records, config, err) == -1)
		return -1;
	if (records->runfile != NULL)
		records_add(records, runfile_sink(records->runfile, config->before_count),
			    NULL);
	if (records_open_joblog(records, config, err) == -1 ||
	    records_open_outputs(records, config, err) == -1)
		return -1;
	return records_add_past(records, config, err);
}

void
records_share(struct records *records, const struct records *last, size_t index)
{
	if (last->runfile == NULL)
		return;
	records->past = runfile_history(last->runfile, index);
	records_add(records, runfile_sink(last->runfile, index), records->past);
}

struct sink *
records_open_front(struct records *records, const struct records_config *config,
		   struct sink *output, struct err *err)
{
	const struct results_config results = records_results(config, output);
	records->front = results_front_new(&results, err);
	return records->front;
}

int
records_finish(struct records *records, enum records_outcome outcome, int exit_status,
	       struct err *err)
{
	if (records->runfile == NULL)
		return 0;
	return runfile_finish(records->runfile, outcome, exit_status, err);
}

void
records_close(struct records *records)
{
	for (size_t i = 0; i < records->sink_count; i++)
		sink_free(records->sinks[i]);
	for (size_t i = 0; i < records->history_count; i++)
		history_free(records->histories[i]);
	sink_free(records->front);
	source_free(records->source);
	joblog_close(records->joblog);
	runfile_free(records->runfile);
	buf_fini(&records->notes);
	*records = (struct records){0};
}

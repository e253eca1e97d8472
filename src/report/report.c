/* report.c: see report.h. */
#include "report/report.h"

#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/quote.h"
#include "report/quantity.h"

static bool
is_stopped(const struct report_config *config)
{
	sigset_t pending;
	if (config->stops == NULL || sigpending(&pending) == -1)
		return false;
	sigandset(&pending, &pending, config->stops);
	return !sigisemptyset(&pending);
}

static int
tell_all(const struct report_config *config, struct report_writer **writers, size_t count,
	 const struct runfile_ended *task, struct err *err)
{
	if (is_stopped(config))
		return err_set(err, ERR_SYSTEM, "stopped by a signal");
	for (size_t i = 0; i < count; i++)
		if (writers[i]->task(writers[i], task, err) == -1 ||
		    report_out_push(writers[i]->out, err) == -1)
			return -1;
	return 0;
}

int
report_run(const struct report_config *config, struct report_writer **writers,
	   size_t count, struct err *err)
{
	struct runfile_ended task;
	int status;
	while ((status = runfile_tasks_next(config->tasks, &task, err)) == 1)
		if (tell_all(config, writers, count, &task, err) == -1)
			return -1;
	for (size_t i = 0; i < count && status == 0; i++)
		status = writers[i]->end(writers[i], err);
	return status;
}

struct usage_span
report_span(const struct runfile_overview *run)
{
	struct usage_span span = {.start_ns = run->started_real_ns,
				  .end_ns = run->ended_real_ns};
	if (run->is_live)
		span.end_ns = clock_real_ns();
	if (run->ran_count > 0 && run->first_real_ns < span.start_ns)
		span.start_ns = run->first_real_ns; /* the clock was set meanwhile */
	if (run->last_real_ns > span.end_ns)
		span.end_ns = run->last_real_ns;
	if (span.end_ns <= span.start_ns)
		span.end_ns = span.start_ns + 1;
	return span;
}

struct usage_span
report_task_span(const struct runfile_ended *task)
{
	return (struct usage_span){.start_ns = task->result.started_real_ns,
				   .end_ns = task->result.started_real_ns +
					     task->result.wall_ns};
}

bool
report_is_failure(const struct runfile_ended *task)
{
	return !result_is_success(&task->result) &&
	       task->result.reason != RESULT_CANCELLED &&
	       task->result.reason != RESULT_SKIPPED;
}

int
report_append_replay(struct buf *text, const struct report_config *config)
{
	const struct runfile_overview *run = runfile_tasks_overview(config->tasks);
	if (buf_append_str(text, "pinion replay ") == -1 ||
	    (!run->is_last && buf_printf(text, "--run %" PRId64 " ", run->id) == -1) ||
	    (config->path[0] == '-' && buf_append_str(text, "./") == -1))
		return -1;
	return quote_append(text, config->path, strlen(config->path));
}

int
report_append_task(struct buf *text, const struct runfile_ended *task)
{
	if (task->stage != NULL &&
	    (quote_append(text, task->stage, strlen(task->stage)) == -1 ||
	     buf_append_char(text, ':') == -1))
		return -1;
	return buf_printf(text, "%" PRIu64, task->seq + 1);
}

int
report_append_program(struct buf *text, const struct runfile_overview *run)
{
	const struct runfile_words *command = &run->command;
	int status = buf_printf(text, "pinion %s ", run->verb);
	if (status == 0)
		status = command->count == 1 ? buf_append_str(text, command->words[0])
					     : quote_append_argv(text, command->words);
	if (status == 0 && run->stages != NULL)
		status = buf_printf(text, ": %s", run->stages);
	return status;
}

/* How it ended, where that was not by itself. */
static const char *
outcome_words(const struct runfile_overview *run)
{
	static const char *const known[][2] = {
	    {"halted", "; stopped by --halt"},
	    {"deadline", "; stopped by --deadline"},
	    {"drained", "; ended early by pinion ctl"},
	    {"signal", "; stopped by a signal"},
	    {"reader gone", "; stopped: nobody read its output any more"},
	    {"broken", "; its workers could not serve"},
	    {"failed", "; it could not be carried through"}};
	if (run->is_live)
		return "; it is still running";
	if (run->outcome == NULL)
		return "; it was killed before its end";
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strcmp(run->outcome, known[i][0]) == 0)
			return known[i][1];
	return "";
}

int
report_append_outcome(struct buf *text, const struct runfile_overview *run)
{
	char all[QUANTITY_BYTES], failed[QUANTITY_BYTES];
	uint64_t failed_count =
	    run->task_count - run->done_count - run->cancelled_count - run->skipped_count;
	const char *plural = run->task_count == 1 ? "" : "s";
	quantity_count(all, run->task_count);
	quantity_count(failed, failed_count);
	int status;
	if (failed_count > 0)
		status = buf_printf(text, "%s of %s task%s failed", failed, all, plural);
	else if (run->task_count == 0)
		status = buf_append_str(text, "no task has ended");
	else if (run->done_count == run->task_count)
		status = buf_printf(text, "all well: %s task%s", all, plural);
	else
		status = buf_printf(text, "no task failed, %s of %s were done",
				    quantity_count(failed, run->done_count), all);
	return status == -1 ? -1 : buf_append_str(text, outcome_words(run));
}

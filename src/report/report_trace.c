/*
 * report_trace.c: pinion report --trace: Chrome's trace events, which Perfetto reads.
 *
 * A track for each slot, on which its tasks stand side by side. Where a slot may have several
 * under way (feed with --inflight), they are asynchronous events, which get tracks of their own.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "base/json_text.h"
#include "report/report.h"
#include "report/report_words.h"
#include "report/shown.h"
#include "task/result_json.h"

#define LABEL_COLUMNS 400

struct trace_writer {
	struct report_writer base;
	int64_t start_ns;
	bool is_async;
	struct buf line;  /* scratch */
	struct buf shown; /* scratch */
};

/* "key":"what is shown of it" */
static int
put_text(struct trace_writer *self, const char *key, const char *bytes, size_t length)
{
	static const struct shown_style style = {.max_columns = LABEL_COLUMNS};
	struct buf *text = &self->base.out->text;
	buf_clear(&self->shown);
	if (shown_append(&self->shown, bytes, length, &style) == -1 ||
	    buf_printf(text, "\"%s\":", key) == -1)
		return -1;
	return json_text_append(text, self->shown.bytes, self->shown.length);
}

/* "key":microseconds */
static int
put_us(struct buf *text, const char *key, int64_t ns)
{
	int64_t us = ns / 1000;
	return buf_printf(text, "\"%s\":%" PRId64 ".%03d", key, us,
			  (int)(ns - us * 1000 < 0 ? 0 : ns - us * 1000));
}

/* The start of an event of this task, up to its details. */
static int
put_event(struct trace_writer *self, const char *phase, const struct runfile_ended *task,
	  int64_t at_ns)
{
	struct buf *text = &self->base.out->text;
	if (buf_printf(text, ",\n{\"ph\":\"%s\",\"pid\":1,\"tid\":%" PRIu32 ",", phase,
		       task->lane) == -1 ||
	    put_us(text, "ts", at_ns - self->start_ns) == -1 ||
	    (self->is_async && buf_printf(text, ",\"id\":%" PRIu64, task->seq + 1) == -1) ||
	    buf_printf(text, ",\"cat\":\"%s\",", result_json_status(&task->result)) == -1)
		return -1;
	return put_text(self, "name", self->line.bytes, self->line.length);
}

static int
put_details(struct trace_writer *self, const struct runfile_ended *task)
{
	const struct result *result = &task->result;
	struct buf *text = &self->base.out->text;
	char end[256];
	result_describe(result, end, sizeof(end));
	if (buf_printf(text, ",\"args\":{\"task\":%" PRIu64 ",\"attempts\":%" PRIu32 ",",
		       task->seq + 1, task->attempts) == -1 ||
	    (task->stage != NULL &&
	     (put_text(self, "stage", task->stage, strlen(task->stage)) == -1 ||
	      buf_append_char(text, ',') == -1)) ||
	    put_text(self, "end", end, strlen(end)) == -1)
		return -1;
	if (task->is_measured &&
	    (buf_append_char(text, ',') == -1 ||
	     put_us(text, "cpu_us", result->user_ns + result->sys_ns) == -1 ||
	     buf_printf(text, ",\"maxrss_bytes\":%" PRId64, result->maxrss_bytes) == -1))
		return -1;
	return buf_append_char(text, '}');
}

static int
put_task(struct trace_writer *self, const struct runfile_ended *task)
{
	const struct result *result = &task->result;
	struct buf *text = &self->base.out->text;
	if (put_event(self, self->is_async ? "b" : "X", task, result->started_real_ns) ==
		-1 ||
	    put_details(self, task) == -1)
		return -1;
	if (self->is_async) {
		if (buf_append_char(text, '}') == -1 ||
		    put_event(self, "e", task,
			      result->started_real_ns + result->wall_ns) == -1)
			return -1;
	} else if (buf_append_char(text, ',') == -1 ||
		   put_us(text, "dur", result->wall_ns) == -1 ||
		   (report_is_failure(task) &&
		    buf_append_str(text, ",\"cname\":\"terrible\"") == -1)) {
		return -1;
	}
	return buf_append_char(text, '}');
}

static int
trace_task(struct report_writer *writer, const struct runfile_ended *task, struct err *err)
{
	struct trace_writer *self = (struct trace_writer *)writer;
	if (!task->has_run)
		return 0;
	if (report_label(writer->config, &self->line, err) == -1)
		return -1;
	return put_task(self, task) == -1 ? err_no_memory(err) : 0;
}

static int
trace_end(struct report_writer *writer, struct err *err)
{
	return buf_append_str(&writer->out->text, "\n]}\n") == -1 ? err_no_memory(err) : 0;
}

static void
trace_free(struct report_writer *writer)
{
	struct trace_writer *self = (struct trace_writer *)writer;
	buf_fini(&self->line);
	buf_fini(&self->shown);
	free(self);
}

/* The names of the process and of its tracks. */
static int
put_head(struct trace_writer *self, const struct runfile_overview *run)
{
	struct buf *text = &self->base.out->text;
	const char *path = self->base.config->path;
	if (buf_append_str(text, "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n"
				 "{\"ph\":\"M\",\"pid\":1,\"name\":\"process_name\","
				 "\"args\":{") == -1 ||
	    put_text(self, "name", path, strlen(path)) == -1 ||
	    buf_append_str(text, "}}") == -1)
		return -1;
	for (uint32_t slot = 1; slot <= run->slot_count; slot++)
		if (buf_printf(text,
			       ",\n{\"ph\":\"M\",\"pid\":1,\"tid\":%" PRIu32
			       ",\"name\":\"thread_name\",\"args\":{\"name\":\"worker "
			       "%" PRIu32 "\"}}",
			       slot, slot) == -1)
			return -1;
	return 0;
}

struct report_writer *
report_trace_new(const struct report_config *config, struct report_out *out, struct err *err)
{
	const struct runfile_overview *run = runfile_tasks_overview(config->tasks);
	struct trace_writer *self = calloc(1, sizeof(*self));
	if (self == NULL) {
		err_no_memory(err);
		return NULL;
	}
	self->base = (struct report_writer){.out = out,
					    .config = config,
					    .task = trace_task,
					    .end = trace_end,
					    .free = trace_free};
	self->start_ns = report_span(run).start_ns;
	self->is_async = strcmp(run->verb, "feed") == 0;
	if (put_head(self, run) == -1) {
		trace_free(&self->base);
		err_no_memory(err);
		return NULL;
	}
	return &self->base;
}

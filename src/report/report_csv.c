/*
 * report_csv.c: pinion report --csv: a row for each task (RFC 4180, lines end with a newline
 * alone). What is not known is empty. Bytes are as they were.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/decimal.h"
#include "report/report.h"
#include "report/report_words.h"
#include "task/result_json.h"

struct csv_writer {
	struct report_writer base;
	struct buf line; /* scratch */
};

static const char header[] =
    "status,exit,signal,error,attempts,worker,slot,cpu,pid,start_s,wall_s,user_s,"
    "sys_s,maxrss_bytes,stdout_bytes,stderr_bytes,args,command\n";

/* Cells have their comma in front. */
static int
put_cell(struct buf *text, const char *bytes, size_t length)
{
	bool needs_quotes = false;
	for (size_t i = 0; i < length; i++)
		needs_quotes |= memchr(",\"\r\n", bytes[i], 4) != NULL;
	if (buf_append_str(text, needs_quotes ? ",\"" : ",") == -1 ||
	    buf_reserve(text, 2 * length + 1) == -1)
		return -1;
	for (size_t i = 0; i < length; i++) {
		if (bytes[i] == '"')
			text->bytes[text->length++] = '"';
		text->bytes[text->length++] = bytes[i];
	}
	return needs_quotes ? buf_append_char(text, '"') : 0;
}

static int
put_number(struct buf *text, bool is_known, int64_t number)
{
	return is_known ? buf_printf(text, ",%" PRId64, number)
			: buf_append_char(text, ',');
}

static int
put_seconds(struct buf *text, bool is_known, int64_t ns, int digits)
{
	char seconds[DECIMAL_MAX_BYTES];
	if (buf_append_char(text, ',') == -1 || !is_known)
		return is_known ? -1 : 0;
	char *end = decimal_put_seconds(seconds, ns, digits);
	return buf_append(text, seconds, (size_t)(end - seconds));
}

static int
put_end(struct buf *text, const struct runfile_ended *task)
{
	const struct result *result = &task->result;
	const char *status = result_json_status(result);
	char error[256] = "";
	bool has_exit = result->reason == RESULT_EXIT || result->exit_status != 0;
	if (!result_is_success(result))
		result_describe(result, error, sizeof(error));
	if (put_cell(text, status, strlen(status)) == -1 ||
	    put_number(text, has_exit, result->exit_status) == -1 ||
	    put_number(text, result->signal != 0, result->signal) == -1)
		return -1;
	return put_cell(text, error, strlen(error));
}

static int
put_numbers(struct buf *text, const struct runfile_ended *task)
{
	const struct result *result = &task->result;
	bool has_run = task->has_run, is_measured = task->is_measured;
	if (put_number(text, true, task->attempts) == -1 ||
	    put_number(text, has_run, result->worker) == -1 ||
	    put_number(text, has_run, result->slot) == -1 ||
	    put_number(text, result->cpu >= 0, result->cpu) == -1 ||
	    put_number(text, result->pid != 0, result->pid) == -1 ||
	    put_seconds(text, has_run, result->started_real_ns, 6) == -1 ||
	    put_seconds(text, has_run, result->wall_ns, 9) == -1 ||
	    put_seconds(text, is_measured, result->user_ns, 6) == -1 ||
	    put_seconds(text, is_measured, result->sys_ns, 6) == -1 ||
	    put_number(text, is_measured, result->maxrss_bytes) == -1 ||
	    put_number(text, true, (int64_t)result->stdout_bytes) == -1)
		return -1;
	return put_number(text, true, (int64_t)result->stderr_bytes);
}

static int
csv_task(struct report_writer *writer, const struct runfile_ended *task, struct err *err)
{
	struct csv_writer *self = (struct csv_writer *)writer;
	struct buf *text = &writer->out->text;
	if (buf_printf(text, "%" PRIu64, task->seq + 1) == -1 ||
	    (task->stage != NULL && put_cell(text, task->stage, strlen(task->stage)) == -1) ||
	    put_end(text, task) == -1 || put_numbers(text, task) == -1)
		return err_no_memory(err);
	if (report_label(writer->config, &self->line, err) == -1)
		return -1;
	if (put_cell(text, self->line.bytes, self->line.length) == -1)
		return err_no_memory(err);
	if (report_command(writer->config, &self->line, err) == -1)
		return -1;
	if (put_cell(text, self->line.bytes, self->line.length) == -1 ||
	    buf_append_char(text, '\n') == -1)
		return err_no_memory(err);
	return 0;
}

static int
csv_end(struct report_writer *writer, struct err *err)
{
	(void)writer;
	(void)err;
	return 0;
}

static void
csv_free(struct report_writer *writer)
{
	struct csv_writer *self = (struct csv_writer *)writer;
	buf_fini(&self->line);
	free(self);
}

struct report_writer *
report_csv_new(const struct report_config *config, struct report_out *out, struct err *err)
{
	bool has_stages = runfile_tasks_overview(config->tasks)->stages != NULL;
	struct csv_writer *self = calloc(1, sizeof(*self));
	if (self == NULL ||
	    buf_append_str(&out->text, has_stages ? "seq,stage," : "seq,") == -1 ||
	    buf_append_str(&out->text, header) == -1) {
		free(self);
		err_no_memory(err);
		return NULL;
	}
	self->base = (struct report_writer){
	    .out = out, .config = config, .task = csv_task, .end = csv_end, .free = csv_free};
	return &self->base;
}

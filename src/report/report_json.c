/* report_json.c: pinion report --json: the objects of --json, once more; pinion-json(5). */
#include <stdlib.h>

#include "base/json_text.h"
#include "report/report.h"
#include "report/report_words.h"
#include "task/result_json.h"

struct json_writer {
	struct report_writer base;
	struct buf command;
};

/* A stream on its way into the text. */
struct json_stream {
	struct report_out *out;
	bool is_base64;
	struct json_text_check check;
	struct json_base64 base64;
};

static int
check_piece(void *context, const char *bytes, size_t length, struct err *err)
{
	(void)err;
	json_text_check(context, bytes, length);
	return 0;
}

static int
put_piece(void *context, const char *bytes, size_t length, struct err *err)
{
	struct json_stream *stream = context;
	struct buf *text = &stream->out->text;
	int status = stream->is_base64
			 ? json_base64_append(&stream->base64, text, bytes, length)
			 : json_text_append_part(text, bytes, length);
	return status == -1 ? err_no_memory(err) : report_out_push(stream->out, err);
}

/* ,"stdout":"..." */
static int
put_stream(struct json_writer *self, enum result_stream which, const char *name,
	   struct err *err)
{
	struct runfile_tasks *tasks = self->base.config->tasks;
	struct json_stream stream = {.out = self->base.out};
	struct buf *text = &stream.out->text;
	if (runfile_tasks_output(tasks, which, check_piece, &stream.check, err) == -1)
		return -1;
	stream.is_base64 = !json_text_was_utf8(&stream.check);
	if (buf_printf(text, ",\"%s%s\":\"", name, stream.is_base64 ? "_base64" : "") == -1)
		return err_no_memory(err);
	if (runfile_tasks_output(tasks, which, put_piece, &stream, err) == -1)
		return -1;
	if ((stream.is_base64 && json_base64_end(&stream.base64, text) == -1) ||
	    buf_append_char(text, '"') == -1)
		return err_no_memory(err);
	return 0;
}

static int
json_task(struct report_writer *writer, const struct runfile_ended *task, struct err *err)
{
	struct json_writer *self = (struct json_writer *)writer;
	struct buf *text = &writer->out->text;
	struct result_json json = {.seq = task->seq,
				   .stage = task->stage,
				   .result = &task->result,
				   .attempts = task->attempts,
				   .is_measured = task->is_measured};
	if (report_command(writer->config, &self->command, err) == -1 ||
	    runfile_tasks_inputs(writer->config->tasks, &json.args, &json.arg_count,
				 err) == -1 ||
	    runfile_tasks_overrides(writer->config->tasks, &json.overrides, err) == -1)
		return -1;
	if (self->command.length > 0) {
		json.command = self->command.bytes;
		json.command_length = self->command.length;
	}
	if (buf_append_char(text, '{') == -1 || result_json_append(text, &json) == -1)
		return err_no_memory(err);
	if (put_stream(self, RESULT_STDOUT, "stdout", err) == -1 ||
	    put_stream(self, RESULT_STDERR, "stderr", err) == -1)
		return -1;
	return buf_append_str(text, "}\n") == -1 ? err_no_memory(err) : 0;
}

static int
json_end(struct report_writer *writer, struct err *err)
{
	(void)writer;
	(void)err;
	return 0;
}

static void
json_free(struct report_writer *writer)
{
	struct json_writer *self = (struct json_writer *)writer;
	buf_fini(&self->command);
	free(self);
}

struct report_writer *
report_json_new(const struct report_config *config, struct report_out *out, struct err *err)
{
	struct json_writer *self = calloc(1, sizeof(*self));
	if (self == NULL) {
		err_no_memory(err);
		return NULL;
	}
	self->base = (struct report_writer){.out = out,
					    .config = config,
					    .task = json_task,
					    .end = json_end,
					    .free = json_free};
	return &self->base;
}

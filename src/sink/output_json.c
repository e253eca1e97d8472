/*
 * output_json.c: tasks as JSON objects, one a line; see output_parts.h and pinion-json(5).
 *
 * --json: a task's bytes are held as they are until it has its end, and coded while they go
 * out: only then is known which code is right. What is known of the task goes in front.
 * --json-stream: each event is a line, which goes out at once where it is the task's turn.
 * The first bytes of a character wait for the rest of it.
 */
#include <string.h>

#include "base/clock.h"
#include "base/decimal.h"
#include "sink/output_parts.h"
#include "task/result_json.h"

#define JSON_PIECE_BYTES \
	((size_t)64 * 1024) /* of output in an event, and of lines, at once */

#define JSON_APPEND(text, literal) buf_append((text), (literal), sizeof(literal) - 1)

static bool
json_is_closed(const struct output *output)
{
	return output->out->streams[RESULT_STDOUT]->writer.is_closed;
}

/* What is in output->text, and of this task or chunk, goes out or waits for its turn. */
static int
json_pass(struct output *output, uint64_t seq, struct err *err)
{
	const struct buf *text = &output->text;
	if (output_is_turn(output, seq))
		return outlet_put(output->out->streams[RESULT_STDOUT], text->bytes,
				  text->length, err);
	struct pending *pending = pending_add(&output->table, seq);
	if (pending == NULL)
		return err_no_memory(err);
	return held_append(&output->out->spill, &pending->text, text->bytes, text->length,
			   err);
}

/* --- objects --- */

/* What is known of a task before it ends. */
static int
json_describe(struct output *output, const struct template_values *values,
	      struct result_json *json, struct err *err)
{
	const struct spec *spec = output->config.spec;
	const struct template_values visible =
	    template_values_visible(values, spec->hidden_count);
	*json = (struct result_json){
	    .seq = values->seq,
	    .stage = spec->stage,
	    .overrides = spec->hidden_count > 0 ? values->args[0] : (struct arg){"", 0},
	    .args = visible.args,
	    .arg_count = visible.arg_count,
	    .is_measured = spec->executor == SPEC_SPAWN,
	    .is_dry_run = spec->is_dry_run,
	};
	if (spec->executor != SPEC_SPAWN) /* it has no command of its own */
		return 0;
	buf_clear(&output->other);
	if (template_append_line(output->config.command, values, &output->other, err) == -1)
		return -1;
	json->command = output->other.bytes != NULL ? output->other.bytes : "";
	json->command_length = output->other.length;
	return 0;
}

static int
json_describe_end(struct output *output, const struct task *task, uint32_t attempt,
		  const struct result *result, struct result_json *json, struct err *err)
{
	struct template_values values;
	if (output_find_values(output, task, result->slot, &values, err) == -1 ||
	    json_describe(output, &values, json, err) == -1)
		return -1;
	json->result = result;
	json->attempts = json->is_dry_run ? attempt - 1 : result_attempts(result, attempt);
	return 0;
}

/* ,"stdout":" or ,"stdout_base64":" */
static int
json_append_name(struct buf *text, enum result_stream stream, bool is_text)
{
	if (stream == RESULT_STDOUT)
		return is_text ? JSON_APPEND(text, ",\"stdout\":\"")
			       : JSON_APPEND(text, ",\"stdout_base64\":\"");
	return is_text ? JSON_APPEND(text, ",\"stderr\":\"")
		       : JSON_APPEND(text, ",\"stderr_base64\":\"");
}

/* A member with all of a stream, or with a piece of it. */
static int
json_append_bytes(struct buf *text, enum result_stream stream, const char *bytes,
		  size_t length)
{
	struct json_base64 base64 = {{0}, 0};
	bool is_text = json_text_is_utf8(bytes, length);
	if (json_append_name(text, stream, is_text) == -1)
		return -1;
	if (is_text) {
		if (json_text_append_part(text, bytes, length) == -1)
			return -1;
	} else if (json_base64_append(&base64, text, bytes, length) == -1 ||
		   json_base64_end(&base64, text) == -1) {
		return -1;
	}
	return buf_append_char(text, '"');
}

/* Where the task has printed something, release adds that and the end of the object. */
static int
json_append_object(struct buf *text, const struct result_json *json, bool has_output)
{
	if (buf_append_char(text, '{') == -1 || result_json_append(text, json) == -1)
		return -1;
	return has_output ? 0 : JSON_APPEND(text, ",\"stdout\":\"\",\"stderr\":\"\"}\n");
}

static int
json_started(struct sink *sink, const struct task *task, uint32_t slot, struct err *err)
{
	return output_trace(output_of(sink), task, slot, err);
}

static int
json_output(struct sink *sink, const struct task *task, enum result_stream stream,
	    const char *bytes, size_t length, struct err *err)
{
	struct output *output = output_of(sink);
	if (length == 0 || json_is_closed(output) || output->config.spec->is_dry_run)
		return 0;
	struct pending *pending = pending_add(&output->table, task->seq);
	if (pending == NULL)
		return err_no_memory(err);
	json_text_check(&pending->utf8[stream], bytes, length);
	return held_append(&output->out->spill, &pending->held[stream], bytes, length, err);
}

static bool
json_has_output(const struct pending *pending)
{
	return pending != NULL && (pending->held[RESULT_STDOUT] != NULL ||
				   pending->held[RESULT_STDERR] != NULL);
}

static int
json_settled(struct output *output, const struct task *task, const struct result *result,
	     struct err *err)
{
	struct result_json json;
	bool has_output = json_has_output(pending_find(&output->table, task->seq));
	if (json_is_closed(output))
		return 0;
	if (json_describe_end(output, task, task->attempt, result, &json, err) == -1)
		return -1;
	buf_clear(&output->text);
	if (json_append_object(&output->text, &json, has_output) == -1)
		return err_no_memory(err);
	return json_pass(output, task->seq, err);
}

static int
json_release_stream(struct output *output, struct pending *pending,
		    enum result_stream stream, struct err *err)
{
	struct outlet *outlet = output->out->streams[RESULT_STDOUT];
	bool is_text = json_text_was_utf8(&pending->utf8[stream]);
	buf_clear(&output->text);
	if (json_append_name(&output->text, stream, is_text) == -1)
		return err_no_memory(err);
	if (outlet_put(outlet, output->text.bytes, output->text.length, err) == -1 ||
	    outlet_put_coded(outlet, &pending->held[stream],
			     is_text ? OUTLET_JSON : OUTLET_BASE64, err) == -1)
		return -1;
	return outlet_put(outlet, "\"", 1, err);
}

static int
json_release(struct output *output, struct pending *pending, struct err *err)
{
	struct outlet *outlet = output->out->streams[RESULT_STDOUT];
	if (outlet_put_held(outlet, &pending->text, err) == -1)
		return -1;
	if (!json_has_output(pending))
		return 0;
	if (json_release_stream(output, pending, RESULT_STDOUT, err) == -1 ||
	    json_release_stream(output, pending, RESULT_STDERR, err) == -1)
		return -1;
	return outlet_put(outlet, "}\n", 2, err);
}

/* --- events --- */

static int
json_append_number(struct buf *text, const char *name, uint64_t number)
{
	if (buf_append_str(text, name) == -1 || buf_reserve(text, DECIMAL_MAX_BYTES) == -1)
		return -1;
	text->length =
	    (size_t)(decimal_put(text->bytes + text->length, number) - text->bytes);
	return 0;
}

static int
json_append_time(struct buf *text, int64_t real_ns)
{
	if (JSON_APPEND(text, ",\"time_s\":") == -1 ||
	    buf_reserve(text, DECIMAL_MAX_BYTES) == -1)
		return -1;
	char *end = decimal_put_seconds(text->bytes + text->length, real_ns, 6);
	text->length = (size_t)(end - text->bytes);
	return 0;
}

static int
json_append_start(struct buf *text, const struct result_json *json, uint32_t attempt,
		  uint32_t slot, int64_t real_ns)
{
	if (JSON_APPEND(text, "{\"event\":\"started\",") == -1 ||
	    result_json_append_task(text, json) == -1 ||
	    json_append_number(text, ",\"attempt\":", attempt) == -1 ||
	    json_append_number(text, ",\"slot\":", slot) == -1 ||
	    json_append_time(text, real_ns) == -1)
		return -1;
	return JSON_APPEND(text, "}\n");
}

static int
json_append_piece(struct buf *text, const char *stage, uint64_t seq, uint32_t attempt,
		  int64_t real_ns, enum result_stream stream, const char *bytes,
		  size_t length)
{
	if (json_append_number(text, "{\"event\":\"output\",\"seq\":", seq + 1) == -1 ||
	    result_json_append_stage(text, stage) == -1 ||
	    json_append_number(text, ",\"attempt\":", attempt) == -1 ||
	    json_append_time(text, real_ns) == -1 ||
	    json_append_bytes(text, stream, bytes, length) == -1)
		return -1;
	return JSON_APPEND(text, "}\n");
}

/* `event` is "retried" or "finished". */
static int
json_append_end(struct buf *text, const char *event, const struct result_json *json)
{
	if (JSON_APPEND(text, "{\"event\":\"") == -1 || buf_append_str(text, event) == -1 ||
	    JSON_APPEND(text, "\",") == -1 || result_json_append(text, json) == -1)
		return -1;
	return JSON_APPEND(text, "}\n");
}

static int
json_event_started(struct sink *sink, const struct task *task, uint32_t slot,
		   struct err *err)
{
	struct output *output = output_of(sink);
	struct template_values values;
	struct result_json json;
	if (output_trace(output, task, slot, err) == -1)
		return -1;
	if (json_is_closed(output) || output->config.spec->is_dry_run)
		return 0;
	if (output_find_values(output, task, slot, &values, err) == -1 ||
	    json_describe(output, &values, &json, err) == -1)
		return -1;
	buf_clear(&output->text);
	if (json_append_start(&output->text, &json, task->attempt, slot,
			      clock_real_ns()) == -1)
		return err_no_memory(err);
	return json_pass(output, task->seq, err);
}

/* The first bytes of a character, from the end of what is in output->other, wait. */
static int
json_keep_cut(struct output *output, uint64_t seq, enum result_stream stream, size_t cut,
	      struct err *err)
{
	struct pending *pending = pending_add(&output->table, seq);
	if (pending == NULL)
		return err_no_memory(err);
	struct json_text_check *check = &pending->utf8[stream];
	output->other.length -= cut;
	memcpy(check->rest, output->other.bytes + output->other.length, cut);
	check->rest_length = (unsigned char)cut;
	return 0;
}

/* Into output->other: what waited of the stream, which does so no longer. */
static int
json_take_cut(struct output *output, uint64_t seq, enum result_stream stream,
	      struct err *err)
{
	struct pending *pending = pending_find(&output->table, seq);
	buf_clear(&output->other);
	if (pending == NULL)
		return 0;
	struct json_text_check *check = &pending->utf8[stream];
	size_t length = check->rest_length;
	check->rest_length = 0;
	return buf_append(&output->other, check->rest, length) == -1 ? err_no_memory(err)
								     : 0;
}

/* An event with what is in output->other, unless that is nothing. */
static int
json_pass_piece(struct output *output, uint64_t seq, uint32_t attempt,
		enum result_stream stream, struct err *err)
{
	const struct buf *bytes = &output->other;
	if (bytes->length == 0)
		return 0;
	buf_clear(&output->text);
	if (json_append_piece(&output->text, output->config.spec->stage, seq, attempt,
			      clock_real_ns(), stream, bytes->bytes, bytes->length) == -1)
		return err_no_memory(err);
	return json_pass(output, seq, err);
}

static int
json_event_piece(struct output *output, const struct task *task, enum result_stream stream,
		 const char *bytes, size_t length, struct err *err)
{
	struct buf *piece = &output->other;
	if (json_take_cut(output, task->seq, stream, err) == -1)
		return -1;
	if (buf_append(piece, bytes, length) == -1)
		return err_no_memory(err);
	size_t cut = json_text_cut_length(piece->bytes, piece->length);
	if (cut > 0 && json_text_is_utf8(piece->bytes, piece->length - cut) &&
	    json_keep_cut(output, task->seq, stream, cut, err) == -1)
		return -1;
	return json_pass_piece(output, task->seq, task->attempt, stream, err);
}

static int
json_event_output(struct sink *sink, const struct task *task, enum result_stream stream,
		  const char *bytes, size_t length, struct err *err)
{
	struct output *output = output_of(sink);
	if (json_is_closed(output) || output->config.spec->is_dry_run)
		return 0;
	while (length > 0) {
		size_t part = length < JSON_PIECE_BYTES ? length : JSON_PIECE_BYTES;
		if (json_event_piece(output, task, stream, bytes, part, err) == -1)
			return -1;
		bytes += part;
		length -= part;
	}
	return 0;
}

/* An attempt's end: what still waits is no character, and then the event. */
static int
json_event_end(struct output *output, const struct task *task, uint32_t attempt,
	       const char *event, const struct result *result, struct err *err)
{
	struct result_json json;
	if (json_is_closed(output))
		return 0;
	for (int i = 0; i < RESULT_STREAMS; i++)
		if (json_take_cut(output, task->seq, (enum result_stream)i, err) == -1 ||
		    json_pass_piece(output, task->seq, attempt, (enum result_stream)i,
				    err) == -1)
			return -1;
	if (json_describe_end(output, task, attempt, result, &json, err) == -1)
		return -1;
	buf_clear(&output->text);
	if (json_append_end(&output->text, event, &json) == -1)
		return err_no_memory(err);
	return json_pass(output, task->seq, err);
}

static int
json_event_retried(struct sink *sink, const struct task *task,
		   const struct result *result, struct err *err)
{
	/* It counts as the next attempt already, unless it just came back, from no seat. */
	uint32_t attempt = result->slot != 0 ? task->attempt - 1 : task->attempt;
	return json_event_end(output_of(sink), task, attempt, "retried", result, err);
}

static int
json_event_settled(struct output *output, const struct task *task,
		   const struct result *result, struct err *err)
{
	return json_event_end(output, task, task->attempt, "finished", result, err);
}

/* --- answers --- */

struct json_answer {
	struct result_json json;
	struct result result;
	const char *bytes;
	size_t length;
};

static int
json_append_answer(struct buf *text, const struct json_answer *answer)
{
	if (json_append_object(text, &answer->json, true) == -1 ||
	    json_append_bytes(text, RESULT_STDOUT, answer->bytes, answer->length) == -1)
		return -1;
	return JSON_APPEND(text, ",\"stderr\":\"\"}\n");
}

static int
json_append_answer_events(struct buf *text, const struct json_answer *answer)
{
	const struct result *result = &answer->result;
	const struct result_json *json = &answer->json;
	if (json_append_start(text, json, json->attempts, result->slot,
			      result->started_real_ns) == -1 ||
	    (answer->length > 0 &&
	     json_append_piece(text, json->stage, json->seq, json->attempts,
			       result->started_real_ns + result->wall_ns, RESULT_STDOUT,
			       answer->bytes, answer->length) == -1))
		return -1;
	return json_append_end(text, "finished", json);
}

/* The next task of a chunk, whose packed values are from *args on. */
static int
json_find_answer(struct output *output, const struct task *chunk,
		 const struct answers *answers, uint32_t index, const char **args,
		 size_t *args_bytes, struct json_answer *answer, struct err *err)
{
	if (task_unpack_next(args, args_bytes, chunk->arg_count, &output->args,
			     &output->arg_capacity) == -1)
		return err_no_memory(err);
	struct template_values values = {.seq = chunk->seq + index,
					 .slot = answers->slot,
					 .args = output->args,
					 .arg_count = chunk->arg_count,
					 .column_count = output->config.column_count};
	if (json_describe(output, &values, &answer->json, err) == -1)
		return -1;
	answer->json.result = &answer->result;
	answer->json.attempts = chunk->attempt;
	answer->length = answers->items[index].bytes;
	return 0;
}

static int
json_answered(struct output *output, const struct task *chunk,
	      const struct answers *answers, struct err *err)
{
	struct buf *text = &output->text;
	const char *args = task_bytes(chunk);
	size_t args_bytes = chunk->packed_bytes;
	bool is_events = output->config.spec->json == SPEC_JSON_EVENTS;
	int64_t since_1970_ns = clock_real_ns() - clock_now_ns();
	struct json_answer answer = {
	    .result = {.worker = answers->worker, .slot = answers->slot, .cpu = -1},
	    .bytes = answers->bytes,
	};
	buf_clear(text);
	for (uint32_t i = 0; i < answers->count && !json_is_closed(output); i++) {
		answer.result.started_real_ns =
		    answers->items[i].started_at_ns + since_1970_ns;
		answer.result.wall_ns = answers->items[i].wall_ns;
		if (json_find_answer(output, chunk, answers, i, &args, &args_bytes,
				     &answer, err) == -1)
			return -1;
		if ((is_events ? json_append_answer_events(text, &answer)
			       : json_append_answer(text, &answer)) == -1)
			return err_no_memory(err);
		answer.bytes += answer.length;
		if (text->length < JSON_PIECE_BYTES && i + 1 < answers->count)
			continue;
		if (json_pass(output, chunk->seq, err) == -1)
			return -1;
		buf_clear(text);
	}
	return 0;
}

const struct output_form output_json_objects = {
    .ops = {.started = json_started, .output = json_output},
    .settled = json_settled,
    .release = json_release,
    .answered = json_answered,
};

const struct output_form output_json_events = {
    .ops = {.started = json_event_started,
	    .output = json_event_output,
	    .retried = json_event_retried},
    .settled = json_event_settled,
    .release = json_release,
    .answered = json_answered,
};

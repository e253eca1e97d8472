/* result_json.c: see result_json.h. Written a few million times a second, so without printf. */
#include "task/result_json.h"

#include <string.h>

#include "base/decimal.h"
#include "base/json_text.h"
#include "task/override.h"

#define RESULT_JSON_FIXED_BYTES 512 /* of the names and numbers that go in at once */

/* Literals only: their length is known to the compiler. */
static inline __attribute__((always_inline)) char *
put(char *to, const char *text)
{
	size_t length = strlen(text);
	memcpy(to, text, length);
	return to + length;
}

/* Where there is nothing to say nothing is said: readers take what is not there for null. */
static inline __attribute__((always_inline)) char *
put_number(char *to, const char *name, bool is_known, int64_t number)
{
	return is_known ? decimal_put(put(to, name), (uint64_t)number) : to;
}

static inline __attribute__((always_inline)) char *
put_seconds(char *to, const char *name, bool is_known, int64_t ns, int digits)
{
	return is_known ? decimal_put_seconds(put(to, name), ns, digits) : to;
}

static bool
args_are_text(const struct result_json *json)
{
	for (size_t i = 0; i < json->arg_count; i++)
		if (!json_text_is_utf8(json->args[i].bytes, json->args[i].length))
			return false;
	return true;
}

/* All values in one form, so that a reader need not look at each. */
static int
append_args(struct buf *text, const struct result_json *json, bool is_text)
{
	for (size_t i = 0; i < json->arg_count; i++) {
		const struct arg *arg = &json->args[i];
		if ((i > 0 && buf_append_char(text, ',') == -1) ||
		    (is_text
			 ? json_text_append(text, arg->bytes, arg->length)
			 : json_base64_append_string(text, arg->bytes, arg->length)) == -1)
			return -1;
	}
	return buf_append_char(text, ']');
}

static int
append_command(struct buf *text, const struct result_json *json)
{
	if (json->command == NULL)
		return 0;
	if (!json_text_is_utf8(json->command, json->command_length)) {
		if (buf_append_str(text, ",\"command_base64\":") == -1)
			return -1;
		return json_base64_append_string(text, json->command, json->command_length);
	}
	if (buf_append_str(text, ",\"command\":") == -1)
		return -1;
	return json_text_append(text, json->command, json->command_length);
}

int
result_json_append_stage(struct buf *text, const char *stage)
{
	if (stage == NULL)
		return 0;
	if (buf_append_str(text, ",\"stage\":") == -1)
		return -1;
	return json_text_append(text, stage, strlen(stage));
}

/* The tasks it came from, of one stage each. */
static int
append_from(struct buf *text, const struct arg *from)
{
	for (size_t at = 0; at < from->length; at += sizeof(uint64_t)) {
		uint64_t seq;
		memcpy(&seq, from->bytes + at, sizeof(seq));
		if (buf_append_str(text, at == 0 ? ",\"from\":[" : ",") == -1 ||
		    buf_reserve(text, DECIMAL_MAX_BYTES) == -1)
			return -1;
		char *end = decimal_put(text->bytes + text->length, seq + 1);
		text->length = (size_t)(end - text->bytes);
	}
	return buf_append_char(text, ']');
}

/* What its input or the stages before say of it. */
static int
append_origin(struct buf *text, const struct result_json *json)
{
	struct arg value;
	if (result_json_append_stage(text, json->stage) == -1)
		return -1;
	if (override_find(&json->overrides, OVERRIDE_FROM, &value) &&
	    append_from(text, &value) == -1)
		return -1;
	if (!override_find(&json->overrides, OVERRIDE_ID, &value))
		return 0;
	if (buf_append_str(text, ",\"id\":") == -1)
		return -1;
	return json_text_append(text, value.bytes, value.length);
}

int
result_json_append_task(struct buf *text, const struct result_json *json)
{
	bool is_text = args_are_text(json);
	if (buf_reserve(text, RESULT_JSON_FIXED_BYTES) == -1)
		return -1;
	char *to = put(text->bytes + text->length, "\"seq\":");
	to = decimal_put(to, json->seq + 1);
	text->length = (size_t)(to - text->bytes);
	if ((json->stage != NULL || json->overrides.length > 0) &&
	    append_origin(text, json) == -1)
		return -1;
	if (buf_append_str(text, is_text ? ",\"args\":[" : ",\"args_base64\":[") == -1)
		return -1;
	return append_args(text, json, is_text) == -1 ? -1 : append_command(text, json);
}

const char *
result_json_status(const struct result *result)
{
	switch ((enum result_reason)result->reason) {
	case RESULT_EXIT:
		return result_is_success(result) ? "done" : "failed";
	case RESULT_SIGNAL:
		return "killed";
	case RESULT_TIMEOUT:
		return "timed_out";
	case RESULT_CANNOT_EXECUTE:
		return "cannot_execute";
	case RESULT_LOST:
		return "lost";
	case RESULT_NO_ANSWER:
		return "no_answer";
	case RESULT_CANCELLED:
		return "cancelled";
	case RESULT_SKIPPED:
		return "skipped";
	case RESULT_NO_OUTPUT:
		return "no_output";
	case RESULT_MEMORY:
		return "out_of_memory";
	case RESULT_REASONS:
		break;
	}
	return "unknown";
}

static int
append_failure(struct buf *text, const struct result_json *json)
{
	const struct result *result = json->result;
	char words[256];
	bool has_exit = result->reason == RESULT_EXIT ||
			result->reason == RESULT_CANNOT_EXECUTE ||
			(result->reason == RESULT_MEMORY && result->exit_status != 0);
	if (buf_append_str(text, ",\"status\":\"") == -1 ||
	    buf_append_str(text, result_json_status(result)) == -1 ||
	    buf_reserve(text, RESULT_JSON_FIXED_BYTES) == -1)
		return -1;
	char *to = put(text->bytes + text->length, "\"");
	to = put_number(to, ",\"exit\":", has_exit, result->exit_status);
	to = put_number(to, ",\"signal\":", result->signal != 0, result->signal);
	to = put(to, ",\"error\":");
	text->length = (size_t)(to - text->bytes);
	result_describe(result, words, sizeof(words));
	return json_text_append(text, words, strlen(words));
}

static int
append_status(struct buf *text, const struct result_json *json)
{
	static const char done[] = ",\"status\":\"done\",\"exit\":0";
	static const char dry_run[] = ",\"status\":\"dry_run\"";
	if (json->is_dry_run)
		return buf_append(text, dry_run, sizeof(dry_run) - 1);
	if (result_is_success(json->result))
		return buf_append(text, done, sizeof(done) - 1);
	return append_failure(text, json);
}

static int
append_numbers(struct buf *text, const struct result_json *json)
{
	const struct result *result = json->result;
	bool has_run = result->slot != 0;
	bool is_measured = json->is_measured && result->pid != 0;
	if (buf_reserve(text, RESULT_JSON_FIXED_BYTES) == -1)
		return -1;
	char *to = text->bytes + text->length;
	to = put_number(to, ",\"attempts\":", true, json->attempts);
	to = put_number(to, ",\"worker\":", has_run, result->worker);
	to = put_number(to, ",\"slot\":", has_run, result->slot);
	to = put_number(to, ",\"cpu\":", has_run && result->cpu >= 0, result->cpu);
	to = put_number(to, ",\"pid\":", result->pid != 0, result->pid);
	to = put_seconds(to, ",\"start_s\":", result->started_real_ns != 0,
			 result->started_real_ns, 6);
	to = put_seconds(to, ",\"wall_s\":", has_run, result->wall_ns, 9);
	to = put_seconds(to, ",\"user_s\":", is_measured, result->user_ns, 6);
	to = put_seconds(to, ",\"sys_s\":", is_measured, result->sys_ns, 6);
	to = put_number(to, ",\"maxrss_bytes\":", is_measured, result->maxrss_bytes);
	text->length = (size_t)(to - text->bytes);
	return 0;
}

int
result_json_append(struct buf *text, const struct result_json *json)
{
	if (result_json_append_task(text, json) == -1 || append_status(text, json) == -1)
		return -1;
	return append_numbers(text, json);
}

/* protocol.c: see protocol.h. */
#include "pool/protocol.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <string.h>

#include "base/json_text.h"

#define PROTOCOL_COUNT_MAX_CHARS 19 /* of a number that fits in an int64_t */

void
protocol_init(struct protocol *protocol, enum spec_protocol kind)
{
	*protocol = (struct protocol){.kind = kind};
}

void
protocol_fini(struct protocol *protocol)
{
	buf_fini(&protocol->line);
}

void
protocol_reset(struct protocol *protocol)
{
	buf_clear(&protocol->line);
	protocol->has_count = false;
	protocol->left_bytes = 0;
}

/* --- requests --- */

static bool
protocol_has_byte(const struct template_values *values, char byte)
{
	for (size_t i = 0; i < values->arg_count; i++)
		if (memchr(values->args[i].bytes, byte, values->args[i].length) != NULL)
			return true;
	return false;
}

static int
protocol_encode_text(const struct template_values *values, char end, struct buf *request)
{
	if (protocol_has_byte(values, end))
		return 1;
	for (size_t i = 0; i < values->arg_count; i++)
		if ((i > 0 && buf_append_char(request, '\t') == -1) ||
		    buf_append(request, values->args[i].bytes, values->args[i].length) == -1)
			return -1;
	return buf_append_char(request, end);
}

int
protocol_tail_add_variable(struct buf *tail, const char *variable)
{
	const char *equals = strchr(variable, '=');
	if (equals == NULL || !json_text_is_utf8(variable, strlen(variable)))
		return 0;
	if (buf_append_char(tail, ',') == -1 ||
	    json_text_append(tail, variable, (size_t)(equals - variable)) == -1 ||
	    buf_append_char(tail, ':') == -1)
		return -1;
	return json_text_append(tail, equals + 1, strlen(equals + 1));
}

int
protocol_tail_end(struct buf *tail, const char *folder)
{
	if (folder == NULL || !json_text_is_utf8(folder, strlen(folder)))
		return buf_append_str(tail, "},\"cwd\":null}\n");
	if (buf_append_str(tail, "},\"cwd\":") == -1 ||
	    json_text_append(tail, folder, strlen(folder)) == -1)
		return -1;
	return buf_append_str(tail, "}\n");
}

static int
protocol_encode_json(const struct template_values *values, uint32_t attempt,
		     const struct buf *tail, struct buf *request)
{
	for (size_t i = 0; i < values->arg_count; i++)
		if (!json_text_is_utf8(values->args[i].bytes, values->args[i].length))
			return 1;
	if (buf_printf(request, "{\"seq\":%" PRIu64 ",\"attempt\":%" PRIu32 ",\"args\":[",
		       values->seq, attempt) == -1)
		return -1;
	for (size_t i = 0; i < values->arg_count; i++)
		if ((i > 0 && buf_append_char(request, ',') == -1) ||
		    json_text_append(request, values->args[i].bytes,
				     values->args[i].length) == -1)
			return -1;
	if (buf_printf(request,
		       "],\"env\":{\"PINION_SEQ\":\"%" PRIu64
		       "\",\"PINION_ATTEMPT\":\"%" PRIu32 "\",\"PARALLEL_SEQ\":\"%" PRIu64
		       "\"",
		       values->seq, attempt, values->seq + 1) == -1)
		return -1;
	return buf_append(request, tail->bytes, tail->length);
}

int
protocol_encode(enum spec_protocol kind, const struct template_values *values,
		uint32_t attempt, const struct buf *tail, struct buf *request)
{
	size_t length = request->length;
	int status = -1;
	switch (kind) {
	case SPEC_PROTOCOL_LINE:
	case SPEC_PROTOCOL_COUNT:
		status = protocol_encode_text(values, '\n', request);
		break;
	case SPEC_PROTOCOL_NUL:
		status = protocol_encode_text(values, '\0', request);
		break;
	case SPEC_PROTOCOL_JSON:
		status = protocol_encode_json(values, attempt, tail, request);
		break;
	}
	if (status != 0)
		request->length = length;
	return status;
}

/* --- answers --- */

/* Up to and with the end byte, passed on as it comes. */
static enum protocol_step
protocol_decode_text(char end, const char *bytes, size_t length, size_t *used,
		     protocol_emit *emit, void *context)
{
	const char *at = memchr(bytes, end, length);
	*used = at == NULL ? length : (size_t)(at - bytes) + 1;
	if (emit(context, RESULT_STDOUT, bytes, *used) == -1)
		return PROTOCOL_NO_MEMORY;
	return at == NULL ? PROTOCOL_MORE : PROTOCOL_DONE;
}

/* Collects a line in protocol->line, without its newline. */
static enum protocol_step
protocol_collect_line(struct protocol *protocol, const char *bytes, size_t length,
		      size_t *used, size_t max)
{
	const char *at = memchr(bytes, '\n', length);
	size_t part = at == NULL ? length : (size_t)(at - bytes);
	*used = at == NULL ? length : part + 1;
	if (protocol->line.length + part > max)
		return PROTOCOL_WRONG;
	if (buf_append(&protocol->line, bytes, part) == -1)
		return PROTOCOL_NO_MEMORY;
	return at == NULL ? PROTOCOL_MORE : PROTOCOL_DONE;
}

static bool
protocol_parse_count(struct protocol *protocol)
{
	uint64_t count = 0;
	if (protocol->line.length == 0)
		return false;
	for (size_t i = 0; i < protocol->line.length; i++) {
		char c = protocol->line.bytes[i];
		if (c < '0' || c > '9')
			return false;
		count = count * 10 + (uint64_t)(c - '0');
	}
	protocol->left_bytes = count;
	protocol->has_count = true;
	return true;
}

static enum protocol_step
protocol_decode_count(struct protocol *protocol, const char *bytes, size_t length,
		      size_t *used, protocol_emit *emit, void *context)
{
	*used = 0;
	if (!protocol->has_count) {
		enum protocol_step step = protocol_collect_line(
		    protocol, bytes, length, used, PROTOCOL_COUNT_MAX_CHARS);
		if (step != PROTOCOL_DONE)
			return step;
		if (!protocol_parse_count(protocol))
			return PROTOCOL_WRONG;
	}
	size_t part = length - *used;
	if (part > protocol->left_bytes)
		part = (size_t)protocol->left_bytes;
	if (part > 0 && emit(context, RESULT_STDOUT, bytes + *used, part) == -1)
		return PROTOCOL_NO_MEMORY;
	*used += part;
	protocol->left_bytes -= part;
	return protocol->left_bytes > 0 ? PROTOCOL_MORE : PROTOCOL_DONE;
}

static int
protocol_emit_line(protocol_emit *emit, void *context, enum result_stream stream,
		   const char *text)
{
	if (emit(context, stream, text, strlen(text)) == -1)
		return -1;
	return emit(context, stream, "\n", 1);
}

/* Behind the string whose opening quote is at `at`. The text is known to be sound JSON. */
static const char *
protocol_skip_string(const char *at)
{
	for (at++; *at != '"'; at++)
		at += *at == '\\';
	return at + 1;
}

static const char *
protocol_skip_blanks(const char *at)
{
	return at + strspn(at, " \t\r\n");
}

/* Behind the value at `at`. */
static const char *
protocol_skip_value(const char *at)
{
	int depth = 0;
	do {
		if (*at == '"') {
			at = protocol_skip_string(at);
			continue;
		}
		depth += (*at == '{' || *at == '[') - (*at == '}' || *at == ']');
		at++;
	} while (depth > 0 || (*at != '\0' && strchr(",}] \t\r\n", *at) == NULL));
	return at;
}

/*
 * The bytes of the value of "ok" in an object as the program wrote them: cJSON would give
 * numbers as doubles. NULL: not found, or a name has escapes, which only cJSON reads.
 */
static const char *
protocol_raw_ok(const char *at, size_t *length)
{
	at = protocol_skip_blanks(at) + 1;
	for (;;) {
		const char *name = protocol_skip_blanks(at);
		if (*name != '"')
			return NULL;
		const char *name_end = protocol_skip_string(name);
		if (memchr(name, '\\', (size_t)(name_end - name)) != NULL)
			return NULL;
		const char *value = protocol_skip_blanks(name_end) + 1;
		value = protocol_skip_blanks(value);
		const char *end = protocol_skip_value(value);
		if (strncmp(name, "\"ok\"", 4) == 0) {
			*length = (size_t)(end - value);
			return value;
		}
		at = protocol_skip_blanks(end) + 1;
	}
}

/* Whether there is an escaped NUL in a string as it was written. */
static bool
protocol_has_escaped_nul(const char *text, size_t length)
{
	const char *end = text + length, *at = text;
	while ((at = memchr(at, '\\', (size_t)(end - at))) != NULL) {
		if (strncmp(at + 1, "u0000", 5) == 0)
			return true;
		at += 2;
	}
	return false;
}

/* A string is printed as it is, null not at all, the rest as the JSON it was written in. */
static enum protocol_step
protocol_pass_ok(const cJSON *ok, const char *line, protocol_emit *emit, void *context)
{
	size_t length;
	if (cJSON_IsNull(ok))
		return PROTOCOL_DONE;
	const char *text = protocol_raw_ok(line, &length);
	if (text == NULL)
		return PROTOCOL_WRONG;
	if (cJSON_IsString(ok)) {
		/* cJSON ends its strings at a NUL: what it cannot give is no answer. */
		if (protocol_has_escaped_nul(text, length))
			return PROTOCOL_WRONG;
		text = ok->valuestring;
		length = strlen(text);
	}
	if (emit(context, RESULT_STDOUT, text, length) == -1 ||
	    emit(context, RESULT_STDOUT, "\n", 1) == -1)
		return PROTOCOL_NO_MEMORY;
	return PROTOCOL_DONE;
}

/* The text of the error, and the traceback behind it, to the task's stderr. */
static enum protocol_step
protocol_pass_error(const cJSON *answer, protocol_emit *emit, void *context)
{
	static const char *const names[] = {"error", "traceback"};
	for (int i = 0; i < 2; i++) {
		const cJSON *text = cJSON_GetObjectItemCaseSensitive(answer, names[i]);
		if (cJSON_IsString(text) && *text->valuestring != '\0' &&
		    protocol_emit_line(emit, context, RESULT_STDERR, text->valuestring) ==
			-1)
			return PROTOCOL_NO_MEMORY;
	}
	return PROTOCOL_FAILED;
}

/* cJSON takes every control byte for a blank, and a byte order mark; JSON knows neither. */
static bool
protocol_is_json_text(const struct buf *line)
{
	if (line->length > 0 && line->bytes[0] == '\xef')
		return false;
	for (size_t i = 0; i < line->length; i++)
		if ((unsigned char)line->bytes[i] < 0x20 && line->bytes[i] != '\t' &&
		    line->bytes[i] != '\r')
			return false;
	return true;
}

static enum protocol_step
protocol_decode_json(struct protocol *protocol, const char *bytes, size_t length,
		     size_t *used, protocol_emit *emit, void *context)
{
	enum protocol_step step =
	    protocol_collect_line(protocol, bytes, length, used, PROTOCOL_JSON_MAX_BYTES);
	if (step != PROTOCOL_DONE)
		return step;
	if (buf_str(&protocol->line) == NULL)
		return PROTOCOL_NO_MEMORY;
	if (!protocol_is_json_text(&protocol->line))
		return PROTOCOL_WRONG;
	const char *end;
	cJSON *answer = cJSON_ParseWithLengthOpts(protocol->line.bytes,
						  protocol->line.length + 1, &end, true);
	const cJSON *ok = cJSON_GetObjectItemCaseSensitive(answer, "ok");
	step = PROTOCOL_WRONG;
	if (ok != NULL && cJSON_IsObject(answer))
		step = protocol_pass_ok(ok, protocol->line.bytes, emit, context);
	else if (cJSON_GetObjectItemCaseSensitive(answer, "error") != NULL)
		step = protocol_pass_error(answer, emit, context);
	cJSON_Delete(answer);
	return step;
}

enum protocol_step
protocol_decode(struct protocol *protocol, const char *bytes, size_t length, size_t *used,
		protocol_emit *emit, void *context)
{
	enum protocol_step step = PROTOCOL_WRONG;
	switch (protocol->kind) {
	case SPEC_PROTOCOL_LINE:
		step = protocol_decode_text('\n', bytes, length, used, emit, context);
		break;
	case SPEC_PROTOCOL_NUL:
		step = protocol_decode_text('\0', bytes, length, used, emit, context);
		break;
	case SPEC_PROTOCOL_COUNT:
		step = protocol_decode_count(protocol, bytes, length, used, emit, context);
		break;
	case SPEC_PROTOCOL_JSON:
		step = protocol_decode_json(protocol, bytes, length, used, emit, context);
		break;
	}
	if (step != PROTOCOL_MORE)
		protocol_reset(protocol);
	return step;
}

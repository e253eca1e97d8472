/* Tests of pool/protocol: how a program that is kept alive is asked, and how it answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pool/protocol.h"

#define ARGS_MAX 4

/* --- requests --- */

struct asked {
	int status;
	struct buf request;
	struct buf tail;
};

/* Encodes `count` values of the given lengths as task 41's 2nd attempt. */
static struct asked
ask_bytes(enum spec_protocol kind, const struct arg *args, size_t count)
{
	struct asked asked = {0};
	struct template_values values = {.seq = 41, .args = args, .arg_count = count};
	assert_int_equal(buf_append_str(&asked.request, "before"), 0);
	assert_int_equal(protocol_tail_add_variable(&asked.tail, "A=1=2"), 0);
	assert_int_equal(protocol_tail_end(&asked.tail, "/a b"), 0);
	asked.status = protocol_encode(kind, &values, 2, &asked.tail, &asked.request);
	return asked;
}

static struct asked
ask(enum spec_protocol kind, const char *const *texts, size_t count)
{
	struct arg args[ARGS_MAX];
	for (size_t i = 0; i < count; i++)
		args[i] = (struct arg){.bytes = texts[i], .length = strlen(texts[i])};
	return ask_bytes(kind, args, count);
}

static void
expect_request_bytes(struct asked asked, const char *bytes, size_t length)
{
	assert_int_equal(asked.status, 0);
	assert_int_equal(asked.request.length, strlen("before") + length);
	assert_memory_equal(asked.request.bytes, "before", strlen("before"));
	assert_memory_equal(asked.request.bytes + strlen("before"), bytes, length);
	buf_fini(&asked.request);
	buf_fini(&asked.tail);
}

static void
expect_request(struct asked asked, const char *text)
{
	expect_request_bytes(asked, text, strlen(text));
}

static void
expect_refused(struct asked asked)
{
	assert_int_equal(asked.status, 1);
	assert_int_equal(asked.request.length, strlen("before"));
	buf_fini(&asked.request);
	buf_fini(&asked.tail);
}

static void
a_line_is_the_values_with_tabs_between_and_a_newline(void **state)
{
	(void)state;
	const char *const values[] = {"one", "", "two words", "\xff\x80"};
	expect_request(ask(SPEC_PROTOCOL_LINE, values, 1), "one\n");
	expect_request(ask(SPEC_PROTOCOL_LINE, values + 1, 1), "\n");
	expect_request(ask(SPEC_PROTOCOL_LINE, values, 0), "\n");
	expect_request(ask(SPEC_PROTOCOL_LINE, values, 4),
		       "one\t\ttwo words\t\xff\x80\n");
	expect_request(ask(SPEC_PROTOCOL_COUNT, values, 2), "one\t\n");
}

static void
a_line_cannot_hold_a_newline_but_a_nul_byte(void **state)
{
	(void)state;
	const char *const values[] = {"one", "two\nlines"};
	const struct arg nul = {.bytes = "a\0b", .length = 3};
	expect_refused(ask(SPEC_PROTOCOL_LINE, values, 2));
	expect_refused(ask(SPEC_PROTOCOL_COUNT, values, 2));
	expect_request_bytes(ask_bytes(SPEC_PROTOCOL_LINE, &nul, 1), "a\0b\n", 4);
}

static void
nul_ends_with_a_nul_byte_and_holds_newlines(void **state)
{
	(void)state;
	const char *const values[] = {"one", "two\nlines"};
	const struct arg nul = {.bytes = "a\0b", .length = 3};
	expect_request_bytes(ask(SPEC_PROTOCOL_NUL, values, 2), "one\ttwo\nlines", 14);
	expect_refused(ask_bytes(SPEC_PROTOCOL_NUL, &nul, 1));
}

#define JSON_HEAD "{\"seq\":41,\"attempt\":2,\"args\":["
#define JSON_TAIL                                                    \
	"],\"env\":{\"PINION_SEQ\":\"41\",\"PINION_ATTEMPT\":\"2\"," \
	"\"PARALLEL_SEQ\":\"42\",\"A\":\"1=2\"},\"cwd\":\"/a b\"}\n"

static void
json_says_which_task_it_is_with_its_values_variables_and_folder(void **state)
{
	(void)state;
	const char *const values[] = {"one", "", "two words"};
	expect_request(ask(SPEC_PROTOCOL_JSON, values, 3),
		       JSON_HEAD "\"one\",\"\",\"two words\"" JSON_TAIL);
	expect_request(ask(SPEC_PROTOCOL_JSON, values, 0), JSON_HEAD JSON_TAIL);
}

static void
json_escapes_what_must_be_and_nothing_else(void **state)
{
	(void)state;
	const char *const values[] = {"\"\\/\b\f\n\r\t\x01\x1f\x7f",
				      "\xc3\xa4\xf0\x9f\x98\x80", "\"", "x\n"};
	const struct arg nul = {.bytes = "a\0b", .length = 3};
	expect_request(ask(SPEC_PROTOCOL_JSON, values, 4), JSON_HEAD
		       "\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\","
		       "\"\xc3\xa4\xf0\x9f\x98\x80\",\"\\\"\",\"x\\n\"" JSON_TAIL);
	expect_request(ask_bytes(SPEC_PROTOCOL_JSON, &nul, 1),
		       JSON_HEAD "\"a\\u0000b\"" JSON_TAIL);
}

static void
json_writes_numbers_that_a_double_cannot_hold(void **state)
{
	(void)state;
	struct buf request = {0}, tail = {0};
	struct template_values values = {.seq = 9007199254740993};
	const char *start = "{\"seq\":9007199254740993,\"attempt\":65535,\"args\":[],"
			    "\"env\":{\"PINION_SEQ\":\"9007199254740993\"";
	assert_int_equal(protocol_tail_end(&tail, "/"), 0);
	assert_int_equal(
	    protocol_encode(SPEC_PROTOCOL_JSON, &values, 65535, &tail, &request), 0);
	assert_memory_equal(request.bytes, start, strlen(start));
	buf_fini(&request);
	buf_fini(&tail);
}

static void
json_refuses_what_is_not_utf8(void **state)
{
	(void)state;
	const char *const bad[] = {
	    "\x80",     /* a rest without a start */
	    "\xc3",     /* a start without its rest */
	    "\xc3(",    /* and with something else */
	    "\xc0\x80", /* longer than need be */
	    "\xc1\xbf",
	    "\xe0\x9f\xbf",
	    "\xf0\x8f\xbf\xbf",
	    "\xed\xa0\x80",     /* half of a surrogate pair */
	    "\xf4\x90\x80\x80", /* beyond the last character */
	    "\xf5\x80\x80\x80",
	    "\xff",
	};
	const char *const good[] = {
	    "\x7f",         "\xc2\x80",         "\xdf\xbf",
	    "\xe0\xa0\x80", "\xed\x9f\xbf",     "\xee\x80\x80",
	    "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		expect_refused(ask(SPEC_PROTOCOL_JSON, bad + i, 1));
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		char text[256];
		snprintf(text, sizeof(text), JSON_HEAD "\"%s\"" JSON_TAIL, good[i]);
		expect_request(ask(SPEC_PROTOCOL_JSON, good + i, 1), text);
	}
}

static void
what_json_cannot_say_of_variables_and_folder_is_left_out(void **state)
{
	(void)state;
	struct buf tail = {0};
	assert_int_equal(protocol_tail_add_variable(&tail, "BAD=\xff"), 0);
	assert_int_equal(protocol_tail_add_variable(&tail, "NOTHING"), 0);
	assert_int_equal(tail.length, 0);
	assert_int_equal(protocol_tail_add_variable(&tail, "Q=\"\n"), 0);
	assert_int_equal(protocol_tail_add_variable(&tail, "E="), 0);
	assert_int_equal(protocol_tail_end(&tail, "/\xff"), 0);
	assert_string_equal(buf_str(&tail),
			    ",\"Q\":\"\\\"\\n\",\"E\":\"\"},\"cwd\":null}\n");
	buf_clear(&tail);
	assert_int_equal(protocol_tail_end(&tail, NULL), 0);
	assert_string_equal(buf_str(&tail), "},\"cwd\":null}\n");
	buf_fini(&tail);
}

/* --- answers --- */

struct heard {
	struct buf streams[RESULT_STREAMS];
	int emits_left; /* before memory is gone */
};

static int
hear(void *context, enum result_stream stream, const char *bytes, size_t length)
{
	struct heard *heard = context;
	if (heard->emits_left-- == 0)
		return -1;
	return buf_append(&heard->streams[stream], bytes, length);
}

static void
heard_fini(struct heard *heard)
{
	buf_fini(&heard->streams[RESULT_STDOUT]);
	buf_fini(&heard->streams[RESULT_STDERR]);
}

static void
expect_heard(const struct heard *heard, enum result_stream stream, const char *bytes,
	     size_t length)
{
	assert_int_equal(heard->streams[stream].length, length);
	if (length > 0)
		assert_memory_equal(heard->streams[stream].bytes, bytes, length);
}

/* Feeds bytes[from..to) and says what the last step was and how much was used in all. */
static enum protocol_step
feed(struct protocol *protocol, const char *bytes, size_t length, size_t *used,
     struct heard *heard)
{
	char *copy =
	    malloc(length + 1); /* of exact size, so that tools see a step too far */
	assert_non_null(copy);
	memcpy(copy, bytes, length);
	enum protocol_step step =
	    protocol_decode(protocol, copy, length, used, hear, heard);
	free(copy);
	return step;
}

struct decoded {
	enum spec_protocol kind;
	const char *bytes;
	size_t length; /* of the answer; the next one follows */
	enum protocol_step step;
	const char *out;
	size_t out_length;
	const char *err;
};

#define BYTES(text) (text), sizeof(text) - 1
#define NEXT "next"

/* The answer, and the first bytes of the next one, cut in two and in three at each place. */
static void
expect_answer_with_cuts(const struct decoded *answer, size_t first, size_t second)
{
	struct protocol protocol;
	struct heard heard = {.emits_left = -1};
	char *bytes = malloc(answer->length + sizeof(NEXT));
	size_t ends[] = {first, second, answer->length + strlen(NEXT)};
	size_t at = 0;
	enum protocol_step step = PROTOCOL_MORE;
	assert_non_null(bytes);
	memcpy(bytes, answer->bytes, answer->length);
	memcpy(bytes + answer->length, NEXT, sizeof(NEXT));
	protocol_init(&protocol, answer->kind);
	for (int i = 0; i < 3 && step == PROTOCOL_MORE; i++) {
		size_t used = 0;
		if (ends[i] == at)
			continue;
		step = feed(&protocol, bytes + at, ends[i] - at, &used, &heard);
		if (step == PROTOCOL_MORE)
			assert_int_equal(used, ends[i] - at);
		at += used;
	}
	assert_int_equal(step, answer->step);
	if (step != PROTOCOL_WRONG) {
		assert_int_equal(at, answer->length);
		expect_heard(&heard, RESULT_STDOUT, answer->out, answer->out_length);
		expect_heard(&heard, RESULT_STDERR, answer->err, strlen(answer->err));
	}
	protocol_fini(&protocol);
	heard_fini(&heard);
	free(bytes);
}

static void
expect_answer(struct decoded answer)
{
	for (size_t first = 0; first <= answer.length; first++)
		for (size_t second = first; second <= answer.length; second++)
			expect_answer_with_cuts(&answer, first, second);
}

static void
a_line_comes_out_with_its_newline_however_it_is_cut(void **state)
{
	(void)state;
	expect_answer((struct decoded){SPEC_PROTOCOL_LINE, BYTES("an answer\n"),
				       PROTOCOL_DONE, BYTES("an answer\n"), ""});
	expect_answer((struct decoded){SPEC_PROTOCOL_LINE, BYTES("\n"), PROTOCOL_DONE,
				       BYTES("\n"), ""});
	expect_answer((struct decoded){SPEC_PROTOCOL_LINE, BYTES("a\0\xff\r\n"),
				       PROTOCOL_DONE, BYTES("a\0\xff\r\n"), ""});
}

static void
nul_comes_out_with_its_nul_byte_and_its_newlines(void **state)
{
	(void)state;
	expect_answer((struct decoded){SPEC_PROTOCOL_NUL, BYTES("two\nlines\n\0"),
				       PROTOCOL_DONE, BYTES("two\nlines\n\0"), ""});
	expect_answer((struct decoded){SPEC_PROTOCOL_NUL, BYTES("\0"), PROTOCOL_DONE,
				       BYTES("\0"), ""});
}

static void
count_gives_the_bytes_that_were_announced(void **state)
{
	(void)state;
	expect_answer((struct decoded){SPEC_PROTOCOL_COUNT, BYTES("7\nab\nc\0\n\n"),
				       PROTOCOL_DONE, BYTES("ab\nc\0\n\n"), ""});
	expect_answer((struct decoded){SPEC_PROTOCOL_COUNT, BYTES("0\n"), PROTOCOL_DONE,
				       BYTES(""), ""});
	expect_answer((struct decoded){SPEC_PROTOCOL_COUNT,
				       BYTES("0000000000000000003\nabc"), PROTOCOL_DONE,
				       BYTES("abc"), ""});
}

static void
count_that_is_no_number_is_wrong(void **state)
{
	(void)state;
	static const char *const bad[] = {
	    "\n",   "x\n",  "-1\n",  "+1\n",
	    "1 \n", " 1\n", "1\r\n", "12345678901234567890\n"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		expect_answer((struct decoded){SPEC_PROTOCOL_COUNT, bad[i], strlen(bad[i]),
					       PROTOCOL_WRONG, BYTES(""), ""});
}

static void
count_without_a_newline_is_wrong_before_it_fills_the_memory(void **state)
{
	(void)state;
	struct protocol protocol;
	struct heard heard = {.emits_left = -1};
	size_t used;
	protocol_init(&protocol, SPEC_PROTOCOL_COUNT);
	for (int i = 0; i < 19; i++)
		assert_int_equal(feed(&protocol, "1", 1, &used, &heard), PROTOCOL_MORE);
	assert_int_equal(feed(&protocol, "1", 1, &used, &heard), PROTOCOL_WRONG);
	protocol_fini(&protocol);
}

static void
json_prints_a_string_as_it_is_null_not_at_all_and_the_rest_as_it_was_written(void **state)
{
	(void)state;
	static const struct {
		const char *answer;
		const char *out;
	} cases[] = {
	    {"{\"ok\":\"two\\nlines \\u00e4\\\"\"}\n", "two\nlines \xc3\xa4\"\n"},
	    {"{\"ok\":\"\"}\n", "\n"},
	    {"{\"ok\":\"\\\\u0000\"}\n", "\\u0000\n"},
	    {"{\"ok\":null}\n", ""},
	    {"{\"ok\":true}\n", "true\n"},
	    {"{\"ok\":12345678901234567890}\n", "12345678901234567890\n"},
	    {" {\"a\" : [\"ok\", {\"ok\":2}], \"ok\" : [1, {\"b}\":\"]\\\"\"}] }\r\n",
	     "[1, {\"b}\":\"]\\\"\"}]\n"},
	    {"{\"ok\":{},\"x\":1}\n", "{}\n"},
	    {"{\"ok\":1,\"error\":\"no\"}\n", "1\n"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		expect_answer((struct decoded){SPEC_PROTOCOL_JSON, cases[i].answer,
					       strlen(cases[i].answer), PROTOCOL_DONE,
					       cases[i].out, strlen(cases[i].out), ""});
}

static void
json_passes_an_error_and_its_traceback_to_stderr(void **state)
{
	(void)state;
	static const struct {
		const char *answer;
		const char *err;
	} cases[] = {
	    {"{\"error\":\"no such city\"}\n", "no such city\n"},
	    {"{\"error\":\"no\",\"traceback\":\"line 1\\nline 2\"}\n",
	     "no\nline 1\nline 2\n"},
	    {"{\"traceback\":\"t\",\"error\":\"\"}\n", "t\n"},
	    {"{\"error\":{\"code\":3}}\n", ""},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		expect_answer((struct decoded){SPEC_PROTOCOL_JSON, cases[i].answer,
					       strlen(cases[i].answer), PROTOCOL_FAILED,
					       BYTES(""), cases[i].err});
}

static void
json_that_is_no_answer_is_wrong(void **state)
{
	(void)state;
	static const char *const bad[] = {
	    "\n", "ok\n", "[]\n", "1\n", "{}\n", "{\"OK\":1}\n", "{\"ok\":}\n",
	    "{\"ok\":1\n", "{\"ok\":1} x\n", "{\"ok\":\"a\\u0000b\"}\n",
	    "{\"result\":\"ok\"}\n",
	    /* what only cJSON takes, or reads otherwise */
	    "{\"\\u006fk\":7}\n", "\xef\xbb\xbf{\"ok\":1}\n", "{\x01\"ok\":1}\n",
	    "{\"ok\"\x01:1}\n", "{\"ok\":\"a\x1f\"}\n"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		expect_answer((struct decoded){SPEC_PROTOCOL_JSON, bad[i], strlen(bad[i]),
					       PROTOCOL_WRONG, BYTES(""), ""});
}

static void
json_with_a_raw_nul_is_wrong(void **state)
{
	(void)state;
	expect_answer((struct decoded){SPEC_PROTOCOL_JSON, BYTES("{\"ok\":\"a\0b\"}\n"),
				       PROTOCOL_WRONG, BYTES(""), ""});
	expect_answer((struct decoded){SPEC_PROTOCOL_JSON, BYTES("{\0\"ok\":1}\n"),
				       PROTOCOL_WRONG, BYTES(""), ""});
}

static void
json_longer_than_the_limit_is_wrong(void **state)
{
	(void)state;
	struct protocol protocol;
	struct heard heard = {.emits_left = -1};
	size_t part = 1024 * 1024, used, fed = 0;
	char *bytes = malloc(part);
	enum protocol_step step;
	assert_non_null(bytes);
	memset(bytes, 'x', part);
	protocol_init(&protocol, SPEC_PROTOCOL_JSON);
	while ((step = protocol_decode(&protocol, bytes, part, &used, hear, &heard)) ==
	       PROTOCOL_MORE)
		fed += used;
	assert_int_equal(step, PROTOCOL_WRONG);
	assert_int_equal(fed, PROTOCOL_JSON_MAX_BYTES);
	protocol_fini(&protocol);
	free(bytes);
}

static void
answers_follow_each_other_in_the_same_bytes(void **state)
{
	(void)state;
	static const struct {
		enum spec_protocol kind;
		const char *bytes;
	} cases[] = {{SPEC_PROTOCOL_LINE, "a\nb\n"},
		     {SPEC_PROTOCOL_COUNT, "2\na\n2\nb\n"},
		     {SPEC_PROTOCOL_JSON, "{\"ok\":\"a\"}\n{\"ok\":\"b\"}\n"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct protocol protocol;
		struct heard heard = {.emits_left = -1};
		size_t length = strlen(cases[i].bytes), first, second;
		protocol_init(&protocol, cases[i].kind);
		assert_int_equal(feed(&protocol, cases[i].bytes, length, &first, &heard),
				 PROTOCOL_DONE);
		expect_heard(&heard, RESULT_STDOUT, "a\n", 2);
		assert_int_equal(feed(&protocol, cases[i].bytes + first, length - first,
				      &second, &heard),
				 PROTOCOL_DONE);
		assert_int_equal(first + second, length);
		expect_heard(&heard, RESULT_STDOUT, "a\nb\n", 4);
		protocol_fini(&protocol);
		heard_fini(&heard);
	}
}

static void
reset_forgets_half_an_answer(void **state)
{
	(void)state;
	static const struct {
		enum spec_protocol kind;
		const char *half;
		const char *whole;
		enum protocol_step step;
	} cases[] = {{SPEC_PROTOCOL_COUNT, "5\nab", "1\nc", PROTOCOL_DONE},
		     {SPEC_PROTOCOL_COUNT, "5", "1\nc", PROTOCOL_DONE},
		     {SPEC_PROTOCOL_JSON, "{\"ok\":", "{\"ok\":1}\n", PROTOCOL_DONE}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct protocol protocol;
		struct heard heard = {.emits_left = -1};
		size_t used;
		protocol_init(&protocol, cases[i].kind);
		assert_int_equal(
		    feed(&protocol, cases[i].half, strlen(cases[i].half), &used, &heard),
		    PROTOCOL_MORE);
		protocol_reset(&protocol);
		assert_int_equal(feed(&protocol, cases[i].whole, strlen(cases[i].whole),
				      &used, &heard),
				 cases[i].step);
		assert_int_equal(used, strlen(cases[i].whole));
		protocol_fini(&protocol);
		heard_fini(&heard);
	}
}

static void
an_emit_without_memory_is_told(void **state)
{
	(void)state;
	static const struct {
		enum spec_protocol kind;
		const char *answer;
		int emits; /* that it makes */
	} cases[] = {{SPEC_PROTOCOL_LINE, "a\n", 1},
		     {SPEC_PROTOCOL_COUNT, "1\na", 1},
		     {SPEC_PROTOCOL_JSON, "{\"ok\":1}\n", 2},
		     {SPEC_PROTOCOL_JSON, "{\"error\":\"a\",\"traceback\":\"b\"}\n", 4}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (int emits = 0; emits < cases[i].emits; emits++) {
			struct protocol protocol;
			struct heard heard = {.emits_left = emits};
			size_t used;
			protocol_init(&protocol, cases[i].kind);
			assert_int_equal(feed(&protocol, cases[i].answer,
					      strlen(cases[i].answer), &used, &heard),
					 PROTOCOL_NO_MEMORY);
			protocol_fini(&protocol);
			heard_fini(&heard);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_line_is_the_values_with_tabs_between_and_a_newline),
	    cmocka_unit_test(a_line_cannot_hold_a_newline_but_a_nul_byte),
	    cmocka_unit_test(nul_ends_with_a_nul_byte_and_holds_newlines),
	    cmocka_unit_test(json_says_which_task_it_is_with_its_values_variables_and_folder),
	    cmocka_unit_test(json_escapes_what_must_be_and_nothing_else),
	    cmocka_unit_test(json_writes_numbers_that_a_double_cannot_hold),
	    cmocka_unit_test(json_refuses_what_is_not_utf8),
	    cmocka_unit_test(what_json_cannot_say_of_variables_and_folder_is_left_out),
	    cmocka_unit_test(a_line_comes_out_with_its_newline_however_it_is_cut),
	    cmocka_unit_test(nul_comes_out_with_its_nul_byte_and_its_newlines),
	    cmocka_unit_test(count_gives_the_bytes_that_were_announced),
	    cmocka_unit_test(count_that_is_no_number_is_wrong),
	    cmocka_unit_test(count_without_a_newline_is_wrong_before_it_fills_the_memory),
	    cmocka_unit_test(
		json_prints_a_string_as_it_is_null_not_at_all_and_the_rest_as_it_was_written),
	    cmocka_unit_test(json_passes_an_error_and_its_traceback_to_stderr),
	    cmocka_unit_test(json_that_is_no_answer_is_wrong),
	    cmocka_unit_test(json_with_a_raw_nul_is_wrong),
	    cmocka_unit_test(json_longer_than_the_limit_is_wrong),
	    cmocka_unit_test(answers_follow_each_other_in_the_same_bytes),
	    cmocka_unit_test(reset_forgets_half_an_answer),
	    cmocka_unit_test(an_emit_without_memory_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Tests of sink/output in --json and --json-stream: what each line says, and when it comes. */
#include <signal.h>

#include <cjson/cJSON.h>

#include "output_fixture.h"

#define BULK_BYTES ((size_t)3 * 1000 * 1000)

static void
start_json(struct fixture *f, enum spec_json json)
{
	f->spec.json = json;
	start(f);
}

static void
settle_as(struct fixture *f, int n, const struct result *result)
{
	struct err err = {0};
	assert_int_equal(f->sink->ops->settled(f->sink, task_of(f, n), result, &err), 0);
}

static void
fail_to_be_retried(struct fixture *f, int n)
{
	struct err err = {0};
	const struct result result = {.reason = RESULT_EXIT, .exit_status = 1, .slot = 7};
	struct task *task = (struct task *)task_of(f, n);
	task->attempt++; /* as the plan does */
	assert_int_equal(f->sink->ops->retried(f->sink, task, &result, &err), 0);
}

/* Reads the file's lines: the n-th, from 0, as JSON; NULL: there are not so many. */
static cJSON *
line_of(struct fixture *f, int n)
{
	struct buf text = {0};
	cJSON *json = NULL;
	flush(f);
	read_file(f->out_fd, &text);
	assert_non_null(buf_str(&text));
	char *rest = text.bytes;
	for (char *line; (line = strsep(&rest, "\n")) != NULL && rest != NULL; n--)
		if (n == 0) {
			json = cJSON_Parse(line);
			assert_non_null(json);
		}
	buf_fini(&text);
	return json;
}

static void
expect_lines(struct fixture *f, int count)
{
	for (int n = 0; n < count; n++) {
		cJSON *json = line_of(f, n);
		assert_non_null(json);
		cJSON_Delete(json);
	}
	assert_null(line_of(f, count));
}

/* The member of the n-th line is this text; NULL: it is not there. */
static void
expect_text(struct fixture *f, int n, const char *name, const char *expected)
{
	cJSON *json = line_of(f, n);
	assert_non_null(json);
	const cJSON *member = cJSON_GetObjectItemCaseSensitive(json, name);
	if (expected == NULL) {
		assert_null(member);
	} else {
		assert_true(cJSON_IsString(member));
		assert_string_equal(member->valuestring, expected);
	}
	cJSON_Delete(json);
}

static void
expect_number(struct fixture *f, int n, const char *name, double expected)
{
	cJSON *json = line_of(f, n);
	assert_non_null(json);
	const cJSON *member = cJSON_GetObjectItemCaseSensitive(json, name);
	assert_true(cJSON_IsNumber(member));
	assert_true(member->valuedouble == expected);
	cJSON_Delete(json);
}

/* --- objects --- */

static void
object_has_what_the_task_printed_and_how_it_ended(void **state)
{
	struct fixture *f = *state;
	const struct result result = {.reason = RESULT_EXIT,
				      .exit_status = 3,
				      .pid = 99,
				      .worker = 4,
				      .slot = 5,
				      .cpu = -1,
				      .started_real_ns = 1500000000,
				      .wall_ns = 250000000,
				      .user_ns = 1000,
				      .maxrss_bytes = 4096};
	start_json(f, SPEC_JSON_OBJECTS);
	begin(f, 0);
	say(f, 0, "a \"quoted\"\nline\n");
	complain(f, 0, "oops");
	say(f, 0, "more");
	settle_as(f, 0, &result);
	expect_out(f, "{\"seq\":1,\"args\":[\"v0\"],\"command\":\"echo v0\","
		      "\"status\":\"failed\",\"exit\":3,\"error\":\"exit 3\","
		      "\"attempts\":1,\"worker\":4,\"slot\":5,\"pid\":99,"
		      "\"start_s\":1.500000,\"wall_s\":0.250000000,"
		      "\"user_s\":0.000001,\"sys_s\":0.000000,\"maxrss_bytes\":4096,"
		      "\"stdout\":\"a \\\"quoted\\\"\\nline\\nmore\","
		      "\"stderr\":\"oops\"}\n");
	expect_err(f, "");
	expect_finished(f);
}

static void
nothing_goes_out_before_the_end(void **state)
{
	struct fixture *f = *state;
	start_json(f, SPEC_JSON_OBJECTS);
	begin(f, 0);
	say(f, 0, "it is my turn\n");
	expect_out(f, "");
	settle(f, 0);
	expect_lines(f, 1);
	expect_finished(f);
}

static void
task_that_prints_nothing_has_empty_streams(void **state)
{
	struct fixture *f = *state;
	start_json(f, SPEC_JSON_OBJECTS);
	settle(f, 0);
	expect_text(f, 0, "stdout", "");
	expect_text(f, 0, "stderr", "");
	expect_finished(f);
}

static void
objects_come_in_input_order_and_the_window_moves(void **state)
{
	struct fixture *f = *state;
	start_json(f, SPEC_JSON_OBJECTS);
	for (int n = 3; n > 0; n--) {
		say(f, n, "held");
		settle(f, n);
	}
	expect_out(f, "");
	assert_int_equal(f->sink->ops->window_end(f->sink), 100);
	settle(f, 0);
	for (int n = 0; n < 4; n++)
		expect_number(f, n, "seq", n + 1);
	expect_text(f, 3, "stdout", "held");
	assert_int_equal(f->sink->ops->window_end(f->sink), 104);
	expect_finished(f);
}

static void
unordered_objects_come_as_tasks_settle(void **state)
{
	struct fixture *f = *state;
	f->spec.is_ordered = false;
	start_json(f, SPEC_JSON_OBJECTS);
	say(f, 0, "slow");
	say(f, 1, "quick");
	settle(f, 1);
	expect_number(f, 0, "seq", 2);
	settle(f, 0);
	expect_number(f, 1, "seq", 1);
	expect_text(f, 1, "stdout", "slow");
	expect_finished(f);
}

static void
bytes_that_are_not_utf8_are_base64_under_their_own_name(void **state)
{
	struct fixture *f = *state;
	start_json(f, SPEC_JSON_OBJECTS);
	say(f, 0, "text, then \xff");
	complain(f, 0, "stays text");
	settle(f, 0);
	expect_text(f, 0, "stdout", NULL);
	expect_text(f, 0, "stdout_base64", "dGV4dCwgdGhlbiD/");
	expect_text(f, 0, "stderr", "stays text");
	expect_finished(f);
}

static void
character_that_comes_in_two_pieces_is_text(void **state)
{
	struct fixture *f = *state;
	start_json(f, SPEC_JSON_OBJECTS);
	say(f, 0, "\xe2\x82");
	say(f, 0, "\xac");
	say(f, 1, "\xe2\x82");
	settle(f, 0);
	settle(f, 1);
	expect_text(f, 0, "stdout", "\xe2\x82\xac");
	expect_text(f, 1, "stdout_base64", "4oI=");
	expect_finished(f);
}

static void
failed_attempt_that_is_retried_is_forgotten(void **state)
{
	struct fixture *f = *state;
	f->spec.max_attempts = 2;
	start_json(f, SPEC_JSON_OBJECTS);
	say(f, 0, "first try \xff");
	fail_to_be_retried(f, 0);
	say(f, 0, "second");
	settle(f, 0);
	expect_text(f, 0, "stdout", "second");
	expect_number(f, 0, "attempts", 2);
	expect_lines(f, 1);
	expect_finished(f);
}

static void
skipped_task_was_never_attempted(void **state)
{
	struct fixture *f = *state;
	const struct result skipped = {.reason = RESULT_SKIPPED, .cpu = -1};
	start_json(f, SPEC_JSON_OBJECTS);
	settle_as(f, 0, &skipped);
	expect_text(f, 0, "status", "skipped");
	expect_number(f, 0, "attempts", 0);
	expect_finished(f);
}

static void
tasks_done_before_have_no_object(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	start_json(f, SPEC_JSON_OBJECTS);
	settle(f, 1);
	assert_int_equal(f->sink->ops->passed(f->sink, task_of(f, 0), &err), 0);
	expect_number(f, 0, "seq", 2);
	expect_lines(f, 1);
	expect_finished(f);
}

static void
say_much(struct fixture *f, int n, char c)
{
	char part[50000];
	memset(part, c, sizeof(part));
	for (size_t bytes = 0; bytes < BULK_BYTES; bytes += sizeof(part))
		print(f, n, RESULT_STDOUT, part, sizeof(part));
}

static void
large_outputs_come_out_whole_through_a_small_buffer(void **state)
{
	struct fixture *f = *state;
	f->spec.buffer_bytes = 100 * 1000;
	start_json(f, SPEC_JSON_OBJECTS);
	say_much(f, 1, '"');
	say_much(f, 0, '\xff');
	settle(f, 1);
	settle(f, 0);
	for (int turn = 0; !f->sink->ops->is_done(f->sink); turn++) {
		assert_true(turn < 20);
		flush(f);
	}
	cJSON *first = line_of(f, 0), *second = line_of(f, 1);
	const cJSON *coded = cJSON_GetObjectItem(first, "stdout_base64");
	const cJSON *text = cJSON_GetObjectItem(second, "stdout");
	assert_int_equal(strlen(coded->valuestring), BULK_BYTES / 3 * 4);
	assert_int_equal(strspn(coded->valuestring, "/"), BULK_BYTES / 3 * 4);
	assert_int_equal(strspn(text->valuestring, "\""), BULK_BYTES);
	cJSON_Delete(first);
	cJSON_Delete(second);
	expect_finished(f);
}

static void
reader_that_is_slow_makes_the_sink_behind_until_it_reads(void **state)
{
	struct fixture *f = *state;
	static const char end[] = "x\",\"stderr\":\"\"}\n";
	struct buf got = {0};
	use_pipe(f);
	start_json(f, SPEC_JSON_OBJECTS);
	say_much(f, 0, 'x');
	assert_false(is_behind(f));
	settle(f, 0);
	assert_true(is_behind(f));
	while (!f->sink->ops->is_done(f->sink)) {
		assert_true(read_pipe(f, &got, 500000) > 0);
		flush(f);
	}
	read_pipe(f, &got, SIZE_MAX);
	assert_false(is_behind(f));
	assert_true(got.length > BULK_BYTES);
	assert_memory_equal(got.bytes + got.length - strlen(end), end, strlen(end));
	buf_fini(&got);
}

static void
reader_that_has_gone_ends_it(void **state)
{
	struct fixture *f = *state;
	use_pipe(f);
	start_json(f, SPEC_JSON_OBJECTS);
	say_much(f, 0, 'x');
	io_close_set(&f->read_fd);
	settle(f, 0);
	flush(f);
	assert_true(output_is_pipe_closed(f->sink));
	say_much(f, 2, 'x');
	settle(f, 2);
	settle(f, 1);
	flush(f);
	assert_true(f->sink->ops->is_done(f->sink));
}

static void
reader_that_has_gone_is_told_no_more_events(void **state)
{
	struct fixture *f = *state;
	use_pipe(f);
	start_json(f, SPEC_JSON_EVENTS);
	io_close_set(&f->read_fd);
	begin(f, 0);
	flush(f);
	assert_true(output_is_pipe_closed(f->sink));
	say_much(f, 0, 'x');
	fail_to_be_retried(f, 0);
	begin(f, 0);
	settle(f, 0);
	assert_true(f->sink->ops->is_done(f->sink));
}

static void
commands_are_traced_on_stderr(void **state)
{
	struct fixture *f = *state;
	f->spec.is_traced = true;
	start_json(f, SPEC_JSON_OBJECTS);
	assert_null(f->sink->ops->answered);
	begin(f, 0);
	expect_err(f, "echo v0\n");
	settle(f, 0);
	expect_lines(f, 1);
}

static void
tasks_of_a_dry_run_say_so_and_print_nothing(void **state)
{
	struct fixture *f = *state;
	f->spec.is_dry_run = true;
	start_json(f, SPEC_JSON_OBJECTS);
	begin(f, 0);
	say(f, 0, "echo v0\n");
	settle(f, 0);
	expect_out(f, "{\"seq\":1,\"args\":[\"v0\"],\"command\":\"echo v0\","
		      "\"status\":\"dry_run\",\"attempts\":0,"
		      "\"stdout\":\"\",\"stderr\":\"\"}\n");
	expect_finished(f);
}

/* --- answers --- */

/* Tasks seq and seq + 1 of a chunk of three, with the values a and b. */
static void
answer_two(struct fixture *f, uint64_t seq, const char *first, const char *second)
{
	struct err err = {0};
	struct buf packed = {0}, bytes = {0};
	const struct answer items[] = {
	    {.started_at_ns = 1, .wall_ns = 2, .bytes = (uint32_t)strlen(first)},
	    {.started_at_ns = 3, .wall_ns = 4, .bytes = (uint32_t)strlen(second)},
	};
	assert_int_equal(task_pack(&packed, "a", 1), 0);
	assert_int_equal(task_pack(&packed, "b", 1), 0);
	assert_int_equal(task_pack(&packed, "c", 1), 0);
	assert_int_equal(buf_append_str(&bytes, first), 0);
	assert_int_equal(buf_append_str(&bytes, second), 0);
	const struct answers answers = {.items = items,
					.count = 2,
					.slot = 7,
					.bytes = bytes.bytes,
					.length = bytes.length};
	struct task *chunk = task_new(seq, 3, 1, &packed);
	assert_non_null(chunk);
	assert_int_equal(f->sink->ops->answered(f->sink, chunk, &answers, &err), 0);
	free(chunk);
	buf_fini(&packed);
	buf_fini(&bytes);
}

static void
answers_have_an_object_each_in_their_turn(void **state)
{
	struct fixture *f = *state;
	f->spec.executor = SPEC_PLUGIN;
	start_json(f, SPEC_JSON_OBJECTS);
	answer_two(f, 2, "three\n", "\xff");
	expect_out(f, "");
	answer_two(f, 0, "", "two");
	for (int n = 0; n < 4; n++) {
		expect_number(f, n, "seq", n + 1);
		expect_number(f, n, "slot", 7);
		expect_text(f, n, "status", "done");
		expect_text(f, n, "command", NULL);
		expect_text(f, n, "stderr", "");
	}
	expect_text(f, 0, "stdout", "");
	expect_text(f, 1, "stdout", "two");
	expect_text(f, 2, "stdout", "three\n");
	expect_text(f, 3, "stdout_base64", "/w==");
	assert_int_equal(f->sink->ops->window_end(f->sink), 104);
	expect_finished(f);
}

static void
answers_are_told_as_events_too(void **state)
{
	struct fixture *f = *state;
	start_json(f, SPEC_JSON_EVENTS);
	answer_two(f, 0, "one", "");
	expect_text(f, 0, "event", "started");
	expect_text(f, 1, "event", "output");
	expect_text(f, 1, "stdout", "one");
	expect_text(f, 2, "event", "finished");
	expect_text(f, 3, "event", "started");
	expect_number(f, 3, "seq", 2);
	expect_text(f, 4, "event", "finished");
	expect_lines(f, 5);
	expect_finished(f);
}

/* --- events --- */

static void
events_of_the_task_whose_turn_it_is_come_at_once(void **state)
{
	struct fixture *f = *state;
	start_json(f, SPEC_JSON_EVENTS);
	begin(f, 1);
	say(f, 1, "wait\n");
	expect_out(f, "");
	begin(f, 0);
	expect_text(f, 0, "event", "started");
	expect_text(f, 0, "command", "echo v0");
	say(f, 0, "now\n");
	expect_text(f, 1, "event", "output");
	expect_text(f, 1, "stdout", "now\n");
	complain(f, 0, "oops");
	expect_text(f, 2, "stderr", "oops");
	settle(f, 0);
	expect_text(f, 3, "event", "finished");
	expect_text(f, 3, "stdout", NULL);
	expect_number(f, 4, "seq", 2);
	expect_text(f, 5, "stdout", "wait\n");
	say(f, 1, "live");
	expect_text(f, 6, "stdout", "live");
	settle(f, 1);
	expect_lines(f, 8);
	expect_finished(f);
}

static void
events_of_an_unordered_run_come_as_they_happen(void **state)
{
	struct fixture *f = *state;
	f->spec.is_ordered = false;
	start_json(f, SPEC_JSON_EVENTS);
	begin(f, 1);
	begin(f, 0);
	say(f, 1, "b");
	say(f, 0, "a");
	expect_text(f, 2, "stdout", "b");
	expect_text(f, 3, "stdout", "a");
	settle(f, 1);
	settle(f, 0);
	expect_number(f, 4, "seq", 2);
	expect_number(f, 5, "seq", 1);
	expect_lines(f, 6);
	expect_finished(f);
}

static void
events_hold_whole_characters(void **state)
{
	struct fixture *f = *state;
	f->spec.is_ordered = false;
	start_json(f, SPEC_JSON_EVENTS);
	say(f, 0, "x\xe2");
	complain(f, 0, "\xc3");
	say(f, 0, "\x82");
	expect_lines(f, 1);
	expect_text(f, 0, "stdout", "x");
	say(f, 0, "\xacy");
	expect_text(f, 1, "stdout", "\xe2\x82\xacy");
	say(f, 0, "\xff\xe2"); /* no text anyway: nothing waits */
	expect_text(f, 2, "stdout_base64", "/+I=");
	settle(f, 0);
	expect_text(f, 3, "stderr_base64", "ww==");
	expect_text(f, 4, "event", "finished");
	expect_lines(f, 5);
	expect_finished(f);
}

static void
retried_attempts_are_told_and_nothing_is_taken_back(void **state)
{
	struct fixture *f = *state;
	f->spec.max_attempts = 3;
	start_json(f, SPEC_JSON_EVENTS);
	begin(f, 1);
	say(f, 1, "first\xc3");
	fail_to_be_retried(f, 1);
	begin(f, 1);
	say(f, 1, "second");
	settle(f, 1);
	settle(f, 0);
	expect_text(f, 1, "event", "started");
	expect_number(f, 1, "attempt", 1);
	expect_text(f, 2, "stdout", "first");
	expect_text(f, 3, "stdout_base64", "ww==");
	expect_number(f, 3, "attempt", 1);
	expect_text(f, 4, "event", "retried");
	expect_number(f, 4, "attempts", 1);
	expect_text(f, 4, "status", "failed");
	expect_number(f, 5, "attempt", 2);
	expect_text(f, 6, "stdout", "second");
	expect_text(f, 7, "event", "finished");
	expect_number(f, 7, "attempts", 2);
	expect_lines(f, 8);
	expect_finished(f);
}

static void
large_output_is_told_in_pieces(void **state)
{
	struct fixture *f = *state;
	char *bytes = malloc(200000);
	size_t got_bytes = 0;
	int pieces = 0;
	cJSON *json;
	assert_non_null(bytes);
	memset(bytes, 'x', 200000);
	start_json(f, SPEC_JSON_EVENTS);
	print(f, 0, RESULT_STDOUT, bytes, 200000);
	free(bytes);
	for (; (json = line_of(f, pieces)) != NULL; pieces++) {
		got_bytes +=
		    strlen(cJSON_GetStringValue(cJSON_GetObjectItem(json, "stdout")));
		cJSON_Delete(json);
	}
	assert_int_equal(got_bytes, 200000);
	assert_int_equal(pieces, 4);
	settle(f, 0);
	expect_finished(f);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(object_has_what_the_task_printed_and_how_it_ended),
	    TEST(nothing_goes_out_before_the_end),
	    TEST(task_that_prints_nothing_has_empty_streams),
	    TEST(objects_come_in_input_order_and_the_window_moves),
	    TEST(unordered_objects_come_as_tasks_settle),
	    TEST(bytes_that_are_not_utf8_are_base64_under_their_own_name),
	    TEST(character_that_comes_in_two_pieces_is_text),
	    TEST(failed_attempt_that_is_retried_is_forgotten),
	    TEST(skipped_task_was_never_attempted),
	    TEST(tasks_done_before_have_no_object),
	    TEST(large_outputs_come_out_whole_through_a_small_buffer),
	    TEST(reader_that_is_slow_makes_the_sink_behind_until_it_reads),
	    TEST(reader_that_has_gone_ends_it),
	    TEST(reader_that_has_gone_is_told_no_more_events),
	    TEST(commands_are_traced_on_stderr),
	    TEST(tasks_of_a_dry_run_say_so_and_print_nothing),
	    TEST(answers_have_an_object_each_in_their_turn),
	    TEST(answers_are_told_as_events_too),
	    TEST(events_of_the_task_whose_turn_it_is_come_at_once),
	    TEST(events_of_an_unordered_run_come_as_they_happen),
	    TEST(events_hold_whole_characters),
	    TEST(retried_attempts_are_told_and_nothing_is_taken_back),
	    TEST(large_output_is_told_in_pieces),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Ends of tasks as members of a JSON object: what is said of each, and what is left out. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#include "task/result_json.h"

static void
expect_members(const struct result_json *json, const char *expected)
{
	struct buf text = {0};
	assert_int_equal(result_json_append(&text, json), 0);
	assert_string_equal(buf_str(&text), expected);
	buf_fini(&text);
}

static void
all_is_said_of_a_task_that_was_measured(void **state)
{
	const struct arg args[] = {{"a\n", 2}, {"", 0}};
	const struct result result = {.reason = RESULT_EXIT,
				      .pid = 10,
				      .worker = 0,
				      .slot = 1,
				      .cpu = 0,
				      .started_real_ns = INT64_C(1795250361685123999),
				      .wall_ns = 1,
				      .user_ns = 2000,
				      .sys_ns = 3000000,
				      .maxrss_bytes = 1048576};
	const struct result_json json = {.seq = 41,
					 .args = args,
					 .arg_count = 2,
					 .command = "echo",
					 .command_length = 4,
					 .result = &result,
					 .attempts = 2,
					 .is_measured = true};
	(void)state;
	expect_members(&json,
		       "\"seq\":42,\"args\":[\"a\\n\",\"\"],\"command\":\"echo\","
		       "\"status\":\"done\",\"exit\":0,\"attempts\":2,\"worker\":0,"
		       "\"slot\":1,\"cpu\":0,\"pid\":10,\"start_s\":1795250361.685123,"
		       "\"wall_s\":0.000000001,\"user_s\":0.000002,\"sys_s\":0.003000,"
		       "\"maxrss_bytes\":1048576");
}

static void
what_is_not_known_is_left_out(void **state)
{
	const struct result result = {.reason = RESULT_SKIPPED, .cpu = -1};
	const struct result_json json = {.result = &result, .is_measured = true};
	(void)state;
	expect_members(&json, "\"seq\":1,\"args\":[],\"status\":\"skipped\","
			      "\"error\":\"skipped\",\"attempts\":0");
}

static void
one_value_that_is_not_utf8_makes_all_of_them_base64(void **state)
{
	const struct arg args[] = {{"text", 4}, {"\xff", 1}};
	const struct result result = {.reason = RESULT_EXIT, .cpu = -1};
	const struct result_json json = {.args = args,
					 .arg_count = 2,
					 .command = "\xff\xfe",
					 .command_length = 2,
					 .result = &result,
					 .attempts = 1};
	(void)state;
	expect_members(&json, "\"seq\":1,\"args_base64\":[\"dGV4dA==\",\"/w==\"],"
			      "\"command_base64\":\"//4=\",\"status\":\"done\","
			      "\"exit\":0,\"attempts\":1");
}

static void
each_end_has_a_status_and_words(void **state)
{
	static const struct {
		struct result result;
		const char *status, *error;
		int exit, signal; /* -1: left out */
	} ends[] = {
	    {{.reason = RESULT_EXIT}, "done", NULL, 0, -1},
	    {{.reason = RESULT_EXIT, .exit_status = 255}, "failed", "exit 255", 255, -1},
	    {{.reason = RESULT_SIGNAL, .signal = 9},
	     "killed",
	     "killed by signal 9 (KILL)",
	     -1,
	     9},
	    {{.reason = RESULT_TIMEOUT, .signal = 15}, "timed_out", "timed out", -1, 15},
	    {{.reason = RESULT_CANNOT_EXECUTE, .exit_status = 127, .errno_value = ENOENT},
	     "cannot_execute",
	     "cannot execute: No such file or directory",
	     127,
	     -1},
	    {{.reason = RESULT_LOST}, "lost", "lost: its worker died", -1, -1},
	    {{.reason = RESULT_NO_ANSWER, .exit_status = 1},
	     "no_answer",
	     "no answer: the program ended (exit 1)",
	     -1,
	     -1},
	    {{.reason = RESULT_CANCELLED, .signal = 15}, "cancelled", "cancelled", -1, 15},
	    {{.reason = RESULT_SKIPPED}, "skipped", "skipped", -1, -1},
	    {{.reason = RESULT_MEMORY, .signal = 9},
	     "out_of_memory",
	     "killed by the kernel for memory",
	     -1,
	     9},
	    {{.reason = RESULT_MEMORY, .exit_status = 137},
	     "out_of_memory",
	     "killed by the kernel for memory",
	     137,
	     -1},
	    {{.reason = RESULT_NO_OUTPUT, .exit_status = 1, .errno_value = -1},
	     "no_output",
	     "did not write {out}",
	     -1,
	     -1},
	};
	bool is_seen[RESULT_REASONS] = {false};
	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		const struct result_json json = {.result = &ends[i].result};
		struct buf text = {0};
		assert_int_equal(buf_append_char(&text, '{'), 0);
		assert_int_equal(result_json_append(&text, &json), 0);
		assert_int_equal(buf_append_char(&text, '}'), 0);
		cJSON *object = cJSON_Parse(buf_str(&text));
		assert_non_null(object);
		const cJSON *error = cJSON_GetObjectItem(object, "error");
		const cJSON *exit = cJSON_GetObjectItem(object, "exit");
		const cJSON *signal = cJSON_GetObjectItem(object, "signal");
		assert_string_equal(
		    cJSON_GetStringValue(cJSON_GetObjectItem(object, "status")),
		    ends[i].status);
		assert_int_equal(error == NULL, ends[i].error == NULL);
		if (error != NULL)
			assert_string_equal(error->valuestring, ends[i].error);
		assert_int_equal(exit == NULL ? -1 : exit->valueint, ends[i].exit);
		assert_int_equal(signal == NULL ? -1 : signal->valueint, ends[i].signal);
		is_seen[ends[i].result.reason] = true;
		cJSON_Delete(object);
		buf_fini(&text);
	}
	for (int reason = 0; reason < RESULT_REASONS; reason++)
		assert_true(is_seen[reason]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(all_is_said_of_a_task_that_was_measured),
	    cmocka_unit_test(what_is_not_known_is_left_out),
	    cmocka_unit_test(one_value_that_is_not_utf8_makes_all_of_them_base64),
	    cmocka_unit_test(each_end_has_a_status_and_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

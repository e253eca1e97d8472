/* What status and ctl do to a run in the middle of its tasks. */
#include <cjson/cJSON.h>

#include "run_fixture.h"

#include "run/control.h"
#include "run/run_parts.h"
#include "run/steer.h"
#include "run/steer_parts.h"

/* What is asked when a task c or C starts, in turn. */
struct script {
	struct fixture *f;
	struct steer *steer;
	const struct control_request *requests;
	size_t count;
	size_t at;
	struct buf replies; /* a line each */
};

static void
ask(void *context, uint64_t seq)
{
	struct script *script = context;
	struct err err = {0};
	(void)seq;
	if (script->steer == NULL)
		script->steer = steer_new(script->f->conductor, &script->f->spec, &err);
	assert_non_null(script->steer);
	for (bool is_more = true; is_more && script->at < script->count; script->at++) {
		const struct control_request *request = &script->requests[script->at];
		if (steer_act(script->steer, request, &script->replies, &err) == -1)
			assert_int_equal(buf_printf(&script->replies, "%s", err.text), 0);
		assert_int_equal(buf_append_char(&script->replies, '\n'), 0);
		/* Or nobody would come again. */
		is_more = request->verb == CONTROL_PAUSE ||
			  request->verb == CONTROL_DRAIN || request->verb == CONTROL_STOP;
	}
}

static enum run_outcome
run_asked(struct fixture *f, const char *letters, struct script *script)
{
	script->f = f;
	f->backend.on_start = ask;
	f->backend.on_start_context = script;
	enum run_outcome outcome = run_script(f, letters);
	assert_int_equal(script->at, script->count);
	assert_non_null(buf_str(&script->replies));
	return outcome;
}

static void
end(struct script *script)
{
	steer_free(script->steer);
	buf_fini(&script->replies);
}

#define SCRIPT(...)                                                              \
	{                                                                        \
		.requests = (const struct control_request[]){__VA_ARGS__},       \
		.count = sizeof((const struct control_request[]){__VA_ARGS__}) / \
			 sizeof(struct control_request)                          \
	}

static void
jobs_sets_the_number_of_workers(void **state)
{
	struct fixture *f = *state;
	struct script script =
	    SCRIPT({.verb = CONTROL_JOBS, .has_number = true, .number = 5});
	f->backend.worker_count = 1;
	assert_int_equal(run_asked(f, "c00", &script), RUN_COMPLETE);
	assert_backend_log(f, "resize:5");
	assert_string_equal(script.replies.bytes, ",\"jobs\":5\n");
	end(&script);
}

static void
jobs_beyond_what_is_possible_are_refused(void **state)
{
	struct fixture *f = *state;
	struct script script =
	    SCRIPT({.verb = CONTROL_JOBS, .has_number = true, .number = FAKE_ITEMS + 1});
	assert_int_equal(run_asked(f, "c00", &script), RUN_COMPLETE);
	assert_backend_log(f, "");
	assert_string_equal(script.replies.bytes,
			    "this run can have 64 workers at most\n");
	end(&script);
}

/* -j FILE is not read any more: it would undo what was asked for last. */
static void
jobs_ends_the_say_of_the_file(void **state)
{
	struct fixture *f = *state;
	struct script script =
	    SCRIPT({.verb = CONTROL_JOBS, .has_number = true, .number = 5});
	f->config.worker_count = fixture_worker_count;
	f->wanted_worker_count = 2;
	assert_int_equal(run_asked(f, "c00000000", &script), RUN_COMPLETE);
	assert_backend_log(f, "resize:5");
	end(&script);
}

static void
pause_takes_back_what_waits_and_resume_goes_on(void **state)
{
	struct fixture *f = *state;
	struct script script = SCRIPT({.verb = CONTROL_PAUSE}, {.verb = CONTROL_PAUSE},
				      {.verb = CONTROL_RESUME});
	f->backend.worker_count = 3;
	assert_int_equal(run_asked(f, "c0000", &script), RUN_COMPLETE);
	assert_backend_log(f, "withdraw pause unpause");
	assert_string_equal(script.replies.bytes, "\n\n\n");
	end(&script);
}

static void
drain_skips_what_has_not_started(void **state)
{
	struct fixture *f = *state;
	struct script script = SCRIPT({.verb = CONTROL_DRAIN});
	f->backend.worker_count = 2;
	assert_int_equal(run_asked(f, "lc00", &script), RUN_DRAINED);
	assert_backend_log(f, "withdraw retire");
	assert_sink_log(f, ">0.1 *0.1 >1.1 *1.1 +2.1=K +3.1=K +1.1=E0 +0.1=E0");
	end(&script);
}

static void
run_that_ends_takes_no_more_orders(void **state)
{
	struct fixture *f = *state;
	struct script script = SCRIPT({.verb = CONTROL_DRAIN}, {.verb = CONTROL_RESUME});
	f->backend.worker_count = 2;
	assert_int_equal(run_asked(f, "c000", &script), RUN_DRAINED);
	assert_string_equal(script.replies.bytes, "\nthe run is ending\n");
	end(&script);
}

static void
status_says_that_a_run_is_draining(void **state)
{
	struct fixture *f = *state;
	struct script script = SCRIPT({.verb = CONTROL_DRAIN}, {.verb = CONTROL_STATUS});
	f->backend.worker_count = 2;
	assert_int_equal(run_asked(f, "c000", &script), RUN_DRAINED);
	assert_non_null(strstr(script.replies.bytes, "\"state\":\"draining\""));
	end(&script);
}

static void
status_says_that_a_run_is_stopping(void **state)
{
	struct fixture *f = *state;
	struct script script = SCRIPT({.verb = CONTROL_STOP}, {.verb = CONTROL_STATUS});
	f->backend.worker_count = 2;
	assert_int_equal(run_asked(f, "hC00", &script), RUN_SIGNALLED);
	assert_non_null(strstr(script.replies.bytes, "\"state\":\"stopping\""));
	end(&script);
}

static void
stop_is_as_a_signal(void **state)
{
	struct fixture *f = *state;
	struct script script = SCRIPT({.verb = CONTROL_STOP});
	f->backend.worker_count = 2;
	assert_int_equal(run_asked(f, "hC00", &script), RUN_SIGNALLED);
	assert_int_equal(conductor_signal(f->conductor), SIGTERM);
	assert_sink_log(f, ">0.1 *0.1 >1.1 *1.1 +2.1=K +3.1=K +1.1=C +0.1=C");
	end(&script);
}

static void
cancel_ends_a_task_that_runs_and_no_other(void **state)
{
	struct fixture *f = *state;
	struct script script =
	    SCRIPT({.verb = CONTROL_CANCEL, .has_number = true, .number = 1});
	f->backend.worker_count = 2;
	assert_int_equal(run_asked(f, "hc0", &script), RUN_COMPLETE);
	assert_backend_log(f, "recall:0");
	assert_non_null(strstr(buf_str(&f->sink.log), "+0.1=C"));
	assert_non_null(strstr(buf_str(&f->sink.log), "+1.1=E0"));
	assert_string_equal(script.replies.bytes, ",\"cancelled\":1\n");
	end(&script);
}

static void
cancelled_task_is_not_tried_again(void **state)
{
	struct fixture *f = *state;
	struct script script =
	    SCRIPT({.verb = CONTROL_CANCEL, .has_number = true, .number = 1});
	f->spec.max_attempts = 5;
	f->backend.worker_count = 2;
	assert_int_equal(run_asked(f, "hc0", &script), RUN_COMPLETE);
	assert_null(strstr(buf_str(&f->sink.log), "~0"));
	end(&script);
}

/* By more and more force, until its worker dies. */
static void
cancelled_task_that_does_not_go_is_killed(void **state)
{
	struct fixture *f = *state;
	struct script script =
	    SCRIPT({.verb = CONTROL_CANCEL, .has_number = true, .number = 1});
	f->backend.worker_count = 2;
	assert_int_equal(run_asked(f, "kc0", &script), RUN_COMPLETE);
	assert_backend_log(f, "recall:0 cancel:2");
	assert_non_null(strstr(buf_str(&f->sink.log), "+0.1=C"));
	end(&script);
}

static void
cancelled_task_that_waits_is_never_started(void **state)
{
	struct fixture *f = *state;
	struct script script =
	    SCRIPT({.verb = CONTROL_CANCEL, .has_number = true, .number = 3});
	f->backend.worker_count = 1;
	assert_int_equal(run_asked(f, "c000", &script), RUN_COMPLETE);
	assert_sink_log(f,
			">0.1 *0.1 +0.1=E0 >1.1 *1.1 +1.1=E0 +2.1=C >3.1 *3.1 +3.1=E0");
	end(&script);
}

/* It is with the backend, which gives it back. */
static void
cancelled_task_on_its_way_to_a_worker_is_never_started(void **state)
{
	struct fixture *f = *state;
	struct script script =
	    SCRIPT({.verb = CONTROL_CANCEL, .has_number = true, .number = 2});
	f->backend.worker_count = 3;
	assert_int_equal(run_asked(f, "c000", &script), RUN_COMPLETE);
	assert_backend_log(f, "recall:1");
	assert_null(strstr(buf_str(&f->sink.log), ">1.1"));
	assert_non_null(strstr(buf_str(&f->sink.log), "+1.1=C"));
	end(&script);
}

static void
cancelled_task_stays_cancelled_when_the_run_is_drained(void **state)
{
	struct fixture *f = *state;
	struct script script =
	    SCRIPT({.verb = CONTROL_CANCEL, .has_number = true, .number = 4},
		   {.verb = CONTROL_DRAIN});
	f->backend.worker_count = 2;
	assert_int_equal(run_asked(f, "cc000", &script), RUN_DRAINED);
	assert_non_null(strstr(buf_str(&f->sink.log), "+2.1=K"));
	assert_non_null(strstr(buf_str(&f->sink.log), "+3.1=C"));
	end(&script);
}

static void
task_that_has_ended_cannot_be_cancelled(void **state)
{
	struct fixture *f = *state;
	struct script script =
	    SCRIPT({.verb = CONTROL_CANCEL, .has_number = true, .number = 1},
		   {.verb = CONTROL_CANCEL, .has_number = true, .number = 99});
	f->source_script =
	    "tttw"; /* the end of the input is not known when task 99 is asked for */
	f->backend.worker_count = 1;
	assert_int_equal(run_asked(f, "0cc", &script), RUN_COMPLETE);
	assert_string_equal(script.replies.bytes,
			    "task 1 has ended, or there is none\n,\"cancelled\":1\n");
	end(&script);
}

static void
cancel_of_all_that_runs_leaves_the_rest(void **state)
{
	struct fixture *f = *state;
	struct script script = SCRIPT({.verb = CONTROL_CANCEL});
	f->backend.worker_count = 3;
	assert_int_equal(run_asked(f, "hhC00", &script), RUN_COMPLETE);
	assert_string_equal(script.replies.bytes, ",\"cancelled\":3\n");
	assert_int_equal(f->run->counts.cancelled, 3);
	assert_int_equal(f->run->counts.done, 2);
	end(&script);
}

static double
number(const cJSON *object, const char *name)
{
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(object, name);
	assert_true(cJSON_IsNumber(value));
	return value->valuedouble;
}

static void
status_says_how_far_the_run_is(void **state)
{
	struct fixture *f = *state;
	char *words[] = {(char[]){"my gzip"}, (char[]){"{}"}, NULL};
	struct script script = SCRIPT({.verb = CONTROL_STATUS, .wants_workers = true});
	f->spec.words = words;
	f->spec.word_count = 2;
	f->backend.worker_count = 1;
	assert_int_equal(run_asked(f, "030c00", &script), RUN_COMPLETE);
	script.replies.bytes[0] = '{';
	script.replies.bytes[script.replies.length - 1] = '}';
	cJSON *reply = cJSON_Parse(script.replies.bytes);
	assert_non_null(reply);
	const cJSON *tasks = cJSON_GetObjectItemCaseSensitive(reply, "tasks");
	assert_int_equal(number(tasks, "done"), 2);
	assert_int_equal(number(tasks, "failed"), 1);
	assert_int_equal(number(tasks, "running"), 1);
	assert_int_equal(number(reply, "jobs"), 1);
	assert_true(number(reply, "rate") > 0);
	assert_string_equal(cJSON_GetObjectItemCaseSensitive(reply, "command")->valuestring,
			    "'my gzip' '{}'");
	assert_string_equal(cJSON_GetObjectItemCaseSensitive(reply, "state")->valuestring,
			    "running");
	const cJSON *worker =
	    cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(reply, "workers"), 0);
	assert_int_equal(number(worker, "seq"), 4);
	assert_int_equal(number(worker, "slot"), 1);
	assert_true(number(worker, "elapsed_s") >= 0);
	cJSON_Delete(reply);
	end(&script);
	f->spec.words = NULL;
	f->spec.word_count = 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(jobs_sets_the_number_of_workers),
	    TEST(jobs_beyond_what_is_possible_are_refused),
	    TEST(jobs_ends_the_say_of_the_file),
	    TEST(pause_takes_back_what_waits_and_resume_goes_on),
	    TEST(drain_skips_what_has_not_started),
	    TEST(run_that_ends_takes_no_more_orders),
	    TEST(status_says_that_a_run_is_draining),
	    TEST(status_says_that_a_run_is_stopping),
	    TEST(stop_is_as_a_signal),
	    TEST(cancel_ends_a_task_that_runs_and_no_other),
	    TEST(cancelled_task_is_not_tried_again),
	    TEST(cancelled_task_that_does_not_go_is_killed),
	    TEST(cancelled_task_that_waits_is_never_started),
	    TEST(cancelled_task_on_its_way_to_a_worker_is_never_started),
	    TEST(cancelled_task_stays_cancelled_when_the_run_is_drained),
	    TEST(task_that_has_ended_cannot_be_cancelled),
	    TEST(cancel_of_all_that_runs_leaves_the_rest),
	    TEST(status_says_how_far_the_run_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The run with fakes on all sides: settling, retries, ends, backpressure, time. */
#include "run_fixture.h"

#include "base/io.h"

static void
set_halt(struct fixture *f, enum spec_halt_when when)
{
	f->spec.halt = (struct spec_halt){.when = when, .why = SPEC_HALT_FAIL, .value = 1};
}

/* --- what is settled --- */

static void
each_task_is_told_in_order_started_output_settled(void **state)
{
	struct fixture *f = *state;
	f->backend.worker_count = 1;
	assert_int_equal(run_script(f, "030"), RUN_COMPLETE);
	assert_sink_log(f, ">0.1 *0.1 +0.1=E0 >1.1 *1.1 +1.1=E3 >2.1 *2.1 +2.1=E0");
	assert_backend_log(f, "");
	assert_int_equal(f->sink.finish_count, 1);
	assert_int_equal(conductor_signal(f->conductor), 0);
	assert_int_equal(f->err.kind, ERR_NONE);
}

static void
run_without_tasks_is_complete(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(run_script(f, ""), RUN_COMPLETE);
	assert_sink_log(f, "");
	assert_int_equal(f->sink.finish_count, 1);
}

static void
many_tasks_settle_once_each(void **state)
{
	struct fixture *f = *state;
	f->backend.worker_count = 7;
	assert_int_equal(run_script(f, "0123456789l0l1l2l3xuL00000000000"), RUN_COMPLETE);
}

static void
retried_attempt_is_told_to_the_sinks(void **state)
{
	struct fixture *f = *state;
	f->spec.max_attempts = 2;
	f->backend.worker_count = 1;
	assert_int_equal(run_script(f, "x"), RUN_COMPLETE);
	assert_sink_log(f, ">0.1 *0.1 ~0 >0.2 *0.2 +0.2=E0");
}

static void
retry_waits_for_its_backoff(void **state)
{
	struct fixture *f = *state;
	f->spec.max_attempts = 2;
	f->spec.backoff_ns = 30 * NS_PER_MS;
	assert_int_equal(run_script(f, "x"), RUN_COMPLETE);
	assert_true(f->backend.submitted_at_ns[1] - f->backend.submitted_at_ns[0] >=
		    30 * NS_PER_MS);
}

static void
lost_task_is_retried_then_settles_as_lost(void **state)
{
	struct fixture *f = *state;
	f->spec.max_attempts = 2;
	f->backend.worker_count = 1;
	assert_int_equal(run_script(f, "L"), RUN_COMPLETE);
	assert_sink_log(f, ">0.1 *0.1 ~0 >0.2 *0.2 +0.2=L");
}

static void
returned_task_is_submitted_again_without_a_word_to_the_sinks(void **state)
{
	struct fixture *f = *state;
	f->backend.worker_count = 1;
	assert_int_equal(run_script(f, "u0"), RUN_COMPLETE);
	assert_sink_log(f, ">0.1 *0.1 +0.1=E0 >1.1 *1.1 +1.1=E0");
}

static void
finish_told_twice_settles_once(void **state)
{
	struct fixture *f = *state;
	f->backend.worker_count = 1;
	assert_int_equal(run_script(f, "dd"), RUN_COMPLETE);
	assert_sink_log(f, ">0.1 *0.1 +0.1=E0 >1.1 *1.1 +1.1=E0");
}

static void
note_goes_to_the_command(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(run_script(f, "0n"), RUN_COMPLETE);
	assert_string_equal(buf_str(&f->notes), "note");
}

static void
source_that_waits_is_asked_again_when_readable(void **state)
{
	struct fixture *f = *state;
	f->source_script = "twt";
	assert_int_equal(io_write_all(f->writable_fd, "\1\0\0\0\0\0\0\0", 8), 0);
	f->backend.worker_count = 1;
	assert_int_equal(run_script(f, "00"), RUN_COMPLETE);
	assert_int_equal(f->sink.settled_count, 2);
}

static void
backend_without_room_for_one_is_asked_again_later(void **state)
{
	struct fixture *f = *state;
	f->backend.refused_count = 3;
	assert_int_equal(run_script(f, "l000"), RUN_COMPLETE);
	assert_int_equal(f->backend.refused_count, 0);
}

static void
worker_count_is_asked_for_when_something_settles(void **state)
{
	struct fixture *f = *state;
	f->config.worker_count = fixture_worker_count;
	f->wanted_worker_count = 5;
	assert_int_equal(run_script(f, "000"), RUN_COMPLETE);
	assert_backend_log(f, "resize:5");
}

static void
backend_hears_whether_more_tasks_may_come(void **state)
{
	struct fixture *f = *state;
	f->source_script = "tt";
	f->backend.worker_count = 3;
	assert_int_equal(run_script(f, "00"), RUN_COMPLETE);
	assert_false(f->backend.has_spread_some);
	assert_true(f->backend.has_spread_all);
}

static void
backend_hears_that_only_the_input_pauses(void **state)
{
	struct fixture *f = *state;
	f->source_script = "twt";
	f->backend.worker_count = 3;
	assert_int_equal(run_script(f, "00"), RUN_COMPLETE);
	assert_true(f->backend.has_spread_some);
	assert_true(f->backend.has_spread_all);
}

/* --- halt --- */

static void
halt_soon_lets_what_runs_end_and_skips_the_rest(void **state)
{
	struct fixture *f = *state;
	set_halt(f, SPEC_HALT_SOON);
	assert_int_equal(run_script(f, "l4"), RUN_HALTED);
	assert_sink_log(f, ">0.1 *0.1 >1.1 *1.1 +1.1=E4 +0.1=E0");
	assert_backend_log(f, "withdraw");
	assert_int_equal(plan_halt_status(f->plan), 4);
	assert_int_equal(f->sink.finish_count, 1);
}

static void
halt_now_cancels_what_runs(void **state)
{
	struct fixture *f = *state;
	set_halt(f, SPEC_HALT_NOW);
	f->backend.worker_count = 2;
	assert_int_equal(run_script(f, "h04"), RUN_HALTED);
	assert_backend_log(f, "withdraw cancel_all:0");
	assert_non_null(strstr(buf_str(&f->sink.log), "+0.1=C"));
	assert_non_null(strstr(buf_str(&f->sink.log), "+2.1=E4"));
}

static void
after_a_halt_no_more_is_started(void **state)
{
	struct fixture *f = *state;
	set_halt(f, SPEC_HALT_SOON);
	f->backend.worker_count = 1;
	assert_int_equal(run_script(f, "0700000000"), RUN_HALTED);
	assert_int_equal(f->backend.submitted_count, 2);
	assert_int_equal(plan_halt_status(f->plan), 7);
}

/* --- failures of ours --- */

static void
check_failing_sink(struct fixture *f, char at)
{
	char expected[] = "sink fails at ?";
	expected[sizeof(expected) - 2] = at;
	f->spec.max_attempts = 2;
	add_bad_sink(f, at);
	assert_int_equal(run_script(f, "1h00000"), RUN_FAILED);
	assert_string_equal(f->err.text, expected);
	assert_true(f->backend.submitted_count < 5);
	assert_backend_log(f, "withdraw cancel_all:0");
	assert_int_equal(f->sink.finish_count, 0);
	assert_int_equal(f->bad.finish_count, 0);
	const char *first = strchr(buf_str(&f->bad.log), at);
	assert_true(at == 'f' || first != NULL);
	assert_true(first == NULL || strchr(first, ' ') == NULL); /* not called again */
}

static void
sink_that_fails_at_a_start_ends_the_run(void **state)
{
	check_failing_sink(*state, '>');
}

static void
sink_that_fails_at_output_ends_the_run(void **state)
{
	check_failing_sink(*state, '*');
}

static void
sink_that_fails_at_a_retry_ends_the_run(void **state)
{
	check_failing_sink(*state, '~');
}

static void
sink_that_fails_at_the_last_word_ends_the_run(void **state)
{
	check_failing_sink(*state, '+');
}

static void
sink_that_fails_to_flush_ends_the_run(void **state)
{
	check_failing_sink(*state, 'f');
}

static void
sink_that_fails_at_the_very_end_fails_the_run(void **state)
{
	struct fixture *f = *state;
	add_bad_sink(f, 'F');
	assert_int_equal(run_script(f, "00"), RUN_FAILED);
	assert_string_equal(f->err.text, "sink fails at F");
}

static void
source_that_fails_is_a_failure_when_all_before_it_is_done(void **state)
{
	struct fixture *f = *state;
	f->source_script = "te";
	assert_int_equal(run_script(f, "0"), RUN_FAILED);
	assert_string_equal(f->err.text, "cannot read");
	assert_int_equal(f->sink.settled_count, 1);
}

static void
failing_submit_ends_the_run(void **state)
{
	struct fixture *f = *state;
	/* At once: there is nothing that the time to end itself is for. */
	f->spec.term_step_count = 1;
	f->spec.term_steps[0] =
	    (struct spec_term_step){.signal = SIGTERM, .wait_ms = 20000};
	f->backend.submit_error = "too large";
	int64_t begun_at_ns = clock_now_ns();
	assert_int_equal(run_script(f, "000"), RUN_FAILED);
	assert_true(clock_now_ns() - begun_at_ns < 20 * NS_PER_S);
	assert_string_equal(f->err.text, "too large");
}

static void
failing_publish_is_a_broken_pool(void **state)
{
	struct fixture *f = *state;
	f->backend.publish_error = "cannot fork";
	assert_int_equal(run_script(f, "000"), RUN_BROKEN);
	assert_string_equal(f->err.text, "cannot fork");
}

static void
broken_backend_ends_the_run_as_broken(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(run_script(f, "h0b00"), RUN_BROKEN);
	assert_string_equal(f->err.text, "no worker starts");
	assert_non_null(strstr(buf_str(&f->sink.log), "+2.1=K"));
	assert_int_equal(f->sink.finish_count, 1);
}

/* --- backpressure --- */

static void
sink_that_is_behind_holds_the_backend(void **state)
{
	struct fixture *f = *state;
	f->sink.lag = 4;
	f->backend.worker_count = 3;
	assert_int_equal(run_script(f, "00000"), RUN_COMPLETE);
	assert_int_equal(f->sink.overruns, 0);
	assert_backend_log(f, "hold release hold release hold release hold release "
			      "hold release");
}

static void
nothing_is_submitted_while_a_sink_is_behind(void **state)
{
	struct fixture *f = *state;
	f->sink.lag_ns = 50 * NS_PER_MS;
	f->spec.delay_ns = 1; /* so that the second could be submitted once the first runs */
	f->backend.worker_count = 2;
	assert_int_equal(run_script(f, "00"), RUN_COMPLETE);
	assert_true(f->backend.submitted_at_ns[1] - f->backend.submitted_at_ns[0] >=
		    50 * NS_PER_MS);
}

static void
run_waits_for_a_sink_after_the_one_before_it_is_done(void **state)
{
	struct fixture *f = *state;
	add_bad_sink(f, '\0'); /* which is good, too */
	f->bad.wait_fd = dup(f->writable_fd);
	assert_int_not_equal(f->bad.wait_fd, -1);
	f->sink.undone = 20;
	f->bad.undone = 50;
	assert_int_equal(run_script(f, "0"), RUN_COMPLETE);
	assert_int_equal(f->bad.undone, 0);
	close(f->bad.wait_fd);
}

static void
run_ends_only_when_the_sinks_are_done(void **state)
{
	struct fixture *f = *state;
	f->sink.undone = 50;
	assert_int_equal(run_script(f, "0"), RUN_COMPLETE);
	assert_int_equal(f->sink.finish_count, 1);
	assert_false(f->sink.is_unfinished_at_finish);
	assert_int_equal(f->sink.undone, 0);
}

static void
window_of_a_sink_is_respected(void **state)
{
	struct fixture *f = *state;
	f->sink.window = 3;
	f->backend.worker_count = 10;
	assert_int_equal(run_script(f, "l00l00l00l00"), RUN_COMPLETE);
	assert_false(f->sink.is_window_broken);
}

static void
time_while_held_does_not_count_for_time_limits(void **state)
{
	struct fixture *f = *state;
	f->spec.timeout.ns = 20 * NS_PER_MS;
	f->sink.lag_ns = 60 * NS_PER_MS;
	f->backend.worker_count = 1;
	int64_t before_ns = clock_now_ns();
	assert_int_equal(run_script(f, "0"), RUN_COMPLETE);
	int64_t held_ns = clock_now_ns() - before_ns;
	assert_true(held_ns >= 60 * NS_PER_MS);
	assert_sink_log(f, ">0.1 *0.1 +0.1=E0");
	assert_backend_log(f, "hold release");
}

static void
what_is_taken_after_a_hold_is_recorded_without_further_events(void **state)
{
	struct fixture *f = *state;
	f->sink.unwanted = 4;
	assert_int_equal(run_script(f, "w"), RUN_COMPLETE);
	assert_sink_log(f, ">0.1 *0.1 *0.1 +0.1=E0");
	assert_backend_log(f, "hold_from:0 hold_from");
}

static void
task_whose_output_is_wanted_has_its_time_limit_while_others_are_held(void **state)
{
	struct fixture *f = *state;
	f->spec.timeout.ns = 40 * NS_PER_MS;
	f->sink.wants_head_only = true;
	int64_t begun_at_ns = clock_now_ns();
	assert_int_equal(run_script(f, "hh"), RUN_COMPLETE);
	assert_true(clock_now_ns() - begun_at_ns >= 80 * NS_PER_MS);
	assert_sink_log(f, ">0.1 *0.1 >1.1 *1.1 +0.1=T +1.1=T");
}

/* --- time --- */

static void
delay_lies_between_starts(void **state)
{
	struct fixture *f = *state;
	f->spec.delay_ns = 30 * NS_PER_MS;
	f->backend.worker_count = 8;
	int64_t begun_at_ns = clock_now_ns();
	assert_int_equal(run_script(f, "0000"), RUN_COMPLETE);
	for (int i = 0; i < 4; i++)
		assert_true(f->backend.submitted_at_ns[i] - begun_at_ns >=
			    i * 30 * NS_PER_MS);
}

static void
task_over_its_time_is_ended(void **state)
{
	struct fixture *f = *state;
	f->spec.timeout.ns = 20 * NS_PER_MS;
	int64_t begun_at_ns = clock_now_ns();
	assert_int_equal(run_script(f, "h"), RUN_COMPLETE);
	assert_true(clock_now_ns() - begun_at_ns >= 20 * NS_PER_MS);
	assert_sink_log(f, ">0.1 *0.1 +0.1=T");
	assert_backend_log(f, "cancel:0");
}

static void
task_over_its_time_that_does_not_end_loses_its_worker(void **state)
{
	struct fixture *f = *state;
	f->spec.timeout.ns = 10 * NS_PER_MS;
	assert_int_equal(run_script(f, "k"), RUN_COMPLETE);
	assert_sink_log(f, ">0.1 *0.1 +0.1=T");
	assert_backend_log(f, "cancel:0 cancel:2");
}

static void
tasks_done_before_are_passed_over(void **state)
{
	struct fixture *f = *state;
	f->sink.window = 1;
	f->source_script = "dtdtd";
	assert_int_equal(run_script(f, "_0_0_"), RUN_COMPLETE);
	assert_sink_log(f, "-0.1 >1.1 *1.1 +1.1=E0 -2.1 >3.1 *3.1 +3.1=E0 -4.1");
}

static void
tasks_done_before_are_not_skipped_by_a_halt(void **state)
{
	struct fixture *f = *state;
	set_halt(f, SPEC_HALT_SOON);
	f->sink.window = 1;
	f->source_script = "tddt";
	assert_int_equal(run_script(f, "1__0"), RUN_HALTED);
	assert_sink_log(f, ">0.1 *0.1 +0.1=E1 -1.1 -2.1 +3.1=K");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(each_task_is_told_in_order_started_output_settled),
	    TEST(run_without_tasks_is_complete),
	    TEST(many_tasks_settle_once_each),
	    TEST(retried_attempt_is_told_to_the_sinks),
	    TEST(retry_waits_for_its_backoff),
	    TEST(lost_task_is_retried_then_settles_as_lost),
	    TEST(returned_task_is_submitted_again_without_a_word_to_the_sinks),
	    TEST(finish_told_twice_settles_once),
	    TEST(note_goes_to_the_command),
	    TEST(source_that_waits_is_asked_again_when_readable),
	    TEST(backend_without_room_for_one_is_asked_again_later),
	    TEST(backend_hears_whether_more_tasks_may_come),
	    TEST(backend_hears_that_only_the_input_pauses),
	    TEST(worker_count_is_asked_for_when_something_settles),
	    TEST(halt_soon_lets_what_runs_end_and_skips_the_rest),
	    TEST(halt_now_cancels_what_runs),
	    TEST(after_a_halt_no_more_is_started),
	    TEST(sink_that_fails_at_a_start_ends_the_run),
	    TEST(sink_that_fails_at_output_ends_the_run),
	    TEST(sink_that_fails_at_a_retry_ends_the_run),
	    TEST(sink_that_fails_at_the_last_word_ends_the_run),
	    TEST(sink_that_fails_to_flush_ends_the_run),
	    TEST(sink_that_fails_at_the_very_end_fails_the_run),
	    TEST(tasks_done_before_are_passed_over),
	    TEST(tasks_done_before_are_not_skipped_by_a_halt),
	    TEST(source_that_fails_is_a_failure_when_all_before_it_is_done),
	    TEST(failing_submit_ends_the_run),
	    TEST(failing_publish_is_a_broken_pool),
	    TEST(broken_backend_ends_the_run_as_broken),
	    TEST(sink_that_is_behind_holds_the_backend),
	    TEST(nothing_is_submitted_while_a_sink_is_behind),
	    TEST(run_waits_for_a_sink_after_the_one_before_it_is_done),
	    TEST(run_ends_only_when_the_sinks_are_done),
	    TEST(window_of_a_sink_is_respected),
	    TEST(time_while_held_does_not_count_for_time_limits),
	    TEST(what_is_taken_after_a_hold_is_recorded_without_further_events),
	    TEST(task_whose_output_is_wanted_has_its_time_limit_while_others_are_held),
	    TEST(delay_lies_between_starts),
	    TEST(task_over_its_time_is_ended),
	    TEST(task_over_its_time_that_does_not_end_loses_its_worker),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

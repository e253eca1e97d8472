/* The run and signals, for which it blocks them and reads a descriptor; and readers that go away. */
#include "run_fixture.h"

#include "base/io.h"

#define LONG_MS 3600000 /* a grace period that no test waits for */

static void
set_grace(struct fixture *f, int wait_ms)
{
	f->spec.term_step_count = 1;
	f->spec.term_steps[0] =
	    (struct spec_term_step){.signal = SIGTERM, .wait_ms = wait_ms};
}

static void
first_signal_ends_what_runs_with_grace(void **state)
{
	struct fixture *f = *state;
	set_grace(f, LONG_MS);
	assert_int_equal(run_script(f, "hT000"), RUN_SIGNALLED);
	assert_int_equal(conductor_signal(f->conductor), SIGTERM);
	assert_backend_log(f, "withdraw cancel_all:0");
	assert_int_equal(f->backend.submitted_count, 2);
	assert_non_null(strstr(buf_str(&f->sink.log), "+0.1=C"));
	assert_non_null(strstr(buf_str(&f->sink.log), "+1.1=C"));
	assert_int_equal(f->sink.finish_count, 0);
}

static void
second_signal_ends_it_at_once(void **state)
{
	struct fixture *f = *state;
	set_grace(f, LONG_MS);
	f->backend.signal_when_cancelled = SIGINT;
	assert_int_equal(run_script(f, "iT0"), RUN_SIGNALLED);
	assert_int_equal(conductor_signal(f->conductor), SIGTERM);
	assert_backend_log(f, "withdraw cancel_all:0 cancel_all:1");
}

static void
quit_ends_it_at_once(void **state)
{
	struct fixture *f = *state;
	set_grace(f, LONG_MS);
	f->backend.start_signal = SIGQUIT;
	assert_int_equal(run_script(f, "iT0"), RUN_SIGNALLED);
	assert_int_equal(conductor_signal(f->conductor), SIGQUIT);
	assert_backend_log(f, "withdraw cancel_all:1");
}

static void
each_end_signal_is_the_one_reported(void **state)
{
	struct fixture *f = *state;
	f->backend.start_signal = SIGHUP;
	assert_int_equal(run_script(f, "T0"), RUN_SIGNALLED);
	assert_int_equal(conductor_signal(f->conductor), SIGHUP);
}

static void
signal_after_now_halt_makes_it_harder_and_is_how_it_ended(void **state)
{
	struct fixture *f = *state;
	set_grace(f, LONG_MS);
	f->spec.halt =
	    (struct spec_halt){.when = SPEC_HALT_NOW, .why = SPEC_HALT_FAIL, .value = 1};
	f->backend.signal_when_cancelled = SIGTERM;
	assert_int_equal(run_script(f, "i10"), RUN_SIGNALLED);
	assert_backend_log(f, "withdraw cancel_all:0 cancel_all:1");
}

static void
what_is_deaf_to_all_dies_with_its_worker(void **state)
{
	struct fixture *f = *state;
	int64_t begun_at_ns = clock_now_ns();
	assert_int_equal(run_script(f, "kT"), RUN_SIGNALLED);
	assert_backend_log(f, "withdraw cancel_all:0 cancel_all:1 cancel_all:2");
	assert_true(clock_now_ns() - begun_at_ns < 30 * NS_PER_S);
}

static void
signal_while_a_sink_is_behind_releases_the_backend(void **state)
{
	struct fixture *f = *state;
	f->sink.lag = 1000000000; /* for ever */
	assert_int_equal(run_script(f, "T0000"), RUN_SIGNALLED);
	assert_false(f->backend.is_held);
}

static void
usr1_is_one_worker_more(void **state)
{
	struct fixture *f = *state;
	f->backend.start_signal = SIGUSR1;
	f->backend.passes_signal = true;
	assert_int_equal(run_script(f, "T0"), RUN_COMPLETE);
	assert_backend_log(f, "resize:3");
}

static void
usr2_is_one_worker_less(void **state)
{
	struct fixture *f = *state;
	f->backend.start_signal = SIGUSR2;
	f->backend.passes_signal = true;
	assert_int_equal(run_script(f, "T"), RUN_COMPLETE);
	assert_backend_log(f, "resize:1");
}

static void
child_signal_reaps(void **state)
{
	struct fixture *f = *state;
	f->backend.start_signal = SIGCHLD;
	f->backend.passes_signal = true;
	assert_int_equal(run_script(f, "T"), RUN_COMPLETE);
	assert_backend_log(f, "reap");
}

static void
broken_pipe_signal_alone_ends_nothing(void **state)
{
	struct fixture *f = *state;
	f->backend.start_signal = SIGPIPE;
	f->backend.passes_signal = true;
	assert_int_equal(run_script(f, "T0"), RUN_COMPLETE);
	assert_backend_log(f, "");
}

static void
signal_ignored_at_the_start_stays_ignored(void **state)
{
	struct fixture *f = *state;
	struct sigaction before;
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigaction(SIGHUP, &ignore, &before);
	sig_origin_save(&f->origin);
	f->backend.start_signal = SIGHUP;
	f->backend.passes_signal = true;
	enum run_outcome outcome = run_script(f, "T0");
	sigaction(SIGHUP, &before, NULL);
	assert_int_equal(outcome, RUN_COMPLETE);
}

/* In a child: it stops itself. */
static void
stop_signal_stops_tasks_and_itself_until_continued(void **state)
{
	struct fixture *f = *state;
	int status;
	pid_t pid = child_fork();
	if (pid == 0) {
		f->backend.start_signal = SIGTSTP;
		f->backend.passes_signal = true;
		enum run_outcome outcome = run_script(f, "T");
		/* The continuation itself is heard of too, as a second resume, or not any more. */
		_exit(outcome != RUN_COMPLETE
			  ? 1
			  : strncmp(buf_str(&f->backend.log), "suspend resume", 14) != 0);
	}
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(kill(pid, SIGCONT), 0);
	assert_child_exits(pid, 0);
}

/* --- readers --- */

static void
reader_that_goes_away_ends_the_run_quietly(void **state)
{
	struct fixture *f = *state;
	int fds[2];
	assert_int_equal(io_pipe(fds, 0), 0);
	f->config.reader_fd = fds[1];
	close(fds[0]);
	assert_int_equal(run_script(f, "hh00"), RUN_READER_GONE);
	assert_int_equal(f->err.kind, ERR_NONE);
	assert_non_null(strstr(buf_str(&f->backend.log), "cancel_all:0"));
	run_free(f->run);
	f->run = NULL;
	close(fds[1]);
}

static void
reader_that_stays_does_not_end_the_run(void **state)
{
	struct fixture *f = *state;
	int fds[2];
	assert_int_equal(io_pipe(fds, 0), 0);
	f->config.reader_fd = fds[1];
	assert_int_equal(run_script(f, "00"), RUN_COMPLETE);
	run_free(f->run);
	f->run = NULL;
	close(fds[0]);
	close(fds[1]);
}

static void
write_that_found_no_reader_ends_the_run_quietly(void **state)
{
	struct fixture *f = *state;
	f->is_reader_gone = true;
	assert_int_equal(run_script(f, "h000"), RUN_READER_GONE);
	assert_int_equal(f->sink.finish_count, 0);
}

/* Whatever became of the output: what they have is to be kept. */
static void
records_come_to_their_end_on_abrupt_ways_out_too(void **state)
{
	struct fixture *f = *state;
	add_bad_sink(f, 0);
	struct sink_ops ops = *f->bad.sink.ops;
	ops.is_record = true;
	f->bad.sink.ops = &ops;
	f->is_reader_gone = true;
	assert_int_equal(run_script(f, "h000"), RUN_READER_GONE);
	assert_int_equal(f->sink.finish_count, 0);
	assert_int_equal(f->bad.finish_count, 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(first_signal_ends_what_runs_with_grace),
	    TEST(second_signal_ends_it_at_once),
	    TEST(quit_ends_it_at_once),
	    TEST(each_end_signal_is_the_one_reported),
	    TEST(signal_after_now_halt_makes_it_harder_and_is_how_it_ended),
	    TEST(what_is_deaf_to_all_dies_with_its_worker),
	    TEST(signal_while_a_sink_is_behind_releases_the_backend),
	    TEST(usr1_is_one_worker_more),
	    TEST(usr2_is_one_worker_less),
	    TEST(child_signal_reaps),
	    TEST(broken_pipe_signal_alone_ends_nothing),
	    TEST(signal_ignored_at_the_start_stays_ignored),
	    TEST(stop_signal_stops_tasks_and_itself_until_continued),
	    TEST(reader_that_goes_away_ends_the_run_quietly),
	    TEST(reader_that_stays_does_not_end_the_run),
	    TEST(write_that_found_no_reader_ends_the_run_quietly),
	    TEST(records_come_to_their_end_on_abrupt_ways_out_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

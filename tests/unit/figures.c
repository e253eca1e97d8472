/* What pinion bench says of its runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "sink/figures.h"
#include "sink/tally.h"

#define MS(count) ((int64_t)(count)*NS_PER_MS)

/* --- the tally --- */

static void
tell(struct sink *sink, uint64_t seq, const struct result *result, bool is_settled)
{
	struct task task = {.seq = seq, .count = 1};
	struct err err = {0};
	int status = is_settled ? sink->ops->settled(sink, &task, result, &err)
				: sink->ops->retried(sink, &task, result, &err);
	assert_int_equal(status, 0);
}

static void
a_tally_adds_up_tasks_and_all_their_attempts(void **state)
{
	(void)state;
	struct tally tally = {0};
	struct err err = {0};
	struct sink *sink = tally_sink_new(&tally, &err);
	assert_non_null(sink);
	const struct result failed = {.reason = RESULT_EXIT,
				      .exit_status = 1,
				      .started_real_ns = MS(1000),
				      .wall_ns = MS(10),
				      .user_ns = MS(3),
				      .sys_ns = MS(1),
				      .stdout_bytes = 5,
				      .stderr_bytes = 2};
	struct result done = failed;
	done.exit_status = 0;
	done.started_real_ns = MS(1020);
	done.wall_ns = MS(30);
	const struct result skipped = {.reason = RESULT_SKIPPED};
	tell(sink, 7, &failed, false);
	tell(sink, 7, &done, true);
	tell(sink, 8, &failed, true);
	tell(sink, 9, &skipped, true);
	sink_free(sink);
	assert_int_equal(tally.task_count, 2);
	assert_int_equal(tally.failed_count, 1);
	assert_int_equal(tally.wall_ns, MS(50));
	assert_int_equal(tally.cpu_ns, MS(12));
	assert_int_equal(tally.output_bytes, 21);
	assert_int_equal(tally.longest_ns, MS(30));
	assert_int_equal(tally.longest_seq, 7);
	assert_int_equal(tally.first_started_ns, MS(1000));
	assert_int_equal(tally.last_ended_ns, MS(1050));
	assert_int_equal(tally.median.count, 2);
}

/* --- figures --- */

/* A run of `count` tasks of so long each, between_ms apart, that took wall_ms in all. */
static struct figures_run
run_of(uint64_t count, int task_ms, int between_ms, int wall_ms)
{
	struct figures_run run = {.started_ns = MS(5000), .ended_ns = MS(5000 + wall_ms)};
	struct tally *tally = &run.tally;
	tally->task_count = count;
	tally->wall_ns = tally->cpu_ns = MS(task_ms) * (int64_t)count;
	tally->longest_ns = MS(task_ms);
	tally->first_started_ns = run.started_ns + MS(2);
	tally->last_ended_ns = tally->first_started_ns + tally->wall_ns +
			       MS(between_ms) * (int64_t)(count - 1);
	for (uint64_t i = 0; i < count; i++)
		median_add(&tally->median, MS(task_ms));
	return run;
}

static void
figures_are_medians_of_rounds(void **state)
{
	(void)state;
	struct figures figures;
	struct figures_round *rounds = calloc(3, sizeof(*rounds));
	assert_non_null(rounds);
	const int one_ms[] = {1200, 1000, 1100}, many_ms[] = {300, 500, 275};
	for (int i = 0; i < 3; i++) {
		rounds[i].one = run_of(10, 100, 5, one_ms[i]);
		rounds[i].many = run_of(10, 120, 5, many_ms[i]);
	}
	figures_make(&figures, rounds, 3, 5);
	assert_int_equal(figures.task_count, 10);
	assert_float_equal(figures.one.median, 1.1, 1e-9);
	assert_float_equal(figures.one.least, 1.0, 1e-9);
	assert_float_equal(figures.one.most, 1.2, 1e-9);
	assert_float_equal(figures.many.median, 0.3, 1e-9);
	assert_float_equal(figures.speed_up.median, 4, 1e-9); /* 4, 2, 4 */
	assert_float_equal(figures.speed_up.least, 2, 1e-9);
	assert_float_equal(figures.efficiency, 0.8, 1e-9);
	assert_float_equal(figures.overhead, 0.005, 1e-9);
	assert_float_equal(figures.cpu_share, 1, 1e-9);
	assert_float_equal(figures.task_one, 0.1, 0.004); /* of a histogram */
	free(rounds);
}

static void
one_task_has_nothing_between_tasks(void **state)
{
	(void)state;
	struct figures figures;
	struct figures_round *round = calloc(1, sizeof(*round));
	assert_non_null(round);
	round->one = round->many = run_of(1, 100, 0, 110);
	figures_make(&figures, round, 1, 4);
	assert_float_equal(figures.overhead, 0, 1e-9);
	assert_float_equal(figures.start, 0.01, 1e-9);
	assert_float_equal(figures.speed_up.median, 1, 1e-9);
	free(round);
}

static void
durations_have_three_digits(void **state)
{
	(void)state;
	static const struct {
		double seconds;
		const char *text;
	} rows[] = {{0, "0.00 us"},        {12.3456e-6, "12.3 us"}, {999.4e-6, "999 us"},
		    {999.6e-6, "1.00 ms"}, {0.0123456, "12.3 ms"},  {0.9996, "1.00 s"},
		    {1.23456, "1.23 s"},   {9.9949, "9.99 s"},      {9.996, "10.0 s"},
		    {99.96, "100 s"},      {12345.6, "12346 s"}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		char text[FIGURES_DURATION_BYTES];
		assert_string_equal(figures_duration(rows[i].seconds, text), rows[i].text);
	}
}

/* --- advice --- */

/* Nothing to complain of. */
static struct figures
good(void)
{
	return (struct figures){
	    .task_count = 100,
	    .round_count = 3,
	    .worker_count = 4,
	    .one = {10, 9.9, 10.1},
	    .many = {2.6, 2.55, 2.65},
	    .speed_up = {3.85, 3.8, 3.9},
	    .efficiency = 0.96,
	    .task_one = 0.1,
	    .task_many = 0.104,
	    .longest = 0.15,
	    .cpu_share = 0.95,
	    .process = 0.0006,
	    .load = 0.3,
	    .thread_count = 4,
	};
}

/* The ids of all that is said, each behind a blank. */
static const char *
said(const struct figures *figures, char *ids)
{
	struct advice advice[FIGURES_ADVICE_MAX];
	size_t count = figures_advise(figures, advice);
	assert_true(count <= FIGURES_ADVICE_MAX);
	*ids = '\0';
	for (size_t i = 0; i < count; i++) {
		assert_true(strlen(advice[i].text) < sizeof(advice[i].text) - 1);
		assert_null(strpbrk(advice[i].text, "\"\\"));
		strcat(strcat(ids, " "), advice[i].id);
	}
	return ids;
}

#define ASSERT_SAID(figures, expected)                             \
	do {                                                       \
		char ids[512];                                     \
		assert_string_equal(said(figures, ids), expected); \
	} while (0)

static void
good_figures_are_called_good(void **state)
{
	(void)state;
	struct figures figures = good();
	ASSERT_SAID(&figures, " good");
}

static void
what_makes_figures_doubtful_is_said(void **state)
{
	(void)state;
	struct figures figures = good();
	figures.round_count = 1;
	ASSERT_SAID(&figures, " one-round good");
	figures = good();
	figures.many.most = 3.2;
	ASSERT_SAID(&figures, " noise good");
	figures = good();
	figures.load = 2.1;
	ASSERT_SAID(&figures, " busy good");
	figures.thread_count = 0;
	ASSERT_SAID(&figures, " good");
	figures = good();
	figures.efficiency = 1.3;
	ASSERT_SAID(&figures, " too-good");
	figures = good();
	figures.failed_count = 3;
	ASSERT_SAID(&figures, " failed good");
}

static void
short_tasks_are_not_blamed_for_anything_else(void **state)
{
	(void)state;
	struct figures figures = good();
	figures.task_one = 0.002;
	figures.task_many = 0.004;
	figures.cpu_share = 0.3;
	ASSERT_SAID(&figures, " too-short good");
	figures.process = 0; /* unknown: nothing can be said */
	ASSERT_SAID(&figures, " waits crowded good");
}

static void
tasks_that_cannot_be_shared_out_are_named(void **state)
{
	(void)state;
	struct figures figures = good();
	figures.efficiency = 0.6;
	figures.task_count = 5;
	ASSERT_SAID(&figures, " too-few");
	figures.task_count = 4;
	ASSERT_SAID(&figures, "");
	figures.task_count = 100;
	figures.longest = 2;
	ASSERT_SAID(&figures, " straggler");
	figures.task_many = 1.5; /* all are so long */
	figures.task_one = 1.5;
	ASSERT_SAID(&figures, "");
}

static void
what_tasks_do_with_cores_is_said(void **state)
{
	(void)state;
	struct figures figures = good();
	figures.efficiency = 0.5;
	figures.cpu_share = 2.5;
	ASSERT_SAID(&figures, " threads");
	figures.cpu_share = 0.1;
	ASSERT_SAID(&figures, " waits");
	figures.cpu_share = 0.9;
	figures.task_many = 0.2;
	ASSERT_SAID(&figures, " crowded");
	figures.task_many = 0.1;
	figures.output_rate = 1e9;
	ASSERT_SAID(&figures, " output");
	figures.output_rate = 0;
	figures.speed_up.median = 1.05;
	ASSERT_SAID(&figures, " no-gain");
	figures.worker_count = 1;
	ASSERT_SAID(&figures, " one-worker");
}

static void
text_and_json_say_the_same(void **state)
{
	(void)state;
	struct figures figures = good();
	struct buf text = {0};
	assert_int_equal(figures_append_text(&figures, &text), 0);
	assert_non_null(strstr(buf_str(&text),
			       "1 worker    10.0 s    (9.90 s to 10.1 s)\n"
			       "4 workers   2.60 s    (2.55 s to 2.65 s)\n"
			       "speed-up    3.85      (3.80 to 3.90)\n"
			       "efficiency  96 %\n"));
	assert_non_null(strstr(buf_str(&text), "\n\n- 4 workers do 3.9 times"));
	buf_clear(&text);
	assert_int_equal(figures_append_json(&figures, &text), 0);
	assert_non_null(strstr(buf_str(&text), "\"speed_up\":{\"median\":3.850000,"));
	assert_non_null(
	    strstr(buf_str(&text), "\"advice\":[{\"id\":\"good\",\"text\":\""));
	buf_fini(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_tally_adds_up_tasks_and_all_their_attempts),
	    cmocka_unit_test(figures_are_medians_of_rounds),
	    cmocka_unit_test(one_task_has_nothing_between_tasks),
	    cmocka_unit_test(durations_have_three_digits),
	    cmocka_unit_test(good_figures_are_called_good),
	    cmocka_unit_test(what_makes_figures_doubtful_is_said),
	    cmocka_unit_test(short_tasks_are_not_blamed_for_anything_else),
	    cmocka_unit_test(tasks_that_cannot_be_shared_out_are_named),
	    cmocka_unit_test(what_tasks_do_with_cores_is_said),
	    cmocka_unit_test(text_and_json_say_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

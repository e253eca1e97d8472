/* How fast tasks end, and when the last one will. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/clock.h"
#include "sink/eta.h"

/* `count` tasks of `each_ns` end in the next `passed_s` seconds, looked at ten times each. */
static void
pass(struct eta *eta, int64_t passed_s, uint64_t count, int64_t each_ns)
{
	int64_t start_ns = eta->at_ns;
	uint64_t before = eta->ended_count;
	for (int64_t i = 1; i <= passed_s * 10; i++) {
		int64_t now_ns = start_ns + i * NS_PER_S / 10;
		eta_look(eta, now_ns, now_ns,
			 before + count * (uint64_t)i / ((uint64_t)passed_s * 10));
	}
	for (uint64_t i = 0; i < count; i++)
		eta_add(eta, 1, each_ns);
}

static void
assert_near(double actual, double expected)
{
	assert_true(actual > expected * 0.98 && actual < expected * 1.02);
}

static void
nothing_is_known_before_a_task_has_ended(void **state)
{
	struct eta eta;
	int64_t spread_ns = 1;
	(void)state;
	eta_start(&eta, 0);
	pass(&eta, 60, 0, 0);
	assert_true(eta_rate(&eta) == 0);
	assert_int_equal(eta_mean_ns(&eta), 0);
	assert_int_equal(eta_left_ns(&eta, 10, &spread_ns), -1);
	assert_int_equal(spread_ns, 0);
}

static void
steady_run_ends_when_its_rate_says_and_certainly(void **state)
{
	struct eta eta;
	int64_t spread_ns;
	(void)state;
	eta_start(&eta, 0);
	pass(&eta, 100, 500, 2 * NS_PER_S);
	assert_near(eta_rate(&eta), 5);
	assert_near((double)eta_mean_ns(&eta), 2e9);
	assert_near((double)eta_left_ns(&eta, 100, &spread_ns), 20e9);
	assert_true(spread_ns < NS_PER_S / 100);
}

static void
rate_follows_what_has_changed(void **state)
{
	struct eta eta;
	(void)state;
	eta_start(&eta, 0);
	pass(&eta, 100, 1000, NS_PER_S);
	pass(&eta, 200, 200, NS_PER_S);
	assert_true(eta_rate(&eta) < 2);
	pass(&eta, 200, 0, 0); /* stuck */
	assert_true(eta_rate(&eta) < 0.6);
}

static void
spread_grows_with_the_differences_and_shrinks_with_what_was_seen(void **state)
{
	struct eta few, many;
	int64_t few_spread_ns, many_spread_ns, left_ns;
	(void)state;
	eta_start(&few, 0);
	eta_start(&many, 0);
	for (int i = 0; i < 5; i++) {
		pass(&few, 10, 1, NS_PER_S);
		pass(&few, 10, 1, 9 * NS_PER_S);
	}
	for (int i = 0; i < 5; i++) {
		pass(&many, 10, 100, NS_PER_S / 100);
		pass(&many, 10, 100, 9 * NS_PER_S / 100);
	}
	/* Durations are 5 s, give or take 4 s; 10 seen, 10 left: 0.8 * sqrt(2/10) * 1.64 = 0.59 */
	left_ns = eta_left_ns(&few, 10, &few_spread_ns);
	assert_near((double)few_spread_ns, 0.587 * (double)left_ns);
	left_ns = eta_left_ns(&many, 1000, &many_spread_ns);
	assert_near((double)many_spread_ns, 0.0587 * (double)left_ns);
}

static void
chunk_of_answers_counts_as_so_many_tasks(void **state)
{
	struct eta eta;
	(void)state;
	eta_start(&eta, 0);
	eta_add(&eta, 1000, NS_PER_S);
	assert_int_equal(eta_mean_ns(&eta), NS_PER_MS);
}

static void
nothing_left_takes_no_time_and_what_takes_ages_is_not_told(void **state)
{
	struct eta eta;
	int64_t spread_ns;
	(void)state;
	eta_start(&eta, 0);
	assert_int_equal(eta_left_ns(&eta, 0, &spread_ns), 0);
	pass(&eta, 10, 1, NS_PER_S);
	assert_int_equal(eta_left_ns(&eta, UINT64_MAX, &spread_ns), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_is_known_before_a_task_has_ended),
	    cmocka_unit_test(steady_run_ends_when_its_rate_says_and_certainly),
	    cmocka_unit_test(rate_follows_what_has_changed),
	    cmocka_unit_test(
		spread_grows_with_the_differences_and_shrinks_with_what_was_seen),
	    cmocka_unit_test(chunk_of_answers_counts_as_so_many_tasks),
	    cmocka_unit_test(nothing_left_takes_no_time_and_what_takes_ages_is_not_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

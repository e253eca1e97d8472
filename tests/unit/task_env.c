/* The environment of a worker's tasks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pool/task_env.h"

static const struct task_env_config config = {
    .run_name = "run-1", .worker = 7, .slot = 3, .coordinator = 4321, .share = 2};

static void
init(struct task_env *env, const char *const *base)
{
	assert_int_equal(task_env_init(env, (char *const *)base, &config), 0);
}

static void
assert_value(const struct task_env *env, const char *name, const char *expected)
{
	const char *value = task_env_get(env, name);
	assert_non_null(value);
	assert_string_equal(value, expected);
}

/* How often a variable stands in a NULL-terminated list. */
static size_t
count_of(char *const *variables, const char *name)
{
	size_t count = 0;
	for (; *variables != NULL; variables++)
		count += strncmp(*variables, name, strlen(name)) == 0 &&
			 (*variables)[strlen(name)] == '=';
	return count;
}

static void
variables_of_the_caller_are_kept(void **state)
{
	(void)state;
	struct task_env env;
	static const char *const base[] = {"PATH=/bin", "EMPTY=", "A=b=c", NULL};
	init(&env, base);
	assert_value(&env, "PATH", "/bin");
	assert_value(&env, "EMPTY", "");
	assert_value(&env, "A", "b=c");
	assert_null(task_env_get(&env, "PAT"));
	assert_null(task_env_get(&env, "NONE"));
	assert_null(env.variables[env.count]);
	task_env_fini(&env);
}

static void
worker_is_named(void **state)
{
	(void)state;
	struct task_env env;
	static const char *const base[] = {NULL};
	init(&env, base);
	assert_value(&env, "PINION_RUN", "run-1");
	assert_value(&env, "PINION_WORKER", "7");
	assert_value(&env, "PINION_SLOT", "3");
	assert_value(&env, "PARALLEL_JOBSLOT", "3");
	assert_value(&env, "PARALLEL_PID", "4321");
	task_env_fini(&env);
}

static void
values_of_a_task_are_written_in_place(void **state)
{
	(void)state;
	struct task_env env;
	static const char *const base[] = {"A=1", NULL};
	init(&env, base);
	char **variables = env.variables;
	size_t count = env.count;
	task_env_set_task(&env, UINT64_MAX - 1, UINT32_MAX);
	assert_value(&env, "PINION_SEQ", "18446744073709551614");
	assert_value(&env, "PARALLEL_SEQ", "18446744073709551615");
	assert_value(&env, "PINION_ATTEMPT", "4294967295");
	task_env_set_task(&env, 0, 1);
	assert_value(&env, "PINION_SEQ", "0");
	assert_value(&env, "PARALLEL_SEQ", "1");
	assert_value(&env, "PINION_ATTEMPT", "1");
	assert_value(&env, "PINION_WORKER", "7");
	assert_value(&env, "A", "1");
	assert_ptr_equal(env.variables, variables);
	assert_int_equal(env.count, count);
	task_env_fini(&env);
}

/* pinion in a task of pinion, or of GNU parallel. */
static void
our_names_of_an_outer_run_are_replaced(void **state)
{
	(void)state;
	struct task_env env;
	static const char *const base[] = {"PINION_SEQ=99",     "PARALLEL_SEQ=98",
					   "PINION_RUN=outer",  "PINION_ATTEMPT=5",
					   "PARALLEL_PID=1",    "PINION_SEQUENCE=mine",
					   "PARALLEL_SHELL=sh", NULL};
	init(&env, base);
	task_env_set_task(&env, 4, 1);
	assert_value(&env, "PINION_SEQ", "4");
	assert_value(&env, "PARALLEL_SEQ", "5");
	assert_value(&env, "PINION_RUN", "run-1");
	assert_value(&env, "PINION_SEQUENCE", "mine");
	assert_value(&env, "PARALLEL_SHELL", "sh");
	static const char *const ours[] = {"PINION_SEQ", "PARALLEL_SEQ", "PINION_RUN",
					   "PINION_ATTEMPT", "PARALLEL_PID"};
	for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
		assert_int_equal(count_of(env.variables, ours[i]), 1);
	task_env_fini(&env);
}

static void
threads_are_bounded_only_where_the_user_did_not(void **state)
{
	(void)state;
	struct task_env env;
	static const char *const base[] = {"OMP_NUM_THREADS=16", "MKL_NUM_THREADS=", NULL};
	init(&env, base);
	assert_value(&env, "OMP_NUM_THREADS", "16");
	assert_value(&env, "MKL_NUM_THREADS", "");
	assert_value(&env, "OPENBLAS_NUM_THREADS", "2");
	assert_value(&env, "NUMEXPR_NUM_THREADS", "2");
	assert_int_equal(count_of(env.variables, "OMP_NUM_THREADS"), 1);
	task_env_fini(&env);
}

static void
no_share_says_nothing_of_threads(void **state)
{
	(void)state;
	struct task_env env;
	struct task_env_config no_share = config;
	static const char *const base[] = {NULL};
	no_share.share = 0;
	assert_int_equal(task_env_init(&env, (char *const *)base, &no_share), 0);
	assert_null(task_env_get(&env, "OMP_NUM_THREADS"));
	assert_null(task_env_get(&env, "OPENBLAS_NUM_THREADS"));
	task_env_fini(&env);
}

static void
taskless_environment_names_no_task(void **state)
{
	(void)state;
	struct task_env env;
	static const char *const base[] = {"A=1", NULL};
	init(&env, base);
	char *const *taskless = task_env_taskless(&env);
	assert_int_equal(count_of(taskless, "PINION_SEQ"), 0);
	assert_int_equal(count_of(taskless, "PARALLEL_SEQ"), 0);
	assert_int_equal(count_of(taskless, "PINION_ATTEMPT"), 0);
	assert_int_equal(count_of(taskless, "PINION_RUN"), 1);
	assert_int_equal(count_of(taskless, "A"), 1);
	task_env_fini(&env);
}

static void
strings_of_an_initializer_become_the_base(void **state)
{
	(void)state;
	struct task_env env;
	char *strings = malloc(64);
	assert_non_null(strings);
	static const char printed[] = "A=1\n2\0PINION_SEQ=77\0B=\0not ended";
	memcpy(strings, printed, sizeof(printed) - 1);
	assert_int_equal(task_env_init_from(&env, strings, sizeof(printed) - 1, &config),
			 0);
	memset(strings, 'x', 64);
	free(strings); /* it has its own copy */
	task_env_set_task(&env, 1, 1);
	assert_value(&env, "A", "1\n2");
	assert_value(&env, "B", "");
	assert_value(&env, "PINION_SEQ", "1");
	assert_value(&env, "PINION_WORKER", "7");
	task_env_fini(&env);
	assert_int_equal(task_env_init_from(&env, "", 0, &config), 0);
	assert_value(&env, "PINION_RUN", "run-1");
	task_env_fini(&env);
}

static void
a_jobserver_replaces_the_one_that_was_inherited(void **state)
{
	(void)state;
	struct task_env env;
	struct task_env_config with_jobserver = config;
	static const char *const base[] = {
	    "MAKEFLAGS=k -j4 --jobserver-auth=3,4 -- CC=clang",
	    "CARGO_MAKEFLAGS=--jobserver-auth=3,4", "A=b", NULL};
	with_jobserver.jobserver_auth = "10,11";
	assert_int_equal(task_env_init(&env, (char *const *)base, &with_jobserver), 0);
	assert_value(&env, "MAKEFLAGS", "k -j4 --jobserver-auth=10,11 -- CC=clang");
	assert_value(&env, "CARGO_MAKEFLAGS",
		     "-j --jobserver-fds=10,11 --jobserver-auth=10,11");
	assert_value(&env, "A", "b");
	assert_int_equal(count_of(env.variables, "MAKEFLAGS"), 1);
	assert_int_equal(count_of(env.variables, "CARGO_MAKEFLAGS"), 1);
	task_env_fini(&env);
}

static void
without_a_jobserver_make_finds_what_it_left(void **state)
{
	(void)state;
	struct task_env env;
	static const char *const base[] = {"MAKEFLAGS=k", "CARGO_MAKEFLAGS=-j", NULL};
	init(&env, base);
	assert_value(&env, "MAKEFLAGS", "k");
	assert_value(&env, "CARGO_MAKEFLAGS", "-j");
	task_env_fini(&env);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(variables_of_the_caller_are_kept),
	    cmocka_unit_test(worker_is_named),
	    cmocka_unit_test(values_of_a_task_are_written_in_place),
	    cmocka_unit_test(our_names_of_an_outer_run_are_replaced),
	    cmocka_unit_test(threads_are_bounded_only_where_the_user_did_not),
	    cmocka_unit_test(no_share_says_nothing_of_threads),
	    cmocka_unit_test(taskless_environment_names_no_task),
	    cmocka_unit_test(strings_of_an_initializer_become_the_base),
	    cmocka_unit_test(a_jobserver_replaces_the_one_that_was_inherited),
	    cmocka_unit_test(without_a_jobserver_make_finds_what_it_left),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* How many inputs make a task: -n -N -L -X -m -s, and what execve takes. */
#include "inputs.h"

#include <fcntl.h>
#include <termios.h>

#define VALUE_BYTES 1000

static struct job
grouped(enum spec_group group, bool shares_rest)
{
	struct job job;
	job_init(&job, SPEC_MAP);
	job.spec.group = group;
	job.spec.shares_rest = shares_rest;
	return job;
}

static void
add_ten_letters(struct job *job)
{
	job_add_values(job, false,
		       VALUES("a", "b", "c", "d", "e", "f", "g", "h", "i", "j"));
}

static void
the_last_group_by_count_holds_what_is_left(void **state)
{
	(void)state;
	struct job job = grouped(SPEC_GROUP_COUNT, false);
	job.spec.max_args = 4;
	add_ten_letters(&job);
	assert_job(&job, 4, "a b c d|e f g h|i j");
}

static void
a_group_counts_combinations(void **state)
{
	(void)state;
	struct job job = grouped(SPEC_GROUP_COUNT, false);
	job.spec.max_args = 3;
	job_add_values(&job, false, VALUES("a", "b", "c"));
	job_add_values(&job, false, VALUES("1", "2"));
	assert_job(&job, 1, "a 1 a 2 b 1|b 2 c 1 c 2");
}

static void
a_count_of_none_takes_one_input_each(void **state)
{
	(void)state;
	struct job job = grouped(SPEC_GROUP_COUNT, false);
	job_add_values(&job, false, VALUES("a", "b"));
	assert_job(&job, 1, "a|b");
}

static void
inputs_that_are_no_values_make_empty_tasks(void **state)
{
	(void)state;
	struct job job = grouped(SPEC_GROUP_COUNT, false);
	job.spec.is_valueless = true;
	job_add_values(&job, false, VALUES("a", "b", "c"));
	job_open(&job, 1);
	assert_int_equal(job_take(&job), SOURCE_END);
	assert_int_equal(job.task_count, 3);
	assert_string_equal(job_text(&job), "||");
	job_fini(&job);
}

static void
a_full_group_by_count_does_not_wait_for_more(void **state)
{
	(void)state;
	struct job job = grouped(SPEC_GROUP_COUNT, false);
	job.spec.max_args = 2;
	int fd = job_add_pipe(&job, false);
	job_open(&job, 1);
	assert_int_equal(io_write_all(fd, "a\nb\nc\n", 6), 0);
	assert_int_equal(job_take(&job), SOURCE_WAIT);
	assert_string_equal(job_text(&job), "a b");
	io_close(fd);
	assert_int_equal(job_take(&job), SOURCE_END);
	assert_string_equal(job_text(&job), "a b|c");
	job_fini(&job);
}

static void
what_is_left_is_shared_among_the_workers(void **state)
{
	(void)state;
	static const struct {
		size_t worker_count;
		size_t max_args;
		const char *expected;
	} cases[] = {
	    {1, 0, "a b c d e f g h i j"}, {2, 0, "a b c d e|f g h i j"},
	    {3, 0, "a b c d|e f g h|i j"}, {4, 0, "a b c|d e f|g h i|j"},
	    {0, 0, "a b c d e f g h i j"}, {20, 0, "a|b|c|d|e|f|g|h|i|j"},
	    {4, 4, "a b c d|e f g h|i|j"}, {4, 5, "a b c d e|f g|h i|j"},
	    {2, 2, "a b|c d|e f|g h|i|j"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct job job = grouped(SPEC_GROUP_FILL_CONTEXT, true);
		job.spec.max_args = cases[i].max_args;
		add_ten_letters(&job);
		assert_job(&job, cases[i].worker_count, cases[i].expected);
	}
}

static void
without_sharing_the_last_group_is_as_full_as_it_gets(void **state)
{
	(void)state;
	struct job job = grouped(SPEC_GROUP_FILL, false);
	add_ten_letters(&job);
	assert_job(&job, 4, "a b c d e f g h i j");
}

/* "echo a b c" and its end are 11 bytes. */
static void
a_group_is_no_longer_than_told(void **state)
{
	(void)state;
	struct job job = grouped(SPEC_GROUP_FILL, false);
	job.spec.max_chars = 11;
	add_ten_letters(&job);
	assert_job(&job, 4, "a b c|d e f|g h i|j");
	job = grouped(SPEC_GROUP_FILL, false);
	job.spec.max_chars = 10;
	add_ten_letters(&job);
	assert_job(&job, 4, "a b|c d|e f|g h|i j");
	job = grouped(SPEC_GROUP_COUNT, false);
	job.spec.max_args = 4;
	job.spec.max_chars = 11;
	add_ten_letters(&job);
	assert_job(&job, 4, "a b c|d e f|g h i|j");
}

/* The shell's own words do not count, the quotes do. */
static void
the_length_of_a_line_is_that_of_the_line(void **state)
{
	(void)state;
	static const struct {
		size_t max_chars;
		const char *expected;
	} cases[] = {{21, "a b b c c|d e f"}, {20, "a b b c|c d e f"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct job job = grouped(SPEC_GROUP_FILL, false);
		job_set_words(&job, VALUES("echo {} ;"));
		job.spec.max_chars = cases[i].max_chars;
		job_add_values(&job, false, VALUES("a b", "b c", "c", "d", "e", "f"));
		assert_job(&job, 1, cases[i].expected);
	}
}

static void
an_input_that_is_too_long_is_a_task_of_its_own(void **state)
{
	(void)state;
	struct job job = grouped(SPEC_GROUP_FILL, false);
	job.spec.max_chars = 11;
	job_add_values(&job, false, VALUES("a", "b", "much-too-long", "d", "e"));
	assert_job(&job, 1, "a b|much-too-long|d e");
}

/* Longer than one string of argv may be; the others fit beside each other. */
static void
a_value_that_execve_refuses_takes_no_other_with_it(void **state)
{
	(void)state;
	size_t giant_bytes = 32 * (size_t)sysconf(_SC_PAGESIZE);
	char *giant = malloc(giant_bytes + 1);
	assert_non_null(giant);
	memset(giant, 'g', giant_bytes);
	giant[giant_bytes] = '\0';
	struct job job = grouped(SPEC_GROUP_FILL, false);
	job_add_values(&job, false, VALUES("a", "b", giant, "c", "d"));
	struct buf expected = {0};
	assert_int_equal(buf_printf(&expected, "a b|%s|c d", giant), 0);
	assert_job(&job, 1, buf_str(&expected));
	buf_fini(&expected);
	free(giant);
}

/* The most that one task's values take, with `more_bytes` for each. */
static size_t
longest_task(struct job *job, size_t value_count, size_t more_bytes)
{
	struct task *task;
	size_t longest = 0;
	size_t taken = 0;
	while (source_next(args_source(job->args), 1, &task, NULL) == SOURCE_TASK) {
		size_t bytes = task->arg_count * (VALUE_BYTES + more_bytes);
		longest = bytes > longest ? bytes : longest;
		taken += task->arg_count;
		free(task);
	}
	assert_int_equal(taken, value_count);
	return longest;
}

static void
fill_with_long_values(struct job *job, size_t value_count)
{
	struct buf text = {0};
	char line[VALUE_BYTES + 2];
	memset(line, 'v', VALUE_BYTES);
	line[VALUE_BYTES] = '\n';
	line[VALUE_BYTES + 1] = '\0';
	for (size_t i = 0; i < value_count; i++)
		assert_int_equal(buf_append_str(&text, line), 0);
	job_add_file(job, false, buf_str(&text));
	buf_fini(&text);
}

static void
a_filled_argv_is_what_execve_takes(void **state)
{
	(void)state;
	size_t value_count = 8000;
	struct job job = grouped(SPEC_GROUP_FILL, false);
	fill_with_long_values(&job, value_count);
	job_open(&job, 1);
	size_t longest = longest_task(&job, value_count, 1 + sizeof(char *));
	size_t limit = (size_t)sysconf(_SC_ARG_MAX);
	if (limit > 6 * 1024 * 1024)
		limit = 6 * 1024 * 1024;
	assert_in_range(longest, limit / 2, limit);
	job_fini(&job);
}

static void
a_filled_line_is_what_one_argument_may_be(void **state)
{
	(void)state;
	size_t value_count = 1000;
	size_t limit = 32 * (size_t)sysconf(_SC_PAGESIZE);
	struct job job = grouped(SPEC_GROUP_FILL, false);
	job_set_words(&job, VALUES("echo {} ;"));
	fill_with_long_values(&job, value_count);
	job_open(&job, 1);
	size_t longest = longest_task(&job, value_count, 1);
	assert_in_range(longest, limit - 2 * VALUE_BYTES, limit);
	job_fini(&job);
}

static void
a_group_waits_for_the_end_of_an_open_pipe(void **state)
{
	(void)state;
	struct job job = grouped(SPEC_GROUP_FILL_CONTEXT, true);
	int fd = job_add_pipe(&job, false);
	job_open(&job, 2);
	assert_int_equal(io_write_all(fd, "a\nb\n", 4), 0);
	assert_int_equal(job_take(&job), SOURCE_WAIT);
	assert_int_equal(io_write_all(fd, "c\n", 2), 0);
	io_close(fd);
	assert_int_equal(job_take(&job), SOURCE_END);
	assert_string_equal(job_text(&job), "a b|c");
	job_fini(&job);
}

static void
a_line_that_ends_in_a_blank_goes_on(void **state)
{
	(void)state;
	static const struct {
		size_t max_lines;
		const char *text;
		const char *expected;
	} cases[] = {
	    {1, "a \nb\t\nc\nd\n", "a b\tc|d"},
	    {1, "a\n\nb\n", "a||b"},
	    {1, "a \n\nb\n", "a b"},
	    {1, "a\nb ", "a|b "},
	    {2, "a b\nc \nd\ne\n", "a b c d|e"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct job job = grouped(SPEC_GROUP_LINES, false);
		job.spec.max_lines = cases[i].max_lines;
		job_add_file(&job, false, cases[i].text);
		assert_job(&job, 1, cases[i].expected);
	}
}

static void
lines_bound_a_group_that_is_filled(void **state)
{
	(void)state;
	struct job job = grouped(SPEC_GROUP_FILL, true);
	job.spec.max_lines = 4;
	add_ten_letters(&job);
	assert_job(&job, 4, "a b c d|e f g h|i|j");
	job = grouped(SPEC_GROUP_FILL, true);
	job.spec.max_lines = 4;
	job.spec.max_args = 3;
	add_ten_letters(&job);
	assert_job(&job, 4, "a b c|d e f|g h i|j");
}

/* A chunk of at most `count_max`: the values of each task in brackets, behind its seq. */
static const char *
take_chunk(struct job *job, uint32_t count_max)
{
	struct task *task;
	struct arg *args = NULL;
	size_t capacity = 0;
	struct err err = {0};
	enum source_status status =
	    source_next(args_source(job->args), count_max, &task, &err);
	buf_clear(&job->text);
	if (status != SOURCE_TASK)
		return status == SOURCE_END    ? "end"
		       : status == SOURCE_WAIT ? "wait"
					       : "error";
	assert_in_range(task->count, 1, count_max);
	assert_int_equal(task->attempt, 1);
	const char *at = task_bytes(task);
	size_t left = task->packed_bytes;
	assert_int_equal(buf_printf(&job->text, "%d:", (int)task->seq), 0);
	for (uint32_t i = 0; i < task->count; i++) {
		assert_int_equal(
		    task_unpack_next(&at, &left, task->arg_count, &args, &capacity), 0);
		for (uint32_t j = 0; j < task->arg_count; j++)
			assert_int_equal(buf_printf(&job->text, "%c%s",
						    j == 0 ? '[' : ' ', args[j].bytes),
					 0);
		assert_int_equal(buf_append_str(&job->text, task->arg_count ? "]" : "[]"),
				 0);
	}
	assert_int_equal(left, 0);
	free(args);
	free(task);
	return job_text(job);
}

static void
single_inputs_come_in_chunks_as_large_as_asked_for(void **state)
{
	(void)state;
	struct job job = grouped(SPEC_GROUP_ONE, false);
	add_ten_letters(&job);
	job_open(&job, 1);
	assert_string_equal(take_chunk(&job, 1), "0:[a]");
	assert_string_equal(take_chunk(&job, 3), "1:[b][c][d]");
	assert_string_equal(take_chunk(&job, 1), "4:[e]");
	assert_string_equal(take_chunk(&job, 1000), "5:[f][g][h][i][j]");
	assert_string_equal(take_chunk(&job, 1000), "end");
	assert_string_equal(take_chunk(&job, 1000), "end");
	job_fini(&job);
}

static void
tasks_of_a_chunk_have_equally_many_values(void **state)
{
	(void)state;
	struct job job = grouped(SPEC_GROUP_ONE, false);
	job.spec.colsep = ",";
	job_add_file(&job, false, "a,1\nb,2\nc\nd,4,x\ne,5,y\nf,6,z\n,\n\n");
	job_open(&job, 1);
	assert_string_equal(take_chunk(&job, 9), "0:[a 1][b 2]");
	assert_string_equal(take_chunk(&job, 9), "2:[c]");
	assert_string_equal(take_chunk(&job, 2), "3:[d 4 x][e 5 y]");
	assert_string_equal(take_chunk(&job, 9), "5:[f 6 z]");
	assert_string_equal(take_chunk(&job, 9), "6:[ ]");
	assert_string_equal(take_chunk(&job, 9), "7:[]");
	assert_string_equal(take_chunk(&job, 9), "end");
	job_fini(&job);
}

static void
inputs_that_are_no_values_come_in_chunks_too(void **state)
{
	(void)state;
	struct job job = grouped(SPEC_GROUP_COUNT, false);
	job.spec.is_valueless = true;
	job_add_values(&job, false, VALUES("a", "b", "c"));
	job_open(&job, 1);
	assert_string_equal(take_chunk(&job, 2), "0:[][]");
	assert_string_equal(take_chunk(&job, 2), "2:[]");
	assert_string_equal(take_chunk(&job, 2), "end");
	job_fini(&job);
}

static void
groups_of_several_come_one_by_one(void **state)
{
	(void)state;
	struct job job = grouped(SPEC_GROUP_COUNT, false);
	job.spec.max_args = 4;
	add_ten_letters(&job);
	job_open(&job, 1);
	assert_string_equal(take_chunk(&job, 100), "0:[a b c d]");
	assert_string_equal(take_chunk(&job, 100), "1:[e f g h]");
	assert_string_equal(take_chunk(&job, 100), "2:[i j]");
	assert_string_equal(take_chunk(&job, 100), "end");
	job_fini(&job);
}

static void
a_chunk_is_what_is_there_and_waits_for_no_more(void **state)
{
	(void)state;
	struct job job = grouped(SPEC_GROUP_ONE, false);
	int fd = job_add_pipe(&job, false);
	job_open(&job, 1);
	assert_string_equal(take_chunk(&job, 100), "wait");
	assert_int_equal(io_write_all(fd, "a\nb\nc", 5), 0);
	assert_string_equal(take_chunk(&job, 100), "0:[a][b]");
	assert_string_equal(take_chunk(&job, 100), "wait");
	assert_int_equal(io_write_all(fd, "d\n", 2), 0);
	assert_string_equal(take_chunk(&job, 100), "2:[cd]");
	io_close(fd);
	assert_string_equal(take_chunk(&job, 100), "end");
	job_fini(&job);
}

/* A terminal's other end gives what was written into it, then an error. */
static int
terminal_that_fails_after(const char *text)
{
	struct termios settings;
	int fd = posix_openpt(O_RDWR | O_NOCTTY);
	assert_int_not_equal(fd, -1);
	assert_int_equal(grantpt(fd), 0);
	assert_int_equal(unlockpt(fd), 0);
	int slave_fd = open(ptsname(fd), O_RDWR | O_NOCTTY);
	assert_int_not_equal(slave_fd, -1);
	assert_int_equal(tcgetattr(slave_fd, &settings), 0);
	cfmakeraw(&settings);
	assert_int_equal(tcsetattr(slave_fd, TCSANOW, &settings), 0);
	assert_int_equal(io_write_all(slave_fd, text, strlen(text)), 0);
	io_close(slave_fd);
	return fd;
}

static void
an_error_is_told_when_the_tasks_before_it_were_given(void **state)
{
	(void)state;
	struct job job = grouped(SPEC_GROUP_ONE, false);
	int stdin_fd = dup(STDIN_FILENO);
	int fd = terminal_that_fails_after("a\nb\n");
	assert_int_equal(dup2(fd, STDIN_FILENO), STDIN_FILENO);
	io_close(fd);
	job_add_path(&job, false, "-");
	job_open(&job, 1);
	assert_string_equal(take_chunk(&job, 100), "0:[a][b]");
	assert_string_equal(take_chunk(&job, 100), "error");
	assert_string_equal(take_chunk(&job, 100), "error");
	job_fini(&job);
	assert_int_equal(dup2(stdin_fd, STDIN_FILENO), STDIN_FILENO);
	io_close(stdin_fd);
}

static void
a_chunk_of_long_values_is_bounded_in_bytes(void **state)
{
	(void)state;
	size_t value_count = 500;
	struct job job = grouped(SPEC_GROUP_ONE, false);
	struct task *task;
	size_t taken = 0;
	fill_with_long_values(&job, value_count);
	job_open(&job, 1);
	while (source_next(args_source(job.args), TASK_CHUNK_MAX, &task, NULL) ==
	       SOURCE_TASK) {
		assert_true(task->packed_bytes < TASK_CHUNK_MAX_BYTES + VALUE_BYTES + 5);
		assert_true(task->packed_bytes >= TASK_CHUNK_MAX_BYTES ||
			    taken + task->count == value_count);
		assert_int_equal(task->seq, taken);
		taken += task->count;
		free(task);
	}
	assert_int_equal(taken, value_count);
	job_fini(&job);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_last_group_by_count_holds_what_is_left),
	    cmocka_unit_test(a_group_counts_combinations),
	    cmocka_unit_test(a_count_of_none_takes_one_input_each),
	    cmocka_unit_test(inputs_that_are_no_values_make_empty_tasks),
	    cmocka_unit_test(a_full_group_by_count_does_not_wait_for_more),
	    cmocka_unit_test(what_is_left_is_shared_among_the_workers),
	    cmocka_unit_test(without_sharing_the_last_group_is_as_full_as_it_gets),
	    cmocka_unit_test(a_group_is_no_longer_than_told),
	    cmocka_unit_test(the_length_of_a_line_is_that_of_the_line),
	    cmocka_unit_test(an_input_that_is_too_long_is_a_task_of_its_own),
	    cmocka_unit_test(a_value_that_execve_refuses_takes_no_other_with_it),
	    cmocka_unit_test(a_filled_argv_is_what_execve_takes),
	    cmocka_unit_test(a_filled_line_is_what_one_argument_may_be),
	    cmocka_unit_test(a_group_waits_for_the_end_of_an_open_pipe),
	    cmocka_unit_test(a_line_that_ends_in_a_blank_goes_on),
	    cmocka_unit_test(lines_bound_a_group_that_is_filled),
	    cmocka_unit_test(single_inputs_come_in_chunks_as_large_as_asked_for),
	    cmocka_unit_test(tasks_of_a_chunk_have_equally_many_values),
	    cmocka_unit_test(inputs_that_are_no_values_come_in_chunks_too),
	    cmocka_unit_test(groups_of_several_come_one_by_one),
	    cmocka_unit_test(a_chunk_is_what_is_there_and_waits_for_no_more),
	    cmocka_unit_test(an_error_is_told_when_the_tasks_before_it_were_given),
	    cmocka_unit_test(a_chunk_of_long_values_is_bounded_in_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

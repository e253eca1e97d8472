/*
 * Several input sources: each with each, linked, with nothing in them, and as they come.
 */
#include "inputs.h"

static void
values_come_in_their_order(void **state)
{
	(void)state;
	struct job job;
	job_init(&job, SPEC_MAP);
	job_add_values(&job, false, VALUES("a", "b", "c"));
	assert_job(&job, 1, "a|b|c");
}

static void
the_last_source_varies_fastest(void **state)
{
	(void)state;
	struct job job;
	job_init(&job, SPEC_MAP);
	job_add_values(&job, false, VALUES("a", "b"));
	job_add_file(&job, false, "1\n2\n");
	job_add_values(&job, false, VALUES("x", "y"));
	assert_job(&job, 1, "a 1 x|a 1 y|a 2 x|a 2 y|b 1 x|b 1 y|b 2 x|b 2 y");
}

static void
a_linked_source_ends_with_the_shortest(void **state)
{
	(void)state;
	struct job job;
	job_init(&job, SPEC_MAP);
	job_add_values(&job, false, VALUES("a", "b", "c"));
	job_add_file(&job, true, "1\n2\n");
	job_add_values(&job, true, VALUES("p", "q", "r", "s"));
	assert_job(&job, 1, "a 1 p|b 2 q");
}

static void
linked_sources_are_combined_as_one(void **state)
{
	(void)state;
	struct job job;
	job_init(&job, SPEC_MAP);
	job_add_values(&job, false, VALUES("a", "b"));
	job_add_values(&job, true, VALUES("1", "2"));
	job_add_values(&job, false, VALUES("x", "y", "z"));
	job_add_file(&job, true, "X\nY\n");
	assert_job(&job, 1, "a 1 x X|a 1 y Y|b 2 x X|b 2 y Y");
}

static void
link_starts_shorter_sources_again(void **state)
{
	(void)state;
	struct job job;
	job_init(&job, SPEC_MAP);
	job.spec.is_all_linked = true;
	job_add_file(&job, false, "a\nb\nc\n");
	job_add_values(&job, false, VALUES("1", "2"));
	job_add_values(&job, true, VALUES("p", "q", "r", "s", "t"));
	assert_job(&job, 1, "a 1 p|b 2 q|c 1 r|a 2 s|b 1 t");
}

static void
link_of_sources_that_are_equally_long_ends_with_them(void **state)
{
	(void)state;
	struct job job;
	job_init(&job, SPEC_MAP);
	job.spec.is_all_linked = true;
	job_add_values(&job, false, VALUES("a", "b"));
	job_add_values(&job, false, VALUES("1", "2"));
	assert_job(&job, 1, "a 1|b 2");
}

static void
a_source_without_items_is_one_empty_value(void **state)
{
	(void)state;
	struct job job;
	job_init(&job, SPEC_MAP);
	job_add_values(&job, false, VALUES("a", "b"));
	job_add_path(&job, false, "/dev/null");
	job_add_values(&job, false, NO_VALUES);
	job_add_values(&job, true, VALUES("x", "y"));
	assert_job(&job, 1, "a   x|b   x");

	job_init(&job, SPEC_MAP);
	job.spec.is_all_linked = true;
	job_add_values(&job, false, NO_VALUES);
	job_add_values(&job, false, VALUES("x", "y"));
	assert_job(&job, 1, " x| y");
}

static void
no_items_at_all_are_no_tasks(void **state)
{
	(void)state;
	struct job job;
	job_init(&job, SPEC_MAP);
	job_add_values(&job, false, NO_VALUES);
	assert_job(&job, 1, "");
	job_init(&job, SPEC_MAP);
	job_add_path(&job, false, "/dev/null");
	job_add_values(&job, false, NO_VALUES);
	job_add_file(&job, true, "");
	assert_job(&job, 1, "");
}

static void
an_empty_line_is_an_item_of_its_own(void **state)
{
	(void)state;
	struct job job;
	job_init(&job, SPEC_MAP);
	job_add_file(&job, false, "\n");
	job_open(&job, 1);
	assert_int_equal(job_take(&job), SOURCE_END);
	assert_int_equal(job.task_count, 1);
	job_fini(&job);
}

static void
a_file_named_twice_is_read_twice(void **state)
{
	(void)state;
	struct job job;
	job_init(&job, SPEC_MAP);
	job_add_file(&job, false, "a\nb\n");
	job_add_path(&job, false, job.paths[0]);
	assert_job(&job, 1, "a a|a b|b a|b b");
}

static void
put(int fd, const char *text)
{
	assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
}

static void
the_first_source_streams(void **state)
{
	(void)state;
	struct job job;
	job_init(&job, SPEC_MAP);
	int fd = job_add_pipe(&job, false);
	job_add_values(&job, false, VALUES("x", "y"));
	job_open(&job, 1);
	assert_int_equal(job_take(&job), SOURCE_WAIT);
	put(fd, "a\nb");
	assert_int_equal(job_take(&job), SOURCE_WAIT);
	assert_string_equal(job_text(&job), "a x|a y");
	put(fd, "b\n");
	assert_int_equal(job_take(&job), SOURCE_WAIT);
	assert_string_equal(job_text(&job), "a x|a y|bb x|bb y");
	io_close(fd);
	assert_int_equal(job_take(&job), SOURCE_END);
	job_fini(&job);
}

static void
the_last_source_streams_too(void **state)
{
	(void)state;
	struct job job;
	job_init(&job, SPEC_MAP);
	job_add_values(&job, false, VALUES("x", "y"));
	int fd = job_add_pipe(&job, false);
	job_open(&job, 1);
	put(fd, "a\n");
	assert_int_equal(job_take(&job), SOURCE_WAIT);
	assert_string_equal(job_text(&job), "x a");
	put(fd, "b\n");
	io_close(fd);
	assert_int_equal(job_take(&job), SOURCE_END);
	assert_string_equal(job_text(&job), "x a|x b|y a|y b");
	job_fini(&job);
}

static void
linked_pipes_wait_for_the_one_that_is_behind(void **state)
{
	(void)state;
	struct job job;
	job_init(&job, SPEC_MAP);
	int first = job_add_pipe(&job, false);
	int second = job_add_pipe(&job, true);
	job_open(&job, 1);
	put(first, "a\nb\n");
	assert_int_equal(job_take(&job), SOURCE_WAIT);
	int waits_on_second = source_wait_fd(args_source(job.args));
	put(second, "1\n");
	assert_int_equal(job_take(&job), SOURCE_WAIT);
	assert_string_equal(job_text(&job), "a 1");
	assert_int_equal(source_wait_fd(args_source(job.args)), waits_on_second);
	put(second, "2\n");
	assert_int_equal(job_take(&job), SOURCE_WAIT);
	assert_int_not_equal(source_wait_fd(args_source(job.args)), waits_on_second);
	io_close(first);
	assert_int_equal(job_take(&job), SOURCE_END);
	assert_string_equal(job_text(&job), "a 1|b 2");
	io_close(second);
	job_fini(&job);
}

static void
columns_of_all_sources_are_one_list(void **state)
{
	(void)state;
	struct job job;
	job_init(&job, SPEC_MAP);
	job.spec.colsep = ",";
	job_add_values(&job, false, VALUES("a,b", "c,d,e", "f"));
	job_add_values(&job, false, VALUES("x", "y,z"));
	assert_job(&job, 1, "a b x|a b y z|c d e x|c d e y z|f x|f y z");
}

/* The tasks as a set: each of "a".."h" with each of 1 and 2. */
static void
shuffled_combinations_are_all_there_once(void **state)
{
	(void)state;
	struct job job;
	job_init(&job, SPEC_MAP);
	job.spec.is_shuffled = true;
	job_add_values(&job, false, VALUES("a", "b", "c", "d", "e", "f", "g", "h"));
	job_add_values(&job, false, VALUES("1", "2"));
	job_open(&job, 1);
	assert_int_equal(job_take(&job), SOURCE_END);
	assert_int_equal(job.task_count, 16);
	for (char letter = 'a'; letter <= 'h'; letter++) {
		for (char digit = '1'; digit <= '2'; digit++) {
			const char combination[] = {letter, ' ', digit, '\0'};
			const char *found = strstr(job_text(&job), combination);
			assert_non_null(found);
			assert_null(strstr(found + 1, combination));
		}
	}
	job_fini(&job);
}

/* 64 values stay in order by chance once in 10^89 runs. */
static void
shuffling_changes_the_order(void **state)
{
	(void)state;
	struct job job;
	struct buf ordered = {0};
	job_init(&job, SPEC_MAP);
	job.spec.is_shuffled = true;
	for (int i = 100; i < 164; i++)
		assert_int_equal(buf_printf(&ordered, "%d\n", i), 0);
	job_add_file(&job, false, buf_str(&ordered));
	job_open(&job, 1);
	assert_int_equal(job_take(&job), SOURCE_END);
	assert_int_equal(job.task_count, 64);
	for (size_t i = 0; i < ordered.length; i++)
		if (ordered.bytes[i] == '\n')
			ordered.bytes[i] = '|';
	assert_int_not_equal(memcmp(job_text(&job), ordered.bytes, job.text.length), 0);
	buf_fini(&ordered);
	job_fini(&job);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(values_come_in_their_order),
	    cmocka_unit_test(the_last_source_varies_fastest),
	    cmocka_unit_test(a_linked_source_ends_with_the_shortest),
	    cmocka_unit_test(linked_sources_are_combined_as_one),
	    cmocka_unit_test(link_starts_shorter_sources_again),
	    cmocka_unit_test(link_of_sources_that_are_equally_long_ends_with_them),
	    cmocka_unit_test(a_source_without_items_is_one_empty_value),
	    cmocka_unit_test(no_items_at_all_are_no_tasks),
	    cmocka_unit_test(an_empty_line_is_an_item_of_its_own),
	    cmocka_unit_test(a_file_named_twice_is_read_twice),
	    cmocka_unit_test(the_first_source_streams),
	    cmocka_unit_test(the_last_source_streams_too),
	    cmocka_unit_test(linked_pipes_wait_for_the_one_that_is_behind),
	    cmocka_unit_test(columns_of_all_sources_are_one_list),
	    cmocka_unit_test(shuffled_combinations_are_all_there_once),
	    cmocka_unit_test(shuffling_changes_the_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * A job's inputs as a whole: headers, -E, -r, values of the two dialects, and what is
 * refused.
 */
#include "inputs.h"

#include <errno.h>

static void
assert_names(struct job *job, const char *expected)
{
	size_t count;
	struct buf text = {0};
	const struct arg *names = args_names(job->args, &count);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(
		    buf_printf(&text, "<%.*s>", (int)names[i].length, names[i].bytes), 0);
	assert_string_equal(buf_str(&text), expected);
	buf_fini(&text);
}

static void
a_header_names_the_columns_of_all_sources(void **state)
{
	(void)state;
	struct job job;
	job_init(&job, SPEC_MAP);
	job.spec.has_header = true;
	job.spec.colsep = ",";
	job_add_file(&job, false, "a,b\n1,2\n3,4\n");
	job_add_values(&job, false, VALUES("c", "x", "y"));
	job_open(&job, 1);
	assert_names(&job, "<a><b><c>");
	assert_int_equal(args_column_count(job.args), 3);
	assert_int_equal(job_take(&job), SOURCE_END);
	assert_string_equal(job_text(&job), "1 2 x|1 2 y|3 4 x|3 4 y");
	job_fini(&job);
}

static void
a_source_without_header_keeps_its_place_among_the_names(void **state)
{
	(void)state;
	struct job job;
	job_init(&job, SPEC_MAP);
	job.spec.has_header = true;
	job_add_values(&job, false, NO_VALUES);
	job_add_values(&job, false, VALUES("y", "a", "b"));
	job_open(&job, 1);
	assert_names(&job, "<><y>");
	assert_int_equal(job_take(&job), SOURCE_END);
	assert_string_equal(job_text(&job), " a| b");
	job_fini(&job);
}

static void
a_header_alone_is_no_task(void **state)
{
	(void)state;
	struct job job;
	job_init(&job, SPEC_MAP);
	job.spec.has_header = true;
	job_add_file(&job, false, "name\n");
	assert_job(&job, 1, "");
}

static void
a_header_is_neither_skipped_nor_an_end(void **state)
{
	(void)state;
	struct job job;
	job_init(&job, SPEC_MAP);
	job.spec.has_header = true;
	job.spec.skips_empty = true;
	job.spec.end_of_input = "END";
	job_add_file(&job, false, "\na\n\nb\n");
	job_add_values(&job, true, VALUES("END", "1", "2", "END", "3"));
	job_open(&job, 1);
	assert_names(&job, "<><END>");
	assert_int_equal(job_take(&job), SOURCE_END);
	assert_string_equal(job_text(&job), "a 1|b 2");
	job_fini(&job);
}

static void
the_column_count_is_known_unless_items_are_split(void **state)
{
	(void)state;
	struct job job;
	job_init(&job, SPEC_MAP);
	job_add_values(&job, false, VALUES("a"));
	job_add_values(&job, true, VALUES("b"));
	job_open(&job, 1);
	assert_int_equal(args_column_count(job.args), 2);
	assert_names(&job, "");
	job_fini(&job);

	job_init(&job, SPEC_MAP);
	job.spec.colsep = ",";
	job_add_values(&job, false, VALUES("a"));
	job_open(&job, 1);
	assert_int_equal(args_column_count(job.args), 0);
	job_fini(&job);
}

static void
the_end_of_input_ends_its_own_source_only(void **state)
{
	(void)state;
	struct job job;
	job_init(&job, SPEC_MAP);
	job.spec.end_of_input = "END";
	job_add_file(&job, false, "a\nEND \nEND\nb\n");
	job_add_values(&job, false, VALUES("1", "END", "2"));
	job_add_values(&job, false, VALUES("x", "y"));
	assert_job(&job, 1, "a 1 x|a 1 y|END  1 x|END  1 y");

	job_init(&job, SPEC_MAP);
	job.spec.end_of_input = "END";
	job_add_values(&job, false, VALUES("END", "b"));
	job_add_values(&job, false, VALUES("x", "y"));
	assert_job(&job, 1, " x| y");
}

static void
blank_items_are_skipped_when_told(void **state)
{
	(void)state;
	struct job job;
	job_init(&job, SPEC_MAP);
	job.spec.skips_empty = true;
	job_add_file(&job, false, "a\n\n \t\nb\n");
	job_add_values(&job, true, VALUES("1", "", "2", "3"));
	assert_job(&job, 1, "a 1|b 2");

	job_init(&job, SPEC_MAP);
	job_add_file(&job, false, "a\n\nb\n");
	assert_job(&job, 1, "a||b");
}

static void
items_may_end_in_nul_bytes(void **state)
{
	(void)state;
	struct job job;
	job_init(&job, SPEC_MAP);
	int fd = io_memfd("input", 0);
	assert_int_equal(io_write_all(fd, "a\nb\0c\0", 6), 0);
	const struct spec_input input = {
	    .kind = SPEC_INPUT_FILE, .path = job_add_fd(&job, fd), .is_nul = true};
	assert_int_equal(spec_add_input(&job.spec, &input), 0);
	assert_job(&job, 1, "a\nb|c");
}

static void
a_value_with_a_newline_is_one_item_in_map(void **state)
{
	(void)state;
	struct job job;
	job_init(&job, SPEC_MAP);
	job_add_values(&job, false, VALUES("a\nb", "c"));
	assert_job(&job, 1, "a\nb|c");
}

static void
a_value_is_split_at_the_delimiter_in_parallel(void **state)
{
	(void)state;
	struct job job;
	job_init(&job, SPEC_PARALLEL);
	job_add_values(&job, false, VALUES("a\nb", "c\n", "d"));
	assert_job(&job, 1, "a|b|c||d");

	job_init(&job, SPEC_PARALLEL);
	job.spec.delimiter = '\0';
	job_add_values(&job, false, VALUES("a\nb", "c"));
	assert_job(&job, 1, "a\nb|c");
}

static void
assert_refused(struct job *job, enum err_kind kind, const char *word)
{
	struct err err = {0};
	assert_null(args_open(&job->spec, &err));
	assert_int_equal(err.kind, kind);
	assert_non_null(strstr(err.text, word));
	job_fini(job);
}

static void
standard_input_is_refused_as_two_sources(void **state)
{
	(void)state;
	struct job job;
	job_init(&job, SPEC_MAP);
	job_add_path(&job, false, "-");
	job_add_values(&job, false, VALUES("a"));
	job_add_path(&job, true, "-");
	assert_refused(&job, ERR_USAGE, "standard input");
}

static void
a_pipe_is_refused_as_two_sources(void **state)
{
	(void)state;
	struct job job;
	job_init(&job, SPEC_MAP);
	int fd = job_add_pipe(&job, false);
	job_add_path(&job, false, job.paths[0]);
	io_close(fd);
	struct err err = {0};
	assert_null(args_open(&job.spec, &err));
	assert_int_equal(err.kind, ERR_USAGE);
	assert_non_null(strstr(err.text, job.paths[0]));
	job_fini(&job);
}

static void
a_missing_file_is_refused_before_the_first_task(void **state)
{
	(void)state;
	struct job job;
	job_init(&job, SPEC_MAP);
	job_add_values(&job, false, VALUES("a"));
	job_add_path(&job, false, "/nowhere/at-all");
	assert_refused(&job, ERR_SYSTEM, "/nowhere/at-all");
}

static void
a_bad_separator_is_refused(void **state)
{
	(void)state;
	struct job job;
	job_init(&job, SPEC_MAP);
	job.spec.colsep = "(";
	job_add_values(&job, false, VALUES("a"));
	assert_refused(&job, ERR_USAGE, "--colsep");
}

/* Address 0 of our own memory cannot be read. */
static void
a_read_error_names_the_file(void **state)
{
	(void)state;
	struct job job;
	struct task *task;
	struct err err = {0};
	job_init(&job, SPEC_MAP);
	job_add_path(&job, false, "/proc/self/mem");
	job_open(&job, 1);
	assert_int_equal(source_next(args_source(job.args), 1, &task, &err), SOURCE_ERROR);
	assert_int_equal(err.errno_value, EIO);
	assert_non_null(strstr(err.text, "/proc/self/mem"));
	job_fini(&job);
}

static void
items_of_any_bytes_become_values(void **state)
{
	(void)state;
	struct job job;
	job_init(&job, SPEC_MAP);
	int fd = job_add_pipe(&job, false);
	assert_int_equal(io_write_all(fd, "a\0b\n\xff\xfe\n", 7), 0);
	io_close(fd);
	job_open(&job, 1);
	assert_int_equal(job_take(&job), SOURCE_END);
	assert_int_equal(job.text.length, 6);
	assert_memory_equal(job.text.bytes, "a\0b|\xff\xfe", 6);
	job_fini(&job);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_header_names_the_columns_of_all_sources),
	    cmocka_unit_test(a_source_without_header_keeps_its_place_among_the_names),
	    cmocka_unit_test(a_header_alone_is_no_task),
	    cmocka_unit_test(a_header_is_neither_skipped_nor_an_end),
	    cmocka_unit_test(the_column_count_is_known_unless_items_are_split),
	    cmocka_unit_test(the_end_of_input_ends_its_own_source_only),
	    cmocka_unit_test(blank_items_are_skipped_when_told),
	    cmocka_unit_test(items_may_end_in_nul_bytes),
	    cmocka_unit_test(a_value_with_a_newline_is_one_item_in_map),
	    cmocka_unit_test(a_value_is_split_at_the_delimiter_in_parallel),
	    cmocka_unit_test(standard_input_is_refused_as_two_sources),
	    cmocka_unit_test(a_pipe_is_refused_as_two_sources),
	    cmocka_unit_test(a_missing_file_is_refused_before_the_first_task),
	    cmocka_unit_test(a_bad_separator_is_refused),
	    cmocka_unit_test(a_read_error_names_the_file),
	    cmocka_unit_test(items_of_any_bytes_become_values),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* CSV as RFC 4180 has it: quoting, line ends, headers, and what is refused where. */
#include "inputs.h"

static void
job_add_csv(struct job *job, bool has_header, char separator, const char *text)
{
	int fd = io_memfd("input", 0);
	assert_int_not_equal(fd, -1);
	assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
	const struct spec_input input = {.kind = SPEC_INPUT_CSV,
					 .path = job_add_fd(job, fd),
					 .has_header = has_header,
					 .separator = separator};
	assert_int_equal(spec_add_input(&job->spec, &input), 0);
}

static void
assert_records(const char *text, const char *expected)
{
	struct job job;
	job_init(&job, SPEC_MAP);
	job_add_csv(&job, false, ',', text);
	assert_job(&job, 1, expected);
}

/* The text is refused, after `count` tasks, with a message that ends so. */
static void
refuse(bool has_header, const char *text, uint64_t count, const char *expected)
{
	struct job job;
	struct task *task;
	struct err err = {0};
	enum source_status status;
	job_init(&job, SPEC_MAP);
	job_add_csv(&job, has_header, ',', text);
	job_open(&job, 1);
	while ((status = source_next(args_source(job.args), 1, &task, &err)) ==
	       SOURCE_TASK) {
		job.task_count++;
		free(task);
	}
	assert_int_equal(status, SOURCE_ERROR);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_int_equal(job.task_count, count);
	const char *behind_name = strchr(err.text, ':');
	assert_non_null(behind_name);
	assert_string_equal(behind_name, expected);
	job_fini(&job);
}

static void
fields_are_columns(void **state)
{
	(void)state;
	assert_records("a,b\nc,d\n", "a b|c d");
	assert_records("a,b\r\nc,d", "a b|c d");
	assert_records("a,,\n", "a  ");
	assert_records("\xef\xbb\xbf"
		       "a\n",
		       "a");
	assert_records("", "");
}

static void
lines_without_a_record_are_passed_over(void **state)
{
	(void)state;
	assert_records("\n\r\na\n\nb\n\n", "a|b");
	assert_records("\"\"\nb\n", "|b");
}

static void
quotes_hold_separators_quotes_and_line_ends(void **state)
{
	(void)state;
	assert_records("\"a,b\",c\n", "a,b c");
	assert_records("\"a\"\"b\"\"\",\"\"\"\"\n", "a\"b\" \"");
	assert_records("\"a\nb\n\nc\",d\r\n\"e\r\nf\"\n", "a\nb\n\nc d|e\r\nf");
	assert_records("x,\"a\n\"\"b\"\" \n\",y\nz\n", "x a\n\"b\" \n y|z");
}

static void
another_separator_can_be_had(void **state)
{
	(void)state;
	struct job job;
	job_init(&job, SPEC_MAP);
	job_add_csv(&job, false, ';', "a,b;\"c;d\"\n");
	assert_job(&job, 1, "a,b c;d");
}

static void
a_header_names_columns_for_templates(void **state)
{
	(void)state;
	struct job job;
	size_t count;
	job_init(&job, SPEC_MAP);
	job_add_csv(&job, true, ',', "name,\"the\nplace\"\nAda,London\n");
	job_add_values(&job, false, VALUES("x", "y"));
	job_open(&job, 1);
	const struct arg *names = args_names(job.args, &count);
	assert_int_equal(count, 3);
	assert_string_equal(names[1].bytes, "the\nplace");
	assert_int_equal(job_take(&job), SOURCE_END);
	assert_string_equal(job_text(&job), "Ada London x|Ada London y");
	job_fini(&job);
}

static void
errors_name_the_line_a_record_begins_in(void **state)
{
	(void)state;
	refuse(
	    false, "a\n\"b\nc\" d\n", 1,
	    ":2: a field goes on behind its closing quote; a quote inside of quotes is "
	    "doubled");
	refuse(false, "a\nb \"c\"\n", 1,
	       ":2: a quote inside of a field that does not begin with one: such fields "
	       "are in "
	       "quotes as a whole");
	refuse(false, "a\n\"b\nc\n", 1, ":2: a quote that opens in this record has no end");
	refuse(true, "a,b\n1,2\n3\n", 1, ":3: 1 fields, where the header has 2");
}

/* Records come while the rest is not there yet. */
static void
a_quote_that_never_ends_is_not_read_for_ever(void **state)
{
	(void)state;
	struct job job;
	struct task *task;
	struct err err = {0};
	job_init(&job, SPEC_MAP);
	job_add_csv(&job, false, ',', "\"");
	assert_int_equal(ftruncate(job.fds[0], 64 * 1024 * 1024 + 1), 0); /* all NUL */
	job_open(&job, 1);
	enum source_status status;
	do
		status = source_next(args_source(job.args), 1, &task, &err);
	while (status == SOURCE_WAIT);
	assert_int_equal(status, SOURCE_ERROR);
	assert_string_equal(
	    strchr(err.text, ':'),
	    ":1: a record of more than 64 MiB begins here: is a quote not "
	    "closed?");
	job_fini(&job);
}

static void
records_stream(void **state)
{
	(void)state;
	struct job job;
	int fds[2];
	job_init(&job, SPEC_MAP);
	assert_int_equal(io_pipe(fds, 0), 0);
	const struct spec_input input = {
	    .kind = SPEC_INPUT_CSV, .path = job_add_fd(&job, fds[0]), .separator = ','};
	assert_int_equal(spec_add_input(&job.spec, &input), 0);
	job_open(&job, 1);
	assert_int_equal(io_write_all(fds[1], "a,b\n\"c\n", 7), 0);
	assert_int_equal(job_take(&job), SOURCE_WAIT);
	assert_string_equal(job_text(&job), "a b");
	assert_int_equal(io_write_all(fds[1], "d\"\n", 3), 0);
	assert_int_equal(job_take(&job), SOURCE_WAIT);
	assert_string_equal(job_text(&job), "a b|c\nd");
	io_close(fds[1]);
	assert_int_equal(job_take(&job), SOURCE_END);
	job_fini(&job);
}

/* What would be quadratic if each line of a record were looked at again. */
static void
a_record_of_a_million_lines_takes_no_time(void **state)
{
	(void)state;
	struct job job;
	char *text = malloc(2000004);
	assert_non_null(text);
	memset(text, '\n', 2000003);
	text[0] = '"';
	text[2000001] = '"';
	text[2000003] = '\0';
	job_init(&job, SPEC_MAP);
	job_add_csv(&job, false, ',', text);
	job_open(&job, 1);
	assert_int_equal(job_take(&job), SOURCE_END);
	assert_int_equal(strlen(job_text(&job)), 2000000);
	job_fini(&job);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(fields_are_columns),
	    cmocka_unit_test(lines_without_a_record_are_passed_over),
	    cmocka_unit_test(quotes_hold_separators_quotes_and_line_ends),
	    cmocka_unit_test(another_separator_can_be_had),
	    cmocka_unit_test(a_header_names_columns_for_templates),
	    cmocka_unit_test(errors_name_the_line_a_record_begins_in),
	    cmocka_unit_test(a_quote_that_never_ends_is_not_read_for_ever),
	    cmocka_unit_test(records_stream),
	    cmocka_unit_test(a_record_of_a_million_lines_takes_no_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

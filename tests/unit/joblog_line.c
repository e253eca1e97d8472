/* The lines of a joblog: what is written, and what is taken for one. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "record/joblog_line.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
expect_line(const struct joblog_line *line, const char *text, size_t length)
{
	struct buf got = {0};
	assert_int_equal(joblog_line_append(&got, line), 0);
	assert_int_equal(got.length, length);
	assert_memory_equal(got.bytes, text, length);
	buf_fini(&got);
}

#define EXPECT_LINE(line, text) expect_line(line, text, sizeof(text) - 1)

static void
a_line_has_the_columns_of_gnu_parallel(void **state)
{
	struct joblog_line line = {.seq = 0,
				   .started_real_ns = INT64_C(1795250621762000000),
				   .wall_ns = 95400000,
				   .receive_bytes = 12,
				   .exit_value = 3,
				   .command = "exit 3",
				   .command_length = 6};
	(void)state;
	EXPECT_LINE(&line, "1\t:\t1795250621.762\t     0.095\t0\t12\t3\t0\texit 3\n");
	line.exit_value = -1;
	line.signal = 15;
	line.seq = 999999;
	line.wall_ns = INT64_C(12345678999500000);
	EXPECT_LINE(&line,
		    "1000000\t:\t1795250621.762\t12345679.000\t0\t12\t-1\t15\texit 3\n");
}

static void
times_are_rounded_to_milliseconds_and_never_negative(void **state)
{
	static const struct {
		int64_t ns;
		const char *text;
	} rows[] = {{0, "     0.000"},           {499999, "     0.000"},
		    {500000, "     0.001"},      {999499999, "     0.999"},
		    {999500000, "     1.000"},   {INT64_C(100000000000), "   100.000"},
		    {-5000000000, "     0.000"}, {1001000000, "     1.001"}};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[100];
		const struct joblog_line line = {
		    .wall_ns = rows[i].ns, .command = "", .command_length = 0};
		snprintf(text, sizeof(text), "1\t:\t0.000\t%s\t0\t0\t0\t0\t\n",
			 rows[i].text);
		expect_line(&line, text, strlen(text));
	}
}

static void
newlines_in_a_command_are_nul_bytes_and_nothing_else_changes(void **state)
{
	const struct joblog_line line = {.command = "\na\tb\n\n'c'\r\xff",
					 .command_length = 11};
	(void)state;
	EXPECT_LINE(&line, "1\t:\t0.000\t     0.000\t0\t0\t0\t0\t\0a\tb\0\0'c'\r\xff\n");
}

static void
what_is_written_is_read_back(void **state)
{
	const struct joblog_line line = {.seq = 41,
					 .started_real_ns = INT64_C(1795250621762000000),
					 .exit_value = -1,
					 .signal = 9,
					 .command = "a\tb\nc",
					 .command_length = 5};
	struct joblog_line got;
	struct buf text = {0};
	(void)state;
	assert_int_equal(joblog_line_append(&text, &line), 0);
	assert_true(joblog_line_parse(text.bytes, text.length - 1, &got));
	assert_int_equal(got.seq, 41);
	assert_int_equal(got.exit_value, -1);
	assert_int_equal(got.signal, 9);
	assert_int_equal(got.command_length, 5);
	assert_memory_equal(got.command, "a\tb\0c", 5);
	buf_fini(&text);
}

static void
lines_of_other_programs_and_hosts_are_records_too(void **state)
{
	static const char *const lines[] = {
	    "4\thost\t1360490623.067\t3.445\t1023\t1222\t0\t0\tcommand",
	    "1\tuser@example.com:22\t0\t-0.5\t0\t0\t255\t0\t",
	    "7\t:\t1.5\t         1\t0\t0\t0\t2\t\t\t",
	};
	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct joblog_line line;
		assert_true(joblog_line_parse(lines[i], strlen(lines[i]), &line));
		assert_int_equal(line.seq + 1, lines[i][0] - '0');
	}
}

static void
other_lines_are_no_records(void **state)
{
	static const char *const lines[] = {
	    "",
	    "hello",
	    "1",
	    "\t:\t1.5\t1\t0\t0\t0\t0\tx",
	    "0\t:\t1.5\t1\t0\t0\t0\t0\tx", /* counts from 1 */
	    "-1\t:\t1.5\t1\t0\t0\t0\t0\tx",
	    " 1\t:\t1.5\t1\t0\t0\t0\t0\tx",
	    "1x\t:\t1.5\t1\t0\t0\t0\t0\tx",
	    "+1\t:\t1.5\t1\t0\t0\t0\t0\tx",
	    "01\t:\t1.5\t1\t0\t0\t0\t0\tx",
	    "0x1\t:\t1.5\t1\t0\t0\t0\t0\tx",
	    "1e3\t:\t1.5\t1\t0\t0\t0\t0\tx",
	    "1000000000000001\t:\t1.5\t1\t0\t0\t0\t0\tx",     /* TASK_SEQS_MAX + 1 */
	    "18446744073709551617\t:\t1.5\t1\t0\t0\t0\t0\tx", /* 2^64 + 1 */
	    "1234567890123456789\t:\t1.5\t1\t0\t0\t0\t0\tx",
	    "1\t\t1.5\t1\t0\t0\t0\t0\tx",
	    "1\t:\tnow\t1\t0\t0\t0\t0\tx",
	    "1\t:\t1.5\t   \t0\t0\t0\t0\tx",
	    "1\t:\t1.5\t1\t0\t0\t\t0\tx",
	    "1\t:\t1.5\t1\t0\t0\t-\t0\tx",
	    "1\t:\t1.5\t1\t0\t0\t0.0\t0\tx",
	    "1\t:\t1.5\t1\t0\t0\t1234567890\t0\tx",
	    "1\t:\t1.5\t1\t0\t0\t0\t0", /* no command */
	    "1 : 1.5 1 0 0 0 0 x",
	    "3\t:\t17953\t:\t1795250621.762\t     0.095\t0\t12\t0\t0\ttwo in one",
	};
	struct joblog_line line;
	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++)
		if (joblog_line_parse(lines[i], strlen(lines[i]), &line))
			fail_msg("taken for a record: %s", lines[i]);
}

static void
a_line_cut_before_its_command_is_no_record(void **state)
{
	static const char text[] = "12\t:\t1795250621.762\t     0.095\t0\t12\t0\t0\ttrue";
	struct joblog_line line;
	(void)state;
	for (size_t length = 0; length < sizeof(text); length++)
		assert_int_equal(joblog_line_parse(text, length, &line),
				 length >= sizeof(text) - 1 - 4);
}

static void
what_begins_with_a_seq_may_be_the_first_bytes_of_a_record(void **state)
{
	static const char *const yes[] = {"1", "12\t", "1000000000000000", "9\t\t:"};
	static const char *const no[] = {"",   "\t",   "0",  "01\t",
					 "-1", "1 \t", "1x", "1000000000000001\t:"};
	(void)state;
	for (size_t i = 0; i < COUNT(yes); i++)
		if (!joblog_line_begins_record(yes[i], strlen(yes[i])))
			fail_msg("may begin a record: %s", yes[i]);
	for (size_t i = 0; i < COUNT(no); i++)
		if (joblog_line_begins_record(no[i], strlen(no[i])))
			fail_msg("begins no record: %s", no[i]);
}

static void
the_header_is_known_whole_and_in_part(void **state)
{
	size_t length = sizeof(JOBLOG_HEADER) - 2;
	(void)state;
	assert_true(joblog_line_is_header(JOBLOG_HEADER, length));
	for (size_t part = 0; part < length; part++) {
		assert_false(joblog_line_is_header(JOBLOG_HEADER, part));
		assert_true(joblog_line_begins_header(JOBLOG_HEADER, part));
	}
	assert_true(joblog_line_begins_header(JOBLOG_HEADER, length));
	assert_false(joblog_line_begins_header("Seq\tHist", 8));
	assert_false(joblog_line_begins_header(JOBLOG_HEADER, length + 1));
}

static uint32_t
hash_of(const char *command)
{
	return joblog_line_hash(command, strlen(command));
}

static void
commands_are_told_apart_but_for_their_quotes(void **state)
{
	(void)state;
	assert_int_equal(hash_of("echo 'it'\\''s'"), hash_of("echo 'it'\"'\"'s'"));
	assert_int_equal(hash_of("echo a\\ b"), hash_of("echo 'a b'"));
	assert_int_equal(joblog_line_hash("a\nb", 3), joblog_line_hash("a\0b", 3));
	assert_int_not_equal(hash_of("echo 1"), hash_of("echo 2"));
	assert_int_not_equal(hash_of("echo a b"), hash_of("echo ab"));
	assert_int_not_equal(hash_of("echo"), hash_of("echo "));
	assert_int_not_equal(joblog_line_hash("a\0", 2), joblog_line_hash("a", 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_line_has_the_columns_of_gnu_parallel),
	    cmocka_unit_test(times_are_rounded_to_milliseconds_and_never_negative),
	    cmocka_unit_test(newlines_in_a_command_are_nul_bytes_and_nothing_else_changes),
	    cmocka_unit_test(what_is_written_is_read_back),
	    cmocka_unit_test(lines_of_other_programs_and_hosts_are_records_too),
	    cmocka_unit_test(other_lines_are_no_records),
	    cmocka_unit_test(a_line_cut_before_its_command_is_no_record),
	    cmocka_unit_test(what_begins_with_a_seq_may_be_the_first_bytes_of_a_record),
	    cmocka_unit_test(the_header_is_known_whole_and_in_part),
	    cmocka_unit_test(commands_are_told_apart_but_for_their_quotes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

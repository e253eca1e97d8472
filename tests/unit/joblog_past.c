/* What is made of the lines of a joblog, whole and cut short. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "record/joblog_line.h"
#include "record/joblog_past.h"

#define RECORD(seq, exit, signal, command) \
	seq "\t:\t1795250621.762\t     0.095\t0\t12\t" exit "\t" signal "\t" command "\n"
#define LOG                                                                           \
	JOBLOG_HEADER RECORD("2", "0", "0", "echo 2") RECORD("1", "3", "0", "exit 3") \
	    RECORD("5", "0", "9", "kill") RECORD("1", "0", "0", "exit 3")             \
		RECORD("7", "1", "0", "false")

/* As a reader of the file would give it. */
static int
take_all(struct joblog_past *past, const char *bytes, size_t length, struct err *err)
{
	const char *at = bytes, *end = bytes + length, *newline;
	while ((newline = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		if (joblog_past_take(past, (uint64_t)(at - bytes), at,
				     (size_t)(newline - at), err) == -1)
			return -1;
		at = newline + 1;
	}
	return joblog_past_finish(past, at, (size_t)(end - at), err);
}

static void
take_text(struct joblog_past *past, const char *text)
{
	struct err err = {0};
	assert_int_equal(take_all(past, text, strlen(text), &err), 0);
}

static void
refuse(const char *text, const char *message)
{
	struct joblog_past past = {0};
	struct err err = {0};
	assert_int_equal(take_all(&past, text, strlen(text), &err), -1);
	assert_int_equal(err.kind, ERR_USAGE);
	if (strstr(err.text, message) == NULL)
		fail_msg("'%s' does not say '%s'", err.text, message);
	joblog_past_fini(&past);
}

static void
tasks_are_known_by_their_last_word_and_a_success_stays_one(void **state)
{
	struct joblog_past past = {0};
	(void)state;
	take_text(&past, LOG RECORD("2", "1", "0", "echo 2"));
	assert_int_equal(joblog_past_find(&past, 0), JOBLOG_SUCCEEDED); /* failed before */
	assert_int_equal(joblog_past_find(&past, 1), JOBLOG_SUCCEEDED); /* failed after */
	assert_int_equal(joblog_past_find(&past, 2), JOBLOG_UNKNOWN);
	assert_int_equal(joblog_past_find(&past, 4), JOBLOG_FAILED);
	assert_int_equal(joblog_past_find(&past, 6), JOBLOG_FAILED);
	assert_int_equal(past.seqs.count, 4);
	assert_int_equal(past.failed_count, 2);
	assert_int_equal(past.torn_line, 0);
	assert_int_equal(past.failure_count, 0); /* not asked for */
	joblog_past_fini(&past);
}

static void
commands_are_remembered_by_their_numbers(void **state)
{
	struct joblog_past past = {0};
	(void)state;
	take_text(&past, LOG);
	assert_true(joblog_past_was(&past, 1, joblog_line_hash("echo 2", 6)));
	assert_false(joblog_past_was(&past, 1, joblog_line_hash("echo 3", 6)));
	assert_false(joblog_past_was(&past, 2, joblog_line_hash("echo 2", 6)));
	joblog_past_fini(&past);
}

static void
failures_are_kept_in_the_order_of_seqs_with_their_last_place(void **state)
{
	static const char text[] = JOBLOG_HEADER RECORD("9", "1", "0", "x")
	    RECORD("3", "1", "0", "x") RECORD("4", "1", "0", "x")
		RECORD("9", "2", "0", "y") RECORD("4", "0", "0", "x");
	struct joblog_past past = {.keeps_failures = true};
	struct joblog_line line;
	(void)state;
	take_text(&past, text);
	assert_int_equal(past.failure_count, 2);
	assert_int_equal(past.failures[0].seq, 2);
	assert_int_equal(past.failures[1].seq, 8);
	const struct joblog_failure *last = &past.failures[1];
	assert_true(joblog_line_parse(text + last->at, last->length, &line));
	assert_int_equal(line.seq, 8);
	assert_int_equal(line.exit_value, 2);
	assert_int_equal(line.command_length, 1);
	joblog_past_fini(&past);
}

/* The end of a run may come at any byte: only the record that it cuts is lost. */
static void
a_log_that_was_cut_at_any_byte_keeps_all_whole_records(void **state)
{
	static const char text[] = LOG;
	uint64_t whole = 0, record_count = 0;
	(void)state;
	for (size_t length = 0; length < sizeof(text); length++) {
		struct joblog_past past = {0};
		struct err err = {0};
		if (length > 0 && text[length - 1] == '\n') {
			whole = length;
			record_count++;
		}
		assert_int_equal(take_all(&past, text, length, &err), 0);
		assert_int_equal(past.end, whole);
		assert_int_equal(past.torn_line, whole == length ? 0 : record_count + 1);
		uint64_t least = record_count <= 1 ? 0 : record_count - 1;
		assert_int_equal(past.seqs.count, least > 3 ? least - 1 : least);
		joblog_past_fini(&past);
	}
}

/* An editor ends the last line. */
static void
a_cut_line_that_somebody_ended_is_lost_like_one_that_is_open(void **state)
{
	struct joblog_past past = {0};
	(void)state;
	take_text(&past, LOG "8\t:\t17952\n");
	assert_int_equal(past.torn_line, 7);
	assert_int_equal(past.end, sizeof(LOG) - 1);
	joblog_past_fini(&past);
	refuse(LOG "8\t:\t17952\n" RECORD("9", "0", "0", "x"), "line 7 is no record");
	refuse(LOG "8\t:\t17952\n9\t:", "line 7 is no record");
}

/* After a power cut a file may end in zeros. */
static void
zeros_at_the_end_are_a_torn_tail(void **state)
{
	static const char text[] = LOG "\0\0\0\0\0";
	struct joblog_past past = {0};
	struct err err = {0};
	(void)state;
	assert_int_equal(take_all(&past, text, sizeof(text) - 1, &err), 0);
	assert_int_equal(past.end, sizeof(LOG) - 1);
	assert_int_equal(past.torn_line, 7);
	joblog_past_fini(&past);
}

static void
what_is_no_joblog_is_refused_with_the_line(void **state)
{
	(void)state;
	refuse("hello\n", "line 1 is no record");
	refuse("hello", "line 1 is no record");
	refuse("\n", "line 1 is no record");
	refuse("1\n", "line 1 is no record");
	refuse("\x7f"
	       "ELF\x02\x01",
	       "line 1 is no record");
	refuse(JOBLOG_HEADER "hello\n", "line 2 is no record");
	refuse(JOBLOG_HEADER "\n", "line 2 is no record");
	refuse(LOG JOBLOG_HEADER, "line 7 is no record");
	refuse(LOG RECORD("1000000000000001", "0", "0", "x"), "line 7 is no record");
	refuse(LOG RECORD("0", "0", "0", "x"), "line 7 is no record");
	refuse(LOG "99999999999999999999\t:\n", "take that line out");
	refuse(JOBLOG_HEADER "1\t:\t1.2\n" RECORD("2", "0", "0", "x"),
	       "line 2 is no record");
}

/* The commands of tasks 1 to 9 are "echo 1" to "echo 9". */
static bool
is_done(struct joblog_past *past, uint64_t seq)
{
	char command[8] = "echo ?";
	command[5] = (char)('1' + seq);
	return joblog_past_find(past, seq) == JOBLOG_SUCCEEDED &&
	       joblog_past_was(past, seq, joblog_line_hash(command, 6));
}

/* Task 2 has failed, and beyond 3 none was run: no bit makes one of them done. */
static void
no_wrong_bit_makes_a_task_done_that_was_not(void **state)
{
	char text[] = JOBLOG_HEADER RECORD("1", "0", "0", "echo 1")
	    RECORD("2", "3", "0", "echo 2") RECORD("3", "0", "0", "echo 3");
	size_t length = sizeof(text) - 1, refused_count = 0;
	(void)state;
	for (size_t bit = 0; bit < 8 * length; bit++) {
		struct joblog_past past = {0};
		struct err err = {0};
		text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
		if (take_all(&past, text, length, &err) == -1) {
			assert_int_equal(err.kind, ERR_USAGE);
			refused_count++;
		} else {
			for (uint64_t seq = 0; seq < 9; seq++)
				if (is_done(&past, seq) && seq != 0 && seq != 2)
					fail_msg("bit %zu: task %zu", bit, (size_t)seq + 1);
		}
		joblog_past_fini(&past);
		text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
	}
	assert_true(refused_count > 0 && refused_count < 8 * length);
}

static void
a_log_without_a_header_or_without_anything_is_one_too(void **state)
{
	struct joblog_past past = {0};
	(void)state;
	take_text(&past, RECORD("1", "0", "0", "x"));
	assert_int_equal(joblog_past_find(&past, 0), JOBLOG_SUCCEEDED);
	joblog_past_fini(&past);
	take_text(&past, "");
	assert_int_equal(past.seqs.count, 0);
	assert_int_equal(past.end, 0);
	assert_int_equal(past.torn_line, 0);
	joblog_past_fini(&past);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tasks_are_known_by_their_last_word_and_a_success_stays_one),
	    cmocka_unit_test(commands_are_remembered_by_their_numbers),
	    cmocka_unit_test(failures_are_kept_in_the_order_of_seqs_with_their_last_place),
	    cmocka_unit_test(a_log_that_was_cut_at_any_byte_keeps_all_whole_records),
	    cmocka_unit_test(a_cut_line_that_somebody_ended_is_lost_like_one_that_is_open),
	    cmocka_unit_test(zeros_at_the_end_are_a_torn_tail),
	    cmocka_unit_test(what_is_no_joblog_is_refused_with_the_line),
	    cmocka_unit_test(no_wrong_bit_makes_a_task_done_that_was_not),
	    cmocka_unit_test(a_log_without_a_header_or_without_anything_is_one_too),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What live runs say, for a person: columns, widths, and nothing that drives a terminal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sink/status_text.h"

static const char reply[] =
    "{\"ok\":true,\"name\":\"gzip-1\",\"pid\":7,\"program\":\"pinion "
    "map\",\"command\":\"gzip "
    "{}\",\"cwd\":\"/logs\",\"start_s\":1000,\"elapsed_s\":723.4,\"state\":\"running\","
    "\"held_by\":\"input\",\"jobs\":2,\"jobs_max\":256,\"tasks\":{\"done\":1204,"
    "\"failed\":3,"
    "\"cancelled\":0,\"skipped\":0,\"before\":5,\"running\":2,\"total\":5000},\"rate\":1."
    "67,"
    "\"eta_s\":3800,\"workers\":[{\"slot\":1,\"pid\":8,\"served\":600,\"seq\":1207,"
    "\"attempt\":1,\"elapsed_s\":3.2,\"args\":[\"a\\u001b[31m.log\",\"b\"]},{\"slot\":2,"
    "\"pid\":9,\"served\":604,\"seq\":1208,\"attempt\":1,\"args_base64\":[\"/w==\"]},"
    "{\"slot\":3,\"pid\":10,\"served\":0}]}";

static const struct status_item item = {.name = "gzip-1", .pid = 7, .reply = reply};
static const struct status_item mute = {.name = "stuck-12", .pid = 77};

static void
assert_has(struct buf *text, const char *part)
{
	assert_non_null(buf_str(text));
	if (strstr(text->bytes, part) == NULL)
		fail_msg("no \"%s\" in:\n%s", part, text->bytes);
}

static void
assert_width(const struct buf *text, size_t width)
{
	size_t length = 0;
	for (size_t i = 0; i < text->length; i++) {
		length = text->bytes[i] == '\n' ? 0 : length + 1;
		assert_true(length <= width);
	}
}

static void
table_has_a_line_for_each_run(void **state)
{
	(void)state;
	const struct status_item items[] = {item, mute};
	struct buf text = {0};
	assert_int_equal(status_text_table(&text, items, 2, true, 200), 0);
	assert_has(
	    &text,
	    "NAME      PID  STATE         FOR       DONE  FAILED  RUNNING   RATE    "
	    "ETA  COMMAND\n"
	    "gzip-1      7  running    12m03s  1204/5000       3        2  1.7/s  "
	    "1h03m  gzip {}\n"
	    "stuck-12   77  no answer       -          -       -        -      -      "
	    "-  \n");
	buf_fini(&text);
}

static void
detail_says_what_each_worker_does(void **state)
{
	(void)state;
	struct buf text = {0};
	assert_int_equal(status_text_detail(&text, &item, 200, 100), 0);
	assert_has(&text, "run       gzip-1, pid 7, pinion map in /logs\n");
	assert_has(&text, "command   gzip {}\n");
	assert_has(&text, ", 12m03s ago\n");
	assert_has(&text, "state     running, waits for input\n");
	assert_has(&text,
		   "tasks     1204 done, 3 failed, 2 running of 5000; 5 done before this "
		   "run\n");
	assert_has(&text, "rate      1.7/s, done in 1h03m\n");
	assert_has(&text, "workers   3, of 2 wanted\n");
	assert_has(&text,
		   "     1        8      600     1207      3s  a\\x1b[31m.log b\n");
	assert_has(&text, "(bytes that are no text)\n");
	assert_has(&text, "     3       10        0        -       -  \n");
	buf_fini(&text);
}

static void
days_are_told_as_days(void **state)
{
	static const struct status_item long_item = {
	    .name = "a",
	    .pid = 1,
	    .reply = "{\"elapsed_s\":86399.6,\"eta_s\":273600,\"rate\":1,\"tasks\":{}}"};
	(void)state;
	struct buf text = {0};
	assert_int_equal(status_text_table(&text, &long_item, 1, false, 200), 0);
	assert_has(&text, "  1d00h  ");
	assert_has(&text, "  3d04h  ");
	buf_fini(&text);
}

static void
nothing_is_wider_than_the_terminal(void **state)
{
	(void)state;
	const struct status_item items[] = {item, mute};
	for (size_t width = 1; width < 130; width++) {
		struct buf text = {0};
		assert_int_equal(status_text_table(&text, items, 2, true, width), 0);
		assert_int_equal(status_text_detail(&text, &item, width, 100), 0);
		assert_width(&text, width);
		buf_fini(&text);
	}
}

static void
workers_that_do_not_fit_are_counted(void **state)
{
	(void)state;
	struct buf text = {0};
	assert_int_equal(status_text_detail(&text, &item, 80, 1), 0);
	assert_has(&text, "\n   ... and 2 more\n");
	buf_fini(&text);
}

static void
who_does_not_answer_is_said_to(void **state)
{
	(void)state;
	struct buf text = {0};
	assert_int_equal(status_text_detail(&text, &mute, 80, 10), 0);
	assert_string_equal(buf_str(&text),
			    "run       stuck-12, pid 77\n"
			    "state     does not answer: is it stopped?\n");
	buf_fini(&text);
	assert_int_equal(status_text_json(&text, &mute), 0);
	assert_has(&text, "{\"ok\":false,\"name\":\"stuck-12\",\"pid\":77,\"error\":\"no "
			  "answer\"}\n");
	buf_fini(&text);
}

static void
replies_that_make_no_sense_do_no_harm(void **state)
{
	static const char wild[] =
	    "{\"tasks\":{\"done\":-1,\"total\":1e300},\"elapsed_s\":1e300,\"rate\":1e300,"
	    "\"state\":\"\\u001b\\n\",\"start_s\":1e300,\"workers\":[1,{},[]]}";
	static const char *const replies[] = {
	    "", "x", "[]", "{}", "{\"tasks\":7,\"state\":{},\"workers\":9}", wild};
	(void)state;
	for (size_t i = 0; i < sizeof(replies) / sizeof(*replies); i++) {
		struct status_item bad = {.name = "a", .pid = 1, .reply = replies[i]};
		struct buf text = {0};
		assert_int_equal(status_text_table(&text, &bad, 1, false, 80), 0);
		assert_int_equal(status_text_detail(&text, &bad, 80, 10), 0);
		assert_int_equal(status_text_json(&text, &bad), 0);
		assert_null(memchr(text.bytes, '\033', text.length));
		buf_fini(&text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(table_has_a_line_for_each_run),
	    cmocka_unit_test(detail_says_what_each_worker_does),
	    cmocka_unit_test(days_are_told_as_days),
	    cmocka_unit_test(nothing_is_wider_than_the_terminal),
	    cmocka_unit_test(workers_that_do_not_fit_are_counted),
	    cmocka_unit_test(who_does_not_answer_is_said_to),
	    cmocka_unit_test(replies_that_make_no_sense_do_no_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

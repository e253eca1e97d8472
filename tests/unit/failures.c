/* Tests of sink/failures: what the summary of failed tasks says. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/visible.h"
#include "sink/failures.h"

struct fixture {
	struct spec spec;
	struct template *command;
	struct sink *sink;
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	if (f == NULL)
		return -1;
	spec_init(&f->spec, SPEC_MAP);
	*state = f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	if (f->sink != NULL)
		f->sink->ops->free(f->sink);
	template_free(f->command);
	spec_fini(&f->spec);
	free(f);
	return 0;
}

/* The sink for a command of these words. */
static void
start(struct fixture *f, const char *const *words)
{
	struct err err = {0};
	f->spec.words = (char **)words;
	f->spec.shell = "/bin/sh";
	for (f->spec.word_count = 0; words[f->spec.word_count] != NULL;)
		f->spec.word_count++;
	f->command = template_new(&f->spec, NULL, 0, &err);
	assert_non_null(f->command);
	const struct failures_config config = {.command = f->command, .column_count = 1};
	f->sink = failures_new(&config, &err);
	assert_non_null(f->sink);
}

static const char *const convert[] = {"convert", "{}", "out.png", NULL};

static void
settle(struct fixture *f, uint64_t seq, const char *value, const struct result *result)
{
	struct err err = {0};
	struct buf packed = {0};
	assert_int_equal(task_pack(&packed, value, strlen(value)), 0);
	struct task *task = task_new(seq, 1, 1, &packed);
	assert_non_null(task);
	assert_int_equal(f->sink->ops->settled(f->sink, task, result, &err), 0);
	free(task);
	buf_fini(&packed);
}

static void
settle_exit(struct fixture *f, uint64_t seq, int exit_status)
{
	const struct result result = {.reason = RESULT_EXIT, .exit_status = exit_status};
	settle(f, seq, "x", &result);
}

static void
settle_cannot_execute(struct fixture *f, uint64_t seq, int errno_value)
{
	const struct result result = {.reason = RESULT_CANNOT_EXECUTE,
				      .exit_status = 127,
				      .errno_value = errno_value};
	settle(f, seq, "x", &result);
}

static const char *
summary(struct fixture *f, struct buf *text)
{
	struct err err = {0};
	buf_clear(text);
	assert_int_equal(failures_summary(f->sink, text, &err), 0);
	return buf_str(text);
}

static void
all_done_has_nothing_to_say(void **state)
{
	struct fixture *f = *state;
	struct buf text = {0};
	struct failures_counts counts;
	start(f, convert);
	assert_string_equal(summary(f, &text), "");
	settle_exit(f, 0, 0);
	settle_exit(f, 1, 0);
	assert_string_equal(summary(f, &text), "");
	failures_get_counts(f->sink, &counts);
	assert_int_equal(counts.done, 2);
	assert_int_equal(counts.failed, 0);
	buf_fini(&text);
}

static void
outputs_that_are_not_there_are_told_apart(void **state)
{
	struct fixture *f = *state;
	struct buf text = {0};
	const struct result unwritten = {
	    .reason = RESULT_NO_OUTPUT, .exit_status = 1, .errno_value = -1};
	const struct result full = {
	    .reason = RESULT_NO_OUTPUT, .exit_status = 1, .errno_value = ENOSPC};
	start(f, convert);
	settle(f, 0, "x", &unwritten);
	settle(f, 1, "x", &full);
	settle(f, 2, "x", &unwritten);
	assert_string_equal(
	    summary(f, &text),
	    "3 of 3 tasks failed (2 did not write {out}, 1 cannot make its output: "
	    "No space left on device)\n"
	    "  task 1: did not write {out}: convert x out.png\n"
	    "  task 2: cannot make its output: No space left on device: "
	    "convert x out.png\n"
	    "  task 3: did not write {out}: convert x out.png\n");
	buf_fini(&text);
}

static void
what_was_done_before_is_counted_but_not_what_is_only_passed(void **state)
{
	struct fixture *f = *state;
	const struct buf none = {0};
	struct failures_counts counts;
	struct buf text = {0};
	struct err err = {0};
	struct task *chunk = task_new(0, 7, 0, &none);
	assert_non_null(chunk);
	start(f, convert);
	chunk->is_done = true;
	assert_int_equal(f->sink->ops->passed(f->sink, chunk, &err), 0);
	chunk->is_unknown = true;
	assert_int_equal(f->sink->ops->passed(f->sink, chunk, &err), 0);
	failures_get_counts(f->sink, &counts);
	assert_int_equal(counts.passed, 7);
	assert_string_equal(summary(f, &text), "7 of 7 tasks done before\n");
	buf_fini(&text);
	free(chunk);
}

static void
answers_count_as_done_one_by_one(void **state)
{
	struct fixture *f = *state;
	const struct buf none = {0};
	struct failures_counts counts;
	struct buf text = {0};
	struct err err = {0};
	const struct answers answers = {.count = 7};
	start(f, convert);
	struct task *chunk = task_new(0, 9, 0, &none);
	assert_non_null(chunk);
	assert_int_equal(f->sink->ops->answered(f->sink, chunk, &answers, &err), 0);
	assert_string_equal(summary(f, &text), "");
	settle_exit(f, 7, 0);
	settle_exit(f, 8, 3);
	failures_get_counts(f->sink, &counts);
	assert_int_equal(counts.done, 8);
	assert_int_equal(counts.failed, 1);
	assert_string_equal(summary(f, &text), "1 of 9 tasks failed (1 exit 3)\n"
					       "  task 9: exit 3: convert x out.png\n");
	free(chunk);
	buf_fini(&text);
}

static void
summary_counts_kinds_and_shows_command_lines(void **state)
{
	struct fixture *f = *state;
	struct buf text = {0};
	const struct result timed_out = {.reason = RESULT_TIMEOUT, .signal = SIGTERM};
	const struct result failed = {.reason = RESULT_EXIT, .exit_status = 1};
	start(f, convert);
	settle(f, 20, "late", &timed_out);
	for (uint64_t seq = 0; seq < 16; seq++)
		settle_exit(f, seq, 0);
	settle(f, 16, "a b.jpg", &failed);
	settle(f, 17, "c.jpg", &failed);
	assert_string_equal(summary(f, &text),
			    "3 of 19 tasks failed (2 exit 1, 1 timed out)\n"
			    "  task 17: exit 1: convert 'a b.jpg' out.png\n"
			    "  task 18: exit 1: convert c.jpg out.png\n"
			    "  task 21: timed out: convert late out.png\n");
	buf_fini(&text);
}

static void
summary_tells_failed_cancelled_and_skipped_apart(void **state)
{
	struct fixture *f = *state;
	struct buf text = {0};
	struct failures_counts counts;
	const struct result cancelled = {.reason = RESULT_CANCELLED, .signal = SIGTERM};
	const struct result skipped = {.reason = RESULT_SKIPPED};
	start(f, convert);
	settle(f, 1, "x", &cancelled);
	settle(f, 2, "x", &skipped);
	settle(f, 3, "x", &skipped);
	assert_string_equal(summary(f, &text),
			    "1 of 3 tasks cancelled, 2 never started\n");
	settle_exit(f, 0, 9);
	assert_string_equal(
	    summary(f, &text),
	    "1 of 4 tasks failed (1 exit 9), 1 cancelled, 2 never started\n"
	    "  task 1: exit 9: convert x out.png\n");
	failures_get_counts(f->sink, &counts);
	assert_int_equal(counts.failed, 1);
	assert_int_equal(counts.cancelled, 1);
	assert_int_equal(counts.skipped, 2);
	buf_fini(&text);
}

static void
only_the_first_in_the_input_are_shown(void **state)
{
	struct fixture *f = *state;
	struct buf text = {0};
	start(f, convert);
	for (uint64_t seq = 30; seq-- > 10;)
		settle_exit(f, seq, 2);
	assert_string_equal(summary(f, &text), "20 of 20 tasks failed (20 exit 2)\n"
					       "  task 11: exit 2: convert x out.png\n"
					       "  task 12: exit 2: convert x out.png\n"
					       "  task 13: exit 2: convert x out.png\n"
					       "  task 14: exit 2: convert x out.png\n"
					       "  task 15: exit 2: convert x out.png\n"
					       "  ... and 15 more\n");
	buf_fini(&text);
}

static void
kinds_beyond_the_first_eight_are_counted_together(void **state)
{
	struct fixture *f = *state;
	struct buf text = {0};
	start(f, convert);
	for (int status = 1; status <= 10; status++)
		settle_exit(f, (uint64_t)status, status);
	settle_exit(f, 50, 3);
	assert_int_equal(
	    strncmp(summary(f, &text),
		    "11 of 11 tasks failed (2 exit 3, 1 exit 1, 1 exit 2, 1 exit 4, "
		    "1 exit 5, 1 exit 6, 1 exit 7, 1 exit 8, 2 otherwise)\n",
		    115),
	    0);
	buf_fini(&text);
}

static void
no_value_can_drive_the_terminal(void **state)
{
	struct fixture *f = *state;
	struct buf text = {0};
	const struct result failed = {.reason = RESULT_EXIT, .exit_status = 1};
	start(f, convert);
	settle(f, 0, "\033[2J\n\177\303\251\302\233K", &failed);
	assert_non_null(
	    strstr(summary(f, &text), "\\x1b[2J\\x0a\\x7f\303\251\\xc2\\x9bK"));
	assert_null(strchr(text.bytes, '\033'));
	assert_null(strchr(text.bytes, '\177'));
	buf_fini(&text);
}

static void
long_command_lines_are_cut(void **state)
{
	struct fixture *f = *state;
	struct buf text = {0};
	char value[5001];
	const struct result failed = {.reason = RESULT_EXIT, .exit_status = 1};
	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	start(f, convert);
	settle(f, 0, value, &failed);
	const char *line = strstr(summary(f, &text), "convert v");
	assert_non_null(line);
	assert_int_equal(strcspn(line, "\n"), FAILURES_LINE_CHARS + 3);
	assert_int_equal(strncmp(line + FAILURES_LINE_CHARS, "...\n", 4), 0);
	buf_fini(&text);
}

static void
cut_text_keeps_characters_whole(void **state)
{
	struct buf text = {0};
	(void)state;
	assert_int_equal(visible_append(&text, "a\303\251\303\251\303\251", 7, 3), 0);
	assert_string_equal(buf_str(&text), "a\303\251\303\251...");
	buf_clear(&text);
	assert_int_equal(visible_append(&text, "a\303\251\303\251\303\251", 7, 4), 0);
	assert_string_equal(buf_str(&text), "a\303\251\303\251\303\251");
	buf_fini(&text);
}

static void
command_not_found_gets_a_hint_once(void **state)
{
	struct fixture *f = *state;
	struct buf text = {0};
	start(f, convert);
	settle_cannot_execute(f, 0, ENOENT);
	settle_cannot_execute(f, 1, ENOENT);
	const char *hint = strstr(summary(f, &text), "hint: ");
	assert_non_null(hint);
	assert_string_equal(hint, "hint: no such command: convert (is it in PATH?)\n");
	buf_fini(&text);
}

static void
hints_name_what_is_wrong_with_the_file(void **state)
{
	struct fixture *f = *state;
	struct buf text = {0};
	const char *const words[] = {"./convert", "{}", NULL};
	start(f, words);
	settle_cannot_execute(f, 0, ENOENT);
	settle_cannot_execute(f, 1, EACCES);
	settle_cannot_execute(f, 2, E2BIG);
	settle_cannot_execute(f, 3, EINVAL);
	summary(f, &text);
	assert_non_null(strstr(text.bytes, "hint: no such file: ./convert, or"));
	assert_non_null(
	    strstr(text.bytes, "hint: not executable: ./convert (chmod +x?)\n"));
	assert_non_null(strstr(text.bytes, "hint: arguments too long for execve"));
	assert_non_null(strstr(text.bytes, "hint: a value with a NUL byte"));
	buf_fini(&text);
}

static void
whole_command_line_given_as_one_of_several_words_gets_a_hint(void **state)
{
	struct fixture *f = *state;
	struct buf text = {0};
	const char *const words[] = {"convert -resize 50%", "{}", NULL};
	start(f, words);
	settle_cannot_execute(f, 0, ENOENT);
	assert_non_null(
	    strstr(summary(f, &text),
		   "no such command: 'convert -resize 50%' (one word with blanks"));
	buf_fini(&text);
}

static void
exit_127_gets_a_hint_only_from_a_shell(void **state)
{
	struct fixture *f = *state;
	struct buf text = {0};
	const char *const words[] = {"convert {}; true", NULL};
	start(f, words);
	settle_exit(f, 0, 127);
	assert_non_null(strstr(summary(f, &text), "hint: exit 127 of a shell"));
	buf_fini(&text);
}

static void
exit_127_of_a_program_is_its_own_business(void **state)
{
	struct fixture *f = *state;
	struct buf text = {0};
	start(f, convert);
	settle_exit(f, 0, 127);
	assert_null(strstr(summary(f, &text), "hint: "));
	buf_fini(&text);
}

static void
kill_from_elsewhere_suggests_memory(void **state)
{
	struct fixture *f = *state;
	struct buf text = {0};
	const struct result killed = {.reason = RESULT_SIGNAL, .signal = SIGKILL};
	start(f, convert);
	settle(f, 0, "x", &killed);
	assert_non_null(strstr(summary(f, &text), "out of memory?"));
	buf_fini(&text);
}

static void
kill_for_memory_is_named_and_says_what_helps(void **state)
{
	struct fixture *f = *state;
	struct buf text = {0};
	const struct result killed = {.reason = RESULT_MEMORY, .signal = SIGKILL};
	start(f, convert);
	settle(f, 0, "x", &killed);
	assert_non_null(strstr(summary(f, &text), "(1 killed by the kernel for memory)"));
	assert_non_null(strstr(text.bytes, "--retry-on memory"));
	buf_fini(&text);
}

/* What a task prints before it settles. */
static void
print(struct fixture *f, uint64_t seq, const char *text)
{
	struct err err = {0};
	struct buf packed = {0};
	assert_int_equal(task_pack(&packed, "x", 1), 0);
	struct task *task = task_new(seq, 1, 1, &packed);
	assert_non_null(task);
	assert_int_equal(
	    f->sink->ops->output(f->sink, task, RESULT_STDERR, text, strlen(text), &err),
	    0);
	free(task);
	buf_fini(&packed);
}

static void
last_lines_of_failed_tasks_are_told_where_wanted(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	struct buf text = {0};
	const struct failures_config config = {.keeps_tails = true};
	f->sink = failures_new(&config, &err);
	assert_non_null(f->sink);
	for (uint64_t seq = 0; seq < 5; seq++) {
		print(f, seq, "first\nsecond\n\x1b[31mthird\n");
		settle_exit(f, seq, seq == 0 ? 0 : 3);
	}
	print(f, 9, "still running\n");
	assert_string_equal(summary(f, &text),
			    "4 of 5 tasks failed (4 exit 3)\n"
			    "  task 2: exit 3\n    | second\n    | \\x1b[31mthird\n"
			    "  task 3: exit 3\n    | second\n    | \\x1b[31mthird\n"
			    "  task 4: exit 3\n    | second\n    | \\x1b[31mthird\n"
			    "  task 5: exit 3\n    | second\n    | \\x1b[31mthird\n");
	buf_fini(&text);
}

static void
last_lines_of_a_try_that_does_not_count_are_forgotten(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	struct buf text = {0}, nothing = {0};
	const struct failures_config config = {.keeps_tails = true};
	const struct result result = {.reason = RESULT_EXIT, .exit_status = 3};
	f->sink = failures_new(&config, &err);
	assert_non_null(f->sink);
	struct task *task = task_new(0, 1, 0, &nothing);
	assert_non_null(task);
	print(f, 0, "first try\n");
	assert_int_equal(f->sink->ops->retried(f->sink, task, &result, &err), 0);
	free(task);
	print(f, 0, "second try\n");
	settle_exit(f, 0, 3);
	assert_string_equal(summary(f, &text), "1 of 1 task failed (1 exit 3)\n"
					       "  task 1: exit 3\n    | second try\n");
	buf_fini(&text);
}

static void
without_a_command_only_results_are_shown(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	struct buf text = {0};
	const struct failures_config config = {.command = NULL};
	f->sink = failures_new(&config, &err);
	assert_non_null(f->sink);
	settle_exit(f, 4, 3);
	assert_string_equal(summary(f, &text), "1 of 1 task failed (1 exit 3)\n"
					       "  task 5: exit 3\n");
	buf_fini(&text);
}

#define FAILURES_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    FAILURES_TEST(all_done_has_nothing_to_say),
	    FAILURES_TEST(outputs_that_are_not_there_are_told_apart),
	    FAILURES_TEST(what_was_done_before_is_counted_but_not_what_is_only_passed),
	    FAILURES_TEST(answers_count_as_done_one_by_one),
	    FAILURES_TEST(summary_counts_kinds_and_shows_command_lines),
	    FAILURES_TEST(summary_tells_failed_cancelled_and_skipped_apart),
	    FAILURES_TEST(only_the_first_in_the_input_are_shown),
	    FAILURES_TEST(kinds_beyond_the_first_eight_are_counted_together),
	    FAILURES_TEST(no_value_can_drive_the_terminal),
	    FAILURES_TEST(long_command_lines_are_cut),
	    FAILURES_TEST(cut_text_keeps_characters_whole),
	    FAILURES_TEST(command_not_found_gets_a_hint_once),
	    FAILURES_TEST(hints_name_what_is_wrong_with_the_file),
	    FAILURES_TEST(whole_command_line_given_as_one_of_several_words_gets_a_hint),
	    FAILURES_TEST(exit_127_gets_a_hint_only_from_a_shell),
	    FAILURES_TEST(exit_127_of_a_program_is_its_own_business),
	    FAILURES_TEST(kill_from_elsewhere_suggests_memory),
	    FAILURES_TEST(kill_for_memory_is_named_and_says_what_helps),
	    FAILURES_TEST(last_lines_of_failed_tasks_are_told_where_wanted),
	    FAILURES_TEST(last_lines_of_a_try_that_does_not_count_are_forgotten),
	    FAILURES_TEST(without_a_command_only_results_are_shown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

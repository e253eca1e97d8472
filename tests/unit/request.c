/* Unit tests of input/request: the command line of the verbs that run no tasks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "input/request.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define WORDS_MAX 8

struct said {
	struct request request;
	struct err err;
	char words[WORDS_MAX][40];
	char *argv[WORDS_MAX + 1];
	enum options_outcome outcome;
};

/* What a verb makes of the words in `line`, apart by blanks. */
static void
say(struct said *said, unsigned int verb, const char *line)
{
	int argc = 0;
	*said = (struct said){0};
	while (*line != '\0') {
		size_t length = strcspn(line, " ");
		assert_true(argc < WORDS_MAX);
		snprintf(said->words[argc], sizeof(said->words[argc]), "%.*s",
			 (int)length, line);
		said->argv[argc] = said->words[argc];
		argc++;
		line += length + strspn(line + length, " ");
	}
	said->outcome = request_parse(&said->request, verb, argc, said->argv, &said->err);
}

static void
assert_refused(unsigned int verb, const char *line, const char *text)
{
	struct said said;
	say(&said, verb, line);
	assert_int_equal(said.outcome, OPTIONS_ERROR);
	assert_int_equal(said.err.kind, ERR_USAGE);
	assert_string_equal(said.err.text, text);
	request_fini(&said.request);
}

static void
options_stand_before_between_and_behind_the_words(void **state)
{
	(void)state;
	static const char *const lines[] = {
	    "--run 7 --print a.db 3", "a.db --run=7 3 --print", "a.db 3 --print --run 7"};
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct said said;
		say(&said, OPTION_REPLAY, lines[i]);
		assert_int_equal(said.outcome, OPTIONS_RUN);
		assert_int_equal(said.request.run_id, 7);
		assert_true(said.request.is_print);
		assert_false(said.request.is_shell);
		assert_int_equal(said.request.word_count, 2);
		assert_string_equal(said.request.words[0], "a.db");
		assert_string_equal(said.request.words[1], "3");
		assert_null(said.request.words[2]);
		request_fini(&said.request);
	}
}

static void
what_is_behind_two_dashes_is_a_word(void **state)
{
	(void)state;
	struct said said;
	say(&said, OPTION_REPORT, "--html -- a -- --top -- 3");
	assert_int_equal(said.outcome, OPTIONS_RUN);
	assert_string_equal(said.request.html, "--");
	assert_int_equal(said.request.top, REQUEST_TOP_DEFAULT);
	assert_int_equal(said.request.word_count, 4);
	assert_string_equal(said.request.words[0], "a");
	assert_string_equal(said.request.words[1], "--top");
	assert_string_equal(said.request.words[2], "--");
	assert_string_equal(said.request.words[3], "3");
	request_fini(&said.request);
}

static void
a_form_of_a_report_goes_to_stdout_unless_a_file_is_named(void **state)
{
	(void)state;
	struct said said;
	say(&said, OPTION_REPORT, "--json --csv=rows.csv -n0 run.db");
	assert_int_equal(said.outcome, OPTIONS_RUN);
	assert_string_equal(said.request.json, "-");
	assert_string_equal(said.request.csv, "rows.csv");
	assert_null(said.request.html);
	assert_null(said.request.trace);
	assert_int_equal(said.request.top, 0);
	assert_string_equal(said.request.words[0], "run.db");
	request_fini(&said.request);
}

static void
the_first_of_help_and_version_is_the_outcome(void **state)
{
	(void)state;
	struct said said;
	say(&said, OPTION_STATUS, "name -Vh");
	assert_int_equal(said.outcome, OPTIONS_VERSION);
	request_fini(&said.request);
	say(&said, OPTION_CTL, "--help");
	assert_int_equal(said.outcome, OPTIONS_HELP);
	request_fini(&said.request);
}

static void
what_is_wrong_is_refused_with_what_to_write(void **state)
{
	(void)state;
	assert_refused(OPTION_STATUS, "--wacth",
		       "unknown option --wacth: did you mean --watch?");
	assert_refused(OPTION_STATUS, "--bogus",
		       "unknown option --bogus: --help lists those there are");
	assert_refused(OPTION_STATUS, "run --html x",
		       "--html is no option here, but of: report");
	assert_refused(OPTION_CTL, "--run 3",
		       "--run is no option here, but of: report, replay");
	assert_refused(OPTION_CTL, "-z",
		       "unknown option -z in '-z': --help lists those there are");
	assert_refused(OPTION_REPORT, "--html", "--html: no value: write --html FILE");
	assert_refused(OPTION_REPORT, "--html=", "--html: '' is empty: give it some text");
	assert_refused(OPTION_REPORT, "--json=", "--json: '' is empty: give it some text");
	assert_refused(OPTION_REPORT, "--run 0",
		       "--run: '0' is not the id of a run: write a number from 1");
	assert_refused(
	    OPTION_REPORT, "-n 10001",
	    "--top: '10001' is not what can be told: write a number from 0 to 10000");
	assert_refused(OPTION_TOPOLOGY, "--bind", "--bind: no value: write --bind KIND");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(options_stand_before_between_and_behind_the_words),
	    cmocka_unit_test(what_is_behind_two_dashes_is_a_word),
	    cmocka_unit_test(a_form_of_a_report_goes_to_stdout_unless_a_file_is_named),
	    cmocka_unit_test(the_first_of_help_and_version_is_the_outcome),
	    cmocka_unit_test(what_is_wrong_is_refused_with_what_to_write),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Unit tests of input/options: forms of options, where they end, inputs, $PARALLEL. */
#include "options.h"

#include "input/option_find.h"

static void
value_may_stand_joined_or_apart(void **state)
{
	(void)state;
	static const char *const forms[][2] = {{"-j4", NULL},      {"-j", "4"},
					       {"--jobs=4", NULL}, {"--jobs", "4"},
					       {"-P4", NULL},      {"--max-procs", "4"}};
	for (size_t i = 0; i < COUNT(forms); i++) {
		struct parsed parsed;
		struct spec *spec =
		    forms[i][1] == NULL
			? PARSE_MAP(&parsed, forms[i][0], "--", "echo")
			: PARSE_MAP(&parsed, forms[i][0], forms[i][1], "echo");
		assert_int_equal(spec->jobs.kind, SPEC_JOBS_COUNT);
		assert_int_equal((int)spec->jobs.value, 4);
		assert_words(spec, "echo");
		drop(&parsed);
	}
}

static void
letters_may_be_bundled_and_the_last_may_take_a_value(void **state)
{
	(void)state;
	struct parsed parsed;
	struct spec *spec = PARSE_PARALLEL(&parsed, "-kvj4", "echo");
	assert_true(spec->is_ordered);
	assert_true(spec->is_verbose);
	assert_int_equal((int)spec->jobs.value, 4);
	drop(&parsed);
	spec = PARSE_PARALLEL(&parsed, "-k0j", "3", "echo");
	assert_true(spec->is_ordered);
	assert_int_equal(spec->delimiter, '\0');
	assert_int_equal((int)spec->jobs.value, 3);
	assert_words(spec, "echo");
	drop(&parsed);
	REFUSE("unknown option -z in '-kz'", "-kz", "echo");
}

static void
needed_value_is_the_next_word_whatever_it_looks_like(void **state)
{
	(void)state;
	struct parsed parsed;
	struct spec *spec = PARSE_MAP(&parsed, "-j", "-1", "-I", "--", "-E", "-k", "echo");
	assert_int_equal(spec->jobs.kind, SPEC_JOBS_PLUS);
	assert_int_equal((int)spec->jobs.value, -1);
	assert_string_equal(spec->rpls[0].name, "--");
	assert_string_equal(spec->end_of_input, "-k");
	assert_words(spec, "echo");
	drop(&parsed);
}

static void
missing_value_is_refused_naming_what_to_write(void **state)
{
	(void)state;
	REFUSE("--jobs: no value: write --jobs N", "-j");
	REFUSE("--jobs: no value: write --jobs N", "--jobs");
	REFUSE("-E: no value: write -E TEXT", "-kE");
}

static void
value_for_a_flag_is_refused(void **state)
{
	(void)state;
	REFUSE("--keep-order takes no value: leave out '=1'", "--keep-order=1", "echo");
	REFUSE("--keep-order takes no value", "--keep=", "echo");
}

static void
long_names_may_be_cut_while_they_mean_one_option(void **state)
{
	(void)state;
	struct parsed parsed;
	struct spec *spec = PARSE_MAP(&parsed, "--max-a", "3", "--no-k", "--dry", "echo");
	assert_int_equal(spec->max_args, 3);
	assert_false(spec->is_ordered);
	assert_true(spec->is_dry_run);
	drop(&parsed);
	/* --tag is also how --tagstring begins. */
	spec = PARSE_MAP(&parsed, "--tag", "echo");
	assert_string_equal(spec->tag, "{}");
	drop(&parsed);
}

static void
ambiguous_name_is_refused_naming_the_candidates(void **state)
{
	(void)state;
	REFUSE("--max-c", "--max-", "4", "echo");
	REFUSE("--max- is short for several options: --max-args, --max-replace-args, "
	       "--max-lines, --max-chars, --max-procs, --maxtasksperchild",
	       "--max-", "4", "echo");
	REFUSE("--xapply, --xargs", "--xa", "echo");
}

static void
dashes_inside_long_names_may_be_left_out(void **state)
{
	(void)state;
	struct parsed parsed;
	struct spec *spec = PARSE_PARALLEL(
	    &parsed, "--keeporder", "--norunifempty", "--maxargs=2", "--col-sep", ",",
	    "--work-dir", "/", "--tag-string", "x", "--term-seq", "KILL", "echo");
	assert_true(spec->is_ordered);
	assert_true(spec->skips_empty);
	assert_int_equal(spec->max_args, 2);
	assert_string_equal(spec->colsep, ",");
	assert_string_equal(spec->work_dir, "/");
	assert_string_equal(spec->tag, "x");
	assert_int_equal(spec->term_step_count, 1);
	drop(&parsed);
}

static void
unknown_option_is_refused_naming_the_nearest(void **state)
{
	(void)state;
	REFUSE("unknown option --keep-oder: did you mean --keep-order?", "--keep-oder",
	       "echo");
	REFUSE("unknown option --ahlt: did you mean --halt?", "--ahlt=now", "echo");
	REFUSE("unknown option --unorderd: did you mean --unordered?", "--unorderd",
	       "echo");
	REFUSE("unknown option --sshlogin: --help lists those there are", "--sshlogin",
	       "x");
	REFUSE("unknown option --: --help", "--=x", "echo");
	REFUSE("unknown option ---: --help", "---", "echo");
	REFUSE("unknown option -S in '-S'", "-S", "host", "echo");
	assert_string_equal(option_nearest_verb("toplogy"), "topology");
	assert_null(
	    option_nearest_verb("topology-but-longer-than-any-name-that-there-is"));
}

static void
later_occurrence_wins(void **state)
{
	(void)state;
	struct parsed parsed;
	struct spec *spec = PARSE_MAP(&parsed, "-j1", "-u", "-j2", "--group", "echo");
	assert_int_equal((int)spec->jobs.value, 2);
	assert_int_equal(spec->output_mode, SPEC_OUTPUT_GROUP);
	drop(&parsed);
}

static void
optional_value_is_joined(void **state)
{
	(void)state;
	struct parsed parsed;
	struct spec *spec = PARSE_MAP(&parsed, "-iXX", "--eof=end", "-l3", "echo");
	assert_string_equal(spec->rpls[0].name, "XX");
	assert_string_equal(spec->end_of_input, "end");
	assert_int_equal(spec->max_lines, 3);
	drop(&parsed);
	spec = PARSE_MAP(&parsed, "-Eend", "--eof", "-lk", "echo");
	assert_null(spec->end_of_input);
	assert_int_equal(spec->max_lines, 1);
	assert_words(spec, "echo");
	drop(&parsed);
}

static void
optional_text_takes_the_next_word_only_in_parallel(void **state)
{
	(void)state;
	struct parsed parsed;
	struct spec *spec = PARSE_MAP(&parsed, "-i", "echo", "{}");
	assert_words(spec, "echo|{}");
	assert_int_equal(spec->rpl_count, 0);
	drop(&parsed);
	spec = PARSE_PARALLEL(&parsed, "-i", "XX", "-e", "-k", "echo", "XX");
	assert_words(spec, "echo|XX");
	assert_string_equal(spec->rpls[0].name, "XX");
	assert_null(spec->end_of_input);
	drop(&parsed);
	spec = PARSE_PARALLEL(&parsed, "--eof", ":::", "a");
	assert_int_equal(spec->input_count, 1);
	drop(&parsed);
}

static void
optional_number_takes_the_next_word_if_it_is_one(void **state)
{
	(void)state;
	struct parsed parsed;
	struct spec *spec = PARSE_MAP(&parsed, "-l", "2", "echo");
	assert_int_equal(spec->max_lines, 2);
	assert_words(spec, "echo");
	drop(&parsed);
	spec = PARSE_MAP(&parsed, "--max-lines", "echo", "2");
	assert_int_equal(spec->max_lines, 1);
	assert_words(spec, "echo|2");
	drop(&parsed);
}

static void
options_end_at_the_first_other_word(void **state)
{
	(void)state;
	struct parsed parsed;
	struct spec *spec = PARSE_MAP(&parsed, "-k", "grep", "-j", "x", "--halt");
	assert_words(spec, "grep|-j|x|--halt");
	drop(&parsed);
	spec = PARSE_MAP(&parsed, "-", "-k");
	assert_words(spec, "-|-k");
	drop(&parsed);
	spec = PARSE_MAP(&parsed, "", "-k");
	assert_words(spec, "|-k");
	drop(&parsed);
}

static void
two_dashes_end_the_options(void **state)
{
	(void)state;
	struct parsed parsed;
	struct spec *spec = PARSE_MAP(&parsed, "-v", "--", "-k", "--", ":::", "--", "a");
	assert_words(spec, "-k|--");
	assert_values(&spec->inputs[0], "--|a");
	drop(&parsed);
}

static void
no_words_at_all_mean_command_lines_from_stdin(void **state)
{
	(void)state;
	struct parsed parsed;
	struct spec *spec = parse(&parsed, SPEC_MAP, NULL);
	assert_int_equal(spec->word_count, 0);
	assert_null(spec->words[0]);
	assert_int_equal(spec->input_count, 0);
	drop(&parsed);
}

static void
sources_follow_the_command_in_order(void **state)
{
	(void)state;
	struct parsed parsed;
	struct spec *spec = PARSE_MAP(&parsed, "-a", "f0", "echo", "{}", ":::", "a", "b",
				      "::::", "f1", "-", ":::+", "c", "::::+", "f2", "f3");
	assert_words(spec, "echo|{}");
	assert_int_equal(spec->input_count, 7);
	assert_string_equal(spec->inputs[0].path, "f0");
	assert_values(&spec->inputs[1], "a|b");
	assert_string_equal(spec->inputs[2].path, "f1");
	assert_string_equal(spec->inputs[3].path, "-");
	assert_values(&spec->inputs[4], "c");
	assert_string_equal(spec->inputs[5].path, "f2");
	assert_string_equal(spec->inputs[6].path, "f3");
	for (size_t i = 0; i < 7; i++) {
		assert_int_equal(spec->inputs[i].is_linked, i >= 4);
		assert_int_equal(spec->inputs[i].kind,
				 i == 1 || i == 4 ? SPEC_INPUT_ARGS : SPEC_INPUT_FILE);
	}
	drop(&parsed);
}

static void
separator_without_values_is_a_source_without_values(void **state)
{
	(void)state;
	struct parsed parsed;
	struct spec *spec = PARSE_MAP(&parsed, "echo", ":::", ":::", "", "a", ":::");
	assert_int_equal(spec->input_count, 3);
	assert_int_equal(spec->inputs[0].value_count, 0);
	assert_values(&spec->inputs[1], "|a");
	assert_int_equal(spec->inputs[1].value_count, 2);
	assert_int_equal(spec->inputs[2].value_count, 0);
	drop(&parsed);
}

static void
sources_without_command_leave_it_empty(void **state)
{
	(void)state;
	struct parsed parsed;
	struct spec *spec = PARSE_MAP(&parsed, "-k", ":::", "echo a");
	assert_int_equal(spec->word_count, 0);
	assert_null(spec->words[0]);
	assert_values(&spec->inputs[0], "echo a");
	drop(&parsed);
}

static void
first_source_has_none_to_be_linked_with(void **state)
{
	(void)state;
	struct parsed parsed;
	struct spec *spec = PARSE_MAP(&parsed, "echo", ":::+", "a");
	assert_false(spec->inputs[0].is_linked);
	drop(&parsed);
	spec = PARSE_MAP(&parsed, "-a", "f", "echo", ":::+", "a");
	assert_true(spec->inputs[1].is_linked);
	drop(&parsed);
}

static void
words_that_only_begin_like_separators_are_values(void **state)
{
	(void)state;
	struct parsed parsed;
	struct spec *spec =
	    PARSE_MAP(&parsed, "echo", ":::x", "::", ":::++", ":::::", ":::", "::");
	assert_words(spec, "echo|:::x|::|:::++|:::::");
	assert_values(&spec->inputs[0], "::");
	drop(&parsed);
}

static void
file_sources_without_a_name_are_refused(void **state)
{
	(void)state;
	REFUSE("no file after '::::'", "echo", "::::");
	REFUSE("no file after '::::+'", "echo", ":::", "a", "::::+");
	REFUSE("empty file name after '::::'", "echo", "::::", "");
	REFUSE("--arg-file: '' is empty", "-a", "", "echo");
}

static void
separators_can_be_other_words(void **state)
{
	(void)state;
	struct parsed parsed;
	struct spec *spec =
	    PARSE_PARALLEL(&parsed, "--arg-sep", ",,", "--arg-file-sep=@@", "echo",
			   ":::", ",,", "a", ",,+", "b", "@@", "f");
	assert_words(spec, "echo|:::");
	assert_int_equal(spec->input_count, 3);
	assert_values(&spec->inputs[1], "b");
	assert_true(spec->inputs[1].is_linked);
	assert_string_equal(spec->inputs[2].path, "f");
	drop(&parsed);
	REFUSE("make them differ", "--arg-sep=x", "--arg-file-sep=x", "echo");
	REFUSE("--arg-sep: '' is empty", "--arg-sep=", "echo");
}

struct grouping {
	const char *words[2];
	enum spec_group group;
	size_t max_args;
	size_t max_lines;
	bool repeats_context;
	bool shares_rest;
	bool is_valueless;
};

static void
grouping_follows_gnu_parallel(void **state)
{
	(void)state;
	static const struct grouping rows[] = {
	    {{"-k"}, SPEC_GROUP_ONE, 0, 0, false, false, false},
	    {{"-n2"}, SPEC_GROUP_COUNT, 2, 0, false, false, false},
	    {{"-N2"}, SPEC_GROUP_COUNT, 2, 0, true, false, false},
	    {{"-n2k"}, SPEC_GROUP_COUNT, 2000, 0, false, false, false},
	    {{"-N2", "-m"}, SPEC_GROUP_FILL, 2, 0, false, true, false},
	    {{"-n2", "-X"}, SPEC_GROUP_FILL_CONTEXT, 2, 0, true, true, false},
	    {{"-m"}, SPEC_GROUP_FILL, 0, 0, false, true, false},
	    {{"-X"}, SPEC_GROUP_FILL_CONTEXT, 0, 0, true, true, false},
	    {{"--xargs"}, SPEC_GROUP_FILL, 0, 0, false, false, false},
	    {{"-X", "--xargs"}, SPEC_GROUP_FILL_CONTEXT, 0, 0, true, false, false},
	    {{"-L3"}, SPEC_GROUP_LINES, 0, 3, true, false, false},
	    {{"-l"}, SPEC_GROUP_LINES, 0, 1, true, false, false},
	    {{"-l0"}, SPEC_GROUP_LINES, 0, 1, true, false, false},
	    {{"-L3", "--xargs"}, SPEC_GROUP_LINES, 0, 3, false, false, false},
	    {{"-L1", "-n2"}, SPEC_GROUP_COUNT, 2, 1, true, false, false},
	    {{"-n0"}, SPEC_GROUP_ONE, 0, 0, false, false, true},
	    {{"-N0"}, SPEC_GROUP_ONE, 0, 0, true, false, true},
	    {{"-L0"}, SPEC_GROUP_ONE, 0, 0, true, false, true},
	    {{"-n0", "-n2"}, SPEC_GROUP_COUNT, 2, 0, false, false, false},
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct parsed parsed;
		const char *second = rows[i].words[1] == NULL ? "--" : rows[i].words[1];
		struct spec *spec = PARSE_MAP(&parsed, rows[i].words[0], second, "echo");
		assert_int_equal(spec->group, rows[i].group);
		assert_int_equal(spec->max_args, rows[i].max_args);
		assert_int_equal(spec->max_lines, rows[i].max_lines);
		assert_int_equal(spec->repeats_context, rows[i].repeats_context);
		assert_int_equal(spec->shares_rest, rows[i].shares_rest);
		assert_int_equal(spec->is_valueless, rows[i].is_valueless);
		drop(&parsed);
	}
}

static void
names_of_runs_that_are_none_are_refused(void **state)
{
	(void)state;
	REFUSE("--name: 'a b' is not a name: write up to 32 letters", "--name", "a b",
	       "echo");
	REFUSE("--name: '' is not a name", "--name", "", "echo");
}

static void
silencing_flags_are_taken_by_parallel_only(void **state)
{
	(void)state;
	struct parsed parsed;
	struct spec *spec =
	    PARSE_PARALLEL(&parsed, "--will-cite", "--no-notice", "--gnu", "--plain",
			   "--citation", "--bibtex", "--nn", "--env", "HOME", "echo");
	assert_words(spec, "echo");
	drop(&parsed);
	REFUSE("--will-cite is no option here, but of: parallel", "--will-cite", "echo");
	REFUSE("--gnu is no option here", "--gnu", "echo");
}

static void
environment_options_come_before_those_given(void **state)
{
	(void)state;
	struct parsed parsed;
	setenv("PARALLEL", " --tagstring 'a b'\t-j 3 -k\n", 1);
	struct spec *spec = PARSE_PARALLEL(&parsed, "-j4", "echo");
	assert_string_equal(spec->tag, "a b");
	assert_int_equal((int)spec->jobs.value, 4);
	assert_true(spec->is_ordered);
	assert_words(spec, "echo");
	drop(&parsed);
	spec = PARSE_PARALLEL(&parsed, "--plain", "echo");
	assert_null(spec->tag);
	assert_false(spec->is_ordered);
	drop(&parsed);
	spec = PARSE_MAP(&parsed, "echo");
	assert_null(spec->tag);
	drop(&parsed);
	unsetenv("PARALLEL");
}

static void
environment_words_come_before_the_command(void **state)
{
	(void)state;
	struct parsed parsed;
	setenv("PARALLEL", "-k nice -n \"1\\\"\\x 'y'\"\\ z ''", 1);
	struct spec *spec = PARSE_PARALLEL(&parsed, "-v", "echo", ":::", "a");
	assert_words(spec, "nice|-n|1\"\\x 'y' z||echo");
	assert_true(spec->is_ordered);
	assert_true(spec->is_verbose);
	drop(&parsed);
	setenv("PARALLEL", "", 1);
	spec = PARSE_PARALLEL(&parsed, "echo");
	assert_words(spec, "echo");
	drop(&parsed);
	unsetenv("PARALLEL");
}

static void
errors_in_the_environment_say_so(void **state)
{
	(void)state;
	setenv("PARALLEL", "-k 'open", 1);
	refuse(SPEC_PARALLEL, "in $PARALLEL: a quote is not closed", "echo", NULL);
	setenv("PARALLEL", "--nonsense-xyz", 1);
	refuse(SPEC_PARALLEL, "in $PARALLEL: unknown option --nonsense-xyz", "echo", NULL);
	setenv("PARALLEL", "-j", 1);
	refuse(SPEC_PARALLEL, "in $PARALLEL: --jobs: no value", "4", NULL);
	unsetenv("PARALLEL");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(value_may_stand_joined_or_apart),
	    cmocka_unit_test(letters_may_be_bundled_and_the_last_may_take_a_value),
	    cmocka_unit_test(needed_value_is_the_next_word_whatever_it_looks_like),
	    cmocka_unit_test(missing_value_is_refused_naming_what_to_write),
	    cmocka_unit_test(value_for_a_flag_is_refused),
	    cmocka_unit_test(long_names_may_be_cut_while_they_mean_one_option),
	    cmocka_unit_test(ambiguous_name_is_refused_naming_the_candidates),
	    cmocka_unit_test(dashes_inside_long_names_may_be_left_out),
	    cmocka_unit_test(unknown_option_is_refused_naming_the_nearest),
	    cmocka_unit_test(later_occurrence_wins),
	    cmocka_unit_test(optional_value_is_joined),
	    cmocka_unit_test(optional_text_takes_the_next_word_only_in_parallel),
	    cmocka_unit_test(optional_number_takes_the_next_word_if_it_is_one),
	    cmocka_unit_test(options_end_at_the_first_other_word),
	    cmocka_unit_test(two_dashes_end_the_options),
	    cmocka_unit_test(no_words_at_all_mean_command_lines_from_stdin),
	    cmocka_unit_test(sources_follow_the_command_in_order),
	    cmocka_unit_test(separator_without_values_is_a_source_without_values),
	    cmocka_unit_test(sources_without_command_leave_it_empty),
	    cmocka_unit_test(first_source_has_none_to_be_linked_with),
	    cmocka_unit_test(words_that_only_begin_like_separators_are_values),
	    cmocka_unit_test(file_sources_without_a_name_are_refused),
	    cmocka_unit_test(separators_can_be_other_words),
	    cmocka_unit_test(grouping_follows_gnu_parallel),
	    cmocka_unit_test(names_of_runs_that_are_none_are_refused),
	    cmocka_unit_test(silencing_flags_are_taken_by_parallel_only),
	    cmocka_unit_test(environment_options_come_before_those_given),
	    cmocka_unit_test(environment_words_come_before_the_command),
	    cmocka_unit_test(errors_in_the_environment_say_so),
	};
	/* What the shell of whoever runs the tests has set is not part of them. */
	unsetenv("PARALLEL");
	unsetenv("PARALLEL_SHELL");
	return cmocka_run_group_tests(tests, NULL, NULL);
}

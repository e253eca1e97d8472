/* Unit tests of input/option_help and option_complete. */
#include "options.h"

static void
help_and_version_are_outcomes_at_the_first_of_them(void **state)
{
	(void)state;
	static const struct {
		const char *word;
		enum options_outcome outcome;
	} rows[] = {{"--help", OPTIONS_HELP},         {"-h", OPTIONS_HELP},
		    {"--version", OPTIONS_VERSION},   {"-V", OPTIONS_VERSION},
		    {"--list-options", OPTIONS_LIST}, {"-kVh", OPTIONS_VERSION}};
	for (size_t i = 0; i < COUNT(rows); i++) {
		char word[20], late[] = "--halt=nonsense";
		char *argv[] = {word, late};
		struct spec spec;
		struct err err = {0};
		snprintf(word, sizeof(word), "%s", rows[i].word);
		spec_init(&spec, SPEC_MAP);
		assert_int_equal(options_parse(&spec, 2, argv, &err), rows[i].outcome);
		spec_fini(&spec);
	}
	REFUSE("unknown option --list: --help", "--list", "echo");
}

static bool
has_line(const char *text, const char *line)
{
	size_t length = strlen(line);
	for (const char *at = text; (at = strstr(at, line)) != NULL; at += length) {
		if ((at == text || at[-1] == '\n') && at[length] == '\n')
			return true;
	}
	return false;
}

static void
list_names_every_option_of_the_dialect_once_a_line(void **state)
{
	(void)state;
	struct buf map = {0}, parallel = {0};
	assert_int_equal(options_list(OPTION_MAP, &map), 0);
	assert_int_equal(options_list(OPTION_PARALLEL, &parallel), 0);
	const char *map_text = buf_str(&map), *parallel_text = buf_str(&parallel);
	static const char *const both[] = {"--jobs", "--max-procs", "-j",  "-P",
					   "-0",     "-X",          "--lb"};
	for (size_t i = 0; i < COUNT(both); i++) {
		assert_true(has_line(map_text, both[i]));
		assert_true(has_line(parallel_text, both[i]));
	}
	assert_false(has_line(map_text, "--will-cite"));
	assert_true(has_line(parallel_text, "--will-cite"));
	assert_false(has_line(map_text, "--list-options"));
	buf_fini(&map);
	buf_fini(&parallel);
}

/* Every listed name is in `text`, with no letter or dash on either side of it. */
static void
assert_names_in(const char *list, const char *text)
{
	char name[80];
	for (const char *at = list; *at != '\0'; at = strchr(at, '\n') + 1) {
		size_t length = strcspn(at, "\n");
		snprintf(name, sizeof(name), "%.*s", (int)length, at);
		const char *found = text;
		while ((found = strstr(found, name)) != NULL) {
			if (strchr(" ,'(", found[-1]) != NULL &&
			    strchr(" ,[+=)\n-", found[length]) != NULL)
				break;
			found++;
		}
		if (found == NULL)
			fail_msg("%s is not there", name);
	}
}

static void
help_tells_every_listed_name_in_lines_of_a_terminal(void **state)
{
	(void)state;
	for (unsigned int verb = 1; verb <= OPTION_COMPLETION; verb *= 2) {
		struct buf list = {0}, help = {0};
		assert_int_equal(options_list(verb, &list), 0);
		assert_int_equal(options_print_help(verb, &help), 0);
		const char *text = buf_str(&help);
		assert_names_in(buf_str(&list), text);
		for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1)
			assert_in_range(strcspn(line, "\n"), 0, 80);
		buf_fini(&list);
		buf_fini(&help);
	}
}

static void
bash_and_zsh_completion_know_every_listed_name(void **state)
{
	(void)state;
	static const char *const shells[] = {"bash", "zsh"};
	struct buf list = {0};
	for (unsigned int verb = 1; verb <= OPTION_COMPLETION; verb *= 2)
		assert_int_equal(options_list(verb, &list), 0);
	for (size_t i = 0; i < COUNT(shells); i++) {
		struct buf script = {0};
		assert_int_equal(options_print_completion(shells[i], &script), 0);
		char *text = strdup(buf_str(&script));
		/* zsh has '*-j+[ ... and '*--jobs=[ ... */
		for (char *star = text; (star = strchr(star, '*')) != NULL; star++)
			*star = ' ';
		assert_names_in(buf_str(&list), text);
		free(text);
		buf_fini(&script);
	}
	buf_fini(&list);
}

static void
fish_completion_knows_every_listed_name(void **state)
{
	(void)state;
	struct buf list = {0}, script = {0};
	for (unsigned int verb = 1; verb <= OPTION_COMPLETION; verb *= 2)
		assert_int_equal(options_list(verb, &list), 0);
	assert_int_equal(options_print_completion("fish", &script), 0);
	const char *text = buf_str(&script);
	for (const char *at = buf_str(&list); *at != '\0'; at = strchr(at, '\n') + 1) {
		char name[80];
		bool is_long = at[1] == '-';
		int length = (int)strcspn(at, "\n") - (is_long ? 2 : 1);
		snprintf(name, sizeof(name), " %s %.*s ", is_long ? "-l" : "-s", length,
			 at + (is_long ? 2 : 1));
		if (strstr(text, name) == NULL)
			fail_msg("'%s' is not there", name);
	}
	buf_fini(&list);
	buf_fini(&script);
}

static void
completion_for_another_shell_is_refused(void **state)
{
	(void)state;
	struct buf script = {0};
	assert_int_equal(options_print_completion("tcsh", &script), -1);
	assert_int_equal(script.length, 0);
	buf_fini(&script);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(help_and_version_are_outcomes_at_the_first_of_them),
	    cmocka_unit_test(list_names_every_option_of_the_dialect_once_a_line),
	    cmocka_unit_test(help_tells_every_listed_name_in_lines_of_a_terminal),
	    cmocka_unit_test(bash_and_zsh_completion_know_every_listed_name),
	    cmocka_unit_test(fish_completion_knows_every_listed_name),
	    cmocka_unit_test(completion_for_another_shell_is_refused),
	};
	/* What the shell of whoever runs the tests has set is not part of them. */
	unsetenv("PARALLEL");
	unsetenv("PARALLEL_SHELL");
	return cmocka_run_group_tests(tests, NULL, NULL);
}

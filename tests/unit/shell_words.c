/* Which command lines need no shell, and their words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "task/shell_words.h"

/* The words as [a][b]; NULL when a shell is needed. */
static const char *
split(const char *line, size_t length, struct buf *shown)
{
	struct buf text = {0};
	struct buf starts = {0};
	int status = shell_words_split(line, length, &text, &starts);
	assert_int_not_equal(status, -1);
	buf_clear(shown);
	for (size_t i = 0; i < starts.length / sizeof(size_t); i++) {
		const char *word = text.bytes + ((size_t *)starts.bytes)[i];
		assert_int_equal(buf_printf(shown, "[%s]", word), 0);
	}
	if (status == 0) {
		assert_int_equal(starts.length, 0);
		assert_int_equal(text.length, 0);
	}
	buf_fini(&text);
	buf_fini(&starts);
	return status == 0 ? NULL : buf_str(shown);
}

static void
assert_split(const char *line, const char *expected)
{
	struct buf shown = {0};
	const char *words = split(line, strlen(line), &shown);
	if (words == NULL)
		fail_msg("%s: a shell is needed", line);
	assert_string_equal(words, expected);
	buf_fini(&shown);
}

static void
assert_needs_shell(const char *line)
{
	struct buf shown = {0};
	const char *words = split(line, strlen(line), &shown);
	if (words != NULL)
		fail_msg("%s: split into %s", line, words);
	buf_fini(&shown);
}

static void
plain_lines_are_split_at_blanks(void **state)
{
	(void)state;
	assert_split("gzip -9 a.txt", "[gzip][-9][a.txt]");
	assert_split("  true\t \tx  ", "[true][x]");
	assert_split("cc -DX=1 -o a:b,c%d@e+f", "[cc][-DX=1][-o][a:b,c%d@e+f]");
	assert_split("ls \xc3\xa9", "[ls][\xc3\xa9]");
}

static void
simple_quotes_are_taken_off(void **state)
{
	(void)state;
	assert_split("ls 'a b' \"c d\" e'f'\"g\" ''", "[ls][a b][c d][efg][]");
	assert_split("awk '{print $1; x=\"\\n\"}' f", "[awk][{print $1; x=\"\\n\"}][f]");
	assert_split("ls \"it's\" 'a\nb'", "[ls][it's][a\nb]");
}

static void
anything_for_a_shell_goes_to_one(void **state)
{
	static const char meta[] = "#;*?[]&|<>(){}$`^~!\\\n";
	(void)state;
	for (const char *c = meta; *c != '\0'; c++) {
		char line[] = "ls a_b c";
		line[4] = *c;
		assert_needs_shell(line);
	}
	assert_needs_shell("ls \"$x\"");
	assert_needs_shell("ls \"`x`\"");
	assert_needs_shell("ls \"a\\b\"");
	assert_needs_shell("ls 'open");
	assert_needs_shell("ls \"open");
	assert_needs_shell("ls =sh");
	assert_needs_shell("");
	assert_needs_shell("  ");
}

static void
first_word_must_name_a_program(void **state)
{
	static const char *const words[] = {
	    ".",    ":",     "[",        "cd",       "echo", "printf", "test",   "kill",
	    "pwd",  "exit",  "if",       "while",    "time", "exec",   "set",    "umask",
	    "wait", "ztcp",  "x=1",      "%1",       "''",   "type",   "eval",   "trap",
	    "read", "for",   "zmodload", "log",      "[[",   "do",     "select", "let",
	    "hash", "alias", "!",        "function",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		assert_needs_shell(words[i]);
	assert_split("true", "[true]");
	assert_split("false x", "[false][x]");
	assert_split("/bin/echo x", "[/bin/echo][x]");
	assert_needs_shell("'echo' x");
}

/* Each line of what the command prints must need a shell; at least `least` of them. */
static void
assert_names_need_shell(const char *command, size_t least)
{
	FILE *names = popen(command, "re");
	assert_non_null(names);
	char *name = NULL;
	size_t capacity = 0;
	size_t count = 0;
	ssize_t length;
	while ((length = getline(&name, &capacity, names)) > 0) {
		name[length - 1] = '\0';
		if (strcmp(name, "true") != 0 && strcmp(name, "false") != 0)
			assert_needs_shell(name);
		count++;
	}
	assert_true(count >= least);
	assert_int_equal(pclose(names), 0);
	free(name);
}

static void
what_shells_here_call_their_own_needs_them(void **state)
{
	(void)state;
	if (access("/bin/bash", X_OK) == 0)
		assert_names_need_shell("/bin/bash -c 'compgen -b; compgen -k'", 60);
	if (access("/bin/zsh", X_OK) == 0)
		assert_names_need_shell("/bin/zsh -fc 'zmodload zsh/parameter; print -rl "
					"-- ${(k)builtins} $reswords'",
					80);
}

static void
a_value_keeps_its_place_but_not_in_first_word_nor_quotes(void **state)
{
	(void)state;
	struct buf text = {0};
	struct buf starts = {0};
	assert_int_equal(shell_words_split("ls a\0b \0", 8, &text, &starts), 1);
	assert_int_equal(starts.length, 3 * sizeof(size_t));
	assert_int_equal(text.length, 9);
	assert_memory_equal(text.bytes, "ls\0a\0b\0\0\0", 9);
	assert_int_equal(shell_words_split("l\0 a", 4, &text, &starts), 0);
	assert_int_equal(shell_words_split("ls 'a\0'", 7, &text, &starts), 0);
	assert_int_equal(shell_words_split("ls \"\0\"", 6, &text, &starts), 0);
	assert_int_equal(text.length, 9);
	buf_fini(&text);
	buf_fini(&starts);
}

static void
only_shells_we_know_are_plain(void **state)
{
	(void)state;
	char *const empty[] = {NULL};
	assert_true(shell_words_is_plain_shell("/bin/sh", empty));
	assert_true(shell_words_is_plain_shell("zsh", empty));
	assert_false(shell_words_is_plain_shell("/usr/bin/fish", empty));
	assert_false(shell_words_is_plain_shell("/bin/csh", empty));
	assert_false(shell_words_is_plain_shell("/home/me/sh/wrapper", empty));
}

static void
start_files_and_options_make_a_shell_special(void **state)
{
	static const char *const variables[] = {"BASH_ENV=x", "ENV=x", "SHELLOPTS=xtrace"};
	(void)state;
	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		char variable[32];
		strcpy(variable, variables[i]);
		char *const environment[] = {variable, NULL};
		assert_false(shell_words_is_plain_shell("/bin/sh", environment));
	}
	char empty_value[] = "ENV=";
	char other[] = "ENVIRONMENT=x";
	char *const environment[] = {empty_value, other, NULL};
	assert_true(shell_words_is_plain_shell("/bin/sh", environment));
}

static void
exported_functions_are_seen(void **state)
{
	(void)state;
	char f[] = "BASH_FUNC_f%%=() {  :; }";
	char g[] = "BASH_FUNC_g()=() {  :; }";
	char *const environment[] = {f, g, NULL};
	assert_true(shell_words_has_function("f", environment));
	assert_true(shell_words_has_function("g", environment));
	assert_false(shell_words_has_function("ff", environment));
	assert_false(shell_words_has_function("", environment));
	assert_true(shell_words_has_functions(environment));
	char other[] = "BASH_FUNCTION=x";
	assert_false(shell_words_has_functions((char *const[]){other, NULL}));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plain_lines_are_split_at_blanks),
	    cmocka_unit_test(simple_quotes_are_taken_off),
	    cmocka_unit_test(anything_for_a_shell_goes_to_one),
	    cmocka_unit_test(first_word_must_name_a_program),
	    cmocka_unit_test(what_shells_here_call_their_own_needs_them),
	    cmocka_unit_test(a_value_keeps_its_place_but_not_in_first_word_nor_quotes),
	    cmocka_unit_test(only_shells_we_know_are_plain),
	    cmocka_unit_test(start_files_and_options_make_a_shell_special),
	    cmocka_unit_test(exported_functions_are_seen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

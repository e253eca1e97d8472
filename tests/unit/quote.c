/* Words that a shell reads back as they were. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/quote.h"

static void
assert_quoted(const char *word, const char *expected)
{
	struct buf buf = {0};
	assert_int_equal(quote_append(&buf, word, strlen(word)), 0);
	assert_string_equal(buf_str(&buf), expected);
	assert_int_equal(quote_length(word, strlen(word)), strlen(expected));
	buf_fini(&buf);
}

static void
plain_words_stay_as_they_are(void **state)
{
	(void)state;
	assert_quoted("abcXYZ019", "abcXYZ019");
	assert_quoted("+%,-./:@_", "+%,-./:@_");
	assert_quoted("-n", "-n");
}

static void
empty_word_is_two_quotes(void **state)
{
	(void)state;
	assert_quoted("", "''");
}

static void
other_bytes_get_single_quotes(void **state)
{
	(void)state;
	assert_quoted("a b", "'a b'");
	assert_quoted("$(x)", "'$(x)'");
	assert_quoted("~", "'~'");
	assert_quoted("=ls", "'=ls'");
	assert_quoted("a\nb", "'a\nb'");
	assert_quoted("\xff", "'\xff'");
}

static void
quotes_and_backslashes_are_written_outside(void **state)
{
	(void)state;
	assert_quoted("a\\b", "'a'\\\\'b'");
	assert_quoted("\\'", "''\\\\''\\'''");
	assert_quoted("it's", "'it'\\''s'");
	assert_quoted("'", "''\\'''");
	assert_quoted("''", "''\\'''\\'''");
}

static void
length_counts_a_nul_byte_as_any_other(void **state)
{
	(void)state;
	struct buf buf = {0};
	assert_int_equal(quote_append(&buf, "a\0'b", 4), 0);
	assert_int_equal(buf.length, 9);
	assert_memory_equal(buf.bytes, "'a\0'\\''b'", 9);
	assert_int_equal(quote_length("a\0'b", 4), 9);
	buf_fini(&buf);
}

static void
argv_is_joined_by_blanks(void **state)
{
	(void)state;
	char *argv[] = {(char[]){"echo"}, (char[]){"a b"}, (char[]){""}, NULL};
	struct buf buf = {0};
	assert_int_equal(quote_append_argv(&buf, argv), 0);
	assert_string_equal(buf_str(&buf), "echo 'a b' ''");
	buf_fini(&buf);
}

/* What `shell -c "printf %s WORD"` prints, into `output`. */
static size_t
read_back(const char *shell, const char *word, size_t length, char *output,
	  size_t output_bytes)
{
	struct buf line = {0};
	assert_int_equal(buf_append_str(&line, "printf %s "), 0);
	assert_int_equal(quote_append(&line, word, length), 0);
	assert_non_null(buf_str(&line));
	int fds[2];
	assert_int_equal(pipe(fds), 0);
	pid_t pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		dup2(fds[1], STDOUT_FILENO);
		close(fds[0]);
		close(fds[1]);
		execl(shell, shell, "-c", line.bytes, (char *)NULL);
		_exit(127);
	}
	close(fds[1]);
	size_t total = 0;
	ssize_t got;
	while ((got = read(fds[0], output + total, output_bytes - total)) > 0)
		total += (size_t)got;
	close(fds[0]);
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	buf_fini(&line);
	return total;
}

static void
every_shell_here_reads_every_byte_back(void **state)
{
	static const char *const shells[] = {
	    "/bin/sh",      "/bin/dash",     "/bin/bash",    "/usr/bin/zsh",
	    "/usr/bin/ksh", "/usr/bin/mksh", "/usr/bin/fish"};
	(void)state;
	char word[255];
	char output[512];
	for (size_t i = 0; i < sizeof(word); i++)
		word[i] = (char)(i + 1);
	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
		if (access(shells[i], X_OK) == -1)
			continue;
		size_t length =
		    read_back(shells[i], word, sizeof(word), output, sizeof(output));
		assert_int_equal(length, sizeof(word));
		assert_memory_equal(output, word, sizeof(word));
	}
}

/* fish takes a backslash before these for something, also within single quotes. */
static void
no_shell_here_executes_what_stands_behind_a_backslash(void **state)
{
	static const char *const shells[] = {"/bin/sh", "/bin/bash", "/usr/bin/zsh",
					     "/usr/bin/fish"};
	static const char word[] = "\\'; echo executed; #";
	(void)state;
	char output[512];
	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
		if (access(shells[i], X_OK) == -1)
			continue;
		size_t length =
		    read_back(shells[i], word, strlen(word), output, sizeof(output));
		assert_int_equal(length, strlen(word));
		assert_memory_equal(output, word, length);
	}
}

static void
plain_bytes_alone_are_safe_in_every_shell_here(void **state)
{
	static const char *const shells[] = {"/bin/sh", "/bin/dash", "/bin/bash",
					     "/usr/bin/zsh", "/usr/bin/fish"};
	static const char *const words[] = {"%self", "%1",  ":x", "@", "-e",
					    "+x",    "a,b", "%%", "_"};
	(void)state;
	char output[512];
	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++) {
		if (access(shells[i], X_OK) == -1)
			continue;
		for (size_t k = 0; k < sizeof(words) / sizeof(words[0]); k++) {
			size_t length = read_back(shells[i], words[k], strlen(words[k]),
						  output, sizeof(output));
			assert_int_equal(length, strlen(words[k]));
			assert_memory_equal(output, words[k], length);
		}
	}
}

static void
expect_words(const char *line, size_t length, const char *const *words)
{
	const char *at = line;
	struct buf word = {0};
	for (; *words != NULL; words++) {
		assert_int_equal(quote_next(&at, line + length, &word), 1);
		assert_string_equal(word.length > 0 ? buf_str(&word) : "", *words);
	}
	assert_int_equal(quote_next(&at, line + length, &word), 0);
	assert_ptr_equal(at, line + length);
	buf_fini(&word);
}

static void
quoted_words_come_apart_again(void **state)
{
	static const char *const words[] = {"plain", "",   "it's", "a  b\tc\nd",
					    "\"\\",  "''", NULL};
	struct buf line = {0};
	(void)state;
	assert_int_equal(quote_append_argv(&line, (char *const *)(uintptr_t)words), 0);
	expect_words(line.bytes, line.length, words);
	buf_fini(&line);
}

static void
other_ways_of_quoting_are_understood_too(void **state)
{
	static const char *const words[] = {"it's", "a b", "c d", "ef", NULL};
	static const char line[] = "  'it'\"'\"'s' a\\ b \"c d\"\te''f \n";
	(void)state;
	expect_words(line, sizeof(line) - 1, words);
}

/* A log may hold anything. */
static void
what_is_not_closed_ends_with_the_line(void **state)
{
	static const char *const open[] = {"a", "b c", NULL};
	static const char *const slash[] = {"\\", NULL};
	static const char *const none[] = {NULL};
	(void)state;
	expect_words("a 'b c", 6, open);
	expect_words("a \"b c", 6, open);
	expect_words("\\", 1, slash);
	expect_words("", 0, none);
	expect_words(" \t", 2, none);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plain_words_stay_as_they_are),
	    cmocka_unit_test(empty_word_is_two_quotes),
	    cmocka_unit_test(other_bytes_get_single_quotes),
	    cmocka_unit_test(quotes_and_backslashes_are_written_outside),
	    cmocka_unit_test(length_counts_a_nul_byte_as_any_other),
	    cmocka_unit_test(argv_is_joined_by_blanks),
	    cmocka_unit_test(quoted_words_come_apart_again),
	    cmocka_unit_test(other_ways_of_quoting_are_understood_too),
	    cmocka_unit_test(what_is_not_closed_ends_with_the_line),
	    cmocka_unit_test(every_shell_here_reads_every_byte_back),
	    cmocka_unit_test(no_shell_here_executes_what_stands_behind_a_backslash),
	    cmocka_unit_test(plain_bytes_alone_are_safe_in_every_shell_here),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

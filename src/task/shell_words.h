/*
 * shell_words.h: command lines that need no shell.
 *
 * A line of plain words, apart by blanks, some perhaps in simple quotes, is the same
 * command with and without a shell in between; going without saves an exec and a fork.
 * In doubt the answer is that a shell is needed.
 */
#ifndef PINION_SHELL_WORDS_H
#define PINION_SHELL_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/*
 * Splits a line as every Bourne-like shell would. A NUL byte in it stands for a value
 * that would be quoted: it stays in its word, and may be neither in the first word nor
 * inside quotes. Appends to `text` the words, each ended by a NUL of its own, and to
 * `starts` (of size_t) where in `text` each begins. 1; 0 when a shell is needed (both
 * are then as before); -1 without memory.
 */
int shell_words_split(const char *line, size_t length, struct buf *text,
		      struct buf *starts);

/*
 * Whether this shell, as the environment sets it up, would do with a plain line what we
 * do.
 */
bool shell_words_is_plain_shell(const char *shell, char *const *environment);

/* Whether the environment has any exported function for a bash to find. */
bool shell_words_has_functions(char *const *environment);

/* Whether the environment has an exported function of this name for a bash to find. */
bool shell_words_has_function(const char *name, char *const *environment);

#endif

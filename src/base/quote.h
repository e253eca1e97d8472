/*
 * quote.h: words for a shell.
 *
 * A quoted word read by sh, dash, bash, ksh, zsh, busybox sh or fish is one argument with
 * exactly the given bytes. Words of letters, digits and %+,-./:@_ stay as they are, but that
 * fish knows %self; others get single quotes, with ' written '\'' and \ written '\\', as \
 * within quotes means something to fish. The empty word is ''.
 */
#ifndef PINION_QUOTE_H
#define PINION_QUOTE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Appends one quoted word. 0, or -1 without memory. */
int quote_append(struct buf *buf, const char *bytes, size_t length);

/* How many bytes quote_append would append. */
size_t quote_length(const char *bytes, size_t length);

/* Appends argv as one command line, words apart by one blank. */
int quote_append_argv(struct buf *buf, char *const *argv);

/*
 * The other way round: replaces what is in `word` by the next word of a line of quoted words,
 * and moves *at behind it. Also takes words that are quoted with " or \ before each byte. 1, 0
 * when there is none, -1 without memory.
 */
int quote_next(const char **at, const char *end, struct buf *word);

#endif

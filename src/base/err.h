/*
 * err.h: what went wrong, as a value.
 *
 * A caller owns a `struct err` and passes it down as the last argument; the function that
 * sees the cause fills it, callers in between may add where it happened, and only cmd_*.c
 * prints it. A NULL err is allowed everywhere: the text is then dropped.
 */
#ifndef PINION_ERR_H
#define PINION_ERR_H

#include <errno.h>

enum err_kind {
	ERR_NONE,
	ERR_SYSTEM, /* a system call or a library failed */
	ERR_USAGE, /* the user said something we cannot do; the text says what to write instead */
	ERR_BROKEN,  /* the pool cannot serve tasks any more */
	ERR_REFUSED, /* a live run is not there, or does not do what it was told */
	ERR_LOCKED,  /* another run has what we need; the text says who */
};

#define ERR_TEXT_BYTES 512

struct err {
	enum err_kind kind;
	int errno_value;           /* 0 where no errno was involved */
	char text[ERR_TEXT_BYTES]; /* one line, no newline, cut if longer */
};

/* All return -1, so that a function can `return err_set(...)`. */
int err_set(struct err *err, enum err_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As err_set with ERR_SYSTEM; appends ": " and strerror(errno). */
int err_errno(struct err *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Here, so that whoever reads a caller alone sees that it fails: compilers and analyzers. */
static inline int
err_no_memory(struct err *err)
{
	errno = ENOMEM;
	err_errno(err, "out of memory");
	return -1;
}

/* Puts "context: " in front of the text already there. */
void err_context(struct err *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif

/*
 * diag.h: the one writer of messages to the user.
 *
 * A message is one line on stderr, "NAME: text", in one write. What cannot be seen in it (from
 * file names, commands) comes out as \xHH, as visible.h says, so that no input can drive the
 * terminal. A stderr that cannot take it for a second loses the message, not the run. Keeps
 * errno.
 */
#ifndef PINION_DIAG_H
#define PINION_DIAG_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/screen.h"

#define DIAG_COPY_BYTES 65536

struct diag {
	const char *name;      /* "pinion map"; borrowed */
	int fd;                /* where messages go; 2 */
	struct screen *screen; /* what is drawn where messages go; or NULL */
	struct buf *copy; /* gets them too, but for raw bytes, up to DIAG_COPY_BYTES; NULL */
};

void diag_say(const struct diag *diag, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Bytes as they are: what a program the user named said, for the user to see. */
void diag_raw(const struct diag *diag, const char *bytes, size_t length);

/* Says what is in err. */
void diag_err(const struct diag *diag, const struct err *err);

#endif

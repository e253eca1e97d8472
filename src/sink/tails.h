/*
 * tails.h: the last that running tasks have printed, for the summary of those that fail.
 *
 * Keeps a few hundred bytes of each stream of a task until it is taken or dropped.
 */
#ifndef PINION_TAILS_H
#define PINION_TAILS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/seqmap.h"
#include "task/result.h"

#define TAILS_BYTES 1024 /* at most, of a stream */

struct tails {
	struct seqmap tasks; /* seq -> struct tail * */
};

void tails_fini(struct tails *tails);

/* 0, -1 without memory. */
int tails_add(struct tails *tails, uint64_t seq, enum result_stream stream,
	      const char *bytes, size_t length);

/* Forgets the task. */
void tails_drop(struct tails *tails, uint64_t seq);

/*
 * Moves the task's last bytes into `text`: of stderr if it printed anything there, else of stdout.
 * Empty if it printed nothing.
 */
void tails_take(struct tails *tails, uint64_t seq, struct buf *text);

/*
 * Where the last `line_count` lines of the text begin that are not blank; of a line that was cut in
 * front the rest counts.
 */
size_t tails_last_lines(const struct buf *text, size_t line_count);

#endif

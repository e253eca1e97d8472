/*
 * identity.h: which task is the same in two runs.
 *
 * A task is known by its command and its values, not by its place in the input: a list may be
 * reordered or grow between two runs. Digests are BLAKE2b of 128 bits over
 *
 *   the command   the verb, and as words: the program and its arguments or the command as it was
 *                 given, and the options that give it another meaning
 *   a task        the digest of its command, then its values
 *
 * with each word and value behind its length in 8 bytes, little-endian. So {#}, {%}, the working
 * directory and the environment are no part of it; but what a task has for itself (override.h)
 * is, in front of its values, apart from its time limit and the tasks that it came from. Two tasks with the same values are two tasks
 * with the same identity: who remembers them has to count (identity_bag).
 */
#ifndef PINION_IDENTITY_H
#define PINION_IDENTITY_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "task/spec.h"
#include "task/task.h"

#define IDENTITY_BYTES 16

struct identity {
	uint64_t words[2]; /* the digest as it lies in memory */
};

struct identity identity_of_command(const struct spec *spec);
struct identity identity_of_task(const struct identity *command, const struct spec *spec,
				 const struct arg *args, size_t arg_count);

#endif

/*
 * family.h: the worker processes of all pools of this process.
 *
 * Children of ours that are not in it are orphans: left behind by a worker that died.
 * Shared by the pools, owned by the command.
 */
#ifndef PINION_FAMILY_H
#define PINION_FAMILY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct family {
	pid_t *pids; /* first the children that we were born with, by exec; not ours to end */
	size_t given_count;
	size_t count;
	size_t capacity;
};

void family_fini(struct family *family);

/* Takes note of the children that the process has already. 0, -1 without memory. */
int family_adopt_given(struct family *family);

int family_reserve(struct family *family); /* room for one more; -1 without memory */
void family_add(struct family *family, pid_t pid); /* after family_reserve */
void family_remove(struct family *family, pid_t pid);

/* Ends all orphans of run `run` that belong to task `seq` or say nothing of a task. */
void family_sweep(const struct family *family, const char *run, uint64_t seq);

/* Reaps orphans that have ended by themselves; never a worker. */
void family_reap_orphans(const struct family *family);

#endif

/*
 * draft.h: a file that is not there until it is whole.
 *
 * A draft is written into a folder of its own beside its target, dir/.pinion-HASH/name for
 * dir/name: on the same file system, under the target's own name (which programs go by), so
 * never too long for one, and together with whatever else a program puts beside its output. A
 * rename puts it in place. Nobody but its owner can look or plant a link into the folder.
 *
 * Whoever has a draft open holds a lock (flock) on a file in the folder, and the kernel lets go
 * of it when he dies, however he dies. So a folder that is not locked is a dead one's: it is
 * taken over by who makes the same target next, or removed by draft_clear. The folder's name
 * follows from the target's; two who make the same target at a time meet there, and the second
 * is told EBUSY.
 *
 * Functions return 0, or -1 and errno. Programs must not inherit the descriptors, which are
 * CLOEXEC.
 */
#ifndef PINION_DRAFT_H
#define PINION_DRAFT_H

#include <stdbool.h>

#include "base/buf.h"

/* Zero-initialise; reuse after it was closed; end with draft_fini. */
struct draft {
	bool is_open;
	int folder_fd;
	int lock_fd;
	struct buf target;
	struct buf folder; /* its path */
	struct buf path;   /* of the draft: what is to be written; a string */
};

/*
 * Makes the folder for a draft of `target`, and the folders above it that are missing (with 0777
 * and the umask). There is no file in it yet.
 *   EBUSY    somebody alive has a draft of the same target open
 *   EISDIR   the target is a folder, or its name is one's
 *   EINVAL   the target is there and no file: a device, a socket, a pipe
 *   EPERM    the draft's folder is there and is not ours
 */
int draft_open(struct draft *draft, const char *target);

/*
 * The draft as it is now, to be looked at: a descriptor. ENOENT: nobody has written it; EISDIR,
 * EINVAL: it is no file (nor is a link one).
 */
int draft_file(const struct draft *draft);

/* The draft becomes the target, which is replaced if it is there. */
int draft_publish(const struct draft *draft);

/* Removes the folder and what is in it. */
void draft_close(struct draft *draft);

/* What somebody dead may have left of a draft of this target goes; a live one's stays. */
void draft_clear(const char *target);

void draft_fini(struct draft *draft);

#endif

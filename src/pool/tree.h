/*
 * tree.h: ending a task's processes, all of them; and finding them.
 *
 * Ending works on the descendants of the calling process, which is their child subreaper, so
 * that what left its group or session, or was orphaned, is still found: through
 * /proc/PID/task/TID/children, or through /proc/PID/stat of all processes where the
 * kernel lacks that. The group first, then every descendant from the top down, so that no
 * shell goes on to its next command. Everything here is async-signal-safe.
 */
#ifndef PINION_TREE_H
#define PINION_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Which direct children to leave alone, with all below them: those of `spared`, and those
 * whose environment says that they were started by another task of this run (a daemon
 * that a task which succeeded left behind). A process that says nothing is not spared.
 */
struct tree_rule {
	const pid_t *spared;
	size_t spared_count;
	const char *run; /* PINION_RUN of this run; NULL: nobody is spared by environment */
	uint64_t seq;    /* the task whose processes are meant: PINION_SEQ */
};

/* Sends the signal to the group `pgid` (0: none) and to every descendant meant; how many it found alive. */
size_t tree_signal(pid_t pgid, int signal, const struct tree_rule *rule);

/* Descendants meant that are alive (zombies do not count). */
size_t tree_count(const struct tree_rule *rule);

/*
 * SIGKILL until several readings in a row find none, at most about two seconds. Reaps the direct
 * children it killed, but not `keep_pid` (0: none), whose status somebody else wants.
 */
void tree_kill(pid_t pgid, const struct tree_rule *rule, pid_t keep_pid);

/*
 * Calls `visit` for each thread of `pid` and of all below it: of a process first, and only then of
 * its children, so that those it starts meanwhile inherit what was done to it. Of a crowd only
 * the first few hundred processes, so that the caller is not kept.
 */
void tree_visit_threads(pid_t pid, void (*visit)(void *context, pid_t thread),
			void *context);

/* Direct children of the calling process, zombies too, into `pids`; how many there are (may exceed `max`). */
size_t tree_children(pid_t *pids, size_t max);

#endif

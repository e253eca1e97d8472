/*
 * results_tree.h: a folder of results, one task's files written whole or not at all.
 *
 * stderr comes first, then stdout, and seq, which holds the task's number from 1, is last: where
 * seq holds one, all is there. stdout and stderr have their names only once they are whole. Old
 * files of the same names make room, seq before the others. Nothing is left behind by a run that is killed
 * where the file system knows unnamed files (O_TMPFILE); elsewhere at most one named
 * .pinion-results, which the next run takes away.
 *
 * Stays below its folder: names come from results_path.h, and links in the place of a folder are
 * not followed, whoever put them there. The folder itself is the user's, and may be behind one.
 * Modes follow the umask. Every failure names the file.
 */
#ifndef PINION_RESULTS_TREE_H
#define PINION_RESULTS_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "ipc/spill.h"
#include "record/results_path.h"
#include "task/result.h"

struct results_tree {
	const char *folder; /* borrowed, for messages */
	int folder_fd;      /* -1: there is none */
	size_t name_max;
	bool has_unnamed; /* false: this file system has no unnamed files */
};

/* Makes the folder, and those it is in, unless they are there. After -1 it is not open. */
int results_tree_open(struct results_tree *tree, const char *folder, struct err *err);

/* For results_tree_has alone: makes nothing, and there need be no folder. */
int results_tree_look(struct results_tree *tree, const char *folder, struct err *err);
void results_tree_close(struct results_tree *tree);

/* Takes all bytes out of the streams. After -1 and err there is no seq for the task. */
int results_tree_put(struct results_tree *tree, const struct results_name *name,
		     struct spill *spill, struct held *const streams[RESULT_STREAMS],
		     uint64_t seq, struct err *err);

/* Whether all of the task is there: 1 or 0, -1 and err. */
int results_tree_has(const struct results_tree *tree, const struct results_name *name,
		     struct err *err);

#endif

/*
 * letter.h: what a worker that is executed anew cannot know from its words.
 *
 * A process about to execute this program as a worker writes a letter to itself, into a
 * memfd, and names its descriptor and itself in the environment: PINION_LETTER. The program it
 * becomes finds that, and thereby that it is a worker, whether it can read the letter or not. A
 * variable that is old, or made up, is for another process, and nothing but a variable that is
 * taken away.
 *
 * Never seen by tasks: the variable is gone from the environment once the letter was looked
 * for, whatever was found.
 */
#ifndef PINION_LETTER_H
#define PINION_LETTER_H

#include "base/sig.h"
#include "ipc/board.h"
#include "pool/worker.h"
#include "task/task.h"

/* What came with it; lives as long as the process, as the worker_config needs it to. */
struct letter {
	struct worker_config worker; /* all but spec and template */
	const char *shell;           /* the spec's */
	struct arg job_text;         /* the spec's; empty: the words say all */
	size_t stage_index;          /* of the job's stages, if it has some */
	const struct arg *names;     /* for the template */
	size_t name_count;

	struct arg *strings; /* these are the letter's own */
	struct board board;
	struct sig_origin origin;
	struct buf bytes;
};

/*
 * In the child between fork and exec: writes the letter, sets the variable, and lets the
 * descriptors named in it survive the exec. 0; -1 and err.
 */
int letter_write(const struct worker_config *worker, const struct arg *names,
		 size_t name_count, struct err *err);

/*
 * In main: 1: we are a worker; 0: we are not, and there is nothing in *letter. Ends the
 * process, without a word, if it is a worker whose coordinator has gone, or whose letter cannot
 * be read; or if that cannot be followed, after telling the coordinator.
 */
int letter_read(struct letter *letter);

#endif

/*
 * outputs.h: the files a task makes (--output), from before it starts until it has ended.
 *
 * Gives each attempt drafts to write into (base/draft), by names that are right in the task's own
 * folder, and when it has succeeded, before anybody
 * hears so, stamps them (task/stamp), syncs them as --fsync says and renames them onto their
 * targets. After any other end nothing of them is left. Owned by the executor for commands; there
 * is one task at a time. What a worker that dies leaves open is its coordinator's business
 * (record/uptodate), or, if both are dead, that of the next run.
 */
#ifndef PINION_OUTPUTS_H
#define PINION_OUTPUTS_H

#include "base/draft.h"
#include "task/result.h"
#include "task/spec.h"
#include "task/stamp.h"
#include "task/template.h"

struct outputs {
	const struct spec *spec;
	const struct template *template;
	struct stamp stamp;
	struct draft *drafts; /* NULL: there are no outputs, and nothing to do */
	struct arg *outs;     /* their paths, for the command */
	struct buf folder; /* what the task's relative names are in, from here; with a slash */
	struct buf name; /* scratch */
};

/* All borrowed until outputs_fini. 0, -1 and err. */
int outputs_init(struct outputs *outputs, const struct spec *spec,
		 const struct template *template, const char *run, struct err *err);
void outputs_fini(struct outputs *outputs);

/*
 * Before the start: makes the drafts and sets values->outs. 0; 1: it must not be started, and
 * result says why; -1 and err. outputs_end comes after 0 and after 1.
 */
int outputs_begin(struct outputs *outputs, struct template_values *values,
		  struct result *result, struct err *err);

/* Removes the drafts of the task in hand, if it has any; its processes are gone. */
void outputs_close(struct outputs *outputs);

/* After the end: a success that cannot have its outputs in place becomes RESULT_NO_OUTPUT. */
void outputs_end(struct outputs *outputs, struct result *result);

#endif

/*
 * cmd_show.h: whether and where a job is shown while it goes on, and what is said at its end.
 *
 * Without being asked, only where a person sees it and nobody else writes: stderr is a terminal,
 * stdout is no pipe (its reader may well write to the same terminal), inputs are not typed in,
 * tasks do not have the terminal themselves, and the job takes longer than a moment.
 */
#ifndef PINION_CMD_SHOW_H
#define PINION_CMD_SHOW_H

#include "base/diag.h"
#include "base/err.h"
#include "base/screen.h"
#include "ipc/board.h"
#include "ipc/loop.h"
#include "sink/display.h"
#include "task/backend.h"
#include "task/plan.h"
#include "task/sink.h"
#include "task/spec.h"
#include "task/template.h"

/* Of one job. All zero: nothing is shown. Stays where it is from show_init on. */
struct show {
	bool is_wanted;
	struct screen screen;
	const struct diag *diag;
	const struct spec *spec;
	struct display *display;
	struct show_part *first; /* of those that have started */
	struct show_part *last;
};

/* Of one of its stages. All borrowed until show_part_fini. */
struct show_part {
	struct show *show;
	const struct spec *spec;
	struct plan *plan;
	const struct template *command;
	size_t column_count;
	bool reads_ahead; /* its plan may: see plan_read_ahead */
	struct backend *backend;
	struct sink *progress; /* one of the run's sinks; NULL: nothing is shown */
	struct arg *args;      /* scratch */
	size_t arg_capacity;
	struct show_part *next;
};

/* All borrowed until show_fini. */
void show_init(struct show *show, const struct spec *spec, const struct diag *diag);

/* What has to be taken back before anything is written to the terminal; NULL: nothing ever. */
struct screen *show_screen(struct show *show);

/* From here on it is shown, if it is wanted. */
int show_start(struct show *show, struct loop *loop, struct err *err);

/* The job is over: takes away what is drawn, and says how it was if any of it was shown. */
void show_end(struct show *show);

void show_fini(struct show *show);

/* Makes the progress, if it is wanted; the fields up to reads_ahead are filled in. */
int show_part_init(struct show_part *part, struct err *err);

/* The stage begins; in their order. Only of one with a progress. */
int show_part_start(struct show_part *part, const struct board *board,
		    struct backend *backend, struct err *err);

void show_part_fini(struct show_part *part);

#endif

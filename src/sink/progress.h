/*
 * progress.h: how a run is going: a sink that counts, and tells by lines of text.
 *
 * Counts what it hears, and looks at the board when it is told to: tasks cost it a few additions,
 * chunks of answers no more. Where its lines go, and when, is its display's business (display.h).
 */
#ifndef PINION_PROGRESS_H
#define PINION_PROGRESS_H

#include <stdbool.h>

#include "base/err.h"
#include "ipc/board.h"
#include "sink/progress_text.h"
#include "task/sink.h"
#include "task/spec.h"

/* All borrowed until sink_free. */
struct progress_config {
	enum spec_progress style; /* AUTO: the usual line */
	const char *title;        /* in front of it; NULL: none */
	void *context;            /* for the functions below */

	/* How many tasks there are, as far as that is known; but for those done before the run. */
	uint64_t (*count)(void *context, bool *is_all);
	size_t (*worker_count)(void *context);

	/* What a task in hand is: a command line, or what a program is fed; nothing: not known. */
	void (*describe)(void *context, uint64_t seq, uint32_t slot, struct buf *text);
};

/* What the lines are for. */
struct progress_page {
	size_t columns; /* they are narrower; 0: it is no screen, and one line in words will do */
	size_t rows; /* as many as these at most, and one at least */
	bool is_coloured;
	double load; /* of the machine; below 0: not known */
};

struct sink *progress_new(const struct progress_config *config, struct err *err);

/* The run begins. The board, too, is borrowed. 0, -1 without memory. */
int progress_start(struct sink *sink, const struct board *board, int64_t now_ns);

/* Now and then: what do the workers do? */
void progress_look(struct sink *sink, int64_t now_ns);

/* As of the last look. 0, -1 without memory. */
int progress_append(struct sink *sink, const struct progress_page *page, struct buf *text);

/* How the run was. */
void progress_end(struct sink *sink, int64_t now_ns, struct progress_end *end);

#endif

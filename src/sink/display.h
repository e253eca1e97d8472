/*
 * display.h: the progress of a job's runs, shown while they go on.
 *
 * A timer of the loop says when: at most ten times a second. Draws on a screen of base/screen;
 * or, where there is none, has lines said every now and then. Decides neither whether anything is
 * to be shown nor where. Never fails a run: what cannot be shown is not.
 */
#ifndef PINION_DISPLAY_H
#define PINION_DISPLAY_H

#include <stdbool.h>

#include "base/err.h"
#include "base/screen.h"
#include "ipc/loop.h"
#include "task/sink.h"

/* All borrowed until display_free. */
struct display_config {
	struct screen *screen; /* NULL: there is none */
	bool is_asked_for; /* it may come at once, not only in a run that takes a while */
	bool is_coloured;
	void *context;
	/* Where there is no screen: how the index-th run is going. */
	void (*say)(void *context, size_t index, const char *line);
};

struct display;

/* From here on it is shown. */
struct display *display_new(const struct display_config *config, struct loop *loop,
			    struct err *err);

/* A progress that has started, below the others; borrowed. 0, -1 without memory. */
int display_add(struct display *display, struct sink *progress);

/* Whether anything has been shown, or was asked for. */
bool display_was_shown(const struct display *display);

void display_free(struct display *display);

#endif

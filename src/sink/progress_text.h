/*
 * progress_text.h: what is shown of a run while it goes on, and at its end, as text.
 *
 * Knows nothing of terminals but how many columns there are; lines are narrower than that.
 * Functions return 0, or -1 without memory.
 */
#ifndef PINION_PROGRESS_TEXT_H
#define PINION_PROGRESS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cells.h"

/* Tasks, not attempts. */
struct progress_counts {
	uint64_t done;
	uint64_t failed;
	uint64_t cancelled;
	uint64_t skipped; /* never started */
	uint64_t passed;  /* done before this run */
};

struct progress_view {
	struct progress_counts counts;
	uint64_t total;      /* as far as it is known: those passed among them */
	bool is_total_known; /* there will be no more */
	uint64_t running;
	double rate;     /* tasks per second; 0: not known */
	int64_t mean_ns; /* duration of a task; 0: not known */
	int64_t left_ns; /* -1: not known */
	int64_t spread_ns;
	double load;        /* of the machine; below 0: not known */
	const char *newest; /* --bar: what was started last; any bytes */
	size_t newest_length;
};

/* What a worker does. */
struct progress_lane {
	size_t slot; /* from 1 */
	bool is_busy;
	int64_t for_ns;
	int cpu_percent; /* below 0: not known */
	const char *what;
	size_t what_length;
};

struct progress_end {
	struct progress_counts counts;
	int64_t run_ns;
	int64_t task_ns;   /* of all tasks together */
	int64_t worker_ns; /* of all workers together: how long each was there */
};

/* How many have ended, one way or another. */
uint64_t progress_ended(const struct progress_counts *counts);

/* The usual line: as much as there is room for, what matters least left out first. */
int progress_text_line(struct buf *text, const struct progress_view *view, size_t columns,
		       bool is_coloured);

/* The same without a bar, in words, for a file. */
int progress_text_plain(struct buf *text, const struct progress_view *view);

/* As GNU parallel's --bar: "37% 12:20=34s NAME" on a bar as wide as the screen. */
int progress_text_bar(struct buf *text, const struct progress_view *view, size_t columns,
		      bool is_coloured, struct cells *cells);

/* As GNU parallel's --eta: "ETA: 34s Left: 20 AVG: 1.70s  local:4/12/37%/1.7s". */
int progress_text_eta(struct buf *text, const struct progress_view *view, size_t columns);

/* " 3  12s  98%  convert a.jpg a.png" */
int progress_text_lane(struct buf *text, const struct progress_lane *lane, size_t columns,
		       struct cells *cells);

/* "120 tasks, 2 failed, in 12.3s; speed-up 3.91, efficiency 98%" */
int progress_text_end(struct buf *text, const struct progress_end *end);

#define PROGRESS_DURATION_BYTES 24
/* "0.4s", "12s", "3m05s", "2h07m", "5d03h"; returns text. */
const char *progress_duration(char text[PROGRESS_DURATION_BYTES], int64_t ns);

#define PROGRESS_RATE_BYTES 24
/* "0.5/h", "12/min", "3.4/s", "120/s", "12.3k/s", "1.20M/s"; returns text. */
const char *progress_rate(char text[PROGRESS_RATE_BYTES], double per_s);

#endif

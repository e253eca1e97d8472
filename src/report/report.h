/*
 * report.h: what all forms of a report have in common.
 *
 * A writer is made for one form, told of each task in order of stages and seqs, and of the end; what it has
 * to say it appends to its output's text. Tasks pass by once, one at a time, for all writers: none
 * keeps more than what it shows.
 */
#ifndef PINION_REPORT_H
#define PINION_REPORT_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#include "record/runfile_tasks.h"
#include "report/report_out.h"
#include "report/usage.h"

struct report_screen {
	size_t columns;
	bool has_colour;
	bool has_blocks; /* the characters for bars; else ASCII alone */
};

struct report_config {
	const char *path; /* the run file, as it was named */
	struct runfile_tasks *tasks;
	size_t shown_max; /* failed and slowest tasks in the text */
	struct report_screen screen;
	const sigset_t *stops; /* once one of these is pending there is no going on; NULL: none */
};

struct report_writer {
	struct report_out *out;
	const struct report_config *config;
	int (*task)(struct report_writer *writer, const struct runfile_ended *task,
		    struct err *err);
	int (*end)(struct report_writer *writer, struct err *err);
	void (*free)(struct report_writer *writer);
};

/* Both arguments are borrowed until the writer is freed. */
typedef struct report_writer *report_maker(const struct report_config *config,
					   struct report_out *out, struct err *err);
report_maker report_text_new, report_page_new, report_trace_new, report_json_new,
    report_csv_new;

/* Tells all writers of all tasks, and of the end. */
int report_run(const struct report_config *config, struct report_writer **writers,
	       size_t count, struct err *err);

/* When the run began and ended; of one that goes on, now; of one that was killed, its last task's end. */
struct usage_span report_span(const struct runfile_overview *run);
struct usage_span report_task_span(const struct runfile_ended *task);

/* It went well, or badly: else it never came to an end of its own. */
bool report_is_failure(const struct runfile_ended *task);

/* "pinion replay run.db", with --run where another run came after it; the number is to follow. */
int report_append_replay(struct buf *text, const struct report_config *config);

/* What follows then: "17", or in a job of stages "read:17". */
int report_append_task(struct buf *text, const struct runfile_ended *task);

/*
 * The run's verb, and its command, program or library, one that is a line for the shell as it is;
 * or the words it was called with, and its stages.
 */
int report_append_program(struct buf *text, const struct runfile_overview *run);

/* What became of the run as a whole: "failed: 3 of 17 tasks". */
int report_append_outcome(struct buf *text, const struct runfile_overview *run);

#endif

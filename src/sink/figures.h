/*
 * figures.h: what pinion bench says of its runs: figures, how sure they are, and what would help.
 *
 * Works on tallies (tally.h); measures and prints nothing.
 */
#ifndef PINION_FIGURES_H
#define PINION_FIGURES_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "sink/tally.h"

#define FIGURES_ROUNDS_MAX 100

/* One run, from before its process was started until it was gone. */
struct figures_run {
	int64_t started_ns; /* since 1970 */
	int64_t ended_ns;
	struct tally tally;
};

struct figures_round {
	struct figures_run one;  /* with one worker */
	struct figures_run many; /* with worker_count */
};

/* A figure of several rounds. */
struct spread {
	double median;
	double least;
	double most;
};

/* Durations in seconds. */
struct figures {
	uint64_t task_count;
	uint64_t failed_count;
	size_t round_count;
	size_t worker_count;
	struct spread one;
	struct spread many;
	struct spread speed_up; /* round by round */
	double efficiency;      /* of each worker: 1 is all */
	double task_one;        /* the median task */
	double task_many;
	double longest; /* with worker_count */
	uint64_t longest_seq;
	double cpu_share;   /* of a task with one worker: 1 is a core all the time */
	double output_rate; /* bytes a second, with worker_count */
	double overhead;    /* between the end of a task and the start of the next */
	double start;       /* before the first and after the last */

	/* Not of the rounds: to be filled in. */
	double process; /* the start and end of the smallest of processes; 0: unknown */
	double load;    /* of the machine, before the first round */
	size_t thread_count; /* hardware threads we may use; 0: unknown */
};

/* `rounds` are round_count, 1 at least, each with a task at least. */
void figures_make(struct figures *figures, const struct figures_round *rounds,
		  size_t round_count, size_t worker_count);

/* What the figures mean. */
struct advice {
	const char *id; /* for programs: "too-short" */
	char text[320];
};
#define FIGURES_ADVICE_MAX 12

size_t figures_advise(const struct figures *figures,
		      struct advice advice[FIGURES_ADVICE_MAX]);

/* For people, and for programs. 0, -1 without memory. */
int figures_append_text(const struct figures *figures, struct buf *text);
int figures_append_json(const struct figures *figures, struct buf *text);

/* "1.23 s", "45.6 ms", "789 us", three digits of it. */
#define FIGURES_DURATION_BYTES 24
const char *figures_duration(double seconds, char text[FIGURES_DURATION_BYTES]);

#endif

/* figures_advise.c: see figures.h. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "sink/figures.h"

/* Rounds this far apart, as a part of the median, say little. */
#define ADVISE_NOISE 0.15

/* A task is short if it takes less than so many starts of a process. */
#define ADVISE_SHORT 4

/* The part of the time with all workers that one task may take. */
#define ADVISE_STRAGGLER 0.5

/* CPU time of a task as a part of its time: above it has threads, below it waits. */
#define ADVISE_THREADS 1.3
#define ADVISE_WAITS 0.5

/* So much longer takes a task beside others where they are in each other's way. */
#define ADVISE_CROWDED 1.3

/* Bytes a second that are a good part of what can be copied through pipes. */
#define ADVISE_OUTPUT_RATE 300e6

/* The load of each hardware thread that makes a difference. */
#define ADVISE_BUSY 0.5

/* An efficiency that has other reasons. */
#define ADVISE_TOO_GOOD 1.1

/* As good as it gets, and not worth it. */
#define ADVISE_GOOD 0.8
#define ADVISE_NO_GAIN 1.1

struct advising {
	const struct figures *figures;
	struct advice *advice;
	size_t count;
};

static void __attribute__((format(printf, 3, 4)))
advise(struct advising *advising, const char *id, const char *format, ...)
{
	struct advice *advice = &advising->advice[advising->count++];
	va_list arguments;
	advice->id = id;
	va_start(arguments, format);
	vsnprintf(advice->text, sizeof(advice->text), format, arguments);
	va_end(arguments);
}

static double
advise_noise(const struct spread *spread)
{
	return (spread->most - spread->least) / spread->median;
}

static void
advise_on_trust(struct advising *advising)
{
	const struct figures *figures = advising->figures;
	double one = advise_noise(&figures->one), many = advise_noise(&figures->many);
	double noise = one > many ? one : many;
	if (figures->round_count == 1)
		advise(advising, "one-round",
		       "one round says nothing about chance: --rounds 3 measures again");
	else if (noise > ADVISE_NOISE)
		advise(advising, "noise",
		       "the rounds differ by %.0f %%: something else is running, or the "
		       "tasks are not the same each time; small differences mean nothing",
		       noise * 100);
}

/* Beside other work, several processes get more of the machine than one does. */
static void
advise_on_load(struct advising *advising)
{
	const struct figures *figures = advising->figures;
	if (figures->thread_count > 0 &&
	    figures->load > ADVISE_BUSY * (double)figures->thread_count)
		advise(
		    advising, "busy",
		    "the load was %.1f on %zu hardware threads before this began: other "
		    "work has slowed it down; measure again when there is less",
		    figures->load, figures->thread_count);
	else if (figures->efficiency > ADVISE_TOO_GOOD)
		advise(advising, "too-good",
		       "this is more than the workers can bring: caches were filled, or "
		       "other work slowed down the runs with one worker");
}

static void
advise_on_failures(struct advising *advising)
{
	const struct figures *figures = advising->figures;
	if (figures->failed_count > 0)
		advise(advising, "failed",
		       "%" PRIu64 " of %" PRIu64
		       " tasks failed: the figures are of what they did before that",
		       figures->failed_count, figures->task_count);
}

static bool
advise_is_short(const struct figures *figures)
{
	return figures->process > 0 && figures->task_one < ADVISE_SHORT * figures->process;
}

static void
advise_on_size(struct advising *advising)
{
	const struct figures *figures = advising->figures;
	char task[FIGURES_DURATION_BYTES], process[FIGURES_DURATION_BYTES];
	if (!advise_is_short(figures))
		return;
	advise(advising, "too-short",
	       "a task takes %s, and starting a process alone %s: give each command "
	       "several inputs (-n 50), or use pinion feed, which starts the program "
	       "once, or pinion call",
	       figures_duration(figures->task_one, task),
	       figures_duration(figures->process, process));
}

static void
advise_on_count(struct advising *advising)
{
	const struct figures *figures = advising->figures;
	uint64_t workers = figures->worker_count, tasks = figures->task_count;
	uint64_t turns = (tasks + workers - 1) / workers;
	double best = (double)tasks / (double)turns;
	if (workers > 1 && best < ADVISE_GOOD * (double)workers)
		advise(advising, "too-few",
		       "%" PRIu64 " tasks for %" PRIu64
		       " workers: with tasks of one size "
		       "the speed-up cannot be above %.1f; smaller tasks would help",
		       tasks, workers, best);
}

static void
advise_on_straggler(struct advising *advising)
{
	const struct figures *figures = advising->figures;
	char longest[FIGURES_DURATION_BYTES], wall[FIGURES_DURATION_BYTES];
	if (figures->task_count <= figures->worker_count || figures->worker_count == 1 ||
	    figures->longest < ADVISE_STRAGGLER * figures->many.median ||
	    figures->longest < 2 * figures->task_many)
		return;
	advise(advising, "straggler",
	       "task %" PRIu64
	       " takes %s of %s: put the longest first, or divide it, or the others "
	       "wait for it at the end",
	       figures->longest_seq + 1, figures_duration(figures->longest, longest),
	       figures_duration(figures->many.median, wall));
}

/* Short tasks tell nothing: most of them is the start of a process. */
static void
advise_on_cpu(struct advising *advising)
{
	const struct figures *figures = advising->figures;
	if (advise_is_short(figures))
		return;
	if (figures->cpu_share > ADVISE_THREADS)
		advise(advising, "threads",
		       "a task keeps %.1f cores busy by itself: fewer workers, or fewer "
		       "threads in each",
		       figures->cpu_share);
	else if (figures->cpu_share < ADVISE_WAITS)
		advise(
		    advising, "waits",
		    "tasks compute for %.0f %% of their time and wait for the rest, for "
		    "a disk, a network or each other: try -j %zu",
		    figures->cpu_share * 100, figures->worker_count * 2);
}

static void
advise_on_crowd(struct advising *advising)
{
	const struct figures *figures = advising->figures;
	if (figures->worker_count > 1 && !advise_is_short(figures) &&
	    figures->task_many > ADVISE_CROWDED * figures->task_one)
		advise(advising, "crowded",
		       "a task takes %.1f times as long beside others: they share "
		       "memory, a disk or cores; try -j %zu",
		       figures->task_many / figures->task_one,
		       (figures->worker_count + 1) / 2);
}

static void
advise_on_output(struct advising *advising)
{
	const struct figures *figures = advising->figures;
	if (figures->output_rate > ADVISE_OUTPUT_RATE)
		advise(advising, "output",
		       "tasks print %.0f MB/s: copying that is a good part of the work; "
		       "let them write files",
		       figures->output_rate / 1e6);
}

static void
advise_on_gain(struct advising *advising)
{
	const struct figures *figures = advising->figures;
	if (figures->worker_count == 1)
		advise(advising, "one-worker",
		       "there is one worker: -j says how many there are to be");
	else if (figures->speed_up.median < ADVISE_NO_GAIN)
		advise(advising, "no-gain", "more workers gain nothing here");
	else if (figures->efficiency >= ADVISE_GOOD &&
		 figures->efficiency <= ADVISE_TOO_GOOD)
		advise(
		    advising, "good",
		    "%zu workers do %.1f times the work of one: there is little to gain",
		    figures->worker_count, figures->speed_up.median);
}

size_t
figures_advise(const struct figures *figures, struct advice advice[FIGURES_ADVICE_MAX])
{
	struct advising advising = {.figures = figures, .advice = advice};
	advise_on_trust(&advising);
	advise_on_load(&advising);
	advise_on_failures(&advising);
	advise_on_size(&advising);
	advise_on_count(&advising);
	advise_on_straggler(&advising);
	advise_on_cpu(&advising);
	advise_on_crowd(&advising);
	advise_on_output(&advising);
	advise_on_gain(&advising);
	return advising.count;
}

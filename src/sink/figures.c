/* figures.c: see figures.h. */
#include "sink/figures.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_SECOND 1e9

/* --- from tallies --- */

static int
figures_compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static struct spread
figures_spread(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), figures_compare);
	return (struct spread){
	    .median = (values[(count - 1) / 2] + values[count / 2]) / 2,
	    .least = values[0],
	    .most = values[count - 1],
	};
}

static double
run_wall(const struct figures_run *run)
{
	return (double)(run->ended_ns - run->started_ns) / NS_PER_SECOND;
}

static double
round_wall_one(const struct figures_round *round)
{
	return run_wall(&round->one);
}

static double
round_wall_many(const struct figures_round *round)
{
	return run_wall(&round->many);
}

static double
round_speed_up(const struct figures_round *round)
{
	return run_wall(&round->one) / run_wall(&round->many);
}

static double
round_task_one(const struct figures_round *round)
{
	return (double)median_get(&round->one.tally.median) / NS_PER_SECOND;
}

static double
round_task_many(const struct figures_round *round)
{
	return (double)median_get(&round->many.tally.median) / NS_PER_SECOND;
}

static double
round_cpu_share(const struct figures_round *round)
{
	const struct tally *tally = &round->one.tally;
	return tally->wall_ns > 0 ? (double)tally->cpu_ns / (double)tally->wall_ns : 0;
}

static double
round_output_rate(const struct figures_round *round)
{
	return (double)round->many.tally.output_bytes / run_wall(&round->many);
}

static double
round_overhead(const struct figures_round *round)
{
	const struct tally *tally = &round->one.tally;
	int64_t between_ns =
	    tally->last_ended_ns - tally->first_started_ns - tally->wall_ns;
	if (tally->task_count < 2 || between_ns < 0)
		return 0;
	return (double)between_ns / (double)(tally->task_count - 1) / NS_PER_SECOND;
}

static double
round_start(const struct figures_round *round)
{
	const struct figures_run *run = &round->one;
	return (double)(run->tally.first_started_ns - run->started_ns + run->ended_ns -
			run->tally.last_ended_ns) /
	       NS_PER_SECOND;
}

static struct spread
figures_over(const struct figures_round *rounds, size_t count,
	     double (*value)(const struct figures_round *round))
{
	double values[FIGURES_ROUNDS_MAX] = {0};
	for (size_t i = 0; i < count; i++)
		values[i] = value(&rounds[i]);
	return figures_spread(values, count);
}

/* The task that took longest, in the round where it was shortest: more than chance. */
static void
figures_set_longest(struct figures *figures, const struct figures_round *rounds,
		    size_t count)
{
	const struct tally *least = &rounds[0].many.tally;
	for (size_t i = 1; i < count; i++)
		if (rounds[i].many.tally.longest_ns < least->longest_ns)
			least = &rounds[i].many.tally;
	figures->longest = (double)least->longest_ns / NS_PER_SECOND;
	figures->longest_seq = least->longest_seq;
}

void
figures_make(struct figures *figures, const struct figures_round *rounds,
	     size_t round_count, size_t worker_count)
{
	*figures = (struct figures){
	    .task_count = rounds[0].one.tally.task_count,
	    .failed_count = rounds[0].one.tally.failed_count,
	    .round_count = round_count,
	    .worker_count = worker_count,
	    .one = figures_over(rounds, round_count, round_wall_one),
	    .many = figures_over(rounds, round_count, round_wall_many),
	    .speed_up = figures_over(rounds, round_count, round_speed_up),
	    .task_one = figures_over(rounds, round_count, round_task_one).median,
	    .task_many = figures_over(rounds, round_count, round_task_many).median,
	    .cpu_share = figures_over(rounds, round_count, round_cpu_share).median,
	    .output_rate = figures_over(rounds, round_count, round_output_rate).median,
	    .overhead = figures_over(rounds, round_count, round_overhead).median,
	    .start = figures_over(rounds, round_count, round_start).median,
	};
	figures->efficiency = figures->speed_up.median / (double)worker_count;
	figures_set_longest(figures, rounds, round_count);
}

/* --- for people --- */

const char *
figures_duration(double seconds, char text[FIGURES_DURATION_BYTES])
{
	static const struct {
		double unit;
		const char *name;
	} units[] = {{1, "s"}, {1e-3, "ms"}, {1e-6, "us"}};
	size_t i = 0;
	while (i < 2 && seconds < 0.9995 * units[i].unit)
		i++;
	double value = seconds / units[i].unit;
	int digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
	snprintf(text, FIGURES_DURATION_BYTES, "%.*f %s", digits, value, units[i].name);
	return text;
}

static int
figures_append_wall(struct buf *text, size_t workers, const struct spread *wall)
{
	char title[32], median[FIGURES_DURATION_BYTES], least[FIGURES_DURATION_BYTES],
	    most[FIGURES_DURATION_BYTES];
	snprintf(title, sizeof(title), "%zu worker%s", workers, workers == 1 ? "" : "s");
	return buf_printf(
	    text, "%-12s%-9s (%s to %s)\n", title, figures_duration(wall->median, median),
	    figures_duration(wall->least, least), figures_duration(wall->most, most));
}

static int
figures_append_tasks(const struct figures *figures, struct buf *text)
{
	char one[FIGURES_DURATION_BYTES], many[FIGURES_DURATION_BYTES],
	    longest[FIGURES_DURATION_BYTES];
	return buf_printf(
	    text, "%-12s%s alone, %s beside others; the longest %s (task %" PRIu64 ")\n",
	    "a task", figures_duration(figures->task_one, one),
	    figures_duration(figures->task_many, many),
	    figures_duration(figures->longest, longest), figures->longest_seq + 1);
}

static int
figures_append_overhead(const struct figures *figures, struct buf *text)
{
	char between[FIGURES_DURATION_BYTES], start[FIGURES_DURATION_BYTES],
	    process[FIGURES_DURATION_BYTES];
	if (buf_printf(text, "%-12s%s between tasks, and %s once\n", "overhead",
		       figures_duration(figures->overhead, between),
		       figures_duration(figures->start, start)) == -1)
		return -1;
	return figures->process <= 0
		   ? 0
		   : buf_printf(text, "%-12s%s for one that does nothing, in each task\n",
				"a process", figures_duration(figures->process, process));
}

static int
figures_append_head(const struct figures *figures, struct buf *text)
{
	if (buf_printf(text, "%-12s%" PRIu64 ", in %zu round%s", "tasks",
		       figures->task_count, figures->round_count,
		       figures->round_count == 1 ? "" : "s") == -1 ||
	    (figures->failed_count > 0 &&
	     buf_printf(text, "; %" PRIu64 " failed", figures->failed_count) == -1) ||
	    buf_append_char(text, '\n') == -1)
		return -1;
	return 0;
}

int
figures_append_text(const struct figures *figures, struct buf *text)
{
	struct advice advice[FIGURES_ADVICE_MAX];
	size_t count = figures_advise(figures, advice);
	if (figures_append_head(figures, text) == -1 ||
	    figures_append_wall(text, 1, &figures->one) == -1 ||
	    figures_append_wall(text, figures->worker_count, &figures->many) == -1 ||
	    buf_printf(text, "%-12s%-9.2f (%.2f to %.2f)\n", "speed-up",
		       figures->speed_up.median, figures->speed_up.least,
		       figures->speed_up.most) == -1 ||
	    buf_printf(text, "%-12s%.0f %%\n", "efficiency", figures->efficiency * 100) ==
		-1 ||
	    figures_append_tasks(figures, text) == -1 ||
	    figures_append_overhead(figures, text) == -1)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (buf_printf(text, "%s- %s\n", i == 0 ? "\n" : "", advice[i].text) == -1)
			return -1;
	return 0;
}

/* --- for programs --- */

static int
figures_append_spread(struct buf *text, const char *name, const struct spread *spread)
{
	return buf_printf(text, "\"%s\":{\"median\":%.6f,\"least\":%.6f,\"most\":%.6f},",
			  name, spread->median, spread->least, spread->most);
}

int
figures_append_json(const struct figures *figures, struct buf *text)
{
	struct advice advice[FIGURES_ADVICE_MAX];
	size_t count = figures_advise(figures, advice);
	if (buf_printf(text,
		       "{\"tasks\":%" PRIu64 ",\"failed\":%" PRIu64
		       ",\"rounds\":%zu,\"workers\":%zu,",
		       figures->task_count, figures->failed_count, figures->round_count,
		       figures->worker_count) == -1 ||
	    figures_append_spread(text, "one_worker", &figures->one) == -1 ||
	    figures_append_spread(text, "all_workers", &figures->many) == -1 ||
	    figures_append_spread(text, "speed_up", &figures->speed_up) == -1 ||
	    buf_printf(text,
		       "\"efficiency\":%.4f,\"task_alone\":%.6f,\"task_beside\":%.6f,"
		       "\"longest\":%.6f,\"longest_seq\":%" PRIu64 ",\"cpu_share\":%.4f,"
		       "\"output_rate\":%.0f,\"overhead\":%.6f,\"start\":%.6f,"
		       "\"process\":%.6f,\"advice\":[",
		       figures->efficiency, figures->task_one, figures->task_many,
		       figures->longest, figures->longest_seq, figures->cpu_share,
		       figures->output_rate, figures->overhead, figures->start,
		       figures->process) == -1)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (buf_printf(text, "%s{\"id\":\"%s\",\"text\":\"%s\"}",
			       i > 0 ? "," : "", advice[i].id, advice[i].text) == -1)
			return -1;
	return buf_append_str(text, "]}\n");
}

/*
 * report_text.c: the summary for a terminal: what became of the run, what failed and how to run
 * it again, what took longest, how durations are spread, how busy the workers were.
 *
 * Fits the width of the screen. Without colours no escape sequence is written, and without
 * blocks nothing but ASCII; what tasks have said never drives the terminal (shown.h).
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/quote.h"
#include "report/durations.h"
#include "report/picture.h"
#include "report/quantity.h"
#include "report/report.h"
#include "report/report_words.h"
#include "report/shown.h"

#define LANES_MAX 24
#define LABEL_COLUMNS 5   /* in front of a lane */
#define PERCENT_COLUMNS 5 /* behind it */
#define RANGE_COLUMNS 10  /* in front of a bar */
#define COUNT_COLUMNS 12  /* behind it */
#define SLOW_COLUMNS 28   /* in front of what a slow task was */
#define STAGE_COLUMNS 8   /* around the name of its stage, which has its own */
#define STAGE_COLUMNS_MAX 20
#define TAIL_BYTES 2048
#define TAIL_LINES 3
#define KINDS_MAX 6

enum colour { PLAIN, BOLD, DIM, RED, GREEN, CYAN };

/* A task that is told of by itself. */
struct told {
	uint64_t seq;
	struct buf stage; /* shown; empty: there are none */
	struct buf word;  /* what pinion replay knows it by */
	int64_t wall_ns;
	char end[80];
	struct buf label; /* shown */
	struct buf tail;  /* shown */
};

struct kind {
	char end[80];
	uint64_t count;
};

struct text_writer {
	struct report_writer base;
	const struct runfile_overview *run;
	struct durations durations;
	struct usage usage;
	struct told *failed; /* the first ones */
	size_t failed_count;
	struct told *slowest; /* the slowest first */
	size_t slowest_count;
	struct kind kinds[KINDS_MAX]; /* of those that failed */
	size_t kind_count;
	uint64_t other_count; /* of kinds that found no room */
	struct buf line;      /* scratch */
	struct buf tail;      /* scratch */
	bool is_full;         /* no memory for what was appended */
};

/* --- what is appended --- */

static void
put(struct text_writer *self, const char *text)
{
	self->is_full |= buf_append_str(&self->base.out->text, text) == -1;
}

__attribute__((format(printf, 2, 3))) static void
putf(struct text_writer *self, const char *format, ...)
{
	char text[256];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	put(self, text);
}

static void
colour(struct text_writer *self, enum colour which)
{
	static const char *const codes[] = {
	    [PLAIN] = "\033[0m", [BOLD] = "\033[1m",   [DIM] = "\033[2m",
	    [RED] = "\033[31m",  [GREEN] = "\033[32m", [CYAN] = "\033[36m"};
	if (self->base.config->screen.has_colour)
		put(self, codes[which]);
}

static void
put_coloured(struct text_writer *self, enum colour which, const char *text)
{
	colour(self, which);
	put(self, text);
	colour(self, PLAIN);
}

static void
put_heading(struct text_writer *self, const char *text)
{
	put(self, "\n");
	put_coloured(self, BOLD, text);
	put(self, "\n");
}

static struct shown_style
style_of(const struct text_writer *self, size_t indent)
{
	const struct report_screen *screen = &self->base.config->screen;
	return (struct shown_style){
	    .is_ascii = !screen->has_blocks,
	    .max_columns = screen->columns > indent + 8 ? screen->columns - indent : 8};
}

static void
put_shown(struct text_writer *self, const char *bytes, size_t length, size_t indent)
{
	struct shown_style style = style_of(self, indent);
	self->is_full |= shown_append(&self->base.out->text, bytes, length, &style) == -1;
}

/* --- tasks --- */

static void
count_kind(struct text_writer *self, const char *end)
{
	for (size_t i = 0; i < self->kind_count; i++)
		if (strcmp(self->kinds[i].end, end) == 0) {
			self->kinds[i].count++;
			return;
		}
	if (self->kind_count == KINDS_MAX) {
		self->other_count++;
		return;
	}
	struct kind *kind = &self->kinds[self->kind_count++];
	snprintf(kind->end, sizeof(kind->end), "%s", end);
	kind->count = 1;
}

/* In a form that leaves room for the rest of the line on the narrowest of screens. */
static int
tell_which(const struct text_writer *self, struct told *told,
	   const struct runfile_ended *task)
{
	struct shown_style style = style_of(self, SLOW_COLUMNS + STAGE_COLUMNS);
	style.is_ascii = true; /* columns are bytes */
	if (style.max_columns > STAGE_COLUMNS_MAX)
		style.max_columns = STAGE_COLUMNS_MAX;
	told->seq = task->seq;
	buf_clear(&told->stage);
	buf_clear(&told->word);
	if (task->stage != NULL &&
	    (shown_append(&told->stage, task->stage, strlen(task->stage), &style) == -1 ||
	     buf_str(&told->stage) == NULL))
		return -1;
	return report_append_task(&told->word, task);
}

/* What it was, and with a tail what it said last. */
static int
tell(struct text_writer *self, struct told *told, const struct runfile_ended *task,
     bool with_tail, struct err *err)
{
	const struct report_config *config = self->base.config;
	if (tell_which(self, told, task) == -1)
		return err_no_memory(err);
	size_t stage_columns =
	    told->stage.length > 0 ? STAGE_COLUMNS + told->stage.length : 0;
	struct shown_style style =
	    style_of(self, with_tail ? 4 : SLOW_COLUMNS + stage_columns);
	told->wall_ns = task->result.wall_ns;
	result_describe(&task->result, told->end, sizeof(told->end));
	buf_clear(&told->label);
	buf_clear(&told->tail);
	if (report_label(config, &self->line, err) == -1)
		return -1;
	if (shown_append(&told->label, self->line.bytes, self->line.length, &style) == -1)
		return err_no_memory(err);
	if (!with_tail)
		return 0;
	style = style_of(self, 6);
	if (runfile_tasks_tail(config->tasks, RESULT_STDERR, TAIL_BYTES, &self->tail,
			       err) == -1)
		return -1;
	bool is_cut = self->tail.length < task->result.stderr_bytes;
	return shown_append_tail(&told->tail, self->tail.bytes, self->tail.length, is_cut,
				 TAIL_LINES, &style) == -1
		   ? err_no_memory(err)
		   : 0;
}

static int
take_failure(struct text_writer *self, const struct runfile_ended *task, struct err *err)
{
	char end[80];
	count_kind(self, result_describe(&task->result, end, sizeof(end)));
	if (self->failed_count == self->base.config->shown_max)
		return 0;
	return tell(self, &self->failed[self->failed_count++], task, true, err);
}

/* Into its place among the slowest, if it has one. */
static int
take_slow(struct text_writer *self, const struct runfile_ended *task, struct err *err)
{
	size_t max = self->base.config->shown_max;
	size_t at = self->slowest_count;
	while (at > 0 && self->slowest[at - 1].wall_ns < task->result.wall_ns)
		at--;
	if (at == max)
		return 0;
	struct told spare =
	    self->slowest_count == max ? self->slowest[max - 1] : (struct told){0};
	if (self->slowest_count < max)
		self->slowest_count++;
	memmove(&self->slowest[at + 1], &self->slowest[at],
		(self->slowest_count - 1 - at) * sizeof(*self->slowest));
	self->slowest[at] = spare; /* its memory is used again */
	return tell(self, &self->slowest[at], task, false, err);
}

static int
text_task(struct report_writer *writer, const struct runfile_ended *task, struct err *err)
{
	struct text_writer *self = (struct text_writer *)writer;
	bool is_failure = report_is_failure(task);
	if (is_failure && take_failure(self, task, err) == -1)
		return -1;
	if (!task->has_run)
		return 0;
	durations_add(&self->durations, task->result.wall_ns, is_failure);
	usage_add(&self->usage, task->lane, report_task_span(task),
		  task->result.maxrss_bytes);
	return take_slow(self, task, err);
}

/* --- the parts of the summary --- */

static void
put_head(struct text_writer *self)
{
	const struct runfile_overview *run = self->run;
	struct buf *text = &self->base.out->text;
	struct buf line = {0};
	uint64_t bad_count = run->task_count - run->done_count;
	bool is_well = bad_count == 0 && run->outcome != NULL && run->exit_status == 0;
	self->is_full |= report_append_program(&line, run) == -1;
	colour(self, BOLD);
	put_shown(self, line.bytes, line.length, 0);
	colour(self, PLAIN);
	put(self, "\n");
	colour(self, is_well ? GREEN : RED);
	self->is_full |= report_append_outcome(text, run) == -1;
	colour(self, PLAIN);
	if (run->outcome != NULL)
		putf(self, " (exit status %d)", run->exit_status);
	put(self, "\n\n");
	buf_fini(&line);
}

static void
put_name(struct text_writer *self, const char *name)
{
	colour(self, DIM);
	putf(self, "  %-10s", name);
	colour(self, PLAIN);
}

static void
put_counts(struct text_writer *self)
{
	const struct runfile_overview *run = self->run;
	uint64_t failed =
	    run->task_count - run->done_count - run->cancelled_count - run->skipped_count;
	const struct {
		uint64_t count;
		const char *word;
	} parts[] = {{run->done_count, "done"},
		     {failed, "failed"},
		     {run->cancelled_count, "cancelled"},
		     {run->skipped_count, "skipped"},
		     {run->passed_count, "done before"}};
	const char *between = "";
	char count[QUANTITY_BYTES];
	put_name(self, "tasks");
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		if (parts[i].count == 0)
			continue;
		putf(self, "%s%s %s", between, quantity_count(count, parts[i].count),
		     parts[i].word);
		between = ", ";
	}
	put(self, *between == '\0' ? "none\n" : "\n");
}

static void
put_times(struct text_writer *self)
{
	char one[QUANTITY_BYTES], two[QUANTITY_BYTES], three[QUANTITY_BYTES];
	const struct durations *durations = &self->durations;
	put_name(self, "each took");
	putf(self, "median %s, 95 %% up to %s\n",
	     quantity_duration(one, durations_percentile(durations, 50)),
	     quantity_duration(two, durations_percentile(durations, 95)));
	put_name(self, "");
	putf(self, "shortest %s, longest %s\n",
	     quantity_duration(one, self->run->shortest_ns),
	     quantity_duration(three, self->run->longest_ns));
}

static void
put_speed(struct text_writer *self)
{
	const struct runfile_overview *run = self->run;
	struct usage_span span = report_span(run);
	double speed_up = (double)run->wall_ns / (double)(span.end_ns - span.start_ns);
	put_name(self, "workers");
	putf(self, "%d on %d processor%s, busy %.0f %% of the time\n", run->worker_count,
	     run->cpu_count, run->cpu_count == 1 ? "" : "s",
	     100 * speed_up / (run->worker_count > 0 ? run->worker_count : 1));
	put_name(self, "speed-up");
	putf(self, "%.2f times one task after the other\n", speed_up);
}

static void
put_costs(struct text_writer *self)
{
	char one[QUANTITY_BYTES], two[QUANTITY_BYTES];
	const struct runfile_overview *run = self->run;
	if (run->measured_count == 0)
		return;
	put_name(self, "cost");
	putf(self, "%s of processor time, largest task %s\n",
	     quantity_duration(one, run->cpu_ns), quantity_bytes(two, run->maxrss_bytes));
}

static void
put_facts(struct text_writer *self)
{
	char one[QUANTITY_BYTES], two[QUANTITY_BYTES];
	struct usage_span span = report_span(self->run);
	put_counts(self);
	put_name(self, "began");
	putf(self, "%s, took %s\n", quantity_moment(one, self->run->started_real_ns),
	     quantity_duration(two, span.end_ns - span.start_ns));
	if (self->run->ran_count == 0)
		return;
	put_speed(self);
	put_times(self);
	put_costs(self);
}

/* Each line of the tail with its indent. */
static void
put_tail(struct text_writer *self, const struct buf *tail)
{
	const char *at = tail->bytes, *end = at + tail->length;
	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		colour(self, DIM);
		put(self, "    | ");
		colour(self, PLAIN);
		self->is_full |= buf_append(&self->base.out->text, at,
					    (size_t)(newline + 1 - at)) == -1;
		at = newline + 1;
	}
}

/* In front of the number of the task. */
static void
put_stage(struct text_writer *self, const struct told *told)
{
	if (told->stage.length > 0)
		putf(self, "stage %s: ", told->stage.bytes);
}

static void
put_failed(struct text_writer *self)
{
	struct buf replay = {0};
	struct shown_style style = style_of(self, 0);
	style.max_columns = SIZE_MAX;
	for (size_t i = 0; i < self->failed_count; i++) {
		const struct told *told = &self->failed[i];
		put(self, i == 0 ? "  " : "\n  ");
		put_stage(self, told);
		putf(self, "task %" PRIu64 ": ", told->seq + 1);
		put_coloured(self, RED, told->end);
		put(self, "\n    ");
		self->is_full |= buf_append(&self->base.out->text, told->label.bytes,
					    told->label.length) == -1;
		put(self, "\n");
		put_tail(self, &told->tail);
		buf_clear(&replay);
		colour(self, CYAN);
		put(self, "    ");
		self->is_full |=
		    report_append_replay(&replay, self->base.config) == -1 ||
		    buf_append_char(&replay, ' ') == -1 ||
		    buf_append(&replay, told->word.bytes, told->word.length) == -1 ||
		    shown_append(&self->base.out->text, replay.bytes, replay.length,
				 &style) == -1;
		colour(self, PLAIN);
		put(self, "\n");
	}
	buf_fini(&replay);
}

/* "  12 more failed; in all 20 times exit 1, 2 times timed out, 5 times otherwise" */
static void
put_kinds(struct text_writer *self)
{
	uint64_t total = self->other_count;
	char count[QUANTITY_BYTES];
	struct buf line = {0};
	for (size_t i = 0; i < self->kind_count; i++)
		total += self->kinds[i].count;
	if (total == self->failed_count)
		return;
	self->is_full |=
	    buf_printf(&line, "%s%s", quantity_count(count, total - self->failed_count),
		       self->failed_count > 0 ? " more failed; in all" : " failed:") == -1;
	for (size_t i = 0; i < self->kind_count; i++)
		self->is_full |= buf_printf(&line, "%s %s times %s", i == 0 ? "" : ",",
					    quantity_count(count, self->kinds[i].count),
					    self->kinds[i].end) == -1;
	if (self->other_count > 0)
		self->is_full |= buf_printf(&line, ", %s times otherwise",
					    quantity_count(count, self->other_count)) == -1;
	put(self, "\n  ");
	put_shown(self, line.bytes, line.length, 2);
	put(self, "\n");
	buf_fini(&line);
}

static void
put_slowest(struct text_writer *self)
{
	char time[QUANTITY_BYTES];
	put_heading(self, "Slowest");
	for (size_t i = 0; i < self->slowest_count; i++) {
		const struct told *told = &self->slowest[i];
		putf(self, "%13s  ", quantity_duration(time, told->wall_ns));
		put_stage(self, told);
		putf(self, "task %-7" PRIu64 " ", told->seq + 1);
		self->is_full |= buf_append(&self->base.out->text, told->label.bytes,
					    told->label.length) == -1;
		put(self, "\n");
	}
}

static void
put_durations(struct text_writer *self)
{
	const struct durations *durations = &self->durations;
	const struct report_screen *screen = &self->base.config->screen;
	char from[QUANTITY_BYTES], count[QUANTITY_BYTES];
	size_t width = screen->columns - RANGE_COLUMNS - COUNT_COLUMNS - 5;
	uint64_t most = 1;
	for (size_t i = 0; i < durations->range_count; i++)
		if (durations->counts[i] > most)
			most = durations->counts[i];
	put_heading(self, "How long tasks took");
	for (size_t i = 0; i < durations->range_count; i++) {
		double part = (double)durations->counts[i] / (double)most;
		putf(self, "  %*s  ", RANGE_COLUMNS,
		     quantity_round_duration(from, durations->bounds_ns[i]));
		colour(self, CYAN);
		self->is_full |= picture_bar(&self->base.out->text, part, width,
					     screen->has_blocks) == -1;
		colour(self, PLAIN);
		putf(self, "%*s\n", COUNT_COLUMNS,
		     quantity_count(count, durations->counts[i]));
	}
}

static void
put_lane(struct text_writer *self, size_t lane)
{
	const struct usage *usage = &self->usage;
	char label[32];
	uint32_t first, last;
	usage_slots(usage, lane, &first, &last);
	snprintf(label, sizeof(label),
		 first == last ? "%" PRIu32 : "%" PRIu32 "-%" PRIu32, first, last);
	putf(self, "%*s  ", LABEL_COLUMNS + 2, label);
	colour(self, GREEN);
	for (size_t bin = 0; bin < usage->bin_count; bin++)
		self->is_full |=
		    picture_level(&self->base.out->text, usage_busy(usage, lane, bin),
				  self->base.config->screen.has_blocks) == -1;
	colour(self, PLAIN);
	putf(self, "%*.0f%%\n", PERCENT_COLUMNS, 100 * usage_busy_all(usage, lane));
}

static void
put_usage(struct text_writer *self)
{
	struct usage_span span = report_span(self->run);
	char end[QUANTITY_BYTES];
	size_t width = self->usage.bin_count;
	put_heading(self, "How busy the workers were over time");
	for (size_t lane = 0; lane < self->usage.lane_count; lane++)
		put_lane(self, lane);
	quantity_duration(end, span.end_ns - span.start_ns);
	colour(self, DIM);
	putf(self, "%*s  0%*s\n", LABEL_COLUMNS + 2, "", (int)width - 1, end);
	colour(self, PLAIN);
}

static int
text_end(struct report_writer *writer, struct err *err)
{
	struct text_writer *self = (struct text_writer *)writer;
	put_head(self);
	put_facts(self);
	if (self->failed_count > 0) {
		put_heading(self, "Failed");
		put_failed(self);
	}
	put_kinds(self);
	if (self->run->ran_count > 0) {
		if (self->slowest_count > 0)
			put_slowest(self);
		put_durations(self);
		put_usage(self);
	}
	return self->is_full ? err_no_memory(err) : 0;
}

/* --- the writer --- */

static void
free_told(struct told *told, size_t count)
{
	for (size_t i = 0; told != NULL && i < count; i++) {
		buf_fini(&told[i].stage);
		buf_fini(&told[i].word);
		buf_fini(&told[i].label);
		buf_fini(&told[i].tail);
	}
	free(told);
}

static void
text_free(struct report_writer *writer)
{
	struct text_writer *self = (struct text_writer *)writer;
	free_told(self->failed, self->failed_count);
	free_told(self->slowest, self->slowest_count);
	usage_fini(&self->usage);
	buf_fini(&self->line);
	buf_fini(&self->tail);
	free(self);
}

struct report_writer *
report_text_new(const struct report_config *config, struct report_out *out, struct err *err)
{
	const struct runfile_overview *run = runfile_tasks_overview(config->tasks);
	size_t margins = LABEL_COLUMNS + PERCENT_COLUMNS + 6;
	struct text_writer *self = calloc(1, sizeof(*self));
	if (self == NULL) {
		err_no_memory(err);
		return NULL;
	}
	self->base = (struct report_writer){.out = out,
					    .config = config,
					    .task = text_task,
					    .end = text_end,
					    .free = text_free};
	self->run = run;
	self->failed = calloc(config->shown_max + 1, sizeof(*self->failed));
	self->slowest = calloc(config->shown_max + 1, sizeof(*self->slowest));
	durations_init(&self->durations, run->shortest_ns, run->longest_ns);
	if (usage_init(&self->usage, report_span(run), run->slot_count, LANES_MAX,
		       config->screen.columns - margins) == -1 ||
	    self->failed == NULL || self->slowest == NULL) {
		text_free(&self->base);
		err_no_memory(err);
		return NULL;
	}
	return &self->base;
}

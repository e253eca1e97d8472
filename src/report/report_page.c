/*
 * report_page.c: pinion report --html: one page with everything in it.
 *
 * The page is page.html; what is made here is the JSON between its two parts. Tasks are in
 * columns (column.h). A run of more than PAGE_TASKS_MAX tasks has only those in it that failed
 * and that took longest, and pictures of all are drawn from sums.
 *
 * What others have chosen (words, output) is shown.h's text in JSON strings without any '<'.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/quote.h"
#include "report/column.h"
#include "report/durations.h"
#include "report/page_file.h"
#include "report/quantity.h"
#include "report/report.h"
#include "report/report_words.h"
#include "report/shown.h"

#define PAGE_TASKS_MAX 200000
#define LABEL_BUDGET_BYTES (4 * 1024 * 1024)
#define LABEL_COLUMNS 300
#define DETAIL_BUDGET_BYTES (2 * 1024 * 1024) /* commands and last words of what failed */
#define DETAIL_BYTES 4000
#define DETAIL_LINES 30
#define LANES_MAX 256 /* page.js has the same */
#define BINS 800
#define TEXT_COLUMNS 1000 /* of what is told once */
#define STAGE_COLUMNS 100

enum number { SEQ, STAGE, START, WALL, CPU, MEMORY, SLOT, RETRIES, END, NUMBERS };
static const char *const number_names[NUMBERS] = {
    [SEQ] = "seq",   [STAGE] = "stage",     [START] = "start",
    [WALL] = "wall", [CPU] = "cpu",         [MEMORY] = "memory",
    [SLOT] = "slot", [RETRIES] = "retries", [END] = "end"};

struct page_writer {
	struct report_writer base;
	const struct runfile_overview *run;
	struct usage_span span;
	bool is_whole;         /* all tasks are in it */
	int64_t wall_above_ns; /* else those that took longer, */
	uint64_t equal_left;   /* so many that took as long, */
	uint64_t failed_left;  /* and so many that failed */

	struct column numbers[NUMBERS];
	int64_t last_seq;
	int64_t last_start_us;
	struct text_column labels;
	struct buf details; /* of what failed: pairs of command and last words */
	struct text_column detail_budget;
	struct buf stages; /* the names of those that have tasks here, as JSON strings */
	struct buf stage;  /* the last of those names */
	uint64_t stage_count;
	struct buf ends; /* how tasks ended, each once, as JSON strings, from the first failure */
	struct buf end_words;
	uint64_t end_count;
	uint64_t failed_count;

	struct durations durations;
	struct usage usage; /* where not all tasks are in it */
	struct buf line;    /* scratch */
	struct buf shown;   /* scratch */
};

/* --- tasks --- */

/* The number of this end: 0 is done; they are told in the order in which they come up. */
static int
find_end(struct page_writer *self, const struct result *result, uint64_t *index)
{
	char words[96];
	*index = 0;
	if (result_is_success(result))
		return 0;
	result_describe(result, words, sizeof(words));
	const char *at = self->end_words.bytes;
	for (uint64_t i = 0; i < self->end_count; i++, at += strlen(at) + 1)
		if (strcmp(at, words) == 0)
			return *index = i + 1, 0;
	*index = ++self->end_count;
	if (buf_append(&self->end_words, words, strlen(words) + 1) == -1 ||
	    buf_append_str(&self->ends, ",[") == -1 ||
	    column_append_string(&self->ends, words, strlen(words)) == -1)
		return -1;
	bool is_failure =
	    result->reason != RESULT_CANCELLED && result->reason != RESULT_SKIPPED;
	return buf_append_str(&self->ends, is_failure ? ",1]" : ",0]");
}

/* [command, last words], both as they are shown; they are long, so there is a budget. */
static int
add_detail(struct page_writer *self, const struct runfile_ended *task, struct err *err)
{
	struct runfile_tasks *tasks = self->base.config->tasks;
	size_t room = text_column_room(&self->detail_budget);
	struct shown_style style = {.max_columns = room / 2 > 3 ? room / 2 : 3};
	size_t start = self->details.length;
	if (report_command(self->base.config, &self->line, err) == -1)
		return -1;
	buf_clear(&self->shown);
	if (buf_append_str(&self->details, start == 0 ? "[" : ",[") == -1 ||
	    shown_append(&self->shown, self->line.bytes, self->line.length, &style) == -1 ||
	    column_append_string(&self->details, self->shown.bytes, self->shown.length) ==
		-1 ||
	    buf_append_char(&self->details, ',') == -1)
		return err_no_memory(err);
	if (runfile_tasks_tail(tasks, RESULT_STDERR, room, &self->line, err) == -1)
		return -1;
	bool is_cut = self->line.length < task->result.stderr_bytes;
	style.max_columns = DETAIL_BYTES;
	buf_clear(&self->shown);
	if (shown_append_tail(&self->shown, self->line.bytes, self->line.length, is_cut,
			      DETAIL_LINES, &style) == -1 ||
	    column_append_string(&self->details, self->shown.bytes, self->shown.length) ==
		-1 ||
	    buf_append_char(&self->details, ']') == -1)
		return err_no_memory(err);
	size_t spent = self->details.length - start;
	size_t *left = &self->detail_budget.budget_bytes;
	*left -= spent < *left ? spent : *left;
	self->detail_budget.left -= self->detail_budget.left > 0;
	return 0;
}

/* Tasks of a stage come one after the other: another name is that of a new one. */
static int
find_stage(struct page_writer *self, const struct runfile_ended *task)
{
	static const struct shown_style style = {.max_columns = STAGE_COLUMNS};
	if (task->stage == NULL ||
	    (self->stage_count > 0 && strcmp(self->stage.bytes, task->stage) == 0))
		return 0;
	self->stage_count++;
	buf_clear(&self->stage);
	buf_clear(&self->shown);
	if (buf_append(&self->stage, task->stage, strlen(task->stage) + 1) == -1 ||
	    shown_append(&self->shown, task->stage, strlen(task->stage), &style) == -1 ||
	    buf_append_str(&self->stages, self->stage_count == 1 ? "" : ",") == -1)
		return -1;
	return column_append_string(&self->stages, self->shown.bytes, self->shown.length);
}

static int
add_numbers(struct page_writer *self, const struct runfile_ended *task, uint64_t end)
{
	const struct result *result = &task->result;
	int64_t start_us = (result->started_real_ns - self->span.start_ns) / 1000;
	if (!task->has_run)
		start_us = self->last_start_us;
	int64_t values[NUMBERS] = {
	    [SEQ] = (int64_t)task->seq - self->last_seq,
	    [STAGE] = self->stage_count > 0 ? (int64_t)self->stage_count - 1 : 0,
	    [START] = start_us - self->last_start_us,
	    [WALL] = task->has_run ? result->wall_ns : -1,
	    [CPU] = task->is_measured ? (result->user_ns + result->sys_ns) / 1000 : -1,
	    [MEMORY] = task->is_measured ? result->maxrss_bytes / 1024 : -1,
	    [SLOT] = task->lane,
	    [RETRIES] = task->attempts > 1 ? task->attempts - 1 : 0,
	    [END] = (int64_t)end};
	for (int i = 0; i < NUMBERS; i++)
		if (column_add(&self->numbers[i], values[i]) == -1)
			return -1;
	self->last_seq = (int64_t)task->seq;
	self->last_start_us = start_us;
	return 0;
}

/* Whether it has a place in the page. */
static bool
take(struct page_writer *self, const struct runfile_ended *task)
{
	int64_t wall_ns = task->has_run ? task->result.wall_ns : -1;
	if (self->is_whole || wall_ns > self->wall_above_ns)
		return true;
	if (report_is_failure(task) && self->failed_left > 0)
		return self->failed_left--, true;
	if (wall_ns == self->wall_above_ns && self->equal_left > 0)
		return self->equal_left--, true;
	return false;
}

static int
add_task(struct page_writer *self, const struct runfile_ended *task, struct err *err)
{
	uint64_t end;
	if (find_stage(self, task) == -1 || find_end(self, &task->result, &end) == -1 ||
	    add_numbers(self, task, end) == -1)
		return err_no_memory(err);
	if (report_label(self->base.config, &self->line, err) == -1)
		return -1;
	if (text_column_add(&self->labels, self->line.bytes, self->line.length) == -1)
		return err_no_memory(err);
	return report_is_failure(task) ? add_detail(self, task, err) : 0;
}

static int
page_task(struct report_writer *writer, const struct runfile_ended *task, struct err *err)
{
	struct page_writer *self = (struct page_writer *)writer;
	if (task->has_run) {
		durations_add(&self->durations, task->result.wall_ns,
			      report_is_failure(task));
		if (!self->is_whole)
			usage_add(&self->usage, task->lane, report_task_span(task),
				  task->result.maxrss_bytes);
	}
	return take(self, task) ? add_task(self, task, err) : 0;
}

/* --- the JSON --- */

static int
put_string(struct page_writer *self, const char *name, const char *bytes, size_t length)
{
	static const struct shown_style style = {.max_columns = TEXT_COLUMNS};
	struct buf *text = &self->base.out->text;
	buf_clear(&self->shown);
	if (shown_append(&self->shown, bytes, length, &style) == -1 ||
	    buf_printf(text, "\"%s\":", name) == -1 ||
	    column_append_string(text, self->shown.bytes, self->shown.length) == -1)
		return -1;
	return buf_append_str(text, ",\n");
}

static int
put_strings(struct page_writer *self)
{
	const struct runfile_overview *run = self->run;
	struct buf *line = &self->line;
	buf_clear(line);
	if (report_append_program(line, run) == -1 ||
	    put_string(self, "command", line->bytes, line->length) == -1)
		return -1;
	buf_clear(line);
	if (report_append_outcome(line, run) == -1 ||
	    put_string(self, "outcome", line->bytes, line->length) == -1)
		return -1;
	buf_clear(line);
	if (report_append_replay(line, self->base.config) == -1 ||
	    put_string(self, "replay", line->bytes, line->length) == -1 ||
	    put_string(self, "file", self->base.config->path,
		       strlen(self->base.config->path)) == -1 ||
	    put_string(self, "host", run->host, strlen(run->host)) == -1 ||
	    put_string(self, "cwd", run->cwd, strlen(run->cwd)) == -1)
		return -1;
	return put_string(self, "version", run->version, strlen(run->version));
}

static int
put_counts(struct page_writer *self)
{
	const struct runfile_overview *run = self->run;
	const struct {
		const char *name;
		int64_t value;
	} counts[] = {
	    {"run", run->id},
	    {"started_ms", self->span.start_ns / 1000000},
	    {"length_us", (self->span.end_ns - self->span.start_ns) / 1000},
	    {"exit", run->outcome == NULL ? -1 : run->exit_status},
	    {"is_live", run->is_live},
	    {"workers", run->worker_count},
	    {"cpus", run->cpu_count},
	    {"slots", run->slot_count},
	    {"tasks", (int64_t)run->task_count},
	    {"done", (int64_t)run->done_count},
	    {"cancelled", (int64_t)run->cancelled_count},
	    {"skipped", (int64_t)run->skipped_count},
	    {"passed", (int64_t)run->passed_count},
	    {"ran", (int64_t)run->ran_count},
	    {"wall_us", run->wall_ns / 1000},
	    {"cpu_us", run->measured_count > 0 ? run->cpu_ns / 1000 : -1},
	    {"memory_kib", run->measured_count > 0 ? run->maxrss_bytes / 1024 : -1},
	    {"longest_ns", run->longest_ns},
	    {"median_ns", durations_percentile(&self->durations, 50)},
	    {"p95_ns", durations_percentile(&self->durations, 95)},
	};
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		if (buf_printf(&self->base.out->text, "\"%s\":%" PRId64 ",\n",
			       counts[i].name, counts[i].value) == -1)
			return -1;
	return 0;
}

/* [from, count, failed] for each range; the last has only its from, the end of it. */
static int
put_durations(struct page_writer *self)
{
	const struct durations *durations = &self->durations;
	struct buf *text = &self->base.out->text;
	if (buf_append_str(text, "\"durations\":[") == -1)
		return -1;
	for (size_t i = 0; i < durations->range_count; i++)
		if (buf_printf(text, "[%" PRId64 ",%" PRIu64 ",%" PRIu64 "],",
			       durations->bounds_ns[i], durations->counts[i],
			       durations->failed_counts[i]) == -1)
			return -1;
	return buf_printf(text, "[%" PRId64 "]],\n",
			  durations->bounds_ns[durations->range_count]);
}

static int
put_lane(struct page_writer *self, size_t lane)
{
	static const char digits[] = COLUMN_LETTERS;
	struct buf *text = &self->base.out->text;
	uint32_t first, last;
	usage_slots(&self->usage, lane, &first, &last);
	if (buf_printf(text, "%s[%" PRIu32 ",%" PRIu32 ",\"", lane == 0 ? "" : ",\n",
		       first, last) == -1)
		return -1;
	for (size_t bin = 0; bin < self->usage.bin_count; bin++) {
		double busy = usage_busy(&self->usage, lane, bin);
		if (buf_append_char(text, digits[(size_t)(busy * 63 + 0.5)]) == -1)
			return -1;
	}
	return buf_append_str(text, "\"]");
}

/* What pictures are drawn from where not all tasks are here: 0 to 63 in letters, and KiB. */
static int
put_usage(struct page_writer *self)
{
	struct buf *text = &self->base.out->text;
	if (self->is_whole)
		return 0;
	if (buf_append_str(text, "\"lanes\":[") == -1)
		return -1;
	for (size_t lane = 0; lane < self->usage.lane_count; lane++)
		if (put_lane(self, lane) == -1)
			return -1;
	if (buf_append_str(text, "],\n\"lane_memory\":[") == -1)
		return -1;
	for (size_t bin = 0; bin < self->usage.bin_count; bin++)
		if (buf_printf(text, "%s%.0f", bin == 0 ? "" : ",",
			       usage_bytes(&self->usage, bin) / 1024) == -1)
			return -1;
	return buf_append_str(text, "],\n");
}

static int
put_columns(struct page_writer *self)
{
	struct buf *text = &self->base.out->text;
	for (int i = 0; i < NUMBERS; i++) {
		if (i == STAGE && self->stage_count == 0)
			continue;
		if (buf_printf(text, "\"%s\":", number_names[i]) == -1 ||
		    column_append(&self->numbers[i], text) == -1 ||
		    buf_append_str(text, ",\n") == -1)
			return -1;
	}
	if (buf_append_str(text, "\"stages\":[") == -1 ||
	    buf_append(text, self->stages.bytes, self->stages.length) == -1 ||
	    buf_append_str(text, "],\n\"ends\":[[\"done\",0]") == -1 ||
	    buf_append(text, self->ends.bytes, self->ends.length) == -1 ||
	    buf_append_str(text, "],\n\"details\":[") == -1 ||
	    buf_append(text, self->details.bytes, self->details.length) == -1 ||
	    buf_append_str(text, "],\n\"labels\":") == -1)
		return -1;
	return column_append_string(text, self->labels.text.bytes,
				    self->labels.text.length);
}

static int
page_end(struct report_writer *writer, struct err *err)
{
	struct page_writer *self = (struct page_writer *)writer;
	struct buf *text = &writer->out->text;
	if (buf_append(text, page_file_head, page_file_head_bytes) == -1 ||
	    buf_append_str(text, "{\n") == -1 || put_strings(self) == -1 ||
	    put_counts(self) == -1 || put_durations(self) == -1 || put_usage(self) == -1 ||
	    put_columns(self) == -1 || buf_append_str(text, "\n}") == -1 ||
	    buf_append(text, page_file_tail, page_file_tail_bytes) == -1)
		return err_no_memory(err);
	return 0;
}

/* --- the writer --- */

static void
page_free(struct report_writer *writer)
{
	struct page_writer *self = (struct page_writer *)writer;
	for (int i = 0; i < NUMBERS; i++)
		column_fini(&self->numbers[i]);
	text_column_fini(&self->labels);
	text_column_fini(&self->detail_budget);
	usage_fini(&self->usage);
	buf_fini(&self->details);
	buf_fini(&self->stages);
	buf_fini(&self->stage);
	buf_fini(&self->ends);
	buf_fini(&self->end_words);
	buf_fini(&self->line);
	buf_fini(&self->shown);
	free(self);
}

/* Which tasks it will have. */
static int
page_choose(struct page_writer *self, struct err *err)
{
	const struct runfile_overview *run = self->run;
	uint64_t failed =
	    run->task_count - run->done_count - run->cancelled_count - run->skipped_count;
	uint64_t longer_count;
	self->is_whole = run->task_count <= PAGE_TASKS_MAX;
	self->failed_left = PAGE_TASKS_MAX / 2;
	self->labels = (struct text_column){
	    .budget_bytes = LABEL_BUDGET_BYTES,
	    .left = self->is_whole ? run->task_count : PAGE_TASKS_MAX,
	    .most_columns = LABEL_COLUMNS,
	};
	self->detail_budget = (struct text_column){
	    .budget_bytes = DETAIL_BUDGET_BYTES,
	    .left =
		self->is_whole || failed < self->failed_left ? failed : self->failed_left,
	    .most_columns = DETAIL_BYTES,
	};
	if (self->is_whole)
		return 0;
	if (usage_init(&self->usage, self->span, run->slot_count, LANES_MAX, BINS) == -1)
		return err_no_memory(err);
	if (runfile_tasks_nth_longest(self->base.config->tasks, PAGE_TASKS_MAX / 2,
				      &self->wall_above_ns, &longer_count, err) == -1)
		return -1;
	self->equal_left = PAGE_TASKS_MAX / 2 - longer_count;
	return 0;
}

struct report_writer *
report_page_new(const struct report_config *config, struct report_out *out, struct err *err)
{
	const struct runfile_overview *run = runfile_tasks_overview(config->tasks);
	struct page_writer *self = calloc(1, sizeof(*self));
	if (self == NULL) {
		err_no_memory(err);
		return NULL;
	}
	self->base = (struct report_writer){.out = out,
					    .config = config,
					    .task = page_task,
					    .end = page_end,
					    .free = page_free};
	self->run = run;
	self->span = report_span(run);
	durations_init(&self->durations, run->shortest_ns, run->longest_ns);
	if (page_choose(self, err) == -1) {
		page_free(&self->base);
		return NULL;
	}
	return &self->base;
}

/* progress.c: see progress.h. */
#include "sink/progress.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sink/eta.h"
#include "sink/lanes.h"

#define PROGRESS_STOPPED_NS (5 * NS_PER_S) /* no look for so long: it was stopped */
#define PROGRESS_WHAT_BYTES 1024           /* kept of what a task is */
#define PROGRESS_TITLE_CELLS 20

struct progress {
	struct sink sink;
	struct progress_config config;
	struct progress_counts counts;
	struct eta eta;
	int64_t task_ns; /* of all attempts together */
	struct cells cells;
	struct lanes lanes;
	int64_t started_at_ns;
	int64_t looked_at_ns;
	int64_t worker_ns; /* of all workers together, by then */
};

static struct progress *
progress_of(struct sink *sink)
{
	return (struct progress *)sink; /* its first member */
}

/* --- what it hears --- */

static int
progress_retried(struct sink *sink, const struct task *task, const struct result *result,
		 struct err *err)
{
	(void)task;
	(void)err;
	progress_of(sink)->task_ns += result->wall_ns;
	return 0;
}

static int
progress_settled(struct sink *sink, const struct task *task, const struct result *result,
		 struct err *err)
{
	struct progress *progress = progress_of(sink);
	(void)task;
	(void)err;
	if (result->reason == RESULT_SKIPPED) {
		progress->counts.skipped++;
		return 0;
	}
	progress->task_ns += result->wall_ns;
	if (result->reason == RESULT_CANCELLED) {
		progress->counts.cancelled++;
		return 0;
	}
	*(result_is_success(result) ? &progress->counts.done : &progress->counts.failed) +=
	    1;
	eta_add(&progress->eta, 1, result->wall_ns);
	return 0;
}

/* Answers of one worker in a row: from the first one's beginning to the last one's end. */
static int
progress_answered(struct sink *sink, const struct task *chunk,
		  const struct answers *answers, struct err *err)
{
	struct progress *progress = progress_of(sink);
	const struct answer *first = &answers->items[0];
	const struct answer *last = &answers->items[answers->count - 1];
	int64_t ns = last->started_at_ns + last->wall_ns - first->started_at_ns;
	(void)chunk;
	(void)err;
	progress->counts.done += answers->count;
	progress->task_ns += ns;
	eta_add(&progress->eta, answers->count, ns);
	return 0;
}

static int
progress_passed(struct sink *sink, const struct task *chunk, struct err *err)
{
	(void)err;
	if (!chunk->is_unknown)
		progress_of(sink)->counts.passed += chunk->count;
	return 0;
}

/* --- what it sees --- */

void
progress_look(struct sink *sink, int64_t now_ns)
{
	struct progress *progress = progress_of(sink);
	size_t worker_count = progress->config.worker_count(progress->config.context);
	bool wants_cpu = progress->config.style == SPEC_PROGRESS_LANES;
	int64_t passed_ns = now_ns - progress->looked_at_ns;
	if (passed_ns > PROGRESS_STOPPED_NS)
		progress->eta.at_ns += passed_ns;
	progress->worker_ns += (int64_t)worker_count * passed_ns;
	progress->looked_at_ns = now_ns;
	eta_look(&progress->eta, now_ns, now_ns - progress->started_at_ns,
		 progress->counts.done + progress->counts.failed);
	lanes_look(&progress->lanes, now_ns, wants_cpu ? worker_count : 0);
}

static void
progress_describe(struct progress *progress, struct lane *lane)
{
	if (lane->has_what || lane->seq == BOARD_NO_TASK)
		return;
	buf_clear(&lane->what);
	progress->config.describe(progress->config.context, lane->seq,
				  (uint32_t)(lane - progress->lanes.items) + 1,
				  &lane->what);
	if (lane->what.length > PROGRESS_WHAT_BYTES)
		lane->what.length = PROGRESS_WHAT_BYTES;
	lane->has_what = true;
}

static void
progress_fill(struct progress *progress, struct progress_view *view)
{
	struct lane *newest = lanes_newest(&progress->lanes);
	bool is_all;
	uint64_t count = progress->config.count(progress->config.context, &is_all);
	uint64_t ended = progress_ended(&progress->counts);
	*view = (struct progress_view){
	    .counts = progress->counts,
	    .total = count + progress->counts.passed,
	    .is_total_known = is_all,
	    .running = lanes_busy(&progress->lanes),
	    .rate = eta_rate(&progress->eta),
	    .mean_ns = eta_mean_ns(&progress->eta),
	};
	if (view->total < ended)
		view->total = ended;
	view->left_ns = eta_left_ns(&progress->eta, view->total - ended, &view->spread_ns);
	if (progress->config.style == SPEC_PROGRESS_BAR && newest != NULL) {
		progress_describe(progress, newest);
		view->newest = newest->what.bytes;
		view->newest_length = newest->what.length;
	}
}

/* --- what it tells --- */

/* A lane for each worker, as far as there is room. */
static int
progress_append_lanes(struct progress *progress, const struct progress_page *page,
		      size_t rows, struct buf *text)
{
	size_t count = progress->config.worker_count(progress->config.context);
	/* The last row says what is left out. */
	size_t shown = count <= rows ? count : rows > 0 ? rows - 1 : 0;
	for (size_t i = 0; i < shown && i < progress->lanes.count; i++) {
		struct lane *from = &progress->lanes.items[i];
		bool is_busy = from->seq != BOARD_NO_TASK;
		progress_describe(progress, from);
		struct progress_lane lane = {
		    .slot = i + 1,
		    .is_busy = is_busy,
		    .for_ns = progress->looked_at_ns - from->since_ns,
		    .cpu_percent = is_busy ? from->cpu_percent : -1,
		    .what = from->what.bytes,
		    .what_length = is_busy ? from->what.length : 0,
		};
		if (buf_append_char(text, '\n') == -1 ||
		    progress_text_lane(text, &lane, page->columns, &progress->cells) == -1)
			return -1;
	}
	return shown == count || rows == 0
		   ? 0
		   : buf_printf(text, "\n%4s %zu more", "and", count - shown);
}

/* In front of a line, if there is room for both. */
static int
progress_append_title(struct progress *progress, struct buf *text, size_t *columns)
{
	const char *title = progress->config.title;
	size_t used;
	if (title == NULL || *columns < 2 * PROGRESS_TITLE_CELLS)
		return 0;
	if (cells_append(&progress->cells, text, title, strlen(title),
			 PROGRESS_TITLE_CELLS - 2, &used) == -1)
		return -1;
	*columns -= used + 2;
	return buf_append_str(text, ": ");
}

static int
progress_append_line(struct progress *progress, const struct progress_view *view,
		     const struct progress_page *page, struct buf *text)
{
	size_t columns = page->columns;
	if (progress_append_title(progress, text, &columns) == -1)
		return -1;
	switch (progress->config.style) {
	case SPEC_PROGRESS_BAR:
		return progress_text_bar(text, view, columns, page->is_coloured,
					 &progress->cells);
	case SPEC_PROGRESS_ETA:
		return progress_text_eta(text, view, columns);
	case SPEC_PROGRESS_AUTO:
	case SPEC_PROGRESS_NONE:
	case SPEC_PROGRESS_LANES:
		break;
	}
	return progress_text_line(text, view, columns, page->is_coloured);
}

int
progress_append(struct sink *sink, const struct progress_page *page, struct buf *text)
{
	struct progress *progress = progress_of(sink);
	struct progress_view view;
	progress_fill(progress, &view);
	view.load = page->load;
	if (page->columns == 0)
		return progress_text_plain(text, &view);
	if (progress_append_line(progress, &view, page, text) == -1)
		return -1;
	return progress->config.style == SPEC_PROGRESS_LANES && page->rows > 1
		   ? progress_append_lanes(progress, page, page->rows - 1, text)
		   : 0;
}

/* --- its life --- */

static void
progress_free(struct sink *sink)
{
	struct progress *progress = progress_of(sink);
	lanes_fini(&progress->lanes);
	cells_fini(&progress->cells);
	free(progress);
}

static const struct sink_ops progress_ops = {
    .retried = progress_retried,
    .settled = progress_settled,
    .answered = progress_answered,
    .passed = progress_passed,
    .free = progress_free,
};

struct sink *
progress_new(const struct progress_config *config, struct err *err)
{
	struct progress *progress = calloc(1, sizeof(*progress));
	if (progress == NULL) {
		err_no_memory(err);
		return NULL;
	}
	progress->sink.ops = &progress_ops;
	progress->config = *config;
	return &progress->sink;
}

int
progress_start(struct sink *sink, const struct board *board, int64_t now_ns)
{
	struct progress *progress = progress_of(sink);
	progress->started_at_ns = progress->looked_at_ns = now_ns;
	eta_start(&progress->eta, now_ns);
	return lanes_init(&progress->lanes, board, now_ns);
}

void
progress_end(struct sink *sink, int64_t now_ns, struct progress_end *end)
{
	struct progress *progress = progress_of(sink);
	progress_look(sink, now_ns);
	*end = (struct progress_end){
	    .counts = progress->counts,
	    .run_ns = now_ns - progress->started_at_ns,
	    .task_ns = progress->task_ns,
	    .worker_ns = progress->worker_ns,
	};
}

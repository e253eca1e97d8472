/* progress_text.c: see progress_text.h. */
#include "sink/progress_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define TEXT_BAR_MIN 10 /* cells of a bar with its brackets; a smaller one says nothing */
#define TEXT_BAR_MAX 32
#define TEXT_RED "\x1b[31m"
#define TEXT_GREEN "\x1b[32m"
#define TEXT_REVERSE "\x1b[7m"
#define TEXT_PLAIN "\x1b[0m"

uint64_t
progress_ended(const struct progress_counts *counts)
{
	return counts->done + counts->failed + counts->cancelled + counts->skipped +
	       counts->passed;
}

/* --- numbers --- */

static const char *
print_seconds(char text[PROGRESS_DURATION_BYTES], int64_t s)
{
	if (s < 60)
		snprintf(text, PROGRESS_DURATION_BYTES, "%ds", (int)s);
	else if (s < 3600)
		snprintf(text, PROGRESS_DURATION_BYTES, "%dm%02ds", (int)(s / 60),
			 (int)(s % 60));
	else if (s < 86400)
		snprintf(text, PROGRESS_DURATION_BYTES, "%dh%02dm", (int)(s / 3600),
			 (int)(s % 3600 / 60));
	else
		snprintf(text, PROGRESS_DURATION_BYTES, "%" PRId64 "d%02dh", s / 86400,
			 (int)(s % 86400 / 3600));
	return text;
}

const char *
progress_duration(char text[PROGRESS_DURATION_BYTES], int64_t ns)
{
	int64_t tenths = ns > 0 ? ns / (NS_PER_S / 10) : 0;
	if (tenths >= 100)
		return print_seconds(text, tenths / 10);
	snprintf(text, PROGRESS_DURATION_BYTES, "%d.%ds", (int)tenths / 10,
		 (int)tenths % 10);
	return text;
}

/* Of what is but an estimate: in whole seconds. */
static const char *
print_estimate(char text[PROGRESS_DURATION_BYTES], int64_t ns)
{
	return ns < 0 ? "?" : print_seconds(text, (ns + NS_PER_S / 2) / NS_PER_S);
}

/* With three digits, where it has so many. */
static void
rate_print(char text[PROGRESS_RATE_BYTES], double value, const char *unit)
{
	int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
	snprintf(text, PROGRESS_RATE_BYTES, "%.*f%s", decimals, value, unit);
}

const char *
progress_rate(char text[PROGRESS_RATE_BYTES], double per_s)
{
	if (per_s >= 1e6)
		rate_print(text, per_s / 1e6, "M/s");
	else if (per_s >= 1e4)
		rate_print(text, per_s / 1e3, "k/s");
	else if (per_s >= 1)
		rate_print(text, per_s, "/s");
	else if (per_s >= 1.0 / 60)
		rate_print(text, per_s * 60, "/min");
	else
		rate_print(text, per_s * 3600, "/h");
	return text;
}

static int
percent_of(uint64_t part, uint64_t whole)
{
	return whole == 0 ? 100 : (int)((double)part / (double)whole * 100);
}

/* --- the line --- */

/* In the order they are shown. */
enum piece {
	PIECE_COUNT,
	PIECE_FAILED,
	PIECE_RUNNING,
	PIECE_RATE,
	PIECE_ETA,
	PIECE_SPREAD,
	PIECE_LOAD,
	PIECES
};

/* In the order they matter; the bar matters more than what comes after the rate. */
static const enum piece piece_ranks[PIECES] = {PIECE_COUNT,   PIECE_FAILED, PIECE_ETA,
					       PIECE_RUNNING, PIECE_RATE,   PIECE_SPREAD,
					       PIECE_LOAD};

struct line {
	char pieces[PIECES][64]; /* ASCII; "": not shown */
};

static void __attribute__((format(printf, 3, 4)))
line_set(struct line *line, enum piece piece, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	vsnprintf(line->pieces[piece], sizeof(line->pieces[piece]), format, ap);
	va_end(ap);
}

static void
line_set_eta(struct line *line, const struct progress_view *view)
{
	char text[PROGRESS_DURATION_BYTES];
	if (view->left_ns < 0 || !view->is_total_known)
		return;
	line_set(line, PIECE_ETA, "ETA %s", print_estimate(text, view->left_ns));
	if (view->spread_ns >= NS_PER_S / 2)
		line_set(line, PIECE_SPREAD, "+-%s", print_estimate(text, view->spread_ns));
}

static void
line_fill(struct line *line, const struct progress_view *view)
{
	char rate[PROGRESS_RATE_BYTES];
	*line = (struct line){0};
	line_set(line, PIECE_COUNT, "%" PRIu64 " of %" PRIu64 "%s",
		 progress_ended(&view->counts), view->total,
		 view->is_total_known ? "" : "+");
	if (view->counts.failed > 0)
		line_set(line, PIECE_FAILED, "%" PRIu64 " failed", view->counts.failed);
	line_set(line, PIECE_RUNNING, "%" PRIu64 " running", view->running);
	if (view->rate > 0)
		line_set(line, PIECE_RATE, "%s", progress_rate(rate, view->rate));
	line_set_eta(line, view);
	if (view->load >= 0)
		line_set(line, PIECE_LOAD, "load %.2f", view->load);
}

/* What stands in front of a piece. */
static const char *
line_gap(enum piece piece)
{
	return piece == PIECE_COUNT ? "" : piece == PIECE_SPREAD ? " " : "  ";
}

/* Leaves out what there is no room for; returns how many cells are left for a bar. */
static size_t
line_choose(struct line *line, size_t room, bool wants_bar)
{
	size_t bar = 0;
	bool is_full = false;
	for (size_t i = 0; i < PIECES; i++) {
		enum piece which = piece_ranks[i];
		char *piece = line->pieces[which];
		size_t width = strlen(piece) + strlen(line_gap(which));
		if (which == PIECE_SPREAD && wants_bar && room >= TEXT_BAR_MIN) {
			bar = TEXT_BAR_MIN;
			room -= bar;
		}
		is_full |= width > room;
		if (is_full)
			*piece = '\0';
		else if (*piece != '\0')
			room -= width;
	}
	return bar == 0 ? 0 : bar + room < TEXT_BAR_MAX ? bar + room : TEXT_BAR_MAX;
}

static int
line_append(struct buf *text, const struct line *line, bool is_coloured)
{
	for (enum piece i = 0; i < PIECES; i++) {
		bool is_red = is_coloured && i == PIECE_FAILED;
		if (line->pieces[i][0] != '\0' &&
		    buf_printf(text, "%s%s%s%s", line_gap(i), is_red ? TEXT_RED : "",
			       line->pieces[i], is_red ? TEXT_PLAIN : "") == -1)
			return -1;
	}
	return 0;
}

static int
append_repeated(struct buf *text, char c, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (buf_append_char(text, c) == -1)
			return -1;
	return 0;
}

/* "[====>     ] " in so many cells. */
static int
append_bar(struct buf *text, const struct progress_view *view, size_t cells,
	   bool is_coloured)
{
	size_t inside = cells - 3;
	uint64_t ended = progress_ended(&view->counts);
	size_t full = view->total == 0
			  ? inside
			  : (size_t)((double)ended / (double)view->total * (double)inside);
	bool has_tip = full < inside;
	if (buf_printf(text, "[%s", is_coloured ? TEXT_GREEN : "") == -1 ||
	    append_repeated(text, '=', full) == -1 ||
	    buf_append_str(text, has_tip ? ">" : "") == -1 ||
	    buf_append_str(text, is_coloured ? TEXT_PLAIN : "") == -1 ||
	    append_repeated(text, ' ', inside - full - has_tip) == -1)
		return -1;
	return buf_append_str(text, "] ");
}

int
progress_text_line(struct buf *text, const struct progress_view *view, size_t columns,
		   bool is_coloured)
{
	struct line line;
	line_fill(&line, view);
	size_t bar = line_choose(&line, columns - 1, view->is_total_known);
	if (bar > 0 && append_bar(text, view, bar, is_coloured) == -1)
		return -1;
	return line_append(text, &line, is_coloured);
}

int
progress_text_plain(struct buf *text, const struct progress_view *view)
{
	struct line line;
	line_fill(&line, view);
	for (enum piece i = 0; i < PIECES; i++) {
		const char *gap = i == PIECE_SPREAD || i == PIECE_COUNT ? "" : ",";
		const char *blank = i == PIECE_COUNT ? "" : " ";
		if (line.pieces[i][0] != '\0' &&
		    buf_printf(text, "%s%s%s", gap, blank, line.pieces[i]) == -1)
			return -1;
	}
	return 0;
}

/* --- as GNU parallel has them --- */

/* "37% 12:20=34s " and what was started last, in at most so many cells. */
static int
bar_append_words(struct buf *words, const struct progress_view *view, size_t most,
		 size_t *used, struct cells *cells)
{
	char left[PROGRESS_DURATION_BYTES];
	struct buf head = {0};
	uint64_t ended = progress_ended(&view->counts);
	size_t newest = 0;
	int status = buf_printf(&head, "%d%% %" PRIu64 ":%" PRIu64 "%s=%s ",
				percent_of(ended, view->total), ended,
				view->total - ended, view->is_total_known ? "" : "+",
				print_estimate(left, view->left_ns));
	if (status == 0)
		status = cells_append(cells, words, head.bytes, head.length, most, used);
	if (status == 0)
		status = cells_append(cells, words, view->newest, view->newest_length,
				      most - *used, &newest);
	*used += newest;
	buf_fini(&head);
	return status;
}

/* The words on a bar that is as wide as the screen. */
static int
bar_append_reversed(struct buf *text, const struct progress_view *view,
		    const struct buf *words, size_t used, size_t width, struct cells *cells)
{
	size_t percent = (size_t)percent_of(progress_ended(&view->counts), view->total);
	struct buf bar = {0};
	int status = buf_append(&bar, words->bytes, words->length);
	if (status == 0)
		status = append_repeated(&bar, ' ', width - used);
	if (status == 0) {
		size_t full =
		    cells_bytes(cells, bar.bytes, bar.length, width * percent / 100);
		status = buf_append_str(text, TEXT_REVERSE);
		if (status == 0)
			status = buf_append(text, bar.bytes, full);
		if (status == 0)
			status = buf_append_str(text, TEXT_PLAIN);
		if (status == 0)
			status = buf_append(text, bar.bytes + full, bar.length - full);
	}
	buf_fini(&bar);
	return status;
}

int
progress_text_bar(struct buf *text, const struct progress_view *view, size_t columns,
		  bool is_coloured, struct cells *cells)
{
	size_t width = columns - 1, used = 0;
	size_t bar = is_coloured || width < 3 * TEXT_BAR_MIN ? 0 : width / 3;
	struct buf words = {0};
	int status = bar_append_words(&words, view, width - bar, &used, cells);
	if (status == 0 && is_coloured)
		status = bar_append_reversed(text, view, &words, used, width, cells);
	if (status == 0 && bar > 0)
		status = append_bar(text, view, bar, false);
	if (status == 0 && !is_coloured)
		status = buf_append(text, words.bytes, words.length);
	buf_fini(&words);
	return status;
}

int
progress_text_eta(struct buf *text, const struct progress_view *view, size_t columns)
{
	char left[PROGRESS_DURATION_BYTES];
	char line[256];
	uint64_t ended = progress_ended(&view->counts);
	double mean_s = (double)view->mean_ns / 1e9;
	int length = snprintf(line, sizeof(line),
			      "ETA: %s Left: %" PRIu64 "%s AVG: %.2fs  local:%" PRIu64
			      "/%" PRIu64 "/%d%%/%.1fs ",
			      print_estimate(left, view->left_ns), view->total - ended,
			      view->is_total_known ? "" : "+", mean_s, view->running,
			      ended, percent_of(ended, view->total), mean_s);
	return buf_append(text, line,
			  (size_t)length < columns ? (size_t)length : columns - 1);
}

/* --- a worker --- */

int
progress_text_lane(struct buf *text, const struct progress_lane *lane, size_t columns,
		   struct cells *cells)
{
	char duration[PROGRESS_DURATION_BYTES], cpu[16] = "", head[64];
	size_t used;
	if (lane->cpu_percent >= 0)
		snprintf(cpu, sizeof(cpu), "%d%%", lane->cpu_percent);
	int length =
	    snprintf(head, sizeof(head), "%4zu %6s %5s  ", lane->slot,
		     lane->is_busy ? progress_duration(duration, lane->for_ns) : "-", cpu);
	if ((size_t)length >= columns)
		length = (int)columns - 1;
	if (buf_append(text, head, (size_t)length) == -1)
		return -1;
	return cells_append(cells, text, lane->what, lane->what_length,
			    columns - 1 - (size_t)length, &used);
}

/* --- the end --- */

static int
append_end_counts(struct buf *text, const struct progress_counts *counts)
{
	const struct {
		uint64_t count;
		const char *words;
	} parts[] = {{counts->failed, "failed"},
		     {counts->cancelled, "cancelled"},
		     {counts->skipped, "never started"},
		     {counts->passed, "done before"}};
	uint64_t total = progress_ended(counts);
	if (buf_printf(text, "%" PRIu64 " task%s, %" PRIu64 " %s", total,
		       total == 1 ? "" : "s", parts[0].count, parts[0].words) == -1)
		return -1;
	for (size_t i = 1; i < sizeof(parts) / sizeof(*parts); i++)
		if (parts[i].count > 0 && buf_printf(text, ", %" PRIu64 " %s",
						     parts[i].count, parts[i].words) == -1)
			return -1;
	return 0;
}

int
progress_text_end(struct buf *text, const struct progress_end *end)
{
	char duration[PROGRESS_DURATION_BYTES];
	if (append_end_counts(text, &end->counts) == -1 ||
	    buf_printf(text, ", in %s", progress_duration(duration, end->run_ns)) == -1)
		return -1;
	if (end->task_ns <= 0 || end->run_ns <= 0 || end->worker_ns <= 0)
		return 0;
	return buf_printf(text, "; speed-up %.2f, efficiency %.0f%%",
			  (double)end->task_ns / (double)end->run_ns,
			  (double)end->task_ns / (double)end->worker_ns * 100);
}

/*
 * cmd_status.c: `pinion status [RUN]`: the runs of this user that are under way.
 *
 * Asks them over their sockets. --watch asks again each second and paints over what it painted
 * before, on a terminal; elsewhere it adds lines.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/io.h"
#include "cmd.h"
#include "input/request.h"
#include "run/live.h"
#include "sink/status_text.h"

#define STATUS_WATCH_MS 1000

/* Of the detail, in front of the workers, and one for the cursor. */
#define STATUS_HEAD_ROWS 9

/* Where it goes. */
struct view {
	bool is_painted; /* a terminal that can be painted over */
	size_t width;
	size_t rows;
	size_t painted; /* rows, that the next picture is to cover */
};

/* The environment's sizes count for nothing: they may be of another terminal. */
static void
view_look(struct view *view)
{
	struct winsize size;
	const char *term = getenv("TERM");
	view->width = STATUS_TEXT_WIDTH;
	view->rows = SIZE_MAX;
	if (isatty(STDOUT_FILENO) == 0)
		return;
	view->is_painted = term != NULL && *term != '\0' && strcmp(term, "dumb") != 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 &&
	    size.ws_row > 0) {
		view->width = size.ws_col;
		view->rows = size.ws_row;
	}
}

/* Over the last picture, each line to its end, and what is left below it. */
static int
view_paint(struct view *view, const struct buf *text, struct buf *picture)
{
	size_t rows = 0;
	if (view->painted > 0 && buf_printf(picture, "\033[%zuA\r", view->painted) == -1)
		return -1;
	for (size_t at = 0; at < text->length && rows + 1 < view->rows; rows++) {
		const char *line = text->bytes + at;
		size_t length =
		    (size_t)((const char *)memchr(line, '\n', text->length - at) - line);
		if (buf_append(picture, line, length) == -1 ||
		    buf_append_str(picture, "\033[K\n") == -1)
			return -1;
		at += length + 1;
	}
	view->painted = rows;
	return buf_append_str(picture, "\033[J");
}

static int
show(struct view *view, bool is_watched, const struct buf *text, struct err *err)
{
	struct buf picture = {0};
	const struct buf *shown = text;
	int status = 0;
	if (is_watched && view->is_painted) {
		if (view_paint(view, text, &picture) == -1)
			status = err_no_memory(err);
		shown = &picture;
	}
	if (status == 0 && io_write_all(STDOUT_FILENO, shown->bytes, shown->length) == -1)
		status = err_errno(err, "cannot write to stdout");
	buf_fini(&picture);
	return status;
}

static int
append_names(const struct live *live, struct buf *text)
{
	for (size_t i = 0; i < live->count; i++)
		if (buf_printf(text, "%s\n", live->runs[i].name) == -1)
			return -1;
	return 0;
}

/* Those that have not ended since we found them. */
static struct status_item *
gather_items(const struct live *live, size_t *count)
{
	struct status_item *items = calloc(live->count + 1, sizeof(*items));
	*count = 0;
	for (size_t i = 0; items != NULL && i < live->count; i++) {
		const struct live_run *run = &live->runs[i];
		if (!run->has_replied && run->fd == -1 && run->pid != 0)
			continue;
		items[(*count)++] = (struct status_item){
		    .name = run->name,
		    .pid = (int)run->pid,
		    .reply = run->has_replied ? run->reply.bytes : NULL,
		};
	}
	return items;
}

static int
append_items(const struct request *request, const struct view *view, bool is_first,
	     const struct status_item *items, size_t count, struct buf *text)
{
	bool is_table =
	    request->words[0] == NULL || (request->is_watched && !view->is_painted);
	size_t rows = SIZE_MAX;
	if (request->wants_json) {
		for (size_t i = 0; i < count; i++)
			if (status_text_json(text, &items[i]) == -1)
				return -1;
		return 0;
	}
	if (is_table)
		return status_text_table(text, items, count, is_first || view->is_painted,
					 view->width);
	if (request->is_watched)
		rows =
		    view->rows > STATUS_HEAD_ROWS + 1 ? view->rows - STATUS_HEAD_ROWS : 1;
	return count == 0 ? 0 : status_text_detail(text, &items[0], view->width, rows);
}

/* One look. How many runs there are, or -1 and err. */
static ssize_t
look(const struct request *request, struct view *view, bool is_first, struct live *live,
     struct buf *text, struct err *err)
{
	bool wants_workers = request->words[0] != NULL;
	if (live_open(live, request->words[0], err) == -1)
		return -1;
	if (request->wants_names)
		return append_names(live, text) == -1 ? err_no_memory(err)
						      : (ssize_t)live->count;
	if (live_ask(live,
		     wants_workers ? "{\"do\":\"status\",\"workers\":true}\n"
				   : "{\"do\":\"status\"}\n",
		     err) == -1)
		return -1;
	size_t count;
	struct status_item *items = gather_items(live, &count);
	view_look(view);
	int failed =
	    items == NULL ? -1 : append_items(request, view, is_first, items, count, text);
	free(items);
	return failed == -1 ? err_no_memory(err) : (ssize_t)count;
}

/* At the first look it is worth a word that there is nothing to see. */
static int
say_none(const struct request *request, const struct diag *diag, struct err *err)
{
	if (request->words[0] != NULL)
		return err_set(err, ERR_REFUSED, "no run of yours is called %.60s now",
			       request->words[0]);
	if (!request->wants_names && !request->wants_json)
		diag_say(diag, "no run of yours is under way");
	return 0;
}

static int
answer(const struct request *request, const struct diag *diag, struct err *err)
{
	struct view view = {0};
	bool is_first = true;
	for (;;) {
		struct live live = {0};
		struct buf text = {0};
		ssize_t count = look(request, &view, is_first, &live, &text, err);
		int status = count == -1 ? -1 : 0;
		if (count > 0)
			status = show(&view, request->is_watched, &text, err);
		else if (count == 0 && is_first)
			status = say_none(request, diag, err);
		bool is_last = status == -1 || count == 0 || !request->is_watched;
		if (!is_last)
			live_wait(&live, STATUS_WATCH_MS);
		buf_fini(&text);
		live_close(&live);
		if (is_last)
			return status;
		is_first = false;
	}
}

static int
status_answer(struct request *request, const struct diag *diag, struct buf *text,
	      struct err *err)
{
	(void)text; /* what is watched has one a second */
	if (request->word_count > 1)
		return err_set(err, ERR_USAGE, "nothing to do with %.40s; see --help",
			       request->words[1]);
	if (request->wants_names && (request->is_watched || request->wants_json))
		return err_set(err, ERR_USAGE,
			       "--names goes without --watch and --json: leave one out");
	return answer(request, diag, err);
}

int
cmd_status(int argc, char **argv)
{
	return cmd_request(OPTION_STATUS, argc, argv, status_answer);
}

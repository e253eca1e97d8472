/* status_text.c: see status_text.h. */
#include "sink/status_text.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/visible.h"

#define CELL_BYTES 48

/* --- members of a reply --- */

static const cJSON *
member(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

/* -1: it is not there. */
static double
number(const cJSON *object, const char *name)
{
	const cJSON *value = member(object, name);
	return cJSON_IsNumber(value) && value->valuedouble >= 0 ? value->valuedouble : -1;
}

/* Never NULL. */
static const char *
string(const cJSON *object, const char *name)
{
	const cJSON *value = member(object, name);
	return cJSON_IsString(value) ? value->valuestring : "";
}

/* --- lines --- */

/* Ends the line that began at `start`, after `width` characters at most, so that it cannot wrap. */
static int
end_line(struct buf *text, size_t start, size_t width)
{
	size_t chars = 0;
	for (size_t i = start; i < text->length; i++) {
		chars += ((unsigned char)text->bytes[i] & 0xc0) != 0x80;
		if (chars > width)
			text->length = i;
	}
	return buf_append_char(text, '\n');
}

/* --- cells --- */

static const char *
put_count(char cell[CELL_BYTES], double count)
{
	if (count < 0)
		return "-";
	snprintf(cell, CELL_BYTES, "%.0f", count);
	return cell;
}

/* 17, or 2:17 in a job of several stages. */
static const char *
put_task(char cell[CELL_BYTES], const cJSON *worker)
{
	double stage = number(worker, "stage");
	double seq = number(worker, "seq");
	if (stage < 0 || seq < 0)
		return put_count(cell, seq);
	snprintf(cell, CELL_BYTES, "%.0f:%.0f", stage, seq);
	return cell;
}

/* 7s, 12m03s, 2h05m, 3d04h */
static const char *
put_duration(char cell[CELL_BYTES], double seconds)
{
	if (seconds < 0 || seconds > 1e12)
		return "-";
	uint64_t s = (uint64_t)(seconds + 0.5);
	if (s < 60)
		snprintf(cell, CELL_BYTES, "%" PRIu64 "s", s);
	else if (s < 3600)
		snprintf(cell, CELL_BYTES, "%" PRIu64 "m%02us", s / 60, (unsigned)(s % 60));
	else if (s < 86400)
		snprintf(cell, CELL_BYTES, "%" PRIu64 "h%02um", s / 3600,
			 (unsigned)(s / 60 % 60));
	else
		snprintf(cell, CELL_BYTES, "%" PRIu64 "d%02uh", s / 86400,
			 (unsigned)(s / 3600 % 24));
	return cell;
}

static const char *
put_rate(char cell[CELL_BYTES], double rate)
{
	if (rate < 0)
		return "-";
	snprintf(cell, CELL_BYTES, rate >= 100 ? "%.0f/s" : "%.2g/s", rate);
	return cell;
}

/* 1204/5000, or 1204 while nobody knows how many there are. */
static const char *
put_done(char cell[CELL_BYTES], const cJSON *tasks)
{
	double total = number(tasks, "total");
	int length = snprintf(cell, CELL_BYTES, "%.0f", number(tasks, "done"));
	if (number(tasks, "done") < 0)
		return "-";
	if (total >= 0 && length > 0 && length < CELL_BYTES)
		snprintf(cell + length, CELL_BYTES - (size_t)length, "/%.0f", total);
	return cell;
}

/* --- the table --- */

enum column {
	COLUMN_NAME,
	COLUMN_PID,
	COLUMN_STATE,
	COLUMN_FOR,
	COLUMN_DONE,
	COLUMN_FAILED,
	COLUMN_RUNNING,
	COLUMN_RATE,
	COLUMN_ETA,
	COLUMNS,
};

static const char *const headings[COLUMNS] = {"NAME",   "PID",     "STATE", "FOR", "DONE",
					      "FAILED", "RUNNING", "RATE",  "ETA"};

struct row {
	char cells[COLUMNS][CELL_BYTES];
};

static void
row_set(struct row *row, enum column column, const char *text)
{
	snprintf(row->cells[column], CELL_BYTES, "%s", text);
}

static void
row_fill(struct row *row, const struct status_item *item, const cJSON *reply)
{
	char cell[CELL_BYTES];
	const cJSON *tasks = member(reply, "tasks");
	row_set(row, COLUMN_NAME, item->name);
	row_set(row, COLUMN_PID, put_count(cell, item->pid > 0 ? item->pid : -1));
	row_set(row, COLUMN_STATE,
		item->reply == NULL ? "no answer" : string(reply, "state"));
	row_set(row, COLUMN_FOR, put_duration(cell, number(reply, "elapsed_s")));
	row_set(row, COLUMN_DONE, put_done(cell, tasks));
	row_set(row, COLUMN_FAILED, put_count(cell, number(tasks, "failed")));
	row_set(row, COLUMN_RUNNING, put_count(cell, number(tasks, "running")));
	row_set(row, COLUMN_RATE, put_rate(cell, number(reply, "rate")));
	row_set(row, COLUMN_ETA, put_duration(cell, number(reply, "eta_s")));
}

static int
append_cells(struct buf *text, const struct row *row, const int widths[COLUMNS])
{
	for (int i = 0; i < COLUMNS; i++) {
		bool is_left = i == COLUMN_NAME || i == COLUMN_STATE;
		char shown[4 * CELL_BYTES];
		struct buf visible = {0};
		if (visible_append(&visible, row->cells[i], strlen(row->cells[i]),
				   CELL_BYTES) == -1 ||
		    buf_str(&visible) == NULL) {
			buf_fini(&visible);
			return -1;
		}
		snprintf(shown, sizeof(shown), "%s", visible.bytes);
		buf_fini(&visible);
		if (buf_printf(text, "%*s  ", is_left ? -widths[i] : widths[i], shown) == -1)
			return -1;
	}
	return 0;
}

static int
append_row(struct buf *text, const struct row *row, const int widths[COLUMNS],
	   const char *command, size_t width)
{
	size_t start = text->length;
	if (append_cells(text, row, widths) == -1)
		return -1;
	size_t used = text->length - start;
	size_t left = width > used + 3 ? width - used - 3 : 0;
	if (visible_append(text, command, strlen(command), left) == -1)
		return -1;
	return end_line(text, start, width);
}

static void
measure(const struct row *row, int widths[COLUMNS])
{
	for (int i = 0; i < COLUMNS; i++)
		if ((int)strlen(row->cells[i]) > widths[i])
			widths[i] = (int)strlen(row->cells[i]);
}

int
status_text_table(struct buf *text, const struct status_item *items, size_t count,
		  bool has_heading, size_t width)
{
	struct row heading = {0};
	int widths[COLUMNS] = {0};
	struct row *rows = calloc(count + 1, sizeof(*rows));
	cJSON **replies = calloc(count + 1, sizeof(cJSON *));
	int status = rows == NULL || replies == NULL ? -1 : 0;
	for (int i = 0; i < COLUMNS; i++)
		row_set(&heading, (enum column)i, headings[i]);
	measure(&heading, widths);
	for (size_t i = 0; status == 0 && i < count; i++) {
		replies[i] = cJSON_Parse(items[i].reply);
		row_fill(&rows[i], &items[i], replies[i]);
		measure(&rows[i], widths);
	}
	if (status == 0 && has_heading)
		status = append_row(text, &heading, widths, "COMMAND", width);
	for (size_t i = 0; status == 0 && i < count; i++)
		status = append_row(text, &rows[i], widths, string(replies[i], "command"),
				    width);
	for (size_t i = 0; replies != NULL && i < count; i++)
		cJSON_Delete(replies[i]);
	free(replies);
	free(rows);
	return status;
}

/* --- one run --- */

/* "command   gzip {}" */
static int
append_field(struct buf *text, const char *name, const char *value, size_t width)
{
	size_t start = text->length;
	if (buf_printf(text, "%-9s ", name) == -1 ||
	    visible_append(text, value, strlen(value), width > 13 ? width - 13 : 0) == -1)
		return -1;
	return end_line(text, start, width);
}

static int
append_run(struct buf *text, const struct status_item *item, const cJSON *reply,
	   size_t width)
{
	char line[512];
	int length = snprintf(line, sizeof(line), "%s, pid %d", item->name, item->pid);
	if (item->reply == NULL)
		return append_field(text, "run", line, width);
	snprintf(line + length, sizeof(line) - (size_t)length, ", %.100s in %.300s",
		 string(reply, "program"), string(reply, "cwd"));
	if (append_field(text, "run", line, width) == -1)
		return -1;
	return append_field(text, "command", string(reply, "command"), width);
}

static int
append_times(struct buf *text, const cJSON *reply, size_t width)
{
	char when[64] = "-";
	char line[160];
	char cell[CELL_BYTES];
	struct tm tm;
	time_t start = (time_t)number(reply, "start_s");
	if (localtime_r(&start, &tm) != NULL)
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	snprintf(line, sizeof(line), "%s, %s ago", when,
		 put_duration(cell, number(reply, "elapsed_s")));
	return append_field(text, "started", line, width);
}

static int
append_state(struct buf *text, const cJSON *reply, size_t width)
{
	static const char *const holders[][2] = {
	    {"input", ", waits for input"},
	    {"output", ", waits for whoever reads its output"},
	    {"window", ", waits for the task whose output is next (--window)"},
	    {"load", ", held back by --load"},
	    {"memfree", ", held back by --memfree"},
	    {"max-pressure", ", held back by --max-pressure"},
	    {"memory", ", runs fewer tasks: one was killed for memory"},
	    {"delay", ", held back by --delay"},
	    {"jobserver", ", waits for a token of the jobserver"}};
	const char *holder = string(reply, "held_by");
	const char *why = "";
	char line[160];
	for (size_t i = 0; i < sizeof(holders) / sizeof(*holders); i++)
		if (strcmp(holder, holders[i][0]) == 0)
			why = holders[i][1];
	snprintf(line, sizeof(line), "%.40s%s", string(reply, "state"), why);
	return append_field(text, "state", line, width);
}

static int
append_tasks(struct buf *text, const cJSON *reply, size_t width)
{
	static const char *const names[] = {"failed", "cancelled", "skipped", "running"};
	const cJSON *tasks = member(reply, "tasks");
	char cell[CELL_BYTES];
	struct buf line = {0};
	int status = buf_printf(&line, "%s done", put_count(cell, number(tasks, "done")));
	for (size_t i = 0; status == 0 && i < sizeof(names) / sizeof(*names); i++)
		if (number(tasks, names[i]) > 0)
			status = buf_printf(&line, ", %s %s",
					    put_count(cell, number(tasks, names[i])),
					    names[i]);
	if (status == 0 && number(tasks, "total") >= 0)
		status =
		    buf_printf(&line, " of %s", put_count(cell, number(tasks, "total")));
	if (status == 0 && number(tasks, "before") > 0)
		status = buf_printf(&line, "; %s done before this run",
				    put_count(cell, number(tasks, "before")));
	if (status == 0 && buf_str(&line) != NULL)
		status = append_field(text, "tasks", line.bytes, width);
	buf_fini(&line);
	return status;
}

static int
append_rate(struct buf *text, const cJSON *reply, size_t width)
{
	char line[160];
	char rate[CELL_BYTES];
	char eta[CELL_BYTES];
	bool has_eta = number(reply, "eta_s") >= 0;
	snprintf(line, sizeof(line), "%s%s%s", put_rate(rate, number(reply, "rate")),
		 has_eta ? ", done in " : "",
		 has_eta ? put_duration(eta, number(reply, "eta_s")) : "");
	return append_field(text, "rate", line, width);
}

/* The values of a task, apart by blanks. */
static int
append_args(struct buf *text, const cJSON *worker, size_t width)
{
	const cJSON *args = member(worker, "args");
	const cJSON *arg;
	struct buf line = {0};
	int status = 0;
	cJSON_ArrayForEach(arg, args) if (status == 0 && cJSON_IsString(arg)) status =
	    buf_printf(&line, "%s%s", line.length > 0 ? " " : "", arg->valuestring);
	if (status == 0 && args == NULL && member(worker, "args_base64") != NULL)
		status = buf_append_str(&line, "(bytes that are no text)");
	if (status == 0)
		status = visible_append(text, line.bytes, line.length, width);
	buf_fini(&line);
	return status;
}

static int
append_worker(struct buf *text, const cJSON *worker, size_t width)
{
	char cells[5][CELL_BYTES];
	size_t start = text->length;
	if (buf_printf(
		text, "%6s %8s %8s %8s %7s  ", put_count(cells[0], number(worker, "slot")),
		put_count(cells[1], number(worker, "pid")),
		put_count(cells[2], number(worker, "served")), put_task(cells[3], worker),
		put_duration(cells[4], number(worker, "elapsed_s"))) == -1)
		return -1;
	size_t used = text->length - start;
	if (append_args(text, worker, width > used + 3 ? width - used - 3 : 0) == -1)
		return -1;
	return end_line(text, start, width);
}

static int
append_workers(struct buf *text, const cJSON *reply, size_t width, size_t rows)
{
	const cJSON *workers = member(reply, "workers");
	const cJSON *worker;
	char line[80];
	size_t row = 0;
	size_t count = (size_t)cJSON_GetArraySize(workers);
	char cell[CELL_BYTES];
	snprintf(line, sizeof(line), "%zu, of %s wanted", count,
		 put_count(cell, number(reply, "jobs")));
	if (append_field(text, "workers", line, width) == -1)
		return -1;
	if (count == 0)
		return 0;
	snprintf(line, sizeof(line), "%6s %8s %8s %8s %7s  %s", "SLOT", "PID", "TASKS",
		 "TASK", "FOR", "VALUES");
	size_t start = text->length;
	if (buf_append_str(text, line) == -1 || end_line(text, start, width) == -1)
		return -1;
	cJSON_ArrayForEach(worker, workers)
	{
		if (++row > rows && count > rows)
			return buf_printf(text, "%6s and %zu more\n", "...",
					  count - row + 1);
		if (append_worker(text, worker, width) == -1)
			return -1;
	}
	return 0;
}

int
status_text_detail(struct buf *text, const struct status_item *item, size_t width,
		   size_t rows)
{
	cJSON *reply = cJSON_Parse(item->reply);
	int status = append_run(text, item, reply, width);
	if (status == 0 && item->reply == NULL)
		status =
		    append_field(text, "state", "does not answer: is it stopped?", width);
	else if (status == 0 && (append_times(text, reply, width) == -1 ||
				 append_state(text, reply, width) == -1 ||
				 append_tasks(text, reply, width) == -1 ||
				 append_rate(text, reply, width) == -1 ||
				 append_workers(text, reply, width, rows) == -1))
		status = -1;
	cJSON_Delete(reply);
	return status;
}

int
status_text_json(struct buf *text, const struct status_item *item)
{
	cJSON *reply = cJSON_Parse(item->reply);
	char *line = cJSON_IsObject(reply) ? cJSON_PrintUnformatted(reply) : NULL;
	int status;
	if (line != NULL)
		status = buf_printf(text, "%s\n", line);
	else
		status = buf_printf(
		    text,
		    "{\"ok\":false,\"name\":\"%s\",\"pid\":%d,\"error\":\"no answer\"}\n",
		    item->name, item->pid);
	cJSON_free(line);
	cJSON_Delete(reply);
	return status;
}

/* results_table.c: see results_table.h. */
#include "record/results_table.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "record/intact.h"

#define READ_BYTES ((size_t)256 * 1024)
#define FIXED_CELLS 11 /* of a header: all but the values */

static int
table_fail(const struct results_table *table, struct err *err)
{
	return err_errno(err, "cannot write results to %s", table->name);
}

/* --- what is there --- */

/* Where we are in a cell; a quote is only where we write one. */
enum cell { CELL_START, CELL_PLAIN, CELL_QUOTED, CELL_QUOTE, CELL_WRONG };

/* A file that is gone through once, from its start. */
struct scan {
	char separator; /* of cells; 0: there are none */
	enum cell cell;
	const char *start; /* what every such file begins with */
	size_t start_length;
	uint64_t at;
	uint64_t good_bytes; /* up to here there are whole records */
	uint64_t record_count;
	size_t header_cells;
};

static void
scan_init(struct scan *scan, enum results_format format)
{
	bool is_json = format == RESULTS_JSON || format == RESULTS_JSONL;
	const char *start = is_json ? "{\"" : results_rows_header_start(format);
	char separator = ',';
	if (is_json)
		separator = '\0';
	else if (format == RESULTS_TSV)
		separator = '\t';
	*scan = (struct scan){.separator = separator,
			      .start = start,
			      .start_length = strlen(start),
			      .header_cells = is_json ? 0 : 1};
}

static enum cell
cell_next(enum cell cell, char c, char separator)
{
	bool is_end = c == separator || c == '\n';
	switch (cell) {
	case CELL_START:
		return c == '"' ? CELL_QUOTED : is_end ? CELL_START : CELL_PLAIN;
	case CELL_PLAIN:
		return c == '"' ? CELL_WRONG : is_end ? CELL_START : CELL_PLAIN;
	case CELL_QUOTED:
		return c == '"' ? CELL_QUOTE : CELL_QUOTED;
	case CELL_QUOTE: /* the end, or the first of two */
		return c == '"' ? CELL_QUOTED : is_end ? CELL_START : CELL_WRONG;
	case CELL_WRONG:
		break;
	}
	return CELL_WRONG;
}

/*
 * False: it cannot be such a file. Only in csv a record may go over several lines: with a quote
 * that is not one of ours all that is behind it would be taken for the rest of a torn record.
 */
static bool
scan_byte(struct scan *scan, char c)
{
	if (scan->at < scan->start_length && c != scan->start[scan->at])
		return false;
	scan->at++;
	if (scan->separator != 0) {
		scan->cell = cell_next(scan->cell, c, scan->separator);
		if (scan->cell != CELL_START)
			return scan->cell != CELL_WRONG;
		scan->header_cells += scan->record_count == 0 && c == scan->separator;
	}
	if (c == '\n') {
		scan->record_count++;
		scan->good_bytes = scan->at;
	}
	return true;
}

static int
table_refuse(const struct results_table *table, struct err *err)
{
	return err_set(err, ERR_USAGE,
		       "--results %.200s holds something else than results of its kind, "
		       "or is damaged: name another file, or resume without it",
		       table->name);
}

static int
table_scan(struct results_table *table, struct scan *scan, char *bytes, struct err *err)
{
	for (;;) {
		ssize_t got = io_read(table->fd, bytes, READ_BYTES);
		if (got == -1)
			return err_errno(err, "cannot read --results %s", table->name);
		if (got == 0)
			break;
		for (ssize_t i = 0; i < got; i++)
			if (!scan_byte(scan, bytes[i]))
				return table_refuse(table, err);
	}
	if (scan->header_cells > 0 && scan->record_count > 0 &&
	    scan->header_cells < FIXED_CELLS)
		return table_refuse(table, err);
	return 0;
}

/* Learns what the file holds. */
static int
table_continue(struct results_table *table, enum results_format format, struct err *err)
{
	struct scan scan;
	char *bytes = malloc(READ_BYTES);
	if (bytes == NULL)
		return err_no_memory(err);
	scan_init(&scan, format);
	int status = table_scan(table, &scan, bytes, err);
	free(bytes);
	if (status == -1)
		return -1;
	table->needs_cut = scan.good_bytes < scan.at;
	table->bytes = table->good_bytes = scan.good_bytes;
	table->has_header = scan.header_cells > 0 && scan.record_count > 0;
	if (table->has_header)
		table->value_columns = scan.header_cells - FIXED_CELLS;
	return 0;
}

/* --- opening --- */

/* The kind of lock that belongs to the process; where there are none there is none. */
static int
table_lock(struct results_table *table, struct err *err)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	if (fcntl(table->fd, F_SETLK, &lock) == 0 || (errno != EACCES && errno != EAGAIN))
		return 0;
	return err_set(
	    err, ERR_LOCKED,
	    "--results %.200s is in use by another run: wait for its end, or name "
	    "another file",
	    table->name);
}

static int
table_begin(struct results_table *table, enum results_format format, bool continues,
	    struct err *err)
{
	struct stat st;
	if (fstat(table->fd, &st) == -1)
		return table_fail(table, err);
	table->is_regular = S_ISREG(st.st_mode);
	if (!table->is_regular && !S_ISCHR(st.st_mode))
		return err_set(err, ERR_USAGE,
			       "--results %.200s is there and is no file: name another",
			       table->name);
	if (!table->is_regular)
		return 0;
	if (table_lock(table, err) == -1)
		return -1;
	if (continues)
		return table_continue(table, format, err);
	table->needs_cut = st.st_size > 0;
	return 0;
}

int
results_table_open(struct results_table *table, const char *name,
		   enum results_format format, bool continues, struct err *err)
{
	*table = (struct results_table){.name = name};
	/* Not to block: a pipe may have nobody at its other end. */
	table->fd = open(name,
			 O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK |
			     O_NOCTTY | O_CLOEXEC,
			 0666);
	if (table->fd == -1 && errno == ELOOP)
		return err_set(
		    err, ERR_USAGE,
		    "--results %.200s is a symbolic link, which is not followed: "
		    "name the file itself",
		    name);
	if (table->fd == -1)
		return err_errno(err, "cannot open --results %s", name);
	if (table_begin(table, format, continues, err) == 0)
		return 0;
	results_table_close(table);
	return -1;
}

/* --- writing --- */

static int
table_cut(struct results_table *table, struct err *err)
{
	if (table->needs_cut && ftruncate(table->fd, (off_t)table->good_bytes) == -1)
		return table_fail(table, err);
	table->needs_cut = false;
	return 0;
}

int
results_table_put(struct results_table *table, const char *bytes, size_t length,
		  struct err *err)
{
	if (table_cut(table, err) == -1)
		return -1;
	if (io_write_all(table->fd, bytes, length) == 0) {
		table->bytes += length;
		return 0;
	}
	table_fail(table, err);
	table->needs_cut = table->is_regular;
	table_cut(table, NULL); /* if it fails, the next run does it */
	return -1;
}

void
results_table_end_record(struct results_table *table)
{
	table->good_bytes = table->bytes;
}

int
results_table_finish(struct results_table *table, struct err *err)
{
	if (table_cut(table, err) == -1)
		return -1;
	if (table->is_regular && fsync(table->fd) == -1)
		return table_fail(table, err);
	if (table->is_regular && intact_check(table->fd, table->good_bytes, "--results",
					      table->name, err) == -1)
		return -1;
	int fd = table->fd;
	table->fd = -1;
	return io_close(fd) == -1 ? table_fail(table, err) : 0;
}

void
results_table_close(struct results_table *table)
{
	io_close_set(&table->fd);
}

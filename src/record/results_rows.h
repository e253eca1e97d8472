/*
 * results_rows.h: one record for each task: comma or tab separated values, or JSON.
 *
 *   .csv .tsv   GNU parallel's columns: Seq Host Starttime JobRuntime Send Receive Exitval Signal
 *               Command, one for each value (V1 V2, or the names of the columns), Stdout, Stderr.
 *               Cells with quotes, blanks, line ends or the separator are quoted. A first line
 *               names the columns; later rows have as many: values that are not there are
 *               empty cells, and those that are too many share the last, apart by blanks.
 *   .json       an object a line with GNU parallel's names, and V a list of the values
 *   .jsonl      an object a line as --json prints it: see pinion-json(5)
 *
 * In JSON, what is not UTF-8 is base64 under its name and _base64. A task's output is passed on
 * in pieces, and never in memory as a whole. What a record becomes is its reader's business.
 */
#ifndef PINION_RESULTS_ROWS_H
#define PINION_RESULTS_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json_text.h"
#include "ipc/spill.h"
#include "task/result.h"
#include "task/task.h"

#define RESULTS_ROWS_PIECE_BYTES (1024 * 1024)

enum results_format { RESULTS_CSV, RESULTS_TSV, RESULTS_JSON, RESULTS_JSONL };

/* What must be known of a stream before its first byte is written. Zero-initialise. */
struct results_note {
	bool needs_quotes;
	struct json_text_check utf8;
};

void results_note_take(struct results_note *note, enum results_format format,
		       const char *bytes, size_t length);

struct results_row {
	uint64_t seq; /* from 0 */
	uint32_t attempt;
	const struct result *result;
	const struct arg *args;
	size_t arg_count;
	const char *command;
	size_t command_length;
	struct held *streams[RESULT_STREAMS]; /* all is taken out of them */
	const struct results_note *notes;     /* RESULT_STREAMS of them */
};

/* Borrowed: names and spill. */
struct results_rows {
	enum results_format format;
	const struct arg *names; /* of the columns */
	size_t name_count;
	bool has_header; /* it is written, or there is none */
	size_t value_columns; /* in csv; 0 before the header: as many as the first row has values */
	bool has_commands; /* tasks are processes with a command and a cost of their own: .jsonl */
	struct spill *spill;
	/* Takes a piece: the last of a record, or RESULTS_ROWS_PIECE_BYTES and some more. 0, -1 and err. */
	int (*put)(void *context, const char *bytes, size_t length, struct err *err);
	void *context;
	struct buf text; /* of the record, as far as it has not been put */
};

/* What a file's name ends in, in either case; -1: in nothing that says so. */
int results_rows_format(const char *name);

/* The header alone, if there is one, into text. 0, -1 without memory. */
int results_rows_begin(struct results_rows *rows);

int results_rows_put(struct results_rows *rows, const struct results_row *row,
		     struct err *err);

/* What the header of a csv begins with, up to the columns of values: with its separators. */
const char *results_rows_header_start(enum results_format format);

void results_rows_fini(struct results_rows *rows);

#endif

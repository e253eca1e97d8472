/*
 * csv.h: records of comma-separated values, as RFC 4180 has them, streamed.
 *
 * A field in double quotes may hold separators, line ends and, doubled, quotes. Lines may end
 * in CR LF; empty ones are no records. Refused, naming the line: a quote inside a field that
 * does not begin with one, text behind a closing quote, a quote without an end, and, under a
 * header, a record of more or fewer fields than that has.
 */
#ifndef PINION_CSV_H
#define PINION_CSV_H

#include "base/err.h"
#include "input/lines.h"
#include "input/rows.h"
#include "task/source.h"
#include "task/spec.h"

#define CSV_RECORD_MAX_BYTES ((size_t)64 * 1024 * 1024)

struct csv;

/* All borrowed until csv_close. NULL and err. */
struct csv *csv_open(const struct spec_input *input, struct lines *lines, struct err *err);
void csv_close(struct csv *csv);

/* The next record, whole, valid until the next call; with `waits` for it. */
enum source_status csv_next(struct csv *csv, bool waits, struct arg *record,
			    struct err *err);

/*
 * Appends the fields of the record just given, valid as long as that. With a header the first
 * one says how many there are to be. 0; -1 and err.
 */
int csv_split(struct csv *csv, const struct arg *record, struct row *row, struct err *err);

#endif

/*
 * results_table.h: a file of records, of which each is there as a whole or not at all.
 *
 * Records are appended, each by one write, those above a MiB by some. A record that cannot be
 * written to its end is cut off again; one that was cut short because we were killed, by the next
 * run that appends to the file (--resume). Any other run begins the file anew. Until its first
 * record, or its end, the file is as it was. Two runs never write to one file: the second is
 * refused. On the disk once results_table_finish says so.
 *
 * Every failure names the file. It may be a device, but no pipe: nothing here waits for others.
 */
#ifndef PINION_RESULTS_TABLE_H
#define PINION_RESULTS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "record/results_rows.h"

struct results_table {
	const char *name; /* borrowed */
	int fd;
	uint64_t bytes; /* with those of a record that is being put */
	bool is_regular;
	bool needs_cut;       /* before the first record: what is behind good_bytes */
	uint64_t good_bytes;  /* of whole records */
	bool has_header;      /* it was there, in a file that is continued */
	size_t value_columns; /* which that names */
};

/* `continues`: what is there stays, and must be of this format. After -1 it is not open. */
int results_table_open(struct results_table *table, const char *name,
		       enum results_format format, bool continues, struct err *err);

/* The next piece of a record. */
int results_table_put(struct results_table *table, const char *bytes, size_t length,
		      struct err *err);

/* The pieces put are a whole record. */
void results_table_end_record(struct results_table *table);

/* After the last record. */
int results_table_finish(struct results_table *table, struct err *err);
void results_table_close(struct results_table *table);

#endif

/*
 * job_print.h: a command line as a job's file (--print-spec), and what such files may hold.
 */
#ifndef PINION_JOB_PRINT_H
#define PINION_JOB_PRINT_H

#include "base/buf.h"
#include "input/option_scan.h"

/*
 * Appends the file that says the same as these options and the spec they made. 0, -1 without
 * memory.
 */
int job_print(const struct spec *spec, const struct option_found *found, size_t count,
	      struct buf *text);

/* Appends the JSON Schema of job files, from the same tables. 0, -1 without memory. */
int job_print_schema(struct buf *text);

#endif

/*
 * joblog_line.h: the lines of a joblog, byte for byte as GNU parallel writes them.
 *
 *   Seq Host Starttime JobRuntime Send Receive Exitval Signal Command
 *
 * Columns are apart by one tab each, lines end with a newline. Seq counts from 1 to
 * TASK_SEQS_MAX. Host is ":", this machine. The times are seconds with three decimals, JobRuntime
 * at least ten characters wide. Send is 0, Receive the bytes the task printed on stdout. Newlines
 * in the command are NUL bytes. A success is Exitval 0 with Signal 0. Pure functions of bytes.
 */
#ifndef PINION_JOBLOG_LINE_H
#define PINION_JOBLOG_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define JOBLOG_HEADER \
	"Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n"

struct joblog_line {
	uint64_t seq; /* from 0 */
	int64_t started_real_ns;
	int64_t wall_ns;
	uint64_t receive_bytes;
	int exit_value;
	int signal;
	const char *command; /* borrowed; when parsed, with NUL for each newline */
	size_t command_length;
};

/* Appends the whole line. 0, -1 without memory. */
int joblog_line_append(struct buf *text, const struct joblog_line *line);

/* A line without its newline. What it does not need (times, bytes) it only checks and leaves 0. */
bool joblog_line_parse(const char *bytes, size_t length, struct joblog_line *line);

/* Whether these bytes, without a newline, are the header or the first ones of it. */
bool joblog_line_is_header(const char *bytes, size_t length);
bool joblog_line_begins_header(const char *bytes, size_t length);

/* Whether they may be the first ones of a record: with what can be a seq, at least. */
bool joblog_line_begins_record(const char *bytes, size_t length);

/*
 * A number for the command, to tell it from others. Quotes, which differ between programs that
 * write joblogs, are left out, and a newline is as its NUL.
 */
uint32_t joblog_line_hash(const char *command, size_t length);

#endif

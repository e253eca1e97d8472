/*
 * joblog_file.h: the file of a joblog: opened for one run, read once, then only appended to.
 *
 * Owns the descriptor and a lock on the file, which ends with this process however that ends, so
 * that no two runs write one log. A symbolic link is not followed. What is put goes out in one
 * write of whole records for each flush; before the first one of them a torn tail of an earlier
 * run is cut off, so a log that is refused later is as it was. Also for what is no regular file
 * (a pipe, /dev/null): then nothing is read, locked or synced.
 */
#ifndef PINION_JOBLOG_FILE_H
#define PINION_JOBLOG_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "record/joblog_past.h"

enum joblog_mode {
	JOBLOG_ANEW,      /* what is there is overwritten, at once */
	JOBLOG_APPEND,    /* what is there is read, and stays */
	JOBLOG_READ_ONLY, /* the same, and nothing is written; it need not be there */
};

struct joblog_file {
	const char *path; /* borrowed */
	int fd;           /* -1: none */
	bool is_regular;
	bool is_new;         /* it was not there, or empty */
	bool needs_cut;      /* before the first record: what is behind past.end goes */
	bool needs_head;     /* before the first record: the header */
	uint64_t kept_bytes; /* what is in it of ours, and was before: it is never shorter */
	struct joblog_past past;
	struct buf queue; /* whole records that are not written yet */
};

/* Call joblog_file_close also after -1. */
int joblog_file_open(struct joblog_file *file, const char *path, enum joblog_mode mode,
		     bool keeps_failures, struct err *err);

/* Call after each record that was appended to queue: writes when it is long. */
int joblog_file_put(struct joblog_file *file, struct err *err);
int joblog_file_flush(struct joblog_file *file, struct err *err);

/* All is on disk then. An error is final: what was not written may be gone. */
int joblog_file_finish(struct joblog_file *file, struct err *err);

/* The command of the record at this place, as it was: with its newlines. */
int joblog_file_read_command(const struct joblog_file *file, uint64_t at, size_t length,
			     struct buf *command, struct err *err);

/* The last record of this seq again: the number of its line and its command. */
int joblog_file_find(const struct joblog_file *file, uint64_t seq, uint64_t *line_number,
		     struct buf *command, struct err *err);

void joblog_file_close(struct joblog_file *file);

#endif

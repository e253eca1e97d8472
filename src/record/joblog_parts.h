/*
 * joblog_parts.h: what the files of the joblog share. Private to them.
 *
 *   joblog_line    one line
 *   joblog_past    what all lines say
 *   joblog_file    where they are
 *   joblog         the sink and the history
 *   joblog_retry   the source
 */
#ifndef PINION_JOBLOG_PARTS_H
#define PINION_JOBLOG_PARTS_H

#include "record/joblog.h"
#include "record/joblog_file.h"

struct joblog {
	struct sink sink;
	struct history history;
	struct joblog_config config;
	struct joblog_file file;
	struct buf command; /* scratch */
	struct arg *args;   /* scratch */
	size_t arg_capacity;
};

#endif

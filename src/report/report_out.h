/*
 * report_out.h: where a report goes: standard output, or a file that is there whole or not at
 * all.
 *
 * What is written is gathered in `text`; report_out_push hands it on when it is much. Every
 * failure names the file.
 */
#ifndef PINION_REPORT_OUT_H
#define PINION_REPORT_OUT_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/draft.h"
#include "base/err.h"

struct report_out {
	struct buf text;
	const char *name; /* borrowed; "-": standard output */
	int fd;
	bool is_draft; /* else written in place: standard output, a pipe, a device */
	struct draft draft;
};

/* After -1, too, report_out_close is right. */
int report_out_open(struct report_out *out, const char *name, struct err *err);

int report_out_push(struct report_out *out, struct err *err);

/* All of it is there now, and the file has its name. */
int report_out_finish(struct report_out *out, struct err *err);

/* What has not been finished is no more. */
void report_out_close(struct report_out *out);

#endif

/*
 * report_words.h: what the task at hand was: its command, its values, each as one line.
 */
#ifndef PINION_REPORT_WORDS_H
#define PINION_REPORT_WORDS_H

#include "report/report.h"

/* The command line to paste, instead of what is in `line`; empty where it had none (feed, call). */
int report_command(const struct report_config *config, struct buf *line, struct err *err);

/* Its values as words for a shell, a single one as it is; where it has none, its command. */
int report_label(const struct report_config *config, struct buf *line, struct err *err);

#endif

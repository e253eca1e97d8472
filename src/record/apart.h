/*
 * apart.h: whether the files of records are files of their own.
 *
 * One that is also an input would be overwritten before it is read; one that is also what the run
 * prints, or another record, would have both in it. Called before any of them is opened.
 */
#ifndef PINION_APART_H
#define PINION_APART_H

#include "record/records.h"

/* 0; -1 and err, which names the file: one is both. */
int apart_check(const struct records_config *config, struct err *err);

#endif

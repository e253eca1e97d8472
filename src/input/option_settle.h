/*
 * option_settle.h: what is left to do once all options are known, of words or of a job's file.
 */
#ifndef PINION_OPTION_SETTLE_H
#define PINION_OPTION_SETTLE_H

#include "base/err.h"
#include "input/option_table.h"

/* After the last option: what options mean together. 0, or -1 and err. */
int option_settle(struct option_state *state, struct err *err);

/* --retry-failed: the record says what is to be run: command lines, or what is fed. */
void option_drop_tasks(struct spec *spec);

/*
 * feed and call: the words are a program, or a library, which no value is put into; a task
 * is the value itself. 0, or -1 and err.
 */
int option_take_program(struct spec *spec, struct err *err);

#endif

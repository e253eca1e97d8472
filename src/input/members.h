/*
 * members.h: which members of JSON objects a job's templates name: {name}.
 *
 * Known before the first object is read, so that one which lacks a member is an error and not
 * a command with {name} in it. Every {word} counts that could be a name, with or without what
 * edits a value ({name.}, {name/}), unless a $ stands before it, or --rpl has named it;
 * { word } with blanks is plain text.
 */
#ifndef PINION_MEMBERS_H
#define PINION_MEMBERS_H

#include "base/err.h"
#include "task/spec.h"

/*
 * When all else of the spec is known: fills members and hidden_count where an input is
 * SPEC_INPUT_JSONL or takes_objects is set, and refuses what does not go with it. 0, or -1 and err.
 */
int members_settle(struct spec *spec, struct err *err);

#endif

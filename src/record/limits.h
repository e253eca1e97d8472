/*
 * limits.h: the resource limits of this process as JSON, for a record, and from it again.
 *
 *   {"nofile":[1024,4096],"cpu":[null,null],...}    soft, hard; null: none; bytes and seconds
 */
#ifndef PINION_LIMITS_H
#define PINION_LIMITS_H

#include "base/buf.h"

/* 0, -1 without memory. */
int limits_append(struct buf *json);

/*
 * Sets the soft limits as they were, as far as our hard ones go. What it does not know it leaves
 * alone.
 */
void limits_apply(const char *json);

#endif

/* reason.h: why a task ended, as run files have it. */
#ifndef PINION_REASON_H
#define PINION_REASON_H

#include <stddef.h>
#include <stdint.h>

#include "task/result.h"

/* "cannot execute" for RESULT_CANNOT_EXECUTE. */
const char *reason_word(uint32_t reason);

/* The other way round; RESULT_REASONS for a word of a later version. */
enum result_reason reason_find(const char *word, size_t length);

#endif

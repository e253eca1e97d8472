/*
 * hint.h: what a user may have meant, for failures that mostly come from one mistake.
 */
#ifndef PINION_HINT_H
#define PINION_HINT_H

#include "base/buf.h"
#include "base/err.h"
#include "task/result.h"
#include "task/template.h"

/*
 * Appends a hint for this failure, fit for a terminal, or nothing when there is none to
 * give.
 */
int hint_append(struct buf *hint, const struct result *result,
		const struct template *template, const struct template_values *values,
		struct err *err);

#endif

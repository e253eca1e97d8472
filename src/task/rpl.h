/*
 * rpl.h: the replacement strings of a job, and finding them in a text.
 *
 * Knows GNU parallel's own ({} {.} {/} {//} {/.} {#} {%}), those of --plus, the user's
 * (--rpl, -I and other new names), and their forms for one value: {2.} {-1/} {name}
 * {name//}. In `map` the number may also come last: {.2}. Owns the edits that parts of a
 * template point to.
 */
#ifndef PINION_RPL_H
#define PINION_RPL_H

#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "task/edit.h"
#include "task/spec.h"
#include "task/task.h"

struct rpl_table;

#define RPL_MEMBER (1 << 30) /* no number in a replacement string is so large */

enum rpl_kind {
	RPL_VALUE,
	RPL_SEQ,  /* {#} */
	RPL_SLOT, /* {%} */
	RPL_OUT,  /* {out}, {out1}, {out2}: an output of the task */
};

struct rpl {
	enum rpl_kind kind;
	/*
	 * Of the value: 0 all of them, from 1, or from the end with -1; from RPL_MEMBER on: of
	 * the spec's members, which are among the hidden values. Of the output: from 1.
	 */
	int index;
	const struct edit *edit;
};

/*
 * `names` (of the columns) are borrowed, as are spec->rpls. NULL and err for an edit we
 * cannot do.
 */
struct rpl_table *rpl_table_new(const struct spec *spec, const struct arg *names,
				size_t name_count, struct err *err);
void rpl_table_free(struct rpl_table *table);

/* From now on {out}, {out1} to {outN} are known; with 0, as at first, they are plain text. */
void rpl_table_set_outs(struct rpl_table *table, size_t count);

/*
 * Whether `text` starts with a replacement string: its length and *rpl (valid until
 * rpl_table_free), 0 when it is plain text, -1 and err when it is one that is refused.
 */
ssize_t rpl_match(struct rpl_table *table, const char *text, size_t length,
		  struct rpl *rpl, struct err *err);

#endif

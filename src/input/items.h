/*
 * items.h: one input source, a file or values of the command line, as items.
 *
 * Records of CSV and lines of JSON are items too, which know themselves what their columns are;
 * so are the names that a glob finds and the numbers of a range.
 *
 * Where -E, -r and the continued lines of -L are seen to. In the `parallel` dialect a
 * value of the command line is split at the delimiter, as GNU parallel does and scripts
 * with ::: "$(command)" need; in `map` a value is one item, whatever is in it.
 */
#ifndef PINION_ITEMS_H
#define PINION_ITEMS_H

#include <stdbool.h>

#include "base/err.h"
#include "input/columns.h"
#include "input/rows.h"
#include "task/source.h"
#include "task/spec.h"
#include "task/task.h"

struct items;

/* Opens the file, if it is one. Both are borrowed until items_close. */
struct items *items_open(const struct spec *spec, const struct spec_input *input,
			 struct err *err);
void items_close(struct items *items);

/* Whether its first item names columns. */
bool items_has_header(const struct items *items);

/* That item as it is; waits for it. SOURCE_END: there is none. */
enum source_status items_header(struct items *items, struct arg *item, struct err *err);

/* SOURCE_TASK: *item is valid until the next call. After SOURCE_END always SOURCE_END. */
enum source_status items_next(struct items *items, struct arg *item, struct err *err);

/* Whether columns (columns.h) make its items' columns: else items_split must. */
bool items_are_plain(const struct items *items);

/* Appends the columns of the item just given, which point into it or live as long. 0; -1 and err. */
int items_split(struct items *items, const struct columns *columns,
		const struct arg *item, struct row *row, struct err *err);

/* After SOURCE_WAIT: what to wait for. */
int items_fd(const struct items *items);

/* True when no more item can come, known without reading. */
bool items_is_exhausted(const struct items *items);

/* True when both would take bytes out of the same pipe, terminal or open file. */
bool items_share_input(const struct items *one, const struct items *other);

#endif

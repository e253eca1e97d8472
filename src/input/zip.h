/*
 * zip.h: linked input sources, read in step: one item of each makes a row.
 *
 * Two ways to end: with the shortest (:::+, ::::+), nothing is kept in memory; with the
 * longest (--link), shorter ones start again from their top, so each is kept as long as
 * another one may turn out to be longer. A source without any item stands for one empty
 * value, as in GNU parallel; whoever combines sources asks zip_is_empty whether there was
 * anything at all.
 */
#ifndef PINION_ZIP_H
#define PINION_ZIP_H

#include <stdbool.h>

#include "base/err.h"
#include "input/columns.h"
#include "input/items.h"
#include "input/rows.h"
#include "task/source.h"

struct zip_member;

struct zip {
	struct zip_member *members;
	size_t count;
	size_t pulled; /* members that have their part of the next row */
	size_t live_count;
	bool wraps;
	bool has_started;
	const struct columns *columns;
	struct row row;
};

/* Zero-initialises; `columns` is borrowed until zip_fini. */
void zip_init(struct zip *zip, const struct columns *columns, bool wraps);
void zip_fini(struct zip *zip);

/* The items become the zip's, also when it fails. 0, or -1 without memory. */
int zip_add(struct zip *zip, struct items *items, struct err *err);

/*
 * SOURCE_TASK: *row is valid until the next call. After SOURCE_END: must not be asked
 * again.
 */
enum source_status zip_next(struct zip *zip, const struct row **row, struct err *err);

/* The one it has, borrowed; NULL: it has several. */
struct items *zip_only_items(const struct zip *zip);

/* After SOURCE_WAIT: what to wait for. */
int zip_fd(const struct zip *zip);

/* After the first row: no member had an item. */
bool zip_is_empty(const struct zip *zip);

/* True when no more row can come, known without reading. */
bool zip_is_exhausted(const struct zip *zip);

/*
 * True when a member would take bytes out of the same pipe, terminal or open file as
 * `items`.
 */
bool zip_shares_input(const struct zip *zip, const struct items *items);

#endif

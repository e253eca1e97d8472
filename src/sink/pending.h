/*
 * pending.h: the tasks whose output has not all gone out, found by their seq.
 *
 * An open-addressing table of small entries, one for a task or for some consecutive tasks that
 * settled together. Entries move when others are added or removed: pointers are valid until
 * then.
 */
#ifndef PINION_PENDING_H
#define PINION_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json_text.h"
#include "ipc/spill.h"
#include "sink/decorate.h"
#include "task/result.h"

struct pending {
	uint64_t seq;
	uint32_t count; /* of tasks, when it is settled */
	uint32_t slot;
	struct held *text; /* JSON that may not go out yet; what is held is inside its last object */
	struct held *held[RESULT_STREAMS]; /* may not go out yet */
	struct held *partial[RESULT_STREAMS]; /* the last line so far, when only whole lines go out */
	struct tag *tag;                      /* NULL: not expanded yet */
	bool is_used;
	bool is_settled;
	bool is_mid_line[RESULT_STREAMS]; /* the next byte does not begin a line */
	struct json_text_check utf8[RESULT_STREAMS]; /* JSON: what the held bytes are */
};

struct pending_table {
	struct pending *entries;
	size_t capacity; /* power of two, or 0 */
	size_t count;
};

struct pending *pending_find(const struct pending_table *table, uint64_t seq);

/* The entry of this seq, a new one if there was none; NULL without memory. */
struct pending *pending_add(struct pending_table *table, uint64_t seq);

/* Frees what the entry holds; it is then as new. */
void pending_clear(struct pending *pending, struct spill *spill);

/* Clears the entry and takes it out. */
void pending_remove(struct pending_table *table, struct pending *pending,
		    struct spill *spill);

void pending_fini(struct pending_table *table, struct spill *spill);

#endif

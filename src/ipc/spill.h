/*
 * spill.h: held-back output, in memory up to a budget, then in one unlinked file.
 *
 * A `struct spill` is the budget, the folder and the file shared by all held streams of a
 * run; a `struct held` is one stream's bytes: appended at the end, taken from the front,
 * in any mix. Memory over the budget goes to blocks of one O_TMPFILE (or unlinked
 * mkostemp, 0600) file, made when first needed, so that a thousand long streams cost one
 * descriptor; blocks are given back to the disk as they are read. A folder that is full
 * or missing is an error, never a loss. Bytes that come in a block (blocks.h) stay in it, and the
 * block is kept as long: it counts as memory. Not thread-safe.
 */
#ifndef PINION_SPILL_H
#define PINION_SPILL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "ipc/blocks.h"

#define SPILL_BLOCK_BYTES (256 * 1024)

struct spill {
	const char *folder;    /* borrowed */
	struct blocks *blocks; /* borrowed; NULL: there are none */
	uint64_t budget_bytes; /* memory for all streams together */
	uint64_t memory_bytes; /* in use */
	uint64_t file_bytes;   /* held in the file, now */

	/*
	 * The file: blocks [0, block_count), of which free_count are listed in
	 * free_blocks.
	 */
	int fd; /* -1 until needed */
	uint32_t block_count;
	uint32_t *free_blocks; /* room for block_capacity of them */
	uint32_t free_count;
	uint32_t block_capacity;

	/* What held_peek last read: file bytes [window_at, window_at + window_bytes). */
	char *window;
	uint64_t window_at;
	size_t window_bytes;
};

struct held; /* NULL is an empty stream */

/* The folder to use: `given` (NULL: none was), else $TMPDIR, else /tmp. */
const char *spill_folder(const char *given);

void spill_init(struct spill *spill, const char *folder, uint64_t budget_bytes,
		struct blocks *blocks);

/*
 * Appends; makes *held on first use. After -1 (err says why) the stream is good for
 * held_free only.
 */
int held_append(struct spill *spill, struct held **held, const char *bytes, size_t length,
		struct err *err);

uint64_t held_bytes(const struct held *held); /* what is left */

/*
 * A piece from the front, not taken yet: *bytes is valid until this stream is consumed or
 * any stream of this spill is peeked at. Pieces are at most SPILL_BLOCK_BYTES. 0 length:
 * empty.
 */
int held_peek(struct spill *spill, struct held *held, const char **bytes, size_t *length,
	      struct err *err);

/* Takes `length` bytes (no more than peeked) from the front. */
void held_consume(struct spill *spill, struct held *held, size_t length);

void held_free(struct spill *spill, struct held *held);

/* After all streams have been freed. */
void spill_fini(struct spill *spill);

#endif

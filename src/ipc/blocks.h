/*
 * blocks.h: where large outputs lie between a worker that reads them and the coordinator that
 * writes them, without a copy in between.
 *
 * Blocks are parts of the file of the outboxes. The coordinator owns all of them: it offers
 * some to a worker whose tasks print much, through the worker's outbox; the worker fills one
 * part by part and says in a frame what is there; the coordinator hands the bytes on, and
 * whoever wants them for longer (held output) keeps the block. One that nobody keeps is
 * offered again, to the same seat if it can be, whose caches and page tables know it. Where no
 * block is to be had, bytes go through the outbox: blocks are only faster.
 *
 * Their memory is taken when they are first used, at most what blocks_new was told, and kept.
 * The coordinator trusts no more than what it finds itself: a part must lie in a block that
 * was offered to that seat, behind the parts told before. Bytes in a block may change under
 * whoever reads them, if a worker is garbled: they are only ever copied out.
 */
#ifndef PINION_BLOCKS_H
#define PINION_BLOCKS_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "ipc/outbox.h"

#define BLOCK_BYTES (256 * 1024)
#define BLOCKS_MAX 256 /* 64 MiB */
#define BLOCK_NONE UINT32_MAX

/* Payload of a FRAME_BLOCK: bytes [from, from + length) of a block hold output. */
struct block_part {
	uint32_t block;
	uint32_t from;
	uint32_t length;
	uint16_t stream;  /* enum result_stream */
	uint16_t is_last; /* the worker is done with the block */
};
static_assert(sizeof(struct block_part) == 16, "wire format");

struct blocks;

/* --- the coordinator's side --- */

/* At most so many bytes in all; none of them taken yet. NULL without memory. */
struct blocks *blocks_new(uint64_t bytes_max);
void blocks_free(struct blocks *blocks);

/* They lie in this file, borrowed, from here on; whoever uses it grows it where it has to. */
void blocks_set_file(struct blocks *blocks, int fd, uint64_t from);

/* Sees that the seat has blocks to fill, if there are any. */
void blocks_offer(struct blocks *blocks, uint32_t seat, struct outbox *outbox);

/* The bytes of a part, valid until blocks_pass; NULL: there can be no such part. */
const char *blocks_take(struct blocks *blocks, uint32_t seat,
			const struct block_part *part);

/* The part that was taken has been looked at. */
void blocks_pass(struct blocks *blocks, const struct block_part *part);

/* Whoever had that seat is gone: what it was offered is free. */
void blocks_reclaim(struct blocks *blocks, uint32_t seat);

/* Whether these bytes are of a block that is in use; NULL blocks have none. */
bool blocks_has(const struct blocks *blocks, const char *bytes);

/* Whether both are of one block. */
bool blocks_is_same(const struct blocks *blocks, const char *a, const char *b);

/* The block these bytes are of stays as it is until each keep is followed by a drop. */
void blocks_keep(struct blocks *blocks, const char *bytes);
void blocks_drop(struct blocks *blocks, const char *bytes);

/* --- the worker's side --- */

/* Zero: nothing was offered yet. */
struct block_writer {
	char **maps; /* by block; NULL: not mapped */
	size_t map_count;
	uint32_t block; /* the one in hand, plus 1; 0: none */
	uint32_t used_bytes;
};

/*
 * Where output may be put, and how much; NULL: nowhere. `fd` is the file.
 */
char *block_writer_room(struct block_writer *writer, struct outbox *outbox, int fd,
			size_t *room);

/* So many bytes were put there: fills in the part to tell of, but for its stream. */
void block_writer_put(struct block_writer *writer, size_t length, struct block_part *part);

void block_writer_fini(struct block_writer *writer);

#endif

/* blocks.c: see blocks.h. */
#include "ipc/blocks.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* What is left of a block below this is not worth a read. */
#define BLOCK_ROOM_MIN (32 * 1024)

struct block {
	uint32_t keep_count;
	uint32_t seat;       /* that filled it last, or fills it now */
	uint32_t told_bytes; /* what the seat has said is there */
	bool is_offered;     /* and not yet done with */
};

struct blocks {
	struct block items[BLOCKS_MAX];
	uint32_t count; /* that the file has room for */
	uint32_t count_max;
	int fd;
	uint32_t first; /* the file's first block, counted from its start */
	char *map;      /* of count_max blocks; NULL: none offered yet */
};

/* --- the coordinator's side --- */

struct blocks *
blocks_new(uint64_t bytes_max)
{
	struct blocks *blocks = calloc(1, sizeof(*blocks));
	if (blocks == NULL)
		return NULL;
	uint64_t count = bytes_max / BLOCK_BYTES;
	blocks->count_max = count < BLOCKS_MAX ? (uint32_t)count : BLOCKS_MAX;
	blocks->fd = -1;
	return blocks;
}

static size_t
blocks_map_bytes(const struct blocks *blocks)
{
	return (size_t)blocks->count_max * BLOCK_BYTES;
}

void
blocks_free(struct blocks *blocks)
{
	if (blocks == NULL)
		return;
	if (blocks->map != NULL)
		munmap(blocks->map, blocks_map_bytes(blocks));
	free(blocks);
}

void
blocks_set_file(struct blocks *blocks, int fd, uint64_t from)
{
	blocks->fd = fd;
	blocks->first = (uint32_t)((from + BLOCK_BYTES - 1) / BLOCK_BYTES);
}

/* Without memory for them there are no blocks, ever: that is no failure. */
static bool
blocks_open(struct blocks *blocks)
{
	if (blocks->map != NULL || blocks->fd == -1 || blocks->count_max == 0)
		return blocks->map != NULL;
	void *map = mmap(NULL, blocks_map_bytes(blocks), PROT_READ, MAP_SHARED,
			 blocks->fd, (off_t)blocks->first * BLOCK_BYTES);
	if (map == MAP_FAILED) {
		blocks->count_max = 0;
		return false;
	}
	madvise(map, blocks_map_bytes(blocks), MADV_DONTFORK);
	blocks->map = map;
	return true;
}

/* One more in the file. */
static bool
blocks_grow(struct blocks *blocks)
{
	if (blocks->count == blocks->count_max)
		return false;
	off_t end = ((off_t)blocks->first + blocks->count + 1) * BLOCK_BYTES;
	if (ftruncate(blocks->fd, end) == -1) {
		blocks->count_max = blocks->count;
		return false;
	}
	blocks->count++;
	return true;
}

static bool
block_is_free(const struct block *block)
{
	return !block->is_offered && block->keep_count == 0;
}

/* A free block: one that the seat knows, else one that nobody knows, else any. */
static uint32_t
blocks_find(struct blocks *blocks, uint32_t seat)
{
	uint32_t other = BLOCK_NONE;
	for (uint32_t i = 0; i < blocks->count; i++) {
		if (!block_is_free(&blocks->items[i]))
			continue;
		if (blocks->items[i].seat == seat)
			return i;
		other = i;
	}
	return blocks_grow(blocks) ? blocks->count - 1 : other;
}

void
blocks_offer(struct blocks *blocks, uint32_t seat, struct outbox *outbox)
{
	uint32_t block;
	if (!blocks_open(blocks))
		return;
	while (outbox_wants_block(outbox) &&
	       (block = blocks_find(blocks, seat)) != BLOCK_NONE) {
		blocks->items[block] = (struct block){.seat = seat, .is_offered = true};
		outbox_offer_block(outbox, blocks->first + block);
	}
}

static char *
blocks_at(const struct blocks *blocks, uint32_t block)
{
	return blocks->map + (size_t)block * BLOCK_BYTES;
}

const char *
blocks_take(struct blocks *blocks, uint32_t seat, const struct block_part *part)
{
	uint32_t index = part->block - blocks->first;
	if (blocks->map == NULL || part->block < blocks->first || index >= blocks->count)
		return NULL;
	struct block *block = &blocks->items[index];
	if (!block->is_offered || block->seat != seat || part->from != block->told_bytes ||
	    part->length == 0 || part->length > BLOCK_BYTES - part->from)
		return NULL;
	block->told_bytes += part->length;
	return blocks_at(blocks, index) + part->from;
}

void
blocks_pass(struct blocks *blocks, const struct block_part *part)
{
	if (part->is_last)
		blocks->items[part->block - blocks->first].is_offered = false;
}

void
blocks_reclaim(struct blocks *blocks, uint32_t seat)
{
	for (uint32_t i = 0; i < blocks->count; i++)
		if (blocks->items[i].seat == seat)
			blocks->items[i].is_offered = false;
}

bool
blocks_has(const struct blocks *blocks, const char *bytes)
{
	return blocks != NULL && blocks->map != NULL && bytes >= blocks->map &&
	       bytes < blocks_at(blocks, blocks->count);
}

bool
blocks_is_same(const struct blocks *blocks, const char *a, const char *b)
{
	return (a - blocks->map) / BLOCK_BYTES == (b - blocks->map) / BLOCK_BYTES;
}

static struct block *
blocks_of(struct blocks *blocks, const char *bytes)
{
	assert(blocks_has(blocks, bytes));
	return &blocks->items[(size_t)(bytes - blocks->map) / BLOCK_BYTES];
}

void
blocks_keep(struct blocks *blocks, const char *bytes)
{
	blocks_of(blocks, bytes)->keep_count++;
}

void
blocks_drop(struct blocks *blocks, const char *bytes)
{
	struct block *block = blocks_of(blocks, bytes);
	assert(block->keep_count > 0);
	block->keep_count--;
}

/* --- the worker's side --- */

/* The block's bytes, mapped once; NULL without memory. */
static char *
block_writer_map(struct block_writer *writer, int fd, uint32_t block)
{
	if (block >= writer->map_count) {
		size_t count = (size_t)block + 1;
		char **maps = reallocarray(writer->maps, count, sizeof(*maps));
		if (maps == NULL)
			return NULL;
		while (writer->map_count < count)
			maps[writer->map_count++] = NULL;
		writer->maps = maps;
	}
	if (writer->maps[block] == NULL) {
		void *map = mmap(NULL, BLOCK_BYTES, PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_POPULATE, fd, (off_t)block * BLOCK_BYTES);
		if (map != MAP_FAILED)
			writer->maps[block] = map;
	}
	return writer->maps[block];
}

char *
block_writer_room(struct block_writer *writer, struct outbox *outbox, int fd, size_t *room)
{
	uint32_t block;
	if (writer->block == 0) {
		if (!outbox_take_block(outbox, &block) ||
		    block_writer_map(writer, fd, block) == NULL)
			return NULL;
		writer->block = block + 1;
		writer->used_bytes = 0;
	}
	*room = BLOCK_BYTES - writer->used_bytes;
	return writer->maps[writer->block - 1] + writer->used_bytes;
}

void
block_writer_put(struct block_writer *writer, size_t length, struct block_part *part)
{
	*part = (struct block_part){
	    .block = writer->block - 1,
	    .from = writer->used_bytes,
	    .length = (uint32_t)length,
	};
	writer->used_bytes += (uint32_t)length;
	part->is_last = BLOCK_BYTES - writer->used_bytes < BLOCK_ROOM_MIN;
	if (part->is_last)
		writer->block = 0;
}

void
block_writer_fini(struct block_writer *writer)
{
	for (size_t i = 0; i < writer->map_count; i++)
		if (writer->maps[i] != NULL)
			munmap(writer->maps[i], BLOCK_BYTES);
	free(writer->maps);
	*writer = (struct block_writer){0};
}

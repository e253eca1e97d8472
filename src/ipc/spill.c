/*
 * spill.c: see spill.h.
 *
 * A stream is a list of pieces in memory, then a list of blocks in the file: once it has
 * a block, all later bytes go to blocks, until the last block has been read. Pieces
 * double in size so that a short stream stays short in memory and a long one is not many
 * pieces.
 */
#include "ipc/spill.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"

#define PIECE_MIN_BYTES 192
#define PIECE_MAX_BYTES (64 * 1024)
#define PIECE_BLOCK_MIN_BYTES \
	(16 * 1024) /* fewer bytes are not worth the keeping of a block */

struct piece {
	struct piece *next;
	char *bytes;   /* its own, behind it, or those of a block */
	uint32_t from; /* bytes [from, to) are held */
	uint32_t to;
	uint32_t capacity;
	bool is_block;
	char own[];
};

/*
 * A stream's place in the file: bytes [from, to) counted over its blocks, the taken ones
 * too.
 */
struct extent {
	uint64_t from;
	uint64_t to;
	uint32_t *blocks;
	uint32_t first; /* blocks before this one have been given back */
	uint32_t count;
	uint32_t capacity;
};

struct held {
	struct piece *head;
	struct piece *tail;
	uint64_t bytes;
	struct extent *extent; /* NULL: all in memory */
};

const char *
spill_folder(const char *given)
{
	const char *folder = given != NULL ? given : getenv("TMPDIR");
	return folder != NULL && *folder != '\0' ? folder : "/tmp";
}

void
spill_init(struct spill *spill, const char *folder, uint64_t budget_bytes,
	   struct blocks *blocks)
{
	*spill = (struct spill){
	    .folder = folder, .blocks = blocks, .budget_bytes = budget_bytes, .fd = -1};
}

void
spill_fini(struct spill *spill)
{
	assert(spill->memory_bytes == 0 && spill->file_bytes == 0);
	io_close_set(&spill->fd);
	free(spill->free_blocks);
	free(spill->window);
	*spill = (struct spill){.fd = -1};
}

static int
spill_file_error(const struct spill *spill, struct err *err)
{
	return err_errno(err,
			 "cannot hold back output in %s (--tmpdir names another folder, "
			 "--buffer keeps more in memory)",
			 spill->folder);
}

/* For file systems without O_TMPFILE. */
static int
spill_open_named(const struct spill *spill)
{
	char *path;
	if (asprintf(&path, "%s/pinion-XXXXXX", spill->folder) == -1)
		return -1;
	int fd = mkostemp(path, O_CLOEXEC);
	if (fd != -1)
		unlink(path);
	int saved = errno;
	free(path);
	errno = saved;
	return fd;
}

static int
spill_open(struct spill *spill, struct err *err)
{
	if (spill->fd != -1)
		return 0;
	spill->fd = open(spill->folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (spill->fd == -1 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL))
		spill->fd = spill_open_named(spill);
	return spill->fd == -1 ? spill_file_error(spill, err) : 0;
}

/* Room in free_blocks for every block there is, so that giving one back never fails. */
static int
spill_grow_free_list(struct spill *spill)
{
	if (spill->block_count < spill->block_capacity)
		return 0;
	uint32_t capacity = spill->block_capacity == 0 ? 64 : spill->block_capacity * 2;
	uint32_t *blocks = reallocarray(spill->free_blocks, capacity, sizeof(*blocks));
	if (blocks == NULL)
		return -1;
	spill->free_blocks = blocks;
	spill->block_capacity = capacity;
	return 0;
}

static int
spill_take_block(struct spill *spill, uint32_t *block, struct err *err)
{
	if (spill->free_count > 0) {
		*block = spill->free_blocks[--spill->free_count];
		return 0;
	}
	if (spill_grow_free_list(spill) == -1)
		return err_no_memory(err);
	*block = spill->block_count++;
	return 0;
}

static void
spill_give_block(struct spill *spill, uint32_t block)
{
	uint64_t at = (uint64_t)block * SPILL_BLOCK_BYTES;
	if (spill->window_at - at < SPILL_BLOCK_BYTES)
		spill->window_bytes = 0;
	/*
	 * Where holes cannot be punched the disk space waits for the next user of the
	 * block.
	 */
	fallocate(spill->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)at,
		  SPILL_BLOCK_BYTES);
	spill->free_blocks[spill->free_count++] = block;
}

/* The file's offset of a stream's byte `pos`. */
static uint64_t
extent_file_at(const struct extent *extent, uint64_t pos)
{
	uint32_t block = extent->blocks[pos / SPILL_BLOCK_BYTES];
	return (uint64_t)block * SPILL_BLOCK_BYTES + pos % SPILL_BLOCK_BYTES;
}

static int
extent_add_block(struct spill *spill, struct extent *extent, struct err *err)
{
	if (extent->count == extent->capacity) {
		uint32_t capacity = extent->capacity == 0 ? 4 : extent->capacity * 2;
		uint32_t *blocks = reallocarray(extent->blocks, capacity, sizeof(*blocks));
		if (blocks == NULL)
			return err_no_memory(err);
		extent->blocks = blocks;
		extent->capacity = capacity;
	}
	if (spill_take_block(spill, &extent->blocks[extent->count], err) == -1)
		return -1;
	extent->count++;
	return 0;
}

static int
extent_append(struct spill *spill, struct extent *extent, const char *bytes,
	      size_t length, struct err *err)
{
	while (length > 0) {
		if (extent->to == (uint64_t)extent->count * SPILL_BLOCK_BYTES &&
		    extent_add_block(spill, extent, err) == -1)
			return -1;
		size_t room = SPILL_BLOCK_BYTES - extent->to % SPILL_BLOCK_BYTES;
		size_t part = length < room ? length : room;
		uint64_t at = extent_file_at(extent, extent->to);
		if (io_pwrite_all(spill->fd, bytes, part, (off_t)at) == -1)
			return spill_file_error(spill, err);
		extent->to += part;
		spill->file_bytes += part;
		bytes += part;
		length -= part;
	}
	return 0;
}

static void
extent_free(struct spill *spill, struct extent *extent)
{
	if (extent == NULL)
		return;
	spill->file_bytes -= extent->to - extent->from;
	for (uint32_t i = extent->first; i < extent->count; i++)
		spill_give_block(spill, extent->blocks[i]);
	free(extent->blocks);
	free(extent);
}

static int
extent_peek(struct spill *spill, const struct extent *extent, const char **bytes,
	    size_t *length, struct err *err)
{
	uint64_t at = extent_file_at(extent, extent->from);
	uint64_t left = extent->to - extent->from;
	size_t in_block = SPILL_BLOCK_BYTES - extent->from % SPILL_BLOCK_BYTES;
	if (spill->window == NULL && (spill->window = malloc(SPILL_BLOCK_BYTES)) == NULL)
		return err_no_memory(err);
	if (at - spill->window_at >= spill->window_bytes) {
		size_t part = left < in_block ? (size_t)left : in_block;
		spill->window_bytes = 0;
		if (io_pread_all(spill->fd, spill->window, part, (off_t)at) == -1)
			return spill_file_error(spill, err);
		spill->window_at = at;
		spill->window_bytes = part;
	}
	*bytes = spill->window + (at - spill->window_at);
	*length = spill->window_bytes - (size_t)(at - spill->window_at);
	return 0;
}

static void
extent_consume(struct spill *spill, struct extent *extent, size_t length)
{
	extent->from += length;
	spill->file_bytes -= length;
	while ((uint64_t)(extent->first + 1) * SPILL_BLOCK_BYTES <= extent->from)
		spill_give_block(spill, extent->blocks[extent->first++]);
}

static size_t
piece_memory(const struct piece *piece)
{
	return sizeof(*piece) + (piece->is_block ? BLOCK_BYTES : piece->capacity);
}

/*
 * A piece for up to `length` more bytes: NULL when the budget (*is_over) or the memory is
 * used up.
 */
static struct piece *
piece_new(struct spill *spill, const struct held *held, size_t length, bool *is_over)
{
	size_t capacity = held->tail == NULL ? 0 : 2 * (size_t)held->tail->capacity;
	if (capacity < length)
		capacity = length;
	if (capacity < PIECE_MIN_BYTES)
		capacity = PIECE_MIN_BYTES;
	if (capacity > PIECE_MAX_BYTES)
		capacity = PIECE_MAX_BYTES;
	size_t memory = sizeof(struct piece) + capacity;
	*is_over = spill->memory_bytes + memory > spill->budget_bytes;
	if (*is_over)
		return NULL;
	struct piece *piece = malloc(memory);
	if (piece == NULL)
		return NULL;
	*piece = (struct piece){.bytes = piece->own, .capacity = (uint32_t)capacity};
	spill->memory_bytes += memory;
	return piece;
}

static void
piece_free(struct spill *spill, struct piece *piece)
{
	spill->memory_bytes -= piece_memory(piece);
	if (piece->is_block)
		blocks_drop(spill->blocks, piece->bytes);
	free(piece);
}

static void
held_push_piece(struct held *held, struct piece *piece)
{
	if (held->tail == NULL)
		held->head = piece;
	else
		held->tail->next = piece;
	held->tail = piece;
}

static int
held_add_piece(struct spill *spill, struct held *held, size_t length, bool *is_over,
	       struct err *err)
{
	struct piece *piece = piece_new(spill, held, length, is_over);
	if (piece == NULL)
		return *is_over ? 0 : err_no_memory(err);
	held_push_piece(held, piece);
	return 0;
}

/* Bytes of a block stay where they are. False: they are none, or the budget is used up. */
static bool
held_append_block(struct spill *spill, struct held *held, const char *bytes, size_t length)
{
	struct piece *tail = held->tail;
	if (!blocks_has(spill->blocks, bytes))
		return false;
	if (tail != NULL && tail->is_block && tail->bytes + tail->to == bytes &&
	    blocks_is_same(spill->blocks, tail->bytes, bytes)) {
		tail->to = tail->capacity = tail->to + (uint32_t)length;
	} else {
		struct piece piece = {.bytes = (char *)bytes,
				      .to = (uint32_t)length,
				      .capacity = (uint32_t)length,
				      .is_block = true};
		size_t memory = piece_memory(&piece);
		if (length < PIECE_BLOCK_MIN_BYTES ||
		    spill->memory_bytes + memory > spill->budget_bytes)
			return false;
		struct piece *kept = malloc(sizeof(*kept));
		if (kept == NULL)
			return false;
		*kept = piece;
		blocks_keep(spill->blocks, bytes);
		spill->memory_bytes += memory;
		held_push_piece(held, kept);
	}
	held->bytes += length;
	return true;
}

/* As many of the bytes as the budget allows go to memory; *taken says how many. */
static int
held_append_memory(struct spill *spill, struct held *held, const char *bytes,
		   size_t length, size_t *taken, struct err *err)
{
	bool is_over = false;
	*taken = 0;
	while (*taken < length) {
		struct piece *tail = held->tail;
		size_t left = length - *taken;
		if (tail == NULL || tail->to == tail->capacity) {
			if (held_add_piece(spill, held, left, &is_over, err) == -1)
				return -1;
			if (is_over)
				return 0;
			tail = held->tail;
		}
		size_t room = tail->capacity - tail->to;
		size_t part = left < room ? left : room;
		memcpy(tail->bytes + tail->to, bytes + *taken, part);
		tail->to += (uint32_t)part;
		held->bytes += part;
		*taken += part;
	}
	return 0;
}

static int
held_append_file(struct spill *spill, struct held *held, const char *bytes, size_t length,
		 struct err *err)
{
	if (spill_open(spill, err) == -1)
		return -1;
	if (held->extent == NULL &&
	    (held->extent = calloc(1, sizeof(*held->extent))) == NULL)
		return err_no_memory(err);
	if (extent_append(spill, held->extent, bytes, length, err) == -1)
		return -1;
	held->bytes += length;
	return 0;
}

int
held_append(struct spill *spill, struct held **held, const char *bytes, size_t length,
	    struct err *err)
{
	if (length == 0)
		return 0;
	if (*held == NULL && (*held = calloc(1, sizeof(**held))) == NULL)
		return err_no_memory(err);
	size_t taken = 0;
	if ((*held)->extent == NULL && held_append_block(spill, *held, bytes, length))
		return 0;
	if ((*held)->extent == NULL &&
	    held_append_memory(spill, *held, bytes, length, &taken, err) == -1)
		return -1;
	if (taken == length)
		return 0;
	return held_append_file(spill, *held, bytes + taken, length - taken, err);
}

uint64_t
held_bytes(const struct held *held)
{
	return held == NULL ? 0 : held->bytes;
}

int
held_peek(struct spill *spill, struct held *held, const char **bytes, size_t *length,
	  struct err *err)
{
	*bytes = NULL;
	*length = 0;
	if (held_bytes(held) == 0)
		return 0;
	if (held->head == NULL)
		return extent_peek(spill, held->extent, bytes, length, err);
	*bytes = held->head->bytes + held->head->from;
	*length = held->head->to - held->head->from;
	return 0;
}

/* The front piece has been read to its end. */
static void
held_drop_piece(struct spill *spill, struct held *held)
{
	struct piece *piece = held->head;
	held->head = piece->next;
	if (held->head == NULL)
		held->tail = NULL;
	piece_free(spill, piece);
}

void
held_consume(struct spill *spill, struct held *held, size_t length)
{
	if (length == 0)
		return;
	held->bytes -= length;
	if (held->head != NULL) {
		assert(length <= held->head->to - held->head->from);
		held->head->from += (uint32_t)length;
		if (held->head->from == held->head->to)
			held_drop_piece(spill, held);
		return;
	}
	extent_consume(spill, held->extent, length);
	if (held->bytes == 0) {
		extent_free(spill, held->extent);
		held->extent = NULL;
	}
}

void
held_free(struct spill *spill, struct held *held)
{
	if (held == NULL)
		return;
	while (held->head != NULL)
		held_drop_piece(spill, held);
	extent_free(spill, held->extent);
	free(held);
}

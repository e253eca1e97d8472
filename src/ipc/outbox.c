/* outbox.c: see outbox.h. */
#include "ipc/outbox.h"

#include <assert.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"

/* A head takes a page of its own: mappings begin on pages. Pages of up to 64 KiB will do. */
#define OUTBOX_HEAD_BYTES (64 * 1024)
#define OUTBOX_FILE_BYTES (OUTBOX_HEAD_BYTES + OUTBOX_BYTES)
#define OUTBOX_MAP_BYTES (OUTBOX_FILE_BYTES + OUTBOX_BYTES)

struct outbox_head {
	alignas(64) _Atomic uint64_t end_pos; /* bytes ever committed; worker only */
	_Atomic uint64_t base_pos;   /* what stands at the area's start; worker only */
	_Atomic uint32_t wants_room; /* set by the worker, cleared by the coordinator */
	_Atomic uint32_t taken;      /* blocks ever; worker only */
	alignas(64) _Atomic uint64_t begin_pos; /* bytes ever released; coordinator only */
	_Atomic uint32_t is_rung; /* set by the worker, cleared by the coordinator */
	_Atomic uint32_t offered; /* blocks ever; coordinator only, as the offers */
	_Atomic uint32_t offers[OUTBOX_OFFERS];
};

uint64_t
outbox_file_bytes(size_t count)
{
	return (uint64_t)count * OUTBOX_FILE_BYTES;
}

int
outbox_open(struct err *err)
{
	int fd = io_memfd("pinion-results", 0);
	return fd == -1 ? err_errno(err, "cannot make room for results") : fd;
}

static int
outbox_grow(int fd, off_t length)
{
	struct stat st;
	if (fstat(fd, &st) == -1)
		return -1;
	return st.st_size >= length ? 0 : ftruncate(fd, length);
}

int
outbox_map(struct outbox *outbox, int fd, size_t index, bool is_new, struct err *err)
{
	off_t at = (off_t)(index * OUTBOX_FILE_BYTES);
	if (is_new && outbox_grow(fd, at + OUTBOX_FILE_BYTES) == -1)
		return err_errno(err, "cannot make room for a worker's results");
	int protection = PROT_READ | PROT_WRITE;
	char *map =
	    mmap(NULL, OUTBOX_MAP_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (map == MAP_FAILED)
		return err_errno(err, "cannot map a worker's results");
	if (mmap(map, OUTBOX_FILE_BYTES, protection, MAP_SHARED | MAP_FIXED, fd, at) ==
		MAP_FAILED ||
	    mmap(map + OUTBOX_FILE_BYTES, OUTBOX_BYTES, protection,
		 MAP_SHARED | MAP_FIXED, fd, at + OUTBOX_HEAD_BYTES) == MAP_FAILED ||
	    madvise(map, OUTBOX_MAP_BYTES, MADV_DONTFORK) == -1) {
		err_errno(err, "cannot map a worker's results");
		munmap(map, OUTBOX_MAP_BYTES);
		return -1;
	}
	*outbox = (struct outbox){.head = (struct outbox_head *)(void *)map,
				  .bytes = map + OUTBOX_HEAD_BYTES};
	if (is_new) {
		atomic_store(&outbox->head->end_pos, 0);
		atomic_store(&outbox->head->base_pos, 0);
		atomic_store(&outbox->head->begin_pos, 0);
		atomic_store(&outbox->head->wants_room, 0);
		atomic_store(&outbox->head->is_rung, 0);
		atomic_store(&outbox->head->taken, 0);
		atomic_store(&outbox->head->offered, 0);
	}
	return 0;
}

void
outbox_unmap(struct outbox *outbox)
{
	if (outbox->head != NULL)
		munmap(outbox->head, OUTBOX_MAP_BYTES);
	*outbox = (struct outbox){0};
}

static char *
outbox_at(const struct outbox *outbox, uint64_t pos)
{
	uint64_t base = atomic_load_explicit(&outbox->head->base_pos, memory_order_relaxed);
	return outbox->bytes + ((pos - base) & (OUTBOX_BYTES - 1));
}

/* --- the worker's side --- */

char *
outbox_reserve(struct outbox *outbox, size_t length)
{
	assert(length <= OUTBOX_BYTES);
	uint64_t begin =
	    atomic_load_explicit(&outbox->head->begin_pos, memory_order_acquire);
	if (outbox->pos + length - begin > OUTBOX_BYTES)
		return NULL;
	/*
	 * All is released: starts again at the front, so that the memory in use (and in the
	 * caches) is that of what is under way. The reader learns of it with the next commit.
	 */
	if (outbox->pos == begin)
		atomic_store_explicit(&outbox->head->base_pos, begin, memory_order_relaxed);
	return outbox_at(outbox, outbox->pos);
}

bool
outbox_is_sound(const struct outbox *outbox)
{
	uint64_t begin =
	    atomic_load_explicit(&outbox->head->begin_pos, memory_order_relaxed);
	return outbox->pos - begin <= OUTBOX_BYTES;
}

void
outbox_commit(struct outbox *outbox, size_t length)
{
	outbox->pos += length;
	atomic_store_explicit(&outbox->head->end_pos, outbox->pos, memory_order_release);
}

bool
outbox_ring(struct outbox *outbox)
{
	/* Sequentially consistent with outbox_answer: it sees the end, or we see its clearing. */
	atomic_thread_fence(memory_order_seq_cst);
	return atomic_exchange(&outbox->head->is_rung, 1) == 0;
}

bool
outbox_take_block(struct outbox *outbox, uint32_t *block)
{
	struct outbox_head *head = outbox->head;
	uint32_t taken = atomic_load_explicit(&head->taken, memory_order_relaxed);
	if (taken == atomic_load_explicit(&head->offered, memory_order_acquire))
		return false;
	*block = atomic_load_explicit(&head->offers[taken % OUTBOX_OFFERS],
				      memory_order_relaxed);
	atomic_store_explicit(&head->taken, taken + 1, memory_order_release);
	return true;
}

void
outbox_want_room(struct outbox *outbox)
{
	atomic_store(&outbox->head->wants_room, 1);
	atomic_thread_fence(memory_order_seq_cst);
}

bool
outbox_unwant_room(struct outbox *outbox)
{
	return atomic_exchange(&outbox->head->wants_room, 0) != 0;
}

/* --- the coordinator's side --- */

void
outbox_answer(struct outbox *outbox)
{
	atomic_store(&outbox->head->is_rung, 0);
	atomic_thread_fence(memory_order_seq_cst);
}

const char *
outbox_peek(const struct outbox *outbox, size_t *length)
{
	uint64_t end = atomic_load_explicit(&outbox->head->end_pos, memory_order_acquire);
	if (end - outbox->pos > OUTBOX_BYTES)
		return NULL;
	*length = (size_t)(end - outbox->pos);
	return outbox_at(outbox, outbox->pos);
}

void
outbox_take(struct outbox *outbox, size_t length)
{
	outbox->pos += length;
}

bool
outbox_release(struct outbox *outbox)
{
	atomic_store_explicit(&outbox->head->begin_pos, outbox->pos, memory_order_release);
	atomic_thread_fence(memory_order_seq_cst);
	uint64_t end = atomic_load_explicit(&outbox->head->end_pos, memory_order_relaxed);
	if (end - outbox->pos > OUTBOX_BYTES / 2) /* whoever waits adds nothing */
		return false;
	return atomic_load_explicit(&outbox->head->wants_room, memory_order_relaxed) != 0 &&
	       atomic_exchange(&outbox->head->wants_room, 0) != 0;
}

bool
outbox_wants_block(const struct outbox *outbox)
{
	const struct outbox_head *head = outbox->head;
	uint32_t offered = atomic_load_explicit(&head->offered, memory_order_relaxed);
	return offered - atomic_load_explicit(&head->taken, memory_order_acquire) <
	       OUTBOX_OFFERS;
}

void
outbox_offer_block(struct outbox *outbox, uint32_t block)
{
	struct outbox_head *head = outbox->head;
	uint32_t offered = atomic_load_explicit(&head->offered, memory_order_relaxed);
	atomic_store_explicit(&head->offers[offered % OUTBOX_OFFERS], block,
			      memory_order_relaxed);
	atomic_store_explicit(&head->offered, offered + 1, memory_order_release);
}

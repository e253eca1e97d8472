/* ring.c: see ring.h. The only user of futexes and of memory order. */
#include "ipc/ring.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"

enum ring_state { RING_FREE, RING_READY, RING_CLAIMED, RING_TAKEN };
#define RING_STATE_BITS 2
#define RING_WITHDRAWN_BY \
	RING_OWNER_MAX /* the coordinator's name in a cell it withdrew */

/* A payload over this part of the data area goes behind the mapping. */
#define RING_LARGE_PART 4
/* Each begins on a page of its own, so that its memory can be given back whole. */
#define RING_PAGE_BYTES UINT64_C(4096)
#define RING_LARGE_LIVE_MAX \
	(UINT64_C(64) << 20) /* waiting at once, unless it is one alone */

struct ring_cell {
	_Atomic uint32_t state; /* enum ring_state | owner << RING_STATE_BITS; see ring.h for who.
				 * READY: the position's lap in place of an owner */
	uint32_t length;  /* coordinator only */
	uint64_t data_at; /* offset in the memfd; coordinator only */
};
static_assert(sizeof(struct ring_cell) == 16, "four cells a cache line");

struct ring_header {
	alignas(64) _Atomic uint64_t push_pos; /* cells ever published; coordinator only */
	_Atomic uint32_t is_closed;            /* coordinator only */
	uint64_t cell_count; /* this and the next: fixed before the first worker */
	uint64_t data_bytes;
	alignas(64) _Atomic uint32_t bell; /* futex: rung at each publish; coordinator only */
	alignas(64) _Atomic uint32_t
	    sleepers; /* workers in futex wait; any worker. A hint: a dead one stays */
	alignas(64) _Atomic uint64_t pop_pos; /* all below it is claimed; any worker. A hint */
};

/* The coordinator's own memory of a cell; never shared. */
struct ring_note {
	uint64_t id;
	uint32_t attempt;
	bool is_large;
	uint64_t data_at;
	uint64_t data_end_pos; /* data area position behind it; large: bytes */
};

struct ring {
	int fd;
	size_t map_bytes;
	struct ring_header *header;
	struct ring_cell *cells;
	char *data;
	uint64_t cell_mask;
	size_t data_offset; /* of the data area in the memfd */
	size_t data_bytes;

	/* Coordinator only, in private memory. */
	struct ring_note *notes;
	uint64_t push_pos; /* cells ever pushed, published or not */
	uint64_t tail_pos; /* cells ever collected */
	uint64_t data_push_pos;
	uint64_t data_tail_pos;
	uint64_t large_next;  /* where the next large payload goes in the memfd */
	uint64_t large_bytes; /* of large payloads not yet collected */
	bool is_closed;
};

static uint64_t
ring_round_to_page(uint64_t bytes)
{
	return (bytes + RING_PAGE_BYTES - 1) & ~(RING_PAGE_BYTES - 1);
}

static long
ring_futex(_Atomic uint32_t *word, int operation, uint32_t value)
{
	return syscall(SYS_futex, word, operation, value, NULL, NULL, 0);
}

static void
ring_measure(struct ring *ring, size_t cell_count, size_t data_bytes)
{
	ring->cell_mask = cell_count - 1;
	ring->data_offset =
	    sizeof(struct ring_header) + cell_count * sizeof(struct ring_cell);
	ring->data_bytes = data_bytes;
	ring->map_bytes = ring->data_offset + data_bytes;
}

static int
ring_map(struct ring *ring, struct err *err)
{
	char *map =
	    mmap(NULL, ring->map_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, 0);
	if (map == MAP_FAILED) {
		err_errno(err, "cannot map the task queue of %zu bytes", ring->map_bytes);
		return -1;
	}
	ring->header = (struct ring_header *)map;
	ring->cells = (struct ring_cell *)(map + sizeof(struct ring_header));
	ring->data = map + ring->data_offset;
	return 0;
}

struct ring *
ring_new(size_t cell_count, size_t data_bytes, struct err *err)
{
	assert((cell_count & (cell_count - 1)) == 0 && (data_bytes & (data_bytes - 1)) == 0);
	struct ring *ring = calloc(1, sizeof(*ring));
	if (ring == NULL) {
		err_no_memory(err);
		return NULL;
	}
	ring->fd = -1;
	ring_measure(ring, cell_count, data_bytes);
	ring->notes = calloc(cell_count, sizeof(*ring->notes));
	if (ring->notes == NULL) {
		err_no_memory(err);
		goto free_ring;
	}
	ring->fd = io_memfd("pinion-ring", (off_t)ring->map_bytes);
	if (ring->fd == -1) {
		err_errno(err, "cannot make the task queue of %zu bytes", ring->map_bytes);
		goto free_ring;
	}
	if (ring_map(ring, err) == -1)
		goto free_ring;
	ring->header->cell_count = cell_count;
	ring->header->data_bytes = data_bytes;
	ring->large_next = ring_round_to_page(ring->map_bytes);
	return ring;

free_ring:
	ring_free(ring);
	return NULL;
}

/* The two numbers in its header, if there can be a ring behind them. */
static int
ring_read_measures(struct ring *ring, int fd)
{
	struct stat st;
	struct ring_header header;
	if (fstat(fd, &st) == -1 || st.st_size < (off_t)sizeof(header) ||
	    io_pread_all(fd, &header, sizeof(header), 0) == -1)
		return -1;
	uint64_t most = (uint64_t)st.st_size;
	uint64_t measures[] = {header.cell_count, header.data_bytes};
	for (int i = 0; i < 2; i++)
		if (measures[i] == 0 || measures[i] > most ||
		    (measures[i] & (measures[i] - 1)) != 0)
			return -1;
	ring_measure(ring, measures[0], measures[1]);
	return ring->map_bytes <= most ? 0 : -1;
}

struct ring *
ring_attach(int fd, struct err *err)
{
	struct ring *ring = calloc(1, sizeof(*ring));
	if (ring == NULL) {
		err_no_memory(err);
		return NULL;
	}
	ring->fd = -1;
	if (ring_read_measures(ring, fd) == -1) {
		err_set(err, ERR_BROKEN, "this is no task queue");
		goto free_ring;
	}
	ring->fd = fd;
	if (ring_map(ring, err) == 0)
		return ring;
	ring->fd = -1; /* still the caller's */

free_ring:
	ring_free(ring);
	return NULL;
}

void
ring_free(struct ring *ring)
{
	if (ring == NULL)
		return;
	if (ring->header != NULL)
		munmap(ring->header, ring->map_bytes);
	io_close(ring->fd);
	free(ring->notes);
	free(ring);
}

int
ring_fd(const struct ring *ring)
{
	return ring->fd;
}

static struct ring_cell *
ring_cell(const struct ring *ring, uint64_t position)
{
	return &ring->cells[position & ring->cell_mask];
}

static uint32_t
ring_word(enum ring_state state, uint32_t owner)
{
	return (uint32_t)state | owner << RING_STATE_BITS;
}

/*
 * What a cell holds while the position is there to be claimed. The lap tells it from the
 * same cell one round later: a worker that slept in the middle of its claim must not take
 * that one, ahead of all that were pushed before it.
 */
static uint32_t
ring_word_ready(const struct ring *ring, uint64_t position)
{
	uint64_t lap = position / (ring->cell_mask + 1);
	return ring_word(RING_READY, (uint32_t)lap & RING_OWNER_MAX);
}

static enum ring_state
ring_word_state(uint32_t word)
{
	return (enum ring_state)(word & ((1U << RING_STATE_BITS) - 1));
}

/* --- the coordinator's side --- */

static bool
ring_is_large(const struct ring *ring, size_t length)
{
	return length > ring->data_bytes / RING_LARGE_PART;
}

/* Where a payload would start in the data area: it does not wrap, so the end may be skipped. */
static uint64_t
ring_data_start(const struct ring *ring, size_t length)
{
	uint64_t offset = ring->data_push_pos & (ring->data_bytes - 1);
	if (offset + length <= ring->data_bytes)
		return ring->data_push_pos;
	return ring->data_push_pos + (ring->data_bytes - offset);
}

size_t
ring_room(const struct ring *ring)
{
	return (size_t)(ring->cell_mask + 1 - (ring->push_pos - ring->tail_pos));
}

bool
ring_has_room(const struct ring *ring, size_t length)
{
	if (ring_room(ring) == 0)
		return false;
	if (ring_is_large(ring, length))
		return ring->large_bytes == 0 ||
		       ring->large_bytes + length <= RING_LARGE_LIVE_MAX;
	uint64_t end = ring_data_start(ring, length) + length;
	return end - ring->data_tail_pos <= ring->data_bytes;
}

static int
ring_store_large(struct ring *ring, struct ring_note *note, const void *head,
		 size_t head_length, const void *body, size_t body_length, struct err *err)
{
	if (ring->large_bytes == 0)
		ring->large_next = ring_round_to_page(ring->map_bytes);
	uint64_t at = ring->large_next;
	if (io_pwrite_all(ring->fd, head, head_length, (off_t)at) == -1 ||
	    io_pwrite_all(ring->fd, body, body_length, (off_t)(at + head_length)) == -1)
		return err_errno(err, "cannot put a task of %zu bytes into the task queue",
				 head_length + body_length);
	note->is_large = true;
	note->data_at = at;
	note->data_end_pos = head_length + body_length;
	ring->large_next += ring_round_to_page(note->data_end_pos);
	ring->large_bytes += note->data_end_pos;
	return 0;
}

static void
ring_store_small(struct ring *ring, struct ring_note *note, const void *head,
		 size_t head_length, const void *body, size_t body_length)
{
	uint64_t start = ring_data_start(ring, head_length + body_length);
	char *to = ring->data + (start & (ring->data_bytes - 1));
	if (head_length > 0)
		memcpy(to, head, head_length);
	if (body_length > 0)
		memcpy(to + head_length, body, body_length);
	note->is_large = false;
	note->data_at = ring->data_offset + (start & (ring->data_bytes - 1));
	note->data_end_pos = start + head_length + body_length;
	ring->data_push_pos = note->data_end_pos;
}

int
ring_push(struct ring *ring, uint64_t id, uint32_t attempt, const void *head,
	  size_t head_length, const void *body, size_t body_length, struct err *err)
{
	size_t length = head_length + body_length;
	assert(ring_has_room(ring, length) && length <= UINT32_MAX);
	struct ring_note *note = &ring->notes[ring->push_pos & ring->cell_mask];
	if (ring_is_large(ring, length)) {
		if (ring_store_large(ring, note, head, head_length, body, body_length,
				     err) == -1)
			return -1;
	} else {
		ring_store_small(ring, note, head, head_length, body, body_length);
	}
	note->id = id;
	note->attempt = attempt;
	struct ring_cell *cell = ring_cell(ring, ring->push_pos);
	cell->length = (uint32_t)length;
	cell->data_at = note->data_at;
	atomic_store_explicit(&cell->state, ring_word_ready(ring, ring->push_pos),
			      memory_order_release);
	ring->push_pos++;
	return 0;
}

static void
ring_ring(struct ring *ring, uint32_t wake_count)
{
	/* Sequentially consistent with ring_wait: either we see the sleeper or it sees the bell. */
	atomic_fetch_add(&ring->header->bell, 1);
	uint32_t sleepers = atomic_load(&ring->header->sleepers);
	if (sleepers > 0 && wake_count > 0)
		ring_futex(&ring->header->bell, FUTEX_WAKE,
			   wake_count > INT_MAX ? INT_MAX : wake_count);
}

bool
ring_publish(struct ring *ring)
{
	uint64_t published =
	    atomic_load_explicit(&ring->header->push_pos, memory_order_relaxed);
	if (published == ring->push_pos)
		return false;
	atomic_store_explicit(&ring->header->push_pos, ring->push_pos,
			      memory_order_release);
	ring_ring(ring, (uint32_t)(ring->push_pos - published));
	return true;
}

static void
ring_release_bytes(struct ring *ring, const struct ring_note *note)
{
	if (!note->is_large) {
		ring->data_tail_pos = note->data_end_pos;
		return;
	}
	ring->large_bytes -= note->data_end_pos;
	/* Gives the memory back; where that is not possible it stays until ring_free. */
	fallocate(ring->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		  (off_t)note->data_at, (off_t)ring_round_to_page(note->data_end_pos));
}

bool
ring_collect(struct ring *ring, struct ring_ticket *ticket)
{
	if (ring->tail_pos == ring->push_pos)
		return false;
	struct ring_cell *cell = ring_cell(ring, ring->tail_pos);
	uint32_t word = atomic_load_explicit(&cell->state, memory_order_acquire);
	if (ring_word_state(word) != RING_TAKEN)
		return false;
	const struct ring_note *note = &ring->notes[ring->tail_pos & ring->cell_mask];
	uint32_t owner = word >> RING_STATE_BITS;
	*ticket = (struct ring_ticket){
	    .id = note->id,
	    .attempt = note->attempt,
	    .owner = owner == RING_WITHDRAWN_BY ? RING_OWNER_NONE : owner,
	};
	ring_release_bytes(ring, note);
	atomic_store_explicit(&cell->state, ring_word(RING_FREE, 0), memory_order_relaxed);
	ring->tail_pos++;
	return true;
}

static bool
ring_word_is_claimed(uint32_t word, uint32_t owner_end)
{
	enum ring_state state = ring_word_state(word);
	uint32_t owner = word >> RING_STATE_BITS;
	return (state == RING_CLAIMED && owner < owner_end) ||
	       (state == RING_TAKEN && (owner < owner_end || owner == RING_WITHDRAWN_BY));
}

bool
ring_withdraw(struct ring *ring, uint32_t owner_end, uint64_t *id, uint32_t *attempt)
{
	for (uint64_t position = ring->tail_pos; position < ring->push_pos; position++) {
		_Atomic uint32_t *state = &ring_cell(ring, position)->state;
		uint32_t word = atomic_load(state);
		if (ring_word_is_claimed(word, owner_end) ||
		    !atomic_compare_exchange_strong(
			state, &word, ring_word(RING_TAKEN, RING_WITHDRAWN_BY)))
			continue;
		const struct ring_note *note = &ring->notes[position & ring->cell_mask];
		*id = note->id;
		*attempt = note->attempt;
		return true;
	}
	return false;
}

void
ring_reclaim(struct ring *ring, uint32_t owner,
	     void (*visit)(void *context, uint64_t id, uint32_t attempt), void *context)
{
	for (uint64_t position = ring->tail_pos; position < ring->push_pos; position++) {
		_Atomic uint32_t *state = &ring_cell(ring, position)->state;
		const struct ring_note *note = &ring->notes[position & ring->cell_mask];
		uint32_t claimed = ring_word(RING_CLAIMED, owner);
		atomic_compare_exchange_strong(state, &claimed,
					       ring_word(RING_TAKEN, owner));
		if (atomic_load(state) == ring_word(RING_TAKEN, owner))
			visit(context, note->id, note->attempt);
	}
	/* It may have died garbling the hint; from the tail on nothing is missed. */
	atomic_store(&ring->header->pop_pos, ring->tail_pos);
}

void
ring_mend(struct ring *ring)
{
	struct ring_header *header = ring->header;
	header->cell_count = ring->cell_mask + 1;
	header->data_bytes = ring->data_bytes;
	atomic_store(&header->is_closed, ring->is_closed);
	atomic_store(&header->sleepers, RING_OWNER_MAX); /* each publish wakes somebody */
	atomic_store(&header->pop_pos, ring->tail_pos);
}

size_t
ring_unclaimed(const struct ring *ring)
{
	size_t count = 0;
	for (uint64_t position = ring->tail_pos; position < ring->push_pos; position++) {
		uint32_t word = atomic_load_explicit(&ring_cell(ring, position)->state,
						     memory_order_relaxed);
		count += ring_word_state(word) == RING_READY;
	}
	return count;
}

size_t
ring_sleepers(const struct ring *ring)
{
	return atomic_load_explicit(&ring->header->sleepers, memory_order_relaxed);
}

void
ring_close(struct ring *ring)
{
	ring->is_closed = true;
	atomic_store(&ring->header->is_closed, 1);
	ring_wake_all(ring);
}

void
ring_wake_all(struct ring *ring)
{
	atomic_fetch_add(&ring->header->bell, 1);
	ring_futex(&ring->header->bell, FUTEX_WAKE, INT_MAX);
}

/* --- a worker's side --- */

/* Moves the hint on to `position`, unless another worker moved it further. */
static void
ring_advance_hint(struct ring *ring, uint64_t position)
{
	uint64_t hint = atomic_load_explicit(&ring->header->pop_pos, memory_order_relaxed);
	while (hint < position &&
	       !atomic_compare_exchange_weak(&ring->header->pop_pos, &hint, position))
		;
}

size_t
ring_claim(struct ring *ring, uint32_t owner, size_t max, uint64_t *positions)
{
	size_t count = 0;
	uint64_t end = atomic_load_explicit(&ring->header->push_pos, memory_order_acquire);
	uint64_t position =
	    atomic_load_explicit(&ring->header->pop_pos, memory_order_relaxed);
	if (position > end) /* garbled, or from before a reclaim: not to be passed on */
		position = end;
	for (; position < end && count < max; position++) {
		struct ring_cell *cell = ring_cell(ring, position);
		uint32_t ready = ring_word_ready(ring, position);
		if (atomic_load_explicit(&cell->state, memory_order_relaxed) == ready &&
		    atomic_compare_exchange_strong_explicit(
			&cell->state, &ready, ring_word(RING_CLAIMED, owner),
			memory_order_acquire, memory_order_relaxed))
			positions[count++] = position;
	}
	ring_advance_hint(ring, position);
	return count;
}

int
ring_take(struct ring *ring, uint64_t position, struct buf *bytes)
{
	struct ring_cell *cell = ring_cell(ring, position);
	uint32_t length = cell->length;
	buf_clear(bytes);
	if (buf_reserve(bytes, length) == -1) {
		errno = ENOMEM;
		return -1;
	}
	if (cell->data_at >= ring->map_bytes) {
		if (io_pread_all(ring->fd, bytes->bytes, length, (off_t)cell->data_at) == -1)
			return -1;
	} else if (length > 0) {
		memcpy(bytes->bytes, (const char *)ring->header + cell->data_at, length);
	}
	bytes->length = length;
	uint32_t owner =
	    atomic_load_explicit(&cell->state, memory_order_relaxed) >> RING_STATE_BITS;
	atomic_store_explicit(&cell->state, ring_word(RING_TAKEN, owner),
			      memory_order_release);
	return 0;
}

uint32_t
ring_bell(const struct ring *ring)
{
	return atomic_load(&ring->header->bell);
}

void
ring_wait(struct ring *ring, uint32_t bell)
{
	atomic_fetch_add(&ring->header->sleepers, 1);
	ring_futex(&ring->header->bell, FUTEX_WAIT, bell);
	atomic_fetch_sub(&ring->header->sleepers, 1);
}

bool
ring_is_closed(const struct ring *ring)
{
	return atomic_load_explicit(&ring->header->is_closed, memory_order_acquire) != 0;
}

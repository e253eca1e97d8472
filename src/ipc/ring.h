/*
 * ring.h: the task queue between the coordinator and its workers.
 *
 * Owns a memfd and its mapping. One process pushes (the coordinator), many claim
 * (workers, which inherit the mapping by fork, or attach to the descriptor). Cells hold opaque bytes; encoding a task
 * is task.h's business.
 *
 * Never allocates after ring_new, never blocks the pusher and takes no lock: a claim is
 * one compare-and-swap that leaves the claimer's name in the cell, so a worker killed at
 * any instruction leaves the ring usable and what it had claimed known. Whoever pushes
 * keeps its own copy of what matters until the work is reported as done.
 *
 * A cell's life:
 *
 *   FREE --push--> READY --claim--> CLAIMED by w --taken--> TAKEN by w --collect--> FREE
 *        (coordinator)   (worker)                 (worker)              (coordinator)
 *
 * Bytes live in a circular area of the mapping; payloads too large for it go into the
 * same memfd behind the mapping (written and read by offset, given back to the kernel
 * when collected).
 *
 * A garbled ring (a plugin writing wildly) cannot make the coordinator read or write out
 * of bounds: what it needs to know of a cell it keeps in private memory.
 */
#ifndef PINION_RING_H
#define PINION_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define RING_OWNER_NONE UINT32_MAX
#define RING_OWNER_MAX UINT32_C(0x0fffffff) /* owners are 0..this */

struct ring;

/* What the coordinator remembers of a cell. */
struct ring_ticket {
	uint64_t id; /* the pusher's word for it (a seq) */
	uint32_t attempt;
	uint32_t owner; /* who claimed it; RING_OWNER_NONE: withdrawn unclaimed */
};

/* `cell_count` and `data_bytes`: powers of two. */
struct ring *ring_new(size_t cell_count, size_t data_bytes, struct err *err);

/*
 * For a worker that was executed: the ring whose descriptor it inherited, which is the
 * ring's from here on. Only the worker's side of it may be used.
 */
struct ring *ring_attach(int fd, struct err *err);
void ring_free(struct ring *ring); /* unmaps and closes; in each process for itself */
int ring_fd(const struct ring *ring);

/* --- the coordinator's side --- */

/* Cells that can be pushed now, whatever their size may allow. */
size_t ring_room(const struct ring *ring);
bool ring_has_room(const struct ring *ring, size_t length);

/* Copies the bytes of `head` and `body` into the next cell; not visible before ring_publish. */
int ring_push(struct ring *ring, uint64_t id, uint32_t attempt, const void *head,
	      size_t head_length, const void *body, size_t body_length, struct err *err);

/*
 * Shows all pushed cells and wakes as many sleeping workers as there are new ones. False: there
 * are none.
 */
bool ring_publish(struct ring *ring);

/* Gives the oldest cell that is TAKEN back for use: true and its ticket; false: none. */
bool ring_collect(struct ring *ring, struct ring_ticket *ticket);

/*
 * Takes back the oldest cell that none of the owners below `owner_end` has claimed, be it garbled;
 * false: none is left. Its id comes at once; its place is freed by a later ring_collect, whose
 * ticket then says RING_OWNER_NONE.
 */
bool ring_withdraw(struct ring *ring, uint32_t owner_end, uint64_t *id, uint32_t *attempt);

/*
 * After a worker's death: names every cell it had claimed and that is not collected yet;
 * claimed ones count as taken from now on. `visit` must not touch the ring.
 */
void ring_reclaim(struct ring *ring, uint32_t owner,
		  void (*visit)(void *context, uint64_t id, uint32_t attempt),
		  void *context);

/*
 * After the death of a worker that may have written wildly: all but the cells is as it should be.
 * Those that nobody has claimed are for ring_withdraw.
 */
void ring_mend(struct ring *ring);

size_t ring_unclaimed(const struct ring *ring); /* cells pushed that no one has claimed */
size_t ring_sleepers(const struct ring *ring);  /* a hint */

/* No more pushes: workers that find nothing, and the ring closed, may leave. Wakes all. */
void ring_close(struct ring *ring);

/* Wakes all sleepers so that they look at the board. */
void ring_wake_all(struct ring *ring);

/* --- a worker's side --- */

/* Up to `max` cells for `owner`; their positions into `positions`. 0: nothing there. */
size_t ring_claim(struct ring *ring, uint32_t owner, size_t max, uint64_t *positions);

/* Copies a claimed cell's bytes into `bytes` (cleared first) and marks it taken. -1: errno. */
int ring_take(struct ring *ring, uint64_t position, struct buf *bytes);

/* Before looking for work; given to ring_wait, which returns at once if anything was published since. */
uint32_t ring_bell(const struct ring *ring);

/* Sleeps until something is published, the ring is closed, all are woken or a signal comes. */
void ring_wait(struct ring *ring, uint32_t bell);

bool ring_is_closed(const struct ring *ring);

#endif

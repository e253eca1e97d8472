/*
 * outbox.h: what a worker has to say, in memory it shares with the coordinator.
 *
 * A circular area of bytes, written by one worker and read by the coordinator. What a worker
 * has committed there is said, though the worker be killed at the next instruction: nothing
 * of its results waits in memory that dies with it. The area is mapped twice in a row, so
 * that every stretch of it is in one piece.
 *
 * All outboxes of a pool are parts of one memfd, which takes memory only where something was
 * written. Waking the other side is the business of whoever calls: outbox_ring says when the
 * coordinator has to be woken, outbox_release when the worker has.
 *
 * The coordinator trusts nothing it reads here: positions are checked, and bytes that decide
 * anything are to be copied before they are looked at.
 */
#ifndef PINION_OUTBOX_H
#define PINION_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define OUTBOX_BYTES (256 * 1024) /* of the area; a power of two and whole pages */
#define OUTBOX_OFFERS 4           /* blocks a worker may have before it; a power of two */

struct outbox_head;

/* One side's view; each has its own mapping. Zero: not mapped. */
struct outbox {
	struct outbox_head *head;
	char *bytes;
	uint64_t pos; /* the writer's end, or the reader's begin */
};

/* What so many outboxes take of the file. */
uint64_t outbox_file_bytes(size_t count);

/* An empty file, for any number of outboxes; -1 and err. The caller closes it. */
int outbox_open(struct err *err);

/*
 * Maps the outbox `index` of the file, not to be inherited over fork. `is_new`: whoever wrote
 * or read there before is gone: it starts empty, and the file grows if it has to.
 */
int outbox_map(struct outbox *outbox, int fd, size_t index, bool is_new, struct err *err);
void outbox_unmap(struct outbox *outbox);

/* --- the worker's side --- */

/* Where the next `length` bytes go; NULL: no room now. length <= OUTBOX_BYTES. */
char *outbox_reserve(struct outbox *outbox, size_t length);

/* False: somebody has written into it who should not, and nothing can be said any more. */
bool outbox_is_sound(const struct outbox *outbox);

/* So many of the bytes reserved are said. */
void outbox_commit(struct outbox *outbox, size_t length);

/* True: the coordinator has to be woken; false: it has been, and has not looked since. */
bool outbox_ring(struct outbox *outbox);

/* The next block that was offered (blocks.h), if there is one. */
bool outbox_take_block(struct outbox *outbox, uint32_t *block);

/* To be woken when there is room; then reserve is to be tried once more before sleeping. */
void outbox_want_room(struct outbox *outbox);

/* There is room after all. False: too late, to be woken is under way. */
bool outbox_unwant_room(struct outbox *outbox);

/* --- the coordinator's side --- */

/* It has been woken and looks now: what is said from here on rings again. */
void outbox_answer(struct outbox *outbox);

/* What was said and not taken yet, in one piece; NULL: what stands there cannot be. */
const char *outbox_peek(const struct outbox *outbox, size_t *length);

/* So many bytes of it are done with, but not released yet. */
void outbox_take(struct outbox *outbox, size_t length);

/*
 * Gives all that was taken back. True: the worker waits for room and has to be woken; not for
 * every few bytes, at least half is free then.
 */
bool outbox_release(struct outbox *outbox);

/* Whether fewer than OUTBOX_OFFERS blocks wait to be taken; and one more that does. */
bool outbox_wants_block(const struct outbox *outbox);
void outbox_offer_block(struct outbox *outbox, uint32_t block);

#endif

/*
 * channel.h: a worker's line to the coordinator: results out, orders in, and the one
 * place where a worker waits while it has a task in hand; the other is a doze (doze.h).
 *
 * Frames go straight into the worker's outbox, where they are safe; the coordinator is woken
 * by a byte in the result pipe, and that only when enough has come together or some time has
 * passed. A full outbox makes the worker wait: that is the backpressure. All signals are
 * blocked except inside channel_wait and that wait, so none is lost between a check and a
 * wait; while a plugin is served, and in a doze, they are open, but not around these waits.
 */
#ifndef PINION_CHANNEL_H
#define PINION_CHANNEL_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "ipc/blocks.h"
#include "ipc/board.h"
#include "ipc/frame.h"
#include "ipc/outbox.h"
#include "task/result.h"

/* What delay_ns is if nobody sets it: so that a task can be watched live. */
#define CHANNEL_DELAY_MS 10
#define CHANNEL_BATCH_BYTES (48 * 1024)       /* and at once of more bytes than this */
#define CHANNEL_BLOCK_BATCH_BYTES BLOCK_BYTES /* where they are in blocks */

#define CHANNEL_ANSWER_MAX (FRAME_PAYLOAD_MAX - sizeof(struct frame_answer))

struct channel {
	int fd; /* the result pipe; non-blocking */
	struct outbox outbox;
	int outbox_fd; /* the file of the outboxes, for blocks; -1: no blocks */
	struct block_writer blocks;
	struct board_seat *seat;
	sigset_t wait_mask;   /* during channel_wait */
	size_t unheard_bytes; /* said since the coordinator was last woken */
	size_t block_bytes;   /* and put into blocks */
	int64_t delay_ns;     /* it hears at the latest so long after */
	int64_t flush_at_ns;
	int64_t flushed_at_ns; /* kept by channel_flush_due */
	uint64_t seq;          /* the task in hand */
	uint32_t attempt;
	uint64_t stream_bytes[RESULT_STREAMS]; /* of the task in hand */
	void (*orphaned)(void); /* called when the coordinator's end is closed; does not return */
};

/* How the task in hand is to be ended. */
struct channel_cancel {
	enum result_reason reason;
	bool is_at_once; /* no grace */
};

/* The outbox is the channel's from here on; its file, outbox_fd, stays the caller's. */
void channel_init(struct channel *channel, int fd, const struct outbox *outbox,
		  int outbox_fd, struct board_seat *seat, const sigset_t *wait_mask,
		  void (*orphaned)(void));
void channel_fini(struct channel *channel);

/* What follows is of this task. */
void channel_begin(struct channel *channel, uint64_t seq, uint32_t attempt);

/* Each adds a frame; they wait for room where there is none. */
void channel_started(struct channel *channel, int64_t started_at_ns);
void channel_finished(struct channel *channel, const struct result *result);
void channel_answer(struct channel *channel, const struct frame_answer *answer,
		    const char *bytes, size_t length); /* length <= CHANNEL_ANSWER_MAX */
void channel_returned(struct channel *channel, uint64_t seq, uint32_t attempt,
		      uint32_t count);
void channel_note(struct channel *channel, const char *bytes, size_t length);
void channel_start_failed(struct channel *channel, const char *text);
void channel_broken(struct channel *channel, const char *text);

/* Output of the task in hand that an executor has read itself. */
void channel_output(struct channel *channel, enum result_stream stream, const char *bytes,
		    size_t length);

/*
 * One read from fd straight into a block or an output frame of the task in hand. What read(2)
 * gives; EAGAIN also when there is no room and the task is to be ended. *wanted is how much was
 * asked for: there is no more now where less came.
 */
ssize_t channel_pull(struct channel *channel, enum result_stream stream, int fd,
		     size_t *wanted);

/* Wakes the coordinator if it has not heard all. */
void channel_flush(struct channel *channel);

/* Waits until the coordinator has taken all that was said, or wants all tasks to end. */
void channel_await_heard(struct channel *channel);

/*
 * For an executor that never waits here: as channel_flush if the last one was delay_ns ago; the
 * coordinator looks by itself CHANNEL_DELAY_MS after each.
 */
void channel_flush_due(struct channel *channel, int64_t now_ns);

/* How long until the coordinator must be told of what it has not heard; -1: of nothing. */
int channel_due_ms(const struct channel *channel);

/*
 * ppoll with signals open: descriptors, SIGCHLD, orders, the time to be heard, or
 * `timeout_ms` (-1: none). Flushes what is due. What ppoll gives, revents filled; an interruption is
 * 0.
 */
int channel_wait(struct channel *channel, struct pollfd *fds, nfds_t count, int timeout_ms);

/* True once after each wait in which some child ended. Needs channel_on_child. */
bool channel_child_ended(void);

/* The handler for SIGCHLD. */
void channel_on_child(int signal);

/* Whether the coordinator wants the task in hand to end. */
bool channel_is_cancelled(const struct channel *channel, struct channel_cancel *cancel);

#endif

/*
 * channel.h: a worker's line to the coordinator: results out, orders in, and the one
 * place where a worker waits while it has a task in hand.
 *
 * Owns the frames not yet sent. The result pipe is non-blocking; a full one makes the
 * worker wait (that is the backpressure), but an order to end the task is seen even then.
 * All signals are blocked except inside channel_wait, so none is lost between a check and
 * a wait.
 */
#ifndef PINION_CHANNEL_H
#define PINION_CHANNEL_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "ipc/board.h"
#include "task/result.h"

/* Output is sent at the latest so long after it came, so that a task can be watched live. */
#define CHANNEL_DELAY_MS 10
#define CHANNEL_BATCH_BYTES (48 * 1024) /* more unsent bytes than this are sent at once */

struct channel {
	int fd;
	struct board_seat *seat;
	sigset_t wait_mask; /* during channel_wait */
	struct buf frames;
	size_t sent; /* bytes of frames already written */
	int64_t flush_at_ns;
	uint64_t seq; /* the task in hand */
	uint32_t attempt;
	uint64_t stream_bytes[RESULT_STREAMS]; /* of the task in hand */
	void (*orphaned)(void); /* called when the coordinator's end is closed; does not return */
};

/* How the task in hand is to be ended. */
struct channel_cancel {
	enum result_reason reason;
	bool is_at_once; /* no grace */
};

void channel_init(struct channel *channel, int fd, struct board_seat *seat,
		  const sigset_t *wait_mask, void (*orphaned)(void));

/* What follows is of this task. */
void channel_begin(struct channel *channel, uint64_t seq, uint32_t attempt);

/* Functions that add a frame: 0, or -1 without memory. */
int channel_started(struct channel *channel, int64_t started_at_ns);
int channel_finished(struct channel *channel, const struct result *result);
int channel_note(struct channel *channel, const char *bytes, size_t length);
int channel_start_failed(struct channel *channel, const char *text);

/*
 * One read from fd straight into an output frame of the task in hand. What read(2) gives;
 * also sends when enough has come together.
 */
ssize_t channel_pull(struct channel *channel, enum result_stream stream, int fd);

/*
 * Sends all there is. False when it stopped because the task in hand is to be ended (what
 * is unsent stays); `is_stubborn` does not stop for that.
 */
bool channel_flush(struct channel *channel, bool is_stubborn);

/*
 * ppoll with signals open: descriptors, SIGCHLD, orders, the time to send what came, or
 * `timeout_ms` (-1: none). Sends what is due. What ppoll gives, revents filled.
 */
int channel_wait(struct channel *channel, struct pollfd *fds, nfds_t count, int timeout_ms);

/* True once after each channel_wait or channel_flush in which some child ended. Needs
 * channel_on_child. */
bool channel_child_ended(void);

/* The handler for SIGCHLD. */
void channel_on_child(int signal);

/* Whether the coordinator wants the task in hand to end. */
bool channel_is_cancelled(const struct channel *channel, struct channel_cancel *cancel);

#endif

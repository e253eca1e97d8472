/*
 * capture.h: a task's stdout and stderr on their way into frames.
 *
 * Owns two pipes that serve one task after another: their write ends are the worker's own
 * descriptors 1 and 2, which a task inherits without a dup2; their read ends do not
 * block. Since the worker holds the write ends too, a task's end is its death, never an
 * end of file: what is in the pipes by then is taken and no more is waited for. When
 * something of the task lives on it may still write; then capture_renew takes fresh pipes
 * for the next one. A pipe that was found full is made longer, so that a task with a large
 * output and its worker, who share a CPU, take turns less often.
 */
#ifndef PINION_CAPTURE_H
#define PINION_CAPTURE_H

#include <poll.h>
#include <stdbool.h>

#include "pool/channel.h"

struct capture {
	int read_fds[RESULT_STREAMS]; /* -1: not captured, tasks have our own 1 and 2 */
	long pipe_bytes[RESULT_STREAMS]; /* what each pipe holds */
};

/* -1 and errno when there are no descriptors. */
int capture_open(struct capture *capture);
void capture_open_nothing(struct capture *capture);
int capture_renew(struct capture *capture);

/* Descriptors to wait on; how many were filled in. */
nfds_t capture_poll(const struct capture *capture, struct pollfd fds[RESULT_STREAMS]);

/*
 * Takes what is there now into frames, at most a pipe full of each stream; only of those that
 * `fds`, as capture_poll filled it, says are ready (NULL: of all). -1 and errno on a failed read.
 */
int capture_drain(struct capture *capture, struct channel *channel,
		  const struct pollfd *fds);

#endif

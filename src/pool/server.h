/*
 * server.h: the process that --start-method forkserver copies workers off.
 *
 * Forked from the coordinator before the first worker. Prepares the executor, says so, then
 * makes a worker for each request until its socket is closed; undoes the preparation and
 * exits. It sits on no core, belongs to no terminal, takes no task, and dies with the
 * coordinator.
 *
 * A worker is forked twice: the process in between ends at once, and the kernel gives the
 * worker to the nearest child subreaper, the coordinator. When the coordinator has the
 * answer, the worker is its child.
 */
#ifndef PINION_SERVER_H
#define PINION_SERVER_H

#include "pool/start.h"

/* Messages on the socket, a SOCK_SEQPACKET. A request comes with the worker's result pipe. */
struct server_request {
	uint64_t number; /* no gaps: the bytes go as they are */
	uint64_t slot_index;
	uint64_t worker_count;
};

enum server_answer_kind {
	SERVER_READY,  /* the first, without a request: it is prepared, */
	SERVER_FAILED, /* or cannot be: text; it exits */
	SERVER_WORKER, /* to each request: pid, or errno_value if there is none */
};

struct server_answer {
	enum server_answer_kind kind;
	pid_t pid;
	int errno_value;
	char text[ERR_TEXT_BYTES];
};

/* In the child right after fork; `fd` is its end of the socket. */
_Noreturn void server_main(const struct starter_config *config, int fd);

#endif

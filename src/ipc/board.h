/*
 * board.h: what each worker is doing, and what it is asked to do, in shared memory.
 *
 * Owns a memfd and its mapping, with a seat per worker slot; made before the first worker,
 * which inherits the mapping, or the descriptor and maps it itself. The worker writes its half of the seat, the coordinator the other; both are
 * single words, so either side may die at any instruction. The coordinator takes what it
 * reads here as a hint: a garbled seat can cost the garbler's own task, nothing else.
 */
#ifndef PINION_BOARD_H
#define PINION_BOARD_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* What the coordinator wants of a worker beyond its tasks. Only ever raised, but for HOLD. */
enum board_order {
	BOARD_GO,
	BOARD_HOLD,       /* start nothing until this is GO again */
	BOARD_RETIRE,     /* finish the task in hand, start no other, exit */
	BOARD_CANCEL_ALL, /* end the task in hand with grace, exit */
	BOARD_KILL_ALL,   /* end it at once, exit */
};

#define BOARD_NO_TASK UINT64_MAX
#define BOARD_PATH_BYTES 1024

struct board_seat {
	/* Written by the worker. */
	alignas(64) _Atomic uint64_t seq; /* task in hand; BOARD_NO_TASK: none */
	_Atomic uint32_t attempt;
	_Atomic uint32_t is_chunk; /* all of the chunk that begins at seq is in hand, as one */
	_Atomic int32_t pid; /* its first process, its group's number; 0: none (the kernel writes it) */
	_Atomic int32_t exec_errno; /* written by the task's process when execve fails */
	_Atomic uint64_t served_count; /* tasks finished by this worker process */
	_Atomic uint32_t wants_task; /* beside those it has; cleared by whoever tells it of one */

	/* Written by the coordinator. */
	alignas(64) _Atomic uint32_t order; /* enum board_order */
	_Atomic uint32_t cancel_reason;     /* enum result_reason; 0: cancel nothing */
	_Atomic uint64_t cancel_seq;        /* valid while cancel_reason is not 0 */
	_Atomic uint32_t cancel_attempt;
	_Atomic int32_t jobserver_fd; /* the coordinator's, of the tasks' jobserver; -1: none */
	_Atomic uint32_t jobserver_style; /* enum jobserver_style */

	/* Of a jobserver that is not ours, for whoever ends last (jobserver.h); no seat's own. */
	_Atomic uint32_t held_token; /* 0: none */
};

/* What is said once in a run, whichever worker notices it first. */
struct board_notices {
	_Atomic uint32_t has_said_unflushed; /* a fed program does not flush its answers */

	/* Written by the coordinator, once: a socket of its own. */
	_Atomic uint32_t has_socket; /* what follows is whole */
	uint64_t socket_inode;
	char socket_path[BOARD_PATH_BYTES];
};

struct board {
	struct board_notices *notices;
	struct board_seat *seats;
	size_t seat_count;
	int fd; /* its file; -1: closed */
};

int board_init(struct board *board, size_t seat_count, struct err *err);

/* The board that another process made and whose descriptor came here; it is ours from here on. */
int board_attach(struct board *board, int fd, size_t seat_count, struct err *err);

/* Where every worker inherits the mapping nobody needs the file. */
void board_close_file(struct board *board);
void board_fini(struct board *board); /* in each process for itself */

/* Whoever finds the coordinator killed is to remove this socket, and its folder if it is empty. */
void board_leave_socket(struct board *board, const char *path, uint64_t inode);

/* For who does. Async-signal-safe. */
void board_remove_socket(struct board *board);

/* For a worker that takes a seat. */
void board_seat_reset(struct board_seat *seat);

#endif

/*
 * jobserver.h: the pipes with tokens by which programs share cores, as GNU make does it.
 *
 * Each byte in such a pipe lets whoever reads it run one thing more than the one it may run
 * anyway; then it is written back. We are a client of the one whose pipe we have inherited, whose
 * pipe is then our tasks' too; or the server, with a pipe for each seat of a worker, so that
 * what a task has taken is known when it ends, however it ends (run/tokens decides what is
 * in it).
 *
 * Owns our descriptors of the pipes: non-blocking, and open to read and write. A task gets at its
 * pipe by /proc/PID/fd/N of the coordinator, so that nothing lies about in any folder.
 */
#ifndef PINION_JOBSERVER_H
#define PINION_JOBSERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

/* How tasks are told where their pipe is. */
enum jobserver_style {
	JOBSERVER_PIPE, /* by two inherited descriptors: all makes since 3.78 */
	JOBSERVER_FIFO, /* by a path: make 4.4, ninja 1.13 */
};

struct board;

struct jobserver {
	enum jobserver_style style;
	int client_fd; /* of the pipe that is somebody else's; -1: we are the server */
	int *seat_fds; /* the server's; -1: not made yet */
	size_t seat_count;

	/*
	 * The client's tokens, where workers see them: if we are killed they give them back.
	 * Nobody sees them while there is no board.
	 */
	struct board *board; /* borrowed */
	size_t busy_count;   /* tasks of all runs: the first needs no token */
	char *held;
	size_t held_count;
	size_t held_capacity;
};

/*
 * Joins the jobserver that MAKEFLAGS names. 1; 0: it names none; -1 and err: it cannot be had,
 * which is so where make does not know that the command would use it.
 */
int jobserver_join(struct jobserver *jobserver, const char *makeflags, struct err *err);

/* Becomes one for so many seats. 0, -1 without memory. */
int jobserver_serve(struct jobserver *jobserver, enum jobserver_style style,
		    size_t seat_count);
void jobserver_close(struct jobserver *jobserver);

/* The style that the `make` in $PATH understands, if there is one; runs `make --version`. */
enum jobserver_style jobserver_style_of_make(void);

/* The pipe of a seat (from 0), made when first asked for; -1 and errno. Ours for ever. */
int jobserver_seat_fd(struct jobserver *jobserver, size_t seat);

/* The client's: one more, without waiting; or back with one. */
bool jobserver_hold(struct jobserver *jobserver);
void jobserver_unhold(struct jobserver *jobserver);

/* In a worker, when the coordinator has died: gives back what it held. Async-signal-safe. */
void jobserver_unhold_orphaned(struct board *board, int fd);

/* Tokens in the pipe now. */
size_t jobserver_count(int fd);

/* Takes one out, without waiting. */
bool jobserver_take(int fd, char *token);

/* Puts one in. */
void jobserver_give(int fd, char token);

/*
 * In a worker: the pipe that the coordinator has as `fd` (a style each): *auth is what
 * makeflags_append wants, and the two descriptors are what tasks inherit; by a path they do not,
 * and only the second is there. 0; -1 and errno.
 */
#define JOBSERVER_AUTH_BYTES 64
int jobserver_attach(pid_t coordinator, int fd, enum jobserver_style style, int fds[2],
		     char auth[JOBSERVER_AUTH_BYTES]);

#endif

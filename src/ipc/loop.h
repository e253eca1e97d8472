/*
 * loop.h: the one place where the coordinator waits.
 *
 * Owns an epoll instance and the watches. Callbacks run inside loop_turn, one at a time;
 * they may add, change and remove any watch, also their own. A descriptor epoll refuses
 * (a regular file) is always ready.
 */
#ifndef PINION_LOOP_H
#define PINION_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

enum {
	LOOP_READ = 1,
	LOOP_WRITE = 2,
	LOOP_GONE = 4, /* the other side closed or failed; always reported, never asked for */
};

struct loop;
struct loop_watch;

typedef void loop_callback(void *context, unsigned int events);

struct loop *loop_new(struct err *err);
void loop_free(struct loop *loop);

/*
 * Watches fd for `events` (0: only LOOP_GONE). The fd stays the caller's and must be
 * unwatched before it is closed. NULL and err on failure.
 */
struct loop_watch *loop_watch(struct loop *loop, int fd, unsigned int events,
			      loop_callback *callback, void *context, struct err *err);
void loop_change(struct loop *loop, struct loop_watch *watch, unsigned int events);
void loop_unwatch(struct loop *loop, struct loop_watch *watch);

/* Waits until a watch is ready or the moment comes (CLOCK_NEVER: no limit), runs the callbacks. */
int loop_turn(struct loop *loop, int64_t until_at_ns, struct err *err);

#endif

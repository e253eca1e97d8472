/* loop.c: see loop.h. */
#include "ipc/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "base/clock.h"
#include "base/io.h"

#define LOOP_EVENTS 64 /* taken from the kernel in one turn */

struct loop_watch {
	int fd;
	unsigned int events;
	bool is_regular; /* epoll refuses it: always ready */
	bool is_dead;    /* unwatched during this turn; freed at its end */
	loop_callback *callback;
	void *context;
	struct loop_watch *next;
	struct loop_watch *previous;
};

struct loop {
	int epoll_fd;
	bool is_in_turn;
	struct loop_watch *watches;
	struct loop_watch *dead;
	size_t regular_count;
};

struct loop *
loop_new(struct err *err)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	if (loop == NULL) {
		err_no_memory(err);
		return NULL;
	}
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd == -1) {
		err_errno(err, "cannot make an epoll instance");
		free(loop);
		return NULL;
	}
	return loop;
}

static void
loop_bury(struct loop *loop)
{
	while (loop->dead != NULL) {
		struct loop_watch *watch = loop->dead;
		loop->dead = watch->next;
		free(watch);
	}
}

void
loop_free(struct loop *loop)
{
	if (loop == NULL)
		return;
	while (loop->watches != NULL)
		loop_unwatch(loop, loop->watches);
	loop_bury(loop);
	io_close(loop->epoll_fd);
	free(loop);
}

static uint32_t
loop_to_epoll(unsigned int events)
{
	return (events & LOOP_READ ? EPOLLIN : 0U) | (events & LOOP_WRITE ? EPOLLOUT : 0U);
}

static unsigned int
loop_from_epoll(uint32_t events)
{
	return (events & (EPOLLIN | EPOLLHUP) ? LOOP_READ : 0U) |
	       (events & (EPOLLOUT | EPOLLERR) ? LOOP_WRITE : 0U) |
	       (events & (EPOLLERR | EPOLLHUP) ? LOOP_GONE : 0U);
}

struct loop_watch *
loop_watch(struct loop *loop, int fd, unsigned int events, loop_callback *callback,
	   void *context, struct err *err)
{
	struct loop_watch *watch = calloc(1, sizeof(*watch));
	if (watch == NULL) {
		err_no_memory(err);
		return NULL;
	}
	*watch = (struct loop_watch){
	    .fd = fd, .events = events, .callback = callback, .context = context};
	struct epoll_event event = {.events = loop_to_epoll(events), .data.ptr = watch};
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) == -1) {
		if (errno != EPERM) {
			err_errno(err, "cannot watch descriptor %d", fd);
			free(watch);
			return NULL;
		}
		watch->is_regular = true;
		loop->regular_count++;
	}
	watch->next = loop->watches;
	if (loop->watches != NULL)
		loop->watches->previous = watch;
	loop->watches = watch;
	return watch;
}

void
loop_change(struct loop *loop, struct loop_watch *watch, unsigned int events)
{
	if (watch->events == events)
		return;
	watch->events = events;
	struct epoll_event event = {.events = loop_to_epoll(events), .data.ptr = watch};
	if (!watch->is_regular)
		epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, watch->fd, &event);
}

void
loop_unwatch(struct loop *loop, struct loop_watch *watch)
{
	if (watch == NULL)
		return;
	if (watch->is_regular)
		loop->regular_count--;
	else
		epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watch->fd, NULL);
	if (watch->previous != NULL)
		watch->previous->next = watch->next;
	else
		loop->watches = watch->next;
	if (watch->next != NULL)
		watch->next->previous = watch->previous;
	watch->is_dead = true;
	watch->next = loop->dead;
	loop->dead = watch;
	if (!loop->is_in_turn)
		loop_bury(loop);
}

/* True when a watch on a regular file asks for anything: then nothing needs waiting for. */
static bool
loop_has_ready_file(const struct loop *loop)
{
	if (loop->regular_count == 0)
		return false;
	for (const struct loop_watch *watch = loop->watches; watch != NULL;
	     watch = watch->next)
		if (watch->is_regular && watch->events != 0)
			return true;
	return false;
}

static void
loop_run_files(struct loop *loop)
{
	struct loop_watch *next;
	for (struct loop_watch *watch = loop->watches; watch != NULL; watch = next) {
		next = watch->next;
		if (watch->is_regular && watch->events != 0) {
			watch->callback(watch->context, watch->events);
			if (watch->is_dead)
				return; /* the list may have changed under us: the rest comes next turn */
		}
	}
}

int
loop_turn(struct loop *loop, int64_t until_at_ns, struct err *err)
{
	struct epoll_event events[LOOP_EVENTS];
	bool has_file = loop_has_ready_file(loop);
	int timeout_ms = has_file ? 0 : clock_timeout_ms(until_at_ns, clock_now_ns());
	int count = epoll_wait(loop->epoll_fd, events, LOOP_EVENTS, timeout_ms);
	if (count == -1 && errno == EINTR)
		count = 0;
	if (count == -1)
		return err_errno(err, "cannot wait for events");
	loop->is_in_turn = true;
	for (int i = 0; i < count; i++) {
		struct loop_watch *watch = events[i].data.ptr;
		if (!watch->is_dead)
			watch->callback(watch->context, loop_from_epoll(events[i].events));
	}
	if (has_file)
		loop_run_files(loop);
	loop->is_in_turn = false;
	loop_bury(loop);
	return 0;
}

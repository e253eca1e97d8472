/*
 * fake_backend.h: a backend that runs nothing and follows a script: one letter for each task.
 *
 *   0..9  exits so             x  exits 1 at the first attempt, then 0
 *   h     runs until ended     i  the same, deaf to grace   k  dies only with its worker
 *   l     ends a few turns later than the others            L  lost with its worker
 *   u     comes back unstarted once                         d  is said to finish twice
 *   b     breaks the pool      n  a note comes with it      T  sends us start_signal, else as h
 *   K     dies by KILL at the first attempt, after on_kill, then exits 0
 *   c     calls on_start, then as 0                     C  the same, then as h
 *   w     has more output once outputs are held no more, and ends when that is recorded
 *
 * One step for each turn of the loop. What it was asked to do is in `log`.
 */
#ifndef PINION_TESTS_FAKE_BACKEND_H
#define PINION_TESTS_FAKE_BACKEND_H

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "ipc/loop.h"
#include "task/backend.h"

#define FAKE_ITEMS 64

struct fake_item {
	uint64_t seq;
	uint32_t attempt;
	bool is_started;
	unsigned int age;
	bool is_cancelled;
	enum result_reason reason;
	enum backend_force force;
};

struct fake_backend {
	struct backend backend;
	struct backend_client client;
	const char *script;
	struct loop *loop;
	struct loop_watch *watch; /* its descriptor is always readable */
	int event_fd;
	struct fake_item items[FAKE_ITEMS];
	size_t item_count;
	size_t worker_count;
	bool is_held;
	bool has_taken; /* output, when the hold was lifted */
	bool has_recorded;
	bool has_spread_some; /* it may use idle cores for what runs now, */
	bool has_spread_all;  /* and for good */
	bool is_withdrawn;
	bool is_paused; /* keeps what it has and has not started */
	bool is_cancelled;
	enum backend_force force;
	bool is_closed;
	bool has_submitted; /* something that is not published */
	bool has_returned;
	bool is_broken;
	unsigned int refused_count; /* so many submits are told that there is no room */
	const char *submit_error;
	const char *publish_error;
	void (*on_kill)(void *context); /* of K */
	void *kill_context;
	int start_signal;                              /* of T; 0: SIGTERM */
	void (*on_start)(void *context, uint64_t seq); /* of c and C */
	void *on_start_context;
	bool passes_signal;        /* T: exits 0 then */
	int signal_when_cancelled; /* sent to ourselves at the first cancel_all */
	int64_t submitted_at_ns[FAKE_ITEMS];
	size_t submitted_count;
	struct buf log;
};

static inline void
fake_log(struct fake_backend *fake, const char *word, long number)
{
	assert_int_equal(fake->log.length > 0 ? buf_append_char(&fake->log, ' ') : 0, 0);
	assert_int_equal(number < 0 ? buf_append_str(&fake->log, word)
				    : buf_printf(&fake->log, "%s:%ld", word, number),
			 0);
}

static inline void
fake_arm(struct fake_backend *fake)
{
	loop_change(fake->loop, fake->watch, fake->is_held ? 0 : LOOP_READ);
}

static inline void
fake_remove(struct fake_backend *fake, struct fake_item *item)
{
	size_t index = (size_t)(item - fake->items);
	fake->item_count--;
	memmove(item, item + 1, (fake->item_count - index) * sizeof(*item));
}

static inline bool
fake_finish(struct fake_backend *fake, struct fake_item *item, enum result_reason reason,
	    int exit_status)
{
	struct fake_item ended = *item;
	bool is_ended_by_us = reason == RESULT_CANCELLED || reason == RESULT_TIMEOUT;
	struct result result = {
	    .reason = (uint32_t)reason,
	    .exit_status = exit_status,
	    .signal = is_ended_by_us            ? SIGTERM
		      : reason == RESULT_SIGNAL ? SIGKILL
						: 0,
	};
	fake_remove(fake, item);
	fake->client.finished(fake->client.context, ended.seq, ended.attempt, &result);
	if (fake->script[ended.seq] == 'd')
		fake->client.finished(fake->client.context, ended.seq, ended.attempt,
				      &result);
	return true;
}

static inline bool
fake_return(struct fake_backend *fake, struct fake_item *item)
{
	struct fake_item ended = *item;
	fake_remove(fake, item);
	fake->client.returned(fake->client.context, ended.seq, ended.attempt, 0);
	return true;
}

static inline bool
fake_start(struct fake_backend *fake, struct fake_item *item)
{
	const struct backend_client *client = &fake->client;
	char letter = fake->script[item->seq];
	if (fake->is_withdrawn || fake->is_cancelled)
		return fake_return(fake, item);
	if (letter == 'u' && !fake->has_returned) {
		fake->has_returned = true;
		return fake_return(fake, item);
	}
	if (letter == 'b') {
		struct err err = {.kind = ERR_BROKEN, .text = "no worker starts"};
		if (!fake->is_broken)
			client->broken(client->context, &err);
		fake->is_broken = true;
		return true;
	}
	item->is_started = true;
	client->started(client->context, item->seq, item->attempt, 1, clock_now_ns());
	client->output(client->context, item->seq, item->attempt, RESULT_STDOUT, "x", 1);
	if (letter == 'n')
		client->note(client->context, "note", 4);
	if (letter == 'c' || letter == 'C')
		fake->on_start(fake->on_start_context, item->seq);
	if (letter == 'T')
		kill(getpid(), fake->start_signal != 0 ? fake->start_signal : SIGTERM);
	return true;
}

/* Whether so much force ends it. */
static inline bool
fake_obeys(char letter, enum backend_force force)
{
	if (letter == 'i')
		return force >= BACKEND_AT_ONCE;
	return letter != 'k' || force == BACKEND_KILL_WORKER;
}

/* Of one that has started. False: nothing to do for it now. */
static inline bool
fake_step(struct fake_backend *fake, struct fake_item *item)
{
	char letter = fake->script[item->seq];
	if (item->is_cancelled && fake_obeys(letter, item->force))
		return fake_finish(fake, item, item->reason, 0);
	if (fake->is_cancelled && fake_obeys(letter, fake->force))
		return fake_finish(fake, item, RESULT_CANCELLED, 0);
	if (letter == 'T' && fake->passes_signal && item->age++ < 3)
		return true; /* the signal's turn */
	if (strchr("hikC", letter) != NULL || (letter == 'T' && !fake->passes_signal))
		return false;
	if (letter == 'l' && item->age++ < 3)
		return true;
	if (letter == 'w' && !fake->has_recorded)
		return false;
	if (letter == 'L')
		return fake_finish(fake, item, RESULT_LOST, 0);
	if (letter == 'K' && item->attempt == 1) {
		fake->on_kill(fake->kill_context);
		return fake_finish(fake, item, RESULT_SIGNAL, 0);
	}
	if (letter == 'x')
		return fake_finish(fake, item, RESULT_EXIT, item->attempt == 1);
	return fake_finish(fake, item, RESULT_EXIT,
			   letter >= '0' && letter <= '9' ? letter - '0' : 0);
}

static inline void
fake_on_wake(void *context, unsigned int events)
{
	struct fake_backend *fake = context;
	(void)events;
	assert_false(fake->is_held);
	for (size_t i = 0; i < fake->item_count && !fake->is_paused; i++)
		if (!fake->items[i].is_started && fake_start(fake, &fake->items[i]))
			return;
	for (size_t i = fake->item_count; i > 0; i--) /* the newest first, so that l is late */
		if (fake_step(fake, &fake->items[i - 1]))
			return;
	loop_change(fake->loop, fake->watch, 0);
}

static inline int64_t
fake_poll_at(const struct backend *backend)
{
	(void)backend;
	return CLOCK_NEVER;
}

static inline void
fake_poll(struct backend *backend, int64_t now_ns)
{
	(void)backend;
	(void)now_ns;
}

static inline void
fake_spread(struct backend *backend, bool is_all)
{
	struct fake_backend *fake = (struct fake_backend *)backend;
	fake->has_spread_some |= !is_all;
	fake->has_spread_all |= is_all;
}

static inline uint32_t
fake_chunk(const struct backend *backend)
{
	(void)backend;
	return 1;
}

static inline size_t
fake_room(const struct backend *backend)
{
	const struct fake_backend *fake = (const struct fake_backend *)backend;
	return fake->worker_count - fake->item_count;
}

static inline int
fake_submit(struct backend *backend, const struct task *task, struct err *err)
{
	struct fake_backend *fake = (struct fake_backend *)backend;
	assert_true(fake->item_count < fake->worker_count);
	assert_false(fake->is_cancelled || fake->is_closed);
	assert_true(task->seq < strlen(fake->script));
	if (fake->submit_error != NULL)
		return err_set(err, ERR_SYSTEM, "%s", fake->submit_error);
	if (fake->item_count > 0 && fake->refused_count > 0) {
		fake->refused_count--;
		return 1;
	}
	fake->items[fake->item_count++] =
	    (struct fake_item){.seq = task->seq, .attempt = task->attempt};
	fake->submitted_at_ns[fake->submitted_count++ % FAKE_ITEMS] = clock_now_ns();
	fake->has_submitted = true;
	fake->is_withdrawn = false; /* that was for those before */
	return 0;
}

static inline int
fake_publish(struct backend *backend, struct err *err)
{
	struct fake_backend *fake = (struct fake_backend *)backend;
	if (fake->publish_error != NULL)
		return err_set(err, ERR_BROKEN, "%s", fake->publish_error);
	if (fake->has_submitted)
		fake_arm(fake);
	fake->has_submitted = false;
	return 0;
}

static inline void
fake_withdraw(struct backend *backend)
{
	struct fake_backend *fake = (struct fake_backend *)backend;
	fake_log(fake, "withdraw", -1);
	fake->is_withdrawn = true;
	if (fake->item_count > 0)
		fake_arm(fake);
}

static inline void
fake_cancel(struct backend *backend, uint64_t seq, enum result_reason reason,
	    enum backend_force force)
{
	struct fake_backend *fake = (struct fake_backend *)backend;
	fake_log(fake, "cancel", force);
	for (size_t i = 0; i < fake->item_count; i++)
		if (fake->items[i].seq == seq) {
			fake->items[i].is_cancelled = true;
			fake->items[i].reason = reason;
			fake->items[i].force = force;
		}
	fake_arm(fake);
}

static inline void
fake_cancel_all(struct backend *backend, enum backend_force force)
{
	struct fake_backend *fake = (struct fake_backend *)backend;
	fake_log(fake, "cancel_all", force);
	if (!fake->is_cancelled && fake->signal_when_cancelled != 0)
		kill(getpid(), fake->signal_when_cancelled);
	fake->is_cancelled = true;
	fake->force = force;
	if (fake->item_count > 0)
		fake_arm(fake);
}

static inline void
fake_resize(struct backend *backend, size_t worker_count)
{
	struct fake_backend *fake = (struct fake_backend *)backend;
	fake_log(fake, "resize", (long)worker_count);
	fake->worker_count = worker_count;
}

static inline size_t
fake_worker_count(const struct backend *backend)
{
	return ((const struct fake_backend *)backend)->worker_count;
}

static inline void
fake_suspend(struct backend *backend)
{
	fake_log((struct fake_backend *)backend, "suspend", -1);
}

static inline void
fake_resume(struct backend *backend)
{
	fake_log((struct fake_backend *)backend, "resume", -1);
}

/* What was withdrawn comes back before the loop turns: the real one hears of it at once. */
static inline void
fake_pause(struct backend *backend, bool is_paused)
{
	struct fake_backend *fake = (struct fake_backend *)backend;
	fake_log(fake, is_paused ? "pause" : "unpause", -1);
	for (size_t i = fake->item_count; i > 0 && fake->is_withdrawn; i--)
		if (!fake->items[i - 1].is_started)
			fake_return(fake, &fake->items[i - 1]);
	fake->is_withdrawn = false;
	fake->is_paused = is_paused;
	fake_arm(fake);
}

static inline void
fake_retire(struct backend *backend)
{
	fake_log((struct fake_backend *)backend, "retire", -1);
}

static inline void
fake_recall(struct backend *backend, uint64_t seq)
{
	struct fake_backend *fake = (struct fake_backend *)backend;
	fake_log(fake, "recall", (long)seq);
	for (size_t i = 0; i < fake->item_count; i++) {
		struct fake_item *item = &fake->items[i];
		if (item->seq != seq)
			continue;
		item->is_cancelled = true;
		item->reason = RESULT_CANCELLED;
		if (!item->is_started) {
			fake_return(fake, item);
			break;
		}
	}
	fake_arm(fake);
}

static inline size_t
fake_seat_count(const struct backend *backend)
{
	(void)backend;
	return FAKE_ITEMS;
}

/* Each item has a worker of its own. */
static inline bool
fake_look(const struct backend *backend, size_t index, struct backend_worker *worker)
{
	const struct fake_backend *fake = (const struct fake_backend *)backend;
	if (index >= fake->item_count)
		return false;
	const struct fake_item *item = &fake->items[index];
	*worker = (struct backend_worker){
	    .slot = (uint32_t)index + 1,
	    .pid = 1000 + (int32_t)index,
	    .seq = item->is_started ? item->seq : BACKEND_NO_TASK,
	    .attempt = item->attempt,
	};
	return true;
}

static inline void
fake_hold(struct backend *backend, bool is_held)
{
	struct fake_backend *fake = (struct fake_backend *)backend;
	fake_log(fake, is_held ? "hold" : "release", -1);
	fake->is_held = is_held;
	fake_arm(fake);
}

static inline void
fake_hold_from(struct backend *backend, uint64_t seq)
{
	struct fake_backend *fake = (struct fake_backend *)backend;
	fake_log(fake, "hold_from", seq == UINT64_MAX ? -1 : (int)seq);
	for (size_t i = 0; seq == UINT64_MAX && i < fake->item_count; i++) {
		const struct fake_item *item = &fake->items[i];
		if (!item->is_started || fake->script[item->seq] != 'w')
			continue;
		fake->client.output(fake->client.context, item->seq, item->attempt,
				    RESULT_STDOUT, "x", 1);
		fake->has_taken = true;
	}
}

static inline void
fake_recorded(struct backend *backend)
{
	struct fake_backend *fake = (struct fake_backend *)backend;
	if (!fake->has_taken || fake->has_recorded)
		return;
	fake->has_recorded = true;
	fake_arm(fake);
}

static inline void
fake_reap(struct backend *backend)
{
	fake_log((struct fake_backend *)backend, "reap", -1);
}

static inline void
fake_close(struct backend *backend)
{
	struct fake_backend *fake = (struct fake_backend *)backend;
	assert_int_equal(fake->item_count, 0);
	fake->is_closed = true;
}

static inline bool
fake_is_gone(const struct backend *backend)
{
	return ((const struct fake_backend *)backend)->is_closed;
}

/* It lives in the test's fixture. */
static inline void
fake_free(struct backend *backend)
{
	(void)backend;
}

static inline void
fake_backend_init(struct fake_backend *fake, struct loop *loop,
		  const struct backend_client *client)
{
	static const struct backend_ops ops = {
	    .room = fake_room,
	    .chunk = fake_chunk,
	    .poll_at = fake_poll_at,
	    .poll = fake_poll,
	    .idle_count = fake_room,
	    .submit = fake_submit,
	    .publish = fake_publish,
	    .spread = fake_spread,
	    .withdraw = fake_withdraw,
	    .cancel = fake_cancel,
	    .recall = fake_recall,
	    .cancel_all = fake_cancel_all,
	    .resize = fake_resize,
	    .worker_count = fake_worker_count,
	    .suspend = fake_suspend,
	    .resume = fake_resume,
	    .pause = fake_pause,
	    .retire = fake_retire,
	    .seat_count = fake_seat_count,
	    .look = fake_look,
	    .hold = fake_hold,
	    .hold_from = fake_hold_from,
	    .recorded = fake_recorded,
	    .reap = fake_reap,
	    .close = fake_close,
	    .is_gone = fake_is_gone,
	    .free = fake_free,
	};
	struct err err = {0};
	fake->backend.ops = &ops;
	fake->client = *client;
	fake->loop = loop;
	fake->event_fd = eventfd(1, EFD_CLOEXEC);
	assert_int_not_equal(fake->event_fd, -1);
	fake->watch = loop_watch(loop, fake->event_fd, 0, fake_on_wake, fake, &err);
	assert_non_null(fake->watch);
}

static inline void
fake_backend_fini(struct fake_backend *fake)
{
	if (fake->watch != NULL) {
		loop_unwatch(fake->loop, fake->watch);
		close(fake->event_fd);
	}
	buf_fini(&fake->log);
}

#endif

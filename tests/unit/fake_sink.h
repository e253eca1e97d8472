/*
 * fake_sink.h: a sink that writes down what it is told, and can fail, lag and limit.
 *
 *   >0.1   task 0's attempt 1 started     ~0        it is retried
 *   *0.1   output of it                   +0.1=E0   settled: Exit, Signal, Timeout, X (cannot
 *                                                   execute), Lost, Cancelled, sKipped
 *   -0.1   it and those of its chunk were done before
 */
#ifndef PINION_TESTS_FAKE_SINK_H
#define PINION_TESTS_FAKE_SINK_H

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "task/sink.h"

#define FAKE_SEQS 64

struct fake_sink {
	struct sink sink;
	struct buf log;
	unsigned int settled_count;
	unsigned int settled[FAKE_SEQS]; /* how often, by seq */
	char fails_at;                   /* > * ~ +, f flush, F finish; 0: nowhere */
	uint64_t window;                 /* 0: any */
	bool is_window_broken;
	unsigned int lag;    /* each output leaves it behind for so many flushes */
	unsigned int behind; /* so many flushes are needed yet */
	int64_t lag_ns;      /* each output leaves it behind for so long */
	int64_t behind_until_ns;
	unsigned int overruns; /* outputs that came while it was behind */
	bool wants_head_only;  /* outputs of the first task that has not settled */
	unsigned int unwanted; /* so many flushes until outputs are wanted at all */
	unsigned int undone;   /* so many flushes until it is done */
	int wait_fd;           /* always writable */
	unsigned int finish_count;
	bool is_unfinished_at_finish;
};

static inline int
fake_sink_log(struct fake_sink *fake, char what, const struct task *task, struct err *err)
{
	assert_int_equal(buf_printf(&fake->log, "%s%c%" PRIu64 ".%u",
				    fake->log.length > 0 ? " " : "", what, task->seq,
				    task->attempt),
			 0);
	return fake->fails_at == what ? err_set(err, ERR_SYSTEM, "sink fails at %c", what)
				      : 0;
}

static inline uint64_t
fake_sink_window_end(const struct sink *sink)
{
	const struct fake_sink *fake = (const struct fake_sink *)sink;
	return fake->window == 0 ? UINT64_MAX : fake->settled_count + fake->window;
}

static inline int
fake_sink_started(struct sink *sink, const struct task *task, uint32_t slot, struct err *err)
{
	struct fake_sink *fake = (struct fake_sink *)sink;
	fake->is_window_broken |= task->seq >= fake_sink_window_end(sink);
	assert_int_equal(slot, 1);
	return fake_sink_log(fake, '>', task, err);
}

static inline bool
fake_sink_is_behind(const struct sink *sink)
{
	const struct fake_sink *fake = (const struct fake_sink *)sink;
	return fake->behind > 0 || clock_now_ns() < fake->behind_until_ns;
}

static inline int
fake_sink_output(struct sink *sink, const struct task *task, enum result_stream stream,
		 const char *bytes, size_t length, struct err *err)
{
	struct fake_sink *fake = (struct fake_sink *)sink;
	assert_int_equal(stream, RESULT_STDOUT);
	assert_int_equal(length, 1);
	assert_int_equal(bytes[0], 'x');
	fake->overruns += fake_sink_is_behind(sink);
	fake->behind = fake->lag;
	fake->behind_until_ns = clock_now_ns() + fake->lag_ns;
	return fake_sink_log(fake, '*', task, err);
}

static inline int
fake_sink_retried(struct sink *sink, const struct task *task, const struct result *result,
		  struct err *err)
{
	struct fake_sink *fake = (struct fake_sink *)sink;
	assert_false(result_is_success(result));
	assert_int_equal(buf_printf(&fake->log, " ~%" PRIu64, task->seq), 0);
	return fake->fails_at == '~' ? err_set(err, ERR_SYSTEM, "sink fails at ~") : 0;
}

static inline int
fake_sink_settled(struct sink *sink, const struct task *task, const struct result *result,
		  struct err *err)
{
	struct fake_sink *fake = (struct fake_sink *)sink;
	assert_true(task->seq < FAKE_SEQS);
	fake->settled[task->seq]++;
	fake->settled_count++;
	int status = fake_sink_log(fake, '+', task, err);
	assert_int_equal(buf_printf(&fake->log, "=%c", "ESTXLNCKO"[result->reason]), 0);
	if (result->reason == RESULT_EXIT)
		assert_int_equal(buf_printf(&fake->log, "%d", result->exit_status), 0);
	return status;
}

static inline int
fake_sink_passed(struct sink *sink, const struct task *chunk, struct err *err)
{
	struct fake_sink *fake = (struct fake_sink *)sink;
	for (uint64_t seq = chunk->seq; seq < chunk->seq + chunk->count; seq++) {
		assert_true(seq < FAKE_SEQS);
		fake->settled[seq]++;
		fake->settled_count++;
	}
	return fake_sink_log(fake, '-', chunk, err);
}

static inline uint64_t
fake_sink_outputs_end(struct sink *sink)
{
	const struct fake_sink *fake = (const struct fake_sink *)sink;
	if (fake->wants_head_only)
		return fake->settled_count + 1;
	return fake->unwanted > 0 ? 0 : UINT64_MAX;
}

static inline size_t
fake_sink_wait_fds(const struct sink *sink, int fds[2])
{
	const struct fake_sink *fake = (const struct fake_sink *)sink;
	fds[0] = fake->wait_fd;
	return fake->behind > 0 || fake->lag_ns > 0 ||
	       fake->undone > 0; /* time passes unasked */
}

static inline int
fake_sink_flush(struct sink *sink, struct err *err)
{
	struct fake_sink *fake = (struct fake_sink *)sink;
	fake->behind -= fake->behind > 0;
	fake->unwanted -= fake->unwanted > 0;
	fake->undone -= fake->undone > 0;
	return fake->fails_at == 'f' ? err_set(err, ERR_SYSTEM, "sink fails at f") : 0;
}

static inline bool
fake_sink_is_done(const struct sink *sink)
{
	return ((const struct fake_sink *)sink)->undone == 0;
}

static inline int
fake_sink_finish(struct sink *sink, struct err *err)
{
	struct fake_sink *fake = (struct fake_sink *)sink;
	fake->finish_count++;
	fake->is_unfinished_at_finish = !fake_sink_is_done(sink);
	return fake->fails_at == 'F' ? err_set(err, ERR_SYSTEM, "sink fails at F") : 0;
}

/* It lives in the test's fixture. */
static inline void
fake_sink_free(struct sink *sink)
{
	(void)sink;
}

static inline void
fake_sink_init(struct fake_sink *fake, int wait_fd)
{
	static const struct sink_ops ops = {
	    .started = fake_sink_started,
	    .output = fake_sink_output,
	    .retried = fake_sink_retried,
	    .settled = fake_sink_settled,
	    .passed = fake_sink_passed,
	    .is_behind = fake_sink_is_behind,
	    .outputs_end = fake_sink_outputs_end,
	    .window_end = fake_sink_window_end,
	    .wait_fds = fake_sink_wait_fds,
	    .flush = fake_sink_flush,
	    .is_done = fake_sink_is_done,
	    .finish = fake_sink_finish,
	    .free = fake_sink_free,
	};
	*fake = (struct fake_sink){.sink.ops = &ops, .wait_fd = wait_fd};
}

#endif

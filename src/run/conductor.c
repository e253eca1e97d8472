/* conductor.c: see conductor.h. */
#include "run/conductor.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "run/run_parts.h"

#define CONDUCTOR_DEAF_MS 10

static const int conductor_signals[] = {SIGCHLD, SIGINT,  SIGTERM, SIGHUP,
					SIGQUIT, SIGUSR1, SIGUSR2, SIGTSTP,
					SIGCONT, SIGPIPE, SIGXFSZ};

/* --- signals --- */

/* Stops with the tasks; when continued, time stood still for their limits. */
static void
conductor_suspend(struct conductor *conductor)
{
	int64_t stopped_at_ns = clock_now_ns();
	for (size_t i = 0; i < conductor->run_count; i++)
		run_suspend(conductor->runs[i]);
	if (conductor->screen != NULL)
		screen_erase(conductor->screen);
	raise(SIGSTOP);
	int64_t stopped_ns = clock_now_ns() - stopped_at_ns;
	for (size_t i = 0; i < conductor->run_count; i++)
		run_resume(conductor->runs[i], stopped_ns);
}

void
conductor_on_end_signal(struct conductor *conductor, int signal)
{
	if (conductor->signal == 0)
		conductor->signal = signal;
	for (size_t i = 0; i < conductor->run_count; i++)
		run_end_by_signal(conductor->runs[i], signal);
}

static void
conductor_on_one_signal(struct conductor *conductor, int signal)
{
	switch (signal) {
	case SIGCHLD:
		for (size_t i = 0; i < conductor->run_count; i++)
			run_reap(conductor->runs[i]);
		break;
	case SIGUSR1:
	case SIGUSR2:
		for (size_t i = 0; i < conductor->run_count; i++)
			run_resize(conductor->runs[i], signal == SIGUSR1 ? 1 : -1);
		break;
	case SIGTSTP:
		conductor_suspend(conductor);
		break;
	case SIGCONT:
		for (size_t i = 0; i < conductor->run_count; i++)
			run_resume(conductor->runs[i], 0);
		break;
	case SIGPIPE: /* these two: the write said EPIPE, EFBIG */
	case SIGXFSZ:
		break;
	default:
		conductor_on_end_signal(conductor, signal);
		break;
	}
}

/* Without events nothing can be run, but what runs can still be ended. */
static void
conductor_go_deaf(struct conductor *conductor, const struct err *err)
{
	conductor->is_deaf = true;
	run_fail(conductor->runs[0], RUN_FAILED, err);
}

static void
conductor_on_signals(void *context, unsigned int events)
{
	struct conductor *conductor = context;
	struct err err = {0};
	int signal;
	(void)events;
	while ((signal = sig_next(conductor->signal_fd)) > 0)
		conductor_on_one_signal(conductor, signal);
	if (signal == -1) {
		err_errno(&err, "cannot read signals");
		loop_change(conductor->loop, conductor->signal_watch, 0);
		conductor_go_deaf(conductor, &err);
	}
}

static int
conductor_open_signals(struct conductor *conductor, struct err *err)
{
	size_t count = sizeof(conductor_signals) / sizeof(*conductor_signals);
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; i < count; i++) {
		int signal = conductor_signals[i];
		if (signal == SIGCHLD || signal == SIGPIPE || signal == SIGXFSZ ||
		    !sig_was_ignored(conductor->origin, signal))
			sigaddset(&set, signal);
	}
	conductor->signal_fd = sig_open(&set, err);
	if (conductor->signal_fd == -1)
		return -1;
	conductor->signal_watch =
	    loop_watch(conductor->loop, conductor->signal_fd, LOOP_READ,
		       conductor_on_signals, conductor, err);
	return conductor->signal_watch == NULL ? -1 : 0;
}

/* --- the loop --- */

static bool
conductor_is_finished(struct conductor *conductor)
{
	bool is_finished = true;
	for (size_t i = 0; i < conductor->run_count; i++)
		is_finished &= run_is_finished(conductor->runs[i]);
	return is_finished;
}

static void
conductor_wait(struct conductor *conductor)
{
	struct err err = {0};
	int64_t until_at_ns = control_turn_at(conductor->control);
	for (size_t i = 0; i < conductor->run_count; i++) {
		int64_t run_until_at_ns = run_prepare_wait(conductor->runs[i]);
		if (run_until_at_ns < until_at_ns)
			until_at_ns = run_until_at_ns;
	}
	if (conductor->is_deaf) {
		poll(NULL, 0, CONDUCTOR_DEAF_MS);
		conductor_on_one_signal(conductor, SIGCHLD);
		until_at_ns = 0;
	}
	if (loop_turn(conductor->loop, until_at_ns, &err) == -1)
		conductor_go_deaf(conductor, &err);
	control_turn(conductor->control);
}

/* One that ends before its tasks do takes the others with it. */
static void
conductor_end_together(struct conductor *conductor)
{
	for (size_t i = 0; i < conductor->run_count && conductor->leader == NULL; i++)
		if (conductor->runs[i]->is_ending)
			conductor->leader = conductor->runs[i];
	for (size_t i = 0; i < conductor->run_count && conductor->leader != NULL; i++)
		run_follow(conductor->runs[i], conductor->leader);
}

static void
conductor_settle(struct conductor *conductor)
{
	for (size_t i = 0; i < conductor->run_count; i++)
		run_settle(conductor->runs[i]);
	conductor_end_together(conductor);
}

static void
conductor_feed(struct conductor *conductor)
{
	for (size_t i = 0; i < conductor->run_count; i++)
		run_feed(conductor->runs[i]);
}

/* Why it ended: an error before all else, which the others may not know of. */
static enum run_outcome
conductor_outcome(const struct conductor *conductor, struct err *err)
{
	const struct run *leader = conductor->leader;
	enum run_outcome outcome = RUN_COMPLETE;
	for (size_t i = conductor->run_count; i-- > 0;)
		if (conductor->runs[i]->err.kind != ERR_NONE &&
		    run_has_failed(conductor->runs[i]))
			leader = conductor->runs[i];
	if (leader != NULL) {
		outcome = leader->outcome;
		*err = leader->err;
	}
	if (outcome != RUN_DEADLINE)
		return outcome;
	for (size_t i = 0; i < conductor->run_count; i++)
		if (run_has_left(conductor->runs[i]))
			return RUN_DEADLINE;
	return RUN_COMPLETE; /* all were on their way by then */
}

enum run_outcome
conductor_loop(struct conductor *conductor, struct err *err)
{
	conductor_feed(conductor);
	while (!conductor_is_finished(conductor)) {
		conductor_wait(conductor);
		conductor_settle(conductor);
		conductor_feed(conductor);
	}
	for (size_t i = 0; i < conductor->run_count; i++)
		run_finish(conductor->runs[i]);
	conductor_end_together(conductor);
	return conductor_outcome(conductor, err);
}

int
conductor_signal(const struct conductor *conductor)
{
	return conductor->signal;
}

/* --- made and ended --- */

struct conductor *
conductor_new(struct loop *loop, const struct sig_origin *origin, struct err *err)
{
	struct conductor *conductor = calloc(1, sizeof(*conductor));
	if (conductor == NULL) {
		err_no_memory(err);
		return NULL;
	}
	conductor->loop = loop;
	conductor->origin = origin;
	conductor->signal_fd = -1;
	if (conductor_open_signals(conductor, err) == 0)
		return conductor;
	conductor_free(conductor);
	return NULL;
}

void
conductor_free(struct conductor *conductor)
{
	if (conductor == NULL)
		return;
	loop_unwatch(conductor->loop, conductor->signal_watch);
	io_close(conductor->signal_fd);
	free(conductor->runs);
	free(conductor);
}

void
conductor_set_screen(struct conductor *conductor, struct screen *screen)
{
	conductor->screen = screen;
}

int
conductor_add(struct conductor *conductor, struct run *run)
{
	struct run **runs =
	    reallocarray(conductor->runs, conductor->run_count + 1, sizeof(*runs));
	if (runs == NULL)
		return -1;
	runs[conductor->run_count++] = run;
	conductor->runs = runs;
	return 0;
}

/* child.c: see child.h. */
#include "pool/child.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/clock.h"

#define CHILD_SLICE_MS 10 /* between two looks at a tree that is being ended */

void
child_reap(struct child *child, int options)
{
	if (!child->has_ended &&
	    wait4(child->pid, &child->status, options, &child->usage) == child->pid)
		child->has_ended = true;
}

/* Whether anything of the task is still there. */
static bool
child_is_alive(const struct child *child, const struct executor_host *host)
{
	return !child->has_ended || tree_count(&host->rule) > 0;
}

/* One step of --termseq: the signal to the whole tree, then time to go. */
static int
child_term_step(struct child *child, struct executor_host *host,
		const struct spec_term_step *step, struct channel_cancel *cancel,
		child_pump *pump, void *context, struct err *err)
{
	int64_t until_at_ns = clock_now_ns() + step->wait_ms * NS_PER_MS;
	pid_t pgid = child->has_ended ? 0 : child->pid;
	tree_signal(pgid, step->signal, &host->rule);
	tree_signal(pgid, SIGCONT, &host->rule); /* the stopped ones must see it too */
	while (child_is_alive(child, host)) {
		int left_ms = clock_timeout_ms(until_at_ns, clock_now_ns());
		channel_is_cancelled(host->channel, cancel);
		if (left_ms == 0 || cancel->is_at_once)
			break;
		if (left_ms > CHILD_SLICE_MS)
			left_ms = CHILD_SLICE_MS;
		if (pump(context, left_ms, err) == -1)
			return -1;
		child_reap(child, WNOHANG);
	}
	return 0;
}

int
child_end_tree(struct child *child, struct executor_host *host,
	       struct channel_cancel *cancel, child_pump *pump, void *context,
	       struct err *err)
{
	const struct spec *spec = host->spec;
	for (size_t i = 0; i < spec->term_step_count; i++) {
		if (cancel->is_at_once || !child_is_alive(child, host))
			break;
		if (child_term_step(child, host, &spec->term_steps[i], cancel, pump,
				    context, err) == -1)
			return -1;
	}
	/* A reading of /proc may miss what a process that is exiting leaves behind; this not. */
	siginfo_t info;
	if (!child->has_ended || waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0)
		tree_kill(child->has_ended ? 0 : child->pid, &host->rule, child->pid);
	child_reap(child, 0);
	return 0;
}

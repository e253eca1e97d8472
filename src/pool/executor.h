/*
 * executor.h: interface of how a worker runs a task, and what the worker lends it.
 *
 * An executor runs one task at a time, start to end, in the worker process: it sends
 * started and output frames through the channel, ends the task's whole tree when the
 * channel says it is cancelled, and fills in the result. It keeps no policy and sends no
 * finished frame: the worker does.
 */
#ifndef PINION_EXECUTOR_H
#define PINION_EXECUTOR_H

#include "base/sig.h"
#include "pool/channel.h"
#include "pool/task_env.h"
#include "pool/tree.h"
#include "task/result.h"
#include "task/spec.h"
#include "task/template.h"

#define EXECUTOR_SPARED_MAX 64

/* What a worker and its executor share; the worker owns it. */
struct executor_host {
	const struct spec *spec;
	const struct template *template;
	const struct sig_origin *origin;
	struct channel *channel;
	struct board_seat *seat;
	struct task_env *env;
	int first_stdin_fd; /* stdin of the first task of the run; -1: it is like the others */
	/*
	 * What of our descendants is the task in hand: rule.seq; the rest is spared: daemons of
	 * earlier tasks and what the initializer started, named here as far as there is room.
	 */
	struct tree_rule rule;
	pid_t spared[EXECUTOR_SPARED_MAX];
};

struct executor {
	const struct executor_ops *ops;
};

struct executor_ops {
	/* -1 and err: this worker cannot go on; the task in hand is lost with it. */
	int (*run)(struct executor *executor, const struct template_values *values,
		   uint32_t attempt, struct result *result, struct err *err);
	void (*free)(struct executor *executor);
};

/* Each executor's own constructor; NULL and err when it cannot serve. */
struct executor *exec_spawn_new(struct executor_host *host, struct err *err);

/* Spares all children alive now. */
void executor_spare_children(struct executor_host *host);

#endif

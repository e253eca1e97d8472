/*
 * executor.h: interface of how a worker runs tasks, and what the worker lends it.
 *
 * An executor pulls tasks from its worker (executor_next) for as long as there are any, shows
 * which one is in hand, sends its output through the channel, ends what it started when the
 * channel says that the task is cancelled, and hands each result back (executor_finish). It may
 * have several tasks under way, but only one in hand: the others have not started as far as
 * anyone else knows, and go back if the worker ends. It keeps no policy.
 */
#ifndef PINION_EXECUTOR_H
#define PINION_EXECUTOR_H

#include "base/sig.h"
#include "pool/channel.h"
#include "pool/outputs.h"
#include "pool/task_env.h"
#include "pool/tree.h"
#include "task/result.h"
#include "task/spec.h"
#include "task/template.h"

#define EXECUTOR_SPARED_MAX 64

/* A task pulled; the values are borrowed until the next pull. */
struct executor_task {
	struct template_values values; /* all, as templates want them */
	uint32_t hidden_count; /* so many in front are none of the command's own */
	uint32_t attempt;
};

/* The values that a program or plugin gets. */
static inline struct template_values
executor_visible(const struct executor_task *task)
{
	return template_values_visible(&task->values, task->hidden_count);
}

/* What a worker and its executor share; the worker owns it. */
struct executor_host {
	const struct spec *spec;
	const struct template *template;
	const struct sig_origin *origin;
	struct channel *channel;
	struct board *board;
	struct board_seat *seat;
	struct task_env *env;
	uint32_t number;                /* of the worker process */
	struct executor_shared *shared; /* what executor_prepare made; NULL: nothing */
	int first_stdin_fd; /* stdin of the first task of the run; -1: it is like the others */
	/*
	 * What of our descendants is the task in hand: rule.seq; the rest is spared: daemons of
	 * earlier tasks and what the initializer started, named here as far as there is room.
	 */
	struct tree_rule rule;
	pid_t spared[EXECUTOR_SPARED_MAX];
	/* Of the task in hand, for whoever ends it without its executor; NULL: none. The executor's. */
	struct outputs *outputs;
};

struct executor {
	const struct executor_ops *ops;
};

struct executor_ops {
	/*
	 * Runs tasks until executor_next has none. -1 and err: this worker cannot go on; what
	 * it has in hand is lost with it.
	 */
	int (*serve)(struct executor *executor, struct err *err);
	/* Ends what it keeps between tasks; the last frames have yet to be sent. */
	void (*free)(struct executor *executor);
};

/* --- worker.c: for executors --- */

/* 1: *task is the next; 0: there is none now, or no more are to be started; -1 and err. */
int executor_next(struct executor_host *host, struct executor_task *task, struct err *err);

/*
 * As executor_next, for one that has tasks and waits for their ends: after 0 SIGUSR1 comes when
 * there are new ones.
 */
int executor_next_or_signal(struct executor_host *host, struct executor_task *task,
			    struct err *err);

/* How many tasks are left of the chunk that the last one came from. */
uint32_t executor_left(const struct executor_host *host);

/* The task in hand is this one: shows on the board before anything of it happens. */
void executor_begin(struct executor_host *host, uint64_t seq, uint32_t attempt);

/* It has ended; reason and costs are filled in, the rest is added here. */
void executor_finish(struct executor_host *host, struct result *result);

/*
 * The task in hand was a success with nothing but this output, started and ended so: stands for
 * channel_started, channel_output and executor_finish. length <= CHANNEL_ANSWER_MAX.
 */
void executor_answer(struct executor_host *host, const struct frame_answer *answer,
		     const char *bytes, size_t length);

/* Spares all children alive now. */
void executor_spare_children(struct executor_host *host);

/* Replaces the worker, as after --maxtasksperchild: there is no next task for this one. */
void executor_retire(struct executor_host *host);

/* Ends the worker: what it kept trying cannot be made to serve. Returns -1. */
int executor_give_up(struct executor_host *host);

/* --- each executor's own constructor; NULL and err when it cannot serve --- */

struct executor *exec_spawn_new(struct executor_host *host, struct err *err);
struct executor *exec_coproc_new(struct executor_host *host, struct err *err);
struct executor *exec_plugin_new(struct executor_host *host, struct err *err);

/* The one the spec asks for. */
struct executor *executor_new(struct executor_host *host, struct err *err);

/* --- executor.c: what is done once for all workers that are copies of one process --- */

/* An executor's own: a library, loaded and initialised. */
struct executor_shared;

/*
 * Does, in a process of which workers will be forked, whatever the spec's executor can do
 * once and for all; *shared is then in the host of each executor_new, which is not to do it
 * again. Nothing to do: NULL. 0; -1 and err.
 */
int executor_prepare(const struct spec *spec, struct executor_shared **shared,
		     struct err *err);

/* Undoes it, in the same process, when its workers have gone; NULL is fine. */
void executor_unprepare(const struct spec *spec, struct executor_shared *shared);

/* --- each executor's own, where there is something to share; as the two above --- */

int exec_plugin_prepare(const struct spec *spec, struct executor_shared **shared,
			struct err *err);
void exec_plugin_unprepare(struct executor_shared *shared);

#endif

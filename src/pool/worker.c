/* worker.c: see worker.h. */
#include "pool/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "pool/channel.h"
#include "pool/executor.h"
#include "pool/initializer.h"
#include "pool/task_env.h"

#define WORKER_CHUNK_MAX 1024 /* cells claimed at once, whatever --chunksize says */

extern char **environ;

struct worker {
	struct executor_host host; /* first: an executor's host is its worker */
	struct worker_config config;
	struct channel channel;
	struct task_env env;
	struct executor *executor;            /* made before the first task */
	uint64_t positions[WORKER_CHUNK_MAX]; /* cells claimed, */
	size_t position_count;
	size_t position_index; /* and the first of them not yet taken */
	uint64_t taken_count;
	uint64_t served_count;
	int32_t cpu; /* bound to one hardware thread or core: where; else -1 */
	struct buf cell;
	struct arg *args;
	size_t arg_capacity;
};

/* For the handler: the only worker there is in this process. */
static struct worker *worker_self;

/* The coordinator is gone: nothing of ours may outlive it. Async-signal-safe. */
static void
worker_orphaned(void)
{
	if (worker_self != NULL)
		tree_kill(atomic_load(&worker_self->config.seat->pid),
			  &worker_self->host.rule, 0);
	_exit(WORKER_BROKEN);
}

/* SIGUSR1 says "look at the board", and is what the kernel sends when the coordinator dies. */
static void
worker_on_usr1(int signal)
{
	(void)signal;
	if (getppid() != worker_self->config.coordinator)
		worker_orphaned();
}

static void
worker_set_up_signals(struct worker *self, sigset_t *wait_mask)
{
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	worker_self = self;
	sig_handle(SIGUSR1, worker_on_usr1);
	sig_handle(SIGCHLD, channel_on_child);
	sigfillset(wait_mask);
	sigdelset(wait_mask, SIGUSR1);
	sigdelset(wait_mask, SIGCHLD);
}

/* Our descriptors: null on 0, the ring, the result pipe, the first task's stdin; no others. */
static int
worker_set_up_fds(struct worker *self)
{
	struct worker_config *config = &self->config;
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd == -1 || dup2(null_fd, STDIN_FILENO) == -1)
		return -1;
	close(null_fd);
	int keep[] = {config->result_fd, ring_fd(config->ring), config->first_stdin_fd};
	for (int i = 0; i < 2; i++) /* sorted: three are few enough to swap */
		for (int j = 0; j < 2; j++)
			if (keep[j] > keep[j + 1]) {
				int swapped = keep[j];
				keep[j] = keep[j + 1];
				keep[j + 1] = swapped;
			}
	io_close_from(3, keep, 3);
	return 0;
}

/* Dies with the coordinator; is found by nobody's Ctrl-C; adopts what its tasks leave behind. */
static void
worker_set_up_process(struct worker *self)
{
	setpgid(0, 0);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	prctl(PR_SET_PDEATHSIG, SIGUSR1);
	if (getppid() != self->config.coordinator)
		worker_orphaned();
}

static struct task_env_config
worker_env_config(const struct worker *self)
{
	const struct worker_config *config = &self->config;
	return (struct task_env_config){
	    .run_name = config->run_name,
	    .worker = config->number,
	    .slot = (uint32_t)config->slot_index + 1,
	    .coordinator = config->coordinator,
	    .share = config->topology == NULL
			 ? 0
			 : topology_share(config->topology, config->spec->bind,
					  config->worker_count, config->slot_index),
	};
}

static int
worker_set_up_place(struct worker *self, struct err *err)
{
	struct worker_config *config = &self->config;
	struct task_env_config env_config = worker_env_config(self);
	self->cpu = -1;
	if (config->topology != NULL) {
		enum spec_bind kind = topology_bind_kind(
		    config->topology, config->spec->bind, config->worker_count);
		bool is_bound =
		    topology_bind(config->topology, config->spec->bind,
				  config->worker_count, config->slot_index) == 0;
		if (is_bound && (kind == SPEC_BIND_CORE || kind == SPEC_BIND_PU))
			self->cpu = sched_getcpu();
	}
	if (config->spec->work_dir != NULL && chdir(config->spec->work_dir) == -1)
		return err_errno(err, "cannot change to the folder %s",
				 config->spec->work_dir);
	if (task_env_init(&self->env, environ, &env_config) == -1)
		return err_no_memory(err);
	return 0;
}

static int
worker_set_up(struct worker *self, struct err *err)
{
	sigset_t wait_mask;
	worker_set_up_signals(self, &wait_mask);
	struct outbox outbox;
	if (outbox_map(&outbox, self->config.outbox_fd, self->config.slot_index, false,
		       err) == -1)
		_exit(WORKER_CANNOT_START); /* with no means to say why */
	channel_init(&self->channel, self->config.result_fd, &outbox, self->config.seat,
		     &wait_mask, worker_orphaned);
	self->host = (struct executor_host){
	    .spec = self->config.spec,
	    .template = self->config.template,
	    .origin = self->config.origin,
	    .channel = &self->channel,
	    .board = self->config.board,
	    .seat = self->config.seat,
	    .env = &self->env,
	    .first_stdin_fd = self->config.first_stdin_fd,
	    .rule = {.run = self->config.run_name, .seq = BOARD_NO_TASK},
	};
	self->host.rule.spared = self->host.spared;
	worker_set_up_process(self);
	if (worker_set_up_fds(self) == -1)
		return err_errno(err, "cannot set up a worker's descriptors");
	return worker_set_up_place(self, err);
}

/* What comes before the first task: the initializer, then the executor. */
static int
worker_make_executor(struct worker *self, struct err *err)
{
	if (self->config.spec->initializer != NULL) {
		struct buf environment = {0};
		struct task_env env;
		struct task_env_config env_config = worker_env_config(self);
		int status = initializer_run(&self->host, &environment, err);
		if (status == 0) {
			status = task_env_init_from(&env, environment.bytes,
						    environment.length, &env_config);
			if (status == -1)
				err_no_memory(err);
		}
		buf_fini(&environment);
		if (status == -1)
			return -1;
		task_env_fini(&self->env);
		self->env = env;
	}
	self->executor = exec_spawn_new(&self->host, err);
	return self->executor == NULL ? -1 : 0;
}

static size_t
worker_chunk_count(const struct worker *self)
{
	uint64_t count = atomic_load(&self->config.seat->chunk_count);
	uint64_t most = self->config.spec->max_tasks_per_worker;
	if (count < 1)
		count = 1;
	if (count > WORKER_CHUNK_MAX)
		count = WORKER_CHUNK_MAX;
	if (most > 0 && count > most - self->taken_count)
		count = most - self->taken_count;
	return (size_t)count;
}

static bool
worker_is_full(const struct worker *self)
{
	uint64_t most = self->config.spec->max_tasks_per_worker;
	return most > 0 && self->taken_count >= most;
}

/* Sleeps until there may be work; the coordinator's death must be heard meanwhile. */
static void
worker_sleep(struct worker *self, uint32_t bell)
{
	sigset_t old;
	channel_flush(&self->channel);
	sigprocmask(SIG_SETMASK, &self->channel.wait_mask, &old);
	ring_wait(self->config.ring, bell);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

/* Held: sleeps until the order changes. True: go on; false: leave. */
static bool
worker_may_go_on(struct worker *self)
{
	const struct board_seat *seat = self->config.seat;
	uint32_t order;
	for (;;) {
		uint32_t bell = ring_bell(self->config.ring);
		order = atomic_load(&seat->order);
		if (order != BOARD_HOLD)
			return order == BOARD_GO;
		worker_sleep(self, bell);
	}
}

/* Claims what is there, up to a chunk. False: nothing. */
static bool
worker_claim(struct worker *self)
{
	if (self->position_index < self->position_count)
		return true;
	self->position_index = 0;
	self->position_count = 0;
	if (!worker_is_full(self))
		self->position_count =
		    ring_claim(self->config.ring, self->config.number,
			       worker_chunk_count(self), self->positions);
	return self->position_count > 0;
}

/* A claimed cell's task, its values unpacked. */
static int
worker_take(struct worker *self, struct executor_task *task, struct err *err)
{
	struct task_cell cell;
	uint64_t position = self->positions[self->position_index++];
	if (ring_take(self->config.ring, position, &self->cell) == -1)
		return err_errno(err, "cannot take a task from the queue");
	if (self->cell.length < sizeof(cell))
		return err_set(err, ERR_BROKEN, "a task came garbled out of the queue");
	memcpy(&cell, self->cell.bytes, sizeof(cell));
	if (task_unpack(self->cell.bytes + sizeof(cell), self->cell.length - sizeof(cell),
			cell.arg_count, &self->args, &self->arg_capacity) == -1)
		return err_set(err, ERR_BROKEN, "a task came garbled out of the queue");
	self->taken_count++;
	*task = (struct executor_task){
	    .values = {.seq = cell.seq,
		       .slot = (uint32_t)self->config.slot_index + 1,
		       .args = self->args,
		       .arg_count = cell.arg_count,
		       .column_count = self->config.column_count},
	    .attempt = cell.attempt,
	};
	return 0;
}

int
executor_next(struct executor_host *host, struct executor_task *task, struct err *err)
{
	struct worker *self = (struct worker *)host;
	if (!worker_may_go_on(self) || !worker_claim(self))
		return 0;
	return worker_take(self, task, err) == -1 ? -1 : 1;
}

void
executor_begin(struct executor_host *host, uint64_t seq, uint32_t attempt)
{
	atomic_store(&host->seat->attempt, attempt);
	atomic_store(&host->seat->seq, seq);
	host->rule.seq = seq;
	channel_begin(host->channel, seq, attempt);
}

void
executor_finish(struct executor_host *host, struct result *result)
{
	struct worker *self = (struct worker *)host;
	result->worker = self->config.number;
	result->slot = (uint32_t)self->config.slot_index + 1;
	result->cpu = self->cpu;
	result->stdout_bytes = host->channel->stream_bytes[RESULT_STDOUT];
	result->stderr_bytes = host->channel->stream_bytes[RESULT_STDERR];
	channel_finished(host->channel, result);
	/* Only now: what is said is safe, and the task no longer in our hand. */
	atomic_store(&host->seat->seq, BOARD_NO_TASK);
	self->served_count++;
	atomic_store(&host->seat->served_count, self->served_count);
}

void
executor_spare_children(struct executor_host *host)
{
	size_t count = tree_children(host->spared, EXECUTOR_SPARED_MAX);
	host->rule.spared_count = count > EXECUTOR_SPARED_MAX ? EXECUTOR_SPARED_MAX : count;
}

static int
worker_loop(struct worker *self, struct err *err)
{
	struct ring *ring = self->config.ring;
	while (!worker_is_full(self) && worker_may_go_on(self)) {
		uint32_t bell = ring_bell(ring);
		bool is_closed = ring_is_closed(ring);
		if (worker_claim(self)) {
			if (self->executor == NULL && worker_make_executor(self, err) == -1)
				return -1;
			if (self->executor->ops->serve(self->executor, err) == -1)
				return -1;
		} else if (is_closed) {
			break;
		} else {
			worker_sleep(self, bell);
		}
	}
	return 0;
}

/* What an initializer left running ends with its worker; daemons of tasks stay. */
static void
worker_end_initializer(struct worker *self)
{
	struct tree_rule rule = {.run = self->config.run_name, .seq = BOARD_NO_TASK};
	if (self->config.spec->initializer == NULL || waitpid(-1, NULL, WNOHANG) == -1)
		return;
	tree_signal(0, SIGTERM, &rule);
	tree_kill(0, &rule, 0);
}

_Noreturn void
worker_main(const struct worker_config *config)
{
	struct worker self = {.config = *config};
	struct err err = {0};
	int status = WORKER_DONE;
	if (worker_set_up(&self, &err) == -1 || worker_loop(&self, &err) == -1) {
		status = self.executor == NULL ? WORKER_CANNOT_START : WORKER_BROKEN;
		channel_start_failed(&self.channel, err.text);
		tree_kill(atomic_load(&config->seat->pid), &self.host.rule, 0);
	}
	if (self.executor != NULL)
		self.executor->ops->free(self.executor);
	channel_flush(&self.channel);
	worker_end_initializer(&self);
	task_env_fini(&self.env);
	buf_fini(&self.cell);
	channel_fini(&self.channel);
	free(self.args);
	_exit(status);
}

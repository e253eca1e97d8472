/* worker.c: see worker.h. */
#include "pool/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "ipc/jobserver.h"
#include "pool/channel.h"
#include "pool/doze.h"
#include "pool/executor.h"
#include "pool/initializer.h"
#include "pool/task_env.h"

/* So long after it was claimed, what is left of a chunk goes back if others have nothing. */
#define WORKER_CHUNK_NS NS_PER_MS

/*
 * Where tasks are recorded, so much work of a worker may wait for its record at a time, while it
 * begins the next task; and for so long.
 */
#define WORKER_UNRECORDED_NS (2 * NS_PER_MS / 5)
#define WORKER_RECORD_DELAY_NS (2 * NS_PER_MS)

#define WORKER_IOPRIO_WHO_PROCESS 1 /* of ioprio_set(2), which has no header */

struct worker {
	struct executor_host host; /* first: an executor's host is its worker */
	struct worker_config config;
	struct channel channel;
	struct task_env env;
	int jobserver_fds[2];
	char jobserver_auth[JOBSERVER_AUTH_BYTES]; /* "": none */
	struct executor *executor;                 /* made before the first task */
	/* The chunk in hand. */
	struct task_cell chunk; /* seq and count are of the tasks not yet given out */
	struct buf cell;
	const char *chunk_at; /* the rest of its bytes, in cell */
	size_t chunk_bytes;
	uint32_t claimed_count; /* of tasks, when it was claimed */
	int64_t claimed_at_ns;

	uint64_t taken_count;
	uint64_t served_count;
	bool has_given_up;
	bool is_retired; /* no more tasks for this one */
	bool is_recorded;
	int64_t unrecorded_ns; /* that tasks took whose ends may not be recorded yet */
	struct worker_place place;
	struct arg *args;
	size_t arg_capacity;
};

/* For the handler: the only worker there is in this process. */
static struct worker *worker_self;

/*
 * The coordinator is gone: nothing of ours may outlive it. Async-signal-safe, but for the outputs,
 * which only commands have: with one in hand, signals come in only while channel.c waits.
 */
static void
worker_orphaned(void)
{
	if (worker_self != NULL) {
		tree_kill(atomic_load(&worker_self->config.seat->pid),
			  &worker_self->host.rule, 0);
		if (worker_self->host.outputs != NULL)
			outputs_close(worker_self->host.outputs);
		if (worker_self->jobserver_fds[1] != -1)
			jobserver_unhold_orphaned(worker_self->config.board,
						  worker_self->jobserver_fds[1]);
		board_remove_socket(worker_self->config.board);
	}
	_exit(WORKER_BROKEN);
}

/*
 * SIGUSR1 says "look at the board", or around; and is what the kernel sends when the
 * coordinator dies.
 */
static void
worker_on_usr1(int signal)
{
	(void)signal;
	if (getppid() != worker_self->config.coordinator)
		worker_orphaned();
	doze_disturb();
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

/* What tasks share cores by. They inherit its descriptors. */
static int
worker_attach_jobserver(struct worker *self)
{
	const struct worker_config *config = &self->config;
	int fd = atomic_load(&config->seat->jobserver_fd);
	uint32_t style = atomic_load(&config->seat->jobserver_style);
	return fd == -1
		   ? 0
		   : jobserver_attach(config->coordinator, fd, (enum jobserver_style)style,
				      self->jobserver_fds, self->jobserver_auth);
}

/*
 * Our descriptors: null on 0, the ring, the result pipe, the outboxes, the first task's stdin, the
 * jobserver's; no others.
 */
static int
worker_set_up_fds(struct worker *self)
{
	struct worker_config *config = &self->config;
	int keep[] = {config->result_fd, ring_fd(config->ring), config->outbox_fd,
		      config->first_stdin_fd};
	io_close_from(3, keep, sizeof(keep) / sizeof(*keep)); /* there may be none to spare */
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null_fd == -1 || dup2(null_fd, STDIN_FILENO) == -1)
		return -1;
	close(null_fd);
	return worker_attach_jobserver(self);
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
	    .share = self->place.share,
	    .jobserver_auth = *self->jobserver_auth == '\0' ? NULL : self->jobserver_auth,
	    .jobserver_jobs = config->worker_count,
	};
}

struct worker_place
worker_take_place(const struct worker_config *config)
{
	const struct topology *topology = config->topology;
	enum spec_bind bind = config->spec->bind;
	if (topology == NULL)
		return config->place;
	enum spec_bind kind = topology_bind_kind(topology, bind, config->worker_count);
	size_t index = config->place_first + config->slot_index;
	bool is_bound = topology_bind(topology, bind, config->worker_count, index) == 0;
	return (struct worker_place){
	    .share = topology_share(topology, bind, config->worker_count, index),
	    .cpu = is_bound && (kind == SPEC_BIND_CORE || kind == SPEC_BIND_PU)
		       ? sched_getcpu()
		       : -1,
	};
}

/* How much of the machine is left to others; the tasks inherit it. */
static int
worker_set_up_manners(const struct spec *spec, struct err *err)
{
	if (spec->has_nice && setpriority(PRIO_PROCESS, 0, spec->nice) == -1)
		return err_errno(err, "--nice %d", spec->nice);
	if (spec->ioprio != 0 &&
	    syscall(SYS_ioprio_set, WORKER_IOPRIO_WHO_PROCESS, 0, spec->ioprio) == -1)
		return err_errno(err, "--ionice");
	return 0;
}

static int
worker_set_up_place(struct worker *self, struct err *err)
{
	struct worker_config *config = &self->config;
	self->place = worker_take_place(config);
	struct task_env_config env_config = worker_env_config(self);
	if (config->spec->work_dir != NULL && chdir(config->spec->work_dir) == -1)
		return err_errno(err, "cannot change to the folder %s",
				 config->spec->work_dir);
	if (task_env_export(config->spec->env, config->spec->env_count) == -1 ||
	    task_env_init(&self->env, environ, &env_config) == -1)
		return err_no_memory(err);
	return worker_set_up_manners(config->spec, err);
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
	channel_init(&self->channel, self->config.result_fd, &outbox,
		     self->config.outbox_fd, self->config.seat, &wait_mask,
		     worker_orphaned);
	self->is_recorded = spec_is_recorded(self->config.spec);
	if (self->is_recorded)
		self->channel.delay_ns = WORKER_RECORD_DELAY_NS;
	self->host = (struct executor_host){
	    .spec = self->config.spec,
	    .template = self->config.template,
	    .origin = self->config.origin,
	    .channel = &self->channel,
	    .board = self->config.board,
	    .seat = self->config.seat,
	    .env = &self->env,
	    .number = self->config.number,
	    .shared = self->config.shared,
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
	self->executor = executor_new(&self->host, err);
	return self->executor == NULL ? -1 : 0;
}

static bool
worker_is_full(const struct worker *self)
{
	uint64_t most = self->config.spec->max_tasks_per_worker;
	return self->is_retired || (most > 0 && self->taken_count >= most);
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

/* A claimed cell's chunk becomes the one in hand. */
static int
worker_take_chunk(struct worker *self, uint64_t position, struct err *err)
{
	if (ring_take(self->config.ring, position, &self->cell) == -1)
		return err_errno(err, "cannot take a task from the queue");
	if (self->cell.length < sizeof(self->chunk))
		return err_set(err, ERR_BROKEN, "a task came garbled out of the queue");
	memcpy(&self->chunk, self->cell.bytes, sizeof(self->chunk));
	self->chunk_at = self->cell.bytes + sizeof(self->chunk);
	self->chunk_bytes = self->cell.length - sizeof(self->chunk);
	self->claimed_count = self->chunk.count;
	self->claimed_at_ns = clock_now_ns();
	return 0;
}

/* Claims what is there. 1: there is a chunk in hand; 0: nothing; -1 and err. */
static int
worker_claim(struct worker *self, struct err *err)
{
	uint64_t position;
	if (self->chunk.count > 0)
		return 1;
	if (ring_claim(self->config.ring, self->config.number, 1, &position) == 0)
		return 0;
	return worker_take_chunk(self, position, err) == -1 ? -1 : 1;
}

/* What is left of the chunk will not be started here. */
static void
worker_give_back(struct worker *self)
{
	channel_returned(&self->channel, self->chunk.seq, self->chunk.attempt,
			 self->chunk.count);
	channel_flush(&self->channel);
	self->chunk.count = 0;
}

/* Others have nothing to do, and what we have takes its time; all that was begun has ended. */
static bool
worker_should_share(const struct worker *self)
{
	return self->chunk.count > 0 && ring_sleepers(self->config.ring) > 0 &&
	       self->taken_count == self->served_count &&
	       self->chunk.count < self->claimed_count &&
	       clock_now_ns() - self->claimed_at_ns > WORKER_CHUNK_NS;
}

/* The next task of the chunk in hand, its values unpacked. */
static int
worker_take(struct worker *self, struct executor_task *task, struct err *err)
{
	struct task_cell *chunk = &self->chunk;
	if (chunk->arg_count < self->config.spec->hidden_count ||
	    task_unpack_next(&self->chunk_at, &self->chunk_bytes, chunk->arg_count,
			     &self->args, &self->arg_capacity) == -1)
		return err_set(err, ERR_BROKEN, "a task came garbled out of the queue");
	self->taken_count++;
	*task = (struct executor_task){
	    .values = {.seq = chunk->seq,
		       .slot = (uint32_t)self->config.slot_index + 1,
		       .args = self->args,
		       .arg_count = chunk->arg_count,
		       .column_count = self->config.column_count},
	    .hidden_count = self->config.spec->hidden_count,
	    .attempt = chunk->attempt,
	};
	chunk->seq++;
	chunk->count--;
	return 0;
}

int
executor_next(struct executor_host *host, struct executor_task *task, struct err *err)
{
	struct worker *self = (struct worker *)host;
	if (worker_should_share(self))
		worker_give_back(self);
	/* Held, we wait in worker_loop; told to leave, what is left goes back at our end. */
	if (worker_is_full(self) || atomic_load(&host->seat->order) != BOARD_GO)
		return 0;
	int status = worker_claim(self, err);
	if (status == 1 && worker_take(self, task, err) == -1)
		return -1;
	return status;
}

int
executor_next_or_signal(struct executor_host *host, struct executor_task *task,
			struct err *err)
{
	int status = executor_next(host, task, err);
	if (status != 0 || atomic_exchange(&host->seat->wants_task, 1) != 0)
		return status;
	/* Either the coordinator sees that or we what it published before it looked. */
	atomic_thread_fence(memory_order_seq_cst);
	return executor_next(host, task, err);
}

uint32_t
executor_left(const struct executor_host *host)
{
	return ((const struct worker *)host)->chunk.count;
}

void
executor_begin(struct executor_host *host, uint64_t seq, uint32_t attempt)
{
	atomic_store_explicit(&host->seat->attempt, attempt, memory_order_relaxed);
	atomic_store_explicit(&host->seat->seq, seq, memory_order_release);
	host->rule.seq = seq;
	channel_begin(host->channel, seq, attempt);
}

/*
 * What a kill of the coordinator costs: a task that has ended and is not recorded is run again, so
 * the next one must not begin before, nor after the coordinator's end. Of calls and fed lines that
 * take less time than the wait would, several are run again.
 */
static void
worker_let_record(struct worker *self, int64_t wall_ns)
{
	self->unrecorded_ns += wall_ns;
	if (self->config.spec->executor == SPEC_SPAWN ||
	    self->unrecorded_ns >= WORKER_UNRECORDED_NS) {
		channel_await_heard(&self->channel);
		self->unrecorded_ns = 0;
	}
	if (getppid() != self->config.coordinator)
		worker_orphaned();
}

/* The task in hand has its end, and is safe in the outbox. */
static void
worker_ended_task(struct worker *self, int64_t wall_ns)
{
	struct board_seat *seat = self->config.seat;
	atomic_store_explicit(&seat->seq, BOARD_NO_TASK, memory_order_release);
	self->served_count++;
	atomic_store_explicit(&seat->served_count, self->served_count,
			      memory_order_relaxed);
	if (self->is_recorded)
		worker_let_record(self, wall_ns);
}

void
executor_answer(struct executor_host *host, const struct frame_answer *answer,
		const char *bytes, size_t length)
{
	channel_answer(host->channel, answer, bytes, length);
	worker_ended_task((struct worker *)host, answer->wall_ns);
}

void
executor_finish(struct executor_host *host, struct result *result)
{
	struct worker *self = (struct worker *)host;
	result->worker = self->config.number;
	result->slot = (uint32_t)self->config.slot_index + 1;
	result->cpu = self->place.cpu;
	result->stdout_bytes = host->channel->stream_bytes[RESULT_STDOUT];
	result->stderr_bytes = host->channel->stream_bytes[RESULT_STDERR];
	channel_finished(host->channel, result);
	worker_ended_task(self, result->wall_ns);
}

void
executor_spare_children(struct executor_host *host)
{
	size_t count = tree_children(host->spared, EXECUTOR_SPARED_MAX);
	host->rule.spared_count = count > EXECUTOR_SPARED_MAX ? EXECUTOR_SPARED_MAX : count;
}

void
executor_retire(struct executor_host *host)
{
	((struct worker *)host)->is_retired = true;
}

int
executor_give_up(struct executor_host *host)
{
	((struct worker *)host)->has_given_up = true;
	return -1;
}

static int
worker_loop(struct worker *self, struct err *err)
{
	struct ring *ring = self->config.ring;
	while (!worker_is_full(self) && worker_may_go_on(self)) {
		uint32_t bell = ring_bell(ring);
		bool is_closed = ring_is_closed(ring);
		int claimed = worker_claim(self, err);
		if (claimed == -1)
			return -1;
		if (claimed == 1) {
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

/* What an initializer or a plugin left running ends with its worker; daemons of tasks stay. */
static void
worker_end_children(struct worker *self)
{
	const struct spec *spec = self->config.spec;
	struct tree_rule rule = {.run = self->config.run_name, .seq = BOARD_NO_TASK};
	if ((spec->initializer == NULL && spec->executor != SPEC_PLUGIN) ||
	    waitpid(-1, NULL, WNOHANG) == -1)
		return;
	tree_signal(0, SIGTERM, &rule);
	tree_kill(0, &rule, 0);
}

_Noreturn void
worker_fail(const struct worker_config *config, const struct err *err)
{
	struct outbox outbox;
	struct channel channel;
	sigset_t wait_mask;
	sigfillset(&wait_mask);
	if (outbox_map(&outbox, config->outbox_fd, config->slot_index, false, NULL) == 0) {
		channel_init(&channel, config->result_fd, &outbox, -1, config->seat,
			     &wait_mask, worker_orphaned);
		channel_start_failed(&channel, err->text);
		channel_flush(&channel);
	}
	_exit(WORKER_CANNOT_START);
}

_Noreturn void
worker_main(const struct worker_config *config)
{
	struct worker self = {.config = *config, .jobserver_fds = {-1, -1}};
	struct err err = {0};
	int status = WORKER_DONE;
	if (worker_set_up(&self, &err) == -1 || worker_loop(&self, &err) == -1) {
		status = self.has_given_up       ? WORKER_GAVE_UP
			 : self.executor == NULL ? WORKER_CANNOT_START
						 : WORKER_BROKEN;
		channel_start_failed(&self.channel, err.text);
		tree_kill(atomic_load(&config->seat->pid), &self.host.rule, 0);
	}
	if (self.executor != NULL)
		self.executor->ops->free(self.executor);
	channel_flush(&self.channel);
	worker_end_children(&self);
	task_env_fini(&self.env);
	buf_fini(&self.cell);
	channel_fini(&self.channel);
	free(self.args);
	_exit(status);
}

/*
 * exec_plugin.c: the executor for plugins: a function call per task, in the worker itself.
 *
 * Per task: no process, no pipe, no allocation, no system call; the end of one task is the
 * beginning of the next, so that one look at the clock does. Foreign code may end the process
 * at any time (a crash, exit), or never return: what was told before is safe in the outbox, the
 * board says which task is in hand, and the coordinator does the rest (pool_staff.c).
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "pool/executor.h"
#include "pool/plugin.h"

#define CALL_FINI_S 5                /* a fini that takes longer is given up */
#define CALL_RSS_NS (10 * NS_PER_MS) /* the worker's size is looked at so often */

/* A task and its answer; the bytes of the values are the chunk's in hand. */
struct call_item {
	struct pinion_task task;
	struct pinion_answer answer;
	struct pinion_value *values;
	size_t value_capacity;
};

/* A server's: its workers inherit the library as init has left it. */
struct executor_shared {
	struct plugin plugin;
};

struct exec_plugin {
	struct executor executor;
	struct executor_host *host;
	const struct plugin *plugin;
	struct plugin own_plugin; /* unless it is shared */
	bool is_timed;            /* the coordinator wants to know what is in hand */
	int64_t now_ns;           /* when the last task ended */

	/* items[0] alone, unless the plugin wants chunks. */
	struct call_item *items;
	size_t item_max;
	const struct pinion_task **tasks;
	struct pinion_answer **answers;

	int statm_fd; /* -1: our size does not matter */
	int64_t looked_at_ns;
};

static bool
call_takes_chunks(const struct exec_plugin *self)
{
	return (self->plugin->descriptor.flags & PINION_PLUGIN_CHUNK) != 0;
}

/* --- how a task's end is told --- */

static int
call_status(int status)
{
	return status < 0 || status > 255 ? 255 : status;
}

/* All of a buffer, and a newline behind a text that has none. */
static void
call_tell_stream(struct exec_plugin *self, enum result_stream stream,
		 const struct pinion_buffer *buffer)
{
	struct channel *channel = self->host->channel;
	size_t length = buffer->length;
	channel_output(channel, stream, buffer->bytes, length);
	if (stream == RESULT_STDERR && length > 0 && buffer->bytes[length - 1] != '\n')
		channel_output(channel, stream, "\n", 1);
}

/* A plugin that wrote behind its room has garbled who knows what: this process is not to go on. */
static void
call_check_answer(struct exec_plugin *self, struct pinion_answer *answer)
{
	static const char text[] = "the plugin made an answer longer than its room: its "
				   "process is replaced";
	if (answer->out.length <= answer->out.capacity &&
	    answer->err.length <= answer->err.capacity)
		return;
	executor_retire(self->host);
	plugin_buffer_init(&answer->out); /* what was there is not to be trusted with free */
	plugin_buffer_init(&answer->err);
	pinion_append(&answer->err, text, sizeof(text) - 1);
	answer->status = 255;
}

/* The long form of an end. */
static void
call_finish(struct exec_plugin *self, const struct pinion_answer *answer,
	    const struct frame_answer *times)
{
	struct result result = {
	    .reason = RESULT_EXIT,
	    .exit_status = call_status(answer->status),
	    .pid = getpid(),
	    .started_real_ns = clock_real_ns() - (clock_now_ns() - times->started_at_ns),
	    .wall_ns = times->wall_ns,
	};
	if (!self->is_timed)
		channel_started(self->host->channel, times->started_at_ns);
	call_tell_stream(self, RESULT_STDOUT, &answer->out);
	call_tell_stream(self, RESULT_STDERR, &answer->err);
	executor_finish(self->host, &result);
}

/* The item, which is in hand, has its answer. */
static void
call_answered(struct exec_plugin *self, struct call_item *item,
	      const struct frame_answer *times)
{
	struct pinion_answer *answer = &item->answer;
	call_check_answer(self, answer);
	if (!self->is_timed && answer->status == 0 && answer->err.length == 0 &&
	    answer->out.length <= CHANNEL_ANSWER_MAX)
		executor_answer(self->host, times, answer->out.bytes, answer->out.length);
	else
		call_finish(self, answer, times);
}

/* --- tasks --- */

static void
call_begin(struct exec_plugin *self, const struct call_item *item)
{
	executor_begin(self->host, item->task.seq, item->task.attempt);
	if (!self->is_timed)
		return;
	channel_started(self->host->channel, self->now_ns);
	channel_flush_due(self->host->channel, self->now_ns);
}

/* Room for `count` values of an item. */
static int
call_reserve_values(struct call_item *item, size_t count)
{
	if (count <= item->value_capacity)
		return 0;
	struct pinion_value *grown = reallocarray(item->values, count, sizeof(*grown));
	if (grown == NULL)
		return -1;
	item->values = grown;
	item->value_capacity = count;
	return 0;
}

static int
call_set_item(struct exec_plugin *self, struct call_item *item,
	      const struct executor_task *pulled)
{
	const struct template_values values = executor_visible(pulled);
	if (call_reserve_values(item, values.arg_count) == -1)
		return -1;
	for (size_t i = 0; i < values.arg_count; i++)
		item->values[i] = (struct pinion_value){.bytes = values.args[i].bytes,
							.length = values.args[i].length};
	item->task = (struct pinion_task){
	    .in = values.arg_count > 0 ? values.args[0].bytes : "",
	    .in_bytes = values.arg_count > 0 ? values.args[0].length : 0,
	    .values = item->values,
	    .value_count = values.arg_count,
	    .seq = values.seq,
	    .attempt = pulled->attempt,
	    .worker = self->host->number,
	    .state = self->plugin->state,
	};
	item->answer.status = 0;
	plugin_buffer_clear(&item->answer.out);
	plugin_buffer_clear(&item->answer.err);
	return 0;
}

/* Larger than it may be: the worker goes. */
static void
call_check_size(struct exec_plugin *self)
{
	char text[128];
	unsigned long pages;
	if (self->statm_fd == -1 || self->now_ns - self->looked_at_ns < CALL_RSS_NS)
		return;
	self->looked_at_ns = self->now_ns;
	ssize_t got = pread(self->statm_fd, text, sizeof(text) - 1, 0);
	if (got <= 0)
		return;
	text[got] = '\0';
	if (sscanf(text, "%*u %lu", &pages) == 1 &&
	    (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE) >
		self->host->spec->max_rss_bytes)
		executor_retire(self->host);
}

/* What there is to do once the calls have returned: at once what waited for long. */
static void
call_returned(struct exec_plugin *self, int64_t now_ns)
{
	self->now_ns = now_ns;
	channel_flush_due(self->host->channel, now_ns);
	call_check_size(self);
}

static int
call_run(struct exec_plugin *self, const struct executor_task *pulled, struct err *err)
{
	struct call_item *item = self->items;
	if (call_set_item(self, item, pulled) == -1)
		return err_no_memory(err);
	call_begin(self, item);
	item->answer.status = self->plugin->descriptor.task(&item->task, &item->answer);
	int64_t now_ns = clock_now_ns();
	struct frame_answer times = {.started_at_ns = self->now_ns,
				     .wall_ns = now_ns - self->now_ns};
	call_answered(self, item, &times);
	call_returned(self, now_ns);
	return 0;
}

/* The tasks of the chunk in hand, of which `first` was pulled. The count, or -1 and err. */
static ssize_t
call_gather(struct exec_plugin *self, const struct executor_task *first, struct err *err)
{
	struct executor_task pulled = *first;
	size_t count = 0;
	for (;;) {
		if (call_set_item(self, &self->items[count], &pulled) == -1)
			return err_no_memory(err);
		if (++count == self->item_max || executor_left(self->host) == 0)
			return (ssize_t)count;
		int got = executor_next(self->host, &pulled, err);
		if (got != 1)
			return got == 0 ? (ssize_t)count : -1;
	}
}

/* Calls task_chunk; nothing of it is told before it returns. */
static int
call_run_chunk(struct exec_plugin *self, const struct executor_task *first, struct err *err)
{
	ssize_t count = call_gather(self, first, err);
	if (count == -1)
		return -1;
	struct pinion_chunk chunk = {.tasks = self->tasks,
				     .answers = self->answers,
				     .count = (size_t)count,
				     .state = self->plugin->state};
	call_begin(self, self->items);
	atomic_store(&self->host->seat->is_chunk, count > 1);
	int status = self->plugin->descriptor.task_chunk(&chunk);
	atomic_store(&self->host->seat->is_chunk, 0);
	int64_t now_ns = clock_now_ns();
	struct frame_answer times = {.started_at_ns = self->now_ns,
				     .wall_ns = (now_ns - self->now_ns) / count};
	for (ssize_t i = 0; i < count; i++) {
		struct call_item *item = &self->items[i];
		if (status != 0)
			item->answer.status = status;
		if (i > 0)
			executor_begin(self->host, item->task.seq, item->task.attempt);
		call_answered(self, item, &times);
		times.started_at_ns += times.wall_ns;
	}
	call_returned(self, now_ns);
	return 0;
}

static int
call_serve_all(struct exec_plugin *self, struct err *err)
{
	struct executor_task pulled;
	int got;
	bool takes_chunks = call_takes_chunks(self);
	self->now_ns = clock_now_ns();
	while ((got = executor_next(self->host, &pulled, err)) == 1) {
		int status = takes_chunks ? call_run_chunk(self, &pulled, err)
					  : call_run(self, &pulled, err);
		if (status == -1)
			return -1;
	}
	return got;
}

/* Foreign code finds the signals as pinion's caller had them. Returns those of the worker. */
static sigset_t
call_open_signals(const struct exec_plugin *self)
{
	sigset_t resting;
	sigset_t mask = self->host->origin->mask;
	sigdelset(&mask,
		  SIGUSR1); /* the coordinator's death is heard in the middle of a call */
	sigprocmask(SIG_SETMASK, &mask, &resting);
	return resting;
}

static int
call_serve(struct executor *executor, struct err *err)
{
	struct exec_plugin *self = (struct exec_plugin *)executor;
	sigset_t resting = call_open_signals(self);
	int status = call_serve_all(self, err);
	sigprocmask(SIG_SETMASK, &resting, NULL);
	return status;
}

/* --- life --- */

static void
call_on_alarm(int signal)
{
	static const char text[] =
	    "pinion call: fini of the plugin takes too long: given up\n";
	(void)signal;
	if (write(STDERR_FILENO, text, sizeof(text) - 1) == -1)
		_exit(1);
	_exit(0);
}

static void
call_call_fini(struct exec_plugin *self)
{
	channel_flush(self->host->channel); /* fini may take its time, or crash */
	sig_handle(SIGALRM, call_on_alarm);
	sigset_t resting = call_open_signals(self);
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	alarm(CALL_FINI_S);
	plugin_fini(&self->own_plugin);
	fflush(NULL); /* what the plugin has printed: the process ends by _exit */
	alarm(0);
	sigprocmask(SIG_SETMASK, &resting, NULL);
}

static void
call_free(struct executor *executor)
{
	struct exec_plugin *self = (struct exec_plugin *)executor;
	if (self->own_plugin.is_initialised)
		call_call_fini(self);
	for (size_t i = 0; i < self->item_max; i++) {
		plugin_buffer_fini(&self->items[i].answer.out);
		plugin_buffer_fini(&self->items[i].answer.err);
		free(self->items[i].values);
	}
	io_close(self->statm_fd);
	free(self->items);
	free(self->tasks);
	free(self->answers);
	free(self);
}

static const struct executor_ops call_ops = {
    .serve = call_serve,
    .free = call_free,
};

/* A time limit is that of one task, so each is called by itself. */
static int
call_make_items(struct exec_plugin *self, struct err *err)
{
	size_t most = call_takes_chunks(self) && !self->is_timed ? TASK_CHUNK_MAX : 1;
	self->items = calloc(most, sizeof(*self->items));
	self->tasks = calloc(most, sizeof(*self->tasks));
	self->answers = calloc(most, sizeof(*self->answers));
	if (self->items == NULL || self->tasks == NULL || self->answers == NULL)
		return err_no_memory(err);
	self->item_max = most;
	for (size_t i = 0; i < most; i++) {
		plugin_buffer_init(&self->items[i].answer.out);
		plugin_buffer_init(&self->items[i].answer.err);
		self->tasks[i] = &self->items[i].task;
		self->answers[i] = &self->items[i].answer;
	}
	return 0;
}

/*
 * What the plugin finds: the tasks' environment, and on descriptor 1 the run's stderr, so that
 * what a library prints does not get among the answers.
 */
static int
call_set_up_process(struct exec_plugin *self, struct err *err)
{
	environ = (char **)task_env_taskless(self->host->env);
	if (dup2(STDERR_FILENO, STDOUT_FILENO) == -1)
		return err_errno(err, "cannot set up a worker's descriptors");
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (self->host->spec->max_rss_bytes > 0)
		self->statm_fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	return 0;
}

static int
call_load(struct plugin *plugin, const struct spec *spec, bool *is_hopeless, struct err *err)
{
	*is_hopeless = true;
	if (plugin_load(plugin, spec->plugin_path, spec->plugin_symbol, err) == -1)
		return -1;
	*is_hopeless = false; /* init may do better the next time */
	return plugin_init(plugin, (int)spec->program_word_count, spec->program_words, err);
}

int
exec_plugin_prepare(const struct spec *spec, struct executor_shared **shared,
		    struct err *err)
{
	bool is_hopeless;
	*shared = calloc(1, sizeof(**shared));
	if (*shared == NULL)
		return err_no_memory(err);
	if (call_load(&(*shared)->plugin, spec, &is_hopeless, err) == 0)
		return 0;
	free(*shared);
	*shared = NULL;
	return -1;
}

void
exec_plugin_unprepare(struct executor_shared *shared)
{
	plugin_fini(&shared->plugin);
	fflush(NULL);
	free(shared);
}

/* Loads the library and calls init, both of which run foreign code. */
static int
call_start(struct exec_plugin *self, struct err *err)
{
	bool is_hopeless = false;
	self->plugin =
	    self->host->shared != NULL ? &self->host->shared->plugin : &self->own_plugin;
	if (self->host->shared != NULL)
		return 0;
	sigset_t resting = call_open_signals(self);
	int status = call_load(&self->own_plugin, self->host->spec, &is_hopeless, err);
	sigprocmask(SIG_SETMASK, &resting, NULL);
	if (is_hopeless) /* the next worker would find the same */
		executor_give_up(self->host);
	return status;
}

struct executor *
exec_plugin_new(struct executor_host *host, struct err *err)
{
	struct exec_plugin *self = calloc(1, sizeof(*self));
	if (self == NULL) {
		err_no_memory(err);
		return NULL;
	}
	self->executor.ops = &call_ops;
	self->host = host;
	self->is_timed = spec_has_time_limits(host->spec);
	self->statm_fd = -1;
	if (call_set_up_process(self, err) == 0 && call_start(self, err) == 0 &&
	    call_make_items(self, err) == 0)
		return &self->executor;
	call_free(&self->executor);
	return NULL;
}

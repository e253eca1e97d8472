/*
 * exec_coproc.c: the executor for programs that are kept alive: a request each, an answer each.
 *
 * One program per worker (coproc_program), started before the first task; requests in flight
 * are kept until they are answered (coproc_requests). What each end of the program costs:
 *
 *   answered, and the next one comes           nothing
 *   it dies, or closes its stdout              the head; the rest goes to the next program
 *   the same, having read nothing of the head  nothing
 *   COPROC_START_TRIES in a row that did not answer once
 *                                              the head; the pool, if none ever answered
 *   an answer against the protocol             the head; it is killed
 *   more answers than requests                 the run: no answer can be trusted
 *
 * Per task, with one in flight: a write and a read, as long as answers come soon; where they do
 * not, a ppoll before the read.
 */
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/visible.h"
#include "pool/coproc_program.h"
#include "pool/coproc_requests.h"
#include "pool/coproc_silence.h"
#include "pool/protocol.h"

#define COPROC_START_TRIES 3  /* deaths in a row before the first answer */
#define COPROC_SILENT_MS 3000 /* without an answer, before we say why */
#define COPROC_LOOK_MS (COPROC_SILENT_MS / 2)
#define COPROC_SHORT_BYTES (16 * 1024) /* an answer up to this waits for its end */

struct exec_coproc {
	struct executor executor;
	struct executor_host *host;
	struct coproc_program program;
	struct coproc_requests requests;
	struct protocol protocol; /* where in the head's answer we are */

	uint64_t taken_count; /* tasks ever taken */
	bool is_to_leave; /* the program is to be replaced: it gets no further tasks */
	bool has_begun;   /* the head is in hand */
	bool has_told;    /* and the coordinator was told so */
	bool is_brisk; /* an answer came soon and alone: the next one is slept for in its read */
	struct buf answer; /* to the head, as long as it was not told */
	int64_t begun_at_ns;
	int64_t now_ns; /* when the bytes came that are looked at; 0: there are none */

	bool has_said_unasked;
	bool has_ever_answered; /* any program of this worker */
	unsigned int failed_starts;

	struct coproc_look look; /* at the silent program, */
	int64_t look_at_ns;      /* when; 0: not yet looked */
	int64_t quiet_at_ns;     /* it said nothing since */
	int64_t look_pause_ns;   /* before the next look */
};

/* A message on the run's stderr, of no task. */
__attribute__((format(printf, 2, 3))) static void
coproc_note(struct exec_coproc *self, const char *format, ...)
{
	char text[512];
	struct buf line = {0};
	va_list ap;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (buf_printf(&line, "%s: ", self->host->spec->program) == 0 &&
	    visible_append(&line, text, strlen(text), SIZE_MAX) == 0 &&
	    buf_append_char(&line, '\n') == 0)
		channel_note(self->host->channel, line.bytes, line.length);
	buf_fini(&line);
}

/* --- the head --- */

static void
coproc_be_quiet_from(struct exec_coproc *self, int64_t now_ns)
{
	self->quiet_at_ns = now_ns;
	self->look_at_ns = 0;
	self->look_pause_ns = COPROC_LOOK_MS * NS_PER_MS;
}

/* The head is the task in hand from here on; once, also when it is sent again. */
static void
coproc_begin(struct exec_coproc *self)
{
	const struct coproc_request *head = coproc_requests_head(&self->requests);
	if (self->has_begun)
		return;
	executor_begin(self->host, head->seq, head->attempt);
	self->begun_at_ns = self->now_ns != 0 ? self->now_ns : clock_now_ns();
	self->has_begun = true;
	self->has_told = false;
	self->program.has_task = true;
	coproc_be_quiet_from(self, self->begun_at_ns);
}

/*
 * The head is more than a short answer: it takes its time, is large, or fails. What was kept of
 * it goes out, and the rest as it comes.
 */
static void
coproc_tell(struct exec_coproc *self)
{
	if (self->has_told || !self->has_begun)
		return;
	self->has_told = true;
	channel_started(self->host->channel, self->begun_at_ns);
	channel_output(self->host->channel, RESULT_STDOUT, self->answer.bytes,
		       self->answer.length);
	buf_clear(&self->answer);
}

/* How long until the coordinator is to hear that the head takes its time. */
static int
coproc_untold_ms(const struct exec_coproc *self)
{
	int64_t due_at_ns = self->begun_at_ns + CHANNEL_DELAY_MS * NS_PER_MS;
	return self->has_told ? COPROC_SILENT_MS
			      : clock_timeout_ms(due_at_ns, clock_now_ns());
}

static void
coproc_forget_head(struct exec_coproc *self)
{
	self->has_begun = false;
	self->program.has_task = false;
	buf_clear(&self->answer);
	coproc_requests_remove_head(&self->requests);
}

/* The head has its end; `result` says how, times are added here. */
static void
coproc_finish(struct exec_coproc *self, struct result *result)
{
	int64_t now_ns = clock_now_ns();
	coproc_tell(self);
	result->wall_ns = now_ns - self->begun_at_ns;
	result->started_real_ns = clock_real_ns() - result->wall_ns;
	result->pid = self->program.is_running ? self->program.child.pid : 0;
	executor_finish(self->host, result);
	coproc_forget_head(self);
}

/* The head has its whole answer. */
static void
coproc_succeed(struct exec_coproc *self)
{
	struct result result = {.reason = RESULT_EXIT};
	struct frame_answer answer = {.started_at_ns = self->begun_at_ns,
				      .wall_ns = self->now_ns - self->begun_at_ns};
	if (self->has_told) {
		coproc_finish(self, &result);
		return;
	}
	executor_answer(self->host, &answer, self->answer.bytes, self->answer.length);
	coproc_forget_head(self);
}

/* What the protocol cannot carry fails when its turn comes. */
static void
coproc_refuse_head(struct exec_coproc *self)
{
	struct result result = {
	    .reason = RESULT_CANNOT_EXECUTE, .errno_value = EILSEQ, .exit_status = 126};
	coproc_begin(self);
	coproc_finish(self, &result);
}

static bool
coproc_is_head_refused(const struct exec_coproc *self)
{
	return self->requests.count > 0 &&
	       coproc_requests_head(&self->requests)->is_refused;
}

/* The head gets no answer; nothing of half a one is left. */
static void
coproc_cost_head(struct exec_coproc *self, enum result_reason reason, int errno_value)
{
	const struct child *child = &self->program.child;
	struct result result = {.reason = reason, .errno_value = errno_value};
	if (child->has_ended && WIFSIGNALED(child->status))
		result.signal = WTERMSIG(child->status);
	else if (child->has_ended)
		result.exit_status = WEXITSTATUS(child->status);
	coproc_finish(self, &result);
}

/* --- ends of the program --- */

/*
 * Answers that nobody asked for: then those before may have gone to the wrong tasks, and no
 * result of this job can be trusted.
 */
static void
coproc_say_unasked(struct exec_coproc *self)
{
	char text[256];
	if (self->has_said_unasked)
		return;
	self->has_said_unasked = true;
	snprintf(
	    text, sizeof(text),
	    "%.100s answered more than it was asked: its answers cannot be told apart "
	    "(one answer for each task, and nothing at the end)",
	    self->program.name);
	channel_broken(self->host->channel, text);
}

static int
coproc_dismiss(struct exec_coproc *self, struct err *err)
{
	int status = coproc_program_dismiss(&self->program, err);
	if (self->program.has_said_more && self->requests.count == 0)
		coproc_say_unasked(self);
	return status;
}

/* How it ended, without an answer ever: the last it said, for those who see only the end. */
static int
coproc_say_start_failed(struct exec_coproc *self, struct err *err)
{
	const struct coproc_program *program = &self->program;
	int status = program->child.status;
	bool is_signal = WIFSIGNALED(status);
	bool is_not_found = !is_signal && WEXITSTATUS(status) == 127;
	err_set(err, ERR_BROKEN, "%.150s ended (%s %d%s) before it answered anything%s%s",
		program->name, is_signal ? "signal" : "exit",
		is_signal ? WTERMSIG(status) : WEXITSTATUS(status),
		is_not_found ? ": no such command?" : "",
		program->last_words[0] == '\0' ? "" : "; its last words: ",
		program->last_words);
	return executor_give_up(self->host);
}

static bool
coproc_is_head_unread(const struct exec_coproc *self)
{
	return coproc_requests_is_head_unread(&self->requests,
					      coproc_program_unread_bytes(&self->program));
}

/* A shell that finds no such command will not find it the next time. */
static bool
coproc_is_not_found(const struct child *child)
{
	return WIFEXITED(child->status) &&
	       (WEXITSTATUS(child->status) == 126 || WEXITSTATUS(child->status) == 127);
}

/* It died by itself, or closed its stdout or stdin. */
static int
coproc_on_death(struct exec_coproc *self, struct err *err)
{
	struct coproc_program *program = &self->program;
	bool has_answered = program->answered_count > 0;
	coproc_tell(self);
	bool has_written = self->host->channel->stream_bytes[RESULT_STDOUT] > 0;
	bool is_unread = coproc_is_head_unread(self);
	if (coproc_program_dismiss(program, err) == -1)
		return -1;
	self->failed_starts = has_answered ? 0 : self->failed_starts + 1;
	bool is_hopeless = self->failed_starts >= COPROC_START_TRIES ||
			   (!has_answered && coproc_is_not_found(&program->child));
	if (is_unread && !has_written && !is_hopeless)
		return 0; /* once more, with the same requests */
	if (self->has_begun)
		coproc_cost_head(self, RESULT_NO_ANSWER, 0);
	if (is_hopeless && !self->has_ever_answered)
		return coproc_say_start_failed(self, err);
	if (is_hopeless)
		self->failed_starts = 0;
	return 0;
}

/* Its answer is none of the protocol's: the head pays. */
static int
coproc_on_nonsense(struct exec_coproc *self, struct err *err)
{
	coproc_note(
	    self,
	    "an answer of %.100s is not what the protocol says; the program is replaced",
	    self->program.name);
	coproc_tell(self);
	if (coproc_program_end(&self->program,
			       (struct channel_cancel){.is_at_once = true}, err) == -1)
		return -1;
	coproc_cost_head(self, RESULT_NO_ANSWER, EPROTO);
	return 0;
}

/* The task in hand is to end, and with it the program, for it cannot be taken back. */
static int
coproc_on_cancel(struct exec_coproc *self, struct channel_cancel cancel, struct err *err)
{
	enum result_reason reason = cancel.reason;
	coproc_tell(self);
	if (coproc_program_end(&self->program, cancel, err) == -1)
		return -1;
	coproc_cost_head(self, reason, 0);
	return 0;
}

/* --- asking --- */

/* As many tasks as may be in flight and are there; of others we hear if the head takes long. */
static int
coproc_fill(struct exec_coproc *self, struct err *err)
{
	struct executor_task task;
	int got = 1;
	while (!self->is_to_leave && self->requests.count < self->requests.most) {
		got = self->has_begun && self->has_told
			  ? executor_next_or_signal(self->host, &task, err)
			  : executor_next(self->host, &task, err);
		if (got != 1)
			break;
		self->taken_count++;
		if (coproc_requests_add(&self->requests, &task) == -1)
			return err_no_memory(err);
	}
	return got == -1 ? -1 : 0;
}

/* Whether this program gets no further tasks than those in flight. */
static bool
coproc_is_last_of_it(const struct exec_coproc *self)
{
	uint64_t most = self->host->spec->max_tasks_per_worker;
	return self->is_to_leave || (most > 0 && self->taken_count >= most);
}

/*
 * Sends what the pipe takes; the last program's stdin is closed behind the last request, so
 * that one which holds answers back gives them. False: it cannot get the head any more.
 */
static bool
coproc_send(struct exec_coproc *self)
{
	struct coproc_program *program = &self->program;
	struct coproc_requests *requests = &self->requests;
	if (coproc_requests_has_unsent(requests) && !program->is_deaf) {
		ssize_t written = coproc_requests_send(requests, program->in_fd);
		if (written > 0)
			program->asked_bytes += (uint64_t)written;
		program->is_deaf = written == -1 && errno != EAGAIN;
	}
	if (!coproc_requests_has_unsent(requests) && program->in_fd != -1 &&
	    coproc_is_last_of_it(self)) {
		coproc_program_close_stdin(program);
		program->has_read = true; /* it will: nobody can see it any more */
	}
	return !program->is_deaf ||
	       (coproc_requests_has_sent_head(requests) && !coproc_is_head_unread(self));
}

/* --- answers --- */

static int
coproc_emit(void *context, enum result_stream stream, const char *bytes, size_t length)
{
	struct exec_coproc *self = context;
	if (!self->has_told && stream == RESULT_STDOUT &&
	    self->answer.length + length <= COPROC_SHORT_BYTES)
		return buf_append(&self->answer, bytes, length);
	coproc_tell(self);
	channel_output(self->host->channel, stream, bytes, length);
	return 0;
}

/* The head is answered. */
static void
coproc_answered(struct exec_coproc *self, bool has_failed)
{
	struct result failure = {.reason = RESULT_EXIT, .exit_status = 1};
	self->program.answered_count++;
	self->has_ever_answered = true;
	self->failed_starts = 0;
	if (coproc_program_is_too_large(&self->program))
		self->is_to_leave = true;
	if (has_failed)
		coproc_finish(self, &failure);
	else
		coproc_succeed(self);
	while (coproc_is_head_refused(self))
		coproc_refuse_head(self);
	/* The next one is in hand at once if the program has any of it. */
	if (coproc_requests_has_sent_head(&self->requests))
		coproc_begin(self);
}

/* Bytes from the program: answers to the head, and the head after it... */
static int
coproc_decode(struct exec_coproc *self, const char *bytes, size_t length, struct err *err)
{
	while (length > 0) {
		size_t used;
		if (!self->has_begun || !coproc_requests_has_sent_head(&self->requests)) {
			coproc_say_unasked(self);
			return 0;
		}
		enum protocol_step step = protocol_decode(&self->protocol, bytes, length,
							  &used, coproc_emit, self);
		bytes += used;
		length -= used;
		if (step == PROTOCOL_NO_MEMORY)
			return err_no_memory(err);
		if (step == PROTOCOL_WRONG)
			return coproc_on_nonsense(self, err);
		if (step != PROTOCOL_MORE)
			coproc_answered(self, step == PROTOCOL_FAILED);
	}
	return 0;
}

/* What one read gave: answers, 0 for the end, or -1 for nothing. */
static int
coproc_take(struct exec_coproc *self, ssize_t got, struct err *err)
{
	if (got == -1)
		return 0;
	if (got == 0)
		return coproc_on_death(self, err);
	self->look_at_ns = 0;
	self->quiet_at_ns = 0;
	self->now_ns = clock_now_ns();
	int status = coproc_decode(self, self->program.bytes, (size_t)got, err);
	self->now_ns = 0;
	return status;
}

/* One read, for it may never stop, and an order to end the task must be seen. */
static ssize_t
coproc_read(struct exec_coproc *self)
{
	struct coproc_program *program = &self->program;
	ssize_t got = io_read(program->out_fd, program->bytes, COPROC_READ_BYTES);
	return got == -1 && errno != EAGAIN ? 0 : got;
}

/* --- silence --- */

static bool
coproc_is_silence_told(const struct exec_coproc *self)
{
	return atomic_load(&self->host->board->notices->has_said_unflushed) != 0;
}

/* How long until the next look at the silent program; no longer than we would wait anyway. */
static int
coproc_patience_ms(struct exec_coproc *self)
{
	if (coproc_is_silence_told(self))
		return COPROC_SILENT_MS;
	if (self->quiet_at_ns == 0)
		coproc_be_quiet_from(self, clock_now_ns());
	int64_t from_ns = self->look_at_ns != 0 ? self->look_at_ns : self->quiet_at_ns;
	int left_ms = clock_timeout_ms(from_ns + self->look_pause_ns, clock_now_ns());
	return left_ms < COPROC_SILENT_MS ? left_ms : COPROC_SILENT_MS;
}

/* Two looks say more than one; later ones are further and further apart. */
static void
coproc_look_again(struct exec_coproc *self)
{
	const struct coproc_program *program = &self->program;
	struct coproc_look before = self->look;
	bool has_looked = self->look_at_ns != 0;
	bool is_waiting = false;
	if (!coproc_requests_has_unsent(&self->requests) && program->in_fd != -1 &&
	    coproc_program_unread_bytes(program) == 0) {
		coproc_look("/proc", program->child.pid, program->in_fd, &self->look);
		is_waiting = has_looked && coproc_look_is_waiting(&before, &self->look);
		self->look_pause_ns *= has_looked ? 2 : 1;
	} else {
		self->look = (struct coproc_look){.busy_count = 1};
	}
	self->look_at_ns = clock_now_ns();
	if (is_waiting &&
	    atomic_exchange(&self->host->board->notices->has_said_unflushed, 1) == 0)
		coproc_note(
		    self,
		    "%.100s has read its input, has not answered for %d s, and waits for "
		    "more: does it flush each answer? See pinion-feed(7)",
		    program->name,
		    (int)((self->look_at_ns - self->quiet_at_ns) / NS_PER_S));
}

/* --- one exchange --- */

/* What is on stderr was written before the answer that is not taken yet. */
static void
coproc_take_stderr(struct exec_coproc *self)
{
	coproc_tell(self);
	coproc_program_take_stderr(&self->program);
}

/* Whether the answer is all there is to wait for, and will be here soon. */
static bool
coproc_can_doze(struct exec_coproc *self)
{
	struct coproc_program *program = &self->program;
	if (!self->is_brisk || program->is_deaf || program->child.has_ended ||
	    coproc_requests_has_unsent(&self->requests))
		return false;
	if (program->doze.is_on)
		return true;
	int due_ms = channel_due_ms(self->host->channel);
	return coproc_program_doze(program, due_ms == -1 ? CHANNEL_DELAY_MS : due_ms);
}

/* Waits for the answer and takes it; all else is left for the next turn, which does not doze. */
static int
coproc_turn_dozing(struct exec_coproc *self, struct err *err)
{
	ssize_t got = coproc_read(self);
	if (got <= 0 || doze_is_disturbed()) {
		self->is_brisk = false;
		coproc_program_wake(&self->program);
		if (coproc_program_has_stderr(&self->program))
			coproc_take_stderr(self);
	}
	return coproc_take(self, got, err);
}

/* Waits for something, and takes it. */
static int
coproc_turn_awake(struct exec_coproc *self, bool can_answer, struct err *err)
{
	struct channel_cancel cancel;
	struct coproc_program *program = &self->program;
	if (channel_is_cancelled(self->host->channel, &cancel))
		return coproc_on_cancel(self, cancel, err);
	if (!can_answer)
		return coproc_on_death(self, err);
	short wanted = coproc_requests_has_unsent(&self->requests) ? POLLOUT : 0;
	struct pollfd fds[] = {
	    {.fd = program->out_fd, .events = POLLIN},
	    {.fd = program->err_fd, .events = POLLIN},
	    {.fd = program->is_deaf ? -1 : program->in_fd, .events = wanted},
	};
	int timeout_ms = program->child.has_ended ? 0 : coproc_patience_ms(self);
	int untold_ms = coproc_untold_ms(self);
	if (timeout_ms > untold_ms)
		timeout_ms = untold_ms;
	int ready = channel_wait(self->host->channel, fds, 3, timeout_ms);
	if (ready == -1)
		return err_errno(err, "cannot wait for a program");
	if (ready == 0 && coproc_untold_ms(self) == 0)
		coproc_tell(self);
	if (ready == 0 && coproc_patience_ms(self) == 0)
		coproc_look_again(self);
	if (channel_child_ended())
		coproc_program_reap(program);
	if (ready > 0 && (fds[2].revents & POLLERR) != 0)
		program->is_deaf = true; /* nobody has its stdin open */
	if (ready > 0 && fds[1].revents != 0)
		coproc_take_stderr(self);
	self->is_brisk = ready == 1 && fds[0].revents == POLLIN && !self->has_told;
	ssize_t got = -1;
	if ((ready > 0 && fds[0].revents != 0) || program->child.has_ended)
		got = coproc_read(self);
	if (coproc_take(self, got, err) == -1)
		return -1;
	/* What it wrote before its end is in the pipe, which others may keep open. */
	return program->is_running && program->child.has_ended && got <= 0
		   ? coproc_on_death(self, err)
		   : 0;
}

/* Sends, waits for something, takes it. */
static int
coproc_turn(struct exec_coproc *self, struct err *err)
{
	bool can_answer = coproc_send(self);
	if (can_answer && coproc_can_doze(self))
		return coproc_turn_dozing(self, err);
	coproc_program_wake(&self->program);
	return coproc_turn_awake(self, can_answer, err);
}

static int
coproc_start(struct exec_coproc *self, struct err *err)
{
	coproc_requests_unsend(&self->requests);
	protocol_reset(&self->protocol);
	self->is_to_leave = false;
	return coproc_program_start(&self->program, err);
}

static bool
coproc_is_told_to_leave(const struct exec_coproc *self)
{
	uint32_t order = atomic_load(&self->host->seat->order);
	return order == BOARD_CANCEL_ALL || order == BOARD_KILL_ALL;
}

static int
coproc_serve_all(struct exec_coproc *self, struct err *err)
{
	while (!coproc_is_told_to_leave(self) || self->has_begun) {
		if (coproc_fill(self, err) == -1)
			return -1;
		if (self->requests.count == 0 && self->is_to_leave &&
		    self->program.is_running) {
			if (coproc_dismiss(self, err) == -1)
				return -1;
			self->is_to_leave = false;
			continue;
		}
		if (self->requests.count == 0)
			return 0;
		if (coproc_is_head_refused(self)) {
			coproc_refuse_head(self);
			continue;
		}
		if (!self->program.is_running && coproc_start(self, err) == -1)
			return -1;
		coproc_begin(self);
		if (coproc_turn(self, err) == -1)
			return -1;
	}
	return 0;
}

static int
coproc_serve(struct executor *executor, struct err *err)
{
	struct exec_coproc *self = (struct exec_coproc *)executor;
	int status = coproc_serve_all(self, err);
	coproc_program_wake(&self->program);
	self->is_brisk = false; /* tasks that come one by one are not worth a doze */
	return status;
}

static void
coproc_free(struct executor *executor)
{
	struct exec_coproc *self = (struct exec_coproc *)executor;
	if (self->program.is_running)
		coproc_dismiss(self, NULL);
	coproc_program_fini(&self->program);
	coproc_requests_fini(&self->requests);
	protocol_fini(&self->protocol);
	buf_fini(&self->answer);
	free(self);
}

static const struct executor_ops coproc_ops = {
    .serve = coproc_serve,
    .free = coproc_free,
};

struct executor *
exec_coproc_new(struct executor_host *host, struct err *err)
{
	struct exec_coproc *self = calloc(1, sizeof(*self));
	if (self == NULL) {
		err_no_memory(err);
		return NULL;
	}
	self->executor.ops = &coproc_ops;
	self->host = host;
	protocol_init(&self->protocol, host->spec->protocol);
	if (coproc_requests_init(&self->requests, host) == -1)
		err_no_memory(err);
	else if (coproc_program_init(&self->program, host, err) == 0)
		return &self->executor;
	coproc_free(&self->executor);
	return NULL;
}

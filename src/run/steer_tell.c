/* steer_tell.c: see steer_parts.h; pinion-control(7) has the members. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json_text.h"
#include "base/quote.h"
#include "run/run_parts.h"
#include "run/steer_parts.h"

/* A status is for a person: of long texts the beginning will do. */
#define TELL_COMMAND_BYTES 1000
#define TELL_ARG_BYTES 200
#define TELL_ARGS 16

static double
tell_seconds(int64_t ns)
{
	return (double)ns / NS_PER_S;
}

/* What of it is at most `most` bytes and ends with a whole character. */
static size_t
tell_cut(const char *bytes, size_t length, size_t most)
{
	if (length <= most)
		return length;
	while (most > 0 && ((unsigned char)bytes[most] & 0xc0) == 0x80)
		most--;
	return most;
}

/* ,"name":"text" or ,"name_base64":"dGV4dA==" */
static int
tell_text(struct buf *reply, const char *name, const char *bytes, size_t length)
{
	bool is_text;
	length = tell_cut(bytes, length, TELL_COMMAND_BYTES);
	is_text = json_text_is_utf8(bytes, length);
	if (buf_printf(reply, ",\"%s%s\":", name, is_text ? "" : "_base64") == -1)
		return -1;
	return is_text ? json_text_append(reply, bytes, length)
		       : json_base64_append_string(reply, bytes, length);
}

/* As it was given: one word is a line for the shell. */
static int
tell_append_command(struct buf *line, const struct spec *spec)
{
	if (spec->executor != SPEC_SPAWN)
		return quote_append_argv(line, spec->program_words);
	if (spec->word_count > 1)
		return quote_append_argv(line, spec->words);
	return buf_append_str(line, spec->word_count == 1 ? spec->words[0] : "");
}

/* Of several stages one behind the other. */
static int
tell_command(struct buf *reply, const struct spec *spec)
{
	struct buf line = {0};
	size_t count = spec->stage_count;
	int status = count > 0 ? 0 : tell_append_command(&line, spec);
	for (size_t i = 0; status == 0 && i < count; i++)
		if ((i > 0 && buf_append_str(&line, " | ") == -1) ||
		    tell_append_command(&line, &spec->stages[i]) == -1)
			status = -1;
	if (status == 0)
		status = tell_text(reply, "command", line.bytes, line.length);
	buf_fini(&line);
	return status;
}

static int
tell_what(const struct steer *steer, struct buf *reply)
{
	char *cwd = getcwd(NULL, 0);
	int status = buf_printf(reply, ",\"program\":\"%s\"", steer->spec->program);
	if (status == 0)
		status = tell_command(reply, steer->spec);
	if (status == 0 && cwd != NULL)
		status = tell_text(reply, "cwd", cwd, strlen(cwd));
	free(cwd);
	return status;
}

/* --- how far --- */

/* Of one run, or of all of a job together. */
struct tell_sum {
	struct run_counts counts;
	size_t running;
	size_t jobs;
	size_t jobs_max; /* that each can have */
	uint64_t total;
	bool has_total;
	bool is_paused;
	bool is_stopping;
};

static size_t
tell_count_running(const struct run *run)
{
	struct backend_worker worker;
	size_t seat_count = run->backend->ops->seat_count(run->backend);
	size_t count = 0;
	for (size_t i = 0; i < seat_count; i++)
		count += run->backend->ops->look(run->backend, i, &worker) &&
			 worker.seq != BACKEND_NO_TASK;
	return count;
}

static void
tell_add(struct tell_sum *sum, const struct run *run)
{
	struct backend *backend = run->backend;
	size_t seat_count = backend->ops->seat_count(backend);
	bool is_all;
	sum->counts.done += run->counts.done;
	sum->counts.failed += run->counts.failed;
	sum->counts.cancelled += run->counts.cancelled;
	sum->counts.skipped += run->counts.skipped;
	sum->counts.passed += run->counts.passed;
	sum->running += tell_count_running(run);
	sum->jobs += backend->ops->worker_count(backend);
	if (sum->jobs_max == 0 || seat_count < sum->jobs_max)
		sum->jobs_max = seat_count;
	sum->total += plan_task_count(run->config.plan, &is_all);
	sum->has_total &= is_all;
	sum->is_paused |= run->is_paused;
	sum->is_stopping |= run->is_cancelling;
}

static struct tell_sum
tell_sum_up(struct run *const *runs, size_t count)
{
	struct tell_sum sum = {.has_total = true};
	for (size_t i = 0; i < count; i++)
		tell_add(&sum, runs[i]);
	return sum;
}

static const char *
tell_state(const struct steer *steer, const struct tell_sum *sum)
{
	if (sum->is_stopping)
		return "stopping";
	if (steer_is_ending(steer))
		return "draining";
	return sum->is_paused ? "paused" : "running";
}

/* What else than input and output keeps one run from starting a task that there is. */
static const char *
tell_manner(const struct run *run)
{
	int64_t now_ns = clock_now_ns();
	size_t idle_count = run->backend->ops->idle_count(run->backend);
	if (!plan_has_next(run->config.plan, UINT64_MAX, now_ns))
		return NULL;
	if (idle_count > 0 &&
	    !plan_has_next(run->config.plan, sinks_window_end(&run->sinks), now_ns))
		return "window";
	if (run->lacks_token)
		return "jobserver";
	return throttle_holder(&run->throttle, idle_count, now_ns);
}

/* What keeps it from starting tasks, beside having enough of them; NULL: nothing. */
static const char *
tell_holder(const struct conductor *conductor)
{
	const struct run *first = conductor->runs[0];
	const struct run *last = conductor->runs[conductor->run_count - 1];
	if (first->is_ending || first->is_paused)
		return NULL;
	if (last->is_held || last->outputs_end != UINT64_MAX)
		return "output";
	for (size_t i = 0; i < conductor->run_count; i++) {
		const char *manner = tell_manner(conductor->runs[i]);
		if (manner != NULL)
			return manner;
	}
	return first->wants_input ? "input" : NULL;
}

static int
tell_tasks(const struct tell_sum *sum, struct buf *reply)
{
	const struct run_counts *counts = &sum->counts;
	if (buf_printf(reply,
		       ",\"tasks\":{\"done\":%" PRIu64 ",\"failed\":%" PRIu64
		       ",\"cancelled\":%" PRIu64 ",\"skipped\":%" PRIu64
		       ",\"before\":%" PRIu64 ",\"running\":%zu",
		       counts->done, counts->failed, counts->cancelled, counts->skipped,
		       counts->passed, sum->running) == -1)
		return -1;
	if (sum->has_total && buf_printf(reply, ",\"total\":%" PRIu64, sum->total) == -1)
		return -1;
	return buf_append_char(reply, '}');
}

/* Of what is left at the rate so far; of a run that is stopped or held, nothing can be said. */
static int
tell_rate(const struct steer *steer, const struct tell_sum *sum, int64_t elapsed_ns,
	  struct buf *reply)
{
	const struct run_counts *counts = &sum->counts;
	uint64_t ended = counts->done + counts->failed;
	double rate = (double)ended / tell_seconds(elapsed_ns);
	if (buf_printf(reply, ",\"rate\":%.3f", rate) == -1)
		return -1;
	if (!sum->has_total || ended == 0 || sum->is_paused || steer_is_ending(steer))
		return 0;
	uint64_t left = sum->total - ended - counts->cancelled;
	return buf_printf(reply, ",\"eta_s\":%.3f", (double)left / rate);
}

static int
tell_stages(const struct conductor *conductor, struct buf *reply)
{
	if (conductor->run_count < 2)
		return 0;
	if (buf_append_str(reply, ",\"stages\":[") == -1)
		return -1;
	for (size_t i = 0; i < conductor->run_count; i++) {
		struct run *run = conductor->runs[i];
		struct tell_sum sum = tell_sum_up(&run, 1);
		if (buf_printf(reply, "%s{\"jobs\":%zu", i > 0 ? "," : "", sum.jobs) == -1 ||
		    tell_tasks(&sum, reply) == -1 || buf_append_char(reply, '}') == -1)
			return -1;
	}
	return buf_append_char(reply, ']');
}

static int
tell_progress(const struct steer *steer, struct buf *reply)
{
	const struct conductor *conductor = steer->conductor;
	/* What later stages have to do is not there before the first has done it. */
	plan_read_ahead(conductor->runs[0]->config.plan, PLAN_AHEAD_COUNT,
			PLAN_AHEAD_BYTES);
	const struct tell_sum sum = tell_sum_up(conductor->runs, conductor->run_count);
	const char *holder = tell_holder(conductor);
	int64_t elapsed_ns = clock_now_ns() - steer->started_at_ns;
	if (buf_printf(reply, ",\"start_s\":%.3f,\"elapsed_s\":%.3f,\"state\":\"%s\"",
		       tell_seconds(steer->started_real_ns), tell_seconds(elapsed_ns),
		       tell_state(steer, &sum)) == -1 ||
	    (holder != NULL && buf_printf(reply, ",\"held_by\":\"%s\"", holder) == -1) ||
	    buf_printf(reply, ",\"jobs\":%zu,\"jobs_max\":%zu", sum.jobs, sum.jobs_max) ==
		-1 ||
	    tell_tasks(&sum, reply) == -1 || tell_stages(conductor, reply) == -1)
		return -1;
	return tell_rate(steer, &sum, elapsed_ns, reply);
}

/* --- workers --- */

/* The values of one task of a chunk into steer->args, or -1: they are not to be had. */
static int
tell_unpack(struct steer *steer, const struct task *task, uint64_t seq)
{
	const char *at = task_bytes(task);
	size_t bytes = task->packed_bytes;
	for (uint64_t i = task->seq; i <= seq; i++)
		if (task_unpack_next(&at, &bytes, task->arg_count, &steer->args,
				     &steer->arg_capacity) == -1)
			return -1;
	return 0;
}

/* Without those in front that only templates see. */
static int
tell_args(struct steer *steer, const struct task *task, uint64_t seq, uint32_t hidden,
	  struct buf *reply)
{
	uint32_t end =
	    task->arg_count - hidden > TELL_ARGS ? hidden + TELL_ARGS : task->arg_count;
	bool is_text = true;
	if (tell_unpack(steer, task, seq) == -1)
		return -1;
	for (uint32_t i = hidden; i < end; i++) {
		struct arg *arg = &steer->args[i];
		arg->length = tell_cut(arg->bytes, arg->length, TELL_ARG_BYTES);
		is_text = is_text && json_text_is_utf8(arg->bytes, arg->length);
	}
	if (buf_printf(reply, ",\"args%s\":[", is_text ? "" : "_base64") == -1)
		return -1;
	for (uint32_t i = hidden; i < end; i++) {
		const struct arg *arg = &steer->args[i];
		if ((i > hidden && buf_append_char(reply, ',') == -1) ||
		    (is_text ? json_text_append(reply, arg->bytes, arg->length)
			     : json_base64_append_string(reply, arg->bytes, arg->length)) ==
			-1)
			return -1;
	}
	return buf_append_char(reply, ']');
}

static int
tell_task_in_hand(struct steer *steer, struct run *run,
		  const struct backend_worker *worker, struct buf *reply)
{
	const struct attempt *attempt = attempts_find(&run->attempts, worker->seq);
	const struct task *task = plan_find_around(run->config.plan, worker->seq);
	if (task == NULL) /* it has ended meanwhile */
		return 0;
	if (buf_printf(reply, ",\"seq\":%" PRIu64 ",\"attempt\":%" PRIu32,
		       worker->seq + 1, worker->attempt) == -1 ||
	    (worker->task_pid != 0 &&
	     buf_printf(reply, ",\"task_pid\":%d", (int)worker->task_pid) == -1) ||
	    (attempt != NULL &&
	     buf_printf(reply, ",\"elapsed_s\":%.3f",
			tell_seconds(clock_now_ns() - attempt->started_at_ns)) == -1))
		return -1;
	uint32_t hidden = run->config.spec->hidden_count;
	if (hidden > task->arg_count)
		hidden = task->arg_count;
	return tell_args(steer, task, worker->seq, hidden, reply);
}

static int
tell_worker(struct steer *steer, size_t index, const struct backend_worker *worker,
	    struct buf *reply)
{
	struct run *run = steer->conductor->runs[index];
	if (buf_printf(reply, "{\"slot\":%" PRIu32 ",\"pid\":%d,\"served\":%" PRIu64,
		       worker->slot, (int)worker->pid, worker->served_count) == -1 ||
	    (steer->conductor->run_count > 1 &&
	     buf_printf(reply, ",\"stage\":%zu", index + 1) == -1) ||
	    (worker->seq != BACKEND_NO_TASK &&
	     tell_task_in_hand(steer, run, worker, reply) == -1))
		return -1;
	return buf_append_char(reply, '}');
}

static int
tell_workers_of(struct steer *steer, size_t index, const char **between, struct buf *reply)
{
	struct backend *backend = steer->conductor->runs[index]->backend;
	struct backend_worker worker;
	size_t seat_count = backend->ops->seat_count(backend);
	for (size_t i = 0; i < seat_count; i++) {
		if (!backend->ops->look(backend, i, &worker))
			continue;
		if (buf_append_str(reply, *between) == -1 ||
		    tell_worker(steer, index, &worker, reply) == -1)
			return -1;
		*between = ",";
	}
	return 0;
}

static int
tell_workers(struct steer *steer, struct buf *reply)
{
	const char *between = "";
	if (buf_append_str(reply, ",\"workers\":[") == -1)
		return -1;
	for (size_t i = 0; i < steer->conductor->run_count; i++)
		if (tell_workers_of(steer, i, &between, reply) == -1)
			return -1;
	return buf_append_char(reply, ']');
}

int
steer_describe(struct steer *steer, bool has_workers, struct buf *reply, struct err *err)
{
	if (tell_what(steer, reply) == -1 || tell_progress(steer, reply) == -1 ||
	    (has_workers && tell_workers(steer, reply) == -1))
		return err_no_memory(err);
	return 0;
}

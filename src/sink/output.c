/* output.c: see output.h. */
#include "sink/output.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/visible.h"
#include "sink/output_parts.h"

/* How stdout and stderr are doing is judged so often; faster than a disk is fast. */
#define OUTPUT_FLOW_MS 10
#define OUTPUT_FLOW_BYTES_PER_S 256e6

/* NOLINTNEXTLINE(misc-redundant-expression): that they are the same is what is asked. */
static_assert(OUTPUT_BEHIND_BYTES == OUTLET_BEHIND_BYTES, "one bound");

static const struct output *
output_of_const(const struct sink *sink)
{
	return (const struct output *)sink;
}

int
output_find_values(struct output *output, const struct task *task, uint32_t slot,
		   struct template_values *values, struct err *err)
{
	if (task_unpack(task_bytes(task), task->packed_bytes, task->arg_count,
			&output->args, &output->arg_capacity) == -1)
		return err_no_memory(err);
	*values = (struct template_values){.seq = task->seq,
					   .slot = slot,
					   .args = output->args,
					   .arg_count = task->arg_count,
					   .column_count = output->config.column_count};
	return 0;
}

int
output_expand_command(struct output *output, const struct task *task, uint32_t slot,
		      struct err *err)
{
	struct template_values values;
	buf_clear(&output->text);
	if (output_find_values(output, task, slot, &values, err) == -1 ||
	    template_append_line(output->config.command, &values, &output->text, err) == -1)
		return -1;
	return buf_append_char(&output->text, '\n') == -1 ? err_no_memory(err) : 0;
}

int
output_trace(struct output *output, const struct task *task, uint32_t slot, struct err *err)
{
	if (!output->shows_traces)
		return 0;
	if (output_expand_command(output, task, slot, err) == -1)
		return -1;
	if (isatty(output->config.err_fd) && visible_line(&output->text) == -1)
		return err_no_memory(err);
	return outlet_put(output->out->streams[RESULT_STDERR], output->text.bytes,
			  output->text.length, err);
}

/* All the task has goes out; the entry is gone afterwards. */
static int
output_release(struct output *output, struct pending *pending, struct err *err)
{
	int status = output->form->release(output, pending, err);
	pending_remove(&output->table, pending, &output->out->spill);
	return status;
}

/*
 * The first `count` from the head on have settled: those behind them that have, too, go out,
 * and the first that has not is the head.
 */
static int
output_advance(struct output *output, uint32_t count, struct err *err)
{
	struct pending *pending;
	output->head_seq += count;
	for (;;) {
		pending = pending_find(&output->table, output->head_seq);
		if (pending == NULL)
			return 0;
		if (!pending->is_settled)
			break;
		output->head_seq += pending->count;
		if (output_release(output, pending, err) == -1)
			return -1;
	}
	if (!output->streams_head)
		return 0;
	if (outlet_put_held(output->out->streams[RESULT_STDOUT], &pending->text, err) == -1)
		return -1;
	for (int i = 0; i < RESULT_STREAMS; i++)
		if ((i == RESULT_STDOUT || output->streams_errors) &&
		    outlet_put_held(output->out->streams[i], &pending->held[i], err) == -1)
			return -1;
	return 0;
}

/* Settled before their turn: all that these will ever print is here. */
static int
output_park(struct output *output, uint64_t seq, uint32_t count, struct err *err)
{
	struct pending *pending = pending_add(&output->table, seq);
	if (pending == NULL)
		return err_no_memory(err);
	pending->is_settled = true;
	pending->count = count;
	free(pending->tag);
	pending->tag = NULL;
	return 0;
}

static int
output_retried(struct sink *sink, const struct task *task, const struct result *result,
	       struct err *err)
{
	struct output *output = output_of(sink);
	struct pending *pending = pending_find(&output->table, task->seq);
	(void)result;
	(void)err;
	if (pending == NULL)
		return 0;
	if (!output->is_line_mode) {
		pending_remove(&output->table, pending, &output->out->spill);
		return 0;
	}
	/* Whole lines that wait go out as those before them did that did not have to. */
	struct held *lines[RESULT_STREAMS];
	for (int i = 0; i < RESULT_STREAMS; i++) {
		lines[i] = pending->held[i];
		pending->held[i] = NULL;
	}
	pending_clear(pending, &output->out->spill);
	for (int i = 0; i < RESULT_STREAMS; i++)
		pending->held[i] = lines[i];
	return 0;
}

static int
output_settled(struct sink *sink, const struct task *task, const struct result *result,
	       struct err *err)
{
	struct output *output = output_of(sink);
	if (output->form->settled != NULL &&
	    output->form->settled(output, task, result, err) == -1)
		return -1;
	if (!output_is_turn(output, task->seq)) {
		assert(task->seq > output->head_seq);
		return output_park(output, task->seq, 1, err);
	}
	struct pending *pending = pending_find(&output->table, task->seq);
	if (pending != NULL && output_release(output, pending, err) == -1)
		return -1;
	output->settled_count++;
	return output->is_ordered ? output_advance(output, 1, err) : 0;
}

static int
output_answered(struct sink *sink, const struct task *chunk,
		const struct answers *answers, struct err *err)
{
	struct output *output = output_of(sink);
	if (output->form->answered(output, chunk, answers, err) == -1)
		return -1;
	if (!output_is_turn(output, chunk->seq))
		return output_park(output, chunk->seq, answers->count, err);
	output->settled_count += answers->count;
	return output->is_ordered ? output_advance(output, answers->count, err) : 0;
}

static int
output_passed(struct sink *sink, const struct task *chunk, struct err *err)
{
	struct output *output = output_of(sink);
	if (!output->is_ordered)
		return 0;
	return chunk->seq == output->head_seq
		   ? output_advance(output, chunk->count, err)
		   : output_park(output, chunk->seq, chunk->count, err);
}

static bool
output_is_behind(const struct sink *sink)
{
	const struct output *output = output_of_const(sink);
	for (size_t i = 0; i < output->out->count; i++)
		if (outlet_is_behind(&output->out->items[i]))
			return true;
	return false;
}

/* Our reader, or we in writing, are the slowest of all; looked at now and then. */
static void
output_look_at_flow(struct output *output, int64_t now_ns)
{
	uint64_t written_bytes = 0;
	bool is_blocked = false;
	int64_t passed_ns = now_ns - output->flow_at_ns;
	if (passed_ns < OUTPUT_FLOW_MS * NS_PER_MS)
		return;
	for (size_t i = 0; i < output->out->count; i++) {
		const struct writer *writer = &output->out->items[i].writer;
		written_bytes += writer->written_bytes;
		is_blocked |=
		    now_ns - writer->blocked_at_ns < 2 * OUTPUT_FLOW_MS * NS_PER_MS;
	}
	double per_s =
	    (double)(written_bytes - output->flow_bytes) * 1e9 / (double)passed_ns;
	output->is_flowing = is_blocked || per_s > OUTPUT_FLOW_BYTES_PER_S;
	output->flow_at_ns = now_ns;
	output->flow_bytes = written_bytes;
}

/*
 * While the last step is the slowest of all, outputs held back only fill the disk: when they have
 * filled half of the memory, what is not yet read can wait for its turn. A task whose turn it is
 * and that prints little is another matter: then the others are to go on.
 */
static uint64_t
output_outputs_end(struct sink *sink)
{
	struct output *output = output_of(sink);
	const struct spill *spill = &output->out->spill;
	if (output->out != &output->own_ends || !output->is_ordered ||
	    !output->streams_head || spill->memory_bytes <= spill->budget_bytes / 2)
		return UINT64_MAX;
	output_look_at_flow(output, clock_now_ns());
	return output->is_flowing ? output->head_seq + 1 : UINT64_MAX;
}

static uint64_t
output_window_end(const struct sink *sink)
{
	const struct output *output = output_of_const(sink);
	uint64_t window = output->config.spec->window > 0 ? output->config.spec->window : 1;
	if (!output->is_ordered || window > UINT64_MAX - output->head_seq)
		return UINT64_MAX;
	return output->head_seq + window;
}

static size_t
output_wait_fds(const struct sink *sink, int fds[2])
{
	const struct output *output = output_of_const(sink);
	size_t count = 0;
	for (size_t i = 0; i < output->own_ends.count; i++)
		if (!outlet_is_empty(&output->out->items[i]))
			fds[count++] = writer_wait_fd(&output->out->items[i].writer);
	return count;
}

/* Whether all that was with the outlets then is written; stderr may have lost its reader. */
static bool
output_is_past_mark(const struct output *output)
{
	for (size_t i = 0; i < output->out->count; i++) {
		const struct outlet *outlet = &output->out->items[i];
		if (!outlet_has_written(outlet, output->mark.put_bytes[i]) &&
		    (i == 0 || !outlet->writer.is_closed))
			return false;
	}
	return true;
}

/* One mark at a time, so out_end moves on also while there is always more to write. */
static void
output_move_mark(struct output *output)
{
	if (!output_is_past_mark(output))
		return;
	output->out_end = output->mark.end;
	output->mark.end = output->is_ordered ? output->head_seq : output->settled_count;
	for (size_t i = 0; i < output->out->count; i++)
		output->mark.put_bytes[i] = output->out->items[i].put_bytes;
	if (output_is_past_mark(output))
		output->out_end = output->mark.end;
}

static int
output_flush(struct sink *sink, struct err *err)
{
	struct output *output = output_of(sink);
	for (size_t i = 0; i < output->own_ends.count; i++)
		if (outlet_flush(&output->out->items[i], err) == -1)
			return -1;
	output_move_mark(output);
	return 0;
}

static uint64_t
output_out_end(const struct sink *sink, bool *is_by_seq)
{
	const struct output *output = output_of_const(sink);
	*is_by_seq = output->is_ordered;
	return output->out_end;
}

static bool
output_is_done(const struct sink *sink)
{
	const struct output *output = output_of_const(sink);
	for (size_t i = 0; i < output->out->count; i++)
		if (!outlet_is_empty(&output->out->items[i]))
			return false;
	return true;
}

static int
output_finish(struct sink *sink, struct err *err)
{
	struct output *output = output_of(sink);
	assert(output_is_done(sink));
	for (size_t i = 0; i < output->own_ends.count; i++)
		if (writer_check_close(&output->out->items[i].writer, err) == -1)
			return -1;
	return 0;
}

static void
output_fini_ends(struct output_ends *ends)
{
	for (size_t i = 0; i < ends->count; i++)
		outlet_fini(&ends->items[i]);
	spill_fini(&ends->spill);
}

static void
output_free(struct sink *sink)
{
	struct output *output = output_of(sink);
	pending_fini(&output->table, &output->out->spill);
	if (output->out == &output->own_ends)
		output_fini_ends(&output->own_ends);
	buf_fini(&output->other);
	buf_fini(&output->text);
	free(output->args);
	free(output);
}

static const struct sink_ops output_ops = {
    .retried = output_retried,
    .settled = output_settled,
    .passed = output_passed,
    .is_behind = output_is_behind,
    .outputs_end = output_outputs_end,
    .window_end = output_window_end,
    .wait_fds = output_wait_fds,
    .flush = output_flush,
    .out_end = output_out_end,
    .is_done = output_is_done,
    .finish = output_finish,
    .free = output_free,
};

/* Whether both go to one file, pipe or terminal: then one order holds for both. */
static bool
output_is_same_file(int a_fd, int b_fd)
{
	struct stat a, b;
	return fstat(a_fd, &a) == 0 && fstat(b_fd, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

static void
output_init_ends(struct output *output)
{
	const struct output_config *config = &output->config;
	struct output_ends *ends = &output->own_ends;
	output->out = ends;
	if (config->beside != NULL) {
		output->out = output_of(config->beside)->out;
		return;
	}
	bool is_same = output_is_same_file(config->out_fd, config->err_fd);
	spill_init(&ends->spill, spill_folder(config->spec->tmp_dir),
		   config->spec->buffer_bytes, config->blocks);
	outlet_init(&ends->items[0], config->out_fd, "stdout", &ends->spill);
	if (!is_same)
		outlet_init(&ends->items[1], config->err_fd, "stderr", &ends->spill);
	ends->count = is_same ? 1 : 2;
	for (size_t i = 0; config->screen != NULL && i < ends->count; i++)
		if (isatty(ends->items[i].writer.fd))
			ends->items[i].writer.screen = config->screen;
	ends->streams[RESULT_STDOUT] = &ends->items[0];
	ends->streams[RESULT_STDERR] = &ends->items[is_same ? 0 : 1];
}

static int
output_find_watch_fd(int fd)
{
	struct stat st;
	return fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)) ? fd
										     : -1;
}

struct sink *
output_new(const struct output_config *config, struct err *err)
{
	static const struct output_form *const forms[] = {
	    [SPEC_JSON_NONE] = &output_plain,
	    [SPEC_JSON_OBJECTS] = &output_json_objects,
	    [SPEC_JSON_EVENTS] = &output_json_events,
	};
	const struct spec *spec = config->spec;
	struct output *output = calloc(1, sizeof(*output));
	if (output == NULL) {
		err_no_memory(err);
		return NULL;
	}
	output->form = forms[spec->json];
	output->ops = output_ops;
	output->ops.started = output->form->ops.started;
	output->ops.output = output->form->ops.output;
	if (output->form->ops.retried != NULL)
		output->ops.retried = output->form->ops.retried;
	output->ops.adds_output = spec->json != SPEC_JSON_NONE;
	output->sink.ops = &output->ops;
	output->config = *config;
	if (spec->json != SPEC_JSON_NONE) /* asked for, beside where else it is kept */
		output->config.content = OUTPUT_ALL;
	bool is_records = config->content == OUTPUT_RECORDS;
	output->is_passing = spec->output_mode == SPEC_OUTPUT_NONE;
	output->is_line_mode = spec->output_mode == SPEC_OUTPUT_LINE && !is_records;
	output->is_ordered = spec->is_ordered && !output->is_passing &&
			     (output->config.content != OUTPUT_NONE || spec->is_verbose);
	output->streams_head = output->is_line_mode || spec->json == SPEC_JSON_EVENTS ||
			       (spec->json == SPEC_JSON_NONE && spec->max_attempts <= 1);
	/* In --ungroup the worker shows them: it alone knows what comes before the output. */
	bool is_mine = !output->is_passing || spec->is_dry_run;
	output->shows_traces = spec->is_traced && is_mine;
	output->shows_commands =
	    spec->is_verbose && !spec->is_dry_run && is_mine && !is_records;
	output->tag = output->is_passing || is_records ? NULL : config->tag;
	if (output->tag == NULL && !output->is_line_mode && !output->shows_traces &&
	    !output->shows_commands)
		output->ops.answered = output_answered;
	output->streams_errors = !config->is_shared;
	output->watch_fd =
	    config->beside == NULL ? output_find_watch_fd(config->out_fd) : -1;
	output_init_ends(output);
	return &output->sink;
}

bool
output_is_pipe_closed(const struct sink *sink)
{
	const struct output *output = output_of_const(sink);
	const struct writer *writer = &output->out->streams[RESULT_STDOUT]->writer;
	return writer->is_closed ||
	       (output->watch_fd != -1 && writer_reader_is_gone(writer));
}

int
output_watch_fd(const struct sink *sink)
{
	return output_of_const(sink)->watch_fd;
}

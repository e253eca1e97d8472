/*
 * output.c: see output.h.
 *
 * A task's bytes pass three steps: tags in front of lines, whole lines apart from the
 * rest (line mode), then either straight to the outlet, for a live task, or into its held
 * streams.
 */
#include "sink/output.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/clock.h"
#include "ipc/spill.h"
#include "sink/decorate.h"
#include "sink/outlet.h"
#include "sink/pending.h"

/* How stdout and stderr are doing is judged so often; faster than a disk is fast. */
#define OUTPUT_FLOW_MS 10
#define OUTPUT_FLOW_BYTES_PER_S 256e6

static_assert(OUTPUT_BEHIND_BYTES == OUTLET_BEHIND_BYTES, "one bound");

/* So much was with the outlets once. */
struct mark {
	uint64_t end; /* the tasks before this one: a seq, or how many settled */
	uint64_t put_bytes[RESULT_STREAMS];
};

struct output {
	struct sink sink;
	struct sink_ops ops; /* with answered only where nothing is added to what tasks print */
	struct output_config config;
	bool is_ordered;
	bool is_line_mode;
	bool is_passing;     /* --ungroup: what there is goes out at once */
	bool shows_traces;   /* -t */
	bool shows_commands; /* -v */
	bool streams_head; /* the task whose turn it is need not be held until it settles */
	const struct template *tag; /* NULL: no tags */
	int watch_fd;
	uint64_t head_seq; /* ordered: all before it have settled and are with the outlets */
	uint64_t settled_count; /* unordered: so many are with the outlets */
	uint64_t out_end; /* of those with the outlets: all before this one are out */
	struct mark mark; /* what out_end will be next */
	struct pending_table table;
	struct spill spill;
	struct outlet outlets[RESULT_STREAMS];
	size_t outlet_count;
	struct outlet *streams[RESULT_STREAMS]; /* into outlets: one for both where both are one file */
	int64_t flow_at_ns;                     /* the last look */
	uint64_t flow_bytes;                    /* written by then */
	bool is_flowing;                        /* more held output would not be of use */
	struct buf tagged;                      /* scratch */
	struct buf text;                        /* scratch */
	struct arg *args;                       /* scratch */
	size_t arg_capacity;
};

static struct output *
output_of(struct sink *sink)
{
	return (struct output *)sink; /* its first member */
}

static const struct output *
output_of_const(const struct sink *sink)
{
	return (const struct output *)sink;
}

/* Its bytes go out as they come. */
static bool
output_is_live(const struct output *output, uint64_t seq)
{
	if (output->is_passing)
		return true;
	if (output->is_ordered)
		return output->streams_head && seq == output->head_seq;
	return output->is_line_mode;
}

static int
output_pass(struct output *output, struct pending *pending, uint64_t seq,
	    enum result_stream stream, const char *bytes, size_t length, struct err *err)
{
	if (output_is_live(output, seq))
		return outlet_put(output->streams[stream], bytes, length, err);
	return held_append(&output->spill, &pending->held[stream], bytes, length, err);
}

/* Appends all of *from to *to and ends *from. */
static int
output_move_held(struct output *output, struct held **to, struct held **from,
		 struct err *err)
{
	if (*to == NULL) {
		*to = *from;
		*from = NULL;
		return 0;
	}
	while (held_bytes(*from) > 0) {
		const char *bytes;
		size_t length;
		if (held_peek(&output->spill, *from, &bytes, &length, err) == -1 ||
		    held_append(&output->spill, to, bytes, length, err) == -1)
			return -1;
		held_consume(&output->spill, *from, length);
	}
	held_free(&output->spill, *from);
	*from = NULL;
	return 0;
}

/* The line that was cut short by the end of a piece goes on its way. */
static int
output_pass_partial(struct output *output, struct pending *pending,
		    enum result_stream stream, struct err *err)
{
	struct held **partial = &pending->partial[stream];
	if (*partial == NULL)
		return 0;
	if (output_is_live(output, pending->seq))
		return outlet_put_held(output->streams[stream], partial, err);
	return output_move_held(output, &pending->held[stream], partial, err);
}

static int
output_pass_lines(struct output *output, struct pending *pending, uint64_t seq,
		  enum result_stream stream, const char *bytes, size_t length,
		  struct err *err)
{
	if (!output->is_line_mode)
		return output_pass(output, pending, seq, stream, bytes, length, err);
	size_t whole = decorate_whole_lines(bytes, length);
	if (whole > 0 &&
	    (output_pass_partial(output, pending, stream, err) == -1 ||
	     output_pass(output, pending, seq, stream, bytes, whole, err) == -1))
		return -1;
	return held_append(&output->spill, &pending->partial[stream], bytes + whole,
			   length - whole, err);
}

static int
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

static int
output_expand_tag(struct output *output, struct pending *pending, const struct task *task,
		  struct err *err)
{
	struct template_values values;
	if (pending->tag != NULL)
		return 0;
	buf_clear(&output->text);
	if (output_find_values(output, task, pending->slot, &values, err) == -1 ||
	    template_expand_text(output->tag, &values, &output->text, err) == -1)
		return -1;
	pending->tag = tag_new(output->text.bytes, output->text.length);
	return pending->tag == NULL ? err_no_memory(err) : 0;
}

static int
output_pass_tagged(struct output *output, struct pending *pending,
		   const struct task *task, enum result_stream stream, const char *bytes,
		   size_t length, struct err *err)
{
	if (output_expand_tag(output, pending, task, err) == -1)
		return -1;
	while (length > 0) {
		buf_clear(&output->tagged);
		ssize_t used = decorate_tag(&output->tagged, pending->tag,
					    &pending->is_mid_line[stream], bytes, length);
		if (used == -1)
			return err_no_memory(err);
		if (output_pass_lines(output, pending, task->seq, stream,
				      output->tagged.bytes, output->tagged.length,
				      err) == -1)
			return -1;
		bytes += used;
		length -= (size_t)used;
	}
	return 0;
}

static int
output_give(struct output *output, const struct task *task, enum result_stream stream,
	    const char *bytes, size_t length, struct err *err)
{
	struct pending *pending = NULL;
	if (length == 0 || output->streams[stream]->writer.is_closed)
		return 0;
	bool is_plain = output->tag == NULL && !output->is_line_mode;
	if (is_plain && output_is_live(output, task->seq))
		return outlet_put(output->streams[stream], bytes, length, err);
	pending = pending_add(&output->table, task->seq);
	if (pending == NULL)
		return err_no_memory(err);
	if (output->tag != NULL)
		return output_pass_tagged(output, pending, task, stream, bytes, length,
					  err);
	return output_pass_lines(output, pending, task->seq, stream, bytes, length, err);
}

static int
output_take(struct sink *sink, const struct task *task, enum result_stream stream,
	    const char *bytes, size_t length, struct err *err)
{
	struct output *output = output_of(sink);
	if (output->config.content == OUTPUT_NONE)
		return 0;
	return output_give(output, task, stream, bytes, length, err);
}

/* -v and -t: into output->text, with a newline. */
static int
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

/* -v: as if the task had printed it first. */
static int
output_show_command(struct output *output, const struct task *task, uint32_t slot,
		    struct err *err)
{
	if (output_expand_command(output, task, slot, err) == -1)
		return -1;
	struct buf line = output->text;
	output->text = (struct buf){0}; /* the tag is expanded there meanwhile */
	int status = output_give(output, task, RESULT_STDOUT, line.bytes, line.length, err);
	buf_fini(&output->text);
	output->text = line;
	return status;
}

static int
output_started(struct sink *sink, const struct task *task, uint32_t slot, struct err *err)
{
	struct output *output = output_of(sink);
	if (output->shows_traces) {
		if (output_expand_command(output, task, slot, err) == -1 ||
		    outlet_put(output->streams[RESULT_STDERR], output->text.bytes,
			       output->text.length, err) == -1)
			return -1;
	}
	if (output->tag != NULL) {
		struct pending *pending = pending_add(&output->table, task->seq);
		if (pending == NULL)
			return err_no_memory(err);
		pending->slot = slot;
	}
	return output->shows_commands ? output_show_command(output, task, slot, err) : 0;
}

static int
output_retried(struct sink *sink, const struct task *task, const struct result *result,
	       struct err *err)
{
	struct output *output = output_of(sink);
	struct pending *pending = pending_find(&output->table, task->seq);
	(void)result;
	(void)err;
	if (pending != NULL)
		pending_remove(&output->table, pending, &output->spill);
	return 0;
}

/* All the task has goes out; the entry is gone afterwards. */
static int
output_release(struct output *output, struct pending *pending, struct err *err)
{
	int status = 0;
	for (int i = 0; i < RESULT_STREAMS && status == 0; i++) {
		status = outlet_put_held(output->streams[i], &pending->held[i], err);
		if (status == 0)
			status =
			    outlet_put_held(output->streams[i], &pending->partial[i], err);
	}
	pending_remove(&output->table, pending, &output->spill);
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
	for (int i = 0; i < RESULT_STREAMS; i++)
		if (outlet_put_held(output->streams[i], &pending->held[i], err) == -1)
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
output_settled(struct sink *sink, const struct task *task, const struct result *result,
	       struct err *err)
{
	struct output *output = output_of(sink);
	(void)result;
	if (output->is_ordered && task->seq != output->head_seq) {
		assert(task->seq > output->head_seq);
		return output_park(output, task->seq, 1, err);
	}
	struct pending *pending = pending_find(&output->table, task->seq);
	if (pending != NULL && output_release(output, pending, err) == -1)
		return -1;
	output->settled_count++;
	return output->is_ordered ? output_advance(output, 1, err) : 0;
}

/* For outputs that go out as they are, each of whole tasks. */
static int
output_answered(struct sink *sink, const struct task *chunk,
		const struct answers *answers, struct err *err)
{
	struct output *output = output_of(sink);
	bool is_early = output->is_ordered && chunk->seq != output->head_seq;
	if (output->streams[RESULT_STDOUT]->writer.is_closed || answers->length == 0 ||
	    output->config.content == OUTPUT_NONE) {
		/* nothing to hand over */
	} else if (!is_early) {
		if (outlet_put(output->streams[RESULT_STDOUT], answers->bytes,
			       answers->length, err) == -1)
			return -1;
	} else {
		struct pending *pending = pending_add(&output->table, chunk->seq);
		if (pending == NULL)
			return err_no_memory(err);
		if (held_append(&output->spill, &pending->held[RESULT_STDOUT],
				answers->bytes, answers->length, err) == -1)
			return -1;
	}
	if (is_early)
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
	for (size_t i = 0; i < output->outlet_count; i++)
		if (outlet_is_behind(&output->outlets[i]))
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
	for (size_t i = 0; i < output->outlet_count; i++) {
		const struct writer *writer = &output->outlets[i].writer;
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
	const struct spill *spill = &output->spill;
	if (!output->is_ordered || !output->streams_head ||
	    spill->memory_bytes <= spill->budget_bytes / 2)
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
	for (size_t i = 0; i < output->outlet_count; i++)
		if (!outlet_is_empty(&output->outlets[i]))
			fds[count++] = writer_wait_fd(&output->outlets[i].writer);
	return count;
}

/* Whether all that was with the outlets then is written; stderr may have lost its reader. */
static bool
output_is_past_mark(const struct output *output)
{
	for (size_t i = 0; i < output->outlet_count; i++) {
		const struct writer *writer = &output->outlets[i].writer;
		if (writer->written_bytes < output->mark.put_bytes[i] &&
		    (i == 0 || !writer->is_closed))
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
	for (size_t i = 0; i < output->outlet_count; i++)
		output->mark.put_bytes[i] = output->outlets[i].put_bytes;
	if (output_is_past_mark(output))
		output->out_end = output->mark.end;
}

static int
output_flush(struct sink *sink, struct err *err)
{
	struct output *output = output_of(sink);
	for (size_t i = 0; i < output->outlet_count; i++)
		if (outlet_flush(&output->outlets[i], err) == -1)
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
	for (size_t i = 0; i < output->outlet_count; i++)
		if (!outlet_is_empty(&output->outlets[i]))
			return false;
	return true;
}

static int
output_finish(struct sink *sink, struct err *err)
{
	struct output *output = output_of(sink);
	assert(output_is_done(sink));
	for (size_t i = 0; i < output->outlet_count; i++)
		if (writer_check_close(&output->outlets[i].writer, err) == -1)
			return -1;
	return 0;
}

static void
output_free(struct sink *sink)
{
	struct output *output = output_of(sink);
	pending_fini(&output->table, &output->spill);
	for (size_t i = 0; i < output->outlet_count; i++)
		outlet_fini(&output->outlets[i]);
	spill_fini(&output->spill);
	buf_fini(&output->tagged);
	buf_fini(&output->text);
	free(output->args);
	free(output);
}

static const struct sink_ops output_ops = {
    .started = output_started,
    .output = output_take,
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
output_init_outlets(struct output *output)
{
	const struct output_config *config = &output->config;
	bool is_same = output_is_same_file(config->out_fd, config->err_fd);
	outlet_init(&output->outlets[0], config->out_fd, "stdout", &output->spill);
	if (!is_same)
		outlet_init(&output->outlets[1], config->err_fd, "stderr", &output->spill);
	output->outlet_count = is_same ? 1 : 2;
	output->streams[RESULT_STDOUT] = &output->outlets[0];
	output->streams[RESULT_STDERR] = &output->outlets[is_same ? 0 : 1];
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
	const struct spec *spec = config->spec;
	struct output *output = calloc(1, sizeof(*output));
	if (output == NULL) {
		err_no_memory(err);
		return NULL;
	}
	output->ops = output_ops;
	output->sink.ops = &output->ops;
	output->config = *config;
	bool is_records = config->content == OUTPUT_RECORDS;
	output->is_passing = spec->output_mode == SPEC_OUTPUT_NONE;
	output->is_line_mode = spec->output_mode == SPEC_OUTPUT_LINE && !is_records;
	output->is_ordered = spec->is_ordered && !output->is_passing &&
			     (config->content != OUTPUT_NONE || spec->is_verbose);
	output->streams_head = output->is_line_mode || spec->max_attempts <= 1;
	/* In --ungroup the worker shows them: it alone knows what comes before the output. */
	bool is_mine = !output->is_passing || spec->is_dry_run;
	output->shows_traces = spec->is_traced && is_mine;
	output->shows_commands =
	    spec->is_verbose && !spec->is_dry_run && is_mine && !is_records;
	output->tag = output->is_passing || is_records ? NULL : config->tag;
	if (output->tag == NULL && !output->is_line_mode && !output->shows_traces &&
	    !output->shows_commands)
		output->ops.answered = output_answered;
	output->watch_fd = output_find_watch_fd(config->out_fd);
	spill_init(&output->spill, spill_folder(spec->tmp_dir), spec->buffer_bytes,
		   config->blocks);
	output_init_outlets(output);
	return &output->sink;
}

bool
output_is_pipe_closed(const struct sink *sink)
{
	const struct output *output = output_of_const(sink);
	const struct writer *writer = &output->streams[RESULT_STDOUT]->writer;
	return writer->is_closed ||
	       (output->watch_fd != -1 && writer_reader_is_gone(writer));
}

int
output_watch_fd(const struct sink *sink)
{
	return output_of_const(sink)->watch_fd;
}

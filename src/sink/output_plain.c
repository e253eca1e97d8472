/*
 * output_plain.c: tasks' bytes as they printed them; see output_parts.h.
 *
 * They pass three steps: tags in front of lines, whole lines apart from the rest (line
 * mode), then either straight to the outlet, for a live task, or into its held streams.
 */
#include "sink/decorate.h"
#include "sink/output_parts.h"

/* Its bytes go out as they come. */
static bool
plain_is_live(const struct output *output, uint64_t seq, enum result_stream stream)
{
	if (output->is_passing)
		return true;
	if (stream == RESULT_STDERR && !output->streams_errors)
		return false;
	if (output->is_ordered)
		return output->streams_head && seq == output->head_seq;
	return output->is_line_mode;
}

static int
plain_pass(struct output *output, struct pending *pending, uint64_t seq,
	   enum result_stream stream, const char *bytes, size_t length, struct err *err)
{
	if (plain_is_live(output, seq, stream))
		return outlet_put(output->out->streams[stream], bytes, length, err);
	return held_append(&output->out->spill, &pending->held[stream], bytes, length, err);
}

/* Appends all of *from to *to and ends *from. */
static int
plain_move_held(struct output *output, struct held **to, struct held **from, struct err *err)
{
	if (*to == NULL) {
		*to = *from;
		*from = NULL;
		return 0;
	}
	while (held_bytes(*from) > 0) {
		const char *bytes;
		size_t length;
		if (held_peek(&output->out->spill, *from, &bytes, &length, err) == -1 ||
		    held_append(&output->out->spill, to, bytes, length, err) == -1)
			return -1;
		held_consume(&output->out->spill, *from, length);
	}
	held_free(&output->out->spill, *from);
	*from = NULL;
	return 0;
}

/* The line that was cut short by the end of a piece goes on its way. */
static int
plain_pass_partial(struct output *output, struct pending *pending,
		   enum result_stream stream, struct err *err)
{
	struct held **partial = &pending->partial[stream];
	if (*partial == NULL)
		return 0;
	if (plain_is_live(output, pending->seq, stream))
		return outlet_put_held(output->out->streams[stream], partial, err);
	return plain_move_held(output, &pending->held[stream], partial, err);
}

static int
plain_pass_lines(struct output *output, struct pending *pending, uint64_t seq,
		 enum result_stream stream, const char *bytes, size_t length,
		 struct err *err)
{
	if (!output->is_line_mode)
		return plain_pass(output, pending, seq, stream, bytes, length, err);
	size_t whole = decorate_whole_lines(bytes, length);
	if (whole > 0 && (plain_pass_partial(output, pending, stream, err) == -1 ||
			  plain_pass(output, pending, seq, stream, bytes, whole, err) == -1))
		return -1;
	return held_append(&output->out->spill, &pending->partial[stream], bytes + whole,
			   length - whole, err);
}

static int
plain_expand_tag(struct output *output, struct pending *pending, const struct task *task,
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
plain_pass_tagged(struct output *output, struct pending *pending, const struct task *task,
		  enum result_stream stream, const char *bytes, size_t length,
		  struct err *err)
{
	if (plain_expand_tag(output, pending, task, err) == -1)
		return -1;
	while (length > 0) {
		buf_clear(&output->other);
		ssize_t used = decorate_tag(&output->other, pending->tag,
					    &pending->is_mid_line[stream], bytes, length);
		if (used == -1)
			return err_no_memory(err);
		if (plain_pass_lines(output, pending, task->seq, stream,
				     output->other.bytes, output->other.length, err) == -1)
			return -1;
		bytes += used;
		length -= (size_t)used;
	}
	return 0;
}

static int
plain_give(struct output *output, const struct task *task, enum result_stream stream,
	   const char *bytes, size_t length, struct err *err)
{
	struct pending *pending = NULL;
	if (length == 0 || output->out->streams[stream]->writer.is_closed)
		return 0;
	bool is_plain = output->tag == NULL && !output->is_line_mode;
	if (is_plain && plain_is_live(output, task->seq, stream))
		return outlet_put(output->out->streams[stream], bytes, length, err);
	pending = pending_add(&output->table, task->seq);
	if (pending == NULL)
		return err_no_memory(err);
	if (output->tag != NULL)
		return plain_pass_tagged(output, pending, task, stream, bytes, length, err);
	return plain_pass_lines(output, pending, task->seq, stream, bytes, length, err);
}

static int
plain_take(struct sink *sink, const struct task *task, enum result_stream stream,
	   const char *bytes, size_t length, struct err *err)
{
	struct output *output = output_of(sink);
	enum output_content content = output->config.content;
	if (content == OUTPUT_NONE || (content == OUTPUT_ERRORS && stream == RESULT_STDOUT))
		return 0;
	return plain_give(output, task, stream, bytes, length, err);
}

/* -v: as if the task had printed it first. */
static int
plain_show_command(struct output *output, const struct task *task, uint32_t slot,
		   struct err *err)
{
	if (output_expand_command(output, task, slot, err) == -1)
		return -1;
	struct buf line = output->text;
	output->text = (struct buf){0}; /* the tag is expanded there meanwhile */
	int status = plain_give(output, task, RESULT_STDOUT, line.bytes, line.length, err);
	buf_fini(&output->text);
	output->text = line;
	return status;
}

static int
plain_started(struct sink *sink, const struct task *task, uint32_t slot, struct err *err)
{
	struct output *output = output_of(sink);
	if (output_trace(output, task, slot, err) == -1)
		return -1;
	if (output->tag != NULL) {
		struct pending *pending = pending_add(&output->table, task->seq);
		if (pending == NULL)
			return err_no_memory(err);
		pending->slot = slot;
	}
	return output->shows_commands ? plain_show_command(output, task, slot, err) : 0;
}

static int
plain_release(struct output *output, struct pending *pending, struct err *err)
{
	int status = 0;
	for (int i = 0; i < RESULT_STREAMS && status == 0; i++) {
		status = outlet_put_held(output->out->streams[i], &pending->held[i], err);
		if (status == 0)
			status = outlet_put_held(output->out->streams[i],
						 &pending->partial[i], err);
	}
	return status;
}

/* For outputs that go out as they are, each of whole tasks. */
static int
plain_answered(struct output *output, const struct task *chunk,
	       const struct answers *answers, struct err *err)
{
	struct outlet *outlet = output->out->streams[RESULT_STDOUT];
	if (outlet->writer.is_closed || answers->length == 0 ||
	    output->config.content == OUTPUT_NONE ||
	    output->config.content == OUTPUT_ERRORS)
		return 0;
	if (output_is_turn(output, chunk->seq))
		return outlet_put(outlet, answers->bytes, answers->length, err);
	struct pending *pending = pending_add(&output->table, chunk->seq);
	if (pending == NULL)
		return err_no_memory(err);
	return held_append(&output->out->spill, &pending->held[RESULT_STDOUT],
			   answers->bytes, answers->length, err);
}

const struct output_form output_plain = {
    .ops = {.started = plain_started, .output = plain_take},
    .release = plain_release,
    .answered = plain_answered,
};

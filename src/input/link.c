/* link.c: see link.h. */
#include "input/link.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/seqmap.h"
#include "input/jsonl.h"
#include "input/rows.h"
#include "ipc/spill.h"
#include "task/override.h"

/* More of them in front of a stage make nothing faster, whatever its window. */
#define LINK_LINES_MAX 10000

/* What a task has put out, or several that put out nothing. */
struct parcel {
	struct parcel *next; /* in the queue */
	uint64_t seq;
	uint64_t count;  /* of tasks; is_settled */
	bool is_settled; /* before its turn */
	struct held *output;
	uint64_t line_count;
	uint64_t taken_count; /* of lines */
	uint64_t from[];      /* is_settled: the tasks it came from, and itself */
};

struct link {
	struct sink sink;
	struct source source;
	struct link_config config;
	const struct plan *taker; /* NULL: nobody has asked yet */
	struct spill spill;
	size_t from_count;     /* stages before the next one */
	struct seqmap parcels; /* by seq: of tasks that run, or wait for their turn */
	uint64_t head_seq;     /* ordered: all before it have settled */
	struct parcel *first;  /* the queue: what can be given */
	struct parcel *last;
	uint64_t waiting_lines; /* in it */
	uint64_t waiting_bytes;

	struct jsonl *jsonl;
	struct buf line;
	struct buf overrides;
	struct buf passed;     /* tasks that were done before: of struct passed */
	struct arg *past_args; /* of one of them */
	size_t past_capacity;
	struct row row;
	bool has_row; /* which is not in a task yet */
	struct buf packed;
	uint64_t next_seq;
	struct err failure;     /* told when what came before it is given */
	uint64_t refused_count; /* lines that are no objects */
	struct err refused;     /* the first */
};

static struct link *
link_of_sink(struct sink *sink)
{
	return (struct link *)sink; /* its first member */
}

static const struct link *
link_of_const(const struct sink *sink)
{
	return (const struct link *)sink;
}

static struct link *
link_of_source(struct source *source)
{
	return (struct link *)(void *)((char *)source - offsetof(struct link, source));
}

/* --- what comes in --- */

static bool
link_is_for_nobody(const struct link *link)
{
	return link->taker != NULL && plan_is_stopped(link->taker);
}

static struct parcel *
link_find(const struct link *link, uint64_t seq)
{
	const uint64_t *found = seqmap_find(&link->parcels, seq);
	return found == NULL ? NULL : (struct parcel *)(uintptr_t)*found;
}

static struct parcel *
link_find_or_add(struct link *link, uint64_t seq, struct err *err)
{
	struct parcel *parcel = link_find(link, seq);
	if (parcel != NULL)
		return parcel;
	parcel = calloc(1, sizeof(*parcel) + link->from_count * sizeof(*parcel->from));
	if (parcel == NULL ||
	    seqmap_set(&link->parcels, seq, (uint64_t)(uintptr_t)parcel) == -1) {
		free(parcel);
		err_no_memory(err);
		return NULL;
	}
	parcel->seq = seq;
	return parcel;
}

static void
link_free_parcel(struct link *link, struct parcel *parcel)
{
	held_free(&link->spill, parcel->output);
	free(parcel);
}

static uint64_t
count_lines(const char *bytes, size_t length)
{
	uint64_t count = 0;
	const char *end = bytes + length;
	while ((bytes = memchr(bytes, '\n', (size_t)(end - bytes))) != NULL) {
		bytes++;
		count++;
	}
	return count;
}

static int
link_keep(struct link *link, uint64_t seq, const char *bytes, size_t length, struct err *err)
{
	if (length == 0 || link_is_for_nobody(link))
		return 0;
	struct parcel *parcel = link_find_or_add(link, seq, err);
	if (parcel == NULL)
		return -1;
	parcel->line_count += count_lines(bytes, length);
	return held_append(&link->spill, &parcel->output, bytes, length, err);
}

static int
link_output(struct sink *sink, const struct task *task, enum result_stream stream,
	    const char *bytes, size_t length, struct err *err)
{
	if (stream != RESULT_STDOUT)
		return 0;
	return link_keep(link_of_sink(sink), task->seq, bytes, length, err);
}

/* What it has put out so far is of no use. */
static void
link_forget(struct link *link, uint64_t seq)
{
	struct parcel *parcel = link_find(link, seq);
	if (parcel == NULL)
		return;
	seqmap_remove(&link->parcels, seq);
	link_free_parcel(link, parcel);
}

static int
link_retried(struct sink *sink, const struct task *task, const struct result *result,
	     struct err *err)
{
	(void)result;
	(void)err;
	link_forget(link_of_sink(sink), task->seq);
	return 0;
}

/* Its turn has come: from here on the next stage may have it. */
static void
link_queue(struct link *link, struct parcel *parcel)
{
	if (link->config.from->pass == SPEC_PASS_OUTPUT || parcel->line_count == 0)
		parcel->line_count = 1;
	parcel->next = NULL;
	if (link->first == NULL)
		link->first = parcel;
	else
		link->last->next = parcel;
	link->last = parcel;
	link->waiting_lines += parcel->line_count;
	link->waiting_bytes += held_bytes(parcel->output);
}

/* Those from the head on that have settled go into the queue, if they have anything to give. */
static void
link_advance(struct link *link)
{
	struct parcel *parcel;
	while ((parcel = link_find(link, link->head_seq)) != NULL && parcel->is_settled) {
		seqmap_remove(&link->parcels, parcel->seq);
		link->head_seq += parcel->count;
		if (parcel->from[link->from_count - 1] == UINT64_MAX)
			link_free_parcel(link, parcel);
		else
			link_queue(link, parcel);
	}
}

/* The tasks from seq on are done with and give nothing. */
static int
link_skip(struct link *link, uint64_t seq, uint32_t count, struct err *err)
{
	link_forget(link, seq);
	if (!link->config.from->is_ordered)
		return 0;
	if (seq == link->head_seq) {
		link->head_seq += count;
		link_advance(link);
		return 0;
	}
	struct parcel *parcel = link_find_or_add(link, seq, err);
	if (parcel == NULL)
		return -1;
	parcel->is_settled = true;
	parcel->count = count;
	parcel->from[link->from_count - 1] = UINT64_MAX;
	return 0;
}

/* The seqs of the tasks that this one came from, and its own. */
static void
link_note_from(const struct link *link, struct parcel *parcel, const struct arg *overrides)
{
	size_t before_count = link->from_count - 1;
	struct arg before;
	if (before_count > 0 && override_find(overrides, OVERRIDE_FROM, &before))
		memcpy(parcel->from, before.bytes, before_count * sizeof(*parcel->from));
	parcel->from[before_count] = parcel->seq;
}

/* The task has succeeded: what it has put out goes on. */
static int
link_end(struct link *link, uint64_t seq, const struct arg *overrides, struct err *err)
{
	bool is_whole = link->config.from->pass == SPEC_PASS_OUTPUT;
	if (link_find(link, seq) == NULL && !is_whole)
		return link_skip(link, seq, 1, err);
	struct parcel *parcel = link_find_or_add(link, seq, err);
	if (parcel == NULL)
		return -1;
	parcel->is_settled = true;
	parcel->count = 1;
	link_note_from(link, parcel, overrides);
	if (link->config.from->is_ordered) {
		link_advance(link);
	} else {
		seqmap_remove(&link->parcels, seq);
		link_queue(link, parcel);
	}
	return 0;
}

static int
link_settled(struct sink *sink, const struct task *task, const struct result *result,
	     struct err *err)
{
	struct link *link = link_of_sink(sink);
	const struct arg overrides = override_of_task(link->config.from, task);
	return result_is_success(result) ? link_end(link, task->seq, &overrides, err)
					 : link_skip(link, task->seq, 1, err);
}

/* Some tasks that were done before, in front of their packed values. */
struct passed {
	uint64_t seq; /* of the first */
	uint32_t count;
	uint32_t arg_count; /* of each */
	size_t packed_bytes;
};

/* One of them. */
struct recalled {
	struct link *link;
	uint64_t seq;
};

/* A history_take. */
static int
link_take(void *context, const char *bytes, size_t length, struct err *err)
{
	const struct recalled *recalled = context;
	return link_keep(recalled->link, recalled->seq, bytes, length, err);
}

/* Its values are in past_args. */
static int
link_hear(struct link *link, uint64_t seq, struct err *err)
{
	struct recalled recalled = {.link = link, .seq = seq};
	const struct arg none = {"", 0};
	bool has_hidden = link->config.from->hidden_count > 0;
	int has_succeeded =
	    link->config.past->ops->answer(link->config.past, link_take, &recalled, err);
	if (has_succeeded != 1)
		return has_succeeded == -1 ? -1 : link_skip(link, seq, 1, err);
	return link_end(link, seq, has_hidden ? &link->past_args[0] : &none, err);
}

/* For each of the tasks that were done before: asks what it had put out, or hears it. */
static int
link_recall(struct link *link, bool hears, struct err *err)
{
	struct history *past = link->config.past;
	const char *at = link->passed.bytes;
	const char *end = at + link->passed.length;
	while (at < end) {
		struct passed passed;
		memcpy(&passed, at, sizeof(passed));
		at += sizeof(passed);
		size_t packed_bytes = passed.packed_bytes;
		for (uint64_t seq = passed.seq; seq < passed.seq + passed.count; seq++) {
			if (task_unpack_next(&at, &packed_bytes, passed.arg_count,
					     &link->past_args, &link->past_capacity) == -1)
				return err_no_memory(err);
			if ((hears ? link_hear(link, seq, err)
				   : past->ops->ask(past, link->past_args,
						    passed.arg_count, err)) == -1)
				return -1;
		}
	}
	return 0;
}

static int
link_passed(struct sink *sink, const struct task *chunk, struct err *err)
{
	struct link *link = link_of_sink(sink);
	const struct passed passed = {.seq = chunk->seq,
				      .count = chunk->count,
				      .packed_bytes = chunk->packed_bytes,
				      .arg_count = chunk->arg_count};
	if (link->config.past == NULL)
		return link_skip(link, chunk->seq, chunk->count, err);
	if (buf_append(&link->passed, &passed, sizeof(passed)) == -1 ||
	    buf_append(&link->passed, task_bytes(chunk), chunk->packed_bytes) == -1)
		return err_no_memory(err);
	return 0;
}

/* All that were passed in this turn in one go: one wait for all of them. */
static int
link_flush(struct sink *sink, struct err *err)
{
	struct link *link = link_of_sink(sink);
	if (link->passed.length == 0)
		return 0;
	if (link_recall(link, false, err) == -1 || link_recall(link, true, err) == -1)
		return -1;
	buf_clear(&link->passed);
	return 0;
}

static bool
link_is_behind(const struct sink *sink)
{
	const struct link *link = link_of_const(sink);
	size_t window = link->config.to->window;
	if (window > LINK_LINES_MAX)
		window = LINK_LINES_MAX;
	return link->first != NULL && !link_is_for_nobody(link) &&
	       (link->waiting_lines >= window ||
		link->waiting_bytes >= link->config.buffer_bytes);
}

static uint64_t
link_window_end(const struct sink *sink)
{
	const struct link *link = link_of_const(sink);
	uint64_t window = link->config.from->window > 0 ? link->config.from->window : 1;
	if (!link->config.from->is_ordered || window > UINT64_MAX - link->head_seq)
		return UINT64_MAX;
	return link->head_seq + window;
}

static void
link_free_part(struct sink *sink)
{
	(void)sink;
}

static const struct sink_ops link_sink_ops = {
    .output = link_output,
    .retried = link_retried,
    .settled = link_settled,
    .passed = link_passed,
    .flush = link_flush,
    .is_behind = link_is_behind,
    .window_end = link_window_end,
    .free = link_free_part,
};

/* --- what goes out --- */

/* Up to the end of the line, or to that of all: 1; 0: nothing is left. */
static int
link_take_line(struct link *link, struct parcel *parcel, bool is_whole, struct err *err)
{
	bool has_any = false;
	buf_clear(&link->line);
	for (;;) {
		const char *bytes;
		size_t length;
		if (held_peek(&link->spill, parcel->output, &bytes, &length, err) == -1)
			return -1;
		if (length == 0)
			return has_any;
		has_any = true;
		const char *end = is_whole ? NULL : memchr(bytes, '\n', length);
		size_t taken = end == NULL ? length : (size_t)(end - bytes);
		if (link->line.length + taken > TASK_ARG_MAX_BYTES)
			return err_set(err, ERR_BROKEN,
				       "%s of its output is longer than %u bytes",
				       is_whole ? "all" : "a line", TASK_ARG_MAX_BYTES);
		if (buf_append(&link->line, bytes, taken) == -1)
			return err_no_memory(err);
		taken += end != NULL;
		held_consume(&link->spill, parcel->output, taken);
		link->waiting_bytes -= taken;
		if (end != NULL)
			return 1;
	}
}

/* The first in the queue has nothing more to give. */
static void
link_drop_first(struct link *link)
{
	struct parcel *parcel = link->first;
	link->first = parcel->next;
	if (parcel->taken_count < parcel->line_count)
		link->waiting_lines -= parcel->line_count - parcel->taken_count;
	link_free_parcel(link, parcel);
}

/* Hidden values, then the line or what it means. */
static int
link_make_row(struct link *link, const struct parcel *parcel, struct err *err)
{
	const struct arg line = {link->line.length > 0 ? link->line.bytes : "",
				 link->line.length};
	size_t from_bytes = link->from_count * sizeof(*parcel->from);
	row_clear(&link->row);
	buf_clear(&link->overrides);
	if (link->jsonl == NULL) {
		if (row_add(&link->row, "", 0) == -1 ||
		    row_add(&link->row, line.bytes, line.length) == -1)
			return err_no_memory(err);
	} else {
		jsonl_set_place(link->jsonl, "its output", parcel->taken_count);
		if (jsonl_split(link->jsonl, &line, &link->row, err) == -1)
			return -1;
	}
	const struct arg *own = &link->row.args[0];
	if (buf_append(&link->overrides, own->bytes, own->length) == -1 ||
	    override_add(&link->overrides, OVERRIDE_FROM, (const char *)parcel->from,
			 from_bytes) == -1)
		return err_no_memory(err);
	link->row.args[0] = (struct arg){link->overrides.bytes, link->overrides.length};
	return 0;
}

static int
link_name_place(const struct parcel *parcel, struct err *err)
{
	err_context(err, "task %" PRIu64, parcel->seq + 1);
	return -1;
}

/* A line that is no object is no task: 0. Where a failure is to end the job, it does: -1. */
static int
link_refuse(struct link *link, const struct parcel *parcel, struct err *err)
{
	const struct spec_halt *halt = &link->config.from->halt;
	link_name_place(parcel, err);
	if (err->kind != ERR_USAGE ||
	    (halt->when != SPEC_HALT_NEVER && halt->why == SPEC_HALT_FAIL))
		return -1;
	if (link->refused_count++ == 0)
		link->refused = *err;
	*err = (struct err){0};
	return 0;
}

/* The next task's values: 1; 0: there is none now. */
static int
link_next_row(struct link *link, struct err *err)
{
	bool is_whole = link->config.from->pass == SPEC_PASS_OUTPUT;
	while (link->first != NULL) {
		struct parcel *parcel = link->first;
		bool is_empty_whole = is_whole && parcel->taken_count == 0 &&
				      held_bytes(parcel->output) == 0;
		int status = link_take_line(link, parcel, is_whole, err);
		if (status == -1)
			return link_name_place(parcel, err);
		if (status == 0 && !is_empty_whole) {
			link_drop_first(link);
			continue;
		}
		if (parcel->taken_count++ < parcel->line_count)
			link->waiting_lines--;
		if (is_whole && link->line.length > 0 &&
		    link->line.bytes[link->line.length - 1] == '\n')
			link->line.length--;
		const struct arg line = {link->line.bytes, link->line.length};
		if (link->jsonl != NULL && jsonl_is_blank(&line))
			continue;
		if (link_make_row(link, parcel, err) == 0)
			return 1;
		if (link_refuse(link, parcel, err) == -1)
			return -1;
	}
	return 0;
}

static int
link_pack_row(struct link *link, struct err *err)
{
	for (size_t i = 0; i < link->row.count; i++)
		if (task_pack(&link->packed, link->row.args[i].bytes,
			      link->row.args[i].length) == -1)
			return err_no_memory(err);
	return 0;
}

/* As many rows as are there and alike. How many; what stands in the way of more is a failure. */
static uint32_t
link_pack_rows(struct link *link, uint32_t count_max, size_t *arg_count)
{
	uint32_t count = 0;
	buf_clear(&link->packed);
	while (count < count_max && link->packed.length < TASK_CHUNK_MAX_BYTES) {
		if (!link->has_row && link_next_row(link, &link->failure) != 1)
			break;
		link->has_row = true;
		if (count == 0)
			*arg_count = link->row.count;
		else if (link->row.count != *arg_count)
			break;
		if (link_pack_row(link, &link->failure) == -1)
			break;
		link->has_row = false;
		count++;
	}
	return count;
}

static enum source_status
link_next(struct source *source, uint32_t count_max, struct task **task, struct err *err)
{
	struct link *link = link_of_source(source);
	size_t arg_count = 0;
	uint32_t count = link->failure.kind != ERR_NONE
			     ? 0
			     : link_pack_rows(link, count_max, &arg_count);
	if (count == 0 && link->failure.kind != ERR_NONE) {
		*err = link->failure;
		err_context(err, "stage %s", link->config.from->stage);
		return SOURCE_ERROR;
	}
	if (count == 0)
		return plan_is_finished(link->config.plan) && link->passed.length == 0
			   ? SOURCE_END
			   : SOURCE_WAIT;
	*task = task_new(link->next_seq, count, (uint32_t)arg_count, &link->packed);
	if (*task == NULL) {
		err_no_memory(err);
		return SOURCE_ERROR;
	}
	link->next_seq += count;
	return SOURCE_TASK;
}

/* It is the stage before that is waited for: the turn that settles something asks again. */
static int
link_wait_fd(const struct source *source)
{
	(void)source;
	return -1;
}

static void
link_free_source(struct source *source)
{
	(void)source;
}

static const struct source_ops link_source_ops = {
    .next = link_next, .wait_fd = link_wait_fd, .free = link_free_source};

/* --- made and ended --- */

struct link *
link_new(const struct link_config *config, struct err *err)
{
	struct link *link = calloc(1, sizeof(*link));
	if (link == NULL) {
		err_no_memory(err);
		return NULL;
	}
	link->sink.ops = &link_sink_ops;
	link->source.ops = &link_source_ops;
	link->config = *config;
	link->from_count = config->from->stage_index + 1;
	spill_init(&link->spill, spill_folder(config->from->tmp_dir),
		   config->buffer_bytes, config->blocks);
	if (!config->to->takes_objects)
		return link;
	link->jsonl = jsonl_open(config->to, "", NULL, err);
	if (link->jsonl != NULL)
		return link;
	link_free(link);
	return NULL;
}

void
link_set_taker(struct link *link, const struct plan *taker)
{
	link->taker = taker;
}

struct sink *
link_sink(struct link *link)
{
	return &link->sink;
}

struct source *
link_source(struct link *link)
{
	return &link->source;
}

uint64_t
link_refused(const struct link *link, const struct err **first)
{
	*first = &link->refused;
	return link->refused_count;
}

void
link_free(struct link *link)
{
	size_t cursor = 0;
	uint64_t seq;
	uint64_t word;
	if (link == NULL)
		return;
	while (seqmap_next(&link->parcels, &cursor, &seq, &word))
		link_free_parcel(link, (struct parcel *)(uintptr_t)word);
	while (link->first != NULL)
		link_drop_first(link);
	seqmap_fini(&link->parcels);
	spill_fini(&link->spill);
	jsonl_close(link->jsonl);
	buf_fini(&link->line);
	buf_fini(&link->overrides);
	buf_fini(&link->packed);
	buf_fini(&link->passed);
	free(link->past_args);
	row_fini(&link->row);
	free(link);
}

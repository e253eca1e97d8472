/* history.c: see history.h. */
#include "task/history.h"

#include <stdlib.h>

struct history_source {
	struct source source;
	struct source *inner;
	struct history *history;
	struct task *chunk; /* given in parts: this much of it is left */
	uint32_t part_at;   /* in the chunk as it came: where the next part begins */
	bool is_done[TASK_CHUNK_MAX]; /* of the chunk as it came, task by task */
	struct arg *args;
	size_t arg_capacity;
};

/* Asks about each task of the chunk. */
static int
history_source_ask(struct history_source *self, const struct task *chunk, struct err *err)
{
	struct history *history = self->history;
	const char *packed = task_bytes(chunk);
	size_t packed_bytes = chunk->packed_bytes;
	for (uint32_t i = 0; i < chunk->count; i++) {
		if (task_unpack_next(&packed, &packed_bytes, chunk->arg_count,
				     &self->args, &self->arg_capacity) == -1)
			return err_no_memory(err);
		int has = history->ops->has(history, chunk->seq + i, self->args,
					    chunk->arg_count, err);
		if (has == -1)
			return -1;
		self->is_done[i] = has == 1;
	}
	return 0;
}

/* The next part of the chunk: tasks in a row that are all done, or all not. */
static struct task *
history_source_part(struct history_source *self, struct err *err)
{
	const bool *is_done = self->is_done + self->part_at;
	struct task *part = self->chunk;
	uint32_t count = 1;
	while (count < self->chunk->count && is_done[count] == is_done[0])
		count++;
	if (count == self->chunk->count)
		self->chunk = NULL;
	else
		part = task_split(self->chunk, count);
	if (part == NULL) {
		err_no_memory(err);
		return NULL;
	}
	part->is_done = is_done[0];
	self->part_at += count;
	return part;
}

static enum source_status
history_source_next(struct source *source, uint32_t count_max, struct task **task,
		    struct err *err)
{
	struct history_source *self = (struct history_source *)source;
	if (count_max > TASK_CHUNK_MAX)
		count_max = TASK_CHUNK_MAX;
	if (self->chunk == NULL) {
		enum source_status status =
		    source_next(self->inner, count_max, &self->chunk, err);
		if (status != SOURCE_TASK)
			return status;
		if (self->chunk->is_done) { /* as another history says */
			*task = self->chunk;
			self->chunk = NULL;
			return SOURCE_TASK;
		}
		self->part_at = 0;
		if (history_source_ask(self, self->chunk, err) == -1)
			return SOURCE_ERROR;
	}
	*task = history_source_part(self, err);
	return *task == NULL ? SOURCE_ERROR : SOURCE_TASK;
}

static int
history_source_wait_fd(const struct source *source)
{
	return source_wait_fd(((const struct history_source *)source)->inner);
}

static void
history_source_free(struct source *source)
{
	struct history_source *self = (struct history_source *)source;
	source_free(self->inner);
	free(self->chunk);
	free(self->args);
	free(self);
}

static const struct source_ops history_source_ops = {
    .next = history_source_next,
    .wait_fd = history_source_wait_fd,
    .free = history_source_free,
};

struct source *
history_source_new(struct source *source, struct history *history, struct err *err)
{
	struct history_source *self = calloc(1, sizeof(*self));
	if (self == NULL) {
		source_free(source);
		err_no_memory(err);
		return NULL;
	}
	self->source.ops = &history_source_ops;
	self->inner = source;
	self->history = history;
	return &self->source;
}

/* task.c: see task.h. */
#include "task/task.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int
task_pack(struct buf *packed, const char *bytes, size_t length)
{
	uint32_t packed_length = (uint32_t)length;
	if (length > TASK_ARG_MAX_BYTES ||
	    buf_reserve(packed, sizeof(packed_length) + length + 1) == -1)
		return -1;
	char *at = packed->bytes + packed->length;
	memcpy(at, &packed_length, sizeof(packed_length));
	at += sizeof(packed_length);
	if (length > 0)
		memcpy(at, bytes, length);
	at[length] = '\0';
	packed->length += sizeof(packed_length) + length + 1;
	return 0;
}

static struct task *
task_alloc(const struct task *like, const char *packed, size_t packed_bytes)
{
	struct task *task = malloc(sizeof(*task) + packed_bytes);
	if (task == NULL)
		return NULL;
	*task = *like;
	task->packed_at = 0;
	task->packed_bytes = packed_bytes;
	if (packed_bytes > 0)
		memcpy(task->packed, packed, packed_bytes);
	return task;
}

struct task *
task_new(uint64_t seq, uint32_t count, uint32_t arg_count, const struct buf *packed)
{
	const struct task like = {
	    .seq = seq,
	    .count = count,
	    .attempt = 1,
	    .arg_count = arg_count,
	    .state = TASK_READY,
	};
	return task_alloc(&like, packed->bytes, packed->length);
}

struct task *
task_new_gap(uint64_t seq, uint64_t end)
{
	uint32_t count = end - seq < UINT32_MAX ? (uint32_t)(end - seq) : UINT32_MAX;
	const struct task like = {
	    .seq = seq,
	    .count = count,
	    .attempt = 1,
	    .state = TASK_READY,
	    .is_done = true,
	    .is_unknown = true,
	};
	return task_alloc(&like, NULL, 0);
}

/* The packed bytes are our own and sound. */
size_t
task_prefix_bytes(const struct task *task, uint32_t count)
{
	const char *at = task_bytes(task);
	uint32_t length;
	for (uint64_t i = 0; i < (uint64_t)count * task->arg_count; i++) {
		memcpy(&length, at, sizeof(length));
		at += sizeof(length) + length + 1;
	}
	return (size_t)(at - task_bytes(task));
}

static void
task_drop_bytes(struct task *task, uint32_t count, size_t bytes)
{
	assert(count < task->count);
	task->seq += count;
	task->count -= count;
	task->packed_at += bytes;
	task->packed_bytes -= bytes;
}

struct task *
task_split(struct task *task, uint32_t count)
{
	size_t bytes = task_prefix_bytes(task, count);
	struct task *first = task_alloc(task, task_bytes(task), bytes);
	if (first == NULL)
		return NULL;
	first->count = count;
	first->next = NULL;
	task_drop_bytes(task, count, bytes);
	return first;
}

void
task_drop(struct task *task, uint32_t count)
{
	task_drop_bytes(task, count, task_prefix_bytes(task, count));
}

static int
task_grow_args(size_t count, struct arg **args, size_t *arg_capacity)
{
	if (count <= *arg_capacity)
		return 0;
	struct arg *grown = reallocarray(*args, count, sizeof(**args));
	if (grown == NULL)
		return -1;
	*args = grown;
	*arg_capacity = count;
	return 0;
}

int
task_unpack_next(const char **packed, size_t *packed_bytes, uint32_t arg_count,
		 struct arg **args, size_t *arg_capacity)
{
	const char *at = *packed;
	size_t left = *packed_bytes;
	uint32_t length;

	/*
	 * Each value takes at least its length and its NUL: a wrong count must not make
	 * us allocate.
	 */
	if (arg_count > left / (sizeof(length) + 1) ||
	    task_grow_args(arg_count, args, arg_capacity) == -1)
		return -1;
	for (uint32_t i = 0; i < arg_count; i++) {
		if (left < sizeof(length) + 1)
			return -1;
		memcpy(&length, at, sizeof(length));
		at += sizeof(length);
		left -= sizeof(length);
		if (length >= left || at[length] != '\0')
			return -1;
		(*args)[i] = (struct arg){at, length};
		at += length + 1;
		left -= (size_t)length + 1;
	}
	*packed = at;
	*packed_bytes = left;
	return 0;
}

int
task_unpack(const char *packed, size_t packed_bytes, uint32_t arg_count,
	    struct arg **args, size_t *arg_capacity)
{
	if (task_unpack_next(&packed, &packed_bytes, arg_count, args, arg_capacity) == -1)
		return -1;
	return packed_bytes == 0 ? 0 : -1;
}

/* task.c: see task.h. */
#include "task/task.h"

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

struct task *
task_new(uint64_t seq, uint32_t arg_count, const struct buf *packed)
{
	struct task *task = malloc(sizeof(*task) + packed->length);
	if (task == NULL)
		return NULL;
	*task = (struct task){
	    .seq = seq,
	    .attempt = 1,
	    .arg_count = arg_count,
	    .state = TASK_READY,
	    .packed_bytes = packed->length,
	};
	if (packed->length > 0)
		memcpy(task->packed, packed->bytes, packed->length);
	return task;
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
task_unpack(const char *packed, size_t packed_bytes, uint32_t arg_count,
	    struct arg **args, size_t *arg_capacity)
{
	uint32_t length;

	/*
	 * Each value takes at least its length and its NUL: a wrong count must not make
	 * us allocate.
	 */
	if (arg_count > packed_bytes / (sizeof(length) + 1) ||
	    task_grow_args(arg_count, args, arg_capacity) == -1)
		return -1;
	for (uint32_t i = 0; i < arg_count; i++) {
		if (packed_bytes < sizeof(length) + 1)
			return -1;
		memcpy(&length, packed, sizeof(length));
		packed += sizeof(length);
		packed_bytes -= sizeof(length);
		if (length >= packed_bytes || packed[length] != '\0')
			return -1;
		(*args)[i] = (struct arg){packed, length};
		packed += length + 1;
		packed_bytes -= (size_t)length + 1;
	}
	return packed_bytes == 0 ? 0 : -1;
}

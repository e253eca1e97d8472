/* late.c: see late.h. */
#include "run/late.h"

#include <stdlib.h>
#include <string.h>

#define LATE_MIN_CAPACITY 64

/* Room for the end of these tasks, with copies of their values. NULL without memory. */
static struct late_end *
late_new(const struct task *chunk, uint32_t count, const struct answers *answers,
	 size_t output_bytes)
{
	size_t packed_bytes = task_prefix_bytes(chunk, count);
	size_t item_bytes = answers != NULL ? count * sizeof(*answers->items) : 0;
	size_t size = sizeof(struct late_end) + item_bytes + sizeof(*chunk) +
		      packed_bytes + output_bytes;
	struct late_end *end = malloc(size);
	if (end == NULL)
		return NULL;
	char *at = (char *)(end + 1);
	*end = (struct late_end){.count = count, .size = size};
	if (answers != NULL) {
		end->is_answered = true;
		end->answers = *answers;
		end->answers.items = memcpy(at, answers->items, item_bytes);
		at += item_bytes;
	}
	end->task = (struct task *)(void *)at;
	*end->task = *chunk;
	end->task->count = count;
	end->task->next = NULL;
	end->task->packed_at = 0;
	end->task->packed_bytes = packed_bytes;
	memcpy(end->task->packed, task_bytes(chunk), packed_bytes);
	return end;
}

/* Room for one more. 0, -1 without memory. */
static int
late_reserve(struct late *late)
{
	if (late->count < late->capacity)
		return 0;
	size_t capacity = late->capacity == 0 ? LATE_MIN_CAPACITY : 2 * late->capacity;
	struct late_end **grown = reallocarray(late->ends, capacity, sizeof(*grown));
	if (grown == NULL)
		return -1;
	late->ends = grown;
	late->capacity = capacity;
	return 0;
}

/* The heap: none comes before the one above it, which is at (i - 1) / 2. */
static void
late_push(struct late *late, struct late_end *end)
{
	size_t at = late->count++;
	for (; at > 0 && late->ends[(at - 1) / 2]->ticket > end->ticket; at = (at - 1) / 2)
		late->ends[at] = late->ends[(at - 1) / 2];
	late->ends[at] = end;
}

static struct late_end *
late_pop(struct late *late)
{
	struct late_end *first = late->ends[0];
	struct late_end *last = late->ends[--late->count];
	size_t at = 0;
	for (size_t next = 1; next < late->count; next = 2 * at + 1) {
		if (next + 1 < late->count &&
		    late->ends[next + 1]->ticket < late->ends[next]->ticket)
			next++;
		if (late->ends[next]->ticket >= last->ticket)
			break;
		late->ends[at] = late->ends[next];
		at = next;
	}
	late->ends[at] = last;
	return first;
}

static int
late_keep(struct late *late, uint64_t ticket, struct late_end *end)
{
	if (end == NULL)
		return -1;
	if (late_reserve(late) == -1) {
		free(end);
		return -1;
	}
	end->ticket = ticket;
	late_push(late, end);
	late->bytes += end->size;
	return 0;
}

int
late_keep_settled(struct late *late, uint64_t ticket, const struct task *task,
		  const struct result *result)
{
	struct late_end *end = late_new(task, 1, NULL, 0);
	if (end != NULL)
		end->result = *result;
	return late_keep(late, ticket, end);
}

int
late_keep_answered(struct late *late, uint64_t ticket, const struct task *chunk,
		   const struct answers *answers)
{
	size_t output_bytes = late->keeps_output ? answers->length : 0;
	struct late_end *end = late_new(chunk, answers->count, answers, output_bytes);
	if (end != NULL) {
		char *output = end->task->packed + end->task->packed_bytes;
		memcpy(output, answers->bytes, output_bytes);
		end->answers.bytes = late->keeps_output ? output : NULL;
	}
	return late_keep(late, ticket, end);
}

struct late_end *
late_take(struct late *late, uint64_t end)
{
	if (late->count == 0 || late->ends[0]->ticket >= end ||
	    late->ends[0]->count > end - late->ends[0]->ticket)
		return NULL;
	struct late_end *taken = late_pop(late);
	late->bytes -= taken->size;
	return taken;
}

void
late_fini(struct late *late)
{
	for (size_t i = 0; i < late->count; i++)
		free(late->ends[i]);
	free(late->ends);
	*late = (struct late){0};
}

/* late.c: see late.h. */
#include "run/late.h"

#include <stdlib.h>
#include <string.h>

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

static int
late_keep(struct late *late, uint64_t ticket, struct late_end *end)
{
	if (end == NULL)
		return -1;
	if (seqmap_set(&late->ends, ticket, (uint64_t)(uintptr_t)end) == -1) {
		free(end);
		return -1;
	}
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
	while (late->ends.count > 0 && late->taken_end < end) {
		const uint64_t *found = seqmap_find(&late->ends, late->taken_end);
		if (found == NULL) {
			late->taken_end++;
			continue;
		}
		struct late_end *taken = (struct late_end *)(uintptr_t)*found;
		if (taken->count > end - late->taken_end)
			return NULL;
		seqmap_remove(&late->ends, late->taken_end);
		late->taken_end += taken->count;
		late->bytes -= taken->size;
		return taken;
	}
	if (late->taken_end < end)
		late->taken_end = end;
	return NULL;
}

void
late_fini(struct late *late)
{
	size_t cursor = 0;
	uint64_t ticket, end;
	while (seqmap_next(&late->ends, &cursor, &ticket, &end))
		free((struct late_end *)(uintptr_t)end);
	seqmap_fini(&late->ends);
	*late = (struct late){0};
}

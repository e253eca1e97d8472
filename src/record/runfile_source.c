/* runfile_source.c: see runfile_source.h. */
#include "record/runfile_source.h"

#include <stdlib.h>
#include <string.h>

struct runfile_source {
	struct source source; /* first */
	struct buf tasks;
	size_t at;         /* the next one */
	uint64_t next_seq; /* all before have come out */
};

/* Behind each of these come its packed args. */
struct source_task {
	uint64_t seq;
	uint32_t arg_count;
	size_t packed_bytes;
};

int
runfile_source_add(struct buf *tasks, uint64_t seq, uint32_t arg_count,
		   const char *packed, size_t packed_bytes)
{
	const struct source_task head = {
	    .seq = seq, .arg_count = arg_count, .packed_bytes = packed_bytes};
	if (buf_append(tasks, &head, sizeof(head)) == -1)
		return -1;
	return buf_append(tasks, packed, packed_bytes);
}

static enum source_status
runfile_source_next(struct source *source, uint32_t count_max, struct task **task,
		    struct err *err)
{
	struct runfile_source *self = (struct runfile_source *)source;
	struct source_task head;
	(void)count_max; /* they are one by one, and what is between them is one gap */
	if (self->at == self->tasks.length)
		return SOURCE_END;
	memcpy(&head, self->tasks.bytes + self->at, sizeof(head));
	if (head.seq > self->next_seq) {
		*task = task_new_gap(self->next_seq, head.seq);
	} else {
		struct buf packed = {.bytes = self->tasks.bytes + self->at + sizeof(head),
				     .length = head.packed_bytes};
		*task = task_new(head.seq, 1, head.arg_count, &packed);
		self->at += sizeof(head) + head.packed_bytes;
	}
	if (*task == NULL)
		return err_no_memory(err), SOURCE_ERROR;
	self->next_seq += (*task)->count;
	return SOURCE_TASK;
}

static int
runfile_source_wait_fd(const struct source *source)
{
	(void)source; /* it never waits */
	return -1;
}

static void
runfile_source_free(struct source *source)
{
	struct runfile_source *self = (struct runfile_source *)source;
	buf_fini(&self->tasks);
	free(self);
}

static const struct source_ops runfile_source_ops = {
    .next = runfile_source_next,
    .wait_fd = runfile_source_wait_fd,
    .free = runfile_source_free,
};

struct source *
runfile_source_new(struct buf *tasks, struct err *err)
{
	struct runfile_source *self = calloc(1, sizeof(*self));
	if (self == NULL) {
		err_no_memory(err);
		return NULL;
	}
	self->source.ops = &runfile_source_ops;
	self->tasks = *tasks;
	*tasks = (struct buf){0};
	return &self->source;
}

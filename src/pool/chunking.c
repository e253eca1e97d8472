/* chunking.c: see chunking.h. */
#include "pool/chunking.h"

#include <stdio.h>

#include "task/task.h"

#define CHUNKING_GROWTH \
	8 /* a chunk is at most so many times the last: samples are few at first */
#define CHUNKING_MEMORY \
	0.75 /* what stays of the mean when a chunk's worth of tasks has ended */

void
chunking_init(struct chunking *chunking, const struct spec *spec)
{
	uint64_t count = spec->chunk_count > 0 ? spec->chunk_count : 1;
	*chunking = (struct chunking){
	    .is_auto = spec->chunk_count == 0,
	    .count = count > TASK_CHUNK_MAX ? TASK_CHUNK_MAX : (uint32_t)count,
	};
}

const char *
chunking_describe(const struct chunking *chunking, char *text, size_t text_bytes)
{
	snprintf(text, text_bytes,
		 "chunksize %u: a task takes %.3g us of late, and %d us of work in a "
		 "chunk keep "
		 "its hand-over under 2 %%",
		 chunking->count, chunking->task_ns / 1e3, (int)(CHUNKING_WORK_NS / 1000));
	return text;
}

void
chunking_add(struct chunking *chunking, uint32_t count, int64_t wall_ns)
{
	if (!chunking->is_auto || count == 0)
		return;
	double mean_ns = (double)(wall_ns > 0 ? wall_ns : 1) / count;
	/* Few tasks of a large chunk say little, but a long one among short ones says enough. */
	double weight = (1 - CHUNKING_MEMORY) * count / chunking->count;
	if (weight > 1 - CHUNKING_MEMORY || mean_ns > chunking->task_ns * CHUNKING_GROWTH)
		weight = 1 - CHUNKING_MEMORY;
	chunking->task_ns =
	    chunking->task_ns == 0
		? mean_ns
		: chunking->task_ns + weight * (mean_ns - chunking->task_ns);
	double best = CHUNKING_WORK_NS / chunking->task_ns;
	double most = (double)chunking->count * CHUNKING_GROWTH;
	best = best < most ? best : most;
	best = best < TASK_CHUNK_MAX ? best : TASK_CHUNK_MAX;
	chunking->count = best > 1 ? (uint32_t)best : 1;
}

/*
 * chunking.h: how many tasks make a chunk: --chunksize.
 *
 * auto: from what tasks took of late, so that a chunk is work enough for its hand-over not to
 * show (under 2 % of it), and so little that at the end no worker has much left when the others
 * have nothing. Starts with one task; where tasks take long it stays there.
 */
#ifndef PINION_CHUNKING_H
#define PINION_CHUNKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "task/spec.h"

/* Hand-over, both sides and a wake-up together, was seen to take up to 5 us. */
#define CHUNKING_WORK_NS INT64_C(300000)

struct chunking {
	bool is_auto;
	uint32_t count;
	double task_ns; /* mean of late; 0: none has ended yet */
};

void chunking_init(struct chunking *chunking, const struct spec *spec);

/* Tasks to a chunk, from now on. */
static inline uint32_t
chunking_count(const struct chunking *chunking)
{
	return chunking->count;
}

/* What auto has come to and why, as a sentence without its end, cut to fit. Returns text. */
const char *chunking_describe(const struct chunking *chunking, char *text,
			      size_t text_bytes);

/* So many tasks have taken so long in all. */
void chunking_add(struct chunking *chunking, uint32_t count, int64_t wall_ns);

#endif

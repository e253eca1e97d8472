/*
 * steer_parts.h: what the files of steer share. Private to them.
 *
 *   steer.c        what is asked for is done
 *   steer_tell.c   how far the run is, as JSON
 */
#ifndef PINION_STEER_PARTS_H
#define PINION_STEER_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "task/task.h"

struct conductor;
struct control;
struct control_request;
struct spec;

struct steer {
	struct conductor *conductor;
	const struct spec *spec; /* of the job */
	struct control *control;
	int64_t started_at_ns;
	int64_t started_real_ns;
	struct arg *args; /* scratch */
	size_t arg_capacity;
};

/* Whether any of its runs starts nothing more. */
bool steer_is_ending(const struct steer *steer);

/* Answers a request; see control.h. */
int steer_act(void *context, const struct control_request *request, struct buf *reply,
	      struct err *err);

/* Appends members: what the run is, how far, and perhaps what each worker does. */
int steer_describe(struct steer *steer, bool has_workers, struct buf *reply,
		   struct err *err);

#endif

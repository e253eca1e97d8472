/*
 * throttle.h: what holds back new starts: the delay between two of them, and --halt, which must
 * not have tasks queued that would start before the coordinator has judged the one before.
 *
 * Asked by the run before each start; never stops what runs.
 */
#ifndef PINION_THROTTLE_H
#define PINION_THROTTLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "task/spec.h"

struct throttle {
	bool is_cautious; /* only what an idle worker starts at once */
	int64_t delay_ns; /* 0: none */
	int64_t next_at_ns;
};

void throttle_init(struct throttle *throttle, const struct spec *spec);

/* How many of `room` tasks may be started now, when `idle_count` workers have nothing to do. */
size_t throttle_allow(const struct throttle *throttle, size_t room, size_t idle_count,
		      int64_t now_ns);

void throttle_started(struct throttle *throttle, int64_t now_ns);

/* When to ask again if only time stands in the way; CLOCK_NEVER otherwise. */
int64_t throttle_wait_until(const struct throttle *throttle, size_t idle_count);

#endif

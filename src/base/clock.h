/*
 * clock.h: moments and durations, in nanoseconds.
 *
 * Moments (`_at_ns`) are CLOCK_MONOTONIC unless their name says `real`; CLOCK_NEVER is a
 * moment that never comes. Durations are `_ns` or `_ms`.
 */
#ifndef PINION_CLOCK_H
#define PINION_CLOCK_H

#include <stdint.h>

#define CLOCK_NEVER INT64_MAX
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)

int64_t clock_now_ns(void);
int64_t clock_real_ns(void); /* since 1970, UTC */

/*
 * Milliseconds from now to a moment, rounded up, as poll and epoll_wait want them:
 * 0 when it has come, -1 for CLOCK_NEVER, at most INT_MAX.
 */
int clock_timeout_ms(int64_t at_ns, int64_t now_ns);

#endif

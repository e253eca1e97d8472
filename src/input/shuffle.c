/* shuffle.c: see shuffle.h. */
#include "input/shuffle.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/clock.h"

static uint64_t
shuffle_seed(void)
{
	uint64_t seed;
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) == sizeof(seed))
		return seed;
	return (uint64_t)(clock_real_ns() ^ clock_now_ns());
}

/* splitmix64: good enough to shuffle with, and small. */
static uint64_t
shuffle_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/* Below `bound`, each with the same chance. */
static size_t
shuffle_random_below(uint64_t *state, uint64_t bound)
{
	uint64_t unbiased_end = UINT64_MAX - UINT64_MAX % bound;
	uint64_t random;
	do
		random = shuffle_random(state);
	while (random >= unbiased_end);
	return (size_t)(random % bound);
}

size_t *
shuffle_order(size_t count)
{
	size_t *order = reallocarray(NULL, count + 1, sizeof(*order));
	if (order == NULL)
		return NULL;
	uint64_t state = shuffle_seed();
	for (size_t i = 0; i < count; i++) {
		size_t other = shuffle_random_below(&state, i + 1);
		order[i] = order[other];
		order[other] = i;
	}
	return order;
}

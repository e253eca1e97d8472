/*
 * shuffle.h: a random order for --shuf.
 */
#ifndef PINION_SHUFFLE_H
#define PINION_SHUFFLE_H

#include <stddef.h>

/*
 * The numbers below `count`, each order as likely as any other; for free(). NULL without
 * memory.
 */
size_t *shuffle_order(size_t count);

#endif

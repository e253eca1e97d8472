/*
 * decimal.h: numbers as decimal digits, where printf would take most of the time.
 *
 * Writes into the caller's room, without a NUL; returns where the text ends.
 */
#ifndef PINION_DECIMAL_H
#define PINION_DECIMAL_H

#include <stdint.h>

#define DECIMAL_MAX_BYTES 24 /* room for any of these */

char *decimal_put(char *to, uint64_t number);

/* Seconds with so many digits (1 to 9) behind the point, the rest cut off; below 0 as 0. */
char *decimal_put_seconds(char *to, int64_t ns, int digits);

#endif

/*
 * quantity.h: numbers for a person: three digits of them, in the unit that fits.
 *
 * Each writes into the caller's text and returns it. ASCII only.
 */
#ifndef PINION_QUANTITY_H
#define PINION_QUANTITY_H

#include <stdint.h>

#define QUANTITY_BYTES 40

const char *quantity_duration(char text[QUANTITY_BYTES],
			      int64_t ns); /* "1.23 s", "7 h 12 min" */
/* The same of a number that is round: "1 ms", not "1.00 ms". */
const char *quantity_round_duration(char text[QUANTITY_BYTES], int64_t ns);

const char *quantity_bytes(char text[QUANTITY_BYTES], int64_t bytes);  /* "12.3 MiB" */
const char *quantity_count(char text[QUANTITY_BYTES], uint64_t count); /* "100,000" */
const char *quantity_moment(char text[QUANTITY_BYTES],
			    int64_t real_ns); /* "2026-11-20 23:00:01", local time */

#endif

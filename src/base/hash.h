/*
 * hash.h: 64 bits that stand for some bytes (FNV-1a).
 *
 * The same on every machine and for ever, since they are kept in files. Against accidents, not
 * against somebody who looks for two texts with the same hash.
 */
#ifndef PINION_HASH_H
#define PINION_HASH_H

#include <stddef.h>
#include <stdint.h>

#define HASH_START UINT64_C(0xcbf29ce484222325)

/* The hash of what `hash` stands for and these bytes behind it. */
static inline uint64_t
hash_bytes(uint64_t hash, const void *bytes, size_t length)
{
	const unsigned char *at = bytes;
	for (size_t i = 0; i < length; i++)
		hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
	return hash;
}

/* The same for a number, lowest byte first. */
static inline uint64_t
hash_number(uint64_t hash, uint64_t number)
{
	for (int shift = 0; shift < 64; shift += 8)
		hash = (hash ^ (number >> shift & 0xff)) * UINT64_C(0x100000001b3);
	return hash;
}

#endif

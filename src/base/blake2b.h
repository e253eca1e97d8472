/*
 * blake2b.h: BLAKE2b (RFC 7693) without a key: short names for long things.
 *
 * Nobody can make two different inputs with the same digest of 128 bits or more, so a digest can
 * stand for what it was made of. The same as b2sum(1) with -l.
 */
#ifndef PINION_BLAKE2B_H
#define PINION_BLAKE2B_H

#include <stddef.h>
#include <stdint.h>

#define BLAKE2B_BLOCK_BYTES 128
#define BLAKE2B_DIGEST_MAX 64

/* blake2b_init begins; copying one that was begun is fine. */
struct blake2b {
	uint64_t state[8];
	uint64_t byte_count; /* of the blocks that are in the state */
	size_t digest_bytes;
	size_t filled; /* of the block */
	unsigned char block[BLAKE2B_BLOCK_BYTES];
};

void blake2b_init(struct blake2b *hash, size_t digest_bytes);
void blake2b_update(struct blake2b *hash, const void *bytes, size_t length);
void blake2b_final(struct blake2b *hash, void *digest);

#endif

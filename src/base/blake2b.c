/* blake2b.c: see blake2b.h. */
#include "base/blake2b.h"

#include <endian.h>
#include <string.h>

#define ROUNDS 12

static const uint64_t initial_state[8] = {
    UINT64_C(0x6a09e667f3bcc908), UINT64_C(0xbb67ae8584caa73b),
    UINT64_C(0x3c6ef372fe94f82b), UINT64_C(0xa54ff53a5f1d36f1),
    UINT64_C(0x510e527fade682d1), UINT64_C(0x9b05688c2b3e6c1f),
    UINT64_C(0x1f83d9abfb41bd6b), UINT64_C(0x5be0cd19137e2179),
};

/* Which word of the block goes where; from the eleventh round on again from the top. */
static const uint8_t word_order[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

static inline uint64_t
rotate(uint64_t word, int bits)
{
	return word >> bits | word << (64 - bits);
}

static inline void
mix(uint64_t *a, uint64_t *b, uint64_t *c, uint64_t *d, uint64_t x, uint64_t y)
{
	*a += *b + x;
	*d = rotate(*d ^ *a, 32);
	*c += *d;
	*b = rotate(*b ^ *c, 24);
	*a += *b + y;
	*d = rotate(*d ^ *a, 16);
	*c += *d;
	*b = rotate(*b ^ *c, 63);
}

static void
mix_round(uint64_t v[16], const uint64_t words[16], const uint8_t order[16])
{
	for (int i = 0; i < 4; i++) /* columns */
		mix(&v[i], &v[4 + i], &v[8 + i], &v[12 + i], words[order[2 * i]],
		    words[order[2 * i + 1]]);
	for (int i = 0; i < 4; i++) /* diagonals */
		mix(&v[i], &v[4 + (i + 1) % 4], &v[8 + (i + 2) % 4], &v[12 + (i + 3) % 4],
		    words[order[8 + 2 * i]], words[order[9 + 2 * i]]);
}

/* Takes the block into the state. */
static void
compress(struct blake2b *hash, int is_last)
{
	uint64_t words[16];
	uint64_t v[16];
	hash->byte_count += hash->filled;
	memcpy(words, hash->block, sizeof(words));
	for (int i = 0; i < 16; i++)
		words[i] = le64toh(words[i]);
	memcpy(v, hash->state, sizeof(hash->state));
	memcpy(v + 8, initial_state, sizeof(initial_state));
	v[12] ^= hash->byte_count;
	if (is_last)
		v[14] = ~v[14];
	for (int i = 0; i < ROUNDS; i++)
		mix_round(v, words, word_order[i % 10]);
	for (int i = 0; i < 8; i++)
		hash->state[i] ^= v[i] ^ v[8 + i];
	hash->filled = 0;
}

void
blake2b_init(struct blake2b *hash, size_t digest_bytes)
{
	memcpy(hash->state, initial_state, sizeof(initial_state));
	hash->state[0] ^= UINT64_C(0x01010000) ^ digest_bytes;
	hash->byte_count = 0;
	hash->digest_bytes = digest_bytes;
	hash->filled = 0;
}

void
blake2b_update(struct blake2b *hash, const void *bytes, size_t length)
{
	const unsigned char *at = bytes;
	while (length > 0) {
		if (hash->filled == sizeof(hash->block))
			compress(hash, 0); /* not the last: there is more */
		size_t taken = sizeof(hash->block) - hash->filled;
		if (taken > length)
			taken = length;
		memcpy(hash->block + hash->filled, at, taken);
		hash->filled += taken;
		at += taken;
		length -= taken;
	}
}

void
blake2b_final(struct blake2b *hash, void *digest)
{
	uint64_t words[8];
	size_t filled = hash->filled;
	memset(hash->block + filled, 0, sizeof(hash->block) - filled);
	compress(hash, 1);
	for (int i = 0; i < 8; i++)
		words[i] = htole64(hash->state[i]);
	memcpy(digest, words, hash->digest_bytes);
}

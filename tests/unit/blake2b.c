/* BLAKE2b: the digests that b2sum(1) gives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/blake2b.h"

static void
expect(const void *bytes, size_t length, size_t digest_bytes, const char *hex)
{
	unsigned char digest[BLAKE2B_DIGEST_MAX];
	char text[2 * BLAKE2B_DIGEST_MAX + 1] = "";
	struct blake2b hash;
	blake2b_init(&hash, digest_bytes);
	blake2b_update(&hash, bytes, length);
	blake2b_final(&hash, digest);
	for (size_t i = 0; i < digest_bytes; i++)
		snprintf(text + 2 * i, 3, "%02x", digest[i]);
	assert_string_equal(text, hex);
}

/* The example in RFC 7693. */
static void
digest_of_abc_is_the_standard_one(void **state)
{
	(void)state;
	expect("abc", 3, 64,
	       "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
	       "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923");
}

static void
nothing_has_a_digest(void **state)
{
	(void)state;
	expect("", 0, 64,
	       "786a02f742015903c6c6fd852552d272912f4740e15847618a86e217f71f5419"
	       "d25e1031afee585313896444934eb04b903a685b1448b755d56f701afe9be2ce");
}

static void
short_digest_is_not_the_start_of_a_long_one(void **state)
{
	(void)state;
	expect("abc", 3, 16, "cf4ab791c62b8d2b2109c90275287816");
}

/* Around the ends of blocks, also in pieces. */
static void
length_and_pieces_do_not_matter(void **state)
{
	(void)state;
	char bytes[3 * BLAKE2B_BLOCK_BYTES];
	memset(bytes, 'x', sizeof(bytes));
	expect(bytes, 127, 16, "faeac286ccce46d5273182d599dd943b");
	expect(bytes, 128, 16, "874acca82a22239ec64a3e70c3ae494e");
	expect(bytes, 129, 16, "b9ee96f69e8210c624fee55d71d5a54f");
	expect(bytes, 384, 16, "cbc9286a0971edebf459c9c24fb07aa6");
	for (size_t piece = 1; piece < sizeof(bytes); piece += 13) {
		unsigned char whole[16], pieces[16];
		struct blake2b hash;
		blake2b_init(&hash, sizeof(whole));
		blake2b_update(&hash, bytes, sizeof(bytes));
		blake2b_final(&hash, whole);
		blake2b_init(&hash, sizeof(pieces));
		for (size_t at = 0; at < sizeof(bytes); at += piece)
			blake2b_update(&hash, bytes + at,
				       at + piece < sizeof(bytes) ? piece
								  : sizeof(bytes) - at);
		blake2b_final(&hash, pieces);
		assert_memory_equal(whole, pieces, sizeof(whole));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(digest_of_abc_is_the_standard_one),
	    cmocka_unit_test(nothing_has_a_digest),
	    cmocka_unit_test(short_digest_is_not_the_start_of_a_long_one),
	    cmocka_unit_test(length_and_pieces_do_not_matter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

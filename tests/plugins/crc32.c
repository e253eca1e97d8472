/*
 * crc32.c: a plugin that answers with the CRC-32 of its input, as gzip and Python's zlib count
 * it: eight hexadecimal digits a line.
 */
#include <pinion-plugin.h>
#include <stdlib.h>

#define CRC32_POLYNOMIAL 0xedb88320U

/* What init leaves: the remainder of each byte, and of each followed by one to seven zeros. */
struct crc32 {
	uint32_t table[8][256];
};

static int
crc32_init(int argc, const char *const *argv, void **state, struct pinion_buffer *err)
{
	struct crc32 *self = malloc(sizeof(*self));
	(void)argc;
	(void)argv;
	if (self == NULL) {
		pinion_append_str(err, "out of memory");
		return 1;
	}
	for (uint32_t byte = 0; byte < 256; byte++) {
		uint32_t rest = byte;
		for (int bit = 0; bit < 8; bit++)
			rest = rest >> 1 ^ (rest & 1 ? CRC32_POLYNOMIAL : 0);
		self->table[0][byte] = rest;
	}
	for (int zeros = 1; zeros < 8; zeros++)
		for (int byte = 0; byte < 256; byte++) {
			uint32_t rest = self->table[zeros - 1][byte];
			self->table[zeros][byte] = rest >> 8 ^ self->table[0][rest & 255];
		}
	*state = self;
	return 0;
}

static uint32_t
crc32_of(const struct crc32 *self, const char *text, size_t length)
{
	const unsigned char *at = (const unsigned char *)text;
	uint32_t rest = UINT32_MAX;
	for (; length >= 8; length -= 8, at += 8) {
		uint32_t low = rest ^ ((uint32_t)at[0] | (uint32_t)at[1] << 8 |
				       (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24);
		rest = self->table[7][low & 255] ^ self->table[6][low >> 8 & 255] ^
		       self->table[5][low >> 16 & 255] ^ self->table[4][low >> 24] ^
		       self->table[3][at[4]] ^ self->table[2][at[5]] ^
		       self->table[1][at[6]] ^ self->table[0][at[7]];
	}
	for (; length > 0; length--, at++)
		rest = rest >> 8 ^ self->table[0][(rest ^ *at) & 255];
	return ~rest;
}

static int
crc32_task(const struct pinion_task *task, struct pinion_answer *answer)
{
	static const char digits[] = "0123456789abcdef";
	uint32_t sum = crc32_of(task->state, task->in, task->in_bytes);
	char *text = pinion_reserve(&answer->out, 9);
	if (text == NULL)
		return 1;
	for (int i = 7; i >= 0; i--, sum >>= 4)
		text[i] = digits[sum & 15];
	text[8] = '\n';
	answer->out.length += 9;
	return 0;
}

static void
crc32_fini(void *state)
{
	free(state);
}

const struct pinion_plugin pinion_plugin = {
    PINION_PLUGIN_HEAD, .flags = PINION_PLUGIN_THREAD_SAFE,
    .name = "crc32",    .description = "the CRC-32 of each input",
    .init = crc32_init, .task = crc32_task,
    .fini = crc32_fini,
};

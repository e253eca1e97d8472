/*
 * limit_call.c: what a queue in shared memory allows, for tests/bench/run to compare with.
 *
 *   limit_call PROCESSES <FILE
 *
 * Prints the crc32 of each line of stdin, 8 hex digits and a newline, in order. The producer copies
 * the lines, 256 at a time, into the slots of a ring; PROCESSES consumers, forked and each pinned
 * to its CPU, take slot after slot and put the answers into it; from there the producer prints
 * them. Who waits spins for about a microsecond, then sleeps on a futex.
 */
#include <endian.h>
#include <err.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pin.h"

#define CHUNK_LINES 256
#define CHUNK_BYTES 65536
#define ANSWER_BYTES 9
#define SLOT_COUNT 256
#define READ_BYTES (1 << 20)
#define SPIN_COUNT 1000

/*
 * Chunk number n is in slot n % SLOT_COUNT, in round r = n / SLOT_COUNT. `state` is 2r while the
 * slot is the producer's, 2r + 1 once it is full, 2r + 2 once the answers are there.
 */
struct slot {
	alignas(64) _Atomic uint32_t state;
	_Atomic uint32_t sleeper_count;
	uint32_t lines_length; /* 0: there is no more for who takes it */
	uint32_t answers_length;
	char lines[CHUNK_BYTES];
	char answers[CHUNK_LINES * ANSWER_BYTES];
};

struct ring {
	alignas(64) _Atomic uint64_t claim_pos; /* chunks ever claimed, by any consumer */
	struct slot slots[SLOT_COUNT];
};

struct producer {
	struct ring *ring;
	uint64_t push_pos;  /* chunks ever pushed */
	uint64_t print_pos; /* chunks ever printed */
};

/* [0]: of a byte; [n]: of a byte and n zeros after it. */
static uint32_t crc_table[8][256];

static void
crc_init(void)
{
	for (uint32_t byte = 0; byte < 256; byte++) {
		uint32_t crc = byte;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
		crc_table[0][byte] = crc;
	}
	for (int n = 1; n < 8; n++)
		for (int byte = 0; byte < 256; byte++) {
			uint32_t crc = crc_table[n - 1][byte];
			crc_table[n][byte] = crc >> 8 ^ crc_table[0][crc & 0xff];
		}
}

/* Eight bytes at a time, as the crc32 plugin: the queue is to be compared, not the function. */
static uint32_t
crc_of(const char *bytes, size_t length)
{
	uint32_t crc = UINT32_MAX;
	uint64_t part;
	for (; length >= sizeof(part); length -= sizeof(part), bytes += sizeof(part)) {
		memcpy(&part, bytes, sizeof(part));
		part = le64toh(part) ^ crc;
		crc = 0;
		for (int n = 7; n >= 0; n--, part >>= 8)
			crc ^= crc_table[n][part & 0xff];
	}
	for (; length > 0; length--, bytes++)
		crc = crc >> 8 ^ crc_table[0][(crc ^ (unsigned char)*bytes) & 0xff];
	return ~crc;
}

static void
slot_set(struct slot *slot, uint32_t state)
{
	atomic_store(&slot->state, state);
	if (atomic_load(&slot->sleeper_count) > 0)
		syscall(SYS_futex, &slot->state, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static void
slot_await(struct slot *slot, uint32_t wanted)
{
	uint32_t state;
	for (int i = 0; (state = atomic_load(&slot->state)) != wanted; i++) {
		if (i < SPIN_COUNT)
			continue;
		atomic_fetch_add(&slot->sleeper_count, 1);
		syscall(SYS_futex, &slot->state, FUTEX_WAIT, state, NULL, NULL, 0);
		atomic_fetch_sub(&slot->sleeper_count, 1);
	}
}

static struct slot *
ring_slot(struct ring *ring, uint64_t pos)
{
	return &ring->slots[pos % SLOT_COUNT];
}

static uint32_t
ring_round(uint64_t pos)
{
	return (uint32_t)(pos / SLOT_COUNT);
}

static void
consumer_answer(struct slot *slot)
{
	const char *line = slot->lines, *end = line + slot->lines_length;
	char *answer = slot->answers;
	while (line < end) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		uint32_t crc = crc_of(line, (size_t)(newline - line));
		for (int shift = 28; shift >= 0; shift -= 4)
			*answer++ = "0123456789abcdef"[crc >> shift & 0xf];
		*answer++ = '\n';
		line = newline + 1;
	}
	slot->answers_length = (uint32_t)(answer - slot->answers);
}

static int
consumer_run(struct ring *ring, long index)
{
	pin(index);
	for (;;) {
		uint64_t pos = atomic_fetch_add(&ring->claim_pos, 1);
		struct slot *slot = ring_slot(ring, pos);
		slot_await(slot, 2 * ring_round(pos) + 1);
		bool is_last = slot->lines_length == 0;
		consumer_answer(slot);
		slot_set(slot, 2 * ring_round(pos) + 2);
		if (is_last)
			return 0;
	}
}

static bool
producer_has_answers(const struct producer *producer, uint64_t pos)
{
	return atomic_load(&ring_slot(producer->ring, pos)->state) ==
	       2 * ring_round(pos) + 2;
}

/* What is answered next in order, in one write; waits for the first of it. */
static void
producer_print(struct producer *producer)
{
	struct iovec parts[SLOT_COUNT];
	int part_count = 0;
	ssize_t length = 0;
	slot_await(ring_slot(producer->ring, producer->print_pos),
		   2 * ring_round(producer->print_pos) + 2);
	while (producer->print_pos < producer->push_pos &&
	       producer_has_answers(producer, producer->print_pos)) {
		struct slot *slot = ring_slot(producer->ring, producer->print_pos++);
		parts[part_count++] = (struct iovec){slot->answers, slot->answers_length};
		length += slot->answers_length;
	}
	if (writev(STDOUT_FILENO, parts, part_count) != length)
		err(1, "output");
}

static void
producer_push(struct producer *producer, const char *lines, size_t length)
{
	if (length > CHUNK_BYTES)
		errx(1, "%d lines of more than %d bytes", CHUNK_LINES, CHUNK_BYTES);
	if (producer->push_pos - producer->print_pos == SLOT_COUNT)
		producer_print(producer);
	struct slot *slot = ring_slot(producer->ring, producer->push_pos);
	memcpy(slot->lines, lines, length);
	slot->lines_length = (uint32_t)length;
	slot_set(slot, 2 * ring_round(producer->push_pos) + 1);
	producer->push_pos++;
}

/* The end of the first chunk in what is there; NULL if it may be longer. */
static char *
producer_chunk_end(char *at, char *end)
{
	for (int i = 0; i < CHUNK_LINES; i++) {
		char *newline = memchr(at, '\n', (size_t)(end - at));
		if (newline == NULL)
			return NULL;
		at = newline + 1;
	}
	return at;
}

static void
producer_run(struct producer *producer)
{
	static char bytes[READ_BYTES];
	char *end = bytes, *chunk_end;
	ssize_t got;
	while ((got = read(STDIN_FILENO, end, (size_t)(bytes + READ_BYTES - end))) > 0) {
		char *at = bytes;
		end += got;
		while ((chunk_end = producer_chunk_end(at, end)) != NULL) {
			producer_push(producer, at, (size_t)(chunk_end - at));
			at = chunk_end;
		}
		memmove(bytes, at, (size_t)(end - at));
		end = bytes + (end - at);
		if (end == bytes + READ_BYTES)
			errx(1, "lines too long");
	}
	if (got == -1)
		err(1, "input");
	if (end > bytes && end[-1] != '\n')
		errx(1, "the last line has no end");
	if (end > bytes)
		producer_push(producer, bytes, (size_t)(end - bytes));
	while (producer->print_pos < producer->push_pos)
		producer_print(producer);
}

int
main(int argc, char **argv)
{
	long process_count = argc == 2 ? atol(argv[1]) : 0;
	if (process_count < 1)
		errx(2, "usage: limit_call PROCESSES <FILE");
	struct ring *ring = mmap(NULL, sizeof(*ring), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (ring == MAP_FAILED)
		err(1, "mmap");
	crc_init();
	for (long i = 0; i < process_count; i++) {
		pid_t pid = fork();
		if (pid == -1)
			err(1, "fork");
		if (pid == 0)
			_exit(consumer_run(ring, i));
	}
	struct producer producer = {.ring = ring};
	producer_run(&producer);
	for (long i = 0; i < process_count; i++)
		producer_push(&producer, "", 0);
	int worst = 0, status;
	while (wait(&status) > 0)
		worst |= status;
	return worst == 0 ? 0 : 1;
}

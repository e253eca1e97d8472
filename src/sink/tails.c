/* tails.c: see tails.h. */
#include "sink/tails.h"

#include <stdlib.h>
#include <string.h>

struct tail {
	struct buf streams[RESULT_STREAMS];
};

static struct tail *
tails_find(const struct tails *tails, uint64_t seq)
{
	const uint64_t *word = seqmap_find(&tails->tasks, seq);
	return word == NULL ? NULL : (struct tail *)(uintptr_t)*word;
}

static void
tail_free(struct tail *tail)
{
	for (int i = 0; i < RESULT_STREAMS; i++)
		buf_fini(&tail->streams[i]);
	free(tail);
}

void
tails_fini(struct tails *tails)
{
	size_t cursor = 0;
	uint64_t seq, word;
	while (seqmap_next(&tails->tasks, &cursor, &seq, &word))
		tail_free((struct tail *)(uintptr_t)word);
	seqmap_fini(&tails->tasks);
}

static struct tail *
tails_make(struct tails *tails, uint64_t seq)
{
	struct tail *tail = tails_find(tails, seq);
	if (tail != NULL)
		return tail;
	tail = calloc(1, sizeof(*tail));
	if (tail != NULL && seqmap_set(&tails->tasks, seq, (uintptr_t)tail) == -1) {
		free(tail);
		return NULL;
	}
	return tail;
}

int
tails_add(struct tails *tails, uint64_t seq, enum result_stream stream, const char *bytes,
	  size_t length)
{
	struct tail *tail = tails_make(tails, seq);
	if (tail == NULL)
		return -1;
	struct buf *text = &tail->streams[stream];
	if (length > TAILS_BYTES) {
		bytes += length - TAILS_BYTES;
		length = TAILS_BYTES;
	}
	if (text->length + length > TAILS_BYTES)
		buf_consume(text, text->length + length - TAILS_BYTES);
	return buf_append(text, bytes, length);
}

void
tails_drop(struct tails *tails, uint64_t seq)
{
	struct tail *tail = tails_find(tails, seq);
	if (tail == NULL)
		return;
	seqmap_remove(&tails->tasks, seq);
	tail_free(tail);
}

void
tails_take(struct tails *tails, uint64_t seq, struct buf *text)
{
	struct tail *tail = tails_find(tails, seq);
	if (tail == NULL)
		return;
	enum result_stream stream =
	    tail->streams[RESULT_STDERR].length > 0 ? RESULT_STDERR : RESULT_STDOUT;
	buf_fini(text);
	*text = tail->streams[stream];
	tail->streams[stream] = (struct buf){0};
	tails_drop(tails, seq);
}

size_t
tails_last_lines(const struct buf *text, size_t line_count)
{
	size_t at = text->length;
	while (at > 0 && (text->bytes[at - 1] == '\n' || text->bytes[at - 1] == ' '))
		at--;
	for (; at > 0; at--)
		if (text->bytes[at - 1] == '\n' && --line_count == 0)
			break;
	return at;
}

/* outlet.c: see outlet.h. */
#include "sink/outlet.h"

#include <stdlib.h>

#include "base/json_text.h"

/*
 * A file takes everything at once: after so many bytes signals and timers get their turn.
 */
#define OUTLET_TURN_BYTES (8 * 1024 * 1024)

/* Coded bytes may be six times as many: so many at once. */
#define OUTLET_CODE_BYTES ((size_t)64 * 1024)

/* Held bytes, and how they are written. */
struct outlet_stream {
	struct held *held;
	enum outlet_code code;
	struct json_base64 base64; /* OUTLET_BASE64: where it is */
};

struct outlet_item {
	struct outlet_item *next;
	struct outlet_stream stream;
};

void
outlet_init(struct outlet *outlet, int fd, const char *name, struct spill *spill)
{
	*outlet = (struct outlet){.spill = spill};
	writer_init(&outlet->writer, fd, name);
}

static void
outlet_drop_first(struct outlet *outlet)
{
	struct outlet_item *item = outlet->first;
	outlet->waiting_bytes -= held_bytes(item->stream.held);
	outlet->first = item->next;
	if (outlet->first == NULL)
		outlet->last = NULL;
	held_free(outlet->spill, item->stream.held);
	free(item);
}

static void
outlet_drop_all(struct outlet *outlet)
{
	while (outlet->first != NULL)
		outlet_drop_first(outlet);
}

void
outlet_fini(struct outlet *outlet)
{
	outlet_drop_all(outlet);
	buf_fini(&outlet->coded);
	writer_fini(&outlet->writer);
}

static bool
outlet_has_room(const struct outlet *outlet)
{
	return outlet->turn_bytes < OUTLET_TURN_BYTES &&
	       writer_queued_bytes(&outlet->writer) < OUTLET_BEHIND_BYTES;
}

/* Many bytes go out from where they are, as far as they are taken; few are gathered. */
static int
outlet_write(struct outlet *outlet, const char *bytes, size_t length, size_t *taken,
	     struct err *err)
{
	if (length >= WRITER_GATHER_BYTES)
		return writer_offer(&outlet->writer, bytes, length, taken, err);
	*taken = length;
	return writer_put(&outlet->writer, bytes, length, err);
}

/* Some of the bytes, which are more to write than they are. */
static int
outlet_write_coded(struct outlet *outlet, struct outlet_stream *stream, const char *bytes,
		   size_t length, size_t *taken, struct err *err)
{
	*taken = length < OUTLET_CODE_BYTES ? length : OUTLET_CODE_BYTES;
	buf_clear(&outlet->coded);
	int status =
	    stream->code == OUTLET_JSON
		? json_text_append_part(&outlet->coded, bytes, *taken)
		: json_base64_append(&stream->base64, &outlet->coded, bytes, *taken);
	if (status == -1)
		return err_no_memory(err);
	outlet->grown_bytes += outlet->coded.length;
	outlet->grown_bytes -= *taken;
	return writer_put(&outlet->writer, outlet->coded.bytes, outlet->coded.length, err);
}

/* What the code has behind the last byte. */
static int
outlet_end_coded(struct outlet *outlet, struct outlet_stream *stream, struct err *err)
{
	if (stream->code != OUTLET_BASE64)
		return 0;
	buf_clear(&outlet->coded);
	if (json_base64_end(&stream->base64, &outlet->coded) == -1)
		return err_no_memory(err);
	outlet->grown_bytes += outlet->coded.length;
	return writer_put(&outlet->writer, outlet->coded.bytes, outlet->coded.length, err);
}

/* A piece of the stream goes to the writer, or as much of it as that takes. */
static int
outlet_drain_piece(struct outlet *outlet, struct outlet_stream *stream, size_t *taken,
		   struct err *err)
{
	const char *bytes;
	size_t length;
	if (held_peek(outlet->spill, stream->held, &bytes, &length, err) == -1)
		return -1;
	int status = stream->code == OUTLET_AS_IS
			 ? outlet_write(outlet, bytes, length, taken, err)
			 : outlet_write_coded(outlet, stream, bytes, length, taken, err);
	if (status == -1)
		return -1;
	held_consume(outlet->spill, stream->held, *taken);
	outlet->turn_bytes += *taken;
	return 0;
}

/* Moves the stream's bytes to the writer while it has room. */
static int
outlet_drain(struct outlet *outlet, struct outlet_stream *stream, struct err *err)
{
	size_t taken = 1;
	while (held_bytes(stream->held) > 0 && taken > 0 && outlet_has_room(outlet) &&
	       !outlet->writer.is_closed)
		if (outlet_drain_piece(outlet, stream, &taken, err) == -1)
			return -1;
	return held_bytes(stream->held) > 0 ? 0 : outlet_end_coded(outlet, stream, err);
}

static int
outlet_append_item(struct outlet *outlet, const struct outlet_stream *stream,
		   struct err *err)
{
	struct outlet_item *item = malloc(sizeof(*item));
	if (item == NULL)
		return err_no_memory(err);
	*item = (struct outlet_item){.stream = *stream};
	outlet->waiting_bytes += held_bytes(stream->held);
	if (outlet->last == NULL)
		outlet->first = item;
	else
		outlet->last->next = item;
	outlet->last = item;
	return 0;
}

/* A stream at the end of the line that bytes can be added to as they are. */
static int
outlet_need_plain_item(struct outlet *outlet, struct err *err)
{
	static const struct outlet_stream plain = {.code = OUTLET_AS_IS};
	if (outlet->last != NULL && outlet->last->stream.code == OUTLET_AS_IS)
		return 0;
	return outlet_append_item(outlet, &plain, err);
}

int
outlet_put(struct outlet *outlet, const char *bytes, size_t length, struct err *err)
{
	if (outlet->writer.is_closed)
		return 0;
	outlet->put_bytes += length;
	if (outlet->first == NULL &&
	    writer_queued_bytes(&outlet->writer) < OUTLET_BEHIND_BYTES) {
		/* What lies in a block can wait there; other bytes are copied to the queue. */
		if (!blocks_has(outlet->spill->blocks, bytes))
			return writer_put(&outlet->writer, bytes, length, err);
		size_t taken;
		if (outlet_write(outlet, bytes, length, &taken, err) == -1)
			return -1;
		bytes += taken;
		length -= taken;
	}
	if (length == 0)
		return 0;
	if (outlet_need_plain_item(outlet, err) == -1)
		return -1;
	outlet->waiting_bytes += length;
	return held_append(outlet->spill, &outlet->last->stream.held, bytes, length, err);
}

int
outlet_put_coded(struct outlet *outlet, struct held **held, enum outlet_code code,
		 struct err *err)
{
	struct outlet_stream stream = {.held = *held, .code = code};
	*held = NULL;
	outlet->put_bytes += held_bytes(stream.held);
	int failed = outlet->first == NULL ? outlet_drain(outlet, &stream, err) : 0;
	if (failed == 0 && held_bytes(stream.held) > 0 && !outlet->writer.is_closed) {
		failed = outlet_append_item(outlet, &stream, err);
		if (failed == 0)
			return 0;
	}
	held_free(outlet->spill, stream.held);
	return failed;
}

int
outlet_put_held(struct outlet *outlet, struct held **held, struct err *err)
{
	return outlet_put_coded(outlet, held, OUTLET_AS_IS, err);
}

int
outlet_flush(struct outlet *outlet, struct err *err)
{
	outlet->turn_bytes = 0;
	if (writer_flush(&outlet->writer, err) == -1)
		return -1;
	while (outlet->first != NULL && outlet_has_room(outlet) &&
	       !outlet->writer.is_closed) {
		struct outlet_stream *stream = &outlet->first->stream;
		uint64_t before = held_bytes(stream->held);
		if (outlet_drain(outlet, stream, err) == -1)
			return -1;
		outlet->waiting_bytes -= before - held_bytes(stream->held);
		if (held_bytes(stream->held) > 0)
			break;
		outlet_drop_first(outlet);
	}
	if (outlet->writer.is_closed)
		outlet_drop_all(outlet);
	return outlet->writer.is_blocked ? 0 : writer_flush(&outlet->writer, err);
}

bool
outlet_has_written(const struct outlet *outlet, uint64_t put_bytes)
{
	return outlet->writer.written_bytes >= put_bytes + outlet->grown_bytes;
}

bool
outlet_is_behind(const struct outlet *outlet)
{
	return outlet->waiting_bytes + writer_queued_bytes(&outlet->writer) >
	       OUTLET_BEHIND_BYTES;
}

bool
outlet_is_empty(const struct outlet *outlet)
{
	return outlet->first == NULL && writer_queued_bytes(&outlet->writer) == 0;
}

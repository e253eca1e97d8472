/* outlet.c: see outlet.h. */
#include "sink/outlet.h"

#include <stdlib.h>

/*
 * A file takes everything at once: after so many bytes signals and timers get their turn.
 */
#define OUTLET_TURN_BYTES (8 * 1024 * 1024)

struct outlet_item {
	struct outlet_item *next;
	struct held *held;
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
	outlet->waiting_bytes -= held_bytes(item->held);
	outlet->first = item->next;
	if (outlet->first == NULL)
		outlet->last = NULL;
	held_free(outlet->spill, item->held);
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

/* Moves the stream's bytes to the writer while it has room. */
static int
outlet_drain(struct outlet *outlet, struct held *held, struct err *err)
{
	size_t taken = 1;
	while (held_bytes(held) > 0 && taken > 0 && outlet_has_room(outlet) &&
	       !outlet->writer.is_closed) {
		const char *bytes;
		size_t length;
		if (held_peek(outlet->spill, held, &bytes, &length, err) == -1 ||
		    outlet_write(outlet, bytes, length, &taken, err) == -1)
			return -1;
		held_consume(outlet->spill, held, taken);
		outlet->turn_bytes += taken;
	}
	return 0;
}

static int
outlet_append_item(struct outlet *outlet, struct held *held, struct err *err)
{
	struct outlet_item *item = malloc(sizeof(*item));
	if (item == NULL)
		return err_no_memory(err);
	*item = (struct outlet_item){.held = held};
	outlet->waiting_bytes += held_bytes(held);
	if (outlet->last == NULL)
		outlet->first = item;
	else
		outlet->last->next = item;
	outlet->last = item;
	return 0;
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
	if (outlet->first == NULL && outlet_append_item(outlet, NULL, err) == -1)
		return -1;
	outlet->waiting_bytes += length;
	return held_append(outlet->spill, &outlet->last->held, bytes, length, err);
}

int
outlet_put_held(struct outlet *outlet, struct held **held, struct err *err)
{
	struct held *stream = *held;
	*held = NULL;
	outlet->put_bytes += held_bytes(stream);
	int failed = outlet->first == NULL ? outlet_drain(outlet, stream, err) : 0;
	if (failed == 0 && held_bytes(stream) > 0 && !outlet->writer.is_closed) {
		failed = outlet_append_item(outlet, stream, err);
		if (failed == 0)
			return 0;
	}
	held_free(outlet->spill, stream);
	return failed;
}

int
outlet_flush(struct outlet *outlet, struct err *err)
{
	outlet->turn_bytes = 0;
	if (writer_flush(&outlet->writer, err) == -1)
		return -1;
	while (outlet->first != NULL && outlet_has_room(outlet) &&
	       !outlet->writer.is_closed) {
		struct held *held = outlet->first->held;
		uint64_t before = held_bytes(held);
		if (outlet_drain(outlet, held, err) == -1)
			return -1;
		outlet->waiting_bytes -= before - held_bytes(held);
		if (held_bytes(held) > 0)
			break;
		outlet_drop_first(outlet);
	}
	if (outlet->writer.is_closed)
		outlet_drop_all(outlet);
	return outlet->writer.is_blocked ? 0 : writer_flush(&outlet->writer, err);
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

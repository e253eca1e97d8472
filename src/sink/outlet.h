/*
 * outlet.h: what goes out on one descriptor, in its final order: a writer and the streams
 * behind it.
 *
 * Bytes and whole held streams leave in the order they were given. What the writer does
 * not take soon waits as held streams (spill.h), so that gigabytes on their way out are
 * never in memory. Streams may be written in a code, piece by piece.
 */
#ifndef PINION_OUTLET_H
#define PINION_OUTLET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "ipc/spill.h"
#include "sink/writer.h"

#define OUTLET_BEHIND_BYTES (1024 * 1024)

struct outlet_item;

/* How the bytes of a held stream are written. */
enum outlet_code {
	OUTLET_AS_IS,
	OUTLET_JSON, /* UTF-8 as what stands between the quotes of a JSON string */
	OUTLET_BASE64,
};

struct outlet {
	struct writer writer;
	struct spill *spill;
	struct outlet_item *first; /* waiting behind the writer's queue */
	struct outlet_item *last;
	uint64_t waiting_bytes; /* in them */
	uint64_t put_bytes; /* in all; what a reader that has gone did not take will never be written */
	uint64_t grown_bytes; /* by how much the bytes given to the writer were more in their code */
	size_t turn_bytes; /* moved from held streams to the writer since the last flush */
	struct buf coded;  /* scratch */
};

void outlet_init(struct outlet *outlet, int fd, const char *name, struct spill *spill);

int outlet_put(struct outlet *outlet, const char *bytes, size_t length, struct err *err);

/* Takes the stream over, whatever it returns; *held becomes NULL. */
int outlet_put_held(struct outlet *outlet, struct held **held, struct err *err);
int outlet_put_coded(struct outlet *outlet, struct held **held, enum outlet_code code,
		     struct err *err);

/* Call at the end of each turn and when outlet_wait_fd is writable. */
int outlet_flush(struct outlet *outlet, struct err *err);

/*
 * Whether all is written that there was when put_bytes was so much. It may be told later than it
 * is true, while more bytes in a code follow.
 */
bool outlet_has_written(const struct outlet *outlet, uint64_t put_bytes);

/* More than OUTLET_BEHIND_BYTES that could go out now are waiting. */
bool outlet_is_behind(const struct outlet *outlet);
bool outlet_is_empty(const struct outlet *outlet);

void outlet_fini(struct outlet *outlet);

#endif

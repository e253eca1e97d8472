/*
 * protocol.h: how a program that is kept alive is asked, and how it answers.
 *
 *   line    values and a newline in; a line out
 *   nul     values and a NUL byte in; bytes up to a NUL out
 *   count   values and a newline in; out a line with a number, then so many bytes
 *   json    {"seq":N,"attempt":N,"args":["..."],"env":{...},"cwd":"..."} in, on a line; out
 *           on a line {"ok":VALUE} (a string is printed as it is, null not at all, the rest
 *           as JSON) or {"error":"text","traceback":"text"}, which fails the task
 *
 * Several values of one task have a tab between them. Encoding and decoding keep no policy
 * and do no I/O. pinion-feed(7) is the page for those who write the programs.
 */
#ifndef PINION_PROTOCOL_H
#define PINION_PROTOCOL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "task/result.h"
#include "task/spec.h"
#include "task/template.h"

/* A JSON answer is parsed whole; one longer than this is not an answer. */
#define PROTOCOL_JSON_MAX_BYTES (64 * 1024 * 1024)

/* Where in an answer the decoder is. Zero-initialise; end with protocol_fini. */
struct protocol {
	enum spec_protocol kind;
	struct buf line;     /* of JSON, or of count's number */
	bool has_count;      /* count: the number is known */
	uint64_t left_bytes; /* and so many bytes are missing */
};

void protocol_init(struct protocol *protocol, enum spec_protocol kind);
void protocol_fini(struct protocol *protocol);

/* Forgets half an answer. */
void protocol_reset(struct protocol *protocol);

/*
 * What all requests in JSON have in common comes last in them, made once: variables, each
 * NAME=VALUE (one that is not UTF-8 is left out), then the folder (NULL or not UTF-8: null),
 * which ends it. 0, -1 without memory.
 */
int protocol_tail_add_variable(struct buf *tail, const char *variable);
int protocol_tail_end(struct buf *tail, const char *folder);

/*
 * Appends the request for a task; only JSON has a tail. 0; 1 when this protocol cannot carry
 * the values (a newline in a line, bytes that are no UTF-8 in JSON): nothing was appended; -1
 * without memory.
 */
int protocol_encode(enum spec_protocol kind, const struct template_values *values,
		    uint32_t attempt, const struct buf *tail, struct buf *request);

enum protocol_step {
	PROTOCOL_NO_MEMORY = -1,
	PROTOCOL_MORE,   /* all bytes were used, the answer goes on */
	PROTOCOL_DONE,   /* the answer is complete */
	PROTOCOL_FAILED, /* complete: the task failed */
	PROTOCOL_WRONG,  /* this is not an answer */
};

/* Gets the pieces of an answer as they are found. -1: without memory. */
typedef int protocol_emit(void *context, enum result_stream stream, const char *bytes,
			  size_t length);

/* Takes bytes of one answer; *used says how many: behind the answer's end is the next one. */
enum protocol_step protocol_decode(struct protocol *protocol, const char *bytes,
				   size_t length, size_t *used, protocol_emit *emit,
				   void *context);

#endif

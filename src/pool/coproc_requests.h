/*
 * coproc_requests.h: the requests of one worker that are in flight, with their bytes.
 *
 * Answers come in the order of the requests, so only the first one (the head) is in hand.
 * A request is kept until it is answered: a program that dies costs the head, and what
 * follows it is sent again to the next one. Knows nothing of the program but its stdin.
 */
#ifndef PINION_COPROC_REQUESTS_H
#define PINION_COPROC_REQUESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "pool/executor.h"

struct coproc_request {
	uint64_t seq;
	uint32_t attempt;
	bool is_refused; /* the protocol cannot carry it: it has no bytes */
	size_t length;   /* of its bytes */
};

struct coproc_requests {
	enum spec_protocol protocol;
	struct buf tail; /* what requests in JSON end in */
	struct coproc_request *ring;
	size_t most;  /* requests in the ring */
	size_t first; /* the head */
	size_t count;
	struct buf bytes;
	size_t front; /* where the head's begin */
	size_t sent;  /* up to where the program has them */
};

/* 0, -1 without memory. */
int coproc_requests_init(struct coproc_requests *requests,
			 const struct executor_host *host);
void coproc_requests_fini(struct coproc_requests *requests);

/* Behind the others; there must be room. 0, -1 without memory. */
int coproc_requests_add(struct coproc_requests *requests, const struct executor_task *task);

/* There must be one. */
const struct coproc_request *coproc_requests_head(const struct coproc_requests *requests);
void coproc_requests_remove_head(struct coproc_requests *requests);

/* Whether any of the head was sent, */
bool coproc_requests_has_sent_head(const struct coproc_requests *requests);
/* whether there is something that was not, */
bool coproc_requests_has_unsent(const struct coproc_requests *requests);
/* and, of what was sent, whether the last `unread_bytes` are the head and all behind it. */
bool coproc_requests_is_head_unread(const struct coproc_requests *requests,
				    uint64_t unread_bytes);

/* Writes what the pipe takes. What write(2) gives. */
ssize_t coproc_requests_send(struct coproc_requests *requests, int fd);

/* Another program has to get all of them from the start. */
void coproc_requests_unsend(struct coproc_requests *requests);

#endif

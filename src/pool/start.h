/*
 * start.h: how a worker process comes to be.
 *
 *   fork        a copy of the coordinator
 *   spawn       this program, executed again with the same words: it shares the ring, the
 *               board and its outbox with the coordinator, and nothing else (letter.h)
 *   forkserver  a copy of a server process, which was forked before the first worker and has
 *               done then what the executor can do once for all (executor_prepare)
 *
 * However it was made, a worker is a child of the coordinator, which waits for it, and the
 * pool knows no difference. The coordinator is a child subreaper, blocks the signals it wants
 * to hear of, and has one thread.
 */
#ifndef PINION_START_H
#define PINION_START_H

#include <sys/types.h>

#include "ipc/loop.h"
#include "pool/family.h"
#include "pool/worker.h"

struct starter;

/* All borrowed until starter_free. */
struct starter_config {
	struct worker_config worker; /* what is the same for all of them */
	struct loop *loop;
	struct family *family;
	const char *const *argv; /* what to execute this program with, NULL-terminated */
	const struct arg *names; /* those the template was made with */
	size_t name_count;

	/* What a worker does (worker_main), and a server for all of them; others in tests. */
	void (*run)(const struct worker_config *worker);
	int (*prepare)(const struct spec *spec, struct executor_shared **shared,
		       struct err *err);
	void (*unprepare)(const struct spec *spec, struct executor_shared *shared);

	/* Called from the loop. */
	void (*ready)(void *context); /* workers can be started now */
	void (*broken)(void *context, const struct err *err); /* nor ever again */
	void *context;
};

/* What is each worker's own. */
struct starter_request {
	uint32_t number;
	size_t slot_index;
	size_t worker_count;
	int result_fd; /* stays the caller's */
};

/* By the method that config->worker.spec names. NULL and err. */
struct starter *starter_new(const struct starter_config *config, struct err *err);

/* Ends what it has started for itself; workers are the caller's and gone. */
void starter_free(struct starter *starter);

/* 1: workers can be started; 0: not yet, config.ready is called then; -1 and err. */
int starter_open(struct starter *starter, struct err *err);

/*
 * Only after starter_open has said 1. The new worker's pid, which is a child of ours; -1 and
 * err. There must be room for it in the family; the caller adds it.
 */
pid_t starter_start(struct starter *starter, const struct starter_request *request,
		    struct err *err);

#endif

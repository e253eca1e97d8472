/*
 * start_parts.h: what the files of start.h share. Private to them.
 *
 *   start.c         the methods by their names
 *   start_fork.c
 *   start_spawn.c   with letter.c, which the new process reads
 *   start_server.c  the coordinator's side
 *   server.c        the server process
 */
#ifndef PINION_START_PARTS_H
#define PINION_START_PARTS_H

#include "pool/start.h"

struct starter_ops {
	int (*open)(struct starter *starter, struct err *err);
	pid_t (*start)(struct starter *starter, const struct starter_request *request,
		       struct err *err);
	void (*free)(struct starter *starter);
};

struct starter {
	const struct starter_ops *ops;
	struct starter_config config;
};

/* For methods that are always ready, and have nothing but the struct. */
int starter_always_open(struct starter *starter, struct err *err);
void starter_plain_free(struct starter *starter);

/* The whole worker_config of the worker that is asked for. */
struct worker_config starter_worker(const struct starter_config *config,
				    const struct starter_request *request);

/* Each makes the struct and sets its ops; NULL without memory. */
struct starter *start_fork_new(void);
struct starter *start_spawn_new(void);
struct starter *start_server_new(void);

#endif

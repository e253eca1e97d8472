/*
 * pool.h: the local backend: starts, pins, watches and replaces workers.
 *
 * Owns the ring, the board, the workers and their result pipes. Knows which worker has
 * which attempt, so that a death costs the task in its hand and nothing else: that one is
 * reported as lost, the rest of its chunk as returned. Workers are started when there is
 * work for them, no more than there are tasks. A pool whose workers fail again and again
 * before they serve anything says that it is broken.
 *
 * Decides nothing about tasks (see backend.h). Several pools may live in one process.
 */
#ifndef PINION_POOL_H
#define PINION_POOL_H

#include "base/sig.h"
#include "ipc/blocks.h"
#include "ipc/board.h"
#include "ipc/jobserver.h"
#include "ipc/loop.h"
#include "pool/family.h"
#include "pool/topology.h"
#include "task/backend.h"
#include "task/spec.h"
#include "task/task.h"
#include "task/template.h"

/* So many workers in a row may end before they served a task. */
#define POOL_START_TRIES 3

/* All borrowed until backend_free. */
struct pool_config {
	const struct spec *spec;
	const struct template *template;
	const struct topology *topology; /* NULL: workers are not bound */
	const struct sig_origin *origin;
	const char *run_name;
	struct family *family;
	struct loop *loop;
	struct jobserver *jobserver; /* for the tasks; NULL: none */
	struct blocks *blocks; /* for large outputs; whoever hears of output may keep them */
	struct backend_client client;
	size_t column_count;
	size_t worker_count; /* at first */
	size_t worker_max;   /* resize up to so many */
	/* Workers that share the budget with these: so many have the places in front of ours. */
	size_t place_first;
	size_t other_count; /* and so many there are in all, those included */
	int first_stdin_fd; /* stdin for the task with seq 0; -1: /dev/null as for all */
	const char *const *argv; /* for spec->start_method spawn: see start.h; so are these: */
	const struct arg *names;
	size_t name_count;
};

/* What its workers are doing, for a display; valid until backend_free. */
const struct board *pool_board(const struct backend *backend);

struct backend *pool_new(const struct pool_config *config, struct err *err);

#endif

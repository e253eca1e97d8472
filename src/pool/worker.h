/*
 * worker.h: the life of a worker process: take a seat, pop tasks, run them, report.
 *
 * worker_main is called in the new process (start.h says how that comes to be) and never returns.
 * It owns nothing of the coordinator's: it closes what it does not need, binds itself to its
 * place, and keeps no policy.
 * It ends when the ring is closed and empty, when told to, after its share of tasks
 * (--maxtasksperchild), or when the coordinator dies, and takes its task's tree with it.
 */
#ifndef PINION_WORKER_H
#define PINION_WORKER_H

#include <sys/types.h>

#include "base/sig.h"
#include "ipc/board.h"
#include "ipc/ring.h"
#include "pool/topology.h"
#include "task/spec.h"
#include "task/template.h"

struct executor_shared; /* executor.h */

/* Where a worker sits. */
struct worker_place {
	size_t share; /* hardware threads a task may use; 0: it is told nothing */
	int32_t cpu;  /* bound to one hardware thread or core: where; else -1 */
};

struct worker_config {
	const struct spec *spec;
	const struct template *template;
	const struct topology *topology; /* NULL: it has its place already, */
	struct worker_place place;       /* which is this */
	const struct sig_origin *origin;
	const char *run_name;
	struct ring *ring;
	struct board *board;
	struct board_seat *seat; /* on the board */
	size_t column_count;     /* for struct template_values */
	uint32_t number;         /* of this worker process, never used twice */
	size_t slot_index;       /* its seat, from 0 */
	size_t worker_count; /* seats that share the budget: the places depend on it, */
	size_t place_first;  /* and on those in front of the first seat */
	int result_fd;       /* non-blocking */
	int outbox_fd;       /* of all outboxes; ours has the number of our seat */
	int first_stdin_fd;  /* see executor.h; -1: none */
	pid_t coordinator;
	struct executor_shared *shared; /* made by executor_prepare; NULL: nothing was */
};

/* Exit statuses; all but 0 with something said before. */
enum {
	WORKER_DONE = 0,
	WORKER_CANNOT_START = 3,
	WORKER_BROKEN = 4,
	WORKER_GAVE_UP = 5, /* has tried again and again to start what it serves with */
};

_Noreturn void worker_main(const struct worker_config *config);

/* In its place, when the process cannot become a worker: the coordinator is told why. */
_Noreturn void worker_fail(const struct worker_config *config, const struct err *err);

/* Binds the calling process to the worker's place, if it has none yet; says what it is. */
struct worker_place worker_take_place(const struct worker_config *config);

#endif

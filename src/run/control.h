/*
 * control.h: the socket on which others look at and steer what runs here.
 *
 * JSON lines, one request and one reply each; pinion-control(7) is their page. Knows sockets,
 * lines and words; what a request does is up to whoever made it (steer.h), of which there is one
 * in a process, however many runs it has.
 *
 * Costs a run nothing that is over soon: the socket is made CONTROL_DELAY_MS after the start.
 * That it cannot be made is no failure: nobody can steer then. It is removed by control_free,
 * after a kill by the workers, and whatever is left by whoever looks into the folder next.
 *
 * Clients are of this user. None can hold us up: nothing waits, a request has CONTROL_LINE_BYTES
 * at most, the next one is read when the reply to the last is out, and of more than
 * CONTROL_CLIENTS_MAX clients the one that came first goes.
 */
#ifndef PINION_CONTROL_H
#define PINION_CONTROL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "ipc/loop.h"

#define CONTROL_DELAY_MS 150
#define CONTROL_LINE_BYTES 4096
#define CONTROL_CLIENTS_MAX 16

enum control_verb {
	CONTROL_STATUS,
	CONTROL_JOBS,
	CONTROL_PAUSE,
	CONTROL_RESUME,
	CONTROL_DRAIN,
	CONTROL_CANCEL,
	CONTROL_STOP,
	CONTROL_VERBS,
};

struct control_request {
	enum control_verb verb;
	bool has_number;
	uint64_t number;    /* jobs: how many; cancel: the task, from 1 */
	uint64_t stage;     /* cancel: of this stage, from 1; 0: none was named */
	bool wants_workers; /* status */
};

struct control_config {
	struct loop *loop;
	const char *name; /* borrowed for control_new: what was asked for, or a command */
	bool is_given;    /* that is the name; else one is made of it, with a number */
	void *context;
	/*
	 * Does it and appends members of the reply's object, each with a comma in front. 0; -1
	 * and err, which is the reply then.
	 */
	int (*act)(void *context, const struct control_request *request,
		   struct buf *reply, struct err *err);
	/* The socket is there: what to remove should this process be killed. */
	void (*is_there)(void *context, const char *path, ino_t inode);
};

struct control;

struct control *control_new(const struct control_config *config, struct err *err);
void control_free(struct control *control);

/* For the loop; NULL is fine: when to call control_turn, CLOCK_NEVER; and that, after each turn. */
int64_t control_turn_at(const struct control *control);
void control_turn(struct control *control);

/* The word of a verb, as requests and `pinion ctl` have it. */
const char *control_verb_name(enum control_verb verb);

#endif

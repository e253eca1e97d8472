/*
 * cmd.h: the verbs. Each gets the arguments from its own name on and returns the exit status.
 */
#ifndef PINION_CMD_H
#define PINION_CMD_H

/* What the verbs return. `parallel` has GNU parallel's: 0, 1..100 failed tasks, 101 more, 255. */
enum {
	CMD_OK = 0,
	CMD_TASK_FAILED = 1,
	CMD_USAGE = 2,
	CMD_BROKEN = 3,  /* the pool, the system or the output failed */
	CMD_LOCKED = 75, /* another run has the record */
	CMD_PARALLEL_ERROR = 255,
};

int cmd_map(int argc, char **argv);
int cmd_parallel(int argc, char **argv);
int cmd_feed(int argc, char **argv);
int cmd_call(int argc, char **argv);
int cmd_topology(int argc, char **argv);
int cmd_completion(int argc, char **argv);

#endif

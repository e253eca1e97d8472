/*
 * coproc_silence.h: why a program that has read its input does not answer.
 *
 * A program whose stdout is a pipe often holds its answers back until it has many of them. It
 * then sits in a read of its stdin for ever, as we wait for the answer. Seen from outside:
 * nobody in its process group has used the processor for a while, one of them is asleep
 * in a read of our pipe, and the others in a read of a pipe or a wait for a child.
 * Where the kernel does not say in what they sleep, that they sleep has to do.
 */
#ifndef PINION_COPROC_SILENCE_H
#define PINION_COPROC_SILENCE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* One look at a process group. */
struct coproc_look {
	unsigned int reader_count; /* asleep in a read of the pipe, or may be */
	unsigned int busy_count;   /* do something else */
	uint64_t cpu_ticks;        /* used by all of them so far */
};

/*
 * Looks at the group `pgid`, one of whom reads the pipe that our descriptor `pipe_fd` writes.
 * `proc` is where /proc is.
 */
void coproc_look(const char *proc, pid_t pgid, int pipe_fd, struct coproc_look *look);

/* Whether two looks, some time apart, say that the program waits for more input. */
bool coproc_look_is_waiting(const struct coproc_look *before,
			    const struct coproc_look *after);

#endif

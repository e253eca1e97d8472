/*
 * coproc_program.h: the program that a worker keeps alive: its process and its three pipes.
 *
 * One at a time, in a process group of its own, on the worker's core. Owns the pipes and the
 * process; the stdin pipe is written and the stdout pipe is read by the executor, stderr here.
 * Knows nothing of tasks but whether one is in its hand.
 */
#ifndef PINION_COPROC_PROGRAM_H
#define PINION_COPROC_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "pool/child.h"
#include "pool/doze.h"
#include "pool/executor.h"
#include "pool/spawn.h"

#define COPROC_READ_BYTES (64 * 1024)
#define COPROC_LAST_WORDS_BYTES 200

struct coproc_program {
	struct executor_host *host;
	const char *name; /* for messages */
	struct spawn spawn;
	char **argv;
	struct buf argv_text;
	struct buf argv_words;

	bool is_running;
	struct child child;      /* of the one running, or that ran last */
	int in_fd;               /* its stdin; non-blocking, as all three; -1: closed */
	int out_fd;              /* its stdout */
	int err_fd;              /* its stderr */
	int statm_fd;            /* -1: its size does not matter */
	uint64_t asked_bytes;    /* written to its stdin */
	uint64_t answered_count; /* by this one */
	bool has_task;           /* its stderr is that of the task in hand */
	bool has_read;           /* it was seen to have read something */
	bool is_deaf;            /* it has closed its stdin */
	bool has_said_more;      /* it wrote to stdout while it was ending */
	char last_words[COPROC_LAST_WORDS_BYTES]; /* its last line on stderr, until it served */
	char *bytes;     /* COPROC_READ_BYTES, for reading its stdout */
	char *err_bytes; /* as many, for its stderr */

	struct doze doze;
	bool is_guarded; /* what it says on stderr ends a doze */
};

int coproc_program_init(struct coproc_program *program, struct executor_host *host,
			struct err *err);

/* It must not be running. */
void coproc_program_fini(struct coproc_program *program);

/* -1 and err: the worker is told to give up, for the next time would be no better. */
int coproc_program_start(struct coproc_program *program, struct err *err);

/* Bytes written to it that it has not read, dead or alive; 0 when its stdin was closed. */
uint64_t coproc_program_unread_bytes(const struct coproc_program *program);

/* No more is to come: it reads the end of its input. */
void coproc_program_close_stdin(struct coproc_program *program);

/*
 * Passes on what it has said on stderr: as the task's in hand, or nobody's. One read, for
 * it may never stop.
 */
void coproc_program_take_stderr(struct coproc_program *program);

/*
 * Reads of its stdout may sleep from here on, for so long at most, with signals open. False: they
 * cannot. Whatever here ends it or waits for it ends that first.
 */
bool coproc_program_doze(struct coproc_program *program, int timeout_ms);

/* Ends that; after it nobody sleeps but with coproc_program_reap and channel_wait. */
void coproc_program_wake(struct coproc_program *program);

/* Whether it has said something on stderr that was not taken yet. */
bool coproc_program_has_stderr(const struct coproc_program *program);

/* Whether it has grown beyond --max-rss. */
bool coproc_program_is_too_large(const struct coproc_program *program);

/* Notes its end, if it has come. */
void coproc_program_reap(struct coproc_program *program);

/* Ends it and all below it; `cancel` says how hard. 0; -1 and err. */
int coproc_program_end(struct coproc_program *program, struct channel_cancel cancel,
		       struct err *err);

/* Its stdin is closed, and it may take some time to go by itself; then it is ended. */
int coproc_program_dismiss(struct coproc_program *program, struct err *err);

#endif

/*
 * output.h: the tasks' stdout and stderr, grouped and in order, onto ours.
 *
 * Owns what is held back (spill.h) and the two descriptors' write state (outlet.h). In
 * order, the task whose turn it is streams straight through (unless it may be retried:
 * then it is held until it settles); others wait their turn. Unordered, a task's block
 * goes out when it settles: first its stdout to out_fd, then its stderr to err_fd; where
 * both are one file, pipe or terminal that order is kept there too. --line-buffer passes
 * whole lines as they come (with is_ordered: of the task whose turn it is), those of
 * attempts that are then retried too. No byte is ever added: a last line without newline
 * stays one. --tag puts the expanded tag and a tab before each line, of stderr and of the
 * -v line too. In --ungroup, where tasks have our descriptors, only -v and -t have
 * something to do.
 *
 * Never blocks: what a descriptor does not take stays, and the sink says is_behind when
 * more than OUTPUT_BEHIND_BYTES of what could go out now are waiting. A reader of stdout
 * that has gone is told apart by output_is_pipe_closed, so that the run can end quietly;
 * one of stderr is ignored. SIGPIPE and SIGXFSZ must be ignored or blocked. wait_fds and
 * output_watch_fd never name the same descriptor.
 */
#ifndef PINION_OUTPUT_H
#define PINION_OUTPUT_H

#include <stdbool.h>

#include "base/err.h"
#include "base/screen.h"
#include "task/sink.h"
#include "task/spec.h"
#include "task/template.h"

#define OUTPUT_BEHIND_BYTES (1024 * 1024)

/* What goes out of what it is given. */
enum output_content {
	OUTPUT_ALL,
	OUTPUT_NONE,    /* the tasks' output is kept elsewhere; -v and -t go out */
	OUTPUT_RECORDS, /* it is no output but records: as they are, each whole */
	OUTPUT_ERRORS,  /* stdout goes elsewhere */
};

struct output_config {
	const struct spec *spec;
	struct blocks *blocks; /* where large outputs come in; NULL: none */
	/*
	 * Several outputs go to the same descriptors, those of the one that is `beside` the others
	 * and ends after them: no task's block is torn by another's.
	 */
	bool is_shared;
	struct sink *beside; /* NULL: none; then: */
	int out_fd;
	int err_fd;
	struct screen *screen; /* taken back before anything is written to a terminal; or NULL */
	enum output_content content;
	const struct template *tag;     /* NULL: no --tag */
	const struct template *command; /* for -v and -t; may be NULL with neither */
	size_t column_count;            /* for struct template_values */
};

struct sink *output_new(const struct output_config *config, struct err *err);

/* True once out_fd's reader has gone (EPIPE, or POLLERR without a write). */
bool output_is_pipe_closed(const struct sink *sink);

/*
 * The descriptor to watch for the reader's going away (EPOLLERR), -1 when it is not a
 * pipe or socket.
 */
int output_watch_fd(const struct sink *sink);

#endif

/*
 * output_parts.h: what the files of the output share. Private to them.
 *
 *   output.c         order, what is held back, and the two descriptors
 *   output_plain.c   a task's bytes as it printed them, with tags, in whole lines
 *   output_json.c    a JSON object for each task, or for each thing that happens to it
 */
#ifndef PINION_OUTPUT_PARTS_H
#define PINION_OUTPUT_PARTS_H

#include "base/buf.h"
#include "ipc/spill.h"
#include "sink/outlet.h"
#include "sink/output.h"
#include "sink/pending.h"

struct output;

/* What is written of a task. */
struct output_form {
	/* started and output; retried, if an attempt is not just forgotten; no others. */
	struct sink_ops ops;

	/* What there is to add to what the task has printed; NULL: nothing. */
	int (*settled)(struct output *output, const struct task *task,
		       const struct result *result, struct err *err);

	/* All that the task has and that has not gone out does; the entry goes afterwards. */
	int (*release)(struct output *output, struct pending *pending, struct err *err);

	/* What the answers come to goes out where it is their turn, else into their entry. */
	int (*answered)(struct output *output, const struct task *chunk,
			const struct answers *answers, struct err *err);
};

extern const struct output_form output_plain;
extern const struct output_form output_json_objects;
extern const struct output_form output_json_events;

/* So much was with the outlets once. */
struct output_mark {
	uint64_t end; /* the tasks before this one: a seq, or how many settled */
	uint64_t put_bytes[RESULT_STREAMS];
};

/* The two descriptors, and what waits for them. */
struct output_ends {
	struct spill spill;
	struct outlet items[RESULT_STREAMS];
	size_t count;
	struct outlet *streams[RESULT_STREAMS]; /* one for both where both are one file */
};

struct output {
	struct sink sink;
	struct sink_ops ops; /* with answered only where nothing is added to what tasks print */
	const struct output_form *form;
	struct output_config config;
	bool is_ordered;
	bool is_line_mode;
	bool is_passing;     /* --ungroup: what there is goes out at once */
	bool shows_traces;   /* -t */
	bool shows_commands; /* -v */
	bool streams_head; /* the task whose turn it is need not be held until it settles, */
	bool streams_errors;        /* not even what it writes to stderr */
	const struct template *tag; /* NULL: no tags */
	int watch_fd;
	uint64_t head_seq; /* ordered: all before it have settled and are with the outlets */
	uint64_t settled_count; /* unordered: so many are with the outlets */
	uint64_t out_end; /* of those with the outlets: all before this one are out */
	struct output_mark mark; /* what out_end will be next */
	struct pending_table table;
	struct output_ends own_ends;
	struct output_ends *out; /* these, or those of another output */
	int64_t flow_at_ns;      /* the last look */
	uint64_t flow_bytes;     /* written by then */
	bool is_flowing;         /* more held output would not be of use */
	struct buf other;        /* scratch */
	struct buf text;         /* scratch */
	struct arg *args;        /* scratch */
	size_t arg_capacity;
};

static inline struct output *
output_of(struct sink *sink)
{
	return (struct output *)sink; /* its first member */
}

/* What has been printed up to its end can go out. */
static inline bool
output_is_turn(const struct output *output, uint64_t seq)
{
	return !output->is_ordered || seq == output->head_seq;
}

/* What templates want to know of the task; valid until the next call. */
int output_find_values(struct output *output, const struct task *task, uint32_t slot,
		       struct template_values *values, struct err *err);

/* The command line into output->text, with a newline. */
int output_expand_command(struct output *output, const struct task *task, uint32_t slot,
			  struct err *err);

/* -t: the command line goes to stderr, if it was asked for. */
int output_trace(struct output *output, const struct task *task, uint32_t slot,
		 struct err *err);

#endif

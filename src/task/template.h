/*
 * template.h: the command of a job, compiled once and expanded for each task.
 *
 * Compiled in the coordinator before the first fork; workers inherit it and expand on
 * their own cores. Read-only after template_new. Knows GNU parallel's replacement
 * strings; knows nothing of processes. Three shapes, decided at compile time:
 *
 *   argv   several words in `map`, or a command line that needs no shell: values
 *          become argv elements (or parts of one) as they are; a list of several
 *          values under -m/-n gives several elements, split exactly where a shell
 *          would have split the unquoted blanks.
 *   line   a shell command line, values quoted for it: argv is {shell, "-c", line}.
 *   input  no command: the values are themselves the command line, not quoted;
 *          executed directly when it holds nothing for a shell to do. In `parallel`
 *          also a command line that begins with a replacement string.
 *
 * Also used for --tagstring (template_new_text, template_expand_text). Knows the names of the
 * outputs (--output), too, which {out} stands for unless the task writes somewhere else first.
 */
#ifndef PINION_TEMPLATE_H
#define PINION_TEMPLATE_H

#include "base/buf.h"
#include "base/err.h"
#include "task/spec.h"
#include "task/task.h"

struct template;

/* What a template needs to know of the task; all borrowed for the call. */
struct template_values {
	uint64_t seq;           /* from 0; {#} prints seq + 1 */
	uint32_t slot;          /* {%}: from 1 */
	const struct arg *args; /* all of the task's, with the spec's hidden ones in front */
	size_t arg_count;
	size_t column_count; /* values per input: with -X/-m {n} is every n-th of column_count; 0: arg_count */
	const struct arg *outs; /* what {out1}, {out2} stand for; NULL: the outputs' own names */
};

/* Without the hidden ones: for whoever takes values for what they are. */
static inline struct template_values
template_values_visible(const struct template_values *values, uint32_t hidden_count)
{
	struct template_values visible = *values;
	visible.args += hidden_count;
	visible.arg_count -= hidden_count;
	return visible;
}

/*
 * An expanded command. Zero-initialise, reuse for any number of expansions (memory is kept),
 * end with command_fini. argv is NULL-terminated and valid until the next expansion.
 */
struct command {
	char **argv;
	size_t argc;
	bool is_shell; /* argv runs a shell: 127 and 126 are its words, not execve's */
	bool is_split; /* argv came from a command line: if it is not found, let the shell say so */
	bool has_nul; /* a value holds a NUL byte: cannot be executed, argv is not valid */
	struct buf text;
	size_t argv_capacity;
	struct buf offsets;   /* private */
	struct buf edited[2]; /* private */
	struct buf line;      /* private */
};

void command_fini(struct command *command);

/*
 * `names` are the --header names, in order of their columns (may be NULL). NULL and err
 * when a replacement string is not possible ({= perl =}, a bad --rpl), or no part of the
 * command stands for an output. Memory: the template's own; the spec must outlive it.
 */
struct template *template_new(const struct spec *spec, const struct arg *names,
			      size_t name_count, struct err *err);
void template_free(struct template *template);

/* 0, or -1 without memory. */
int template_expand(const struct template *template, const struct template_values *values,
		    struct command *command, struct err *err);

/* As template_expand, but always {shell, "-c", line}: for a split command that was not found. */
int template_expand_shell(const struct template *template,
			  const struct template_values *values, struct command *command,
			  struct err *err);

/* The expanded command as one line a person can paste into a shell, for -v, -t, --dry-run, messages. */
int template_append_line(const struct template *template,
			 const struct template_values *values, struct buf *line,
			 struct err *err);

/*
 * The number of bytes execve (or -s) would count for these values: the sum of strlen + 1
 * over argv. SIZE_MAX without memory. Costs what an expansion costs.
 */
size_t template_length(const struct template *template,
		       const struct template_values *values);

/*
 * The same bit by bit, for the grouping of -X, -m, -s: base plus the sum of value_length
 * over the values (one at least) is the length. It is more for {#} and {%} (the longest
 * number counts), {n} (every value counts as if it were the n-th), a line that begins
 * with a value, and -q with a shell. Only where -X repeats a word with both {} and {n} it
 * can be less.
 */
size_t template_base_length(const struct template *template);
size_t template_value_length(const struct template *template, const struct arg *value);

/*
 * Whether the command goes to a shell as one argument, so that besides the limit on all
 * of argv the kernel's limit on one argument (128 KiB) holds for it.
 */
bool template_is_line(const struct template *template);

/* How many outputs a task has, and the name of one (from 0). 0, -1 without memory. */
size_t template_output_count(const struct template *template);
int template_append_output(const struct template *template, size_t index,
			   const struct template_values *values, struct buf *name,
			   struct err *err);

/* --tagstring and the like: plain text with replacement strings, values put in as they are. */
struct template *template_new_text(const struct spec *spec, const char *text,
				   const struct arg *names, size_t name_count,
				   struct err *err);
int template_expand_text(const struct template *template,
			 const struct template_values *values, struct buf *text,
			 struct err *err);

/* How many bytes of such a text are in front of its first replacement string: all, if it has none. */
size_t template_text_start(const struct template *template);

#endif

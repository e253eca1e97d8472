/* group.c: see group.h. */
#include "input/group.h"

#include <assert.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/param.h>
#include <unistd.h>

#include "base/buf.h"

/* MAX_ARG_STRLEN in pages: a single string of argv, its NUL included. No header has it. */
#define GROUP_STRING_PAGES 32

/* The kernel's bound for argv and environment, however large RLIMIT_STACK is. */
#define GROUP_EXEC_BYTES ((size_t)6 * 1024 * 1024)

/* For what workers add to the environment of a task, as xargs leaves it free. */
#define GROUP_SPARE_BYTES 2048

/* Where an input of the group ends. */
struct group_mark {
	size_t packed_bytes;
	uint32_t arg_count;
};

/*
 * How long a command is, and what execve charges for it: a pointer for each string, too.
 */
struct group_length {
	size_t chars;
	size_t exec_bytes;
};

struct group {
	struct combine *combine;
	const struct template *template;
	size_t worker_count;
	uint64_t next_seq;

	bool is_single;    /* each input is a task */
	bool is_valueless; /* whose values do not go with it */
	bool shares_rest;
	bool is_line; /* the command is one string, for a shell */
	const char *shell;
	size_t repeat_max;   /* how often a value can stand in the command */
	size_t count_max;    /* inputs in a group; 0: no bound */
	size_t chars_max;    /* -s; 0: no bound */
	size_t shell_bytes;  /* of a command with a shell, that -s does not count */
	size_t exec_bytes;   /* what execve takes in all */
	size_t string_bytes; /* what it takes in one string */

	const struct row *pending; /* read, but not in the group */
	bool has_ended;            /* no more input */
	struct err failure;        /* of reading: told again whenever more is asked for */
	struct buf packed;
	struct group_mark *marks; /* of the inputs in the group */
	size_t count;
	size_t capacity;
	struct group_length length; /* of the command with the group's values */
	bool has_giant;             /* its one input has a value that execve refuses */

	size_t share_count; /* inputs for each worker at the end; 0: not yet */
	size_t given_count; /* inputs of the group that are in tasks */
};

static size_t
group_environment_bytes(void)
{
	size_t bytes = 0;
	for (char **variable = environ; *variable != NULL; variable++)
		bytes += strlen(*variable) + 1 + sizeof(*variable);
	return bytes;
}

static size_t
group_exec_bytes(void)
{
	long limit = sysconf(_SC_ARG_MAX);
	size_t bytes = limit > 0 ? MIN((size_t)limit, GROUP_EXEC_BYTES) : _POSIX_ARG_MAX;
	size_t taken = group_environment_bytes() + GROUP_SPARE_BYTES;
	return bytes > taken ? bytes - taken : 0;
}

static size_t
group_count_max(const struct spec *spec)
{
	switch (spec->group) {
	case SPEC_GROUP_ONE:
		return 1;
	case SPEC_GROUP_COUNT:
		return MAX(spec->max_args, 1);
	case SPEC_GROUP_LINES:
		return MAX(spec->max_lines, 1);
	case SPEC_GROUP_FILL:
	case SPEC_GROUP_FILL_CONTEXT:
		break;
	}
	if (spec->max_args > 0 && spec->max_lines > 0)
		return MIN(spec->max_args, spec->max_lines);
	return MAX(spec->max_args, spec->max_lines);
}

/* One for each brace; for each word when there may be other names for {}. */
static size_t
group_repeat_max(const struct spec *spec)
{
	bool has_names = spec->rpl_count > 0;
	size_t count = 0;
	for (size_t i = 0; i < spec->word_count; i++) {
		count += has_names;
		for (const char *at = spec->words[i]; *at != '\0'; at++)
			count += *at == '{' || (has_names && *at == ' ');
	}
	return MAX(count, 1);
}

struct group *
group_new(const struct spec *spec, struct combine *combine, struct err *err)
{
	struct group *group = calloc(1, sizeof(*group));
	if (group == NULL) {
		err_no_memory(err);
		return NULL;
	}
	group->combine = combine;
	group->worker_count = 1;
	group->count_max = group_count_max(spec);
	group->is_single = group->count_max == 1;
	group->is_valueless = spec->is_valueless;
	group->shares_rest = spec->shares_rest;
	group->repeat_max = group_repeat_max(spec);
	group->chars_max = spec->max_chars;
	group->exec_bytes = group_exec_bytes();
	group->string_bytes = GROUP_STRING_PAGES * (size_t)sysconf(_SC_PAGESIZE);
	group->shell = spec->shell;
	return group;
}

void
group_free(struct group *group)
{
	if (group == NULL)
		return;
	buf_fini(&group->packed);
	free(group->marks);
	free(group);
}

void
group_set_template(struct group *group, const struct template *template, size_t worker_count)
{
	group->template = template;
	group->worker_count = MAX(worker_count, 1);
	group->is_line = template_is_line(template);
	if (!group->is_line)
		return;
	group->shell_bytes = strlen(group->shell) + 1 + sizeof("-c");
	group->exec_bytes = MIN(group->exec_bytes, group->string_bytes);
}

/* What the command is without values. */
static struct group_length
group_measure_base(const struct group *group)
{
	size_t chars = template_base_length(group->template);
	/* A string takes a byte at least: not more strings than bytes. */
	return (struct group_length){
	    .chars = chars,
	    .exec_bytes = chars + sizeof(char *) * (group->is_line ? 3 : chars),
	};
}

/* What the row adds to it; {n} counts for each value, so it can be too much. */
static struct group_length
group_measure(const struct group *group, const struct row *row)
{
	struct group_length length = {0};
	for (size_t i = 0; i < row->count; i++) {
		size_t chars = template_value_length(group->template, &row->args[i]);
		length.chars += MIN(chars, group->exec_bytes + 1); /* no overflow */
	}
	length.exec_bytes = length.chars;
	if (!group->is_line)
		length.exec_bytes += sizeof(char *) * row->count * group->repeat_max;
	return length;
}

/* A value that execve refuses, whatever else is on the command line. */
static bool
group_has_giant(const struct group *group, const struct row *row)
{
	for (size_t i = 0; i < row->count; i++)
		if (row->args[i].length >= group->string_bytes)
			return true;
	return false;
}

static bool
group_has_room(const struct group *group, const struct row *row,
	       const struct group_length *more)
{
	if (group->count == 0)
		return true;
	if (group->has_giant || group_has_giant(group, row) ||
	    row->count > UINT32_MAX - group->marks[group->count - 1].arg_count)
		return false;
	if (group->chars_max > 0 &&
	    group->length.chars + more->chars > group->chars_max + group->shell_bytes)
		return false;
	return group->length.exec_bytes + more->exec_bytes <= group->exec_bytes;
}

static int
group_grow(struct group *group, struct err *err)
{
	if (group->count < group->capacity)
		return 0;
	size_t capacity = MAX(group->capacity * 2, 64);
	struct group_mark *marks = reallocarray(group->marks, capacity, sizeof(*marks));
	if (marks == NULL)
		return err_no_memory(err);
	group->marks = marks;
	group->capacity = capacity;
	return 0;
}

static int
group_pack(struct group *group, const struct row *row, struct err *err)
{
	for (size_t i = 0; i < row->count; i++)
		if (task_pack(&group->packed, row->args[i].bytes, row->args[i].length) == -1)
			return err_no_memory(err);
	return 0;
}

static int
group_add(struct group *group, const struct row *row, const struct group_length *more,
	  struct err *err)
{
	if (group_grow(group, err) == -1 || group_pack(group, row, err) == -1)
		return -1;
	if (group->count == 0)
		group->length = group_measure_base(group);
	group->length.chars += more->chars;
	group->length.exec_bytes += more->exec_bytes;
	group->has_giant = group_has_giant(group, row);
	uint32_t arg_count =
	    group->count > 0 ? group->marks[group->count - 1].arg_count : 0;
	group->marks[group->count++] = (struct group_mark){
	    .packed_bytes = group->packed.length,
	    .arg_count = arg_count + (uint32_t)row->count,
	};
	return 0;
}

static enum source_status
group_new_task(struct group *group, uint32_t count, uint32_t arg_count,
	       const struct buf *packed, struct task **task, struct err *err)
{
	static const struct buf nothing;
	if (group->is_valueless)
		*task = task_new(group->next_seq, count, 0, &nothing);
	else
		*task = task_new(group->next_seq, count, arg_count, packed);
	if (*task == NULL) {
		err_no_memory(err);
		return SOURCE_ERROR;
	}
	group->next_seq += count;
	return SOURCE_TASK;
}

/*
 * The next `count` inputs of the group as a task; behind the last of them a new group
 * begins.
 */
static enum source_status
group_give(struct group *group, size_t count, struct task **task, struct err *err)
{
	struct group_mark from = {0};
	if (group->given_count > 0)
		from = group->marks[group->given_count - 1];
	group->given_count += MIN(count, group->count - group->given_count);
	const struct group_mark *to = &group->marks[group->given_count - 1];
	const struct buf packed = {
	    .bytes = group->packed.bytes + from.packed_bytes,
	    .length = to->packed_bytes - from.packed_bytes,
	};
	enum source_status status =
	    group_new_task(group, 1, to->arg_count - from.arg_count, &packed, task, err);
	if (group->given_count == group->count) {
		buf_clear(&group->packed);
		group->count = 0;
		group->given_count = 0;
		group->share_count = 0;
	}
	return status;
}

/* SOURCE_TASK: there is a pending row. */
static enum source_status
group_peek(struct group *group, struct err *err)
{
	if (group->pending != NULL)
		return SOURCE_TASK;
	if (group->has_ended)
		return SOURCE_END;
	if (group->failure.kind != ERR_NONE) {
		if (err != NULL)
			*err = group->failure;
		return SOURCE_ERROR;
	}
	enum source_status status =
	    combine_next(group->combine, &group->pending, &group->failure);
	if (status != SOURCE_TASK)
		group->pending = NULL;
	if (status == SOURCE_ERROR && err != NULL)
		*err = group->failure;
	group->has_ended = status == SOURCE_END;
	return status;
}

static enum source_status
group_give_rest(struct group *group, struct task **task, struct err *err)
{
	if (group->count == 0)
		return SOURCE_END;
	group->share_count = group->shares_rest
				 ? (group->count - 1) / group->worker_count + 1
				 : group->count;
	return group_give(group, group->share_count, task, err);
}

/* Any number of inputs to a task. */
static enum source_status
group_next_several(struct group *group, struct task **task, struct err *err)
{
	if (group->share_count > 0)
		return group_give(group, group->share_count, task, err);
	for (;;) {
		bool is_full = group->count_max > 0 && group->count == group->count_max;
		if (is_full && !group->shares_rest)
			return group_give(group, group->count, task, err);
		enum source_status status = group_peek(group, err);
		if (status == SOURCE_END)
			return group_give_rest(group, task, err);
		if (status != SOURCE_TASK)
			return status;
		struct group_length more = group_measure(group, group->pending);
		if (is_full || !group_has_room(group, group->pending, &more))
			return group_give(group, group->count, task, err);
		if (group_add(group, group->pending, &more, err) == -1)
			return SOURCE_ERROR;
		group->pending = NULL;
	}
}

/* An input to a task, and as many tasks as are there and alike. */
static enum source_status
group_next_single(struct group *group, uint32_t count_max, struct task **task,
		  struct err *err)
{
	uint32_t count = 0;
	size_t arg_count = 0;
	enum source_status status;
	buf_clear(&group->packed);
	while ((status = group_peek(group, err)) == SOURCE_TASK) {
		assert(group->pending != NULL);
		if (count == 0)
			arg_count = group->pending->count;
		else if (group->pending->count != arg_count)
			break;
		if (group_pack(group, group->pending, err) == -1)
			return SOURCE_ERROR;
		group->pending = NULL;
		if (++count == count_max || group->packed.length >= TASK_CHUNK_MAX_BYTES)
			break;
	}
	/* After an end or an error no more can be asked for: it is told when these are given. */
	if (count == 0)
		return status;
	return group_new_task(group, count, (uint32_t)arg_count, &group->packed, task, err);
}

enum source_status
group_next(struct group *group, uint32_t count_max, struct task **task, struct err *err)
{
	return group->is_single ? group_next_single(group, count_max, task, err)
				: group_next_several(group, task, err);
}

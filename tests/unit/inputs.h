/*
 * inputs.h: for the tests of input/: a job's inputs by hand, and its tasks as one string.
 *
 * "a 1|a 2" is two tasks with two values each. Values and expected strings hold no blank
 * and no | where that would not be told apart.
 */
#ifndef PINION_TESTS_INPUTS_H
#define PINION_TESTS_INPUTS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/io.h"
#include "input/args.h"

struct job {
	struct spec spec;
	char paths[4][32]; /* of the files and pipes below */
	int fds[4];
	size_t fd_count;
	struct args *args;
	struct template *template;
	struct buf text;
	uint64_t task_count;
};

/* Lists of strings, which are copied into the spec. */
#define VALUES(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NO_VALUES ((const char *const[]){NULL})

static inline char **
job_copy(struct job *job, const char *const *strings, size_t *count)
{
	*count = 0;
	while (strings[*count] != NULL)
		++*count;
	char **copies = spec_alloc(&job->spec, (*count + 1) * sizeof(*copies));
	assert_non_null(copies);
	for (size_t i = 0; i < *count; i++)
		assert_non_null(copies[i] = spec_strdup(&job->spec, strings[i]));
	copies[*count] = NULL;
	return copies;
}

static inline void
job_set_words(struct job *job, const char *const *words)
{
	job->spec.words = job_copy(job, words, &job->spec.word_count);
}

static inline void
job_init(struct job *job, enum spec_dialect dialect)
{
	*job = (struct job){0};
	spec_init(&job->spec, dialect);
	job_set_words(job, VALUES("echo", "{}"));
}

/* ::: and :::+ */
static inline void
job_add_values(struct job *job, bool is_linked, const char *const *values)
{
	struct spec_input input = {.kind = SPEC_INPUT_ARGS, .is_linked = is_linked};
	input.values = job_copy(job, values, &input.value_count);
	assert_int_equal(spec_add_input(&job->spec, &input), 0);
}

static inline const char *
job_add_fd(struct job *job, int fd)
{
	assert_true(job->fd_count < sizeof(job->fds) / sizeof(*job->fds));
	char *path = job->paths[job->fd_count];
	snprintf(path, sizeof(job->paths[0]), "/proc/self/fd/%d", fd);
	job->fds[job->fd_count++] = fd;
	return path;
}

static inline void
job_add_path(struct job *job, bool is_linked, const char *path)
{
	const struct spec_input input = {
	    .kind = SPEC_INPUT_FILE, .is_linked = is_linked, .path = path};
	assert_int_equal(spec_add_input(&job->spec, &input), 0);
}

/* A file without a name in any folder. */
static inline void
job_add_file(struct job *job, bool is_linked, const char *text)
{
	int fd = io_memfd("input", 0);
	assert_int_not_equal(fd, -1);
	assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
	job_add_path(job, is_linked, job_add_fd(job, fd));
}

/* Returns the end to write to. */
static inline int
job_add_pipe(struct job *job, bool is_linked)
{
	int fds[2];
	assert_int_equal(io_pipe(fds, 0), 0);
	job_add_path(job, is_linked, job_add_fd(job, fds[0]));
	return fds[1];
}

static inline void
job_open(struct job *job, size_t worker_count)
{
	struct err err = {0};
	size_t name_count;
	job->args = args_open(&job->spec, &err);
	assert_string_equal(err.text, "");
	assert_non_null(job->args);
	const struct arg *names = args_names(job->args, &name_count);
	job->template = template_new(&job->spec, names, name_count, &err);
	assert_non_null(job->template);
	args_set_template(job->args, job->template, worker_count);
}

static inline void
job_append_task(struct job *job, const struct task *task)
{
	struct arg *args = NULL;
	size_t capacity = 0;
	assert_int_equal(task_unpack(task_bytes(task), task->packed_bytes,
				     task->arg_count, &args, &capacity),
			 0);
	if (task->seq > 0)
		assert_int_equal(buf_append_char(&job->text, '|'), 0);
	for (uint32_t i = 0; i < task->arg_count; i++) {
		if (i > 0)
			assert_int_equal(buf_append_char(&job->text, ' '), 0);
		assert_int_equal(buf_append(&job->text, args[i].bytes, args[i].length), 0);
	}
	free(args);
}

/* Takes what there is now; returns what came instead of a task. */
static inline enum source_status
job_take(struct job *job)
{
	struct task *task;
	struct err err = {0};
	enum source_status status;
	while ((status = source_next(args_source(job->args), 1, &task, &err)) ==
	       SOURCE_TASK) {
		assert_int_equal(task->seq, job->task_count++);
		assert_int_equal(task->attempt, 1);
		job_append_task(job, task);
		free(task);
	}
	return status;
}

static inline const char *
job_text(struct job *job)
{
	const char *text = buf_str(&job->text);
	assert_non_null(text);
	return text;
}

static inline void
job_fini(struct job *job)
{
	if (job->args != NULL)
		source_free(args_source(job->args));
	template_free(job->template);
	for (size_t i = 0; i < job->fd_count; i++)
		io_close(job->fds[i]);
	buf_fini(&job->text);
	spec_fini(&job->spec);
}

/* Opens, takes all, compares, and ends the job. */
static inline void
assert_job(struct job *job, size_t worker_count, const char *expected)
{
	job_open(job, worker_count);
	assert_int_equal(job_take(job), SOURCE_END);
	assert_string_equal(job_text(job), expected);
	assert_int_equal(job_take(job), SOURCE_END);
	job_fini(job);
}

#endif

/*
 * output_fixture.h: an output sink onto two descriptors and tasks that talk to it, for
 * its tests.
 */
#ifndef PINION_TESTS_OUTPUT_FIXTURE_H
#define PINION_TESTS_OUTPUT_FIXTURE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/io.h"
#include "sink/output.h"

#define MAX_TASKS 64

/* A sink onto two descriptors, and its tasks: the value of task n is "v<n>". */
struct fixture {
	struct spec spec;
	struct template *tag;
	struct template *command;
	struct sink *sink;
	int out_fd;
	int err_fd;
	int read_fd; /* -1: out_fd is a file */
	bool is_one_file;
	struct task *tasks[MAX_TASKS];
};

static char *echo_words[] = {(char *)"echo", (char *)"{}", NULL};

static inline int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	if (f == NULL)
		return -1;
	spec_init(&f->spec, SPEC_MAP);
	f->spec.is_ordered = true;
	f->spec.output_mode = SPEC_OUTPUT_GROUP;
	f->spec.max_attempts = 1;
	f->spec.window = 100;
	f->spec.buffer_bytes = 1024 * 1024;
	f->spec.tmp_dir = "/tmp";
	f->spec.words = echo_words;
	f->spec.word_count = 2;
	f->out_fd = io_memfd("out", 0);
	f->err_fd = io_memfd("err", 0);
	f->read_fd = -1;
	*state = f;
	return f->out_fd == -1 || f->err_fd == -1 ? -1 : 0;
}

static inline int
tear_down(void **state)
{
	struct fixture *f = *state;
	if (f->sink != NULL)
		f->sink->ops->free(f->sink);
	template_free(f->tag);
	template_free(f->command);
	for (int i = 0; i < MAX_TASKS; i++)
		free(f->tasks[i]);
	io_close(f->out_fd);
	io_close(f->err_fd);
	io_close(f->read_fd);
	spec_fini(&f->spec);
	free(f);
	return 0;
}

/* Makes the sink as f->spec says. */
static inline void
start(struct fixture *f)
{
	struct err err = {0};
	if (f->spec.tag != NULL) {
		f->tag = template_new_text(&f->spec, f->spec.tag, NULL, 0, &err);
		assert_non_null(f->tag);
	}
	f->command = template_new(&f->spec, NULL, 0, &err);
	assert_non_null(f->command);
	const struct output_config config = {.spec = &f->spec,
					     .out_fd = f->out_fd,
					     .err_fd =
						 f->is_one_file ? f->out_fd : f->err_fd,
					     .tag = f->tag,
					     .command = f->command,
					     .column_count = 1};
	f->sink = output_new(&config, &err);
	assert_non_null(f->sink);
}

/* stdout is the writing end of a pipe instead of a file. */
static inline void
use_pipe(struct fixture *f)
{
	int fds[2];
	assert_int_equal(io_pipe(fds, 0), 0);
	io_close(f->out_fd);
	f->read_fd = fds[0];
	f->out_fd = fds[1];
	assert_int_equal(io_set_nonblocking(f->read_fd), 0);
}

static inline const struct task *
task_of(struct fixture *f, int n)
{
	struct buf packed = {0};
	char value[16];
	if (f->tasks[n] != NULL)
		return f->tasks[n];
	snprintf(value, sizeof(value), "v%d", n);
	assert_int_equal(task_pack(&packed, value, strlen(value)), 0);
	f->tasks[n] = task_new((uint64_t)n, 1, 1, &packed);
	assert_non_null(f->tasks[n]);
	buf_fini(&packed);
	return f->tasks[n];
}

static inline void
begin(struct fixture *f, int n)
{
	struct err err = {0};
	assert_int_equal(f->sink->ops->started(f->sink, task_of(f, n), 7, &err), 0);
}

static inline void
print(struct fixture *f, int n, enum result_stream stream, const char *bytes, size_t length)
{
	struct err err = {0};
	assert_int_equal(
	    f->sink->ops->output(f->sink, task_of(f, n), stream, bytes, length, &err), 0);
}

static inline void
say(struct fixture *f, int n, const char *text)
{
	print(f, n, RESULT_STDOUT, text, strlen(text));
}

static inline void
complain(struct fixture *f, int n, const char *text)
{
	print(f, n, RESULT_STDERR, text, strlen(text));
}

static inline void
settle(struct fixture *f, int n)
{
	struct err err = {0};
	const struct result result = {.reason = RESULT_EXIT};
	assert_int_equal(f->sink->ops->settled(f->sink, task_of(f, n), &result, &err), 0);
}

static inline void
retry(struct fixture *f, int n)
{
	struct err err = {0};
	const struct result result = {.reason = RESULT_EXIT, .exit_status = 1};
	assert_int_equal(f->sink->ops->retried(f->sink, task_of(f, n), &result, &err), 0);
}

static inline void
flush(struct fixture *f)
{
	struct err err = {0};
	assert_int_equal(f->sink->ops->flush(f->sink, &err), 0);
}

static inline bool
is_behind(struct fixture *f)
{
	return f->sink->ops->is_behind(f->sink);
}

static inline void
read_file(int fd, struct buf *to)
{
	struct stat st;
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(buf_reserve(to, (size_t)st.st_size + 1), 0);
	if (st.st_size > 0)
		assert_int_equal(io_pread_all(fd, to->bytes, (size_t)st.st_size, 0), 0);
	to->length = (size_t)st.st_size;
}

/* Reads what is in the pipe, at most `most` bytes; returns how many. */
static inline size_t
read_pipe(struct fixture *f, struct buf *to, size_t most)
{
	size_t before = to->length;
	while (to->length - before < most) {
		size_t want = most - (to->length - before);
		if (want > 65536)
			want = 65536;
		assert_int_equal(buf_reserve(to, want), 0);
		ssize_t got = io_read(f->read_fd, to->bytes + to->length, want);
		if (got == -1)
			assert_int_equal(errno, EAGAIN);
		if (got <= 0)
			break;
		to->length += (size_t)got;
	}
	return to->length - before;
}

static inline void
expect_file(int fd, const char *text)
{
	struct buf got = {0};
	read_file(fd, &got);
	assert_string_equal(buf_str(&got), text);
	buf_fini(&got);
}

static inline void
expect_out(struct fixture *f, const char *text)
{
	flush(f);
	expect_file(f->out_fd, text);
}

static inline void
expect_err(struct fixture *f, const char *text)
{
	flush(f);
	expect_file(f->err_fd, text);
}

static inline void
expect_finished(struct fixture *f)
{
	struct err err = {0};
	int fds[2];
	flush(f);
	assert_true(f->sink->ops->is_done(f->sink));
	assert_false(is_behind(f));
	assert_int_equal(f->sink->ops->wait_fds(f->sink, fds), 0);
	assert_int_equal(f->sink->ops->finish(f->sink, &err), 0);
}

#endif

/* Joining the jobserver of a make, being one, and how tasks get at it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/io.h"
#include "ipc/jobserver.h"

static int
join_fds(struct jobserver *jobserver, int read_fd, int write_fd, struct err *err)
{
	char makeflags[64];
	snprintf(makeflags, sizeof(makeflags), "-j3 --jobserver-auth=%d,%d", read_fd,
		 write_fd);
	return jobserver_join(jobserver, makeflags, err);
}

static void
no_make_is_no_jobserver(void **state)
{
	(void)state;
	struct jobserver jobserver;
	struct err err = {0};
	assert_int_equal(jobserver_join(&jobserver, NULL, &err), 0);
	assert_int_equal(jobserver_join(&jobserver, "kw -j", &err), 0);
	assert_int_equal(jobserver.client_fd, -1);
	jobserver_close(&jobserver);
}

static void
joining_leaves_the_flags_of_an_inherited_pipe_alone(void **state)
{
	(void)state;
	struct jobserver jobserver;
	struct err err = {0};
	int fds[2];
	char token = 0;
	assert_int_equal(io_pipe(fds, 0), 0);
	assert_int_equal(join_fds(&jobserver, fds[0], fds[1], &err), 1);
	assert_int_equal(jobserver.style, JOBSERVER_PIPE);
	assert_int_equal(fcntl(fds[0], F_GETFL) & O_NONBLOCK, 0);
	assert_false(jobserver_take(jobserver.client_fd, &token)); /* without waiting */
	jobserver_give(fds[1], 'q');
	assert_int_equal(jobserver_count(jobserver.client_fd), 1);
	assert_true(jobserver_take(jobserver.client_fd, &token));
	assert_int_equal(token, 'q');
	jobserver_close(&jobserver);
	close(fds[0]);
	close(fds[1]);
}

static void
a_named_pipe_is_joined(void **state)
{
	(void)state;
	char folder[] = "/tmp/pinion-jobserver.XXXXXX", path[64], makeflags[128];
	struct jobserver jobserver;
	struct err err = {0};
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/fifo", folder);
	snprintf(makeflags, sizeof(makeflags), " -j2 --jobserver-auth=fifo:%s", path);
	assert_int_equal(jobserver_join(&jobserver, makeflags, &err), -1);
	assert_non_null(strstr(err.text, path));
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(jobserver_join(&jobserver, makeflags, &err), 1);
	assert_int_equal(jobserver.style, JOBSERVER_FIFO);
	jobserver_give(jobserver.client_fd, 'q');
	assert_int_equal(jobserver_count(jobserver.client_fd), 1);
	jobserver_close(&jobserver);
	unlink(path);
	rmdir(folder);
}

/* Where make does not know that a command would use it, the numbers are something else's. */
static void
what_is_no_pipe_with_two_ends_is_refused(void **state)
{
	(void)state;
	struct jobserver jobserver;
	int fds[2];
	int file = open("/dev/null", O_RDWR | O_CLOEXEC);
	assert_int_equal(io_pipe(fds, 0), 0);
	const struct {
		int read_fd;
		int write_fd;
	} cases[] = {{-1, -1}, {1000, 1001}, {file, file}, {fds[1], fds[0]}, {fds[0], file}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct err err = {0};
		assert_int_equal(
		    join_fds(&jobserver, cases[i].read_fd, cases[i].write_fd, &err), -1);
		assert_non_null(strstr(err.text, "put + in front"));
		assert_int_equal(jobserver.client_fd, -1);
	}
	close(file);
	close(fds[0]);
	close(fds[1]);
}

/* As a worker does, which may be another process. */
static void
attach(enum jobserver_style style, int fds[2], char auth[JOBSERVER_AUTH_BYTES],
       struct jobserver *jobserver)
{
	assert_int_equal(jobserver_serve(jobserver, style, 2), 0);
	int fd = jobserver_seat_fd(jobserver, 1);
	assert_true(fd > 2);
	assert_int_equal(jobserver_seat_fd(jobserver, 1), fd);
	assert_true(jobserver_seat_fd(jobserver, 0) != fd);
	assert_int_equal(jobserver_attach(getpid(), fd, style, fds, auth), 0);
}

static void
tasks_inherit_descriptors_that_wait(void **state)
{
	(void)state;
	struct jobserver jobserver;
	char auth[JOBSERVER_AUTH_BYTES], expected[JOBSERVER_AUTH_BYTES], token;
	int fds[2];
	attach(JOBSERVER_PIPE, fds, auth, &jobserver);
	snprintf(expected, sizeof(expected), "%d,%d", fds[0], fds[1]);
	assert_string_equal(auth, expected);
	for (int i = 0; i < 2; i++) {
		assert_true(fds[i] >= 10);
		assert_int_equal(fcntl(fds[i], F_GETFD), 0);
		assert_int_equal(fcntl(fds[i], F_GETFL) & O_NONBLOCK, 0);
	}
	jobserver_give(jobserver_seat_fd(&jobserver, 1), 'q');
	assert_int_equal(io_read(fds[0], &token, 1), 1);
	assert_int_equal(io_write(fds[1], &token, 1), 1);
	assert_int_equal(jobserver_count(jobserver_seat_fd(&jobserver, 1)), 1);
	assert_int_equal(jobserver_count(jobserver_seat_fd(&jobserver, 0)), 0);
	close(fds[0]);
	close(fds[1]);
	jobserver_close(&jobserver);
}

static void
a_path_to_a_seats_pipe_opens_it(void **state)
{
	(void)state;
	struct jobserver jobserver;
	char auth[JOBSERVER_AUTH_BYTES], token;
	int fds[2];
	attach(JOBSERVER_FIFO, fds, auth, &jobserver);
	assert_int_equal(fds[0], -1);
	assert_int_equal(fcntl(fds[1], F_GETFD), FD_CLOEXEC);
	assert_int_equal(strncmp(auth, "fifo:/", 6), 0);
	int reader = open(auth + 5, O_RDONLY | O_CLOEXEC);
	int writer = open(auth + 5, O_WRONLY | O_CLOEXEC);
	assert_true(reader != -1 && writer != -1);
	assert_int_equal(io_write(writer, "q", 1), 1);
	assert_int_equal(io_read(reader, &token, 1), 1);
	close(reader);
	close(writer);
	close(fds[1]);
	jobserver_close(&jobserver);
}

static void
style_of(const char *version, enum jobserver_style expected)
{
	char folder[] = "/tmp/pinion-make.XXXXXX", path[64];
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/make", folder);
	FILE *script = fopen(path, "we");
	assert_non_null(script);
	fprintf(script, "#!/bin/sh\n%s\n", version);
	assert_int_equal(fchmod(fileno(script), 0700), 0);
	fclose(script);
	char *old = strdup(getenv("PATH"));
	assert_non_null(old);
	setenv("PATH", folder, 1);
	assert_int_equal(jobserver_style_of_make(), expected);
	setenv("PATH", old, 1);
	free(old);
	unlink(path);
	rmdir(folder);
}

static void
the_style_is_what_make_understands(void **state)
{
	(void)state;
	style_of("echo GNU Make 4.3", JOBSERVER_PIPE);
	style_of("echo GNU Make 3.82", JOBSERVER_PIPE);
	style_of("echo GNU Make 4.2.1", JOBSERVER_PIPE);
	style_of("echo GNU Make 4.4", JOBSERVER_FIFO);
	style_of("echo GNU Make 4.4.1", JOBSERVER_FIFO);
	style_of("echo GNU Make 5.0", JOBSERVER_FIFO);
	style_of("exit 127", JOBSERVER_FIFO); /* there is none */
	style_of("exit 1", JOBSERVER_PIPE); /* an older one is better taken for granted */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_make_is_no_jobserver),
	    cmocka_unit_test(joining_leaves_the_flags_of_an_inherited_pipe_alone),
	    cmocka_unit_test(a_named_pipe_is_joined),
	    cmocka_unit_test(what_is_no_pipe_with_two_ends_is_refused),
	    cmocka_unit_test(tasks_inherit_descriptors_that_wait),
	    cmocka_unit_test(a_path_to_a_seats_pipe_opens_it),
	    cmocka_unit_test(the_style_is_what_make_understands),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

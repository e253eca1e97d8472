/* Reads, writes and descriptors. What closes or fills standard descriptors runs in a child. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "child.h"

#include "base/io.h"

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) != -1;
}

static bool
is_cloexec(int fd)
{
	return (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0;
}

static void
file_in_memory_has_its_length_and_is_not_inherited(void **state)
{
	(void)state;
	struct stat st;
	int fd = io_memfd("name", 12345);
	assert_int_not_equal(fd, -1);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 12345);
	assert_true(is_cloexec(fd));
	assert_true(io_is_regular(fd));
	assert_false(io_is_pipe(fd));
	assert_int_equal(io_close(fd), 0);
}

static void
bytes_written_at_an_offset_are_read_there(void **state)
{
	(void)state;
	char bytes[8];
	int fd = io_memfd("name", 0);
	assert_int_equal(io_pwrite_all(fd, "hello", 5, 1000), 0);
	assert_int_equal(io_pread_all(fd, bytes, 5, 1000), 0);
	assert_memory_equal(bytes, "hello", 5);
	assert_int_equal(io_write_all(fd, "from the start", 14), 0);
	assert_int_equal(io_pread_all(fd, bytes, 4, 0), 0);
	assert_memory_equal(bytes, "from", 4);
	errno = 0;
	assert_int_equal(io_pread_all(fd, bytes, 6, 1000), -1); /* ends early */
	assert_int_equal(errno, EIO);
	close(fd);
}

static void
large_write_to_a_slow_reader_arrives_whole(void **state)
{
	(void)state;
	static char bytes[1 << 20];
	int fds[2];
	assert_int_equal(io_pipe(fds, 4096), 0);
	pid_t pid = child_fork();
	if (pid == 0) {
		memset(bytes, 'x', sizeof(bytes));
		_exit(io_write_all(fds[1], bytes, sizeof(bytes)) == 0 ? 0 : 1);
	}
	close(fds[1]);
	size_t total = 0;
	ssize_t got;
	while ((got = io_read(fds[0], bytes, 1000)) > 0)
		total += (size_t)got;
	assert_int_equal(got, 0);
	assert_int_equal(total, sizeof(bytes));
	assert_child_exits(pid, 0);
	close(fds[0]);
}

static void
ignore(int signal)
{
	(void)signal;
}

/* The other process sends signals until the byte it also sends has been read. */
static void
interrupted_read_goes_on(void **state)
{
	(void)state;
	struct sigaction before;
	struct sigaction action = {.sa_handler = ignore};
	int fds[2];
	char byte;
	assert_int_equal(io_pipe(fds, 0), 0);
	sigaction(SIGUSR1, &action, &before);
	pid_t pid = child_fork();
	if (pid == 0) {
		for (int i = 0; i < 200; i++) {
			kill(getppid(), SIGUSR1);
			poll(NULL, 0, 0);
		}
		_exit(io_write_all(fds[1], "x", 1) == 0 ? 0 : 1);
	}
	assert_int_equal(io_read(fds[0], &byte, 1), 1);
	assert_int_equal(byte, 'x');
	int status;
	while (waitpid(pid, &status, 0) == -1)
		assert_int_equal(errno, EINTR);
	assert_int_equal(status, 0);
	sigaction(SIGUSR1, &before, NULL);
	close(fds[0]);
	close(fds[1]);
}

static void
what_comes_in_parts_is_read_up_to_its_length_or_end(void **state)
{
	(void)state;
	int fds[2];
	char bytes[8];
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	assert_int_equal(send(fds[1], "ab", 2, 0), 2);
	assert_int_equal(send(fds[1], "cd", 2, 0), 2);
	assert_int_equal(send(fds[1], "e", 1, 0), 1);
	assert_int_equal(io_read_start(fds[0], bytes, 4), 4);
	assert_memory_equal(bytes, "abcd", 4);
	close(fds[1]);
	assert_int_equal(io_read_start(fds[0], bytes, sizeof(bytes)), 1);
	assert_int_equal(bytes[0], 'e');
	close(fds[0]);
	assert_int_equal(io_read_start(fds[0], bytes, 1), -1);
}

static void
errors_are_left_in_errno(void **state)
{
	(void)state;
	char byte;
	int fds[2];
	assert_int_equal(io_pipe(fds, 0), 0);
	assert_int_equal(io_set_nonblocking(fds[0]), 0);
	assert_int_equal(io_read(fds[0], &byte, 1), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(io_write_all(fds[0], "x", 1), -1);
	assert_int_equal(errno, EBADF);
	close(fds[0]);
	close(fds[1]);
}

static void
pipes_block_and_are_not_inherited(void **state)
{
	(void)state;
	int fds[2];
	assert_int_equal(io_pipe(fds, 256 * 1024), 0);
	for (int i = 0; i < 2; i++) {
		assert_true(is_cloexec(fds[i]));
		assert_int_equal(fcntl(fds[i], F_GETFL) & O_NONBLOCK, 0);
		assert_true(io_is_pipe(fds[i]));
		assert_false(io_is_regular(fds[i]));
	}
	close(fds[0]);
	close(fds[1]);
}

static void
closing_forgets_the_descriptor(void **state)
{
	(void)state;
	int fd = io_memfd("name", 0);
	int number = fd;
	io_close_set(&fd);
	assert_int_equal(fd, -1);
	assert_false(is_open(number));
	io_close_set(&fd);
	assert_int_equal(io_close(-1), 0);
	assert_int_equal(io_close(number), -1);
	assert_int_equal(errno, EBADF);
}

static void
duplicate_is_not_inherited_nor_a_standard_one(void **state)
{
	(void)state;
	int fd = io_dup(0);
	assert_true(fd >= 3);
	assert_true(is_cloexec(fd));
	close(fd);
}

static void
closed_standard_descriptors_are_filled_and_still_fail(void **state)
{
	(void)state;
	pid_t pid = child_fork();
	if (pid == 0) {
		char byte;
		for (int fd = 0; fd <= 2; fd++)
			close(fd);
		if (io_ensure_standard() == -1)
			_exit(1);
		if (read(0, &byte, 1) != -1 || errno != EBADF)
			_exit(2);
		if (write(1, "x", 1) != -1 || errno != EBADF)
			_exit(3);
		if (write(2, "x", 1) != 1)
			_exit(4);
		_exit(open("/dev/null", O_RDONLY | O_CLOEXEC) > 2 ? 0 : 5);
	}
	assert_child_exits(pid, 0);
}

static void
open_standard_descriptors_are_left_alone(void **state)
{
	(void)state;
	int fds[2];
	char byte;
	assert_int_equal(io_pipe(fds, 0), 0);
	pid_t pid = child_fork();
	if (pid == 0) {
		dup2(fds[1], 1);
		close(0);
		_exit(io_ensure_standard() == 0 && write(1, "x", 1) == 1 ? 0 : 1);
	}
	assert_child_exits(pid, 0);
	assert_int_equal(io_read(fds[0], &byte, 1), 1);
	close(fds[0]);
	close(fds[1]);
}

/* In a child: opens 40..59, closes from 45 on; the exit status is a number that is wrong. */
static void
check_close_from(int *keep, size_t keep_count)
{
	pid_t pid = child_fork();
	if (pid == 0) {
		for (int fd = 40; fd < 60; fd++)
			dup2(0, fd);
		io_close_from(45, keep, keep_count);
		for (int fd = 40; fd < 60; fd++) {
			bool is_kept = fd < 45;
			for (size_t i = 0; i < keep_count; i++)
				is_kept |= keep[i] == fd;
			if (is_open(fd) != is_kept)
				_exit(fd);
		}
		_exit(0);
	}
	assert_child_exits(pid, 0);
}

static void
all_from_a_number_on_are_closed_but_those_kept(void **state)
{
	(void)state;
	check_close_from(NULL, 0);
	check_close_from((int[]){50}, 1);
	check_close_from((int[]){45, 46, 59}, 3);
	check_close_from((int[]){-1, 50, 52}, 3);
	check_close_from((int[]){-1, -1, 41, 44, 58}, 5);
	check_close_from((int[]){51, 50, 50}, 3);
	check_close_from((int[]){-1}, 1);
	check_close_from((int[]){50, 500}, 2); /* one that is not open */
}

static void
pipe_reopened_does_not_block_while_others_still_do(void **state)
{
	(void)state;
	int fds[2];
	static char bytes[1 << 17];
	assert_int_equal(io_pipe(fds, 4096), 0);
	int fd = io_reopen_nonblocking(fds[1]);
	assert_int_not_equal(fd, -1);
	assert_true(is_cloexec(fd));
	assert_int_equal(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0);
	while (io_write(fd, bytes, sizeof(bytes)) > 0)
		;
	assert_int_equal(errno, EAGAIN);
	assert_true(io_read(fds[0], bytes, 1) == 1); /* the same pipe */
	close(fd);
	close(fds[0]);
	close(fds[1]);
}

static void
what_cannot_be_written_without_blocking_is_not_reopened(void **state)
{
	(void)state;
	int fds[2];
	assert_int_equal(io_pipe(fds, 0), 0);
	assert_int_equal(io_reopen_nonblocking(fds[0]), -1); /* only read */
	int file = io_memfd("name", 0);
	assert_int_equal(io_reopen_nonblocking(file), -1);
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(io_reopen_nonblocking(null), -1);
	assert_int_equal(io_reopen_nonblocking(-1), -1);
	close(null);
	close(file);
	close(fds[0]);
	close(fds[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TIMED_TEST(file_in_memory_has_its_length_and_is_not_inherited),
	    TIMED_TEST(bytes_written_at_an_offset_are_read_there),
	    TIMED_TEST(large_write_to_a_slow_reader_arrives_whole),
	    TIMED_TEST(interrupted_read_goes_on),
	    TIMED_TEST(what_comes_in_parts_is_read_up_to_its_length_or_end),
	    TIMED_TEST(errors_are_left_in_errno),
	    TIMED_TEST(pipes_block_and_are_not_inherited),
	    TIMED_TEST(closing_forgets_the_descriptor),
	    TIMED_TEST(duplicate_is_not_inherited_nor_a_standard_one),
	    TIMED_TEST(closed_standard_descriptors_are_filled_and_still_fail),
	    TIMED_TEST(open_standard_descriptors_are_left_alone),
	    TIMED_TEST(all_from_a_number_on_are_closed_but_those_kept),
	    TIMED_TEST(pipe_reopened_does_not_block_while_others_still_do),
	    TIMED_TEST(what_cannot_be_written_without_blocking_is_not_reopened),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

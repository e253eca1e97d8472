/* Tests of sink/writer: one descriptor written without blocking. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/io.h"
#include "sink/writer.h"

#define BULK_BYTES (3 * 1024 * 1024 + 77)

static char *
make_bytes(size_t length)
{
	unsigned int seed = 1;
	char *bytes = malloc(length);
	assert_non_null(bytes);
	for (size_t i = 0; i < length; i++)
		bytes[i] = (char)rand_r(&seed);
	return bytes;
}

static int
readable_bytes(int fd)
{
	int count = -1;
	assert_int_equal(ioctl(fd, FIONREAD, &count), 0);
	return count;
}

/* Reads what is there now. */
static void
read_available(int fd, struct buf *to)
{
	int count = readable_bytes(fd);
	assert_int_equal(buf_reserve(to, (size_t)count), 0);
	ssize_t got = count == 0 ? 0 : io_read(fd, to->bytes + to->length, (size_t)count);
	assert_true(got >= 0);
	to->length += (size_t)got;
}

/*
 * Puts bulk bytes at a reader that reads only when the writer is stuck; all must arrive.
 */
static void
check_bulk_arrives(struct writer *writer, int read_fd)
{
	struct err err = {0};
	struct buf got = {0};
	char *bytes = make_bytes(BULK_BYTES);
	assert_int_equal(writer_put(writer, bytes, BULK_BYTES, &err), 0);
	assert_true(writer_queued_bytes(writer) > 0);
	assert_true(writer->is_blocked);
	while (writer_queued_bytes(writer) > 0) {
		size_t before = got.length;
		read_available(read_fd, &got);
		assert_true(got.length > before);
		assert_int_equal(writer_flush(writer, &err), 0);
	}
	while (got.length < BULK_BYTES && readable_bytes(read_fd) > 0)
		read_available(read_fd, &got);
	assert_int_equal(got.length, BULK_BYTES);
	assert_memory_equal(got.bytes, bytes, BULK_BYTES);
	assert_false(writer->is_blocked);
	free(bytes);
	buf_fini(&got);
}

static void
small_writes_are_gathered_until_flush(void **state)
{
	(void)state;
	struct writer writer;
	struct err err = {0};
	struct buf got = {0};
	int fds[2];
	assert_int_equal(io_pipe(fds, 0), 0);
	writer_init(&writer, fds[1], "stdout");
	for (int i = 0; i < 1000; i++)
		assert_int_equal(writer_put(&writer, "tiny\n", 5, &err), 0);
	assert_int_equal(readable_bytes(fds[0]), 0);
	assert_int_equal(writer_queued_bytes(&writer), 5000);
	assert_int_equal(writer_flush(&writer, &err), 0);
	read_available(fds[0], &got);
	assert_int_equal(got.length, 5000);
	assert_memory_equal(got.bytes + 4995, "tiny\n", 5);
	buf_fini(&got);
	writer_fini(&writer);
	close(fds[0]);
	close(fds[1]);
}

static void
gathered_bytes_stay_in_front_of_large_ones(void **state)
{
	(void)state;
	struct writer writer;
	struct err err = {0};
	struct buf got = {0};
	char *bytes = make_bytes(WRITER_GATHER_BYTES);
	int fds[2];
	assert_int_equal(io_pipe(fds, 0), 0);
	writer_init(&writer, fds[1], "stdout");
	assert_int_equal(writer_put(&writer, "first", 5, &err), 0);
	assert_int_equal(writer_put(&writer, bytes, WRITER_GATHER_BYTES, &err), 0);
	assert_int_equal(writer_flush(&writer, &err), 0);
	while (got.length < WRITER_GATHER_BYTES + 5 && readable_bytes(fds[0]) > 0)
		read_available(fds[0], &got);
	assert_int_equal(got.length, WRITER_GATHER_BYTES + 5);
	assert_memory_equal(got.bytes, "first", 5);
	assert_memory_equal(got.bytes + 5, bytes, WRITER_GATHER_BYTES);
	free(bytes);
	buf_fini(&got);
	writer_fini(&writer);
	close(fds[0]);
	close(fds[1]);
}

static void
full_pipe_takes_the_rest_later_and_keeps_its_flags(void **state)
{
	(void)state;
	struct writer writer;
	int fds[2];
	assert_int_equal(io_pipe(fds, 0), 0);
	writer_init(&writer, fds[1], "stdout");
	assert_int_equal(writer.kind, WRITER_PIPE);
	assert_int_equal(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0);
	assert_int_not_equal(writer_wait_fd(&writer), fds[1]);
	check_bulk_arrives(&writer, fds[0]);
	writer_fini(&writer);
	close(fds[0]);
	close(fds[1]);
}

/* Pieces of all sizes, put or offered, to a reader that takes some now and then. */
static void
what_is_offered_keeps_its_place_among_what_is_put(void **state)
{
	(void)state;
	struct writer writer;
	struct err err = {0};
	struct buf got = {0}, model = {0};
	char *bytes = make_bytes(BULK_BYTES);
	unsigned int seed = 1;
	int fds[2];
	assert_int_equal(io_pipe(fds, 0), 0);
	writer_init(&writer, fds[1], "stdout");
	for (int i = 0; i < 400; i++) {
		size_t from = (size_t)rand_r(&seed) % 1000;
		size_t length = (size_t)rand_r(&seed) % (i % 3 == 0 ? 600000 : 3000);
		size_t taken = length;
		if (rand_r(&seed) % 2 == 0)
			assert_int_equal(writer_put(&writer, bytes + from, length, &err),
					 0);
		else
			assert_int_equal(
			    writer_offer(&writer, bytes + from, length, &taken, &err), 0);
		assert_true(taken <= length);
		assert_int_equal(buf_append(&model, bytes + from, taken), 0);
		if (rand_r(&seed) % 3 == 0)
			read_available(fds[0], &got);
		if (rand_r(&seed) % 3 == 0)
			assert_int_equal(writer_flush(&writer, &err), 0);
		assert_int_equal(writer.written_bytes + writer_queued_bytes(&writer),
				 model.length);
	}
	while (got.length < model.length) {
		assert_int_equal(writer_flush(&writer, &err), 0);
		read_available(fds[0], &got);
	}
	assert_int_equal(writer_queued_bytes(&writer), 0);
	assert_int_equal(got.length, model.length);
	assert_memory_equal(got.bytes, model.bytes, model.length);
	free(bytes);
	buf_fini(&got);
	buf_fini(&model);
	writer_fini(&writer);
	close(fds[0]);
	close(fds[1]);
}

static void
reader_that_goes_while_much_is_on_its_way_is_no_error(void **state)
{
	(void)state;
	struct writer writer;
	struct err err = {0};
	char *bytes = make_bytes(BULK_BYTES);
	size_t taken = 0;
	int fds[2];
	assert_int_equal(io_pipe(fds, 0), 0);
	writer_init(&writer, fds[1], "stdout");
	assert_int_equal(writer_offer(&writer, bytes, BULK_BYTES, &taken, &err), 0);
	assert_true(writer.is_blocked && taken > 0);
	close(fds[0]);
	assert_int_equal(writer_flush(&writer, &err), 0);
	assert_true(writer.is_closed);
	assert_int_equal(writer_queued_bytes(&writer), 0);
	assert_int_equal(writer_offer(&writer, bytes, 100000, &taken, &err), 0);
	assert_int_equal(taken, 100000);
	free(bytes);
	writer_fini(&writer);
	close(fds[1]);
}

static void
queue_that_never_empties_does_not_grow(void **state)
{
	(void)state;
	struct writer writer;
	struct err err = {0};
	struct buf got = {0};
	char part[50000] = {0};
	int fds[2];
	assert_int_equal(io_pipe(fds, 0), 0);
	writer_init(&writer, fds[1], "stdout");
	while (writer_queued_bytes(&writer) < 200000)
		assert_int_equal(writer_put(&writer, part, sizeof(part), &err), 0);
	for (int i = 0; i < 500; i++) {
		assert_int_equal(buf_reserve(&got, sizeof(part)), 0);
		assert_int_equal(io_read(fds[0], got.bytes, sizeof(part)), sizeof(part));
		assert_int_equal(writer_flush(&writer, &err), 0);
		assert_true(writer_queued_bytes(&writer) > 0);
		assert_int_equal(writer_put(&writer, part, sizeof(part), &err), 0);
	}
	assert_true(writer.queue.capacity < 1000000);
	buf_fini(&got);
	writer_fini(&writer);
	close(fds[0]);
	close(fds[1]);
}

static void
full_socket_takes_the_rest_later(void **state)
{
	(void)state;
	struct writer writer;
	int fds[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	writer_init(&writer, fds[1], "stdout");
	assert_int_equal(writer.kind, WRITER_SOCKET);
	assert_int_not_equal(writer_wait_fd(&writer), fds[1]);
	check_bulk_arrives(&writer, fds[0]);
	writer_fini(&writer);
	close(fds[0]);
	close(fds[1]);
}

static void
descriptor_that_must_be_polled_never_blocks(void **state)
{
	(void)state;
	struct writer writer;
	int fds[2];
	assert_int_equal(io_pipe(fds, 0), 0);
	writer_init(&writer, fds[1], "stdout");
	writer.kind = WRITER_POLLED; /* as if it could not be opened again */
	check_bulk_arrives(&writer, fds[0]);
	writer_fini(&writer);
	close(fds[0]);
	close(fds[1]);
}

static void
regular_file_takes_all_at_once(void **state)
{
	(void)state;
	struct writer writer;
	struct err err = {0};
	char *bytes = make_bytes(BULK_BYTES);
	char *got = malloc(BULK_BYTES);
	int fd = io_memfd("test", 0);
	assert_int_not_equal(fd, -1);
	assert_non_null(got);
	writer_init(&writer, fd, "stdout");
	assert_int_equal(writer.kind, WRITER_FILE);
	assert_int_equal(writer_put(&writer, "head", 4, &err), 0);
	assert_int_equal(writer_put(&writer, bytes, BULK_BYTES, &err), 0);
	assert_int_equal(writer_queued_bytes(&writer), 0);
	assert_int_equal(io_pread_all(fd, got, BULK_BYTES, 4), 0);
	assert_memory_equal(got, bytes, BULK_BYTES);
	assert_int_equal(writer_check_close(&writer, &err), 0);
	writer_fini(&writer);
	close(fd);
	free(bytes);
	free(got);
}

static void
gone_reader_is_no_error_and_drops_everything(void **state)
{
	(void)state;
	struct writer writer;
	struct err err = {0};
	int fds[2];
	assert_int_equal(io_pipe(fds, 0), 0);
	writer_init(&writer, fds[1], "stdout");
	assert_int_equal(writer_put(&writer, "lost", 4, &err), 0);
	assert_false(writer_reader_is_gone(&writer));
	close(fds[0]);
	assert_true(writer_reader_is_gone(&writer));
	assert_false(writer.is_closed);
	assert_int_equal(writer_flush(&writer, &err), 0);
	assert_true(writer.is_closed);
	assert_int_equal(writer_queued_bytes(&writer), 0);
	assert_int_equal(writer_put(&writer, "more", 4, &err), 0);
	assert_int_equal(writer_queued_bytes(&writer), 0);
	assert_int_equal(writer_check_close(&writer, &err), 0);
	writer_fini(&writer);
	close(fds[1]);
}

static void
reader_gone_before_init_is_noticed_too(void **state)
{
	(void)state;
	struct writer writer;
	struct err err = {0};
	int fds[2];
	assert_int_equal(io_pipe(fds, 0), 0);
	close(fds[0]);
	writer_init(&writer, fds[1], "stdout");
	assert_int_equal(writer_put(&writer, "lost", 4, &err), 0);
	assert_int_equal(writer_flush(&writer, &err), 0);
	assert_true(writer.is_closed);
	writer_fini(&writer);
	close(fds[1]);
}

static void
gone_socket_reader_is_no_error(void **state)
{
	(void)state;
	struct writer writer;
	struct err err = {0};
	int fds[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	writer_init(&writer, fds[1], "stdout");
	close(fds[0]);
	assert_int_equal(writer_put(&writer, "lost", 4, &err), 0);
	assert_int_equal(writer_flush(&writer, &err), 0);
	assert_true(writer.is_closed);
	writer_fini(&writer);
	close(fds[1]);
}

static void
full_device_is_an_error_that_names_the_stream(void **state)
{
	(void)state;
	struct writer writer;
	struct err err = {0};
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	writer_init(&writer, fd, "stdout");
	assert_int_equal(writer_put(&writer, "x", 1, &err), 0);
	assert_int_equal(writer_flush(&writer, &err), -1);
	assert_string_equal(err.text, "cannot write to stdout: No space left on device");
	assert_int_equal(err.errno_value, ENOSPC);
	writer_fini(&writer);
	close(fd);
}

static void
closed_descriptor_is_an_error(void **state)
{
	(void)state;
	struct writer writer;
	struct err err = {0};
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	close(fd);
	writer_init(&writer, fd, "stderr");
	assert_int_equal(writer_put(&writer, "x", 1, &err), 0);
	assert_int_equal(writer_flush(&writer, &err), -1);
	assert_int_equal(err.errno_value, EBADF);
	assert_int_equal(writer_check_close(&writer, &err), -1);
	writer_fini(&writer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(small_writes_are_gathered_until_flush),
	    cmocka_unit_test(gathered_bytes_stay_in_front_of_large_ones),
	    cmocka_unit_test(full_pipe_takes_the_rest_later_and_keeps_its_flags),
	    cmocka_unit_test(what_is_offered_keeps_its_place_among_what_is_put),
	    cmocka_unit_test(reader_that_goes_while_much_is_on_its_way_is_no_error),
	    cmocka_unit_test(queue_that_never_empties_does_not_grow),
	    cmocka_unit_test(full_socket_takes_the_rest_later),
	    cmocka_unit_test(descriptor_that_must_be_polled_never_blocks),
	    cmocka_unit_test(regular_file_takes_all_at_once),
	    cmocka_unit_test(gone_reader_is_no_error_and_drops_everything),
	    cmocka_unit_test(reader_gone_before_init_is_noticed_too),
	    cmocka_unit_test(gone_socket_reader_is_no_error),
	    cmocka_unit_test(full_device_is_an_error_that_names_the_stream),
	    cmocka_unit_test(closed_descriptor_is_an_error),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

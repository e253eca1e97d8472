/* Tests of ipc/frame: messages from a worker to the coordinator. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/io.h"
#include "ipc/frame.h"

static void
append(struct buf *frames, enum frame_type type, uint64_t seq, const char *text)
{
	assert_int_equal(frame_append(frames, type, seq, 3, text, strlen(text)), 0);
}

static void
expect(struct frame_reader *reader, enum frame_type type, uint64_t seq, const char *text)
{
	struct frame_header header;
	const char *payload;
	assert_int_equal(frame_next(reader, &header, &payload), 1);
	assert_int_equal(header.type, type);
	assert_int_equal(header.seq, seq);
	assert_int_equal(header.attempt, 3);
	assert_int_equal(header.payload_bytes, strlen(text));
	assert_memory_equal(payload, text, strlen(text));
}

static void
expect_no_more(struct frame_reader *reader)
{
	struct frame_header header;
	const char *payload;
	assert_int_equal(frame_next(reader, &header, &payload), 0);
}

static void
three_frames(struct buf *frames)
{
	append(frames, FRAME_STARTED, 1, "12345678");
	append(frames, FRAME_STDOUT, UINT64_MAX - 1, "");
	append(frames, FRAME_START_FAILED, 0, "why not");
}

static void
expect_three_frames(struct frame_reader *reader)
{
	expect(reader, FRAME_STARTED, 1, "12345678");
	expect(reader, FRAME_STDOUT, UINT64_MAX - 1, "");
	expect(reader, FRAME_START_FAILED, 0, "why not");
	expect_no_more(reader);
}

static void
frames_split_at_every_byte_come_out_whole(void **state)
{
	struct buf frames = {0};
	(void)state;
	three_frames(&frames);
	for (size_t split = 0; split <= frames.length; split++) {
		struct frame_reader reader = {.consumed = 0};
		struct frame_header header;
		const char *payload;
		size_t count = 0;
		int fds[2];
		assert_int_equal(io_pipe(fds, 0), 0);
		assert_int_equal(io_write_all(fds[1], frames.bytes, split), 0);
		if (split > 0)
			assert_int_equal(frame_reader_fill(&reader, fds[0], 4096), split);
		struct frame_reader copy = reader;
		while (frame_next(&copy, &header, &payload) == 1)
			count++;
		assert_int_equal(count, (split >= 24) + (split >= 40) + (split >= 63));
		assert_int_equal(
		    io_write_all(fds[1], frames.bytes + split, frames.length - split), 0);
		close(fds[1]);
		while (frame_reader_fill(&reader, fds[0], 4096) > 0)
			;
		expect_three_frames(&reader);
		frame_reader_fini(&reader);
		close(fds[0]);
	}
	buf_fini(&frames);
}

static void
frames_read_byte_by_byte_come_out_as_they_are_complete(void **state)
{
	struct buf frames = {0};
	struct frame_reader reader = {.consumed = 0};
	size_t ends[] = {24, 40, 63};
	size_t found = 0;
	int fds[2];
	(void)state;
	three_frames(&frames);
	assert_int_equal(io_pipe(fds, 0), 0);
	assert_int_equal(io_write_all(fds[1], frames.bytes, frames.length), 0);
	for (size_t at = 1; at <= frames.length; at++) {
		struct frame_header header;
		const char *payload;
		assert_int_equal(frame_reader_fill(&reader, fds[0], 1), 1);
		int status = frame_next(&reader, &header, &payload);
		assert_int_equal(status, found < 3 && at == ends[found]);
		found += (size_t)status;
	}
	assert_int_equal(found, 3);
	close(fds[1]);
	assert_int_equal(frame_reader_fill(&reader, fds[0], 1), 0);
	close(fds[0]);
	frame_reader_fini(&reader);
	buf_fini(&frames);
}

static void
the_largest_payload_fits(void **state)
{
	struct buf frames = {0};
	struct frame_reader reader = {.consumed = 0};
	struct frame_header header;
	const char *payload;
	char *bytes = malloc(FRAME_PAYLOAD_MAX);
	int fds[2];
	(void)state;
	assert_non_null(bytes);
	memset(bytes, 'x', FRAME_PAYLOAD_MAX);
	assert_int_equal(frame_append(&frames, FRAME_STDERR, 1, FRAME_ATTEMPT_MAX, bytes,
				      FRAME_PAYLOAD_MAX),
			 0);
	assert_int_equal(io_pipe(fds, 2 * FRAME_PAYLOAD_MAX), 0);
	assert_int_equal(io_write_all(fds[1], frames.bytes, frames.length), 0);
	while (frame_next(&reader, &header, &payload) == 0)
		assert_true(frame_reader_fill(&reader, fds[0], 2 * FRAME_PAYLOAD_MAX) > 0);
	assert_int_equal(header.payload_bytes, FRAME_PAYLOAD_MAX);
	assert_int_equal(header.attempt, FRAME_ATTEMPT_MAX);
	assert_memory_equal(payload, bytes, FRAME_PAYLOAD_MAX);
	close(fds[0]);
	close(fds[1]);
	free(bytes);
	frame_reader_fini(&reader);
	buf_fini(&frames);
}

static int
read_header(const struct frame_header *sent)
{
	struct frame_reader reader = {.consumed = 0};
	struct frame_header header;
	const char *payload;
	assert_int_equal(buf_append(&reader.bytes, sent, sizeof(*sent)), 0);
	int status = frame_next(&reader, &header, &payload);
	frame_reader_fini(&reader);
	return status;
}

static void
headers_out_of_bounds_are_garbage(void **state)
{
	struct frame_header good = {.type = FRAME_STDOUT, .attempt = 1};
	struct frame_header bad = good;
	(void)state;
	assert_int_equal(read_header(&good), 1);
	bad.payload_bytes = FRAME_PAYLOAD_MAX + 1;
	assert_int_equal(read_header(&bad), -1);
	bad.payload_bytes = UINT32_MAX;
	assert_int_equal(read_header(&bad), -1);
	bad = good;
	bad.type = 0;
	assert_int_equal(read_header(&bad), -1);
	bad.type = FRAME_TYPES;
	assert_int_equal(read_header(&bad), -1);
	good.payload_bytes = FRAME_PAYLOAD_MAX; /* not there yet */
	assert_int_equal(read_header(&good), 0);
}

static void
an_empty_pipe_is_not_an_end(void **state)
{
	struct frame_reader reader = {.consumed = 0};
	int fds[2];
	(void)state;
	assert_int_equal(io_pipe(fds, 0), 0);
	assert_int_equal(io_set_nonblocking(fds[0]), 0);
	errno = 0;
	assert_int_equal(frame_reader_fill(&reader, fds[0], 100), -1);
	assert_int_equal(errno, EAGAIN);
	close(fds[1]);
	assert_int_equal(frame_reader_fill(&reader, fds[0], 100), 0);
	close(fds[0]);
	frame_reader_fini(&reader);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(frames_split_at_every_byte_come_out_whole),
	    cmocka_unit_test(frames_read_byte_by_byte_come_out_as_they_are_complete),
	    cmocka_unit_test(the_largest_payload_fits),
	    cmocka_unit_test(headers_out_of_bounds_are_garbage),
	    cmocka_unit_test(an_empty_pipe_is_not_an_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

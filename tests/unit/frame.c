/* Tests of ipc/frame: the bytes between a worker and the coordinator. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ipc/frame.h"

static void
a_frame_comes_out_as_it_went_in(void **state)
{
	char bytes[64];
	struct frame_header header;
	const char *payload;
	(void)state;
	frame_put_header(bytes, FRAME_STDERR, 7, FRAME_ATTEMPT_MAX, 5);
	memcpy(bytes + frame_bytes(0), "hello", 5);
	assert_int_equal(frame_get(bytes, frame_bytes(5), &header, &payload), 1);
	assert_int_equal(header.type, FRAME_STDERR);
	assert_int_equal(header.seq, 7);
	assert_int_equal(header.attempt, FRAME_ATTEMPT_MAX);
	assert_int_equal(header.payload_bytes, 5);
	assert_memory_equal(payload, "hello", 5);
}

static void
nothing_is_no_frame_and_a_piece_of_one_is_garbage(void **state)
{
	char bytes[64] = {0};
	struct frame_header header;
	const char *payload;
	(void)state;
	frame_put_header(bytes, FRAME_STDOUT, 7, 1, 20);
	assert_int_equal(frame_get(bytes, 0, &header, &payload), 0);
	for (size_t length = 1; length < frame_bytes(20); length++)
		assert_int_equal(frame_get(bytes, length, &header, &payload), -1);
	assert_int_equal(frame_get(bytes, frame_bytes(20), &header, &payload), 1);
}

/* What frame_get says of a header with all the bytes behind it that it may ask for. */
static int
read_header(const struct frame_header *sent)
{
	struct frame_header header;
	const char *payload;
	char *bytes = calloc(1, frame_bytes(FRAME_PAYLOAD_MAX + 1));
	assert_non_null(bytes);
	memcpy(bytes, sent, sizeof(*sent));
	int status =
	    frame_get(bytes, frame_bytes(FRAME_PAYLOAD_MAX + 1), &header, &payload);
	free(bytes);
	return status;
}

static void
headers_out_of_bounds_are_garbage(void **state)
{
	struct frame_header good = {.type = FRAME_STDOUT, .attempt = 1};
	struct frame_header bad = good;
	(void)state;
	assert_int_equal(read_header(&good), 1);
	good.payload_bytes = FRAME_PAYLOAD_MAX;
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
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_frame_comes_out_as_it_went_in),
	    cmocka_unit_test(nothing_is_no_frame_and_a_piece_of_one_is_garbage),
	    cmocka_unit_test(headers_out_of_bounds_are_garbage),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

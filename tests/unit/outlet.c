/* Tests of sink/outlet: bytes and held streams on one descriptor, in the order given. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/io.h"
#include "sink/outlet.h"

#define BULK_BYTES ((size_t)20 * 1024 * 1024)

struct fixture {
	struct spill spill;
	struct outlet outlet;
	int fd;
	int read_fd;
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	if (f == NULL)
		return -1;
	spill_init(&f->spill, "/tmp", 1024 * 1024, NULL);
	f->read_fd = -1;
	f->fd = io_memfd("out", 0);
	*state = f;
	outlet_init(&f->outlet, f->fd, "stdout", &f->spill);
	return f->fd == -1 ? -1 : 0;
}

static int
set_up_pipe(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int fds[2];
	if (f == NULL || io_pipe(fds, 0) == -1)
		return -1;
	spill_init(&f->spill, "/tmp", 1024 * 1024, NULL);
	f->read_fd = fds[0];
	f->fd = fds[1];
	*state = f;
	outlet_init(&f->outlet, f->fd, "stdout", &f->spill);
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	outlet_fini(&f->outlet);
	spill_fini(&f->spill);
	io_close(f->fd);
	io_close(f->read_fd);
	free(f);
	return 0;
}

/* Hands over a stream of `length` bytes, all `c`. */
static void
put_coded(struct fixture *f, char c, size_t length, enum outlet_code code)
{
	struct err err = {0};
	struct held *held = NULL;
	char part[65536];
	memset(part, c, sizeof(part));
	for (size_t left = length; left > 0;) {
		size_t now = left < sizeof(part) ? left : sizeof(part);
		assert_int_equal(held_append(&f->spill, &held, part, now, &err), 0);
		left -= now;
	}
	assert_int_equal(outlet_put_coded(&f->outlet, &held, code, &err), 0);
	assert_null(held);
}

static void
put_held(struct fixture *f, char c, size_t length)
{
	put_coded(f, c, length, OUTLET_AS_IS);
}

static void
put(struct fixture *f, const char *text)
{
	struct err err = {0};
	assert_int_equal(outlet_put(&f->outlet, text, strlen(text), &err), 0);
}

static void
flush(struct fixture *f)
{
	struct err err = {0};
	assert_int_equal(outlet_flush(&f->outlet, &err), 0);
}

static off_t
file_bytes(struct fixture *f)
{
	struct stat st;
	assert_int_equal(fstat(f->fd, &st), 0);
	return st.st_size;
}

static void
short_stream_goes_straight_to_the_writer(void **state)
{
	struct fixture *f = *state;
	put_held(f, 'a', 100);
	assert_null(f->outlet.first);
	assert_int_equal(f->spill.memory_bytes, 0);
	assert_false(outlet_is_behind(&f->outlet));
	assert_false(outlet_is_empty(&f->outlet));
	flush(f);
	assert_true(outlet_is_empty(&f->outlet));
	assert_int_equal(file_bytes(f), 100);
}

static void
file_that_takes_everything_gets_it_in_turns(void **state)
{
	struct fixture *f = *state;
	put_held(f, 'a', BULK_BYTES);
	off_t first_turn_bytes = file_bytes(f);
	assert_true(first_turn_bytes > 0 && first_turn_bytes < (off_t)BULK_BYTES);
	assert_true(outlet_is_behind(&f->outlet));
	put_held(f, 'b', 10);
	for (int turn = 0; turn < 2; turn++) {
		off_t before = file_bytes(f);
		assert_false(outlet_is_empty(&f->outlet));
		flush(f);
		assert_true(file_bytes(f) > before);
	}
	assert_true(outlet_is_empty(&f->outlet));
	assert_false(outlet_is_behind(&f->outlet));
	assert_int_equal(file_bytes(f), BULK_BYTES + 10);
}

static void
bytes_behind_a_waiting_stream_stay_behind_it(void **state)
{
	struct fixture *f = *state;
	char end[8];
	put(f, "start");
	put_held(f, 'a', BULK_BYTES);
	put(f, "mid");
	put_held(f, 'b', 1);
	put(f, "end");
	while (!outlet_is_empty(&f->outlet))
		flush(f);
	assert_int_equal(file_bytes(f), 5 + BULK_BYTES + 7);
	assert_int_equal(io_pread_all(f->fd, end, 8, (off_t)(4 + BULK_BYTES)), 0);
	assert_memory_equal(end, "amidbend", 8);
}

static void
expect_bytes(struct fixture *f, off_t at, const char *text)
{
	char bytes[64];
	assert_true(strlen(text) <= sizeof(bytes));
	assert_int_equal(io_pread_all(f->fd, bytes, strlen(text), at), 0);
	assert_memory_equal(bytes, text, strlen(text));
}

static void
streams_in_a_code_come_out_whole_between_what_is_around_them(void **state)
{
	struct fixture *f = *state;
	const off_t json_bytes = 2 * (off_t)BULK_BYTES;
	const off_t base64_bytes = ((off_t)BULK_BYTES + 1 + 2) / 3 * 4;
	put(f, "<");
	put_coded(f, '\n', BULK_BYTES, OUTLET_JSON);
	put(f, "|");
	put_coded(f, '\xff', BULK_BYTES + 1, OUTLET_BASE64);
	put(f, ">");
	assert_true(outlet_is_behind(&f->outlet));
	for (int turn = 0; !outlet_is_empty(&f->outlet); turn++) {
		assert_true(turn < 20);
		assert_true(writer_queued_bytes(&f->outlet.writer) <
			    2 * OUTLET_BEHIND_BYTES);
		flush(f);
	}
	assert_int_equal(file_bytes(f), 3 + json_bytes + base64_bytes);
	expect_bytes(f, 0, "<\\n\\n");
	expect_bytes(f, json_bytes - 1, "\\n|////");
	expect_bytes(f, json_bytes + 2 + base64_bytes - 8, "////////>");
}

static void
short_streams_in_a_code_go_straight_to_the_writer(void **state)
{
	struct fixture *f = *state;
	put_coded(f, '"', 3, OUTLET_JSON);
	put_coded(f, 'a', 4, OUTLET_BASE64);
	put_coded(f, 'a', 0, OUTLET_BASE64);
	put(f, ".");
	assert_null(f->outlet.first);
	flush(f);
	expect_bytes(f, 0, "\\\"\\\"\\\"YWFhYQ==.");
	assert_int_equal(file_bytes(f), 15);
}

/* A reader that takes little: a code's state outlives each wait. */
static void
stream_in_a_code_waits_for_its_reader(void **state)
{
	struct fixture *f = *state;
	char part[50001];
	size_t got_bytes = 0;
	put_coded(f, 'a', BULK_BYTES, OUTLET_BASE64);
	assert_true(outlet_is_behind(&f->outlet));
	while (!outlet_is_empty(&f->outlet)) {
		ssize_t got = io_read(f->read_fd, part, sizeof(part));
		assert_true(got > 0);
		for (ssize_t i = 0; i < got; i++, got_bytes++)
			if (got_bytes < BULK_BYTES / 3 * 4)
				assert_int_equal(part[i], "YWFh"[got_bytes % 4]);
		assert_true(writer_queued_bytes(&f->outlet.writer) <
			    2 * OUTLET_BEHIND_BYTES);
		flush(f);
	}
	assert_int_equal(io_set_nonblocking(f->read_fd), 0);
	for (ssize_t got; (got = io_read(f->read_fd, part, sizeof(part))) > 0;)
		got_bytes += (size_t)got;
	assert_int_equal(got_bytes, (BULK_BYTES + 2) / 3 * 4);
}

static void
what_is_written_is_told_also_of_bytes_that_grow_in_a_code(void **state)
{
	struct fixture *f = *state;
	put(f, "x");
	put_coded(f, '\n', BULK_BYTES, OUTLET_JSON);
	uint64_t first = f->outlet.put_bytes;
	put_coded(f, 'a', BULK_BYTES, OUTLET_BASE64);
	put(f, "y");
	uint64_t second = f->outlet.put_bytes;
	assert_int_equal(second, 2 * BULK_BYTES + 2);
	assert_true(outlet_has_written(&f->outlet, 0));
	assert_false(outlet_has_written(&f->outlet, 1 + BULK_BYTES / 2));
	assert_false(outlet_has_written(&f->outlet, first));
	while (file_bytes(f) < (off_t)(1 + 2 * BULK_BYTES)) {
		assert_false(outlet_has_written(&f->outlet, first));
		flush(f);
	}
	while (!outlet_is_empty(&f->outlet)) {
		assert_false(outlet_has_written(&f->outlet, second));
		flush(f);
	}
	assert_true(outlet_has_written(&f->outlet, second));
	assert_false(outlet_has_written(&f->outlet, second + 1));
}

static void
what_a_stuck_reader_leaves_is_kept_within_the_budget(void **state)
{
	struct fixture *f = *state;
	char part[60000];
	struct err err = {0};
	memset(part, 'x', sizeof(part));
	for (int i = 0; i < 200; i++)
		assert_int_equal(outlet_put(&f->outlet, part, sizeof(part), &err), 0);
	assert_true(outlet_is_behind(&f->outlet));
	assert_true(writer_queued_bytes(&f->outlet.writer) <=
		    OUTLET_BEHIND_BYTES + sizeof(part));
	assert_true(f->spill.memory_bytes <= f->spill.budget_bytes);
	assert_true(f->spill.file_bytes > 0);
}

static void
gone_reader_leaves_nothing_waiting(void **state)
{
	struct fixture *f = *state;
	put_held(f, 'a', BULK_BYTES);
	assert_true(outlet_is_behind(&f->outlet));
	io_close_set(&f->read_fd);
	flush(f);
	assert_true(outlet_is_empty(&f->outlet));
	put(f, "more");
	put_held(f, 'b', BULK_BYTES);
	assert_true(outlet_is_empty(&f->outlet));
	assert_int_equal(f->spill.memory_bytes + f->spill.file_bytes, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(short_stream_goes_straight_to_the_writer,
					    set_up, tear_down),
	    cmocka_unit_test_setup_teardown(file_that_takes_everything_gets_it_in_turns,
					    set_up, tear_down),
	    cmocka_unit_test_setup_teardown(bytes_behind_a_waiting_stream_stay_behind_it,
					    set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		streams_in_a_code_come_out_whole_between_what_is_around_them, set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(
		short_streams_in_a_code_go_straight_to_the_writer, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(stream_in_a_code_waits_for_its_reader,
					    set_up_pipe, tear_down),
	    cmocka_unit_test_setup_teardown(
		what_is_written_is_told_also_of_bytes_that_grow_in_a_code, set_up,
		tear_down),
	    cmocka_unit_test_setup_teardown(
		what_a_stuck_reader_leaves_is_kept_within_the_budget, set_up_pipe,
		tear_down),
	    cmocka_unit_test_setup_teardown(gone_reader_leaves_nothing_waiting,
					    set_up_pipe, tear_down),
	};
	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

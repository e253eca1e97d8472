/* Tests of ipc/outbox: what a worker says survives it. */
#include <string.h>

#include "child.h"

#include "base/io.h"
#include "ipc/outbox.h"

struct ends {
	int fd;
	struct outbox writer;
	struct outbox reader;
};

static struct ends
open_ends(size_t index)
{
	struct err err = {0};
	struct ends ends = {.fd = outbox_open(&err)};
	assert_int_not_equal(ends.fd, -1);
	assert_int_equal(outbox_map(&ends.reader, ends.fd, index, true, &err), 0);
	assert_int_equal(outbox_map(&ends.writer, ends.fd, index, false, &err), 0);
	return ends;
}

static void
close_ends(struct ends *ends)
{
	outbox_unmap(&ends->writer);
	outbox_unmap(&ends->reader);
	close(ends->fd);
}

static bool
say(struct outbox *writer, const char *bytes, size_t length)
{
	char *to = outbox_reserve(writer, length);
	if (to == NULL)
		return false;
	memcpy(to, bytes, length);
	outbox_commit(writer, length);
	return true;
}

static bool
release(struct outbox *reader, size_t length)
{
	outbox_take(reader, length);
	return outbox_release(reader);
}

static void
assert_hears(struct outbox *reader, const char *bytes, size_t length)
{
	size_t heard;
	const char *at = outbox_peek(reader, &heard);
	assert_non_null(at);
	assert_true(heard >= length);
	assert_memory_equal(at, bytes, length);
	release(reader, length);
}

static void
assert_hears_nothing(const struct outbox *reader)
{
	size_t heard = 1;
	assert_non_null(outbox_peek(reader, &heard));
	assert_int_equal(heard, 0);
}

static void
bytes_are_heard_once_they_are_committed(void **state)
{
	(void)state;
	struct ends ends = open_ends(0);
	char *to = outbox_reserve(&ends.writer, 5);
	memcpy(to, "hello", 5);
	assert_hears_nothing(&ends.reader);
	outbox_commit(&ends.writer, 5);
	assert_hears(&ends.reader, "hello", 5);
	assert_hears_nothing(&ends.reader);
	close_ends(&ends);
}

static void
every_stretch_is_in_one_piece_on_many_turns(void **state)
{
	(void)state;
	struct ends ends = open_ends(0);
	static char bytes[70001];
	for (int turn = 0; turn < 50; turn++) {
		memset(bytes, 'a' + turn % 26, sizeof(bytes));
		for (int i = 0; i < 3; i++)
			assert_true(say(&ends.writer, bytes, sizeof(bytes)));
		for (int i = 0; i < 3; i++)
			assert_hears(&ends.reader, bytes, sizeof(bytes));
	}
	close_ends(&ends);
}

static void
outboxes_of_one_file_do_not_meet(void **state)
{
	(void)state;
	struct err err = {0};
	static char bytes[OUTBOX_BYTES];
	struct ends first = open_ends(1);
	struct outbox next = {0};
	assert_int_equal(outbox_map(&next, first.fd, 2, true, &err), 0);
	memset(bytes, 'x', sizeof(bytes));
	assert_true(say(&first.writer, bytes, sizeof(bytes)));
	assert_hears_nothing(&next);
	assert_hears(&first.reader, bytes, sizeof(bytes));
	outbox_unmap(&next);
	close_ends(&first);
}

static void
a_full_one_takes_nothing_until_something_is_released(void **state)
{
	(void)state;
	static char bytes[OUTBOX_BYTES / 4];
	struct ends ends = open_ends(0);
	for (int i = 0; i < 4; i++)
		assert_true(say(&ends.writer, bytes, sizeof(bytes)));
	assert_false(say(&ends.writer, bytes, 1));
	assert_false(release(&ends.reader, 10)); /* nobody waits */
	outbox_want_room(&ends.writer);
	assert_false(release(&ends.reader, 10)); /* too little to wake anybody */
	assert_false(say(&ends.writer, bytes, 21));
	assert_true(say(&ends.writer, bytes, 20));
	outbox_want_room(&ends.writer);
	assert_false(release(&ends.reader, OUTBOX_BYTES / 2 - 1));
	assert_true(release(&ends.reader, 1));
	assert_false(release(&ends.reader, 10)); /* told once */
	close_ends(&ends);
}

static void
the_reader_is_woken_once_until_it_looks(void **state)
{
	(void)state;
	struct ends ends = open_ends(0);
	assert_true(outbox_ring(&ends.writer));
	assert_false(outbox_ring(&ends.writer));
	outbox_answer(&ends.reader);
	assert_true(outbox_ring(&ends.writer));
	close_ends(&ends);
}

static void
a_position_that_cannot_be_is_seen(void **state)
{
	(void)state;
	size_t length;
	struct ends ends = open_ends(0);
	outbox_commit(&ends.writer, OUTBOX_BYTES);
	assert_non_null(outbox_peek(&ends.reader, &length));
	outbox_commit(&ends.writer, 1);
	assert_null(outbox_peek(&ends.reader, &length));
	close_ends(&ends);
}

/* A child that says numbers, each in one commit, as fast as there is room. */
static pid_t
fork_counter(int fd)
{
	pid_t pid = child_fork();
	if (pid == 0) {
		struct err err = {0};
		struct outbox writer = {0};
		if (outbox_map(&writer, fd, 0, false, &err) == -1)
			_exit(1);
		for (uint64_t number = 0;; number++)
			while (!say(&writer, (const char *)&number, sizeof(number)))
				;
	}
	return pid;
}

static uint64_t
hear_numbers(struct outbox *reader, uint64_t expected)
{
	size_t length;
	const char *at = outbox_peek(reader, &length);
	assert_non_null(at);
	assert_int_equal(length % sizeof(expected), 0);
	for (size_t i = 0; i < length; i += sizeof(expected), expected++)
		assert_memory_equal(at + i, &expected, sizeof(expected));
	release(reader, length);
	return expected;
}

static void
what_a_killed_writer_has_said_is_whole_and_all_there(void **state)
{
	(void)state;
	for (int round = 0; round < 20; round++) {
		struct err err = {0};
		struct outbox reader = {0};
		int fd = outbox_open(&err);
		assert_int_equal(outbox_map(&reader, fd, 0, true, &err), 0);
		pid_t pid = fork_counter(fd);
		uint64_t count = 0;
		while (count < 100000)
			count = hear_numbers(&reader, count);
		kill(pid, SIGKILL);
		assert_int_equal(WTERMSIG(child_wait(pid)), SIGKILL);
		hear_numbers(&reader, count);
		assert_hears_nothing(&reader);
		outbox_unmap(&reader);
		close(fd);
	}
}

static void
the_next_writer_starts_empty(void **state)
{
	(void)state;
	struct err err = {0};
	struct ends ends = open_ends(0);
	assert_true(say(&ends.writer, "old", 3));
	outbox_unmap(&ends.writer);
	outbox_unmap(&ends.reader);
	assert_int_equal(outbox_map(&ends.reader, ends.fd, 0, true, &err), 0);
	assert_int_equal(outbox_map(&ends.writer, ends.fd, 0, false, &err), 0);
	assert_hears_nothing(&ends.reader);
	assert_true(say(&ends.writer, "new", 3));
	assert_hears(&ends.reader, "new", 3);
	close_ends(&ends);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TIMED_TEST(bytes_are_heard_once_they_are_committed),
	    TIMED_TEST(every_stretch_is_in_one_piece_on_many_turns),
	    TIMED_TEST(outboxes_of_one_file_do_not_meet),
	    TIMED_TEST(a_full_one_takes_nothing_until_something_is_released),
	    TIMED_TEST(the_reader_is_woken_once_until_it_looks),
	    TIMED_TEST(a_position_that_cannot_be_is_seen),
	    TIMED_TEST(what_a_killed_writer_has_said_is_whole_and_all_there),
	    TIMED_TEST(the_next_writer_starts_empty),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The loop: what is ready, what callbacks may do to the watches, and how long it waits. */
#include <fcntl.h>
#include <stdlib.h>

#include "child.h"

#include "base/clock.h"
#include "base/io.h"
#include "ipc/loop.h"

struct seen {
	struct loop *loop;
	struct loop_watch *watch; /* its own */
	struct loop_watch *to_unwatch;
	unsigned int count;
	unsigned int events; /* of the last call */
};

static struct loop *
new_loop(void)
{
	struct err err = {0};
	struct loop *loop = loop_new(&err);
	assert_non_null(loop);
	return loop;
}

static void
see(void *context, unsigned int events)
{
	struct seen *seen = context;
	seen->count++;
	seen->events = events;
	loop_unwatch(seen->loop, seen->to_unwatch);
	seen->to_unwatch = NULL;
}

static struct loop_watch *
watch(struct loop *loop, int fd, unsigned int events, struct seen *seen)
{
	struct err err = {0};
	seen->loop = loop;
	seen->watch = loop_watch(loop, fd, events, see, seen, &err);
	assert_non_null(seen->watch);
	return seen->watch;
}

static void
turn(struct loop *loop, int64_t until_at_ns)
{
	struct err err = {0};
	assert_int_equal(loop_turn(loop, until_at_ns, &err), 0);
}

static void
readable_and_writable_ends_are_told(void **state)
{
	(void)state;
	struct loop *loop = new_loop();
	struct seen reading = {0};
	struct seen writing = {0};
	int fds[2];
	assert_int_equal(io_pipe(fds, 0), 0);
	watch(loop, fds[0], LOOP_READ, &reading);
	watch(loop, fds[1], LOOP_WRITE, &writing);
	turn(loop, CLOCK_NEVER);
	assert_int_equal(reading.count, 0);
	assert_int_equal(writing.count, 1);
	assert_int_equal(writing.events, LOOP_WRITE);
	assert_int_equal(io_write_all(fds[1], "x", 1), 0);
	turn(loop, CLOCK_NEVER);
	assert_int_equal(reading.count, 1);
	assert_int_equal(reading.events, LOOP_READ);
	loop_free(loop);
	close(fds[0]);
	close(fds[1]);
}

static void
other_side_that_is_gone_is_told_without_asking(void **state)
{
	(void)state;
	struct loop *loop = new_loop();
	struct seen reading = {0};
	struct seen writing = {0};
	int to_read[2];
	int to_write[2];
	assert_int_equal(io_pipe(to_read, 0), 0);
	assert_int_equal(io_pipe(to_write, 0), 0);
	watch(loop, to_read[0], 0, &reading);
	watch(loop, to_write[1], 0, &writing);
	turn(loop, 0);
	assert_int_equal(reading.count + writing.count, 0);
	close(to_read[1]);
	close(to_write[0]);
	turn(loop, CLOCK_NEVER);
	assert_true((reading.events & LOOP_GONE) != 0);
	assert_true((writing.events & LOOP_GONE) != 0);
	loop_free(loop);
	close(to_read[0]);
	close(to_write[1]);
}

static void
regular_file_is_always_ready(void **state)
{
	(void)state;
	struct loop *loop = new_loop();
	struct seen seen = {0};
	int fd = io_memfd("file", 0);
	struct loop_watch *file = watch(loop, fd, LOOP_READ, &seen);
	turn(loop, CLOCK_NEVER);
	turn(loop, CLOCK_NEVER);
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.events, LOOP_READ);
	loop_change(loop, file, 0);
	turn(loop, 0);
	assert_int_equal(seen.count, 2);
	loop_change(loop, file, LOOP_WRITE);
	turn(loop, CLOCK_NEVER);
	assert_int_equal(seen.count, 3);
	loop_free(loop);
	close(fd);
}

static void
regular_file_does_not_starve_the_others(void **state)
{
	(void)state;
	struct loop *loop = new_loop();
	struct seen file = {0};
	struct seen pipe = {0};
	int fds[2];
	int fd = io_memfd("file", 0);
	assert_int_equal(io_pipe(fds, 0), 0);
	watch(loop, fd, LOOP_READ, &file);
	watch(loop, fds[1], LOOP_WRITE, &pipe);
	turn(loop, CLOCK_NEVER);
	assert_int_equal(file.count, 1);
	assert_int_equal(pipe.count, 1);
	loop_free(loop);
	close(fd);
	close(fds[0]);
	close(fds[1]);
}

static void
change_takes_and_gives_events(void **state)
{
	(void)state;
	struct loop *loop = new_loop();
	struct seen seen = {0};
	int fds[2];
	assert_int_equal(io_pipe(fds, 0), 0);
	struct loop_watch *writing = watch(loop, fds[1], 0, &seen);
	turn(loop, 0);
	assert_int_equal(seen.count, 0);
	loop_change(loop, writing, LOOP_WRITE);
	turn(loop, CLOCK_NEVER);
	assert_int_equal(seen.count, 1);
	loop_change(loop, writing, 0);
	turn(loop, 0);
	assert_int_equal(seen.count, 1);
	loop_free(loop);
	close(fds[0]);
	close(fds[1]);
}

static void
callback_may_unwatch_itself(void **state)
{
	(void)state;
	struct loop *loop = new_loop();
	struct seen seen = {0};
	int fds[2];
	assert_int_equal(io_pipe(fds, 0), 0);
	seen.to_unwatch = watch(loop, fds[1], LOOP_WRITE, &seen);
	turn(loop, CLOCK_NEVER);
	turn(loop, 0);
	assert_int_equal(seen.count, 1);
	loop_free(loop);
	close(fds[0]);
	close(fds[1]);
}

/* Both are ready; whichever comes first takes the other away. */
static void
callback_may_unwatch_one_that_is_ready_in_the_same_turn(void **state)
{
	(void)state;
	struct loop *loop = new_loop();
	struct seen seen[2] = {{0}};
	int fds[2][2];
	for (int i = 0; i < 2; i++) {
		assert_int_equal(io_pipe(fds[i], 0), 0);
		seen[1 - i].to_unwatch = watch(loop, fds[i][1], LOOP_WRITE, &seen[i]);
	}
	turn(loop, CLOCK_NEVER);
	assert_int_equal(seen[0].count + seen[1].count, 1);
	turn(loop, CLOCK_NEVER);
	assert_int_equal(seen[0].count + seen[1].count, 2); /* the other is still there */
	loop_free(loop);
	for (int i = 0; i < 2; i++) {
		close(fds[i][0]);
		close(fds[i][1]);
	}
}

static void
callback_may_unwatch_another_regular_file(void **state)
{
	(void)state;
	struct loop *loop = new_loop();
	struct seen seen[3] = {{0}};
	int fds[3];
	for (int i = 0; i < 3; i++) {
		fds[i] = io_memfd("file", 0);
		watch(loop, fds[i], LOOP_READ, &seen[i]);
	}
	seen[2].to_unwatch = seen[1].watch;
	turn(loop, CLOCK_NEVER);
	turn(loop, CLOCK_NEVER);
	unsigned int before = seen[1].count;
	turn(loop, CLOCK_NEVER);
	assert_true(seen[0].count > 0 && seen[2].count > 0);
	assert_int_equal(seen[1].count, before);
	assert_true(before <= 1);
	loop_free(loop);
	for (int i = 0; i < 3; i++)
		close(fds[i]);
}

static void
add_a_watch(void *context, unsigned int events)
{
	struct seen *seen = context;
	struct err err = {0};
	(void)events;
	if (seen->count++ == 0)
		loop_watch(seen->loop, STDERR_FILENO, 0, see, seen, &err);
}

static void
callback_may_add_a_watch(void **state)
{
	(void)state;
	struct loop *loop = new_loop();
	struct seen seen = {.loop = loop};
	struct err err = {0};
	int fds[2];
	assert_int_equal(io_pipe(fds, 0), 0);
	assert_non_null(loop_watch(loop, fds[1], LOOP_WRITE, add_a_watch, &seen, &err));
	turn(loop, CLOCK_NEVER);
	turn(loop, CLOCK_NEVER);
	assert_true(seen.count >= 2);
	loop_free(loop); /* frees the one it added */
	close(fds[0]);
	close(fds[1]);
}

static void
turn_ends_when_the_moment_comes(void **state)
{
	(void)state;
	struct loop *loop = new_loop();
	struct seen seen = {0};
	int fds[2];
	assert_int_equal(io_pipe(fds, 0), 0);
	watch(loop, fds[0], LOOP_READ, &seen);
	int64_t until_at_ns = clock_now_ns() + 20 * NS_PER_MS;
	turn(loop, until_at_ns);
	assert_true(clock_now_ns() >= until_at_ns);
	turn(loop, clock_now_ns() - NS_PER_S);
	turn(loop, 0);
	assert_int_equal(seen.count, 0);
	loop_free(loop);
	close(fds[0]);
	close(fds[1]);
}

static void
many_ready_watches_all_get_their_turn(void **state)
{
	(void)state;
	struct loop *loop = new_loop();
	struct seen seen[100] = {{0}};
	int fds[100][2];
	for (int i = 0; i < 100; i++) {
		assert_int_equal(io_pipe(fds[i], 0), 0);
		watch(loop, fds[i][1], LOOP_WRITE, &seen[i]);
	}
	for (int i = 0; i < 4; i++)
		turn(loop, CLOCK_NEVER);
	for (int i = 0; i < 100; i++)
		assert_true(seen[i].count >= 1);
	loop_free(loop);
	for (int i = 0; i < 100; i++) {
		close(fds[i][0]);
		close(fds[i][1]);
	}
}

static void
descriptor_that_is_not_open_is_an_error(void **state)
{
	(void)state;
	struct loop *loop = new_loop();
	struct err err = {0};
	assert_null(loop_watch(loop, 1000000, LOOP_READ, see, NULL, &err));
	assert_int_equal(err.kind, ERR_SYSTEM);
	loop_unwatch(loop, NULL);
	loop_free(loop);
	loop_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TIMED_TEST(readable_and_writable_ends_are_told),
	    TIMED_TEST(other_side_that_is_gone_is_told_without_asking),
	    TIMED_TEST(regular_file_is_always_ready),
	    TIMED_TEST(regular_file_does_not_starve_the_others),
	    TIMED_TEST(change_takes_and_gives_events),
	    TIMED_TEST(callback_may_unwatch_itself),
	    TIMED_TEST(callback_may_unwatch_one_that_is_ready_in_the_same_turn),
	    TIMED_TEST(callback_may_unwatch_another_regular_file),
	    TIMED_TEST(callback_may_add_a_watch),
	    TIMED_TEST(turn_ends_when_the_moment_comes),
	    TIMED_TEST(many_ready_watches_all_get_their_turn),
	    TIMED_TEST(descriptor_that_is_not_open_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

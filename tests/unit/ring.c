/* Tests of ipc/ring: the queue between the coordinator and its workers. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/io.h"
#include "ipc/ring.h"

#define CONSUMERS 3

static struct ring *
make(size_t cells, size_t bytes)
{
	struct err err = {0};
	struct ring *ring = ring_new(cells, bytes, &err);
	assert_non_null(ring);
	return ring;
}

static void
push(struct ring *ring, uint64_t id, const char *text)
{
	struct err err = {0};
	assert_int_equal(ring_push(ring, id, 1, &id, sizeof(id), text, strlen(text), &err),
			 0);
}

/* Takes a claimed cell and compares what is in it with what push put there. */
static void
take(struct ring *ring, uint64_t position, uint64_t id, const char *text)
{
	struct buf bytes = {0};
	assert_int_equal(ring_take(ring, position, &bytes), 0);
	assert_int_equal(bytes.length, sizeof(id) + strlen(text));
	assert_memory_equal(bytes.bytes, &id, sizeof(id));
	assert_memory_equal(bytes.bytes + sizeof(id), text, strlen(text));
	buf_fini(&bytes);
}

/* The names a reclaim calls out. */
struct visited {
	uint64_t ids[64];
	size_t count;
};

static void
visit(void *context, uint64_t id, uint32_t attempt)
{
	struct visited *visited = context;
	assert_int_equal(attempt, 1);
	visited->ids[visited->count++] = id;
}

static void
nothing_is_claimed_before_it_is_published(void **state)
{
	struct ring *ring = make(8, 4096);
	uint64_t positions[8];
	(void)state;
	push(ring, 1, "one");
	assert_int_equal(ring_claim(ring, 0, 8, positions), 0);
	ring_publish(ring);
	assert_int_equal(ring_claim(ring, 0, 8, positions), 1);
	take(ring, positions[0], 1, "one");
	ring_free(ring);
}

static void
claims_come_in_the_order_of_pushes_and_once(void **state)
{
	struct ring *ring = make(8, 4096);
	uint64_t positions[8];
	(void)state;
	for (uint64_t id = 10; id < 15; id++)
		push(ring, id, "text");
	ring_publish(ring);
	assert_int_equal(ring_claim(ring, 0, 2, positions), 2);
	assert_int_equal(ring_claim(ring, 1, 8, positions + 2), 3);
	assert_int_equal(ring_claim(ring, 0, 8, positions + 5), 0);
	for (uint64_t i = 0; i < 5; i++)
		take(ring, positions[i], 10 + i, "text");
	ring_free(ring);
}

static void
collect_tells_who_took_what_and_frees_in_order(void **state)
{
	struct ring *ring = make(4, 4096);
	struct ring_ticket ticket;
	uint64_t positions[4];
	(void)state;
	push(ring, 7, "a");
	push(ring, 8, "b");
	ring_publish(ring);
	assert_int_equal(ring_room(ring), 2);
	assert_int_equal(ring_claim(ring, 5, 1, positions), 1);
	assert_int_equal(ring_claim(ring, 6, 1, positions + 1), 1);
	take(ring, positions[1], 8, "b");
	assert_false(ring_collect(ring, &ticket)); /* the older one is in the way */
	take(ring, positions[0], 7, "a");
	assert_true(ring_collect(ring, &ticket));
	assert_int_equal(ticket.id, 7);
	assert_int_equal(ticket.owner, 5);
	assert_int_equal(ticket.attempt, 1);
	assert_true(ring_collect(ring, &ticket));
	assert_int_equal(ticket.id, 8);
	assert_int_equal(ticket.owner, 6);
	assert_false(ring_collect(ring, &ticket));
	assert_int_equal(ring_room(ring), 4);
	ring_free(ring);
}

static void
a_full_ring_has_no_room_until_something_is_collected(void **state)
{
	struct ring *ring = make(4, 4096);
	struct ring_ticket ticket;
	uint64_t position;
	(void)state;
	for (uint64_t id = 0; id < 4; id++)
		push(ring, id, "x");
	ring_publish(ring);
	assert_int_equal(ring_room(ring), 0);
	assert_false(ring_has_room(ring, 0));
	assert_int_equal(ring_claim(ring, 0, 1, &position), 1);
	take(ring, position, 0, "x");
	assert_false(ring_has_room(ring, 0));
	assert_true(ring_collect(ring, &ticket));
	assert_true(ring_has_room(ring, 0));
	assert_int_equal(ring_unclaimed(ring), 3);
	ring_free(ring);
}

/* Lengths that do not divide the area, so that every end of it is met. */
static void
payloads_survive_many_turns_of_the_data_area(void **state)
{
	struct ring *ring = make(8, 1024);
	struct ring_ticket ticket;
	char text[256];
	uint64_t position;
	(void)state;
	for (uint64_t id = 0; id < 5000; id++) {
		size_t length = (size_t)(id * 37 % 240);
		memset(text, 'a' + (int)(id % 26), length);
		text[length] = '\0';
		assert_true(ring_has_room(ring, sizeof(id) + length));
		push(ring, id, text);
		ring_publish(ring);
		assert_int_equal(ring_claim(ring, 0, 1, &position), 1);
		take(ring, position, id, text);
		assert_true(ring_collect(ring, &ticket));
		assert_int_equal(ticket.id, id);
	}
	ring_free(ring);
}

static void
bytes_bound_the_ring_as_cells_do(void **state)
{
	struct ring *ring = make(64, 1024);
	char text[200];
	size_t count = 0;
	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	for (; ring_has_room(ring, sizeof(uint64_t) + strlen(text)); count++)
		push(ring, count, text);
	assert_in_range(count, 4, 5);
	ring_free(ring);
}

static void
large_payloads_come_back_whole(void **state)
{
	struct ring *ring = make(8, 4096);
	struct ring_ticket ticket;
	size_t lengths[] = {1016, 1017, 5000, 3000000, 10};
	uint64_t positions[5];
	char *text = malloc(3000001);
	(void)state;
	assert_non_null(text);
	for (int turn = 0; turn < 3; turn++) {
		for (size_t i = 0; i < 5; i++) {
			memset(text, 'a' + (int)i, lengths[i]);
			text[lengths[i]] = '\0';
			push(ring, i, text);
		}
		ring_publish(ring);
		assert_int_equal(ring_claim(ring, 1, 5, positions), 5);
		for (size_t i = 0; i < 5; i++) {
			memset(text, 'a' + (int)i, lengths[i]);
			text[lengths[i]] = '\0';
			take(ring, positions[i], i, text);
			assert_true(ring_collect(ring, &ticket));
		}
	}
	free(text);
	ring_free(ring);
}

static void
a_payload_of_any_size_fits_when_it_is_alone(void **state)
{
	struct ring *ring = make(8, 4096);
	(void)state;
	assert_true(ring_has_room(ring, (size_t)1 << 30));
	char *text = calloc(1, 70000001);
	assert_non_null(text);
	memset(text, 'z', 70000000);
	push(ring, 0, text);
	free(text);
	assert_false(ring_has_room(ring, 5000));
	assert_true(ring_has_room(ring, 100));
	ring_free(ring);
}

static void
garbled_cells_can_be_withdrawn_and_the_ring_goes_on(void **state)
{
	struct ring *ring = make(8, 4096);
	struct ring *garbler = ring_attach(dup(ring_fd(ring)), NULL);
	struct ring_ticket ticket;
	uint64_t position;
	uint64_t id;
	uint32_t attempt;
	char zeros[4096 + 1024] = {0};
	(void)state;
	assert_non_null(garbler);
	for (uint64_t i = 0; i < 3; i++)
		push(ring, i, "x");
	ring_publish(ring);
	assert_int_equal(pwrite(ring_fd(ring), zeros, sizeof(zeros), 0), sizeof(zeros));
	ring_mend(ring);
	for (uint64_t i = 0; i < 3; i++) {
		assert_true(ring_withdraw(ring, 7, &id, &attempt));
		assert_int_equal(id, i);
	}
	assert_false(ring_withdraw(ring, 7, &id, &attempt));
	for (uint64_t i = 0; i < 3; i++) {
		assert_true(ring_collect(ring, &ticket));
		assert_int_equal(ticket.owner, RING_OWNER_NONE);
	}
	push(ring, 9, "again");
	ring_publish(ring);
	assert_int_equal(ring_claim(garbler, 6, 8, &position), 1);
	assert_false(ring_is_closed(garbler));
	take(garbler, position, 9, "again");
	assert_true(ring_collect(ring, &ticket));
	assert_int_equal(ticket.owner, 6);
	ring_free(garbler);
	ring_free(ring);
}

static void
withdraw_takes_back_only_what_nobody_claimed(void **state)
{
	struct ring *ring = make(8, 4096);
	struct ring_ticket ticket;
	uint64_t position;
	uint64_t id;
	uint32_t attempt;
	(void)state;
	for (uint64_t i = 0; i < 3; i++)
		push(ring, i, "x");
	ring_publish(ring);
	push(ring, 3, "unpublished");
	assert_int_equal(ring_claim(ring, 0, 1, &position), 1);
	for (uint64_t i = 1; i < 4; i++) {
		assert_true(ring_withdraw(ring, RING_OWNER_MAX, &id, &attempt));
		assert_int_equal(id, i);
		assert_int_equal(attempt, 1);
	}
	assert_false(ring_withdraw(ring, RING_OWNER_MAX, &id, &attempt));
	assert_int_equal(ring_unclaimed(ring), 0);
	take(ring, position, 0, "x");
	assert_true(ring_collect(ring, &ticket));
	assert_int_equal(ticket.owner, 0);
	for (uint64_t i = 1; i < 4; i++) {
		assert_true(ring_collect(ring, &ticket));
		assert_int_equal(ticket.owner, RING_OWNER_NONE);
	}
	assert_int_equal(ring_room(ring), 8);
	push(ring, 9, "again");
	ring_publish(ring);
	assert_int_equal(ring_claim(ring, 0, 8, &position), 1);
	take(ring, position, 9, "again");
	ring_free(ring);
}

static void
reclaim_after_a_death_names_what_was_claimed_and_taken_but_nothing_of_others(void **state)
{
	struct ring *ring = make(16, 4096);
	struct visited visited = {.count = 0};
	struct ring_ticket ticket;
	uint64_t positions[16];
	uint64_t others[4];
	(void)state;
	for (uint64_t id = 0; id < 8; id++)
		push(ring, id, "x");
	ring_publish(ring);
	assert_int_equal(ring_claim(ring, 3, 3, positions), 3);
	assert_int_equal(ring_claim(ring, 4, 2, others), 2);
	take(ring, positions[0], 0, "x");
	ring_reclaim(ring, 3, visit, &visited);
	assert_int_equal(visited.count, 3);
	for (uint64_t i = 0; i < 3; i++) {
		assert_int_equal(visited.ids[i], i);
		assert_true(ring_collect(ring, &ticket));
		assert_int_equal(ticket.owner, 3);
	}
	assert_false(ring_collect(ring, &ticket));
	take(ring, others[0], 3, "x"); /* the living one goes on undisturbed */
	assert_int_equal(ring_claim(ring, 4, 16, positions), 3);
	ring_free(ring);
}

static void
wait_returns_at_once_when_something_was_published_since(void **state)
{
	struct ring *ring = make(8, 4096);
	(void)state;
	uint32_t bell = ring_bell(ring);
	push(ring, 0, "x");
	ring_publish(ring);
	ring_wait(ring, bell);
	bell = ring_bell(ring);
	ring_close(ring);
	ring_wait(ring, bell);
	assert_true(ring_is_closed(ring));
	bell = ring_bell(ring);
	ring_wake_all(ring);
	ring_wait(ring, bell);
	assert_int_equal(ring_sleepers(ring), 0);
	ring_free(ring);
}

/* --- with other processes --- */

/* Claims, takes and tells each id through the pipe until the ring is closed and empty. */
static _Noreturn void
consume(struct ring *ring, uint32_t owner, size_t chunk, int fd)
{
	struct buf bytes = {0};
	uint64_t positions[64];
	for (;;) {
		uint32_t bell = ring_bell(ring);
		bool is_closed = ring_is_closed(ring);
		size_t count = ring_claim(ring, owner, chunk, positions);
		if (count == 0 && is_closed)
			_exit(0);
		if (count == 0)
			ring_wait(ring, bell);
		for (size_t i = 0; i < count; i++)
			if (ring_take(ring, positions[i], &bytes) == -1 ||
			    io_write_all(fd, bytes.bytes, sizeof(uint64_t)) == -1)
				_exit(1);
	}
}

/* A test that hangs ends here. */
static void
read_ids(int fd, void *bytes, size_t length)
{
	char *at = bytes;
	while (length > 0) {
		struct pollfd pfd = {.fd = fd, .events = POLLIN};
		assert_int_equal(poll(&pfd, 1, 30000), 1);
		ssize_t got = io_read(fd, at, length);
		assert_true(got > 0);
		at += got;
		length -= (size_t)got;
	}
}

static void
start_consumers(struct ring *ring, size_t chunk, int fds[2], pid_t pids[CONSUMERS])
{
	assert_int_equal(io_pipe(fds, 0), 0);
	for (uint32_t i = 0; i < CONSUMERS; i++) {
		pids[i] = fork();
		assert_int_not_equal(pids[i], -1);
		if (pids[i] == 0)
			consume(ring, i, chunk, fds[1]);
	}
}

static void
end_consumers(struct ring *ring, int fds[2], const pid_t pids[CONSUMERS])
{
	ring_close(ring);
	for (size_t i = 0; i < CONSUMERS; i++) {
		int status;
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	close(fds[0]);
	close(fds[1]);
}

/* Pushes while there is room, reads what was consumed, and counts every id. */
static void
hand_over(size_t chunk, uint64_t total)
{
	struct ring *ring = make(64, 4096);
	struct ring_ticket ticket;
	int fds[2];
	pid_t pids[CONSUMERS];
	unsigned char *seen = calloc(total, 1);
	uint64_t pushed = 0;
	assert_non_null(seen);
	start_consumers(ring, chunk, fds, pids);
	for (uint64_t consumed = 0; consumed < total; consumed++) {
		uint64_t id;
		while (ring_collect(ring, &ticket))
			assert_in_range(ticket.owner, 0, CONSUMERS - 1);
		while (pushed < total && ring_has_room(ring, sizeof(id) + 5))
			push(ring, pushed++, "hello");
		ring_publish(ring);
		read_ids(fds[0], &id, sizeof(id));
		assert_true(id < total);
		assert_int_equal(seen[id], 0);
		seen[id] = 1;
	}
	end_consumers(ring, fds, pids);
	free(seen);
	ring_free(ring);
}

static void
each_cell_goes_to_one_of_many_processes_one_at_a_time(void **state)
{
	(void)state;
	hand_over(1, 20000);
}

static void
each_cell_goes_to_one_of_many_processes_in_chunks(void **state)
{
	(void)state;
	hand_over(7, 20000);
}

/* One at a time, so that all sleep before each push: a lost wake-up ends in the deadline. */
static void
no_wake_up_is_lost_in_a_hundred_thousand(void **state)
{
	struct ring *ring = make(8, 4096);
	struct ring_ticket ticket;
	int fds[2];
	pid_t pids[CONSUMERS];
	(void)state;
	start_consumers(ring, 1, fds, pids);
	for (uint64_t id = 0; id < 100000; id++) {
		uint64_t got;
		push(ring, id, "x");
		ring_publish(ring);
		read_ids(fds[0], &got, sizeof(got));
		assert_int_equal(got, id);
		assert_true(ring_collect(ring, &ticket));
	}
	end_consumers(ring, fds, pids);
	ring_free(ring);
}

/* Kills consumers while they consume; with their claims handed out again nothing is lost. */
static void
nothing_is_lost_when_consumers_are_killed(void **state)
{
	struct ring *ring = make(64, 4096);
	unsigned int seed = 1;
	(void)state;
	for (uint32_t owner = 0; owner < 60; owner++) {
		struct visited visited = {.count = 0};
		struct ring_ticket ticket;
		uint64_t position[64];
		int fds[2];
		uint64_t ids[8];
		assert_int_equal(io_pipe(fds, 0), 0);
		for (uint64_t id = 0; id < 64; id++)
			push(ring, id, "x");
		ring_publish(ring);
		pid_t pid = fork();
		assert_int_not_equal(pid, -1);
		if (pid == 0)
			consume(ring, owner, 5, fds[1]);
		read_ids(fds[0], ids, sizeof(ids[0]) * (1 + (size_t)rand_r(&seed) % 8));
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		size_t unclaimed = ring_unclaimed(ring);
		ring_reclaim(ring, owner, visit, &visited);
		assert_int_equal(visited.count + unclaimed, 64);
		assert_int_equal(ring_claim(ring, 1000, 64, position), unclaimed);
		for (size_t i = 0; i < unclaimed; i++)
			take(ring, position[i], 64 - unclaimed + i, "x");
		size_t collected = 0;
		while (ring_collect(ring, &ticket))
			collected++;
		assert_int_equal(collected, 64);
		close(fds[0]);
		close(fds[1]);
	}
	ring_free(ring);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_is_claimed_before_it_is_published),
	    cmocka_unit_test(claims_come_in_the_order_of_pushes_and_once),
	    cmocka_unit_test(collect_tells_who_took_what_and_frees_in_order),
	    cmocka_unit_test(a_full_ring_has_no_room_until_something_is_collected),
	    cmocka_unit_test(payloads_survive_many_turns_of_the_data_area),
	    cmocka_unit_test(bytes_bound_the_ring_as_cells_do),
	    cmocka_unit_test(large_payloads_come_back_whole),
	    cmocka_unit_test(a_payload_of_any_size_fits_when_it_is_alone),
	    cmocka_unit_test(withdraw_takes_back_only_what_nobody_claimed),
	    cmocka_unit_test(garbled_cells_can_be_withdrawn_and_the_ring_goes_on),
	    cmocka_unit_test(
		reclaim_after_a_death_names_what_was_claimed_and_taken_but_nothing_of_others),
	    cmocka_unit_test(wait_returns_at_once_when_something_was_published_since),
	    cmocka_unit_test(each_cell_goes_to_one_of_many_processes_one_at_a_time),
	    cmocka_unit_test(each_cell_goes_to_one_of_many_processes_in_chunks),
	    cmocka_unit_test(no_wake_up_is_lost_in_a_hundred_thousand),
	    cmocka_unit_test(nothing_is_lost_when_consumers_are_killed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

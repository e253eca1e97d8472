/* The queue with several processes and threads at it: who gets what, deaths, sleep. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "base/io.h"
#include "ring_fixture.h"

/* --- processes --- */

/* Shared with the workers: what they did. */
struct tally {
	_Atomic uint64_t total;
	_Atomic uint32_t taken[20000]; /* by id */
	_Atomic bool is_wrong;         /* in some worker: bytes, order, an error */
};

/* Takes up to `max` cells at once until the ring is closed and empty. */
static void
serve(struct ring *ring, uint32_t owner, size_t max, struct tally *tally)
{
	struct buf bytes = {0};
	uint64_t last = 0;
	for (;;) {
		uint64_t positions[CELLS];
		uint32_t bell = ring_bell(ring);
		bool is_closed = ring_is_closed(ring);
		size_t count = ring_claim(ring, owner, max, positions);
		if (count == 0 && is_closed)
			break;
		if (count == 0)
			ring_wait(ring, bell);
		for (size_t i = 0; i < count; i++) {
			uint64_t id = 0;
			if (ring_take(ring, positions[i], &bytes) == 0 &&
			    bytes.length == sizeof(id))
				memcpy(&id, bytes.bytes, sizeof(id));
			if (id < last || id >= 20000 || bytes.length != sizeof(id))
				atomic_store(&tally->is_wrong, true);
			else
				atomic_fetch_add(&tally->taken[id], 1);
			last = id;
			atomic_fetch_add(&tally->total, 1);
		}
	}
	buf_fini(&bytes);
}

static pid_t
fork_server(struct ring *ring, uint32_t owner, size_t max, struct tally *tally)
{
	pid_t pid = child_fork();
	if (pid == 0) {
		serve(ring, owner, max, tally);
		ring_free(ring); /* nothing of a child is lost, for valgrind */
		_exit(0);
	}
	return pid;
}

/* Pushes ids 0.. while there is room, and collects; owners must be below owner_count. */
static void
feed(struct ring *ring, uint64_t id_count, uint32_t owner_count)
{
	struct ring_ticket ticket;
	uint64_t collected = 0;
	for (uint64_t id = 0; collected < id_count;) {
		for (; id < id_count && ring_has_room(ring, sizeof(id)); id++)
			push(ring, id, (const char *)&id, sizeof(id));
		ring_publish(ring);
		if (!ring_collect(ring, &ticket)) {
			sched_yield();
			continue;
		}
		assert_int_equal(ticket.id, collected++);
		assert_true(ticket.owner < owner_count);
	}
	ring_close(ring);
}

static void
assert_all_taken_once(const struct tally *tally, uint64_t id_count)
{
	assert_false(tally->is_wrong);
	assert_int_equal(tally->total, id_count);
	for (uint64_t id = 0; id < id_count; id++)
		assert_int_equal(tally->taken[id], 1);
}

static void
processes_get_every_cell_exactly_once(void **state)
{
	(void)state;
	struct ring *ring = new_ring(CELLS, DATA_BYTES);
	struct tally *tally = shared_new(sizeof(*tally));
	pid_t pids[4];
	for (uint32_t i = 0; i < 4; i++)
		pids[i] = fork_server(ring, i, i + 1, tally);
	feed(ring, 20000, 4);
	for (uint32_t i = 0; i < 4; i++)
		assert_child_exits(pids[i], 0);
	assert_all_taken_once(tally, 20000);
	munmap(tally, sizeof(*tally));
	ring_free(ring);
}

/* Where a worker that slept in the middle of a claim goes on: positions of a past round. */
static void
forget_what_is_claimed(struct ring *ring)
{
	size_t hint_at = 192; /* the last line of the header */
	char *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring_fd(ring), 0);
	assert_true(map != MAP_FAILED);
	assert_int_equal(*(uint64_t *)(map + hint_at), CELLS);
	*(uint64_t *)(map + hint_at) = 0;
	munmap(map, 4096);
}

static void
a_claim_from_a_past_round_takes_nothing_out_of_turn(void **state)
{
	(void)state;
	struct ring *ring = new_ring(CELLS, DATA_BYTES);
	publish_ids(ring, 0, CELLS);
	for (uint64_t id = 0; id < CELLS; id++)
		take(ring, claim_one(ring, 3));
	for (uint64_t id = 0; id < CELLS; id++)
		assert_collects(ring, id, 3);
	publish_ids(ring, CELLS, 2);
	forget_what_is_claimed(ring);
	assert_int_equal(claim_one(ring, 3), CELLS);
	assert_int_equal(claim_one(ring, 3), CELLS + 1);
	assert_claims_nothing(ring);
	ring_free(ring);
}

struct server {
	pthread_t thread;
	struct ring *ring;
	uint32_t owner;
	struct tally *tally;
};

static void *
serve_in_thread(void *context)
{
	struct server *server = context;
	serve(server->ring, server->owner, 2, server->tally);
	return NULL;
}

static void
threads_get_every_cell_exactly_once(void **state)
{
	(void)state;
	struct ring *ring = new_ring(CELLS, DATA_BYTES);
	struct tally *tally = shared_new(sizeof(*tally));
	struct server servers[3];
	for (uint32_t i = 0; i < 3; i++) {
		servers[i] = (struct server){.ring = ring, .owner = i, .tally = tally};
		assert_int_equal(pthread_create(&servers[i].thread, NULL, serve_in_thread,
						&servers[i]),
				 0);
	}
	feed(ring, 5000, 3);
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(pthread_join(servers[i].thread, NULL), 0);
	assert_all_taken_once(tally, 5000);
	munmap(tally, sizeof(*tally));
	ring_free(ring);
}

static void
hand_overs_one_at_a_time_lose_no_wake_up(void **state)
{
	(void)state;
	struct ring *ring = new_ring(CELLS, DATA_BYTES);
	int fds[2];
	assert_int_equal(io_pipe(fds, 0), 0);
	pid_t pid = child_fork();
	if (pid == 0) {
		struct buf bytes = {0};
		for (;;) {
			uint64_t position;
			uint32_t bell = ring_bell(ring);
			if (ring_claim(ring, 0, 1, &position) == 1) {
				if (ring_take(ring, position, &bytes) == -1 ||
				    io_write_all(fds[1], "", 1) == -1)
					_exit(1);
				continue;
			}
			if (ring_is_closed(ring))
				break;
			ring_wait(ring, bell);
		}
		buf_fini(&bytes);
		ring_free(ring);
		_exit(0);
	}
	for (uint64_t id = 0; id < 50000; id++) {
		char byte;
		publish_ids(ring, id, 1);
		assert_int_equal(io_read(fds[0], &byte, 1), 1);
		assert_collects(ring, id, 0);
	}
	ring_close(ring);
	assert_child_exits(pid, 0);
	close(fds[0]);
	close(fds[1]);
	ring_free(ring);
}

/* --- deaths --- */

static void
death_between_claim_and_take_returns_the_cells(void **state)
{
	(void)state;
	struct ring *ring = new_ring(CELLS, DATA_BYTES);
	struct visited visited = {.count = 0};
	int fds[2];
	char byte;
	assert_int_equal(io_pipe(fds, 0), 0);
	publish_ids(ring, 0, 5);
	pid_t pid = child_fork();
	if (pid == 0) {
		uint64_t positions[3];
		struct buf bytes = {0};
		if (ring_claim(ring, 7, 3, positions) != 3 ||
		    ring_take(ring, positions[1], &bytes) == -1)
			_exit(1);
		io_write_all(fds[1], "", 1);
		for (;;)
			pause();
	}
	assert_int_equal(io_read(fds[0], &byte, 1), 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_child_dies_of(pid, SIGKILL);
	assert_collects_nothing(ring);
	ring_reclaim(ring, 7, visit, &visited);
	assert_int_equal(visited.count, 3);
	for (uint64_t id = 0; id < 3; id++) {
		assert_int_equal(visited.ids[id], id);
		assert_collects(ring, id, 7);
	}
	for (uint64_t id = 3; id < 5; id++) /* the others are still to be had */
		assert_takes(ring, claim_one(ring, 8), (const char *)&id, sizeof(id));
	close(fds[0]);
	close(fds[1]);
	ring_free(ring);
}

#define ROUNDS 60

/* Cells 0..CELLS-1 are each with the dead worker or unclaimed, and all places come back. */
static void
assert_none_lost(struct ring *ring, uint32_t dead)
{
	struct visited visited = {.count = 0};
	struct ring_ticket ticket;
	uint64_t id;
	uint32_t attempt;
	ring_reclaim(ring, dead, visit, &visited);
	size_t dead_count = visited.count;
	while (ring_withdraw(ring, RING_OWNER_MAX, &id, &attempt))
		visit(&visited, id, attempt);
	assert_int_equal(visited.count, CELLS);
	for (id = 0; id < CELLS; id++)
		assert_int_equal(visited.ids[id], id); /* one consumer: in order */
	for (id = 0; id < CELLS; id++) {
		assert_true(ring_collect(ring, &ticket));
		assert_int_equal(ticket.id, id);
		assert_int_equal(ticket.owner, id < dead_count ? dead : RING_OWNER_NONE);
	}
	assert_int_equal(ring_room(ring), CELLS);
}

static void
death_at_any_moment_loses_no_cell(void **state)
{
	(void)state;
	struct ring *ring = new_ring(CELLS, DATA_BYTES);
	struct tally *tally = shared_new(sizeof(*tally));
	for (uint32_t round = 0; round < ROUNDS; round++) {
		atomic_store(&tally->total, 0);
		pid_t pid = fork_server(ring, round, round % 4 + 1, tally);
		publish_ids(ring, 0, CELLS);
		while (atomic_load(&tally->total) < round % CELLS)
			sched_yield();
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_child_dies_of(pid, SIGKILL);
		assert_none_lost(ring, round);
	}
	assert_false(tally->is_wrong);
	munmap(tally, sizeof(*tally));
	ring_free(ring);
}

/* --- sleep --- */

static void
wait_ends_at_once_when_something_came_since(void **state)
{
	(void)state;
	struct ring *ring = new_ring(CELLS, DATA_BYTES);
	uint32_t bell = ring_bell(ring);
	publish_ids(ring, 0, 1);
	ring_wait(ring, bell);
	bell = ring_bell(ring);
	ring_wake_all(ring);
	ring_wait(ring, bell);
	bell = ring_bell(ring);
	ring_close(ring);
	ring_wait(ring, bell);
	assert_true(ring_is_closed(ring));
	assert_int_equal(ring_sleepers(ring), 0);
	ring_free(ring);
}

static void
ignore(int signal)
{
	(void)signal;
}

static pid_t
fork_sleeper(struct ring *ring)
{
	pid_t pid = child_fork();
	if (pid == 0) {
		struct sigaction action = {.sa_handler = ignore};
		sigaction(SIGUSR1, &action, NULL);
		ring_wait(ring, ring_bell(ring));
		bool is_closed = ring_is_closed(ring);
		ring_free(ring);
		_exit(is_closed ? 1 : 0);
	}
	return pid;
}

static void
await_sleepers(const struct ring *ring, size_t count)
{
	while (ring_sleepers(ring) != count)
		sched_yield();
}

static void
closing_wakes_all_sleepers(void **state)
{
	(void)state;
	struct ring *ring = new_ring(CELLS, DATA_BYTES);
	assert_false(ring_is_closed(ring));
	pid_t pids[] = {fork_sleeper(ring), fork_sleeper(ring)};
	await_sleepers(ring, 2);
	ring_close(ring);
	assert_child_exits(pids[0], 1);
	assert_child_exits(pids[1], 1);
	assert_int_equal(ring_sleepers(ring), 0);
	ring_free(ring);
}

static void
wake_all_wakes_all_sleepers(void **state)
{
	(void)state;
	struct ring *ring = new_ring(CELLS, DATA_BYTES);
	pid_t pids[] = {fork_sleeper(ring), fork_sleeper(ring)};
	await_sleepers(ring, 2);
	ring_wake_all(ring);
	assert_child_exits(pids[0], 0);
	assert_child_exits(pids[1], 0);
	ring_free(ring);
}

static void
publishing_wakes_a_sleeper_for_each_new_cell(void **state)
{
	(void)state;
	struct ring *ring = new_ring(CELLS, DATA_BYTES);
	pid_t pids[] = {fork_sleeper(ring), fork_sleeper(ring), fork_sleeper(ring)};
	await_sleepers(ring, 3);
	publish_ids(ring, 0, 3);
	for (size_t i = 0; i < 3; i++)
		assert_child_exits(pids[i], 0);
	ring_free(ring);
}

static void
signal_ends_the_wait(void **state)
{
	(void)state;
	struct ring *ring = new_ring(CELLS, DATA_BYTES);
	int status;
	pid_t pid = fork_sleeper(ring);
	await_sleepers(ring, 1);
	while (waitpid(pid, &status, WNOHANG) == 0) { /* the first may come just too early */
		kill(pid, SIGUSR1);
		sched_yield();
	}
	assert_int_equal(status, 0);
	ring_free(ring);
}

static void
dead_sleeper_does_not_swallow_wake_ups(void **state)
{
	(void)state;
	struct ring *ring = new_ring(CELLS, DATA_BYTES);
	pid_t dead = fork_sleeper(ring);
	await_sleepers(ring, 1);
	kill(dead, SIGKILL);
	assert_child_dies_of(dead, SIGKILL);
	pid_t alive = fork_sleeper(ring);
	await_sleepers(ring, 2);
	publish_ids(ring, 0, 1);
	assert_child_exits(alive, 0);
	ring_free(ring);
}

/* --- attached --- */

#define MEASURES_AT 16 /* in the ring's header: how many cells, how many bytes */

static void
an_attached_ring_claims_and_takes_what_is_pushed(void **state)
{
	(void)state;
	struct err err = {0};
	struct ring *ring = new_ring(CELLS, DATA_BYTES);
	struct ring *attached = ring_attach(io_dup(ring_fd(ring)), &err);
	struct ring_ticket ticket;
	static char large[DATA_BYTES]; /* does not go into the mapping */
	memset(large, 'x', sizeof(large));
	assert_non_null(attached);
	push(ring, 1, "one", 3);
	push(ring, 2, large, sizeof(large));
	ring_publish(ring);
	assert_takes(attached, claim_one(attached, 7), "one", 3);
	assert_takes(attached, claim_one(attached, 7), large, sizeof(large));
	assert_true(ring_collect(ring, &ticket));
	assert_int_equal(ticket.owner, 7);
	ring_close(ring);
	assert_true(ring_is_closed(attached));
	ring_free(attached);
	assert_true(ring_collect(ring, &ticket));
	assert_int_equal(ticket.id, 2);
	ring_free(ring);
}

static void
other_files_are_no_rings(void **state)
{
	(void)state;
	static const uint64_t measures[][2] = {{0, 0},
					       {CELLS, 0},
					       {CELLS, 3000},
					       {CELLS, 65536},
					       {CELLS, UINT64_C(1) << 40},
					       {1 << 30, 4096}};
	struct err err = {0};
	int fd = io_memfd("test", 0);
	assert_null(ring_attach(fd, &err));
	assert_string_equal(err.text, "this is no task queue");
	assert_int_equal(ftruncate(fd, 65536), 0);
	for (size_t i = 0; i < sizeof(measures) / sizeof(*measures); i++) {
		assert_int_equal(
		    io_pwrite_all(fd, measures[i], sizeof(measures[i]), MEASURES_AT), 0);
		assert_null(ring_attach(fd, &err));
	}
	assert_int_equal(close(fd), 0); /* still ours */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TIMED_TEST(processes_get_every_cell_exactly_once),
	    TIMED_TEST(a_claim_from_a_past_round_takes_nothing_out_of_turn),
	    TIMED_TEST(threads_get_every_cell_exactly_once),
	    TIMED_TEST(hand_overs_one_at_a_time_lose_no_wake_up),
	    TIMED_TEST(death_between_claim_and_take_returns_the_cells),
	    TIMED_TEST(death_at_any_moment_loses_no_cell),
	    TIMED_TEST(wait_ends_at_once_when_something_came_since),
	    TIMED_TEST(closing_wakes_all_sleepers),
	    TIMED_TEST(wake_all_wakes_all_sleepers),
	    TIMED_TEST(publishing_wakes_a_sleeper_for_each_new_cell),
	    TIMED_TEST(signal_ends_the_wait),
	    TIMED_TEST(dead_sleeper_does_not_swallow_wake_ups),
	    TIMED_TEST(an_attached_ring_claims_and_takes_what_is_pushed),
	    TIMED_TEST(other_files_are_no_rings),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* How worker processes come to be: what each method does, without a pool. */
#include <stdlib.h>

#include "child.h"

#include "base/clock.h"
#include "base/io.h"
#include "pool/start.h"

/* What the processes under test did; shared with them. */
struct deeds {
	_Atomic int prepared;
	_Atomic int unprepared;
	_Atomic int run;
	_Atomic pid_t server;
};
static struct deeds *deeds;

struct executor_shared {
	int value;
};
static struct executor_shared prepared_shared = {.value = 42};

struct fixture {
	struct spec spec;
	struct sig_origin origin;
	struct board board;
	struct ring *ring;
	struct loop *loop;
	struct family family;
	int outbox_fd;
	int fds[2]; /* the result pipe */
	bool is_ready;
	struct err broken;
};

/* --- what the processes do --- */

/* Says its number in the pipe; its exit status is what is wrong, or 0. */
static void
run_worker(const struct worker_config *worker)
{
	char number = (char)('0' + worker->number);
	atomic_fetch_add(&deeds->run, 1);
	if (getppid() != worker->coordinator)
		_exit(1);
	if (worker->seat != &worker->board->seats[worker->slot_index])
		_exit(2);
	if (worker->worker_count != 3)
		_exit(3);
	if (write(worker->result_fd, &number, 1) != 1)
		_exit(4);
	if (atomic_load(&deeds->prepared) > 0 &&
	    (worker->shared == NULL || worker->shared->value != 42))
		_exit(5);
	_exit(0);
}

static int
prepare(const struct spec *spec, struct executor_shared **shared, struct err *err)
{
	(void)spec;
	(void)err;
	atomic_store(&deeds->server, getpid());
	atomic_fetch_add(&deeds->prepared, 1);
	*shared = &prepared_shared;
	return 0;
}

static int
prepare_in_vain(const struct spec *spec, struct executor_shared **shared, struct err *err)
{
	(void)spec;
	*shared = NULL;
	return err_set(err, ERR_USAGE, "no such library");
}

static int
prepare_and_die(const struct spec *spec, struct executor_shared **shared, struct err *err)
{
	(void)spec;
	(void)shared;
	(void)err;
	raise(SIGKILL);
	return -1;
}

/* Never ends, and has a child that does not either. */
static int
prepare_forever(const struct spec *spec, struct executor_shared **shared, struct err *err)
{
	if (fork() != 0)
		prepare(spec, shared, err);
	while (pause() == -1)
		;
	return -1;
}

/* With a child that would stay. */
static int
prepare_with_child(const struct spec *spec, struct executor_shared **shared, struct err *err)
{
	if (fork() == 0)
		while (pause() == -1)
			;
	return prepare(spec, shared, err);
}

static void
unprepare(const struct spec *spec, struct executor_shared *shared)
{
	(void)spec;
	if (shared == &prepared_shared)
		atomic_fetch_add(&deeds->unprepared, 1);
}

/* --- the fixture --- */

static void
on_ready(void *context)
{
	((struct fixture *)context)->is_ready = true;
}

static void
on_broken(void *context, const struct err *err)
{
	struct fixture *fixture = context;
	assert_string_equal(fixture->broken.text, ""); /* once is enough */
	fixture->broken = *err;
}

static struct fixture *
set_up(enum spec_start_method method)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct err err = {0};
	assert_non_null(fixture);
	spec_init(&fixture->spec, SPEC_MAP);
	fixture->spec.start_method = method;
	sig_origin_save(&fixture->origin);
	assert_int_equal(board_init(&fixture->board, 3, &err), 0);
	fixture->ring = ring_new(16, 4096, &err);
	assert_non_null(fixture->ring);
	fixture->loop = loop_new(&err);
	assert_non_null(fixture->loop);
	fixture->outbox_fd = io_memfd("outbox", 0);
	assert_int_equal(io_pipe(fixture->fds, 0), 0);
	deeds = shared_new(sizeof(*deeds));
	return fixture;
}

static void
tear_down(struct fixture *fixture)
{
	assert_int_equal(fixture->family.count, 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nobody is left */
	munmap(deeds, sizeof(*deeds));
	io_close(fixture->fds[0]);
	io_close(fixture->fds[1]);
	io_close(fixture->outbox_fd);
	loop_free(fixture->loop);
	ring_free(fixture->ring);
	board_fini(&fixture->board);
	family_fini(&fixture->family);
	spec_fini(&fixture->spec);
	free(fixture);
}

static struct starter *
new_starter(struct fixture *fixture,
	    int (*prepare_function)(const struct spec *, struct executor_shared **,
				    struct err *))
{
	struct err err = {0};
	struct starter_config config = {
	    .worker = {.spec = &fixture->spec,
		       .origin = &fixture->origin,
		       .run_name = "run",
		       .ring = fixture->ring,
		       .board = &fixture->board,
		       .outbox_fd = fixture->outbox_fd,
		       .first_stdin_fd = -1,
		       .coordinator = getpid()},
	    .loop = fixture->loop,
	    .family = &fixture->family,
	    .run = run_worker,
	    .prepare = prepare_function,
	    .unprepare = unprepare,
	    .ready = on_ready,
	    .broken = on_broken,
	    .context = fixture,
	};
	struct starter *starter = starter_new(&config, &err);
	assert_non_null(starter);
	return starter;
}

/* Turns of the loop until the server is ready or is given up. */
static void
turn(struct fixture *fixture)
{
	struct err err = {0};
	while (!fixture->is_ready && fixture->broken.kind == ERR_NONE)
		assert_int_equal(loop_turn(fixture->loop, CLOCK_NEVER, &err), 0);
}

static void
open_and_turn(struct fixture *fixture, struct starter *starter)
{
	struct err err = {0};
	assert_int_equal(starter_open(starter, &err), 0);
	assert_int_equal(starter_open(starter, &err), 0); /* changes nothing */
	turn(fixture);
}

static pid_t
start(struct fixture *fixture, struct starter *starter, uint32_t number, struct err *err)
{
	struct starter_request request = {.number = number,
					  .slot_index = number % 3,
					  .worker_count = 3,
					  .result_fd = fixture->fds[1]};
	return starter_start(starter, &request, err);
}

static void
assert_starts(struct fixture *fixture, struct starter *starter, uint32_t number)
{
	char said = 0;
	struct err err = {0};
	pid_t pid = start(fixture, starter, number, &err);
	assert_string_equal(err.text, "");
	assert_true(pid > 0);
	assert_child_exits(pid, 0);
	assert_int_equal(io_read(fixture->fds[0], &said, 1), 1);
	assert_int_equal(said, '0' + (int)number);
}

/* --- tests --- */

static void
fork_is_ready_at_once_and_prepares_nothing(void **state)
{
	(void)state;
	struct err err = {0};
	struct fixture *fixture = set_up(SPEC_START_FORK);
	struct starter *starter = new_starter(fixture, prepare);
	assert_int_equal(starter_open(starter, &err), 1);
	assert_starts(fixture, starter, 0);
	assert_starts(fixture, starter, 4);
	assert_int_equal(deeds->prepared, 0);
	starter_free(starter);
	tear_down(fixture);
}

static void
the_server_prepares_once_for_all_workers(void **state)
{
	(void)state;
	struct err err = {0};
	struct fixture *fixture = set_up(SPEC_START_FORKSERVER);
	struct starter *starter = new_starter(fixture, prepare);
	open_and_turn(fixture, starter);
	assert_true(fixture->is_ready);
	assert_int_equal(starter_open(starter, &err), 1);
	for (uint32_t number = 0; number < 8; number++)
		assert_starts(fixture, starter, number);
	assert_int_equal(deeds->prepared, 1);
	assert_int_equal(deeds->unprepared, 0);
	assert_int_equal(deeds->run, 8);
	starter_free(starter);
	assert_int_equal(deeds->unprepared, 1);
	assert_int_equal(fixture->broken.kind, ERR_NONE);
	tear_down(fixture);
}

static void
no_server_starts_before_it_is_needed(void **state)
{
	(void)state;
	struct fixture *fixture = set_up(SPEC_START_FORKSERVER);
	struct starter *starter = new_starter(fixture, prepare);
	starter_free(starter);
	assert_int_equal(deeds->prepared, 0);
	tear_down(fixture);
}

static void
the_server_is_no_orphan(void **state)
{
	(void)state;
	struct fixture *fixture = set_up(SPEC_START_FORKSERVER);
	struct starter *starter = new_starter(fixture, prepare);
	open_and_turn(fixture, starter);
	family_sweep(&fixture->family, "run", 7);
	family_reap_orphans(&fixture->family);
	assert_starts(fixture, starter, 1);
	starter_free(starter);
	tear_down(fixture);
}

static void
a_preparation_that_fails_says_why(void **state)
{
	(void)state;
	struct err err = {0};
	struct fixture *fixture = set_up(SPEC_START_FORKSERVER);
	struct starter *starter = new_starter(fixture, prepare_in_vain);
	open_and_turn(fixture, starter);
	assert_false(fixture->is_ready);
	assert_int_equal(fixture->broken.kind, ERR_BROKEN);
	assert_string_equal(fixture->broken.text, "no such library");
	assert_int_equal(starter_open(starter, &err), -1);
	assert_string_equal(err.text, "no such library");
	starter_free(starter);
	tear_down(fixture);
}

static void
a_preparation_that_kills_the_server_is_named(void **state)
{
	(void)state;
	struct fixture *fixture = set_up(SPEC_START_FORKSERVER);
	struct starter *starter = new_starter(fixture, prepare_and_die);
	open_and_turn(fixture, starter);
	assert_string_equal(
	    fixture->broken.text,
	    "the fork server was killed by signal 9 (Killed) before it was ready");
	starter_free(starter);
	tear_down(fixture);
}

static void
the_death_of_a_server_that_waits_is_noticed(void **state)
{
	(void)state;
	struct fixture *fixture = set_up(SPEC_START_FORKSERVER);
	struct starter *starter = new_starter(fixture, prepare);
	open_and_turn(fixture, starter);
	assert_starts(fixture, starter, 1);
	kill(deeds->server, SIGKILL);
	fixture->is_ready = false;
	turn(fixture);
	assert_string_equal(fixture->broken.text,
			    "the fork server was killed by signal 9 (Killed)");
	starter_free(starter);
	tear_down(fixture);
}

static void
a_request_to_a_dead_server_fails_and_breaks_once(void **state)
{
	(void)state;
	siginfo_t info;
	struct err err = {0};
	struct fixture *fixture = set_up(SPEC_START_FORKSERVER);
	struct starter *starter = new_starter(fixture, prepare);
	open_and_turn(fixture, starter);
	kill(deeds->server, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)deeds->server, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(start(fixture, starter, 1, &err), -1);
	assert_string_equal(err.text, "the fork server was killed by signal 9 (Killed)");
	assert_string_equal(fixture->broken.text, err.text);
	assert_int_equal(starter_open(starter, &err), -1);
	starter_free(starter);
	tear_down(fixture);
}

static void
a_preparation_under_way_does_not_delay_the_end(void **state)
{
	(void)state;
	struct err err = {0};
	struct fixture *fixture = set_up(SPEC_START_FORKSERVER);
	struct starter *starter = new_starter(fixture, prepare_forever);
	assert_int_equal(starter_open(starter, &err), 0);
	while (atomic_load(&deeds->prepared) == 0)
		usleep(1000);
	starter_free(starter); /* its child, too: tear_down looks for it */
	assert_int_equal(fixture->broken.kind, ERR_NONE);
	tear_down(fixture);
}

static void
what_the_preparation_started_ends_with_the_server(void **state)
{
	(void)state;
	struct fixture *fixture = set_up(SPEC_START_FORKSERVER);
	struct starter *starter = new_starter(fixture, prepare_with_child);
	open_and_turn(fixture, starter);
	assert_starts(fixture, starter, 2);
	starter_free(starter); /* tear_down looks for it */
	assert_int_equal(deeds->unprepared, 1);
	tear_down(fixture);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TIMED_TEST(fork_is_ready_at_once_and_prepares_nothing),
	    TIMED_TEST(the_server_prepares_once_for_all_workers),
	    TIMED_TEST(no_server_starts_before_it_is_needed),
	    TIMED_TEST(the_server_is_no_orphan),
	    TIMED_TEST(a_preparation_that_fails_says_why),
	    TIMED_TEST(a_preparation_that_kills_the_server_is_named),
	    TIMED_TEST(the_death_of_a_server_that_waits_is_noticed),
	    TIMED_TEST(a_request_to_a_dead_server_fails_and_breaks_once),
	    TIMED_TEST(a_preparation_under_way_does_not_delay_the_end),
	    TIMED_TEST(what_the_preparation_started_ends_with_the_server),
	};
	prctl(PR_SET_CHILD_SUBREAPER, 1); /* as the coordinator is */
	return cmocka_run_group_tests(tests, NULL, NULL);
}

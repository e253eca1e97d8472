/* Who may run what: the tokens of a jobserver, ours and another's. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/io.h"
#include "ipc/board.h"
#include "run/tokens.h"

#define LOOK_NS (50 * NS_PER_MS) /* longer than any time between two looks */

struct fixture {
	struct jobserver jobserver;
	struct loop *loop;
	struct tokens tokens;
	int64_t now_ns;
	int outer[2]; /* the pipe of the make whose client we are */
};

static void
init(struct fixture *fixture)
{
	struct err err = {0};
	fixture->loop = loop_new(&err);
	assert_non_null(fixture->loop);
	fixture->now_ns = NS_PER_S;
	assert_int_equal(
	    tokens_init(&fixture->tokens, &fixture->jobserver, fixture->loop, &err), 0);
}

/* A server whose pool has so many workers, all of which have a pipe. */
static void
serve(struct fixture *fixture, size_t worker_count)
{
	*fixture = (struct fixture){.outer = {-1, -1}};
	assert_int_equal(
	    jobserver_serve(&fixture->jobserver, JOBSERVER_PIPE, worker_count), 0);
	init(fixture);
	fixture->tokens.total = worker_count;
}

/* A client of a jobserver with these tokens. */
static void
join(struct fixture *fixture, const char *outer_tokens)
{
	char makeflags[64];
	struct err err = {0};
	*fixture = (struct fixture){0};
	assert_int_equal(io_pipe(fixture->outer, 0), 0);
	for (; *outer_tokens != '\0'; outer_tokens++)
		jobserver_give(fixture->outer[1], *outer_tokens);
	snprintf(makeflags, sizeof(makeflags), "k -j4 --jobserver-auth=%d,%d",
		 fixture->outer[0], fixture->outer[1]);
	assert_int_equal(jobserver_join(&fixture->jobserver, makeflags, &err), 1);
	init(fixture);
}

static void
fini(struct fixture *fixture)
{
	tokens_fini(&fixture->tokens);
	jobserver_close(&fixture->jobserver);
	loop_free(fixture->loop);
	io_close(fixture->outer[0]);
	io_close(fixture->outer[1]);
}

static void
start(struct fixture *fixture, size_t slot)
{
	assert_true(tokens_take(&fixture->tokens));
	tokens_submitted(&fixture->tokens, 1);
	tokens_started(&fixture->tokens, slot);
}

/* What the run does when it wakes up, a while later. */
static void
settle(struct fixture *fixture)
{
	fixture->now_ns += LOOK_NS;
	tokens_settle(&fixture->tokens, false, fixture->now_ns);
}

static int
pipe_of(struct fixture *fixture, size_t slot)
{
	return jobserver_seat_fd(&fixture->jobserver, slot - 1);
}

/* What is in the pipe of this task, which may take it. */
static size_t
offered(struct fixture *fixture, size_t slot)
{
	return jobserver_count(pipe_of(fixture, slot));
}

static void
use(struct fixture *fixture, size_t slot, size_t count)
{
	char token;
	for (; count > 0; count--)
		assert_true(jobserver_take(pipe_of(fixture, slot), &token));
}

/* --- the server --- */

static void
without_a_jobserver_nothing_is_held_back(void **state)
{
	(void)state;
	struct tokens tokens = {0};
	for (int i = 0; i < 1000; i++) {
		assert_true(tokens_take(&tokens));
		tokens_submitted(&tokens, 1);
	}
	tokens_started(&tokens, 1);
	tokens_settle(&tokens, false, 0);
	assert_int_equal(tokens_wait_until(&tokens), CLOCK_NEVER);
	tokens_fini(&tokens);
}

static void
each_worker_may_run_a_task(void **state)
{
	(void)state;
	struct fixture fixture;
	serve(&fixture, 3);
	for (size_t slot = 1; slot <= 3; slot++)
		start(&fixture, slot);
	assert_false(tokens_take(&fixture.tokens));
	settle(&fixture);
	for (size_t slot = 1; slot <= 3; slot++)
		assert_int_equal(offered(&fixture, slot), 0);
	assert_int_equal(tokens_wait_until(&fixture.tokens), CLOCK_NEVER);
	tokens_ended_at(&fixture.tokens, 2);
	assert_true(tokens_take(&fixture.tokens));
	fini(&fixture);
}

static void
idle_workers_are_lent_evenly(void **state)
{
	(void)state;
	struct fixture fixture;
	serve(&fixture, 8);
	start(&fixture, 2);
	settle(&fixture);
	assert_int_equal(offered(&fixture, 2), 7);
	assert_int_equal(tokens_wait_until(&fixture.tokens), CLOCK_NEVER);
	start(&fixture, 5);
	settle(&fixture);
	assert_int_equal(offered(&fixture, 2) + offered(&fixture, 5), 6);
	assert_int_equal(offered(&fixture, 2), 3);
	assert_true(tokens_wait_until(&fixture.tokens) != CLOCK_NEVER);
	fini(&fixture);
}

static void
what_is_lent_and_not_used_starts_a_task(void **state)
{
	(void)state;
	struct fixture fixture;
	serve(&fixture, 4);
	start(&fixture, 1);
	settle(&fixture);
	use(&fixture, 1, 2);
	start(&fixture, 2);
	assert_int_equal(offered(&fixture, 1), 0);
	assert_false(tokens_take(&fixture.tokens));
	fini(&fixture);
}

static void
a_token_put_back_wakes_the_run_that_waits_for_one(void **state)
{
	(void)state;
	struct fixture fixture;
	struct err err = {0};
	serve(&fixture, 2);
	start(&fixture, 1);
	settle(&fixture);
	use(&fixture, 1, 1);
	assert_false(tokens_take(&fixture.tokens));
	settle(&fixture);
	assert_int_equal(tokens_wait_until(&fixture.tokens), CLOCK_NEVER);
	jobserver_give(pipe_of(&fixture, 1), '+');
	assert_int_equal(loop_turn(fixture.loop, CLOCK_NEVER, &err), 0);
	assert_true(tokens_take(&fixture.tokens));
	fini(&fixture);
}

static void
unused_tokens_go_to_who_has_used_its_own(void **state)
{
	(void)state;
	struct fixture fixture;
	serve(&fixture, 6);
	start(&fixture, 1);
	start(&fixture, 2);
	settle(&fixture);
	assert_int_equal(offered(&fixture, 1), 2);
	for (size_t used = 2; used > 0; used = offered(&fixture, 1)) {
		use(&fixture, 1, used);
		settle(&fixture);
	}
	assert_int_equal(offered(&fixture, 2), 0); /* all four are used by the first */
	assert_false(tokens_take(&fixture.tokens));
	fini(&fixture);
}

static void
who_leaves_a_token_lying_is_offered_one_again_later(void **state)
{
	(void)state;
	struct fixture fixture;
	serve(&fixture, 3);
	start(&fixture, 1);
	start(&fixture, 2);
	settle(&fixture);
	assert_int_equal(offered(&fixture, 1), 1);
	settle(&fixture);
	settle(&fixture);
	assert_int_equal(offered(&fixture, 2), 1);
	use(&fixture, 2, 1);
	settle(&fixture);
	jobserver_give(pipe_of(&fixture, 2), '+');
	settle(&fixture);
	assert_int_equal(offered(&fixture, 2), 1);
	fixture.now_ns += NS_PER_S;
	settle(&fixture);
	assert_int_equal(offered(&fixture, 1), 1);
	fini(&fixture);
}

static void
what_a_killed_task_had_taken_is_free_at_once(void **state)
{
	(void)state;
	struct fixture fixture;
	serve(&fixture, 4);
	start(&fixture, 1);
	start(&fixture, 2);
	settle(&fixture);
	use(&fixture, 1, 1);
	use(&fixture, 2, 1);
	assert_false(tokens_take(&fixture.tokens));
	tokens_ended_at(&fixture.tokens, 1); /* and its token is with nobody */
	settle(&fixture);
	assert_int_equal(offered(&fixture, 2), 2);
	tokens_ended_at(&fixture.tokens, 2);
	for (size_t slot = 1; slot <= 4; slot++)
		start(&fixture, slot);
	assert_false(tokens_take(&fixture.tokens));
	fini(&fixture);
}

static void
tokens_from_nowhere_are_taken_away(void **state)
{
	(void)state;
	struct fixture fixture;
	serve(&fixture, 3);
	start(&fixture, 1);
	settle(&fixture);
	assert_int_equal(offered(&fixture, 1), 2);
	for (int i = 0; i < 50; i++)
		jobserver_give(pipe_of(&fixture, 1), 'x');
	settle(&fixture);
	assert_int_equal(offered(&fixture, 1), 2);
	tokens_ended_at(&fixture.tokens, 1);
	jobserver_give(pipe_of(&fixture, 1), 'x'); /* by a process that it has left */
	start(&fixture, 1);
	assert_int_equal(offered(&fixture, 1), 0);
	fini(&fixture);
}

static void
with_fewer_workers_lent_tokens_come_back(void **state)
{
	(void)state;
	struct fixture fixture;
	serve(&fixture, 8);
	start(&fixture, 1);
	settle(&fixture);
	use(&fixture, 1, 5);
	fixture.tokens.total = 4;
	settle(&fixture);
	assert_int_equal(offered(&fixture, 1), 0);
	assert_false(tokens_take(&fixture.tokens));
	for (int i = 0; i < 5; i++) {
		jobserver_give(pipe_of(&fixture, 1), '+');
		settle(&fixture);
	}
	assert_int_equal(offered(&fixture, 1), 3);
	fini(&fixture);
}

static void
tasks_that_come_back_without_a_start_are_no_longer_counted(void **state)
{
	(void)state;
	struct fixture fixture;
	serve(&fixture, 2);
	tokens_submitted(&fixture.tokens, 2);
	assert_false(tokens_take(&fixture.tokens));
	tokens_ended(&fixture.tokens, 2);
	assert_true(tokens_take(&fixture.tokens));
	fini(&fixture);
}

/* --- the client --- */

static void
the_first_task_needs_no_token(void **state)
{
	(void)state;
	struct fixture fixture;
	join(&fixture, "ab");
	start(&fixture, 1);
	assert_int_equal(jobserver_count(fixture.outer[0]), 2);
	start(&fixture, 2);
	start(&fixture, 3);
	assert_int_equal(jobserver_count(fixture.outer[0]), 0);
	assert_false(tokens_take(&fixture.tokens));
	fini(&fixture);
}

static void
tokens_go_back_as_they_were_when_tasks_end(void **state)
{
	(void)state;
	struct fixture fixture;
	char tokens[2];
	join(&fixture, "ab");
	for (size_t slot = 1; slot <= 3; slot++)
		start(&fixture, slot);
	tokens_ended_at(&fixture.tokens, 1);
	settle(&fixture);
	assert_int_equal(jobserver_count(fixture.outer[0]), 1);
	tokens_ended_at(&fixture.tokens, 3);
	settle(&fixture);
	assert_int_equal(io_read(fixture.outer[0], tokens, 2), 2);
	assert_true(tokens[0] + tokens[1] == 'a' + 'b' && tokens[0] != tokens[1]);
	fini(&fixture);
}

static void
all_tokens_go_back_at_the_end(void **state)
{
	(void)state;
	struct fixture fixture;
	join(&fixture, "abc");
	for (size_t slot = 1; slot <= 4; slot++)
		start(&fixture, slot);
	tokens_fini(&fixture.tokens);
	assert_int_equal(jobserver_count(fixture.outer[0]), 3);
	fini(&fixture);
}

static void
a_token_in_the_pipe_wakes_a_client_that_waits(void **state)
{
	(void)state;
	struct fixture fixture;
	struct err err = {0};
	join(&fixture, "");
	start(&fixture, 1);
	assert_false(tokens_take(&fixture.tokens));
	tokens_settle(&fixture.tokens, true, fixture.now_ns);
	jobserver_give(fixture.outer[1], 'z');
	assert_int_equal(loop_turn(fixture.loop, CLOCK_NEVER, &err), 0);
	assert_true(tokens_take(&fixture.tokens));
	fini(&fixture);
}

static void
a_worker_gives_back_what_a_dead_coordinator_held_but_once(void **state)
{
	(void)state;
	struct fixture fixture;
	struct board board;
	struct err err = {0};
	join(&fixture, "abc");
	assert_int_equal(board_init(&board, 4, &err), 0);
	fixture.jobserver.board = &board;
	for (size_t slot = 1; slot <= 4; slot++)
		start(&fixture, slot);
	tokens_ended_at(&fixture.tokens, 4);
	settle(&fixture); /* which gives one back itself */
	jobserver_unhold_orphaned(&board, fixture.outer[1]);
	jobserver_unhold_orphaned(&board, fixture.outer[1]);
	assert_int_equal(jobserver_count(fixture.outer[0]), 3);
	fixture.jobserver.board = NULL;
	fixture.jobserver.held_count = 0; /* it is dead */
	board_fini(&board);
	fini(&fixture);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(without_a_jobserver_nothing_is_held_back),
	    cmocka_unit_test(each_worker_may_run_a_task),
	    cmocka_unit_test(idle_workers_are_lent_evenly),
	    cmocka_unit_test(what_is_lent_and_not_used_starts_a_task),
	    cmocka_unit_test(a_token_put_back_wakes_the_run_that_waits_for_one),
	    cmocka_unit_test(unused_tokens_go_to_who_has_used_its_own),
	    cmocka_unit_test(who_leaves_a_token_lying_is_offered_one_again_later),
	    cmocka_unit_test(what_a_killed_task_had_taken_is_free_at_once),
	    cmocka_unit_test(tokens_from_nowhere_are_taken_away),
	    cmocka_unit_test(with_fewer_workers_lent_tokens_come_back),
	    cmocka_unit_test(tasks_that_come_back_without_a_start_are_no_longer_counted),
	    cmocka_unit_test(the_first_task_needs_no_token),
	    cmocka_unit_test(tokens_go_back_as_they_were_when_tasks_end),
	    cmocka_unit_test(all_tokens_go_back_at_the_end),
	    cmocka_unit_test(a_token_in_the_pipe_wakes_a_client_that_waits),
	    cmocka_unit_test(a_worker_gives_back_what_a_dead_coordinator_held_but_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* How a run is going: counted, and shown by a timer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"

#include "terminal.h"

#include "base/clock.h"
#include "base/io.h"
#include "sink/display.h"
#include "sink/progress.h"

#define SEATS 20
#define LONG_TASK 43 /* what this task is takes long to say */

struct fixture {
	int master_fd, fd; /* a terminal of 60 columns and 10 rows */
	struct screen screen;
	struct display_config config;
	struct progress_config progress;
	struct display *display;
	struct board board;
	struct loop *loop;
	struct sink *sink;
	struct task *task;
	uint64_t task_count;
	bool is_all;
	char said[512];
	char text[65536];
};

static uint64_t
count(void *context, bool *is_all)
{
	const struct fixture *f = context;
	*is_all = f->is_all;
	return f->task_count;
}

static size_t
worker_count(void *context)
{
	(void)context;
	return SEATS;
}

static void
describe(void *context, uint64_t seq, uint32_t slot, struct buf *text)
{
	(void)context;
	buf_printf(text, "task %d in %u", (int)seq, slot);
	for (int i = 0; i < 50 && seq == LONG_TASK; i++)
		buf_append_str(text, " and so on, for a whole screen");
}

static void
say(void *context, size_t index, const char *line)
{
	struct fixture *f = context;
	assert_int_equal(index, 0);
	snprintf(f->said, sizeof(f->said), "%s", line);
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct winsize size = {.ws_col = 60, .ws_row = 10};
	struct err err = {0};
	struct buf nothing = {0};
	alarm(TEST_SECONDS);
	if (f == NULL || terminal_open(&f->master_fd, &f->fd, &size) == -1)
		return -1;
	io_set_nonblocking(f->master_fd);
	screen_open(&f->screen, f->fd);
	f->config = (struct display_config){
	    .screen = &f->screen, .is_asked_for = true, .context = f, .say = say};
	f->progress = (struct progress_config){.context = f,
					       .count = count,
					       .worker_count = worker_count,
					       .describe = describe};
	f->task = task_new(0, 1, 0, &nothing);
	f->loop = loop_new(&err);
	*state = f;
	return board_init(&f->board, SEATS, &err);
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	display_free(f->display);
	sink_free(f->sink);
	loop_free(f->loop);
	screen_close(&f->screen);
	board_fini(&f->board);
	io_close(f->master_fd);
	io_close(f->fd);
	free(f->task);
	free(f);
	alarm(0);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void
start(struct fixture *f)
{
	struct err err = {0};
	f->sink = progress_new(&f->progress, &err);
	assert_non_null(f->sink);
	assert_int_equal(progress_start(f->sink, &f->board, clock_now_ns()), 0);
	f->display = display_new(&f->config, f->loop, &err);
	assert_non_null(f->display);
	assert_int_equal(display_add(f->display, f->sink), 0);
}

/* The loop goes on until something with this in it has been drawn, or said. */
static void
wait_for(struct fixture *f, const char *expected)
{
	struct err err = {0};
	size_t length = 0;
	do {
		assert_int_equal(loop_turn(f->loop, CLOCK_NEVER, &err), 0);
		ssize_t got =
		    read(f->master_fd, f->text + length, sizeof(f->text) - 1 - length);
		length += got > 0 ? (size_t)got : 0;
		f->text[length] = '\0';
	} while (strstr(f->text, expected) == NULL && strstr(f->said, expected) == NULL);
}

static void
settle(struct fixture *f, enum result_reason reason, int exit_status)
{
	struct err err = {0};
	const struct result result = {
	    .reason = reason, .exit_status = exit_status, .wall_ns = NS_PER_S};
	assert_int_equal(f->sink->ops->settled(f->sink, f->task, &result, &err), 0);
}

static void
ends_of_all_kinds_are_counted(void **state)
{
	struct fixture *f = *state;
	struct progress_end end;
	struct err err = {0};
	const struct result retried = {.wall_ns = 5 * NS_PER_S};
	const struct answer answers[] = {{.started_at_ns = 0, .wall_ns = NS_PER_S},
					 {.started_at_ns = NS_PER_S, .wall_ns = NS_PER_S}};
	const struct answers two = {.items = answers, .count = 2};
	start(f);
	settle(f, RESULT_EXIT, 0);
	settle(f, RESULT_EXIT, 1);
	settle(f, RESULT_TIMEOUT, 0);
	settle(f, RESULT_CANCELLED, 0);
	settle(f, RESULT_SKIPPED, 0);
	assert_int_equal(f->sink->ops->retried(f->sink, f->task, &retried, &err), 0);
	assert_int_equal(f->sink->ops->answered(f->sink, f->task, &two, &err), 0);
	assert_int_equal(f->sink->ops->passed(f->sink, f->task, &err), 0);
	f->task->is_unknown = true;
	assert_int_equal(f->sink->ops->passed(f->sink, f->task, &err), 0);
	progress_end(f->sink, clock_now_ns(), &end);
	assert_int_equal(end.counts.done, 3);
	assert_int_equal(end.counts.failed, 2);
	assert_int_equal(end.counts.cancelled, 1);
	assert_int_equal(end.counts.skipped, 1);
	assert_int_equal(end.counts.passed, 1);
	assert_int_equal(end.task_ns, (4 + 5 + 2) * NS_PER_S); /* none for the skipped one */
	assert_int_equal(end.worker_ns, SEATS * end.run_ns);
}

static void
line_is_drawn_when_asked_for(void **state)
{
	struct fixture *f = *state;
	f->task_count = 4;
	f->is_all = true;
	start(f);
	settle(f, RESULT_EXIT, 0);
	atomic_store(&f->board.seats[3].seq, 1);
	wait_for(f, "1 of 4  1 running");
	f->is_all = false;
	wait_for(f, "1 of 4+  1 running");
}

static void
short_run_shows_nothing_unasked(void **state)
{
	struct fixture *f = *state;
	struct progress_end end;
	struct err err = {0};
	int64_t until_at_ns = clock_now_ns() + 300 * NS_PER_MS;
	f->config.is_asked_for = false;
	start(f);
	while (clock_now_ns() < until_at_ns)
		assert_int_equal(loop_turn(f->loop, until_at_ns, &err), 0);
	progress_end(f->sink, clock_now_ns(), &end);
	bool was_shown = display_was_shown(f->display);
	/* Unless this machine took a second over it. */
	assert_true(!was_shown || end.run_ns >= NS_PER_S);
	assert_int_equal(read(f->master_fd, f->text, sizeof(f->text)) == -1, !was_shown);
}

static void
long_run_is_shown_unasked(void **state)
{
	struct fixture *f = *state;
	struct progress_end end;
	f->config.is_asked_for = false;
	start(f);
	wait_for(f, "0 of 0+");
	assert_true(display_was_shown(f->display));
	progress_end(f->sink, clock_now_ns(), &end);
	assert_true(end.run_ns >= NS_PER_S);
}

static void
without_a_screen_a_line_is_said(void **state)
{
	struct fixture *f = *state;
	f->config.screen = NULL;
	start(f);
	settle(f, RESULT_EXIT, 1);
	wait_for(f, "1 of 1+, 1 failed, 0 running");
	assert_int_equal(read(f->master_fd, f->text, sizeof(f->text)), -1);
}

static void
workers_have_lanes_as_far_as_there_is_room(void **state)
{
	struct fixture *f = *state;
	f->progress.style = SPEC_PROGRESS_LANES;
	start(f);
	atomic_store(&f->board.seats[0].seq, 41);
	atomic_store(&f->board.seats[7].seq, 42);
	wait_for(f, "task 41 in 1");
	wait_for(f, "and 14 more");
	assert_null(strstr(f->text, "task 42"));
}

static void
several_runs_share_the_screen_each_with_its_name(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	f->progress.style = SPEC_PROGRESS_LANES;
	f->progress.title = "resize";
	start(f);
	f->progress.title = "upload";
	struct sink *other = progress_new(&f->progress, &err);
	assert_non_null(other);
	assert_int_equal(progress_start(other, &f->board, clock_now_ns()), 0);
	assert_int_equal(display_add(f->display, other), 0);
	wait_for(f, "resize: 0 of 0+");
	wait_for(f, "upload: 0 of 0+");
	wait_for(f, "\x1b[7A"); /* eight rows: of each a line, two lanes and the rest */
	display_free(f->display);
	f->display = NULL;
	sink_free(other);
}

static void
bar_names_what_was_started_last(void **state)
{
	struct fixture *f = *state;
	f->progress.style = SPEC_PROGRESS_BAR;
	start(f);
	atomic_store(&f->board.seats[0].seq, 41);
	atomic_store(&f->board.seats[7].seq, 42);
	wait_for(f, "task 42 in 8");
	atomic_store(&f->board.seats[8].seq, LONG_TASK);
	wait_for(f, "task 43 in 9 and so on");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(ends_of_all_kinds_are_counted),
	    TEST(line_is_drawn_when_asked_for),
	    TEST(short_run_shows_nothing_unasked),
	    TEST(long_run_is_shown_unasked),
	    TEST(without_a_screen_a_line_is_said),
	    TEST(workers_have_lanes_as_far_as_there_is_room),
	    TEST(several_runs_share_the_screen_each_with_its_name),
	    TEST(bar_names_what_was_started_last),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Lines that come and go at the bottom of a terminal: here a pair of pseudo terminals. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "child.h"

#include "terminal.h"

#include "base/diag.h"
#include "base/io.h"
#include "base/screen.h"
#include "sink/writer.h"

#define DRAWN(text) "\r\x1b[?7l" text "\x1b[J\x1b[?7h\r"
#define ERASED "\r \x1b[J\r\x1b[K"

struct terminal {
	int master_fd;
	int fd;
	struct screen screen;
	char text[65536];
};

static int
set_up(void **state)
{
	struct terminal *t = calloc(1, sizeof(*t));
	struct winsize size = {.ws_col = 80, .ws_row = 24};
	struct termios raw;
	alarm(TEST_SECONDS);
	if (t == NULL || terminal_open(&t->master_fd, &t->fd, &size) == -1)
		return -1;
	tcgetattr(t->fd, &raw);
	cfmakeraw(&raw);
	tcsetattr(t->fd, TCSANOW, &raw);
	io_set_nonblocking(t->master_fd);
	screen_open(&t->screen, t->fd);
	*state = t;
	return 0;
}

static int
tear_down(void **state)
{
	struct terminal *t = *state;
	screen_close(&t->screen);
	io_close(t->master_fd);
	io_close(t->fd);
	free(t);
	alarm(0);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* What has come out since the last time. */
static const char *
shown(struct terminal *t)
{
	size_t length = 0;
	ssize_t got;
	while ((got = read(t->master_fd, t->text + length, sizeof(t->text) - 1 - length)) >
	       0)
		length += (size_t)got;
	t->text[length] = '\0';
	return t->text;
}

static void
paint(struct terminal *t, const char *text)
{
	screen_paint(&t->screen, text, strlen(text));
}

static void
line_is_drawn_and_taken_away_from_the_left_edge(void **state)
{
	struct terminal *t = *state;
	paint(t, "one");
	assert_string_equal(shown(t), DRAWN("one"));
	paint(t, "two");
	assert_string_equal(shown(t), DRAWN("two"));
	assert_true(screen_erase(&t->screen));
	assert_string_equal(shown(t), ERASED);
	assert_true(screen_erase(&t->screen));
	assert_string_equal(shown(t), "");
}

static void
cursor_waits_on_the_first_of_several_lines(void **state)
{
	struct terminal *t = *state;
	paint(t, "one\ntwo\nthree");
	assert_string_equal(shown(t), DRAWN("one\x1b[K\r\ntwo\x1b[K\r\nthree") "\x1b[2A");
	assert_true(screen_erase(&t->screen));
	assert_string_equal(shown(t), ERASED);
}

static void
nothing_is_drawn_behind_an_unfinished_line(void **state)
{
	struct terminal *t = *state;
	screen_wrote(&t->screen, 'x');
	paint(t, "one");
	assert_string_equal(shown(t), "");
	screen_wrote(&t->screen, '\n');
	paint(t, "one");
	assert_string_equal(shown(t), DRAWN("one"));
}

static void
closed_screen_leaves_nothing(void **state)
{
	struct terminal *t = *state;
	paint(t, "one");
	shown(t);
	screen_close(&t->screen);
	assert_string_equal(shown(t), ERASED);
	paint(t, "two");
	assert_string_equal(shown(t), "");
}

static void
screen_of_another_width_is_drawn_anew(void **state)
{
	struct terminal *t = *state;
	struct winsize size = {.ws_col = 40, .ws_row = 24};
	paint(t, "one");
	ioctl(t->master_fd, TIOCSWINSZ, &size);
	paint(t, "two");
	assert_string_equal(shown(t), DRAWN("one") ERASED DRAWN("two"));
	paint(t, "three");
	assert_string_equal(shown(t), DRAWN("three"));
}

static void
size_is_that_of_the_terminal_now(void **state)
{
	struct terminal *t = *state;
	struct winsize size = {.ws_col = 40, .ws_row = 10};
	size_t columns, rows;
	ioctl(t->master_fd, TIOCSWINSZ, &size);
	screen_size(&t->screen, &columns, &rows);
	assert_int_equal(columns, 40);
	assert_int_equal(rows, 10);
	size = (struct winsize){0};
	ioctl(t->master_fd, TIOCSWINSZ, &size);
	screen_size(&t->screen, &columns, &rows);
	assert_int_equal(columns, 80);
	assert_int_equal(rows, 24);
}

/* As ^S does. What was torn is finished before anything else comes. */
static void
stopped_terminal_is_not_waited_for(void **state)
{
	struct terminal *t = *state;
	assert_int_equal(tcflow(t->fd, TCOOFF), 0);
	paint(t, "one");
	paint(t, "two");
	assert_false(screen_erase(&t->screen));
	assert_int_equal(tcflow(t->fd, TCOON), 0);
	assert_true(screen_erase(&t->screen));
	assert_string_equal(shown(t), DRAWN("one") ERASED);
}

static void
terminal_that_has_gone_is_left_alone(void **state)
{
	struct terminal *t = *state;
	paint(t, "one");
	io_close_set(&t->master_fd);
	paint(t, "two");
	assert_false(t->screen.is_open);
	assert_true(screen_erase(&t->screen));
	paint(t, "three");
}

static void
message_takes_the_lines_away_first(void **state)
{
	struct terminal *t = *state;
	const struct diag diag = {.name = "pinion map", .fd = t->fd, .screen = &t->screen};
	paint(t, "one");
	diag_say(&diag, "hello");
	assert_string_equal(shown(t), DRAWN("one") ERASED "pinion map: hello\n");
	paint(t, "two");
	assert_string_equal(shown(t), DRAWN("two"));
}

static void
message_begins_a_line_of_its_own(void **state)
{
	struct terminal *t = *state;
	const struct diag diag = {.name = "pinion map", .fd = t->fd, .screen = &t->screen};
	diag_raw(&diag, "unfinished", 10);
	diag_say(&diag, "hello");
	assert_string_equal(shown(t), "unfinished\npinion map: hello\n");
}

static void
output_takes_the_lines_away_first(void **state)
{
	struct terminal *t = *state;
	struct err err = {0};
	struct writer writer;
	writer_init(&writer, t->fd, "stdout");
	writer.screen = &t->screen;
	paint(t, "one");
	assert_int_equal(writer_put(&writer, "out", 3, &err), 0);
	assert_int_equal(writer_flush(&writer, &err), 0);
	assert_string_equal(shown(t), DRAWN("one") ERASED "out");
	paint(t, "two");
	assert_string_equal(shown(t), "");
	assert_int_equal(writer_put(&writer, "put\n", 4, &err), 0);
	assert_int_equal(writer_flush(&writer, &err), 0);
	paint(t, "three");
	assert_string_equal(shown(t), "put\n" DRAWN("three"));
	writer_fini(&writer);
}

static void
output_waits_where_the_lines_cannot_be_taken_away(void **state)
{
	struct terminal *t = *state;
	struct err err = {0};
	struct writer writer;
	writer_init(&writer, t->fd, "stdout");
	writer.screen = &t->screen;
	paint(t, "one");
	assert_int_equal(tcflow(t->fd, TCOOFF), 0);
	assert_int_equal(writer_put(&writer, "out\n", 4, &err), 0);
	assert_int_equal(writer_flush(&writer, &err), 0);
	assert_true(writer.is_blocked);
	assert_int_equal(tcflow(t->fd, TCOON), 0);
	assert_int_equal(writer_flush(&writer, &err), 0);
	assert_string_equal(shown(t), DRAWN("one") ERASED "out\n");
	writer_fini(&writer);
}

static void
lines_are_possible_on_a_terminal_that_is_not_dumb(void **state)
{
	struct terminal *t = *state;
	int fds[2];
	assert_int_equal(io_pipe(fds, 0), 0);
	setenv("TERM", "xterm", 1);
	assert_true(screen_is_possible(t->fd));
	assert_false(screen_is_possible(fds[1]));
	setenv("TERM", "dumb", 1);
	assert_false(screen_is_possible(t->fd));
	unsetenv("TERM");
	assert_false(screen_is_possible(t->fd));
	io_close(fds[0]);
	io_close(fds[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(line_is_drawn_and_taken_away_from_the_left_edge),
	    TEST(cursor_waits_on_the_first_of_several_lines),
	    TEST(nothing_is_drawn_behind_an_unfinished_line),
	    TEST(closed_screen_leaves_nothing),
	    TEST(screen_of_another_width_is_drawn_anew),
	    TEST(size_is_that_of_the_terminal_now),
	    TEST(stopped_terminal_is_not_waited_for),
	    TEST(terminal_that_has_gone_is_left_alone),
	    TEST(message_takes_the_lines_away_first),
	    TEST(message_begins_a_line_of_its_own),
	    TEST(output_takes_the_lines_away_first),
	    TEST(output_waits_where_the_lines_cannot_be_taken_away),
	    TEST(lines_are_possible_on_a_terminal_that_is_not_dumb),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Messages: one line, one write, no control bytes. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "child.h"

#include "base/diag.h"
#include "base/io.h"

struct wire {
	int fds[2]; /* keeps each write apart */
	struct diag diag;
	char text[8192];
};

static void
wire_open(struct wire *wire)
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, wire->fds),
			 0);
	wire->diag = (struct diag){.name = "pinion map", .fd = wire->fds[1]};
}

static const char *
wire_next(struct wire *wire)
{
	ssize_t got = recv(wire->fds[0], wire->text, sizeof(wire->text) - 1, MSG_DONTWAIT);
	wire->text[got > 0 ? got : 0] = '\0';
	return wire->text;
}

static void
wire_close(struct wire *wire)
{
	close(wire->fds[0]);
	close(wire->fds[1]);
}

static void
message_is_one_line_in_one_write(void **state)
{
	(void)state;
	struct wire wire;
	wire_open(&wire);
	diag_say(&wire.diag, "cannot open %s: %d", "file", 7);
	assert_string_equal(wire_next(&wire), "pinion map: cannot open file: 7\n");
	assert_string_equal(wire_next(&wire), "");
	wire_close(&wire);
}

static void
copy_has_what_was_said_up_to_a_bound(void **state)
{
	(void)state;
	struct wire wire;
	struct buf copy = {0};
	wire_open(&wire);
	wire.diag.copy = &copy;
	diag_say(&wire.diag, "one");
	diag_raw(&wire.diag, "raw", 3);
	diag_say(&wire.diag, "two");
	assert_string_equal(buf_str(&copy), "pinion map: one\npinion map: two\n");
	for (int i = 0; i < 5000; i++) {
		diag_say(&wire.diag, "some message");
		while (*wire_next(&wire) != '\0')
			;
	}
	assert_true(copy.length > DIAG_COPY_BYTES / 2 && copy.length <= DIAG_COPY_BYTES);
	buf_fini(&copy);
	wire_close(&wire);
}

static void
control_bytes_are_made_visible_and_utf8_stays(void **state)
{
	(void)state;
	struct wire wire;
	wire_open(&wire);
	diag_say(&wire.diag, "%s", "a\nb\x1b[31m\t\x7f \xc3\xa9 \xf0\x9f\x98\x80 \x01");
	assert_string_equal(wire_next(&wire),
			    "pinion map: a\\x0ab\\x1b[31m\\x09\\x7f \xc3\xa9 "
			    "\xf0\x9f\x98\x80 \\x01\n");
	wire_close(&wire);
}

/* CSI as one byte and as a character, and what turns the direction of writing. */
static void
what_drives_a_terminal_beyond_ascii_is_made_visible(void **state)
{
	(void)state;
	struct wire wire;
	wire_open(&wire);
	diag_say(&wire.diag, "%s", "\x9b~ \xc2\x9b~ \xe2\x80\xaegnp \xc3");
	assert_string_equal(wire_next(&wire),
			    "pinion map: \\x9b~ \\xc2\\x9b~ \\xe2\\x80\\xaegnp "
			    "\\xc3\n");
	wire_close(&wire);
}

static void
error_is_told_by_its_text(void **state)
{
	(void)state;
	struct wire wire;
	struct err err = {0};
	wire_open(&wire);
	err_set(&err, ERR_USAGE, "100%%s wrong");
	diag_err(&wire.diag, &err);
	assert_string_equal(wire_next(&wire), "pinion map: 100%s wrong\n");
	wire_close(&wire);
}

static void
raw_bytes_go_out_as_they_are(void **state)
{
	(void)state;
	struct wire wire;
	wire_open(&wire);
	diag_raw(&wire.diag, "\x1b[1mbold\n", 9);
	assert_string_equal(wire_next(&wire), "\x1b[1mbold\n");
	wire_close(&wire);
}

static void
very_long_message_is_cut_to_one_line(void **state)
{
	(void)state;
	struct wire wire;
	wire_open(&wire);
	diag_say(&wire.diag, "%6000d", 7);
	size_t length = strlen(wire_next(&wire));
	assert_true(length > 4000 && length < 4200);
	assert_int_equal(wire.text[length - 1], '\n');
	wire_close(&wire);
}

static void
errno_is_kept(void **state)
{
	(void)state;
	struct wire wire;
	wire_open(&wire);
	close(wire.fds[0]); /* writing fails */
	void (*before)(int) = signal(SIGPIPE, SIG_IGN);
	errno = EXDEV;
	diag_say(&wire.diag, "x");
	assert_int_equal(errno, EXDEV);
	diag_raw(&wire.diag, "x", 1);
	assert_int_equal(errno, EXDEV);
	signal(SIGPIPE, before);
	close(wire.fds[1]);
}

static void
stderr_that_takes_nothing_loses_the_message_not_the_run(void **state)
{
	(void)state;
	static const char bytes[4096];
	struct diag diag = {.name = "pinion"};
	int fds[2];
	assert_int_equal(io_pipe(fds, 4096), 0);
	assert_int_equal(io_set_nonblocking(fds[1]), 0);
	while (io_write(fds[1], bytes, sizeof(bytes)) > 0)
		;
	diag.fd = fds[1];
	diag_say(&diag, "nobody reads this"); /* comes back: the alarm says so */
	close(fds[0]);
	close(fds[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TIMED_TEST(message_is_one_line_in_one_write),
	    TIMED_TEST(copy_has_what_was_said_up_to_a_bound),
	    TIMED_TEST(control_bytes_are_made_visible_and_utf8_stays),
	    cmocka_unit_test(what_drives_a_terminal_beyond_ascii_is_made_visible),
	    TIMED_TEST(error_is_told_by_its_text),
	    TIMED_TEST(raw_bytes_go_out_as_they_are),
	    TIMED_TEST(very_long_message_is_cut_to_one_line),
	    TIMED_TEST(errno_is_kept),
	    TIMED_TEST(stderr_that_takes_nothing_loses_the_message_not_the_run),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

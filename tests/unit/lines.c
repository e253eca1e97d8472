/* Items out of files and pipes that come in pieces, or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/io.h"
#include "input/lines.h"

#define GIANT_BYTES ((size_t)5 * 1024 * 1024)

struct piped {
	struct lines *lines;
	int write_fd;
	char path[32];
};

/*
 * The path names a descriptor that is closed again: only the writer here and the lines
 * have it.
 */
static void
open_pipe(struct piped *piped, char delimiter)
{
	int fds[2];
	struct err err;
	assert_int_equal(io_pipe(fds, 0), 0);
	snprintf(piped->path, sizeof(piped->path), "/dev/fd/%d", fds[0]);
	piped->lines = lines_open(piped->path, delimiter, &err);
	assert_non_null(piped->lines);
	piped->write_fd = fds[1];
	io_close(fds[0]);
}

static void
put(struct piped *piped, const char *bytes, size_t length)
{
	assert_int_equal(io_write_all(piped->write_fd, bytes, length), 0);
}

static void
assert_item(struct lines *lines, const char *bytes, size_t length)
{
	struct arg item;
	struct err err = {0};
	enum source_status status;
	do
		status = lines_next(lines, &item, &err);
	while (status == SOURCE_WAIT && length >= GIANT_BYTES);
	assert_string_equal(err.text, "");
	assert_int_equal(status, SOURCE_TASK);
	assert_int_equal(item.length, length);
	assert_memory_equal(item.bytes, bytes, length);
}

static void
assert_string(struct lines *lines, const char *string)
{
	assert_item(lines, string, strlen(string));
}

static void
assert_status(struct lines *lines, enum source_status expected)
{
	struct arg item;
	assert_int_equal(lines_next(lines, &item, NULL), expected);
}

static void
an_item_waits_for_its_delimiter(void **state)
{
	(void)state;
	struct piped piped;
	open_pipe(&piped, '\n');
	assert_status(piped.lines, SOURCE_WAIT);
	put(&piped, "ab", 2);
	assert_status(piped.lines, SOURCE_WAIT);
	put(&piped, "c\nd", 3);
	assert_string(piped.lines, "abc");
	assert_status(piped.lines, SOURCE_WAIT);
	put(&piped, "\n", 1);
	assert_string(piped.lines, "d");
	io_close(piped.write_fd);
	assert_status(piped.lines, SOURCE_END);
	lines_close(piped.lines);
}

static void
the_last_item_needs_no_delimiter(void **state)
{
	(void)state;
	struct piped piped;
	open_pipe(&piped, '\n');
	put(&piped, "a\nlast", 6);
	io_close(piped.write_fd);
	assert_string(piped.lines, "a");
	assert_string(piped.lines, "last");
	assert_status(piped.lines, SOURCE_END);
	assert_status(piped.lines, SOURCE_END);
	lines_close(piped.lines);
}

static void
items_are_any_bytes(void **state)
{
	(void)state;
	struct piped piped;
	open_pipe(&piped, '\n');
	put(&piped, "a\0b\r\n\n\xff\n", 8);
	io_close(piped.write_fd);
	assert_item(piped.lines, "a\0b\r", 4);
	assert_string(piped.lines, "");
	assert_string(piped.lines, "\xff");
	assert_status(piped.lines, SOURCE_END);
	lines_close(piped.lines);
}

static void
newlines_stay_in_items_that_end_in_nul(void **state)
{
	(void)state;
	struct piped piped;
	open_pipe(&piped, '\0');
	put(&piped, "a\nb\0\0c\n", 7);
	io_close(piped.write_fd);
	assert_string(piped.lines, "a\nb");
	assert_string(piped.lines, "");
	assert_string(piped.lines, "c\n");
	assert_status(piped.lines, SOURCE_END);
	lines_close(piped.lines);
}

static void
the_descriptor_to_wait_on_becomes_readable(void **state)
{
	(void)state;
	struct piped piped;
	open_pipe(&piped, '\n');
	assert_status(piped.lines, SOURCE_WAIT);
	struct pollfd pollfd = {.fd = lines_fd(piped.lines), .events = POLLIN};
	assert_int_equal(poll(&pollfd, 1, 0), 0);
	put(&piped, "x\n", 2);
	assert_int_equal(poll(&pollfd, 1, 0), 1);
	io_close(piped.write_fd);
	lines_close(piped.lines);
}

static void
the_pipe_stays_blocking(void **state)
{
	(void)state;
	struct piped piped;
	open_pipe(&piped, '\n');
	assert_status(piped.lines, SOURCE_WAIT);
	assert_int_equal(fcntl(lines_fd(piped.lines), F_GETFL) & O_NONBLOCK, 0);
	assert_int_not_equal(fcntl(lines_fd(piped.lines), F_GETFD) & FD_CLOEXEC, 0);
	io_close(piped.write_fd);
	lines_close(piped.lines);
}

/* Its content is the caller's; the file is gone from the folder as soon as it is open. */
static struct lines *
open_file(const char *bytes, size_t length)
{
	char path[] = "/tmp/pinion-lines-XXXXXX";
	int fd = mkstemp(path);
	assert_int_not_equal(fd, -1);
	assert_int_equal(io_write_all(fd, bytes, length), 0);
	io_close(fd);
	struct lines *lines = lines_open(path, '\n', NULL);
	unlink(path);
	assert_non_null(lines);
	return lines;
}

static void
small_items_around_a_giant_come_out_whole(void **state)
{
	(void)state;
	char *text = malloc(2 * GIANT_BYTES);
	assert_non_null(text);
	memcpy(text, "small\n", 6);
	memset(text + 6, 'g', GIANT_BYTES);
	size_t length = 6 + GIANT_BYTES;
	text[length++] = '\n';
	for (int i = 0; i < 50000; i++)
		length += (size_t)sprintf(text + length, "after %d\n", i);
	struct lines *lines = open_file(text, length);
	assert_string(lines, "small");
	assert_item(lines, text + 6, GIANT_BYTES);
	for (int i = 0; i < 50000; i++) {
		char expected[32];
		snprintf(expected, sizeof(expected), "after %d", i);
		assert_string(lines, expected);
	}
	assert_status(lines, SOURCE_END);
	lines_close(lines);
	free(text);
}

static void
giants_in_a_row_come_out_whole(void **state)
{
	(void)state;
	char *text = malloc(3 * (GIANT_BYTES + 1));
	assert_non_null(text);
	memset(text, 'g', 3 * (GIANT_BYTES + 1));
	text[GIANT_BYTES] = '\n';
	text[2 * GIANT_BYTES + 1] = '\n';
	struct lines *lines = open_file(text, 3 * (GIANT_BYTES + 1));
	assert_item(lines, text, GIANT_BYTES);
	assert_item(lines, text, GIANT_BYTES);
	assert_item(lines, text + 2 * GIANT_BYTES + 2, GIANT_BYTES + 1);
	assert_status(lines, SOURCE_END);
	lines_close(lines);
	free(text);
}

static void
empty_files_have_no_items(void **state)
{
	(void)state;
	struct lines *lines = open_file("", 0);
	assert_status(lines, SOURCE_END);
	lines_close(lines);
	lines = lines_open("/dev/null", '\n', NULL);
	assert_non_null(lines);
	assert_status(lines, SOURCE_END);
	lines_close(lines);
}

static void
a_folder_is_refused_by_name(void **state)
{
	(void)state;
	struct err err = {0};
	assert_null(lines_open("/proc/self", '\n', &err));
	assert_int_equal(err.kind, ERR_SYSTEM);
	assert_int_equal(err.errno_value, EISDIR);
	assert_non_null(strstr(err.text, "/proc/self"));
}

static void
a_missing_file_is_refused_by_name(void **state)
{
	(void)state;
	struct err err = {0};
	assert_null(lines_open("/nowhere/at-all", '\n', &err));
	assert_int_equal(err.errno_value, ENOENT);
	assert_non_null(strstr(err.text, "/nowhere/at-all"));
}

/* Address 0 of our own memory: the file opens, and reading it is EIO. */
static void
a_read_error_is_not_an_end(void **state)
{
	(void)state;
	struct err err = {0};
	struct arg item;
	struct lines *lines = lines_open("/proc/self/mem", '\n', &err);
	assert_non_null(lines);
	assert_int_equal(lines_next(lines, &item, &err), SOURCE_ERROR);
	assert_int_equal(err.errno_value, EIO);
	assert_non_null(strstr(err.text, "/proc/self/mem"));
	lines_close(lines);
}

static void
waiting_lasts_until_the_item_is_whole(void **state)
{
	(void)state;
	struct piped piped;
	struct arg item;
	open_pipe(&piped, '\n');
	pid_t child = fork();
	assert_int_not_equal(child, -1);
	if (child == 0) {
		bool is_ok = io_write_all(piped.write_fd, "he", 2) == 0 &&
			     io_write_all(piped.write_fd, "ader\nrest\n", 10) == 0;
		_exit(is_ok ? 0 : 1);
	}
	io_close(piped.write_fd);
	assert_int_equal(lines_next_wait(piped.lines, &item, NULL), SOURCE_TASK);
	assert_int_equal(item.length, 6);
	assert_memory_equal(item.bytes, "header", 6);
	assert_int_equal(lines_next_wait(piped.lines, &item, NULL), SOURCE_TASK);
	assert_memory_equal(item.bytes, "rest", 4);
	assert_int_equal(lines_next_wait(piped.lines, &item, NULL), SOURCE_END);
	int status;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	lines_close(piped.lines);
}

static void
standard_input_stays_open(void **state)
{
	(void)state;
	struct lines *lines = lines_open("-", '\n', NULL);
	assert_non_null(lines);
	assert_int_equal(lines_fd(lines), STDIN_FILENO);
	lines_close(lines);
	assert_int_not_equal(fcntl(STDIN_FILENO, F_GETFD), -1);
}

static void
a_pipe_is_shared_by_any_name_but_a_file_is_not(void **state)
{
	(void)state;
	struct piped piped;
	char path[32];
	open_pipe(&piped, '\n');
	snprintf(path, sizeof(path), "/proc/self/fd/%d", lines_fd(piped.lines));
	struct lines *again = lines_open(path, '\n', NULL);
	assert_non_null(again);
	assert_true(lines_share_input(piped.lines, again));
	struct lines *file = open_file("a", 1);
	assert_false(lines_share_input(piped.lines, file));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", lines_fd(file));
	struct lines *file_again = lines_open(path, '\n', NULL);
	assert_non_null(file_again);
	assert_false(lines_share_input(file, file_again));
	lines_close(file_again);
	lines_close(file);
	lines_close(again);
	io_close(piped.write_fd);
	lines_close(piped.lines);
}

static void
within_an_item_without_an_end_others_have_their_turn(void **state)
{
	struct err err = {0};
	struct arg item;
	(void)state;
	struct lines *lines = lines_open("/dev/zero", '\n', &err);
	assert_non_null(lines);
	for (int i = 0; i < 3; i++)
		assert_int_equal(lines_next(lines, &item, &err), SOURCE_WAIT);
	lines_close(lines);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_item_waits_for_its_delimiter),
	    cmocka_unit_test(the_last_item_needs_no_delimiter),
	    cmocka_unit_test(items_are_any_bytes),
	    cmocka_unit_test(newlines_stay_in_items_that_end_in_nul),
	    cmocka_unit_test(the_descriptor_to_wait_on_becomes_readable),
	    cmocka_unit_test(the_pipe_stays_blocking),
	    cmocka_unit_test(small_items_around_a_giant_come_out_whole),
	    cmocka_unit_test(giants_in_a_row_come_out_whole),
	    cmocka_unit_test(within_an_item_without_an_end_others_have_their_turn),
	    cmocka_unit_test(empty_files_have_no_items),
	    cmocka_unit_test(a_folder_is_refused_by_name),
	    cmocka_unit_test(a_missing_file_is_refused_by_name),
	    cmocka_unit_test(a_read_error_is_not_an_end),
	    cmocka_unit_test(waiting_lasts_until_the_item_is_whole),
	    cmocka_unit_test(standard_input_stays_open),
	    cmocka_unit_test(a_pipe_is_shared_by_any_name_but_a_file_is_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

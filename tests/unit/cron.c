/* cron_open and cron_close: folders that cannot be had, one run at a time, one screen at most. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime_folder.h"

#include "base/io.h"
#include "record/cron.h"

#define SCREEN_BYTES 4096

static const char *folders[4]; /* that cron_open is to try */

static int
set_up(void **state)
{
	static char usable[64];
	if (runtime_setup(state) == -1)
		return -1;
	snprintf(usable, sizeof(usable), "%s/cron", getenv("XDG_RUNTIME_DIR"));
	folders[0] = usable;
	folders[1] = NULL;
	return 0;
}

/*
 * A run of that name in a process of its own, with `screen_fd` for its stderr: its status is 0 or
 * what cron_open's err is.
 */
static int
run(int screen_fd, const struct cron_end *end)
{
	pid_t pid = child_fork();
	if (pid == 0) {
		struct err err = {0};
		dup2(screen_fd, STDOUT_FILENO);
		dup2(screen_fd, STDERR_FILENO);
		struct cron *cron = cron_open("night", folders, &err);
		if (cron == NULL) {
			io_write_all(STDERR_FILENO, err.text, strlen(err.text));
			_exit(err.kind);
		}
		io_write_all(STDOUT_FILENO, "output\n", 7);
		if (end != NULL)
			cron_close(cron, end);
		_exit(0);
	}
	int status = child_wait(pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* The same, and what it said into `screen`. */
static int
run_and_read(char screen[SCREEN_BYTES], const struct cron_end *end)
{
	int fd = io_memfd("screen", 0);
	assert_int_not_equal(fd, -1);
	int status = run(fd, end);
	ssize_t length = pread(fd, screen, SCREEN_BYTES - 1, 0);
	assert_int_not_equal(length, -1);
	screen[length] = '\0';
	io_close(fd);
	return status;
}

static const struct spec no_records;

static void
folders_that_cannot_be_had_are_passed_over(void **state)
{
	char planted[64], screen[SCREEN_BYTES];
	const struct buf messages = {0};
	const struct cron_end end = {.messages = &messages, .spec = &no_records};
	(void)state;
	snprintf(planted, sizeof(planted), "%s/open", getenv("XDG_RUNTIME_DIR"));
	assert_int_equal(mkdir(planted, 0700), 0);
	assert_int_equal(chmod(planted, 0777), 0);
	folders[2] = folders[0];
	folders[0] = "/proc/none/cron";
	folders[1] = planted;
	folders[3] = NULL;
	assert_int_equal(run_and_read(screen, &end), 0);
	assert_string_equal(screen, "");
	assert_true(runtime_has("cron"));
	assert_false(runtime_has("cron/night.lock"));
	assert_false(runtime_has("cron/night.output"));
	folders[2] = NULL;
	assert_int_equal(run_and_read(screen, &end), ERR_SYSTEM);
	assert_memory_equal(screen, "--cron: the folder ", 19);
	assert_non_null(strstr(screen, "/open is open to others"));
	if (geteuid() != 0) /* who else can give it away */
		return;
	assert_int_equal(chmod(planted, 0700), 0);
	assert_int_equal(chown(planted, 54321, 0), 0);
	assert_int_equal(run_and_read(screen, &end), ERR_SYSTEM);
	assert_non_null(strstr(screen, "/open belongs to user 54321, not to us"));
}

static void
screen_has_the_last_messages(void **state)
{
	char screen[SCREEN_BYTES];
	struct buf messages = {0};
	const struct cron_end end = {
	    .status = 1, .messages = &messages, .spec = &no_records};
	(void)state;
	for (int i = 1; i <= 20; i++)
		assert_int_equal(buf_printf(&messages, "line %d\n", i), 0);
	assert_int_equal(run_and_read(screen, &end), 0);
	assert_non_null(strstr(screen, "\nline 1\n"));
	assert_int_equal(buf_append_str(&messages, "line 21\n"), 0);
	assert_int_equal(run_and_read(screen, &end), 0);
	assert_memory_equal(screen, "night: exit status 1, on ", 25);
	assert_null(strstr(screen, "\nline 1\n"));
	assert_non_null(strstr(screen, "\nline 2\nline 3\n"));
	assert_non_null(strstr(screen, "\nline 21\nall output: "));
	assert_true(runtime_has("cron/night.output"));
	assert_false(runtime_has("cron/night.lock"));
	buf_fini(&messages);
}

static void
screen_says_what_runs_again_what_failed(void **state)
{
	char screen[SCREEN_BYTES];
	const struct buf messages = {0};
	const struct spec with_joblog = {.joblog = "log"};
	const struct cron_end end = {
	    .status = 1, .messages = &messages, .spec = &with_joblog};
	(void)state;
	assert_int_equal(run_and_read(screen, &end), 0);
	assert_non_null(strstr(screen,
			       "\nwhat failed, and the rest: the same command with "
			       "--resume-failed\n"));
}

/* Between taking the lock and writing who has it. */
static void
lock_that_says_nothing_yet_is_a_lock(void **state)
{
	char screen[SCREEN_BYTES], expected[128];
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	(void)state;
	assert_int_equal(mkdir(folders[0], 0700), 0);
	int fd = open(runtime_path("cron/night.lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(fcntl(fd, F_SETLK, &lock), 0);
	snprintf(expected, sizeof(expected),
		 "--cron night: it is running already: process %d, since just now",
		 (int)getpid());
	assert_int_equal(run_and_read(screen, NULL), ERR_LOCKED);
	assert_string_equal(screen, expected);
	io_close(fd);
}

static void
name_that_is_no_file_is_an_error(void **state)
{
	static const char *const names[] = {"cron/night.lock", "cron/night.output"};
	char screen[SCREEN_BYTES];
	(void)state;
	assert_int_equal(mkdir(folders[0], 0700), 0);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(symlink("/etc/passwd", runtime_path(names[i])), 0);
		assert_int_equal(run_and_read(screen, NULL), ERR_SYSTEM);
		assert_non_null(strstr(screen, names[i] + 5));
		assert_non_null(strstr(screen, ": Too many levels of symbolic links"));
		assert_int_equal(unlink(runtime_path(names[i])), 0);
	}
	assert_false(runtime_has("cron/night.lock"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, runtime_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(folders_that_cannot_be_had_are_passed_over),
	    TEST(screen_has_the_last_messages),
	    TEST(screen_says_what_runs_again_what_failed),
	    TEST(lock_that_says_nothing_yet_is_a_lock),
	    TEST(name_that_is_no_file_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

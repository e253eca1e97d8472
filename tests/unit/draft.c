/* Drafts: files that are there whole or not at all, and what is left of them by the dead. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/draft.h"
#include "base/io.h"

/* Each test has an empty folder for its current one. */
static int
set_up(void **state)
{
	static char folder[] = "/tmp/pinion-draft-XXXXXX";
	strcpy(folder + sizeof(folder) - 7, "XXXXXX");
	*state = mkdtemp(folder);
	return *state == NULL ? -1 : chdir(folder);
}

static int
tear_down(void **state)
{
	char command[64];
	snprintf(command, sizeof(command), "rm -rf %s", (char *)*state);
	return chdir("/") == -1 || system(command) != 0 ? -1 : 0;
}

static void
put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd == -1)
		fail_msg("%s: %s", path, strerror(errno));
	assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

static void
assert_holds(const char *path, const char *text)
{
	char bytes[64] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		fail_msg("%s: %s", path, strerror(errno));
	assert_true(io_read(fd, bytes, sizeof(bytes) - 1) >= 0);
	close(fd);
	assert_string_equal(bytes, text);
}

/* What is in the current folder and below, with a blank behind each. */
static void
assert_tree(const char *expected)
{
	char bytes[512] = "";
	FILE *found =
	    popen("find . -mindepth 1 -printf '%P\\n' | sort | tr '\\n' ' '", "r");
	assert_non_null(found);
	bytes[fread(bytes, 1, sizeof(bytes) - 1, found)] = '\0';
	assert_int_equal(pclose(found), 0);
	assert_string_equal(bytes, expected);
}

static void
open_draft(struct draft *draft, const char *target)
{
	if (draft_open(draft, target) == -1)
		fail_msg("%s: %s", target, strerror(errno));
}

static void
assert_no_draft(const char *target, int errno_value)
{
	struct draft draft = {0};
	assert_int_equal(draft_open(&draft, target), -1);
	assert_int_equal(errno, errno_value);
	assert_false(draft.is_open);
	draft_fini(&draft);
}

/* Makes the target from a draft that `text` is written into. */
static void
make(const char *target, const char *text)
{
	struct draft draft = {0};
	open_draft(&draft, target);
	put(draft.path.bytes, text);
	assert_int_equal(draft_publish(&draft), 0);
	draft_close(&draft);
	draft_fini(&draft);
}

static void
nothing_is_at_the_target_before_it_is_whole(void **state)
{
	struct draft draft = {0};
	(void)state;
	open_draft(&draft, "a.txt");
	put(draft.path.bytes, "half");
	assert_int_equal(access("a.txt", F_OK), -1);
	put(draft.path.bytes, "whole");
	assert_int_equal(draft_publish(&draft), 0);
	draft_close(&draft);
	assert_holds("a.txt", "whole");
	assert_tree("a.txt ");
	draft_fini(&draft);
}

static void
closed_draft_leaves_nothing_and_the_old_target_alone(void **state)
{
	struct draft draft = {0};
	(void)state;
	put("a.txt", "old");
	open_draft(&draft, "a.txt");
	put(draft.path.bytes, "new");
	draft_close(&draft);
	assert_holds("a.txt", "old");
	assert_tree("a.txt ");
	draft_close(&draft); /* twice is as good as once */
	draft_fini(&draft);
}

static void
draft_has_the_name_of_its_target_in_a_hidden_folder_beside_it(void **state)
{
	struct draft draft = {0};
	(void)state;
	open_draft(&draft, "x/y/a b.tar.gz");
	assert_memory_equal(draft.path.bytes, "x/y/.pinion-", 12);
	assert_string_equal(strrchr(draft.path.bytes, '/'), "/a b.tar.gz");
	draft_close(&draft);
	assert_tree("x x/y ");
	draft_fini(&draft);
}

static void
whatever_else_is_in_the_folder_goes_with_it(void **state)
{
	struct draft draft = {0};
	char command[256];
	(void)state;
	open_draft(&draft, "a.txt");
	snprintf(
	    command, sizeof(command),
	    "cd %s && mkdir -p d/e && touch d/e/f g && ln -s /etc/passwd l && mkfifo p",
	    draft.folder.bytes);
	assert_int_equal(system(command), 0);
	put(draft.path.bytes, "whole");
	assert_int_equal(draft_publish(&draft), 0);
	draft_close(&draft);
	assert_tree("a.txt ");
	draft_fini(&draft);
}

static void
odd_names_are_names(void **state)
{
	static const char *const names[] = {"lock",     "the lock", ".pinion-x", "-dash",
					    "a\nb",     "\xff\xfe", " ",         "...",
					    ".pinion-", "%s%n",     "*"};
	char longest[256];
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char inner[64];
		snprintf(inner, sizeof(inner), "-d/%s", names[i]);
		make(names[i], "top");
		assert_holds(names[i], "top");
		make(inner, "inner");
		assert_holds(inner, "inner");
	}
	memset(longest, 'n', 255);
	longest[255] = '\0';
	make(longest, "long");
	assert_holds(longest, "long");
	assert_int_equal(system("find . -name '.pinion-?*' -type d | grep ."), 256);
}

static void
no_program_takes_a_draft_for_an_option(void **state)
{
	struct draft draft = {0};
	(void)state;
	open_draft(&draft, "-d/x");
	assert_memory_equal(draft.path.bytes, "./-d/", 5);
	draft_close(&draft);
	draft_fini(&draft);
}

static void
names_of_folders_are_refused(void **state)
{
	(void)state;
	assert_int_equal(mkdir("d", 0777), 0);
	assert_no_draft("d", EISDIR);
	assert_no_draft("d/", EISDIR);
	assert_no_draft("d/.", EISDIR);
	assert_no_draft("..", EISDIR);
	assert_no_draft("/", EISDIR);
	assert_no_draft("", ENOENT);
	assert_tree("d ");
}

static void
devices_and_pipes_are_not_replaced(void **state)
{
	(void)state;
	assert_int_equal(mkfifo("p", 0666), 0);
	assert_no_draft("p", EINVAL);
	assert_no_draft("/dev/null", EINVAL);
	assert_tree("p ");
}

static void
link_at_the_target_is_replaced_not_followed(void **state)
{
	(void)state;
	put("other", "other");
	assert_int_equal(symlink("other", "a.txt"), 0);
	make("a.txt", "new");
	assert_holds("a.txt", "new");
	assert_holds("other", "other");
}

static void
only_a_file_is_a_draft(void **state)
{
	struct draft draft = {0};
	(void)state;
	open_draft(&draft, "a");
	assert_int_equal(draft_file(&draft), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(symlink("/etc/passwd", draft.path.bytes), 0);
	assert_int_equal(draft_file(&draft), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(unlink(draft.path.bytes), 0);
	assert_int_equal(mkfifo(draft.path.bytes, 0666), 0);
	assert_int_equal(draft_file(&draft), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(unlink(draft.path.bytes), 0);
	assert_int_equal(mkdir(draft.path.bytes, 0777), 0);
	assert_int_equal(draft_file(&draft), -1);
	assert_int_equal(errno, EISDIR);
	draft_close(&draft);
	assert_tree("");
	draft_fini(&draft);
}

static void
second_draft_of_a_target_is_refused_until_the_first_is_closed(void **state)
{
	struct draft first = {0};
	(void)state;
	open_draft(&first, "a");
	put(first.path.bytes, "first");
	assert_no_draft("a", EBUSY);
	draft_clear("a");
	assert_holds(first.path.bytes, "first");
	make("b", "another target");
	assert_int_equal(draft_publish(&first), 0);
	draft_close(&first);
	make("a", "second");
	assert_tree("a b ");
	draft_fini(&first);
}

/* Another process that makes a draft and dies of SIGKILL; the draft's path. */
static void
leave_by_death(const char *target, char path[64])
{
	pid_t pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		struct draft draft = {0};
		open_draft(&draft, target);
		put(draft.path.bytes, "half");
		kill(getpid(), SIGKILL);
	}
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	struct draft draft = {0};
	open_draft(&draft, target); /* only for its name */
	snprintf(path, 64, "%s", draft.path.bytes);
	assert_int_equal(access(path, F_OK), -1); /* it was emptied */
	draft_fini(&draft);
	put(path, "half");
}

static void
draft_of_a_dead_process_is_taken_over(void **state)
{
	char path[64];
	(void)state;
	leave_by_death("a", path);
	assert_holds(path, "half");
	make("a", "whole");
	assert_tree("a ");
}

static void
draft_of_a_dead_process_is_cleared(void **state)
{
	char path[64];
	(void)state;
	leave_by_death("a", path);
	draft_clear("a");
	assert_tree("");
	draft_clear("a");
	draft_clear("no/such/folder/a");
	assert_tree("");
}

static void
folder_that_is_not_ours_is_not_entered(void **state)
{
	struct draft draft = {0};
	(void)state;
	open_draft(&draft, "a");
	draft_close(&draft);
	assert_int_equal(mkdir("trap", 0777), 0);
	put("trap/kept", "kept");
	assert_int_equal(symlink("trap", draft.folder.bytes), 0);
	assert_no_draft("a", EPERM);
	draft_clear("a");
	assert_holds("trap/kept", "kept");
	assert_int_equal(unlink(draft.folder.bytes), 0);
	put(draft.folder.bytes, "a file");
	assert_no_draft("a", EPERM);
	if (geteuid() == 0) {
		assert_int_equal(unlink(draft.folder.bytes), 0);
		assert_int_equal(mkdir(draft.folder.bytes, 0777), 0);
		assert_int_equal(chown(draft.folder.bytes, 12345, 12345), 0);
		assert_no_draft("a", EPERM);
	}
	draft_fini(&draft);
}

static void
missing_folders_are_made_as_the_umask_says(void **state)
{
	struct stat status;
	mode_t old = umask(027);
	(void)state;
	make("x/y/a", "whole");
	umask(old);
	assert_int_equal(stat("x/y", &status), 0);
	assert_int_equal(status.st_mode & 07777, 0750);
	assert_int_equal(stat("x/y/a", &status), 0);
	assert_int_equal(status.st_mode & 07777, 0640);
}

static void
file_where_a_folder_should_be_is_an_error(void **state)
{
	(void)state;
	put("x", "file");
	assert_no_draft("x/a", ENOTDIR);
	assert_no_draft("x/y/a", ENOTDIR);
	assert_tree("x ");
}

static void
nobody_else_can_look_into_a_drafts_folder(void **state)
{
	struct draft draft = {0};
	struct stat status;
	mode_t old = umask(0);
	(void)state;
	open_draft(&draft, "a");
	umask(old);
	assert_int_equal(stat(draft.folder.bytes, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0700);
	draft_close(&draft);
	draft_fini(&draft);
}

/* Makes "a" again and again, as often as nobody else is at it; how it went. */
static int
make_again_and_again(void)
{
	struct draft draft = {0};
	int status = 0;
	for (int round = 0; status == 0 && round < 500; round++) {
		if (draft_open(&draft, "a") == -1) {
			status = errno == EBUSY ? 0 : 1;
			continue;
		}
		int fd =
		    open(draft.path.bytes, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (fd == -1 || io_write_all(fd, "whole", 5) == -1 ||
		    draft_publish(&draft) == -1)
			status = 2;
		io_close(fd);
		draft_close(&draft);
	}
	draft_fini(&draft);
	return status;
}

static void
makers_of_one_target_meet_only_at_its_lock(void **state)
{
	enum { MAKERS = 3 };
	pid_t pids[MAKERS];
	(void)state;
	for (int i = 0; i < MAKERS; i++) {
		pids[i] = fork();
		assert_int_not_equal(pids[i], -1);
		if (pids[i] == 0)
			_exit(make_again_and_again());
	}
	for (int i = 0; i < MAKERS; i++) {
		int status;
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_holds("a", "whole");
	draft_clear("a");
	assert_tree("a ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	    TEST(nothing_is_at_the_target_before_it_is_whole),
	    TEST(closed_draft_leaves_nothing_and_the_old_target_alone),
	    TEST(draft_has_the_name_of_its_target_in_a_hidden_folder_beside_it),
	    TEST(whatever_else_is_in_the_folder_goes_with_it),
	    TEST(odd_names_are_names),
	    TEST(no_program_takes_a_draft_for_an_option),
	    TEST(names_of_folders_are_refused),
	    TEST(devices_and_pipes_are_not_replaced),
	    TEST(link_at_the_target_is_replaced_not_followed),
	    TEST(only_a_file_is_a_draft),
	    TEST(second_draft_of_a_target_is_refused_until_the_first_is_closed),
	    TEST(draft_of_a_dead_process_is_taken_over),
	    TEST(draft_of_a_dead_process_is_cleared),
	    TEST(folder_that_is_not_ours_is_not_entered),
	    TEST(missing_folders_are_made_as_the_umask_says),
	    TEST(file_where_a_folder_should_be_is_an_error),
	    TEST(nobody_else_can_look_into_a_drafts_folder),
	    TEST(makers_of_one_target_meet_only_at_its_lock),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

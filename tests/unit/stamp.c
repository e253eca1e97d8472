/* Stamps: what a file says about how it was made. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/io.h"
#include "task/override.h"
#include "task/stamp.h"

struct fixture {
	char folder[32];
	struct spec spec;
	struct template *template;
	struct arg args[2];
	struct template_values values;
};

static void
put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	assert_int_not_equal(fd, -1);
	assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
	close(fd);
}

static void
use_command(struct fixture *f, const char *const *words)
{
	struct err err = {0};
	f->spec.words = (char **)(uintptr_t)words;
	for (f->spec.word_count = 0; words[f->spec.word_count] != NULL;)
		f->spec.word_count++;
	template_free(f->template);
	f->template = template_new(&f->spec, NULL, 0, &err);
	assert_string_equal(err.text, "");
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* An empty folder; a job that makes "out" of "in" and of a value that is no file. */
static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	*state = f;
	strcpy(f->folder, "/tmp/pinion-stamp-XXXXXX");
	if (mkdtemp(f->folder) == NULL || chdir(f->folder) == -1)
		return -1;
	spec_init(&f->spec, SPEC_MAP);
	assert_int_equal(spec_add_output(&f->spec, "out"), 0);
	f->args[0] = (struct arg){"in", 2};
	f->args[1] = (struct arg){"no file", 7};
	f->values =
	    (struct template_values){.seq = 3, .slot = 1, .args = f->args, .arg_count = 2};
	use_command(f, WORDS("cp", "{1}", "{out}"));
	put("in", "input");
	put("out", "output");
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	char command[64];
	snprintf(command, sizeof(command), "rm -rf %s", f->folder);
	int status = chdir("/") == -1 || system(command) != 0 ? -1 : 0;
	template_free(f->template);
	spec_fini(&f->spec);
	free(f);
	return status;
}

static const struct arg none = {"", 0};

static struct stamp
take(struct fixture *f, const char *run)
{
	struct stamp stamp = {.run = run};
	struct err err = {0};
	assert_int_equal(stamp_take(&stamp, f->template, &f->values, &none, "", &err), 0);
	return stamp;
}

static void
stamp_file(struct fixture *f, const char *path)
{
	struct stamp stamp = take(f, "run1");
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	assert_int_equal(fstat(fd, &status), 0);
	stamp_put(&stamp, fd, &status);
	close(fd);
}

static bool
is_true_of(struct fixture *f, const char *path)
{
	struct stamp stamp = take(f, "run2");
	struct stat status;
	assert_int_equal(lstat(path, &status), 0);
	return stamp_is_true(&stamp, path, &status);
}

static void
set_mtime(const char *path, time_t seconds, long nanoseconds)
{
	const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {seconds, nanoseconds}};
	assert_int_equal(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

static void
stamped_file_is_as_it_was_made(void **state)
{
	struct fixture *f = *state;
	assert_false(is_true_of(f, "out"));
	stamp_file(f, "out");
	assert_true(is_true_of(f, "out"));
}

static void
another_command_makes_another_file(void **state)
{
	struct fixture *f = *state;
	stamp_file(f, "out");
	use_command(f, WORDS("cp", "-p", "{1}", "{out}"));
	assert_false(is_true_of(f, "out"));
	use_command(f, WORDS("cp", "{1} {out}"));
	assert_false(is_true_of(f, "out"));
	use_command(f, WORDS("cp", "{1}", "{out}"));
	assert_true(is_true_of(f, "out"));
}

static void
slot_is_no_part_of_the_command_and_the_number_is(void **state)
{
	struct fixture *f = *state;
	use_command(f, WORDS("x", "{%}", "{1}", "{out}"));
	stamp_file(f, "out");
	f->values.slot = 2;
	assert_true(is_true_of(f, "out"));
	use_command(f, WORDS("x", "{#}", "{1}", "{out}"));
	stamp_file(f, "out");
	f->values.seq = 4;
	assert_false(is_true_of(f, "out"));
}

static void
input_that_was_touched_is_another_input(void **state)
{
	struct fixture *f = *state;
	struct stat status;
	assert_int_equal(stat("in", &status), 0);
	stamp_file(f, "out");
	set_mtime("in", status.st_mtim.tv_sec, status.st_mtim.tv_nsec ^ 1);
	assert_false(is_true_of(f, "out"));
	set_mtime("in", 1000, 0); /* an older file was put in its place */
	assert_false(is_true_of(f, "out"));
	set_mtime("in", status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
	assert_true(is_true_of(f, "out"));
	put("in", "longer input");
	set_mtime("in", status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
	assert_false(is_true_of(f, "out"));
}

static void
times_need_not_be_in_order(void **state)
{
	struct fixture *f = *state;
	struct stat status;
	assert_int_equal(stat("in", &status), 0);
	set_mtime("in", status.st_mtim.tv_sec + 1000000, 0);
	stamp_file(f, "out");
	assert_true(is_true_of(f, "out"));
	set_mtime("out", status.st_mtim.tv_sec + 1000000, 0);
	stamp_file(f, "out");
	assert_true(is_true_of(f, "out"));
	set_mtime("out", 1000, 0);
	stamp_file(f, "out");
	assert_true(is_true_of(f, "out"));
}

static void
output_that_was_touched_is_not_as_it_was_made(void **state)
{
	struct fixture *f = *state;
	stamp_file(f, "out");
	set_mtime("out", 1000, 0);
	assert_false(is_true_of(f, "out"));
	stamp_file(f, "out");
	assert_true(is_true_of(f, "out"));
	put("out", "somebody else's"); /* into the same file, which keeps its stamp */
	assert_false(is_true_of(f, "out"));
}

static void
value_becomes_an_input_when_there_is_such_a_file(void **state)
{
	struct fixture *f = *state;
	stamp_file(f, "out");
	put("no file", "now it is");
	assert_false(is_true_of(f, "out"));
}

static void
folders_and_devices_are_no_inputs(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(mkdir("no file", 0777), 0);
	f->args[0] = (struct arg){"/dev/null", 9};
	stamp_file(f, "out");
	set_mtime("no file", 1000, 0);
	assert_true(is_true_of(f, "out"));
}

static void
output_is_no_input(void **state)
{
	struct fixture *f = *state;
	f->args[0] = (struct arg){"out", 3};
	struct stamp stamp = take(f, "run1");
	struct stat status;
	put("out", "as it is after the task");
	int fd = open("out", O_RDONLY | O_CLOEXEC);
	assert_int_equal(fstat(fd, &status), 0);
	stamp_put(&stamp, fd, &status);
	close(fd);
	assert_true(is_true_of(f, "out"));
}

static void
values_that_are_no_names_do_no_harm(void **state)
{
	struct fixture *f = *state;
	f->args[0] = (struct arg){"", 0};
	f->args[1] = (struct arg){"in\0x", 4};
	stamp_file(f, "out");
	assert_true(is_true_of(f, "out"));
}

static void
relative_names_are_in_the_folder_given(void **state)
{
	struct fixture *f = *state;
	struct stamp stamp = {.run = "run2"};
	struct stat status;
	struct err err = {0};
	char folder[64];
	snprintf(folder, sizeof(folder), "%s/", f->folder);
	stamp_file(f, "out");
	assert_int_equal(lstat("out", &status), 0);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(stamp_take(&stamp, f->template, &f->values, &none, folder, &err),
			 0);
	assert_int_equal(chdir(f->folder), 0);
	assert_true(stamp_is_true(&stamp, "out", &status));
}

static void
what_the_task_has_for_itself_counts_but_for_its_id_and_limit(void **state)
{
	static const struct {
		enum override_kind kind;
		bool counts;
	} kinds[] = {{OVERRIDE_ENV, true},        {OVERRIDE_CWD, true},
		     {OVERRIDE_STDIN_FILE, true}, {OVERRIDE_STDIN_TEXT, true},
		     {OVERRIDE_ID, false},        {OVERRIDE_TIMEOUT, false}};
	struct fixture *f = *state;
	struct err err = {0};
	const struct stamp plain = take(f, "run1");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct stamp stamp = {.run = "run1"};
		struct buf overrides = {0};
		assert_int_equal(override_add(&overrides, kinds[i].kind, "A=345678", 8), 0);
		const struct arg all = {overrides.bytes, overrides.length};
		assert_int_equal(
		    stamp_take(&stamp, f->template, &f->values, &all, "", &err), 0);
		assert_int_equal(stamp.hash != plain.hash, kinds[i].counts);
		buf_fini(&overrides);
	}
}

static void
other_tasks_of_the_same_run_are_told_apart(void **state)
{
	struct fixture *f = *state;
	stamp_file(f, "out");
	struct stamp stamp = take(f, "run1");
	assert_false(stamp_is_others(&stamp, "out"));
	stamp.seq++;
	assert_true(stamp_is_others(&stamp, "out"));
	stamp.run = "run";
	assert_false(stamp_is_others(&stamp, "out"));
	assert_false(stamp_is_others(&stamp, "in"));
	assert_false(stamp_is_others(&stamp, "no file"));
}

static void
garbage_is_no_stamp(void **state)
{
	static const char *const texts[] = {
	    "",
	    "1",
	    "2 0123456789abcdef run1 3",
	    "1 0123456789abcdef run1 3",
	    "1 0123456789abcdef",
	    /* NOLINTNEXTLINE(bugprone-suspicious-missing-comma): a single, long one. */
	    "                                                                            "
	    "  "
	    "                                                            ",
	    "1 %s %s %s %s %s %s %s %s",
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct stamp stamp = take(f, "other");
		assert_int_equal(
		    setxattr("out", "user.pinion", texts[i], strlen(texts[i]), 0), 0);
		assert_false(is_true_of(f, "out"));
		assert_false(stamp_is_others(&stamp, "out"));
	}
}

static void
read_only_file_takes_a_stamp_and_stays_read_only(void **state)
{
	struct fixture *f = *state;
	struct stat status;
	uid_t uid = geteuid();
	assert_int_equal(chmod("out", 0444), 0);
	if (uid == 0) { /* who may do everything; somebody else may not */
		assert_int_equal(chown("out", 12345, 12345), 0);
		assert_int_equal(chmod(f->folder, 0755), 0);
		assert_int_equal(seteuid(12345), 0);
	}
	stamp_file(f, "out");
	assert_true(is_true_of(f, "out"));
	assert_int_equal(seteuid(uid), 0);
	assert_int_equal(stat("out", &status), 0);
	assert_int_equal(status.st_mode & 07777, 0444);
}

static void
link_has_no_stamp(void **state)
{
	struct fixture *f = *state;
	stamp_file(f, "out");
	assert_int_equal(symlink("out", "link"), 0);
	assert_false(is_true_of(f, "link"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	    TEST(stamped_file_is_as_it_was_made),
	    TEST(another_command_makes_another_file),
	    TEST(slot_is_no_part_of_the_command_and_the_number_is),
	    TEST(input_that_was_touched_is_another_input),
	    TEST(times_need_not_be_in_order),
	    TEST(output_that_was_touched_is_not_as_it_was_made),
	    TEST(value_becomes_an_input_when_there_is_such_a_file),
	    TEST(folders_and_devices_are_no_inputs),
	    TEST(output_is_no_input),
	    TEST(values_that_are_no_names_do_no_harm),
	    TEST(relative_names_are_in_the_folder_given),
	    TEST(what_the_task_has_for_itself_counts_but_for_its_id_and_limit),
	    TEST(other_tasks_of_the_same_run_are_told_apart),
	    TEST(garbage_is_no_stamp),
	    TEST(read_only_file_takes_a_stamp_and_stays_read_only),
	    TEST(link_has_no_stamp),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

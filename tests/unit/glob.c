/* Files by patterns, and numbers: inputs that are found, not read. */
#include "inputs.h"
#include "starve.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "input/glob.h"
#include "input/range.h"

/* Makes an empty file, and the folders above it, below the current one. */
static void
make(const char *path)
{
	char copy[256];
	snprintf(copy, sizeof(copy), "%s", path);
	for (char *slash = strchr(copy, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(copy, 0777);
		*slash = '/';
	}
	int fd = open(copy, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
	assert_int_not_equal(fd, -1);
	io_close(fd);
}

static int
set_up(void **state)
{
	static char folder[] = "/tmp/pinion-glob-XXXXXX";
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chdir(folder), 0);
	static const char *const paths[] = {"b.jpg",       "a.jpg",         "a.png",
					    ".hidden.jpg", "d/c.jpg",       "d/e/f.jpg",
					    ".h/x.jpg",    "d/e.jpg/g.jpg", "z[1].jpg"};
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++)
		make(paths[i]);
	assert_int_equal(symlink("..", "d/up"), 0);
	*state = folder;
	return 0;
}

static int
tear_down(void **state)
{
	char command[128];
	snprintf(command, sizeof(command), "rm -rf '%s'", (const char *)*state);
	assert_int_equal(chdir("/"), 0);
	return system(command);
}

static int
find(struct glob_list *list, int64_t newer_than_ns, struct err *err, const char *one,
     const char *other)
{
	char *patterns[] = {(char *)(uintptr_t)one, (char *)(uintptr_t)other};
	const struct spec_input input = {.kind = SPEC_INPUT_GLOB,
					 .values = patterns,
					 .value_count = other == NULL ? 1 : 2,
					 .is_newer = newer_than_ns != 0,
					 .newer_than_ns = newer_than_ns};
	*list = (struct glob_list){0};
	return glob_find(&input, list, err);
}

static void
assert_found(const char *one, const char *other, const char *expected)
{
	struct glob_list list;
	struct err err = {0};
	struct buf text = {0};
	assert_int_equal(find(&list, 0, &err, one, other), 0);
	for (size_t i = 0; i < list.count; i++)
		assert_int_equal(
		    buf_printf(&text, "%s%s", i > 0 ? " " : "", list.names[i]), 0);
	assert_string_equal(buf_str(&text), expected);
	buf_fini(&text);
	glob_fini(&list);
}

static void
names_are_sorted_and_there_once(void **state)
{
	(void)state;
	assert_found("*.jpg", NULL, "a.jpg b.jpg z[1].jpg");
	assert_found("*.jpg", "a.*", "a.jpg a.png b.jpg z[1].jpg");
	assert_found("[a-b].jp?", NULL, "a.jpg b.jpg");
	assert_found("a.png", NULL, "a.png");
	assert_found("z\\[1\\].jpg", NULL, "z[1].jpg");
	assert_found("*.gif", NULL, "");
	assert_found(".*.jpg", NULL, ".hidden.jpg");
	assert_found("*/c.jpg", NULL, "d/c.jpg");
	assert_found("*/e*/*.jpg", NULL, "d/e.jpg/g.jpg d/e/f.jpg");
}

static void
two_stars_are_any_number_of_folders(void **state)
{
	(void)state;
	assert_found("**/*.jpg", NULL,
		     "a.jpg b.jpg d/c.jpg d/e.jpg/g.jpg d/e/f.jpg z[1].jpg");
	assert_found("d/**/*.jpg", NULL, "d/c.jpg d/e.jpg/g.jpg d/e/f.jpg");
	assert_found("d/**", NULL, "d/c.jpg d/e.jpg/g.jpg d/e/f.jpg");
	assert_found("**/**/f.jpg", NULL, "d/e/f.jpg");
	assert_found("d/up/a.jpg", NULL, "d/up/a.jpg");
}

static void
what_is_old_is_left_out(void **state)
{
	(void)state;
	struct glob_list list;
	const struct timespec times[2] = {{.tv_sec = 1000}, {.tv_sec = 1000}};
	assert_int_equal(utimensat(AT_FDCWD, "a.jpg", times, 0), 0);
	assert_int_equal(find(&list, INT64_C(1000000000000), NULL, "?.jpg", NULL), 0);
	assert_int_equal(list.count, 1);
	assert_string_equal(list.names[0], "b.jpg");
	glob_fini(&list);
	assert_int_equal(find(&list, INT64_C(999999999999), NULL, "?.jpg", NULL), 0);
	assert_int_equal(list.count, 2);
	glob_fini(&list);
}

static void
a_folder_that_is_not_there_is_an_error(void **state)
{
	(void)state;
	struct glob_list list;
	struct err err = {0};
	assert_int_equal(find(&list, 0, &err, "nowhere/**/*.jpg", NULL), -1);
	assert_string_equal(err.text,
			    "cannot look for nowhere/**/*.jpg in the folder nowhere/: "
			    "No such file or directory");
	glob_fini(&list);
}

static void
assert_range(const char *from, const char *to, const char *step, const char *expected)
{
	struct spec_range range;
	struct buf text = {0};
	char number[RANGE_TEXT_BYTES];
	assert_int_equal(range_parse(&range, (const char *const[]){from, to, step}), 0);
	for (uint64_t i = 0; i < range_count(&range); i++) {
		size_t length = range_write(&range, i, number);
		assert_int_equal(length, strlen(number));
		assert_int_equal(buf_printf(&text, "%s%s", i > 0 ? " " : "", number), 0);
	}
	assert_string_equal(buf_str(&text), expected);
	buf_fini(&text);
}

static void
numbers_go_up_or_down_and_are_exact(void **state)
{
	(void)state;
	assert_range("1", "4", "1", "1 2 3 4");
	assert_range("0", "1", "0.25", "0.00 0.25 0.50 0.75 1.00");
	assert_range("-0.1", "0.1", "0.1", "-0.1 0.0 0.1");
	assert_range("5", "0", "-2", "5 3 1");
	assert_range("5", "0", "2", "");
	assert_range("7", "7", "-3", "7");
	assert_range("999999999999999999", "1000000000000000000", "1",
		     "999999999999999999 1000000000000000000");
}

static void
numbers_that_are_no_range_are_refused(void **state)
{
	(void)state;
	struct spec_range range;
	assert_int_equal(range_parse(&range, (const char *const[]){"1", "2", "0"}), -1);
	assert_int_equal(range_parse(&range, (const char *const[]){"1e3", "2", "1"}), -1);
	assert_int_equal(
	    range_parse(&range, (const char *const[]){"1", "0.0000000001", "1"}), -1);
	assert_int_equal(
	    range_parse(&range, (const char *const[]){"1", "1000000000000000001", "1"}),
	    -1);
	static const char *const large[] = {"9999999999999999990", "-9999999999999999999",
					    "99999999999999999999999999999999",
					    "999999999999999999.0"};
	for (size_t i = 0; i < sizeof(large) / sizeof(*large); i++)
		assert_int_equal(
		    range_parse(&range, (const char *const[]){"1", large[i], "0.5"}), -1);
}

static void
a_range_and_files_are_inputs_like_others(void **state)
{
	(void)state;
	struct job job;
	char *patterns[] = {(char *)(uintptr_t) "?.jpg"};
	job_init(&job, SPEC_MAP);
	struct spec_input input = {
	    .kind = SPEC_INPUT_GLOB, .values = patterns, .value_count = 1};
	assert_int_equal(spec_add_input(&job.spec, &input), 0);
	input = (struct spec_input){.kind = SPEC_INPUT_RANGE, .range = {1, 3, 2, 0}};
	assert_int_equal(spec_add_input(&job.spec, &input), 0);
	assert_job(&job, 1, "a.jpg 1|a.jpg 3|b.jpg 1|b.jpg 3");
}

static int
find_all(void *context)
{
	struct glob_list list;
	struct err err = {0};
	int status = find(&list, 0, &err, "**/*.jpg", "d/e/*");
	if (status == 0)
		assert_int_equal(list.count, *(size_t *)context);
	else
		assert_non_null(strstr(err.text, "memory"));
	glob_fini(&list);
	return status;
}

static void
without_memory_nothing_is_found(void **state)
{
	(void)state;
	size_t count = 6;
	starve_each(find_all, &count);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_are_sorted_and_there_once),
	    cmocka_unit_test(two_stars_are_any_number_of_folders),
	    cmocka_unit_test(what_is_old_is_left_out),
	    cmocka_unit_test(a_folder_that_is_not_there_is_an_error),
	    cmocka_unit_test(numbers_go_up_or_down_and_are_exact),
	    cmocka_unit_test(numbers_that_are_no_range_are_refused),
	    cmocka_unit_test(a_range_and_files_are_inputs_like_others),
	    cmocka_unit_test(without_memory_nothing_is_found),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

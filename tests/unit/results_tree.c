/* A folder of results: whole or not at all, and nowhere else. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/io.h"
#include "record/results_tree.h"

#define BIG_BYTES ((size_t)3 * 1024 * 1024)

struct fixture {
	char root[64]; /* everything is in it */
	char folder[80];
	struct results_tree tree;
	struct results_name name; /* a/b/ with stdout stderr seq */
	struct spill spill;
	struct held *streams[RESULT_STREAMS];
	struct err err;
};

static void
put_text(struct buf *names, const char *text, size_t size)
{
	buf_clear(names);
	assert_int_equal(buf_append(names, text, size), 0);
}

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	if (f == NULL)
		return -1;
	strcpy(f->root, "/tmp/pinion-results-XXXXXX");
	if (mkdtemp(f->root) == NULL)
		return -1;
	snprintf(f->folder, sizeof(f->folder), "%s/up/out", f->root);
	put_text(&f->name.folders, "a\0b", sizeof("a\0b"));
	put_text(&f->name.files, "stdout\0stderr\0seq", sizeof("stdout\0stderr\0seq"));
	spill_init(&f->spill, "/tmp", 64 * 1024, NULL);
	umask(022);
	*state = f;
	return results_tree_open(&f->tree, f->folder, &f->err);
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	char command[128];
	for (int i = 0; i < RESULT_STREAMS; i++)
		held_free(&f->spill, f->streams[i]);
	spill_fini(&f->spill);
	results_name_fini(&f->name);
	results_tree_close(&f->tree);
	snprintf(command, sizeof(command), "rm -rf '%s'", f->root);
	int status = system(command); /* a name made by mkdtemp */
	free(f);
	return status;
}

static void
print_to(struct fixture *f, enum result_stream stream, const char *text)
{
	assert_int_equal(
	    held_append(&f->spill, &f->streams[stream], text, strlen(text), &f->err), 0);
}

static int
put(struct fixture *f, uint64_t seq)
{
	int status =
	    results_tree_put(&f->tree, &f->name, &f->spill, f->streams, seq, &f->err);
	for (int i = 0; i < RESULT_STREAMS; i++) {
		held_free(&f->spill, f->streams[i]);
		f->streams[i] = NULL;
	}
	return status;
}

/* What a file below the root holds; NULL: it is not there. */
static const char *
content_of(struct fixture *f, const char *name, char text[PATH_MAX])
{
	snprintf(text, PATH_MAX, "%s/%s", f->root, name);
	int fd = open(text, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1)
		return NULL;
	ssize_t length = io_read(fd, text, PATH_MAX - 1);
	io_close(fd);
	assert_true(length >= 0);
	text[length] = '\0';
	return text;
}

static void
assert_content(struct fixture *f, const char *name, const char *expected)
{
	char text[PATH_MAX];
	const char *content = content_of(f, name, text);
	if (expected == NULL)
		assert_null(content);
	else
		assert_string_equal(content == NULL ? "(nothing)" : content, expected);
}

static void
make(struct fixture *f, const char *name, const char *content)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s/%s", f->root, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_not_equal(fd, -1);
	assert_int_equal(io_write_all(fd, content, strlen(content)), 0);
	io_close(fd);
}

static void
make_folder(struct fixture *f, const char *name)
{
	char path[PATH_MAX];
	snprintf(path, sizeof(path), "%s/%s", f->root, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static void
plant(struct fixture *f, const char *target, const char *name)
{
	char path[PATH_MAX], to[PATH_MAX];
	snprintf(path, sizeof(path), "%s/%s", f->root, name);
	snprintf(to, sizeof(to), "%s/%s", f->root, target);
	assert_int_equal(symlink(to, path), 0);
}

static void
three_files_hold_what_was_printed_and_the_number(void **state)
{
	struct fixture *f = *state;
	print_to(f, RESULT_STDOUT, "out\n");
	print_to(f, RESULT_STDERR, "err\n");
	assert_int_equal(put(f, 16), 0);
	assert_content(f, "up/out/a/b/stdout", "out\n");
	assert_content(f, "up/out/a/b/stderr", "err\n");
	assert_content(f, "up/out/a/b/seq", "17");
	assert_int_equal(results_tree_has(&f->tree, &f->name, &f->err), 1);
}

static void
modes_follow_the_umask(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	char path[PATH_MAX];
	umask(027);
	assert_int_equal(put(f, 0), 0);
	snprintf(path, sizeof(path), "%s/a/b", f->folder);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0750);
	snprintf(path, sizeof(path), "%s/a/b/stdout", f->folder);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
}

static void
an_old_result_is_replaced_as_a_whole(void **state)
{
	struct fixture *f = *state;
	print_to(f, RESULT_STDOUT, "a longer one\n");
	print_to(f, RESULT_STDERR, "old\n");
	assert_int_equal(put(f, 99), 0);
	print_to(f, RESULT_STDOUT, "new\n");
	assert_int_equal(put(f, 0), 0);
	assert_content(f, "up/out/a/b/stdout", "new\n");
	assert_content(f, "up/out/a/b/stderr", "");
	assert_content(f, "up/out/a/b/seq", "1");
}

static void
without_unnamed_files_it_is_the_same(void **state)
{
	struct fixture *f = *state;
	f->tree.has_unnamed = false;
	make_folder(f, "up/out/a");
	make_folder(f, "up/out/a/b");
	make(f, "up/out/a/b/.pinion-results", "left by one that was killed");
	an_old_result_is_replaced_as_a_whole(state);
	assert_content(f, "up/out/a/b/.pinion-results", NULL);
}

static void
what_does_not_fit_into_memory_is_whole(void **state)
{
	struct fixture *f = *state;
	char *bytes = malloc(BIG_BYTES), path[PATH_MAX];
	struct stat st;
	assert_non_null(bytes);
	memset(bytes, 'x', BIG_BYTES);
	assert_int_equal(
	    held_append(&f->spill, &f->streams[RESULT_STDOUT], bytes, BIG_BYTES, &f->err),
	    0);
	free(bytes);
	assert_true(f->spill.file_bytes > 0);
	assert_int_equal(put(f, 0), 0);
	snprintf(path, sizeof(path), "%s/a/b/stdout", f->folder);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, BIG_BYTES);
}

/* Fails, names the file, and leaves no seq. */
static void
assert_refused(struct fixture *f, const char *name)
{
	print_to(f, RESULT_STDOUT, "out\n");
	assert_int_equal(put(f, 0), -1);
	assert_non_null(strstr(f->err.text, name));
	assert_content(f, "up/out/a/b/seq", NULL);
	assert_int_equal(results_tree_has(&f->tree, &f->name, &f->err), 0);
}

static void
a_link_in_the_place_of_a_folder_is_not_followed(void **state)
{
	struct fixture *f = *state;
	make_folder(f, "elsewhere");
	plant(f, "elsewhere", "up/out/a");
	assert_refused(f, "up/out/a");
	assert_content(f, "elsewhere/b/stdout", NULL);
}

static void
a_link_in_the_place_of_a_file_is_not_followed(void **state)
{
	struct fixture *f = *state;
	make_folder(f, "up/out/a");
	make_folder(f, "up/out/a/b");
	make(f, "secret", "untouched");
	plant(f, "secret", "up/out/a/b/stdout");
	plant(f, "secret", "up/out/a/b/seq");
	assert_int_equal(results_tree_has(&f->tree, &f->name, &f->err), 0);
	print_to(f, RESULT_STDOUT, "out\n");
	assert_int_equal(put(f, 0), 0);
	assert_content(f, "secret", "untouched");
	assert_content(f, "up/out/a/b/stdout", "out\n");
	assert_content(f, "up/out/a/b/seq", "1");
}

static void
the_folder_itself_may_be_a_link(void **state)
{
	struct fixture *f = *state;
	char path[PATH_MAX];
	make_folder(f, "elsewhere");
	plant(f, "elsewhere", "link");
	snprintf(path, sizeof(path), "%s/link", f->root);
	results_tree_close(&f->tree);
	assert_int_equal(results_tree_open(&f->tree, path, &f->err), 0);
	assert_int_equal(put(f, 0), 0);
	assert_content(f, "elsewhere/a/b/seq", "1");
}

static void
a_folder_in_the_place_of_a_file_is_an_error(void **state)
{
	struct fixture *f = *state;
	make_folder(f, "up/out/a");
	make_folder(f, "up/out/a/b");
	make_folder(f, "up/out/a/b/stdout");
	assert_refused(f, "a/b/stdout");
}

static void
a_file_that_cannot_be_written_to_its_end_is_not_there(void **state)
{
	struct fixture *f = *state;
	struct rlimit limit, old;
	print_to(f, RESULT_STDOUT, "old\n");
	assert_int_equal(put(f, 0), 0);
	for (int unnamed = 0; unnamed < 2; unnamed++) {
		f->tree.has_unnamed = unnamed;
		signal(SIGXFSZ, SIG_IGN);
		assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
		limit = old;
		limit.rlim_cur = 4;
		print_to(f, RESULT_STDOUT, "too much\n");
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
		int status = put(f, 0);
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
		assert_int_equal(status, -1);
		assert_int_equal(f->err.errno_value, EFBIG);
		assert_non_null(strstr(f->err.text, "/up/out/a/b/stdout"));
		assert_content(f, "up/out/a/b/stdout", NULL);
		assert_content(f, "up/out/a/b/seq", NULL);
		assert_content(f, "up/out/a/b/.pinion-results", NULL);
	}
}

static void
a_result_is_there_only_with_its_seq(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(results_tree_has(&f->tree, &f->name, &f->err), 0);
	make_folder(f, "up/out/a");
	assert_int_equal(results_tree_has(&f->tree, &f->name, &f->err), 0);
	make_folder(f, "up/out/a/b");
	make(f, "up/out/a/b/stdout", "half");
	assert_int_equal(results_tree_has(&f->tree, &f->name, &f->err), 0);
	make(f, "up/out/a/b/seq", "");
	assert_int_equal(results_tree_has(&f->tree, &f->name, &f->err), 0);
	make(f, "up/out/a/b/seq", "1");
	assert_int_equal(results_tree_has(&f->tree, &f->name, &f->err), 1);
	assert_int_equal(f->err.kind, ERR_NONE);
}

static void
looking_makes_nothing(void **state)
{
	struct fixture *f = *state;
	struct results_tree tree;
	char path[PATH_MAX];
	struct stat st;
	snprintf(path, sizeof(path), "%s/none", f->root);
	assert_int_equal(results_tree_look(&tree, path, &f->err), 0);
	assert_int_equal(results_tree_has(&tree, &f->name, &f->err), 0);
	results_tree_close(&tree);
	assert_int_equal(stat(path, &st), -1);
	assert_int_equal(put(f, 0), 0);
	assert_int_equal(results_tree_look(&tree, f->folder, &f->err), 0);
	assert_int_equal(results_tree_has(&tree, &f->name, &f->err), 1);
	results_tree_close(&tree);
}

static void
a_folder_that_cannot_be_used_is_told_at_once(void **state)
{
	struct fixture *f = *state;
	struct results_tree tree;
	char path[PATH_MAX];
	make(f, "file", "");
	snprintf(path, sizeof(path), "%s/file/below", f->root);
	assert_int_equal(results_tree_open(&tree, path, &f->err), -1);
	assert_non_null(strstr(f->err.text, path));

	assert_int_equal(chmod(f->root, 0755), 0);
	snprintf(path, sizeof(path), "%s/up", f->root);
	assert_int_equal(chmod(path, 0555), 0);
	bool is_root = geteuid() == 0;
	if (is_root)
		assert_int_equal(seteuid(65534), 0);
	int status = results_tree_open(&tree, path, &f->err);
	if (is_root)
		assert_int_equal(seteuid(0), 0);
	assert_int_equal(chmod(path, 0755), 0);
	assert_int_equal(status, -1);
	assert_int_equal(f->err.errno_value, EACCES);
	assert_non_null(strstr(f->err.text, path));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(three_files_hold_what_was_printed_and_the_number),
	    TEST(modes_follow_the_umask),
	    TEST(an_old_result_is_replaced_as_a_whole),
	    TEST(without_unnamed_files_it_is_the_same),
	    TEST(what_does_not_fit_into_memory_is_whole),
	    TEST(a_link_in_the_place_of_a_folder_is_not_followed),
	    TEST(a_link_in_the_place_of_a_file_is_not_followed),
	    TEST(the_folder_itself_may_be_a_link),
	    TEST(a_folder_in_the_place_of_a_file_is_an_error),
	    TEST(a_file_that_cannot_be_written_to_its_end_is_not_there),
	    TEST(a_result_is_there_only_with_its_seq),
	    TEST(looking_makes_nothing),
	    TEST(a_folder_that_cannot_be_used_is_told_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Files that are not run files, or not ours to write: refused with the reason, and left as they were. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "runfile_fixture.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

static void
write_file(struct fixture *f, const char *bytes, size_t length)
{
	int fd = open(f->path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd != -1);
	assert_int_equal(write(fd, bytes, length), length);
	close(fd);
}

static void
expect_refused(struct fixture *f, const char *why)
{
	assert_null(runfile_open(&f->config, &f->err));
	assert_int_not_equal(f->err.kind, ERR_NONE);
	if (strstr(f->err.text, why) == NULL)
		fail_msg("not '%s': %s", why, f->err.text);
}

static void
expect_content(struct fixture *f, const char *bytes, size_t length)
{
	char content[256];
	int fd = open(f->path, O_RDONLY);
	assert_true(fd != -1);
	assert_int_equal(read(fd, content, sizeof(content)), length);
	assert_memory_equal(content, bytes, length);
	close(fd);
}

static void
file_of_something_else_is_refused_and_left_alone(void **state)
{
	struct fixture *f = *state;
	static const char *const contents[] = {"x", "SQLite format", "hello, world",
					       "JFIF and much more than sixteen bytes"};
	for (size_t i = 0; i < sizeof(contents) / sizeof(*contents); i++) {
		write_file(f, contents[i], strlen(contents[i]));
		expect_refused(f, "is not a run file");
		expect_content(f, contents[i], strlen(contents[i]));
	}
}

static void
header_with_nothing_behind_it_is_refused(void **state)
{
	struct fixture *f = *state;
	static const char content[200] = "SQLite format 3";
	write_file(f, content, sizeof(content));
	expect_refused(f, "is not a run file");
	expect_content(f, content, sizeof(content));
}

/* As another program made it. */
static void
make_database(struct fixture *f, const char *sql)
{
	struct runfile_db db = {.path = f->path};
	assert_int_equal(sqlite_late_open(&db.sqlite, &f->err), 0);
	assert_int_equal(db.sqlite.open_v2(f->path, &db.handle,
					   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL),
			 SQLITE_OK);
	assert_int_equal(runfile_db_exec(&db, sql, &f->err), 0);
	runfile_db_close(&db);
}

static void
database_of_another_program_is_refused(void **state)
{
	struct fixture *f = *state;
	make_database(f, "CREATE TABLE task (id)");
	expect_refused(f, "is not a run file");
	make_database(f, "PRAGMA application_id = 77");
	expect_refused(f, "is not a run file");
}

static void
other_schema_is_refused(void **state)
{
	struct fixture *f = *state;
	fixture_open(f);
	fixture_finish(f);
	make_database(f, "PRAGMA user_version = 4");
	expect_refused(f, "of a newer pinion");
	make_database(f, "PRAGMA user_version = 1");
	expect_refused(f, "of an older pinion");
	assert_null(runfile_open(&f->config, &f->err));
}

static void
empty_file_becomes_a_run_file(void **state)
{
	struct fixture *f = *state;
	write_file(f, "", 0);
	fixture_open(f);
	fixture_finish(f);
	assert_string_equal(fixture_ask(f, "SELECT count(*) FROM run"), "1");
}

static void
file_is_private_whatever_the_umask(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	mode_t mask = umask(0);
	fixture_open(f);
	umask(mask);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	fixture_finish(f);
}

static void
link_is_not_followed(void **state)
{
	struct fixture *f = *state;
	char target[96];
	snprintf(target, sizeof(target), "%s/target", f->folder);
	assert_int_equal(symlink(target, f->path), 0);
	expect_refused(f, "is a symbolic link");
	assert_int_equal(access(target, F_OK), -1);
	assert_int_equal(unlink(f->path), 0);
}

/* Where SQLite will put its log. */
static void
link_in_the_place_of_the_log_is_not_followed(void **state)
{
	struct fixture *f = *state;
	static const char *const suffixes[] = {"-wal", "-shm", "-journal"};
	char link[96], target[96];
	snprintf(target, sizeof(target), "%s/target", f->folder);
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++) {
		snprintf(link, sizeof(link), "%s%s", f->path, suffixes[i]);
		assert_int_equal(symlink(target, link), 0);
		expect_refused(f, "run.db");
		assert_int_equal(access(target, F_OK), -1);
		unlink(link);
		unlink(f->path);
	}
}

static void
what_is_no_file_is_refused(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(mkfifo(f->path, 0600), 0);
	expect_refused(f, "is not a regular file");
	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(mkdir(f->path, 0700), 0);
	expect_refused(f, "Is a directory");
	assert_int_equal(rmdir(f->path), 0);
	f->spec.run_file = "/dev/null";
	expect_refused(f, "is not a regular file");
}

static void
folder_that_is_not_there_is_an_error(void **state)
{
	struct fixture *f = *state;
	f->spec.run_file = "/nowhere/run.db";
	expect_refused(f, "cannot open /nowhere/run.db: No such file");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(file_of_something_else_is_refused_and_left_alone),
	    TEST(header_with_nothing_behind_it_is_refused),
	    TEST(database_of_another_program_is_refused),
	    TEST(other_schema_is_refused),
	    TEST(empty_file_becomes_a_run_file),
	    TEST(file_is_private_whatever_the_umask),
	    TEST(link_is_not_followed),
	    TEST(link_in_the_place_of_the_log_is_not_followed),
	    TEST(what_is_no_file_is_refused),
	    TEST(folder_that_is_not_there_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

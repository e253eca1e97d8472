/* A file of records, whole ones only. */
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
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/io.h"
#include "record/results_table.h"

#define HEAD "Seq,Host,Starttime,JobRuntime,Send,Receive,Exitval,Signal,Command,"
#define HEADER HEAD "V1,\"the\nsecond\",Stdout,Stderr\n"
#define ROW "1,:,1.000,0.000,0,4,0,0,\"echo \"\"a\"\"\",a,b,\"x,\ny\n\",\n"

struct fixture {
	char name[64];
	struct results_table table;
	struct err err;
};

static int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	if (f == NULL)
		return -1;
	strcpy(f->name, "/tmp/pinion-table-XXXXXX");
	int fd = mkstemp(f->name);
	f->table.fd = -1;
	*state = f;
	return io_close(fd);
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;
	results_table_close(&f->table);
	int status = unlink(f->name);
	free(f);
	return status;
}

static void
write_file(struct fixture *f, const char *bytes, size_t length)
{
	int fd = open(f->name, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	assert_int_equal(io_write_all(fd, bytes, length), 0);
	io_close(fd);
}

static void
assert_file(struct fixture *f, const char *expected, size_t length)
{
	char bytes[4096];
	int fd = open(f->name, O_RDONLY | O_CLOEXEC);
	assert_int_not_equal(fd, -1);
	ssize_t got = io_read(fd, bytes, sizeof(bytes));
	io_close(fd);
	assert_int_equal(got, length);
	assert_memory_equal(bytes, expected, length);
}

static int
open_table(struct fixture *f, enum results_format format, bool continues)
{
	return results_table_open(&f->table, f->name, format, continues, &f->err);
}

static void
put_record(struct fixture *f, const char *record)
{
	assert_int_equal(results_table_put(&f->table, record, strlen(record), &f->err), 0);
	results_table_end_record(&f->table);
}

static void
records_are_appended_to_a_file_begun_anew(void **state)
{
	struct fixture *f = *state;
	write_file(f, "something old", 13);
	assert_int_equal(open_table(f, RESULTS_CSV, false), 0);
	assert_file(f, "something old", 13);
	put_record(f, HEADER ROW);
	put_record(f, ROW);
	assert_int_equal(results_table_finish(&f->table, &f->err), 0);
	assert_file(f, HEADER ROW ROW, sizeof(HEADER ROW ROW) - 1);
}

/* So much of the text, and a row. */
static void
assert_row_behind(struct fixture *f, const char *text, size_t length)
{
	char expected[1024];
	memcpy(expected, text, length);
	memcpy(expected + length, ROW, sizeof(ROW) - 1);
	assert_file(f, expected, length + sizeof(ROW) - 1);
}

/* Wherever the run before was killed. */
static void
a_torn_record_is_cut_off_at_every_byte(void **state)
{
	static const char csv[] = HEADER ROW ROW;
	struct fixture *f = *state;
	for (size_t length = 0; length < sizeof(csv); length++) {
		size_t good = length < sizeof(HEADER) - 1       ? 0
			      : length < sizeof(HEADER ROW) - 1 ? sizeof(HEADER) - 1
			      : length < sizeof(csv) - 1        ? sizeof(HEADER ROW) - 1
								: sizeof(csv) - 1;
		write_file(f, csv, length);
		assert_int_equal(open_table(f, RESULTS_CSV, true), 0);
		assert_file(f, csv, length);
		assert_int_equal(f->table.has_header, good > 0);
		if (good > 0)
			assert_int_equal(f->table.value_columns, 2);
		if (length % 2 == 0)
			put_record(f, ROW);
		assert_int_equal(results_table_finish(&f->table, &f->err), 0);
		if (length % 2 == 0)
			assert_row_behind(f, csv, good);
		else
			assert_file(f, csv, good);
	}
}

static void
a_torn_object_is_cut_off_at_every_byte(void **state)
{
	static const char json[] = "{\"seq\":0,\"stdout\":\"a,\\n\\\"\"}\n{\"seq\":1}\n";
	struct fixture *f = *state;
	size_t first = (size_t)(strchr(json, '\n') - json) + 1;
	for (size_t length = 0; length < sizeof(json); length++) {
		write_file(f, json, length);
		assert_int_equal(open_table(f, RESULTS_JSONL, true), 0);
		assert_int_equal(results_table_finish(&f->table, &f->err), 0);
		assert_file(f, json,
			    length < first              ? 0
			    : length < sizeof(json) - 1 ? first
							: length);
	}
}

/* So that what is behind a quote that should not be there is not taken for a torn record. */
static void
a_file_with_a_wrong_quote_is_refused_and_left_as_it_is(void **state)
{
	static const char sound[] = HEADER ROW ROW ROW;
	struct fixture *f = *state;
	for (size_t at = sizeof(HEADER) - 1; at < sizeof(HEADER ROW) - 1; at++) {
		char text[sizeof(sound)];
		memcpy(text, sound, sizeof(sound));
		text[at] = text[at] == '"' ? '#' : '"';
		write_file(f, text, sizeof(text) - 1);
		if (open_table(f, RESULTS_CSV, true) == 0)
			fail_msg("a quote at %zu was well", at);
		assert_int_equal(f->err.kind, ERR_USAGE);
		assert_file(f, text, sizeof(text) - 1);
	}
}

static void
a_file_of_another_kind_is_refused_and_left_as_it_is(void **state)
{
	static const struct {
		const char *text;
		enum results_format format;
	} rows[] = {
	    {"my letters\n", RESULTS_CSV}, {"Seq,Host\n", RESULTS_CSV},
	    {HEAD "V1\n", RESULTS_CSV},    {HEADER ROW, RESULTS_TSV},
	    {HEADER ROW, RESULTS_JSONL},   {"{\"seq\":0}\n", RESULTS_CSV},
	    {"[1, 2]\n", RESULTS_JSON},
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		write_file(f, rows[i].text, strlen(rows[i].text));
		assert_int_equal(open_table(f, rows[i].format, true), -1);
		assert_int_equal(f->err.kind, ERR_USAGE);
		assert_non_null(strstr(f->err.text, f->name));
		assert_file(f, rows[i].text, strlen(rows[i].text));
	}
}

static void
a_record_that_is_not_taken_to_its_end_is_cut_off(void **state)
{
	struct fixture *f = *state;
	struct rlimit limit, old;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(open_table(f, RESULTS_CSV, false), 0);
	put_record(f, HEADER);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = old;
	limit.rlim_cur = sizeof(HEADER) - 1 + 10;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	int first = results_table_put(&f->table, "1,:,", 4, &f->err);
	int second = results_table_put(&f->table, ROW, sizeof(ROW) - 1, &f->err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(first, 0);
	assert_int_equal(second, -1);
	assert_int_equal(f->err.errno_value, EFBIG);
	assert_non_null(strstr(f->err.text, f->name));
	assert_file(f, HEADER, sizeof(HEADER) - 1);
}

static void
a_full_device_is_an_error_that_names_it(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(
	    results_table_open(&f->table, "/dev/full", RESULTS_CSV, false, &f->err), 0);
	assert_int_equal(results_table_put(&f->table, ROW, sizeof(ROW) - 1, &f->err), -1);
	assert_int_equal(f->err.errno_value, ENOSPC);
	assert_non_null(strstr(f->err.text, "/dev/full"));
}

static void
a_pipe_is_refused_without_waiting(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(unlink(f->name), 0);
	assert_int_equal(mkfifo(f->name, 0600), 0);
	assert_int_equal(open_table(f, RESULTS_CSV, false), -1);
	assert_int_equal(f->err.kind, ERR_USAGE);
}

static void
a_link_is_refused_and_what_it_leads_to_stays(void **state)
{
	struct fixture *f = *state;
	char file[sizeof(f->name) + 2];
	struct stat st;
	snprintf(file, sizeof(file), "%s.1", f->name);
	write_file(f, ROW, sizeof(ROW) - 1);
	assert_int_equal(rename(f->name, file), 0);
	assert_int_equal(symlink(file, f->name), 0);
	assert_int_equal(open_table(f, RESULTS_CSV, false), -1);
	assert_int_equal(f->err.kind, ERR_USAGE);
	assert_non_null(strstr(f->err.text, "is a symbolic link"));
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_size, sizeof(ROW) - 1);
	assert_int_equal(unlink(file), 0);
}

static void
a_file_that_another_process_writes_is_refused(void **state)
{
	struct fixture *f = *state;
	write_file(f, HEADER ROW "1,:", sizeof(HEADER ROW) - 1 + 3);
	int fds[2];
	assert_int_equal(io_pipe(fds, 4096), 0);
	pid_t pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
		int fd = open(f->name, O_RDWR | O_CLOEXEC);
		char locked = fcntl(fd, F_SETLK, &lock) == 0 ? 'y' : 'n';
		if (io_write(fds[1], &locked, 1) == 1)
			pause();
		_exit(0);
	}
	char locked = 'n';
	assert_int_equal(io_read(fds[0], &locked, 1), 1);
	assert_int_equal(locked, 'y');
	int anew = open_table(f, RESULTS_CSV, false);
	int continued = open_table(f, RESULTS_CSV, true);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	io_close(fds[0]);
	io_close(fds[1]);
	assert_int_equal(anew, -1);
	assert_int_equal(continued, -1);
	assert_int_equal(f->err.kind, ERR_LOCKED);
	assert_non_null(strstr(f->err.text, f->name));
	assert_file(f, HEADER ROW "1,:", sizeof(HEADER ROW) - 1 + 3);
}

static void
modes_follow_the_umask(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	assert_int_equal(unlink(f->name), 0);
	umask(027);
	assert_int_equal(open_table(f, RESULTS_CSV, false), 0);
	assert_int_equal(stat(f->name, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(records_are_appended_to_a_file_begun_anew),
	    TEST(a_torn_record_is_cut_off_at_every_byte),
	    TEST(a_torn_object_is_cut_off_at_every_byte),
	    TEST(a_file_with_a_wrong_quote_is_refused_and_left_as_it_is),
	    TEST(a_file_of_another_kind_is_refused_and_left_as_it_is),
	    TEST(a_record_that_is_not_taken_to_its_end_is_cut_off),
	    TEST(a_full_device_is_an_error_that_names_it),
	    TEST(a_pipe_is_refused_without_waiting),
	    TEST(a_link_is_refused_and_what_it_leads_to_stays),
	    TEST(a_file_that_another_process_writes_is_refused),
	    TEST(modes_follow_the_umask),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
